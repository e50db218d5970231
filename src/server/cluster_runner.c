#include "server/cluster_runner.h"

#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/stop.h"
#include "base/thread.h"
#include "executor/task_inputs.h"
#include "optimizer/distribute.h"
#include "optimizer/result_plan.h"
#include "scheduler_process/scheduler_views.h"
#include "server/result_record.h"
#include "server/stage_report.h"

enum {
    LOOK_NS = 50000000, /* between looks whether a query that waits was cancelled */
    READINGS_MOST = 20, /* of a result, before its first rows are given */
    IDLE_PEERS_MOST = 64
};

struct arb_cluster_runner {
    arb_cluster_runner_options options;
    arb_output_pool pool;     /* what has come of results */
    arb_waiting_pool waiting; /* closes channels */
    pthread_mutex_t lock;     /* of the peers, and of the list of queries */
    arb_peer_table peers;
    struct cluster_query *first;
    sem_t
        wake; /* a signal handler may post it, but not cancel a job: the canceller does, whether anybody waits for it or not */
    _Atomic bool ending;
    pthread_t canceller;
};

typedef struct cluster_query cluster_query;

typedef struct result_work {
    arb_task_work base; /* first */
    cluster_query *query;
} result_work;

/* A query: its job, and once that is complete the execution that reads the result. Until the first rows have come, a result that
 * is lost is made again by the scheduler, and read again; then they leave, and it cannot be taken back. */
struct cluster_query {
    arb_query_run base; /* first */
    arb_cluster_runner *runner;
    arb_arena arena;
    const arb_stage_graph *graph;    /* NULL: the query was found, an earlier process cut its plan */
    const arb_physical_plan *plan;   /* that reads the result */
    uint32_t stage;                  /* whose output the result is */
    arb_execution_options execution; /* of the session */
    arb_job_client *job;
    cluster_query *next, *previous;
    _Atomic bool cancelled;
    bool told; /* the scheduler, of that; the canceller's */
    size_t task_count;
    const arb_result_view *tasks; /* of the result, in their order */
    arb_task_inputs *inputs;
    arb_peer **ways; /* to those that have the result; given back when nobody reads it any more */
    size_t way_count;
    result_work work;
    arb_execution *_Atomic result; /* NULL: not begun */
    _Atomic int lookers;           /* with `result` in hand, on other threads */
    _Atomic bool outdated;         /* what is read was lost, and is made again */
    unsigned readings;
    bool left, delivered;
    pthread_mutex_t lock; /* of what follows */
    bool come;            /* the job is complete, or over */
    arb_wake wake;        /* who waits for that; call NULL: nobody */
};

/* ---- the result -------------------------------------------------------------------------------------------------------------- */

static int by_task(const void *a, const void *b)
{
    uint32_t left = ((const arb_result_view *)a)->task, right = ((const arb_result_view *)b)->task;
    return (left > right) - (left < right);
}

static arb_code take_way(arb_cluster_runner *runner, arb_str address, arb_peer **out_way, arb_error *error)
{
    pthread_mutex_lock(&runner->lock);
    arb_code code = arb_peer_table_take(&runner->peers, address, out_way, error);
    pthread_mutex_unlock(&runner->lock);
    return code;
}

static void give_back_ways(cluster_query *q)
{
    pthread_mutex_lock(&q->runner->lock);
    for (size_t i = 0; i < q->way_count; i++)
        arb_peer_table_give_back(&q->runner->peers, q->ways[i]);
    pthread_mutex_unlock(&q->runner->lock);
    q->way_count = 0;
}

/* The executors that have parts of it, and who has which. */
static arb_code list_sources(cluster_query *q, arb_input_peer *peers, size_t *out_peers, arb_input_source *sources,
                             arb_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < q->task_count; i++) {
        const arb_result_view *task = &q->tasks[i];
        size_t at = 0;
        while (at < count && !arb_uuid_equal(peers[at].executor, task->executor))
            at++;
        if (at == count) {
            arb_input_peer *peer = &peers[count];
            if (task->key.size != sizeof peer->key.bytes)
                return arb_fail(error, ARB_INTERNAL, "an executor registered without a key");
            memcpy(peer->key.bytes, task->key.data, sizeof peer->key.bytes);
            peer->executor = task->executor;
            ARB_TRY(take_way(q->runner, task->address, &q->ways[count], error));
            peer->channel = q->ways[count]->channel;
            q->way_count = ++count;
        }
        sources[i] = (arb_input_source){task->task, task->attempt, (uint32_t)at};
    }
    *out_peers = count;
    return ARB_OK;
}

