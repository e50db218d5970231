/* scheduler_loop.h: the thread that owns the scheduler's machine.
 *
 * Whatever happens becomes an event on it: a message, the end of a stream, the outcome of a write, a client's wish, time. So
 * the machine needs no lock, and all that this library keeps beside it (streams, clients) belongs to this thread too.
 *
 *     control_service ── messages ──▶ ┌──────┐ ── send, close_stream ──▶ control_service
 *     store ── WRITTEN ─────────────▶ │ loop │ ── write ───────────────▶ store
 *     job_client ── wishes ─────────▶ └──────┘ ── answer ──────────────▶ job_client
 *
 * Nothing on it may wait. An event that finds no memory is given again some milliseconds later, unless it came from somebody
 * who can be told. */
#ifndef ARB_SCHEDULER_PROCESS_SCHEDULER_LOOP_H
#define ARB_SCHEDULER_PROCESS_SCHEDULER_LOOP_H

#include "rpc/rpc_loop.h"
#include "scheduler/scheduler.h"

typedef struct arb_scheduler_loop arb_scheduler_loop;

/* Where the machine's actions go, but for writes; see arb_scheduler_actions. */
typedef struct arb_scheduler_outlet {
    void (*send)(void *context, const arb_to_executor *message);
    void (*close_stream)(void *context, arb_uuid executor, uint64_t session);
    void (*answer)(void *context, const arb_answer *answer);
    void (*stop)(void *context);
    /* Behind each event: what could not be done from within it. May give further events. */
    void (*settle)(void *context);
} arb_scheduler_outlet;

typedef struct arb_scheduler_loop_options {
    arb_store *store; /* outlives the loop */
    arb_scheduler_times times;
    size_t history_most;
    const arb_scheduler_outlet *outlet; /* borrowed, as its context */
    void *context;
} arb_scheduler_loop_options;

/* An event that must be applied, whatever it takes, unless the loop ends before. Its owner's memory, untouched until
 * `applied`. */
typedef struct arb_lasting_event {
    arb_event event;
    void (*applied)(struct arb_lasting_event *event); /* NULL: nobody wants to know */
    struct arb_lasting_event *next;
    bool waits;
} arb_lasting_event;

/* Raises the term and recovers what the store has, which waits; the thread is not there yet, so the caller may look at the
 * machine. */
ARB_NODISCARD arb_code arb_scheduler_loop_create(const arb_scheduler_loop_options *options,
                                                 arb_scheduler_loop **out_loop, arb_error *error);
ARB_NODISCARD arb_code arb_scheduler_loop_start(arb_scheduler_loop *loop, arb_error *error);
/* What was posted is run, a write that is under way is waited for. Nobody may post any more. NULL is a no-op. */
void arb_scheduler_loop_destroy(arb_scheduler_loop *loop);

/* ---- on its thread ------------------------------------------------------------------------------------------------------ */

/* As arb_scheduler_apply; the time is filled in. */
ARB_NODISCARD arb_code arb_scheduler_loop_apply(arb_scheduler_loop *loop, arb_event *event, arb_error *error);
/* Now, or when there is memory; what else is wrong with it means nothing. */
void arb_scheduler_loop_insist(arb_scheduler_loop *loop, arb_lasting_event *event);
/* To look at. */
const arb_scheduler *arb_scheduler_loop_machine(const arb_scheduler_loop *loop);
/* For timers of its owners, who unset them before the end. */
arb_rpc_loop *arb_scheduler_loop_timers(arb_scheduler_loop *loop);

/* ---- from any thread ---------------------------------------------------------------------------------------------------- */

void arb_scheduler_loop_post(arb_scheduler_loop *loop, arb_rpc_event *event);
/* Run something on it and return when that has been done: at once when this is its thread, else after what came before,
 * which is a matter of milliseconds. */
void arb_scheduler_loop_call(arb_scheduler_loop *loop, void (*run)(void *context), void *context);
bool arb_scheduler_loop_is_here(const arb_scheduler_loop *loop); /* is this its thread? */
arb_uuid arb_scheduler_loop_cluster(const arb_scheduler_loop *loop);
uint64_t arb_scheduler_loop_term(const arb_scheduler_loop *loop);
/* How long a client may be silent. */
int64_t arb_scheduler_loop_lease(const arb_scheduler_loop *loop);

#endif
