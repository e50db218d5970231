/* parquet_reader.c: the scan of one split.
 *
 * The rows of a split are looked at in windows of up to 2,048. For each window the columns of the conditions are read
 * first, cheapest and sharpest condition first; when no row is left, nothing else is touched, and a page without a
 * single surviving row is never decompressed. When most rows survive, the window becomes a batch with a selection. When
 * few do, the survivors of several windows are collected into one batch: the other columns are then decoded for these
 * rows alone.
 *
 * Nested columns are read by windows only, so with one of them in its output a reader gives every window with a survivor
 * as a batch. */
#include "base/alloc.h"
#include "base/clock.h"
#include "formats/parquet/nested_reader.h"
#include "formats/parquet/parquet_filter.h"
#include "formats/parquet/parquet_pruning.h"

enum {
    MEASURE_EVERY = 8, /* windows */
    SORT_EVERY = 16,
    NEARLY_FULL = ARB_VECTOR_ROWS - ARB_VECTOR_ROWS / 16
};

typedef struct reader_column {
    arb_parquet_nested *nested; /* of a nested column, which has no `flat`, `leaf` and sinks */
    arb_vector nested_window;
    arb_parquet_column flat;
    const arb_parquet_leaf *leaf;
    arb_str name;
    bool is_output;
    arb_parquet_sink window; /* rows of the current window, in their places */
    bool window_is_read;
    arb_parquet_sink out; /* collected survivors */
    arb_parquet_offset_index locations;
} reader_column;

typedef struct row_range {
    uint64_t first, end;
} row_range;

typedef struct parquet_reader {
    arb_split_reader base;
    const arb_parquet_file *file;
    const arb_scan_request *request;
    const arb_parquet_kernels *kernels;
    reader_column *columns;
    arb_parquet_filter *filters;
    arb_parquet_filter **order;
    arb_value_range *ranges; /* scratch: one a column of a filter */
    const arb_vector **inputs;
    arb_vector *input_vectors;
    arb_arena split_arena; /* page indexes */

    const arb_parquet_row_group *group;
    uint32_t group_number, split_number;
    uint64_t row, end; /* in the row group: next row to look at */
    row_range *skips;  /* rows that page statistics rule out, ascending */
    size_t skip_count, next_skip;

    bool gives_nested;
    uint32_t window_limit;
    uint64_t window_number, window_first;
    uint32_t window_rows, survivors;
    bool window_waits; /* filtered, not given yet */
    uint64_t selection[ARB_VECTOR_WORDS];
    uint16_t indices[ARB_VECTOR_ROWS];
    uint32_t out_rows;

    arb_batch batch;
    arb_vector *vectors;
    uint32_t batch_number;
} parquet_reader;

/* ---- life ---------------------------------------------------------------------------------------------------- */

static void reader_destroy(arb_split_reader *base)
{
    parquet_reader *reader = (parquet_reader *)base;
    for (uint32_t i = 0; reader->columns != NULL && i < reader->request->column_count; i++) {
        arb_parquet_nested_destroy(reader->columns[i].nested);
        arb_parquet_column_reset(&reader->columns[i].flat);
        arb_parquet_sink_reset(&reader->columns[i].window);
        arb_parquet_sink_reset(&reader->columns[i].out);
    }
    for (uint32_t i = 0; reader->filters != NULL && i < reader->request->filter_count; i++)
        arb_parquet_filter_reset(&reader->filters[i]);
    arb_arena_reset(&reader->split_arena);
    arb_free(reader->columns);
    arb_free(reader->filters);
    arb_free(reader->order);
    arb_free(reader->ranges);
    arb_free(reader->inputs);
    arb_free(reader->input_vectors);
    arb_free(reader->vectors);
    arb_free(reader);
}

