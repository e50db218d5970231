/* result.c: the last sink. Drivers put batches in; the caller's thread takes them out, in the source's order.
 *
 * Batches are copied, since what drivers push is lent. A source that has an order says by its watermark up to where every
 * split has gone down; a batch may leave when its split is the lowest that is still being read. Drivers wait while too
 * much is queued, but never the one that reads the lowest split while nothing can leave: so the order cannot deadlock. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "execution/operators/operators.h"
#include "execution/owned_batch.h"

enum { queued_bytes_most = 16 << 20, wait_ms = 5 };

typedef struct feeder {
    uint32_t number; /* the pipeline's */
    arb_operator *source;
} feeder;

typedef struct result_operator {
    arb_operator base;
    const arb_physical_plan *plan;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    ARB_VEC(feeder) feeders;
    arb_owned_batch *queue; /* by sequence */
    uint64_t queued_bytes;
    arb_owned_batch *given; /* lent to the caller */
    ARB_VEC(arb_task *) waiting;
    bool complete, aborted;
    arb_error error;
} result_operator;

static result_operator *of(arb_operator *op)
{
    return (result_operator *)op;
}

/* With the lock held. */
static void wake_drivers(result_operator *r)
{
    for (size_t i = 0; i < r->waiting.size; i++)
        arb_task_wake(r->waiting.data[i]);
    r->waiting.size = 0;
}

/* The lowest split that may still give rows; all ones when there is no order. */
static uint64_t lowest_split(const result_operator *r)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < r->feeders.size; i++) {
        arb_operator *source = r->feeders.data[i].source;
        if (r->feeders.size == 1 && source->vtable->source_watermark != NULL)
            lowest = ARB_MIN(lowest, source->vtable->source_watermark(source) >> 32);
    }
    return lowest;
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
    arb_driver *driver = local;
    *out_flow = ARB_FLOW_NEED_INPUT;
    pthread_mutex_lock(&r->lock);
    bool lowest = in->sequence >> 32 <= lowest_split(r);
    bool head_may_go = r->queue != NULL && r->queue->batch.sequence >> 32 <= lowest_split(r);
    if (r->queued_bytes > queued_bytes_most && !r->aborted && (!lowest || head_may_go)) {
        bool noted = ARB_VEC_PUSH(&r->waiting, driver->task);
        pthread_mutex_unlock(&r->lock);
        if (!noted)
            return arb_fail_memory(error, "the result", sizeof(arb_task *));
        *out_flow = ARB_FLOW_BLOCKED;
        return ARB_OK;
    }
    pthread_mutex_unlock(&r->lock);
    arb_owned_batch *owned;
    ARB_TRY(arb_owned_batch_create(in, r->plan->columns, r->plan->column_count, &owned, error));
    pthread_mutex_lock(&r->lock);
    arb_owned_batch **at = &r->queue;
    while (*at != NULL && (*at)->batch.sequence <= owned->batch.sequence)
        at = &(*at)->next;
    owned->next = *at;
    *at = owned;
    r->queued_bytes += arb_owned_batch_bytes(owned);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return ARB_OK;
}

static arb_code finish(arb_operator *op, arb_error *error)
{
    (void)error;
    result_operator *r = of(op);
    pthread_mutex_lock(&r->lock);
    r->complete = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    result_operator *r = of(op);
    while (r->queue != NULL) {
        arb_owned_batch *next = r->queue->next;
        arb_owned_batch_destroy(r->queue);
        r->queue = next;
    }
    arb_owned_batch_destroy(r->given);
    ARB_VEC_RESET(&r->feeders);
    ARB_VEC_RESET(&r->waiting);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    arb_free(r);
}

static const arb_operator_vtable vtable = {
    .name = "result",
    .destroy = destroy,
    .sink_create = sink_create,
    .sink = sink,
    .finish = finish,
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
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    *out_op = &r->base;
    return ARB_OK;
}

arb_code arb_result_sink_add_feeder(arb_operator *op, uint32_t number, arb_operator *source, arb_error *error)
{
    result_operator *r = of(op);
    return ARB_VEC_PUSH(&r->feeders, (feeder){number, source}) ? ARB_OK
                                                               : arb_fail_memory(error, "the result", sizeof(feeder));
}

void arb_result_sink_abort(arb_operator *op, const arb_error *error)
{
    result_operator *r = of(op);
    pthread_mutex_lock(&r->lock);
    if (!r->aborted && error != NULL)
        r->error = *error;
    r->aborted = true;
    wake_drivers(r);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* With the lock held: take the batch that is next, if it may leave. */
static arb_owned_batch *take(result_operator *r)
{
    arb_owned_batch *head = r->queue;
    if (head == NULL || (!r->complete && head->batch.sequence >> 32 > lowest_split(r)))
        return NULL;
    r->queue = head->next;
    r->queued_bytes -= arb_owned_batch_bytes(head);
    return head;
}

arb_code arb_result_sink_next(arb_operator *op, const arb_batch **out_batch, arb_error *error)
{
    result_operator *r = of(op);
    arb_code code = ARB_OK;
    *out_batch = NULL;
    arb_owned_batch_destroy(r->given);
    r->given = NULL;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        if (!r->aborted && atomic_load(&r->base.context->cancelled)) {
            r->aborted = true;
            (void)arb_fail_stopped(&r->error);
        }
        if (r->aborted) {
            wake_drivers(r);
            if (error != NULL)
                *error = r->error;
            code = r->error.code;
            break;
        }
        r->given = take(r);
        if (r->given != NULL || (r->complete && r->queue == NULL))
            break;
        /* A cancellation from a signal handler and a watermark that moved do not signal: look again soon. */
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += wait_ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&r->changed, &r->lock, &until) == ETIMEDOUT)
            wake_drivers(r);
    }
    if (r->given != NULL) {
        wake_drivers(r);
        *out_batch = &r->given->batch;
    }
    pthread_mutex_unlock(&r->lock);
    return code;
}
