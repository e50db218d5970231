/* limit.c: pass some rows over, then give some, then want no more.
 *
 * A sink and a source whose pipelines run at once: drivers put batches in, one driver takes them out in the source's order
 * and counts. When it has what was asked for it closes the queue, and the others learn that they are done; what failed
 * behind that place does not matter. */
#include "base/alloc.h"
#include "execution/operators/operators.h"
#include "execution/ordered_queue.h"

typedef struct limit_operator {
    arb_operator base;
    arb_ordered_queue queue;
    arb_task *reader; /* waits for a batch; the queue's lock */
    uint64_t left;    /* rows to give; the reader's */
    arb_owned_batch *given;
    arb_batch batch;
    uint64_t selection[ARB_VECTOR_WORDS];
} limit_operator;

static limit_operator *of(arb_operator *op)
{
    return (limit_operator *)op;
}

/* With the queue's lock held. */
static void wake_reader(void *owner)
{
    limit_operator *l = owner;
    if (l->reader != NULL)
        arb_task_wake(l->reader);
    l->reader = NULL;
}

static arb_code keep_driver(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)op, (void)error;
    *out_local = driver; /* all that is needed of it is whom to wake */
    return ARB_OK;
}

static arb_code sink(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow, arb_error *error)
{
    return arb_ordered_queue_put(&of(op)->queue, local, in, NULL, in->column_count, out_flow, error);
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

static void stop(arb_operator *op)
{
    limit_operator *l = of(op);
    pthread_mutex_lock(&l->queue.lock);
    arb_ordered_queue_close(&l->queue);
    wake_reader(l);
    pthread_mutex_unlock(&l->queue.lock);
}

/* The rows of a batch but the first `from`, and not too many. */
static const arb_batch *cut(limit_operator *l, const arb_batch *in, uint32_t from)
{
    uint32_t count = (uint32_t)ARB_MIN(l->left, (uint64_t)(in->rows - from));
    l->left -= l->left == UINT64_MAX ? 0 : count;
    l->batch = *in;
    l->batch.selected = count;
    if (count != in->rows) {
        arb_bitmap_fill(l->selection, from + count);
        for (uint32_t row = 0; row < from; row++)
            arb_bitmap_clear(l->selection, row);
        memset(l->selection + arb_bitmap_words(from + count), 0,
               (ARB_VECTOR_WORDS - arb_bitmap_words(from + count)) * sizeof *l->selection);
        l->batch.selection = l->selection;
    }
    return &l->batch;
}

static arb_code pull(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    limit_operator *l = of(op);
    const arb_driver *driver = local;
    uint32_t skipped = 0;
    *out = NULL;
    do {
        arb_owned_batch_destroy(l->given);
        l->given = NULL;
        *out_flow = ARB_FLOW_DONE;
        if (l->left == 0) {
            stop(op);
            return ARB_OK;
        }
        pthread_mutex_lock(&l->queue.lock);
        arb_code code = arb_ordered_queue_take(&l->queue, &l->given, error);
        bool over = l->given == NULL && (l->queue.closed || (l->queue.complete && l->queue.entries.size == 0));
        if (code == ARB_OK && l->given == NULL && !over)
            l->reader = driver->task;
        if (l->given != NULL) {
            skipped = (uint32_t)ARB_MIN(l->queue.rows_skipped, (uint64_t)l->given->batch.rows);
            l->queue.rows_skipped -= skipped;
        }
        pthread_mutex_unlock(&l->queue.lock);
        if (code != ARB_OK)
            return code;
        if (l->given == NULL) {
            *out_flow = over ? ARB_FLOW_DONE : ARB_FLOW_BLOCKED;
            return ARB_OK;
        }
        *out = cut(l, &l->given->batch, skipped);
        if (l->left == 0) /* the others need not go on */
            stop(op);
    } while ((*out)->selected == 0);
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    limit_operator *l = of(op);
    arb_owned_batch_destroy(l->given);
    arb_ordered_queue_reset(&l->queue);
    arb_free(l);
}

static const arb_operator_vtable vtable = {
    .name = "limit",
    .destroy = destroy,
    .source_create = keep_driver,
    .pull = pull,
    .sink_create = keep_driver,
    .sink = sink,
    .add_feeder = add_feeder,
    .feeder_done = feeder_done,
    .source_moved = source_moved,
    .failed = failed,
    .abort = stop,
    .release = stop,
};

arb_code arb_limit_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                          arb_error *error)
{
    limit_operator *l = arb_alloc_zeroed(sizeof *l);
    *out_op = NULL;
    if (l == NULL)
        return arb_fail_memory(error, "a limit", sizeof *l);
    l->base.vtable = &vtable;
    l->base.node = node;
    l->base.context = context;
    arb_ordered_queue_init(&l->queue, wake_reader, l);
    l->left = node->limit.count >= 0 ? (uint64_t)node->limit.count : UINT64_MAX;
    l->queue.rows_skipped = (uint64_t)node->limit.offset;
    if (node->limit.count >= 0)
        l->queue.rows_wanted = l->left + l->queue.rows_skipped;
    *out_op = &l->base;
    return ARB_OK;
}
