/* cluster_runner.h: carries a session's queries out on the executors of a cluster.
 *
 * The session plans as ever. Its plan is cut into stages, which go to the scheduler of this process as a job; the rows of the last
 * one are read from the executors that have them, and given in the form that results have. */
#ifndef ARB_SERVER_CLUSTER_RUNNER_H
#define ARB_SERVER_CLUSTER_RUNNER_H

#include "engine/query_run.h"
#include "executor/peer_table.h"
#include "scheduler_process/scheduler_process.h"
#include "server/stage_job.h"

typedef struct arb_cluster_runner_options {
    arb_scheduler_process *scheduler; /* outlives the runner, as all that is pointed to */
    arb_peer_network network;         /* the way to executors */
    const arb_plan_tables *tables;
    const arb_roots *roots;
    uint64_t task_memory;
    arb_memory *memory;     /* charged for what has come of results; NULL: nothing is */
    size_t window;          /* bytes of a result that come before they are taken */
    int64_t unreachable_ns; /* how long an executor with a result is tried to be reached */
} arb_cluster_runner_options;

typedef struct arb_cluster_runner arb_cluster_runner;

ARB_NODISCARD arb_code arb_cluster_runner_create(const arb_cluster_runner_options *options,
                                                 arb_cluster_runner **out_runner, arb_error *error);
/* No query of it may be there. NULL is a no-op. */
void arb_cluster_runner_destroy(arb_cluster_runner *runner);
/* For arb_session_set_runner; any number of sessions. */
arb_query_runner arb_cluster_runner_for_sessions(arb_cluster_runner *runner);

#endif
