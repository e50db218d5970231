/* Functions on dates, times and intervals. */
#include "unit/expr/program_fixture.h"

static const arb_expr *text(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(VARCHAR), value);
}

static void fields(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *d = add_column(&f, ARB_TYPE(DATE), "1998-12-01|2000-02-29|NULL|1969-12-31|0001-01-01");
    const arb_expr *t =
        add_column(&f, ARB_TYPE(TIMESTAMP),
                   "2001-02-16 20:38:40.12|1969-12-31 23:59:59.999999|NULL|2018-12-31|2000-01-01 00:00:01");
    const arb_expr *v = add_column(&f, ARB_TYPE(INTERVAL), "14 months 3 days 25:00:01.5|-5 days|NULL|1 year|00:00:00");
    static const struct {
        const char *field, *of_date, *of_time;
    } cases[] = {
        {"year", "1998|2000|NULL|1969|1", "2001|1969|NULL|2018|2000"},
        {"month", "12|2|NULL|12|1", "2|12|NULL|12|1"},
        {"day", "1|29|NULL|31|1", "16|31|NULL|31|1"},
        {"quarter", "4|1|NULL|4|1", "1|4|NULL|4|1"},
        {"hour", "0|0|NULL|0|0", "20|23|NULL|0|0"},
        {"minute", "0|0|NULL|0|0", "38|59|NULL|0|0"},
        {"second", "0.000000|0.000000|NULL|0.000000|0.000000", "40.120000|59.999999|NULL|0.000000|1.000000"},
        {"milliseconds", "0.000|0.000|NULL|0.000|0.000", "40120.000|59999.999|NULL|0.000|1000.000"},
        {"microseconds", "0|0|NULL|0|0", "40120000|59999999|NULL|0|1000000"},
        {"dow", "2|2|NULL|3|1", "5|3|NULL|1|6"},
        {"isodow", "2|2|NULL|3|1", "5|3|NULL|1|6"},
        {"doy", "335|60|NULL|365|1", "47|365|NULL|365|1"},
        {"week", "49|9|NULL|1|1", "7|1|NULL|1|52"},
        {"isoyear", "1998|2000|NULL|1970|1", "2001|1970|NULL|2019|1999"},
        {"decade", "199|200|NULL|196|0", "200|196|NULL|201|200"},
        {"century", "20|20|NULL|20|1", "21|20|NULL|21|20"},
        {"millennium", "2|2|NULL|2|1", "3|2|NULL|3|2"},
        {"epoch", "912470400|951782400|NULL|-86400|-62135596800",
         "982355920.120000|-0.000001|NULL|1546214400.000000|946684801.000000"},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        expect(&f, CALL(&f, "extract", text(&f, cases[i].field), d), cases[i].of_date);
        expect(&f, CALL(&f, "date_part", text(&f, cases[i].field), t), cases[i].of_time);
    }
    expect(&f, CALL(&f, "year", d), "1998|2000|NULL|1969|1");
    expect(&f, CALL(&f, "month", t), "2|12|NULL|12|1");
    expect(&f, CALL(&f, "extract", text(&f, "month"), v), "2|0|NULL|0|0");
    expect(&f, CALL(&f, "extract", text(&f, "epoch"), v),
           "37090801.500000|-432000.000000|NULL|31557600.000000|0.000000");
    expect(&f, CALL(&f, "extract", text(&f, "hour"), v), "25|0|NULL|0|0");
    fixture_reset(&f);
}

static void cutting(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *t = add_column(&f, ARB_TYPE(TIMESTAMP), "2001-02-16 20:38:40.12|1969-12-31 23:59:59.999999|NULL");
    const arb_expr *d = add_column(&f, ARB_TYPE(DATE), "1998-12-01|NULL|1970-01-01");
    expect(&f, CALL(&f, "date_trunc", text(&f, "hour"), t), "2001-02-16 20:00:00|1969-12-31 23:00:00|NULL");
    expect(&f, CALL(&f, "date_trunc", text(&f, "milliseconds"), t),
           "2001-02-16 20:38:40.12|1969-12-31 23:59:59.999|NULL");
    expect(&f, CALL(&f, "date_trunc", text(&f, "week"), t), "2001-02-12 00:00:00|1969-12-29 00:00:00|NULL");
    expect(&f, CALL(&f, "date_trunc", text(&f, "month"), d), "1998-12-01 00:00:00|NULL|1970-01-01 00:00:00");
    expect(&f, CALL(&f, "date_trunc", text(&f, "quarter"), d), "1998-10-01 00:00:00|NULL|1970-01-01 00:00:00");
    expect(&f, CALL(&f, "date_trunc", text(&f, "century"), d), "1901-01-01 00:00:00|NULL|1901-01-01 00:00:00");
    expect(&f, CALL(&f, "date_trunc", text(&f, "fortnight"), d), "!|NULL|!");
    fixture_reset(&f);
}

