#include "executor/task_run.h"

#include "base/alloc.h"
#include "base/failpoint.h"
#include "exchange/exchange_operators.h"

struct arb_task_run {
    arb_task_work work; /* first: what execution knows of it */
    arb_task_run_options options;
    arb_arena arena; /* which part of the work is its own */
    arb_task_bound bound;
    uint64_t published; /* the bound, once the task is over */
    arb_task_inputs *inputs;
    arb_attempt_output *output;
    arb_execution *execution;
    bool kept; /* the output has been */
};

static arb_code source_create(const arb_task_work *work, const arb_physical_node *node, bool later,
                              arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    const arb_task_run *run = (const arb_task_run *)work;
    return arb_task_inputs_source(run->inputs, node, arb_task_leaf_find(work, node->number), later, context, out_op,
                                  error);
}

static arb_code sink_create(const arb_task_work *work, const arb_physical_plan *plan, arb_query_context *context,
                            arb_operator **out_op, arb_error *error)
{
    const arb_task_run *run = (const arb_task_run *)work;
    (void)plan;
    return arb_exchange_sink_create(run->options.stage, run->options.store, run->output, context, out_op, error);
}

arb_block_origin arb_task_run_origin(const arb_attempt *attempt)
{
    return (arb_block_origin){.job_term = attempt->job.term,
                              .job = attempt->job.number,
                              .attempt_term = attempt->attempt.term,
                              .attempt = attempt->attempt.number,
                              .stage = attempt->stage,
                              .task = attempt->task};
}

arb_failure_kind arb_failure_kind_of(arb_code code)
{
    return code == ARB_CANCELLED      ? ARB_FAILURE_CANCELLED
           : arb_code_retryable(code) ? ARB_FAILURE_RETRYABLE
                                      : ARB_FAILURE_FINAL;
}

uint64_t arb_task_bound_of(const arb_str *facts, size_t count)
{
    uint64_t bound = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (facts[i].size == sizeof bound)
            bound = ARB_MIN(bound, arb_load_u64(facts[i].data));
    return bound;
}

static void classify(arb_task_run *run, arb_code code, arb_failure *out_failure, const arb_error *error)
{
    if (!arb_task_inputs_failure(run->inputs, code, out_failure))
        *out_failure = (arb_failure){.kind = arb_failure_kind_of(code), .error = error};
}

static arb_code begin(arb_task_run *run, arb_error *error)
{
    const arb_task_run_options *o = &run->options;
    const arb_block_origin origin = arb_task_run_origin(&o->attempt);
    arb_execution_options execution = o->execution;
    ARB_TRY(ARB_FAILPOINT_CODE(EXECUTOR_TASK_START, error));
    ARB_TRY(arb_stage_deal(&run->arena, o->stage, o->attempt.task, o->task_count, &run->work.leaves,
                           &run->work.leaf_count, error));
    ARB_TRY(arb_output_store_begin(o->store, &origin, o->stage->output.partitions, &run->output, error));
    if (o->outputs_in_files)
        arb_attempt_output_write_through(run->output);
    execution.work = &run->work;
    execution.on_done = o->over;
    execution.done_context = o->context;
    return arb_execution_start(&o->stage->plan, &execution, &run->execution, error);
}

arb_code arb_task_run_start(const arb_task_run_options *options, arb_task_inputs *inputs, arb_task_run **out_run,
                            arb_failure *out_failure, arb_error *error)
{
    *out_run = NULL;
    arb_task_run *run = arb_alloc_zeroed(sizeof *run);
    if (run == NULL) {
        arb_task_inputs_destroy(inputs);
        *out_failure = (arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = error};
        return arb_fail_memory(error, "a task", sizeof *run);
    }
    run->work = (arb_task_work){.builds = options->builds, .source_create = source_create, .sink_create = sink_create};
    run->options = *options;
    run->inputs = inputs;
    run->bound.node = options->stage->plan.root->number;
    atomic_init(&run->bound.worst, options->bound != NULL ? *options->bound : UINT64_MAX);
    run->published = UINT64_MAX;
    if (arb_stage_has_bound(options->stage))
        run->work.bound = &run->bound;
    arb_code code = begin(run, error);
    if (code != ARB_OK) {
        classify(run, code, out_failure, error);
        arb_task_run_destroy(run);
        return code;
    }
    *out_run = run;
    return ARB_OK;
}

void arb_task_run_stop(arb_task_run *run)
{
    arb_execution_stop(run->execution);
}

void arb_task_run_gone(arb_task_run *run, arb_uuid executor)
{
    arb_task_inputs_gone(run->inputs, executor);
}

arb_task_output arb_task_run_output(const arb_task_run *run)
{
    arb_partition_size total = arb_attempt_output_total(run->output);
    return (arb_task_output){
        .rows = total.rows,
        .bytes = total.bytes,
        .facts = {(const char *)&run->published, run->published != UINT64_MAX ? sizeof run->published : 0},
        .memory = arb_execution_peak_memory(run->execution)};
}

bool arb_task_run_result(arb_task_run *run, arb_failure *out_failure, arb_error *error)
{
    arb_code code = arb_execution_wait(run->execution, error);
    if (code == ARB_OK) {
        arb_output_store_keep(run->options.store, run->output);
        run->kept = true;
        run->published = atomic_load(&run->bound.worst);
        return true;
    }
    classify(run, code, out_failure, error);
    return false;
}

void arb_task_run_destroy(arb_task_run *run)
{
    if (run == NULL)
        return;
    arb_execution_destroy(run->execution);
    arb_task_inputs_destroy(run->inputs);
    if (run->output != NULL && !run->kept) {
        const arb_block_origin origin = arb_task_run_origin(&run->options.attempt);
        arb_output_store_drop(run->options.store, &origin);
    }
    arb_attempt_output_unref(run->output);
    arb_arena_reset(&run->arena);
    arb_free(run);
}