static arb_code column_error(const parquet_reader *reader, const reader_column *column, arb_code code, arb_error *error)
{
    if (code != ARB_OK && code != ARB_OUT_OF_MEMORY)
        arb_error_context(error, "%.*s, column %.*s, row group %u", ARB_STR_ARGS(reader->file->base.path),
                          ARB_STR_ARGS(column->name), reader->group_number);
    return code;
}

static arb_code init_column(parquet_reader *reader, uint32_t number, arb_error *error)
{
    const arb_scan_column *wanted = &reader->request->columns[number];
    const arb_parquet_file *file = reader->file;
    if (wanted->source >= file->schema.column_count)
        return arb_fail(error, ARB_INTERNAL, "a scan asks for column %u of %u", wanted->source,
                        file->schema.column_count);
    reader_column *column = &reader->columns[number];
    const arb_parquet_node *node = &file->schema.columns[wanted->source];
    column->name = file->schema.names[wanted->source];
    column->is_output = !wanted->filter_only;
    if (node->unsupported != NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "%.*s, column %.*s: %s is not supported",
                        ARB_STR_ARGS(file->base.path), ARB_STR_ARGS(column->name), node->unsupported);
    arb_physical natural = arb_type_physical(node->type);
    if (wanted->physical != natural && !(arb_physical_is_integer(natural) && arb_physical_is_integer(wanted->physical)))
        return arb_fail(error, ARB_INTERNAL, "a scan asks for column %.*s as %s", ARB_STR_ARGS(column->name),
                        arb_physical_name(wanted->physical));
    if (node->shape != ARB_PARQUET_SHAPE_LEAF) {
        reader->gives_nested = reader->gives_nested || column->is_output;
        return arb_parquet_nested_create(file->source, &file->schema, node, &column->nested, error);
    }
    column->leaf = &file->schema.leaves[node->leaf];
    arb_parquet_column_init(&column->flat, file->source, column->leaf,
                            arb_parquet_target_make(wanted->physical, wanted->check_range, wanted->low, wanted->high));
    return ARB_OK;
}

static const arb_split_reader_vtable reader_vtable;

arb_code arb_parquet_reader_create(const arb_table_file *file, const arb_scan_request *request,
                                   arb_split_reader **out_reader, arb_error *error)
{
    *out_reader = NULL;
    parquet_reader *reader = arb_alloc_zeroed(sizeof *reader);
    if (reader == NULL)
        return arb_fail_memory(error, "a Parquet reader", sizeof *reader);
    reader->base.vtable = &reader_vtable;
    reader->file = (const arb_parquet_file *)file;
    reader->request = request;
    reader->kernels = arb_parquet_kernels_get();
    size_t columns = request->column_count, filters = request->filter_count, inputs = 1;
    for (uint32_t i = 0; i < filters; i++)
        inputs = ARB_MAX(inputs, request->filters[i]->column_count);
    reader->columns = arb_alloc_zeroed(sizeof *reader->columns * columns);
    reader->filters = arb_alloc_zeroed(sizeof *reader->filters * filters);
    reader->order = arb_alloc_zeroed(sizeof *reader->order * filters);
    reader->ranges = arb_alloc_zeroed(sizeof *reader->ranges * inputs);
    reader->inputs = arb_alloc_zeroed(sizeof *reader->inputs * inputs);
    reader->input_vectors = arb_alloc_zeroed(sizeof *reader->input_vectors * inputs);
    reader->vectors = arb_alloc_zeroed(sizeof *reader->vectors * columns);
    arb_code code = ARB_OK;
    if (reader->columns == NULL || reader->filters == NULL || reader->order == NULL || reader->ranges == NULL ||
        reader->inputs == NULL || reader->input_vectors == NULL || reader->vectors == NULL)
        code = arb_fail_memory(error, "a Parquet reader", sizeof *reader->columns * columns);
    for (uint32_t i = 0; code == ARB_OK && i < filters; i++) {
        arb_parquet_filter_init(&reader->filters[i], request->filters[i]);
        reader->order[i] = &reader->filters[i];
    }
    for (uint32_t i = 0; code == ARB_OK && i < columns; i++)
        code = init_column(reader, i, error);
    if (code != ARB_OK) {
        reader_destroy(&reader->base);
        return code;
    }
    arb_parquet_filters_sort(reader->order, request->filter_count);
    *out_reader = &reader->base;
    return ARB_OK;
}