static arb_code make_inputs(cluster_query *q, arb_id job, arb_error *error)
{
    const arb_cluster_runner_options *o = &q->runner->options;
    arb_scheduler_loop *loop = arb_scheduler_process_loop(o->scheduler);
    arb_input_peer *peers = ARB_ARENA_ARRAY(&q->arena, arb_input_peer, q->task_count + 1);
    arb_input_source *sources = ARB_ARENA_ARRAY(&q->arena, arb_input_source, q->task_count + 1);
    size_t peer_count;
    q->ways = ARB_ARENA_ARRAY(&q->arena, arb_peer *, q->task_count + 1);
    if (peers == NULL || sources == NULL || q->ways == NULL)
        return arb_fail_memory(error, "a result", q->task_count * sizeof *peers);
    ARB_TRY(list_sources(q, peers, &peer_count, sources, error));
    arb_task_input input = {q->stage, q->task_count, sources};
    arb_task_inputs_options options = {.cluster = arb_scheduler_loop_cluster(loop),
                                       .job = job,
                                       .pool = &q->runner->pool,
                                       .loop = arb_scheduler_loop_timers(loop),
                                       .window = o->window,
                                       .unreachable_ns = o->unreachable_ns,
                                       .peer_count = peer_count,
                                       .peers = peers,
                                       .input_count = 1,
                                       .inputs = &input};
    return arb_task_inputs_create(&options, &q->inputs, error);
}

static arb_code source_create(const arb_task_work *base, const arb_physical_node *node, bool later,
                              arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    cluster_query *q = ((const result_work *)base)->query;
    return arb_task_inputs_source(q->inputs, node, NULL, later, context, out_op, error);
}

/* The execution, which stays until it was put down; without a lock, as a signal handler may be the one who looks. */
static arb_execution *pick_up(cluster_query *q)
{
    atomic_fetch_add(&q->lookers, 1);
    return atomic_load(&q->result);
}

static void put_down(cluster_query *q)
{
    atomic_fetch_sub(&q->lookers, 1);
}

/* The job is complete: begin to read what it left. */
static arb_code begin_result(cluster_query *q, arb_id job, arb_error *error)
{
    const arb_result_view *tasks;
    arb_execution *result;
    atomic_store(&q->outdated, false);
    ARB_TRY(arb_job_results(q->job, &q->arena, &tasks, &q->task_count, error));
    qsort((void *)(uintptr_t)tasks, q->task_count, sizeof *tasks, by_task);
    q->tasks = tasks;
    ARB_TRY(make_inputs(q, job, error));
    q->work = (result_work){{.source_create = source_create}, q};
    q->execution.work = &q->work.base;
    ARB_TRY(arb_execution_start(q->plan, &q->execution, &result, error));
    atomic_store(&q->result, result);
    if (atomic_load(&q->cancelled))
        arb_execution_cancel(result);
    return ARB_OK;
}

/* ---- the job ------------------------------------------------------------------------------------------------------------------ */

static arb_code fail_ended(const arb_job_progress *progress, arb_error *error)
{
    if (progress->error.code == ARB_OK)
        return arb_fail(error, ARB_INTERNAL, "the job ended before its result was read");
    if (error != NULL)
        *error = progress->error;
    return progress->error.code;
}

/* On the scheduler's loop. Who reads a result that is lost meanwhile, and is made again, need not wait for the executor that had
 * it. */
static void job_changed(void *context, const arb_job_progress *progress)
{
    cluster_query *q = context;
    arb_wake wake = {0};
    pthread_mutex_lock(&q->lock);
    q->come = progress->finished || progress->ended || progress->lost;
    if (q->come) {
        wake = q->wake;
        q->wake = (arb_wake){0};
    }
    bool come = q->come;
    pthread_mutex_unlock(&q->lock);
    if (wake.call != NULL)
        wake.call(wake.context);
    arb_execution *result = pick_up(q);
    if (result != NULL && !come) {
        atomic_store(&q->outdated, true);
        arb_execution_cancel(result);
    }
    put_down(q);
}

