#include "columnar/ipc/ipc_writer.h"

#include "base/alloc.h"
#include "columnar/ipc/ipc_frame.h"
#include "columnar/ipc/ipc_schema.h"

struct arb_ipc_writer {
    arb_byte_sink *sink;
    arb_ipc_form form;
    uint64_t start; /* of the file in the sink */
    size_t alignment;
    arb_arrow_schema *schema;
    arb_ipc_encoder *encoder;
    ARB_VEC(uint8_t) dictionaries, batches; /* blocks, as the footer has them */
};

static const char zeros[64];

static arb_code pad(arb_ipc_writer *writer, uint64_t size, uint64_t alignment, arb_error *error)
{
    return arb_byte_sink_write(writer->sink, zeros, (size_t)(arb_round_up(size, alignment) - size), error);
}

static arb_code note_block(arb_ipc_writer *writer, uint8_t type, uint64_t offset, uint64_t metadata_size,
                           uint64_t body_size, arb_error *error)
{
    uint8_t entry[BLOCK_BYTES] = {0};
    arb_store_u64(entry, offset);
    arb_store_u32(entry + 8, (uint32_t)metadata_size);
    arb_store_u64(entry + 16, body_size);
    for (size_t i = 0; i < sizeof entry; i++) {
        bool pushed = type == HEADER_DICTIONARY ? ARB_VEC_PUSH(&writer->dictionaries, entry[i])
                                                : ARB_VEC_PUSH(&writer->batches, entry[i]);
        if (!pushed)
            return arb_fail_memory(error, "a footer", sizeof entry);
    }
    return ARB_OK;
}

/* The frame of a stream: see ipc_format.h. */
static arb_code emit(void *context, const arb_ipc_encoded *message, arb_error *error)
{
    arb_ipc_writer *writer = context;
    uint64_t offset = writer->sink->written - writer->start;
    uint64_t framed = arb_round_up(IPC_FRAME_BYTES + message->metadata.size, writer->alignment);
    uint8_t frame[IPC_FRAME_BYTES];
    arb_ipc_frame_write(frame, framed - sizeof frame);
    ARB_TRY(arb_byte_sink_write(writer->sink, frame, sizeof frame, error));
    ARB_TRY(arb_byte_sink_write(writer->sink, message->metadata.data, message->metadata.size, error));
    ARB_TRY(pad(writer, IPC_FRAME_BYTES + message->metadata.size, writer->alignment, error));
    const arb_ipc_body *body = message->body;
    for (size_t i = 0; i < body->buffers.size; i++) {
        const arb_arrow_buffer *buffer = &body->buffers.data[i];
        ARB_TRY(arb_byte_sink_write(writer->sink, buffer->data, buffer->size, error));
        ARB_TRY(pad(writer, buffer->size, body->alignment, error));
    }
    if (message->type == HEADER_SCHEMA || writer->form == ARB_IPC_STREAM)
        return ARB_OK;
    return note_block(writer, message->type, offset, framed, body->size, error);
}

arb_code arb_ipc_writer_create(arb_byte_sink *sink, arb_ipc_form form, const arb_arrow_schema *schema,
                               const arb_ipc_write_options *options, arb_ipc_writer **out_writer, arb_error *error)
{
    *out_writer = NULL;
    arb_ipc_writer *writer = arb_alloc_zeroed(sizeof *writer);
    if (writer == NULL)
        return arb_fail_memory(error, "writing Arrow", sizeof *writer);
    writer->sink = sink;
    writer->form = form;
    writer->start = sink->written;
    writer->alignment = options != NULL && options->alignment != 0 ? options->alignment : 64;
    writer->schema = arb_arrow_schema_ref(schema);
    arb_ipc_write_options chosen = options != NULL ? *options : (arb_ipc_write_options){0};
    chosen.alignment = writer->alignment;
    chosen.no_replacement |= form == ARB_IPC_FILE;
    arb_code code = arb_ipc_encoder_create(schema, &chosen, (arb_ipc_outlet){emit, writer}, &writer->encoder, error);
    if (code == ARB_OK && form == ARB_IPC_FILE) {
        code = arb_byte_sink_write(sink, IPC_MAGIC, IPC_MAGIC_SIZE, error);
        if (code == ARB_OK)
            code = pad(writer, IPC_MAGIC_SIZE, IPC_FILE_HEAD, error);
    }
    if (code == ARB_OK)
        code = arb_ipc_encoder_schema(writer->encoder, error);
    if (code != ARB_OK) {
        arb_ipc_writer_destroy(writer);
        return code;
    }
    *out_writer = writer;
    return ARB_OK;
}

void arb_ipc_writer_destroy(arb_ipc_writer *writer)
{
    if (writer == NULL)
        return;
    arb_ipc_encoder_destroy(writer->encoder);
    arb_arrow_schema_unref(writer->schema);
    ARB_VEC_RESET(&writer->dictionaries);
    ARB_VEC_RESET(&writer->batches);
    arb_free(writer);
}

arb_code arb_ipc_writer_write(arb_ipc_writer *writer, const arb_arrow_array *array, arb_error *error)
{
    return arb_ipc_encoder_batch(writer->encoder, array, error);
}

static arb_code write_footer(arb_ipc_writer *writer, arb_arrow_metadata metadata, arb_error *error)
{
    arb_flat_writer flat = {0};
    arb_flat_slot slots[] = {{.field = FOOTER_VERSION, .size = 2, .value = IPC_V5},
                             {.field = FOOTER_SCHEMA},
                             {.field = FOOTER_DICTIONARIES},
                             {.field = FOOTER_BATCHES},
                             {.field = FOOTER_METADATA}};
    arb_flat_write_root(&flat, slots, metadata.count != 0 ? 5 : 4);
    arb_flat_write_vector(&flat, slots[2].at, writer->dictionaries.data, writer->dictionaries.size / BLOCK_BYTES,
                          BLOCK_BYTES, 8);
    arb_flat_write_vector(&flat, slots[3].at, writer->batches.data, writer->batches.size / BLOCK_BYTES, BLOCK_BYTES, 8);
    if (metadata.count != 0)
        arb_ipc_metadata_write(&flat, slots[4].at, metadata);
    arb_ipc_schema_write(&flat, slots[1].at, writer->schema, 0);
    arb_code code = arb_text_check(&flat.bytes, error);
    if (code == ARB_OK && flat.bytes.size > INT32_MAX)
        code = arb_fail(error, ARB_LIMIT_EXCEEDED, "an Arrow file has a footer of more than 2 GiB");
    uint8_t tail[IPC_FILE_TAIL];
    arb_store_u32(tail, (uint32_t)flat.bytes.size);
    memcpy(tail + 4, IPC_MAGIC, IPC_MAGIC_SIZE);
    if (code == ARB_OK)
        code = arb_byte_sink_write(writer->sink, flat.bytes.data, flat.bytes.size, error);
    if (code == ARB_OK)
        code = arb_byte_sink_write(writer->sink, tail, sizeof tail, error);
    arb_text_reset(&flat.bytes);
    return code;
}

arb_code arb_ipc_writer_finish(arb_ipc_writer *writer, arb_arrow_metadata metadata, arb_error *error)
{
    uint8_t end[IPC_FRAME_BYTES];
    arb_ipc_frame_write(end, 0);
    ARB_TRY(arb_byte_sink_write(writer->sink, end, sizeof end, error));
    return writer->form == ARB_IPC_FILE ? write_footer(writer, metadata, error) : ARB_OK;
}
