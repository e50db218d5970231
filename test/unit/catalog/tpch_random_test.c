/* The random streams of TPC-H: jumps against steps, and whole numbers against the doubles that define the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/generators/tpch_random.h"

static void multiplication_is_modular(void **state)
{
    (void)state;
    const uint32_t values[] = {1, 2, 16807, 1u << 30, ARB_TPCH_MODULUS - 2, ARB_TPCH_MODULUS - 1};
    for (size_t i = 0; i < ARB_COUNT_OF(values); i++) {
        for (size_t k = 0; k < ARB_COUNT_OF(values); k++) {
            uint64_t product = (uint64_t)values[i] * values[k];
            assert_int_equal(arb_tpch_multiply(values[i], values[k]), product % ARB_TPCH_MODULUS);
        }
    }
}

/* The 10000th number after 1, the check that the generator's inventors published. */
static void the_generator_is_the_minimal_standard(void **state)
{
    (void)state;
    uint32_t cursor = 1;
    for (int i = 0; i < 10000; i++)
        arb_tpch_draw(&cursor);
    assert_int_equal(cursor, 1043618065);
    assert_int_equal(arb_tpch_jump(10000), 1043618065);
    assert_int_equal(arb_tpch_jump(0), 1);
}

static void streams_start_anywhere(void **state)
{
    (void)state;
    arb_tpch_stream stream = arb_tpch_stream_at(209208115, 7, 0);
    uint32_t cursor = 209208115;
    for (int64_t unit = 0; unit < 1000; unit++) {
        assert_int_equal(arb_tpch_stream_at(209208115, 7, unit).state, stream.state);
        assert_int_equal(arb_tpch_stream_take(&stream), cursor);
        for (int i = 0; i < 7; i++)
            arb_tpch_draw(&cursor);
    }
    /* So many draws lead back to the seed. */
    assert_int_equal(arb_tpch_stream_at(5, 1, ARB_TPCH_MODULUS - 1).state, 5);
}

static int64_t scale_in_doubles(uint32_t state, int64_t range)
{
    return (int64_t)((double)state / 2147483647.0 * (double)range);
}

/* Where rounding could matter: the states next to each step of the result. */
static void whole_numbers_scale_as_doubles_do(void **state)
{
    (void)state;
    const uint32_t ranges[] = {1, 2, 3, 7, 11, 50, 456, 2406, 9999, 99901, 1048575, 1048576};
    for (size_t i = 0; i < ARB_COUNT_OF(ranges); i++) {
        uint64_t range = ranges[i], stride = range / 3000 + 1;
        for (uint64_t step = 0; step <= range; step += stride) {
            for (int64_t near = -2; near <= 2; near++) {
                int64_t at = (int64_t)(step * ARB_TPCH_MODULUS / range) + near;
                if (at < 1 || at >= ARB_TPCH_MODULUS)
                    continue;
                assert_int_equal(arb_tpch_scale((uint32_t)at, ranges[i]), scale_in_doubles((uint32_t)at, ranges[i]));
            }
        }
    }
    uint32_t cursor = 42, other = 42;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(arb_tpch_pick(&cursor, 121), arb_tpch_pick_wide(&other, 121));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiplication_is_modular),
        cmocka_unit_test(the_generator_is_the_minimal_standard),
        cmocka_unit_test(streams_start_anywhere),
        cmocka_unit_test(whole_numbers_scale_as_doubles_do),
    };
    return cmocka_run_group_tests_name("tpch_random", tests, NULL, NULL);
}
