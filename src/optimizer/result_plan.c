#include "optimizer/result_plan.h"

static arb_code no_memory(arb_error *error, size_t count)
{
    return arb_fail_memory(error, "a result", count * sizeof(arb_slot));
}

/* The columns of the last stage's output, each with an id of its own: a result may name one twice. */
static arb_code read_stage(arb_arena *arena, const arb_stage *last, arb_physical_node *leaf, const uint32_t *columns,
                           arb_error *error)
{
    size_t count = last->plan.column_count;
    arb_slot *slots = ARB_ARENA_ARRAY(arena, arb_slot, count + 1);
    uint8_t *produced = ARB_ARENA_ARRAY(arena, uint8_t, count + 1);
    if (slots == NULL || produced == NULL)
        return no_memory(error, count);
    for (size_t i = 0; i < count; i++) {
        slots[i] = last->plan.root->layout.slots[last->plan.columns[i]];
        slots[i].id = (arb_column_id)i;
        produced[i] = slots[i].physical;
    }
    leaf->kind = ARB_PHYSICAL_EXCHANGE;
    leaf->layout = (arb_layout){count, slots};
    leaf->exchange.stage = last->number;
    leaf->exchange.partitions = last->output.partitions;
    leaf->exchange.read = ARB_READ_ALL;
    leaf->exchange.produced_count = count;
    leaf->exchange.produced = produced;
    leaf->exchange.columns = columns;
    return ARB_OK;
}

/* Packed values become what they are. */
static arb_code unpack(arb_arena *arena, const arb_physical_node *leaf, arb_physical_node *project, arb_error *error)
{
    size_t count = leaf->layout.count;
    arb_slot *slots = ARB_ARENA_ARRAY(arena, arb_slot, count + 1);
    const arb_expr **exprs = ARB_ARENA_ARRAY(arena, const arb_expr *, count + 1);
    const arb_physical_node **children = ARB_ARENA_ARRAY(arena, const arb_physical_node *, 1);
    if (slots == NULL || exprs == NULL || children == NULL)
        return no_memory(error, count);
    for (size_t i = 0; i < count; i++) {
        slots[i] = leaf->layout.slots[i];
        if (arb_type_is_nested(slots[i].type))
            slots[i].physical = arb_type_physical(slots[i].type);
        exprs[i] = arb_expr_column(arena, slots[i].id, slots[i].type);
        if (exprs[i] == NULL)
            return no_memory(error, count);
    }
    children[0] = leaf;
    project->kind = ARB_PHYSICAL_PROJECT;
    project->number = 1;
    project->layout = (arb_layout){count, slots};
    project->child_count = 1;
    project->children = children;
    project->project.exprs = exprs;
    return ARB_OK;
}

arb_code arb_result_plan_create(arb_arena *arena, const arb_physical_plan *plan, const arb_stage_graph *graph,
                                const arb_physical_plan **out_result, arb_error *error)
{
    const arb_stage *last = &graph->stages[graph->stage_count - 1];
    size_t count = last->plan.column_count;
    arb_physical_node *leaf = ARB_ARENA_NEW(arena, arb_physical_node);
    arb_physical_node *project = ARB_ARENA_NEW(arena, arb_physical_node);
    arb_physical_plan *result = ARB_ARENA_NEW(arena, arb_physical_plan);
    uint32_t *columns = ARB_ARENA_ARRAY(arena, uint32_t, count + 1);
    if (leaf == NULL || project == NULL || result == NULL || columns == NULL)
        return no_memory(error, count);
    for (size_t i = 0; i < count; i++)
        columns[i] = (uint32_t)i;
    ARB_TRY(read_stage(arena, last, leaf, columns, error));
    ARB_TRY(unpack(arena, leaf, project, error));
    *result = *plan;
    result->root = project;
    result->shared_count = 0;
    result->columns = columns;
    *out_result = result;
    return ARB_OK;
}
