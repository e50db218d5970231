/* The figures of a scheduler; docs/operating.md says what to make of them. */
#include "rest/scheduler_routes.h"
#include "scheduler_process/scheduler_views.h"

#define GAUGE(name, member, help)                                                                  \
    {                                                                                              \
        "arbalest_scheduler_" name, help, ARB_METRIC_GAUGE, offsetof(arb_scheduler_counts, member) \
    }
#define COUNTER(name, member, help)                                                                           \
    {                                                                                                         \
        "arbalest_scheduler_" name "_total", help, ARB_METRIC_COUNTER, offsetof(arb_scheduler_counts, member) \
    }

static const arb_metric count_metrics[] = {
    GAUGE("jobs", jobs, "Jobs that have not ended, or whose end is being written."),
    GAUGE("tasks_pending", pending, "Tasks that may run and do not."),
    GAUGE("tasks_running", running, "Tasks that run."),
    GAUGE("tasks_committing", committing, "Tasks that have ended and are being recorded."),
    COUNTER("jobs_submitted", submitted, "Jobs that came."),
    COUNTER("jobs_succeeded", succeeded, "Jobs whose result was delivered."),
    COUNTER("jobs_failed", failed_jobs, "Jobs that ended with an error."),
    COUNTER("jobs_cancelled", cancelled, "Jobs that were cancelled, or whose client was gone."),
    COUNTER("attempts_launched", launched, "Attempts of tasks that were sent to executors."),
    COUNTER("attempts_failed", failed, "Attempts that failed."),
    COUNTER("attempts_twins", twins, "Attempts that were launched because the first one was slow."),
    COUNTER("tasks_committed", committed, "Tasks whose output was taken."),
    COUNTER("tasks_committed_rows", committed_rows, "Rows of these outputs."),
    COUNTER("tasks_committed_bytes", committed_bytes, "Bytes of these outputs: what is exchanged between stages."),
    COUNTER("lost", lost, "Attempts and outputs that were lost with their executor."),
    COUNTER("outputs_unreadable", rebuilt, "Outputs that were made again because they could not be read."),
    COUNTER("stage_resets", resets, "Stages that were made again as a whole."),
    COUNTER("task_crashes", crashes, "Crashes of executors that their tasks are blamed for."),
    COUNTER("exclusions", exclusions, "Executors that got no tasks for a while because others could not reach them."),
    COUNTER("broken_streams", broken_streams, "Streams of executors that were given up because a message was missing."),
    COUNTER("writes", writes, "Transactions that were given to the state store."),
};

static const arb_metric term = {.name = "arbalest_scheduler_term",
                                .help = "The term; a scheduler that starts raises it."};
static const arb_metric active = {.name = "arbalest_scheduler_active",
                                  .help = "0 once a newer scheduler has replaced it."};
static const arb_metric executors = {.name = "arbalest_scheduler_executors", .help = "Executors, by their state."};

/* Sums over executors. */
typedef struct executor_sums {
    uint64_t slots, running, memory, taken, outputs, output_bytes;
} executor_sums;

static const arb_metric sum_metrics[] = {
    {"arbalest_scheduler_slots", "Tasks that ready executors may run at once.", ARB_METRIC_GAUGE,
     offsetof(executor_sums, slots)},
    {"arbalest_scheduler_slots_taken", "Slots of all executors that are taken.", ARB_METRIC_GAUGE,
     offsetof(executor_sums, running)},
    {"arbalest_scheduler_executor_memory_bytes", "Memory that ready executors offer to tasks.", ARB_METRIC_GAUGE,
     offsetof(executor_sums, memory)},
    {"arbalest_scheduler_executor_memory_taken_bytes", "Memory that is set apart for tasks of all executors.",
     ARB_METRIC_GAUGE, offsetof(executor_sums, taken)},
    {"arbalest_scheduler_outputs", "Outputs of tasks that jobs still need.", ARB_METRIC_GAUGE,
     offsetof(executor_sums, outputs)},
    {"arbalest_scheduler_output_bytes", "Bytes of these outputs.", ARB_METRIC_GAUGE,
     offsetof(executor_sums, output_bytes)},
};

static void put_executors(arb_text *out, const arb_executor_view *views, size_t count)
{
    static const char *const states[] = {[ARB_EXECUTOR_READY] = "ready",
                                         [ARB_EXECUTOR_SUSPECT] = "suspect",
                                         [ARB_EXECUTOR_DRAINING] = "draining",
                                         [ARB_EXECUTOR_EXCLUDED] = "excluded"};
    uint64_t by_state[ARB_COUNT_OF(states)] = {0};
    executor_sums sums = {0};
    for (size_t i = 0; i < count; i++) {
        const arb_executor_view *view = &views[i];
        bool ready = view->state == ARB_EXECUTOR_READY;
        by_state[view->state]++;
        sums.slots += ready ? view->slots : 0;
        sums.memory += ready ? view->memory : 0;
        sums.running += view->running;
        sums.taken += view->memory_taken;
        sums.outputs += view->outputs;
        sums.output_bytes += view->output_bytes;
    }
    arb_metrics_begin(out, &executors);
    for (size_t state = 0; state < ARB_COUNT_OF(states); state++)
        arb_metrics_sample(out, &executors, "state", arb_str_of(states[state]), by_state[state]);
    arb_metrics_from(out, sum_metrics, ARB_COUNT_OF(sum_metrics), &sums);
}

arb_code arb_rest_scheduler_metrics(const arb_rest_scheduler *rest, arb_text *out, arb_error *error)
{
    arb_scheduler_loop *loop = arb_scheduler_process_loop(rest->scheduler);
    const arb_executor_view *views;
    size_t count;
    arb_arena arena = {0};
    arb_scheduler_counts counts = arb_view_counts(loop);
    arb_code code = arb_view_executors(loop, &arena, &views, &count, error);
    if (code == ARB_OK) {
        arb_process_metrics(out, &rest->process);
        arb_metrics_one(out, &term, arb_scheduler_loop_term(loop));
        arb_metrics_one(out, &active, !counts.stopped);
        arb_metrics_from(out, count_metrics, ARB_COUNT_OF(count_metrics), &counts);
        put_executors(out, views, count);
        code = arb_text_check(out, error);
    }
    arb_arena_reset(&arena);
    return code;
}
