/* peer_table.h: the channels to other executors, by address.
 *
 * A channel is made when the first task reads from there, with a connection of its own that is asked whether it lives: a peer that
 * vanished without a word is noticed so. It stays as long as tasks use it, and some of those that none does: executors come and go,
 * each at another address. Thread: one at a time; the channels, any. */
#ifndef ARB_EXECUTOR_PEER_TABLE_H
#define ARB_EXECUTOR_PEER_TABLE_H

#include "base/vec.h"
#include "executor/waiting_pool.h"
#include "rpc/rpc_channel.h"

/* How other processes are reached, by whatever transport. */
typedef struct arb_peer_network {
    void *context;
    /* A channel to `address`, as that process registered it; does not wait. */
    arb_code (*connect)(void *context, const char *address, const arb_rpc_channel_options *options,
                        arb_rpc_channel **out_channel, arb_error *error);
} arb_peer_network;

typedef struct arb_peer {
    arb_rpc_channel *channel;
    char *address;
    size_t users;
    uint64_t used; /* when it was last given back */
    arb_waiting_job job;
} arb_peer;

typedef struct arb_peer_table {
    arb_peer_network network;
    arb_waiting_pool *pool; /* closes channels: that may wait for the ends of calls */
    size_t idle_most;
    uint64_t uses;
    ARB_VEC(arb_peer *) peers; /* few: looked through */
} arb_peer_table;

/* The way to that address, with a count for the caller. */
ARB_NODISCARD arb_code arb_peer_table_take(arb_peer_table *table, arb_str address, arb_peer **out_peer,
                                           arb_error *error);
void arb_peer_table_give_back(arb_peer_table *table, arb_peer *peer); /* NULL is a no-op */
/* Closes them all, and waits for the ends of their calls; nobody uses one any more. A zeroed table is a no-op. */
void arb_peer_table_reset(arb_peer_table *table);

#endif
