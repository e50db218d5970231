/* cluster_module.c: the entry of the cluster's part of the program. */
#include "engine/cluster_module.h"

#include "node/run_node.h"
#include "remote/server_connection.h"

__attribute__((visibility("default"))) extern const arb_cluster_module arb_cluster_module_entry;

const arb_cluster_module arb_cluster_module_entry = {ARB_VERSION, arb_run_node, arb_server_connect};
