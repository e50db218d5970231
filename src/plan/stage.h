/* stage.h: a query cut into stages, for several tasks on several executors.
 *
 * A stage is a physical plan whose leaves are scans, constant rows, and exchanges: what tasks of earlier stages left. It
 * runs as tasks, each with a part of the work: of *units*. A unit is a split of a scan, or a partition of an exchange;
 * leaves that must get the same partitions (both sides of a join) share a group of units, and a task has some units of
 * each group. An exchange whose every partition each task reads (a broadcast) has no units.
 *
 *   leaf       unit                    group
 *   SCAN       a split of its table    its own
 *   VALUES     one                     its own
 *   EXCHANGE   a partition             that of its co-partitioned siblings; none with ARB_READ_ALL
 *
 * What a task leaves is its output, in partitions: by hash of some columns, in turns, or all in one. The last stage's output
 * is the result; several tasks' outputs follow each other in the tasks' order. A graph is immutable and lives in the arena
 * that it was made in. */
#ifndef ARB_PLAN_STAGE_H
#define ARB_PLAN_STAGE_H

#include "plan/physical.h"

typedef enum arb_output_kind {
    ARB_OUTPUT_HASH,  /* by exchange_hash_v1 of `keys` */
    ARB_OUTPUT_TURNS, /* batches in turns: any partition is as good */
    ARB_OUTPUT_ONE,   /* one partition, in the order in which rows came */
} arb_output_kind;

/* Does a task give the same rows when it runs again? */
typedef enum arb_determinism {
    ARB_SAME_ROWS,
    ARB_MAY_DIFFER, /* LIMIT without order, ties in a top-N, random(), sums of floats that become keys */
} arb_determinism;

typedef struct arb_stage_output {
    uint8_t kind; /* arb_output_kind */
    uint32_t partitions;
    size_t key_count;
    const uint32_t *keys; /* HASH: columns of the root */
} arb_stage_output;

/* Leaves that share units: unit i of the group is unit i of each. */
typedef struct arb_unit_group {
    uint32_t units;
    size_t leaf_count;
    const uint32_t *leaves; /* numbers of nodes */
} arb_unit_group;

typedef struct arb_stage {
    uint32_t number;
    arb_physical_plan plan; /* its output's columns are the result columns, in order */
    size_t group_count;
    const arb_unit_group *groups;
    uint32_t tasks; /* wanted; units are dealt out to them */
    arb_stage_output output;
    uint8_t determinism; /* arb_determinism */
    int64_t row_limit;   /* so many rows of all tasks together are enough; -1: all are needed */
    uint64_t bytes;      /* estimate of what its tasks read */
} arb_stage;

/* Its root is a sort with a limit: the last row within it that a task has found tells the others what they need not keep. */
ARB_INLINE bool arb_stage_has_bound(const arb_stage *stage)
{
    return stage->plan.root->kind == ARB_PHYSICAL_SORT && stage->plan.root->sort.limit >= 0;
}

typedef struct arb_stage_graph {
    size_t stage_count;
    const arb_stage
        *stages; /* each after those that it reads, at the place of its number; the last one gives the result */
} arb_stage_graph;

/* As EXPLAIN shows it; `query` may be NULL, `note` as in arb_physical_print. */
void arb_stage_graph_print(arb_text *out, const arb_query *query, const arb_stage_graph *graph, arb_physical_note note,
                           void *context);
/* What must hold for a stage whose plan is valid. ARB_CORRUPT_DATA. */
ARB_NODISCARD arb_code arb_stage_validate(const arb_stage *stage, arb_error *error);
/* Each stage and its plan are valid, and what exchanges read is what earlier stages leave. */
ARB_NODISCARD arb_code arb_stage_graph_validate(const arb_stage_graph *graph, arb_error *error);

/* The units of each leaf that task `task` of `task_count` does: equal shares of all units, in order. Made in the arena, one
 * entry for each leaf of each group. */
typedef struct arb_leaf_units {
    uint32_t node;
    size_t count;
    const uint32_t *units;
} arb_leaf_units;
ARB_NODISCARD arb_code arb_stage_deal(arb_arena *arena, const arb_stage *stage, uint32_t task, uint32_t task_count,
                                      const arb_leaf_units **out_leaves, size_t *out_count, arb_error *error);

#endif
