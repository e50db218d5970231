/* workers.h: the threads of a pool, with the lock over its work and what they wait at for more.
 *
 * Threads start with the first work, not before. A thread's function takes the lock, looks for work, and waits at `work` while
 * there is none, until `stopping`. */
#ifndef ARB_RUNTIME_WORKERS_H
#define ARB_RUNTIME_WORKERS_H

#include <pthread.h>

#include "base/error.h"

typedef struct arb_workers {
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool stopping; /* the lock */
    unsigned count, started;
    pthread_t *threads;
} arb_workers;

/* Caller's memory. `what` is for messages: "the CPU pool". */
ARB_NODISCARD arb_code arb_workers_init(arb_workers *workers, unsigned count, const char *what, arb_error *error);
/* With the lock held: start the threads, unless they run. Some are enough: fewer than wanted are slower, not wrong. */
ARB_NODISCARD arb_code arb_workers_start(arb_workers *workers, void *(*run)(void *), void *context, size_t stack_bytes,
                                         arb_error *error);
/* Tell the threads to stop, wait for them, and give all back. */
void arb_workers_reset(arb_workers *workers);

#endif
