#include "executor/peer_table.h"

enum {
    ASK_MS = 2000,
    ANSWER_MS = 5000,
    RECEIVE_WINDOW = 1 << 20, /* bytes of an output that come before they are asked for; there may be many at a time */
};

static void close_peer(arb_waiting_job *job)
{
    arb_peer *peer = ARB_CONTAINER_OF(job, arb_peer, job);
    arb_rpc_channel_destroy(peer->channel);
    arb_free(peer->address);
    arb_free(peer);
}

static arb_code open_peer(arb_peer_table *table, arb_str address, arb_peer **out_peer, arb_error *error)
{
    const arb_rpc_channel_options options = {.own_connection = true,
                                             .limits = {.receive_window = RECEIVE_WINDOW},
                                             .keepalive = {.interval_ms = ASK_MS, .timeout_ms = ANSWER_MS}};
    arb_peer *peer = arb_alloc_zeroed(sizeof *peer);
    char *copy = arb_strndup(address.data, address.size);
    arb_code code = ARB_OK;
    if (peer == NULL || copy == NULL || !ARB_VEC_RESERVE(&table->peers, table->peers.size + 1))
        code = arb_fail_memory(error, "the list of executors", sizeof *peer);
    else
        code = table->network.connect(table->network.context, copy, &options, &peer->channel, error);
    if (code != ARB_OK) {
        arb_free(peer);
        arb_free(copy);
        return code;
    }
    peer->address = copy;
    peer->job.run = close_peer;
    table->peers.data[table->peers.size++] = peer;
    *out_peer = peer;
    return ARB_OK;
}

arb_code arb_peer_table_take(arb_peer_table *table, arb_str address, arb_peer **out_peer, arb_error *error)
{
    *out_peer = NULL;
    for (size_t i = 0; i < table->peers.size && *out_peer == NULL; i++)
        if (arb_str_equal(arb_str_of(table->peers.data[i]->address), address))
            *out_peer = table->peers.data[i];
    if (*out_peer == NULL)
        ARB_TRY(open_peer(table, address, out_peer, error));
    (*out_peer)->users++;
    return ARB_OK;
}

void arb_peer_table_give_back(arb_peer_table *table, arb_peer *peer)
{
    size_t idle = 0, oldest = 0;
    if (peer == NULL || --peer->users != 0)
        return;
    peer->used = ++table->uses;
    for (size_t i = 0; i < table->peers.size; i++) {
        const arb_peer *at = table->peers.data[i];
        if (at->users == 0 && (idle++ == 0 || at->used < table->peers.data[oldest]->used))
            oldest = i;
    }
    if (idle <= table->idle_most)
        return;
    arb_waiting_pool_submit(table->pool, &table->peers.data[oldest]->job);
    table->peers.data[oldest] = table->peers.data[--table->peers.size];
}

void arb_peer_table_reset(arb_peer_table *table)
{
    for (size_t i = 0; i < table->peers.size; i++)
        close_peer(&table->peers.data[i]->job);
    ARB_VEC_RESET(&table->peers);
}
