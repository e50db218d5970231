/* Aggregates: counts, sums, averages, extremes, picks. */
#include "unit/expr/aggregate_fixture.h"

static void column(fixture *f, arb_type type, const char *rows)
{
    fixture_reset(f);
    add_column(f, type, rows);
}

static void counts(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(INTEGER), "1|NULL|3|NULL|5");
    expect_aggregate(&f, "count", 0, 0, "5");
    expect_aggregate(&f, "count", 1, 0, "3");
    column(&f, ARB_TYPE(BOOLEAN), "t|NULL|f|t|f");
    expect_aggregate(&f, "count_if", 1, 0, "2");
    column(&f, ARB_TYPE(VARCHAR), "NULL|NULL");
    expect_aggregate(&f, "count", 1, 0, "0");
    fixture_reset(&f);
}

static void sums(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(INTEGER), "1|NULL|3|-10|5");
    expect_aggregate(&f, "sum", 1, 0, "-1");
    expect_aggregate(&f, "sum", 1, 100, "-1");
    expect_aggregate(&f, "avg", 1, 0, "-0.25");
    column(&f, ARB_TYPE(SMALLINT), "32767|32767|32767");
    expect_aggregate(&f, "sum", 1, 0, "98301");
    column(&f, ARB_TYPE(TINYINT), "-128|127|-128");
    expect_aggregate(&f, "sum", 1, 5, "-129");
    column(&f, ARB_TYPE(BIGINT), "9223372036854775807|1|-1|NULL");
    expect_aggregate(&f, "sum", 1, 0, "9223372036854775807");
    expect_aggregate(&f, "avg", 1, 0, "3.0744573456182584e+18");
    column(&f, ARB_TYPE(BIGINT), "9223372036854775807|1|NULL");
    expect_aggregate(&f, "sum", 1, 0, "!");
    assert_non_null(strstr(f.error.hint, "decimal(38,0)"));
    column(&f, arb_type_decimal(15, 2), "1.50|2.25|NULL|-0.01");
    expect_aggregate(&f, "sum", 1, 0, "3.74");
    expect_aggregate(&f, "sum", 1, 1000, "3.74");
    expect_aggregate(&f, "avg", 1, 0, "1.246667");
    column(&f, arb_type_decimal(15, 2), "-0.01|-0.01|-0.03");
    expect_aggregate(&f, "avg", 1, 0, "-0.016667");
    column(&f, arb_type_decimal(38, 0), "99999999999999999999999999999999999999|-1|1");
    expect_aggregate(&f, "sum", 1, 0, "99999999999999999999999999999999999999");
    column(&f, arb_type_decimal(38, 0),
           "99999999999999999999999999999999999999|99999999999999999999999999999999999999|-5");
    expect_aggregate(&f, "sum", 1, 0, "!");
    column(&f, ARB_TYPE(DOUBLE), "1.5|NULL|2.25|-1");
    expect_aggregate(&f, "sum", 1, 0, "2.75");
    expect_aggregate(&f, "avg", 1, 0, "0.9166666666666666");
    column(&f, ARB_TYPE(REAL), "1.5|2.5|NULL");
    expect_aggregate(&f, "sum", 1, 0, "4");
    column(&f, ARB_TYPE(INTEGER), "NULL|NULL");
    expect_aggregate(&f, "sum", 1, 0, "NULL");
    expect_aggregate(&f, "avg", 1, 0, "NULL");
    fixture_reset(&f);
}

/* Sums of many rows, also where 64 bits overflow on the way. */
static void long_sums(void **state)
{
    (void)state;
    fixture f = {0};
    f.slots[0] =
        (arb_slot){.type = ARB_TYPE(BIGINT), .physical = ARB_PHYS_INT64, .range = {true, INT64_MIN, INT64_MAX}};
    aggregate_fixture a = {0};
    plan_aggregate(&f, &a, "sum", 1, 0, NULL);
    static int64_t values[ARB_VECTOR_ROWS];
    uint64_t selection[ARB_VECTOR_WORDS];
    arb_int128 expected = 0;
    uint64_t seed = 1;
    for (int i = 0; i < ARB_VECTOR_ROWS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        values[i] = (int64_t)seed;
        arb_bitmap_put(selection, (size_t)i, i >= 64 && i < 640 ? true : (seed >> 40 & 1) != 0);
        expected += arb_bitmap_get(selection, (size_t)i) ? values[i] : 0;
    }
    arb_vector vector = {.physical = ARB_PHYS_INT64, .values = {values}};
    const arb_vector *inputs[] = {&vector};
    void *sum = new_state(&f, &a);
    assert_int_equal(a.run->update_one(&a.plan, &f.arena, inputs, ARB_VECTOR_ROWS, selection, sum, &f.error), ARB_OK);
    assert_true(arb_load_i128(sum) == expected);
    expected = 0;
    for (int i = 0; i < ARB_VECTOR_ROWS; i++) {
        values[i] = INT64_MIN + i;
        expected += values[i];
    }
    sum = new_state(&f, &a);
    assert_int_equal(a.run->update_one(&a.plan, &f.arena, inputs, ARB_VECTOR_ROWS - 3, NULL, sum, &f.error), ARB_OK);
    expected -= (arb_int128)values[ARB_VECTOR_ROWS - 1] + values[ARB_VECTOR_ROWS - 2] + values[ARB_VECTOR_ROWS - 3];
    assert_true(arb_load_i128(sum) == expected);
    fixture_reset(&f);
}

