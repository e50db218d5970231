/* executor.h: an executor, as a part of a process: joins a scheduler, runs its tasks, and keeps what they leave for others.
 *
 * One thread has the ledger; all that happens becomes an event on it: messages of the scheduler, starts and ends of tasks, time
 * that has come. Nothing that may wait is done there, as heartbeats come from it: plans are decoded and tables opened on a few
 * threads of their own, and tasks run on the process's pools.
 *
 *     create ─▶ a server with the Flight service, whose address is known then ─▶ start ─▶ (drain, MAY_GO) ─▶ stop
 *            ─▶ the server ends ─▶ destroy
 *
 * It takes calls of any transport: the channel to the scheduler, the ways to other executors and the server are its owner's to
 * make. Thread: its owner's, one at a time. */
#ifndef ARB_EXECUTOR_EXECUTOR_H
#define ARB_EXECUTOR_EXECUTOR_H

#include "exchange/output_store.h"
#include "execution/execute.h"
#include "executor/peer_table.h"
#include "plan/plan_wire.h"
#include "rpc/flight_service.h"
#include "state/store.h"

typedef struct arb_executor arb_executor;

/* What its owner is told, on the executor's thread: none may wait, or call back. Any may be NULL. */
typedef struct arb_executor_listener {
    void *context;
    void (*may_go)(void *context);                   /* after drain: nothing here is needed any more */
    void (*refused)(void *context, const char *why); /* it tries again later */
} arb_executor_listener;

/* All that is pointed to is borrowed until destroy, but for texts, which are copied. */
typedef struct arb_executor_options {
    arb_rpc_channel *scheduler; /* to where executors register */
    arb_peer_network network;
    const arb_plan_tables *tables;
    arb_execution_options execution; /* pools, memory, where to spill; drivers, work and on_done are not looked at */
    uint64_t output_memory;          /* bytes of outputs that stay in memory */
    uint64_t plan_memory;            /* of plans that no task uses; 0: as much as one may have */
    arb_str version;                 /* of the program, for people */
    arb_str join_token;              /* may be empty */
    uint32_t slots;
    uint64_t memory;
    const arb_str *roots; /* names of the folders of data that it sees */
    size_t root_count;
    arb_str
        crash_folder; /* where a crash of the process is recorded (base/crash_record.h), of one executor in it; data NULL: nowhere */
    int64_t silence_ns; /* how long a scheduler may take to welcome it; 0: 5 s */
    arb_executor_listener listener;
} arb_executor_options;

ARB_NODISCARD arb_code arb_executor_create(const arb_executor_options *options, arb_executor **out_executor,
                                           arb_error *error);
/* Stops it, if need be. The server with its Flight service must have stopped. NULL is a no-op. */
void arb_executor_destroy(arb_executor *executor);

arb_uuid arb_executor_id(const arb_executor *executor); /* new for each */
/* Gives its outputs by tickets: for the server that others reach it by. Lives as long as the executor. */
arb_flight_service *arb_executor_flight_service(arb_executor *executor);
/* How it does; any thread. */
typedef struct arb_executor_totals {
    bool joined, draining; /* a scheduler has welcomed it; it was told to drain */
    uint64_t slots;
    uint64_t waiting, running;                  /* tasks: for their plan, or for being started; on the pools */
    uint64_t launched, done, failed, cancelled; /* ever; cancelled: also what was launched and not wanted any more */
} arb_executor_totals;
arb_executor_totals arb_executor_look(const arb_executor *executor);
/* What it holds for others. Any thread. */
arb_output_store_totals arb_executor_outputs(const arb_executor *executor);

/* Register as `address` (copied), where the server is, and do what the scheduler says from now on. Once. */
ARB_NODISCARD arb_code arb_executor_start(arb_executor *executor, arb_str address, arb_error *error);
/* No new tasks; `may_go` comes when others have read what is here. Once it was started; any number of times. */
void arb_executor_drain(arb_executor *executor);
/* Says goodbye, stops its tasks and waits for them. Outputs can be read until the server stops, but nobody is told so. Not
 * from the listener. */
void arb_executor_stop(arb_executor *executor);

#endif
