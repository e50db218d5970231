/* logical_build.c: the constructors of logical nodes. Arrays are copied into the query's arena. */
#include "plan/logical.h"

static arb_logical *node_of(arb_query *query, arb_logical_kind kind, const arb_logical *left, const arb_logical *right)
{
    arb_logical *node = ARB_ARENA_NEW(query->arena, arb_logical);
    if (node == NULL)
        return NULL;
    node->kind = (uint8_t)kind;
    node->children[0] = left;
    node->children[1] = right;
    node->child_count = (left != NULL) + (right != NULL);
    return node;
}

/* NULL means no memory also when there is nothing to copy: an empty array still has an address. */
static void *copied(arb_query *query, const void *array, size_t bytes)
{
    void *copy = arb_arena_alloc(query->arena, bytes);
    if (copy != NULL && bytes != 0)
        memcpy(copy, array, bytes);
    return copy;
}

arb_logical *arb_logical_filter(arb_query *query, const arb_logical *child, const arb_expr *condition)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_FILTER, child, NULL);
    if (node != NULL)
        node->filter.condition = condition;
    return node;
}

arb_logical *arb_logical_project(arb_query *query, const arb_logical *child, const arb_named_expr *items, size_t count)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_PROJECT, child, NULL);
    if (node == NULL)
        return NULL;
    node->project.item_count = count;
    node->project.items = copied(query, items, count * sizeof *items);
    return node->project.items != NULL ? node : NULL;
}

arb_logical *arb_logical_aggregate(arb_query *query, const arb_logical *child, const arb_named_expr *groups,
                                   size_t group_count, const arb_aggregate_call *aggregates, size_t aggregate_count)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_AGGREGATE, child, NULL);
    if (node == NULL)
        return NULL;
    node->aggregate.group_count = group_count;
    node->aggregate.groups = copied(query, groups, group_count * sizeof *groups);
    node->aggregate.aggregate_count = aggregate_count;
    node->aggregate.aggregates = copied(query, aggregates, aggregate_count * sizeof *aggregates);
    return node->aggregate.groups != NULL && node->aggregate.aggregates != NULL ? node : NULL;
}

arb_logical *arb_logical_join(arb_query *query, arb_join_kind kind, const arb_logical *left, const arb_logical *right,
                              const arb_expr *condition)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_JOIN, left, right);
    if (node != NULL) {
        node->join.kind = (uint8_t)kind;
        node->join.condition = condition;
        node->join.mark = ARB_NO_COLUMN;
    }
    return node;
}

arb_logical *arb_logical_sort(arb_query *query, const arb_logical *child, const arb_sort_key *keys, size_t count)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_SORT, child, NULL);
    if (node == NULL)
        return NULL;
    node->sort.key_count = count;
    node->sort.keys = copied(query, keys, count * sizeof *keys);
    node->sort.limit = -1;
    return node->sort.keys != NULL ? node : NULL;
}

arb_logical *arb_logical_limit(arb_query *query, const arb_logical *child, int64_t count, int64_t offset)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_LIMIT, child, NULL);
    if (node != NULL) {
        node->limit.count = count;
        node->limit.offset = offset;
    }
    return node;
}

arb_logical *arb_logical_group_limit(arb_query *query, const arb_logical *child, const arb_sort_key *keys,
                                     size_t key_count, size_t group_count, int64_t count, int64_t offset)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_GROUP_LIMIT, child, NULL);
    if (node == NULL)
        return NULL;
    node->group_limit.group_count = group_count;
    node->group_limit.key_count = key_count;
    node->group_limit.keys = copied(query, keys, key_count * sizeof *keys);
    node->group_limit.count = count;
    node->group_limit.offset = offset;
    return node->group_limit.keys != NULL ? node : NULL;
}

arb_logical *arb_logical_scan(arb_query *query, arb_table *table, arb_str alias, const arb_scan_output *columns,
                              size_t count)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_SCAN, NULL, NULL);
    if (node == NULL)
        return NULL;
    node->scan.table = table;
    node->scan.alias = alias;
    node->scan.column_count = count;
    node->scan.columns = copied(query, columns, count * sizeof *columns);
    node->scan.limit = -1;
    return node->scan.columns != NULL ? node : NULL;
}

arb_logical *arb_logical_values(arb_query *query, const arb_column_id *columns, size_t column_count,
                                const arb_expr *const *cells, size_t row_count)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_VALUES, NULL, NULL);
    if (node == NULL)
        return NULL;
    node->values.column_count = column_count;
    node->values.row_count = row_count;
    node->values.columns = copied(query, columns, column_count * sizeof *columns);
    node->values.cells = copied(query, cells, column_count * row_count * sizeof *cells);
    return node->values.columns != NULL && node->values.cells != NULL ? node : NULL;
}

arb_logical *arb_logical_one_row(arb_query *query)
{
    return arb_logical_values(query, NULL, 0, NULL, 1);
}

arb_logical *arb_logical_empty(arb_query *query, const arb_column_id *columns, size_t count)
{
    return arb_logical_values(query, columns, count, NULL, 0);
}

arb_logical *arb_logical_set(arb_query *query, arb_set_kind kind, bool all, const arb_column_id *columns,
                             size_t column_count, const arb_set_input *inputs, size_t input_count)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_SET, NULL, NULL);
    arb_set_input *own = copied(query, inputs, input_count * sizeof *inputs);
    if (node == NULL || own == NULL)
        return NULL;
    for (size_t i = 0; i < input_count; i++) {
        own[i].columns = copied(query, inputs[i].columns, column_count * sizeof *columns);
        if (own[i].columns == NULL)
            return NULL;
    }
    node->set.kind = (uint8_t)kind;
    node->set.all = all;
    node->set.column_count = column_count;
    node->set.columns = copied(query, columns, column_count * sizeof *columns);
    node->set.input_count = input_count;
    node->set.inputs = own;
    return node->set.columns != NULL ? node : NULL;
}

arb_logical *arb_logical_shared(arb_query *query, arb_shared *shared, const arb_column_id *columns,
                                const arb_column_id *sources, size_t column_count)
{
    arb_logical *node = node_of(query, ARB_LOGICAL_SHARED, NULL, NULL);
    if (node == NULL)
        return NULL;
    node->shared.shared = shared;
    node->shared.column_count = column_count;
    node->shared.columns = copied(query, columns, column_count * sizeof *columns);
    node->shared.sources = copied(query, sources, column_count * sizeof *sources);
    return node->shared.columns != NULL && node->shared.sources != NULL ? node : NULL;
}

arb_logical *arb_logical_copy(arb_query *query, const arb_logical *node)
{
    return copied(query, node, sizeof *node);
}

arb_logical *arb_logical_with_children(arb_query *query, const arb_logical *node, const arb_logical *const *children)
{
    arb_logical *copy = arb_logical_copy(query, node);
    if (copy == NULL)
        return NULL;
    copy->rows = 0;
    if (node->kind != ARB_LOGICAL_SET) {
        for (size_t i = 0; i < node->child_count; i++)
            copy->children[i] = children[i];
        return copy;
    }
    arb_set_input *inputs = copied(query, node->set.inputs, node->set.input_count * sizeof *inputs);
    if (inputs == NULL)
        return NULL;
    for (size_t i = 0; i < node->set.input_count; i++)
        inputs[i].plan = children[i];
    copy->set.inputs = inputs;
    return copy;
}