static bool ready(arb_query_run *run, const arb_wake *wake)
{
    cluster_query *q = (cluster_query *)run;
    pthread_mutex_lock(&q->lock);
    bool now = q->come || atomic_load(&q->result) != NULL || atomic_load(&q->cancelled);
    q->wake = now ? (arb_wake){0} : *wake;
    pthread_mutex_unlock(&q->lock);
    return now;
}

/* Wait until all of it has been made. */
static arb_code wait_for_result(cluster_query *q, arb_id *out_job, arb_error *error)
{
    arb_job_progress progress;
    arb_error failure = {0};
    arb_code code = ARB_DEADLINE_EXCEEDED;
    /* what is cancelled does not wait until the job has ended, which may have to be written first */
    while (code == ARB_DEADLINE_EXCEEDED && !atomic_load(&q->cancelled))
        code = arb_job_wait(q->job, ARB_JOB_COMPLETE, arb_clock_monotonic_ns() + LOOK_NS, &progress, &failure);
    if (atomic_load(&q->cancelled))
        return arb_fail_stopped(error);
    *out_job = progress.job;
    if (code == ARB_OK)
        return progress.ended ? fail_ended(&progress, error) : ARB_OK;
    if (error != NULL)
        *error = failure;
    return code;
}

static void end_result(cluster_query *q)
{
    arb_execution *result = atomic_exchange(&q->result, NULL);
    while (atomic_load(&q->lookers) != 0) /* a moment */
        sched_yield();
    arb_execution_destroy(result);
    arb_task_inputs_destroy(q->inputs);
    q->inputs = NULL;
    give_back_ways(q);
}

/* The first rows are here: from now on they leave. */
static arb_code leave(cluster_query *q, arb_error *error)
{
    for (size_t i = 0; i < q->task_count; i++)
        ARB_TRY(arb_job_rows_left(q->job, q->tasks[i].task, q->tasks[i].attempt, error));
    q->left = true;
    return ARB_OK;
}

/* All rows have been taken. What has become of the job meanwhile does not change that. */
static void finish(cluster_query *q)
{
    for (size_t i = 0; i < q->task_count && !q->delivered; i++)
        (void)!arb_job_delivered(q->job, q->tasks[i].task, q->tasks[i].attempt, NULL);
    q->delivered = true;
}

/* Is it an executor's part of the result that cannot be read (any more)? Then the scheduler shall know, if it does not yet. */
static bool is_lost(cluster_query *q, arb_code code)
{
    arb_failure failure;
    if (q->inputs == NULL || !arb_task_inputs_failure(q->inputs, code, &failure))
        return false;
    (void)!arb_job_result_lost(q->job, failure.producer_task, failure.producer_attempt, failure.read, NULL);
    return true;
}

/* *out_stale: the rows that have come are of a result that is not the job's any more. */
static arb_code read_on(cluster_query *q, const arb_batch **out_batch, bool *out_stale, arb_error *error)
{
    arb_id job = {0};
    *out_stale = false;
    if (atomic_load(&q->result) == NULL) {
        q->readings++;
        ARB_TRY(wait_for_result(q, &job, error));
        ARB_TRY(begin_result(q, job, error));
    }
    ARB_TRY(arb_execution_next(atomic_load(&q->result), out_batch, error));
    arb_code code = q->left ? ARB_OK : leave(q, error);
    *out_stale = code != ARB_OK;
    return code;
}

static arb_code next(arb_query_run *run, const arb_batch **out_batch, arb_error *error)
{
    cluster_query *q = (cluster_query *)run;
    for (;;) {
        arb_error failure = {0};
        *out_batch = NULL;
        bool stale;
        arb_code code = read_on(q, out_batch, &stale, &failure);
        if (code == ARB_OK && *out_batch == NULL)
            finish(q);
        if (code == ARB_OK)
            return ARB_OK;
        *out_batch = NULL;
        /* a job that is not there has ended: waiting for its result will say how */
        bool lost = is_lost(q, code);
        bool again = stale || lost || code == ARB_UNDEFINED_OBJECT || code == ARB_NOT_READY ||
                     (atomic_exchange(&q->outdated, false) && !atomic_load(&q->cancelled));
        if (lost && q->left)
            return arb_fail(error, ARB_RESULT_LOST, "the executor with the result was lost after rows had been sent");
        if (again && !q->left && q->readings == READINGS_MOST)
            return arb_fail(error, ARB_RESULT_LOST, "the result was lost %d times while it was read", READINGS_MOST);
        if (!again || q->left) {
            if (error != NULL)
                *error = failure;
            return code;
        }
        end_result(q);
    }
}

