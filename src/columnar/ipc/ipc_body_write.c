#include "columnar/ipc/ipc_body.h"
#include "columnar/ipc/ipc_format.h"

typedef struct batch_writer {
    arb_ipc_body *body;
    arb_codec_encoder *encoder;
    ARB_VEC(int64_t) nodes, places, variadic; /* pairs, pairs, numbers */
    arb_error *error;
} batch_writer;

void arb_ipc_body_reset(arb_ipc_body *body)
{
    for (size_t i = 0; i < body->buffers.size; i++)
        arb_arrow_buffer_reset(&body->buffers.data[i]);
    ARB_VEC_RESET(&body->buffers);
    *body = (arb_ipc_body){0};
}

/* The plain size in front of what the encoder makes of it; or -1 and the bytes themselves where that gains nothing. */
static arb_code compress(batch_writer *writer, const arb_arrow_buffer *buffer, arb_arrow_buffer *out_buffer)
{
    size_t bound = arb_codec_encode_bound(writer->encoder, buffer->size), packed;
    uint8_t *to;
    ARB_TRY(arb_arrow_buffer_create(8 + ARB_MAX(bound, buffer->size), out_buffer, &to, writer->error));
    ARB_TRY(arb_codec_encode(writer->encoder, buffer->data, buffer->size, to + 8, &packed, writer->error));
    if (packed >= buffer->size) {
        arb_store_i64(to, -1);
        memcpy(to + 8, buffer->data, buffer->size);
        packed = buffer->size;
    } else {
        arb_store_i64(to, (int64_t)buffer->size);
    }
    out_buffer->size = 8 + packed;
    return ARB_OK;
}

/* The first `size` bytes of a buffer. */
static arb_code put_buffer(batch_writer *writer, const arb_arrow_buffer *buffer, size_t size)
{
    arb_ipc_body *body = writer->body;
    arb_arrow_buffer piece = arb_arrow_buffer_slice(buffer, 0, size);
    if (size != 0 && writer->encoder != NULL) {
        arb_arrow_buffer packed = {0};
        arb_code code = compress(writer, &piece, &packed);
        arb_arrow_buffer_reset(&piece);
        piece = packed;
        if (code != ARB_OK) {
            arb_arrow_buffer_reset(&piece);
            return code;
        }
    }
    if (!ARB_VEC_RESERVE(&writer->places, writer->places.size + 2) || !ARB_VEC_PUSH(&body->buffers, piece)) {
        arb_arrow_buffer_reset(&piece);
        return arb_fail_memory(writer->error, "a message", 64);
    }
    writer->places.data[writer->places.size++] = (int64_t)body->size;
    writer->places.data[writer->places.size++] = (int64_t)piece.size;
    body->size += arb_round_up(piece.size, body->alignment);
    return ARB_OK;
}

/* Bytes of buffer `buffer` that the node's rows need. */
static size_t used_size(const arb_arrow_node *node, arb_arrow_layout layout, uint32_t buffer)
{
    size_t rows = (size_t)node->length, width = arb_arrow_field_width(node->field);
    if (buffer == 0 && arb_arrow_layout_has_validity(layout))
        return node->null_count == 0 ? 0 : (rows + 7) / 8;
    switch (layout) {
    case ARB_LAYOUT_BITS:
        return (rows + 7) / 8;
    case ARB_LAYOUT_BINARY:
        return buffer == 1 ? (rows + 1) * width : (size_t)arb_arrow_node_offset(node, 1, node->length);
    case ARB_LAYOUT_LIST:
        return (rows + 1) * width;
    case ARB_LAYOUT_VIEW:
        return buffer == 1 ? rows * 16 : node->buffers[buffer].size;
    case ARB_LAYOUT_SPARSE_UNION:
        return rows;
    case ARB_LAYOUT_DENSE_UNION:
        return buffer == 0 ? rows : rows * 4;
    default: /* FIXED, LIST_VIEW, DICTIONARY */
        return rows * width;
    }
}

