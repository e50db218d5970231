/* control_stream.h: the executor's stream to the scheduler: a call of Connect, with one message of control_wire.h in each
 * message of the call.
 *
 * It belongs to a loop: its functions are called on the loop's thread, and its events come there, whatever thread the call has.
 * A message is asked for when the one before it was taken. */
#ifndef ARB_EXECUTOR_CONTROL_STREAM_H
#define ARB_EXECUTOR_CONTROL_STREAM_H

#include "rpc/rpc_channel.h"
#include "rpc/rpc_loop.h"

typedef struct arb_control_stream arb_control_stream;

/* May call the functions below. */
typedef struct arb_control_stream_events {
    void (*message)(void *context, arb_str bytes); /* borrowed */
    /* The last of it, once, however it ended; `stream` only says which one it was. */
    void (*over)(void *context, const arb_control_stream *stream, const arb_error *why);
} arb_control_stream_events;

/* Begins the call; whether anybody answers is seen later. The channel outlives the stream, until `over`. */
ARB_NODISCARD arb_code arb_control_stream_open(arb_rpc_channel *channel, arb_rpc_loop *loop,
                                               const arb_control_stream_events *events, void *context,
                                               arb_control_stream **out_stream, arb_error *error);
/* ARB_CONNECTION_FAILED when the other side has taken nothing for long; what else arb_rpc_send says. */
ARB_NODISCARD arb_code arb_control_stream_send(arb_control_stream *stream, int64_t now, arb_str bytes,
                                               arb_error *error);
/* No message comes any more; `over` does, soon. */
void arb_control_stream_close(arb_control_stream *stream);
/* The same, once what was sent has gone, as far as that takes no longer than a moment. */
void arb_control_stream_finish(arb_control_stream *stream, int64_t now);

#endif
