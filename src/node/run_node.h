/* run_node.h: a process of a cluster, from its start until it is asked to end; see arb_cluster_module. */
#ifndef ARB_NODE_RUN_NODE_H
#define ARB_NODE_RUN_NODE_H

#include "engine/cluster_module.h"

ARB_NODISCARD arb_code arb_run_node(const arb_node_options *options, arb_error *error);

#endif