/* ---- statistics ---------------------------------------------------------------------------------------------- */

static const arb_parquet_chunk_meta *chunk_meta(const parquet_reader *reader, const reader_column *column)
{
    return &reader->group->chunks[column->leaf - reader->file->schema.leaves];
}

/* What the row group's statistics and Bloom filters say about a filter. */
static arb_code judge_group(parquet_reader *reader, arb_parquet_filter *state, arb_filter_verdict *out_verdict,
                            arb_error *error)
{
    const arb_scan_filter *filter = state->filter;
    *out_verdict = ARB_FILTER_SOME_PASS;
    for (uint32_t i = 0; i < filter->column_count; i++) {
        const reader_column *column = &reader->columns[filter->columns[i]];
        reader->ranges[i] = column->nested != NULL ? (arb_value_range){.may_have_nulls = true}
                                                   : arb_parquet_chunk_range(column->leaf, chunk_meta(reader, column));
    }
    if (filter->vtable->judge != NULL)
        *out_verdict = filter->vtable->judge(filter, reader->ranges);
    state->is_settled = *out_verdict == ARB_FILTER_ALL_PASS;
    if (*out_verdict != ARB_FILTER_SOME_PASS || filter->column_count != 1)
        return ARB_OK;
    const reader_column *column = &reader->columns[filter->columns[0]];
    if (column->nested != NULL)
        return ARB_OK;
    bool may_pass;
    ARB_TRY(column_error(reader, column,
                         arb_parquet_bloom_may_pass(reader->file->source, column->leaf, chunk_meta(reader, column),
                                                    filter, &reader->split_arena, &may_pass, error),
                         error));
    if (!may_pass)
        *out_verdict = ARB_FILTER_NONE_PASS;
    return ARB_OK;
}

static arb_code add_skip(parquet_reader *reader, uint64_t first, uint64_t end, arb_error *error)
{
    if (reader->skip_count % 64 == 0) {
        row_range *grown = arb_arena_alloc(&reader->split_arena, sizeof *grown * (reader->skip_count + 64));
        if (grown == NULL)
            return arb_fail_memory(error, "page statistics", sizeof *grown * (reader->skip_count + 64));
        if (reader->skip_count != 0)
            memcpy(grown, reader->skips, sizeof *grown * reader->skip_count);
        reader->skips = grown;
    }
    size_t at = reader->skip_count++;
    for (; at > 0 && reader->skips[at - 1].first > first; at--)
        reader->skips[at] = reader->skips[at - 1];
    reader->skips[at] = (row_range){first, end};
    return ARB_OK;
}

