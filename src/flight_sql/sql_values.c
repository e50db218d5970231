/* sql_values.c: values that a client has bound, from Arrow batches. */
#include "columnar/arrow_vectors.h"
#include "columnar/ipc/ipc_decoder.h"
#include "columnar/ipc/ipc_format.h"
#include "flight_sql/sql_service_internal.h"
#include "proto/sql_handle.pb-c.h"

enum { ROWS_MOST = 1 << 20 };

typedef struct values_reader {
    arb_arena *arena;
    arb_ipc_decoder *decoder;
    arb_arrow_scan *scan;
    arb_sql_values *out;
    size_t capacity; /* rows */
} values_reader;

/* Texts in batches go with their array; values keep copies. */
static arb_code keep(values_reader *reader, arb_value *value, arb_error *error)
{
    if (value->is_null || !arb_type_is_text(value->type))
        return ARB_OK;
    value->text = arb_str_copy(reader->arena, value->text);
    return value->text.data != NULL ? ARB_OK : arb_fail_memory(error, "values", value->text.size);
}

static arb_code reserve(values_reader *reader, size_t more, arb_error *error)
{
    arb_sql_values *out = reader->out;
    size_t wanted = out->row_count + more;
    if (wanted > ROWS_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "more than %d rows of values", ROWS_MOST);
    if (wanted <= reader->capacity)
        return ARB_OK;
    size_t capacity = ARB_MAX(wanted, 2 * reader->capacity), held = out->row_count * out->column_count;
    arb_value *values = ARB_ARENA_ARRAY(reader->arena, arb_value, capacity * out->column_count);
    if (values == NULL)
        return arb_fail_memory(error, "values", capacity * out->column_count * sizeof *values);
    if (held != 0)
        memcpy(values, out->values, held * sizeof *values);
    out->values = values;
    reader->capacity = capacity;
    return ARB_OK;
}

static arb_code take_batch(values_reader *reader, const arb_batch *batch, arb_error *error)
{
    arb_sql_values *out = reader->out;
    ARB_TRY(reserve(reader, batch->rows, error));
    for (uint32_t row = 0; row < batch->rows; row++) {
        for (uint32_t column = 0; column < batch->column_count; column++) {
            arb_value *value = &out->values[out->row_count * out->column_count + column];
            arb_type type = arb_arrow_scan_type(reader->scan, column);
            if (arb_type_is_nested(type))
                return arb_fail(error, ARB_NOT_SUPPORTED, "$%u: nested values cannot be bound", column + 1);
            ARB_TRY(arb_vector_get_value(&batch->columns[column], type, row, reader->arena, value, error));
            ARB_TRY(keep(reader, value, error));
        }
        out->row_count++;
    }
    return ARB_OK;
}

static arb_code take_array(values_reader *reader, const arb_arrow_array *array, arb_error *error)
{
    const arb_batch *batch;
    if (reader->out->column_count == 0) { /* rows of nothing: the statement takes no values */
        ARB_TRY(reserve(reader, (size_t)ARB_MIN(arb_arrow_array_length(array), (int64_t)ROWS_MOST + 1), error));
        reader->out->row_count += (size_t)arb_arrow_array_length(array);
        return ARB_OK;
    }
    ARB_TRY(arb_arrow_scan_begin(reader->scan, array, error));
    for (;;) {
        ARB_TRY(arb_arrow_scan_next(reader->scan, &batch, error));
        if (batch == NULL)
            return ARB_OK;
        ARB_TRY(take_batch(reader, batch, error));
    }
}

static arb_code begin(values_reader *reader, arb_error *error)
{
    const arb_arrow_schema *schema = arb_ipc_decoder_schema(reader->decoder);
    reader->out->column_count = schema->root.child_count;
    return reader->out->column_count == 0
               ? ARB_OK
               : arb_arrow_scan_create(schema, NULL, schema->root.child_count, false, &reader->scan, error);
}

static arb_code take_message(values_reader *reader, const Arbalest__Sql__ParameterMessage *given, arb_error *error)
{
    arb_ipc_message message;
    arb_arrow_buffer body = {0};
    arb_arrow_array *array = NULL;
    uint8_t *bytes;
    bool is_first = arb_ipc_decoder_schema(reader->decoder) == NULL;
    ARB_TRY(arb_ipc_message_read(given->description.data, given->description.len, &message, error));
    if (is_first != (message.type == HEADER_SCHEMA))
        return arb_fail(error, ARB_CORRUPT_DATA, "values begin with their schema, which comes once");
    ARB_TRY(arb_arrow_buffer_create(given->body.len, &body, &bytes, error));
    if (given->body.len != 0)
        memcpy(bytes, given->body.data, given->body.len);
    arb_code code = is_first ? arb_ipc_decoder_set_schema(reader->decoder, &message.header, error)
                             : arb_ipc_decoder_push(reader->decoder, &message, &body, &array, error);
    arb_arrow_buffer_reset(&body);
    if (code == ARB_OK && is_first)
        code = begin(reader, error);
    if (code == ARB_OK && array != NULL)
        code = take_array(reader, array, error);
    arb_arrow_array_unref(array);
    return code;
}

arb_code arb_sql_values_read(const Arbalest__Sql__PreparedStatement *prepared, arb_arena *arena,
                             arb_sql_values *out_values, arb_error *error)
{
    static const arb_ipc_options options = {.memory_limit = ARB_WIRE_MEMORY_MOST};
    values_reader reader = {.arena = arena, .out = out_values};
    *out_values = (arb_sql_values){0};
    ARB_TRY(arb_ipc_decoder_create(&options, &reader.decoder, error));
    arb_code code = ARB_OK;
    for (size_t i = 0; i < prepared->n_parameters && code == ARB_OK; i++)
        code = take_message(&reader, prepared->parameters[i], error);
    arb_arrow_scan_destroy(reader.scan);
    arb_ipc_decoder_destroy(reader.decoder);
    if (code != ARB_CORRUPT_DATA)
        return code;
    arb_error_context(error, "the values cannot be read"); /* no data of ours is damaged */
    if (error != NULL)
        error->code = ARB_INVALID_PARAMETER;
    return ARB_INVALID_PARAMETER;
}
