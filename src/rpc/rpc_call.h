/* rpc_call.h: one call, seen from either end.
 *
 * A client asks a server for a method; then messages go in both directions, any number of them, and at last the server says
 * how it ended. All four kinds of gRPC calls are this one thing. Whoever takes part is told by events and acts by functions:
 *
 *     server                                        client
 *     a method's start(): arb_rpc_handle            arb_rpc_channel_call, arb_rpc_begin
 *     arb_rpc_read  -> on_message                   arb_rpc_send … arb_rpc_half_close
 *                   -> on_half_close                arb_rpc_read -> on_message
 *     arb_rpc_send … arb_rpc_finish                -> on_done, with the error or ARB_OK
 *                   -> on_done
 *
 * Events of a call come one at a time, on its thread, which must not wait in them; on_done is the last and always comes
 * once. Functions may be called from any thread, at any time while the caller has a count of the call, and within events; they
 * never wait and never call an event. After the end of a call, or its cancellation, they do nothing.
 *
 * Reading: a message comes only when it was asked for, one for each arb_rpc_read. Sending: messages wait in the call until
 * the transport takes them. While as many bytes wait as the call's window has, arb_rpc_writable is false, and on_writable
 * comes once there is room again; a sender that goes on all the same keeps what it sends in memory.
 *
 * A server's call may end at any time because the client went away, cancelled it or ran into its deadline: on_done comes with
 * ARB_CANCELLED. An end with an error may overtake messages sent before it. */
#ifndef ARB_RPC_RPC_CALL_H
#define ARB_RPC_RPC_CALL_H

#include "rpc/rpc_message.h"
#include "rpc/rpc_metadata.h"

typedef struct arb_rpc_call arb_rpc_call;

/* Any may be NULL: nothing is done then. */
typedef struct arb_rpc_events {
    /* A client's: the server's headers are there. At most once, before the first message. */
    void (*on_headers)(arb_rpc_call *call, void *context);
    /* The message is lent; take a count to keep it. */
    void (*on_message)(arb_rpc_call *call, void *context, arb_rpc_message *message);
    /* A server's: a message was asked for, but the client will send no more. */
    void (*on_half_close)(arb_rpc_call *call, void *context);
    void (*on_writable)(arb_rpc_call *call, void *context);
    /* The end. `outcome` is lent; its code is ARB_OK when a client's call ended well, and when a server's status has gone. */
    void (*on_done)(arb_rpc_call *call, void *context, const arb_error *outcome);
} arb_rpc_events;

#define ARB_RPC_NO_DEADLINE INT64_MAX

/* ---- what is known of a call -------------------------------------------------------------------------------------------- */

/* "/package.Service/Method". */
arb_str arb_rpc_method(const arb_rpc_call *call);
/* On the monotonic clock, or ARB_RPC_NO_DEADLINE. */
int64_t arb_rpc_deadline_ns(const arb_rpc_call *call);
/* What the client sent first. A server's, from the start on; lent until the last count is gone. */
const arb_rpc_metadata *arb_rpc_request_headers(const arb_rpc_call *call);
/* What the server sent first, and last. A client's, from on_headers and in on_done; likewise. */
const arb_rpc_metadata *arb_rpc_response_headers(const arb_rpc_call *call);
const arb_rpc_metadata *arb_rpc_response_trailers(const arb_rpc_call *call);
/* Who calls, as the server's gate found out; empty at first. Copied. Within the start or an event only. */
ARB_NODISCARD arb_code arb_rpc_set_identity(arb_rpc_call *call, arb_str identity, arb_error *error);
arb_str arb_rpc_identity(const arb_rpc_call *call);
/* Memory that lives as long as the call, for whoever serves it; to be used within the start and events only. */
arb_arena *arb_rpc_arena(arb_rpc_call *call);

/* ---- functions ---------------------------------------------------------------------------------------------------------- */

arb_rpc_call *arb_rpc_call_ref(arb_rpc_call *call);
void arb_rpc_call_unref(arb_rpc_call *call); /* NULL is a no-op */

/* Who gets the events from now on. Within the start or an event only. */
void arb_rpc_handle(arb_rpc_call *call, const arb_rpc_events *events, void *context);
/* A client's: the call starts now, and what was sent and asked for before goes along. The caller's count goes to the library,
 * which drops it after on_done. A call that was never begun ends with its last count, without events. */
void arb_rpc_begin(arb_rpc_call *call);

/* A header that goes with the first thing sent; later ones are ARB_INTERNAL. */
ARB_NODISCARD arb_code arb_rpc_add_header(arb_rpc_call *call, arb_str name, arb_str value, arb_error *error);
/* A server's: a trailer that goes with the end. */
ARB_NODISCARD arb_code arb_rpc_add_trailer(arb_rpc_call *call, arb_str name, arb_str value, arb_error *error);
/* A server's headers go with the first message or the end; this sends them now. */
void arb_rpc_send_headers(arb_rpc_call *call);

/* Takes the caller's count, also on failure. ARB_CANCELLED when the call is over, this side has closed it, or the other side
 * takes no more; a client's call then ends once it has read what the server sent before. */
ARB_NODISCARD arb_code arb_rpc_send(arb_rpc_call *call, arb_rpc_message *message, arb_error *error);
/* False: on_writable comes, when there is room or sending would fail, or the end. */
bool arb_rpc_writable(arb_rpc_call *call);
/* Ask for one more message; while one is asked for already, nothing happens. */
void arb_rpc_read(arb_rpc_call *call);
/* A client's: it will send no more. */
void arb_rpc_half_close(arb_rpc_call *call);
/* A server's: the end, behind all messages if `code` is ARB_OK; else messages that still wait are dropped. `error` may be
 * NULL; it travels with its fields. The first one counts. Cannot fail: without memory the status goes alone. An error waits some
 * seconds for a client that does not read; then the call is cancelled with it, which may lose all but its kind and message. */
void arb_rpc_finish(arb_rpc_call *call, arb_code code, const arb_error *error);
/* Give the call up: nothing waits for the other side any more. It ends with ARB_CANCELLED on both. */
void arb_rpc_cancel(arb_rpc_call *call);

#endif
