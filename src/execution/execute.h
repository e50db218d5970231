/* execute.h: run a physical plan and hand out its rows.
 *
 * start cuts the plan into pipelines, makes their operators and submits drivers to the CPU pool; the caller then takes
 * batches in the result's order. The caller's thread only waits and reads; when it reads slowly, the pipelines wait. */
#ifndef ARB_EXECUTION_EXECUTE_H
#define ARB_EXECUTION_EXECUTE_H

#include "execution/task_work.h"
#include "runtime/cpu_pool.h"
#include "runtime/io_pool.h"
#include "runtime/memory.h"

typedef struct arb_execution_options {
    arb_cpu_pool *pool;
    arb_io_pool *io; /* NULL: the CPU pool's threads read files themselves, and wait */
    arb_governor *governor;
    const char *spill_folder;  /* NULL: nothing can spill */
    uint32_t batch_rows;       /* 0 = ARB_VECTOR_ROWS; fewer in tests */
    bool force_spill;          /* tests */
    bool force_async_io;       /* tests: nothing is read before it was waited for */
    uint32_t drivers;          /* of a pipeline at most; 0 = as many as the pool has threads */
    const arb_task_work *work; /* a task of a stage: rows go to its sink; NULL: the caller takes them */
    /* Unless NULL, called once when nothing of it runs any more, well or not: the last that happens, on a thread of the pool or
     * within start. arb_execution_wait returns at once then. Not when start fails. */
    void (*on_done)(void *context);
    void *done_context;
} arb_execution_options;

typedef struct arb_execution arb_execution;

/* The plan must outlive the execution. Options are copied. */
ARB_NODISCARD arb_code arb_execution_start(const arb_physical_plan *plan, const arb_execution_options *options,
                                           arb_execution **out_execution, arb_error *error);
/* The next batch of the result: columns as plan->columns names them, all rows selected, FLAT vectors; lent until the next
 * call. *out_batch is NULL at the end. Waits; one thread at a time. */
ARB_NODISCARD arb_code arb_execution_next(arb_execution *execution, const arb_batch **out_batch, arb_error *error);
/* Of a task: wait for its end; its error, if any. */
ARB_NODISCARD arb_code arb_execution_wait(arb_execution *execution, arb_error *error);
/* End it soon: `next` then fails with ARB_CANCELLED. Any thread, any time before destroy; async-signal-safe. */
void arb_execution_cancel(arb_execution *execution);
/* The same for who need not fear signals: whatever waits is woken, so that it ends soon, though nobody asks for rows. */
void arb_execution_stop(arb_execution *execution);
/* 0 to 1, by the rows that scans have read of those that they shall read; any thread. */
double arb_execution_progress(const arb_execution *execution);
uint64_t arb_execution_peak_memory(const arb_execution *execution);
/* Cancels what still runs and waits for it. NULL is a no-op. */
void arb_execution_destroy(arb_execution *execution);
/* The plan with rows and time per operator, after the end: EXPLAIN ANALYZE. */
void arb_execution_explain(const arb_execution *execution, const arb_query *query, arb_text *out);

#endif
