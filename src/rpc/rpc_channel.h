/* rpc_channel.h: the way to a server, for clients.
 *
 * A channel has a target and connects to it when it is first needed, and again when the connection broke. Calls are cheap and
 * many; all that go over one channel share its connection. Channels are made by a transport: rpc/grpc_channel.h,
 * rpc/rpc_memory_transport.h. Functions may be called from any thread. */
#ifndef ARB_RPC_RPC_CHANNEL_H
#define ARB_RPC_RPC_CHANNEL_H

#include "rpc/rpc_call.h"
#include "rpc/rpc_server.h"

typedef struct arb_rpc_channel arb_rpc_channel;

typedef struct arb_rpc_channel_options {
    arb_rpc_credentials *credentials; /* NULL: plain text */
    bool own_connection;              /* not shared with other channels to the same target */
    arb_rpc_keepalive keepalive;      /* for a server of ours at least ARB_RPC_SHORTEST_ASKING_MS */
    arb_rpc_limits limits;            /* message_bytes, metadata_bytes and the windows count */
} arb_rpc_channel_options;

typedef struct arb_rpc_call_options {
    const char *method;  /* "/package.Service/Method" */
    int64_t deadline_ns; /* monotonic; 0 or ARB_RPC_NO_DEADLINE: none */
    bool wait_for_ready; /* for a server that is not there yet, until the deadline; else the call ends at once */
} arb_rpc_call_options;

/* A new call, with one count for the caller; headers may be added, messages sent, then arb_rpc_begin. */
ARB_NODISCARD arb_code arb_rpc_channel_call(arb_rpc_channel *channel, const arb_rpc_call_options *options,
                                            const arb_rpc_events *events, void *context, arb_rpc_call **out_call,
                                            arb_error *error);
/* Wait until the channel is connected. ARB_DEADLINE_EXCEEDED; not within events. */
ARB_NODISCARD arb_code arb_rpc_channel_wait_ready(arb_rpc_channel *channel, int64_t deadline_ns, arb_error *error);
/* Cancels the calls that run and returns when they are over, their on_done too. Not within events; calls that were never
 * begun must be gone. NULL is a no-op. */
void arb_rpc_channel_destroy(arb_rpc_channel *channel);

/* One message there, one back. `done` is the last that is heard of it, on the call's thread; the answer is lent, and NULL
 * unless `outcome` is ARB_OK. Takes the caller's count of the request, also on failure. */
typedef void (*arb_rpc_unary_done)(void *context, const arb_error *outcome, arb_rpc_message *answer);
ARB_NODISCARD arb_code arb_rpc_unary(arb_rpc_channel *channel, const arb_rpc_call_options *options,
                                     arb_rpc_message *request, arb_rpc_unary_done done, void *context,
                                     arb_error *error);

#endif
