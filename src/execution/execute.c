/* execute.c: the life of a running query.
 *
 * start   build pipelines, start those that wait for nothing
 * ended   a driver is over: the last of a pipeline tells the sink; the last feeder of a sink starts its finish, in parts
 *         that run in parallel; a finished sink starts the pipelines that waited for it
 * next    the caller waits at the result for the next batch
 *
 * One lock guards the counters of pipelines and sinks; no operator code runs under it. The first error wins: it is kept,
 * everything else is cancelled, and what still waits is never started. A driver's error on the way to an operator that
 * keeps the order has its place there, and is the first when all before it has been read. The query is over when no task
 * is left. */
#include "execution/execute.h"

#include <pthread.h>

#include "base/alloc.h"
#include "execution/driver.h"
#include "execution/operators/operators.h"

enum {
    guarantee_most = 16 << 20,
    forced_ceiling = 32 << 10, /* with force_spill */
};

struct arb_execution {
    arb_arena arena;
    arb_query_context context;
    arb_task_group group;
    arb_io_group io;
    arb_memory memory;
    arb_pipeline_set set;
    const arb_physical_plan *plan;
    const arb_task_work *work; /* NULL: a whole query, whose rows the caller takes */
    arb_operator *result;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    uint32_t tasks; /* drivers and finishing tasks that are not over */
    arb_error error;
    void (*on_done)(void *context);
    void *done_context;
};

/* A task that finishes some parts of a sink. */
typedef struct finish_task {
    arb_task task;
    arb_execution *execution;
    arb_pipeline_sink *sink;
} finish_task;

static void start_pipeline(arb_execution *e, arb_pipeline *pipeline);

/* Nothing more is to be done: who waits, waits in vain. The result learns why (NULL: nobody reads it) before it can see
 * that the query is cancelled. Drivers that run see the flag, those that wait for a file or in an operator are woken. */
static void abort_query(arb_execution *e, const arb_error *error)
{
    if (e->result != NULL && !arb_is_task(e->work))
        arb_result_sink_abort(e->result, error);
    atomic_store(&e->context.cancelled, true);
    if (e->context.io != NULL)
        arb_io_group_close(e->context.io);
    for (size_t i = 0; i < e->set.operators.size; i++) {
        arb_operator *op = e->set.operators.data[i];
        if (op->vtable->abort != NULL)
            op->vtable->abort(op);
    }
}

static void fail_query(arb_execution *e, const arb_error *error)
{
    pthread_mutex_lock(&e->lock);
    if (e->error.code == ARB_OK)
        e->error = *error;
    pthread_mutex_unlock(&e->lock);
    abort_query(e, &e->error);
}

/* One task less. The last one of all lets a destroyer go on: nothing of the execution may be touched afterwards. */
static void task_over(arb_execution *e)
{
    pthread_mutex_lock(&e->lock);
    bool last = --e->tasks == 0;
    void (*on_done)(void *) = last ? e->on_done : NULL;
    void *context = last ? e->done_context : NULL; /* until then, start may be about to set it */
    if (last)
        pthread_cond_broadcast(&e->idle);
    pthread_mutex_unlock(&e->lock);
    if (on_done != NULL)
        on_done(context);
}

static void task_begins(arb_execution *e)
{
    pthread_mutex_lock(&e->lock);
    e->tasks++;
    pthread_mutex_unlock(&e->lock);
}

/* Something that these pipelines waited for is over. */
static void release(arb_execution *e, const arb_pipeline_list *list)
{
    for (size_t i = 0; i < list->size; i++) {
        arb_pipeline *pipeline = list->data[i];
        pthread_mutex_lock(&e->lock);
        bool ready = --pipeline->waits == 0;
        pthread_mutex_unlock(&e->lock);
        if (ready)
            start_pipeline(e, pipeline);
    }
}

static void sink_complete(arb_execution *e, arb_pipeline_sink *sink)
{
    arb_error error = {0};
    if (sink->op->vtable->finish != NULL && sink->op->vtable->finish(sink->op, &error) != ARB_OK) {
        fail_query(e, &error);
        return;
    }
    release(e, &sink->then);
}

