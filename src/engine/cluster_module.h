/* cluster_module.h: what the cluster's part of the program offers to the command.
 *
 * Scheduler, executors and the client of servers need gRPC, SQLite and more, which somebody who queries files never pays for: they
 * are a library of its own beside the command, loaded when first needed. It has a copy of the engine of its own. Both are built
 * together; `build`, the version, is compared before anything else of it is looked at. */
#ifndef ARB_ENGINE_CLUSTER_MODULE_H
#define ARB_ENGINE_CLUSTER_MODULE_H

#include "catalog/root.h"
#include "engine/statement_host.h"

#define ARB_CLUSTER_MODULE_FILE "arbalest-cluster.so"
#define ARB_CLUSTER_MODULE_ENTRY "arb_cluster_module_entry"

typedef enum arb_node_kind {
    ARB_NODE_SCHEDULER,
    ARB_NODE_EXECUTOR,
    ARB_NODE_SERVER, /* a scheduler, and an executor as its child */
} arb_node_kind;

/* A process of a cluster; texts end with NUL, and data NULL means the usual. Ports 0: a free one. */
typedef struct arb_node_options {
    arb_node_kind kind;
    arb_str program; /* the command's own file, for children */
    arb_str cpu;     /* as ARBALEST_CPU says */
    arb_str host;
    uint16_t port, control_port, http_port;
    size_t data_count, write_count;
    const arb_root *data, *write; /* folders that may be read, and written to */
    bool lasting;                 /* state goes to a file in state_folder, else it ends with the process */
    arb_str state_folder, work_folder;
    arb_str join_token_file, users_file;
    arb_str schedulers;    /* an executor's: HOST:CONTROL_PORT */
    unsigned threads;      /* 0: the processors */
    uint64_t memory_limit; /* 0: the usual */
    int64_t drain_ns;      /* how long an executor that was asked to end waits until nothing of it is needed */
    bool insecure;
} arb_node_options;

typedef struct arb_cluster_module {
    const char *build; /* the program's version */
    /* Runs until the process is asked to end (SIGTERM, SIGINT, SIGHUP), which ends with ARB_OK. Says on standard output where it
     * listens. ARB_CONFIGURATION and the like when something that was said cannot be. */
    arb_code (*run_node)(const arb_node_options *options, arb_error *error);
    /* To arbalest://HOST:PORT. ARB_CONNECTION_FAILED. */
    arb_code (*connect)(arb_str url, arb_statement_host **out_host, arb_error *error);
} arb_cluster_module;

#endif
