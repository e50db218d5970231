/* exchange_source.c: blocks that are there become batches; drivers take one block after the other. */
#include "base/alloc.h"
#include "exchange/block_reader.h"
#include "exchange/exchange_operators.h"
#include "execution/split_order.h"

typedef struct exchange_source {
    arb_operator base;
    const arb_layout *produced;
    const arb_block **blocks;
    arb_split_order order;
} exchange_source;

typedef struct source_local {
    arb_block_reader *reader;
    uint32_t driver;
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
    local->driver = driver->number;
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
    arb_free(local);
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
            if (!arb_split_order_take(&s->order, local->driver, &local->block))
                return ARB_OK;
            ARB_TRY(arb_block_reader_begin(local->reader, s->blocks[local->block], error));
            local->reading = true;
            local->number = 0;
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
    arb_free(((exchange_source *)op)->blocks);
    arb_free(op);
}

arb_code arb_exchange_source_create(const arb_physical_node *node, const arb_layout *produced,
                                    const arb_block *const *blocks, size_t block_count, arb_query_context *context,
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
    const arb_block **copy = arb_alloc((block_count + 1) * sizeof *copy);
    if (s == NULL || copy == NULL) {
        arb_free(s);
        arb_free(copy);
        return arb_fail_memory(error, "an exchange", block_count * sizeof *copy);
    }
    if (block_count != 0)
        memcpy(copy, blocks, block_count * sizeof *copy);
    s->base.vtable = &vtable;
    s->base.node = node;
    s->base.context = context;
    s->produced = produced;
    s->blocks = copy;
    arb_split_order_init(&s->order, block_count);
    *out_op = &s->base;
    return ARB_OK;
}
