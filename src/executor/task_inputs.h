/* task_inputs.h: what a task reads of earlier stages, from this executor and from others.
 *
 * Outputs of this process are read by reference. Of each other executor one stream is read for each EXCHANGE of the plan, with
 * a ticket for all of its outputs that are wanted there. Thread: one at a time; what the operators read goes on on any. */
#ifndef ARB_EXECUTOR_TASK_INPUTS_H
#define ARB_EXECUTOR_TASK_INPUTS_H

#include "exchange/output_store.h"
#include "exchange_flight/output_fetch.h"
#include "execution/operator.h"
#include "scheduler/control.h"

/* An executor with outputs. */
typedef struct arb_input_peer {
    arb_uuid executor;
    arb_rpc_channel *channel; /* outlives the inputs and their calls; NULL: this process */
    arb_seal_key key;
} arb_input_peer;

/* The output of one task of an earlier stage. */
typedef struct arb_input_source {
    uint32_t task;
    arb_id attempt;
    uint32_t peer; /* its place among the peers */
} arb_input_source;

typedef struct arb_task_input {
    uint32_t stage; /* whose outputs they are */
    size_t source_count;
    const arb_input_source *sources; /* in the order of tasks */
} arb_task_input;

typedef struct arb_task_inputs_options {
    arb_uuid cluster;
    arb_id job;
    arb_output_store *store; /* of this process; NULL: it has none. Outlives the inputs, as pool and loop */
    arb_output_pool *pool;   /* where blocks from elsewhere are charged */
    arb_rpc_loop *loop;
    size_t window; /* bytes of a stream that come before they are taken */
    int64_t unreachable_ns;
    size_t peer_count;
    const arb_input_peer *peers;
    size_t input_count;
    const arb_task_input *inputs;
} arb_task_inputs_options;

typedef struct arb_task_inputs arb_task_inputs;

/* All lists are copied. Nothing is read yet. */
ARB_NODISCARD arb_code arb_task_inputs_create(const arb_task_inputs_options *options, arb_task_inputs **out_inputs,
                                              arb_error *error);
/* After the operators that read from it. NULL is a no-op. */
void arb_task_inputs_destroy(arb_task_inputs *inputs);

/* The source for an EXCHANGE of the task's plan, and begin to read; `later`: when it is first asked for rows. `units`: the task's
 * partitions, NULL for none; not looked at where all are read. */
ARB_NODISCARD arb_code arb_task_inputs_source(arb_task_inputs *inputs, const arb_physical_node *node,
                                              const arb_leaf_units *units, bool later, arb_query_context *context,
                                              arb_operator **out_op, arb_error *error);
/* That executor is gone: waiting for it is no use. */
void arb_task_inputs_gone(arb_task_inputs *inputs, arb_uuid executor);
/* Was it an input that failed with this error? Then whose. */
ARB_NODISCARD bool arb_task_inputs_failure(arb_task_inputs *inputs, arb_code code, arb_failure *out_failure);

#endif
