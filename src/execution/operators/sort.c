/* sort.c: ORDER BY, with or without a limit.
 *
 * Each driver copies its rows into a store and keeps for each an entry: the key's first word and where the row is; the
 * other words stand in the row's extra space. When a driver is through it sorts its entries: one run. The source merges
 * the runs. With a limit, a driver keeps no more than about twice the rows wanted: it sorts now and then, drops the rest,
 * and from then on turns away what is behind its worst row without copying it; the first word of that row is shared, so
 * drivers learn from each other. */
#include <pthread.h>

#include "base/alloc.h"
#include "execution/operators/key_columns.h"
#include "execution/operators/operators.h"
#include "execution/operators/sort_entries.h"
#include "execution/operators/sort_key.h"

enum { prune_slack = 4096, limit_most = 1 << 20 };

/* A driver's sorted rows. */
typedef struct sorted_run {
    arb_row_store store;
    ARB_VEC(arb_sort_entry) entries;
    arb_reservation reservation; /* of the entries */
} sorted_run;

typedef struct sort_operator {
    arb_operator base;
    arb_arena arena;
    arb_row_layout layout;
    arb_sort_keys keys;
    uint64_t keep;          /* rows that can be in the result; UINT64_MAX: all */
    _Atomic uint64_t worst; /* no row whose first word is greater can be in the result */
    pthread_mutex_t lock;
    ARB_VEC(sorted_run *) runs; /* the lock, until all drivers have combined */
} sort_operator;

typedef struct sort_local {
    sorted_run *run;
    uint16_t rows[ARB_VECTOR_ROWS + 64];
    char *pointers[ARB_VECTOR_ROWS];
    uint64_t words[ARB_VECTOR_ROWS * ARB_SORT_WORDS_MOST];
    bool pruned; /* the run holds `keep` rows in front, sorted; the last of them is the bar */
    arb_vector_storage *storages;
} sort_local;

static void run_destroy(sorted_run *run)
{
    if (run == NULL)
        return;
    arb_row_store_reset(&run->store);
    ARB_VEC_RESET(&run->entries);
    arb_reservation_reset(&run->reservation);
    arb_free(run);
}

static arb_code run_create(sort_operator *s, sorted_run **out_run, arb_error *error)
{
    sorted_run *run = arb_alloc_zeroed(sizeof *run);
    *out_run = NULL;
    if (run == NULL)
        return arb_fail_memory(error, "a sort", sizeof *run);
    arb_reservation_init(&run->reservation, s->base.context->memory, "sort");
    arb_code code = arb_row_store_init(&run->store, &s->layout, s->base.context->memory, "sort", error);
    if (code != ARB_OK) {
        arb_free(run);
        return code;
    }
    *out_run = run;
    return ARB_OK;
}

static void sink_destroy(arb_operator *op, void *state)
{
    sort_local *local = state;
    if (local == NULL)
        return;
    for (size_t i = 0; local->storages != NULL && i < op->node->layout.count; i++)
        arb_vector_storage_reset(&local->storages[i]);
    arb_free(local->storages);
    run_destroy(local->run);
    arb_free(local);
}

static arb_code sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    sort_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a sort", sizeof *local);
    arb_code code = run_create((sort_operator *)op, &local->run, error);
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

static arb_code reserve_entries(sorted_run *run, size_t more, arb_error *error)
{
    size_t before = run->entries.capacity;
    if (run->entries.size + more <= before)
        return ARB_OK;
    size_t wanted = ARB_MAX(run->entries.size + more, before * 2);
    ARB_TRY(arb_reservation_grow(&run->reservation, (wanted - before) * sizeof(arb_sort_entry), error));
    if (!ARB_VEC_RESERVE(&run->entries, wanted))
        return arb_fail_memory(error, "a sort", wanted * sizeof(arb_sort_entry));
    return ARB_OK;
}

