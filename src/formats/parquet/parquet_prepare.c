/* parquet_prepare.c: what a reader asks before it reads a split: which rows can pass the filters by what statistics, page
 * indexes and Bloom filters say, and where the pages lie. */
#include "formats/parquet/parquet_reader.h"

#include <stdlib.h>

enum {
    WINDOW_BYTES = 32 << 20, /* about this much is decoded at once, when rows are large */
    PAGES_A_STOP = 1024,     /* the flag is looked at so often */
};

arb_code arb_parquet_reader_column_error(const arb_parquet_reader *reader, const arb_parquet_reader_column *column,
                                         arb_code code, arb_error *error)
{
    if (code != ARB_OK && code != ARB_OUT_OF_MEMORY && code != ARB_WOULD_WAIT)
        arb_error_context(error, "%.*s, column %.*s, row group %u", ARB_STR_ARGS(reader->file->base.path),
                          ARB_STR_ARGS(column->name), reader->group_number);
    return code;
}

static const arb_parquet_chunk_meta *chunk_meta(const arb_parquet_reader *reader,
                                                const arb_parquet_reader_column *column)
{
    return &reader->group->chunks[column->leaf - reader->file->schema.leaves];
}

arb_code arb_parquet_reader_judge(arb_parquet_reader *reader, arb_parquet_filter *state,
                                  arb_filter_verdict *out_verdict, arb_error *error)
{
    const arb_scan_filter *filter = state->filter;
    *out_verdict = state->verdict;
    if (state->is_judged)
        return ARB_OK;
    for (uint32_t i = 0; i < filter->column_count; i++) {
        const arb_parquet_reader_column *column = &reader->columns[filter->columns[i]];
        reader->ranges[i] = column->nested != NULL ? (arb_value_range){.may_have_nulls = true}
                                                   : arb_parquet_chunk_range(column->leaf, chunk_meta(reader, column));
    }
    if (filter->vtable->judge != NULL)
        *out_verdict = filter->vtable->judge(filter, reader->ranges);
    const arb_parquet_reader_column *column = filter->column_count == 1 ? &reader->columns[filter->columns[0]] : NULL;
    if (*out_verdict == ARB_FILTER_SOME_PASS && column != NULL && column->nested == NULL) {
        bool may_pass;
        arb_code code = arb_parquet_bloom_may_pass(reader->file->source, &reader->base.reads, column->leaf,
                                                   chunk_meta(reader, column), filter, &state->bloom,
                                                   &reader->base.held, &may_pass, error);
        ARB_TRY(arb_parquet_reader_column_error(reader, column, code, error));
        if (!may_pass)
            *out_verdict = ARB_FILTER_NONE_PASS;
    }
    state->verdict = *out_verdict;
    state->is_judged = true;
    return ARB_OK;
}

/* Note the pages of the filter's one column in which no row passes. */
static arb_code find_skips(arb_parquet_reader *reader, const arb_parquet_filter *state,
                           const arb_parquet_reader_column *column, const arb_parquet_column_index *index,
                           arb_error *error)
{
    const arb_parquet_page_location *pages = column->locations.pages;
    for (uint32_t i = 0; i < index->count; i++) {
        if (i % PAGES_A_STOP == 0)
            ARB_TRY(arb_check_stop(reader->request->stop, error));
        arb_value_range range = arb_parquet_page_range(column->leaf, index, i);
        if (state->filter->vtable->judge(state->filter, &range) != ARB_FILTER_NONE_PASS)
            continue;
        uint64_t end = i + 1 < index->count ? (uint64_t)pages[i + 1].first_row : (uint64_t)reader->group->rows;
        if (!ARB_ARENA_PUSH(&reader->group_arena.arena, &reader->skips,
                            (arb_parquet_row_range){(uint64_t)pages[i].first_row, end}))
            return arb_fail_memory(error, "page statistics", sizeof(arb_parquet_row_range));
        reader->skips_are_sorted = false;
    }
    return arb_held_arena_settle(&reader->group_arena, error);
}

