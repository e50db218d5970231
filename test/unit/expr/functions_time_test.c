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
    expect(&f, CALL(&f, "/", v, literal(&f, ARB_TYPE(INTEGER), "0")), "!|!|!");
    fixture_reset(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(cutting),
                                       cmocka_unit_test(arithmetic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
