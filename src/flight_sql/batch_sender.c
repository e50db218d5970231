/* batch_sender.c: rows of results as messages of DoGet.
 *
 * Batches inside are small; a message takes rows until it is worth sending, and stays below what clients accept (4 MB, where
 * nothing else is said). Batches with long texts are therefore taken a few rows at a time. */
#include "base/alloc.h"
#include "columnar/arrow_vectors.h"
#include "columnar/ipc/ipc_encoder.h"
#include "flight_sql/sql_service_internal.h"
#include "rpc/flight_data.h"

enum {
    MESSAGE_ROWS = 64 << 10,
    MESSAGE_BYTES = 1 << 20,
    ROWS_OF_TEXT = 64, /* taken at a time at most, where rows are large */
};

struct arb_batch_sender {
    arb_rpc_call *call; /* a count */
    arb_arrow_schema *schema;
    arb_arrow_builder *builder;
    arb_ipc_encoder *encoder;
    const arb_type *types; /* of the columns; lent */
    uint64_t columns, rows, messages;
    uint64_t *chosen; /* of a batch, when some are taken; a bit each */
};

static arb_code emit(void *context, const arb_ipc_encoded *encoded, arb_error *error)
{
    arb_rpc_message *message;
    ARB_TRY(arb_flight_data_write_ipc(encoded, (arb_str){"", 0}, &message, error));
    return arb_rpc_send(context, message, error);
}

arb_code arb_result_schema(const arb_result_columns *columns, arb_arrow_schema **out_schema, arb_error *error)
{
    return arb_arrow_schema_from_types(columns->names, columns->types, columns->column_count, ARB_ARROW_TEXT_OFFSETS,
                                       out_schema, error);
}

arb_code arb_batch_sender_create(const arb_result_columns *columns, arb_rpc_call *call, arb_batch_sender **out_sender,
                                 arb_error *error)
{
    *out_sender = NULL;
    arb_batch_sender *sender = arb_alloc_zeroed(sizeof *sender);
    if (sender == NULL)
        return arb_fail_memory(error, "a result's rows", sizeof *sender);
    sender->call = arb_rpc_call_ref(call);
    sender->columns = columns->column_count;
    sender->types = columns->types;
    arb_code code;
    ARB_TRY_GOTO(code, arb_result_schema(columns, &sender->schema, error), fail);
    ARB_TRY_GOTO(code,
                 arb_arrow_builder_create(sender->schema, columns->types, (uint32_t)columns->column_count,
                                          &sender->builder, error),
                 fail);
    ARB_TRY_GOTO(
        code,
        arb_ipc_encoder_create(sender->schema, NULL, (arb_ipc_outlet){emit, sender->call}, &sender->encoder, error),
        fail);
    *out_sender = sender;
    return ARB_OK;

fail:
    arb_batch_sender_destroy(sender);
    return code;
}

void arb_batch_sender_destroy(arb_batch_sender *sender)
{
    if (sender == NULL)
        return;
    arb_ipc_encoder_destroy(sender->encoder);
    arb_arrow_builder_destroy(sender->builder);
    arb_arrow_schema_unref(sender->schema);
    arb_rpc_call_unref(sender->call);
    arb_free(sender->chosen);
    arb_free(sender);
}

arb_code arb_batch_sender_begin(arb_batch_sender *sender, arb_error *error)
{
    return arb_ipc_encoder_schema(sender->encoder, error);
}

/* So many that a message has at most twice the bytes that it is sent with, unless a single row has more. What nested values take
 * is seen when they are taken. */
static size_t rows_at_a_time(const arb_batch_sender *sender, const arb_batch *batch)
{
    uint64_t of_row[ARB_VECTOR_ROWS], bytes = 0, largest = 0;
    bool has_text = false;
    for (size_t i = 0; i < sender->columns; i++) {
        const arb_vector *vector = &batch->columns[i];
        if (arb_type_is_nested(sender->types[i]))
            return 1;
        if (vector->physical != ARB_PHYS_STRING || vector->encoding != ARB_FLAT)
            continue;
        if (!has_text)
            memset(of_row, 0, batch->rows * sizeof *of_row);
        has_text = true;
        for (size_t row = 0; row < batch->rows; row++)
            of_row[row] += vector->values.string[row].size;
    }
    if (!has_text)
        return batch->rows;
    for (size_t row = 0; row < batch->rows; row++) {
        bytes += of_row[row];
        largest = ARB_MAX(largest, of_row[row]);
    }
    return bytes <= MESSAGE_BYTES ? batch->rows : ARB_MIN(MESSAGE_BYTES / largest + 1, (uint64_t)ROWS_OF_TEXT);
}

/* Rows [first, first + count) of a batch, all of which are selected. */
static arb_code append(arb_batch_sender *sender, const arb_batch *batch, size_t first, size_t count, arb_error *error)
{
    if (count == batch->rows)
        return arb_arrow_builder_append(sender->builder, batch, error);
    size_t words = arb_bitmap_words(batch->rows);
    uint64_t *chosen = arb_realloc(sender->chosen, words * sizeof *chosen);
    if (chosen == NULL)
        return arb_fail_memory(error, "a result's rows", words * sizeof *chosen);
    sender->chosen = chosen;
    memset(chosen, 0, words * sizeof *chosen);
    for (size_t row = first; row < first + count; row++)
        arb_bitmap_set(chosen, row);
    arb_batch some = *batch;
    some.selection = chosen;
    some.selected = (uint32_t)count;
    return arb_arrow_builder_append(sender->builder, &some, error);
}

arb_code arb_batch_sender_take(arb_batch_sender *sender, const arb_batch *batch, size_t *row, arb_error *error)
{
    assert(batch->selection == NULL);
    size_t step = rows_at_a_time(sender, batch);
    while (*row < batch->rows) {
        size_t count = ARB_MIN(step, batch->rows - *row);
        ARB_TRY(append(sender, batch, *row, count, error));
        *row += count;
        sender->rows += count;
        if (arb_arrow_builder_rows(sender->builder) >= MESSAGE_ROWS ||
            arb_arrow_builder_bytes(sender->builder) * sender->columns >= MESSAGE_BYTES)
            return arb_batch_sender_flush(sender, error);
    }
    return ARB_OK;
}

arb_code arb_batch_sender_flush(arb_batch_sender *sender, arb_error *error)
{
    arb_arrow_array *array;
    if (arb_arrow_builder_rows(sender->builder) == 0)
        return ARB_OK;
    ARB_TRY(arb_arrow_builder_finish(sender->builder, &array, error));
    arb_code code = arb_ipc_encoder_batch(sender->encoder, array, error);
    arb_arrow_array_unref(array);
    sender->messages++;
    return code;
}

uint64_t arb_batch_sender_rows(const arb_batch_sender *sender)
{
    return sender->rows;
}

uint64_t arb_batch_sender_messages(const arb_batch_sender *sender)
{
    return sender->messages;
}

arb_code arb_call_encoder_create(arb_rpc_call *call, const arb_arrow_schema *schema, arb_ipc_encoder **out_encoder,
                                 arb_error *error)
{
    ARB_TRY(arb_ipc_encoder_create(schema, NULL, (arb_ipc_outlet){emit, call}, out_encoder, error));
    return arb_ipc_encoder_schema(*out_encoder, error);
}
