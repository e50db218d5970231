/* exchange_source.c: blocks that are there become batches; drivers take one block after the other. */
#include "base/alloc.h"
#include "exchange/block_reader.h"
#include "exchange/exchange_operators.h"
#include "execution/split_order.h"

typedef struct exchange_source {
    arb_operator base;
    const arb_layout *produced;
    size_t block_count;
    arb_block_ref *blocks;
    arb_split_order order;
} exchange_source;

typedef struct source_local {
    arb_block_reader *reader;
    arb_block_loan loan; /* of the block in work */
    arb_driver *driver;
    bool reading;
    size_t block;
    uint64_t number; /* of batches of the block */
    arb_batch batch;
} source_local;

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    const exchange_source *s = (const exchange_source *)op;
    *out_local = NULL;
    source_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, "an exchange", sizeof *local);
    local->driver = driver;
    arb_code code = arb_block_reader_create(s->produced, op->node->exchange.columns, op->node->layout.count,
                                            op->context->batch_rows, &local->reader, error);
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

/* Begin with the driver's next block; *out_more is false when there is none. */
static arb_code next_block(exchange_source *s, source_local *local, bool *out_more, arb_error *error)
{
    arb_block_loan_return(&local->loan);
    *out_more = arb_split_order_take(&s->order, local->driver, &local->block);
    if (!*out_more)
        return ARB_OK;
    const arb_block_ref *ref = &s->blocks[local->block];
    ARB_TRY(arb_attempt_output_borrow(ref->output, ref->partition, ref->at, &local->loan, error));
    ARB_TRY(arb_block_reader_begin(local->reader, &local->loan.block, error));
    local->reading = true;
    local->number = 0;
    return ARB_OK;
}

static arb_code pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    exchange_source *s = (exchange_source *)op;
    source_local *local = state;
    const arb_batch *batch = NULL;
    *out = NULL;
    *out_flow = ARB_FLOW_DONE;
    while (batch == NULL) {
        if (!local->reading) {
            bool more;
            ARB_TRY(next_block(s, local, &more, error));
            if (!more)
                return ARB_OK;
        }
        batch = arb_block_reader_next(local->reader);
        local->reading = batch != NULL;
    }
    local->batch = *batch;
    local->batch.sequence = arb_split_sequence(local->block, local->number++);
    *out = &local->batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
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

static void destroy(arb_operator *op)
{
    exchange_source *s = (exchange_source *)op;
    for (size_t i = 0; i < s->block_count; i++)
        arb_attempt_output_unref(s->blocks[i].output);
    arb_free(s->blocks);
    arb_free(s);
}

arb_code arb_exchange_source_create(const arb_physical_node *node, const arb_layout *produced,
                                    const arb_block_ref *blocks, size_t block_count, arb_query_context *context,
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
    };
    *out_op = NULL;
    exchange_source *s = arb_alloc_zeroed(sizeof *s);
    arb_block_ref *copy = arb_alloc((block_count + 1) * sizeof *copy);
    if (s == NULL || copy == NULL) {
        arb_free(s);
        arb_free(copy);
        return arb_fail_memory(error, "an exchange", block_count * sizeof *copy);
    }
    for (size_t i = 0; i < block_count; i++) {
        copy[i] = blocks[i];
        (void)arb_attempt_output_ref(copy[i].output);
    }
    s->base.vtable = &vtable;
    s->base.node = node;
    s->base.context = context;
    s->produced = produced;
    s->block_count = block_count;
    s->blocks = copy;
    arb_split_order_init(&s->order, block_count);
    *out_op = &s->base;
    return ARB_OK;
}
