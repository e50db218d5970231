/* rpc_server_kind.h: what all servers are made of; for the transports of this library alone. */
#ifndef ARB_RPC_RPC_SERVER_KIND_H
#define ARB_RPC_RPC_SERVER_KIND_H

#include "rpc/rpc_server.h"
#include "rpc/rpc_transport.h"

typedef struct arb_rpc_server_kind {
    void (*stop)(arb_rpc_server *server); /* no new calls */
    void (*destroy)(arb_rpc_server *server);
} arb_rpc_server_kind;

/* First member of a transport's own struct. */
struct arb_rpc_server {
    const arb_rpc_server_kind *kind;
    arb_rpc_service *services;
    size_t service_count;
    arb_rpc_gate gate;
    arb_rpc_limits limits; /* with the usual ones filled in */
    arb_rpc_live live;
    arb_rpc_loop patience; /* for calls' ends */
    int *ports;
    size_t port_count;
    _Atomic bool stopping;
};

/* `server` is zeroed. On failure there is nothing to reset. */
ARB_NODISCARD arb_code arb_rpc_server_init(arb_rpc_server *server, const arb_rpc_server_kind *kind,
                                           const arb_rpc_server_options *options, arb_error *error);
void arb_rpc_server_reset(arb_rpc_server *server);
/* Begin a call that has come, whose method and headers are known. On the call's thread. */
void arb_rpc_server_serve(arb_rpc_server *server, arb_rpc_call *call);

#endif
