/* task_work.h: the part of a stage that one execution does: as a task of a query that several processes carry out.
 *
 * A stage's plan is executed like any other, but its scans take only some splits, its exchanges' rows come from where
 * earlier tasks left theirs, and its own go where later ones find them. What carries rows between tasks makes those
 * operators. */
#ifndef ARB_EXECUTION_TASK_WORK_H
#define ARB_EXECUTION_TASK_WORK_H

#include <stdatomic.h>

#include "plan/stage.h"

typedef struct arb_query_context arb_query_context;
typedef struct arb_operator arb_operator;
typedef struct arb_shared_builds arb_shared_builds;

/* What a stage's tasks tell each other where its root, node `node`, is a sort with a limit: no row whose key's first word is
 * greater can be in the result (sort.h). That is a fact about the stage's input: so many rows of it are not behind. */
typedef struct arb_task_bound {
    uint32_t node;
    _Atomic uint64_t worst; /* UINT64_MAX: nothing is known */
} arb_task_bound;

typedef struct arb_task_work arb_task_work;
/* Borrowed by the execution, as all that it refers to. */
struct arb_task_work {
    size_t leaf_count;
    const arb_leaf_units *leaves; /* a leaf that is not among them is done whole */
    arb_shared_builds *builds;    /* that the stage's tasks have in common; NULL: each builds for itself */
    arb_task_bound *bound;        /* NULL: the root is no such sort */
    /* The source for an EXCHANGE. `later`: it may not be read at all, so nothing is to be fetched before it is. */
    arb_code (*source_create)(const arb_task_work *work, const arb_physical_node *node, bool later,
                              arb_query_context *context, arb_operator **out_op, arb_error *error);
    /* The sink that takes the root's rows. NULL: the caller takes them, as of a whole query. */
    arb_code (*sink_create)(const arb_task_work *work, const arb_physical_plan *plan, arb_query_context *context,
                            arb_operator **out_op, arb_error *error);
};

ARB_INLINE bool arb_is_task(const arb_task_work *work)
{
    return work != NULL && work->sink_create != NULL;
}
/* NULL: all of the leaf is to be done. */
ARB_INLINE const arb_leaf_units *arb_task_leaf_find(const arb_task_work *work, uint32_t node)
{
    for (size_t i = 0; work != NULL && i < work->leaf_count; i++)
        if (work->leaves[i].node == node)
            return &work->leaves[i];
    return NULL;
}

#endif
