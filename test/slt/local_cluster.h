/* local_cluster.h: a session's runner that distributes every query over tasks, all of them in this process. */
#ifndef ARB_SLT_LOCAL_CLUSTER_H
#define ARB_SLT_LOCAL_CLUSTER_H

#include "engine/query_run.h"
#include "task_host.h"
#include "wire_tables.h"

typedef struct slt_cluster {
    uint32_t slots;           /* tasks of a stage, at least where there is enough to do */
    uint64_t broadcast_bytes; /* see optimizer/distribute.h */
    slt_task_hosts hosts;
    slt_wire_tables *tables;
} slt_cluster;

/* Stages run one after the other, and so do a stage's tasks; plans go through their wire form, rows through blocks. The cluster
 * is the runner's context. */
arb_query_runner slt_cluster_runner(slt_cluster *cluster);

#endif
