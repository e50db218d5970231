/* Sizes as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/size_text.h"

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } right[] = {{"0", 0},
                 {"1000", 1000},
                 {"64kB", 64000},
                 {"64KiB", 65536},
                 {"1.5GB", 1500000000},
                 {"0.5 MiB", 524288},
                 {"9223372036854775807", INT64_MAX},
                 {"4GiB", UINT64_C(4) << 30}};
    for (size_t i = 0; i < ARB_COUNT_OF(right); i++) {
        arb_error error = {0};
        uint64_t bytes = 1;
        assert_int_equal(arb_size_parse(arb_str_of(right[i].text), &bytes, &error), ARB_OK);
        assert_int_equal(bytes, right[i].bytes);
    }
    static const char *const wrong[] = {"",
                                        "MB",
                                        "1.5",
                                        "-1",
                                        "1kb",
                                        "1mb",
                                        "1 parsec",
                                        "1e3",
                                        "9223372036854775808",
                                        "10EB",
                                        "1..5MB",
                                        "0x10",
                                        "1MBMB",
                                        "99999999999999999999"};
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        arb_error error = {0};
        uint64_t bytes;
        assert_int_equal(arb_size_parse(arb_str_of(wrong[i]), &bytes, &error), ARB_INVALID_PARAMETER);
        assert_string_not_equal(error.hint, "");
    }
}

static void printed_sizes_read_back(void **state)
{
    (void)state;
    static const uint64_t sizes_of[] = {0, 1, 999, 1000, 1024, 65536, 1500000, 64 << 20, 17693551407};
    for (size_t i = 0; i < ARB_COUNT_OF(sizes_of); i++) {
        arb_text text = {0};
        arb_error error = {0};
        uint64_t bytes;
        arb_size_print(&text, sizes_of[i]);
        assert_int_equal(arb_size_parse(arb_text_view(&text), &bytes, &error), ARB_OK);
        assert_int_equal(bytes, sizes_of[i]);
        arb_text_reset(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(printed_sizes_read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
