#include "rpc/flight_service.h"

#include "proto/flight.pb-c.h"
#include "wire/wire.h"

/* ---- requests of one message -------------------------------------------------------------------------------------------- */

typedef struct request_kind {
    const ProtobufCMessageDescriptor *message;
    void (*run)(arb_flight_service *service, arb_rpc_call *call, const ProtobufCMessage *request);
} request_kind;

static void not_supported(arb_rpc_call *call)
{
    arb_error error = {0};
    arb_rpc_finish(call,
                   arb_fail(&error, ARB_NOT_SUPPORTED, "%.*s is not offered here", ARB_STR_ARGS(arb_rpc_method(call))),
                   &error);
}

/* The call's context until the service takes over. */
typedef struct waiting {
    arb_flight_service *service;
    const request_kind *kind;
} waiting;

static void got_request(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    static const arb_rpc_events no_events = {0};
    const waiting *w = context;
    arb_error error = {0};
    arb_str bytes;
    ProtobufCMessage *request;
    arb_code code = arb_rpc_message_bytes(message, arb_rpc_arena(call), &bytes, &error);
    if (code == ARB_OK)
        code = arb_wire_unpack(w->kind->message, arb_rpc_arena(call), bytes.data, bytes.size, &request, &error);
    arb_rpc_handle(call, &no_events, NULL);
    if (code != ARB_OK)
        arb_rpc_finish(call, code, &error);
    else
        w->kind->run(w->service, call, request);
}

static void no_request(arb_rpc_call *call, void *context)
{
    (void)context;
    arb_error error = {0};
    arb_rpc_finish(
        call,
        arb_fail(&error, ARB_INVALID_PARAMETER, "%.*s came without a request", ARB_STR_ARGS(arb_rpc_method(call))),
        &error);
}

static void wait_for_request(arb_flight_service *service, arb_rpc_call *call, const request_kind *kind)
{
    static const arb_rpc_events events = {.on_message = got_request, .on_half_close = no_request};
    arb_error error = {0};
    waiting *w = arb_arena_alloc(arb_rpc_arena(call), sizeof *w);
    if (w == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "a request", sizeof *w), &error);
        return;
    }
    *w = (waiting){service, kind};
    arb_rpc_handle(call, &events, w);
    arb_rpc_read(call);
}

/* X(method, "Method", message) */
#define SINGLE_REQUESTS(X)                                                     \
    X(list_flights, "ListFlights", Criteria, criteria)                         \
    X(get_flight_info, "GetFlightInfo", FlightDescriptor, flight_descriptor)   \
    X(poll_flight_info, "PollFlightInfo", FlightDescriptor, flight_descriptor) \
    X(get_schema, "GetSchema", FlightDescriptor, flight_descriptor)            \
    X(do_get, "DoGet", Ticket, ticket)                                         \
    X(do_action, "DoAction", Action, action)

#define X(method, name, type, symbol)                                                                          \
    static void run_##method(arb_flight_service *service, arb_rpc_call *call, const ProtobufCMessage *request) \
    {                                                                                                          \
        service->methods->method(service->context, call, (const Arrow__Flight__Protocol__##type *)request);    \
    }                                                                                                          \
    static void start_##method(void *context, arb_rpc_call *call)                                              \
    {                                                                                                          \
        static const request_kind kind = {&arrow__flight__protocol__##symbol##__descriptor, run_##method};     \
        arb_flight_service *service = context;                                                                 \
        if (service->methods->method == NULL)                                                                  \
            not_supported(call);                                                                               \
        else                                                                                                   \
            wait_for_request(service, call, &kind);                                                            \
    }
SINGLE_REQUESTS(X)
#undef X

/* Its request is empty: nobody waits for it. */
static void start_list_actions(void *context, arb_rpc_call *call)
{
    arb_flight_service *service = context;
    if (service->methods->list_actions == NULL)
        not_supported(call);
    else
        service->methods->list_actions(service->context, call);
}

/* ---- requests that are streams ------------------------------------------------------------------------------------------ */

#define STREAM_REQUESTS(X)    \
    X(handshake, "Handshake") \
    X(do_put, "DoPut")        \
    X(do_exchange, "DoExchange")

#define X(method, name)                                           \
    static void start_##method(void *context, arb_rpc_call *call) \
    {                                                             \
        arb_flight_service *service = context;                    \
        if (service->methods->method == NULL)                     \
            not_supported(call);                                  \
        else                                                      \
            service->methods->method(service->context, call);     \
    }
STREAM_REQUESTS(X)
#undef X

arb_rpc_service arb_flight_service_entry(arb_flight_service *service)
{
    static const arb_rpc_method_entry entries[] = {
#define X(method, name, ...) {name, start_##method},
        SINGLE_REQUESTS(X) STREAM_REQUESTS(X)
#undef X
            {"ListActions", start_list_actions}};
    return (arb_rpc_service){ARB_FLIGHT_SERVICE_NAME, entries, ARB_COUNT_OF(entries), service};
}

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

arb_code arb_flight_pack(const ProtobufCMessage *message, arb_rpc_message **out_packed, arb_error *error)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *own;
    ARB_TRY(arb_rpc_message_create(1, size, NULL, NULL, out_packed, &own, error));
    (*out_packed)->size = protobuf_c_message_pack(message, own);
    (*out_packed)->slices[0] = (arb_rpc_slice){own, size};
    return ARB_OK;
}

arb_code arb_flight_send(arb_rpc_call *call, const ProtobufCMessage *message, arb_error *error)
{
    arb_rpc_message *packed;
    ARB_TRY(arb_flight_pack(message, &packed, error));
    return arb_rpc_send(call, packed, error);
}

void arb_flight_answer(arb_rpc_call *call, const ProtobufCMessage *message)
{
    arb_error error = {0};
    arb_rpc_finish(call, arb_flight_send(call, message, &error), &error);
}
