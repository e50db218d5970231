/* stage_job.h: a stage graph as a job for the scheduler: plans as bytes, named by their hashes, and what the scheduler must
 * know of each stage. */
#ifndef ARB_SERVER_STAGE_JOB_H
#define ARB_SERVER_STAGE_JOB_H

#include "catalog/table_wire.h"
#include "executor/task_settings.h"
#include "plan/plan_wire.h"
#include "scheduler/job_spec.h"

typedef struct arb_stage_job {
    arb_job_spec spec;
    const arb_str *plans; /* a stage's bytes, by its number; in `spec` its plan is their hash */
} arb_stage_job;

typedef struct arb_stage_job_options {
    const arb_plan_tables *tables;
    const arb_roots *roots; /* that tables' files may lie in */
    arb_str text, user;     /* of the statement */
    bool read_only;
    arb_task_settings settings; /* of the tasks */
    uint64_t task_memory;       /* that a task is admitted with */
    uint32_t drivers;           /* threads of a task */
} arb_stage_job_options;

/* All of it lies in the arena; texts of the options are borrowed. */
ARB_NODISCARD arb_code arb_stage_job_create(arb_arena *arena, const arb_stage_graph *graph,
                                            const arb_stage_job_options *options, arb_stage_job *out_job,
                                            arb_error *error);

#endif
