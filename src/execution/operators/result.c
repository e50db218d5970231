/* result.c: the last sink. Drivers put batches in; the caller's thread takes them out, in the source's order. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "execution/operators/operators.h"
#include "execution/ordered_queue.h"

enum { wait_ms = 5 };

typedef struct result_operator {
    arb_operator base;
    const arb_physical_plan *plan;
    arb_ordered_queue queue;
    pthread_cond_t changed; /* with the queue's lock */
    arb_owned_batch *given; /* lent to the caller */
    bool aborted;           /* the queue's lock, as the error */
    arb_error error;
} result_operator;

static result_operator *of(arb_operator *op)
{
    return (result_operator *)op;
}

static void signal_change(void *owner)
{
    pthread_cond_signal(&((result_operator *)owner)->changed);
}

static arb_code sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)op, (void)error;
    *out_local = driver; /* all that a driver needs here is whom to wake */
    return ARB_OK;
}

static arb_code sink(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow, arb_error *error)
{
    result_operator *r = of(op);
    return arb_ordered_queue_put(&r->queue, local, in, r->plan->columns, r->plan->column_count, out_flow, error);
}

static void source_moved(arb_operator *op)
{
    arb_ordered_queue_source_moved(&of(op)->queue);
}

static void failed(arb_operator *op, const arb_driver *driver, const arb_error *error)
{
    arb_ordered_queue_fail(&of(op)->queue, driver, error);
}

static arb_code add_feeder(arb_operator *op, arb_pipeline *pipeline, arb_operator *source, arb_error *error)
{
    return arb_ordered_queue_add_feeder(&of(op)->queue, pipeline, source, error);
}

static void feeder_done(arb_operator *op, const arb_pipeline *pipeline)
{
    arb_ordered_queue_feeder_done(&of(op)->queue, pipeline);
}

static void destroy(arb_operator *op)
{
    result_operator *r = of(op);
    arb_owned_batch_destroy(r->given);
    arb_ordered_queue_reset(&r->queue);
    pthread_cond_destroy(&r->changed);
    arb_free(r);
}

static const arb_operator_vtable vtable = {
    .name = "result",
    .destroy = destroy,
    .sink_create = sink_create,
    .sink = sink,
    .add_feeder = add_feeder,
    .feeder_done = feeder_done,
    .source_moved = source_moved,
    .failed = failed,
};

arb_code arb_result_sink_create(const arb_physical_plan *plan, arb_query_context *context, arb_operator **out_op,
                                arb_error *error)
{
    result_operator *r = arb_alloc_zeroed(sizeof *r);
    *out_op = NULL;
    if (r == NULL)
        return arb_fail_memory(error, "the result", sizeof *r);
    r->base.vtable = &vtable;
    r->base.context = context;
    r->plan = plan;
    arb_ordered_queue_init(&r->queue, signal_change, r);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    *out_op = &r->base;
    return ARB_OK;
}

void arb_result_sink_abort(arb_operator *op, const arb_error *error)
{
    result_operator *r = of(op);
    pthread_mutex_lock(&r->queue.lock);
    if (!r->aborted && error != NULL)
        r->error = *error;
    r->aborted = true;
    arb_ordered_queue_close(&r->queue);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->queue.lock);
}

arb_code arb_result_sink_next(arb_operator *op, const arb_batch **out_batch, arb_error *error)
{
    result_operator *r = of(op);
    arb_code code = ARB_OK;
    *out_batch = NULL;
    arb_owned_batch_destroy(r->given);
    r->given = NULL;
    pthread_mutex_lock(&r->queue.lock);
    for (;;) {
        if (!r->aborted && atomic_load(&r->base.context->cancelled)) {
            r->aborted = true;
            (void)arb_fail_stopped(&r->error);
        }
        if (r->aborted) {
            arb_ordered_queue_close(&r->queue);
            if (error != NULL)
                *error = r->error;
            code = r->error.code;
            break;
        }
        code = arb_ordered_queue_take(&r->queue, &r->given, error);
        if (code != ARB_OK || r->given != NULL || (r->queue.complete && r->queue.entries.size == 0))
            break;
        /* A cancellation from a signal handler and a watermark that moved do not signal: look again soon. */
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += wait_ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&r->changed, &r->queue.lock, &until) == ETIMEDOUT)
            arb_ordered_queue_wake(&r->queue);
    }
    if (r->given != NULL)
        *out_batch = &r->given->batch;
    pthread_mutex_unlock(&r->queue.lock);
    return code;
}
