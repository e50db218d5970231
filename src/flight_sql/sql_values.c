#include "flight_sql/sql_values.h"

#include "base/alloc.h"
#include "columnar/arrow_vectors.h"
#include "columnar/ipc/ipc_decoder.h"
#include "columnar/ipc/ipc_format.h"
#include "proto/sql_handle.pb-c.h"
#include "wire/wire.h"

struct arb_sql_values {
    const Arbalest__Sql__PreparedStatement *prepared; /* or NULL */
    size_t next_message;
    arb_ipc_decoder *decoder;
    arb_arrow_scan *scan; /* NULL before the schema */
    size_t count;
    const arb_batch *batch; /* of the scan, or NULL */
    uint32_t row;           /* of it, the next */
    bool scanning;
    arb_value *values; /* of the row */
    arb_arena scratch; /* likewise */
};

/* Damage in what came from a client is the client's mistake: no data of ours is damaged. */
static arb_code blame_client(arb_code code, arb_error *error)
{
    if (code != ARB_CORRUPT_DATA)
        return code;
    arb_error_context(error, "the values cannot be read");
    if (error != NULL)
        error->code = ARB_INVALID_PARAMETER;
    return ARB_INVALID_PARAMETER;
}

static arb_code begin(arb_sql_values *values, arb_error *error)
{
    const arb_arrow_schema *schema = arb_ipc_decoder_schema(values->decoder);
    values->count = schema->root.child_count;
    if (values->count == 0)
        return ARB_OK;
    values->values = arb_alloc_zeroed(values->count * sizeof *values->values);
    if (values->values == NULL)
        return arb_fail_memory(error, "values", values->count * sizeof *values->values);
    return arb_arrow_scan_create(schema, NULL, schema->root.child_count, false, &values->scan, error);
}

static arb_code take_message(arb_sql_values *values, const Arbalest__Sql__ParameterMessage *given, arb_error *error)
{
    arb_ipc_message message;
    arb_arrow_buffer body = {0};
    arb_arrow_array *array = NULL;
    uint8_t *bytes;
    bool is_first = arb_ipc_decoder_schema(values->decoder) == NULL;
    ARB_TRY(arb_ipc_message_read(given->description.data, given->description.len, &message, error));
    if (is_first != (message.type == HEADER_SCHEMA))
        return arb_fail(error, ARB_CORRUPT_DATA, "values begin with their schema, which comes once");
    if (is_first) {
        ARB_TRY(arb_ipc_decoder_set_schema(values->decoder, &message.header, error));
        return begin(values, error);
    }
    ARB_TRY(arb_arrow_buffer_create(given->body.len, &body, &bytes, error));
    if (given->body.len != 0)
        memcpy(bytes, given->body.data, given->body.len);
    arb_code code = arb_ipc_decoder_push(values->decoder, &message, &body, &array, error);
    arb_arrow_buffer_reset(&body);
    if (code == ARB_OK && array != NULL && values->count != 0) {
        code = arb_arrow_scan_begin(values->scan, array, error);
        values->scanning = code == ARB_OK;
    }
    arb_arrow_array_unref(array);
    return code;
}

/* Until there is a row, or nothing more. */
static arb_code find_row(arb_sql_values *values, arb_error *error)
{
    const Arbalest__Sql__PreparedStatement *prepared = values->prepared;
    while (values->batch == NULL || values->row == values->batch->rows) {
        values->row = 0;
        values->batch = NULL;
        if (values->scanning) {
            ARB_TRY(arb_arrow_scan_next(values->scan, &values->batch, error));
            values->scanning = values->batch != NULL;
        } else if (prepared != NULL && values->next_message < prepared->n_parameters) {
            ARB_TRY(take_message(values, prepared->parameters[values->next_message++], error));
        } else {
            return ARB_OK;
        }
    }
    return ARB_OK;
}

static arb_code next(arb_sql_values *values, const arb_value **out_row, arb_error *error)
{
    *out_row = NULL;
    ARB_TRY(find_row(values, error));
    if (values->batch == NULL)
        return ARB_OK;
    arb_arena_rewind(&values->scratch);
    for (uint32_t i = 0; i < values->batch->column_count; i++)
        ARB_TRY(arb_vector_get_value(&values->batch->columns[i], arb_arrow_scan_type(values->scan, i), values->row,
                                     &values->scratch, &values->values[i], error));
    values->row++;
    *out_row = values->values;
    return ARB_OK;
}

arb_code arb_sql_values_next(arb_sql_values *values, const arb_value **out_row, arb_error *error)
{
    return blame_client(next(values, out_row, error), error);
}

size_t arb_sql_values_count(const arb_sql_values *values)
{
    return values->count;
}

arb_code arb_sql_values_open(const Arbalest__Sql__PreparedStatement *prepared, arb_sql_values **out_values,
                             arb_error *error)
{
    static const arb_ipc_options options = {.memory_limit = ARB_WIRE_MEMORY_MOST};
    *out_values = NULL;
    arb_sql_values *values = arb_alloc_zeroed(sizeof *values);
    if (values == NULL)
        return arb_fail_memory(error, "values", sizeof *values);
    values->prepared = prepared;
    arb_code code = arb_ipc_decoder_create(&options, &values->decoder, error);
    if (code == ARB_OK && prepared != NULL && prepared->n_parameters != 0)
        code = blame_client(take_message(values, prepared->parameters[values->next_message++], error), error);
    if (code != ARB_OK) {
        arb_sql_values_close(values);
        return code;
    }
    *out_values = values;
    return ARB_OK;
}

void arb_sql_values_close(arb_sql_values *values)
{
    if (values == NULL)
        return;
    arb_arrow_scan_destroy(values->scan);
    arb_ipc_decoder_destroy(values->decoder);
    arb_arena_reset(&values->scratch);
    arb_free(values->values);
    arb_free(values);
}
