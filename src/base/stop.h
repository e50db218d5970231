/* stop.h: a flag that tells long work to give up.
 *
 * Whoever starts the work owns the flag and keeps it until the work is over; any thread, and a signal handler, may set it,
 * and nobody clears it. A loop that can take longer than some milliseconds looks at it now and then and then fails with
 * ARB_CANCELLED, so that whoever set it does not wait for longer than that. NULL is a flag that is never set. */
#ifndef ARB_BASE_STOP_H
#define ARB_BASE_STOP_H

#include <stdatomic.h>

#include "base/error.h"

typedef const _Atomic bool arb_stop_flag;

ARB_INLINE bool arb_is_stopped(arb_stop_flag *stop)
{
    return stop != NULL && atomic_load_explicit(stop, memory_order_relaxed);
}

ARB_INLINE arb_code arb_fail_stopped(arb_error *error)
{
    return arb_fail(error, ARB_CANCELLED, "the statement was cancelled");
}

/* ARB_OK, or ARB_CANCELLED once the flag is set. */
ARB_NODISCARD ARB_INLINE arb_code arb_check_stop(arb_stop_flag *stop, arb_error *error)
{
    return ARB_UNLIKELY(arb_is_stopped(stop)) ? arb_fail_stopped(error) : ARB_OK;
}

#endif
