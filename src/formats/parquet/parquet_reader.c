/* parquet_reader.c: the scan of one split.
 *
 * The rows of a split are looked at in windows of up to 2,048. For each window the columns of the conditions are read
 * first, cheapest and sharpest condition first; when no row is left, nothing else is touched, and a page without a
 * single surviving row is never decompressed. When most rows survive, the window becomes a batch with a selection. When
 * few do, the survivors of several windows are collected into one batch: the other columns are then decoded for these
 * rows alone.
 *
 * Nested columns are read by windows only, so with one of them in its output a reader gives every window with a survivor
 * as a batch.
 *
 * Whenever bytes are not there, `next` returns and is called again (scan.h). It then finds its place by what it has done:
 *
 *     is_prepared      statistics and indexes of the split were asked
 *     window_filters   a window is there; next_filter is the one that is being applied
 *     window_waits     its survivors are known, but not given
 *
 * and by what each column has done: window_is_read, is_collected, and is_reading within one window. Where several columns
 * are needed in any case, all of them are asked before the first is waited for. */
#include "formats/parquet/parquet_reader.h"

#include "base/alloc.h"
#include "base/clock.h"

enum {
    MEASURE_EVERY = 8, /* windows */
    SORT_EVERY = 16,
    NEARLY_FULL = ARB_VECTOR_ROWS - ARB_VECTOR_ROWS / 16,
    PAGES_ASIDE = 16 << 20, /* bytes of pages that survivors may refer to before they are given */
};

/* ---- life ---------------------------------------------------------------------------------------------------- */

static void reader_destroy(arb_split_reader *base)
{
    arb_parquet_reader *reader = (arb_parquet_reader *)base;
    for (uint32_t i = 0; reader->columns != NULL && i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        arb_parquet_nested_destroy(column->nested);
        arb_parquet_column_reset(&column->flat);
        arb_parquet_sink_reset(&column->window);
        arb_parquet_sink_reset(&column->out);
        arb_parquet_piece_reset(&column->offset_index, &base->reads);
        arb_parquet_piece_reset(&column->column_index, &base->reads);
    }
    for (uint32_t i = 0; reader->filters != NULL && i < reader->request->filter_count; i++)
        arb_parquet_filter_reset(&reader->filters[i], &base->reads);
    arb_held_arena_reset(&reader->group_arena);
    arb_reservation_reset(&base->held);
    arb_free(reader->columns);
    arb_free(reader->filters);
    arb_free(reader->order);
    arb_free(reader->ranges);
    arb_free(reader->inputs);
    arb_free(reader->input_vectors);
    arb_free(reader->vectors);
    arb_free(reader);
}

static arb_code init_column(arb_parquet_reader *reader, uint32_t number, arb_error *error)
{
    const arb_scan_column *wanted = &reader->request->columns[number];
    const arb_parquet_file *file = reader->file;
    reader->columns[number].is_unread = wanted->unread;
    if (wanted->unread)
        return ARB_OK;
    if (wanted->source >= file->schema.column_count)
        return arb_fail(error, ARB_INTERNAL, "a scan asks for column %u of %u", wanted->source,
                        file->schema.column_count);
    arb_parquet_reader_column *column = &reader->columns[number];
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
        return arb_parquet_nested_create(file->source, &file->schema, node, &reader->base.reads, &reader->base.held,
                                         &column->nested, error);
    }
    column->leaf = &file->schema.leaves[node->leaf];
    column->window.held = column->out.held = &reader->base.held;
    arb_parquet_column_init(&column->flat, file->source, column->leaf,
                            arb_parquet_target_make(wanted->physical, wanted->check_range, wanted->low, wanted->high),
                            &reader->base.reads, &reader->base.held);
    return ARB_OK;
}

static const arb_split_reader_vtable reader_vtable;

