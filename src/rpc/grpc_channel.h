/* grpc_channel.h: a client's channel over gRPC. */
#ifndef ARB_RPC_GRPC_CHANNEL_H
#define ARB_RPC_GRPC_CHANNEL_H

#include "rpc/grpc_runtime.h"
#include "rpc/rpc_channel.h"

/* `target` is "host:port" or "unix:/path". Does not connect. The environment's proxies are not used. `options` may be NULL;
 * the runtime outlives the channel. */
ARB_NODISCARD arb_code arb_grpc_channel_create(arb_grpc_runtime *runtime, const char *target,
                                               const arb_rpc_channel_options *options, arb_rpc_channel **out_channel,
                                               arb_error *error);

#endif
