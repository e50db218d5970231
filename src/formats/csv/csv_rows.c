#include "formats/csv/csv_rows.h"

enum { ROW_MOST = 64 << 20 };

void arb_csv_rows_init(arb_csv_rows *rows, const arb_csv_file *file, arb_read_queue *queue, arb_reservation *held,
                       arb_stop_flag *stop)
{
    rows->file = file;
    rows->stop = stop;
    arb_byte_window_init(&rows->window, file->source, queue, held);
}

void arb_csv_rows_reset(arb_csv_rows *rows)
{
    arb_byte_window_reset(&rows->window);
}

void arb_csv_rows_begin(arb_csv_rows *rows, size_t range)
{
    arb_csv_ranges *ranges = rows->file->ranges;
    rows->end_offset = ARB_MIN((range + 1) * ranges->range_bytes, ranges->source->identity.size);
    rows->search =
        (arb_csv_search){.ranges = ranges, .window = &rows->window, .positions = rows->ends, .stop = rows->stop};
    arb_csv_search_begin(&rows->search, range);
    rows->is_searching = true;
    rows->is_cutting = rows->has_fault = false;
    rows->data = NULL;
    rows->base = rows->loaded = rows->indexed = rows->end_at = rows->end_count = 0;
    rows->row_begin = rows->cell_begin = rows->cell = rows->rows = 0;
}

/* Find the split's first row. */
static arb_code search(arb_csv_rows *rows, arb_error *error)
{
    bool in_quotes;
    ARB_TRY(arb_csv_search_end(&rows->search, &rows->split_offset, &in_quotes, error));
    rows->is_searching = false;
    rows->state = in_quotes ? (arb_csv_state){.in_quotes = true} : arb_csv_state_at_row();
    rows->skip_first = in_quotes;
    rows->finished = rows->search.range < rows->search.ranges->first || rows->split_offset >= rows->end_offset;
    return ARB_OK;
}

arb_code arb_csv_rows_find_line(arb_csv_rows *rows, uint64_t *out_line, arb_error *error)
{
    const arb_byte_source *source = rows->file->source;
    uint64_t end = rows->split_offset + rows->fault;
    while (rows->counted < end) {
        const uint8_t *data;
        size_t here = (size_t)ARB_MIN(end - rows->counted, (uint64_t)source->read_ahead);
        ARB_TRY(arb_check_stop(rows->stop, error));
        ARB_TRY(arb_byte_window_get(&rows->window, rows->counted, here, here, end, &data, error));
        for (size_t i = 0; i < here; i++)
            rows->lines += data[i] == rows->file->layout.dialect.newline;
        rows->counted += here;
    }
    *out_line = rows->lines + 1;
    return ARB_OK;
}

static arb_code too_long(arb_csv_rows *rows, arb_error *error)
{
    arb_code code = arb_fail(error, ARB_LIMIT_EXCEEDED, "the row is longer than %d MiB", ROW_MOST >> 20);
    if (rows->state.in_quotes)
        arb_error_hint(error, "A quote in it is not closed; are these quotes at all?");
    arb_csv_rows_blame(rows, rows->row_begin);
    return code;
}

/* Have bytes behind those that are there. What is in front of the first row that was cut is not needed. */
static arb_code load(arb_csv_rows *rows, arb_error *error)
{
    uint64_t total = rows->file->source->identity.size, end = ARB_MIN(rows->end_offset, total);
    uint64_t offset = rows->split_offset + rows->loaded, first = rows->split_offset + rows->base;
    /* Behind the split only the rest of one row is wanted. */
    uint64_t part = rows->file->source->read_ahead;
    uint64_t wanted = offset < end ? ARB_MIN(end - offset, part) : part / 16 + 1;
    size_t held = rows->loaded - rows->base, most = held + (size_t)ARB_MIN(wanted, total - offset);
    if (rows->loaded - rows->row_begin > ROW_MOST)
        return too_long(rows, error);
    ARB_TRY(arb_byte_window_get(&rows->window, first, held + 1, most, ARB_MAX(end, first + most), &rows->data, error));
    rows->loaded = (uint32_t)(rows->window.offset + rows->window.size - rows->split_offset);
    return ARB_OK;
}

