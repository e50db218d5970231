#include "rpc/rpc_limits.h"

#include <limits.h>

#define OR_USUAL(value, usual) ((value) = (value) != 0 ? (value) : (usual))

arb_rpc_limits arb_rpc_limits_or_usual(arb_rpc_limits limits, bool is_client)
{
    OR_USUAL(limits.message_bytes, 16 << 20);
    OR_USUAL(limits.metadata_bytes, 16 << 10);
    OR_USUAL(limits.streams, 1000);
    OR_USUAL(limits.calls, 10000);
    OR_USUAL(limits.send_window, 4 << 20);
    OR_USUAL(limits.receive_window, is_client ? 4 << 20 : 256 << 10);
    return limits;
}

arb_rpc_keepalive arb_rpc_keepalive_or_usual(arb_rpc_keepalive keepalive, bool is_client)
{
    OR_USUAL(keepalive.interval_ms, is_client ? INT_MAX : 10000);
    OR_USUAL(keepalive.timeout_ms, 5000);
    return keepalive;
}
