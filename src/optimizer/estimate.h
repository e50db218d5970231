/* estimate.h: how many rows, how many distinct values, what part passes.
 *
 * Estimates come from what files claim of base columns (ranges, dictionary sizes, NULL counts) and from the usual
 * assumptions: values are spread evenly, columns are independent, and the smaller side of an equality finds its values
 * on the larger one. They choose plans; they never decide what is right. */
#ifndef ARB_OPTIMIZER_ESTIMATE_H
#define ARB_OPTIMIZER_ESTIMATE_H

#include "optimizer/rule.h"

/* Note in the registry where columns come from that only rename others: they have the statistics of those; and how many
 * values computed ones have. To be called
 * before a plan is estimated. */
void arb_estimate_note_sources(arb_rule_context *rule, const arb_logical *root);
/* The estimated rows of a node: what it was given before (`rows`), else worked out from its children's. At least 1. */
double arb_estimate_rows(arb_rule_context *rule, const arb_logical *node);
/* Distinct values of a column in all of its relation: before filters, but at most `rows` when it is not known. */
double arb_estimate_distinct(arb_rule_context *rule, arb_column_id column, double rows);
/* The same for an expression, as a key of a join or a group. */
double arb_estimate_distinct_expr(arb_rule_context *rule, const arb_expr *expr, double rows);
/* The part of `rows` rows that a condition (NULL: all) lets pass, in (0, 1]. */
double arb_estimate_selectivity(arb_rule_context *rule, const arb_expr *condition, double rows);
/* Does the column look like its table's key: about as many values as rows, out of a range that is not much larger? */
bool arb_estimate_is_key(arb_rule_context *rule, arb_column_id column, double rows);
/* The part of pairs of a left and a right row that satisfy the join's condition. */
double arb_estimate_pairs(arb_rule_context *rule, const arb_logical *join, double left, double right);
/* Rows of the relation that a column belongs to, before any filter: of its table, else `rows`. */
double arb_estimate_base_rows(arb_rule_context *rule, arb_column_id column, double rows);

#endif
