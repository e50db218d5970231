/* cpu_pool.h: the threads that compute, shared fairly between queries.
 *
 * Work comes as tasks: small state machines that run for at most a quantum and say whether they are done, want to go on,
 * or wait for something. A task that waits holds no thread; whoever makes it able to go on wakes it. Tasks belong to a
 * group (a query); the pool always serves the group that has had the least time for its weight, so a short query does
 * not wait behind a long one. Threads start with the first task. */
#ifndef ARB_RUNTIME_CPU_POOL_H
#define ARB_RUNTIME_CPU_POOL_H

#include "base/error.h"

enum { ARB_QUANTUM_NS = 10 * 1000 * 1000 };

typedef enum arb_task_result {
    ARB_TASK_DONE,    /* the task is gone: the pool does not touch it any more */
    ARB_TASK_YIELD,   /* has more to do, but its quantum is over */
    ARB_TASK_BLOCKED, /* not before arb_task_wake, which may have come already */
} arb_task_result;

typedef struct arb_cpu_pool arb_cpu_pool;
typedef struct arb_task arb_task;

/* A query's share. Caller's memory; lives until its last task is done. */
typedef struct arb_task_group {
    arb_cpu_pool *pool;
    double weight;       /* 1 is ordinary; set before the first task */
    double virtual_time; /* seconds of CPU by weight; the pool's lock */
    arb_task *ready, **ready_end;
    struct arb_task_group *next; /* in the pool's list while it has ready tasks */
    bool listed;
} arb_task_group;

/* First member of a task's own struct. Caller's memory; lives until `run` returns ARB_TASK_DONE. */
struct arb_task {
    arb_task_result (*run)(arb_task *task, int64_t deadline_ns);
    arb_task_group *group;
    arb_task *next;
    int state; /* the pool's */
};

ARB_NODISCARD arb_code arb_cpu_pool_create(unsigned threads, arb_cpu_pool **out_pool, arb_error *error);
/* All tasks must be done. NULL is a no-op. */
void arb_cpu_pool_destroy(arb_cpu_pool *pool);
unsigned arb_cpu_pool_threads(const arb_cpu_pool *pool);
/* Processors that this process may use: affinity and control group's quota. */
unsigned arb_cpu_count(void);

void arb_task_group_init(arb_task_group *group, arb_cpu_pool *pool);
/* Hand a task over; it runs soon. Fails only when no thread could be started for the first task. */
ARB_NODISCARD arb_code arb_task_submit(arb_task *task, arb_error *error);
/* Let a blocked task go on. Any thread; harmless when it is not blocked (then its next BLOCKED counts as YIELD). */
void arb_task_wake(arb_task *task);

#endif
