/* rpc_stream.h: a client's call for a thread that may wait.
 *
 * For commands, tools and tests: instead of events there are calls that return when something has happened. Messages are read
 * ahead until `window` bytes wait to be received. One thread sends, one receives (it may be the same), any may cancel. */
#ifndef ARB_RPC_RPC_STREAM_H
#define ARB_RPC_RPC_STREAM_H

#include "rpc/rpc_channel.h"

typedef struct arb_rpc_stream arb_rpc_stream;

/* Begins a call. `headers` may be NULL; `window` 0: one message at a time. The channel outlives the stream. */
ARB_NODISCARD arb_code arb_rpc_stream_open(arb_rpc_channel *channel, const arb_rpc_call_options *options,
                                           const arb_rpc_metadata *headers, size_t window, arb_rpc_stream **out_stream,
                                           arb_error *error);
/* Waits for room. Takes the caller's count, also on failure. When the call has ended, its error. Not after a half close. */
ARB_NODISCARD arb_code arb_rpc_stream_send(arb_rpc_stream *stream, arb_rpc_message *message, arb_error *error);
void arb_rpc_stream_half_close(arb_rpc_stream *stream);
/* Waits for a message, whose count goes to the caller. NULL: the call has ended well. */
ARB_NODISCARD arb_code arb_rpc_stream_receive(arb_rpc_stream *stream, arb_rpc_message **out_message, arb_error *error);
/* To look at its headers and trailers once something was received; lent. */
const arb_rpc_call *arb_rpc_stream_call(const arb_rpc_stream *stream);
void arb_rpc_stream_cancel(arb_rpc_stream *stream);
/* Cancels what still runs and waits for its end. NULL is a no-op. */
void arb_rpc_stream_close(arb_rpc_stream *stream);

#endif
