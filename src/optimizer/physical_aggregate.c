/* physical_aggregate.c: aggregation over plain columns. What groups and arguments compute is projected below. */
#include "optimizer/physical_internal.h"

static arb_physical_node *new_aggregate(planner *p, const arb_physical_node *child, size_t groups, size_t aggregates,
                                        double rows)
{
    arb_physical_node *node = arb_planner_node(p, ARB_PHYSICAL_AGGREGATE, 1, child, NULL, rows);
    arb_slot *slots = ARB_ARENA_ARRAY(p->arena, arb_slot, groups + aggregates + 1);
    uint32_t *group_at = ARB_ARENA_ARRAY(p->arena, uint32_t, groups + 1);
    arb_physical_aggregate *calls = ARB_ARENA_ARRAY(p->arena, arb_physical_aggregate, aggregates + 1);
    if (node == NULL || slots == NULL || group_at == NULL || calls == NULL)
        return arb_planner_no_memory(p);
    node->layout = (arb_layout){groups + aggregates, slots};
    node->aggregate.group_count = groups;
    node->aggregate.groups = group_at;
    node->aggregate.aggregate_count = aggregates;
    node->aggregate.aggregates = calls;
    return node;
}

const arb_physical_node *arb_planner_make_distinct(planner *p, const arb_physical_node *child, double rows)
{
    child = arb_planner_packed(p, child);
    arb_physical_node *node = child == NULL ? NULL : new_aggregate(p, child, child->layout.count, 0, rows);
    if (node == NULL)
        return NULL;
    for (size_t i = 0; i < child->layout.count; i++) {
        ((uint32_t *)(uintptr_t)node->aggregate.groups)[i] = (uint32_t)i;
        ((arb_slot *)(uintptr_t)node->layout.slots)[i] = child->layout.slots[i];
    }
    return node;
}

/* All expressions that the aggregation reads, in one list; each call notes where its own begin. */
typedef struct wanted_columns {
    ARB_VEC(const arb_expr *) exprs; /* arena */
} wanted_columns;

static bool want(planner *p, wanted_columns *wanted, const arb_expr *expr, arb_column_set *below)
{
    if (!ARB_ARENA_PUSH(p->arena, &wanted->exprs, expr) || !arb_expr_columns(p->query, expr, below))
        return arb_planner_no_memory(p) != NULL;
    return true;
}

static bool want_call(planner *p, wanted_columns *wanted, const arb_aggregate_call *call, arb_column_set *below)
{
    for (size_t i = 0; i < call->argument_count; i++)
        if (!want(p, wanted, call->arguments[i], below))
            return false;
    if (call->filter != NULL && !want(p, wanted, call->filter, below))
        return false;
    for (size_t i = 0; i < call->order_count; i++)
        if (!want(p, wanted, call->order[i].expr, below))
            return false;
    return true;
}

static bool plan_call(planner *p, const arb_aggregate_call *call, const arb_physical_node *child,
                      const uint32_t *positions, arb_physical_aggregate *out, arb_slot *out_slot)
{
    size_t count = call->argument_count, next = count;
    arb_slot *arguments = ARB_ARENA_ARRAY(p->arena, arb_slot, count + 1);
    const arb_value **constants = ARB_ARENA_ARRAY(p->arena, const arb_value *, count + 1);
    arb_physical_sort_key *order = ARB_ARENA_ARRAY(p->arena, arb_physical_sort_key, call->order_count + 1);
    if (arguments == NULL || constants == NULL || order == NULL)
        return arb_planner_no_memory(p) != NULL;
    for (size_t i = 0; i < count; i++) {
        arguments[i] = child->layout.slots[positions[i]];
        if (call->arguments[i]->kind == ARB_EXPR_CONSTANT)
            constants[i] = &call->arguments[i]->value;
    }
    *out = (arb_physical_aggregate){.plan = {.function = call->function,
                                             .implementation = call->function->aggregate,
                                             .result = arb_query_column(p->query, call->id)->type,
                                             .argument_count = count,
                                             .arguments = arguments,
                                             .constants = constants,
                                             .rows_most = arb_planner_rows_most(child)},
                                    .arguments = positions,
                                    .filter = call->filter != NULL ? (int)positions[next++] : -1,
                                    .distinct = call->distinct,
                                    .order_count = call->order_count,
                                    .order = order};
    for (size_t i = 0; i < call->order_count; i++)
        order[i] = (arb_physical_sort_key){positions[next++], call->order[i].descending, call->order[i].nulls_first};
    *out_slot = (arb_slot){.type = out->plan.result, .physical = arb_type_physical(out->plan.result), .nullable = true};
    out_slot->range = arb_range_of_type(out_slot->type);
    arb_code code = out->plan.implementation->plan(&out->plan, &out->state_size, out_slot, p->error);
    if (code != ARB_OK)
        return arb_planner_failed(p, arb_error_at(p->error, code, call->position)) != NULL;
    out_slot->id = call->id;
    return true;
}

