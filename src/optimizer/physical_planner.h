/* physical_planner.h: from what a query means to how it is carried out. */
#ifndef ARB_OPTIMIZER_PHYSICAL_PLANNER_H
#define ARB_OPTIMIZER_PHYSICAL_PLANNER_H

#include "plan/physical.h"

/* Plan an optimized logical plan; everything is made in the query's arena. The same input gives the same plan. */
ARB_NODISCARD arb_code arb_physical_plan_make(arb_query *query, const arb_logical_plan *logical,
                                              const arb_physical_plan **out_plan, arb_error *error);

#endif
