/* expr_properties.c: what can be said of an expression without evaluating it. */
#include "expr/function.h"

typedef struct finding {
    bool found;
} finding;

static unsigned integer_digits(arb_type type)
{
    switch ((arb_type_id)type.id) {
    case ARB_TYPE_TINYINT:
        return 3;
    case ARB_TYPE_SMALLINT:
        return 5;
    case ARB_TYPE_INTEGER:
        return 10;
    default:
        return 19;
    }
}

/* Does every value of `from` have a value of `to`? Only what is certain without looking at values. */
static bool cast_infallible(arb_type from, arb_type to)
{
    if (from.id == ARB_TYPE_NULL || arb_type_equal(from, to))
        return true;
    if (to.id == ARB_TYPE_VARCHAR)
        return from.id != ARB_TYPE_BLOB;
    if (arb_type_is_integer(from)) {
        if (arb_type_is_integer(to))
            return to.id >= from.id;
        if (to.id == ARB_TYPE_DECIMAL)
            return to.precision - to.scale >= (int)integer_digits(from);
        return to.id == ARB_TYPE_REAL || to.id == ARB_TYPE_DOUBLE;
    }
    if (from.id == ARB_TYPE_DECIMAL) {
        if (to.id == ARB_TYPE_DECIMAL)
            return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
        return to.id == ARB_TYPE_DOUBLE;
    }
    if (from.id == ARB_TYPE_BOOLEAN)
        return arb_type_is_integer(to);
    return from.id == ARB_TYPE_REAL && to.id == ARB_TYPE_DOUBLE;
}

static bool look_for_failure(void *context, const arb_expr *expr)
{
    finding *may_fail = context;
    if (expr->kind == ARB_EXPR_CALL && !expr->function->infallible)
        may_fail->found = true;
    if (expr->kind == ARB_EXPR_CAST && !expr->try_cast && !cast_infallible(expr->children[0]->type, expr->type))
        may_fail->found = true;
    return !may_fail->found;
}

bool arb_expr_infallible(const arb_expr *expr)
{
    finding may_fail = {false};
    arb_expr_walk(expr, look_for_failure, &may_fail);
    return !may_fail.found;
}

static bool look_for_volatile(void *context, const arb_expr *expr)
{
    finding is_volatile = {expr->kind == ARB_EXPR_CALL && expr->function->is_volatile};
    if (is_volatile.found)
        *(finding *)context = is_volatile;
    return !is_volatile.found;
}

bool arb_expr_deterministic(const arb_expr *expr)
{
    finding is_volatile = {false};
    arb_expr_walk(expr, look_for_volatile, &is_volatile);
    return !is_volatile.found;
}

static bool look_for_column(void *context, const arb_expr *expr)
{
    finding *column = context;
    if (expr->kind == ARB_EXPR_COLUMN)
        column->found = true;
    return !column->found;
}

bool arb_expr_is_constant(const arb_expr *expr)
{
    finding column = {false};
    arb_expr_walk(expr, look_for_column, &column);
    return !column.found;
}

arb_compare arb_compare_flip(arb_compare compare)
{
    switch (compare) {
    case ARB_LESS:
        return ARB_GREATER;
    case ARB_LESS_EQUAL:
        return ARB_GREATER_EQUAL;
    case ARB_GREATER:
        return ARB_LESS;
    case ARB_GREATER_EQUAL:
        return ARB_LESS_EQUAL;
    default:
        return compare;
    }
}

arb_compare arb_compare_negate(arb_compare compare)
{
    switch (compare) {
    case ARB_EQUAL:
        return ARB_NOT_EQUAL;
    case ARB_NOT_EQUAL:
        return ARB_EQUAL;
    case ARB_LESS:
        return ARB_GREATER_EQUAL;
    case ARB_LESS_EQUAL:
        return ARB_GREATER;
    case ARB_GREATER:
        return ARB_LESS_EQUAL;
    case ARB_GREATER_EQUAL:
        return ARB_LESS;
    case ARB_DISTINCT:
        return ARB_NOT_DISTINCT;
    case ARB_NOT_DISTINCT:
        return ARB_DISTINCT;
    }
    return compare;
}

const char *arb_compare_symbol(arb_compare compare)
{
    static const char *const symbols[] = {
        [ARB_EQUAL] = "=",
        [ARB_NOT_EQUAL] = "<>",
        [ARB_LESS] = "<",
        [ARB_LESS_EQUAL] = "<=",
        [ARB_GREATER] = ">",
        [ARB_GREATER_EQUAL] = ">=",
        [ARB_DISTINCT] = "IS DISTINCT FROM",
        [ARB_NOT_DISTINCT] = "IS NOT DISTINCT FROM",
    };
    return symbols[compare];
}
