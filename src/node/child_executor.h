/* child_executor.h: the executor of `arbalest server`, a process of its own: what it does wrong ends it alone, and it comes back. */
#ifndef ARB_NODE_CHILD_EXECUTOR_H
#define ARB_NODE_CHILD_EXECUTOR_H

#include <sys/types.h>

#include "engine/cluster_module.h"
#include "node/secret_file.h"

typedef struct arb_child_executor {
    char **arguments;      /* of its command; in an arena */
    pid_t process;         /* 0: it does not run */
    int64_t started, next; /* monotonic ns; `next`: when it is tried again */
    int64_t delay;
} arb_child_executor;

/* Its command: `program executor` for the scheduler there, with data, threads and memory as in the options. In the arena. */
ARB_NODISCARD arb_code arb_child_executor_init(arb_arena *arena, const arb_node_options *options, arb_str control,
                                               arb_str token_file, uint64_t memory, arb_child_executor *out_child,
                                               arb_error *error);
/* Start it if it does not run and its time has come; see whether it has ended. To be called every now and then, by the thread that
 * lives as long as the process: the child ends with it. */
void arb_child_executor_tend(arb_child_executor *child, const arb_secret_on_loan *token);
/* Ask it to end; after `wait_ns` it is killed. Returns when it is gone. */
void arb_child_executor_end(arb_child_executor *child, int64_t wait_ns);

#endif
