/* exchange_source.c: blocks of a feed become batches; drivers take one part after the other. */
#include "base/alloc.h"
#include "exchange/block_reader.h"
#include "exchange/exchange_operators.h"
#include "execution/split_order.h"

typedef struct exchange_source {
    arb_operator base;
    arb_block_feed *feed;
    arb_split_order order;
} exchange_source;

typedef struct source_local {
    arb_block_reader *reader;
    arb_block_loan loan; /* of the block in work */
    arb_driver *driver;
    bool in_part, reading;
    size_t part, at; /* what is read, and its next block */
    uint64_t number; /* of batches of the part */
    arb_batch batch;
} source_local;

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    *out_local = NULL;
    source_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, "an exchange", sizeof *local);
    local->driver = driver;
    arb_code code = arb_block_reader_create(op->node->exchange.produced, op->node->exchange.produced_count,
                                            op->node->exchange.columns, op->node->layout.count, op->context->batch_rows,
                                            &local->reader, error);
    if (code != ARB_OK) {
        arb_free(local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

static void local_destroy(arb_operator *op, void *state)
{
    source_local *local = state;
    arb_split_order_leave(&((exchange_source *)op)->order, local->driver);
    arb_block_reader_destroy(local->reader);
    arb_block_loan_return(&local->loan);
    arb_free(local);
}

/* Begin with the part's next block, if there is one. */
static arb_code next_block(exchange_source *s, source_local *local, arb_flow *out_flow, arb_error *error)
{
    arb_fed what;
    arb_block_loan_return(&local->loan);
    local->loan = (arb_block_loan){0};
    ARB_TRY(s->feed->vtable->take(s->feed, local->part, local->at, local->driver->task, &what, &local->loan, error));
    *out_flow = what == ARB_FED_WAIT ? ARB_FLOW_BLOCKED : ARB_FLOW_HAVE_OUTPUT;
    local->in_part = what != ARB_FED_END;
    if (what != ARB_FED_BLOCK)
        return ARB_OK;
    local->at++;
    local->reading = true;
    return arb_block_reader_begin(local->reader, &local->loan.block, error);
}

static arb_code pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    exchange_source *s = (exchange_source *)op;
    source_local *local = state;
    *out = NULL;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    if (!local->in_part) {
        if (!arb_split_order_take(&s->order, local->driver, &local->part))
            *out_flow = ARB_FLOW_DONE;
        local->in_part = *out_flow != ARB_FLOW_DONE;
        local->at = local->number = 0;
        return ARB_OK;
    }
    if (!local->reading)
        return next_block(s, local, out_flow, error);
    const arb_batch *batch = arb_block_reader_next(local->reader);
    local->reading = batch != NULL;
    if (batch == NULL)
        return ARB_OK;
    local->batch = *batch;
    local->batch.sequence = arb_split_sequence(local->part, local->number++);
    *out = &local->batch;
    return ARB_OK;
}

static uint32_t parallelism(arb_operator *op)
{
    return arb_split_order_parallelism(&((exchange_source *)op)->order);
}

static uint64_t watermark(arb_operator *op)
{
    return arb_split_order_watermark(&((exchange_source *)op)->order);
}

static void stop(arb_operator *op)
{
    arb_block_feed *feed = ((exchange_source *)op)->feed;
    if (feed->vtable->stop != NULL)
        feed->vtable->stop(feed);
}

static void destroy(arb_operator *op)
{
    exchange_source *s = (exchange_source *)op;
    s->feed->vtable->destroy(s->feed);
    arb_free(s);
}

arb_code arb_exchange_source_create(const arb_physical_node *node, arb_block_feed *feed, arb_query_context *context,
                                    arb_operator **out_op, arb_error *error)
{
    static const arb_operator_vtable vtable = {
        .name = "exchange",
        .destroy = destroy,
        .source_create = local_create,
        .pull = pull,
        .source_destroy = local_destroy,
        .source_parallelism = parallelism,
        .source_watermark = watermark,
        .abort = stop,
    };
    *out_op = NULL;
    exchange_source *s = arb_alloc_zeroed(sizeof *s);
    if (s == NULL) {
        feed->vtable->destroy(feed);
        return arb_fail_memory(error, "an exchange", sizeof *s);
    }
    s->base.vtable = &vtable;
    s->base.node = node;
    s->base.context = context;
    s->feed = feed;
    arb_split_order_init(&s->order, feed->parts);
    *out_op = &s->base;
    return ARB_OK;
}
