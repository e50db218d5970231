#include "remote/server_return.h"

#include <time.h>

#include "base/clock.h"

enum { TIMES_MOST = 20 }; /* or else a statement that is the death of each server is asked for without end */
static const int64_t AWAY_NS = INT64_C(15000000000), MOMENT_NS = INT64_C(100000000);

bool arb_server_return_wait(arb_server_return *back, arb_rpc_channel *channel, const _Atomic bool *cancelled,
                            const arb_error *failure)
{
    int64_t now_ns = arb_clock_monotonic_ns();
    if (failure->code != ARB_CONNECTION_FAILED || atomic_load(cancelled))
        return false;
    if (back->until_ns == 0) {
        back->first = *failure;
        back->until_ns = now_ns + AWAY_NS;
        back->times++;
    }
    if (now_ns >= back->until_ns || back->times == TIMES_MOST)
        return false;
    /* a server that refuses at once is not asked without a pause */
    nanosleep(&(struct timespec){.tv_nsec = MOMENT_NS}, NULL);
    while (!atomic_load(cancelled) && arb_clock_monotonic_ns() < back->until_ns)
        if (arb_rpc_channel_wait_ready(channel, arb_clock_monotonic_ns() + MOMENT_NS, NULL) == ARB_OK)
            return true;
    return false;
}

void arb_server_return_note(arb_server_return *back)
{
    back->until_ns = 0;
}

arb_code arb_server_return_judge(const arb_server_return *back, arb_code code, arb_error *error)
{
    if (back->times == 0 || (code != ARB_UNDEFINED_STATEMENT && code != ARB_CONNECTION_FAILED))
        return code;
    if (error == NULL)
        return ARB_CONNECTION_FAILED;
    *error = back->first;
    arb_error_hint(error, code == ARB_CONNECTION_FAILED ? "The server has not come back."
                                                        : "The server is back, and has lost the statement.");
    return ARB_CONNECTION_FAILED;
}
