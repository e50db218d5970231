/* pipeline.h: a query cut into pipelines, and what must end before what begins.
 *
 * The tree is walked from the root. What holds rows (a sort, an aggregation, a join's build side) ends one pipeline and
 * begins another, so each such operator appears as the sink of its feeders and again as a source, or as a transform.
 * A sink is complete when all its feeders have run and it has finished; pipelines wait for sinks, and those that give a
 * join's rest (build rows without a match, what was spilled) wait for the pipelines that probe it.
 *
 * Everything here is made before anything runs and then changes only under the query's lock (execute.c). */
#ifndef ARB_EXECUTION_PIPELINE_H
#define ARB_EXECUTION_PIPELINE_H

#include "base/vec.h"
#include "execution/operator.h"
#include "execution/shared_builds.h"

typedef ARB_VEC(arb_pipeline *) arb_pipeline_list; /* arena */

typedef struct arb_pipeline_sink arb_pipeline_sink;

/* An operator in its role as a sink. */
struct arb_pipeline_sink {
    arb_operator *op;
    uint32_t feeders;       /* pipelines that still feed it */
    arb_pipeline_list then; /* pipelines that wait for it */
    _Atomic uint32_t next_part;
    uint32_t parts, parts_running;
};

struct arb_pipeline {
    uint32_t number;
    arb_operator *source;
    size_t transform_count;
    arb_operator **transforms; /* in the order in which batches pass */
    arb_pipeline_sink *sink;
    arb_shared_build *build;              /* that it makes, unless another task does; NULL: none is shared */
    bool one_driver;                      /* more would be in vain */
    bool rest;                            /* what a join gives after all probing: often nothing, and then not started */
    uint32_t waits;                       /* sinks and pipelines that must end before */
    ARB_VEC(arb_pipeline_sink *) awaited; /* those sinks; arena */
    arb_pipeline_list then;               /* pipelines that wait for this one */
    uint32_t drivers;                     /* running now */
    _Atomic bool satisfied;               /* some transform or the sink wants no more */
};

typedef struct arb_pipeline_set {
    arb_arena *arena;
    arb_query_context *context;
    arb_pipeline_list pipelines;
    ARB_VEC(arb_operator *) operators;           /* all of them, to be destroyed */
    ARB_VEC(arb_pipeline_sink *) shared;         /* by number of the shared subplan */
    ARB_VEC(arb_pipeline_sink *) runtime_makers; /* join by number of the run-time filter */
    ARB_VEC(uint32_t) runtime_keys;
} arb_pipeline_set;

/* Cut the plan; the root's rows go to `result`. On failure destroy the set's operators all the same. */
ARB_NODISCARD arb_code arb_pipelines_build(arb_pipeline_set *set, const arb_physical_plan *plan, arb_operator *result,
                                           arb_error *error);
void arb_pipelines_destroy_operators(arb_pipeline_set *set);

#endif
