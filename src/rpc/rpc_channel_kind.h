/* rpc_channel_kind.h: what all channels are made of; for the transports of this library alone. */
#ifndef ARB_RPC_RPC_CHANNEL_KIND_H
#define ARB_RPC_RPC_CHANNEL_KIND_H

#include "rpc/rpc_channel.h"
#include "rpc/rpc_transport.h"

typedef struct arb_rpc_channel_kind {
    /* A zeroed call of the transport's, arb_rpc_call_init done. */
    arb_code (*create_call)(arb_rpc_channel *channel, const arb_rpc_call_options *options, arb_rpc_call **out_call,
                            arb_error *error);
    arb_code (*wait_ready)(arb_rpc_channel *channel, int64_t deadline_ns, arb_error *error);
    void (*destroy)(arb_rpc_channel *channel);
} arb_rpc_channel_kind;

/* First member of a transport's own struct. */
struct arb_rpc_channel {
    const arb_rpc_channel_kind *kind;
    char *target;
    arb_rpc_limits limits; /* with the usual ones filled in */
    arb_rpc_live live;
};

/* `channel` is zeroed. On failure there is nothing to reset. */
ARB_NODISCARD arb_code arb_rpc_channel_init(arb_rpc_channel *channel, const arb_rpc_channel_kind *kind,
                                            const char *target, const arb_rpc_channel_options *options,
                                            arb_error *error);
void arb_rpc_channel_reset(arb_rpc_channel *channel);

#endif
