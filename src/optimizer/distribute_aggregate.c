/* distribute_aggregate.c: an aggregation in one phase or in two. */
#include "optimizer/distribute_internal.h"

static bool is_deferred(const arb_physical_aggregate *call)
{
    return call->distinct || call->order_count != 0;
}

static bool can_be_split(const arb_physical_node *node)
{
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++)
        if (is_deferred(&node->aggregate.aggregates[i]))
            return false;
    return true;
}

/* Does the result depend on the order in which rows come? Then another attempt may give another one. */
static bool depends_on_order(const arb_physical_node *node)
{
    static const char *const exact[] = {"count", "sum", "avg", "min", "max", "bool_and", "bool_or", "stddev"};
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const arb_physical_aggregate *call = &node->aggregate.aggregates[i];
        bool known = call->order_count != 0;
        for (size_t k = 0; k < ARB_COUNT_OF(exact); k++)
            known |= strcmp(call->plan.function->name, exact[k]) == 0;
        if (!known)
            return true;
    }
    return false;
}

/* Where a column of the child is among the node's groups, or -1. */
static int group_of(const void *context, uint32_t column)
{
    const arb_physical_node *node = context;
    for (size_t i = 0; i < node->aggregate.group_count; i++)
        if (node->aggregate.groups[i] == column)
            return (int)i;
    return -1;
}

/* All rows of a group are in one task. */
static fragment at_once(distributor *d, const arb_physical_node *node, fragment *f)
{
    if (f->spread == SPREAD_HASH)
        arb_distribute_move_keys(d, f, group_of, node);
    else
        f->spread = SPREAD_ONE;
    f->root = arb_distribute_copy(d, node, f->root);
    f->is_leaf = false;
    f->row_limit = -1;
    f->may_differ |= depends_on_order(node);
    return *f;
}

/* What a first phase gives: groups, then the states of the aggregates. Without slots after a failure. */
static arb_layout first_layout(distributor *d, const arb_physical_node *node, const arb_physical_node *child)
{
    size_t groups = node->aggregate.group_count, columns = groups, at = groups;
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++)
        columns += arb_aggregate_state_columns(&node->aggregate.aggregates[i]);
    arb_slot *slots = ARB_ARENA_ARRAY(d->arena, arb_slot, columns + 1);
    if (slots == NULL)
        return (arb_layout){0, arb_distribute_no_memory(d)};
    for (size_t i = 0; i < groups; i++)
        slots[i] = child->layout.slots[node->aggregate.groups[i]];
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const arb_physical_aggregate *call = &node->aggregate.aggregates[i];
        for (size_t k = 0; k < arb_aggregate_state_columns(call); k++)
            slots[at++] = arb_aggregate_state_slot(call);
    }
    return (arb_layout){columns, slots};
}

/* The groups that a task saw. */
static arb_physical_node *first_phase(distributor *d, const arb_physical_node *node, const arb_physical_node *child,
                                      arb_layout layout)
{
    arb_physical_node *first = arb_distribute_copy(d, node, child);
    if (first == NULL)
        return arb_distribute_no_memory(d);
    first->number = d->node_count++;
    first->layout = layout;
    first->aggregate.phase = ARB_AGGREGATE_PARTIAL;
    return first;
}

static arb_physical_node *last_phase(distributor *d, const arb_physical_node *node, const arb_physical_node *child)
{
    arb_physical_node *last = arb_distribute_copy(d, node, child);
    size_t groups = node->aggregate.group_count, count = node->aggregate.aggregate_count;
    uint32_t *positions = ARB_ARENA_ARRAY(d->arena, uint32_t, groups + count + 1);
    arb_physical_aggregate *calls = ARB_ARENA_ARRAY(d->arena, arb_physical_aggregate, count + 1);
    if (last == NULL || positions == NULL || calls == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i < groups; i++)
        positions[i] = (uint32_t)i;
    uint32_t next = (uint32_t)groups;
    for (size_t i = 0; i < count; i++) {
        positions[groups + i] = next;
        calls[i] = node->aggregate.aggregates[i];
        calls[i].arguments = &positions[groups + i];
        calls[i].filter = -1;
        next += (uint32_t)arb_aggregate_state_columns(&calls[i]);
    }
    last->aggregate.phase = ARB_AGGREGATE_FINAL;
    last->aggregate.groups = positions;
    last->aggregate.aggregates = calls;
    return last;
}

/* Where groups are as many as rows, a first phase makes them wider by the states. What it may save in spite of the estimate
 * is worth that if it is little: the phase itself gives up when it finds no repeats. */
static bool is_worth_it(const arb_physical_node *node, const arb_layout *first)
{
    return node->aggregate.group_count == 0 || arb_aggregate_shrinks(node) ||
           arb_distribute_width(first) * 4 <= arb_distribute_width(&node->children[0]->layout) * 5;
}

static uint32_t *first_columns(distributor *d, size_t count)
{
    uint32_t *columns = ARB_ARENA_ARRAY(d->arena, uint32_t, count + 1);
    for (size_t i = 0; columns != NULL && i < count; i++)
        columns[i] = (uint32_t)i;
    return columns != NULL ? columns : arb_distribute_no_memory(d);
}

fragment arb_distribute_aggregate(distributor *d, const arb_physical_node *node)
{
    size_t groups = node->aggregate.group_count;
    fragment f = arb_distribute_node(d, node->children[0]);
    if (f.root == NULL)
        return f;
    if (arb_distribute_is_one(d, &f) || (groups != 0 && arb_distribute_is_by(&f, node->aggregate.groups, groups)))
        return at_once(d, node, &f);
    arb_layout layout = first_layout(d, node, f.root);
    if (layout.slots == NULL)
        return (fragment){.row_limit = -1};
    bool two_phases = can_be_split(node) && is_worth_it(node, &layout);
    const uint32_t *keys = node->aggregate.groups;
    if (two_phases) {
        f.may_differ |= depends_on_order(node);
        f.root = first_phase(d, node, f.root, layout);
        f.is_leaf = false;
        f.row_limit = -1;
        keys = first_columns(d, groups);
        if (f.root == NULL || keys == NULL)
            return (fragment){.row_limit = -1};
    }
    f = groups == 0
            ? arb_distribute_to_one(d, &f)
            : arb_distribute_by_hash(d, &f, keys, groups, arb_distribute_tasks(d, arb_distribute_bytes(f.root)));
    if (f.root == NULL)
        return f;
    if (!two_phases)
        return at_once(d, node, &f);
    f.root = last_phase(d, node, f.root);
    f.is_leaf = false;
    if (groups == 0)
        f.spread = SPREAD_ONE;
    else
        f.keys = keys; /* the groups come first in both */
    return f;
}
