/* segment_encode.c: a chunk becomes bytes. Fixed widths are written from where they lie; of texts and lists only offsets (and
 * the texts' bytes, in a row) are made. */
#include "catalog/segment_columns.h"
#include "columnar/ipc/ipc_writer.h"

/* ---- columns ----------------------------------------------------------------------------------------------------- */
static arb_arrow_buffer lent(const void *data, size_t size)
{
    return (arb_arrow_buffer){.data = size == 0 ? NULL : data, .size = size};
}

static arb_code fill_text(const arb_chunk_column *column, arb_arrow_node *node, arb_error *error)
{
    const arb_string *texts = column->values;
    uint64_t bytes = 0;
    uint8_t *offsets, *data;
    for (size_t i = 0; i < column->rows; i++)
        bytes += texts[i].size;
    ARB_TRY(arb_arrow_buffer_create((column->rows + 1) * 8, &node->buffers[1], &offsets, error));
    ARB_TRY(arb_arrow_buffer_create(bytes, &node->buffers[2], &data, error));
    size_t at = 0;
    for (size_t i = 0; i < column->rows; at += texts[i++].size) {
        arb_store_u64(offsets + i * 8, at);
        if (texts[i].size != 0)
            memcpy(data + at, arb_string_data(&texts[i]), texts[i].size);
    }
    arb_store_u64(offsets + column->rows * 8, at);
    return ARB_OK;
}

static arb_code fill(const arb_chunk_column *column, arb_arrow_node *node, arb_error *error);

/* Elements lie in the order of their lists, without gaps. */
static arb_code fill_list(const arb_chunk_column *column, arb_arrow_node *node, arb_error *error)
{
    const arb_list *lists = column->values;
    uint8_t *offsets;
    ARB_TRY(arb_arrow_buffer_create((column->rows + 1) * 8, &node->buffers[1], &offsets, error));
    for (size_t i = 0; i < column->rows; i++)
        arb_store_u64(offsets + i * 8, lists[i].offset);
    arb_store_u64(offsets + column->rows * 8, column->children[0].rows);
    return fill(&column->children[0], &node->children[0], error);
}

static arb_code fill(const arb_chunk_column *column, arb_arrow_node *node, arb_error *error)
{
    node->length = (int64_t)column->rows;
    node->null_count = (int64_t)column->null_count;
    if (column->null_count != 0)
        node->buffers[0] = lent(column->validity, (column->rows + 7) / 8);
    switch (column->physical) {
    case ARB_PHYS_BOOL:
        node->buffers[1] = lent(column->values, (column->rows + 7) / 8);
        return ARB_OK;
    case ARB_PHYS_STRING:
        return fill_text(column, node, error);
    case ARB_PHYS_LIST:
        return fill_list(column, node, error);
    case ARB_PHYS_STRUCT:
        for (size_t i = 0; i < column->child_count; i++)
            ARB_TRY(fill(&column->children[i], &node->children[i], error));
        return ARB_OK;
    default:
        node->buffers[1] = lent(column->values, column->rows * arb_physical_size(column->physical));
        return ARB_OK;
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */
static arb_code make_array(const arb_memory_chunk *chunk, const arb_arrow_schema *schema, arb_arrow_array **out_array,
                           arb_error *error)
{
    arb_arrow_draft draft = {0};
    ARB_TRY(arb_arrow_draft_init(&draft, schema, NULL, error));
    draft.root.length = (int64_t)chunk->rows;
    arb_code code = ARB_OK;
    for (size_t i = 0; code == ARB_OK && i < chunk->column_count; i++)
        code = fill(&chunk->columns[i], &draft.root.children[i], error);
    if (code == ARB_OK)
        return arb_arrow_array_create(&draft, out_array, error);
    arb_arrow_draft_reset(&draft);
    return code;
}

static arb_code write(arb_byte_sink *sink, const arb_arrow_schema *schema, const arb_arrow_array *array,
                      arb_error *error)
{
    arb_ipc_writer *writer;
    ARB_TRY(arb_ipc_writer_create(sink, ARB_IPC_STREAM, schema, NULL, &writer, error));
    arb_code code = arb_ipc_writer_write(writer, array, error);
    if (code == ARB_OK)
        code = arb_ipc_writer_finish(writer, (arb_arrow_metadata){0}, error);
    arb_ipc_writer_destroy(writer);
    return code == ARB_OK ? arb_byte_sink_finish(sink, error) : code;
}

arb_code arb_segment_encode(const arb_memory_chunk *chunk, arb_text *out, arb_error *error)
{
    arb_arrow_schema *schema;
    arb_arrow_array *array = NULL;
    arb_byte_sink *sink = NULL;
    ARB_TRY(arb_segment_schema(chunk, &schema, error));
    arb_code code = make_array(chunk, schema, &array, error);
    if (code == ARB_OK)
        code = arb_byte_sink_create_memory(out, &sink, error);
    if (code == ARB_OK)
        code = write(sink, schema, array, error);
    arb_byte_sink_destroy(sink);
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(schema);
    return code;
}
