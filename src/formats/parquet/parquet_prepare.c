/* parquet_prepare.c: what a reader asks before it reads a split: which rows can pass the filters by what statistics, page
 * indexes and Bloom filters say, and where the pages lie. */
#include "formats/parquet/parquet_reader.h"

enum { WINDOW_BYTES = 32 << 20 }; /* about this much is decoded at once, when rows are large */

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
    *out_verdict = ARB_FILTER_SOME_PASS;
    for (uint32_t i = 0; i < filter->column_count; i++) {
        const arb_parquet_reader_column *column = &reader->columns[filter->columns[i]];
        reader->ranges[i] = column->nested != NULL ? (arb_value_range){.may_have_nulls = true}
                                                   : arb_parquet_chunk_range(column->leaf, chunk_meta(reader, column));
    }
    if (filter->vtable->judge != NULL)
        *out_verdict = filter->vtable->judge(filter, reader->ranges);
    state->is_settled = *out_verdict == ARB_FILTER_ALL_PASS;
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
    state->is_judged = true;
    return ARB_OK;
}

static arb_code add_skip(arb_parquet_reader *reader, uint64_t first, uint64_t end, arb_error *error)
{
    if (reader->skip_count % 64 == 0) {
        arb_parquet_row_range *grown = arb_held_arena_take(
            &reader->split_arena, sizeof *grown * (reader->skip_count + 64), "page statistics", error);
        if (grown == NULL)
            return ARB_OUT_OF_MEMORY;
        if (reader->skip_count != 0)
            memcpy(grown, reader->skips, sizeof *grown * reader->skip_count);
        reader->skips = grown;
    }
    size_t at = reader->skip_count++;
    for (; at > 0 && reader->skips[at - 1].first > first; at--)
        reader->skips[at] = reader->skips[at - 1];
    reader->skips[at] = (arb_parquet_row_range){first, end};
    return ARB_OK;
}

/* Note the pages of the filter's one column in which no row passes. */
static arb_code judge_pages(arb_parquet_reader *reader, arb_parquet_filter *state, arb_error *error)
{
    const arb_scan_filter *filter = state->filter;
    if (filter->column_count != 1 || filter->vtable->judge == NULL || state->is_settled)
        return ARB_OK;
    arb_parquet_reader_column *column = &reader->columns[filter->columns[0]];
    const arb_parquet_offset_index *pages = &column->locations;
    arb_parquet_column_index index;
    if (pages->count < 2)
        return ARB_OK;
    ARB_TRY(arb_parquet_column_index_read(reader->file->source, &reader->base.reads, chunk_meta(reader, column),
                                          &column->column_index, &reader->split_arena, &index, error));
    if (index.count != pages->count)
        return ARB_OK;
    for (uint32_t i = 0; i < index.count; i++) {
        arb_value_range range = arb_parquet_page_range(column->leaf, &index, i);
        if (filter->vtable->judge(filter, &range) != ARB_FILTER_NONE_PASS)
            continue;
        uint64_t end = i + 1 < index.count ? (uint64_t)pages->pages[i + 1].first_row : (uint64_t)reader->group->rows;
        ARB_TRY(add_skip(reader, (uint64_t)pages->pages[i].first_row, end, error));
    }
    return ARB_OK;
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
    if (column->is_unread)
        return ARB_OK;
    if (column->nested != NULL)
        return arb_parquet_nested_begin(column->nested, reader->group, reader->end, error);
    const arb_parquet_chunk_meta *meta = chunk_meta(reader, column);
    if (may_skip)
        ARB_TRY(arb_parquet_offset_index_read(reader->file->source, &reader->base.reads, meta, &column->offset_index,
                                              &reader->split_arena, &column->locations, error));
    return arb_parquet_chunk_begin(&column->flat.chunk, meta, (uint64_t)reader->group->rows, reader->end,
                                   &column->locations, error);
}

/* Columns that most windows of the split before needed are asked for together, where bytes come late. */
static void expect_columns(arb_parquet_reader *reader)
{
    uint64_t row = reader->row;
    for (size_t i = 0; i < reader->skip_count; i++)
        if (reader->skips[i].first <= row)
            row = ARB_MAX(row, reader->skips[i].end);
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
    reader->skip_count = 0;
    for (uint32_t i = 0; i < reader->request->filter_count; i++) {
        code = reader->filters[i].is_judged ? judge_pages(reader, &reader->filters[i], error) : ARB_OK;
        if (!arb_parquet_just_waits(code, &waits))
            ARB_TRY(code);
    }
    if (waits)
        return ARB_WOULD_WAIT;
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

arb_code arb_parquet_reader_begin(arb_split_reader *base, const arb_split *split, arb_error *error)
{
    arb_parquet_reader *reader = (arb_parquet_reader *)base;
    const arb_parquet_metadata *metadata = &reader->file->metadata;
    if (split->part >= metadata->row_group_count)
        return arb_fail(error, ARB_INTERNAL, "a scan asks for row group %u of %u", split->part,
                        metadata->row_group_count);
    reader->group = &metadata->row_groups[split->part];
    reader->group_number = split->part;
    reader->split_number = split->number;
    reader->row = split->first_row - reader->group->first_row;
    reader->end = reader->row + split->rows;
    reader->skip_count = reader->next_skip = 0;
    reader->is_prepared = reader->window_filters = reader->window_waits = reader->is_lent = false;
    reader->out_rows = 0;
    reader->batch_number = 0;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        column->window_is_read = column->flat.is_reading = false;
        column->is_expected = 2 * column->windows_read > reader->windows;
        column->windows_read = 0;
        column->locations = (arb_parquet_offset_index){0};
        arb_parquet_piece_reset(&column->offset_index, &base->reads);
        arb_parquet_piece_reset(&column->column_index, &base->reads);
        arb_parquet_sink_clear(&column->window);
        arb_parquet_sink_clear(&column->out);
        if (column->nested != NULL)
            arb_parquet_nested_release(column->nested, UINT64_MAX);
        else
            arb_parquet_chunk_release(&column->flat.chunk, UINT64_MAX);
    }
    reader->windows = 0;
    for (uint32_t i = 0; i < reader->request->filter_count; i++)
        arb_parquet_filter_leave_group(&reader->filters[i], &base->reads);
    arb_held_arena_rewind(&reader->split_arena);
    reader->window_limit = limit_window(reader);
    return ARB_OK;
}
