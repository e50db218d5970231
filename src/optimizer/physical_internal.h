/* physical_internal.h: what the files of the physical planner share. For physical_*.c only. */
#ifndef ARB_OPTIMIZER_PHYSICAL_INTERNAL_H
#define ARB_OPTIMIZER_PHYSICAL_INTERNAL_H

#include "optimizer/physical_planner.h"

/* A join above wants a scan below to drop rows whose column cannot match. */
typedef struct filter_wish {
    arb_column_id column; /* as it is called at this place of the tree */
    uint32_t number;      /* of the run-time filter */
    bool *granted;        /* set when a scan takes it */
} filter_wish;

typedef ARB_VEC(filter_wish) filter_wishes; /* arena */

typedef struct planner {
    arb_query *query;
    arb_arena *arena;
    arb_error *error;
    arb_code code; /* of the first failure */
    uint32_t node_count, filter_count;
    ARB_VEC(const arb_physical_node *) shared; /* in the order in which they can be computed */
    int *shared_places;                        /* by the query's number of the shared subplan: its place, or -1 */
} planner;

/* All return NULL (or false) after a failure, which is then in the planner. */
void *arb_planner_no_memory(planner *p);
void *arb_planner_failed(planner *p, arb_code code);
arb_physical_node *arb_planner_node(planner *p, arb_physical_kind kind, size_t child_count, const arb_physical_node *a,
                                    const arb_physical_node *b, double rows);

/* A node whose layout holds at least the columns of `needed` that the logical node makes. */
const arb_physical_node *arb_planner_make_node(planner *p, const arb_logical *node, const arb_column_set *needed,
                                               const filter_wishes *wishes);
const arb_physical_node *arb_planner_make_join(planner *p, const arb_logical *node, const arb_column_set *needed,
                                               const filter_wishes *wishes);
const arb_physical_node *arb_planner_make_aggregate(planner *p, const arb_logical *node, const arb_column_set *needed,
                                                    const filter_wishes *wishes);
const arb_physical_node *arb_planner_make_set(planner *p, const arb_logical *node, const arb_column_set *needed);
/* INTERSECT ALL and EXCEPT ALL. */
const arb_physical_node *arb_planner_make_counted_set(planner *p, const arb_logical *node);
/* One row for each distinct combination of all columns of the child. */
const arb_physical_node *arb_planner_make_distinct(planner *p, const arb_physical_node *child, double rows);

/* `child` with one column for each item, in order; the child itself when that is what it is already. The slots' widths
 * are those of the expressions, or `widths` (NULL = none) where that is wider, or the other form of a nested type. */
const arb_physical_node *arb_planner_make_project(planner *p, const arb_physical_node *child,
                                                  const arb_named_expr *items, size_t count,
                                                  const arb_physical *widths);
/* `child` with all its columns and the expressions that are not columns of it already; positions[i] is where the i-th
 * expression's column then is. */
const arb_physical_node *arb_planner_with_columns(planner *p, const arb_physical_node *child,
                                                  const arb_expr *const *exprs, size_t count, uint32_t *positions);
const arb_physical_node *arb_planner_make_condition(planner *p, const arb_physical_node *child,
                                                    const arb_expr *condition);
/* `child` with its nested columns packed, or unpacked: see physical_nested.c. The child itself when they are; NULL for
 * NULL. */
const arb_physical_node *arb_planner_packed(planner *p, const arb_physical_node *child);
const arb_physical_node *arb_planner_unpacked(planner *p, const arb_physical_node *child);
/* Does a column need a step of its own to get to `width`: because that is wider, or a nested type's other form? */
ARB_INLINE bool arb_planner_changes(const arb_slot *slot, arb_physical width)
{
    return arb_type_is_nested(slot->type) ? width != slot->physical : width > slot->physical;
}
/* No more rows than this can come, as proved by counts; 0 when nothing is. */
uint64_t arb_planner_rows_most(const arb_physical_node *node);

#endif