static arb_task_result run_finish(arb_task *task, int64_t deadline_ns)
{
    finish_task *finish = ARB_CONTAINER_OF(task, finish_task, task);
    arb_execution *e = finish->execution;
    arb_pipeline_sink *sink = finish->sink;
    arb_error error = {0};
    (void)deadline_ns; /* parts are small */
    for (;;) {
        uint32_t part = atomic_fetch_add(&sink->next_part, 1);
        if (part >= sink->parts || atomic_load(&e->context.cancelled))
            break;
        if (sink->op->vtable->finish_part(sink->op, part, &error) != ARB_OK) {
            fail_query(e, &error);
            break;
        }
    }
    pthread_mutex_lock(&e->lock);
    bool last = --sink->parts_running == 0;
    pthread_mutex_unlock(&e->lock);
    arb_free(finish);
    if (last && !atomic_load(&e->context.cancelled))
        sink_complete(e, sink);
    task_over(e);
    return ARB_TASK_DONE;
}

static void finish_sink(arb_execution *e, arb_pipeline_sink *sink)
{
    sink->parts = sink->op->vtable->finish_parts != NULL ? sink->op->vtable->finish_parts(sink->op) : 0;
    if (sink->parts == 0) {
        sink_complete(e, sink);
        return;
    }
    uint32_t wanted = ARB_MIN(sink->parts, e->context.drivers);
    sink->parts_running = wanted; /* nobody else looks before the first task runs */
    for (uint32_t i = 0; i < wanted; i++) {
        arb_error error = {0};
        finish_task *finish = arb_alloc_zeroed(sizeof *finish);
        arb_code code = finish != NULL ? ARB_OK : arb_fail_memory(&error, "a finishing task", sizeof *finish);
        if (code == ARB_OK) {
            *finish = (finish_task){{.run = run_finish, .group = &e->group}, e, sink};
            task_begins(e);
            code = arb_task_submit(&finish->task, &error);
            if (code != ARB_OK) {
                task_over(e);
                arb_free(finish);
            }
        }
        if (code != ARB_OK) {
            pthread_mutex_lock(&e->lock);
            sink->parts_running--;
            pthread_mutex_unlock(&e->lock);
            fail_query(e, &error);
        }
    }
}

/* The pipeline does not need its operators any more; what nobody else needs is given back. */
static void release_operators(arb_execution *e, const arb_pipeline *pipeline)
{
    for (size_t i = 0; i <= pipeline->transform_count; i++) {
        arb_operator *op = i == 0 ? pipeline->source : pipeline->transforms[i - 1];
        pthread_mutex_lock(&e->lock);
        bool last = --op->users == 0;
        pthread_mutex_unlock(&e->lock);
        if (last && op->vtable->release != NULL)
            op->vtable->release(op);
    }
}

static void pipeline_complete(arb_execution *e, arb_pipeline *pipeline)
{
    release_operators(e, pipeline);
    release(e, &pipeline->then);
    arb_operator *sink = pipeline->sink->op;
    if (sink->vtable->feeder_done != NULL)
        sink->vtable->feeder_done(sink, pipeline);
    pthread_mutex_lock(&e->lock);
    bool last = --pipeline->sink->feeders == 0;
    pthread_mutex_unlock(&e->lock);
    if (last)
        finish_sink(e, pipeline->sink);
}

/* An error ends the query, unless the sink waits until everything before it has been read. Then the pipeline goes on as if
 * this driver had come to its end: nobody will see what comes behind. */
static void driver_failed(arb_execution *e, arb_driver_state *driver, const arb_error *error)
{
    arb_operator *sink = arb_driver_pipeline(driver)->sink->op;
    if (sink->vtable->failed != NULL && !atomic_load(&e->context.cancelled))
        sink->vtable->failed(sink, arb_driver_of(driver), error);
    else
        fail_query(e, error);
}

static void driver_ended(void *owner, arb_driver_state *driver, arb_code code, const arb_error *error)
{
    arb_execution *e = owner;
    arb_pipeline *pipeline = arb_driver_pipeline(driver);
    if (code != ARB_OK)
        driver_failed(e, driver, error);
    arb_driver_destroy(driver);
    pthread_mutex_lock(&e->lock);
    bool last = --pipeline->drivers == 0;
    pthread_mutex_unlock(&e->lock);
    if (last && !atomic_load(&e->context.cancelled))
        pipeline_complete(e, pipeline);
    task_over(e);
}

