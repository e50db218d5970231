/* stage_deal.c: who does which units of a stage. */
#include "plan/stage.h"

arb_code arb_stage_deal(arb_arena *arena, const arb_stage *stage, uint32_t task, uint32_t task_count,
                        const arb_leaf_units **out_leaves, size_t *out_count, arb_error *error)
{
    uint64_t all = 0, before = 0;
    size_t leaf_count = 0, next = 0;
    for (size_t i = 0; i < stage->group_count; i++) {
        all += stage->groups[i].units;
        leaf_count += stage->groups[i].leaf_count;
    }
    uint64_t from = all * task / task_count, to = all * (task + (uint64_t)1) / task_count;
    arb_leaf_units *leaves = ARB_ARENA_ARRAY(arena, arb_leaf_units, leaf_count + 1);
    uint32_t *units = ARB_ARENA_ARRAY(arena, uint32_t, to - from + 1);
    if (leaves == NULL || units == NULL)
        return arb_fail_memory(error, "a task", (to - from) * sizeof *units);
    for (size_t i = 0; i < stage->group_count; i++) {
        const arb_unit_group *group = &stage->groups[i];
        uint64_t first = ARB_MIN(ARB_MAX(from, before), before + group->units) - before;
        uint64_t end = ARB_MIN(ARB_MAX(to, before), before + group->units) - before;
        for (uint64_t unit = first; unit < end; unit++)
            units[unit - first] = (uint32_t)unit;
        for (size_t k = 0; k < group->leaf_count; k++)
            leaves[next++] = (arb_leaf_units){group->leaves[k], end - first, units};
        units += end - first;
        before += group->units;
    }
    *out_leaves = leaves;
    *out_count = leaf_count;
    return ARB_OK;
}
