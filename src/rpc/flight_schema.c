#include "rpc/flight_schema.h"

#include "columnar/ipc/ipc_decoder.h"
#include "columnar/ipc/ipc_encoder.h"
#include "columnar/ipc/ipc_frame.h"

arb_code arb_flight_schema_frame(arb_str description, arb_text *out, arb_error *error)
{
    size_t padded = arb_round_up(description.size, IPC_ALIGNMENT);
    uint8_t frame[IPC_FRAME_BYTES];
    arb_ipc_frame_write(frame, padded);
    arb_text_append(out, (const char *)frame, sizeof frame);
    arb_text_append_str(out, description);
    arb_text_append_repeated(out, '\0', padded - description.size);
    return arb_text_check(out, error);
}

static arb_code append(void *context, const arb_ipc_encoded *message, arb_error *error)
{
    return arb_flight_schema_frame(message->metadata, context, error);
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
    const uint8_t *description;
    size_t size;
    if (!arb_ipc_frame_read((const uint8_t *)bytes.data, bytes.size, &description, &size))
        return arb_fail(error, ARB_CORRUPT_DATA, "a schema's message is cut off");
    ARB_TRY(arb_ipc_message_read(description, size, &message, error));
    if (message.type != HEADER_SCHEMA)
        return arb_fail(error, ARB_CORRUPT_DATA, "a message that should be a schema is something else");
    ARB_TRY(arb_ipc_decoder_create(NULL, &decoder, error));
    arb_code code = arb_ipc_decoder_set_schema(decoder, &message.header, error);
    if (code == ARB_OK)
        *out_schema = arb_arrow_schema_ref(arb_ipc_decoder_schema(decoder));
    arb_ipc_decoder_destroy(decoder);
    return code;
}
