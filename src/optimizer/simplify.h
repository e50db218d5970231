/* simplify.h: the parts of expression simplification that have files of their own. */
#ifndef ARB_OPTIMIZER_SIMPLIFY_H
#define ARB_OPTIMIZER_SIMPLIFY_H

#include "optimizer/rule.h"

/* A comparison in order: its constant on the right, casts of the other side undone where that is exact. NULL when there
 * is no memory. */
const arb_expr *arb_simplify_compare(arb_rule_context *rule, const arb_expr *expr);
/* Put together what several conjuncts say of one expression; a list that cannot hold becomes FALSE alone
 * (merge_conjuncts.c). Only for lists of which every member has to be TRUE. */
ARB_NODISCARD bool arb_conjuncts_merge(arb_rule_context *rule, arb_conjuncts *list);

#endif