static arb_code put_node(batch_writer *writer, const arb_arrow_node *node)
{
    assert(node->offset == 0);
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)node->field->kind);
    if (!ARB_VEC_RESERVE(&writer->nodes, writer->nodes.size + 2))
        return arb_fail_memory(writer->error, "a message", 64);
    writer->nodes.data[writer->nodes.size++] = node->length;
    writer->nodes.data[writer->nodes.size++] = node->null_count;
    if (layout == ARB_LAYOUT_VIEW && !ARB_VEC_PUSH(&writer->variadic, (int64_t)node->buffer_count - 2))
        return arb_fail_memory(writer->error, "a message", 64);
    static const uint8_t zeros[8];
    const arb_arrow_buffer one_offset = {zeros, sizeof zeros, NULL};
    for (uint32_t i = 0; i < node->buffer_count; i++) {
        size_t size = used_size(node, layout, i);
        bool missing = size != 0 && node->buffers[i].size == 0; /* the offset of no rows, which may be left out */
        ARB_TRY(put_buffer(writer, missing ? &one_offset : &node->buffers[i], size));
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(put_node(writer, &node->children[i]));
    return ARB_OK;
}

static arb_code put_columns(batch_writer *writer, const arb_arrow_node *root, bool column)
{
    if (column)
        return put_node(writer, root);
    assert(root->field->kind == ARB_ARROW_STRUCT && root->null_count == 0);
    for (uint32_t i = 0; i < root->child_count; i++)
        ARB_TRY(put_node(writer, &root->children[i]));
    return ARB_OK;
}

static void write_table(batch_writer *writer, arb_flat_writer *flat, size_t hole, int64_t length, arb_codec codec)
{
    arb_flat_slot slots[5] = {
        {.field = BATCH_LENGTH, .size = 8, .value = length}, {.field = BATCH_NODES}, {.field = BATCH_BUFFERS}};
    size_t count = 3, compression = 0, variadic = 0;
    if (writer->encoder != NULL)
        slots[compression = count++] = (arb_flat_slot){.field = BATCH_COMPRESSION};
    if (writer->variadic.size != 0)
        slots[variadic = count++] = (arb_flat_slot){.field = BATCH_VARIADIC};
    arb_flat_write_table(flat, hole, slots, count);
    arb_flat_write_vector(flat, slots[1].at, writer->nodes.data, writer->nodes.size / 2, NODE_BYTES, 8);
    arb_flat_write_vector(flat, slots[2].at, writer->places.data, writer->places.size / 2, BUFFER_BYTES, 8);
    if (compression != 0) {
        arb_flat_slot codecs[] = {
            {.field = COMPRESSION_CODEC, .size = 1, .value = codec == ARB_CODEC_ZSTD ? CODEC_ZSTD : CODEC_LZ4_FRAME}};
        arb_flat_write_table(flat, slots[compression].at, codecs, 1);
    }
    if (variadic != 0)
        arb_flat_write_vector(flat, slots[variadic].at, writer->variadic.data, writer->variadic.size, 8, 8);
}

arb_code arb_ipc_batch_write(arb_flat_writer *writer, size_t hole, const arb_arrow_array *array, bool column,
                             arb_codec codec, arb_codec_encoder *encoder, arb_ipc_body *body, arb_error *error)
{
    batch_writer batch = {.body = body, .encoder = encoder, .error = error};
    assert(body->alignment != 0 && body->size == 0);
    const arb_arrow_node *root = arb_arrow_array_root(array);
    arb_code code = put_columns(&batch, root, column);
    if (code == ARB_OK) {
        write_table(&batch, writer, hole, root->length, codec);
        code = arb_text_check(&writer->bytes, error);
    }
    ARB_VEC_RESET(&batch.nodes);
    ARB_VEC_RESET(&batch.places);
    ARB_VEC_RESET(&batch.variadic);
    return code;
}
