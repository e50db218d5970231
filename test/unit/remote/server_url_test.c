/* Addresses of servers, as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "remote/server_url.h"

static void expect_addresses(const char *text, size_t count, const char *const *addresses)
{
    arb_arena arena = {0};
    arb_server_url url;
    arb_error error = {0};
    if (arb_server_url_read(&arena, arb_str_of(text), &url, &error) != ARB_OK)
        fail_msg("%s: %s", text, error.message);
    assert_int_equal(url.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(url.addresses[i], addresses[i]);
    arb_arena_reset(&arena);
}

static void one_or_several_addresses(void **state)
{
    (void)state;
    expect_addresses("arbalest://127.0.0.1:50050", 1, (const char *[]){"127.0.0.1:50050"});
    expect_addresses("arbalest://some-host.example:1/", 1, (const char *[]){"some-host.example:1"});
    expect_addresses("arbalest://[::1]:65535", 1, (const char *[]){"[::1]:65535"});
    expect_addresses("arbalest://a:1,[fe80::1]:2,c:3", 3, (const char *[]){"a:1", "[fe80::1]:2", "c:3"});
}

static void users_have_passwords(void **state)
{
    arb_arena arena = {0};
    arb_server_url url;
    (void)state;
    assert_int_equal(arb_server_url_read(&arena, ARB_STR("arbalest://ann:p%40ss%3a:@[::1]:2"), &url, NULL), ARB_OK);
    assert_string_equal(url.user.data, "ann");
    assert_string_equal(url.password.data, "p@ss::");
    assert_string_equal(url.addresses[0], "[::1]:2");
    arb_arena_reset(&arena);
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "arbalest://",
                                        "arbalest://a",
                                        "arbalest://a:",
                                        "http://a:1",
                                        "arbalest://a:0",
                                        "arbalest://a:65536",
                                        "arbalest://a:1x",
                                        "arbalest://:1",
                                        "arbalest://a:1,",
                                        "arbalest://,a:1",
                                        "arbalest://::1:5",
                                        "arbalest://a/b:1",
                                        "arbalest://a:123456",
                                        "arbalest://[::1]",
                                        "arbalest://ann@a:1",
                                        "arbalest://:p@a:1",
                                        "arbalest://ann:%4@a:1",
                                        "arbalest://ann:%zz@a:1"};
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        arb_arena arena = {0};
        arb_server_url url;
        if (arb_server_url_read(&arena, arb_str_of(wrong[i]), &url, NULL) != ARB_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", wrong[i]);
        arb_arena_reset(&arena);
    }
    arb_arena arena = {0};
    arb_server_url url;
    assert_int_equal(arb_server_url_read(&arena, ARB_STR("arbalest+tls://a:1"), &url, NULL), ARB_NOT_SUPPORTED);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_or_several_addresses),
        cmocka_unit_test(users_have_passwords),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
