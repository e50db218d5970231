#include "executor/peer_table.h"

enum { ASK_MS = 2000, ANSWER_MS = 5000 };

static arb_code open_peer(arb_peer_table *table, const arb_peer *peer, arb_rpc_channel **out_channel, arb_error *error)
{
    const arb_rpc_channel_options options = {.own_connection = true,
                                             .keepalive = {.interval_ms = ASK_MS, .timeout_ms = ANSWER_MS}};
    return table->network.connect(table->network.context, peer->address, &options, out_channel, error);
}

arb_code arb_peer_table_find(arb_peer_table *table, arb_str address, arb_rpc_channel **out_channel, arb_error *error)
{
    for (size_t i = 0; i < table->peers.size; i++)
        if (arb_str_equal(arb_str_of(table->peers.data[i].address), address)) {
            *out_channel = table->peers.data[i].channel;
            return ARB_OK;
        }
    arb_peer peer = {.address = arb_strndup(address.data, address.size)};
    if (peer.address == NULL || !ARB_VEC_RESERVE(&table->peers, table->peers.size + 1)) {
        arb_free(peer.address);
        return arb_fail_memory(error, "the list of executors", sizeof peer);
    }
    arb_code code = open_peer(table, &peer, &peer.channel, error);
    if (code != ARB_OK) {
        arb_free(peer.address);
        return code;
    }
    table->peers.data[table->peers.size++] = peer;
    *out_channel = peer.channel;
    return ARB_OK;
}

void arb_peer_table_reset(arb_peer_table *table)
{
    for (size_t i = 0; i < table->peers.size; i++) {
        arb_rpc_channel_destroy(table->peers.data[i].channel);
        arb_free(table->peers.data[i].address);
    }
    ARB_VEC_RESET(&table->peers);
}