/* Copy the given rows, whose words are known, to the end of the run. */
static arb_code add_rows(sort_operator *s, sort_local *local, const arb_batch *in, size_t count, arb_error *error)
{
    sorted_run *run = local->run;
    uint32_t words = s->keys.words;
    ARB_TRY(reserve_entries(run, count, error));
    ARB_TRY(arb_row_store_append(&run->store, count, local->pointers, error));
    for (size_t c = 0; c < s->layout.column_count; c++)
        ARB_TRY(arb_row_store_scatter(&run->store, c, &in->columns[c], local->rows, count, local->pointers, error));
    for (size_t i = 0; i < count; i++) {
        *arb_row_header(local->pointers[i]) = place_of(in->sequence, local->rows[i]);
        memcpy(extra_words(s, local->pointers[i]), local->words + i * words, words * sizeof(uint64_t));
        run->entries.data[run->entries.size++] = (arb_sort_entry){local->words[i * words], local->pointers[i]};
    }
    return ARB_OK;
}

static void sort_run(sort_operator *s, sorted_run *run)
{
    arb_sort_order order = {&s->keys, s->layout.extra_offset, &s->base.context->cancelled};
    uint64_t bytes = run->entries.size * sizeof(arb_sort_entry);
    arb_sort_entry *scratch = NULL;
    bool reserved = run->entries.size >= ARB_SORT_RADIX_LEAST && arb_reservation_try_grow(&run->reservation, bytes);
    if (reserved)
        scratch = arb_alloc(bytes);
    arb_sort_entries(run->entries.data, run->entries.size, &order, scratch);
    arb_free(scratch);
    if (reserved)
        arb_reservation_shrink(&run->reservation, bytes);
}

/* Copy the first `count` entries' rows of one run to another. */
static arb_code copy_rows(sort_operator *s, sort_local *local, const sorted_run *from, size_t count, sorted_run *to,
                          arb_error *error)
{
    if (local->storages == NULL) {
        local->storages = arb_alloc_zeroed((s->layout.column_count + 1) * sizeof *local->storages);
        if (local->storages == NULL)
            return arb_fail_memory(error, "a sort", s->layout.column_count);
        for (size_t c = 0; c < s->layout.column_count; c++)
            ARB_TRY(arb_vector_storage_init(&local->storages[c], (arb_physical)s->layout.columns[c].physical,
                                            ARB_VECTOR_ROWS, error));
    }
    char *sources[ARB_VECTOR_ROWS];
    ARB_TRY(reserve_entries(to, count, error));
    for (size_t done = 0; done < count;) {
        size_t rows = ARB_MIN(count - done, (size_t)ARB_VECTOR_ROWS);
        ARB_TRY(arb_row_store_append(&to->store, rows, local->pointers, error));
        for (size_t i = 0; i < rows; i++)
            sources[i] = from->entries.data[done + i].row;
        for (size_t c = 0; c < s->layout.column_count; c++) {
            arb_vector column;
            arb_row_gather(&s->layout, c, sources, rows, from->store.has_null[c], &local->storages[c], &column);
            ARB_TRY(arb_row_store_scatter(&to->store, c, &column, NULL, rows, local->pointers, error));
        }
        for (size_t i = 0; i < rows; i++) {
            *arb_row_header(local->pointers[i]) = *arb_row_header(sources[i]);
            memcpy(extra_words(s, local->pointers[i]), extra_words(s, sources[i]), s->keys.words * sizeof(uint64_t));
            to->entries.data[to->entries.size++] =
                (arb_sort_entry){from->entries.data[done + i].key, local->pointers[i]};
        }
        done += rows;
    }
    return ARB_OK;
}

