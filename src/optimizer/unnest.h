/* unnest.h: the two ways in which correlated subqueries become joins, as unnest.c puts them together. */
#ifndef ARB_OPTIMIZER_UNNEST_H
#define ARB_OPTIMIZER_UNNEST_H

#include "optimizer/rule.h"

/* A plan from which the conditions on outer columns were pulled out. For a row of outer values the subquery gives the
 * plan's rows that satisfy all of `conditions`. */
typedef struct arb_pulled {
    const arb_logical *plan;
    arb_conjuncts conditions; /* over outer columns and columns that the plan gives */
    /* An aggregate without groups gives a row even for outer values that select nothing. When `padded`, at most one row
     * of the plan satisfies the conditions, and when none does the subquery gives one row with the values of `pads`
     * (expressions without columns) and NULL in the other columns. */
    bool padded;
    ARB_VEC(arb_named_expr) pads; /* arena */
} arb_pulled;

/* Pull what uses `outer` out of the plan. Returns false on failure; *out_possible is false when this plan's shape does
 * not allow it (nothing is lost then). unnest_pull.c */
ARB_NODISCARD bool arb_unnest_pull(arb_rule_context *rule, const arb_logical *node, const arb_column_set *outer,
                                   arb_pulled *out, bool *out_possible);

/* The values of outer columns for which a subquery has to be worked out: a plan, and its columns (in the order of the
 * outer ones, each time under new ids). unnest_domain.c */
typedef struct arb_domain {
    const arb_logical *plan; /* gives sources[i] for outer column columns[i] */
    size_t count;
    const arb_column_id *columns;
    const arb_column_id *sources;
} arb_domain;

/* The plan for all values of the domain at once: it no longer uses the domain's columns; what it gives has out_ids[i]
 * in addition, the value of columns[i] that each row belongs to. NULL on failure, ARB_NOT_SUPPORTED included. */
const arb_logical *arb_unnest_push_domain(arb_rule_context *rule, const arb_domain *domain, const arb_logical *node,
                                          arb_column_id *out_ids);

/* What an aggregate gives for no rows: 0 for a count, else NULL, as a constant of the call's result type. */
const arb_expr *arb_unnest_empty_value(arb_rule_context *rule, const arb_aggregate_call *call);

#endif
