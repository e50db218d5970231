#include "execution/driver.h"

#include "base/alloc.h"
#include "base/clock.h"

typedef struct transform_state {
    arb_operator *op;
    void *local;
    const arb_batch *input; /* the batch it was given last */
    bool more;              /* has more output for `input` */
    bool flushed;
} transform_state;

struct arb_driver_state {
    arb_task task;
    arb_driver driver;
    arb_pipeline *pipeline;
    void *owner;
    arb_driver_ended ended;
    void *source_local, *sink_local;
    bool source_made, sink_made, source_dry, combined;
    size_t transforms_made;
    transform_state *transforms;
    const arb_batch *waiting; /* a batch that a BLOCKED transform or sink has not taken yet */
    size_t waiting_level;
};

static arb_task_result run_driver(arb_task *task, int64_t deadline_ns);

arb_code arb_driver_create(arb_pipeline *pipeline, arb_query_context *context, uint32_t number, void *owner,
                           arb_driver_ended ended, arb_driver_state **out_driver, arb_error *error)
{
    *out_driver = NULL;
    size_t count = pipeline->transform_count;
    arb_driver_state *d = arb_alloc_zeroed(sizeof *d);
    transform_state *transforms = arb_alloc_zeroed((count + 1) * sizeof *transforms);
    if (d == NULL || transforms == NULL) {
        arb_free(d);
        arb_free(transforms);
        return arb_fail_memory(error, "a pipeline's driver", sizeof *d);
    }
    *d = (arb_driver_state){.task = {.run = run_driver, .group = context->group},
                            .driver = {context, pipeline, &pipeline->satisfied, &d->task, number, 0},
                            .pipeline = pipeline,
                            .owner = owner,
                            .ended = ended,
                            .transforms = transforms};
    arb_operator *source = pipeline->source, *sink = pipeline->sink->op;
    arb_code code = ARB_OK;
    if (source->vtable->source_create != NULL)
        ARB_TRY_GOTO(code, source->vtable->source_create(source, &d->driver, &d->source_local, error), failed);
    d->source_made = true;
    for (size_t i = 0; i < count; i++) {
        arb_operator *op = transforms[i].op = pipeline->transforms[i];
        if (op->vtable->transform_create != NULL)
            ARB_TRY_GOTO(code, op->vtable->transform_create(op, &d->driver, &transforms[i].local, error), failed);
        d->transforms_made = i + 1;
    }
    if (sink->vtable->sink_create != NULL)
        ARB_TRY_GOTO(code, sink->vtable->sink_create(sink, &d->driver, &d->sink_local, error), failed);
    d->sink_made = true;
    *out_driver = d;
    return ARB_OK;
failed:
    arb_driver_destroy(d);
    return code;
}

arb_task *arb_driver_task(arb_driver_state *driver)
{
    return &driver->task;
}

arb_pipeline *arb_driver_pipeline(const arb_driver_state *driver)
{
    return driver->pipeline;
}

const arb_driver *arb_driver_of(const arb_driver_state *driver)
{
    return &driver->driver;
}

void arb_driver_destroy(arb_driver_state *d)
{
    if (d == NULL)
        return;
    arb_operator *source = d->pipeline->source, *sink = d->pipeline->sink->op;
    if (d->sink_made && sink->vtable->sink_destroy != NULL)
        sink->vtable->sink_destroy(sink, d->sink_local);
    for (size_t i = d->transforms_made; i > 0; i--) {
        arb_operator *op = d->transforms[i - 1].op;
        if (op->vtable->transform_destroy != NULL)
            op->vtable->transform_destroy(op, d->transforms[i - 1].local);
    }
    if (d->source_made && source->vtable->source_destroy != NULL)
        source->vtable->source_destroy(source, d->source_local);
    arb_free(d->transforms);
    arb_free(d);
}

static void count_output(arb_operator *op, const arb_batch *batch, int64_t start_ns)
{
    int64_t spent = arb_clock_monotonic_ns() - start_ns;
    atomic_fetch_add_explicit(&op->time_ns, (uint64_t)spent, memory_order_relaxed);
    if (batch != NULL) {
        atomic_fetch_add_explicit(&op->rows_out, batch->selected, memory_order_relaxed);
        atomic_fetch_add_explicit(&op->batches_out, 1, memory_order_relaxed);
    }
}

