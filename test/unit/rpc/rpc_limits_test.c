/* What is not given is the usual, what is given stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <limits.h>

#include "rpc/rpc_limits.h"

static void the_usual_limits(void **state)
{
    (void)state;
    arb_rpc_limits server = arb_rpc_limits_or_usual((arb_rpc_limits){0}, false);
    arb_rpc_limits client = arb_rpc_limits_or_usual((arb_rpc_limits){0}, true);
    assert_int_equal(server.message_bytes, 16777216);
    assert_int_equal(server.metadata_bytes, 16384);
    assert_int_equal(server.streams, 1000);
    assert_int_equal(server.calls, 10000);
    assert_int_equal(server.send_window, 4194304);
    assert_int_equal(server.receive_window, 262144);
    assert_int_equal(server.buffers, 0);
    assert_int_equal(client.receive_window, 4194304);
    assert_int_equal(client.message_bytes, server.message_bytes);
    assert_int_equal(client.metadata_bytes, server.metadata_bytes);
    assert_int_equal(client.send_window, server.send_window);
    assert_int_equal(arb_rpc_keepalive_or_usual((arb_rpc_keepalive){0}, false).interval_ms, 10000);
    assert_int_equal(arb_rpc_keepalive_or_usual((arb_rpc_keepalive){0}, true).interval_ms, INT_MAX);
    assert_int_equal(arb_rpc_keepalive_or_usual((arb_rpc_keepalive){0}, true).timeout_ms, 5000);
}

static void limits_that_are_given(void **state)
{
    (void)state;
    const arb_rpc_limits given = {.message_bytes = -1,
                                  .metadata_bytes = 1,
                                  .streams = 2,
                                  .calls = 3,
                                  .send_window = 4,
                                  .receive_window = 5,
                                  .buffers = 6};
    arb_rpc_limits kept = arb_rpc_limits_or_usual(given, false);
    assert_int_equal(kept.message_bytes, -1);
    assert_int_equal(kept.metadata_bytes, 1);
    assert_int_equal(kept.streams, 2);
    assert_int_equal(kept.calls, 3);
    assert_int_equal(kept.send_window, 4);
    assert_int_equal(kept.receive_window, 5);
    assert_int_equal(kept.buffers, 6);
    arb_rpc_keepalive asking = arb_rpc_keepalive_or_usual((arb_rpc_keepalive){7, 8}, true);
    assert_int_equal(asking.interval_ms, 7);
    assert_int_equal(asking.timeout_ms, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_limits),
        cmocka_unit_test(limits_that_are_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
