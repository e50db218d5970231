#include "scheduler_process/segment_service.h"

#include "base/alloc.h"
#include "proto/control.pb-c.h"
#include "rpc/auth_metadata.h"
#include "runtime/workers.h"
#include "wire/wire.h"

enum {
    SENDERS = 2,
    SENDER_STACK = 256 << 10,
};

/* A call of Get. Its counts: one until the call is over, one while it waits for a sender or is with one. */
typedef struct segment_stream {
    arb_segment_service *service;
    arb_rpc_call *call;
    uint8_t hash[sizeof((arb_segment_name *)0)->hash];
    arb_text bytes; /* the sender's, from its first turn on */
    size_t sent;
    bool made; /* the bytes */
    /* The service's lock guards the rest. */
    unsigned references;
    bool asked; /* the request has come */
    bool busy;  /* queued, or with a sender */
    bool again; /* there may be room since the sender looked */
    bool over;
    struct segment_stream *next; /* in the queue */
} segment_stream;

struct arb_segment_service {
    arb_segment_store *store;
    arb_text token;
    arb_workers senders;           /* its lock */
    segment_stream *first, **last; /* streams that wait for a sender */
};

/* ---- a stream's life ----------------------------------------------------------------------------------------------------- */

static void free_stream(segment_stream *stream)
{
    arb_text_reset(&stream->bytes);
    arb_rpc_call_unref(stream->call);
    arb_free(stream);
}

static void unref_stream(segment_stream *stream)
{
    arb_segment_service *service = stream->service;
    pthread_mutex_lock(&service->senders.lock);
    bool last = --stream->references == 0;
    pthread_mutex_unlock(&service->senders.lock);
    if (last)
        free_stream(stream);
}

/* With the lock held. */
static void enqueue(segment_stream *stream)
{
    arb_segment_service *service = stream->service;
    stream->busy = true;
    stream->again = false;
    stream->next = NULL;
    stream->references++;
    *service->last = stream;
    service->last = &stream->next;
    pthread_cond_signal(&service->senders.work);
}

/* Send while there is room; *out_over: all has been sent. */
static arb_code send_some(segment_stream *stream, bool *out_over, arb_error *error)
{
    *out_over = false;
    if (!stream->made)
        ARB_TRY(arb_segment_store_read(
            stream->service->store, (arb_str){(const char *)stream->hash, sizeof stream->hash}, &stream->bytes, error));
    stream->made = true;
    while (stream->sent < stream->bytes.size) {
        if (!arb_rpc_writable(stream->call))
            return ARB_OK;
        arb_rpc_message *message;
        arb_str piece = {stream->bytes.data + stream->sent,
                         ARB_MIN(stream->bytes.size - stream->sent, (size_t)ARB_SEGMENT_PIECE_BYTES)};
        ARB_TRY(arb_rpc_message_copy(piece, &message, error));
        ARB_TRY(arb_rpc_send(stream->call, message, error));
        stream->sent += piece.size;
    }
    *out_over = true;
    return ARB_OK;
}

/* One turn of a stream. Then it waits for room, or for another turn if room came meanwhile. */
static void serve(arb_segment_service *service, segment_stream *stream)
{
    arb_error error = {0};
    bool over;
    arb_code code = send_some(stream, &over, &error);
    if (code != ARB_OK || over)
        arb_rpc_finish(stream->call, code, &error);
    pthread_mutex_lock(&service->senders.lock);
    stream->busy = false;
    stream->over |= code != ARB_OK || over;
    if (stream->again && !stream->over)
        enqueue(stream);
    pthread_mutex_unlock(&service->senders.lock);
    unref_stream(stream);
}

static void *send(void *context)
{
    arb_segment_service *service = context;
    pthread_mutex_lock(&service->senders.lock);
    while (!service->senders.stopping) {
        segment_stream *stream = service->first;
        if (stream == NULL) {
            pthread_cond_wait(&service->senders.work, &service->senders.lock);
            continue;
        }
        service->first = stream->next;
        if (service->first == NULL)
            service->last = &service->first;
        pthread_mutex_unlock(&service->senders.lock);
        serve(service, stream);
        pthread_mutex_lock(&service->senders.lock);
    }
    pthread_mutex_unlock(&service->senders.lock);
    return NULL;
}

/* ---- events of the call -------------------------------------------------------------------------------------------------- */

static void on_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    segment_stream *stream = context;
    pthread_mutex_lock(&stream->service->senders.lock);
    if (stream->busy)
        stream->again = true;
    else if (stream->asked && !stream->over)
        enqueue(stream);
    pthread_mutex_unlock(&stream->service->senders.lock);
}

static void on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call, (void)outcome;
    segment_stream *stream = context;
    pthread_mutex_lock(&stream->service->senders.lock);
    stream->over = true;
    pthread_mutex_unlock(&stream->service->senders.lock);
    unref_stream(stream);
}

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
    pthread_mutex_lock(&service->senders.lock);
    arb_code code = arb_workers_start(&service->senders, send, service, SENDER_STACK, error);
    stream->asked = code == ARB_OK;
    pthread_mutex_unlock(&service->senders.lock);
    return code;
}

static void on_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    segment_stream *stream = context;
    arb_arena arena = {0};
    arb_error error = {0};
    arb_code code = read_request(stream, message, &arena, &error);
    arb_arena_reset(&arena);
    if (code == ARB_OK)
        on_writable(call, stream);
    else
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
    static const arb_rpc_events events = {
        .on_message = on_message, .on_half_close = on_half_close, .on_writable = on_writable, .on_done = on_done};
    arb_error error = {0};
    segment_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "a segment's reader", sizeof *stream), &error);
        return;
    }
    stream->service = context;
    stream->call = arb_rpc_call_ref(call);
    stream->references = 1;
    arb_rpc_handle(call, &events, stream);
    arb_rpc_read(call);
}

/* ---- the service --------------------------------------------------------------------------------------------------------- */

arb_code arb_segment_service_create(arb_segment_store *store, arb_str join_token, arb_segment_service **out_service,
                                    arb_error *error)
{
    *out_service = NULL;
    arb_segment_service *service = arb_alloc_zeroed(sizeof *service);
    if (service == NULL)
        return arb_fail_memory(error, "the service of segments", sizeof *service);
    service->store = store;
    service->last = &service->first;
    arb_text_append_str(&service->token, join_token);
    arb_code code = arb_text_check(&service->token, error);
    if (code == ARB_OK)
        code = arb_workers_init(&service->senders, SENDERS, "the senders of segments", error);
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
    /* calls are over, but a sender may still hold the last count of a stream, or one may wait for its turn in vain */
    arb_workers_reset(&service->senders);
    for (segment_stream *stream = service->first, *next; stream != NULL; stream = next) {
        next = stream->next;
        free_stream(stream);
    }
    arb_text_reset(&service->token);
    arb_free(service);
}

arb_rpc_service arb_segment_service_entry(arb_segment_service *service)
{
    static const arb_rpc_method_entry methods[] = {{"Get", start_get}};
    return (arb_rpc_service){ARB_SEGMENT_SERVICE_NAME, methods, ARB_COUNT_OF(methods), service};
}
