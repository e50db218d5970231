/* Values in order, beside the C library's sort; and the sort that is told to stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "expr/aggregates/value_sort.h"

enum { most = 40000 };

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = arb_load_i64(a), y = arb_load_i64(b);
    return (x > y) - (x < y);
}

static int compare_bytes(const void *a, const void *b)
{
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

static void values_are_sorted(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 11, 12, 13, 25, 1000, 8192, most};
    static int64_t values[most], expected[most];
    uint64_t random = 5;
    for (size_t i = 0; i < ARB_COUNT_OF(counts); i++) {
        for (size_t kind = 0; kind < 4; kind++) {
            arb_arena arena = {0};
            arb_error error = {0};
            size_t count = counts[i], size = kind == 3 ? 1 : 8;
            for (size_t j = 0; j < count; j++) {
                random = arb_hash_u64(random);
                values[j] = kind == 0 ? (int64_t)random : kind == 1 ? (int64_t)(random % 10) : (int64_t)(count - j);
            }
            memcpy(expected, values, sizeof values);
            qsort(expected, count, size, size == 1 ? compare_bytes : compare_numbers);
            assert_int_equal(arb_values_sort(&arena, (char *)values, count, size,
                                             size == 1 ? compare_bytes : compare_numbers, NULL, &error),
                             ARB_OK);
            assert_memory_equal(values, expected, count * size);
            arb_arena_reset(&arena);
        }
    }
}

/* The flag is set by the comparison itself, after some of them. */
static _Atomic bool stop;
static uint64_t comparisons, stops_at;

static int compare_and_stop(const void *a, const void *b)
{
    if (++comparisons == stops_at)
        atomic_store(&stop, true);
    return compare_numbers(a, b);
}

static void a_sort_stops_soon(void **state)
{
    (void)state;
    static int64_t values[most];
    for (stops_at = 1; stops_at < 600000; stops_at = stops_at * 3 + 1) {
        arb_arena arena = {0};
        arb_error error = {0};
        for (size_t i = 0; i < most; i++)
            values[i] = (int64_t)arb_hash_u64(i);
        atomic_store(&stop, false);
        comparisons = 0;
        arb_code code = arb_values_sort(&arena, (char *)values, most, 8, compare_and_stop, &stop, &error);
        if (comparisons >= stops_at)
            assert_true(code == ARB_CANCELLED || comparisons < stops_at + 100000);
        assert_true(comparisons < stops_at + 200000);
        arb_arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_sorted), cmocka_unit_test(a_sort_stops_soon)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
