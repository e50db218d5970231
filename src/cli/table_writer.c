/* table_writer.c
 *
 *      name  | lines
 *     -------+-------
 *      A     |    12
 *     (1 row)
 */
#include "cli/table_writer.h"

#include <utf8proc.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "formats/cell_text.h"

enum { HELD_ROWS = 1000 };

/* A cell that is held back: its text lies in `held`. */
typedef struct cell {
    size_t begin, size;
    size_t width; /* on the terminal */
} cell;

typedef struct table_writer {
    arb_row_writer base;
    size_t *widths;
    bool *right; /* numbers */
    uint64_t rows;
    bool streaming; /* the widths are fixed */
    arb_text held, one;
    ARB_VEC(cell) cells; /* row after row */
} table_writer;

static void writer_destroy(arb_row_writer *writer)
{
    table_writer *self = (table_writer *)writer;
    arb_text_reset(&self->held);
    arb_text_reset(&self->one);
    ARB_VEC_RESET(&self->cells);
    arb_free(self->widths);
    arb_free(self->right);
    arb_free(self);
}

/* Append `value` with control characters as escapes; returns its width. */
static size_t append_visible(arb_text *out, arb_str value)
{
    size_t width = 0;
    for (size_t at = 0; at < value.size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)value.data + at, (utf8proc_ssize_t)(value.size - at), &point);
        if (size <= 0 || point < 0x20 || (point >= 0x7F && point < 0xA0)) {
            size_t before = out->size;
            unsigned char c = (unsigned char)value.data[at];
            if (c == '\n' || c == '\t' || c == '\r')
                arb_text_printf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
            else
                arb_text_printf(out, "\\x%02x", c);
            width += out->size - before;
            at++;
            continue;
        }
        int columns = utf8proc_charwidth(point);
        arb_text_append(out, value.data + at, (size_t)size);
        width += columns > 0 ? (size_t)columns : 0;
        at += (size_t)size;
    }
    return width;
}

static void append_cell(arb_text *out, arb_str text, size_t width, size_t column_width, bool right, bool last)
{
    size_t padding = column_width > width ? column_width - width : 0;
    arb_text_append_char(out, ' ');
    arb_text_append_repeated(out, ' ', right ? padding : 0);
    arb_text_append_str(out, text);
    if (!last)
        arb_text_append_repeated(out, ' ', right ? 1 : padding + 1);
}

static void append_header(table_writer *self, arb_text *out)
{
    size_t count = self->base.column_count;
    for (size_t i = 0; i < count; i++) {
        arb_text_clear(&self->one);
        size_t width = append_visible(&self->one, self->base.names[i]);
        append_cell(out, arb_text_view(&self->one), width, self->widths[i], self->right[i], i + 1 == count);
        arb_text_append(out, "|\n", i + 1 < count ? 1 : 0);
    }
    arb_text_append_char(out, '\n');
    for (size_t i = 0; i < count; i++) {
        arb_text_append_repeated(out, '-', self->widths[i] + 2);
        arb_text_append(out, "+", i + 1 < count ? 1 : 0);
    }
    arb_text_append_char(out, '\n');
}

/* Fix the widths and write what was held back. */
static void start_streaming(table_writer *self, arb_text *out)
{
    size_t count = self->base.column_count;
    self->streaming = true;
    for (size_t i = 0; i < self->cells.size; i++)
        self->widths[i % count] = ARB_MAX(self->widths[i % count], self->cells.data[i].width);
    append_header(self, out);
    for (size_t i = 0; i < self->cells.size; i++) {
        const cell *at = &self->cells.data[i];
        bool last = (i + 1) % count == 0;
        append_cell(out, (arb_str){self->held.data + at->begin, at->size}, at->width, self->widths[i % count],
                    self->right[i % count], last);
        arb_text_append_char(out, last ? '\n' : '|');
    }
    ARB_VEC_RESET(&self->cells);
    arb_text_reset(&self->held);
}

static arb_code writer_begin(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    table_writer *self = (table_writer *)writer;
    for (size_t i = 0; i < writer->column_count; i++) {
        arb_text_clear(&self->one);
        self->widths[i] = append_visible(&self->one, writer->names[i]);
        self->right[i] = arb_type_is_numeric(writer->types[i]);
    }
    self->rows = 0;
    self->streaming = false;
    return arb_text_check(out, error);
}

static arb_code write_row(table_writer *self, const arb_batch *batch, size_t row, arb_text *out, arb_error *error)
{
    size_t count = self->base.column_count;
    for (size_t i = 0; i < count; i++) {
        static const arb_str null_text = {"NULL", 4};
        bool is_null = !arb_vector_is_valid(&batch->columns[i], row);
        arb_text_clear(&self->one);
        if (!is_null)
            ARB_TRY(arb_cell_append(&self->one, &batch->columns[i], self->base.types[i], row, error));
        arb_text *to = self->streaming ? out : &self->held;
        size_t begin = to->size;
        arb_str text = is_null ? null_text : arb_text_view(&self->one);
        if (self->streaming) {
            arb_text visible = {0};
            size_t width = append_visible(&visible, text);
            append_cell(out, arb_text_view(&visible), width, self->widths[i], self->right[i], i + 1 == count);
            arb_text_append_char(out, i + 1 == count ? '\n' : '|');
            arb_text_reset(&visible);
            continue;
        }
        size_t width = append_visible(to, text);
        if (!ARB_VEC_PUSH(&self->cells, (cell){begin, to->size - begin, width}))
            return arb_fail_memory(error, "a table", sizeof(cell));
    }
    return ARB_OK;
}

static arb_code writer_batch(arb_row_writer *writer, const arb_batch *batch, arb_text *out, arb_error *error)
{
    table_writer *self = (table_writer *)writer;
    for (size_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        if (self->rows++ == HELD_ROWS)
            start_streaming(self, out);
        ARB_TRY(write_row(self, batch, row, out, error));
    }
    ARB_TRY(arb_text_check(&self->held, error));
    return arb_text_check(out, error);
}

static arb_code writer_end(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    table_writer *self = (table_writer *)writer;
    if (!self->streaming)
        start_streaming(self, out);
    arb_text_printf(out, "(%llu row%s)\n", (unsigned long long)self->rows, self->rows == 1 ? "" : "s");
    return arb_text_check(out, error);
}

arb_code arb_table_writer_create(const arb_str *names, const arb_type *types, size_t column_count,
                                 arb_row_writer **out_writer, arb_error *error)
{
    static const arb_row_writer_vtable vtable = {writer_destroy, writer_begin, writer_batch, writer_end};
    *out_writer = NULL;
    table_writer *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a table", sizeof *self);
    self->base = (arb_row_writer){&vtable, column_count, names, types};
    self->widths = arb_alloc_zeroed((column_count + 1) * sizeof *self->widths);
    self->right = arb_alloc_zeroed((column_count + 1) * sizeof *self->right);
    if (self->widths == NULL || self->right == NULL) {
        writer_destroy(&self->base);
        return arb_fail_memory(error, "a table", column_count * sizeof *self->widths);
    }
    *out_writer = &self->base;
    return ARB_OK;
}
