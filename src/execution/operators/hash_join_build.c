#include "execution/operators/hash_join.h"
#include "execution/operators/key_columns.h"

typedef struct build_local {
    arb_row_store store, loose;
    arb_key_columns keys;
    arb_key_range *ranges;
    uint64_t rows;
    bool has_null;
    uint16_t selected[ARB_VECTOR_ROWS + 64], null[ARB_VECTOR_ROWS];
    char *targets[ARB_VECTOR_ROWS];
} build_local;

arb_code arb_hash_join_sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    hash_join *join = (hash_join *)op;
    build_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, join->name, sizeof *local);
    arb_code code;
    ARB_TRY_GOTO(code, arb_row_store_init(&local->store, &join->rows, join->memory, join->name, error), failed);
    ARB_TRY_GOTO(code, arb_row_store_init(&local->loose, &join->rows, join->memory, join->name, error), failed);
    local->store.reservation.share = join->can_spill ? &op->share : NULL;
    ARB_TRY_GOTO(code, arb_key_columns_init(&local->keys, join->build_keys, join->key_count, error), failed);
    local->ranges = arb_alloc_zeroed((join->key_count + 1) * sizeof *local->ranges);
    if (local->ranges == NULL) {
        code = arb_fail_memory(error, join->name, join->key_count * sizeof *local->ranges);
        goto failed;
    }
    *out_local = local;
    return ARB_OK;
failed:
    arb_hash_join_sink_destroy(op, local);
    return code;
}

void arb_hash_join_sink_destroy(arb_operator *op, void *local_void)
{
    (void)op;
    build_local *local = local_void;
    if (local == NULL)
        return;
    arb_row_store_reset(&local->store);
    arb_row_store_reset(&local->loose);
    arb_key_columns_reset(&local->keys);
    arb_free(local->ranges);
    arb_free(local);
}

static arb_code keep(const hash_join *join, build_local *local, arb_row_store *store, const arb_batch *in,
                     const uint16_t *rows, size_t count, arb_error *error)
{
    ARB_TRY(arb_row_store_append(store, count, local->targets, error));
    for (size_t c = 0; c < join->rows.column_count; c++)
        ARB_TRY(
            arb_row_store_scatter(store, c, &in->columns[join->row_columns[c]], rows, count, local->targets, error));
    return ARB_OK;
}

/* Widen the ranges of the integer keys, whether for a dense directory or for a filter. NULLs are left out. */
static void widen_ranges(const hash_join *join, build_local *local, const uint16_t *rows, size_t count)
{
    for (size_t k = 0; k < join->key_count; k++) {
        const arb_vector *key = &local->keys.flat[k];
        if (!arb_key_is_small_integer(key->physical))
            continue;
        if (key->validity == NULL) {
            arb_key_range_add(&local->ranges[k], key, rows, count);
            continue;
        }
        size_t valid = 0;
        for (size_t i = 0; i < count; i++)
            if (arb_vector_is_valid(key, rows[i]))
                local->null[valid++] = rows[i];
        arb_key_range_add(&local->ranges[k], key, local->null, valid);
    }
}

/* Does the driver hold enough of what the join holds for writing it to help? */
static bool worth_spilling(const hash_join *join, const build_local *local)
{
    uint64_t held = atomic_load_explicit(&join->base.share.held, memory_order_relaxed);
    return local->store.rows != 0 && local->store.reservation.bytes * 2 * join->base.context->drivers >= held;
}

/* Memory is short: write what the driver holds, and what others that are through have left. */
static arb_code relieve(hash_join *join, build_local *local, arb_error *error)
{
    if (!worth_spilling(join, local))
        return ARB_OK;
    pthread_mutex_lock(&join->lock);
    arb_code code = arb_hash_join_start_spilling(join, error);
    if (code == ARB_OK)
        code = arb_row_spill_store(join->build, &join->table.store, error);
    pthread_mutex_unlock(&join->lock);
    return code == ARB_OK ? arb_row_spill_store(join->build, &local->store, error) : code;
}

