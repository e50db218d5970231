/* scan_filter.h: a condition of the plan as a filter that file readers apply. */
#ifndef ARB_EXECUTION_SCAN_FILTER_H
#define ARB_EXECUTION_SCAN_FILTER_H

#include "expr/program.h"
#include "formats/scan.h"

/* Made in the arena, over the columns that a scan reads. Ready at once; borrows the expression, and the flag that ends it
 * early. */
ARB_NODISCARD arb_code arb_expr_filter_create(arb_arena *arena, const arb_layout *read, const arb_expr *condition,
                                              arb_stop_flag *stop, arb_scan_filter **out_filter, arb_error *error);
/* What the condition comes to, given each layout column's range: true for none, all, or some rows. Never fails. */
arb_filter_verdict arb_expr_judge(const arb_expr *condition, const arb_layout *layout, const arb_value_range *ranges);

#endif
