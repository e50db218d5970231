#include "base/alloc.h"
#include "columnar/calendar.h"
#include "columnar/text_form.h"
#include "formats/cell_text.h"
#include "formats/row_writer.h"
#include "kernels/time_pattern.h"

/* How a column's values are written. */
typedef enum cell_kind {
    CELL_INTEGER, /* these two: whole numbers of up to 64 bits */
    CELL_DECIMAL,
    CELL_DATE,
    CELL_TEXT,
    CELL_PLAIN,   /* by arb_cell_append; never needs quotes */
    CELL_PRINTED, /* printed apart, since it may need quotes */
    CELL_TIME,    /* printed after a pattern */
} cell_kind;

/* Dates come in a narrow range and often: the last form of each is kept, at a place that the day gives. */
enum { KNOWN_DATES = 4096, DATE_BYTES = 10 };
typedef struct known_date {
    int32_t day;
    char form[12]; /* empty: none */
} known_date;

typedef struct csv_writer {
    arb_row_writer base;
    arb_csv_write_options options; /* its defaults filled in */
    bool special[256];             /* bytes that make quotes necessary */
    cell_kind *kinds;              /* a column */
    known_date *dates;
    arb_time_pattern date_pattern, timestamp_pattern;
} csv_writer;

static void writer_destroy(arb_row_writer *writer)
{
    csv_writer *self = (csv_writer *)writer;
    arb_time_pattern_reset(&self->date_pattern);
    arb_time_pattern_reset(&self->timestamp_pattern);
    arb_free(self->kinds);
    arb_free(self->dates);
    arb_free(self);
}

/* Sixteen bytes at a time; what the last ones have in common with the others is looked at twice. */
typedef char bytes16 __attribute__((vector_size(16)));

ARB_INLINE bool any_special(const char *data, const arb_csv_write_options *options)
{
    bytes16 bytes;
    memcpy(&bytes, data, sizeof bytes);
    bytes16 found = (bytes16)(bytes == options->delimiter) | (bytes16)(bytes == options->quote) |
                    (bytes16)(bytes == '\n') | (bytes16)(bytes == '\r');
    return (arb_load_u64(&found) | arb_load_u64((char *)&found + 8)) != 0;
}

static bool needs_quotes(const csv_writer *self, arb_str value)
{
    if (value.size == 0 || value.data[0] == ' ' || value.data[value.size - 1] == ' ')
        return true;
    if (value.size == self->options.null_text.size && arb_str_equal(value, self->options.null_text))
        return true;
    if (value.size >= 16) {
        for (size_t at = 0; at + 16 <= value.size; at += 16)
            if (any_special(value.data + at, &self->options))
                return true;
        return any_special(value.data + value.size - 16, &self->options);
    }
    for (size_t i = 0; i < value.size; i++)
        if (self->special[(unsigned char)value.data[i]])
            return true;
    return false;
}

static void append_quoted(const csv_writer *self, arb_text *out, arb_str value)
{
    char quote = self->options.quote, escape = self->options.escape;
    arb_text_append_char(out, quote);
    size_t from = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] != quote && value.data[i] != escape)
            continue;
        arb_text_append(out, value.data + from, i - from);
        arb_text_append_char(out, escape);
        from = i;
    }
    arb_text_append(out, value.data + from, value.size - from);
    arb_text_append_char(out, quote);
}

static void append_value(const csv_writer *self, arb_text *out, size_t column, arb_str value)
{
    bool forced = self->options.force_quote != NULL && self->options.force_quote[column];
    if (forced || needs_quotes(self, value))
        append_quoted(self, out, value);
    else
        arb_text_append_str(out, value);
}

static arb_code writer_begin(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    const csv_writer *self = (const csv_writer *)writer;
    if (self->options.no_header)
        return ARB_OK;
    for (size_t i = 0; i < writer->column_count; i++) {
        if (i > 0)
            arb_text_append_char(out, self->options.delimiter);
        if (needs_quotes(self, writer->names[i]))
            append_quoted(self, out, writer->names[i]);
        else
            arb_text_append_str(out, writer->names[i]);
    }
    arb_text_append_char(out, '\n');
    return arb_text_check(out, error);
}

static void print_time(const csv_writer *self, arb_text *out, const arb_vector *vector, arb_type type, size_t row)
{
    int64_t value = (int64_t)arb_vector_get_integer(vector, row);
    unsigned nanoseconds = 0;
    if (type.id == ARB_TYPE_DATE) {
        arb_time_pattern_write(&self->date_pattern, value * ARB_MICROS_DAY, 0, ARB_STR(""), out);
        return;
    }
    if (type.nanoseconds) {
        int64_t rest = (value % 1000 + 1000) % 1000;
        value = (value - rest) / 1000;
        nanoseconds = (unsigned)rest;
    }
    arb_str zone = type.id == ARB_TYPE_TIMESTAMPTZ ? ARB_STR("UTC") : ARB_STR("");
    arb_time_pattern_write(&self->timestamp_pattern, value, nanoseconds, zone, out);
}

