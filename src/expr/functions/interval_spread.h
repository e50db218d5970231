/* interval_spread.h: an interval of parts that are not whole. For src/expr only. */
#ifndef ARB_EXPR_INTERVAL_SPREAD_H
#define ARB_EXPR_INTERVAL_SPREAD_H

#include "expr/function_row.h"

/* The fraction of a month goes on as days of a month of 30, that of a day as time. months, days and micros are exact
 * products or quotients; false when a part does not fit. */
ARB_NODISCARD bool arb_interval_spread(double months, double days, double micros, arb_interval *out);

#endif
