/* grpc_events.h: what the parts of the gRPC transport share. */
#ifndef ARB_RPC_GRPC_EVENTS_H
#define ARB_RPC_GRPC_EVENTS_H

#include <grpc/grpc.h>
#include <pthread.h>

#include "rpc/grpc_runtime.h"
#include "rpc/rpc_channel_kind.h"
#include "rpc/rpc_server_kind.h"

/* Nothing compressed is taken: gRPC would unpack a message, a thousandfold perhaps, before it sees that it is too large. */
enum { ARB_GRPC_NO_COMPRESSION = 1 << GRPC_COMPRESS_NONE };

/* What a completion queue gives back: first member of, or a member in, whatever waits for it. */
typedef struct arb_grpc_tag arb_grpc_tag;
struct arb_grpc_tag {
    void (*complete)(arb_grpc_tag *tag, bool ok); /* on the queue's thread */
};

/* A tag that a thread waits for. */
typedef struct arb_grpc_wait {
    arb_grpc_tag tag;
    pthread_mutex_t lock;
    pthread_cond_t completed;
    bool is_complete, ok;
} arb_grpc_wait;

void arb_grpc_wait_init(arb_grpc_wait *wait);
/* False when it is not complete by the deadline. */
bool arb_grpc_wait_for(arb_grpc_wait *wait, int64_t deadline_ns);
void arb_grpc_wait_reset(arb_grpc_wait *wait);

size_t arb_grpc_queue_count(const arb_grpc_runtime *runtime);
grpc_completion_queue *arb_grpc_queue(arb_grpc_runtime *runtime, size_t index);
/* One of them, in turn. */
grpc_completion_queue *arb_grpc_next_queue(arb_grpc_runtime *runtime);

/* gRPC's time for one of ours, and back. */
gpr_timespec arb_grpc_time(int64_t deadline_ns);
int64_t arb_grpc_deadline(gpr_timespec time);

ARB_INLINE arb_str arb_grpc_str(const grpc_slice *slice)
{
    return (arb_str){(const char *)GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}
/* Copy into an arena. */
ARB_NODISCARD arb_code arb_grpc_metadata_read(const grpc_metadata_array *from, arb_arena *arena, arb_rpc_metadata *to,
                                              arb_error *error);

/* A client's call that is not begun yet. */
ARB_NODISCARD arb_code arb_grpc_call_create(grpc_channel *channel, grpc_completion_queue *queue,
                                            const arb_rpc_call_options *options, arb_rpc_call **out_call,
                                            arb_error *error);
/* A server's call that has come, with one count; takes the call of gRPC, also on failure, when it is refused. */
ARB_NODISCARD arb_code arb_grpc_call_accept(grpc_call *accepted, const grpc_call_details *details,
                                            const grpc_metadata_array *headers, arb_rpc_call **out_call,
                                            arb_error *error);

#endif
