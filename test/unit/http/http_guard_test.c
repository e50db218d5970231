/* Host, Origin and the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "http/http_guard.h"

static const arb_str names[] = {{"db.example", 10}, {"10.1.1.1", 8}};
static const arb_http_guard with_token = {names, ARB_COUNT_OF(names), {"secret", 6}}, without = {0};

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage at = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&at;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&at;
    at.ss_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    assert_int_equal(
        inet_pton(at.ss_family, text, at.ss_family == AF_INET ? (void *)&four->sin_addr : (void *)&six->sin6_addr), 1);
    return at;
}

static unsigned look(const arb_http_guard *guard, const char *arrived, arb_http_claims claims, bool changes)
{
    struct sockaddr_storage at = address(arrived);
    arb_http_refusal refusal = arb_http_guard_check(guard, &claims, (const struct sockaddr *)&at, changes);
    assert_true((refusal.status == 0) == (refusal.why == NULL));
    return refusal.status;
}

static unsigned host_at(const char *host, const char *arrived)
{
    return look(&with_token, arrived, (arb_http_claims){.host = arb_str_of(host)}, false);
}

static void hosts_are_names_of_the_server(void **state)
{
    (void)state;
    static const char *const right[] = {"localhost",  "LOCALHOST:1",   "127.0.0.1",  "127.0.0.1:50080",
                                        "db.example", "DB.Example:80", "10.1.1.1:9", "localhost:"};
    static const char *const wrong[] = {"",
                                        "evil.example",
                                        "localhost.evil.example",
                                        "127.0.0.2",
                                        "127.0.0.1.evil.example",
                                        "[::1]",
                                        "localhost:80:80",
                                        "localhost:8x",
                                        "localhost:123456",
                                        ":80",
                                        "[127.0.0.1]",
                                        "[::1",
                                        "localhost evil",
                                        "db.example.",
                                        "10.1.1.2",
                                        "2130706433",
                                        "0x7f.0.0.1",
                                        "127.1",
                                        "a.db.example",
                                        "db.exampl",
                                        "127.0.0.1@evil",
                                        "[]",
                                        "[",
                                        "user@localhost"};
    for (size_t i = 0; i < ARB_COUNT_OF(right); i++)
        if (host_at(right[i], "127.0.0.1") != 0)
            fail_msg("%s was refused", right[i]);
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++)
        if (host_at(wrong[i], "127.0.0.1") != 421)
            fail_msg("%s was let in", wrong[i]);
    assert_int_equal(host_at("[::1]:80", "::1"), 0);
    assert_int_equal(host_at("[0:0::1]", "::1"), 0);
    assert_int_equal(host_at("::1", "::1"), 421);
    assert_int_equal(host_at("127.0.0.1", "::1"), 421);
    assert_int_equal(host_at("192.168.1.5:80", "::ffff:192.168.1.5"), 0);
    assert_int_equal(host_at("192.168.1.6:80", "::ffff:192.168.1.5"), 421);
    assert_int_equal(host_at("192.168.1.5:80", "192.168.1.5"), 0);
    assert_int_equal(look(&without, "127.0.0.1", (arb_http_claims){.host = ARB_STR("db.example")}, false), 421);
    assert_int_equal(look(&without, "127.0.0.1", (arb_http_claims){0}, false), 400);
    assert_int_equal(
        look(&without, "127.0.0.1", (arb_http_claims){.host = ARB_STR("localhost"), .doubled = true}, false), 400);
    /* whose own address is not known has names alone */
    struct sockaddr_storage unknown = {.ss_family = AF_UNSPEC};
    arb_http_claims claims = {.host = ARB_STR("127.0.0.1")};
    assert_int_equal(arb_http_guard_check(&without, &claims, (const struct sockaddr *)&unknown, false).status, 421);
}

static void origins_are_the_server_itself(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "null",
                                        "http://evil.example",
                                        "http://localhost",
                                        "http://localhost:81",
                                        "http://localhost:80.evil.example",
                                        "http://127.0.0.1:80",
                                        "localhost:80",
                                        "file://",
                                        "http://",
                                        "https:/localhost:80"};
    arb_http_claims claims = {.host = ARB_STR("localhost:80")};
    claims.origin = ARB_STR("http://localhost:80");
    assert_int_equal(look(&without, "127.0.0.1", claims, false), 0);
    claims.origin = ARB_STR("https://LOCALHOST:80");
    assert_int_equal(look(&without, "127.0.0.1", claims, false), 0);
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        claims.origin = arb_str_of(wrong[i]);
        if (look(&without, "127.0.0.1", claims, false) != 403)
            fail_msg("the origin %s was let in", wrong[i]);
        claims.authorization = ARB_STR("Bearer secret");
        assert_int_equal(look(&with_token, "127.0.0.1", claims, true), 403);
    }
}

static void changes_need_the_token(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "secret",
                                        "Basic secret",
                                        "Bearer",
                                        "Bearer ",
                                        "Bearer secre",
                                        "Bearer secret2",
                                        "Bearer Secret",
                                        "Bearersecret"};
    arb_http_claims claims = {.host = ARB_STR("localhost")};
    assert_int_equal(look(&with_token, "127.0.0.1", claims, true), 401);
    claims.authorization = ARB_STR("bearer secret");
    assert_int_equal(look(&with_token, "127.0.0.1", claims, true), 0);
    assert_int_equal(look(&without, "127.0.0.1", claims, true), 403);
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        claims.authorization = arb_str_of(wrong[i]);
        assert_int_equal(look(&with_token, "127.0.0.1", claims, true), 401);
        assert_int_equal(look(&without, "127.0.0.1", claims, true), 403);
        assert_int_equal(look(&with_token, "127.0.0.1", claims, false), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_names_of_the_server),
        cmocka_unit_test(origins_are_the_server_itself),
        cmocka_unit_test(changes_need_the_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
