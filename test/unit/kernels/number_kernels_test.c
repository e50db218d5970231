/* Arithmetic, comparison and conversion at every level that this processor has, against plain definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bitmap.h"
#include "kernels/compare.h"
#include "kernels/convert.h"
#include "kernels/select.h"

enum { rows_most = 200 };

static uint64_t seed = 42;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Run a check at each level; the level is put back afterwards. */
static void at_each_level(void (*check)(void))
{
    static const char *const names[] = {"v2", "v3", "v4"};
    for (int level = 0; level <= (int)arb_cpu_best(); level++) {
        assert_int_equal(arb_cpu_choose(names[level], NULL), ARB_OK);
        check();
    }
}

static void check_int64_arithmetic(void)
{
    int64_t a[rows_most], b[rows_most], r[rows_most];
    for (size_t i = 0; i < rows_most; i++) {
        a[i] = (int64_t)next_random() >> (next_random() % 60);
        b[i] = (int64_t)next_random() >> (next_random() % 60);
    }
    const arb_arithmetic_kernels *k = arb_arithmetic_kernels_get();
    for (size_t rows = 0; rows <= rows_most; rows += 37) {
        assert_false(k->binary[ARB_MULTIPLY][ARB_ARITHMETIC_I64][ARB_VECTOR_VECTOR](a, b, r, rows));
        for (size_t i = 0; i < rows; i++)
            assert_true(r[i] == (int64_t)((uint64_t)a[i] * (uint64_t)b[i]));
        assert_false(k->binary[ARB_SUBTRACT][ARB_ARITHMETIC_I64][ARB_CONSTANT_VECTOR](&a[3], b, r, rows));
        for (size_t i = 0; i < rows; i++)
            assert_true(r[i] == (int64_t)((uint64_t)a[3] - (uint64_t)b[i]));
        bool failed = k->binary[ARB_MULTIPLY][ARB_ARITHMETIC_I64_CHECKED][ARB_VECTOR_CONSTANT](a, &b[5], r, rows);
        bool expected = false;
        for (size_t i = 0; i < rows; i++) {
            arb_int128 exact = (arb_int128)a[i] * b[5];
            expected |= exact != (int64_t)exact;
        }
        assert_int_equal(failed, expected);
    }
}

static void arithmetic_wraps_or_reports(void **state)
{
    (void)state;
    at_each_level(check_int64_arithmetic);
}

static void check_widening(void)
{
    int32_t a[] = {INT32_MIN, INT32_MAX, -7, 0}, b[] = {INT32_MIN, INT32_MAX, 9, 5};
    int64_t r[4];
    const arb_arithmetic_kernels *k = arb_arithmetic_kernels_get();
    k->binary[ARB_MULTIPLY][ARB_ARITHMETIC_WIDEN][ARB_VECTOR_VECTOR](a, b, r, 4);
    for (int i = 0; i < 4; i++)
        assert_true(r[i] == (int64_t)a[i] * b[i]);
    k->binary[ARB_ADD][ARB_ARITHMETIC_WIDEN][ARB_VECTOR_VECTOR](a, b, r, 4);
    for (int i = 0; i < 4; i++)
        assert_true(r[i] == (int64_t)a[i] + b[i]);
}

static void check_division(void)
{
    const arb_arithmetic_kernels *k = arb_arithmetic_kernels_get();
    int64_t a[] = {7, -7, INT64_MIN, INT64_MAX}, by_two = 2, by_minus_one = -1, zero = 0, r[4];
    assert_false(k->divide[ARB_DIVISION_I64][ARB_VECTOR_CONSTANT](a, &by_two, r, 4));
    assert_true(r[0] == 3 && r[1] == -3);
    assert_false(k->modulo[ARB_DIVISION_I64][ARB_VECTOR_CONSTANT](a, &by_two, r, 4));
    assert_true(r[0] == 1 && r[1] == -1);
    assert_false(k->divide[ARB_DIVISION_I64][ARB_VECTOR_CONSTANT](a, &by_minus_one, r, 2));
    assert_true(r[0] == -7 && r[1] == 7);
    assert_true(k->divide[ARB_DIVISION_I64][ARB_VECTOR_CONSTANT](a, &by_minus_one, r, 4));
    assert_false(k->modulo[ARB_DIVISION_I64][ARB_VECTOR_CONSTANT](a, &by_minus_one, r, 4));
    assert_true(k->divide[ARB_DIVISION_I64][ARB_VECTOR_CONSTANT](a, &zero, r, 1));
    assert_true(k->modulo[ARB_DIVISION_I64][ARB_VECTOR_CONSTANT](a, &zero, r, 1));
    double x[] = {1, -1}, nothing = 0, d[2];
    assert_true(k->divide[ARB_DIVISION_F64][ARB_VECTOR_CONSTANT](x, &nothing, d, 2));
}

static void decimals_stop_at_38_digits(void **state)
{
    (void)state;
    arb_int128 most = (arb_int128)10000000000000000000u * 10000000000000000000u - 1, one = 1, r;
    const arb_arithmetic_kernels *k = arb_arithmetic_kernels_get();
    assert_true(k->binary[ARB_ADD][ARB_ARITHMETIC_I128_CHECKED][ARB_VECTOR_VECTOR](&most, &one, &r, 1));
    assert_false(k->binary[ARB_SUBTRACT][ARB_ARITHMETIC_I128_CHECKED][ARB_VECTOR_VECTOR](&most, &one, &r, 1));
    assert_true(k->binary[ARB_MULTIPLY][ARB_ARITHMETIC_I128_CHECKED][ARB_VECTOR_VECTOR](&most, &most, &r, 1));
}

