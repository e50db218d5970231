/* operators.h: the constructors of all operators, for whoever cuts a plan into pipelines.
 *
 * Each makes an operator's shared (global) state from a node of the physical plan; the plan and the context outlive it.
 * Free with op->vtable->destroy(op). On failure *out_op is NULL and nothing is left behind. */
#ifndef ARB_EXECUTION_OPERATORS_OPERATORS_H
#define ARB_EXECUTION_OPERATORS_OPERATORS_H

#include "execution/operator.h"
#include "execution/shared_builds.h"
#include "formats/scan.h"

/* AGGREGATE: sink of the pipeline of children[0], then source of a later one; in phase PARTIAL a transform. */
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

/* Before anything runs: the build side is one with that of other tasks (borrowed). Not for joins that mark build rows. */
void arb_hash_join_share(arb_operator *join, arb_shared_build *build);
/* What it is to build turns out to be its own. Any number of times; what it holds counts in what the task may have. */
void arb_hash_join_build_alone(arb_operator *join);
/* Source of the pipeline that builds it: the rows of `from`, another source, where this join is to build, and none where
 * another one has. Both are borrowed. */
ARB_NODISCARD arb_code arb_build_gate_create(arb_operator *from, arb_operator *join, arb_shared_build *build,
                                             arb_operator **out_op, arb_error *error);

/* SCAN: source. `runtime` are the node's run-time filters, in its order; the array is borrowed during the call, the
 * filters until the operator is destroyed. */
ARB_NODISCARD arb_code arb_scan_create(const arb_physical_node *node, arb_query_context *context,
                                       arb_scan_filter *const *runtime, arb_operator **out_op, arb_error *error);
/* Add the rows that the scan has read and shall read; nothing for operators that are no scans. Any thread. */
void arb_scan_progress(arb_operator *op, uint64_t *read, uint64_t *all);
ARB_NODISCARD arb_code arb_values_create(const arb_physical_node *node, arb_query_context *context,
                                         arb_operator **out_op, arb_error *error);

/* Transforms. */
ARB_NODISCARD arb_code arb_filter_create(const arb_physical_node *node, arb_query_context *context,
                                         arb_operator **out_op, arb_error *error);
ARB_NODISCARD arb_code arb_project_create(const arb_physical_node *node, arb_query_context *context,
                                          arb_operator **out_op, arb_error *error);
/* Its rows must come from a source with one driver: a sort. */
ARB_NODISCARD arb_code arb_group_limit_create(const arb_physical_node *node, arb_query_context *context,
                                              arb_operator **out_op, arb_error *error);
ARB_NODISCARD arb_code arb_repeat_create(const arb_physical_node *node, arb_query_context *context,
                                         arb_operator **out_op, arb_error *error);

/* LIMIT: sink of the pipeline of children[0] and, at the same time, source of another one. */
ARB_NODISCARD arb_code arb_limit_create(const arb_physical_node *node, arb_query_context *context,
                                        arb_operator **out_op, arb_error *error);

/* The rows of a shared subplan: a sink, and for each SHARED node a source over it. */
ARB_NODISCARD arb_code arb_collect_create(const arb_physical_node *node, arb_query_context *context,
                                          arb_operator **out_op, arb_error *error);
ARB_NODISCARD arb_code arb_shared_scan_create(const arb_physical_node *node, arb_query_context *context,
                                              arb_operator *collect, arb_operator **out_op, arb_error *error);

/* The result: a sink for drivers, and for the caller's thread the batches in order. It belongs to no plan node. */
ARB_NODISCARD arb_code arb_result_sink_create(const arb_physical_plan *plan, arb_query_context *context,
                                              arb_operator **out_op, arb_error *error);
/* Wait for the next batch; NULL at the end. Lent until the next call. */
ARB_NODISCARD arb_code arb_result_sink_next(arb_operator *result, const arb_batch **out_batch, arb_error *error);
/* Let everyone who waits go on: the query has failed with `error`, or (NULL) nobody reads any more. */
void arb_result_sink_abort(arb_operator *result, const arb_error *error);

#endif