arb_code arb_parquet_reader_create(const arb_table_file *file, const arb_scan_request *request,
                                   arb_split_reader **out_reader, arb_error *error)
{
    *out_reader = NULL;
    arb_parquet_reader *reader = arb_alloc_zeroed(sizeof *reader);
    if (reader == NULL)
        return arb_fail_memory(error, "a Parquet reader", sizeof *reader);
    arb_split_reader_init(&reader->base, &reader_vtable, request);
    reader->file = (const arb_parquet_file *)file;
    reader->request = request;
    reader->kernels = arb_parquet_kernels_get();
    reader->group_arena.held = &reader->base.held;
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
    if (code == ARB_OK)
        code = arb_held_take(&reader->base.held, sizeof *reader + sizeof *reader->columns * columns, error);
    for (uint32_t i = 0; code == ARB_OK && i < filters; i++) {
        arb_parquet_filter_init(&reader->filters[i], request->filters[i], &reader->base.held);
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

/* ---- windows ------------------------------------------------------------------------------------------------- */

/* The next rows to look at: up to 2,048 that no page statistics rule out. False at the split's end. */
static bool next_window(arb_parquet_reader *reader)
{
    uint64_t limit = reader->end;
    for (; reader->next_skip < reader->skips.size; reader->next_skip++) {
        const arb_parquet_row_range *skip = &reader->skips.data[reader->next_skip];
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
    reader->windows++;
    reader->window_first = reader->row;
    reader->window_rows = (uint32_t)ARB_MIN(limit - reader->row, reader->window_limit);
    reader->row += reader->window_rows;
    reader->base.rows_read += reader->window_rows;
    reader->survivors = reader->window_rows;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        reader->columns[i].window_is_read = reader->columns[i].is_collected = false;
        reader->columns[i].flat.chunk.clock = reader->window_number;
    }
    return true;
}

static arb_code read_window(arb_parquet_reader *reader, arb_parquet_reader_column *column, bool want_codes,
                            arb_error *error)
{
    if (column->window_is_read)
        return ARB_OK;
    if (column->nested != NULL) {
        ARB_TRY(arb_parquet_nested_read(column->nested, reader->window_first, reader->window_rows,
                                        reader->window_number, &column->nested_window, error));
        column->window_is_read = true;
        return ARB_OK;
    }
    if (!column->flat.is_reading)
        arb_parquet_sink_clear(&column->window);
    ARB_TRY(arb_parquet_column_read(&column->flat, reader->window_first, reader->window_rows, NULL, 0, want_codes,
                                    &column->window, error));
    column->window_is_read = true;
    column->windows_read++;
    return ARB_OK;
}

static arb_code give_vector(arb_parquet_reader *reader, arb_parquet_reader_column *column, arb_parquet_sink *sink,
                            arb_vector *out, arb_error *error)
{
    const arb_parquet_dictionary *dictionary = &column->flat.chunk.dictionary;
    if (!reader->request->keep_dictionaries)
        ARB_TRY(arb_parquet_sink_flatten(sink, dictionary, column->flat.chunk.target.physical, error));
    *out = arb_parquet_sink_vector(sink, dictionary);
    return ARB_OK;
}

/* Are codes of use for the rows from `row` on? Of a read that has begun that is settled. */
static arb_code useful_codes(arb_parquet_reader *reader, arb_parquet_reader_column *column, uint64_t row,
                             bool *out_useful, arb_error *error)
{
    *out_useful = false;
    return reader->request->keep_dictionaries && !column->flat.is_reading
               ? arb_parquet_column_has_useful_codes(&column->flat, row, out_useful, error)
               : ARB_OK;
}

/* A filter on one column's entries: true when that could settle the window. */
static arb_code filter_by_entries(arb_parquet_reader *reader, arb_parquet_filter *state, bool *out_done,
                                  arb_error *error)
{
    arb_parquet_reader_column *column = &reader->columns[state->filter->columns[0]];
    arb_parquet_chunk *chunk = &column->flat.chunk;
    *out_done = false;
    if (!column->window_is_read && !column->flat.is_reading) {
        bool useful;
        ARB_TRY(arb_parquet_column_has_useful_codes(&column->flat, reader->window_first, &useful, error));
        if (!useful)
            return ARB_OK;
        ARB_TRY(arb_parquet_filter_entries(state, &chunk->dictionary, error));
        uint64_t page_end = chunk->page.first_row + chunk->page.rows;
        if (state->passing == 0 && page_end >= reader->window_first + reader->window_rows) {
            /* None of the page's rows passes: go on behind it. */
            reader->survivors = 0;
            uint64_t to = ARB_MIN(ARB_MAX(page_end, reader->row), reader->end);
            reader->base.rows_read += to - reader->row;
            reader->row = to;
            *out_done = true;
            return ARB_OK;
        }
    }
    ARB_TRY(read_window(reader, column, true, error));
    if (!column->window.has_codes)
        return ARB_OK;
    ARB_TRY(arb_parquet_filter_entries(state, &chunk->dictionary, error));
    size_t words = arb_bitmap_words(reader->window_rows);
    if (state->passing != chunk->dictionary.count) {
        uint64_t bits[ARB_VECTOR_WORDS];
        reader->kernels->lookup_bits(state->passes.data, column->window.codes, reader->window_rows, bits);
        for (size_t i = 0; i < words; i++)
            reader->selection[i] &= bits[i];
    }
    if (column->window.has_nulls)
        for (size_t i = 0; i < words; i++)
            reader->selection[i] &= column->window.storage.validity[i];
    *out_done = true;
    return ARB_OK;
}

/* The window's rows of a column, for a filter. */
static arb_code filter_input(arb_parquet_reader *reader, arb_parquet_reader_column *column, arb_vector *out,
                             arb_error *error)
{
    bool useful = false;
    if (column->nested != NULL) {
        ARB_TRY(read_window(reader, column, false, error));
        *out = column->nested_window;
        return ARB_OK;
    }
    if (!column->window_is_read)
        ARB_TRY(useful_codes(reader, column, reader->window_first, &useful, error));
    ARB_TRY(read_window(reader, column, useful, error));
    return give_vector(reader, column, &column->window, out, error);
}

static arb_code filter_by_rows(arb_parquet_reader *reader, arb_parquet_filter *state, arb_error *error)
{
    const arb_scan_filter *filter = state->filter;
    bool waits = false;
    for (uint32_t i = 0; i < filter->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[filter->columns[i]];
        reader->inputs[i] = &reader->input_vectors[i];
        arb_code code = filter_input(reader, column, &reader->input_vectors[i], error);
        if (!arb_parquet_just_waits(code, &waits))
            ARB_TRY(arb_parquet_reader_column_error(reader, column, code, error));
    }
    if (waits)
        return ARB_WOULD_WAIT;
    return filter->vtable->apply(filter, state->local, reader->inputs, reader->window_rows, reader->selection, error);
}

/* Apply one filter to the window; sets `survivors`. */
static arb_code filter_window_by(arb_parquet_reader *reader, arb_parquet_filter *state, arb_error *error)
{
    bool done = false, measure = reader->window_number % MEASURE_EVERY == 0;
    int64_t begin = measure ? arb_clock_monotonic_ns() : 0;
    uint32_t before = reader->survivors;
    if (state->filter->per_entry && reader->columns[state->filter->columns[0]].nested == NULL) {
        const arb_parquet_reader_column *column = &reader->columns[state->filter->columns[0]];
        ARB_TRY(arb_parquet_reader_column_error(reader, column, filter_by_entries(reader, state, &done, error), error));
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

/* A filter that became known only now: what do the row group's statistics say? */
static arb_code judge_late(arb_parquet_reader *reader, arb_parquet_filter *state, bool *out_ready, arb_error *error)
{
    arb_filter_verdict verdict;
    ARB_TRY(arb_parquet_filter_check_ready(state, out_ready, error));
    if (!*out_ready)
        return ARB_OK;
    ARB_TRY(arb_parquet_reader_judge(reader, state, &verdict, error));
    if (verdict == ARB_FILTER_NONE_PASS) {
        arb_parquet_reader_leave_split(reader);
        reader->survivors = 0;
    }
    return ARB_OK;
}

static void begin_filters(arb_parquet_reader *reader)
{
    uint32_t filter_count = reader->request->filter_count;
    reader->window_filters = true;
    reader->next_filter = 0;
    if (filter_count == 0)
        return;
    arb_bitmap_fill(reader->selection, reader->window_rows);
    if (filter_count > 1 && reader->window_number % SORT_EVERY == 0)
        arb_parquet_filters_sort(reader->order, filter_count);
}

/* Apply the filters, from the next one on. */
static arb_code filter_window(arb_parquet_reader *reader, arb_error *error)
{
    uint32_t filter_count = reader->request->filter_count;
    for (; reader->next_filter < filter_count && reader->survivors != 0; reader->next_filter++) {
        arb_parquet_filter *state = reader->order[reader->next_filter];
        bool is_ready = true;
        if (!state->is_judged)
            ARB_TRY(judge_late(reader, state, &is_ready, error));
        if (is_ready && state->verdict != ARB_FILTER_ALL_PASS && reader->survivors != 0)
            ARB_TRY(filter_window_by(reader, state, error));
    }
    return ARB_OK;
}

/* ---- batches ------------------------------------------------------------------------------------------------- */

static const arb_batch *finish_batch(arb_parquet_reader *reader, uint32_t rows, uint32_t selected)
{
    reader->batch = (arb_batch){.rows = rows,
                                .selected = selected,
                                .selection = selected == rows ? NULL : reader->selection,
                                .column_count = reader->request->column_count,
                                .columns = reader->vectors,
                                .sequence = ((uint64_t)reader->split_number << 32) + reader->batch_number++};
    return &reader->batch;
}

static arb_code give_column(arb_parquet_reader *reader, arb_parquet_reader_column *column, arb_vector *out,
                            arb_error *error)
{
    bool useful = false;
    if (column->nested == NULL && !column->window_is_read)
        ARB_TRY(useful_codes(reader, column, reader->window_first, &useful, error));
    ARB_TRY(read_window(reader, column, useful, error));
    if (column->nested == NULL)
        return give_vector(reader, column, &column->window, out, error);
    *out = column->nested_window;
    return ARB_OK;
}

/* The whole window as a batch with a selection. */
static arb_code give_window(arb_parquet_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    bool waits = false;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        if (!column->is_output)
            continue;
        ARB_TRY(arb_check_stop(reader->request->stop, error));
        arb_code code = give_column(reader, column, &reader->vectors[i], error);
        if (!arb_parquet_just_waits(code, &waits))
            ARB_TRY(arb_parquet_reader_column_error(reader, column, code, error));
    }
    if (waits)
        return ARB_WOULD_WAIT;
    *out_batch = finish_batch(reader, reader->window_rows, reader->survivors);
    return ARB_OK;
}

static arb_code collect_column(arb_parquet_reader *reader, arb_parquet_reader_column *column, arb_error *error)
{
    if (column->window_is_read)
        return arb_parquet_sink_pick(&column->out, &column->window, &column->flat.chunk.dictionary,
                                     column->flat.chunk.target.physical, reader->indices, reader->survivors, error);
    bool useful = false;
    if (column->out.rows == 0)
        ARB_TRY(useful_codes(reader, column, reader->window_first + reader->indices[0], &useful, error));
    ARB_TRY(arb_parquet_column_read(&column->flat, reader->window_first, reader->window_rows, reader->indices,
                                    reader->survivors, useful, &column->out, error));
    column->windows_read++;
    return ARB_OK;
}

/* Add the window's survivors to those collected. */
static arb_code collect_window(arb_parquet_reader *reader, arb_error *error)
{
    bool waits = false;
    arb_bitmap_indices(reader->selection, reader->window_rows, reader->indices);
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        if (!column->is_output || column->is_collected)
            continue;
        arb_code code = collect_column(reader, column, error);
        if (arb_parquet_just_waits(code, &waits))
            continue;
        ARB_TRY(arb_parquet_reader_column_error(reader, column, code, error));
        column->is_collected = true;
    }
    if (waits)
        return ARB_WOULD_WAIT;
    reader->out_rows += reader->survivors;
    return ARB_OK;
}

/* Do the survivors that were collected keep much more memory than they need? */
static bool keeps_many_pages(const arb_parquet_reader *reader)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < reader->request->column_count; i++)
        bytes += reader->columns[i].flat.chunk.aside_bytes;
    return bytes > PAGES_ASIDE;
}

