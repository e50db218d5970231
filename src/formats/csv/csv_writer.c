#include "base/alloc.h"
#include "columnar/text_form.h"
#include "formats/cell_text.h"
#include "formats/row_writer.h"

/* How a column's values are written. */
typedef enum cell_kind {
    CELL_INTEGER, /* these two: whole numbers of up to 64 bits */
    CELL_DECIMAL,
    CELL_DATE,
    CELL_TEXT,
    CELL_PLAIN,   /* by arb_cell_append; never needs quotes */
    CELL_PRINTED, /* printed apart, since it may need quotes */
} cell_kind;

/* Dates come in a narrow range and often: the last form of each is kept, at a place that the day gives. */
enum { KNOWN_DATES = 4096, DATE_BYTES = 10 };
typedef struct known_date {
    int32_t day;
    char form[12]; /* empty: none */
} known_date;

typedef struct csv_writer {
    arb_row_writer base;
    char delimiter;
    bool header;
    bool special[256]; /* bytes that make quotes necessary */
    cell_kind *kinds;  /* a column */
    known_date *dates;
} csv_writer;

static void writer_destroy(arb_row_writer *writer)
{
    csv_writer *self = (csv_writer *)writer;
    arb_free(self->kinds);
    arb_free(self->dates);
    arb_free(self);
}

/* Sixteen bytes at a time; what the last ones have in common with the others is looked at twice. */
typedef char bytes16 __attribute__((vector_size(16)));

ARB_INLINE bool any_special(const char *data, char delimiter)
{
    bytes16 bytes;
    memcpy(&bytes, data, sizeof bytes);
    bytes16 found =
        (bytes16)(bytes == delimiter) | (bytes16)(bytes == '"') | (bytes16)(bytes == '\n') | (bytes16)(bytes == '\r');
    return (arb_load_u64(&found) | arb_load_u64((char *)&found + 8)) != 0;
}

