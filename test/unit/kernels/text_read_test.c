/* Values from text: what is taken, what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "columnar/calendar.h"
#include "columnar/text_form.h"
#include "kernels/text_read.h"
#include "kernels/time_zone.h"

static void numbers(void **state)
{
    (void)state;
    arb_int128 value;
    bool truth;
    assert_int_equal(arb_read_integer(ARB_STR(" -128 "), -128, 127, &value), ARB_READ_OK);
    assert_true(value == -128);
    assert_int_equal(arb_read_integer(ARB_STR("128"), -128, 127, &value), ARB_READ_OUT_OF_RANGE);
    assert_int_equal(
        arb_read_integer(ARB_STR("-170141183460469231731687303715884105728"), ARB_INT128_MIN, ARB_INT128_MAX, &value),
        ARB_READ_OK);
    assert_true(value == ARB_INT128_MIN);
    assert_int_equal(
        arb_read_integer(ARB_STR("170141183460469231731687303715884105728"), ARB_INT128_MIN, ARB_INT128_MAX, &value),
        ARB_READ_OUT_OF_RANGE);
    static const char *const bad[] = {"", " ", "-", "+", "1.5", "1e3", "0x10", "1 2", "--1", "abc"};
    for (size_t i = 0; i < ARB_COUNT_OF(bad); i++)
        assert_int_equal(arb_read_integer(arb_str_of(bad[i]), -1000, 1000, &value), ARB_READ_MALFORMED);
    static const struct {
        const char *text;
        unsigned precision, scale;
        int outcome;
        int64_t value;
    } decimals[] = {{"1.005", 10, 2, ARB_READ_OK, 101},
                    {"-1.005", 10, 2, ARB_READ_OK, -101},
                    {"1.0049999", 10, 2, ARB_READ_OK, 100},
                    {"12345e-3", 10, 2, ARB_READ_OK, 1235},
                    {"1.5e3", 10, 2, ARB_READ_OK, 150000},
                    {".5", 3, 0, ARB_READ_OK, 1},
                    {"0.4", 3, 0, ARB_READ_OK, 0},
                    {"-.004", 3, 2, ARB_READ_OK, 0},
                    {"999.995", 5, 2, ARB_READ_OUT_OF_RANGE, 0},
                    {"999.994", 5, 2, ARB_READ_OK, 99999},
                    {"1e40", 38, 0, ARB_READ_OUT_OF_RANGE, 0},
                    {"0e99999999999999999999", 5, 2, ARB_READ_OK, 0},
                    {"1e-99999999999", 5, 2, ARB_READ_OK, 0},
                    {"1e99999999999999", 38, 0, ARB_READ_OUT_OF_RANGE, 0},
                    {"00000000000000000000000000000000000000000000000001.50", 3, 2, ARB_READ_OK, 150},
                    {"1.", 3, 2, ARB_READ_OK, 100},
                    {".", 3, 2, ARB_READ_MALFORMED, 0},
                    {"NaN", 3, 2, ARB_READ_MALFORMED, 0},
                    {"1.2.3", 9, 2, ARB_READ_MALFORMED, 0},
                    {"1e", 9, 2, ARB_READ_MALFORMED, 0},
                    {"0.05", 3, 2, ARB_READ_OK, 5}};
    for (size_t i = 0; i < ARB_COUNT_OF(decimals); i++) {
        arb_read_result outcome =
            arb_read_decimal(arb_str_of(decimals[i].text), decimals[i].precision, decimals[i].scale, &value);
        if ((int)outcome != decimals[i].outcome || (outcome == ARB_READ_OK && value != decimals[i].value))
            fail_msg("%s: %d %lld", decimals[i].text, outcome, (long long)value);
    }
    assert_int_equal(arb_read_boolean(ARB_STR("TRU"), &truth), ARB_READ_OK);
    assert_true(truth);
    assert_int_equal(arb_read_boolean(ARB_STR("of"), &truth), ARB_READ_OK);
    assert_false(truth);
    assert_int_equal(arb_read_boolean(ARB_STR("o"), &truth), ARB_READ_MALFORMED);
    assert_int_equal(arb_read_boolean(ARB_STR("truer"), &truth), ARB_READ_MALFORMED);
}

static void expect_time(const char *text, const char *expected)
{
    char form[ARB_FORM_MOST];
    int64_t value = 0;
    arb_zone_text zone;
    arb_read_result outcome = arb_read_timestamp(arb_str_of(text), false, &value, &zone);
    if (expected == NULL || expected[0] == '!') {
        arb_read_result wanted = expected == NULL ? ARB_READ_MALFORMED : ARB_READ_OUT_OF_RANGE;
        if (outcome != wanted)
            fail_msg("%s: %d", text, outcome);
        return;
    }
    if (outcome != ARB_READ_OK)
        fail_msg("%s: %d", text, outcome);
    form[arb_form_timestamp(form, value, false, false)] = '\0';
    assert_string_equal(form, expected);
}

static void timestamps(void **state)
{
    (void)state;
    expect_time("1998-12-01", "1998-12-01 00:00:00");
    expect_time(" 1998-12-01 10:20:30.123456789 ", "1998-12-01 10:20:30.123457");
    expect_time("1998-12-01T10:20:30Z", "1998-12-01 10:20:30");
    expect_time("1998-12-01 10:20", "1998-12-01 10:20:00");
    expect_time("19981201 102030", "1998-12-01 10:20:30");
    expect_time("1998/2/3", "1998-02-03 00:00:00");
    expect_time("Dec 1, 1998 11:59 PM", "1998-12-01 23:59:00");
    expect_time("1 December 1998", "1998-12-01 00:00:00");
    expect_time("0044-03-15 BC", "0044-03-15 00:00:00 BC");
    expect_time("0001-02-29 BC", "0001-02-29 00:00:00 BC"); /* 1 BC was a leap year, AD 1 was not */
    expect_time("0004-02-29 BC", "!");
    expect_time("290309-12-21 19:59:05.224192 BC", "290309-12-21 19:59:05.224192 BC"); /* the first of all */
    expect_time("290309-12-21 19:59:05.224191 BC", "!");
    expect_time("1998-12-01 24:00:00", "1998-12-02 00:00:00");
    expect_time("1998-12-31 23:59:59.9999999", "1999-01-01 00:00:00");
    expect_time("1998-12-01 10:20:30 Europe/Berlin", "1998-12-01 10:20:30");
    expect_time("1998-13-01", "!");
    expect_time("1999-02-29", "!");
    expect_time("1998-12-01 25:00", "!");
    expect_time("1998-12-01 10:60", "!");
    expect_time("300000-01-01", "!");
    static const char *const bad[] = {"",      "1998",        "1998-12", "1998-12-01x",   "98-1-1", "1998-12-01 10",
                                      "hello", "1998--12-01", "10:20",   "1998-12-01 x9:"};
    for (size_t i = 0; i < ARB_COUNT_OF(bad); i++)
        expect_time(bad[i], NULL);
    arb_zone_text zone;
    int64_t value;
    assert_int_equal(arb_read_timestamp(ARB_STR("1998-12-01 10:20:30 +05:30"), false, &value, &zone), ARB_READ_OK);
    assert_true(zone.given && zone.offset == 19800 && zone.name.size == 0);
    assert_int_equal(arb_read_timestamp(ARB_STR("1998-12-01 10:20:30-0800"), false, &value, &zone), ARB_READ_OK);
    assert_true(zone.given && zone.offset == -28800);
    int32_t days;
    assert_int_equal(arb_read_date(ARB_STR("1998-12-01 10:20:30"), &days), ARB_READ_OK);
    assert_int_equal(days, arb_days_from_civil(1998, 12, 1));
    assert_int_equal(arb_read_date(ARB_STR("1998-12-01 24:00"), &days), ARB_READ_OK);
    assert_int_equal(days, arb_days_from_civil(1998, 12, 2));
    assert_int_equal(arb_read_date(ARB_STR("5874897-12-31"), &days), ARB_READ_OK);
    assert_int_equal(arb_read_date(ARB_STR("5874897-12-31 10:00"), &days), ARB_READ_OK);
    assert_int_equal(days, arb_days_from_civil(5874897, 12, 31));
    assert_int_equal(arb_read_date(ARB_STR("5881580-07-11 24:00"), &days), ARB_READ_OUT_OF_RANGE);
    assert_int_equal(arb_read_time(ARB_STR("04:05:06.789"), &value), ARB_READ_OK);
    assert_int_equal(value, 14706789000);
}

