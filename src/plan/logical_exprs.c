/* logical_exprs.c: visiting and rewriting the expressions of one node. Knowing where each kind of node keeps them is
 * this file's business alone. */
#include "plan/logical.h"

static void walk_named(const arb_named_expr *items, size_t count, arb_expr_visit visit, void *context)
{
    for (size_t i = 0; i < count; i++)
        arb_expr_walk(items[i].expr, visit, context);
}

static void walk_keys(const arb_sort_key *keys, size_t count, arb_expr_visit visit, void *context)
{
    for (size_t i = 0; i < count; i++)
        arb_expr_walk(keys[i].expr, visit, context);
}

static void walk_optional(const arb_expr *expr, arb_expr_visit visit, void *context)
{
    if (expr != NULL)
        arb_expr_walk(expr, visit, context);
}

void arb_logical_walk_exprs(const arb_logical *node, arb_expr_visit visit, void *context)
{
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        walk_optional(node->scan.filter, visit, context);
        break;
    case ARB_LOGICAL_VALUES:
        for (size_t i = 0; i < node->values.row_count * node->values.column_count; i++)
            arb_expr_walk(node->values.cells[i], visit, context);
        break;
    case ARB_LOGICAL_FILTER:
        arb_expr_walk(node->filter.condition, visit, context);
        break;
    case ARB_LOGICAL_PROJECT:
        walk_named(node->project.items, node->project.item_count, visit, context);
        break;
    case ARB_LOGICAL_AGGREGATE:
        walk_named(node->aggregate.groups, node->aggregate.group_count, visit, context);
        for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
            const arb_aggregate_call *call = &node->aggregate.aggregates[i];
            for (size_t k = 0; k < call->argument_count; k++)
                arb_expr_walk(call->arguments[k], visit, context);
            walk_optional(call->filter, visit, context);
            walk_keys(call->order, call->order_count, visit, context);
        }
        break;
    case ARB_LOGICAL_JOIN:
        walk_optional(node->join.condition, visit, context);
        break;
    case ARB_LOGICAL_SORT:
        walk_keys(node->sort.keys, node->sort.key_count, visit, context);
        break;
    case ARB_LOGICAL_GROUP_LIMIT:
        walk_keys(node->group_limit.keys, node->group_limit.key_count, visit, context);
        break;
    case ARB_LOGICAL_LIMIT:
    case ARB_LOGICAL_SET:
    case ARB_LOGICAL_SHARED:
    case ARB_LOGICAL_KIND_COUNT:
        break;
    }
}

typedef struct mapper {
    arb_query *query;
    const arb_expr *(*map)(void *context, const arb_expr *expr);
    void *context;
} mapper;

/* True on success; an absent expression stays absent. */
static bool map_one(const mapper *m, const arb_expr **expr)
{
    if (*expr == NULL)
        return true;
    *expr = m->map(m->context, *expr);
    return *expr != NULL;
}

static const arb_expr *const *map_array(const mapper *m, const arb_expr *const *exprs, size_t count)
{
    const arb_expr **mapped = arb_arena_alloc(m->query->arena, count * sizeof *mapped);
    for (size_t i = 0; mapped != NULL && i < count; i++) {
        mapped[i] = exprs[i];
        if (!map_one(m, &mapped[i]))
            return NULL;
    }
    return mapped;
}

static const arb_named_expr *map_named(const mapper *m, const arb_named_expr *items, size_t count)
{
    arb_named_expr *mapped = arb_arena_alloc(m->query->arena, count * sizeof *mapped);
    for (size_t i = 0; mapped != NULL && i < count; i++) {
        mapped[i] = items[i];
        if (!map_one(m, &mapped[i].expr))
            return NULL;
    }
    return mapped;
}

static const arb_sort_key *map_keys(const mapper *m, const arb_sort_key *keys, size_t count)
{
    arb_sort_key *mapped = arb_arena_alloc(m->query->arena, count * sizeof *mapped);
    for (size_t i = 0; mapped != NULL && i < count; i++) {
        mapped[i] = keys[i];
        if (!map_one(m, &mapped[i].expr))
            return NULL;
    }
    return mapped;
}

static bool map_aggregate(const mapper *m, arb_logical *node)
{
    node->aggregate.groups = map_named(m, node->aggregate.groups, node->aggregate.group_count);
    size_t count = node->aggregate.aggregate_count;
    arb_aggregate_call *calls = arb_arena_alloc(m->query->arena, count * sizeof *calls);
    if (node->aggregate.groups == NULL || calls == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        arb_aggregate_call *call = &calls[i];
        *call = node->aggregate.aggregates[i];
        call->arguments = map_array(m, call->arguments, call->argument_count);
        call->order = map_keys(m, call->order, call->order_count);
        if (call->arguments == NULL || call->order == NULL || !map_one(m, &call->filter))
            return false;
    }
    node->aggregate.aggregates = calls;
    return true;
}

arb_logical *arb_logical_map_exprs(arb_query *query, const arb_logical *node,
                                   const arb_expr *(*map)(void *context, const arb_expr *expr), void *context)
{
    const mapper m = {.query = query, .map = map, .context = context};
    arb_logical *copy = arb_logical_copy(query, node);
    if (copy == NULL)
        return NULL;
    switch ((arb_logical_kind)copy->kind) {
    case ARB_LOGICAL_SCAN:
        return map_one(&m, &copy->scan.filter) ? copy : NULL;
    case ARB_LOGICAL_VALUES:
        copy->values.cells = map_array(&m, copy->values.cells, copy->values.row_count * copy->values.column_count);
        return copy->values.cells != NULL ? copy : NULL;
    case ARB_LOGICAL_FILTER:
        return map_one(&m, &copy->filter.condition) ? copy : NULL;
    case ARB_LOGICAL_PROJECT:
        copy->project.items = map_named(&m, copy->project.items, copy->project.item_count);
        return copy->project.items != NULL ? copy : NULL;
    case ARB_LOGICAL_AGGREGATE:
        return map_aggregate(&m, copy) ? copy : NULL;
    case ARB_LOGICAL_JOIN:
        return map_one(&m, &copy->join.condition) ? copy : NULL;
    case ARB_LOGICAL_SORT:
        copy->sort.keys = map_keys(&m, copy->sort.keys, copy->sort.key_count);
        return copy->sort.keys != NULL ? copy : NULL;
    case ARB_LOGICAL_GROUP_LIMIT:
        copy->group_limit.keys = map_keys(&m, copy->group_limit.keys, copy->group_limit.key_count);
        return copy->group_limit.keys != NULL ? copy : NULL;
    default:
        return copy;
    }
}
