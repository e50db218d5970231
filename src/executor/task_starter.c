/* task_starter.c: what of a run may wait for a disk: its beginning, and what is left after its end. */
#include "executor/executor_internal.h"
#include "executor/task_payload.h"
#include "executor/task_settings.h"

enum { INPUT_WINDOW = 1 << 20 };

static void is_over(void *context)
{
    arb_executor_run *run = context;
    arb_rpc_loop_post(&run->executor->loop, &run->task_over);
}

static arb_code make_inputs(const arb_executor_run *run, arb_task_inputs **out_inputs, arb_error *error)
{
    const arb_task_inputs_options options = {.cluster = run->cluster,
                                             .job = run->attempt.job,
                                             .store = run->executor->store,
                                             .pool = arb_output_store_pool(run->executor->store),
                                             .loop = &run->executor->loop,
                                             .window = INPUT_WINDOW,
                                             .unreachable_ns = run->unreachable_ns,
                                             .peer_count = run->peer_count,
                                             .peers = run->peers,
                                             .input_count = run->input_count,
                                             .inputs = run->inputs};
    return arb_task_inputs_create(&options, out_inputs, error);
}

/* All before the task itself. */
static arb_code prepare(arb_executor_run *run, arb_task_payload *out_payload, arb_task_settings *out_settings,
                        arb_task_inputs **out_inputs, arb_error *error)
{
    ARB_TRY(arb_check_stop(&run->stop_wanted, error));
    ARB_TRY(arb_task_settings_read(run->settings, out_settings, error));
    ARB_TRY(arb_task_payload_read(run->payload, run->attempt.task, out_payload, error));
    arb_code code = arb_plan_cache_get(run->executor->plans, run->plan_hash, &run->stop_wanted, &run->plan, error);
    run->lacks_plan = code == ARB_UNDEFINED_OBJECT;
    ARB_TRY(code);
    ARB_TRY(arb_check_stop(&run->stop_wanted, error)); /* tables may have taken long to open */
    return make_inputs(run, out_inputs, error);
}

/* It may be started again, when its plan has come. */
static void let_go(arb_executor_run *run)
{
    arb_task_run_destroy(run->task);
    run->task = NULL;
    arb_plan_cache_give_back(run->executor->plans, run->plan);
    run->plan = NULL;
}

void arb_task_starter_start(arb_executor_run *run)
{
    arb_executor *executor = run->executor;
    arb_task_payload payload;
    arb_task_settings settings;
    arb_task_inputs *inputs;
    run->lacks_plan = false;
    *run->error = (arb_error){0};
    arb_code code = prepare(run, &payload, &settings, &inputs, run->error);
    if (code != ARB_OK)
        run->failure = (arb_failure){.kind = arb_failure_kind_of(code), .error = run->error};
    if (code == ARB_OK) {
        arb_task_run_options options = {
            .stage = run->plan->stage,
            .task_count = payload.task_count,
            .attempt = run->attempt,
            .execution = executor->options.execution,
            .store = executor->store,
            .bound = &run->bound,
            .builds = settings.force_spill ? NULL : run->builds, /* one that is spilled has an owner */
            .outputs_in_files = settings.outputs_in_files,
            .over = is_over,
            .context = run};
        options.execution.drivers = run->drivers;
        options.execution.governor = &run->governor;
        arb_task_settings_apply(&settings, &options.execution);
        code = arb_task_run_start(&options, inputs, &run->task, &run->failure, run->error);
    }
    if (code != ARB_OK)
        let_go(run);
}

void arb_task_starter_take_apart(arb_executor_run *run)
{
    let_go(run);
    arb_shared_builds_unref(run->builds);
    run->builds = NULL;
}

void arb_task_starter_drop(arb_executor_run *run)
{
    const arb_block_origin origin = arb_task_run_origin(&run->attempt);
    arb_output_store_drop(run->executor->store, &origin);
}