static arb_code give_collected(arb_parquet_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        if (column->is_output)
            ARB_TRY(arb_parquet_reader_column_error(
                reader, column, give_vector(reader, column, &column->out, &reader->vectors[i], error), error));
    }
    *out_batch = finish_batch(reader, reader->out_rows, reader->out_rows);
    return ARB_OK;
}

/* The batch that was lent is back: its memory may be used again, but for what the waiting window refers to. */
static void take_back(arb_parquet_reader *reader)
{
    uint64_t before = reader->window_waits ? reader->window_number : reader->window_number + 1;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        arb_parquet_reader_column *column = &reader->columns[i];
        if (column->nested != NULL) {
            arb_parquet_nested_release(column->nested, before);
            continue;
        }
        arb_parquet_chunk_release(&column->flat.chunk, before);
        arb_parquet_sink_clear(&column->out);
    }
    reader->out_rows = 0;
}

static void count_bytes(arb_parquet_reader *reader)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < reader->request->column_count; i++) {
        const arb_parquet_reader_column *column = &reader->columns[i];
        bytes += column->nested != NULL ? arb_parquet_nested_bytes_read(column->nested)
                                        : column->flat.chunk.input.bytes_read;
    }
    reader->base.bytes_read = bytes;
}

/* The next window with survivors. *out_found is false at the split's end. */
static arb_code find_window(arb_parquet_reader *reader, bool *out_found, arb_error *error)
{
    *out_found = true;
    while (!reader->window_waits) {
        ARB_TRY(arb_check_stop(reader->request->stop, error));
        if (!reader->window_filters) {
            *out_found = next_window(reader);
            if (!*out_found)
                return ARB_OK;
            begin_filters(reader);
        }
        ARB_TRY(filter_window(reader, error));
        reader->window_filters = false;
        reader->window_waits = reader->survivors != 0;
    }
    return ARB_OK;
}