static void cancel(arb_query_run *run)
{
    cluster_query *q = (cluster_query *)run;
    atomic_store(&q->cancelled, true);
    arb_execution *result = pick_up(q);
    if (result != NULL)
        arb_execution_cancel(result);
    put_down(q);
    sem_post(&q->runner->wake);
}

static double progress(const arb_query_run *run)
{
    return atomic_load(&((const cluster_query *)run)->result) != NULL ? 1 : 0;
}

static arb_code stages(const arb_query_run *run, arb_arena *arena, const arb_run_stage **out_stages, size_t *out_count,
                       arb_error *error)
{
    const cluster_query *q = (const cluster_query *)run;
    const arb_stage_view *views;
    arb_job_progress progress;
    arb_job_look(q->job, &progress);
    ARB_TRY(arb_view_stages(arb_scheduler_process_loop(q->runner->options.scheduler), progress.job, arena, &views,
                            out_count, error));
    arb_run_stage *made = ARB_ARENA_ARRAY(arena, arb_run_stage, *out_count + 1);
    if (made == NULL)
        return arb_fail_memory(error, "a query's stages", *out_count * sizeof *made);
    for (size_t i = 0; i < *out_count; i++)
        made[i] = (arb_run_stage){.stage = views[i].stage,
                                  .tasks = views[i].tasks,
                                  .running = views[i].running,
                                  .committed = views[i].committed,
                                  .rows = views[i].rows,
                                  .bytes = views[i].bytes,
                                  .complete = views[i].complete};
    *out_stages = made;
    return ARB_OK;
}

static uint64_t peak_memory(const arb_query_run *run)
{
    cluster_query *q = (cluster_query *)(uintptr_t)run; /* only the count changes */
    const arb_execution *result = pick_up(q);
    uint64_t peak = result != NULL ? arb_execution_peak_memory(result) : 0;
    put_down(q);
    return peak;
}

static void explain(const arb_query_run *run, const arb_query *query, arb_text *out)
{
    const cluster_query *q = (const cluster_query *)run;
    arb_job_progress progress;
    arb_job_look(q->job, &progress);
    if (q->graph != NULL)
        arb_stage_graph_print(out, query, q->graph, NULL, NULL);
    arb_stage_report(arb_scheduler_process_loop(q->runner->options.scheduler), progress.job, out);
}

static void enlist(cluster_query *q)
{
    arb_cluster_runner *runner = q->runner;
    pthread_mutex_lock(&runner->lock);
    q->next = runner->first;
    if (q->next != NULL)
        q->next->previous = q;
    runner->first = q;
    pthread_mutex_unlock(&runner->lock);
}

static void delist(cluster_query *q)
{
    arb_cluster_runner *runner = q->runner;
    pthread_mutex_lock(&runner->lock);
    if (q->previous != NULL)
        q->previous->next = q->next;
    else if (runner->first == q)
        runner->first = q->next;
    if (q->next != NULL)
        q->next->previous = q->previous;
    pthread_mutex_unlock(&runner->lock);
}

static void destroy(arb_query_run *run)
{
    cluster_query *q = (cluster_query *)run;
    delist(q);
    end_result(q);
    arb_job_close(q->job);
    pthread_mutex_destroy(&q->lock);
    arb_arena_reset(&q->arena);
    arb_free(q);
}

/* Tasks that all executors together can run. */
static arb_code count_slots(arb_cluster_runner *runner, arb_arena *arena, uint32_t *out_slots, arb_error *error)
{
    const arb_executor_view *executors;
    size_t count;
    uint32_t slots = 0;
    ARB_TRY(
        arb_view_executors(arb_scheduler_process_loop(runner->options.scheduler), arena, &executors, &count, error));
    for (size_t i = 0; i < count; i++)
        slots += executors[i].state == ARB_EXECUTOR_READY ? executors[i].slots : 0;
    *out_slots = ARB_MAX(slots, 1u);
    return ARB_OK;
}

