/* query_run.h: who carries out a planned query: this process, or others.
 *
 * A session parses, binds and plans; its runner makes a running query (arb_query_run) of the plan. The session's own runner
 * executes it here with the runtime's pools. Another one may send it elsewhere; then the session's statements, results,
 * cancelling and EXPLAIN ANALYZE stay as they are. */
#ifndef ARB_ENGINE_QUERY_RUN_H
#define ARB_ENGINE_QUERY_RUN_H

#include "execution/execute.h"

typedef struct arb_query_run arb_query_run;

/* How to be told that something has come. On any thread, which may have its own locks: quick. */
typedef struct arb_wake {
    void (*call)(void *context);
    void *context;
} arb_wake;

/* A stage of a query that several executors carry out, as it is at the moment. */
typedef struct arb_run_stage {
    uint32_t stage;
    uint64_t tasks, running, committed;
    uint64_t rows, bytes; /* that committed tasks have left */
    bool complete;        /* what has not committed is not needed */
} arb_run_stage;

typedef struct arb_query_run_vtable {
    /* As arb_execution_next. */
    arb_code (*next)(arb_query_run *run, const arb_batch **out_batch, arb_error *error);
    /* End it soon. Any thread; async-signal-safe. */
    void (*cancel)(arb_query_run *run);
    /* 0 to 1; any thread. */
    double (*progress)(const arb_query_run *run);
    uint64_t (*peak_memory)(const arb_query_run *run);
    /* The plan with rows and time, after the end. */
    void (*explain)(const arb_query_run *run, const arb_query *query, arb_text *out);
    /* Ends what still runs and waits for it. */
    void (*destroy)(arb_query_run *run);
    /* False: `next` would wait for others than this process; the wake, which is copied, will be called once that may be over,
     * maybe before this has returned, never after `destroy` has. NULL: always true. On the thread of `next`. */
    bool (*ready)(arb_query_run *run, const arb_wake *wake);
    /* In the arena, by number. Any thread; waits some milliseconds. NULL: there are none. */
    arb_code (*stages)(const arb_query_run *run, arb_arena *arena, const arb_run_stage **out_stages, size_t *out_count,
                       arb_error *error);
} arb_query_run_vtable;

/* First member of each kind of running query. */
struct arb_query_run {
    const arb_query_run_vtable *vtable;
};

/* What a session says of spreading a query over several executors; for runners that have some. */
typedef struct arb_distribution {
    enum { ARB_DISTRIBUTE_AUTO, ARB_DISTRIBUTE_ALWAYS, ARB_DISTRIBUTE_NEVER } when; /* AUTO: what is large enough */
    bool outputs_in_files;    /* what tasks leave for others never stays in memory */
    uint64_t task_bytes;      /* of rows that a task shall read, about; 0: the usual */
    uint64_t broadcast_bytes; /* a build side of so many bytes is read whole by every task; 0: none ever */
} arb_distribution;

/* Whose statements they are, for runners that tell others. */
typedef struct arb_run_origin {
    arb_str user; /* may be empty */
    arb_str name; /* a query's: `find` knows it by that; empty: it need not be found again */
} arb_run_origin;

/* Borrowed for the call, but for the plan and the text, which outlive the run. */
typedef struct arb_run_request {
    const arb_physical_plan *plan;
    arb_str text; /* of the statement */
    arb_run_origin origin;
    const arb_str *names; /* of the plan's columns, if the origin has a name */
    arb_execution_options execution;
    arb_distribution distribution;
} arb_run_request;

/* A query that an earlier process of the same cluster was asked for. */
typedef struct arb_found_run {
    arb_query_run *run;
    size_t column_count;
    const arb_str *names;
    const arb_type *types;
} arb_found_run;

typedef struct arb_query_runner {
    void *context;
    arb_code (*start)(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *error);
    /* Append how it would carry the request out, for EXPLAIN. NULL: as the plan says. */
    arb_code (*describe)(void *context, const arb_run_request *request, const arb_query *query, arb_text *out,
                         arb_error *error);
    /* Go on with the query of that name, from its first row on; what its rows are lies in the arena, which outlives the run.
     * ARB_UNDEFINED_OBJECT: there is none, or not any more. NULL: there never is. */
    arb_code (*find)(void *context, arb_str name, const arb_execution_options *execution, arb_arena *arena,
                     arb_found_run *out_found, arb_error *error);
} arb_query_runner;

/* In this process. */
extern const arb_query_runner arb_local_runner;

#endif
