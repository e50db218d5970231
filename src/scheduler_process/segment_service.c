#include "scheduler_process/segment_service.h"

#include "base/alloc.h"
#include "proto/control.pb-c.h"
#include "rpc/auth_metadata.h"
#include "rpc/rpc_senders.h"
#include "wire/wire.h"

/* A call of Get. */
typedef struct segment_stream {
    arb_rpc_sending base; /* first */
    arb_segment_service *service;
    uint8_t hash[sizeof((arb_segment_name *)0)->hash];
    arb_text bytes; /* the sender's, from its first turn on */
    size_t sent;
    bool made; /* the bytes */
} segment_stream;

struct arb_segment_service {
    arb_segment_store *store;
    arb_text token;
    arb_rpc_senders senders;
};

static void free_stream(arb_rpc_sending *base)
{
    arb_text_reset(&((segment_stream *)base)->bytes);
    arb_free(base);
}

static arb_code send_some(arb_rpc_sending *base, bool *out_over, arb_error *error)
{
    segment_stream *stream = (segment_stream *)base;
    if (!stream->made)
        ARB_TRY(arb_segment_store_read(
            stream->service->store, (arb_str){(const char *)stream->hash, sizeof stream->hash}, &stream->bytes, error));
    stream->made = true;
    while (stream->sent < stream->bytes.size) {
        if (!arb_rpc_writable(base->call))
            return ARB_OK;
        arb_rpc_message *message;
        arb_str piece = {stream->bytes.data + stream->sent,
                         ARB_MIN(stream->bytes.size - stream->sent, (size_t)ARB_SEGMENT_PIECE_BYTES)};
        ARB_TRY(arb_rpc_message_copy(piece, &message, error));
        ARB_TRY(arb_rpc_send(base->call, message, error));
        stream->sent += piece.size;
    }
    *out_over = true;
    return ARB_OK;
}

/* ---- events of the call -------------------------------------------------------------------------------------------------- */

static arb_code read_request(segment_stream *stream, arb_rpc_message *message, arb_arena *arena, arb_error *error)
{
    arb_segment_service *service = stream->service;
    arb_str bytes;
    ProtobufCMessage *unpacked;
    ARB_TRY(arb_rpc_message_bytes(message, arena, &bytes, error));
    ARB_TRY(arb_wire_unpack(&arbalest__control__segment_request__descriptor, arena, bytes.data, bytes.size, &unpacked,
                            error));
    const Arbalest__Control__SegmentRequest *request = (const Arbalest__Control__SegmentRequest *)unpacked;
    if (service->token.size != 0 && !arb_auth_equal(arb_wire_text(request->token), arb_text_view(&service->token)))
        return arb_fail(error, ARB_NOT_AUTHENTICATED, "the join token is not this cluster's");
    if (request->hash.len != sizeof stream->hash)
        return arb_fail(error, ARB_CORRUPT_DATA, "a segment is asked for by something that is no hash");
    memcpy(stream->hash, request->hash.data, sizeof stream->hash);
    return arb_rpc_sending_begin(&stream->base, error);
}

static void on_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_code code = read_request(context, message, &arena, &error);
    arb_arena_reset(&arena);
    if (code != ARB_OK)
        arb_rpc_finish(call, code, &error);
}

static void on_half_close(arb_rpc_call *call, void *context)
{
    (void)context;
    arb_error error = {0};
    arb_rpc_finish(call, arb_fail(&error, ARB_CORRUPT_DATA, "no segment is asked for"), &error);
}

static void start_get(void *context, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_message = on_message,
                                          .on_half_close = on_half_close,
                                          .on_writable = arb_rpc_sending_on_writable,
                                          .on_done = arb_rpc_sending_on_done};
    arb_error error = {0};
    segment_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "a segment's reader", sizeof *stream), &error);
        return;
    }
    stream->service = context;
    arb_rpc_sending_init(&stream->base, &stream->service->senders, call);
    arb_rpc_handle(call, &events, stream);
    arb_rpc_read(call);
}

/* ---- the service --------------------------------------------------------------------------------------------------------- */

arb_code arb_segment_service_create(arb_segment_store *store, arb_str join_token, arb_segment_service **out_service,
                                    arb_error *error)
{
    static const arb_rpc_sending_vtable vtable = {send_some, free_stream};
    *out_service = NULL;
    arb_segment_service *service = arb_alloc_zeroed(sizeof *service);
    if (service == NULL)
        return arb_fail_memory(error, "the service of segments", sizeof *service);
    service->store = store;
    arb_text_append_str(&service->token, join_token);
    arb_code code = arb_text_check(&service->token, error);
    if (code == ARB_OK)
        code = arb_rpc_senders_init(&service->senders, &vtable, "the senders of segments", error);
    if (code != ARB_OK) {
        arb_text_reset(&service->token);
        arb_free(service);
        return code;
    }
    *out_service = service;
    return ARB_OK;
}

void arb_segment_service_destroy(arb_segment_service *service)
{
    if (service == NULL)
        return;
    arb_rpc_senders_reset(&service->senders);
    arb_text_reset(&service->token);
    arb_free(service);
}

arb_rpc_service arb_segment_service_entry(arb_segment_service *service)
{
    static const arb_rpc_method_entry methods[] = {{"Get", start_get}};
    return (arb_rpc_service){ARB_SEGMENT_SERVICE_NAME, methods, ARB_COUNT_OF(methods), service};
}
