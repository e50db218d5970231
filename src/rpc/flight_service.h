/* flight_service.h: Arrow Flight's methods, for those who serve them.
 *
 * A service fills a table; an entry that is NULL is answered as not supported. Entries are called on the call's thread, begin
 * the work and return; the answer may come from any thread, then or later, by the functions of rpc_call.h and those below. A
 * request is lent until the call's last count is gone.
 *
 * Methods that read a single request get it taken apart. Those that read a stream (handshake, do_put, do_exchange) get the call
 * as it is: they say by arb_rpc_handle who gets its messages, and ask for them. A service that answers later does the same to
 * hear of the end. */
#ifndef ARB_RPC_FLIGHT_SERVICE_H
#define ARB_RPC_FLIGHT_SERVICE_H

#include "rpc/rpc_server.h"
#include "wire/wire.h"

struct Arrow__Flight__Protocol__FlightDescriptor;
struct Arrow__Flight__Protocol__Ticket;
struct Arrow__Flight__Protocol__Criteria;
struct Arrow__Flight__Protocol__Action;

#define ARB_FLIGHT_SERVICE_NAME "arrow.flight.protocol.FlightService"

typedef struct arb_flight_methods {
    void (*handshake)(void *service, arb_rpc_call *call);
    void (*list_flights)(void *service, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Criteria *criteria);
    void (*get_flight_info)(void *service, arb_rpc_call *call,
                            const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor);
    void (*poll_flight_info)(void *service, arb_rpc_call *call,
                             const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor);
    void (*get_schema)(void *service, arb_rpc_call *call,
                       const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor);
    void (*do_get)(void *service, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Ticket *ticket);
    void (*do_put)(void *service, arb_rpc_call *call);
    void (*do_exchange)(void *service, arb_rpc_call *call);
    void (*do_action)(void *service, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Action *action);
    void (*list_actions)(void *service, arb_rpc_call *call);
} arb_flight_methods;

/* Caller's memory, which outlives the server. */
typedef struct arb_flight_service {
    const arb_flight_methods *methods;
    void *context; /* for the methods */
} arb_flight_service;

/* The entry for a server's options. */
arb_rpc_service arb_flight_service_entry(arb_flight_service *service);

/* A message of the protocol in its own bytes, with one count for the caller. */
ARB_NODISCARD arb_code arb_flight_pack(const ProtobufCMessage *message, arb_rpc_message **out_packed, arb_error *error);
/* Send one. */
ARB_NODISCARD arb_code arb_flight_send(arb_rpc_call *call, const ProtobufCMessage *message, arb_error *error);
/* Send the only answer and finish well, or with what went wrong. */
void arb_flight_answer(arb_rpc_call *call, const ProtobufCMessage *message);

#endif
