/* rule.h: what the rules share: their context, lists of conjuncts, substitution.
 *
 * Inside this library functions that make nodes or expressions return NULL when they fail. Mostly that is memory; when
 * it is something else, `code` and `error` say what (arb_rule_refuse). So rules read as plain functions from plan to
 * plan, and the reason is looked up once, in optimize.c. */
#ifndef ARB_OPTIMIZER_RULE_H
#define ARB_OPTIMIZER_RULE_H

#include "expr/function.h"
#include "optimizer/optimize.h"

typedef struct arb_rule_context {
    arb_query *query;
    const arb_optimizer_options *options;
    arb_error *error;
    arb_code code;       /* of a failure that is not memory, else ARB_OK */
    double sample_bytes; /* that looks at tables may still read */
} arb_rule_context;

/* Note a failure; always NULL, so that callers can return it. */
ARB_COLD void *arb_rule_refuse(arb_rule_context *rule, arb_code code, const char *message);

/* The rules. Each returns the new plan or NULL; `needed` are the columns that are wanted above the root. */
const arb_logical *arb_rule_inline_shared(arb_rule_context *rule, const arb_logical *root, bool may_inline);
const arb_logical *arb_rule_simplify(arb_rule_context *rule, const arb_logical *root);
const arb_logical *arb_rule_push_filters(arb_rule_context *rule, const arb_logical *root, const arb_column_set *needed);
const arb_logical *arb_rule_unnest(arb_rule_context *rule, const arb_logical *root);
const arb_logical *arb_rule_prune_columns(arb_rule_context *rule, const arb_logical *root,
                                          const arb_column_set *needed);
const arb_logical *arb_rule_unique_rows(arb_rule_context *rule, const arb_logical *root);
const arb_logical *arb_rule_determined_groups(arb_rule_context *rule, const arb_logical *root);
const arb_logical *arb_rule_filter_shared(arb_rule_context *rule, const arb_logical *root);
const arb_logical *arb_rule_common_subplans(arb_rule_context *rule, const arb_logical *root,
                                            const arb_column_set *needed);
const arb_logical *arb_rule_order_joins(arb_rule_context *rule, const arb_logical *root);
const arb_logical *arb_rule_push_limits(arb_rule_context *rule, const arb_logical *root);

/* Set `sample_bytes` for the plan and the shared plans that it uses. sample_budget.c */
ARB_NODISCARD bool arb_sample_budget(arb_rule_context *rule, const arb_logical *root, const arb_column_set *needed);

/* ---- expressions: simplify_expr.c, conjuncts.c, substitute.c ---------------------------------------------------- */

/* The expression with constants folded, booleans simplified, comparisons put in order. */
const arb_expr *arb_simplify_expr(arb_rule_context *rule, const arb_expr *expr);

/* A condition as a list of conjuncts, in order; grows in the query's arena. */
typedef ARB_VEC(const arb_expr *) arb_conjuncts;
/* Append the conjuncts of `condition` (NULL: none) that are not there already and are not TRUE. */
ARB_NODISCARD bool arb_conjuncts_add(arb_query *query, arb_conjuncts *list, const arb_expr *condition);
/* *out is NULL for an empty list. */
ARB_NODISCARD bool arb_conjuncts_condition(arb_query *query, const arb_conjuncts *list, const arb_expr **out);
/* The node under a FILTER with all of them; a FILTER that it is already is melted in. */
const arb_logical *arb_conjuncts_filter(arb_query *query, const arb_logical *node, const arb_conjuncts *list);
/* For `left = right` (or IS NOT DISTINCT FROM) where each side uses columns of one of the two sets only and both do:
 * the sides in the sets' order. */
bool arb_conjunct_equates(arb_query *query, const arb_expr *conjunct, const arb_column_set *left_columns,
                          const arb_column_set *right_columns, const arb_expr **out_left, const arb_expr **out_right);
/* Does the expression use only columns of the set (and so could be computed where they are)? */
bool arb_expr_within(const arb_expr *expr, const arb_column_set *columns);
/* Does it use any of them? */
bool arb_expr_uses(const arb_expr *expr, const arb_column_set *columns);
/* With NULL in each of the columns: is its result certainly NULL? and: certainly NULL or FALSE, so that as a condition
 * it lets no such row pass? */
