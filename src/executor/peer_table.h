/* peer_table.h: the channels to other executors, by address.
 *
 * A channel is made when the first task reads from there, with a connection of its own that is asked whether it lives: a peer that
 * vanished without a word is noticed so. Thread: one at a time; the channels, any. */
#ifndef ARB_EXECUTOR_PEER_TABLE_H
#define ARB_EXECUTOR_PEER_TABLE_H

#include "base/vec.h"
#include "rpc/rpc_channel.h"

/* How other processes are reached, by whatever transport. */
typedef struct arb_peer_network {
    void *context;
    /* A channel to `address`, as that process registered it; does not wait. */
    arb_code (*connect)(void *context, const char *address, const arb_rpc_channel_options *options,
                        arb_rpc_channel **out_channel, arb_error *error);
} arb_peer_network;

typedef struct arb_peer {
    char *address;
    arb_rpc_channel *channel;
} arb_peer;

typedef struct arb_peer_table {
    arb_peer_network network;
    ARB_VEC(arb_peer) peers; /* few: looked through */
} arb_peer_table;

/* The channel is the table's. */
ARB_NODISCARD arb_code arb_peer_table_find(arb_peer_table *table, arb_str address, arb_rpc_channel **out_channel,
                                           arb_error *error);
/* Closes them all, and waits for the ends of their calls; nobody uses one any more. A zeroed table is a no-op. */
void arb_peer_table_reset(arb_peer_table *table);

#endif