/* Hand a batch to the transform at `level` and what comes of it further down, as far as it goes. */
static arb_code deliver(arb_driver_state *d, const arb_batch *batch, size_t level, arb_flow *out_flow, arb_error *error)
{
    *out_flow = ARB_FLOW_NEED_INPUT;
    while (batch != NULL && level < d->pipeline->transform_count) {
        transform_state *at = &d->transforms[level];
        const arb_batch *out = NULL;
        arb_flow flow = ARB_FLOW_NEED_INPUT;
        int64_t start = arb_clock_monotonic_ns();
        ARB_TRY(at->op->vtable->push(at->op, at->local, batch, &out, &flow, error));
        count_output(at->op, out, start);
        at->more = flow == ARB_FLOW_HAVE_OUTPUT;
        at->input = batch;
        if (flow == ARB_FLOW_BLOCKED) {
            d->waiting = batch;
            d->waiting_level = level;
            *out_flow = ARB_FLOW_BLOCKED;
            return ARB_OK;
        }
        if (flow == ARB_FLOW_DONE)
            atomic_store(&d->pipeline->satisfied, true);
        batch = out;
        level++;
    }
    if (batch == NULL || batch->selected == 0)
        return ARB_OK;
    arb_operator *sink = d->pipeline->sink->op;
    arb_batch stamped = *batch; /* so that a sink that keeps the order knows where a row came from */
    stamped.sequence = d->driver.sequence;
    arb_flow flow = ARB_FLOW_NEED_INPUT;
    int64_t start = arb_clock_monotonic_ns();
    ARB_TRY(sink->vtable->sink(sink, d->sink_local, &stamped, &flow, error));
    count_output(sink, NULL, start);
    if (flow == ARB_FLOW_BLOCKED) {
        d->waiting = batch;
        d->waiting_level = d->pipeline->transform_count;
        *out_flow = ARB_FLOW_BLOCKED;
    } else if (flow == ARB_FLOW_DONE) {
        atomic_store(&d->pipeline->satisfied, true);
    }
    return ARB_OK;
}

/* The source is dry: one step of emptying the transforms. False in *out_some when nothing was left. */
static arb_code flush(arb_driver_state *d, bool *out_some, arb_flow *out_flow, arb_error *error)
{
    *out_some = false;
    *out_flow = ARB_FLOW_NEED_INPUT;
    for (size_t level = 0; level < d->pipeline->transform_count; level++) {
        transform_state *at = &d->transforms[level];
        if (at->flushed || at->op->vtable->flush == NULL)
            continue;
        const arb_batch *out = NULL;
        arb_flow flow = ARB_FLOW_NEED_INPUT;
        ARB_TRY(at->op->vtable->flush(at->op, at->local, &out, &flow, error));
        *out_some = true;
        if (flow == ARB_FLOW_BLOCKED) {
            *out_flow = flow;
            return ARB_OK;
        }
        at->flushed = flow != ARB_FLOW_HAVE_OUTPUT;
        return deliver(d, out, level + 1, out_flow, error);
    }
    return ARB_OK;
}

/* The source's next batch, and whether that was its last. */
static arb_code pull(arb_driver_state *d, const arb_batch **out_batch, arb_flow *out_flow, arb_error *error)
{
    arb_operator *source = d->pipeline->source, *sink = d->pipeline->sink->op;
    uint64_t before = d->driver.sequence;
    int64_t start = arb_clock_monotonic_ns();
    *out_batch = NULL;
    *out_flow = ARB_FLOW_DONE;
    ARB_TRY(source->vtable->pull(source, d->source_local, out_batch, out_flow, error));
    count_output(source, *out_batch, start);
    if (*out_batch != NULL)
        d->driver.sequence = (*out_batch)->sequence;
    d->source_dry = *out_flow == ARB_FLOW_DONE;
    if ((d->source_dry || before >> 32 != d->driver.sequence >> 32) && sink->vtable->source_moved != NULL)
        sink->vtable->source_moved(sink);
    return ARB_OK;
}

/* One move: a batch further, a flush, or the end (*out_over). */
static arb_code step(arb_driver_state *d, bool *out_over, arb_flow *out_flow, arb_error *error)
{
    *out_over = false;
    *out_flow = ARB_FLOW_NEED_INPUT;
    if (d->waiting != NULL) {
        const arb_batch *batch = d->waiting;
        d->waiting = NULL;
        return deliver(d, batch, d->waiting_level, out_flow, error);
    }
    if (atomic_load_explicit(&d->pipeline->satisfied, memory_order_relaxed)) {
        *out_over = true;
        return ARB_OK;
    }
    for (size_t level = d->pipeline->transform_count; level > 0; level--)
        if (d->transforms[level - 1].more)
            return deliver(d, d->transforms[level - 1].input, level - 1, out_flow, error);
    if (!d->source_dry) {
        const arb_batch *batch;
        ARB_TRY(pull(d, &batch, out_flow, error));
        return *out_flow == ARB_FLOW_BLOCKED ? ARB_OK : deliver(d, batch, 0, out_flow, error);
    }
    bool some;
    ARB_TRY(flush(d, &some, out_flow, error));
    *out_over = !some;
    return ARB_OK;
}

static arb_task_result run_driver(arb_task *task, int64_t deadline_ns)
{
    arb_driver_state *d = ARB_CONTAINER_OF(task, arb_driver_state, task);
    arb_error error = {0};
    arb_code code = ARB_OK;
    bool over = false;
    while (code == ARB_OK && !over) {
        arb_flow flow;
        code = arb_check_stop(&d->driver.context->cancelled, &error);
        if (code != ARB_OK)
            break;
        code = step(d, &over, &flow, &error);
        if (code == ARB_OK && flow == ARB_FLOW_BLOCKED)
            return ARB_TASK_BLOCKED;
        if (code == ARB_OK && !over && arb_clock_monotonic_ns() >= deadline_ns)
            return ARB_TASK_YIELD;
    }
    arb_operator *sink = d->pipeline->sink->op;
    if (code == ARB_OK && sink->vtable->combine != NULL)
        code = sink->vtable->combine(sink, d->sink_local, &error);
    d->ended(d->owner, d, code, &error);
    return ARB_TASK_DONE;
}
