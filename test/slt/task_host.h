/* task_host.h: what runs the tasks of one query for the runner of local_cluster.h, and has what they leave. */
#ifndef ARB_SLT_TASK_HOST_H
#define ARB_SLT_TASK_HOST_H

#include "execution/execute.h"

typedef struct slt_task_host slt_task_host;

typedef struct slt_task_host_vtable {
    /* Run a task and keep its output. Stages come in their order, and each stage's tasks. */
    arb_code (*run_task)(slt_task_host *host, const arb_stage *stage, uint32_t task, uint32_t task_count,
                         const arb_execution_options *options, arb_error *error);
    /* The source of an EXCHANGE that reads all of a stage: the result's. */
    arb_code (*result_source)(slt_task_host *host, const arb_physical_node *node, arb_query_context *context,
                              arb_operator **out_op, arb_error *error);
    /* After the result's execution. */
    void (*destroy)(slt_task_host *host);
} slt_task_host_vtable;

struct slt_task_host {
    const slt_task_host_vtable *vtable;
};

typedef struct slt_task_hosts {
    void *context;
    arb_code (*create)(void *context, size_t stage_count, slt_task_host **out_host, arb_error *error);
} slt_task_hosts;

/* Outputs stay where they are made; blocks' checksums are looked at when they are read. */
extern const slt_task_hosts slt_local_hosts;

#endif