static void start_pipeline(arb_execution *e, arb_pipeline *pipeline)
{
    arb_operator *source = pipeline->source;
    uint32_t wanted = 1;
    if (pipeline->rest && source->vtable->source_parallelism(source) == 0) {
        pipeline_complete(e, pipeline);
        return;
    }
    if (source->vtable->source_parallelism != NULL && !pipeline->one_driver)
        wanted = ARB_MAX(ARB_MIN(source->vtable->source_parallelism(source), e->context.drivers), 1u);
    arb_driver_state *drivers[256];
    wanted = ARB_MIN(wanted, (uint32_t)ARB_COUNT_OF(drivers));
    arb_error error = {0};
    uint32_t made = 0;
    /* all local states before the first runs: a driver that ends must not find the pipeline half started */
    for (; made < wanted; made++)
        if (arb_driver_create(pipeline, &e->context, made, e, driver_ended, &drivers[made], &error) != ARB_OK)
            break;
    if (made < wanted) {
        while (made > 0)
            arb_driver_destroy(drivers[--made]);
        fail_query(e, &error);
        return;
    }
    pthread_mutex_lock(&e->lock);
    pipeline->drivers = made;
    e->tasks += made;
    pthread_mutex_unlock(&e->lock);
    for (uint32_t i = 0; i < made; i++) {
        if (arb_task_submit(arb_driver_task(drivers[i]), &error) == ARB_OK)
            continue;
        driver_ended(e, drivers[i], error.code, &error);
    }
}

/* Operators below the node, and itself, that hold rows and can spill them (or, in PARTIAL, give them early). */
static uint64_t count_spillers(const arb_physical_node *node)
{
    uint64_t count =
        node->kind == ARB_PHYSICAL_HASH_JOIN || node->kind == ARB_PHYSICAL_AGGREGATE || node->kind == ARB_PHYSICAL_SORT;
    for (size_t i = 0; i < node->child_count; i++)
        count += count_spillers(node->children[i]);
    return count;
}

/* Half of the memory is promised, in equal parts, and the other half goes to who needs it first. */
static uint64_t guarantee_of(const arb_physical_plan *plan, const arb_governor *governor)
{
    uint64_t count = count_spillers(plan->root) + plan->shared_count;
    for (size_t i = 0; i < plan->shared_count; i++)
        count += count_spillers(plan->shared[i]);
    return ARB_MIN(governor->limit / 2 / ARB_MAX(count, (uint64_t)1), (uint64_t)guarantee_most);
}

static arb_code name_feeder(arb_pipeline *pipeline, arb_error *error)
{
    arb_operator *sink = pipeline->sink->op;
    return sink->vtable->add_feeder == NULL ? ARB_OK
                                            : sink->vtable->add_feeder(sink, pipeline, pipeline->source, error);
}

/* Tell sinks which pipelines end in them, in the order of their rows: as the plan has them, then the rests of joins, the
 * lowest join's first, since those above wait for it. */
static arb_code name_feeders(arb_execution *e, arb_error *error)
{
    for (size_t i = 0; i < e->set.pipelines.size; i++)
        if (!e->set.pipelines.data[i]->rest)
            ARB_TRY(name_feeder(e->set.pipelines.data[i], error));
    for (size_t i = e->set.pipelines.size; i > 0; i--)
        if (e->set.pipelines.data[i - 1]->rest)
            ARB_TRY(name_feeder(e->set.pipelines.data[i - 1], error));
    return ARB_OK;
}

static unsigned drivers_of(const arb_execution_options *options)
{
    unsigned threads = arb_cpu_pool_threads(options->pool);
    return options->drivers != 0 ? ARB_MIN(options->drivers, threads) : threads;
}

arb_code arb_execution_start(const arb_physical_plan *plan, const arb_execution_options *options,
                             arb_execution **out_execution, arb_error *error)
{
    *out_execution = NULL;
    arb_execution *e = arb_alloc_zeroed(sizeof *e);
    if (e == NULL)
        return arb_fail_memory(error, "a query", sizeof *e);
    e->plan = plan;
    e->work = options->work;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->idle, NULL);
    arb_task_group_init(&e->group, options->pool);
    arb_io_group_init(&e->io, options->io);
    arb_memory_init(&e->memory, options->governor);
    e->context = (arb_query_context){.pool = options->pool,
                                     .group = &e->group,
                                     .io = options->io != NULL ? &e->io : NULL,
                                     .memory = &e->memory,
                                     .work = options->work,
                                     .spill_folder = options->spill_folder,
                                     .drivers = drivers_of(options),
                                     .batch_rows = options->batch_rows != 0 ? options->batch_rows : ARB_VECTOR_ROWS,
                                     .guarantee = guarantee_of(plan, options->governor),
                                     .ceiling = options->force_spill ? forced_ceiling : UINT64_MAX,
                                     .always_wait = options->force_async_io};
    e->set = (arb_pipeline_set){.arena = &e->arena, .context = &e->context};
    arb_code code = arb_is_task(e->work) ? e->work->sink_create(e->work, plan, &e->context, &e->result, error)
                                         : arb_result_sink_create(plan, &e->context, &e->result, error);
    if (code == ARB_OK)
        code = arb_pipelines_build(&e->set, plan, e->result, error);
    for (size_t i = 0; code == ARB_OK && i < e->set.pipelines.size; i++) {
        const arb_pipeline *pipeline = e->set.pipelines.data[i];
        pipeline->source->users++;
        for (size_t t = 0; t < pipeline->transform_count; t++)
            pipeline->transforms[t]->users++;
    }
    if (code == ARB_OK)
        code = name_feeders(e, error);
    if (code != ARB_OK) {
        arb_execution_destroy(e);
        return code;
    }
    /* Which wait for nothing is settled before the first starts, since from then on counters fall. */
    task_begins(e);
    arb_pipeline_list ready = {0};
    for (size_t i = 0; code == ARB_OK && i < e->set.pipelines.size; i++)
        if (e->set.pipelines.data[i]->waits == 0 && !ARB_ARENA_PUSH(&e->arena, &ready, e->set.pipelines.data[i]))
            code = arb_fail_memory(error, "a query", sizeof ready);
    for (size_t i = 0; code == ARB_OK && i < ready.size; i++)
        start_pipeline(e, ready.data[i]);
    if (code == ARB_OK) {
        e->on_done = options->on_done; /* this call's own task is not over: it has not been missed */
        e->done_context = options->done_context;
    }
    task_over(e);
    if (code != ARB_OK) {
        arb_execution_destroy(e);
        return code;
    }
    *out_execution = e;
    return ARB_OK;
}

