/* Events come in here, timers run out here, and at the end of each event what it made possible is done: tasks are
 * launched, executors that may go are let go, and what is to be written goes out. */
#include "scheduler/scheduler_internal.h"

arb_scheduler_times arb_scheduler_times_default(int64_t factor)
{
    int64_t ms = factor * 1000000;
    return (arb_scheduler_times){.heartbeat = 500 * ms,
                                 .suspect = 2000 * ms,
                                 .dead = 4500 * ms,
                                 .unreachable = 10000 * ms,
                                 .exclusion = 20000 * ms,
                                 .no_executor = 30000 * ms,
                                 .recovery = 8000 * ms,
                                 .lease = 60000 * ms,
                                 .retry = 100 * ms,
                                 .twin_least = 1000 * ms,
                                 .write_retry = 200 * ms};
}

static arb_scheduler_times times_of(const arb_scheduler_times *wanted)
{
    arb_scheduler_times defaults = arb_scheduler_times_default(1), times = *wanted;
    int64_t *given = (int64_t *)&times;
    const int64_t *otherwise = (const int64_t *)&defaults;
    static_assert(sizeof times % sizeof(int64_t) == 0, "durations alone");
    for (size_t i = 0; i < sizeof times / sizeof(int64_t); i++)
        if (given[i] <= 0)
            given[i] = otherwise[i];
    return times;
}

arb_code arb_scheduler_create(const arb_scheduler_options *options, arb_scheduler **out_scheduler, arb_error *error)
{
    enum { OWN_TIMERS = 4 };
    *out_scheduler = NULL;
    arb_scheduler *s = arb_alloc_zeroed(sizeof *s);
    if (s == NULL)
        return arb_fail_memory(error, "the scheduler", sizeof *s);
    s->cluster = options->cluster;
    s->term = options->term;
    s->times = times_of(&options->times);
    s->actions = options->actions;
    s->context = options->context;
    s->write_sequence = s->reach = s->room = 1;
    s->reserved_slot = ARB_SCHED_NO_SLOT;
    s->history_most = options->history_most != 0 ? options->history_most : 1000;
    s->history = arb_alloc_zeroed(s->history_most * sizeof *s->history);
    if (s->history == NULL || !arb_sched_timers_reserve(s, OWN_TIMERS)) {
        arb_scheduler_destroy(s);
        return arb_fail_memory(error, "the scheduler", options->history_most * sizeof *s->history);
    }
    *out_scheduler = s;
    return ARB_OK;
}

static void reap(arb_scheduler *s)
{
    while (s->reaped != NULL) {
        arb_sched_job *job = s->reaped;
        s->reaped = job->reaped_next;
        arb_sched_job_free(s, job);
    }
}

static void batch_reset(arb_sched_batch *batch)
{
    ARB_VEC_RESET(&batch->operations);
    ARB_VEC_RESET(&batch->places);
    arb_text_reset(&batch->bytes);
}

void arb_scheduler_destroy(arb_scheduler *s)
{
    if (s == NULL)
        return;
    for (size_t slot = 0; slot < s->slots.size; slot++) {
        arb_sched_executor *executor = s->slots.data[slot];
        while (executor != NULL && executor->attempts != NULL)
            arb_sched_attempt_free(s, executor->attempts);
    }
    while (s->first_job != NULL)
        arb_sched_job_free(s, s->first_job);
    for (size_t slot = 0; slot < s->slots.size; slot++)
        if (s->slots.data[slot] != NULL)
            arb_sched_executor_free(s, s->slots.data[slot]);
    for (size_t i = 0; i < s->history_size; i++) {
        arb_sched_ended *ended = s->history[(s->history_first + i) % s->history_most];
        arb_free(ended->detail);
        arb_free(ended);
    }
    arb_free(s->history);
    for (size_t i = 0; i < s->roots.size; i++)
        arb_free((char *)s->roots.data[i].data);
    ARB_VEC_RESET(&s->roots);
    ARB_VEC_RESET(&s->slots);
    ARB_VEC_RESET(&s->slot_marks);
    ARB_VEC_RESET(&s->sources);
    ARB_VEC_RESET(&s->commits);
    arb_id_map_reset(&s->executors);
    arb_id_map_reset(&s->jobs);
    arb_id_map_reset(&s->attempts);
    arb_heap_reset(&s->queues[0]);
    arb_heap_reset(&s->queues[1]);
    arb_heap_reset(&s->timers);
    batch_reset(&s->filling);
    batch_reset(&s->flying);
    arb_free(s);
}

