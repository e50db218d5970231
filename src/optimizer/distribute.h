/* distribute.h: from a physical plan to stages that run as tasks on several executors (plan/stage.h).
 *
 * Bottom up, each part of the plan becomes a fragment: a stage that is not cut off yet, and how its tasks share its rows:
 *
 *     ANY    each row is in some task                         (scans, and what is done to rows one by one)
 *     HASH   rows with equal keys are in one task             (behind a hash exchange)
 *     ONE    a single task has all rows                       (behind LIMIT, a whole aggregation, a final merge)
 *
 * A node that needs its rows otherwise cuts the fragment off as a stage and reads its output through an exchange:
 *
 *     FILTER, PROJECT, REPEAT    any
 *     UNION                      any; what is ONE is cut off first, since each task would do it again
 *     AGGREGATE                  ONE, or HASH by some of its groups; else in two phases: partial in the fragment, then
 *                                exchanged by the groups, then final. DISTINCT and ORDER BY within the call: rows are
 *                                exchanged, and aggregated once
 *     SORT                       sorted by each task; one task merges. With a limit each gives its first rows
 *     LIMIT                      each task gives no more rows than wanted; one task counts
 *     GROUP_LIMIT                HASH by its groups
 *     HASH_JOIN, LOOP_JOIN       see the table below
 *     SHARED                     a stage of its own, which each reader reads
 *
 *                    build side broadcast     both sides by hash of the keys
 *     MATCHES             yes                      yes
 *     PROBE_OUTER         yes                      yes
 *     BUILD_OUTER         no: unmatched            yes
 *     FULL_OUTER          no: unmatched            yes
 *     PROBE_SEMI          yes                      yes
 *     PROBE_ANTI, MARK    yes                      yes, unless NULL-aware: one NULL decides everywhere
 *     BUILD_SEMI, _ANTI   no: once, over all       yes
 *     PROBE_SINGLE        yes                      yes
 *
 * A loop join has no keys: it is broadcast, or done by one task.
 *
 * A run-time filter works within its stage. Where its scan is in another one, and few enough rows would pass, that stage reads
 * the join's build side too (distribute_spread.c); a build side that is no stage of its own is made one for it. */
#ifndef ARB_OPTIMIZER_DISTRIBUTE_H
#define ARB_OPTIMIZER_DISTRIBUTE_H

#include "plan/stage.h"

typedef struct arb_distribute_options {
    uint32_t slots;           /* tasks that can run at once in the cluster; at least 1 */
    uint64_t task_bytes;      /* of rows that a task shall read, about; 0 = 64 MiB */
    uint64_t broadcast_bytes; /* a build side of so many bytes is read whole by every task; 0: none ever */
    bool always;              /* distribute whatever can be, however small */
    bool never;               /* one stage with one task */
} arb_distribute_options;

/* Made in the arena; refers to the plan, which must live as long. Without `always`, a plan that is too small to be worth it
 * becomes one stage with one task. */
ARB_NODISCARD arb_code arb_distribute(arb_arena *arena, const arb_physical_plan *plan,
                                      const arb_distribute_options *options, const arb_stage_graph **out_graph,
                                      arb_error *error);

#endif
