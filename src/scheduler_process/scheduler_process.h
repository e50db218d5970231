/* scheduler_process.h: a scheduler with all that it needs to run: its loop, the executors' streams, the plans, the clients.
 *
 *     store, folder ─▶ create ─▶ a server with its service ─▶ jobs … ─▶ stop ─▶ the server's end ─▶ handles closed ─▶ destroy
 */
#ifndef ARB_SCHEDULER_PROCESS_SCHEDULER_PROCESS_H
#define ARB_SCHEDULER_PROCESS_SCHEDULER_PROCESS_H

#include "scheduler_process/control_service.h"
#include "scheduler_process/job_client.h"

typedef struct arb_scheduler_process arb_scheduler_process;

typedef struct arb_scheduler_process_options {
    arb_store *store;       /* outlives the process */
    arb_blob_folder *plans; /* likewise; plans alone are in it: others are deleted. NULL: with the memory store */
    arb_scheduler_times times;
    size_t history_most;
    arb_str join_token; /* see arb_control_service_options */
    size_t waiting_most;
    int64_t register_ns;
    /* A newer scheduler is there: this one does nothing any more, and all waits for jobs have ended. On the loop's thread,
     * once; must not wait. May be NULL. */
    void (*replaced)(void *context);
    void *context;
} arb_scheduler_process_options;

/* Becomes the scheduler: raises the term, recovers jobs and their plans, and goes on with them. A job whose plan is lost
 * fails. Waits for the disk. */
ARB_NODISCARD arb_code arb_scheduler_process_create(const arb_scheduler_process_options *options,
                                                    arb_scheduler_process **out_process, arb_error *error);
/* For the options of the server to which executors come. */
arb_rpc_service arb_scheduler_process_service(arb_scheduler_process *process);
/* All waits for jobs end with ARB_CONNECTION_FAILED, executors' streams end, nothing new begins. Recorded jobs are for the next
 * scheduler. Any thread; more than once is no matter. */
void arb_scheduler_process_stop(arb_scheduler_process *process);
/* Stops it. The server is gone, all handles are closed. NULL is a no-op. */
void arb_scheduler_process_destroy(arb_scheduler_process *process);

arb_scheduler_loop *arb_scheduler_process_loop(arb_scheduler_process *process);
arb_job_clients *arb_scheduler_process_clients(arb_scheduler_process *process);
arb_plan_store *arb_scheduler_process_plans(arb_scheduler_process *process);

#endif