/* The plan cut into stages. */
static arb_code distribute(arb_cluster_runner *runner, arb_arena *arena, const arb_run_request *request,
                           const arb_stage_graph **out_graph, arb_error *error)
{
    arb_distribute_options options = {.task_bytes = request->distribution.task_bytes,
                                      .broadcast_bytes = request->distribution.broadcast_bytes,
                                      .always = request->distribution.when == ARB_DISTRIBUTE_ALWAYS,
                                      .never = request->distribution.when == ARB_DISTRIBUTE_NEVER};
    ARB_TRY(count_slots(runner, arena, &options.slots, error));
    ARB_TRY(arb_distribute(arena, request->plan, &options, out_graph, error));
    return arb_stage_graph_validate(*out_graph, error);
}

/* Whoever finds the job by its name can read what it leaves. */
static arb_code name_job(cluster_query *q, const arb_run_request *request, arb_job_spec *spec, arb_error *error)
{
    arb_text record = {0};
    arb_code code = arb_result_record_write(q->plan, request->names, &record, error);
    spec->name = request->origin.name;
    spec->result = arb_str_copy(&q->arena, arb_text_view(&record));
    if (code == ARB_OK && spec->result.data == NULL)
        code = arb_fail_memory(error, "a job", record.size);
    arb_text_reset(&record);
    return code;
}

static arb_code submit(cluster_query *q, const arb_run_request *request, arb_error *error)
{
    const arb_cluster_runner_options *o = &q->runner->options;
    arb_stage_job_options options = {.tables = o->tables,
                                     .roots = o->roots,
                                     .text = request->text,
                                     .user = request->origin.user,
                                     .read_only = true,
                                     .settings = {.batch_rows = request->execution.batch_rows,
                                                  .force_spill = request->execution.force_spill,
                                                  .force_async_io = request->execution.force_async_io,
                                                  .outputs_in_files = request->distribution.outputs_in_files},
                                     .task_memory = o->task_memory,
                                     .drivers = 1};
    arb_stage_job job;
    ARB_TRY(distribute(q->runner, &q->arena, request, &q->graph, error));
    ARB_TRY(arb_stage_job_create(&q->arena, q->graph, &options, &job, error));
    q->stage = (uint32_t)(q->graph->stage_count - 1);
    ARB_TRY(arb_result_plan_create(&q->arena, request->plan, q->graph, &q->plan, error));
    if (request->origin.name.size != 0 && arb_job_spec_recorded(&job.spec)) /* else it ends with this process */
        ARB_TRY(name_job(q, request, &job.spec, error));
    return arb_job_submit(arb_scheduler_process_clients(o->scheduler), &job.spec, job.plans, q->graph->stage_count,
                          &(arb_job_watch){job_changed, q}, &q->job, error);
}

static arb_code describe(void *context, const arb_run_request *request, const arb_query *query, arb_text *out,
                         arb_error *error)
{
    arb_arena arena = {0};
    const arb_stage_graph *graph;
    arb_code code = distribute(context, &arena, request, &graph, error);
    arb_text_append_str(out, ARB_STR("Stages\n"));
    if (code == ARB_OK)
        arb_stage_graph_print(out, query, graph, NULL, NULL);
    arb_arena_reset(&arena);
    return code;
}

static arb_code new_query(arb_cluster_runner *runner, const arb_execution_options *execution, cluster_query **out_query,
                          arb_error *error)
{
    static const arb_query_run_vtable vtable = {next, cancel, progress, peak_memory, explain, destroy, ready, stages};
    cluster_query *q = arb_alloc_zeroed(sizeof *q);
    *out_query = q;
    if (q == NULL)
        return arb_fail_memory(error, "a query", sizeof *q);
    q->base.vtable = &vtable;
    q->runner = runner;
    q->execution = *execution;
    pthread_mutex_init(&q->lock, NULL);
    return ARB_OK;
}

static arb_code start(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *error)
{
    cluster_query *q;
    *out_run = NULL;
    ARB_TRY(new_query(context, &request->execution, &q, error));
    arb_code code = submit(q, request, error);
    if (code != ARB_OK) {
        destroy(&q->base);
        return code;
    }
    enlist(q);
    *out_run = &q->base;
    return ARB_OK;
}

