#include "columnar/ipc/ipc_body.h"
#include "columnar/ipc/ipc_format.h"

typedef struct batch_reader {
    const arb_ipc_batch_source *source;
    const arb_arrow_buffer *body;
    arb_arrow_draft *draft;
    arb_flat_vector nodes, buffers, variadic;
    uint32_t next_node, next_buffer, next_variadic;
    arb_codec codec;
    uint64_t memory_left;
    arb_error *error;
} batch_reader;

static arb_code damaged(batch_reader *reader, const char *what)
{
    return arb_fail(reader->error, ARB_CORRUPT_DATA, "a record batch %s", what);
}

/* Plain bytes of a compressed buffer. LZ4 cannot shrink more than 255 times, Zstandard's blocks of 128 KiB take at least
 * four bytes: what claims more is not believed, so no allocation is driven by the claim alone. */
static arb_code decompress(batch_reader *reader, arb_arrow_buffer *buffer)
{
    if (buffer->size == 0)
        return ARB_OK;
    if (buffer->size < 8)
        return damaged(reader, "has a compressed buffer without a size");
    int64_t claimed = arb_load_i64(buffer->data);
    arb_arrow_buffer packed = arb_arrow_buffer_slice(buffer, 8, buffer->size - 8);
    arb_arrow_buffer_reset(buffer);
    if (claimed == -1) {
        *buffer = packed;
        return ARB_OK;
    }
    arb_code code = ARB_OK;
    uint64_t ratio = reader->codec == ARB_CODEC_ZSTD ? 1 << 15 : 256;
    if (claimed < 0 || (uint64_t)claimed / ratio > packed.size) {
        code = damaged(reader, "has a compressed buffer with an impossible size");
    } else if ((uint64_t)claimed > reader->memory_left) {
        code = arb_fail(reader->error, ARB_LIMIT_EXCEEDED, "a record batch needs more than %llu bytes",
                        (unsigned long long)reader->source->memory_limit);
    } else if (claimed != 0) {
        uint8_t *plain;
        reader->memory_left -= (uint64_t)claimed;
        code = arb_arrow_buffer_create((size_t)claimed, buffer, &plain, reader->error);
        if (code == ARB_OK)
            code = arb_codec_decode(reader->codec, packed.data, packed.size, plain, (size_t)claimed, reader->error);
    }
    arb_arrow_buffer_reset(&packed);
    return code;
}

/* Bodies are aligned; a buffer within that is not is moved. */
static arb_code realign(batch_reader *reader, arb_arrow_buffer *buffer)
{
    if ((uintptr_t)buffer->data % IPC_ALIGNMENT == 0)
        return ARB_OK;
    arb_arrow_buffer moved;
    uint8_t *data;
    ARB_TRY(arb_arrow_buffer_create(buffer->size, &moved, &data, reader->error));
    memcpy(data, buffer->data, buffer->size);
    arb_arrow_buffer_reset(buffer);
    *buffer = moved;
    return ARB_OK;
}

static arb_code next_buffer(batch_reader *reader, arb_arrow_buffer *out_buffer)
{
    if (reader->next_buffer >= reader->buffers.count)
        return damaged(reader, "has fewer buffers than its schema needs");
    const uint8_t *entry = arb_flat_element(&reader->buffers, reader->next_buffer++);
    int64_t offset = arb_load_i64(entry), size = arb_load_i64(entry + 8);
    if (size == 0)
        return ARB_OK;
    if (offset < 0 || size < 0 || (uint64_t)offset > reader->body->size ||
        (uint64_t)size > reader->body->size - (uint64_t)offset)
        return damaged(reader, "has a buffer outside of its body");
    *out_buffer = arb_arrow_buffer_slice(reader->body, (size_t)offset, (size_t)size);
    if (reader->codec != ARB_CODEC_NONE)
        ARB_TRY(decompress(reader, out_buffer));
    return realign(reader, out_buffer);
}

/* Before version 5 unions had validity. Nobody wrote NULLs there; where somebody did, they are refused. */
static arb_code skip_union_validity(batch_reader *reader, const arb_arrow_node *node)
{
    if (node->null_count > 0)
        return arb_fail(reader->error, ARB_NOT_SUPPORTED,
                        "unions that are NULL themselves (Arrow before 1.0) are not supported: column \"%.*s\"",
                        ARB_STR_ARGS(node->field->name));
    arb_arrow_buffer validity = {0};
    arb_code code = next_buffer(reader, &validity);
    arb_arrow_buffer_reset(&validity);
    return code;
}

