/* rpc_senders.h: answers of many messages that take time to make, sent by a few threads in turns.
 *
 * An answer (arb_rpc_sending) sends while its call has room; then it waits for room, and others have their turn. So no thread of the
 * transport waits for a disk, and what waits in calls is bounded by their windows.
 *
 *     a method's start(): arb_rpc_sending_init, arb_rpc_handle with arb_rpc_sending_on_writable and _on_done
 *     when it is known what to send: arb_rpc_sending_begin ─▶ turn ─▶ (room) ─▶ turn … ─▶ the call is finished
 *     when the call is over and no sender has it: free
 *
 * Threads start with the first answer. */
#ifndef ARB_RPC_RPC_SENDERS_H
#define ARB_RPC_RPC_SENDERS_H

#include "rpc/rpc_call.h"
#include "runtime/workers.h"

typedef struct arb_rpc_senders arb_rpc_senders;
typedef struct arb_rpc_sending arb_rpc_sending;

typedef struct arb_rpc_sending_vtable {
    /* Send while there is room; *out_over: all has been sent. A failure ends the call with it. On a sender's thread; one turn of an
     * answer at a time. */
    arb_code (*turn)(arb_rpc_sending *sending, bool *out_over, arb_error *error);
    /* What it has beside the base. */
    void (*free)(arb_rpc_sending *sending);
} arb_rpc_sending_vtable;

/* First member of each kind of answer. */
struct arb_rpc_sending {
    arb_rpc_senders *senders;
    arb_rpc_call *call; /* a count */
    /* The senders' lock guards the rest. */
    unsigned references; /* until the call is over; while it waits for a sender or is with one */
    bool begun;
    bool busy;  /* queued, or with a sender */
    bool again; /* there may be room since the sender looked */
    bool over;
    arb_rpc_sending *next; /* in the queue */
};

struct arb_rpc_senders {
    const arb_rpc_sending_vtable *vtable;
    arb_workers threads; /* its lock */
    arb_rpc_sending *first, **last;
};

/* Caller's memory. `what` is for messages: "the senders of outputs". */
ARB_NODISCARD arb_code arb_rpc_senders_init(arb_rpc_senders *senders, const arb_rpc_sending_vtable *vtable,
                                            const char *what, arb_error *error);
/* All calls are over; waits for the turns that go on. */
void arb_rpc_senders_reset(arb_rpc_senders *senders);

/* The base of a zeroed answer, which is freed by `free` from now on, once its call is over. */
void arb_rpc_sending_init(arb_rpc_sending *sending, arb_rpc_senders *senders, arb_rpc_call *call);
/* It may be sent. On failure the caller finishes the call. */
ARB_NODISCARD arb_code arb_rpc_sending_begin(arb_rpc_sending *sending, arb_error *error);
/* For arb_rpc_events; the context is the answer. */
void arb_rpc_sending_on_writable(arb_rpc_call *call, void *context);
void arb_rpc_sending_on_done(arb_rpc_call *call, void *context, const arb_error *outcome);

#endif