/* Note the pages of the filter's one column in which no row passes. */
static arb_code judge_pages(parquet_reader *reader, arb_parquet_filter *state, arb_error *error)
{
    const arb_scan_filter *filter = state->filter;
    if (filter->column_count != 1 || filter->vtable->judge == NULL || state->is_settled)
        return ARB_OK;
    reader_column *column = &reader->columns[filter->columns[0]];
    const arb_parquet_offset_index *pages = &column->locations;
    arb_parquet_column_index index;
    if (pages->count < 2)
        return ARB_OK;
    ARB_TRY(arb_parquet_column_index_read(reader->file->source, chunk_meta(reader, column), &reader->split_arena,
                                          &index, error));
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

/* Skip what is left of the split. */
static void leave_split(parquet_reader *reader)
{
    reader->base.rows_skipped += reader->end - reader->row;
    reader->base.rows_read += reader->end - reader->row;
    reader->row = reader->end;
}

static arb_code judge_split(parquet_reader *reader, arb_error *error)
{
    for (uint32_t i = 0; i < reader->request->filter_count; i++) {
        arb_parquet_filter *state = &reader->filters[i];
        bool is_ready;
        arb_filter_verdict verdict;
        state->is_settled = false;
        ARB_TRY(arb_parquet_filter_check_ready(state, &is_ready, error));
        if (!is_ready)
            continue;
        ARB_TRY(judge_group(reader, state, &verdict, error));
        if (verdict == ARB_FILTER_NONE_PASS) {
            leave_split(reader);
            return ARB_OK;
        }
    }
    for (uint32_t i = 0; i < reader->request->filter_count; i++)
        if (reader->filters[i].is_ready)
            ARB_TRY(judge_pages(reader, &reader->filters[i], error));
    return ARB_OK;
}

static arb_code begin_column(parquet_reader *reader, reader_column *column, bool may_skip, arb_error *error)
{
    column->window_is_read = false;
    if (column->nested != NULL) {
        uint32_t limit = arb_parquet_nested_window(column->nested, reader->group);
        reader->window_limit = ARB_MIN(reader->window_limit, limit);
        arb_parquet_nested_release(column->nested, UINT64_MAX);
        return arb_parquet_nested_begin(column->nested, reader->group, error);
    }
    const arb_parquet_chunk_meta *meta = chunk_meta(reader, column);
    column->locations = (arb_parquet_offset_index){0};
    arb_parquet_sink_clear(&column->window);
    arb_parquet_sink_clear(&column->out);
    if (may_skip)
        ARB_TRY(
            arb_parquet_offset_index_read(reader->file->source, meta, &reader->split_arena, &column->locations, error));
    arb_parquet_chunk_release(&column->flat.chunk, UINT64_MAX);
    return arb_parquet_chunk_begin(&column->flat.chunk, meta, (uint64_t)reader->group->rows, &column->locations, error);
}

static arb_code reader_begin(arb_split_reader *base, const arb_split *split, arb_error *error)
{
    parquet_reader *reader = (parquet_reader *)base;
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
    reader->window_waits = false;
    reader->out_rows = 0;
    reader->batch_number = 0;
    reader->window_limit = ARB_VECTOR_ROWS;
    arb_arena_rewind(&reader->split_arena);
    bool may_skip = reader->request->filter_count != 0 || reader->row != 0;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        reader_column *column = &reader->columns[i];
        ARB_TRY(column_error(reader, column, begin_column(reader, column, may_skip, error), error));
    }
    return judge_split(reader, error);
}

/* ---- windows ------------------------------------------------------------------------------------------------- */

/* The next rows to look at: up to 2,048 that no page statistics rule out. False at the split's end. */
static bool next_window(parquet_reader *reader)
{
    uint64_t limit = reader->end;
    for (; reader->next_skip < reader->skip_count; reader->next_skip++) {
        const row_range *skip = &reader->skips[reader->next_skip];
        if (skip->end <= reader->row)
            continue;
        if (skip->first > reader->row) {
            limit = ARB_MIN(limit, skip->first);
            break;
        }
        uint64_t to = ARB_MIN(skip->end, reader->end);
        reader->base.rows_skipped += to - reader->row;
        reader->base.rows_read += to - reader->row;
        reader->row = to;
    }
    if (reader->row >= reader->end)
        return false;
    reader->window_number++;
    reader->window_first = reader->row;
    reader->window_rows = (uint32_t)ARB_MIN(limit - reader->row, reader->window_limit);
    reader->row += reader->window_rows;
    reader->base.rows_read += reader->window_rows;
    reader->survivors = reader->window_rows;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        reader->columns[i].window_is_read = false;
        reader->columns[i].flat.chunk.clock = reader->window_number;
    }
    return true;
}

