/* Cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "rpc/auth_metadata.h"

static void add(arb_rpc_metadata *headers, arb_arena *arena, const char *name, const char *value)
{
    arb_error error = {0};
    assert_int_equal(arb_rpc_metadata_add(headers, arena, arb_str_of(name), arb_str_of(value), &error), ARB_OK);
}

static void cookies_are_found(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_rpc_metadata headers = {0};
    add(&headers, &arena, "x-cookie", "b=wrong");
    add(&headers, &arena, "cookie", "a=1; session = two words ;; novalue; =noname; e=");
    add(&headers, &arena, "Cookie", "b=x=y; session=later");
    assert_true(arb_str_equal(arb_cookie_find(&headers, ARB_STR("a")), ARB_STR("1")));
    assert_true(arb_str_equal(arb_cookie_find(&headers, ARB_STR("session")), ARB_STR("two words")));
    assert_true(arb_str_equal(arb_cookie_find(&headers, ARB_STR("b")), ARB_STR("x=y")));
    assert_non_null(arb_cookie_find(&headers, ARB_STR("e")).data);
    assert_int_equal(arb_cookie_find(&headers, ARB_STR("e")).size, 0);
    assert_null(arb_cookie_find(&headers, ARB_STR("novalue")).data);
    assert_null(arb_cookie_find(&headers, ARB_STR("A")).data);
    arb_arena_reset(&arena);
}

static void expect_cookies(const arb_cookie_jar *jar, const char *wanted)
{
    arb_text text = {0};
    arb_cookie_jar_write(jar, &text);
    assert_true(arb_str_equal(arb_text_view(&text), arb_str_of(wanted)));
    arb_text_reset(&text);
}

static void a_jar_keeps_cookies(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_rpc_metadata first = {0}, second = {0}, many = {0};
    arb_cookie_jar jar = {0};
    arb_error error = {0};
    expect_cookies(&jar, "");
    add(&first, &arena, "set-cookie", "a=1; Path=/; HttpOnly");
    add(&first, &arena, "set-cookie", "b=2");
    add(&first, &arena, "set-cookie", "nothing");
    assert_int_equal(arb_cookie_jar_take(&jar, &first, &error), ARB_OK);
    expect_cookies(&jar, "a=1; b=2");
    add(&second, &arena, "set-cookie", "b=3; Max-Age=60");
    add(&second, &arena, "set-cookie", "a=; Path=/; max-age=0");
    assert_int_equal(arb_cookie_jar_take(&jar, &second, &error), ARB_OK);
    expect_cookies(&jar, "b=3");
    for (int i = 0; i < 100; i++) {
        char cookie[32];
        snprintf(cookie, sizeof cookie, "n%d=x", i);
        add(&many, &arena, "set-cookie", cookie);
    }
    assert_int_equal(arb_cookie_jar_take(&jar, &many, &error), ARB_LIMIT_EXCEEDED);
    arb_cookie_jar_reset(&jar);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_found),
        cmocka_unit_test(a_jar_keeps_cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