static arb_code judge_pages(arb_parquet_reader *reader, arb_parquet_filter *state, arb_error *error)
{
    const arb_scan_filter *filter = state->filter;
    if (state->pages_judged || filter->column_count != 1 || filter->vtable->judge == NULL ||
        state->verdict == ARB_FILTER_ALL_PASS)
        return ARB_OK;
    arb_parquet_reader_column *column = &reader->columns[filter->columns[0]];
    arb_parquet_column_index index;
    if (column->locations.count < 2)
        return ARB_OK;
    ARB_TRY(arb_parquet_column_index_read(reader->file->source, &reader->base.reads, chunk_meta(reader, column),
                                          &column->column_index, &reader->group_arena, &index, error));
    if (index.count == column->locations.count)
        ARB_TRY(find_skips(reader, state, column, &index, error));
    state->pages_judged = true;
    return ARB_OK;
}

static int compare_skips(const void *a, const void *b)
{
    uint64_t first = ((const arb_parquet_row_range *)a)->first, other = ((const arb_parquet_row_range *)b)->first;
    return (first > other) - (first < other);
}

/* Each filter's pages are in order; those of several overlap. */
static void sort_skips(arb_parquet_reader *reader)
{
    arb_parquet_row_range *skips = reader->skips.data;
    size_t kept = 0;
    if (reader->skips_are_sorted)
        return;
    qsort(skips, reader->skips.size, sizeof *skips, compare_skips);
    for (size_t i = 0; i < reader->skips.size; i++) {
        if (kept != 0 && skips[i].first <= skips[kept - 1].end)
            skips[kept - 1].end = ARB_MAX(skips[kept - 1].end, skips[i].end);
        else if (skips[i].first < skips[i].end)
            skips[kept++] = skips[i];
    }
    reader->skips.size = kept;
    reader->skips_are_sorted = true;
}

/* The first skip that ends behind a row. */
static size_t find_skip(const arb_parquet_reader *reader, uint64_t row)
{
    size_t low = 0, high = reader->skips.size;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reader->skips.data[middle].end > row)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void arb_parquet_reader_leave_split(arb_parquet_reader *reader)
{
    reader->base.rows_skipped += reader->end - reader->row;
    reader->base.rows_read += reader->end - reader->row;
    reader->row = reader->end;
}

/* Statistics and Bloom filters of the row group; they may end the split. */
static arb_code judge_split(arb_parquet_reader *reader, arb_error *error)
{
    bool waits = false;
    for (uint32_t i = 0; i < reader->request->filter_count; i++) {
        arb_parquet_filter *state = &reader->filters[i];
        bool is_ready;
        arb_filter_verdict verdict;
        ARB_TRY(arb_parquet_filter_check_ready(state, &is_ready, error));
        if (!is_ready)
            continue;
        arb_code code = arb_parquet_reader_judge(reader, state, &verdict, error);
        if (arb_parquet_just_waits(code, &waits))
            continue;
        ARB_TRY(code);
        if (verdict == ARB_FILTER_NONE_PASS) {
            arb_parquet_reader_leave_split(reader);
            return ARB_OK;
        }
    }
    return waits ? ARB_WOULD_WAIT : ARB_OK;
}

static arb_code begin_column(arb_parquet_reader *reader, arb_parquet_reader_column *column, bool may_skip,
                             arb_error *error)
{
    if (column->is_unread || column->is_begun)
        return ARB_OK;
    if (column->nested != NULL) {
        ARB_TRY(arb_parquet_nested_begin(column->nested, reader->group, reader->end, error));
        column->is_begun = true;
        return ARB_OK;
    }
    const arb_parquet_chunk_meta *meta = chunk_meta(reader, column);
    if (may_skip && !column->is_located) {
        ARB_TRY(arb_parquet_offset_index_read(reader->file->source, &reader->base.reads, meta, &column->offset_index,
                                              &reader->group_arena, &column->locations, error));
        arb_parquet_piece_reset(&column->offset_index, &reader->base.reads);
        column->is_located = true;
    }
    ARB_TRY(arb_parquet_chunk_begin(&column->flat.chunk, meta, (uint64_t)reader->group->rows, reader->end,
                                    &column->locations, error));
    column->is_begun = true;
    return ARB_OK;
}

/* Columns that most windows of the split before needed are asked for together, where bytes come late. */
static void expect_columns(arb_parquet_reader *reader)
{
    uint64_t row = reader->row;
    if (reader->next_skip < reader->skips.size && reader->skips.data[reader->next_skip].first <= row)
        row = reader->skips.data[reader->next_skip].end;
    for (uint32_t i = 0; i < reader->request->column_count && row < reader->end; i++)
        if (reader->columns[i].is_expected && reader->columns[i].nested == NULL)
            arb_parquet_chunk_expect(&reader->columns[i].flat.chunk, row);
}