static arb_code read_window(parquet_reader *reader, reader_column *column, bool want_codes, arb_error *error)
{
    if (column->window_is_read)
        return ARB_OK;
    if (column->nested != NULL) {
        column->window_is_read = true;
        return arb_parquet_nested_read(column->nested, reader->window_first, reader->window_rows, reader->window_number,
                                       &column->nested_window, error);
    }
    arb_parquet_sink_clear(&column->window);
    ARB_TRY(arb_parquet_column_read(&column->flat, reader->window_first, reader->window_rows, NULL, 0, want_codes,
                                    &column->window, error));
    column->window_is_read = true;
    return ARB_OK;
}

/* A filter on one column's entries: true when that could settle the window. */
static arb_code filter_by_entries(parquet_reader *reader, arb_parquet_filter *state, bool *out_done, arb_error *error)
{
    reader_column *column = &reader->columns[state->filter->columns[0]];
    arb_parquet_chunk *chunk = &column->flat.chunk;
    bool useful = column->window_is_read && column->window.has_codes;
    *out_done = false;
    if (!column->window_is_read)
        ARB_TRY(arb_parquet_column_has_useful_codes(&column->flat, reader->window_first, &useful, error));
    if (!useful)
        return ARB_OK;
    ARB_TRY(arb_parquet_filter_entries(state, &chunk->dictionary, error));
    uint64_t page_end = chunk->page.first_row + chunk->page.rows;
    if (!column->window_is_read && state->passing == 0 && page_end >= reader->window_first + reader->window_rows) {
        /* None of the page's rows passes: go on behind it. */
        reader->survivors = 0;
        uint64_t to = ARB_MIN(ARB_MAX(page_end, reader->row), reader->end);
        reader->base.rows_read += to - reader->row;
        reader->row = to;
        *out_done = true;
        return ARB_OK;
    }
    ARB_TRY(read_window(reader, column, true, error));
    if (!column->window.has_codes)
        return ARB_OK;
    size_t words = arb_bitmap_words(reader->window_rows);
    if (state->passing != chunk->dictionary.count) {
        uint64_t bits[ARB_VECTOR_WORDS];
        reader->kernels->lookup_bits(state->passes, column->window.codes, reader->window_rows, bits);
        for (size_t i = 0; i < words; i++)
            reader->selection[i] &= bits[i];
    }
    if (column->window.has_nulls)
        for (size_t i = 0; i < words; i++)
            reader->selection[i] &= column->window.storage.validity[i];
    *out_done = true;
    return ARB_OK;
}

static arb_code filter_by_rows(parquet_reader *reader, arb_parquet_filter *state, arb_error *error)
{
    const arb_scan_filter *filter = state->filter;
    bool keep_codes = reader->request->keep_dictionaries;
    for (uint32_t i = 0; i < filter->column_count; i++) {
        reader_column *column = &reader->columns[filter->columns[i]];
        const arb_parquet_dictionary *dictionary = &column->flat.chunk.dictionary;
        bool useful = false;
        arb_code code = ARB_OK;
        reader->inputs[i] = &reader->input_vectors[i];
        if (column->nested != NULL) {
            code = read_window(reader, column, false, error);
            ARB_TRY(column_error(reader, column, code, error));
            reader->input_vectors[i] = column->nested_window;
            continue;
        }
        if (!column->window_is_read && keep_codes)
            code = arb_parquet_column_has_useful_codes(&column->flat, reader->window_first, &useful, error);
        if (code == ARB_OK)
            code = read_window(reader, column, useful, error);
        if (code == ARB_OK && !keep_codes)
            code = arb_parquet_sink_flatten(&column->window, dictionary, column->flat.chunk.target.physical, error);
        ARB_TRY(column_error(reader, column, code, error));
        reader->input_vectors[i] = arb_parquet_sink_vector(&column->window, dictionary);
    }
    return filter->vtable->apply(filter, state->local, reader->inputs, reader->window_rows, reader->selection, error);
}

