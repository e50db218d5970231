/* stage_validate.c: what stages must keep beyond what their plans must. */
#include "plan/stage.h"

enum { partitions_most = 1 << 16 };

static const arb_physical_node *find_node(const arb_physical_node *node, uint32_t number)
{
    if (node->number == number)
        return node;
    for (size_t i = 0; i < node->child_count; i++) {
        const arb_physical_node *found = find_node(node->children[i], number);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const arb_physical_node *find_leaf(const arb_stage *stage, uint32_t number)
{
    const arb_physical_node *found = find_node(stage->plan.root, number);
    for (size_t i = 0; found == NULL && i < stage->plan.shared_count; i++)
        found = find_node(stage->plan.shared[i], number);
    return found;
}

static arb_code check_group(const arb_stage *stage, const arb_unit_group *group, arb_error *error)
{
    for (size_t i = 0; i < group->leaf_count; i++) {
        const arb_physical_node *leaf = find_leaf(stage, group->leaves[i]);
        bool fits =
            leaf != NULL && (leaf->kind == ARB_PHYSICAL_SCAN || leaf->kind == ARB_PHYSICAL_VALUES ||
                             (leaf->kind == ARB_PHYSICAL_EXCHANGE && leaf->exchange.read == ARB_READ_PARTITIONS));
        if (!fits)
            return arb_fail(error, ARB_CORRUPT_DATA, "stage %u deals out what is no leaf of it", stage->number);
        for (size_t k = 0; k < i; k++)
            if (group->leaves[k] == group->leaves[i])
                return arb_fail(error, ARB_CORRUPT_DATA, "stage %u deals out a leaf twice", stage->number);
    }
    return ARB_OK;
}

arb_code arb_stage_validate(const arb_stage *stage, arb_error *error)
{
    const arb_physical_plan *plan = &stage->plan;
    const arb_stage_output *output = &stage->output;
    for (size_t i = 0; i < stage->group_count; i++)
        ARB_TRY(check_group(stage, &stage->groups[i], error));
    if (output->partitions == 0 || output->partitions > partitions_most ||
        (output->kind == ARB_OUTPUT_ONE && output->partitions != 1) ||
        (output->kind == ARB_OUTPUT_HASH) != (output->key_count != 0))
        return arb_fail(error, ARB_CORRUPT_DATA, "stage %u has an output that cannot be", stage->number);
    for (size_t k = 0; k < output->key_count; k++)
        if (output->keys[k] >= plan->column_count)
            return arb_fail(error, ARB_CORRUPT_DATA, "stage %u partitions by a column that it lacks", stage->number);
    for (size_t i = 0; i < plan->column_count; i++) {
        arb_physical physical = plan->root->layout.slots[plan->columns[i]].physical;
        if (physical == ARB_PHYS_LIST || physical == ARB_PHYS_STRUCT)
            return arb_fail(error, ARB_CORRUPT_DATA, "stage %u leaves a nested column unpacked", stage->number);
    }
    return ARB_OK;
}

/* ---- exchanges between them ---------------------------------------------------------------------------------------------- */

static bool reads_what_is_left(const arb_physical_node *leaf, const arb_stage *producer)
{
    if (leaf->exchange.partitions != producer->output.partitions ||
        leaf->exchange.produced_count != producer->plan.column_count)
        return false;
    for (size_t i = 0; i < leaf->exchange.produced_count; i++)
        if (leaf->exchange.produced[i] != producer->plan.root->layout.slots[producer->plan.columns[i]].physical)
            return false;
    for (size_t i = 0; i < leaf->layout.count; i++) {
        if (leaf->exchange.columns[i] >= producer->plan.column_count)
            return false;
        const arb_slot *to = &leaf->layout.slots[i];
        const arb_slot *from = &producer->plan.root->layout.slots[producer->plan.columns[leaf->exchange.columns[i]]];
        if (!arb_type_equal(to->type, from->type) || to->physical != from->physical ||
            (from->nullable && !to->nullable))
            return false;
    }
    return true;
}

static arb_code check_exchanges(const arb_stage_graph *graph, const arb_stage *stage, const arb_physical_node *node,
                                arb_error *error)
{
    if (node->kind == ARB_PHYSICAL_EXCHANGE &&
        (node->exchange.stage >= stage->number || !reads_what_is_left(node, &graph->stages[node->exchange.stage])))
        return arb_fail(error, ARB_CORRUPT_DATA, "stage %u reads from stage %u what that does not leave", stage->number,
                        node->exchange.stage);
    for (size_t i = 0; i < node->child_count; i++)
        ARB_TRY(check_exchanges(graph, stage, node->children[i], error));
    return ARB_OK;
}

static arb_code check_units(const arb_stage_graph *graph, const arb_stage *stage, arb_error *error)
{
    for (size_t i = 0; i < stage->group_count; i++)
        for (size_t k = 0; k < stage->groups[i].leaf_count; k++) {
            const arb_physical_node *leaf = find_leaf(stage, stage->groups[i].leaves[k]);
            if (leaf->kind == ARB_PHYSICAL_EXCHANGE &&
                graph->stages[leaf->exchange.stage].output.partitions != stage->groups[i].units)
                return arb_fail(error, ARB_CORRUPT_DATA, "stage %u reads other partitions than stage %u leaves",
                                stage->number, leaf->exchange.stage);
        }
    return ARB_OK;
}

arb_code arb_stage_graph_validate(const arb_stage_graph *graph, arb_error *error)
{
    for (size_t i = 0; i < graph->stage_count; i++) {
        const arb_stage *stage = &graph->stages[i];
        if (stage->number != i)
            return arb_fail(error, ARB_CORRUPT_DATA, "stage %zu has number %u", i, stage->number);
        ARB_TRY(arb_physical_validate(&stage->plan, error));
        ARB_TRY(arb_stage_validate(stage, error));
        ARB_TRY(check_exchanges(graph, stage, stage->plan.root, error));
        ARB_TRY(check_units(graph, stage, error));
    }
    return ARB_OK;
}