static arb_code give_next(arb_parquet_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    if (!reader->is_prepared)
        ARB_TRY(arb_parquet_reader_prepare(reader, error));
    for (;;) {
        bool found;
        ARB_TRY(find_window(reader, &found, error));
        if (!found)
            return reader->out_rows == 0 ? ARB_OK : give_collected(reader, out_batch, error);
        bool is_dense = 2 * reader->survivors >= reader->window_rows || reader->gives_nested;
        if (reader->out_rows != 0 && (is_dense || reader->out_rows + reader->survivors > ARB_VECTOR_ROWS))
            return give_collected(reader, out_batch, error);
        ARB_TRY(is_dense ? give_window(reader, out_batch, error) : collect_window(reader, error));
        reader->window_waits = false;
        if (is_dense)
            return ARB_OK;
        if (reader->out_rows >= NEARLY_FULL || keeps_many_pages(reader))
            return give_collected(reader, out_batch, error);
    }
}

static arb_code reader_next(arb_split_reader *base, const arb_batch **out_batch, arb_error *error)
{
    arb_parquet_reader *reader = (arb_parquet_reader *)base;
    *out_batch = NULL;
    if (reader->is_lent)
        take_back(reader);
    arb_code code = give_next(reader, out_batch, error);
    reader->is_lent = *out_batch != NULL;
    count_bytes(reader);
    return code;
}

static const arb_split_reader_vtable reader_vtable = {
    .destroy = reader_destroy, .begin = arb_parquet_reader_begin, .next = reader_next};