arb_code arb_execution_next(arb_execution *e, const arb_batch **out_batch, arb_error *error)
{
    assert(!arb_is_task(e->work));
    arb_error failure = {0};
    if (arb_result_sink_next(e->result, out_batch, &failure) == ARB_OK)
        return ARB_OK;
    fail_query(e, &failure);
    if (error != NULL)
        *error = e->error;
    return e->error.code;
}

static void wait_for_tasks(arb_execution *e)
{
    pthread_mutex_lock(&e->lock);
    while (e->tasks != 0)
        pthread_cond_wait(&e->idle, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

arb_code arb_execution_wait(arb_execution *e, arb_error *error)
{
    assert(arb_is_task(e->work));
    wait_for_tasks(e);
    if (e->error.code != ARB_OK && error != NULL)
        *error = e->error;
    return e->error.code != ARB_OK ? e->error.code : arb_check_stop(&e->context.cancelled, error);
}

void arb_execution_cancel(arb_execution *e)
{
    atomic_store(&e->context.cancelled, true);
}

void arb_execution_stop(arb_execution *e)
{
    arb_error error = {0};
    (void)arb_fail_stopped(&error);
    fail_query(e, &error);
}

double arb_execution_progress(const arb_execution *e)
{
    uint64_t read = 0, all = 0;
    for (size_t i = 0; i < e->set.operators.size; i++)
        arb_scan_progress(e->set.operators.data[i], &read, &all);
    return all == 0 ? 0 : (double)read / (double)all;
}

uint64_t arb_execution_peak_memory(const arb_execution *e)
{
    return arb_memory_peak(&e->memory);
}

void arb_execution_destroy(arb_execution *e)
{
    if (e == NULL)
        return;
    abort_query(e, NULL);
    wait_for_tasks(e);
    arb_pipelines_destroy_operators(&e->set);
    if (e->result != NULL)
        e->result->vtable->destroy(e->result);
    pthread_cond_destroy(&e->idle);
    pthread_mutex_destroy(&e->lock);
    arb_arena_reset(&e->arena);
    arb_free(e);
}

static void note_profile(void *context, arb_text *out, const arb_physical_node *node)
{
    const arb_execution *e = context;
    for (size_t i = 0; i < e->set.operators.size; i++) {
        arb_operator *op = e->set.operators.data[i];
        if (op->node != node)
            continue;
        arb_text_printf(out, "  [%llu rows, %.3f ms", (unsigned long long)atomic_load(&op->rows_out),
                        (double)atomic_load(&op->time_ns) * 1e-6);
        uint64_t held = atomic_load(&op->share.peak), spilled = arb_spill_file_written(&op->spill);
        if (held != 0)
            arb_text_printf(out, ", %.1f MB", (double)held * 1e-6);
        if (spilled != 0)
            arb_text_printf(out, ", %.1f MB spilled", (double)spilled * 1e-6);
        arb_text_printf(out, "]");
        return;
    }
}

void arb_execution_explain(const arb_execution *execution, const arb_query *query, arb_text *out)
{
    arb_physical_print(out, query, execution->plan, note_profile, (void *)(uintptr_t)execution);
}
