/* segment_decode.c: bytes become a chunk.
 *
 * Arrow's reader proves that offsets lie within their buffers, that texts are UTF-8 and counts of NULLs right; here is looked
 * whether the columns are those of the types. Rows are then added as any others, so ranges and counts are found anew. */
#include "catalog/segment_columns.h"
#include "columnar/ipc/ipc_stream_reader.h"

typedef struct segment_reader {
    arb_arena arena; /* words of texts and lists */
    arb_error *error;
} segment_reader;

static arb_code damaged(arb_error *error, const char *what)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a table's segment %s", what);
}

static arb_code view(segment_reader *r, const arb_arrow_node *node, const arb_chunk_column *column, arb_vector *out);

static arb_code view_text(segment_reader *r, const arb_arrow_node *node, arb_vector *out)
{
    arb_string *texts = ARB_ARENA_ARRAY(&r->arena, arb_string, node->length + 1);
    if (texts == NULL)
        return arb_fail_memory(r->error, "a segment", (size_t)node->length * sizeof *texts);
    for (int64_t row = 0; row < node->length; row++) {
        if (!arb_arrow_node_is_valid(node, row))
            continue;
        arb_str text = arb_arrow_node_bytes(node, row);
        if (text.size > UINT32_MAX)
            return damaged(r->error, "has a text that is too long");
        texts[row] = arb_string_of(text.data, text.size);
    }
    out->values.string = texts;
    return ARB_OK;
}

static arb_code view_list(segment_reader *r, const arb_arrow_node *node, const arb_chunk_column *column,
                          arb_vector *out)
{
    arb_list *lists = ARB_ARENA_ARRAY(&r->arena, arb_list, node->length + 1);
    arb_vector *child = ARB_ARENA_NEW(&r->arena, arb_vector);
    if (lists == NULL || child == NULL)
        return arb_fail_memory(r->error, "a segment", (size_t)node->length * sizeof *lists);
    for (int64_t row = 0; row < node->length; row++) {
        int64_t begin = arb_arrow_node_offset(node, 1, row), end = arb_arrow_node_offset(node, 1, row + 1);
        if (arb_arrow_node_is_valid(node, row))
            lists[row] = (arb_list){(uint32_t)begin, (uint32_t)(end - begin)}; /* nodes have fewer rows than 2^31 */
    }
    ARB_TRY(view(r, &node->children[0], &column->children[0], child));
    out->values.list = lists;
    out->children = child;
    out->child_rows = (uint32_t)node->children[0].length;
    return ARB_OK;
}

static arb_code view_struct(segment_reader *r, const arb_arrow_node *node, const arb_chunk_column *column,
                            arb_vector *out)
{
    out->children = ARB_ARENA_ARRAY(&r->arena, arb_vector, column->child_count + 1);
    out->child_rows = (uint32_t)column->child_count;
    if (out->children == NULL)
        return arb_fail_memory(r->error, "a segment", column->child_count * sizeof *out->children);
    for (size_t i = 0; i < column->child_count; i++)
        ARB_TRY(view(r, &node->children[i], &column->children[i], &out->children[i]));
    return ARB_OK;
}

/* A FLAT vector over all of the node's rows; `column` is an empty one of the type that is wanted. Slices do not occur in IPC,
 * and its buffers begin at multiples of 8. */
static arb_code view(segment_reader *r, const arb_arrow_node *node, const arb_chunk_column *column, arb_vector *out)
{
    if (node->offset != 0)
        return damaged(r->error, "is a slice");
    *out = (arb_vector){.physical = (uint8_t)column->physical, .encoding = ARB_FLAT};
    if (node->null_count != 0)
        out->validity = (uint64_t *)(uintptr_t)node->buffers[0].data;
    switch (column->physical) {
    case ARB_PHYS_STRING:
        return view_text(r, node, out);
    case ARB_PHYS_LIST:
        return view_list(r, node, column, out);
    case ARB_PHYS_STRUCT:
        return view_struct(r, node, column, out);
    default:
        out->values.data = (void *)(uintptr_t)node->buffers[1].data;
        return ARB_OK;
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */
static arb_code add_rows(arb_memory_chunk *chunk, const arb_arrow_array *array, arb_error *error)
{
    const arb_arrow_node *root = arb_arrow_array_root(array);
    segment_reader r = {.error = error};
    arb_vector *columns = ARB_ARENA_ARRAY(&r.arena, arb_vector, chunk->column_count + 1);
    arb_code code = columns == NULL ? arb_fail_memory(error, "a segment", sizeof *columns) : ARB_OK;
    for (size_t i = 0; code == ARB_OK && i < chunk->column_count; i++)
        code = view(&r, &root->children[i], &chunk->columns[i], &columns[i]);
    if (code == ARB_OK)
        code = arb_memory_chunk_append(chunk, columns, 0, (size_t)root->length, error);
    arb_arena_reset(&r.arena);
    return code;
}

static arb_code read(arb_arrow_stream *stream, const arb_segment_wanted *wanted, arb_memory_chunk *chunk,
                     arb_error *error)
{
    arb_arrow_schema *schema;
    arb_arrow_array *array, *next = NULL;
    ARB_TRY(arb_segment_schema(chunk, &schema, error));
    bool same = arb_arrow_field_equal(&schema->root, &stream->schema->root, true);
    arb_arrow_schema_unref(schema);
    if (!same)
        return damaged(error, "has other columns than its table");
    ARB_TRY(arb_arrow_stream_next(stream, &array, error));
    if (array == NULL)
        return damaged(error, "is empty");
    arb_code code = arb_arrow_array_length(array) == (int64_t)wanted->rows && wanted->rows <= ARB_CHUNK_ROWS
                        ? add_rows(chunk, array, error)
                        : damaged(error, "has another number of rows than its table says");
    arb_arrow_array_unref(array);
    if (code == ARB_OK)
        code = arb_arrow_stream_next(stream, &next, error);
    arb_arrow_array_unref(next);
    return code == ARB_OK && next != NULL ? damaged(error, "has more than one batch") : code;
}

arb_code arb_segment_decode_within(arb_str bytes, const arb_segment_wanted *wanted, arb_memory *account,
                                   arb_memory_chunk **out_chunk, bool *out_denied, arb_error *error)
{
    arb_memory_chunk *chunk;
    arb_byte_source *source;
    arb_arrow_stream *stream;
    arb_ipc_options options = {.memory_limit = ARB_MAX(bytes.size, (size_t)1)};
    *out_chunk = NULL;
    *out_denied = false;
    ARB_TRY(arb_byte_source_open_memory(ARB_STR("a segment"), bytes.data, bytes.size, &source, error));
    arb_code code = arb_ipc_stream_open_source(source, &options, &stream, error);
    if (code == ARB_OK) {
        code = arb_memory_chunk_create(wanted->types, wanted->column_count, account, &chunk, error);
        if (code == ARB_OK) {
            code = read(stream, wanted, chunk, error);
            *out_denied = chunk->denied;
            if (code == ARB_OK)
                *out_chunk = chunk;
            else
                arb_memory_chunk_unref(chunk);
        }
        arb_arrow_stream_destroy(stream);
    }
    arb_byte_source_destroy(source);
    return code;
}

arb_code arb_segment_decode(arb_str bytes, const arb_segment_wanted *wanted, arb_memory *account,
                            arb_memory_chunk **out_chunk, arb_error *error)
{
    bool denied;
    return arb_segment_decode_within(bytes, wanted, account, out_chunk, &denied, error);
}
