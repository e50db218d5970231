/* shared_builds.h: build sides of joins that the tasks of one stage in one process have in common.
 *
 * A build side that every task reads whole (a broadcast) is the same in all of them. The first task that gets so far builds
 * it, as it would for itself alone; the others wait meanwhile, without a thread, and then probe what it has sealed, which
 * nobody writes to any more:
 *
 *     FREE ──begin──▶ TAKEN ──seal──▶ SEALED
 *      ▲                │ └────split──▶ SPLIT: each task builds for itself (what is on disk has one reader)
 *      └─────leave──────┘
 *
 * A builder that fails or is stopped leaves, and one of those that wait builds instead. What is built for all is charged once,
 * to what the tasks' memory is a part of, and goes with the last count of the builds. Thread: any. */
#ifndef ARB_EXECUTION_SHARED_BUILDS_H
#define ARB_EXECUTION_SHARED_BUILDS_H

#include "runtime/cpu_pool.h"

/* What a builder leaves; first member of its own struct. */
typedef struct arb_sealed_build arb_sealed_build;
struct arb_sealed_build {
    void (*destroy)(arb_sealed_build *sealed);
};

/* Of a stage: one build for each join that asks. Counted. */
typedef struct arb_shared_builds arb_shared_builds;
ARB_NODISCARD arb_code arb_shared_builds_create(arb_shared_builds **out_builds, arb_error *error);
arb_shared_builds *arb_shared_builds_ref(arb_shared_builds *builds);
void arb_shared_builds_unref(arb_shared_builds *builds); /* NULL is a no-op */

/* The build of the join with that number in the stage's plan; lives as long as the builds. */
typedef struct arb_shared_build arb_shared_build;
ARB_NODISCARD arb_code arb_shared_builds_get(arb_shared_builds *builds, uint32_t node, arb_shared_build **out_build,
                                             arb_error *error);

typedef enum arb_build_turn {
    ARB_BUILD_FOR_ALL, /* the join builds */
    ARB_BUILD_ALONE,   /* it does, as each does, for itself */
    ARB_BUILD_WAIT,    /* another one does; the task will be woken */
    ARB_BUILD_SEALED,  /* there is nothing to do */
} arb_build_turn;

/* A task that waits, in the memory of who waits. Zeroed at first. */
typedef struct arb_build_waiter arb_build_waiter;
struct arb_build_waiter {
    arb_task *task;
    const void *join; /* whose task; NULL: it does not wait */
    arb_build_waiter *next;
};

/* Whose turn is it? A join, named by any address of its own, that has the build keeps it. */
arb_build_turn arb_shared_build_begin(arb_shared_build *build, const void *join, arb_build_waiter *waiter);
/* The waiter's memory goes. */
void arb_shared_build_forget(arb_shared_build *build, arb_build_waiter *waiter);
/* The join's task has ended or ends early: it does not build, and its tasks that wait are woken. Any number of times. */
void arb_shared_build_leave(arb_shared_build *build, const void *join);
/* The join has built. False: it has left before, and `sealed` stays its own. */
ARB_NODISCARD bool arb_shared_build_seal(arb_shared_build *build, const void *join, arb_sealed_build *sealed);
/* What it builds cannot be shared. */
void arb_shared_build_split(arb_shared_build *build, const void *join);
/* NULL unless SEALED; then until the builds go. */
const arb_sealed_build *arb_shared_build_sealed(arb_shared_build *build);

#endif
