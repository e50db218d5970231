/* simplify_compare.c: comparisons with constants.
 *
 * The binder makes both sides of one type, so an integer column compared with a decimal reads CAST(c AS decimal) < 5.5,
 * and a date compared with a timestamp CAST(d AS timestamp) < '1995-01-01 00:00:00'. Such casts keep order and lose
 * nothing, so the constant can be brought to the column's type instead: exactly when it has a value there, and else
 * rounded to the side that leaves the comparison's result the same (c < 5.5 is c <= 5). The column then is compared as
 * it is stored, and statistics apply. */
#include "optimizer/simplify.h"

/* 10^exponent, or 0 when it does not fit. */
static arb_int128 power_of_ten(unsigned exponent)
{
    arb_int128 power = 1;
    for (unsigned i = 0; i < exponent; i++) {
        if (__builtin_mul_overflow(power, 10, &power))
            return 0;
    }
    return power;
}

/* How many units of `to` (numerator) make how many of `from` (denominator), when a cast from `to` up to `from` keeps
 * every value: one of them is 1. */
static bool unit_ratio(arb_type narrow, arb_type wide, arb_int128 *out_factor)
{
    if (arb_type_is_integer(narrow) && arb_type_is_integer(wide)) {
        *out_factor = 1;
        return wide.id >= narrow.id;
    }
    if ((arb_type_is_integer(narrow) || narrow.id == ARB_TYPE_DECIMAL) && wide.id == ARB_TYPE_DECIMAL) {
        unsigned scale = narrow.id == ARB_TYPE_DECIMAL ? narrow.scale : 0;
        if (wide.scale < scale)
            return false;
        *out_factor = power_of_ten(wide.scale - scale);
        return *out_factor != 0;
    }
    if (narrow.id == ARB_TYPE_DATE && wide.id == ARB_TYPE_TIMESTAMP) {
        *out_factor = (arb_int128)86400 * (wide.nanoseconds ? 1000000000 : 1000000);
        return true;
    }
    return false;
}

static bool in_type(arb_type type, arb_int128 value)
{
    switch ((arb_type_id)type.id) {
    case ARB_TYPE_TINYINT:
        return value >= INT8_MIN && value <= INT8_MAX;
    case ARB_TYPE_SMALLINT:
        return value >= INT16_MIN && value <= INT16_MAX;
    case ARB_TYPE_INTEGER:
    case ARB_TYPE_DATE:
        return value >= INT32_MIN && value <= INT32_MAX;
    case ARB_TYPE_BIGINT:
        return value >= INT64_MIN && value <= INT64_MAX;
    default: {
        arb_int128 limit = power_of_ten(type.precision);
        return value < limit && value > -limit;
    }
    }
}

/* The comparison of the cast's child with the constant in its own type; the same expression when that is not exact. */
static const arb_expr *undo_cast(arb_rule_context *rule, const arb_expr *expr)
{
    const arb_expr *cast = expr->children[0], *constant = expr->children[1];
    arb_compare compare = (arb_compare)expr->compare;
    arb_int128 factor;
    if (cast->kind != ARB_EXPR_CAST || constant->kind != ARB_EXPR_CONSTANT || constant->value.is_null ||
        cast->children[0]->kind == ARB_EXPR_CONSTANT || !unit_ratio(cast->children[0]->type, cast->type, &factor))
        return expr;
    const arb_type type = cast->children[0]->type;
    arb_int128 wide = constant->value.integer, down = wide / factor;
    bool exact = down * factor == wide;
    if (!exact && wide < 0)
        down--; /* towards smaller values, so that down < exact value < down + 1 */
    if (!exact) {
        if (compare == ARB_LESS || compare == ARB_LESS_EQUAL)
            compare = ARB_LESS_EQUAL;
        else if (compare == ARB_GREATER || compare == ARB_GREATER_EQUAL)
            compare = ARB_GREATER;
        else
            return expr;
    }
    if (!in_type(type, down))
        return expr;
    arb_value value = {.type = type, .integer = down};
    const arb_expr *moved = arb_expr_constant(rule->query->arena, value);
    return moved != NULL ? arb_expr_compare(rule->query->arena, compare, cast->children[0], moved) : NULL;
}

const arb_expr *arb_simplify_compare(arb_rule_context *rule, const arb_expr *expr)
{
    arb_arena *arena = rule->query->arena;
    const arb_expr *left = expr->children[0], *right = expr->children[1];
    arb_compare compare = (arb_compare)expr->compare;
    if (left->kind == ARB_EXPR_CONSTANT && right->kind != ARB_EXPR_CONSTANT) {
        expr = arb_expr_compare(arena, arb_compare_flip(compare), right, left);
        if (expr == NULL)
            return NULL;
        right = left;
    }
    if (right->kind == ARB_EXPR_CONSTANT && right->value.is_null) {
        /* IS [NOT] DISTINCT FROM NULL is IS [NOT] NULL; every other comparison with NULL is NULL. */
        if (compare != ARB_DISTINCT && compare != ARB_NOT_DISTINCT)
            return arb_expr_constant(arena, arb_value_null(ARB_TYPE(BOOLEAN)));
        const arb_expr *is_null = arb_expr_is_null(arena, expr->children[0]);
        return is_null == NULL || compare == ARB_NOT_DISTINCT ? is_null : arb_expr_not(arena, is_null);
    }
    return undo_cast(rule, expr);
}
