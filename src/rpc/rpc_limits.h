/* rpc_limits.h: what bounds servers and channels, and the usual bounds. 0 always means the usual. */
#ifndef ARB_RPC_RPC_LIMITS_H
#define ARB_RPC_RPC_LIMITS_H

#include "base/compiler.h"

typedef struct arb_rpc_limits {
    int message_bytes;  /* one message received; 16 MiB, -1: no limit */
    int metadata_bytes; /* of a call; 16 KiB */
    int streams;        /* calls at a time in one connection; 1,000. Further ones wait with the client */
    size_t calls;       /* calls at a time; 10,000. Further ones end with ARB_RESOURCES_EXHAUSTED */
    size_t send_window; /* bytes that wait in a call before its sender shall wait; 4 MiB */
    int receive_window; /* bytes of a call that come before they are asked for; 256 KiB, 4 MiB for a client */
    size_t buffers;     /* bytes that all connections may hold in the transport's buffers; no limit */
} arb_rpc_limits;

/* Dead peers are found by asking them. A server asks its clients unless told otherwise; a channel asks only when told to, as
 * most servers that are not ours end connections of those who ask every few seconds. */
typedef struct arb_rpc_keepalive {
    int interval_ms; /* of silence before a peer is asked; a server's: 10,000; a channel's: never */
    int timeout_ms;  /* for its answer; 5,000 */
} arb_rpc_keepalive;

/* Clients that ask a server of ours more often lose their connection, however rarely it asks them. */
enum { ARB_RPC_SHORTEST_ASKING_MS = 1000 };

/* With the usual ones filled in, of a channel or else a server. */
arb_rpc_limits arb_rpc_limits_or_usual(arb_rpc_limits limits, bool is_client);
/* Likewise; INT_MAX: never. */
arb_rpc_keepalive arb_rpc_keepalive_or_usual(arb_rpc_keepalive keepalive, bool is_client);

#endif
