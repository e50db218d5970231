#include "base/alloc.h"
#include "columnar/text_form.h"
#include "formats/cell_text.h"
#include "formats/row_writer.h"

typedef struct csv_writer {
    arb_row_writer base;
    char delimiter;
    bool header;
    bool special[256]; /* bytes that make quotes necessary */
    /* Whether a column's values can hold such a byte: numbers and dates cannot hold a comma. */
    bool *plain;
} csv_writer;

static void writer_destroy(arb_row_writer *writer)
{
    csv_writer *self = (csv_writer *)writer;
    arb_free(self->plain);
    arb_free(self);
}

static bool needs_quotes(const csv_writer *self, arb_str value)
{
    if (value.size == 0 || value.data[0] == ' ' || value.data[value.size - 1] == ' ')
        return true;
    for (size_t i = 0; i < value.size; i++)
        if (self->special[(unsigned char)value.data[i]])
            return true;
    return false;
}

static void append_quoted(arb_text *out, arb_str value)
{
    arb_text_append_char(out, '"');
    for (size_t from = 0; from < value.size;) {
        const char *quote = memchr(value.data + from, '"', value.size - from);
        size_t size = quote == NULL ? value.size - from : (size_t)(quote - value.data) - from + 1;
        arb_text_append(out, value.data + from, size);
        if (quote != NULL)
            arb_text_append_char(out, '"');
        from += size;
    }
    arb_text_append_char(out, '"');
}

static void append_value(const csv_writer *self, arb_text *out, arb_str value)
{
    if (needs_quotes(self, value))
        append_quoted(out, value);
    else
        arb_text_append_str(out, value);
}

static arb_code writer_begin(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    const csv_writer *self = (const csv_writer *)writer;
    if (!self->header)
        return ARB_OK;
    for (size_t i = 0; i < writer->column_count; i++) {
        if (i > 0)
            arb_text_append_char(out, self->delimiter);
        append_value(self, out, writer->names[i]);
    }
    arb_text_append_char(out, '\n');
    return arb_text_check(out, error);
}

/* A value that may need quotes, but is not stored as text: printed apart first. */
static arb_code append_printed(const csv_writer *self, arb_text *out, const arb_vector *vector, arb_type type,
                               size_t row, arb_error *error)
{
    arb_text printed = {0};
    arb_code code = arb_cell_append(&printed, vector, type, row, error);
    if (code == ARB_OK)
        code = arb_text_check(&printed, error);
    if (code == ARB_OK)
        append_value(self, out, arb_text_view(&printed));
    arb_text_reset(&printed);
    return code;
}

static arb_code writer_batch(arb_row_writer *writer, const arb_batch *batch, arb_text *out, arb_error *error)
{
    const csv_writer *self = (const csv_writer *)writer;
    assert(batch->column_count == writer->column_count);
    for (size_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        for (size_t i = 0; i < writer->column_count; i++) {
            const arb_vector *vector = &batch->columns[i];
            if (i > 0)
                arb_text_append_char(out, self->delimiter);
            if (!arb_vector_is_valid(vector, row))
                continue;
            if (self->plain[i])
                ARB_TRY(arb_cell_append(out, vector, writer->types[i], row, error));
            else if (writer->types[i].id == ARB_TYPE_VARCHAR)
                append_value(self, out, arb_vector_get_text(vector, row));
            else
                ARB_TRY(append_printed(self, out, vector, writer->types[i], row, error));
        }
        arb_text_append_char(out, '\n');
    }
    return arb_text_check(out, error);
}

static arb_code writer_end(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    (void)writer;
    return arb_text_check(out, error);
}

arb_code arb_csv_writer_create(const arb_str *names, const arb_type *types, size_t column_count, char delimiter,
                               bool header, arb_row_writer **out_writer, arb_error *error)
{
    static const arb_row_writer_vtable vtable = {writer_destroy, writer_begin, writer_batch, writer_end};
    *out_writer = NULL;
    csv_writer *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL || (self->plain = arb_alloc_zeroed(column_count + 1)) == NULL) {
        arb_free(self);
        return arb_fail_memory(error, "a CSV writer", sizeof *self);
    }
    self->base = (arb_row_writer){&vtable, column_count, names, types};
    self->delimiter = delimiter;
    self->header = header;
    self->special['"'] = self->special['\n'] = self->special['\r'] = self->special[(unsigned char)delimiter] = true;
    /* Digits, letters, signs, points and colons: what the forms of single values are made of. Any other delimiter has
     * to be looked for in each value. */
    bool usual = strchr(",;|\t", delimiter) != NULL;
    for (size_t i = 0; i < column_count; i++)
        self->plain[i] = usual && types[i].id != ARB_TYPE_VARCHAR && !arb_type_is_nested(types[i]);
    *out_writer = &self->base;
    return ARB_OK;
}

void arb_row_writer_destroy(arb_row_writer *writer)
{
    if (writer != NULL)
        writer->vtable->destroy(writer);
}
