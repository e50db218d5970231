/* Values: text forms, comparison, constants in vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "columnar/calendar.h"
#include "columnar/value.h"

static void expect(arb_value value, const char *text)
{
    arb_text out = {0};
    arb_value_print(&out, &value);
    arb_text_append_char(&out, '\0');
    assert_string_equal(out.data, text);
    arb_text_reset(&out);
}

static arb_value integer(arb_type type, arb_int128 value)
{
    return (arb_value){.type = type, .integer = value};
}

static arb_value real(double value)
{
    return (arb_value){.type = ARB_TYPE(DOUBLE), .real = value};
}

static arb_value interval(int32_t months, int32_t days, int64_t micros)
{
    return (arb_value){.type = ARB_TYPE(INTERVAL), .interval = {months, days, micros}};
}

static void numbers_print(void **state)
{
    (void)state;
    expect(integer(ARB_TYPE(BIGINT), INT64_MIN), "-9223372036854775808");
    expect(integer(arb_type_decimal(15, 2), 150), "1.50");
    expect(integer(arb_type_decimal(15, 2), -5), "-0.05");
    expect(integer(arb_type_decimal(15, 2), 0), "0.00");
    expect(integer(arb_type_decimal(38, 0), ARB_INT128_MIN), "-170141183460469231731687303715884105728");
    expect(integer(arb_type_decimal(38, 20), (arb_int128)1000000000000000000 * 100), "1.00000000000000000000");
    expect(integer(arb_type_decimal(38, 4), (arb_int128)1000000000000000000 * 1000000000000000000),
           "100000000000000000000000000000000.0000");
    expect(real(5), "5");
    expect(real(-0.0), "-0");
    expect(real(0.1), "0.1");
    expect(real(0.0001), "0.0001");
    expect(real(0.00001234), "1.234e-05");
    expect(real(123456789012345), "123456789012345");
    expect(real(1e15), "1e+15");
    expect(real(1234567.25), "1234567.25");
    expect(real(1e300), "1e+300");
    expect(real(__builtin_nan("")), "NaN");
    expect(real(-__builtin_inf()), "-Infinity");
    expect((arb_value){.type = ARB_TYPE(REAL), .real = (double)0.1f}, "0.1");
    expect((arb_value){.type = ARB_TYPE(REAL), .real = 1e6}, "1e+06");
}

static void times_print(void **state)
{
    (void)state;
    expect(integer(ARB_TYPE(DATE), arb_days_from_civil(1998, 12, 1)), "1998-12-01");
    expect(integer(ARB_TYPE(DATE), arb_days_from_civil(-43, 3, 15)), "0044-03-15 BC");
    expect(integer(ARB_TYPE(TIME), 86399500000), "23:59:59.5");
    expect(integer(ARB_TYPE(TIMESTAMP), -1), "1969-12-31 23:59:59.999999");
    expect(integer(ARB_TYPE(TIMESTAMPTZ), 0), "1970-01-01 00:00:00+00");
    arb_type nanoseconds = ARB_TYPE(TIMESTAMP);
    nanoseconds.nanoseconds = true;
    expect(integer(nanoseconds, 1), "1970-01-01 00:00:00.000000001");
    expect(interval(0, 1, 2 * ARB_MICROS_HOUR), "1 day 02:00:00");
    expect(interval(14, -3, 4 * ARB_MICROS_HOUR + 500000), "1 year 2 mons -3 days +04:00:00.5");
    expect(interval(-14, 3, 0), "-1 years -2 mons +3 days");
    expect(interval(0, 0, 0), "00:00:00");
    expect(interval(0, 0, -90 * ARB_MICROS_SECOND), "-00:01:30");
    expect(interval(0, 0, INT64_MIN), "-2562047788:00:54.775808");
}

static void calendar_agrees(void **state)
{
    (void)state;
    int64_t days = arb_days_from_civil(-400, 1, 1);
    for (int64_t year = -400; year < 2401; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= arb_days_of_month(year, month); day++, days++) {
                assert_int_equal(arb_days_from_civil(year, month, day), days);
                arb_civil civil = arb_civil_from_days(days);
                assert_true(civil.year == year && civil.month == month && civil.day == day);
            }
    assert_int_equal(arb_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(arb_weekday(0), 4);
    assert_int_equal(arb_days_add_months(arb_days_from_civil(2024, 1, 31), 1), arb_days_from_civil(2024, 2, 29));
    assert_int_equal(arb_days_add_months(arb_days_from_civil(2024, 1, 31), -2), arb_days_from_civil(2023, 11, 30));
    int64_t year;
    assert_int_equal(arb_iso_week(arb_days_from_civil(2021, 1, 3), &year), 53);
    assert_int_equal(year, 2020);
    assert_int_equal(arb_iso_week(arb_days_from_civil(2018, 12, 31), &year), 1);
    assert_int_equal(year, 2019);
}

static void nested_print_as_json(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_value items[] = {integer(ARB_TYPE(DATE), 0), arb_value_null(ARB_TYPE(DATE))};
    arb_value list = {.type = arb_type_list(&arena, ARB_TYPE(DATE)), .nested = {items, 2}};
    expect(list, "[\"1970-01-01\",null]");
    arb_str names[] = {ARB_STR("a"), ARB_STR("b\"")};
    arb_type types[] = {ARB_TYPE(BOOLEAN), list.type};
    arb_value fields[] = {{.type = ARB_TYPE(BOOLEAN), .boolean = true}, list};
    arb_value pair = {.type = arb_type_struct(&arena, names, types, 2), .nested = {fields, 2}};
    expect(pair, "{\"a\":true,\"b\\\"\":[\"1970-01-01\",null]}");
    assert_true(arb_value_equal(&pair, &pair));
    arb_arena_reset(&arena);
}

static void constants_come_back(void **state)
{
    (void)state;
    arb_arena arena = {0};
    const struct {
        arb_value value;
        arb_physical physical;
    } cases[] = {
        {integer(arb_type_decimal(15, 2), -12345), ARB_PHYS_INT32},
        {integer(arb_type_decimal(15, 2), -12345), ARB_PHYS_INT64},
        {integer(arb_type_decimal(38, 2), -12345), ARB_PHYS_INT128},
        {integer(ARB_TYPE(TINYINT), -5), ARB_PHYS_INT8},
        {integer(ARB_TYPE(SMALLINT), 300), ARB_PHYS_INT16},
        {{.type = ARB_TYPE(BOOLEAN), .boolean = true}, ARB_PHYS_BOOL},
        {real(2.5), ARB_PHYS_FLOAT64},
        {{.type = ARB_TYPE(REAL), .real = 2.5}, ARB_PHYS_FLOAT32},
        {{.type = ARB_TYPE(VARCHAR), .text = ARB_STR("short")}, ARB_PHYS_STRING},
        {{.type = ARB_TYPE(VARCHAR), .text = ARB_STR("longer than twelve bytes")}, ARB_PHYS_STRING},
        {interval(1, 2, 3), ARB_PHYS_INTERVAL},
        {arb_value_null(ARB_TYPE(BIGINT)), ARB_PHYS_INT64},
        {arb_value_null(ARB_TYPE(BOOLEAN)), ARB_PHYS_BOOL},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        arb_vector_storage storage;
        assert_int_equal(arb_vector_storage_init(&storage, cases[i].physical, 64, NULL), ARB_OK);
        arb_vector vector = arb_vector_constant(&storage, &cases[i].value);
        arb_value back;
        assert_int_equal(arb_vector_get_value(&vector, cases[i].value.type, 17, &arena, &back, NULL), ARB_OK);
        assert_true(arb_value_equal(&cases[i].value, &back));
        arb_vector_storage_reset(&storage);
    }
    arb_value nan = real(__builtin_nan("")), one = real(1), zero = real(0), minus_zero = real(-0.0);
    assert_true(arb_value_compare(&nan, &one) > 0 && arb_value_equal(&nan, &nan));
    assert_true(arb_value_equal(&zero, &minus_zero));
    arb_value month = interval(1, 0, 0), days = interval(0, 30, 0);
    assert_true(arb_value_equal(&month, &days));
    assert_true(arb_value_same(&month, &month) && !arb_value_same(&month, &days));
    assert_true(arb_value_same(&nan, &nan) && !arb_value_same(&zero, &minus_zero) && !arb_value_same(&one, &nan));
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_print), cmocka_unit_test(times_print),
                                       cmocka_unit_test(calendar_agrees), cmocka_unit_test(nested_print_as_json),
                                       cmocka_unit_test(constants_come_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