arb_code arb_parquet_reader_prepare(arb_parquet_reader *reader, arb_error *error)
{
    bool waits = false, is_part = reader->row != 0 || reader->end != (uint64_t)reader->group->rows;
    arb_code code = judge_split(reader, error);
    if (!arb_parquet_just_waits(code, &waits))
        ARB_TRY(code);
    if (reader->row == reader->end) {
        reader->is_prepared = true;
        return ARB_OK;
    }
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        code = begin_column(reader, column, is_part || reader->request->filter_count != 0, error);
        if (!arb_parquet_just_waits(code, &waits))
            ARB_TRY(arb_parquet_reader_column_error(reader, column, code, error));
    }
    for (uint32_t i = 0; i < reader->request->filter_count; i++) {
        code = reader->filters[i].is_judged ? judge_pages(reader, &reader->filters[i], error) : ARB_OK;
        if (!arb_parquet_just_waits(code, &waits))
            ARB_TRY(code);
    }
    if (waits)
        return ARB_WOULD_WAIT;
    sort_skips(reader);
    reader->next_skip = find_skip(reader, reader->row);
    reader->is_prepared = true;
    expect_columns(reader);
    return ARB_OK;
}

/* Fewer rows where they are large: of the bytes that the row group says it has. */
static uint32_t limit_window(const arb_parquet_reader *reader)
{
    uint64_t bytes = 0, rows = (uint64_t)ARB_MAX(reader->group->rows, 1), limit = ARB_VECTOR_ROWS;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        const arb_parquet_reader_column *column = &reader->columns[i];
        if (column->is_unread)
            continue;
        if (column->nested != NULL)
            limit = ARB_MIN(limit, arb_parquet_nested_window(column->nested, reader->group));
        else
            bytes += (uint64_t)ARB_MAX(chunk_meta(reader, column)->uncompressed_bytes, 0) / rows;
    }
    return (uint32_t)ARB_MIN(limit, ARB_MAX(WINDOW_BYTES / ARB_MAX(bytes, 1), 1));
}

/* What statistics and indexes said about a row group is forgotten; another one comes. */
static void leave_group(arb_parquet_reader *reader)
{
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        column->locations = (arb_parquet_offset_index){0};
        column->is_located = false;
        arb_parquet_piece_reset(&column->offset_index, &reader->base.reads);
        arb_parquet_piece_reset(&column->column_index, &reader->base.reads);
    }
    for (uint32_t i = 0; i < reader->request->filter_count; i++)
        arb_parquet_filter_leave_group(&reader->filters[i], &reader->base.reads);
    memset(&reader->skips, 0, sizeof reader->skips);
    reader->skips_are_sorted = true;
    arb_held_arena_rewind(&reader->group_arena);
}

arb_code arb_parquet_reader_begin(arb_split_reader *base, const arb_split *split, arb_error *error)
{
    arb_parquet_reader *reader = (arb_parquet_reader *)base;
    const arb_parquet_metadata *metadata = &reader->file->metadata;
    if (split->part >= metadata->row_group_count)
        return arb_fail(error, ARB_INTERNAL, "a scan asks for row group %u of %u", split->part,
                        metadata->row_group_count);
    if (reader->group != &metadata->row_groups[split->part])
        leave_group(reader);
    reader->group = &metadata->row_groups[split->part];
    reader->group_number = split->part;
    reader->split_number = split->number;
    reader->row = split->first_row - reader->group->first_row;
    reader->end = reader->row + split->rows;
    reader->is_prepared = reader->window_filters = reader->window_waits = reader->is_lent = false;
    reader->out_rows = 0;
    reader->batch_number = 0;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        column->window_is_read = column->flat.is_reading = false;
        column->is_expected = 2 * column->windows_read > reader->windows;
        column->windows_read = 0;
        column->is_begun = false;
        arb_parquet_sink_clear(&column->window);
        arb_parquet_sink_clear(&column->out);
        if (column->nested != NULL)
            arb_parquet_nested_release(column->nested, UINT64_MAX);
        else
            arb_parquet_chunk_release(&column->flat.chunk, UINT64_MAX);
    }
    reader->windows = 0;
    reader->window_limit = limit_window(reader);
    return ARB_OK;
}
