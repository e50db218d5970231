/* Users' files and logins; test/flight_sql/ has them over the network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "flight_sql/login_token.h"
#include "flight_sql/users_file.h"

#define HASH_OF_SECRET "$y$j75$9ezxiUt08AQxjbdCkUJaj1$cdsRapz/p0.FUI1wfu2PnLFzYNPNY3SsAqfv7t8QjoC"

typedef struct fixture {
    char path[64];
} fixture;

static int begin(void **state)
{
    static fixture f;
    snprintf(f.path, sizeof f.path, "/tmp/login_test_XXXXXX");
    int descriptor = mkstemp(f.path);
    assert_true(descriptor >= 0);
    close(descriptor);
    *state = &f;
    return 0;
}

static int end(void **state)
{
    unlink(((fixture *)*state)->path);
    return 0;
}

static void write_users(const fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Which hash the user has, "" for none; or the error. */
static void expect_hash(fixture *f, const char *text, const char *user, const char *expected)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_str hash, any;
    write_users(f, text);
    arb_code code = arb_users_file_find(f->path, arb_str_of(user), &arena, &hash, &any, &error);
    if (code != ARB_OK) {
        assert_int_equal(code, ARB_CONFIGURATION);
        assert_non_null(strstr(error.message, expected));
    } else {
        assert_string_equal(hash.data != NULL ? hash.data : "", expected);
    }
    arb_arena_reset(&arena);
}

static void users_files(void **state)
{
    fixture *f = *state;
    expect_hash(f, "", "anna", "");
    expect_hash(f, "# nobody\n\n", "", "");
    expect_hash(f, "anna:$y$a\nbert:$y$b", "anna", "$y$a");
    expect_hash(f, "anna:$y$a\r\nbert:$y$b\r\n", "bert", "$y$b");
    expect_hash(f, "anna:$y$a\nanna:$y$b\n", "anna", "$y$a");
    expect_hash(f, "anna:$y$a\n", "ann", "");
    expect_hash(f, "anna:$y$a\nbert\n", "anna", "line 2 ");
    expect_hash(f, ":$y$a\n", "", "line 1 ");
    expect_hash(f, "anna:secret\n", "anna", "yescrypt");
    expect_hash(f, "anna:$6$a$b\n", "anna", "yescrypt");
    assert_int_equal(chmod(f->path, 0620), 0);
    expect_hash(f, "anna:$y$a\n", "anna", "may be written by others");
}

static arb_code enter(const fixture *f, const char *user, const char *password, arb_error *error)
{
    arb_login *login;
    char token[ARB_LOGIN_TOKEN_BYTES + 1], name[ARB_LOGIN_USER_MOST + 1];
    ARB_TRY(arb_login_create(&(arb_login_options){.users_file = f->path}, &login, error));
    arb_code code = arb_login_enter(login, arb_str_of(user), arb_str_of(password), token, error);
    if (code == ARB_OK) {
        assert_true(arb_login_user(login, arb_str_of(token), name));
        assert_string_equal(name, user);
        token[5] = token[5] == '0' ? '1' : '0';
        assert_false(arb_login_user(login, arb_str_of(token), name));
        assert_false(arb_login_user(login, ARB_STR(""), name));
    }
    arb_login_destroy(login);
    return code;
}

static void logins(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    write_users(f, "anna:" HASH_OF_SECRET "\n");
    assert_int_equal(enter(f, "anna", "secret", &error), ARB_OK);
    static const char *const wrong[][2] = {
        {"anna", "secre"}, {"anna", ""}, {"anna", "secret "}, {"bert", "secret"}, {"", ""}};
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        arb_error_clear(&error);
        assert_int_equal(enter(f, wrong[i][0], wrong[i][1], &error), ARB_NOT_AUTHENTICATED);
        assert_string_equal(error.message, "user or password is wrong");
    }
}

/* The oldest token goes, and those whose time is over. */
static void tokens_end(void **state)
{
    (void)state;
    arb_login *login;
    char tokens[3][ARB_LOGIN_TOKEN_BYTES + 1], name[ARB_LOGIN_USER_MOST + 1];
    const arb_login_options options = {.tokens_most = 2, .token_ns = INT64_C(200000000)};
    assert_int_equal(arb_login_create(&options, &login, NULL), ARB_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(arb_login_enter(login, ARB_STR("x"), ARB_STR(""), tokens[i], NULL), ARB_OK);
    assert_false(arb_login_user(login, arb_str_of(tokens[0]), name));
    usleep(300000);
    assert_false(arb_login_user(login, arb_str_of(tokens[2]), name));
    arb_login_destroy(login);
}

static void each_allocation_fails(void **state)
{
    fixture *f = *state;
    uint64_t count = 1;
    write_users(f, "anna:" HASH_OF_SECRET "\n");
    for (uint64_t n = 0; n <= count; n++) {
        arb_error error = {0};
        arb_alloc_fail_at(n, false);
        arb_code code = enter(f, "anna", "secret", &error);
        count = n == 0 ? arb_alloc_count() : count;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(users_files, begin, end),
        cmocka_unit_test_setup_teardown(logins, begin, end),
        cmocka_unit_test_setup_teardown(tokens_end, begin, end),
        cmocka_unit_test_setup_teardown(each_allocation_fails, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
