/* logical_columns.c: what columns a node gives, and which it takes from outside of itself. */
#include "plan/logical.h"

static bool add_named(arb_query *query, const arb_named_expr *items, size_t count, arb_column_ids *ids)
{
    for (size_t i = 0; i < count; i++) {
        if (!ARB_ARENA_PUSH(query->arena, ids, items[i].id))
            return false;
    }
    return true;
}

static bool add_ids(arb_query *query, const arb_column_id *columns, size_t count, arb_column_ids *ids)
{
    for (size_t i = 0; i < count; i++) {
        if (!ARB_ARENA_PUSH(query->arena, ids, columns[i]))
            return false;
    }
    return true;
}

/* Does the node give columns that none of its children gave? */
static bool makes_columns(const arb_logical *node)
{
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_FILTER:
    case ARB_LOGICAL_SORT:
    case ARB_LOGICAL_LIMIT:
    case ARB_LOGICAL_GROUP_LIMIT:
        return false;
    default:
        return true;
    }
}

bool arb_logical_output_ids(arb_query *query, const arb_logical *node, arb_column_ids *ids)
{
    /* Long chains of one child are common, so they are followed without recursion. */
    while (!makes_columns(node))
        node = node->children[0];
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        for (size_t i = 0; i < node->scan.column_count; i++) {
            if (!ARB_ARENA_PUSH(query->arena, ids, node->scan.columns[i].id))
                return false;
        }
        return true;
    case ARB_LOGICAL_VALUES:
        return add_ids(query, node->values.columns, node->values.column_count, ids);
    case ARB_LOGICAL_PROJECT:
        return add_named(query, node->project.items, node->project.item_count, ids);
    case ARB_LOGICAL_AGGREGATE:
        if (!add_named(query, node->aggregate.groups, node->aggregate.group_count, ids))
            return false;
        for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
            if (!ARB_ARENA_PUSH(query->arena, ids, node->aggregate.aggregates[i].id))
                return false;
        }
        return true;
    case ARB_LOGICAL_JOIN:
        if (!arb_logical_output_ids(query, node->children[0], ids))
            return false;
        if (node->join.kind == ARB_JOIN_MARK)
            return ARB_ARENA_PUSH(query->arena, ids, node->join.mark);
        return node->join.kind == ARB_JOIN_SEMI || node->join.kind == ARB_JOIN_ANTI ||
               arb_logical_output_ids(query, node->children[1], ids);
    case ARB_LOGICAL_SET:
        return add_ids(query, node->set.columns, node->set.column_count, ids);
    case ARB_LOGICAL_SHARED:
        return add_ids(query, node->shared.columns, node->shared.column_count, ids);
    default:
        assert(false);
        return true;
    }
}

bool arb_logical_output(arb_query *query, const arb_logical *node, arb_column_set *set)
{
    arb_column_ids ids = {0};
    if (!arb_logical_output_ids(query, node, &ids))
        return false;
    for (size_t i = 0; i < ids.size; i++) {
        if (!arb_column_set_add(query, set, ids.data[i]))
            return false;
    }
    return true;
}

static bool add_made(arb_query *query, const arb_logical *node, arb_column_set *made)
{
    if (node->kind == ARB_LOGICAL_JOIN)
        return node->join.kind != ARB_JOIN_MARK || arb_column_set_add(query, made, node->join.mark);
    return !makes_columns(node) || arb_logical_output(query, node, made);
}

/* Ids are unique in the query, so what is used anywhere below and made nowhere below comes from outside. */
static bool collect(arb_query *query, const arb_logical *node, arb_column_set *used, arb_column_set *made)
{
    if (!arb_logical_used_columns(query, node, used) || !add_made(query, node, made))
        return false;
    if (node->kind == ARB_LOGICAL_SHARED)
        return collect(query, node->shared.shared->plan, used, made);
    for (size_t i = 0; i < arb_logical_child_count(node); i++) {
        if (!collect(query, arb_logical_child(node, i), used, made))
            return false;
    }
    return true;
}

bool arb_logical_free_columns(arb_query *query, const arb_logical *node, arb_column_set *set)
{
    arb_column_set used = {0}, made = {0};
    if (!collect(query, node, &used, &made))
        return false;
    arb_column_set_remove_all(&used, &made);
    return arb_column_set_add_all(query, set, &used);
}
