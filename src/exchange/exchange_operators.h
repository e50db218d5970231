/* exchange_operators.h: where a stage's rows come from and where they go, as operators of its pipelines. */
#ifndef ARB_EXCHANGE_EXCHANGE_OPERATORS_H
#define ARB_EXCHANGE_EXCHANGE_OPERATORS_H

#include "exchange/block_feed.h"
#include "exchange/output_store.h"
#include "execution/operator.h"
#include "plan/stage.h"

/* The sink of a stage: rows go into blocks of the partition that they belong to, and full blocks into the output, which
 * outlives the operator, is described by it, and finished by whoever made it. The plan's result columns are the output's. An
 * output of one partition keeps the rows' order: a block there holds rows of one part of a source (split_order.h). `store`, if
 * it is not NULL, is what the output is of, and keeps its limit. */
ARB_NODISCARD arb_code arb_exchange_sink_create(const arb_stage *stage, arb_output_store *store,
                                                arb_attempt_output *output, arb_query_context *context,
                                                arb_operator **out_op, arb_error *error);

/* The source for an EXCHANGE node: the rows of the feed's blocks, in their order. Takes the feed, also on failure; the rest is
 * borrowed. */
ARB_NODISCARD arb_code arb_exchange_source_create(const arb_physical_node *node, arb_block_feed *feed,
                                                  arb_query_context *context, arb_operator **out_op, arb_error *error);

#endif
