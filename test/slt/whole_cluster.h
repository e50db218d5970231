/* whole_cluster.h: a scheduler and executors in this process, and a runner that has them carry queries out. */
#ifndef ARB_SLT_WHOLE_CLUSTER_H
#define ARB_SLT_WHOLE_CLUSTER_H

#include "engine/query_run.h"
#include "executor/executor.h"
#include "scheduler_process/scheduler_process.h"
#include "wire_tables.h"

typedef struct slt_whole_cluster slt_whole_cluster;

typedef struct slt_whole_cluster_options {
    unsigned executors;
    bool over_grpc;          /* on loopback; else over the memory transport */
    unsigned unrest_ms;      /* every so often an executor goes and another one comes; 0: never */
    slt_wire_tables *tables; /* how plans name tables; outlives the cluster */
} slt_whole_cluster_options;

/* Returns when all executors have registered. */
ARB_NODISCARD arb_code slt_whole_cluster_create(const slt_whole_cluster_options *options,
                                                slt_whole_cluster **out_cluster, arb_error *error);
/* Its queries are over. NULL is a no-op. */
void slt_whole_cluster_destroy(slt_whole_cluster *cluster);
arb_query_runner slt_whole_cluster_runner(slt_whole_cluster *cluster);
/* To look into, while the cluster is there and in peace. */
arb_scheduler_process *slt_whole_cluster_scheduler(slt_whole_cluster *cluster);
arb_executor *slt_whole_cluster_executor(slt_whole_cluster *cluster, unsigned number);
const arb_governor *slt_whole_cluster_memory(const slt_whole_cluster *cluster);

#endif
