/* exchange_sink.c: rows to partitions.
 *
 * A driver hashes a batch's rows, sorts their numbers by partition, and copies each partition's rows, column by column, into
 * a builder of its own. A builder that has grown to a block's size is sealed. */
#include "base/alloc.h"
#include "base/failpoint.h"
#include "exchange/block_builder.h"
#include "exchange/exchange_hash.h"
#include "exchange/exchange_operators.h"
#include "kernels/select.h"

enum {
    block_most = 1 << 20,
    block_least = 64 << 10,
    builders_most = 16 << 20, /* bytes of all of a driver's builders, about; less where there is little memory */
    builders_share = 16,
};

/* A pipeline that ends here. */
typedef struct sink_feeder {
    const arb_pipeline *pipeline;
    bool ordered; /* its batches' sequence is the order of its rows */
} sink_feeder;

typedef struct exchange_sink {
    arb_operator base;
    const arb_stage *stage;
    arb_output_store *store; /* that the output is of; may be NULL */
    arb_attempt_output *output;
    arb_arena arena;
    arb_layout layout;    /* of the output's columns */
    const uint32_t *keys; /* among the root's columns */
    uint64_t block_bytes;
    _Atomic uint32_t turn;        /* TURNS: where the next driver begins */
    ARB_VEC(sink_feeder) feeders; /* ONE; arena */
} exchange_sink;

typedef struct sink_local {
    arb_block_builder *builders; /* one a partition; without columns until it is used */
    arb_reservation reservation;
    const arb_vector **columns, **keys;
    uint16_t *rows;       /* a batch's, sorted by partition */
    uint32_t *partitions; /* of each row */
    uint32_t *ends;       /* by partition */
    uint32_t turn;
    bool ordered;
    arb_block_place place; /* of the rows that the one builder holds */
} sink_local;

static void local_destroy(arb_operator *op, void *state)
{
    const exchange_sink *s = (const exchange_sink *)op;
    sink_local *local = state;
    if (local == NULL)
        return;
    for (uint32_t p = 0; local->builders != NULL && p < s->stage->output.partitions; p++)
        arb_block_builder_reset(&local->builders[p]);
    arb_reservation_reset(&local->reservation);
    arb_free(local->builders);
    arb_free(local->columns);
    arb_free(local->keys);
    arb_free(local->rows);
    arb_free(local->partitions);
    arb_free(local->ends);
    arb_free(local);
}

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    exchange_sink *s = (exchange_sink *)op;
    uint32_t partitions = s->stage->output.partitions;
    *out_local = NULL;
    sink_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, "an exchange", sizeof *local);
    arb_reservation_init(&local->reservation, op->context->memory, "an exchange");
    local->builders = arb_alloc_zeroed(partitions * sizeof *local->builders);
    local->columns = arb_alloc_zeroed((s->layout.count + 1) * sizeof *local->columns);
    local->keys = arb_alloc_zeroed((s->stage->output.key_count + 1) * sizeof *local->keys);
    local->rows = arb_alloc((ARB_VECTOR_ROWS + 64) * 2 * sizeof *local->rows);
    local->partitions = arb_alloc(ARB_VECTOR_ROWS * sizeof *local->partitions);
    local->ends = arb_alloc((partitions + (size_t)1) * sizeof *local->ends);
    local->turn = atomic_fetch_add(&s->turn, 1) % partitions;
    if (local->builders == NULL || local->columns == NULL || local->keys == NULL || local->rows == NULL ||
        local->partitions == NULL || local->ends == NULL) {
        local_destroy(op, local);
        return arb_fail_memory(error, "an exchange", partitions * sizeof *local->builders);
    }
    for (size_t i = 0; i < s->feeders.size; i++)
        if (s->feeders.data[i].pipeline == driver->pipeline) {
            local->place.feeder = (uint32_t)i;
            local->ordered = s->feeders.data[i].ordered;
        }
    *out_local = local;
    return ARB_OK;
}

static arb_code seal(exchange_sink *s, const sink_local *local, uint32_t partition, arb_error *error)
{
    arb_block_builder *builder = &local->builders[partition];
    arb_block block;
    arb_block_origin origin = *arb_attempt_output_origin(s->output);
    origin.partition = partition;
    ARB_TRY(arb_block_builder_seal(builder, &origin, &block, error));
    return s->store != NULL ? arb_output_store_add(s->store, s->output, partition, &block, local->place, error)
                            : arb_attempt_output_add(s->output, partition, &block, local->place, error);
}

