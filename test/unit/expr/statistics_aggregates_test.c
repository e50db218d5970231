/* Aggregates beyond the plain ones: moments, quantiles, joined texts, bits, estimates. */
#include <math.h>

#include "unit/expr/aggregate_fixture.h"

static void column(fixture *f, arb_type type, const char *rows)
{
    fixture_reset(f);
    add_column(f, type, rows);
}

static void variances(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(DOUBLE), "2|4|4|4|NULL|5|5|7|9");
    expect_aggregate(&f, "var_pop", 1, 0, "4");
    expect_aggregate(&f, "stddev_pop", 1, 0, "2");
    expect_aggregate(&f, "variance", 1, 0, "4.571428571428571");
    expect_aggregate(&f, "stddev", 1, 0, "2.138089935299395");
    column(&f, ARB_TYPE(DOUBLE), "1000000001|1000000002|1000000003");
    expect_aggregate(&f, "var_samp", 1, 0, "1");
    column(&f, ARB_TYPE(DOUBLE), "5|NULL");
    expect_aggregate(&f, "var_samp", 1, 0, "NULL");
    expect_aggregate(&f, "var_pop", 1, 0, "0");
    column(&f, ARB_TYPE(DOUBLE), "NULL");
    expect_aggregate(&f, "stddev_pop", 1, 0, "NULL");
    column(&f, ARB_TYPE(DOUBLE), "1|2|3|4|NULL|9");
    add_column(&f, ARB_TYPE(DOUBLE), "2|4|6|8|1|NULL");
    expect_aggregate(&f, "covar_pop", 2, 0, "2.5");
    expect_aggregate(&f, "covar_samp", 2, 0, "3.3333333333333335");
    expect_aggregate(&f, "corr", 2, 0, "1");
    expect_aggregate(&f, "regr_slope", 2, 0, "0.5");
    expect_aggregate(&f, "regr_intercept", 2, 0, "0");
    expect_aggregate(&f, "regr_r2", 2, 0, "1");
    expect_aggregate(&f, "regr_count", 2, 0, "4");
    expect_aggregate(&f, "regr_avgx", 2, 0, "5");
    expect_aggregate(&f, "regr_avgy", 2, 0, "2.5");
    expect_aggregate(&f, "regr_sxx", 2, 0, "20");
    expect_aggregate(&f, "regr_syy", 2, 0, "5");
    expect_aggregate(&f, "regr_sxy", 2, 0, "10");
    column(&f, ARB_TYPE(DOUBLE), "1|1");
    add_column(&f, ARB_TYPE(DOUBLE), "2|3");
    expect_aggregate(&f, "corr", 2, 0, "NULL");
    expect_aggregate(&f, "regr_slope", 2, 0, "0");
    fixture_reset(&f);
}

static void quantiles(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(DOUBLE), "5|NULL|1|9|3|7|3");
    expect_aggregate(&f, "median", 1, 0, "4");
    static const struct {
        const char *fraction, *continuous, *discrete;
    } cases[] = {{"0", "1", "1"},   {"0.25", "3", "3"}, {"0.5", "4", "3"},
                 {"0.9", "8", "9"}, {"1", "9", "9"},    {"-0.1", "!", "!"}};
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        char fractions[64];
        const char *one = cases[i].fraction;
        snprintf(fractions, sizeof fractions, "%s|%s|%s|%s|%s|%s|%s", one, one, one, one, one, one, one);
        column(&f, ARB_TYPE(DOUBLE), "5|NULL|1|9|3|7|3");
        add_column(&f, ARB_TYPE(DOUBLE), fractions);
        expect_aggregate(&f, "quantile_cont", 2, 0, cases[i].continuous);
        expect_aggregate(&f, "percentile_disc", 2, 0, cases[i].discrete);
    }
    column(&f, ARB_TYPE(DOUBLE), "NaN|1|2|Infinity");
    expect_aggregate(&f, "median", 1, 0, "Infinity");
    column(&f, ARB_TYPE(DOUBLE), "NULL|NULL");
    expect_aggregate(&f, "median", 1, 0, "NULL");
    column(&f, ARB_TYPE(VARCHAR), "the longest text of all|b|a text of some length|a");
    add_column(&f, ARB_TYPE(DOUBLE), "0.5|0.5|0.5|0.5");
    expect_aggregate(&f, "quantile_disc", 2, 0, "a text of some length");
    column(&f, ARB_TYPE(VARCHAR), "x|the most frequent one|NULL|y|the most frequent one|y");
    expect_aggregate(&f, "mode", 1, 0, "the most frequent one");
    column(&f, ARB_TYPE(BOOLEAN), "f|t|t|NULL");
    expect_aggregate(&f, "mode", 1, 0, "true");
    column(&f, ARB_TYPE(DATE), "2024-01-02|2024-01-01|2024-01-03");
    add_column(&f, ARB_TYPE(DOUBLE), "0.5|0.5|0.5");
    expect_aggregate(&f, "quantile_disc", 2, 0, "2024-01-02");
    fixture_reset(&f);
}

