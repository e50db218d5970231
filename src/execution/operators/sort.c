/* sort.c: making a sort, and its sink. sort.h says how it goes. */
#include "execution/operators/sort.h"

#include "base/alloc.h"
#include "execution/operators/key_columns.h"

enum { prune_slack = 4096, limit_most = 1 << 20 };

typedef struct sink_local {
    arb_row_store *store;
    sorted_run_list runs;    /* over rows of the store */
    arb_sort_entry *entries; /* of the rows that are in no run yet */
    size_t count, capacity;
    arb_reservation reservation; /* of the entries */
    arb_sort_entry *scratch;     /* to sort them */
    size_t scratch_capacity;
    bool pruned; /* the first `keep` entries are sorted; the last of them is the bar */
    uint16_t rows[ARB_VECTOR_ROWS + 64];
    char *pointers[ARB_VECTOR_ROWS];
    uint64_t words[ARB_VECTOR_ROWS * ARB_SORT_WORDS_MOST];
} sink_local;

static void store_destroy(arb_row_store *store)
{
    if (store == NULL)
        return;
    arb_row_store_reset(store);
    arb_free(store);
}

static arb_code store_create(sort_operator *s, arb_row_store **out_store, arb_error *error)
{
    arb_row_store *store = arb_alloc_zeroed(sizeof *store);
    *out_store = NULL;
    if (store == NULL)
        return arb_fail_memory(error, "a sort", sizeof *store);
    arb_code code = arb_row_store_init(store, &s->layout, s->base.context->memory, "sort", error);
    if (code != ARB_OK) {
        arb_free(store);
        return code;
    }
    store->reservation.share = &s->base.share;
    *out_store = store;
    return ARB_OK;
}

static void sink_destroy(arb_operator *op, void *state)
{
    (void)op;
    sink_local *local = state;
    if (local == NULL)
        return;
    arb_sorted_runs_reset(&local->runs);
    arb_free(local->entries);
    arb_free(local->scratch);
    arb_reservation_reset(&local->reservation);
    store_destroy(local->store);
    arb_free(local);
}