/* Memory is short: all builders become blocks, however small, and give theirs back. */
static arb_code give_back(exchange_sink *s, sink_local *local, arb_error *error)
{
    for (uint32_t p = 0; p < s->stage->output.partitions; p++) {
        if (local->builders[p].rows != 0)
            ARB_TRY(seal(s, local, p, error));
        arb_block_builder_reset(&local->builders[p]);
    }
    arb_reservation_reset(&local->reservation);
    return ARB_OK;
}

/* Rows of one partition; builders that are full become blocks. */
static arb_code put(exchange_sink *s, sink_local *local, uint32_t partition, const uint16_t *rows, size_t count,
                    arb_error *error)
{
    arb_block_builder *builder = &local->builders[partition];
    while (count != 0) {
        if (builder->columns == NULL)
            ARB_TRY(arb_block_builder_init(builder, &s->layout, error));
        size_t taken;
        uint64_t before = builder->capacity;
        ARB_TRY(arb_block_builder_append(builder, local->columns, rows, count, &taken, error));
        rows += taken;
        count -= taken;
        if (builder->capacity > before && !arb_reservation_try_grow(&local->reservation, builder->capacity - before))
            ARB_TRY(give_back(s, local, error));
        else if (builder->bytes >= s->block_bytes || count != 0)
            ARB_TRY(seal(s, local, partition, error));
    }
    return ARB_OK;
}

/* The one partition of an output whose rows have an order: a block ends where another part of the source begins. */
static arb_code put_in_order(exchange_sink *s, sink_local *local, const arb_batch *in, size_t count, arb_error *error)
{
    if (local->ordered && local->builders[0].rows != 0 && in->sequence >> 32 != local->place.sequence >> 32)
        ARB_TRY(seal(s, local, 0, error));
    if (local->ordered && local->builders[0].rows == 0)
        local->place.sequence = in->sequence;
    return put(s, local, 0, local->rows, count, error);
}

static size_t list_rows(const arb_batch *in, uint16_t *rows)
{
    if (in->selection != NULL)
        return arb_selection_kernels_get()->indices(in->selection, in->rows, rows);
    for (uint32_t i = 0; i < in->rows; i++)
        rows[i] = (uint16_t)i;
    return in->rows;
}

/* Counting sort of the rows by partition, which keeps their order within each. */
static arb_code scatter(exchange_sink *s, sink_local *local, const arb_batch *in, const uint16_t *rows, size_t count,
                        arb_error *error)
{
    uint32_t partitions = s->stage->output.partitions;
    uint64_t hashes[ARB_VECTOR_ROWS];
    uint16_t *sorted = local->rows + ARB_VECTOR_ROWS + 64;
    for (size_t k = 0; k < s->stage->output.key_count; k++)
        local->keys[k] = &in->columns[s->keys[k]];
    arb_exchange_hash_rows(local->keys, s->stage->output.key_count, in->rows, hashes);
    memset(local->ends, 0, (partitions + (size_t)1) * sizeof *local->ends);
    for (size_t i = 0; i < count; i++) {
        local->partitions[i] = arb_exchange_partition(hashes[rows[i]], partitions);
        local->ends[local->partitions[i] + 1]++;
    }
    for (uint32_t p = 0; p < partitions; p++)
        local->ends[p + 1] += local->ends[p];
    for (size_t i = 0; i < count; i++)
        sorted[local->ends[local->partitions[i]]++] = rows[i];
    for (uint32_t p = 0, from = 0; p < partitions; from = local->ends[p], p++)
        if (local->ends[p] != from)
            ARB_TRY(put(s, local, p, sorted + from, local->ends[p] - from, error));
    return ARB_OK;
}