/* Keep the best rows only. */
static arb_code prune(sort_operator *s, sort_local *local, arb_error *error)
{
    sorted_run *run = local->run, *kept;
    sort_run(s, run);
    size_t count = (size_t)ARB_MIN((uint64_t)run->entries.size, s->keep);
    ARB_TRY(run_create(s, &kept, error));
    arb_code code = copy_rows(s, local, run, count, kept, error);
    if (code != ARB_OK) {
        run_destroy(kept);
        return code;
    }
    run_destroy(run);
    local->run = kept;
    local->pruned = count == s->keep;
    if (local->pruned && count != 0) {
        uint64_t bar = kept->entries.data[count - 1].key, seen = atomic_load(&s->worst);
        while (bar < seen && !atomic_compare_exchange_weak(&s->worst, &seen, bar))
            continue;
    }
    return ARB_OK;
}

/* Drop candidates that cannot be among the first `keep` rows. */
static size_t turn_away(sort_operator *s, sort_local *local, size_t count)
{
    uint32_t words = s->keys.words;
    uint64_t worst = atomic_load_explicit(&s->worst, memory_order_relaxed);
    const uint64_t *bar = NULL;
    if (local->pruned && s->keys.exact)
        bar = extra_words(s, local->run->entries.data[s->keep - 1].row);
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
    sort_local *local = state;
    *out_flow = s->keep == 0 ? ARB_FLOW_DONE : ARB_FLOW_NEED_INPUT;
    if (s->keep == 0)
        return ARB_OK;
    size_t count = arb_batch_rows_selected(in, local->rows);
    arb_sort_keys_encode(&s->keys, in, local->rows, count, local->words);
    if (s->keep != UINT64_MAX)
        count = turn_away(s, local, count);
    if (count == 0)
        return ARB_OK;
    ARB_TRY(add_rows(s, local, in, count, error));
    if (s->keep != UINT64_MAX && local->run->entries.size >= 2 * s->keep + prune_slack)
        return prune(s, local, error);
    return ARB_OK;
}

static arb_code combine(arb_operator *op, void *state, arb_error *error)
{
    sort_operator *s = (sort_operator *)op;
    sort_local *local = state;
    sort_run(s, local->run);
    pthread_mutex_lock(&s->lock);
    bool kept = ARB_VEC_PUSH(&s->runs, local->run);
    pthread_mutex_unlock(&s->lock);
    if (!kept)
        return arb_fail_memory(error, "a sort", sizeof(sorted_run *));
    local->run = NULL;
    return ARB_OK;
}

/* ---- the source: merging runs --------------------------------------------------------------------------------------------- */

typedef struct merge_local {
    size_t *next; /* by run: its first entry that has not been given */
    uint64_t skip, left;
    uint64_t number;
    char *pointers[ARB_VECTOR_ROWS];
    arb_vector_storage *storages;
    arb_vector *columns;
    arb_batch batch;
} merge_local;

static void source_destroy(arb_operator *op, void *state)
{
    merge_local *local = state;
    if (local == NULL)
        return;
    for (size_t i = 0; local->storages != NULL && i < op->node->layout.count; i++)
        arb_vector_storage_reset(&local->storages[i]);
    arb_free(local->storages);
    arb_free(local->columns);
    arb_free(local->next);
    arb_free(local);
}

static arb_code source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    sort_operator *s = (sort_operator *)op;
    size_t columns = op->node->layout.count;
    merge_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a sort", sizeof *local);
    local->next = arb_alloc_zeroed((s->runs.size + 1) * sizeof *local->next);
    local->storages = arb_alloc_zeroed((columns + 1) * sizeof *local->storages);
    local->columns = arb_alloc_zeroed((columns + 1) * sizeof *local->columns);
    arb_code code = ARB_OK;
    if (local->next == NULL || local->storages == NULL || local->columns == NULL)
        code = arb_fail_memory(error, "a sort", columns);
    for (size_t i = 0; code == ARB_OK && i < columns; i++)
        code = arb_vector_storage_init(&local->storages[i], op->node->layout.slots[i].physical, ARB_VECTOR_ROWS, error);
    if (code != ARB_OK) {
        source_destroy(op, local);
        return code;
    }
    local->skip = (uint64_t)op->node->sort.offset;
    local->left = op->node->sort.limit >= 0 ? (uint64_t)op->node->sort.limit : UINT64_MAX;
    *out_local = local;
    return ARB_OK;
}

