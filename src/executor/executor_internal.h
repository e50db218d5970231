/* executor_internal.h: what the files of the executor's process share. All on the loop's thread unless it says otherwise. */
#ifndef ARB_EXECUTOR_EXECUTOR_INTERNAL_H
#define ARB_EXECUTOR_EXECUTOR_INTERNAL_H

#include <semaphore.h>

#include "base/crash_record.h"
#include "exchange_flight/output_service.h"
#include "executor/control_stream.h"
#include "executor/executor.h"
#include "executor/job_memory.h"
#include "executor/plan_cache.h"
#include "executor/stage_builds.h"
#include "executor/task_ledger.h"
#include "executor/task_run.h"
#include "executor/waiting_pool.h"
#include "scheduler/id_map.h"

/* Where a run of the ledger is:
 *
 *     WAITS ─▶ STARTS ─▶ RUNS ─over─▶ ENDS ─▶ HELD ─▶ DROPS
 *       ▲  no plan │       (told to the ledger)
 *       └──────────┘
 *
 * STARTS, ENDS and DROPS are with the waiting pool. A run ends in vain from WAITS, STARTS or ENDS. */
typedef enum arb_run_state {
    ARB_RUN_WAITS, /* for its plan, or for the end of a run of the same attempt, of an older cluster */
    ARB_RUN_STARTS,
    ARB_RUN_RUNS,
    ARB_RUN_ENDS,
    ARB_RUN_HELD,
    ARB_RUN_DROPS,
} arb_run_state;

typedef struct arb_executor_run arb_executor_run;
struct arb_executor_run {
    arb_executor *executor;
    uint64_t number; /* the ledger's */
    arb_attempt attempt;
    arb_run_state state;
    arb_executor_run *next, *previous;       /* all */
    arb_executor_run *older, *newer;         /* of the same attempt */
    arb_executor_run *next_vain;             /* to be told to the ledger when it can be called */
    bool over, is_vain, drop_wanted, output; /* over: its task is; output: it has left one */
    _Atomic bool stop_wanted;                /* any thread looks */
    uint64_t reported;                       /* rows, as progress */
    /* the plan */
    bool asked; /* for it, in this session */
    unsigned asks;
    uint64_t plans_seen;  /* how many had come when it was looked for */
    int64_t patience_end; /* until when it waits */
    /* what it was launched with, before it STARTS; in the arena */
    arb_arena arena;
    arb_uuid cluster;
    arb_str plan_hash, payload, settings;
    uint32_t drivers;
    uint64_t bound;
    int64_t unreachable_ns;
    size_t peer_count, input_count;
    arb_input_peer *peers;
    arb_peer **ways; /* by peer; NULL: this process */
    bool *gone;      /* by peer */
    arb_task_input *inputs;
    bool reads_whole;               /* an input: each of the stage's tasks does */
    arb_stage_builds *builds_place; /* until it is freed; NULL: it has none */
    bool left_builds;               /* its task does not use them any more */
    arb_job_memory *memory;         /* likewise; NULL: its launch could not be taken */
    arb_governor governor;          /* the task's part of that */
    /* for the waiting pool, and what came of it */
    arb_waiting_job job;
    arb_rpc_event worked, task_over;
    const arb_cached_plan *plan;
    arb_shared_builds *builds; /* a count, until the task is taken apart; NULL: it builds for itself */
    arb_task_run *task;
    bool lacks_plan;
    unsigned crash_place; /* while it might crash */
    arb_failure failure;
    arb_error *error; /* arena */
};

/* What a crash leaves of a task that runs. */
typedef struct arb_crash_entry {
    arb_uuid executor, cluster;
    arb_attempt attempt;
} arb_crash_entry;

struct arb_executor {
    arb_executor_options options; /* texts lie in the arena */
    arb_arena arena;
    arb_uuid id;
    arb_seal_key key;
    arb_memory output_memory, plan_memory;
    bool records_crashes;
    struct { /* what ran when a process before it crashed; in the arena */
        arb_uuid executor, cluster;
        size_t count;
        arb_attempt *attempts;
    } crashed;
    arb_output_store *store;
    arb_output_service *service;
    arb_flight_methods methods;
    arb_flight_service flight;
    arb_plan_cache *plans;
    arb_waiting_pool waiting;
    arb_rpc_loop loop;
    bool started; /* loop and waiting pool are there */
    arb_rpc_event begin, drain, stop;
    _Atomic bool drain_wanted;
    sem_t stopped;
    /* the loop's */
    arb_ledger *ledger;
    arb_uuid cluster; /* that outputs are served for */
    arb_rpc_timer timer;
    int64_t next_progress;
    arb_control_stream *stream; /* the ledger's; NULL: none */
    unsigned streams;           /* that are not over */
    bool opened, lost;          /* the stream: to be told to the ledger when it can be called */
    bool stopping;
    arb_peer_table peers;
    arb_executor_run *runs, *vain;
    arb_stage_builds_list builds;
    arb_job_memories memories;
    arb_id_map by_number, by_attempt;
    uint64_t unstarted; /* a run that there was no memory for; 0: none */
    uint64_t plans_come;
    /* written by the loop, looked at by anybody */
    _Atomic bool joined;
    struct {
        _Atomic uint64_t waiting, running, launched, done, failed, cancelled;
    } seen;
};

/* ---- executor.c ---------------------------------------------------------------------------------------------------------- */

/* After everything that happens on the loop: tell the ledger what it could not be told, and when to be called. */
void arb_executor_settle(arb_executor *executor);
/* False: it could not be sent, and the stream is lost. */
bool arb_executor_send(arb_executor *executor, arb_text *bytes, arb_code code);

/* ---- executor_runs.c ----------------------------------------------------------------------------------------------------- */

/* From within the ledger's actions, so these do not call it. */
void arb_executor_runs_start(arb_executor *executor, uint64_t number, const arb_attempt *attempt,
                             const arb_launch *launch);
void arb_executor_runs_stop(arb_executor *executor, uint64_t number);
void arb_executor_runs_drop(arb_executor *executor, uint64_t number);
void arb_executor_runs_gone(arb_executor *executor, arb_uuid peer);

/* Runs that ended in vain meanwhile. False: there were none. */
bool arb_executor_runs_settle(arb_executor *executor);
void arb_executor_runs_report(arb_executor *executor);
void arb_executor_runs_welcome(arb_executor *executor); /* a new session: ask for plans again */
/* A part of a plan has come, or (with `error`) could not be taken; `whole`: it was the last. */
void arb_executor_runs_plan(arb_executor *executor, arb_str hash, bool whole, const arb_error *error);
void arb_executor_runs_look_at_time(arb_executor *executor, int64_t now);
void arb_executor_runs_stop_all(arb_executor *executor);
bool arb_executor_runs_are_over(const arb_executor *executor);
void arb_executor_runs_reset(arb_executor *executor); /* they are over */

/* ---- task_starter.c, on the waiting pool's threads ------------------------------------------------------------------------ */

/* Start its task, or say why not: plan, task, lacks_plan, failure. */
void arb_task_starter_start(arb_executor_run *run);
/* Let go of its task and plan. */
void arb_task_starter_take_apart(arb_executor_run *run);
void arb_task_starter_drop(arb_executor_run *run);

#endif
