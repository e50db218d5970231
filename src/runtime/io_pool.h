/* io_pool.h: the threads that wait for bytes, so that those that compute need not.
 *
 * Work comes as requests: one call that may wait, such as a read from a disk. A request belongs to a waiter, which is a
 * task that can go on once some of its requests are over; a group holds the waiters of a query, so that they can all be
 * woken when it is cancelled. Requests are served in their order by a few threads, which start with the first one.
 *
 *     seen = arb_io_waiter_ended(waiter)
 *     … work, and submit requests, as far as it goes …
 *     if (arb_io_wait(waiter, seen)) return BLOCKED     woken once, when a request has ended since `seen` was asked for
 *     else                                             one has ended already: look again
 *
 * A request's memory is the caller's until arb_io_is_over has said so. Who cannot wait for that gives the request up by
 * arb_io_abandon: what nobody has begun is dropped at once, what runs is dropped by its thread when it is through. So a
 * query ends at once, however long a disk takes, and nothing is written into memory that is gone. */
#ifndef ARB_RUNTIME_IO_POOL_H
#define ARB_RUNTIME_IO_POOL_H

#include <stdatomic.h>

#include "runtime/cpu_pool.h"

typedef struct arb_io_pool arb_io_pool;
typedef struct arb_io_waiter arb_io_waiter;
typedef struct arb_io_request arb_io_request;

/* A query's waiters. Caller's memory; lives longer than they do. */
typedef struct arb_io_group {
    arb_io_pool *pool;
    arb_io_waiter *waiters; /* the pool's lock */
    bool closed;            /* nobody waits any more; likewise */
} arb_io_group;

/* A task and its requests. Caller's memory; may move to another group or go when its requests are over or abandoned. */
struct arb_io_waiter {
    arb_io_group *group;
    arb_task *task;
    arb_io_waiter *next, **link;
    bool waiting;           /* the task shall be woken; the pool's lock */
    _Atomic uint64_t ended; /* requests so far */
};

/* First member of a request's own struct; zeroed but for the two functions. */
struct arb_io_request {
    void (*run)(arb_io_request *request);  /* on a thread of the pool; may wait; keeps its outcome itself */
    void (*drop)(arb_io_request *request); /* it was abandoned: free it. Any thread */
    arb_io_pool *pool;                     /* NULL until it is submitted */
    arb_io_waiter *waiter;
    arb_io_request *next, **link;
    int state; /* the pool's */
};

/* `threads` of them; 2 to 4 are usual. */
ARB_NODISCARD arb_code arb_io_pool_create(unsigned threads, arb_io_pool **out_pool, arb_error *error);
/* All requests must be over or abandoned; waits for those that still run. NULL is a no-op. */
void arb_io_pool_destroy(arb_io_pool *pool);

void arb_io_group_init(arb_io_group *group, arb_io_pool *pool);
/* Wake all waiters; from now on none of them waits. Any thread, any number of times. */
void arb_io_group_close(arb_io_group *group);

void arb_io_waiter_init(arb_io_waiter *waiter, arb_io_group *group, arb_task *task);
/* A zeroed waiter is a no-op. */
void arb_io_waiter_reset(arb_io_waiter *waiter);
ARB_INLINE uint64_t arb_io_waiter_ended(const arb_io_waiter *waiter)
{
    return atomic_load_explicit(&waiter->ended, memory_order_acquire);
}
/* True: the task must return BLOCKED, and is woken once. False when more than `seen` requests have ended, or the group is
 * closed. The task alone calls it. */
ARB_NODISCARD bool arb_io_wait(arb_io_waiter *waiter, uint64_t seen);

/* Hand a request over. Fails only when no thread could be started for the first one; it is then as before. */
ARB_NODISCARD arb_code arb_io_submit(arb_io_request *request, arb_io_waiter *waiter, arb_error *error);
/* Carry a request out on this thread, which waits. It is over then. */
void arb_io_run(arb_io_request *request);
/* Once true, nobody but the caller touches the request. */
bool arb_io_is_over(arb_io_request *request);
/* The caller does not want it any more: `drop` is called, now or when it has run. */
void arb_io_abandon(arb_io_request *request);

#endif