/* Find further ends of cells; at the file's end, the end of its last line. */
static arb_code find_ends(arb_csv_rows *rows, arb_error *error)
{
    bool at_end = rows->split_offset + rows->loaded == rows->file->source->identity.size;
    ARB_TRY(arb_check_stop(rows->stop, error));
    if (rows->indexed == rows->loaded && !at_end) {
        ARB_TRY(load(rows, error));
        at_end = rows->split_offset + rows->loaded == rows->file->source->identity.size;
    }
    rows->end_at = rows->end_count = 0;
    if (rows->indexed < rows->loaded) {
        uint32_t size = ARB_MIN(rows->loaded - rows->indexed, (uint32_t)ARB_CSV_PIECE);
        rows->end_count = (uint32_t)arb_csv_kernels_get()->index(rows->data + (rows->indexed - rows->base), size,
                                                                 &rows->file->layout.dialect, &rows->state,
                                                                 rows->indexed, rows->ends);
        rows->indexed += size;
    } else if (rows->row_begin == rows->loaded) {
        rows->finished = true;
    } else if (rows->state.in_quotes && !rows->skip_first) {
        arb_code code = arb_fail(error, ARB_BAD_COPY_FORMAT, "a quote is not closed");
        arb_csv_rows_blame(rows, rows->row_begin);
        return code;
    } else { /* as if a line's end were there */
        rows->ends[rows->end_count++] = rows->loaded;
    }
    return ARB_OK;
}

static arb_code wrong_width(arb_csv_rows *rows, uint32_t cells, arb_error *error)
{
    arb_code code = arb_fail(error, ARB_BAD_COPY_FORMAT, "the row has %u column%s instead of %zu", cells,
                             cells == 1 ? "" : "s", rows->width);
    arb_csv_rows_blame(rows, rows->row_begin);
    if (cells < rows->width)
        arb_error_hint(error, "Rows that are too short can be filled up with NULLs by null_padding, others be left out "
                              "by ignore_errors.");
    else
        arb_error_hint(error, "Such rows can be left out by ignore_errors; or is the delimiter another one?");
    return code;
}

/* The row of `cells` cells ends, the last one of which is blank or not: does it count? */
static arb_code end_row(arb_csv_rows *rows, uint32_t cells, bool is_blank, arb_error *error)
{
    bool is_empty = is_blank && cells == 1;
    const arb_csv_options *options = &rows->file->options;
    const arb_csv_dialect *dialect = &rows->file->layout.dialect;
    if (rows->skip_first) {
        rows->skip_first = false;
        return ARB_OK;
    }
    if (is_empty && rows->width > 1)
        return ARB_OK;
    if (dialect->comment != 0 && rows->row_begin < rows->loaded &&
        rows->data[rows->row_begin - rows->base] == dialect->comment)
        return ARB_OK;
    cells -= is_blank && cells == rows->width + 1; /* a delimiter too many at the line's end */
    if (cells != rows->width) {
        bool is_filled = cells < rows->width && options->null_padding;
        if (options->on_error == ARB_CSV_SKIP_ROW && !is_filled)
            return ARB_OK;
        if (options->on_error == ARB_CSV_FAIL && !is_filled)
            return wrong_width(rows, cells, error);
        for (size_t i = cells; i < rows->width; i++)
            if (rows->fields[i] != NULL)
                rows->fields[i][rows->rows] = (arb_csv_field){.begin = rows->row_begin, .size = ARB_CSV_MISSING};
    }
    rows->begins[rows->rows++] = rows->row_begin;
    return ARB_OK;
}

/* The cell that ends at `end`, and with it the row when a line ends there. */
ARB_INLINE arb_code end_cell(arb_csv_rows *rows, uint32_t end, arb_error *error)
{
    const uint8_t *data = rows->data;
    uint8_t newline = rows->file->layout.dialect.newline;
    bool row_ends = end == rows->loaded || data[end - rows->base] == newline;
    uint32_t size = end - rows->cell_begin;
    if (row_ends && newline == '\n' && size != 0 && data[end - 1 - rows->base] == '\r')
        size--;
    if (rows->cell < rows->width && rows->fields[rows->cell] != NULL)
        rows->fields[rows->cell][rows->rows] = (arb_csv_field){rows->cell_begin, size};
    rows->cell++;
    rows->cell_begin = end + 1;
    if (!row_ends)
        return ARB_OK;
    ARB_TRY(end_row(rows, rows->cell, size == 0, error));
    rows->cell = 0;
    rows->row_begin = rows->cell_begin = ARB_MIN(end + 1, rows->loaded);
    rows->finished = rows->split_offset + rows->row_begin >= rows->end_offset;
    return ARB_OK;
}

arb_code arb_csv_rows_next(arb_csv_rows *rows, arb_error *error)
{
    if (rows->is_searching)
        ARB_TRY(search(rows, error));
    if (!rows->is_cutting) {
        rows->rows = 0;
        if (rows->data != NULL)
            rows->data += rows->row_begin - rows->base;
        rows->base = rows->row_begin;
        rows->is_cutting = true;
    }
    while (!rows->finished && rows->rows < ARB_VECTOR_ROWS) {
        if (rows->end_at == rows->end_count)
            ARB_TRY(find_ends(rows, error));
        while (rows->end_at < rows->end_count && rows->rows < ARB_VECTOR_ROWS && !rows->finished)
            ARB_TRY(end_cell(rows, rows->ends[rows->end_at++], error));
    }
    rows->is_cutting = false;
    return ARB_OK;
}
