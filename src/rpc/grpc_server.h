/* grpc_server.h: a server over gRPC. */
#ifndef ARB_RPC_GRPC_SERVER_H
#define ARB_RPC_GRPC_SERVER_H

#include "rpc/grpc_runtime.h"
#include "rpc/rpc_server.h"

/* Listens when it returns. A port that somebody else has is ARB_CONFIGURATION, as are addresses beyond this machine in plain
 * text unless they are meant so. A host name that stands for several addresses is served at those that are free. The runtime
 * outlives the server. */
ARB_NODISCARD arb_code arb_grpc_server_create(arb_grpc_runtime *runtime, const arb_rpc_server_options *options,
                                              arb_rpc_server **out_server, arb_error *error);

#endif
