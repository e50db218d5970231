/* The header that says who calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/auth_header.h"

static void basic_goes_there_and_back(void **state)
{
    (void)state;
    static const char *const users[] = {"", "a", "user", "günther"};
    static const char *const passwords[] = {"", "x", "secret", "with:colon", "ünï\x01\xFF"};
    arb_error error = {0};
    for (size_t i = 0; i < ARB_COUNT_OF(users); i++)
        for (size_t j = 0; j < ARB_COUNT_OF(passwords); j++) {
            arb_arena arena = {0};
            arb_text value = {0};
            arb_str user, password;
            assert_int_equal(arb_auth_write_basic(arb_str_of(users[i]), arb_str_of(passwords[j]), &value, &error),
                             ARB_OK);
            assert_int_equal(arb_auth_read_basic(arb_text_view(&value), &arena, &user, &password, &error), ARB_OK);
            assert_true(arb_str_equal(user, arb_str_of(users[i])));
            assert_true(arb_str_equal(password, arb_str_of(passwords[j])));
            /* Without its padding, and with the scheme in other letters. */
            while (value.size > 0 && value.data[value.size - 1] == '=')
                value.size--;
            memcpy(value.data, "bASIC", 5);
            assert_int_equal(arb_auth_read_basic(arb_text_view(&value), &arena, &user, &password, &error), ARB_OK);
            assert_true(arb_str_equal(password, arb_str_of(passwords[j])));
            arb_text_reset(&value);
            arb_arena_reset(&arena);
        }
    arb_text value = {0};
    assert_int_equal(arb_auth_write_basic(ARB_STR("a:b"), ARB_STR(""), &value, &error), ARB_INVALID_PARAMETER);
    arb_text_reset(&value);
}

static void other_values_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",        "Basic",      "Basic ",           "BasicdXNlcg==", "Bearer dXNlcjp4",
                                        "Basic %", "Basic dXNl", "Basic dXNlcjp4=x", "Basic d",       "Digest x"};
    arb_arena arena = {0};
    arb_str user, password, token;
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        arb_error error = {0};
        assert_int_equal(arb_auth_read_basic(arb_str_of(wrong[i]), &arena, &user, &password, &error),
                         ARB_NOT_AUTHENTICATED);
        assert_null(user.data);
    }
    arb_error error = {0};
    assert_int_equal(arb_auth_read_basic((arb_str){NULL, 0}, &arena, &user, &password, &error), ARB_NOT_AUTHENTICATED);
    arb_text large = {0};
    arb_text_append_str(&large, ARB_STR("Basic "));
    arb_text_append_repeated(&large, 'A', 100000);
    assert_int_equal(arb_auth_read_basic(arb_text_view(&large), &arena, &user, &password, &error),
                     ARB_NOT_AUTHENTICATED);
    arb_text_reset(&large);
    arb_arena_reset(&arena);

    assert_true(arb_auth_read_bearer(ARB_STR("Bearer  abc.def "), &token));
    assert_true(arb_str_equal(token, ARB_STR("abc.def")));
    assert_true(arb_auth_read_bearer(ARB_STR("bearer x"), &token));
    assert_false(arb_auth_read_bearer(ARB_STR("Bearer"), &token));
    assert_false(arb_auth_read_bearer(ARB_STR("Bearer "), &token));
    assert_false(arb_auth_read_bearer(ARB_STR("Basic x"), &token));
    assert_false(arb_auth_read_bearer((arb_str){NULL, 0}, &token));
}

static void secrets_are_compared(void **state)
{
    (void)state;
    assert_true(arb_auth_equal(ARB_STR(""), ARB_STR("")));
    assert_true(arb_auth_equal(ARB_STR("secret"), ARB_STR("secret")));
    assert_false(arb_auth_equal(ARB_STR("secret"), ARB_STR("secreT")));
    assert_false(arb_auth_equal(ARB_STR("Secret"), ARB_STR("secret")));
    assert_false(arb_auth_equal(ARB_STR("secret"), ARB_STR("secre")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basic_goes_there_and_back),
        cmocka_unit_test(other_values_are_refused),
        cmocka_unit_test(secrets_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
