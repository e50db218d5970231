/* rpc_server.h: who answers calls.
 *
 * A service is a table of methods; a server serves several, each with a context of its own. When a call comes, the server
 * first asks its gate, which sees method and headers and may refuse the call or say who calls; then the method's start() is
 * called, which says by arb_rpc_handle who gets the events. Calls to unknown methods, and more of them than the limit, are
 * answered by the server itself.
 *
 * Servers are made by a transport: rpc/grpc_server.h, rpc/rpc_memory_transport.h. */
#ifndef ARB_RPC_RPC_SERVER_H
#define ARB_RPC_RPC_SERVER_H

#include "rpc/rpc_call.h"
#include "rpc/rpc_limits.h"

typedef struct arb_rpc_server arb_rpc_server;
typedef struct arb_rpc_credentials arb_rpc_credentials; /* of a server or a client; NULL: none, in plain text */

typedef struct arb_rpc_method_entry {
    const char *name; /* "DoGet" */
    void (*start)(void *service, arb_rpc_call *call);
} arb_rpc_method_entry;

typedef struct arb_rpc_service {
    const char *name; /* "arrow.flight.protocol.FlightService" */
    const arb_rpc_method_entry *methods;
    size_t method_count;
    void *context; /* for start() */
} arb_rpc_service;

typedef struct arb_rpc_gate {
    /* Anything but ARB_OK ends the call with it. On the call's thread: quick. */
    arb_code (*admit)(void *context, arb_rpc_call *call, arb_error *error);
    void *context;
} arb_rpc_gate;

typedef struct arb_rpc_server_options {
    const char *const *addresses; /* "127.0.0.1:50050", "[::1]:0", "unix:/path"; NULL: 127.0.0.1, any port */
    size_t address_count;
    bool beyond_loopback;             /* other addresses than this machine's own are meant so, even in plain text */
    arb_rpc_credentials *credentials; /* NULL: plain text */
    const arb_rpc_service *services;  /* copied, but for names and methods */
    size_t service_count;
    arb_rpc_gate gate; /* admit NULL: everybody */
    arb_rpc_limits limits;
    arb_rpc_keepalive keepalive;
} arb_rpc_server_options;

/* The port that was found for the address; 0 for those without. */
int arb_rpc_server_port(const arb_rpc_server *server, size_t address);
/* Calls that run. */
size_t arb_rpc_server_calls(const arb_rpc_server *server);
/* No new calls; those that run may end until the deadline (monotonic), then they are cancelled. Returns when all are over,
 * their on_done too. Not within events. Any number of times, from one thread at a time. */
void arb_rpc_server_stop(arb_rpc_server *server, int64_t deadline_ns);
/* Stops it at once, if it was not stopped. NULL is a no-op. */
void arb_rpc_server_destroy(arb_rpc_server *server);

#endif
