#include "server/stage_job.h"

#include <stdio.h>

#include "exchange_flight/plan_hash.h"

static arb_code no_memory(arb_error *error, size_t size)
{
    return arb_fail_memory(error, "a job", size);
}

static arb_code encode_plan(arb_arena *arena, const arb_stage *stage, const arb_plan_tables *tables, arb_str *out_bytes,
                            arb_str *out_hash, arb_error *error)
{
    arb_text bytes = {0};
    arb_code code = arb_stage_encode(stage, tables, &bytes, error);
    char *hash = ARB_ARENA_ARRAY(arena, char, ARB_PLAN_HASH_BYTES);
    if (code == ARB_OK) {
        *out_bytes = arb_str_copy(arena, arb_text_view(&bytes));
        if (out_bytes->data == NULL || hash == NULL)
            code = no_memory(error, bytes.size);
    }
    arb_text_reset(&bytes);
    ARB_TRY(code);
    arb_plan_hash(*out_bytes, (uint8_t *)hash);
    *out_hash = (arb_str){hash, ARB_PLAN_HASH_BYTES};
    return ARB_OK;
}

/* ---- what a stage reads ---------------------------------------------------------------------------------------------------- */

typedef struct stage_reads {
    arb_arena *arena;
    const arb_stage_job_options *options;
    arb_root_names *roots; /* of the job */
    uint64_t mask;         /* of the stage */
    ARB_VEC(arb_stage_input) inputs;
} stage_reads;

/* Several leaves may read one stage; it is one input, read whole if one of them does. */
static bool add_input(stage_reads *reads, const arb_physical_node *leaf)
{
    arb_input_mode mode = leaf->exchange.read == ARB_READ_ALL ? ARB_INPUT_ALL : ARB_INPUT_PARTITION;
    for (size_t i = 0; i < reads->inputs.size; i++) {
        arb_stage_input *input = &reads->inputs.data[i];
        if (input->stage != leaf->exchange.stage)
            continue;
        if (mode == ARB_INPUT_ALL)
            input->mode = mode;
        return true;
    }
    return ARB_ARENA_PUSH(reads->arena, &reads->inputs, ((arb_stage_input){leaf->exchange.stage, mode}));
}

static arb_code add_table(stage_reads *reads, const arb_table *table, arb_error *error)
{
    arb_root_names own = {0};
    ARB_TRY(arb_table_add_roots(reads->arena, table, reads->options->roots, &own, error));
    for (size_t i = 0; i < own.size; i++) {
        size_t bit = 0;
        while (bit < reads->roots->size && !arb_str_equal(reads->roots->data[bit], own.data[i]))
            bit++;
        if (bit == ARB_JOB_ROOTS_MOST)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "a query reads files of more than %d roots", ARB_JOB_ROOTS_MOST);
        if (bit == reads->roots->size && !ARB_ARENA_PUSH(reads->arena, reads->roots, own.data[i]))
            return no_memory(error, sizeof *own.data);
        reads->mask |= (uint64_t)1 << bit;
    }
    return ARB_OK;
}

static arb_code look_at(stage_reads *reads, const arb_physical_node *node, arb_error *error)
{
    if (node->kind == ARB_PHYSICAL_EXCHANGE && !add_input(reads, node))
        return no_memory(error, sizeof(arb_stage_input));
    if (node->kind == ARB_PHYSICAL_SCAN)
        ARB_TRY(add_table(reads, node->scan.table, error));
    for (size_t i = 0; i < node->child_count; i++)
        ARB_TRY(look_at(reads, node->children[i], error));
    return ARB_OK;
}

/* ---- the job --------------------------------------------------------------------------------------------------------------- */

/* How many tasks there are says which part each does: units are dealt out evenly. */
static arb_code write_payloads(arb_arena *arena, uint32_t tasks, const arb_str **out, arb_error *error)
{
    arb_str *payloads = ARB_ARENA_ARRAY(arena, arb_str, tasks);
    char text[16];
    int size = snprintf(text, sizeof text, "%u", tasks);
    arb_str count = arb_str_copy(arena, (arb_str){text, (size_t)size});
    if (payloads == NULL || count.data == NULL)
        return no_memory(error, tasks * sizeof *payloads);
    for (uint32_t i = 0; i < tasks; i++)
        payloads[i] = count;
    *out = payloads;
    return ARB_OK;
}

static arb_code describe(arb_arena *arena, const arb_stage *stage, const arb_stage_job_options *options,
                         arb_root_names *roots, arb_stage_spec *out, arb_str *out_plan, arb_error *error)
{
    stage_reads reads = {.arena = arena, .options = options, .roots = roots};
    *out = (arb_stage_spec){.task_count = stage->tasks,
                            .may_differ = stage->determinism == ARB_MAY_DIFFER,
                            .row_limit = stage->row_limit,
                            .publishes_facts = arb_stage_has_bound(stage),
                            .wants_own_facts = arb_stage_has_bound(stage),
                            .memory = options->task_memory,
                            .drivers = options->drivers};
    ARB_TRY(encode_plan(arena, stage, options->tables, out_plan, &out->plan, error));
    ARB_TRY(look_at(&reads, stage->plan.root, error));
    for (size_t i = 0; i < stage->plan.shared_count; i++)
        ARB_TRY(look_at(&reads, stage->plan.shared[i], error));
    out->input_count = (uint32_t)reads.inputs.size;
    out->inputs = reads.inputs.data;
    if (reads.mask != 0) {
        uint64_t *masks = ARB_ARENA_ARRAY(arena, uint64_t, stage->tasks);
        if (masks == NULL)
            return no_memory(error, stage->tasks * sizeof *masks);
        for (uint32_t i = 0; i < stage->tasks; i++)
            masks[i] = reads.mask;
        out->task_roots = masks;
    }
    return write_payloads(arena, stage->tasks, &out->payloads, error);
}

arb_code arb_stage_job_create(arb_arena *arena, const arb_stage_graph *graph, const arb_stage_job_options *options,
                              arb_stage_job *out_job, arb_error *error)
{
    size_t count = graph->stage_count;
    arb_stage_spec *stages = ARB_ARENA_ARRAY(arena, arb_stage_spec, count);
    arb_str *plans = ARB_ARENA_ARRAY(arena, arb_str, count);
    arb_root_names roots = {0};
    arb_text settings = {0};
    if (stages == NULL || plans == NULL)
        return no_memory(error, count * sizeof *stages);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(describe(arena, &graph->stages[i], options, &roots, &stages[i], &plans[i], error));
    arb_code code = arb_task_settings_write(&options->settings, &settings, error);
    arb_str kept = code == ARB_OK ? arb_str_copy(arena, arb_text_view(&settings)) : ARB_STR("");
    arb_text_reset(&settings);
    ARB_TRY(code);
    if (kept.data == NULL)
        return no_memory(error, sizeof options->settings);
    *out_job = (arb_stage_job){.spec = {.text = options->text,
                                        .user = options->user,
                                        .settings = kept,
                                        .read_only = options->read_only,
                                        .root_count = (uint32_t)roots.size,
                                        .stage_count = (uint32_t)count,
                                        .roots = roots.data,
                                        .stages = stages},
                               .plans = plans};
    return arb_job_spec_check(&out_job->spec, error);
}
