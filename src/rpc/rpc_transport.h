/* rpc_transport.h: between calls and what carries them; for the transports of this library alone.
 *
 * A call (rpc_call.c) decides what may be done when; a transport does it. The call hands over at most one operation of each
 * kind at a time, without a lock held, and the transport says, later and on the call's thread, when it is through. Start is the
 * first, and nothing else comes before it has returned.
 *
 *     start     -> arb_rpc_call_got_headers (clients), arb_rpc_call_closed
 *     send      -> arb_rpc_call_sent
 *     receive   -> arb_rpc_call_received
 *
 * Each of these comes exactly once for its operation, also when the call fails. When all have come, the call is done. */
#ifndef ARB_RPC_RPC_TRANSPORT_H
#define ARB_RPC_RPC_TRANSPORT_H

#include <pthread.h>

#include "rpc/rpc_call.h"
#include "rpc/rpc_loop.h"
#include "rpc/rpc_queue.h"

typedef struct arb_rpc_live arb_rpc_live;

/* What goes out at once, in this order. */
typedef struct arb_rpc_outgoing {
    bool headers;             /* call->headers_out; always with the first operation */
    arb_rpc_message *message; /* lent until arb_rpc_call_sent; NULL for none */
    bool last;                /* a client's half close; a server's call->status with call->trailers_out */
} arb_rpc_outgoing;

typedef struct arb_rpc_transport {
    void (*start)(arb_rpc_call *call);
    void (*send)(arb_rpc_call *call, const arb_rpc_outgoing *outgoing);
    void (*receive)(arb_rpc_call *call);
    /* At any time between start and release, also more than once. The client sees `code`. */
    void (*cancel)(arb_rpc_call *call, arb_code code, const char *why);
    /* The call is done: let go of everything but its memory. */
    void (*release)(arb_rpc_call *call);
    /* The last count is gone: arb_rpc_call_reset, then free it. */
    void (*destroy)(arb_rpc_call *call);
} arb_rpc_transport;

/* First member of a transport's own struct. */
struct arb_rpc_call {
    const arb_rpc_transport *transport;
    bool is_client;
    bool wait_for_ready; /* a client's */
    _Atomic uint32_t references;
    _Atomic uint32_t users; /* of the transport: 1 until it is done, 1 for each call into it */
    arb_arena arena;        /* the events' */
    arb_arena own;          /* under the lock, once the call has started */
    arb_str method, identity;
    const char *target; /* a client's: the channel's */
    int64_t deadline_ns;
    arb_rpc_metadata headers_in, headers_out, trailers_in, trailers_out;
    const arb_rpc_events *events;
    void *context;
    arb_rpc_live *live; /* whose shutdown ends this call; with its links */
    arb_rpc_call *live_next, **live_link;
    arb_rpc_timer patience; /* a server's that ended with an error: until it is cancelled */

    pthread_mutex_t lock; /* for all below */
    size_t window;        /* bytes that may wait */
    arb_rpc_queue queue;
    arb_rpc_message *in_flight; /* with the transport */
    unsigned operations;        /* with the transport */
    bool started, sending, reading;
    bool read_wanted, cancel_wanted; /* before it started, which it has once the transport's start has returned */
    bool headers_wanted, headers_sent;
    bool close_wanted, close_sent;
    bool bounded;     /* patience was set, and counts as a user */
    bool send_failed; /* the other side takes no more */
    bool starved;     /* somebody waits for on_writable */
    bool ended;       /* nothing more goes out or comes in */
    bool closed;      /* the outcome is known */
    bool done;        /* on_done has been called, or is being called */
    arb_error outcome;
    arb_error status; /* a server's end; code ARB_OK without more is a good one */
    arb_str details;  /* likewise, for ARB_RPC_DETAILS_NAME */
};

/* `call` is zeroed; one count, which the end drops. `deadline_ns`, `method`, `window` and `live` are the transport's to set. */
void arb_rpc_call_init(arb_rpc_call *call, const arb_rpc_transport *transport, bool is_client);
/* Everything that `call` holds. */
void arb_rpc_call_reset(arb_rpc_call *call);
/* A server's call begins: arb_rpc_begin for the other side. */
void arb_rpc_call_accept(arb_rpc_call *call);

/* The transport's answers. */
void arb_rpc_call_got_headers(arb_rpc_call *call, bool ok); /* call->headers_in is filled */
void arb_rpc_call_sent(arb_rpc_call *call, bool ok);
/* Takes a count of the message. NULL: the other side will send no more, or, if not `ok`, the call failed. */
void arb_rpc_call_received(arb_rpc_call *call, arb_rpc_message *message, bool ok);
void arb_rpc_call_closed(arb_rpc_call *call, const arb_error *outcome);

/* The calls of a channel or a server, so that they can be ended and waited for. `patience` bounds the ends of a server's. */
struct arb_rpc_live {
    pthread_mutex_t lock;
    pthread_cond_t none;
    arb_rpc_call *running, *cancelled;
    arb_rpc_loop *patience; /* NULL: a channel's */
    size_t count;
    bool closed; /* no new ones */
};

void arb_rpc_live_init(arb_rpc_live *live);
void arb_rpc_live_reset(arb_rpc_live *live); /* there must be none */
/* False when it is closed. */
ARB_NODISCARD bool arb_rpc_live_add(arb_rpc_live *live, arb_rpc_call *call);
/* The call is done, and then: it is gone. */
void arb_rpc_live_remove(arb_rpc_live *live, arb_rpc_call *call);
void arb_rpc_live_leave(arb_rpc_live *live);
size_t arb_rpc_live_count(arb_rpc_live *live);
/* No new calls from now on. */
void arb_rpc_live_close(arb_rpc_live *live);
/* Wait until none is left; false when it is `deadline_ns` first. Not within events. */
bool arb_rpc_live_wait(arb_rpc_live *live, int64_t deadline_ns);
/* Cancel all that run. */
void arb_rpc_live_cancel(arb_rpc_live *live);

#endif
