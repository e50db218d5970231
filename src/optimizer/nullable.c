/* nullable.c: which columns may be NULL where a node gives them.
 *
 * The registry says it of a column where it is made. An outer join above may add NULLs to the same column, so the
 * question is asked of a place in the tree. */
#include "optimizer/rule.h"

bool arb_expr_nullable(const arb_expr *expr, const arb_column_set *nullable)
{
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return expr->value.is_null;
    case ARB_EXPR_COLUMN:
        return arb_column_set_has(nullable, expr->column);
    case ARB_EXPR_IS_NULL:
        return false;
    case ARB_EXPR_COMPARE:
        if (expr->compare == ARB_DISTINCT || expr->compare == ARB_NOT_DISTINCT)
            return false;
        break;
    case ARB_EXPR_AND:
    case ARB_EXPR_OR:
    case ARB_EXPR_NOT:
    case ARB_EXPR_IN:
        break;
    case ARB_EXPR_CAST:
        if (expr->try_cast)
            return true;
        break;
    case ARB_EXPR_COALESCE:
        for (size_t i = 0; i < expr->child_count; i++) {
            if (!arb_expr_nullable(expr->children[i], nullable))
                return false;
        }
        return true;
    case ARB_EXPR_CASE:
        for (size_t i = 1; i < expr->child_count; i += 2) {
            if (arb_expr_nullable(expr->children[i], nullable))
                return true;
        }
        return arb_expr_nullable(expr->children[expr->child_count - 1], nullable);
    default:
        /* A function may give NULL of its own accord. */
        return true;
    }
    for (size_t i = 0; i < expr->child_count; i++) {
        if (arb_expr_nullable(expr->children[i], nullable))
            return true;
    }
    return false;
}

bool arb_aggregate_counts(const arb_aggregate_call *call)
{
    const char *name = call->function->name;
    return strcmp(name, "count") == 0 || strcmp(name, "count_star") == 0 || strcmp(name, "count_if") == 0 ||
           strcmp(name, "approx_count_distinct") == 0 || strcmp(name, "regr_count") == 0;
}

static bool add_registered(arb_query *query, const arb_logical *node, arb_column_set *set)
{
    arb_column_ids ids = {0};
    if (!arb_logical_output_ids(query, node, &ids))
        return false;
    for (size_t i = 0; i < ids.size; i++) {
        if (arb_query_column(query, ids.data[i])->nullable && !arb_column_set_add(query, set, ids.data[i]))
            return false;
    }
    return true;
}

/* Those of `used`, which is changed, that none of the inputs makes. */
static bool add_outer(arb_query *query, arb_column_set *used, const arb_logical *const *inputs, size_t count,
                      arb_column_set *set)
{
    arb_column_set made = {0};
    for (size_t i = 0; i < count; i++)
        if (!arb_logical_output(query, inputs[i], &made))
            return false;
    arb_column_set_remove_all(used, &made);
    return arb_column_set_add_all(query, set, used);
}

bool arb_outer_columns(arb_query *query, const arb_expr *expr, const arb_logical *const *inputs, size_t count,
                       arb_column_set *set)
{
    arb_column_set used = {0};
    return arb_expr_columns(query, expr, &used) && add_outer(query, &used, inputs, count, set);
}

/* An item that passes a column on leaves it as it is. */
static bool add_items(arb_query *query, const arb_logical *child, const arb_named_expr *items, size_t count,
                      arb_column_set *below, arb_column_set *set)
{
    arb_column_set used = {0};
    for (size_t i = 0; i < count; i++)
        if (!arb_expr_columns(query, items[i].expr, &used))
            return false;
    if (!add_outer(query, &used, &child, 1, below))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (arb_expr_nullable(items[i].expr, below) && !arb_column_set_add(query, set, items[i].id))
            return false;
    }
    return true;
}

static bool add_join(arb_query *query, const arb_logical *node, arb_column_set *set)
{
    arb_join_kind kind = (arb_join_kind)node->join.kind;
    bool left_nulls = kind == ARB_JOIN_RIGHT || kind == ARB_JOIN_FULL;
    bool right_nulls = kind == ARB_JOIN_LEFT || kind == ARB_JOIN_FULL || kind == ARB_JOIN_SINGLE;
    if (left_nulls ? !arb_logical_output(query, node->children[0], set)
                   : !arb_logical_nullable_columns(query, node->children[0], set))
        return false;
    if (kind == ARB_JOIN_MARK)
        return !node->join.null_aware || arb_column_set_add(query, set, node->join.mark);
    if (kind == ARB_JOIN_SEMI || kind == ARB_JOIN_ANTI)
        return true;
    return right_nulls ? arb_logical_output(query, node->children[1], set)
                       : arb_logical_nullable_columns(query, node->children[1], set);
}

bool arb_logical_nullable_columns(arb_query *query, const arb_logical *node, arb_column_set *set)
{
    while (node->kind == ARB_LOGICAL_FILTER || node->kind == ARB_LOGICAL_SORT || node->kind == ARB_LOGICAL_LIMIT ||
           node->kind == ARB_LOGICAL_GROUP_LIMIT)
        node = node->children[0];
    arb_column_set below = {0};
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_PROJECT:
        return arb_logical_nullable_columns(query, node->children[0], &below) &&
               add_items(query, node->children[0], node->project.items, node->project.item_count, &below, set);
    case ARB_LOGICAL_AGGREGATE:
        if (!arb_logical_nullable_columns(query, node->children[0], &below) ||
            !add_items(query, node->children[0], node->aggregate.groups, node->aggregate.group_count, &below, set))
            return false;
        for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
            const arb_aggregate_call *call = &node->aggregate.aggregates[i];
            if (!arb_aggregate_counts(call) && !arb_column_set_add(query, set, call->id))
                return false;
        }
        return true;
    case ARB_LOGICAL_JOIN:
        return add_join(query, node, set);
    case ARB_LOGICAL_SCAN:
    case ARB_LOGICAL_VALUES:
        return add_registered(query, node, set);
    default:
        /* What set operations and shared plans give is not followed: it may be NULL. */
        return arb_logical_output(query, node, set);
    }
}
