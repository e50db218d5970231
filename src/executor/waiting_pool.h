/* waiting_pool.h: a few threads for what may wait for a disk: to open the tables of a task, to let go of what it left.
 *
 * Jobs are run in the order in which they came. One lies in whatever it is about, and is not touched any more once its `run` was
 * called. Thread: any submits. */
#ifndef ARB_EXECUTOR_WAITING_POOL_H
#define ARB_EXECUTOR_WAITING_POOL_H

#include "runtime/workers.h"

typedef struct arb_waiting_job arb_waiting_job;
struct arb_waiting_job {
    void (*run)(arb_waiting_job *job);
    arb_waiting_job *next;
};

typedef struct arb_waiting_pool {
    arb_workers workers; /* its lock guards the queue */
    arb_waiting_job *first, **last;
} arb_waiting_pool;

/* Caller's memory; the threads start at once, so that a job can be submitted without failing. */
ARB_NODISCARD arb_code arb_waiting_pool_init(arb_waiting_pool *pool, unsigned threads, arb_error *error);
/* Jobs that were submitted are run first. */
void arb_waiting_pool_reset(arb_waiting_pool *pool);
void arb_waiting_pool_submit(arb_waiting_pool *pool, arb_waiting_job *job);

#endif
