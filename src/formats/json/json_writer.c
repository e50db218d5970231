#include "base/alloc.h"
#include "formats/cell_text.h"
#include "formats/row_writer.h"

typedef struct json_writer {
    arb_row_writer base;
    bool lines;
    bool any; /* a row was written */
} json_writer;

static void writer_destroy(arb_row_writer *writer)
{
    arb_free(writer);
}

static void append_string(arb_text *out, arb_str value)
{
    arb_text_append_char(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        arb_text_append(out, value.data + from, i - from);
        from = i + 1;
        const char *letter = c == '"' || c == '\\' ? (const char *)&value.data[i] : NULL;
        static const char controls[] = "\b\t\n\f\r", letters[] = "btnfr";
        const char *control = memchr(controls, c, sizeof controls - 1);
        if (control != NULL)
            letter = &letters[control - controls];
        if (letter != NULL) {
            arb_text_append_char(out, '\\');
            arb_text_append_char(out, *letter);
        } else {
            arb_text_printf(out, "\\u%04x", c);
        }
    }
    arb_text_append(out, value.data + from, value.size - from);
    arb_text_append_char(out, '"');
}

static bool is_bare(arb_type type)
{
    return arb_type_is_numeric(type) || type.id == ARB_TYPE_BOOLEAN || arb_type_is_nested(type);
}

static arb_code append_value(arb_text *out, const arb_vector *vector, arb_type type, size_t row, arb_error *error)
{
    if (!arb_vector_is_valid(vector, row) || type.id == ARB_TYPE_NULL) {
        arb_text_append_str(out, ARB_STR("null"));
        return ARB_OK;
    }
    if (type.id == ARB_TYPE_REAL || type.id == ARB_TYPE_DOUBLE) {
        double value = arb_vector_get_double(vector, row);
        if (value - value != 0) {
            arb_text_append_str(out, ARB_STR("null"));
            return ARB_OK;
        }
    }
    if (type.id == ARB_TYPE_VARCHAR) {
        append_string(out, arb_vector_get_text(vector, row));
        return ARB_OK;
    }
    if (is_bare(type))
        return arb_cell_append(out, vector, type, row, error);
    arb_text printed = {0};
    arb_code code = arb_cell_append(&printed, vector, type, row, error);
    if (code == ARB_OK)
        code = arb_text_check(&printed, error);
    if (code == ARB_OK)
        append_string(out, arb_text_view(&printed));
    arb_text_reset(&printed);
    return code;
}

static arb_code writer_begin(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    json_writer *self = (json_writer *)writer;
    self->any = false;
    if (!self->lines)
        arb_text_append_char(out, '[');
    return arb_text_check(out, error);
}

static arb_code writer_batch(arb_row_writer *writer, const arb_batch *batch, arb_text *out, arb_error *error)
{
    json_writer *self = (json_writer *)writer;
    for (size_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        if (!self->lines)
            arb_text_append(out, ",\n", self->any ? 2 : 0);
        self->any = true;
        arb_text_append_char(out, '{');
        for (size_t i = 0; i < writer->column_count; i++) {
            if (i > 0)
                arb_text_append_char(out, ',');
            append_string(out, writer->names[i]);
            arb_text_append_char(out, ':');
            ARB_TRY(append_value(out, &batch->columns[i], writer->types[i], row, error));
        }
        arb_text_append(out, "}\n", self->lines ? 2 : 1);
    }
    return arb_text_check(out, error);
}

static arb_code writer_end(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    if (!((json_writer *)writer)->lines)
        arb_text_append_str(out, ARB_STR("]\n"));
    return arb_text_check(out, error);
}

arb_code arb_json_writer_create(const arb_str *names, const arb_type *types, size_t column_count, bool lines,
                                arb_row_writer **out_writer, arb_error *error)
{
    static const arb_row_writer_vtable vtable = {writer_destroy, writer_begin, writer_batch, writer_end};
    *out_writer = NULL;
    json_writer *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a JSON writer", sizeof *self);
    self->base = (arb_row_writer){&vtable, column_count, names, types};
    self->lines = lines;
    *out_writer = &self->base;
    return ARB_OK;
}