/* Many values, against a sorted array. */
static void long_median(void **state)
{
    (void)state;
    fixture f = {0};
    f.slots[0] = (arb_slot){.type = ARB_TYPE(DOUBLE), .physical = ARB_PHYS_FLOAT64};
    static double values[ARB_VECTOR_ROWS];
    for (unsigned pattern = 0; pattern < 4; pattern++) {
        aggregate_fixture a = {0};
        plan_aggregate(&f, &a, "median", 1, 0, NULL);
        for (unsigned i = 0; i < ARB_VECTOR_ROWS; i++)
            values[i] = pattern == 0   ? i
                        : pattern == 1 ? ARB_VECTOR_ROWS - 1.0 - i
                        : pattern == 2 ? i * 1001 % 2048
                                       : 7;
        arb_vector vector = {.physical = ARB_PHYS_FLOAT64, .values = {values}};
        const arb_vector *inputs[] = {&vector};
        void *median = new_state(&f, &a);
        assert_int_equal(a.run->update_one(&a.plan, &f.arena, inputs, ARB_VECTOR_ROWS, NULL, median, &f.error), ARB_OK);
        check_result(&f, &a, ARB_OK, median, pattern == 3 ? "7" : "1023.5", "many");
    }
    fixture_reset(&f);
}

static void joined(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(VARCHAR), "a|NULL|a text of many bytes||käse");
    expect_aggregate(&f, "group_concat", 1, 0, "a,a text of many bytes,,käse");
    add_column(&f, ARB_TYPE(VARCHAR), "-|/|; |NULL| and then comes ");
    expect_aggregate(&f, "string_agg", 2, 0, "a; a text of many bytes and then comes käse");
    column(&f, ARB_TYPE(VARCHAR), "NULL|NULL");
    expect_aggregate(&f, "string_agg", 1, 0, "NULL");
    column(&f, ARB_TYPE(VARCHAR), "NULL|");
    expect_aggregate(&f, "string_agg", 1, 0, "");
    fixture_reset(&f);
}

static void folds(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(INTEGER), "12|NULL|-10|6");
    expect_aggregate(&f, "bit_and", 1, 0, "4");
    expect_aggregate(&f, "bit_or", 1, 0, "-2");
    expect_aggregate(&f, "bit_xor", 1, 0, "-4");
    column(&f, ARB_TYPE(BIGINT), "4294967296|4294967297");
    expect_aggregate(&f, "bit_and", 1, 0, "4294967296");
    column(&f, ARB_TYPE(BIGINT), "NULL");
    expect_aggregate(&f, "bit_xor", 1, 0, "NULL");
    column(&f, ARB_TYPE(DOUBLE), "1.5|-2|NULL");
    expect_aggregate(&f, "product", 1, 0, "-3");
    column(&f, ARB_TYPE(INTERVAL), "1 mon|2 days 01:00:00|NULL|-00:30:00");
    expect_aggregate(&f, "sum", 1, 0, "1 mon 2 days 00:30:00");
    expect_aggregate(&f, "avg", 1, 0, "10 days 16:10:00");
    column(&f, ARB_TYPE(INTERVAL), "2147483647 days|1 day");
    expect_aggregate(&f, "sum", 1, 0, "!");
    column(&f, ARB_TYPE(DOUBLE), "1e16|1|-1e16|1|NULL");
    expect_aggregate(&f, "sum", 1, 0, "2");
    expect_aggregate(&f, "avg", 1, 0, "0.5");
    column(&f, ARB_TYPE(DOUBLE), "Infinity|1|2|3");
    expect_aggregate(&f, "sum", 1, 0, "Infinity");
    column(&f, ARB_TYPE(DOUBLE), "Infinity|1|2|-Infinity");
    expect_aggregate(&f, "sum", 1, 0, "NaN");
    fixture_reset(&f);
}