static void expect_interval(const char *text, const char *expected)
{
    char form[ARB_FORM_MOST];
    arb_interval interval;
    arb_read_result outcome = arb_read_interval(arb_str_of(text), &interval);
    if (expected == NULL) {
        assert_int_equal(outcome, ARB_READ_MALFORMED);
        return;
    }
    if (outcome != ARB_READ_OK)
        fail_msg("%s: %d", text, outcome);
    form[arb_form_interval(form, interval)] = '\0';
    assert_string_equal(form, expected);
    assert_int_equal(arb_read_interval(arb_str_of(form), &interval), ARB_READ_OK);
    char again[ARB_FORM_MOST];
    again[arb_form_interval(again, interval)] = '\0';
    assert_string_equal(form, again);
}

static void intervals(void **state)
{
    (void)state;
    expect_interval("1 year 2 months 3 days 4 hours 5 minutes 6 seconds", "1 year 2 mons 3 days 04:05:06");
    expect_interval("P1Y2M3DT4H5M6.7S", "1 year 2 mons 3 days 04:05:06.7");
    expect_interval("1-2", "1 year 2 mons");
    expect_interval("-1-2", "-1 years -2 mons");
    expect_interval("3 4:05:06", "3 days 04:05:06");
    expect_interval("90", "00:01:30");
    expect_interval("1.5 hours", "01:30:00");
    expect_interval("1.5 months", "1 mon 15 days");
    expect_interval("0.5 year", "6 mons");
    expect_interval("2 weeks", "14 days");
    expect_interval("1 day ago", "-1 days");
    expect_interval("@ 1 minute", "00:01:00");
    expect_interval("-3 days +04:05:06", "-3 days +04:05:06");
    expect_interval("1 day -02:00:00", "1 day -02:00:00");
    expect_interval("90 day", "90 days");
    expect_interval("3month", "3 mons");
    expect_interval("100 milliseconds", "00:00:00.1");
    static const char *const bad[] = {"", "day", "1 fortnight", "P", "P1H", "1:99", "1 day x", "ago", "1 2 3 x"};
    for (size_t i = 0; i < ARB_COUNT_OF(bad); i++)
        expect_interval(bad[i], NULL);
    arb_interval interval;
    assert_int_equal(arb_read_interval(ARB_STR("99999999999 days"), &interval), ARB_READ_OUT_OF_RANGE);
}

