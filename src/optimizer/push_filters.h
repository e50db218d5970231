/* push_filters.h: what the rule that moves conditions asks of its second file. */
#ifndef ARB_OPTIMIZER_PUSH_FILTERS_H
#define ARB_OPTIMIZER_PUSH_FILTERS_H

#include "optimizer/simplify.h"

/* Append what follows from the conjuncts when all of them hold: from a = b and a condition on a alone the same on b
 * (infer_conjuncts.c). */
ARB_NODISCARD bool arb_conjuncts_infer(arb_rule_context *rule, arb_conjuncts *list);

#endif
