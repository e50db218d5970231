/* collect.c: a shared subplan's rows, kept and read by whoever names it.
 *
 * The sink copies batches into a list. When memory is short, what comes is written to disk instead, and what is in the list
 * too, batch by batch, as rows in blocks. A SHARED scan hands batches and blocks out, each to one of its drivers, with the
 * columns that it wants. */
#include "base/alloc.h"
#include "base/vec.h"
#include "execution/operators/operators.h"
#include "execution/operators/row_block.h"
#include "execution/owned_batch.h"

#include <pthread.h>

enum {
    gathered_most = 1 << 20, /* bytes of rows that a driver gathers for its next blocks */
    relief_batches = 4,      /* that are written when another one comes while memory is short */
};

typedef struct collect_operator {
    arb_operator base;
    arb_arena arena;
    arb_row_layout layout; /* of rows on disk */
    arb_row_format format;
    pthread_mutex_t lock; /* guards all below until the sink is complete */
    ARB_VEC(arb_owned_batch *) batches;
    arb_reservation reservation; /* of the batches */
    ARB_VEC(arb_row_block) blocks;
    bool *has_null;           /* one a column, of rows on disk */
    _Atomic uint32_t readers; /* scans that are not through */
} collect_operator;

typedef struct collect_local {
    arb_row_store store; /* rows on their way to disk */
    char *rows[ARB_VECTOR_ROWS];
    uint16_t picked[ARB_VECTOR_ROWS];
} collect_local;

static void collect_destroy_local(arb_operator *op, void *state)
{
    (void)op;
    collect_local *local = state;
    if (local == NULL)
        return;
    arb_row_store_reset(&local->store);
    arb_free(local);
}

static arb_code collect_create_local(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    collect_operator *c = (collect_operator *)op;
    collect_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a shared subplan", sizeof *local);
    arb_code code = arb_row_store_init(&local->store, &c->layout, op->context->memory, "shared subplan", error);
    if (code != ARB_OK) {
        arb_free(local);
        return code;
    }
    local->store.reservation.share = &op->share;
    *out_local = local;
    return ARB_OK;
}

/* ---- to disk ------------------------------------------------------------------------------------------------------------ */

static arb_code write_blocks(collect_operator *c, char *const *rows, size_t count, arb_error *error)
{
    for (size_t done = 0; done < count;) {
        arb_row_block block;
        ARB_TRY(arb_row_block_write(&c->format, rows + done, count - done, &block, error));
        pthread_mutex_lock(&c->lock);
        bool kept = ARB_VEC_PUSH(&c->blocks, block);
        pthread_mutex_unlock(&c->lock);
        if (!kept)
            return arb_fail_memory(error, "a shared subplan", sizeof block);
        done += block.rows;
    }
    return ARB_OK;
}

/* Write the rows that the driver has gathered. */
static arb_code put_down(collect_operator *c, collect_local *local, arb_error *error)
{
    arb_row_store *store = &local->store;
    if (store->rows == 0)
        return ARB_OK;
    char **rows = arb_alloc(store->rows * sizeof *rows);
    if (rows == NULL)
        return arb_fail_memory(error, "a shared subplan", store->rows * sizeof *rows);
    size_t count = 0;
    for (size_t p = 0; p < store->pages.size; p++)
        for (size_t i = 0; i < store->pages.data[p]->rows; i++)
            rows[count++] = arb_row_page_row(&c->layout, store->pages.data[p], i);
    arb_code code = write_blocks(c, rows, count, error);
    arb_free(rows);
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->layout.column_count; i++)
        c->has_null[i] |= store->has_null[i];
    pthread_mutex_unlock(&c->lock);
    arb_row_store_clear(store);
    return code;
}

static arb_code gather_rows(collect_operator *c, collect_local *local, const arb_batch *in, arb_error *error)
{
    size_t count = in->selected;
    const uint16_t *picked = NULL;
    if (in->selection != NULL) {
        count = arb_bitmap_indices(in->selection, in->rows, local->picked);
        picked = local->picked;
    }
    for (size_t done = 0; done < count;) {
        size_t step = ARB_MIN(count - done, (size_t)ARB_VECTOR_ROWS);
        assert(picked != NULL || done == 0);
        ARB_TRY(arb_row_store_append(&local->store, step, local->rows, error));
        for (size_t i = 0; i < c->layout.column_count; i++)
            ARB_TRY(arb_row_store_scatter(&local->store, i, &in->columns[i], picked != NULL ? picked + done : NULL,
                                          step, local->rows, error));
        done += step;
    }
    return local->store.reservation.bytes >= gathered_most ? put_down(c, local, error) : ARB_OK;
}

static arb_owned_batch *pop_batch(collect_operator *c)
{
    pthread_mutex_lock(&c->lock);
    arb_owned_batch *batch = c->batches.size == 0 ? NULL : c->batches.data[--c->batches.size];
    if (batch != NULL)
        arb_reservation_shrink(&c->reservation, arb_owned_batch_bytes(batch));
    pthread_mutex_unlock(&c->lock);
    return batch;
}

