/* executor_node.h: the process of an executor: an engine's pools and memory, the way to its scheduler, and a server for those
 * who read its outputs. */
#ifndef ARB_NODE_EXECUTOR_NODE_H
#define ARB_NODE_EXECUTOR_NODE_H

#include "engine/cluster_module.h"

typedef struct arb_executor_node arb_executor_node;

/* Joins the scheduler, which need not be there yet. The options are borrowed for the call. */
ARB_NODISCARD arb_code arb_executor_node_create(const arb_node_options *options, arb_executor_node **out_node,
                                                arb_error *error);
/* Stops its tasks and waits for them. NULL is a no-op. */
void arb_executor_node_destroy(arb_executor_node *node);
/* Append "flight=HOST:PORT http=HOST:PORT". */
void arb_executor_node_print(const arb_executor_node *node, arb_text *out);
/* Takes no new tasks from now on; *_may_go says when nothing here is needed any more. */
void arb_executor_node_drain(arb_executor_node *node);
bool arb_executor_node_may_go(const arb_executor_node *node);

#endif