static void extremes(void **state)
{
    (void)state;
    fixture f = {0};
    static const struct {
        uint8_t type;
        const char *rows, *least, *most;
    } cases[] = {
        {ARB_TYPE_TINYINT, "5|NULL|-7|6|6", "-7", "6"},
        {ARB_TYPE_SMALLINT, "-32768|NULL|32767", "-32768", "32767"},
        {ARB_TYPE_INTEGER, "5|NULL|-7|6|2147483647", "-7", "2147483647"},
        {ARB_TYPE_BIGINT, "-9223372036854775808|NULL|9223372036854775807", "-9223372036854775808",
         "9223372036854775807"},
        {ARB_TYPE_DOUBLE, "1|NULL|NaN|-Infinity|0", "-Infinity", "NaN"},
        {ARB_TYPE_REAL, "NaN|NaN|1.5", "1.5", "NaN"},
        {ARB_TYPE_VARCHAR, "a longer text than twelve|b|NULL|a longer text than thirteen|", "", "b"},
        {ARB_TYPE_VARCHAR, "zzz zzz zzz zzz zzz|zzz zzz zzz zzz yyyyyyy|zzz zzz zzz", "zzz zzz zzz",
         "zzz zzz zzz zzz zzz"},
        {ARB_TYPE_DATE, "1998-12-01|NULL|1970-01-01", "1970-01-01", "1998-12-01"},
        {ARB_TYPE_INTERVAL, "31 days|1 mon|NULL|1 day", "1 day", "31 days"},
        {ARB_TYPE_BOOLEAN, "t|NULL|f", "false", "true"},
        {ARB_TYPE_INTEGER, "NULL|NULL", "NULL", "NULL"},
        {ARB_TYPE_VARCHAR, "NULL|NULL", "NULL", "NULL"},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        column(&f, (arb_type){.id = cases[i].type}, cases[i].rows);
        expect_aggregate(&f, "min", 1, 0, cases[i].least);
        expect_aggregate(&f, "max", 1, 0, cases[i].most);
    }
    column(&f, arb_type_decimal(38, 2), "99999999999999999999.99|-99999999999999999999.99|NULL");
    expect_aggregate(&f, "min", 1, 0, "-99999999999999999999.99");
    expect_aggregate(&f, "max", 1, 0, "99999999999999999999.99");
    column(&f, ARB_TYPE(BOOLEAN), "t|NULL|t");
    expect_aggregate(&f, "bool_and", 1, 0, "true");
    expect_aggregate(&f, "bool_or", 1, 0, "true");
    column(&f, ARB_TYPE(BOOLEAN), "f|NULL|t");
    expect_aggregate(&f, "every", 1, 0, "false");
    fixture_reset(&f);
}

static void picks(void **state)
{
    (void)state;
    fixture f = {0};
    column(&f, ARB_TYPE(VARCHAR), "NULL|a text of many bytes|b|NULL");
    expect_aggregate(&f, "any_value", 1, 0, "a text of many bytes");
    expect_aggregate(&f, "first", 1, 0, "NULL");
    expect_aggregate(&f, "last", 1, 0, "NULL");
    column(&f, ARB_TYPE(INTEGER), "5|NULL|7");
    expect_aggregate(&f, "first", 1, 0, "5");
    expect_aggregate(&f, "last", 1, 0, "7");
    column(&f, ARB_TYPE(BOOLEAN), "t|NULL|f");
    expect_aggregate(&f, "last", 1, 0, "false");
    fixture_reset(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts), cmocka_unit_test(sums), cmocka_unit_test(long_sums),
                                       cmocka_unit_test(extremes), cmocka_unit_test(picks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
