#include "rpc/flight_schema.h"

#include "columnar/ipc/ipc_decoder.h"
#include "columnar/ipc/ipc_encoder.h"
#include "columnar/ipc/ipc_format.h"

static arb_code append(void *context, const arb_ipc_encoded *message, arb_error *error)
{
    arb_text *out = context;
    size_t padded = arb_round_up(message->metadata.size, 8);
    uint8_t head[8];
    arb_store_u32(head, (uint32_t)IPC_CONTINUATION);
    arb_store_u32(head + 4, (uint32_t)padded);
    arb_text_append(out, (const char *)head, sizeof head);
    arb_text_append_str(out, message->metadata);
    arb_text_append_repeated(out, '\0', padded - message->metadata.size);
    return arb_text_check(out, error);
}

arb_code arb_flight_schema_write(const arb_arrow_schema *schema, arb_text *out, arb_error *error)
{
    arb_ipc_encoder *encoder;
    ARB_TRY(arb_ipc_encoder_create(schema, NULL, (arb_ipc_outlet){append, out}, &encoder, error));
    arb_code code = arb_ipc_encoder_schema(encoder, error);
    arb_ipc_encoder_destroy(encoder);
    return code;
}

arb_code arb_flight_schema_read(arb_str bytes, arb_arrow_schema **out_schema, arb_error *error)
{
    arb_ipc_message message;
    arb_ipc_decoder *decoder;
    *out_schema = NULL;
    if (bytes.size < 8)
        return arb_fail(error, ARB_CORRUPT_DATA, "a schema's message is cut off");
    /* Old writers leave the first word out. */
    size_t head = arb_load_u32(bytes.data) == (uint32_t)IPC_CONTINUATION ? 8 : 4;
    uint32_t size = arb_load_u32(bytes.data + head - 4);
    if (size > bytes.size - head)
        return arb_fail(error, ARB_CORRUPT_DATA, "a schema's message is cut off");
    ARB_TRY(arb_ipc_message_read((const uint8_t *)bytes.data + head, size, &message, error));
    if (message.type != HEADER_SCHEMA)
        return arb_fail(error, ARB_CORRUPT_DATA, "a message that should be a schema is something else");
    ARB_TRY(arb_ipc_decoder_create(NULL, &decoder, error));
    arb_code code = arb_ipc_decoder_set_schema(decoder, &message.header, error);
    if (code == ARB_OK)
        *out_schema = arb_arrow_schema_ref(arb_ipc_decoder_schema(decoder));
    arb_ipc_decoder_destroy(decoder);
    return code;
}