bool arb_expr_null_on_null(const arb_expr *expr, const arb_column_set *columns);
bool arb_expr_rejects_null(const arb_expr *expr, const arb_column_set *columns);
/* May the expression be NULL, when only the columns of the set may be? */
bool arb_expr_nullable(const arb_expr *expr, const arb_column_set *nullable);
/* Add the expression's columns that none of the inputs makes: they are an outer query's, of which nothing is known. */
ARB_NODISCARD bool arb_outer_columns(arb_query *query, const arb_expr *expr, const arb_logical *const *inputs,
                                     size_t count, arb_column_set *set);
/* Add the columns of the node's output that may be NULL there. */
ARB_NODISCARD bool arb_logical_nullable_columns(arb_query *query, const arb_logical *node, arb_column_set *set);
/* Is it certain that no two rows of the node agree in all of the columns (NULLs being equal)? unique_rows.c */
ARB_NODISCARD bool arb_logical_unique(arb_query *query, const arb_logical *node, const arb_column_set *columns,
                                      bool *out_unique);
/* Are values that are grouped together the same value? Floats have two zeros, and a month is as long as 30 days: what is
 * worked out from such values may differ within a group, and a declared key tells them apart. */
bool arb_type_groups_exactly(arb_type type);
/* Does the expression give the same result for values that count as equal? */
bool arb_expr_same_for_equals(const arb_expr *expr);
/* Add the ids of a declared key's columns; *out_usable is false when one is not read by the scan, may be NULL, or is of a
 * type whose equal values differ. */
ARB_NODISCARD bool arb_scan_key_columns(arb_query *query, const arb_logical *scan, const arb_table_key *key,
                                        arb_column_set *out, bool *out_usable);
/* Add the right side's columns that the join's condition equates with the left side. */
ARB_NODISCARD bool arb_join_right_keys(arb_query *query, const arb_logical *join, arb_column_set *out);
/* Is the result for no rows a number (0) instead of NULL, and never NULL? */
bool arb_aggregate_counts(const arb_aggregate_call *call);

/* Replace each column that is an item's id by the item's expression. */
const arb_expr *arb_expr_substitute(arb_query *query, const arb_expr *expr, const arb_named_expr *items, size_t count);

/* Limits over sorts melted into them, so that what loses the order does not lose which rows were meant. push_limits.c */
const arb_logical *arb_melt_limits(arb_rule_context *rule, const arb_logical *root);

/* Count anew how many nodes read each shared plan. */
void arb_rule_count_uses(arb_query *query, const arb_logical *root);
/* Number shared plans in an order in which each reads only earlier ones. */
ARB_NODISCARD bool arb_rule_number_shared(arb_query *query, const arb_logical *root);

/* ---- trees ------------------------------------------------------------------------------------------------------ */

/* Rewrite children first, then the node itself. */
typedef const arb_logical *(*arb_node_rewrite)(arb_rule_context *rule, void *context, const arb_logical *node);
const arb_logical *arb_rule_transform(arb_rule_context *rule, const arb_logical *node, arb_node_rewrite rewrite,
                                      void *context);
/* The node with these children; itself when they are the ones that it has. */
const arb_logical *arb_rule_with_children(arb_rule_context *rule, const arb_logical *node,
                                          const arb_logical *const *children);
/* A join like `join` in all but what is given. */
const arb_logical *arb_rule_join_like(arb_rule_context *rule, const arb_logical *join, const arb_logical *left,
                                      const arb_logical *right, const arb_expr *condition);
/* A PROJECT that passes all of a node's columns on and adds items. */
const arb_logical *arb_rule_add_items(arb_rule_context *rule, const arb_logical *node, const arb_named_expr *items,
                                      size_t count);
/* A copy in which every column that the tree makes has a new id: out_map[old] is the new one, for ids below
 * `map_size`; others are ARB_NO_COLUMN. */
const arb_logical *arb_rule_clone(arb_rule_context *rule, const arb_logical *node, arb_column_id *map, size_t map_size);

#endif