static arb_code take_up(cluster_query *q, arb_str name, arb_arena *arena, arb_found_run *out_found, arb_error *error)
{
    arb_scheduler_process *scheduler = q->runner->options.scheduler;
    arb_named_job named;
    arb_result_record record;
    ARB_TRY(arb_view_named(arb_scheduler_process_loop(scheduler), name, &q->arena, &named, error));
    ARB_TRY(arb_result_record_read(named.result, arena, &record, error));
    q->plan = record.plan;
    q->stage = named.stage_count - 1;
    *out_found = (arb_found_run){NULL, record.plan->column_count, record.names, record.types};
    return arb_job_find(arb_scheduler_process_clients(scheduler), named.job, &(arb_job_watch){job_changed, q}, &q->job,
                        error);
}

static arb_code find(void *context, arb_str name, const arb_execution_options *execution, arb_arena *arena,
                     arb_found_run *out_found, arb_error *error)
{
    cluster_query *q;
    *out_found = (arb_found_run){0};
    ARB_TRY(new_query(context, execution, &q, error));
    arb_code code = take_up(q, name, arena, out_found, error);
    if (code != ARB_OK) {
        destroy(&q->base);
        return code;
    }
    enlist(q);
    out_found->run = &q->base;
    return ARB_OK;
}

/* ---- the runner ---------------------------------------------------------------------------------------------------------------- */

static void free_runner(arb_cluster_runner *runner)
{
    arb_peer_table_reset(&runner->peers);
    arb_waiting_pool_reset(&runner->waiting);
    arb_output_pool_reset(&runner->pool);
    sem_destroy(&runner->wake);
    pthread_mutex_destroy(&runner->lock);
    arb_free(runner);
}

/* Cancels the jobs of queries that were cancelled. */
static void *cancel_jobs(void *context)
{
    arb_cluster_runner *runner = context;
    for (;;) {
        while (sem_wait(&runner->wake) != 0)
            continue;
        if (atomic_load(&runner->ending))
            return NULL;
        bool again = false;
        pthread_mutex_lock(&runner->lock);
        for (cluster_query *q = runner->first; q != NULL; q = q->next)
            if (atomic_load(&q->cancelled) && !q->told) {
                arb_code code = arb_job_cancel(q->job, NULL); /* it may have ended meanwhile */
                q->told = code == ARB_OK || code == ARB_UNDEFINED_OBJECT || code == ARB_CONNECTION_FAILED;
                again |= !q->told;
            }
        pthread_mutex_unlock(&runner->lock);
        if (again) { /* for want of memory */
            nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
            sem_post(&runner->wake);
        }
    }
}

arb_code arb_cluster_runner_create(const arb_cluster_runner_options *options, arb_cluster_runner **out_runner,
                                   arb_error *error)
{
    *out_runner = NULL;
    arb_cluster_runner *runner = arb_alloc_zeroed(sizeof *runner);
    if (runner == NULL)
        return arb_fail_memory(error, "a cluster's queries", sizeof *runner);
    arb_code code = arb_waiting_pool_init(&runner->waiting, 1, error);
    if (code != ARB_OK) {
        arb_free(runner);
        return code;
    }
    runner->options = *options;
    arb_output_pool_init(&runner->pool, options->memory, NULL);
    runner->peers =
        (arb_peer_table){.network = options->network, .pool = &runner->waiting, .idle_most = IDLE_PEERS_MOST};
    pthread_mutex_init(&runner->lock, NULL);
    sem_init(&runner->wake, 0, 0);
    int failure = arb_thread_create(&runner->canceller, NULL, cancel_jobs, runner);
    if (failure != 0) {
        free_runner(runner);
        return arb_fail_errno(error, failure, "cannot start a thread");
    }
    *out_runner = runner;
    return ARB_OK;
}

void arb_cluster_runner_destroy(arb_cluster_runner *runner)
{
    if (runner == NULL)
        return;
    atomic_store(&runner->ending, true);
    sem_post(&runner->wake);
    pthread_join(runner->canceller, NULL);
    free_runner(runner);
}

arb_query_runner arb_cluster_runner_for_sessions(arb_cluster_runner *runner)
{
    return (arb_query_runner){runner, start, describe, find};
}