/* ---- timers ------------------------------------------------------------------------------------------------------------ */

bool arb_sched_timers_reserve(arb_scheduler *s, size_t more)
{
    if (!arb_heap_reserve(&s->timers, s->timer_objects + more))
        return false;
    s->timer_objects += more;
    return true;
}

void arb_sched_timer_set(arb_scheduler *s, arb_sched_timer *timer, arb_sched_timer_kind kind, int64_t at)
{
    timer->kind = kind;
    arb_heap_put(&s->timers, &timer->node, at, s->next_timer++);
}

void arb_sched_timer_clear(arb_scheduler *s, arb_sched_timer *timer)
{
    arb_heap_remove(&s->timers, &timer->node);
}

int64_t arb_scheduler_wake(const arb_scheduler *s)
{
    const arb_heap_node *first = arb_heap_first(&s->timers);
    return first == NULL || s->stopped ? INT64_MAX : first->key;
}

/* No executor was there on whom to wait: the clock of the jobs of an earlier scheduler starts. */
static void recovery_over(arb_scheduler *s)
{
    for (arb_sched_job *job = s->first_job, *next; job != NULL; job = next) {
        next = job->next;
        if (!job->recovering)
            continue;
        job->recovering = false;
        for (uint32_t number = 0; number < job->spec.stage_count && job->expected > 0; number++) {
            arb_sched_stage *stage = &job->stages[number];
            for (uint32_t task = 0; task < stage->spec->task_count && stage->counts[ARB_TASK_EXPECTED] > 0; task++)
                if (stage->tasks[task].state == ARB_TASK_EXPECTED)
                    arb_sched_output_lost(s, stage, task);
        }
        arb_sched_job_advance(s, job);
    }
}

static void run_out(arb_scheduler *s, arb_sched_timer *timer)
{
    arb_sched_job *job;
    arb_sched_trouble *trouble;
    switch (timer->kind) {
    case ARB_SCHED_TIMER_LIVENESS:
        arb_sched_liveness(s, ARB_CONTAINER_OF(timer, arb_sched_executor, liveness));
        break;
    case ARB_SCHED_TIMER_EXCLUSION:
        arb_sched_exclusion_over(s, ARB_CONTAINER_OF(timer, arb_sched_executor, exclusion));
        break;
    case ARB_SCHED_TIMER_LEASE:
        job = ARB_CONTAINER_OF(timer, arb_sched_job, lease);
        arb_error gone = {0};
        arb_fail(&gone, ARB_CANCELLED, "the client was not heard of for %.0f s", (double)s->times.lease / 1e9);
        arb_sched_job_end(s, job, ARB_JOB_CANCELLED, &gone);
        break;
    case ARB_SCHED_TIMER_UNPLACEABLE:
        job = ARB_CONTAINER_OF(timer, arb_sched_job, unplaceable);
        if (!arb_sched_nobody_can(s, job))
            break; /* whoever can is busy */
        arb_sched_job_fail(s, job, ARB_NO_EXECUTOR,
                           s->ready == 0
                               ? "no executor was there for %.0f s"
                               : "for %.0f s no executor was there that has the folders of data this query reads",
                           (double)s->times.no_executor / 1e9);
        break;
    case ARB_SCHED_TIMER_TWIN:
        arb_sched_twin_check(s, ARB_CONTAINER_OF(timer, arb_sched_stage, twin));
        break;
    case ARB_SCHED_TIMER_RETRY:
        trouble = ARB_CONTAINER_OF(timer, arb_sched_trouble, retry);
        arb_sched_enqueue(s, trouble->stage, trouble->task);
        break;
    case ARB_SCHED_TIMER_RECOVERY:
        recovery_over(s);
        break;
    case ARB_SCHED_TIMER_WRITE:
        arb_sched_store_again(s);
        break;
    case ARB_SCHED_TIMER_TERM:
        arb_sched_store_ask(s);
        break;
    case ARB_SCHED_TIMER_PLACEMENT:
        break; /* what follows every event tries again */
    }
}