static arb_code relieve(collect_operator *c, collect_local *local, arb_error *error)
{
    for (int i = 0; i < relief_batches; i++) {
        arb_owned_batch *batch = pop_batch(c);
        if (batch == NULL)
            return ARB_OK;
        arb_code code = gather_rows(c, local, &batch->batch, error);
        arb_owned_batch_destroy(batch);
        if (code != ARB_OK)
            return code;
    }
    return ARB_OK;
}

/* ---- the sink ------------------------------------------------------------------------------------------------------------ */

static arb_code collect_sink(arb_operator *op, void *state, const arb_batch *in, arb_flow *out_flow, arb_error *error)
{
    collect_operator *c = (collect_operator *)op;
    *out_flow = ARB_FLOW_NEED_INPUT;
    if (arb_memory_share_pressed(&op->share, 0)) {
        ARB_TRY(gather_rows(c, state, in, error));
        return relieve(c, state, error);
    }
    arb_owned_batch *owned;
    ARB_TRY(arb_owned_batch_create(in, NULL, in->column_count, &owned, error));
    pthread_mutex_lock(&c->lock);
    bool kept = ARB_VEC_PUSH(&c->batches, owned);
    if (kept)
        arb_reservation_force(&c->reservation, arb_owned_batch_bytes(owned));
    pthread_mutex_unlock(&c->lock);
    if (kept)
        return ARB_OK;
    arb_owned_batch_destroy(owned);
    return arb_fail_memory(error, "a shared subplan", sizeof owned);
}

static arb_code collect_combine(arb_operator *op, void *state, arb_error *error)
{
    return put_down((collect_operator *)op, state, error);
}

static arb_code collect_finish(arb_operator *op, arb_error *error)
{
    (void)error;
    if (((collect_operator *)op)->blocks.size == 0)
        arb_memory_share_settle(&op->share);
    return ARB_OK;
}

/* Nobody reads the rows any more. */
static void drop_rows(collect_operator *c)
{
    for (size_t i = 0; i < c->batches.size; i++)
        arb_owned_batch_destroy(c->batches.data[i]);
    ARB_VEC_RESET(&c->batches);
    ARB_VEC_RESET(&c->blocks);
    arb_reservation_reset(&c->reservation);
    arb_memory_share_settle(&c->base.share);
}

static void collect_destroy(arb_operator *op)
{
    collect_operator *c = (collect_operator *)op;
    drop_rows(c);
    arb_operator_spill_reset(op);
    pthread_mutex_destroy(&c->lock);
    arb_arena_reset(&c->arena);
    arb_free(c);
}

static const arb_operator_vtable collect_vtable = {
    .name = "collect",
    .destroy = collect_destroy,
    .sink_create = collect_create_local,
    .sink = collect_sink,
    .combine = collect_combine,
    .sink_destroy = collect_destroy_local,
    .finish = collect_finish,
};

arb_code arb_collect_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                            arb_error *error)
{
    collect_operator *c = arb_alloc_zeroed(sizeof *c);
    *out_op = NULL;
    if (c == NULL)
        return arb_fail_memory(error, "a shared subplan", sizeof *c);
    c->base = (arb_operator){.vtable = &collect_vtable, .context = context}; /* the node is its own operator's */
    pthread_mutex_init(&c->lock, NULL);
    arb_operator_may_spill(&c->base);
    arb_reservation_init(&c->reservation, context->memory, "shared subplan");
    c->reservation.share = &c->base.share;
    c->format = (arb_row_format){.layout = &c->layout, .file = &c->base.spill};
    arb_code code = arb_row_layout_init(&c->layout, &c->arena, node->layout.slots, node->layout.count, 0, error);
    c->has_null = ARB_ARENA_ARRAY(&c->arena, bool, node->layout.count + 1);
    if (code == ARB_OK && c->has_null == NULL)
        code = arb_fail_memory(error, "a shared subplan", node->layout.count);
    if (code != ARB_OK) {
        collect_destroy(&c->base);
        return code;
    }
    *out_op = &c->base;
    return ARB_OK;
}

/* ---- the scan ------------------------------------------------------------------------------------------------------------ */

typedef struct shared_scan_operator {
    arb_operator base;
    collect_operator *from;
    _Atomic size_t next; /* batches, then blocks */
} shared_scan_operator;

typedef struct shared_scan_local {
    size_t part; /* in work: a block, whose rows from `row` on are to be given */
    uint64_t number;
    size_t row;
    arb_row_block_view view;
    arb_vector_storage *storages; /* one a column; made for the first block */
    arb_batch batch;
    arb_vector columns[];
} shared_scan_local;