static void division_truncates_and_reports(void **state)
{
    (void)state;
    at_each_level(check_widening);
    at_each_level(check_division);
}

static void check_compare(void)
{
    const arb_compare_kernels *k = arb_compare_kernels_get();
    int32_t a[rows_most], b[rows_most];
    uint64_t bits[(rows_most + 63) / 64];
    for (size_t i = 0; i < rows_most; i++) {
        a[i] = (int32_t)(next_random() % 7) - 3;
        b[i] = (int32_t)(next_random() % 7) - 3;
    }
    for (size_t rows = 1; rows <= rows_most; rows += 13) {
        k->less[ARB_PHYS_INT32][ARB_VECTOR_VECTOR](a, b, rows, bits);
        for (size_t i = 0; i < arb_bitmap_words(rows) * 64; i++)
            assert_int_equal(arb_bitmap_get(bits, i), i < rows && a[i] < b[i]);
        k->equal[ARB_PHYS_INT32][ARB_VECTOR_CONSTANT](a, &b[0], rows, bits);
        for (size_t i = 0; i < rows; i++)
            assert_int_equal(arb_bitmap_get(bits, i), a[i] == b[0]);
    }
}

static void check_float_order(void)
{
    const arb_compare_kernels *k = arb_compare_kernels_get();
    double nan = __builtin_nan(""), infinite = __builtin_inf();
    double sorted[] = {-infinite, -1, 0, 1, infinite, nan};
    uint64_t less, equal;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            k->less[ARB_PHYS_FLOAT64][ARB_VECTOR_VECTOR](&sorted[i], &sorted[j], 1, &less);
            k->equal[ARB_PHYS_FLOAT64][ARB_VECTOR_VECTOR](&sorted[i], &sorted[j], 1, &equal);
            assert_int_equal(less, i < j);
            assert_int_equal(equal, i == j);
        }
    double zero = 0, minus_zero = -0.0;
    k->equal[ARB_PHYS_FLOAT64][ARB_VECTOR_VECTOR](&zero, &minus_zero, 1, &equal);
    assert_int_equal(equal, 1);
}

static void check_string_order(void)
{
    const arb_compare_kernels *k = arb_compare_kernels_get();
    const char *sorted[] = {"", "a", "ab", "abcdefghijkl", "abcdefghijklm", "abcdefghijkln", "b", "\xC3\xA4"};
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++) {
            arb_string x = arb_string_of(sorted[i], strlen(sorted[i])), y = arb_string_of(sorted[j], strlen(sorted[j]));
            uint64_t less, equal;
            k->less[ARB_PHYS_STRING][ARB_VECTOR_VECTOR](&x, &y, 1, &less);
            k->equal[ARB_PHYS_STRING][ARB_VECTOR_VECTOR](&x, &y, 1, &equal);
            assert_int_equal(less, i < j);
            assert_int_equal(equal, i == j);
        }
}

static void comparisons_are_total_orders(void **state)
{
    (void)state;
    at_each_level(check_compare);
    at_each_level(check_float_order);
    at_each_level(check_string_order);
}

static void check_conversions(void)
{
    const arb_convert_kernels *k = arb_convert_kernels_get();
    int64_t big[] = {INT32_MAX, INT32_MIN, (int64_t)INT32_MAX + 1};
    int32_t small[3];
    assert_false(k->number[ARB_PHYS_INT64][ARB_PHYS_INT32](big, small, 2));
    assert_true(small[0] == INT32_MAX && small[1] == INT32_MIN);
    assert_true(k->number[ARB_PHYS_INT64][ARB_PHYS_INT32](big, small, 3));
    double values[] = {0.5, 1.5, 2.5, -0.5, -1.5, 9.3e18, __builtin_nan("")};
    int64_t whole[7];
    assert_false(k->number[ARB_PHYS_FLOAT64][ARB_PHYS_INT64](values, whole, 5));
    const int64_t expected[] = {0, 2, 2, 0, -2};
    assert_memory_equal(whole, expected, sizeof expected);
    assert_true(k->number[ARB_PHYS_FLOAT64][ARB_PHYS_INT64](values + 5, whole, 1));
    assert_true(k->number[ARB_PHYS_FLOAT64][ARB_PHYS_INT64](values + 6, whole, 1));
}

static void check_gathering(void)
{
    const arb_selection_kernels *k = arb_selection_kernels_get();
    uint64_t bits[(rows_most + 63) / 64];
    uint16_t rows[rows_most + 64], plain[rows_most];
    int64_t values[rows_most], out[rows_most];
    for (size_t i = 0; i < arb_bitmap_words(rows_most); i++)
        bits[i] = i == 1 ? ~(uint64_t)0 : next_random();
    for (size_t i = 0; i < rows_most; i++)
        values[i] = (int64_t)next_random();
    size_t count = k->indices(bits, rows_most, rows);
    assert_int_equal(count, arb_bitmap_indices(bits, rows_most, plain));
    assert_memory_equal(rows, plain, count * sizeof *rows);
    k->gather16[ARB_WIDTH_8](values, rows, count, out);
    uint64_t gathered[(rows_most + 63) / 64];
    k->gather16_bits(bits, rows, count, gathered);
    for (size_t i = 0; i < count; i++) {
        assert_true(out[i] == values[rows[i]]);
        assert_true(arb_bitmap_get(gathered, i));
    }
}

static void numbers_convert_and_rows_are_picked(void **state)
{
    (void)state;
    at_each_level(check_conversions);
    at_each_level(check_gathering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_wraps_or_reports),         cmocka_unit_test(division_truncates_and_reports),
        cmocka_unit_test(decimals_stop_at_38_digits),          cmocka_unit_test(comparisons_are_total_orders),
        cmocka_unit_test(numbers_convert_and_rows_are_picked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
