/* operators.h: the constructors of all operators, for whoever cuts a plan into pipelines.
 *
 * Each makes an operator's shared (global) state from a node of the physical plan; the plan and the context outlive it.
 * Free with op->vtable->destroy(op). On failure *out_op is NULL and nothing is left behind. */
#ifndef ARB_EXECUTION_OPERATORS_OPERATORS_H
#define ARB_EXECUTION_OPERATORS_OPERATORS_H

#include "execution/operator.h"
#include "formats/scan.h"

/* AGGREGATE: sink of the pipeline of children[0], then source of a later one. */
ARB_NODISCARD arb_code arb_hash_aggregate_create(const arb_physical_node *node, arb_query_context *context,
                                                 arb_operator **out_op, arb_error *error);

/* SORT: sink, then source. With a limit it keeps no more rows than that (top-N). */
ARB_NODISCARD arb_code arb_sort_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                                       arb_error *error);

/* HASH_JOIN: sink of the pipeline of children[1] (the build side), transform in that of children[0] (the probe side),
 * and, where arb_join_has_source says so, source of a pipeline to run after all probing has finished: build rows. */
ARB_NODISCARD arb_code arb_hash_join_create(const arb_physical_node *node, arb_query_context *context,
                                            arb_operator **out_op, arb_error *error);
/* LOOP_JOIN: the same roles. */
ARB_NODISCARD arb_code arb_loop_join_create(const arb_physical_node *node, arb_query_context *context,
                                            arb_operator **out_op, arb_error *error);
/* True when the build side gives rows of its own after probing: BUILD_OUTER, FULL_OUTER, BUILD_SEMI, BUILD_ANTI. For
 * BUILD_SEMI and BUILD_ANTI the transform itself gives nothing. */
bool arb_join_has_source(const arb_physical_node *node);

/* A filter over one column for a scan on the probe side: passes values that key `key` of the build side may have.
 * `column` is the position in the scan request's columns. Its `ready` is 0 until the build side has finished. Call it
 * before the build pipeline starts; owned by the join, valid until the join is destroyed, so the scan's readers must
 * be gone by then. */
ARB_NODISCARD arb_code arb_hash_join_runtime_filter(arb_operator *join, uint32_t key, uint32_t column,
                                                    arb_scan_filter **out_filter, arb_error *error);

#endif