static void arithmetic(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *t = add_column(&f, ARB_TYPE(TIMESTAMP), "2001-01-31 10:00:00|NULL|1999-12-31 23:59:59.5");
    const arb_expr *v = add_column(&f, ARB_TYPE(INTERVAL), "1 mon 1 day 01:00:00|1 day|-1 year 02:00:00");
    const arb_expr *d = add_column(&f, ARB_TYPE(DATE), "1998-12-01|1998-12-01|NULL");
    const arb_expr *m = add_column(&f, ARB_TYPE(TIME), "23:00:00|NULL|00:00:01");
    expect(&f, CALL(&f, "+", t, v), "2001-03-01 11:00:00|NULL|1999-01-01 01:59:59.5");
    expect(&f, CALL(&f, "-", t, v), "2000-12-30 09:00:00|NULL|2000-12-31 21:59:59.5");
    expect(&f, CALL(&f, "+", v, d), "1999-01-02 01:00:00|1998-12-02 00:00:00|NULL");
    expect(&f, CALL(&f, "-", t, d), "792 days 10:00:00|NULL|NULL");
    expect(&f, CALL(&f, "+", m, v), "00:00:00|NULL|02:00:01");
    expect(&f, CALL(&f, "+", d, m), "1998-12-01 23:00:00|NULL|NULL");
    expect(&f, CALL(&f, "*", v, literal(&f, ARB_TYPE(DOUBLE), "1.5")),
           "1 mon 16 days 13:30:00|1 day 12:00:00|-1 years -6 mons +03:00:00");
    expect(&f, CALL(&f, "/", v, literal(&f, ARB_TYPE(INTEGER), "2")), "15 days 12:30:00|12:00:00|-6 mons +01:00:00");
    expect(&f, CALL(&f, "-", v), "-1 mons -1 days -01:00:00|-1 days|1 year -02:00:00");
    expect(&f, CALL(&f, "+", v, v), "2 mons 2 days 02:00:00|2 days|-2 years +04:00:00");
    expect(&f, CALL(&f, "/", v, literal(&f, ARB_TYPE(INTEGER), "3")), "10 days 08:20:00|08:00:00|-4 mons +00:40:00");
    expect(&f, CALL(&f, "/", v, literal(&f, ARB_TYPE(INTEGER), "0")), "!|!|!");
    fixture_reset(&f);
}

static const arb_expr *whole(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(INTEGER), value);
}

static void making(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "1|12|13|NULL|0|2");
    const arb_expr *y = add_column(&f, ARB_TYPE(BIGINT), "2024|-44|2024|1|0|9223372036854775807");
    expect(&f, CALL(&f, "make_date", y, n, whole(&f, "29")), "2024-01-29|0044-12-29 BC|!|NULL|!|!");
    expect(&f, CALL(&f, "make_date", whole(&f, "2023"), whole(&f, "2"), n),
           "2023-02-01|2023-02-12|2023-02-13|NULL|!|2023-02-02");
    expect(&f, CALL(&f, "make_date", whole(&f, "2023"), n, whole(&f, "29")), "2023-01-29|2023-12-29|!|NULL|!|!");
    expect(&f, CALL(&f, "make_time", n, n, literal(&f, ARB_TYPE(DOUBLE), "59.9999996")),
           "01:02:00|12:13:00|13:14:00|NULL|00:01:00|02:03:00");
    expect(&f, CALL(&f, "make_timestamp", whole(&f, "2001"), n, n, n, n, literal(&f, ARB_TYPE(DOUBLE), "3.25")),
           "2001-01-01 01:01:03.25|2001-12-12 12:12:03.25|!|NULL|!|2001-02-02 02:02:03.25");
    fixture_reset(&f);
    const arb_expr *d = add_column(&f, ARB_TYPE(DOUBLE), "1284352323.5|-0.5|NULL|1e300|NaN");
    expect(&f, CALL(&f, "to_timestamp", d), "2010-09-13 04:32:03.5+00|1969-12-31 23:59:59.5+00|NULL|!|!");
    fixture_reset(&f);
    const arb_expr *t = add_column(&f, ARB_TYPE(TIMESTAMP), "2024-02-10 20:38:40.1234|1969-12-31 23:59:59.9999|NULL");
    expect(&f, CALL(&f, "epoch_ms", t), "1707597520123|-1|NULL");
    expect(&f, CALL(&f, "epoch_us", t), "1707597520123400|-100|NULL");
    expect(&f, CALL(&f, "epoch_ns", t), "1707597520123400000|-100000|NULL");
    expect(&f, CALL(&f, "last_day", t), "2024-02-29|1969-12-31|NULL");
    expect(&f, CALL(&f, "dayname", t), "Saturday|Wednesday|NULL");
    expect(&f, CALL(&f, "monthname", t), "February|December|NULL");
    fixture_reset(&f);
}

