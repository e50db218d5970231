/* optimize.h: from the plan as it was bound to a better one that means the same.
 *
 * A fixed list of rules, each in its own file, runs in order over the tree (optimize.c names them and says why in this
 * order). A rule takes a plan and gives a plan; what it does not change it shares. */
#ifndef ARB_OPTIMIZER_OPTIMIZE_H
#define ARB_OPTIMIZER_OPTIMIZE_H

#include "plan/logical.h"

/* X(NAME, "name as SET and tests write it"), in the order in which they run (some run twice). */
#define ARB_OPTIMIZER_RULES(X)                \
    X(INLINE_SHARED, "inline_shared")         \
    X(SIMPLIFY, "simplify")                   \
    X(PUSH_FILTERS, "push_filters")           \
    X(UNNEST, "unnest")                       \
    X(UNIQUE_ROWS, "unique_rows")             \
    X(FILTER_SHARED, "filter_shared")         \
    X(COMMON_SUBPLANS, "common_subplans")     \
    X(DETERMINED_GROUPS, "determined_groups") \
    X(PRUNE_COLUMNS, "prune_columns")         \
    X(PUSH_LIMITS, "push_limits")             \
    X(ORDER_JOINS, "order_joins")

typedef enum arb_optimizer_rule {
#define X(name, text) ARB_RULE_##name,
    ARB_OPTIMIZER_RULES(X)
#undef X
        ARB_RULE_COUNT
} arb_optimizer_rule;

typedef struct arb_optimizer_options {
    uint32_t disabled; /* a bit for each arb_optimizer_rule that shall not run; UNNEST cannot be missed by subqueries */
    bool validate;     /* check the plan after each rule */
    /* Folds constants; NULL leaves them as they are. */
    arb_code (*evaluate)(arb_arena *arena, const arb_expr *expr, arb_value *out_value, arb_error *error);
    /* The part of the table's rows that pass `condition`, over the scan's columns, worked out on a sample that takes at
     * most `*bytes_left` to read, which are taken off; negative when that is not possible. NULL: estimated from statistics
     * alone. */
    double (*sample_selectivity)(void *context, const arb_logical *scan, const arb_expr *condition, double *bytes_left);
    /* Likewise the most values that the column of a table has, as a part of its rows. */
    double (*sample_distinct)(void *context, const arb_table *table, uint32_t column, double *bytes_left);
    void *sample_context;
} arb_optimizer_options;

/* Improve `root`, of which the columns `needed` are wanted above. Shared subplans that it reads are improved in place.
 * ARB_NOT_SUPPORTED for correlated subqueries that cannot be carried out. */
ARB_NODISCARD arb_code arb_optimize(arb_query *query, const arb_logical *root, const arb_column_set *needed,
                                    const arb_logical **out, arb_error *error);
/* The same with other options; they are only read during the call. */
ARB_NODISCARD arb_code arb_optimize_with(arb_query *query, const arb_logical *root, const arb_column_set *needed,
                                         const arb_optimizer_options *options, const arb_logical **out,
                                         arb_error *error);
/* The rule of that name, or ARB_RULE_COUNT. */
arb_optimizer_rule arb_optimizer_rule_find(arb_str name);

#endif