static arb_code sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    sink_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a sort", sizeof *local);
    arb_reservation_init(&local->reservation, op->context->memory, "sort");
    local->reservation.share = &op->share;
    arb_code code = store_create((sort_operator *)op, &local->store, error);
    if (code != ARB_OK) {
        sink_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

static uint64_t *extra_words(const sort_operator *s, char *row)
{
    return (uint64_t *)(row + s->layout.extra_offset);
}

/* A row's place in the source's order: split, batch, row; splits beyond two million come round again. */
static uint64_t place_of(uint64_t sequence, uint16_t row)
{
    return (sequence >> 32) << 43 | (sequence & UINT32_MAX) << 11 | row;
}

/* ---- entries and runs ---------------------------------------------------------------------------------------------------- */

/* Small sorts have small lists. What it takes is granted: the driver was not pressed when it took the batch. */
static arb_code make_room(sink_local *local, size_t more, arb_error *error)
{
    if (local->count + more <= local->capacity)
        return ARB_OK;
    size_t wanted = ARB_MAX(local->count + more, local->capacity * 2), bytes = wanted * sizeof *local->entries;
    arb_sort_entry *grown = arb_realloc(local->entries, bytes);
    if (grown == NULL)
        return arb_fail_memory(error, "a sort", bytes);
    arb_reservation_force(&local->reservation, (wanted - local->capacity) * sizeof *grown);
    local->entries = grown;
    local->capacity = wanted;
    return ARB_OK;
}

static void drop_scratch(sink_local *local)
{
    arb_reservation_shrink(&local->reservation, local->scratch_capacity * sizeof *local->scratch);
    arb_free(local->scratch);
    local->scratch = NULL;
    local->scratch_capacity = 0;
}

static arb_code sort_entries(sort_operator *s, sink_local *local, arb_error *error)
{
    if (local->count >= ARB_SORT_RADIX_LEAST && local->scratch_capacity < local->count) {
        drop_scratch(local);
        size_t bytes = local->capacity * sizeof *local->scratch;
        local->scratch = arb_alloc(bytes);
        if (local->scratch == NULL)
            return arb_fail_memory(error, "a sort", bytes);
        arb_reservation_force(&local->reservation, bytes);
        local->scratch_capacity = local->capacity;
    }
    arb_sort_entries(local->entries, local->count, &s->order, local->scratch);
    return ARB_OK;
}

/* As many rows as are wanted do not come after the last of these sorted entries. */
static void note_worst(sort_operator *s, const arb_sort_entry *entries, size_t count)
{
    if (count == 0 || count != s->keep)
        return;
    uint64_t bar = entries[count - 1].key, seen = atomic_load(s->worst);
    while (bar < seen && !atomic_compare_exchange_weak(s->worst, &seen, bar))
        continue;
}

/* The entries become a run. */
static arb_code close_run(sort_operator *s, sink_local *local, arb_error *error)
{
    if (local->count == 0)
        return ARB_OK;
    ARB_TRY(sort_entries(s, local, error));
    sorted_run *run;
    arb_reservation own = local->reservation;
    own.bytes = local->capacity * sizeof *local->entries;
    if (!ARB_VEC_RESERVE(&local->runs, local->runs.size + 1))
        return arb_fail_memory(error, "a sort", sizeof run);
    size_t count = (size_t)ARB_MIN((uint64_t)local->count, s->keep);
    note_worst(s, local->entries, count);
    ARB_TRY(arb_sorted_run_create(&local->entries, count, own, &run, error));
    local->reservation.bytes -= own.bytes;
    local->runs.data[local->runs.size++] = run;
    local->count = local->capacity = 0;
    local->pruned = false;
    return ARB_OK;
}

static void note_nulls(sort_operator *s, const arb_row_store *store)
{
    for (size_t c = 0; c < s->layout.column_count; c++)
        s->has_null[c] |= store->has_null[c];
}

/* Memory is short: what the driver holds becomes a run on disk. */
static arb_code spill(sort_operator *s, sink_local *local, arb_error *error)
{
    sorted_run *run;
    ARB_TRY(close_run(s, local, error));
    drop_scratch(local);
    ARB_TRY(arb_sorted_runs_spill(s, &local->runs, s->keep, &run, error));
    pthread_mutex_lock(&s->lock);
    bool kept = ARB_VEC_PUSH(&s->spilled, run);
    note_nulls(s, local->store);
    pthread_mutex_unlock(&s->lock);
    if (!kept) {
        arb_sorted_run_destroy(run);
        return arb_fail_memory(error, "a sort", sizeof run);
    }
    arb_sorted_runs_reset(&local->runs);
    arb_row_store_clear(local->store);
    return ARB_OK;
}

/* Does the driver hold enough of what the sort holds for writing it to help? */
static bool worth_spilling(const sort_operator *s, const sink_local *local)
{
    uint64_t held = local->store->reservation.bytes + local->reservation.bytes;
    for (size_t r = 0; r < local->runs.size; r++)
        held += local->runs.data[r]->reservation.bytes;
    return local->store->rows != 0 &&
           held * 2 * s->base.context->drivers >= atomic_load_explicit(&s->base.share.held, memory_order_relaxed);
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

/* Copy the given rows, whose words are known, to the store. */
static arb_code add_rows(sort_operator *s, sink_local *local, const arb_batch *in, size_t count, arb_error *error)
{
    uint32_t words = s->keys.words;
    ARB_TRY(make_room(local, count, error));
    ARB_TRY(arb_row_store_append(local->store, count, local->pointers, error));
    for (size_t c = 0; c < s->layout.column_count; c++)
        ARB_TRY(arb_row_store_scatter(local->store, c, &in->columns[c], local->rows, count, local->pointers, error));
    for (size_t i = 0; i < count; i++) {
        *arb_row_header(local->pointers[i]) = place_of(in->sequence, local->rows[i]);
        memcpy(extra_words(s, local->pointers[i]), local->words + i * words, words * sizeof(uint64_t));
        local->entries[local->count++] = (arb_sort_entry){local->words[i * words], local->pointers[i]};
    }
    return ARB_OK;
}

/* Keep the best rows only, in a store of their own. */
static arb_code prune(sort_operator *s, sink_local *local, arb_error *error)
{
    ARB_TRY(sort_entries(s, local, error));
    size_t count = (size_t)ARB_MIN((uint64_t)local->count, s->keep);
    arb_row_store *kept;
    char **rows = arb_alloc((count + 1) * sizeof *rows);
    if (rows == NULL)
        return arb_fail_memory(error, "a sort", count * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = local->entries[i].row;
    arb_code code = store_create(s, &kept, error);
    if (code == ARB_OK)
        code = arb_row_store_copy(kept, rows, count, local->store->has_null, rows, error);
    for (size_t i = 0; code == ARB_OK && i < count; i++)
        local->entries[i].row = rows[i];
    arb_free(rows);
    if (code != ARB_OK) {
        store_destroy(kept);
        return code;
    }
    store_destroy(local->store);
    local->store = kept;
    local->count = count;
    local->pruned = count == s->keep;
    note_worst(s, local->entries, count);
    return ARB_OK;
}

/* Drop candidates that cannot be among the first `keep` rows. */
static size_t turn_away(sort_operator *s, sink_local *local, size_t count)
{
    uint32_t words = s->keys.words;
    uint64_t worst = atomic_load_explicit(s->worst, memory_order_relaxed);
    const uint64_t *bar = NULL;
    if (local->pruned && s->keys.exact)
        bar = extra_words(s, local->entries[s->keep - 1].row);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t *key = local->words + i * words;
        if (key[0] > worst || (bar != NULL && arb_sort_words_compare(key, bar, words) >= 0))
            continue;
        local->rows[kept] = local->rows[i];
        if (kept != i)
            memmove(local->words + kept * words, key, words * sizeof *key);
        kept++;
    }
    return kept;
}

static arb_code sink(arb_operator *op, void *state, const arb_batch *in, arb_flow *out_flow, arb_error *error)
{
    sort_operator *s = (sort_operator *)op;
    sink_local *local = state;
    *out_flow = s->keep == 0 ? ARB_FLOW_DONE : ARB_FLOW_NEED_INPUT;
    if (s->keep == 0)
        return ARB_OK;
    if (arb_memory_share_pressed(&op->share, 0) && worth_spilling(s, local))
        ARB_TRY(spill(s, local, error));
    size_t count = arb_batch_rows_selected(in, local->rows);
    arb_sort_keys_encode(&s->keys, in, local->rows, count, local->words);
    if (s->keep != UINT64_MAX)
        count = turn_away(s, local, count);
    if (count == 0)
        return ARB_OK;
    ARB_TRY(add_rows(s, local, in, count, error));
    if (s->keep != UINT64_MAX)
        return local->count >= 2 * s->keep + prune_slack ? prune(s, local, error) : ARB_OK;
    return local->count >= SORT_RUN_ROWS ? close_run(s, local, error) : ARB_OK;
}

static arb_code combine(arb_operator *op, void *state, arb_error *error)
{
    sort_operator *s = (sort_operator *)op;
    sink_local *local = state;
    ARB_TRY(close_run(s, local, error));
    drop_scratch(local);
    pthread_mutex_lock(&s->lock);
    bool kept = ARB_VEC_RESERVE(&s->runs, s->runs.size + local->runs.size) && ARB_VEC_PUSH(&s->stores, local->store);
    if (kept) {
        for (size_t i = 0; i < local->runs.size; i++)
            s->runs.data[s->runs.size++] = local->runs.data[i];
        note_nulls(s, local->store);
        local->runs.size = 0;
        local->store = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    return kept ? ARB_OK : arb_fail_memory(error, "a sort", local->runs.size * sizeof(sorted_run *));
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

/* Nobody reads the rows any more. */
static void release(arb_operator *op)
{
    sort_operator *s = (sort_operator *)op;
    arb_sorted_runs_reset(&s->runs);
    arb_sorted_runs_reset(&s->spilled);
    for (size_t i = 0; i < s->stores.size; i++)
        store_destroy(s->stores.data[i]);
    ARB_VEC_RESET(&s->stores);
    arb_memory_share_settle(&op->share);
}

static void destroy(arb_operator *op)
{
    sort_operator *s = (sort_operator *)op;
    release(op);
    arb_operator_spill_reset(op);
    arb_free(s->bounds);
    arb_arena_reset(&s->arena);
    pthread_mutex_destroy(&s->lock);
    arb_free(s);
}

static const arb_operator_vtable vtable = {
    .name = "SORT",
    .destroy = destroy,
    .source_create = arb_sort_source_create,
    .pull = arb_sort_pull,
    .source_destroy = arb_sort_source_destroy,
    .source_parallelism = arb_sort_source_parallelism,
    .source_watermark = arb_sort_source_watermark,
    .sink_create = sink_create,
    .sink = sink,
    .combine = combine,
    .sink_destroy = sink_destroy,
    .finish = arb_sort_finish,
    .release = release,
};

static arb_code plan_rows(sort_operator *s, const arb_physical_node *node, arb_error *error)
{
    ARB_TRY(arb_sort_keys_init(&s->keys, &s->arena, node->sort.keys, node->sort.key_count, &node->layout, &s->layout,
                               error));
    uint32_t extra = s->keys.words * (uint32_t)sizeof(uint64_t);
    ARB_TRY(arb_row_layout_init(&s->layout, &s->arena, node->layout.slots, node->layout.count, extra, error));
    s->has_null = ARB_ARENA_ARRAY(&s->arena, bool, node->layout.count + 1);
    if (s->has_null == NULL)
        return arb_fail_memory(error, "a sort", node->layout.count);
    s->order = (arb_sort_order){&s->keys, s->layout.extra_offset, &s->base.context->cancelled};
    s->format = (arb_row_format){.layout = &s->layout, .file = &s->base.spill};
    return ARB_OK;
}

arb_code arb_sort_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                         arb_error *error)
{
    *out_op = NULL;
    sort_operator *s = arb_alloc_zeroed(sizeof *s);
    if (s == NULL)
        return arb_fail_memory(error, "a sort", sizeof *s);
    s->base = (arb_operator){.vtable = &vtable, .node = node, .context = context};
    pthread_mutex_init(&s->lock, NULL);
    atomic_init(&s->own, UINT64_MAX);
    arb_task_bound *bound = context->work != NULL ? context->work->bound : NULL;
    s->worst = bound != NULL && bound->node == node->number ? &bound->worst : &s->own;
    arb_operator_may_spill(&s->base);
    s->keep = UINT64_MAX;
    if (node->sort.limit >= 0 && node->sort.limit < limit_most && node->sort.offset < limit_most)
        s->keep = (uint64_t)(node->sort.limit + node->sort.offset);
    arb_code code = plan_rows(s, node, error);
    if (code != ARB_OK) {
        destroy(&s->base);
        return code;
    }
    *out_op = &s->base;
    return ARB_OK;
}
