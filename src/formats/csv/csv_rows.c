#include "formats/csv/csv_rows.h"

enum { LOAD_BYTES = 256 << 10, ROW_MOST = 64 << 20 };

void arb_csv_rows_reset(arb_csv_rows *rows)
{
    arb_padded_buffer_reset(&rows->buffer);
}

void arb_csv_rows_locate(const arb_csv_rows *rows, uint32_t position, arb_error *error)
{
    if (error == NULL)
        return;
    uint64_t line = arb_csv_line_of(rows->file, rows->split_offset + position);
    arb_error_context(error, "%.*s, line %llu", ARB_STR_ARGS(rows->file->base.path), (unsigned long long)line);
}

arb_code arb_csv_rows_begin(arb_csv_rows *rows, size_t range, arb_error *error)
{
    arb_csv_ranges *ranges = rows->file->ranges;
    bool in_quotes;
    ARB_TRY(arb_csv_ranges_begin(ranges, range, &rows->split_offset, &in_quotes, error));
    rows->end_offset = ARB_MIN((range + 1) * ranges->range_bytes, ranges->source->identity.size);
    rows->base = rows->loaded = rows->indexed = rows->end_at = rows->end_count = 0;
    rows->row_begin = rows->cell_begin = rows->cell = rows->rows = 0;
    rows->state = arb_csv_state_at_row();
    if (in_quotes)
        rows->state = (arb_csv_state){.in_quotes = true};
    rows->skip_first = in_quotes;
    rows->finished = range < ranges->first || rows->split_offset >= rows->end_offset;
    return ARB_OK;
}

/* Drop what is in front of the current row. */
static void slide(arb_csv_rows *rows)
{
    uint32_t gone = rows->row_begin - rows->base;
    if (gone == 0)
        return;
    memmove(rows->buffer.data, rows->buffer.data + gone, rows->loaded - rows->row_begin);
    rows->base = rows->row_begin;
}

static arb_code too_long(const arb_csv_rows *rows, arb_error *error)
{
    arb_code code = arb_fail(error, ARB_LIMIT_EXCEEDED, "the row is longer than %d MiB", ROW_MOST >> 20);
    if (rows->state.in_quotes)
        arb_error_hint(error, "A quote in it is not closed; are these quotes at all?");
    arb_csv_rows_locate(rows, rows->row_begin, error);
    return code;
}

static arb_code load(arb_csv_rows *rows, arb_error *error)
{
    uint64_t offset = rows->split_offset + rows->loaded, left = rows->file->source->identity.size - offset;
    /* Behind the split only the rest of one row is wanted. */
    uint64_t wanted = offset < rows->end_offset ? ARB_MIN(rows->end_offset - offset, LOAD_BYTES) : LOAD_BYTES / 16;
    size_t here = (size_t)ARB_MIN(wanted, left), held = rows->loaded - rows->base;
    if (rows->loaded - rows->row_begin > ROW_MOST)
        return too_long(rows, error);
    ARB_TRY(arb_padded_buffer_grow(&rows->buffer, held + here, held, error));
    ARB_TRY(arb_byte_source_read(rows->file->source, offset, rows->buffer.data + held, here, error));
    rows->loaded += (uint32_t)here;
    rows->bytes_read += here;
    return ARB_OK;
}

/* Find further ends of cells; at the file's end, the end of its last line. */
static arb_code find_ends(arb_csv_rows *rows, arb_error *error)
{
    bool at_end = rows->split_offset + rows->loaded == rows->file->source->identity.size;
    if (rows->indexed == rows->loaded && !at_end) {
        ARB_TRY(load(rows, error));
        at_end = rows->split_offset + rows->loaded == rows->file->source->identity.size;
    }
    rows->end_at = rows->end_count = 0;
    if (rows->indexed < rows->loaded) {
        uint32_t size = ARB_MIN(rows->loaded - rows->indexed, (uint32_t)ARB_CSV_PIECE);
        rows->end_count = (uint32_t)arb_csv_kernels_get()->index(rows->buffer.data + (rows->indexed - rows->base), size,
                                                                 &rows->file->layout.dialect, &rows->state,
                                                                 rows->indexed, rows->ends);
        rows->indexed += size;
    } else if (rows->row_begin == rows->loaded) {
        rows->finished = true;
    } else if (rows->state.in_quotes && !rows->skip_first) {
        arb_code code = arb_fail(error, ARB_BAD_COPY_FORMAT, "a quote is not closed");
        arb_csv_rows_locate(rows, rows->row_begin, error);
        return code;
    } else { /* as if a line's end were there */
        rows->ends[rows->end_count++] = rows->loaded;
    }
    return ARB_OK;
}

static arb_code wrong_width(const arb_csv_rows *rows, uint32_t cells, arb_error *error)
{
    arb_code code = arb_fail(error, ARB_BAD_COPY_FORMAT, "the row has %u column%s instead of %zu", cells,
                             cells == 1 ? "" : "s", rows->width);
    arb_csv_rows_locate(rows, rows->row_begin, error);
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
        rows->buffer.data[rows->row_begin - rows->base] == dialect->comment)
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
    const uint8_t *data = rows->buffer.data;
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
    rows->rows = 0;
    slide(rows);
    while (!rows->finished && rows->rows < ARB_VECTOR_ROWS) {
        if (rows->end_at == rows->end_count)
            ARB_TRY(find_ends(rows, error));
        while (rows->end_at < rows->end_count && rows->rows < ARB_VECTOR_ROWS && !rows->finished)
            ARB_TRY(end_cell(rows, rows->ends[rows->end_at++], error));
    }
    return ARB_OK;
}
