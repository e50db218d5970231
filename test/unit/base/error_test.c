#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

static void codes_have_unique_names_and_states(void **state)
{
    (void)state;
    for (int i = 0; i < ARB_CODE_COUNT; i++) {
        assert_int_equal(strlen(arb_code_sqlstate((arb_code)i)), 5);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(arb_code_name((arb_code)i), arb_code_name((arb_code)j));
            assert_string_not_equal(arb_code_sqlstate((arb_code)i), arb_code_sqlstate((arb_code)j));
        }
    }
}

static void context_goes_in_front_and_details_are_not_overwritten(void **state)
{
    (void)state;
    arb_error error = {0};
    assert_int_equal(arb_fail(&error, ARB_CORRUPT_DATA, "page %d is broken", 7), ARB_CORRUPT_DATA);
    arb_error_context(&error, "file %s", "a.parquet");
    arb_error_hint(&error, "first");
    arb_error_hint(&error, "second");
    arb_error_at(&error, ARB_CORRUPT_DATA, 12);
    arb_error_at(&error, ARB_CORRUPT_DATA, 99);
    assert_string_equal(error.message, "file a.parquet: page 7 is broken");
    assert_string_equal(error.hint, "first");
    assert_int_equal(error.position, 12);
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    arb_error error = {0};
    char text[2001];
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA4", 2);
    text[2000] = '\0';
    arb_fail(&error, ARB_INTERNAL, "x%s", text); /* the odd byte puts the cut into a character */
    size_t size = strlen(error.message);
    assert_true(size >= sizeof error.message - 2);
    assert_int_equal(size % 2, 1);
    arb_error_context(&error, "%s", "front");
    assert_true(strncmp(error.message, "front: x", 8) == 0);
    size = strlen(error.message);
    assert_int_equal((size - 8) % 2, 0);
}

static void system_errors_choose_the_code(void **state)
{
    (void)state;
    arb_error error = {0};
    assert_int_equal(arb_fail_errno(&error, ENOENT, "cannot open %s", "x"), ARB_FILE_NOT_FOUND);
    assert_string_equal(error.message, "cannot open x: No such file or directory");
    assert_int_equal(arb_fail_errno(&error, ENOSPC, "cannot write"), ARB_DISK_FULL);
    assert_int_equal(arb_fail_errno(&error, EFBIG, "cannot write"), ARB_DISK_FULL);
    assert_true(arb_code_retryable(ARB_DISK_FULL));
    assert_int_equal(arb_fail_errno(NULL, EIO, "no error object"), ARB_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_unique_names_and_states),
        cmocka_unit_test(context_goes_in_front_and_details_are_not_overwritten),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(system_errors_choose_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