static arb_code sink(arb_operator *op, void *state, const arb_batch *in, arb_flow *out_flow, arb_error *error)
{
    exchange_sink *s = (exchange_sink *)op;
    sink_local *local = state;
    *out_flow = ARB_FLOW_NEED_INPUT;
    size_t count = list_rows(in, local->rows);
    for (size_t i = 0; i < s->layout.count; i++)
        local->columns[i] = &in->columns[s->stage->plan.columns[i]];
    switch ((arb_output_kind)s->stage->output.kind) {
    case ARB_OUTPUT_HASH:
        return scatter(s, local, in, local->rows, count, error);
    case ARB_OUTPUT_TURNS: {
        uint32_t partition = local->turn;
        local->turn = (local->turn + 1) % s->stage->output.partitions;
        return put(s, local, partition, local->rows, count, error);
    }
    case ARB_OUTPUT_ONE:
        break;
    }
    return put_in_order(s, local, in, count, error);
}

static arb_code combine(arb_operator *op, void *state, arb_error *error)
{
    exchange_sink *s = (exchange_sink *)op;
    sink_local *local = state;
    ARB_TRY(ARB_FAILPOINT_CODE(EXCHANGE_LAST_ROW, error));
    for (uint32_t p = 0; p < s->stage->output.partitions; p++)
        if (local->builders[p].rows != 0)
            ARB_TRY(seal(s, local, p, error));
    return ARB_OK;
}

static arb_code add_feeder(arb_operator *op, arb_pipeline *pipeline, arb_operator *source, arb_error *error)
{
    exchange_sink *s = (exchange_sink *)op;
    sink_feeder feeder = {pipeline, source->vtable->source_watermark != NULL};
    return ARB_ARENA_PUSH(&s->arena, &s->feeders, feeder) ? ARB_OK
                                                          : arb_fail_memory(error, "an exchange", sizeof feeder);
}

static void destroy(arb_operator *op)
{
    exchange_sink *s = (exchange_sink *)op;
    arb_arena_reset(&s->arena);
    arb_free(s);
}

static arb_code prepare(exchange_sink *s, arb_error *error)
{
    const arb_physical_plan *plan = &s->stage->plan;
    arb_slot *slots = ARB_ARENA_ARRAY(&s->arena, arb_slot, plan->column_count + 1);
    uint32_t *keys = ARB_ARENA_ARRAY(&s->arena, uint32_t, s->stage->output.key_count + 1);
    if (slots == NULL || keys == NULL)
        return arb_fail_memory(error, "an exchange", plan->column_count * sizeof *slots);
    for (size_t i = 0; i < plan->column_count; i++)
        slots[i] = plan->root->layout.slots[plan->columns[i]];
    for (size_t k = 0; k < s->stage->output.key_count; k++)
        keys[k] = plan->columns[s->stage->output.keys[k]];
    s->layout = (arb_layout){plan->column_count, slots};
    s->keys = keys;
    uint64_t room = ARB_MIN(s->base.context->memory->governor->limit / builders_share, (uint64_t)builders_most);
    uint64_t share = room / ARB_MAX(s->stage->output.partitions, 1u);
    s->block_bytes = ARB_MIN(ARB_MAX(share, (uint64_t)block_least), (uint64_t)block_most);
    arb_arrow_schema *schema;
    ARB_TRY(arb_block_schema(&s->layout, &schema, error));
    arb_attempt_output_describe(s->output, schema);
    arb_arrow_schema_unref(schema);
    return ARB_OK;
}

arb_code arb_exchange_sink_create(const arb_stage *stage, arb_output_store *store, arb_attempt_output *output,
                                  arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    static const arb_operator_vtable any_order = {
        .name = "exchange",
        .destroy = destroy,
        .sink_create = local_create,
        .sink = sink,
        .combine = combine,
        .sink_destroy = local_destroy,
    };
    static const arb_operator_vtable in_order = {
        .name = "exchange",
        .destroy = destroy,
        .sink_create = local_create,
        .sink = sink,
        .combine = combine,
        .sink_destroy = local_destroy,
        .add_feeder = add_feeder,
    };
    *out_op = NULL;
    exchange_sink *s = arb_alloc_zeroed(sizeof *s);
    if (s == NULL)
        return arb_fail_memory(error, "an exchange", sizeof *s);
    s->base.vtable = stage->output.kind == ARB_OUTPUT_ONE ? &in_order : &any_order;
    s->base.context = context;
    s->stage = stage;
    s->store = store;
    s->output = output;
    arb_code code = prepare(s, error);
    if (code != ARB_OK) {
        destroy(&s->base);
        return code;
    }
    *out_op = &s->base;
    return ARB_OK;
}
