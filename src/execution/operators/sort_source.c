/* sort_source.c: the rows in order, range by range.
 *
 * Ranges are cut where samples of the runs say that about equally many rows lie between. A row's entry is unique in the
 * order (equal keys go by their rows' places), so each row is in one range, however many have equal keys. */
#include "execution/operators/sort.h"

#include "base/alloc.h"

enum {
    range_rows = 64 * 1024, /* of a range, about */
    ranges_most = 256,
    samples_a_range = 16,
};

/* ---- ranges ------------------------------------------------------------------------------------------------------------- */

/* The run's first entry that does not come before `entry`. */
static size_t lower_bound(const sort_operator *s, const sorted_run *run, const arb_sort_entry *entry)
{
    size_t low = 0, high = run->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (arb_sort_entry_compare(&run->entries[middle], entry, &s->order) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Entries at equal distances in all runs, sorted. */
static size_t sample_runs(const sort_operator *s, uint64_t rows, size_t wanted, arb_sort_entry *samples)
{
    size_t count = 0;
    uint64_t step = ARB_MAX(rows / wanted, (uint64_t)1), at = step / 2;
    for (size_t r = 0; r < s->runs.size; r++) {
        const sorted_run *run = s->runs.data[r];
        for (; at < run->count && count < wanted; at += step)
            samples[count++] = run->entries[at];
        at -= ARB_MIN(at, (uint64_t)run->count);
    }
    arb_sort_entries(samples, count, &s->order, NULL);
    return count;
}

static arb_code cut_ranges(sort_operator *s, uint64_t rows, arb_error *error)
{
    size_t runs = s->runs.size, wanted = (size_t)ARB_MIN(rows / range_rows + 1, (uint64_t)ranges_most);
    if (s->base.context->drivers == 1)
        wanted = 1;
    size_t sample_count = 0;
    arb_sort_entry *samples = arb_alloc(wanted * samples_a_range * sizeof *samples);
    s->bounds = arb_alloc_zeroed(((wanted + 1) * runs + 1) * sizeof *s->bounds);
    if (samples == NULL || s->bounds == NULL) {
        arb_free(samples);
        return arb_fail_memory(error, "a sort", (wanted + 1) * runs * sizeof *s->bounds);
    }
    if (wanted > 1)
        sample_count = sample_runs(s, rows, wanted * samples_a_range, samples);
    s->range_count = 1;
    for (size_t range = 1; range < wanted && sample_count >= wanted; range++, s->range_count++)
        for (size_t r = 0; r < runs; r++)
            s->bounds[range * runs + r] = lower_bound(s, s->runs.data[r], &samples[range * sample_count / wanted]);
    for (size_t r = 0; r < runs; r++)
        s->bounds[s->range_count * runs + r] = s->runs.data[r]->count;
    arb_free(samples);
    return ARB_OK;
}

arb_code arb_sort_finish(arb_operator *op, arb_error *error)
{
    sort_operator *s = (sort_operator *)op;
    uint64_t rows = 0;
    for (size_t r = 0; r < s->runs.size; r++)
        rows += s->runs.data[r]->count;
    s->range_count = 1;
    if (s->spilled.size == 0) {
        ARB_TRY(cut_ranges(s, rows, error));
        arb_memory_share_settle(&op->share);
    } else {
        ARB_TRY(arb_sorted_runs_reduce(s, error));
    }
    arb_split_order_init(&s->ranges, s->range_count);
    return ARB_OK;
}

/* ---- the source ---------------------------------------------------------------------------------------------------------- */

typedef struct source_local {
    arb_driver *driver;
    size_t range;
    bool merging; /* within `range` */
    sort_merger merger;
    uint64_t skip, left; /* rows of the range that are before OFFSET, and that are before LIMIT's end after them */
    uint64_t number;     /* of the range's next batch */
    char *rows[ARB_VECTOR_ROWS];
    arb_vector_storage *storages;
    arb_vector *columns;
    arb_batch batch;
} source_local;

uint32_t arb_sort_source_parallelism(arb_operator *op)
{
    return ARB_MIN(arb_split_order_parallelism(&((sort_operator *)op)->ranges), op->context->drivers);
}

uint64_t arb_sort_source_watermark(arb_operator *op)
{
    return arb_split_order_watermark(&((sort_operator *)op)->ranges);
}

void arb_sort_source_destroy(arb_operator *op, void *state)
{
    source_local *local = state;
    if (local == NULL)
        return;
    arb_split_order_leave(&((sort_operator *)op)->ranges, local->driver);
    arb_sort_merger_reset(&local->merger);
    for (size_t i = 0; local->storages != NULL && i < op->node->layout.count; i++)
        arb_vector_storage_reset(&local->storages[i]);
    arb_free(local->storages);
    arb_free(local->columns);
    arb_free(local);
}

arb_code arb_sort_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    size_t columns = op->node->layout.count;
    source_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a sort", sizeof *local);
    local->driver = driver;
    local->storages = arb_alloc_zeroed((columns + 1) * sizeof *local->storages);
    local->columns = arb_alloc_zeroed((columns + 1) * sizeof *local->columns);
    arb_code code = ARB_OK;
    if (local->storages == NULL || local->columns == NULL)
        code = arb_fail_memory(error, "a sort", columns);
    for (size_t i = 0; code == ARB_OK && i < columns; i++)
        code = arb_vector_storage_init(&local->storages[i], op->node->layout.slots[i].physical, ARB_VECTOR_ROWS, error);
    if (code != ARB_OK) {
        arb_sort_source_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

/* How many rows come before the range. */
static uint64_t rows_before(const sort_operator *s, size_t range)
{
    uint64_t rows = 0;
    for (size_t r = 0; s->bounds != NULL && r < s->runs.size; r++)
        rows += s->bounds[range * s->runs.size + r];
    return rows;
}

/* Take a range; *out_some is false when there is none. */
static arb_code begin(sort_operator *s, source_local *local, bool *out_some, arb_error *error)
{
    *out_some = arb_split_order_take(&s->ranges, local->driver, &local->range);
    if (!*out_some)
        return ARB_OK;
    const int64_t limit = s->base.node->sort.limit;
    uint64_t before = rows_before(s, local->range), first = (uint64_t)s->base.node->sort.offset;
    uint64_t end = limit < 0 || first > UINT64_MAX - (uint64_t)limit ? UINT64_MAX : first + (uint64_t)limit;
    local->skip = first > before ? first - before : 0;
    local->left = end > before + local->skip ? end - before - local->skip : 0;
    local->number = 0;
    local->merging = true;
    const size_t *from = s->bounds != NULL ? s->bounds + local->range * s->runs.size : NULL;
    return arb_sort_merger_init(&local->merger, s, &s->runs, from, from != NULL ? from + s->runs.size : NULL,
                                &s->spilled, error);
}

/* Some rows of the range; none at its end. */
static arb_code take_rows(source_local *local, size_t most, size_t *out_count, arb_error *error)
{
    *out_count = 0;
    while (local->skip != 0) {
        size_t count;
        ARB_TRY(arb_sort_merger_take(&local->merger, local->rows,
                                     (size_t)ARB_MIN(local->skip, (uint64_t)ARB_VECTOR_ROWS), &count, error));
        local->skip = count == 0 ? 0 : local->skip - count;
    }
    if (local->left == 0)
        return ARB_OK;
    ARB_TRY(arb_sort_merger_take(&local->merger, local->rows, (size_t)ARB_MIN(local->left, (uint64_t)most), out_count,
                                 error));
    local->left -= *out_count;
    return ARB_OK;
}

arb_code arb_sort_pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    sort_operator *s = (sort_operator *)op;
    source_local *local = state;
    size_t count = 0;
    *out = NULL;
    while (count == 0) {
        bool some = true;
        *out_flow = ARB_FLOW_DONE;
        if (!local->merging)
            ARB_TRY(begin(s, local, &some, error));
        if (!some || arb_is_stopped(&op->context->cancelled))
            return ARB_OK; /* cancelled: the driver sees why */
        ARB_TRY(take_rows(local, op->context->batch_rows, &count, error));
        if (count == 0) {
            arb_sort_merger_reset(&local->merger);
            local->merging = false;
        }
    }
    for (size_t c = 0; c < op->node->layout.count; c++)
        arb_row_gather(&s->layout, c, local->rows, count, s->has_null[c], &local->storages[c], &local->columns[c]);
    local->batch = (arb_batch){.rows = (uint32_t)count,
                               .selected = (uint32_t)count,
                               .column_count = (uint32_t)op->node->layout.count,
                               .columns = local->columns,
                               .sequence = arb_split_sequence(local->range, local->number++)};
    *out = &local->batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}