static void blobs(void **state)
{
    (void)state;
    char to[64];
    size_t size;
    assert_int_equal(arb_read_blob(ARB_STR("\\x00fFa1"), to, &size), ARB_READ_OK);
    assert_int_equal(size, 3);
    assert_memory_equal(to, "\x00\xff\xa1", 3);
    assert_int_equal(arb_read_blob(ARB_STR("a\\\\b\\001"), to, &size), ARB_READ_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(to, "a\\b\001", 4);
    assert_int_equal(arb_read_blob(ARB_STR("\\x0"), to, &size), ARB_READ_MALFORMED);
    assert_int_equal(arb_read_blob(ARB_STR("\\xzz"), to, &size), ARB_READ_MALFORMED);
    assert_int_equal(arb_read_blob(ARB_STR("a\\"), to, &size), ARB_READ_MALFORMED);
}

static int64_t seconds(int64_t year, int month, int day, int hour)
{
    return arb_days_from_civil(year, month, day) * 86400 + hour * 3600;
}

static void zones(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_zone *zone;
    assert_int_equal(arb_zone_load(ARB_STR("Europe/Berlin"), &zone, &error), ARB_OK);
    assert_int_equal(arb_zone_offset(zone, seconds(2024, 1, 15, 12)), 3600);
    assert_int_equal(arb_zone_offset(zone, seconds(2024, 7, 15, 12)), 7200);
    assert_string_equal(arb_zone_abbreviation(zone, seconds(2024, 7, 15, 12)), "CEST");
    assert_int_equal(arb_zone_offset(zone, seconds(2024, 3, 31, 1) - 1), 3600);
    assert_int_equal(arb_zone_offset(zone, seconds(2024, 3, 31, 1)), 7200);
    assert_int_equal(arb_zone_offset(zone, seconds(2090, 7, 15, 12)), 7200); /* by the rule */
    assert_int_equal(arb_zone_offset(zone, seconds(2090, 12, 15, 12)), 3600);
    assert_int_equal(arb_zone_offset(zone, seconds(2090, 10, 29, 1) - 1), 7200);
    assert_int_equal(arb_zone_offset(zone, seconds(2090, 10, 29, 1)), 3600);
    assert_int_equal(arb_zone_to_utc(zone, seconds(2024, 7, 15, 12)), seconds(2024, 7, 15, 10));
    assert_int_equal(arb_zone_to_utc(zone, seconds(2024, 3, 31, 2)), seconds(2024, 3, 31, 1));   /* left out */
    assert_int_equal(arb_zone_to_utc(zone, seconds(2024, 10, 27, 2)), seconds(2024, 10, 27, 1)); /* twice */
    arb_zone_destroy(zone);
    assert_int_equal(arb_zone_load(ARB_STR("-05:30"), &zone, &error), ARB_OK);
    assert_int_equal(arb_zone_offset(zone, 0), -19800);
    arb_zone_destroy(zone);
    static const char *const bad[] = {"Nowhere/Land", "../etc/passwd", "/etc/passwd", "", "Europe", "+99"};
    for (size_t i = 0; i < ARB_COUNT_OF(bad); i++)
        assert_int_equal(arb_zone_load(arb_str_of(bad[i]), &zone, &error), ARB_INVALID_PARAMETER);
    assert_int_equal(arb_zone_load(ARB_STR("Australia/Sydney"), &zone, &error), ARB_OK); /* summer over the new year */
    assert_int_equal(arb_zone_offset(zone, seconds(2091, 1, 15, 0)), 39600);
    assert_int_equal(arb_zone_offset(zone, seconds(2091, 7, 15, 0)), 36000);
    arb_zone_destroy(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(timestamps),
                                       cmocka_unit_test(intervals), cmocka_unit_test(blobs), cmocka_unit_test(zones)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