static void extremes(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(VARCHAR), "the first text of them|NULL|b|the last text of them all");
    add_column(&f, ARB_TYPE(DOUBLE), "2|0|NULL|3");
    expect_aggregate(&f, "arg_min", 2, 0, "the first text of them");
    expect_aggregate(&f, "max_by", 2, 0, "the last text of them all");
    column(&f, ARB_TYPE(BOOLEAN), "t|f|NULL");
    add_column(&f, ARB_TYPE(VARCHAR), "a longer text than b|b|c");
    expect_aggregate(&f, "arg_min", 2, 0, "true");
    expect_aggregate(&f, "arg_max", 2, 0, "false");
    column(&f, ARB_TYPE(INTEGER), "1|NULL");
    add_column(&f, ARB_TYPE(INTEGER), "NULL|1");
    expect_aggregate(&f, "arg_max", 2, 0, "NULL");
    fixture_reset(&f);
}

static void estimates(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(VARCHAR), "a|NULL|a text of many bytes|a|a text of many bytes|");
    expect_aggregate(&f, "approx_count_distinct", 1, 0, "3");
    column(&f, ARB_TYPE(DOUBLE), "0|-0|NaN|NaN|NULL");
    expect_aggregate(&f, "approx_count_distinct", 1, 0, "2");
    fixture_reset(&f);
    f.slots[0] =
        (arb_slot){.type = ARB_TYPE(BIGINT), .physical = ARB_PHYS_INT64, .range = {true, INT64_MIN, INT64_MAX}};
    static int64_t values[ARB_VECTOR_ROWS];
    aggregate_fixture a = {0};
    plan_aggregate(&f, &a, "approx_count_distinct", 1, 0, NULL);
    void *whole = new_state(&f, &a), *halves[] = {new_state(&f, &a), new_state(&f, &a)};
    int64_t next = 0;
    for (int batch = 0; batch < 100; batch++) {
        for (int i = 0; i < ARB_VECTOR_ROWS; i++)
            values[i] = next++ / 2;
        arb_vector vector = {.physical = ARB_PHYS_INT64, .values = {values}};
        const arb_vector *inputs[] = {&vector};
        for (int i = 0; i < 2; i++)
            assert_int_equal(a.run->update_one(&a.plan, &f.arena, inputs, ARB_VECTOR_ROWS, NULL,
                                               i == 0 ? whole : halves[batch % 2], &f.error),
                             ARB_OK);
    }
    assert_int_equal(a.run->combine(&a.plan, &f.arena, halves[0], halves[1], &f.error), ARB_OK);
    void *states[] = {whole, halves[0]};
    int64_t results[2];
    uint64_t validity = 3;
    bool has_null;
    arb_vector out = {.physical = ARB_PHYS_INT64, .values = {results}};
    assert_int_equal(a.run->finalize(&a.plan, &f.arena, states, 2, &out, &validity, &has_null, &f.error), ARB_OK);
    assert_true(fabs((double)results[0] / (double)(next / 2) - 1) < 0.05);
    assert_int_equal(results[0], results[1]);
    fixture_reset(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(variances),   cmocka_unit_test(quantiles),
                                       cmocka_unit_test(long_median), cmocka_unit_test(joined),
                                       cmocka_unit_test(folds),       cmocka_unit_test(extremes),
                                       cmocka_unit_test(estimates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
