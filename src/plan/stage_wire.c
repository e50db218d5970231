/* stage_wire.c: a stage as bytes: its plan, and what becomes of its rows. */
#include "plan/plan_codec.h"
#include "proto/plan.pb-c.h"

arb_code arb_stage_encode(const arb_stage *stage, const arb_plan_tables *tables, arb_text *out, arb_error *error)
{
    arb_arena arena = {0};
    plan_writer w = {.arena = &arena, .error = error, .tables = tables, .types.arena = &arena};
    Arbalest__Plan__Stage *to = arb_plan_write_message(&w, &arbalest__plan__stage__descriptor);
    Arbalest__Plan__UnitGroup **groups =
        arb_plan_write_messages(&w, &arbalest__plan__unit_group__descriptor, stage->group_count);
    Arbalest__Plan__Plan *plan = arb_plan_write(&w, &stage->plan);
    arb_code code = w.code;
    if (code == ARB_OK) {
        for (size_t i = 0; i < stage->group_count; i++) {
            groups[i]->units = stage->groups[i].units;
            groups[i]->n_leaves = stage->groups[i].leaf_count;
            groups[i]->leaves = (uint32_t *)(uintptr_t)stage->groups[i].leaves;
        }
        to->number = stage->number;
        to->plan = plan;
        to->n_groups = stage->group_count;
        to->groups = groups;
        to->output = stage->output.kind;
        to->partitions = stage->output.partitions;
        to->n_keys = stage->output.key_count;
        to->keys = (uint32_t *)(uintptr_t)stage->output.keys;
        code = arb_wire_pack(&to->base, out, error);
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code read_groups(arb_arena *arena, const Arbalest__Plan__Stage *from, arb_stage *stage, arb_error *error)
{
    arb_unit_group *groups = ARB_ARENA_ARRAY(arena, arb_unit_group, from->n_groups + 1);
    if (groups == NULL)
        return arb_fail_memory(error, "a stage", from->n_groups * sizeof *groups);
    for (size_t i = 0; i < from->n_groups; i++)
        groups[i] = (arb_unit_group){from->groups[i]->units, from->groups[i]->n_leaves, from->groups[i]->leaves};
    stage->group_count = from->n_groups;
    stage->groups = groups;
    return ARB_OK;
}

arb_code arb_stage_decode(arb_arena *arena, arb_str bytes, const arb_plan_tables *tables, const arb_stage **out_stage,
                          arb_error *error)
{
    ProtobufCMessage *message;
    *out_stage = NULL;
    arb_stage *stage = ARB_ARENA_NEW(arena, arb_stage);
    if (stage == NULL)
        return arb_fail_memory(error, "a stage", sizeof *stage);
    ARB_TRY(arb_wire_unpack(&arbalest__plan__stage__descriptor, arena, bytes.data, bytes.size, &message, error));
    const Arbalest__Plan__Stage *from = (const Arbalest__Plan__Stage *)message;
    if (from->plan == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a stage has no plan");
    stage->number = from->number;
    stage->row_limit = -1;
    ARB_TRY(arb_plan_read(arena, from->plan, tables, &stage->plan, error));
    ARB_TRY(read_groups(arena, from, stage, error));
    if (from->output > ARB_OUTPUT_ONE)
        return arb_fail(error, ARB_CORRUPT_DATA, "stage %u has an unknown kind of output", stage->number);
    stage->output = (arb_stage_output){(uint8_t)from->output, from->partitions, from->n_keys, from->keys};
    ARB_TRY(arb_stage_validate(stage, error));
    *out_stage = stage;
    return ARB_OK;
}
