/* exchange_operators.h: where a stage's rows come from and where they go, as operators of its pipelines. */
#ifndef ARB_EXCHANGE_EXCHANGE_OPERATORS_H
#define ARB_EXCHANGE_EXCHANGE_OPERATORS_H

#include "exchange/task_output.h"
#include "execution/operator.h"
#include "plan/stage.h"

/* The sink of a stage: rows go into blocks of the partition that they belong to, and full blocks into the output, which
 * outlives the operator and is finished by whoever made it. The plan's result columns are the output's. An output of one
 * partition keeps the rows' order: a block there holds rows of one part of a source (split_order.h). */
ARB_NODISCARD arb_code arb_exchange_sink_create(const arb_stage *stage, arb_task_output *output,
                                                arb_query_context *context, arb_operator **out_op, arb_error *error);

/* The source for an EXCHANGE node: the rows of these blocks, in their order, which have the layout of the producing stage's
 * output. Everything is borrowed but the array of blocks, which is copied. */
ARB_NODISCARD arb_code arb_exchange_source_create(const arb_physical_node *node, const arb_layout *produced,
                                                  const arb_block *const *blocks, size_t block_count,
                                                  arb_query_context *context, arb_operator **out_op, arb_error *error);

#endif