/* The run whose next row is first; SIZE_MAX when all are empty. Runs are few: one a driver. */
static size_t first_run(const sort_operator *s, const merge_local *local, const arb_sort_order *order)
{
    size_t best = SIZE_MAX;
    for (size_t r = 0; r < s->runs.size; r++) {
        const sorted_run *run = s->runs.data[r];
        if (local->next[r] >= run->entries.size)
            continue;
        if (best == SIZE_MAX || arb_sort_entry_compare(&run->entries.data[local->next[r]],
                                                       &s->runs.data[best]->entries.data[local->next[best]], order) < 0)
            best = r;
    }
    return best;
}

static arb_code pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    (void)error;
    sort_operator *s = (sort_operator *)op;
    merge_local *local = state;
    arb_sort_order order = {&s->keys, s->layout.extra_offset, NULL};
    size_t count = 0;
    *out = NULL;
    *out_flow = ARB_FLOW_DONE;
    while (count < op->context->batch_rows && local->left != 0) {
        size_t r = first_run(s, local, &order);
        if (r == SIZE_MAX)
            break;
        char *row = s->runs.data[r]->entries.data[local->next[r]++].row;
        if (local->skip != 0) {
            local->skip--;
            continue;
        }
        local->pointers[count++] = row;
        local->left--;
    }
    if (count == 0)
        return ARB_OK;
    for (size_t c = 0; c < op->node->layout.count; c++) {
        bool some = false;
        for (size_t r = 0; r < s->runs.size; r++)
            some |= s->runs.data[r]->store.has_null[c];
        arb_row_gather(&s->layout, c, local->pointers, count, some, &local->storages[c], &local->columns[c]);
    }
    local->batch = (arb_batch){.rows = (uint32_t)count,
                               .selected = (uint32_t)count,
                               .column_count = (uint32_t)op->node->layout.count,
                               .columns = local->columns,
                               .sequence = local->number++};
    *out = &local->batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    sort_operator *s = (sort_operator *)op;
    for (size_t i = 0; i < s->runs.size; i++)
        run_destroy(s->runs.data[i]);
    ARB_VEC_RESET(&s->runs);
    arb_arena_reset(&s->arena);
    pthread_mutex_destroy(&s->lock);
    arb_free(s);
}

static const arb_operator_vtable vtable = {
    .name = "SORT",
    .destroy = destroy,
    .source_create = source_create,
    .pull = pull,
    .source_destroy = source_destroy,
    .sink_create = sink_create,
    .sink = sink,
    .combine = combine,
    .sink_destroy = sink_destroy,
};

arb_code arb_sort_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                         arb_error *error)
{
    *out_op = NULL;
    sort_operator *s = arb_alloc_zeroed(sizeof *s);
    if (s == NULL)
        return arb_fail_memory(error, "a sort", sizeof *s);
    s->base.vtable = &vtable;
    s->base.node = node;
    s->base.context = context;
    pthread_mutex_init(&s->lock, NULL);
    atomic_init(&s->worst, UINT64_MAX);
    s->keep = UINT64_MAX;
    if (node->sort.limit >= 0 && node->sort.limit < limit_most && node->sort.offset < limit_most)
        s->keep = (uint64_t)(node->sort.limit + node->sort.offset);
    uint32_t extra = ARB_SORT_WORDS_MOST * sizeof(uint64_t);
    arb_code code = arb_sort_keys_init(&s->keys, &s->arena, node->sort.keys, node->sort.key_count, &node->layout,
                                       &s->layout, error);
    if (code == ARB_OK) {
        extra = s->keys.words * (uint32_t)sizeof(uint64_t);
        code = arb_row_layout_init(&s->layout, &s->arena, node->layout.slots, node->layout.count, extra, error);
    }
    if (code != ARB_OK) {
        destroy(&s->base);
        return code;
    }
    *out_op = &s->base;
    return ARB_OK;
}
