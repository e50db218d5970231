/* stage_builds.h: which runs here have build sides of joins in common: those of one making of a stage, with one plan, that read
 * the same attempts' outputs. A run keeps its place from its launch until its output is dropped, so what was built for the first
 * is there for the next; a run that reads the stage's own output shows that no more of it will come. Nobody else says so: what no
 * run has used for a second goes too, or at once when memory is short, and is built again should another run come. Thread: one. */
#ifndef ARB_EXECUTOR_STAGE_BUILDS_H
#define ARB_EXECUTOR_STAGE_BUILDS_H

#include "execution/shared_builds.h"
#include "executor/task_inputs.h"

typedef struct arb_stage_builds arb_stage_builds;
typedef struct arb_stage_builds_list {
    arb_stage_builds *first;
} arb_stage_builds_list;

typedef struct arb_stage_builds_key {
    arb_uuid cluster;
    arb_attempt attempt; /* any of the stage's */
    arb_str plan_hash;
    size_t input_count;
    const arb_task_input *inputs;
} arb_stage_builds_key;

/* A place for a run that begins; the key is copied. NULL: there is no memory for it, and the run does without. */
arb_stage_builds *arb_stage_builds_take(arb_stage_builds_list *list, const arb_stage_builds_key *key);
void arb_stage_builds_give_back(arb_stage_builds_list *list, arb_stage_builds *place); /* NULL is a no-op */
/* The run's task, of which there is none any more, has a count no longer. Once for each that was taken; NULL is a no-op. */
void arb_stage_builds_leave(arb_stage_builds *place, int64_t now_ns);
/* A count of what its runs have in common; NULL once the stage is over, or without memory. */
arb_shared_builds *arb_stage_builds_of(arb_stage_builds *place);
/* The stage is complete: what its runs here have in common goes with the last that runs. */
void arb_stage_builds_over(arb_stage_builds_list *list, arb_id job, uint32_t stage);
/* Let go of what nobody uses. */
void arb_stage_builds_look_at_time(arb_stage_builds_list *list, int64_t now_ns, bool memory_is_short);

#endif
