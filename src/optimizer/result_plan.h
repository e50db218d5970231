/* result_plan.h: what is left of a plan for whoever takes its rows, when stages do the rest.
 *
 * The last stage's rows come at the plan's physical widths, lists and structs packed. The result plan reads them, task after
 * task, and gives them in the form that results have. */
#ifndef ARB_OPTIMIZER_RESULT_PLAN_H
#define ARB_OPTIMIZER_RESULT_PLAN_H

#include "plan/stage.h"

/* `plan` is the whole one, which the stages of `graph` do; both live as long as the result plan, which lies in the arena. Its
 * one EXCHANGE reads all of the last stage. */
ARB_NODISCARD arb_code arb_result_plan_create(arb_arena *arena, const arb_physical_plan *plan,
                                              const arb_stage_graph *graph, const arb_physical_plan **out_result,
                                              arb_error *error);

#endif
