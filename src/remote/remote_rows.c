#include "remote/remote_rows.h"

#include "base/alloc.h"
#include "columnar/arrow_vectors.h"
#include "columnar/ipc/ipc_decoder.h"
#include "rpc/flight_client.h"

struct arb_remote_rows {
    arb_ipc_decoder *decoder;
    arb_arrow_scan *scan;
    bool reading; /* the scan has an array */
};

/* Take a message in: *out_array is its batch, if it is one. */
static arb_code receive(arb_remote_rows *rows, arb_rpc_stream *stream, arb_arrow_array **out_array, bool *out_end,
                        arb_error *error)
{
    arb_flight_data data;
    arb_ipc_message message;
    *out_array = NULL;
    ARB_TRY(arb_flight_receive(stream, &data, out_end, error));
    if (*out_end)
        return ARB_OK;
    arb_code code = ARB_OK;
    if (data.header.size != 0) {
        code = arb_ipc_message_read((const uint8_t *)data.header.data, data.header.size, &message, error);
        if (code == ARB_OK)
            code = arb_ipc_decoder_push(rows->decoder, &message, &data.body, out_array, error);
    }
    arb_flight_data_reset(&data);
    return code;
}

static arb_code describe(arb_remote_rows *rows, arb_arena *arena, arb_result_columns *out, arb_error *error)
{
    const arb_arrow_schema *schema = arb_ipc_decoder_schema(rows->decoder);
    size_t count = schema->root.child_count;
    arb_str *names = ARB_ARENA_ARRAY(arena, arb_str, count + 1);
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, count + 1);
    if (names == NULL || types == NULL)
        return arb_fail_memory(error, "a result", count * sizeof *types);
    for (size_t i = 0; i < count; i++) {
        names[i] = arb_str_copy(arena, schema->root.children[i].name);
        if (names[i].data == NULL)
            return arb_fail_memory(error, "a result", schema->root.children[i].name.size);
        ARB_TRY(arb_arrow_field_to_type(&schema->root.children[i], arena, &types[i], error));
    }
    *out = (arb_result_columns){true, count, names, types};
    return arb_arrow_scan_create(schema, NULL, (uint32_t)count, false, &rows->scan, error);
}

static arb_code begin(arb_remote_rows *rows, arb_rpc_stream *stream, arb_arena *arena, arb_result_columns *out_columns,
                      arb_error *error)
{
    arb_arrow_array *array;
    bool end = false;
    ARB_TRY(arb_ipc_decoder_create(NULL, &rows->decoder, error));
    while (!end && arb_ipc_decoder_schema(rows->decoder) == NULL)
        ARB_TRY(receive(rows, stream, &array, &end, error));
    if (end)
        return arb_fail(error, ARB_CORRUPT_DATA, "the server sent a result without a schema");
    return describe(rows, arena, out_columns, error);
}

arb_code arb_remote_rows_begin(arb_rpc_stream *stream, arb_arena *arena, arb_result_columns *out_columns,
                               arb_remote_rows **out_rows, arb_error *error)
{
    *out_rows = NULL;
    arb_remote_rows *rows = arb_alloc_zeroed(sizeof *rows);
    if (rows == NULL)
        return arb_fail_memory(error, "a result", sizeof *rows);
    arb_code code = begin(rows, stream, arena, out_columns, error);
    if (code != ARB_OK) {
        arb_remote_rows_destroy(rows);
        return code;
    }
    *out_rows = rows;
    return ARB_OK;
}

arb_code arb_remote_rows_next(arb_remote_rows *rows, arb_rpc_stream *stream, const arb_batch **out_batch,
                              arb_error *error)
{
    bool end = false;
    *out_batch = NULL;
    for (;;) {
        arb_arrow_array *array;
        if (rows->reading)
            ARB_TRY(arb_arrow_scan_next(rows->scan, out_batch, error));
        if (*out_batch != NULL)
            return ARB_OK;
        ARB_TRY(receive(rows, stream, &array, &end, error));
        if (end)
            return ARB_OK;
        arb_code code = array != NULL ? arb_arrow_scan_begin(rows->scan, array, error) : ARB_OK;
        rows->reading |= array != NULL;
        arb_arrow_array_unref(array);
        ARB_TRY(code);
    }
}

void arb_remote_rows_destroy(arb_remote_rows *rows)
{
    if (rows == NULL)
        return;
    arb_arrow_scan_destroy(rows->scan);
    arb_ipc_decoder_destroy(rows->decoder);
    arb_free(rows);
}