/* Apply one filter to the window; sets `survivors`. */
static arb_code filter_window_by(parquet_reader *reader, arb_parquet_filter *state, arb_error *error)
{
    bool done = false, measure = reader->window_number % MEASURE_EVERY == 0;
    int64_t begin = measure ? arb_clock_monotonic_ns() : 0;
    uint32_t before = reader->survivors;
    if (state->filter->per_entry && reader->columns[state->filter->columns[0]].nested == NULL) {
        const reader_column *column = &reader->columns[state->filter->columns[0]];
        ARB_TRY(column_error(reader, column, filter_by_entries(reader, state, &done, error), error));
    }
    if (!done)
        ARB_TRY(filter_by_rows(reader, state, error));
    if (reader->survivors != 0)
        reader->survivors = (uint32_t)arb_bitmap_count(reader->selection, reader->window_rows);
    if (measure) {
        state->nanoseconds += (double)(arb_clock_monotonic_ns() - begin);
        state->measured_rows += before;
    }
    state->rows_in += before;
    state->rows_out += reader->survivors;
    return ARB_OK;
}

static arb_code filter_window(parquet_reader *reader, arb_error *error)
{
    uint32_t filter_count = reader->request->filter_count;
    if (filter_count == 0)
        return ARB_OK;
    arb_bitmap_fill(reader->selection, reader->window_rows);
    if (filter_count > 1 && reader->window_number % SORT_EVERY == 0)
        arb_parquet_filters_sort(reader->order, filter_count);
    for (uint32_t i = 0; i < filter_count && reader->survivors != 0; i++) {
        arb_parquet_filter *state = reader->order[i];
        if (!state->is_ready) {
            bool is_ready;
            arb_filter_verdict verdict;
            ARB_TRY(arb_parquet_filter_check_ready(state, &is_ready, error));
            if (!is_ready)
                continue;
            ARB_TRY(judge_group(reader, state, &verdict, error));
            if (verdict == ARB_FILTER_NONE_PASS) {
                leave_split(reader);
                reader->survivors = 0;
                return ARB_OK;
            }
        }
        if (!state->is_settled)
            ARB_TRY(filter_window_by(reader, state, error));
    }
    return ARB_OK;
}

/* ---- batches ------------------------------------------------------------------------------------------------- */

static const arb_batch *finish_batch(parquet_reader *reader, uint32_t rows, uint32_t selected)
{
    reader->batch = (arb_batch){.rows = rows,
                                .selected = selected,
                                .selection = selected == rows ? NULL : reader->selection,
                                .column_count = reader->request->column_count,
                                .columns = reader->vectors,
                                .sequence = ((uint64_t)reader->split_number << 32) + reader->batch_number++};
    return &reader->batch;
}

static arb_code useful_codes(parquet_reader *reader, reader_column *column, bool *out_useful, arb_error *error)
{
    *out_useful = false;
    return reader->request->keep_dictionaries
               ? arb_parquet_column_has_useful_codes(&column->flat, reader->window_first, out_useful, error)
               : ARB_OK;
}

static arb_code give_vector(parquet_reader *reader, reader_column *column, arb_parquet_sink *sink, arb_vector *out,
                            arb_error *error)
{
    const arb_parquet_dictionary *dictionary = &column->flat.chunk.dictionary;
    if (!reader->request->keep_dictionaries)
        ARB_TRY(arb_parquet_sink_flatten(sink, dictionary, column->flat.chunk.target.physical, error));
    *out = arb_parquet_sink_vector(sink, dictionary);
    return ARB_OK;
}

/* The whole window as a batch with a selection. */
static arb_code give_window(parquet_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        reader_column *column = &reader->columns[i];
        if (!column->is_output)
            continue;
        ARB_TRY(arb_check_stop(reader->request->stop, error));
        bool useful = false;
        arb_code code = ARB_OK;
        if (!column->window_is_read && column->nested == NULL)
            code = useful_codes(reader, column, &useful, error);
        if (code == ARB_OK)
            code = read_window(reader, column, useful, error);
        if (code == ARB_OK && column->nested != NULL)
            reader->vectors[i] = column->nested_window;
        else if (code == ARB_OK)
            code = give_vector(reader, column, &column->window, &reader->vectors[i], error);
        ARB_TRY(column_error(reader, column, code, error));
    }
    *out_batch = finish_batch(reader, reader->window_rows, reader->survivors);
    return ARB_OK;
}

