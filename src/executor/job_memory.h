/* job_memory.h: what jobs and their tasks may hold of an executor's memory.
 *
 *     the process ─┬─ outputs, received blocks, plans, segments, open files
 *                  └─ a job, at most seven eighths ─┬─ build sides that its tasks share
 *                                                   └─ a task, at most its share
 *
 * A task's share is what the scheduler admitted it with, and more where the executor has more for each of its slots. What an
 * operator holds counts on all three levels; one that holds more than it was promised spills as soon as one of them gets short.
 * So a task is held to its share, a job leaves room for another one to begin, and all to the limit of the process. Thread: one;
 * budgets are used by any. */
#ifndef ARB_EXECUTOR_JOB_MEMORY_H
#define ARB_EXECUTOR_JOB_MEMORY_H

#include "runtime/memory.h"
#include "scheduler/control.h"
#include "state/store.h"

typedef struct arb_job_memory arb_job_memory;
typedef struct arb_job_memories {
    arb_governor *process;
    uint32_t slots;
    arb_job_memory *first;
} arb_job_memories;

/* The job's budget, with a count for a run. NULL without memory. */
arb_job_memory *arb_job_memories_take(arb_job_memories *memories, arb_uuid cluster, arb_id job);
/* Nothing of the run is charged to it any more. NULL is a no-op. */
void arb_job_memories_give_back(arb_job_memories *memories, arb_job_memory *memory);
/* Make the budget of one of the job's tasks, which was admitted with so many bytes. */
void arb_job_memory_part(const arb_job_memories *memories, arb_job_memory *memory, uint64_t admitted,
                         arb_governor *out_task);

#endif