/* A value that may need quotes, but is not stored as text: printed apart first. */
static arb_code append_printed(const csv_writer *self, arb_text *out, const arb_vector *vector, size_t column,
                               size_t row, arb_error *error)
{
    arb_text printed = {0};
    arb_code code = ARB_OK;
    if (self->kinds[column] == CELL_TIME)
        print_time(self, &printed, vector, self->base.types[column], row);
    else
        code = arb_cell_append(&printed, vector, self->base.types[column], row, error);
    if (code == ARB_OK)
        code = arb_text_check(&printed, error);
    if (code == ARB_OK)
        append_value(self, out, column, arb_text_view(&printed));
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
        append_value(self, out, column,
                     arb_string_view(&arb_vector_entries(vector)->values.string[arb_vector_slot(vector, row)]));
        return ARB_OK;
    }
    if (kind == CELL_PLAIN)
        return arb_cell_append(out, vector, type, row, error);
    if (kind == CELL_PRINTED || kind == CELL_TIME)
        return append_printed(self, out, vector, column, row, error);
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
                append_byte(out, self->options.delimiter);
            if (arb_vector_is_valid(&batch->columns[i], row))
                ARB_TRY(append_cell(self, out, &batch->columns[i], i, row, error));
            else if (self->options.null_text.size != 0)
                arb_text_append_str(out, self->options.null_text);
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

static bool has_digit(arb_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= '0' && text.data[i] <= '9')
            return true;
    return false;
}

/* Digits, letters, signs, points and colons are what the forms of most values are made of. Where one of them means
 * something, or a whole form could stand for NULL, each value has to be looked at. */
static cell_kind kind_of(const csv_writer *self, size_t column)
{
    const arb_csv_write_options *o = &self->options;
    arb_type type = self->base.types[column];
    bool is_stamp = type.id == ARB_TYPE_TIMESTAMP || type.id == ARB_TYPE_TIMESTAMPTZ;
    bool usual = strchr(",;|\t", o->delimiter) != NULL && strchr("\"'", o->quote) != NULL;
    bool forced = o->force_quote != NULL && o->force_quote[column];
    if (type.id == ARB_TYPE_VARCHAR)
        return CELL_TEXT;
    if ((type.id == ARB_TYPE_DATE && o->date_format.size != 0) || (is_stamp && o->timestamp_format.size != 0))
        return CELL_TIME;
    if (!usual || forced || has_digit(o->null_text) || arb_type_is_nested(type))
        return CELL_PRINTED;
    if (arb_type_is_integer(type))
        return CELL_INTEGER;
    if (type.id == ARB_TYPE_DECIMAL || type.id == ARB_TYPE_DATE)
        return type.id == ARB_TYPE_DECIMAL ? CELL_DECIMAL : CELL_DATE;
    return o->null_text.size != 0 ? CELL_PRINTED : CELL_PLAIN;
}

static void take_options(csv_writer *self, const arb_csv_write_options *options)
{
    if (options != NULL)
        self->options = *options;
    arb_csv_write_options *o = &self->options;
    o->delimiter = o->delimiter != '\0' ? o->delimiter : ',';
    o->quote = o->quote != '\0' ? o->quote : '"';
    o->escape = o->escape != '\0' ? o->escape : o->quote;
    self->special[(unsigned char)o->quote] = self->special[(unsigned char)o->delimiter] = true;
    self->special['\n'] = self->special['\r'] = true;
}

static arb_code prepare(csv_writer *self, arb_error *error)
{
    size_t count = self->base.column_count;
    bool dates = false;
    if ((self->kinds = arb_alloc_zeroed((count + 1) * sizeof *self->kinds)) == NULL)
        return arb_fail_memory(error, "a CSV writer", count * sizeof *self->kinds);
    for (size_t i = 0; i < count; i++) {
        self->kinds[i] = kind_of(self, i);
        dates = dates || self->kinds[i] == CELL_DATE;
    }
    if (dates && (self->dates = arb_alloc_zeroed(KNOWN_DATES * sizeof *self->dates)) == NULL)
        return arb_fail_memory(error, "a CSV writer", KNOWN_DATES * sizeof *self->dates);
    if (self->options.date_format.size != 0)
        ARB_TRY(arb_time_pattern_of_format(self->options.date_format, &self->date_pattern, error));
    if (self->options.timestamp_format.size != 0)
        ARB_TRY(arb_time_pattern_of_format(self->options.timestamp_format, &self->timestamp_pattern, error));
    return ARB_OK;
}

arb_code arb_csv_writer_create(const arb_str *names, const arb_type *types, size_t column_count,
                               const arb_csv_write_options *options, arb_row_writer **out_writer, arb_error *error)
{
    static const arb_row_writer_vtable vtable = {writer_destroy, writer_begin, writer_batch, writer_end};
    *out_writer = NULL;
    csv_writer *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a CSV writer", sizeof *self);
    self->base = (arb_row_writer){&vtable, column_count, names, types};
    take_options(self, options);
    arb_code code = prepare(self, error);
    if (code != ARB_OK) {
        writer_destroy(&self->base);
        return code;
    }
    *out_writer = &self->base;
    return ARB_OK;
}

void arb_row_writer_destroy(arb_row_writer *writer)
{
    if (writer != NULL)
        writer->vtable->destroy(writer);
}
