/* grpc_runtime.h: gRPC in this process: its beginning and end, and the threads that see its events.
 *
 * A runtime has a few completion queues, each with a thread of its own; a call belongs to one of them, so that its events come
 * one at a time. None of these threads belongs to the pool that computes, and all signals are blocked in them and in gRPC's
 * own. gRPC itself ends the process when it finds no memory; what this library allocates may fail.
 *
 * A process must not fork without exec once a runtime exists: gRPC's threads would be missing in the child. */
#ifndef ARB_RPC_GRPC_RUNTIME_H
#define ARB_RPC_GRPC_RUNTIME_H

#include "base/error.h"

typedef struct arb_grpc_runtime arb_grpc_runtime;

/* `threads` 0: two. Several runtimes may exist; gRPC is started with the first and stopped with the last. */
ARB_NODISCARD arb_code arb_grpc_runtime_create(unsigned threads, arb_grpc_runtime **out_runtime, arb_error *error);
/* Its servers and channels must be gone, and the messages that were received by them. Returns when its threads have ended;
 * gRPC's own follow within moments. Not within events. NULL is a no-op. */
void arb_grpc_runtime_destroy(arb_grpc_runtime *runtime);

#endif