static arb_code read_node(batch_reader *reader, arb_arrow_node *node)
{
    if (reader->next_node >= reader->nodes.count)
        return damaged(reader, "has fewer columns than its schema");
    const uint8_t *entry = arb_flat_element(&reader->nodes, reader->next_node++);
    node->length = arb_load_i64(entry);
    node->null_count = arb_load_i64(entry + 8);
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)node->field->kind);
    if (reader->source->version < IPC_V5 && (layout == ARB_LAYOUT_SPARSE_UNION || layout == ARB_LAYOUT_DENSE_UNION))
        ARB_TRY(skip_union_validity(reader, node));
    if (layout == ARB_LAYOUT_VIEW) {
        if (reader->next_variadic >= reader->variadic.count)
            return damaged(reader, "does not say how many buffers a column has");
        int64_t more = arb_load_i64(arb_flat_element(&reader->variadic, reader->next_variadic++));
        if (more < 0 || more > (int64_t)reader->buffers.count)
            return damaged(reader, "has fewer buffers than it says");
        ARB_TRY(arb_arrow_node_set_buffer_count(reader->draft, node, (uint32_t)more + 2, reader->error));
    }
    for (uint32_t i = 0; i < node->buffer_count; i++)
        ARB_TRY(next_buffer(reader, &node->buffers[i]));
    if (layout == ARB_LAYOUT_DICTIONARY) {
        const arb_arrow_array *entries =
            reader->source->dictionary(reader->source->context, node->field->dictionary_id);
        if (entries == NULL)
            return arb_fail(reader->error, ARB_CORRUPT_DATA, "dictionary %lld of column \"%.*s\" is missing",
                            (long long)node->field->dictionary_id, ARB_STR_ARGS(node->field->name));
        node->dictionary = arb_arrow_array_ref(entries);
        return ARB_OK;
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(read_node(reader, &node->children[i]));
    return ARB_OK;
}

static arb_code read_compression(batch_reader *reader, const arb_flat_table *table)
{
    arb_flat_table compression = arb_flat_child(table, BATCH_COMPRESSION);
    if (compression.reader == NULL)
        return ARB_OK;
    uint8_t codec = arb_flat_u8(&compression, COMPRESSION_CODEC, CODEC_LZ4_FRAME);
    if (codec > CODEC_ZSTD || arb_flat_u8(&compression, COMPRESSION_METHOD, 0) != 0)
        return arb_fail(reader->error, ARB_NOT_SUPPORTED, "a record batch is compressed in an unknown way (%d)", codec);
    reader->codec = codec == CODEC_ZSTD ? ARB_CODEC_ZSTD : ARB_CODEC_LZ4_FRAME;
    return ARB_OK;
}

static arb_code read_columns(batch_reader *reader, const arb_flat_table *table, bool column)
{
    arb_arrow_node *root = &reader->draft->root;
    int64_t length = arb_flat_i64(table, BATCH_LENGTH, 0);
    ARB_TRY(read_compression(reader, table));
    if (column) {
        ARB_TRY(read_node(reader, root));
        if (root->length != length)
            return damaged(reader, "of a dictionary has another length than its values");
    } else {
        root->length = length;
        root->null_count = 0;
        for (uint32_t i = 0; i < root->child_count; i++)
            ARB_TRY(read_node(reader, &root->children[i]));
    }
    if (reader->next_node != reader->nodes.count || reader->next_buffer != reader->buffers.count ||
        reader->next_variadic != reader->variadic.count)
        return damaged(reader, "has more columns or buffers than its schema");
    ARB_TRY(arb_flat_check(table->reader, "a record batch", reader->error));
    return reader->source->big_endian ? arb_ipc_swap(root, reader->error) : ARB_OK;
}

arb_code arb_ipc_batch_read(const arb_ipc_batch_source *source, const arb_flat_table *table,
                            const arb_arrow_buffer *body, const arb_arrow_field *field, arb_arrow_draft *out_draft,
                            arb_error *error)
{
    *out_draft = (arb_arrow_draft){0};
    if (table->reader == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a record batch is missing");
    ARB_TRY(arb_arrow_draft_init(out_draft, source->schema, field, error));
    batch_reader reader = {.source = source,
                           .body = body,
                           .draft = out_draft,
                           .nodes = arb_flat_scalars(table, BATCH_NODES, NODE_BYTES),
                           .buffers = arb_flat_scalars(table, BATCH_BUFFERS, BUFFER_BYTES),
                           .variadic = arb_flat_scalars(table, BATCH_VARIADIC, 8),
                           .memory_left = source->memory_limit,
                           .error = error};
    arb_code code = read_columns(&reader, table, field != NULL);
    if (code != ARB_OK)
        arb_arrow_draft_reset(out_draft);
    return code;
}