/* A group that is carried: any value of it is the value. */
static bool plan_carried(planner *p, const arb_named_expr *group, const arb_physical_node *child,
                         const uint32_t *position, arb_physical_aggregate *out, arb_slot *out_slot)
{
    arb_aggregate_call call = {.id = group->id,
                               .function = arb_function_find(ARB_FUNCTION_AGGREGATE, ARB_STR("any_value")),
                               .argument_count = 1,
                               .arguments = &group->expr};
    if (!plan_call(p, &call, child, position, out, out_slot))
        return false;
    out_slot->nullable = child->layout.slots[*position].nullable; /* no group is empty */
    out_slot->type = group->expr->type;
    return true;
}

/* What the aggregation reads: groups, carried ones in their places, then what each call that is needed reads. */
static bool want_all(planner *p, const arb_logical *node, const arb_column_set *needed, const filter_wishes *wishes,
                     wanted_columns *wanted, arb_column_set *below, filter_wishes *passed)
{
    for (size_t i = 0; i < node->aggregate.group_count; i++) {
        const arb_named_expr *group = &node->aggregate.groups[i];
        if (!want(p, wanted, group->expr, below))
            return false;
        for (size_t w = 0; w < wishes->size; w++) { /* dropping a group's rows drops the group, whole */
            filter_wish wish = wishes->data[w];
            if (wish.column != group->id || group->expr->kind != ARB_EXPR_COLUMN)
                continue;
            wish.column = group->expr->column;
            if (!ARB_ARENA_PUSH(p->arena, passed, wish))
                return arb_planner_no_memory(p) != NULL;
        }
    }
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const arb_aggregate_call *call = &node->aggregate.aggregates[i];
        if (arb_column_set_has(needed, call->id) && !want_call(p, wanted, call, below))
            return false;
    }
    return true;
}

/* The calls of the node, behind those for carried groups. */
static bool plan_calls(planner *p, const arb_logical *node, const arb_column_set *needed,
                       const arb_physical_node *child, const uint32_t *positions, size_t groups,
                       arb_physical_node *aggregate)
{
    arb_slot *slots = (arb_slot *)(uintptr_t)aggregate->layout.slots;
    arb_physical_aggregate *made = (arb_physical_aggregate *)(uintptr_t)aggregate->aggregate.aggregates;
    size_t next = groups, at = 0;
    for (; next < node->aggregate.group_count; next++, at++)
        if (!plan_carried(p, &node->aggregate.groups[next], child, positions + next, &made[at], &slots[groups + at]))
            return false;
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const arb_aggregate_call *call = &node->aggregate.aggregates[i];
        if (!arb_column_set_has(needed, call->id))
            continue;
        if (!plan_call(p, call, child, positions + next, &made[at], &slots[groups + at]))
            return false;
        next += call->argument_count + (call->filter != NULL) + call->order_count;
        at++;
    }
    return true;
}

const arb_physical_node *arb_planner_make_aggregate(planner *p, const arb_logical *node, const arb_column_set *needed,
                                                    const filter_wishes *wishes)
{
    size_t groups = node->aggregate.group_count - node->aggregate.carried_count, calls = node->aggregate.carried_count;
    wanted_columns wanted = {0};
    arb_column_set below = {0};
    filter_wishes passed = {0};
    if (!want_all(p, node, needed, wishes, &wanted, &below, &passed))
        return NULL;
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++)
        calls += arb_column_set_has(needed, node->aggregate.aggregates[i].id);
    uint32_t *positions = ARB_ARENA_ARRAY(p->arena, uint32_t, wanted.exprs.size + 1);
    if (positions == NULL)
        return arb_planner_no_memory(p);
    const arb_physical_node *child = arb_planner_make_node(p, node->children[0], &below, &passed);
    if (child == NULL ||
        (child = arb_planner_with_columns(p, child, wanted.exprs.data, wanted.exprs.size, positions)) == NULL ||
        (child = arb_planner_packed(p, child)) == NULL)
        return NULL;
    arb_physical_node *aggregate = new_aggregate(p, child, groups, calls, node->rows);
    if (aggregate == NULL)
        return NULL;
    arb_slot *slots = (arb_slot *)(uintptr_t)aggregate->layout.slots;
    aggregate->aggregate.groups = positions;
    for (size_t i = 0; i < groups; i++) {
        slots[i] = child->layout.slots[positions[i]];
        slots[i].id = node->aggregate.groups[i].id;
        slots[i].type = node->aggregate.groups[i].expr->type;
    }
    return plan_calls(p, node, needed, child, positions, groups, aggregate) ? aggregate : NULL;
}
