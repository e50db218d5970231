/* task_run.h: a task of a stage, being run: rows from its inputs and splits through the stage's plan into an output.
 *
 * It runs on the process's pools without a thread of its own. When it is over, well or not, its owner is told, and then asks
 * what became of it. An output is in the store from the beginning, and can be read when it has ended well. Thread: its
 * owner's, one at a time; `over` comes on any. */
#ifndef ARB_EXECUTOR_TASK_RUN_H
#define ARB_EXECUTOR_TASK_RUN_H

#include "execution/execute.h"
#include "executor/task_inputs.h"

typedef struct arb_task_run arb_task_run;

typedef struct arb_task_run_options {
    const arb_stage *stage; /* outlives the run */
    uint32_t task_count;    /* of the stage: the task's part of the work follows from it */
    arb_attempt attempt;
    arb_execution_options execution; /* pools, memory, drivers; its work and on_done are not looked at */
    arb_output_store *store;         /* outlives the run */
    bool outputs_in_files;           /* none of its blocks stays in memory */
    const uint64_t *bound;       /* what the stage's other tasks know (arb_task_bound_of), for start; NULL: nothing */
    arb_shared_builds *builds;   /* of the stage's tasks here, outlive the run; NULL: it builds for itself */
    void (*over)(void *context); /* once, if start went well; not to be answered at once, but by its owner's thread */
    void *context;
} arb_task_run_options;

/* Takes the inputs, also on failure, of which *out_failure says what kind it is, as arb_task_run_result does. */
ARB_NODISCARD arb_code arb_task_run_start(const arb_task_run_options *options, arb_task_inputs *inputs,
                                          arb_task_run **out_run, arb_failure *out_failure, arb_error *error);
/* It shall end soon; `over` comes all the same. */
void arb_task_run_stop(arb_task_run *run);
void arb_task_run_gone(arb_task_run *run, arb_uuid executor); /* as arb_task_inputs_gone */
/* Rows and bytes of its output so far; when it is over, also the facts that it publishes, which live as long as the run. */
arb_task_output arb_task_run_output(const arb_task_run *run);
/* Once it is over. True: its output can be read. Else *out_failure says why, with `error` where that has one. */
ARB_NODISCARD bool arb_task_run_result(arb_task_run *run, arb_failure *out_failure, arb_error *error);
/* Stops it and waits for its end, if need be. An output that cannot be read is dropped. NULL is a no-op. */
void arb_task_run_destroy(arb_task_run *run);

/* What tasks of a stage that has a bound have published, taken together; UINT64_MAX: nothing. A fact that is none counts
 * for nothing. */
uint64_t arb_task_bound_of(const arb_str *facts, size_t count);
/* Whose the attempt's output is in the store. */
arb_block_origin arb_task_run_origin(const arb_attempt *attempt);
/* As what a failure counts that is not an input's. */
arb_failure_kind arb_failure_kind_of(arb_code code);

#endif