static void distances(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *a =
        add_column(&f, ARB_TYPE(TIMESTAMP), "2001-04-10|1957-06-13|2024-03-31 01:00:00|NULL|2024-01-01 00:00:00.5");
    const arb_expr *b =
        add_column(&f, ARB_TYPE(TIMESTAMP), "1957-06-13|2001-04-10|2024-02-29 02:00:00|2020-01-01|2023-12-31 23:59:59");
    expect(&f, CALL(&f, "age", a, b),
           "43 years 9 mons 27 days|-43 years -9 mons -27 days|1 mon 1 day 23:00:00|NULL|00:00:01.5");
    expect(&f, CALL(&f, "date_diff", text(&f, "year"), b, a), "44|-44|0|NULL|1");
    expect(&f, CALL(&f, "datediff", text(&f, "month"), b, a), "526|-526|1|NULL|1");
    expect(&f, CALL(&f, "date_diff", text(&f, "week"), b, a), "2287|-2287|4|NULL|1");
    expect(&f, CALL(&f, "date_diff", text(&f, "day"), b, a), "16007|-16007|31|NULL|1");
    expect(&f, CALL(&f, "date_diff", text(&f, "hour"), b, a), "384168|-384168|743|NULL|1");
    expect(&f, CALL(&f, "date_diff", text(&f, "second"), b, a), "1383004800|-1383004800|2674800|NULL|1");
    expect(&f, CALL(&f, "date_diff", text(&f, "century"), b, a), "1|-1|0|NULL|0");
    expect(&f, CALL(&f, "date_diff", text(&f, "fortnight"), b, a), "!|!|!|NULL|!");
    expect(&f, CALL(&f, "date_bin", literal(&f, ARB_TYPE(INTERVAL), "15 minutes"), a),
           "2001-04-10 00:00:00|1957-06-13 00:00:00|2024-03-31 01:00:00|NULL|2024-01-01 00:00:00");
    expect(&f,
           CALL(&f, "date_bin", literal(&f, ARB_TYPE(INTERVAL), "7 days"), a,
                literal(&f, ARB_TYPE(TIMESTAMP), "2001-01-01")),
           "2001-04-09 00:00:00|1957-06-10 00:00:00|2024-03-25 00:00:00|NULL|2024-01-01 00:00:00");
    expect(&f, CALL(&f, "date_bin", literal(&f, ARB_TYPE(INTERVAL), "0 days"), a), "!|!|!|NULL|!");
    expect(&f, CALL(&f, "date_add", a, literal(&f, ARB_TYPE(INTERVAL), "1 mon")),
           "2001-05-10 00:00:00|1957-07-13 00:00:00|2024-04-30 01:00:00|NULL|2024-02-01 00:00:00.5");
    fixture_reset(&f);
    const arb_expr *d = add_column(&f, ARB_TYPE(DATE), "2024-03-01|2023-01-01|NULL");
    const arb_expr *e = add_column(&f, ARB_TYPE(DATE), "2024-02-28|2024-01-01|2024-01-01");
    expect(&f, CALL(&f, "date_diff", d, e), "2|-365|NULL");
    expect(&f, CALL(&f, "date_diff", text(&f, "quarter"), e, d), "0|-4|NULL");
    expect(&f, CALL(&f, "date_diff", text(&f, "minute"), e, d), "2880|-525600|NULL");
    expect(&f, CALL(&f, "date_sub", d, whole(&f, "1")), "2024-02-29|2022-12-31|NULL");
    fixture_reset(&f);
}

static void zones(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *t =
        add_column(&f, ARB_TYPE(TIMESTAMP), "2001-02-16 20:38:40|2001-07-16 20:38:40|NULL|2001-03-25 02:30:00");
    const arb_expr *z =
        add_column(&f, ARB_TYPE(TIMESTAMPTZ), "2001-02-16 20:38:40+00|2001-07-16 20:38:40.5+02|NULL|2001-01-01+00");
    const arb_expr *n = add_column(&f, ARB_TYPE(VARCHAR), "America/Denver|Europe/Berlin|UTC|Nowhere/Land");
    expect(&f, CALL(&f, "timezone", text(&f, "America/Denver"), t),
           "2001-02-17 03:38:40+00|2001-07-17 02:38:40+00|NULL|2001-03-25 09:30:00+00");
    expect(&f, CALL(&f, "timezone", text(&f, "Europe/Berlin"), z),
           "2001-02-16 21:38:40|2001-07-16 20:38:40.5|NULL|2001-01-01 01:00:00");
    expect(&f, CALL(&f, "timezone", n, t), "2001-02-17 03:38:40+00|2001-07-16 18:38:40+00|NULL|!");
    fixture_reset(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(cutting),
                                       cmocka_unit_test(making), cmocka_unit_test(distances),
                                       cmocka_unit_test(zones),  cmocka_unit_test(arithmetic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
