/* rpc_memory_transport.h: clients and servers in one process, without a network.
 *
 * The same calls as over gRPC: events come on threads of their own, a message passes by its count without a copy, one message
 * of each direction at a time is under way, and limits (but of streams and buffers), deadlines, cancelling and shutting down
 * have the same outcomes. So what is built on calls can run under ThreadSanitizer, which knows nothing of gRPC's threads, and
 * in tests by the thousand.
 *
 * A hub is the network: servers have names in it, and a channel's target is such a name. */
#ifndef ARB_RPC_RPC_MEMORY_TRANSPORT_H
#define ARB_RPC_RPC_MEMORY_TRANSPORT_H

#include "rpc/rpc_channel.h"
#include "rpc/rpc_server.h"

typedef struct arb_rpc_hub arb_rpc_hub;

ARB_NODISCARD arb_code arb_rpc_hub_create(unsigned threads, arb_rpc_hub **out_hub, arb_error *error);
/* Its servers and channels must be gone. NULL is a no-op. */
void arb_rpc_hub_destroy(arb_rpc_hub *hub);

/* Addresses and credentials of the options do not count. A name that is taken is ARB_CONFIGURATION. */
ARB_NODISCARD arb_code arb_rpc_memory_server_create(arb_rpc_hub *hub, const char *name,
                                                    const arb_rpc_server_options *options, arb_rpc_server **out_server,
                                                    arb_error *error);
/* `options` may be NULL. */
ARB_NODISCARD arb_code arb_rpc_memory_channel_create(arb_rpc_hub *hub, const char *name,
                                                     const arb_rpc_channel_options *options,
                                                     arb_rpc_channel **out_channel, arb_error *error);

#endif