static void tick(arb_scheduler *s)
{
    for (arb_heap_node *first; (first = arb_heap_first(&s->timers)) != NULL && first->key <= s->now;) {
        arb_heap_remove(&s->timers, first);
        run_out(s, ARB_CONTAINER_OF(first, arb_sched_timer, node));
    }
}

/* ---- events ------------------------------------------------------------------------------------------------------------ */

static arb_code prepare(arb_scheduler *s, const arb_event *event, arb_error *error)
{
    const arb_to_scheduler *message = event->kind == ARB_EVENT_MESSAGE ? event->message : NULL;
    bool registers = message != NULL && message->kind == ARB_TO_SCHEDULER_REGISTER;
    if (!arb_sched_store_prepare(s, registers ? message->inventory.held_count : 1, 0))
        return arb_fail_memory(error, "records for the state store", 0);
    return registers ? arb_sched_register_prepare(s, message, error) : ARB_OK;
}

arb_code arb_scheduler_apply(arb_scheduler *s, const arb_event *event, arb_error *error)
{
    arb_code code = ARB_OK;
    assert(event->now >= s->now);
    if (s->stopped)
        return event->kind < ARB_EVENT_JOB_SUBMITTED
                   ? ARB_OK
                   : arb_fail(error, ARB_CONNECTION_FAILED,
                              "this scheduler was replaced by a newer one: connect again");
    s->now = event->now;
    s->wall_us = event->wall_us;
    ARB_TRY(prepare(s, event, error));
    s->events++;
    switch (event->kind) {
    case ARB_EVENT_TICK:
        break;
    case ARB_EVENT_MESSAGE:
        arb_sched_receive(s, event->message);
        break;
    case ARB_EVENT_STREAM_CLOSED:
        arb_sched_stream_closed(s, event->executor, event->session);
        break;
    case ARB_EVENT_WRITTEN:
        arb_sched_written(s, event);
        break;
    case ARB_EVENT_JOB_SUBMITTED:
        code = arb_sched_submit(s, event, error);
        break;
    default:
        code = arb_sched_client_event(s, event, error);
        break;
    }
    tick(s);
    if (!s->stopped) {
        arb_sched_schedule(s);
        if (s->draining > 0)
            arb_sched_let_go(s);
        arb_sched_store_flush(s);
    }
    reap(s);
    return code;
}

void arb_scheduler_recover_end(arb_scheduler *s, int64_t now)
{
    s->now = now;
    for (arb_sched_job *job = s->first_job; job != NULL; job = job->next)
        if (job->state <= ARB_JOB_FINISHED)
            arb_sched_timer_set(s, &job->lease, ARB_SCHED_TIMER_LEASE, now + s->times.lease);
    arb_sched_timer_set(s, &s->term_timer, ARB_SCHED_TIMER_TERM, now + s->times.dead);
    if (s->first_job != NULL)
        arb_sched_timer_set(s, &s->recovery, ARB_SCHED_TIMER_RECOVERY, now + s->times.recovery);
}

arb_scheduler_counts arb_scheduler_count(const arb_scheduler *s)
{
    arb_scheduler_counts counts = s->counts;
    counts.jobs = s->job_count;
    counts.attempts = s->attempts.count;
    counts.timers = s->timers.nodes.size;
    counts.executors = s->executors.count;
    counts.history = s->history_size;
    counts.stopped = s->stopped;
    counts.writing = s->writing;
    for (const arb_sched_job *job = s->first_job; job != NULL; job = job->next)
        for (uint32_t number = 0; number < job->spec.stage_count; number++) {
            const arb_sched_stage *stage = &job->stages[number];
            if (!stage->open)
                continue;
            counts.pending += stage->counts[ARB_TASK_PENDING] + stage->counts[ARB_TASK_EXPECTED];
            counts.running += stage->counts[ARB_TASK_RUNNING];
            counts.committing += stage->counts[ARB_TASK_COMMITTING];
        }
    return counts;
}
