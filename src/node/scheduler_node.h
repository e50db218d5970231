/* scheduler_node.h: the process of a scheduler: its store, the door for executors, the door for clients, and an engine that plans
 * what they ask. */
#ifndef ARB_NODE_SCHEDULER_NODE_H
#define ARB_NODE_SCHEDULER_NODE_H

#include "engine/cluster_module.h"

typedef struct arb_scheduler_node arb_scheduler_node;

typedef struct arb_scheduler_node_options {
    const arb_node_options *node;
    arb_str join_token; /* borrowed for the call; empty: any executor of this machine may join */
    /* A newer scheduler has taken the store: this one can do nothing more. On a thread of its own; must not wait. */
    void (*replaced)(void *context);
    void *context;
} arb_scheduler_node_options;

/* Listens when it returns. The options are borrowed for the call. */
ARB_NODISCARD arb_code arb_scheduler_node_create(const arb_scheduler_node_options *options,
                                                 arb_scheduler_node **out_node, arb_error *error);
/* Ends what runs; recorded jobs are for the next one. NULL is a no-op. */
void arb_scheduler_node_destroy(arb_scheduler_node *node);
/* Append "clients=HOST:PORT http=HOST:PORT control=HOST:PORT". */
void arb_scheduler_node_print(const arb_scheduler_node *node, arb_text *out);
/* Where executors join; lives as long as the node. */
arb_str arb_scheduler_node_control(const arb_scheduler_node *node);

#endif
