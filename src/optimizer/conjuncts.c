/* conjuncts.c: conditions taken apart, and what can be said of a conjunct without running it. */
#include "optimizer/rule.h"

bool arb_conjuncts_add(arb_query *query, arb_conjuncts *list, const arb_expr *condition)
{
    if (condition == NULL)
        return true;
    for (size_t i = 0; i < arb_expr_conjunct_count(condition); i++) {
        const arb_expr *conjunct = arb_expr_conjunct(condition, i);
        bool known = arb_expr_is_true(conjunct);
        for (size_t k = 0; k < list->size && !known; k++)
            known = arb_expr_equal(list->data[k], conjunct);
        if (!known && !ARB_ARENA_PUSH(query->arena, list, conjunct))
            return false;
    }
    return true;
}

bool arb_conjuncts_condition(arb_query *query, const arb_conjuncts *list, const arb_expr **out)
{
    *out = NULL;
    if (list->size == 0)
        return true;
    *out = arb_expr_and(query->arena, list->data, list->size);
    return *out != NULL;
}

const arb_logical *arb_conjuncts_filter(arb_query *query, const arb_logical *node, const arb_conjuncts *list)
{
    if (list->size == 0)
        return node;
    arb_conjuncts all = {0};
    if (node->kind == ARB_LOGICAL_FILTER) {
        if (!arb_conjuncts_add(query, &all, node->filter.condition))
            return NULL;
        node = node->children[0];
    }
    for (size_t i = 0; i < list->size; i++) {
        if (!arb_conjuncts_add(query, &all, list->data[i]))
            return NULL;
    }
    const arb_expr *condition;
    if (!arb_conjuncts_condition(query, &all, &condition))
        return NULL;
    return condition == NULL ? node : arb_logical_filter(query, node, condition);
}

typedef struct column_test {
    const arb_column_set *columns;
    bool any_inside, any_outside;
} column_test;

static bool test_column(void *context, const arb_expr *expr)
{
    column_test *test = context;
    if (expr->kind == ARB_EXPR_COLUMN) {
        if (arb_column_set_has(test->columns, expr->column))
            test->any_inside = true;
        else
            test->any_outside = true;
    }
    return true;
}

bool arb_expr_within(const arb_expr *expr, const arb_column_set *columns)
{
    column_test test = {.columns = columns};
    arb_expr_walk(expr, test_column, &test);
    return !test.any_outside;
}

bool arb_expr_uses(const arb_expr *expr, const arb_column_set *columns)
{
    column_test test = {.columns = columns};
    arb_expr_walk(expr, test_column, &test);
    return test.any_inside;
}

bool arb_conjunct_equates(arb_query *query, const arb_expr *conjunct, const arb_column_set *left_columns,
                          const arb_column_set *right_columns, const arb_expr **out_left, const arb_expr **out_right)
{
    (void)query;
    if (conjunct->kind != ARB_EXPR_COMPARE || (conjunct->compare != ARB_EQUAL && conjunct->compare != ARB_NOT_DISTINCT))
        return false;
    for (size_t turn = 0; turn < 2; turn++) {
        const arb_expr *left = conjunct->children[turn], *right = conjunct->children[1 - turn];
        if (arb_expr_uses(left, left_columns) && arb_expr_within(left, left_columns) &&
            arb_expr_uses(right, right_columns) && arb_expr_within(right, right_columns)) {
            *out_left = left;
            *out_right = right;
            return true;
        }
    }
    return false;
}

bool arb_expr_null_on_null(const arb_expr *expr, const arb_column_set *columns)
{
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return expr->value.is_null;
    case ARB_EXPR_COLUMN:
        return arb_column_set_has(columns, expr->column);
    case ARB_EXPR_CALL:
        if (expr->function->handles_null)
            return false;
        break;
    case ARB_EXPR_COMPARE:
        if (expr->compare == ARB_DISTINCT || expr->compare == ARB_NOT_DISTINCT)
            return false;
        break;
    case ARB_EXPR_NOT:
    case ARB_EXPR_CAST:
        break;
    case ARB_EXPR_IN:
        return arb_expr_null_on_null(expr->children[0], columns);
    case ARB_EXPR_AND:
    case ARB_EXPR_OR:
    case ARB_EXPR_COALESCE:
        for (size_t i = 0; i < expr->child_count; i++) {
            if (!arb_expr_null_on_null(expr->children[i], columns))
                return false;
        }
        return true;
    default:
        return false;
    }
    for (size_t i = 0; i < expr->child_count; i++) {
        if (arb_expr_null_on_null(expr->children[i], columns))
            return true;
    }
    return false;
}

/* The mirror of rejecting: certainly NULL or TRUE, so that its negation lets no row pass. */
static bool never_false(const arb_expr *expr, const arb_column_set *columns)
{
    if (arb_expr_null_on_null(expr, columns))
        return true;
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return expr->value.is_null || expr->value.boolean;
    case ARB_EXPR_IS_NULL:
        return arb_expr_null_on_null(expr->children[0], columns);
    case ARB_EXPR_NOT:
        return arb_expr_rejects_null(expr->children[0], columns);
    default:
        return false;
    }
}

bool arb_expr_rejects_null(const arb_expr *expr, const arb_column_set *columns)
{
    if (arb_expr_null_on_null(expr, columns))
        return true;
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return expr->type.id == ARB_TYPE_BOOLEAN && !expr->value.boolean;
    case ARB_EXPR_AND:
        for (size_t i = 0; i < expr->child_count; i++) {
            if (arb_expr_rejects_null(expr->children[i], columns))
                return true;
        }
        return false;
    case ARB_EXPR_OR:
        for (size_t i = 0; i < expr->child_count; i++) {
            if (!arb_expr_rejects_null(expr->children[i], columns))
                return false;
        }
        return true;
    case ARB_EXPR_NOT:
        return never_false(expr->children[0], columns);
    case ARB_EXPR_COALESCE: {
        /* coalesce(x = y, false): each candidate NULL or FALSE. */
        for (size_t i = 0; i < expr->child_count; i++) {
            if (!arb_expr_rejects_null(expr->children[i], columns))
                return false;
        }
        return true;
    }
    default:
        return false;
    }
}

typedef struct substitution {
    const arb_named_expr *items;
    size_t count;
} substitution;

static const arb_expr *substitute(void *context, arb_arena *arena, const arb_expr *expr)
{
    (void)arena;
    const substitution *s = context;
    if (expr->kind != ARB_EXPR_COLUMN)
        return expr;
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].id == expr->column)
            return s->items[i].expr;
    }
    return expr;
}

const arb_expr *arb_expr_substitute(arb_query *query, const arb_expr *expr, const arb_named_expr *items, size_t count)
{
    substitution s = {.items = items, .count = count};
    return arb_expr_transform(query->arena, expr, substitute, &s);
}
