/* clock.h: time.
 *
 * Deadlines, timeouts and measurements use the monotonic clock; wall time serves now() and logs alone. */
#ifndef ARB_BASE_CLOCK_H
#define ARB_BASE_CLOCK_H

#include "base/compiler.h"

int64_t arb_clock_monotonic_ns(void);
/* Microseconds since 1970-01-01 00:00 UTC. */
int64_t arb_clock_wall_us(void);

#endif
