/* Channels to other executors: one an address, kept while used, and some of the others. */
#include "unit/rpc/rpc_world.h"

#include "executor/peer_table.h"

typedef struct network {
    world w;
    int connects;
} network;

static arb_code connect_to(void *context, const char *address, const arb_rpc_channel_options *options,
                           arb_rpc_channel **out_channel, arb_error *error)
{
    network *n = context;
    n->connects++;
    assert_true(options->own_connection && options->keepalive.interval_ms > 0);
    return arb_rpc_memory_channel_create(n->w.hub, address, options, out_channel, error);
}

static arb_peer *take(arb_peer_table *table, const char *address)
{
    arb_error error = {0};
    arb_peer *peer;
    assert_int_equal(arb_peer_table_take(table, arb_str_of(address), &peer, &error), ARB_OK);
    return peer;
}

static void idle_ones_are_closed(void **state)
{
    network n = {0};
    arb_waiting_pool pool;
    arb_error error = {0};
    world_begin(&n.w, state);
    assert_int_equal(arb_waiting_pool_init(&pool, 1, &error), ARB_OK);
    arb_peer_table table = {.network = {&n, connect_to}, .pool = &pool, .idle_most = 2};
    arb_peer *a = take(&table, "a"), *b = take(&table, "b"), *c = take(&table, "c"), *d = take(&table, "d");
    assert_ptr_equal(take(&table, "a"), a);
    assert_int_equal(n.connects, 4);
    arb_peer_table_give_back(&table, a); /* still used */
    arb_peer_table_give_back(&table, c);
    arb_peer_table_give_back(&table, b);
    arb_peer_table_give_back(&table, d); /* c is the oldest of three */
    assert_int_equal(table.peers.size, 3);
    assert_ptr_equal(take(&table, "b"), b);
    assert_ptr_equal(take(&table, "d"), d);
    assert_int_equal(n.connects, 4);
    (void)take(&table, "c");
    assert_int_equal(n.connects, 5);
    arb_peer_table_reset(&table);
    arb_waiting_pool_reset(&pool);
    world_end(&n.w);
}

static void memory_may_run_out(void **state)
{
    network n = {0};
    arb_waiting_pool pool;
    arb_error error = {0};
    arb_peer *peer = NULL;
    world_begin(&n.w, state);
    assert_int_equal(arb_waiting_pool_init(&pool, 1, &error), ARB_OK);
    arb_peer_table table = {.network = {&n, connect_to}, .pool = &pool};
    uint64_t at = 0;
    arb_code code;
    do {
        arb_alloc_fail_at(++at, false);
        code = arb_peer_table_take(&table, ARB_STR("a"), &peer, &error);
        assert_true(code == ARB_OK || (code == ARB_OUT_OF_MEMORY && peer == NULL && table.peers.size == 0));
    } while (code != ARB_OK);
    arb_alloc_fail_at(0, false);
    arb_peer_table_give_back(&table, peer);
    assert_int_equal(table.peers.size, 0);
    arb_waiting_pool_reset(&pool);
    arb_peer_table_reset(&table);
    world_end(&n.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"idle_ones_are_closed", idle_ones_are_closed, NULL, NULL, &in_memory},
        {"memory_may_run_out", memory_may_run_out, NULL, NULL, &in_memory},
    };
    return run_rpc_tests(tests);
}