static bool needs_quotes(const csv_writer *self, arb_str value)
{
    if (value.size == 0 || value.data[0] == ' ' || value.data[value.size - 1] == ' ')
        return true;
    if (value.size >= 16) {
        for (size_t at = 0; at + 16 <= value.size; at += 16)
            if (any_special(value.data + at, self->delimiter))
                return true;
        return any_special(value.data + value.size - 16, self->delimiter);
    }
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

/* The value of a number vector with up to 64 bits; FLAT mostly. */
ARB_INLINE int64_t get_number(const arb_vector *vector, size_t row)
{
    const arb_vector *entries = arb_vector_entries(vector);
    size_t slot = arb_vector_slot(vector, row);
    switch (vector->physical) {
    case ARB_PHYS_INT8:
        return entries->values.i8[slot];
    case ARB_PHYS_INT16:
        return entries->values.i16[slot];
    case ARB_PHYS_INT32:
        return entries->values.i32[slot];
    default:
        return entries->values.i64[slot];
    }
}

static size_t put_date(const csv_writer *self, char *to, int64_t day)
{
    known_date *known = &self->dates[(uint64_t)day % KNOWN_DATES];
    if (known->day != day || known->form[0] == '\0') {
        char form[ARB_FORM_MOST];
        size_t size = arb_form_date(form, day);
        if (size != DATE_BYTES) {
            memcpy(to, form, size);
            return size;
        }
        known->day = (int32_t)day;
        memcpy(known->form, form, DATE_BYTES);
    }
    memcpy(to, known->form, DATE_BYTES);
    return DATE_BYTES;
}

static arb_code append_cell(const csv_writer *self, arb_text *out, const arb_vector *vector, size_t column, size_t row,
                            arb_error *error)
{
    arb_type type = self->base.types[column];
    cell_kind kind = self->kinds[column];
    if (vector->physical == ARB_PHYS_INT128 && kind <= CELL_DECIMAL)
        kind = CELL_PLAIN;
    if (kind == CELL_TEXT) {
        append_value(self, out,
                     arb_string_view(&arb_vector_entries(vector)->values.string[arb_vector_slot(vector, row)]));
        return ARB_OK;
    }
    if (kind == CELL_PLAIN)
        return arb_cell_append(out, vector, type, row, error);
    if (kind == CELL_PRINTED)
        return append_printed(self, out, vector, type, row, error);
    char *to = arb_text_room(out, ARB_FORM_MOST);
    if (to == NULL) /* noted in the text */
        return ARB_OK;
    int64_t number = get_number(vector, row);
    arb_text_added(out, kind == CELL_INTEGER   ? arb_form_integer(to, number)
                        : kind == CELL_DECIMAL ? arb_form_decimal(to, number, type.scale)
                                               : put_date(self, to, number));
    return ARB_OK;
}

ARB_INLINE void append_byte(arb_text *out, char c)
{
    char *to = out->size + 2 <= out->capacity ? out->data + out->size : arb_text_room(out, 1);
    if (to == NULL)
        return;
    *to = c;
    arb_text_added(out, 1);
}

static arb_code writer_batch(arb_row_writer *writer, const arb_batch *batch, arb_text *out, arb_error *error)
{
    const csv_writer *self = (const csv_writer *)writer;
    assert(batch->column_count == writer->column_count);
    for (size_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        for (size_t i = 0; i < writer->column_count; i++) {
            if (i > 0)
                append_byte(out, self->delimiter);
            if (arb_vector_is_valid(&batch->columns[i], row))
                ARB_TRY(append_cell(self, out, &batch->columns[i], i, row, error));
        }
        append_byte(out, '\n');
    }
    return arb_text_check(out, error);
}

static arb_code writer_end(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    (void)writer;
    return arb_text_check(out, error);
}

/* Digits, letters, signs, points and colons are what the forms of most values are made of. A delimiter that is one of
 * them has to be looked for in each value. */
static cell_kind kind_of(arb_type type, bool usual_delimiter)
{
    if (type.id == ARB_TYPE_VARCHAR)
        return CELL_TEXT;
    if (!usual_delimiter || arb_type_is_nested(type))
        return CELL_PRINTED;
    if (arb_type_is_integer(type))
        return CELL_INTEGER;
    return type.id == ARB_TYPE_DECIMAL ? CELL_DECIMAL : type.id == ARB_TYPE_DATE ? CELL_DATE : CELL_PLAIN;
}

arb_code arb_csv_writer_create(const arb_str *names, const arb_type *types, size_t column_count, char delimiter,
                               bool header, arb_row_writer **out_writer, arb_error *error)
{
    static const arb_row_writer_vtable vtable = {writer_destroy, writer_begin, writer_batch, writer_end};
    *out_writer = NULL;
    csv_writer *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a CSV writer", sizeof *self);
    self->base = (arb_row_writer){&vtable, column_count, names, types};
    self->delimiter = delimiter;
    self->header = header;
    self->special['"'] = self->special['\n'] = self->special['\r'] = self->special[(unsigned char)delimiter] = true;
    self->kinds = arb_alloc_zeroed((column_count + 1) * sizeof *self->kinds);
    bool dates = false, fine = self->kinds != NULL;
    for (size_t i = 0; fine && i < column_count; i++) {
        self->kinds[i] = kind_of(types[i], strchr(",;|\t", delimiter) != NULL);
        dates = dates || self->kinds[i] == CELL_DATE;
    }
    if (fine && dates)
        fine = (self->dates = arb_alloc_zeroed(KNOWN_DATES * sizeof *self->dates)) != NULL;
    if (!fine) {
        writer_destroy(&self->base);
        return arb_fail_memory(error, "a CSV writer", column_count * sizeof *self->kinds);
    }
    *out_writer = &self->base;
    return ARB_OK;
}

void arb_row_writer_destroy(arb_row_writer *writer)
{
    if (writer != NULL)
        writer->vtable->destroy(writer);
}
