/* Which hosts need not be meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/loopback.h"

static void own_hosts(void **state)
{
    (void)state;
    static const char *const own[] = {"127.0.0.1", "127.8.9.10", "::1", "localhost", "LocalHost"};
    static const char *const others[] = {
        "0.0.0.0",           "::",    "128.0.0.1", "127.0.0.1.example.org", "127.1", "", "*",
        "localhost.example", "[::1]", "fe80::1",   "127.0.0.1:80",          "::1%lo"};
    arb_error error;
    for (size_t i = 0; i < ARB_COUNT_OF(own); i++)
        assert_int_equal(arb_loopback_check(own[i], own[i], false, &error), ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(others); i++) {
        error = (arb_error){0};
        assert_int_equal(arb_loopback_check(others[i], "the place", false, &error), ARB_CONFIGURATION);
        assert_non_null(strstr(error.message, "the place"));
        assert_non_null(strstr(error.hint, "--insecure"));
        assert_int_equal(arb_loopback_check(others[i], others[i], true, &error), ARB_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_hosts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
