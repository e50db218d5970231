/* task_ledger.h: what an executor knows of its attempts, outputs and its scheduler.
 *
 * The other end of control.h, an event machine like the scheduler: one thread, no clock, no socket; what is to be done
 * comes out through a vtable. It opens streams and gives up silent ones, registers with its inventory, numbers messages,
 * refuses older terms and other clusters, and answers for each attempt exactly once, until it is SEEN:
 *
 *     LAUNCH ─▶ RUNNING ─done─▶ HELD (reported; in the inventory until CANCEL or DELETE)
 *                 │ ├──failed─▶ FAILED (reported; in the inventory until SEEN)
 *                 │ CANCEL, DELETE
 *                 ▼
 *               STOPPING ─ended, however─▶ FAILED, as CANCELLED
 *
 * Attempts are unique in a cluster. When the scheduler comes back as another cluster (its store was in memory), the same
 * ids come again for other things; so runs have numbers of the ledger's own, and what ran for the old cluster is forgotten.
 *
 * Running tasks, keeping and serving outputs and sending bytes is its caller's part. */
#ifndef ARB_EXECUTOR_TASK_LEDGER_H
#define ARB_EXECUTOR_TASK_LEDGER_H

#include "scheduler/control.h"

typedef struct arb_ledger arb_ledger;

/* Called from within the functions below; none may call back, none can fail. Pointers are borrowed for the call. */
typedef struct arb_ledger_actions {
    /* Open a stream to the scheduler; then arb_ledger_connected, or arb_ledger_disconnected when that fails. */
    void (*open)(void *context);
    void (*close)(void *context); /* the stream; nothing need follow */
    void (*send)(void *context, const arb_to_scheduler *message);
    /* Run a task as `run`, a number of this ledger's own; then arb_ledger_done or arb_ledger_failed. Its inputs:
     * arb_ledger_sources. */
    void (*start)(void *context, uint64_t run, const arb_attempt *attempt, const arb_launch *launch);
    void (*stop)(void *context, uint64_t run);       /* soon; then one of the two as well */
    void (*drop)(void *context, uint64_t run);       /* its output is not needed any more */
    void (*gone)(void *context, arb_uuid executor);  /* waiting to reach it is no use */
    void (*may_go)(void *context);                   /* it drains, and nothing here is needed any more; maybe again */
    void (*refused)(void *context, const char *why); /* for people; it closes, and tries again later */
} arb_ledger_actions;

typedef struct arb_ledger_options {
    arb_uuid executor;                 /* new for each process */
    arb_register registration;         /* address to roots, `previous`, `crashed`; copied */
    int64_t silence_ns;                /* until a WELCOME says it: how long to wait for one */
    const arb_ledger_actions *actions; /* borrowed, as its context */
    void *context;
} arb_ledger_options;

typedef enum arb_ledger_state {
    ARB_LEDGER_RUNNING,
    ARB_LEDGER_STOPPING,
    ARB_LEDGER_FAILED,
    ARB_LEDGER_HELD,
} arb_ledger_state;

ARB_NODISCARD arb_code arb_ledger_create(const arb_ledger_options *options, arb_ledger **out_ledger, arb_error *error);
void arb_ledger_destroy(arb_ledger *ledger); /* NULL is a no-op; stops and drops nothing */

/* Time has come (arb_ledger_wake; the first time at once): opens, beats, gives up. */
void arb_ledger_tick(arb_ledger *ledger, int64_t now);
int64_t arb_ledger_wake(const arb_ledger *ledger);

void arb_ledger_connected(arb_ledger *ledger, int64_t now);
void arb_ledger_disconnected(arb_ledger *ledger, int64_t now);
void arb_ledger_receive(arb_ledger *ledger, int64_t now, const arb_to_executor *message);

/* What became of a run; also of one that was told to stop. `done` gives false when its output is not wanted and will not
 * be dropped by a call. */
bool arb_ledger_done(arb_ledger *ledger, uint64_t run, const arb_task_output *output);
void arb_ledger_failed(arb_ledger *ledger, uint64_t run, const arb_failure *failure);
void arb_ledger_progress(arb_ledger *ledger, uint64_t run, uint64_t rows, uint64_t bytes);
/* No new tasks from now on. */
void arb_ledger_drain(arb_ledger *ledger);
/* It goes: the last message. */
void arb_ledger_goodbye(arb_ledger *ledger);

/* Whose outputs an input of a stage is: the newest that came; NULL: none did. Valid until the next call of receive. */
const arb_sources *arb_ledger_sources(const arb_ledger *ledger, arb_id job, uint32_t stage, uint32_t input);
/* False: not known. */
bool arb_ledger_state_of(const arb_ledger *ledger, arb_id attempt, arb_ledger_state *out_state);
bool arb_ledger_welcomed(const arb_ledger *ledger);    /* its session stands */
arb_uuid arb_ledger_cluster(const arb_ledger *ledger); /* whose WELCOME was the last; zero: none came yet */
int64_t arb_ledger_unreachable_ns(const arb_ledger *ledger);
/* How many attempts and outputs it knows. */
size_t arb_ledger_size(const arb_ledger *ledger);

#endif
