/* physical_set.c: UNION, INTERSECT, EXCEPT. */
#include "optimizer/physical_internal.h"

/* The input's rows as the set's columns, in their order. */
static const arb_physical_node *plan_input(planner *p, const arb_logical *node, size_t at, const arb_physical *widths)
{
    static const filter_wishes none = {0};
    const arb_set_input *input = &node->set.inputs[at];
    size_t count = node->set.column_count;
    arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, count + 1);
    arb_column_set below = {0};
    if (items == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < count; i++) {
        arb_expr *column = arb_query_column_expr(p->query, input->columns[i]);
        if (column == NULL || !arb_column_set_add(p->query, &below, input->columns[i]))
            return arb_planner_no_memory(p);
        items[i] = (arb_named_expr){node->set.columns[i], column};
    }
    const arb_physical_node *child = arb_planner_make_node(p, input->plan, &below, &none);
    return child == NULL ? NULL : arb_planner_make_project(p, child, items, count, widths);
}

/* All inputs with common widths; ranges and nullability are joined in out_slots. */
static const arb_physical_node **plan_inputs(planner *p, const arb_logical *node, arb_slot *out_slots)
{
    size_t inputs = node->set.input_count, columns = node->set.column_count;
    const arb_physical_node **children = ARB_ARENA_ARRAY(p->arena, const arb_physical_node *, inputs + 1);
    arb_physical *widths = ARB_ARENA_ARRAY(p->arena, arb_physical, columns + 1);
    if (children == NULL || widths == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < inputs; i++) {
        children[i] = plan_input(p, node, i, NULL);
        if (children[i] == NULL)
            return NULL;
        for (size_t c = 0; c < columns; c++) {
            const arb_slot *slot = &children[i]->layout.slots[c];
            if (i == 0) {
                out_slots[c] = *slot;
                continue;
            }
            if (arb_type_is_nested(slot->type) && slot->physical != out_slots[c].physical)
                out_slots[c].physical = ARB_PHYS_STRING; /* some are packed: all are */
            else
                out_slots[c].physical = ARB_MAX(out_slots[c].physical, slot->physical);
            out_slots[c].nullable |= slot->nullable;
            out_slots[c].range.known &= slot->range.known;
            out_slots[c].range.low = ARB_MIN(out_slots[c].range.low, slot->range.low);
            out_slots[c].range.high = ARB_MAX(out_slots[c].range.high, slot->range.high);
        }
    }
    for (size_t c = 0; c < columns; c++)
        widths[c] = out_slots[c].physical;
    for (size_t i = 0; i < inputs; i++) {
        const arb_physical_node *child = children[i];
        arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, columns + 1);
        if (items == NULL)
            return arb_planner_no_memory(p);
        for (size_t c = 0; c < columns; c++) {
            const arb_slot *slot = &child->layout.slots[c];
            items[c] = (arb_named_expr){slot->id, arb_expr_column(p->arena, slot->id, slot->type)};
            if (items[c].expr == NULL)
                return arb_planner_no_memory(p);
        }
        children[i] = arb_planner_make_project(p, child, items, columns, widths);
        if (children[i] == NULL)
            return NULL;
    }
    return children;
}

/* INTERSECT and EXCEPT: the left rows that have, or lack, an equal right row, each once. */
static const arb_physical_node *plan_membership(planner *p, const arb_logical *node, const arb_physical_node **children)
{
    size_t columns = node->set.column_count;
    uint32_t *keys = ARB_ARENA_ARRAY(p->arena, uint32_t, columns + 1);
    bool *null_equal = ARB_ARENA_ARRAY(p->arena, bool, columns + 1);
    if (keys == NULL || null_equal == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < columns; i++) {
        keys[i] = (uint32_t)i;
        null_equal[i] = true;
    }
    const arb_physical_node *left = arb_planner_packed(p, children[0]);
    for (size_t i = 1; i < node->set.input_count; i++) {
        const arb_physical_node *right = arb_planner_packed(p, children[i]);
        arb_physical_node *join = left == NULL || right == NULL
                                      ? NULL
                                      : arb_planner_node(p, ARB_PHYSICAL_HASH_JOIN, 2, left, right, left->rows);
        if (join == NULL)
            return NULL;
        join->layout = left->layout;
        join->join.output = node->set.kind == ARB_SET_EXCEPT ? ARB_JOIN_PROBE_ANTI : ARB_JOIN_PROBE_SEMI;
        join->join.null_equal = null_equal;
        join->join.key_count = columns;
        join->join.probe_keys = keys;
        join->join.build_keys = keys;
        join->join.output_count = columns;
        join->join.columns = keys;
        left = join;
    }
    return arb_planner_make_distinct(p, left, node->rows);
}

const arb_physical_node *arb_planner_make_set(planner *p, const arb_logical *node, const arb_column_set *needed)
{
    (void)needed; /* duplicates are told by all columns; a UNION ALL's unneeded ones are pruned by a rule before */
    if (node->set.all && node->set.kind != ARB_SET_UNION)
        return arb_planner_make_counted_set(p, node);
    arb_slot *slots = ARB_ARENA_ARRAY(p->arena, arb_slot, node->set.column_count + 1);
    if (slots == NULL)
        return arb_planner_no_memory(p);
    const arb_physical_node **children = plan_inputs(p, node, slots);
    if (children == NULL)
        return NULL;
    if (node->set.kind != ARB_SET_UNION)
        return plan_membership(p, node, children);
    arb_physical_node *all = arb_planner_node(p, ARB_PHYSICAL_UNION, 0, NULL, NULL, node->rows);
    if (all == NULL)
        return NULL;
    all->children = children;
    all->child_count = node->set.input_count;
    all->layout = (arb_layout){node->set.column_count, slots};
    return node->set.all ? all : arb_planner_make_distinct(p, all, node->rows);
}