arb_code arb_hash_join_sink(arb_operator *op, void *local_void, const arb_batch *in, arb_flow *out_flow,
                            arb_error *error)
{
    hash_join *join = (hash_join *)op;
    build_local *local = local_void;
    *out_flow = ARB_FLOW_NEED_INPUT;
    if (join->can_spill && arb_memory_share_pressed(&op->share, 0))
        ARB_TRY(relieve(join, local, error));
    size_t count = arb_batch_rows_selected(in, local->selected), null_count = 0;
    local->rows += count;
    arb_key_columns_load(&local->keys, in);
    count = arb_key_columns_valid(&local->keys, join->null_equal, local->selected, count, local->null, &null_count);
    local->has_null |= null_count != 0;
    if (null_count != 0 && join->keep_loose) {
        ARB_TRY(keep(join, local, &local->loose, in, local->null, null_count, error));
        for (size_t i = 0; i < null_count; i++)
            *arb_row_header(local->targets[i]) = 0;
    }
    if (count == 0)
        return ARB_OK;
    ARB_TRY(arb_key_columns_hash(&local->keys, error));
    ARB_TRY(arb_key_columns_flatten(&local->keys, error));
    ARB_TRY(keep(join, local, &local->store, in, local->selected, count, error));
    for (size_t i = 0; i < count; i++)
        *arb_row_header(local->targets[i]) = local->keys.hashes[local->selected[i]];
    widen_ranges(join, local, local->selected, count);
    return ARB_OK;
}

arb_code arb_hash_join_combine(arb_operator *op, void *local_void, arb_error *error)
{
    hash_join *join = (hash_join *)op;
    build_local *local = local_void;
    pthread_mutex_lock(&join->lock);
    arb_code code = arb_row_store_take(&join->table.store, &local->store, error);
    if (code == ARB_OK)
        code = arb_row_store_take(&join->loose, &local->loose, error);
    join->build_rows += local->rows;
    join->build_null |= local->has_null;
    for (size_t k = 0; k < join->key_count; k++)
        arb_key_range_merge(&join->ranges[k], &local->ranges[k]);
    pthread_mutex_unlock(&join->lock);
    return code;
}

/* ---- the directory and the filters, by all threads ------------------------------------------------------------------ */

uint32_t arb_hash_join_finish_parts(arb_operator *op)
{
    hash_join *join = (hash_join *)op;
    if (arb_hash_join_adopt(join))
        return 0;
    size_t most = (size_t)op->context->drivers * 4;
    join->parts = (uint32_t)(join->build != NULL ? most : ARB_MIN(join->table.store.pages.size / 4 + 1, most));
    return join->parts;
}

static bool wants_filter(const hash_join *join, size_t key)
{
    for (const arb_key_filter *filter = join->filters; filter != NULL; filter = filter->next)
        if (filter->key == key)
            return true;
    return false;
}

/* What is in memory stays there, unless the directory leaves no room; what is on disk comes back as far as it fits. */
static arb_code settle_rows(hash_join *join, const arb_key_range *range, arb_error *error)
{
    arb_row_store *store = &join->table.store;
    bool spilled = join->build != NULL;
    join->match_rows = store->rows + (spilled ? arb_row_spill_count(join->build) : 0);
    bool bits = arb_join_directory_is_bits(join->match_rows, join->key_count, range, join->exists_only);
    if (join->can_spill && !spilled && !bits &&
        arb_memory_share_pressed(&join->base.share, store->rows * 2 * sizeof(uint64_t)))
        spilled = true;
    for (size_t c = 0; c < join->rows.column_count; c++)
        join->has_null[c] = store->has_null[c] || (join->build != NULL && join->build->has_null[c]);
    if (!spilled)
        return ARB_OK;
    ARB_TRY(arb_hash_join_start_spilling(join, error));
    ARB_TRY(arb_row_spill_store(join->build, store, error));
    arb_hash_join_own_share(join);
    return bits ? ARB_OK : arb_hash_join_choose_resident(join, error);
}