static void shared_destroy_local(arb_operator *op, void *state)
{
    shared_scan_local *local = state;
    if (local == NULL)
        return;
    for (size_t i = 0; local->storages != NULL && i < op->node->layout.count; i++)
        arb_vector_storage_reset(&local->storages[i]);
    arb_free(local->storages);
    arb_row_block_view_reset(&local->view);
    arb_free(local);
}

static arb_code shared_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    shared_scan_local *local = arb_alloc_zeroed(sizeof *local + op->node->layout.count * sizeof(arb_vector));
    *out_local = local;
    if (local == NULL)
        return arb_fail_memory(error, "a shared subplan's scan", sizeof *local);
    collect_operator *from = ((shared_scan_operator *)op)->from;
    arb_row_block_view_init(&local->view, op->context->memory, &from->base.share, "shared subplan");
    return ARB_OK;
}

static void give(arb_operator *op, shared_scan_local *local, uint32_t rows, const arb_batch **out)
{
    local->batch = (arb_batch){.rows = rows,
                               .selected = rows,
                               .column_count = (uint32_t)op->node->layout.count,
                               .columns = local->columns,
                               .sequence = ((uint64_t)local->part << 32) + local->number++};
    *out = &local->batch;
}

static arb_code make_storages(const arb_operator *op, shared_scan_local *local, arb_error *error)
{
    size_t count = op->node->layout.count;
    if (local->storages != NULL)
        return ARB_OK;
    local->storages = arb_alloc_zeroed((count + 1) * sizeof *local->storages);
    if (local->storages == NULL)
        return arb_fail_memory(error, "a shared subplan's scan", count * sizeof *local->storages);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(
            arb_vector_storage_init(&local->storages[i], op->node->layout.slots[i].physical, ARB_VECTOR_ROWS, error));
    return ARB_OK;
}

/* The next rows of the block in work. */
static void give_rows(arb_operator *op, shared_scan_local *local, const arb_batch **out)
{
    const collect_operator *from = ((shared_scan_operator *)op)->from;
    size_t count = ARB_MIN(local->view.count - local->row, (size_t)op->context->batch_rows);
    for (size_t i = 0; i < op->node->layout.count; i++) {
        uint32_t column = op->node->shared.columns[i];
        arb_row_gather(&from->layout, column, local->view.rows + local->row, count, from->has_null[column],
                       &local->storages[i], &local->columns[i]);
    }
    local->row += count;
    give(op, local, (uint32_t)count, out);
}

static arb_code shared_pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    shared_scan_operator *s = (shared_scan_operator *)op;
    shared_scan_local *local = state;
    const collect_operator *from = s->from;
    *out = NULL;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    if (local->row == local->view.count) {
        local->part = atomic_fetch_add(&s->next, 1);
        local->number = 0;
        if (local->part < from->batches.size) {
            const arb_batch *batch = &from->batches.data[local->part]->batch;
            for (size_t i = 0; i < op->node->layout.count; i++)
                local->columns[i] = batch->columns[op->node->shared.columns[i]];
            give(op, local, batch->rows, out);
            return ARB_OK;
        }
        size_t block = local->part - from->batches.size;
        if (block >= from->blocks.size) {
            *out_flow = ARB_FLOW_DONE;
            return ARB_OK;
        }
        ARB_TRY(make_storages(op, local, error));
        ARB_TRY(arb_row_block_read(&from->format, &from->blocks.data[block], &local->view, error));
        local->row = 0;
    }
    give_rows(op, local, out);
    return ARB_OK;
}

static uint32_t shared_parallelism(arb_operator *op)
{
    const collect_operator *from = ((shared_scan_operator *)op)->from;
    return (uint32_t)ARB_MIN(from->batches.size + from->blocks.size, (size_t)UINT32_MAX);
}

static void shared_release(arb_operator *op)
{
    collect_operator *from = ((shared_scan_operator *)op)->from;
    if (atomic_fetch_sub(&from->readers, 1) == 1)
        drop_rows(from);
}

static void shared_destroy(arb_operator *op)
{
    arb_free(op);
}

static const arb_operator_vtable shared_vtable = {
    .name = "shared scan",
    .destroy = shared_destroy,
    .source_create = shared_create,
    .pull = shared_pull,
    .source_destroy = shared_destroy_local,
    .source_parallelism = shared_parallelism,
    .release = shared_release,
};

arb_code arb_shared_scan_create(const arb_physical_node *node, arb_query_context *context, arb_operator *collect,
                                arb_operator **out_op, arb_error *error)
{
    shared_scan_operator *s = arb_alloc_zeroed(sizeof *s);
    *out_op = NULL;
    if (s == NULL)
        return arb_fail_memory(error, "a shared subplan's scan", sizeof *s);
    s->base.vtable = &shared_vtable;
    s->base.node = node;
    s->base.context = context;
    s->from = (collect_operator *)collect;
    atomic_fetch_add(&s->from->readers, 1);
    *out_op = &s->base;
    return ARB_OK;
}