static arb_code collect_column(parquet_reader *reader, reader_column *column, arb_error *error)
{
    if (column->window_is_read)
        return arb_parquet_sink_pick(&column->out, &column->window, &column->flat.chunk.dictionary,
                                     column->flat.chunk.target.physical, reader->indices, reader->survivors, error);
    bool useful = false;
    if (column->out.rows == 0) {
        uint64_t first = reader->window_first + reader->indices[0];
        if (reader->request->keep_dictionaries)
            ARB_TRY(arb_parquet_column_has_useful_codes(&column->flat, first, &useful, error));
    }
    return arb_parquet_column_read(&column->flat, reader->window_first, reader->window_rows, reader->indices,
                                   reader->survivors, useful, &column->out, error);
}

/* Add the window's survivors to those collected. */
static arb_code collect_window(parquet_reader *reader, arb_error *error)
{
    arb_bitmap_indices(reader->selection, reader->window_rows, reader->indices);
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        reader_column *column = &reader->columns[i];
        if (column->is_output)
            ARB_TRY(column_error(reader, column, collect_column(reader, column, error), error));
    }
    reader->out_rows += reader->survivors;
    return ARB_OK;
}

static arb_code give_collected(parquet_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        reader_column *column = &reader->columns[i];
        if (column->is_output)
            ARB_TRY(column_error(reader, column, give_vector(reader, column, &column->out, &reader->vectors[i], error),
                                 error));
    }
    *out_batch = finish_batch(reader, reader->out_rows, reader->out_rows);
    return ARB_OK;
}

/* The batch that was lent is back: its memory may be used again, but for what the waiting window refers to. */
static void take_back(parquet_reader *reader)
{
    uint64_t before = reader->window_waits ? reader->window_number : reader->window_number + 1;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        reader_column *column = &reader->columns[i];
        if (column->nested != NULL) {
            arb_parquet_nested_release(column->nested, before);
            bytes += arb_parquet_nested_bytes_read(column->nested);
            continue;
        }
        arb_parquet_chunk_release(&column->flat.chunk, before);
        arb_parquet_sink_clear(&column->out);
        bytes += column->flat.chunk.bytes_read;
    }
    reader->base.bytes_read = bytes;
    reader->out_rows = 0;
}

static arb_code reader_next(arb_split_reader *base, const arb_batch **out_batch, arb_error *error)
{
    parquet_reader *reader = (parquet_reader *)base;
    *out_batch = NULL;
    take_back(reader);
    for (;;) {
        if (!reader->window_waits) {
            ARB_TRY(arb_check_stop(reader->request->stop, error));
            if (!next_window(reader))
                return reader->out_rows == 0 ? ARB_OK : give_collected(reader, out_batch, error);
            ARB_TRY(filter_window(reader, error));
            if (reader->survivors == 0)
                continue;
            reader->window_waits = true;
        }
        bool is_dense = 2 * reader->survivors >= reader->window_rows || reader->gives_nested;
        if (reader->out_rows != 0 && (is_dense || reader->out_rows + reader->survivors > ARB_VECTOR_ROWS))
            return give_collected(reader, out_batch, error);
        reader->window_waits = false;
        if (is_dense)
            return give_window(reader, out_batch, error);
        ARB_TRY(collect_window(reader, error));
        if (reader->out_rows >= NEARLY_FULL)
            return give_collected(reader, out_batch, error);
    }
}

static const arb_split_reader_vtable reader_vtable = {
    .destroy = reader_destroy, .begin = reader_begin, .next = reader_next};