/* The first part to run allocates for all. */
static arb_code prepare(hash_join *join, arb_error *error)
{
    arb_key_range range = {0};
    arb_memory_share *share = join->can_spill ? &join->base.share : NULL;
    if (join->key_count == 1 && !join->table.store.has_null[0] && (join->build == NULL || !join->build->has_null[0]))
        range = join->ranges[0]; /* a NULL has no place in an array of values */
    ARB_TRY(settle_rows(join, &range, error));
    bool bits = arb_join_directory_is_bits(join->match_rows, join->key_count, &range, join->exists_only);
    uint64_t rows = bits ? join->match_rows : join->table.store.rows;
    ARB_TRY(arb_join_directory_init(&join->table.directory, rows, join->key_count, &range, join->exists_only,
                                    join->memory, share, error));
    for (size_t k = 0; k < join->key_count; k++)
        if (wants_filter(join, k))
            arb_key_summary_init(&join->summaries[k], (arb_physical)join->rows.columns[k].physical, join->match_rows,
                                 &join->ranges[k], join->null_equal != NULL && join->null_equal[k] && join->has_null[k],
                                 share->memory); /* as the rows are */
    return ARB_OK;
}

/* What has failed is not tried again: blocks that were read back are gone from disk. All parts then fail alike. */
static arb_code prepare_once(hash_join *join, arb_error *error)
{
    pthread_mutex_lock(&join->lock);
    if (!join->prepared)
        (void)prepare(join, &join->prepare_error);
    join->prepared = true;
    pthread_mutex_unlock(&join->lock);
    if (join->prepare_error.code != ARB_OK)
        *error = join->prepare_error;
    return join->prepare_error.code;
}

static arb_code summarize(hash_join *join, const arb_row_page *page, arb_error *error)
{
    for (size_t k = 0; k < join->key_count; k++)
        if (join->summaries[k].words != NULL)
            ARB_TRY(arb_key_summary_add(&join->summaries[k], &join->rows, k, page, error));
    return ARB_OK;
}

/* Rows that stay on disk count in the filters; bits of the directory need no rows in memory either. */
static arb_code note_absent(hash_join *join, const arb_row_page *page, arb_error *error)
{
    ARB_TRY(summarize(join, page, error));
    if (join->table.directory.mode == ARB_JOIN_BITS)
        arb_join_directory_insert(&join->table.directory, &join->rows, page);
    return ARB_OK;
}

arb_code arb_hash_join_finish_part(arb_operator *op, uint32_t part, arb_error *error)
{
    hash_join *join = (hash_join *)op;
    ARB_TRY(prepare_once(join, error));
    bool bits = join->table.directory.mode == ARB_JOIN_BITS;
    if (join->build != NULL && (bits || join->filters != NULL))
        ARB_TRY(arb_hash_join_read_absent(join, part, join->parts, note_absent, error));
    if (join->table.directory.mode == ARB_JOIN_EMPTY)
        return ARB_OK;
    const arb_row_store *store = &join->table.store;
    for (size_t p = part; p < store->pages.size; p += join->parts) {
        if (atomic_load_explicit(&op->context->cancelled, memory_order_relaxed))
            return ARB_OK; /* whoever waits for this sees why */
        ARB_TRY(summarize(join, store->pages.data[p], error));
        arb_join_directory_insert(&join->table.directory, &join->rows, store->pages.data[p]);
    }
    return ARB_OK;
}

arb_code arb_hash_join_finish(arb_operator *op, arb_error *error)
{
    hash_join *join = (hash_join *)op;
    if (join->table.directory.mode == ARB_JOIN_BITS && join->sealed == NULL) {
        arb_row_store_clear(&join->table.store);
        join->absent = 0;
    }
    if (join->shared != NULL && join->sealed == NULL)
        ARB_TRY(arb_hash_join_seal(join, error));
    if (join->can_spill && join->absent == 0)
        arb_memory_share_settle(&op->share);
    for (arb_key_filter *filter = join->filters; filter != NULL; filter = filter->next)
        atomic_store_explicit(&filter->base.ready, 1, memory_order_release);
    return ARB_OK;
}
