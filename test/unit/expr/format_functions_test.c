/* to_char, to_date, to_timestamp by PostgreSQL's own answers; strftime and strptime by what their manuals say. */
#include "unit/expr/program_fixture.h"

static const arb_expr *text(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(VARCHAR), value);
}

static void times_by_templates(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *expected;
    } cases[] = {
        {"YYYY-MM-DD HH24:MI:SS", "2001-02-16 20:38:40|1999-12-31 00:05:09|0044-03-15 12:00:00|2024-12-30 23:59:59"},
        {"FMMonth FMDD, YYYY AD", "February 16, 2001 AD|December 31, 1999 AD|March 15, 0044 BC|December 30, 2024 AD"},
        {"DAY Dy Month;MON", "FRIDAY    Fri February ;FEB|FRIDAY    Fri December ;DEC|FRIDAY    Fri March    "
                             ";MAR|MONDAY    Mon December ;DEC"},
        {"HH12:MI:SS p.m. MS US",
         "08:38:40 p.m. 123 123456|12:05:09 a.m. 000 000000|12:00:00 p.m. 000 000000|11:59:59 p.m. 500 500000"},
        {"DDD D ID W WW IW IYYY Q CC J", "047 6 5 3 07 07 2001 1 21 2451957|365 6 5 5 53 52 1999 4 20 2451544|074 6 5 "
                                         "3 11 11 0044 1 -01 1705428|365 2 1 5 53 01 2025 4 21 2460675"},
        {"FMDDth FMHH24 \"o'clock HH\" Y,YYY YYY YY Y",
         "16th 20 o'clock HH 2,001 001 01 1|31st 0 o'clock HH 1,999 999 99 9|15th 12 o'clock HH 0,044 044 44 4|30th 23 "
         "o'clock HH 2,024 024 24 4"},
        {"SSSS FF3 RM rm am bc",
         "74320 123 II   ii   pm ad|309 000 XII  xii  am ad|43200 000 III  iii  pm bc|86399 500 XII  xii  pm ad"},
        {"IDDD FMDDD FMDay dd dy",
         "047 47 Friday 16 fri|362 365 Friday 31 fri|075 74 Friday 15 fri|001 365 Monday 30 mon"},
    };
    fixture f = {0};
    const arb_expr *t =
        add_column(&f, ARB_TYPE(TIMESTAMP),
                   "2001-02-16 20:38:40.123456|1999-12-31 00:05:09|0044-03-15 12:00:00 BC|2024-12-30 23:59:59.5");
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++)
        expect(&f, CALL(&f, "to_char", t, text(&f, cases[i].pattern)), cases[i].expected);
    expect(&f, CALL(&f, "strftime", t, text(&f, "%Y-%m-%d %H:%M:%S.%f")),
           "2001-02-16 20:38:40.123456|1999-12-31 00:05:09.000000|-43-03-15 12:00:00.000000|2024-12-30 "
           "23:59:59.500000");
    expect(&f, CALL(&f, "strftime", t, text(&f, "%a %A %b %B %-d %I%p %j %y %u %w 100%%")),
           "Fri Friday Feb February 16 08PM 047 01 5 5 100%|Fri Friday Dec December 31 12AM 365 99 5 5 100%|Fri Friday "
           "Mar March 15 12PM 074 57 5 5 100%|Mon Monday Dec December 30 11PM 365 24 1 1 100%");
    expect(&f, CALL(&f, "strftime", t, text(&f, "%F %T %U %W %V %G %s")),
           "2001-02-16 20:38:40 06 07 07 2001 982355920|1999-12-31 00:05:09 52 52 52 1999 946598709|-43-03-15 12:00:00 "
           "10 10 11 -0043 -63517780800|2024-12-30 23:59:59 52 53 01 2025 1735603199");
    expect(&f, CALL(&f, "strftime", t, text(&f, "%Q")), "!|!|!|!");
    fixture_reset(&f);
}

static void numbers_by_templates(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *expected;
    } cases[] = {
        {"999", "  12|-485|   0|   0| ###|  -1| 149"},
        {"9999.99", "   12.00| -485.00|     .00|     .10| ####.##|    -.50|  148.50"},
        {"0999.9", " 0012.0|-0485.0| 0000.0| 0000.1| ####.#|-0000.5| 0148.5"},
        {"9,999,999.99",
         "        12.00|      -485.00|          .00|          .10| 1,234,567.89|         -.50|       148.50"},
        {"FM999.99", "12.|-485.|0.|.1|###.##|-.5|148.5"},
        {"FM999.90", "12.00|-485.00|.00|.10|###.##|-.50|148.50"},
        {"S999", " +12|-485|  +0|  +0|+###|  -1|+149"},
        {"999S", " 12+|485-|  0+|  0+|###+|  1-|149+"},
        {"MI999", "  12|-485|   0|   0| ###|-  1| 149"},
        {"999MI", " 12 |485-|  0 |  0 |### |  1-|149 "},
        {"999PR", "  12 |<485>|   0 |   0 | ### |  <1>| 149 "},
        {"PL999", "+  12| -485|+   0|+   0|+ ###|   -1|+ 149"},
        {"SG999", "+ 12|-485|+  0|+  0|+###|-  1|+149"},
        {"9.9", " #.#|-#.#|  .0|  .1| #.#| -.5| #.#"},
        {"FM9,999.99", "12.|-485.|0.|.1|#,###.##|-.5|148.5"},
        {"\"Good number:\"999", "Good number:  12|Good number:-485|Good number:   0|Good number:   0|Good number: "
                                "###|Good number:  -1|Good number: 149"},
    };
    fixture f = {0};
    const arb_expr *d = add_column(&f, arb_type_decimal(12, 3), "12|-485|0|0.1|1234567.891|-0.5|148.5");
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++)
        expect(&f, CALL(&f, "to_char", d, text(&f, cases[i].pattern)), cases[i].expected);
    expect(&f, CALL(&f, "to_char", d, text(&f, "9.9.9")), "!|!|!|!|!|!|!");
    expect(&f, CALL(&f, "to_char", d, text(&f, "9.9EEEE")), "!|!|!|!|!|!|!");
    fixture_reset(&f);
    const arb_expr *r = add_column(&f, ARB_TYPE(DOUBLE), "125.8|-0.125|NULL|NaN|1e300");
    expect(&f, CALL(&f, "to_char", r, text(&f, "999D9")), " 125.8|   -.1|NULL| ###.#| ###.#");
    fixture_reset(&f);
    const arb_expr *i = add_column(&f, ARB_TYPE(INTEGER), "125|-7|NULL");
    expect(&f, CALL(&f, "to_char", i, text(&f, "FM00000")), "00125|-00007|NULL");
    expect(&f, CALL(&f, "to_char", i, text(&f, "999.99")), " 125.00|  -7.00|NULL");
    fixture_reset(&f);
}

static void reading(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern, *expected;
    } dates[] =
        {
            {"05 Dec 2000", "DD Mon YYYY", "2000-12-05"},
            {"2000-12-31", "YYYY/MM/DD", "2000-12-31"},
            {"20001231", "YYYYMMDD", "2000-12-31"},
            {"Friday, 2 JANUARY 98", "Day, DD Month YY", "1998-01-02"},
            {"2001 045", "YYYY DDD", "2001-02-14"},
            {"2000-13-01", "YYYY-MM-DD", "!"},
            {"12/31/2000 extra", "MM/DD/YYYY", "2000-12-31"},
            {"2451545", "J", "2000-01-01"},
            {"44-03-15 BC", "YYYY-MM-DD BC", "0044-03-15 BC"},
        },
      stamps[] =
          {
              {"05 Dec 2000 07:08:09 PM", "DD Mon YYYY HH12:MI:SS AM", "2000-12-05 19:08:09+00"},
              {"2000-12-31T23:59:59.123456", "YYYY-MM-DD\"T\"HH24:MI:SS.US", "2000-12-31 23:59:59.123456+00"},
              {"2000-12-31 23:59:59.5 +02", "YYYY-MM-DD HH24:MI:SS.MS TZH", "2000-12-31 21:59:59.5+00"},
              {"2000-12-31 25:00", "YYYY-MM-DD HH24:MI", "!"},
          },
      formats[] = {
          {"1992-03-02 20:32:45", "%Y-%m-%d %H:%M:%S", "1992-03-02 20:32:45"},
          {"Wed, 1 January 1992 - 08:38:40 PM", "%a, %-d %B %Y - %I:%M:%S %p", "1992-01-01 20:38:40"},
          {"19920302", "%Y%m%d", "1992-03-02 00:00:00"},
          {"02/03/92 extra", "%d/%m/%y", "!"},
          {"2024-02-30", "%Y-%m-%d", "!"},
          {"2024-01-01T00:00:00.25+02:30", "%Y-%m-%dT%H:%M:%S.%f%z", "2023-12-31 21:30:00.25"},
          {"1700000000", "%s", "2023-11-14 22:13:20"},
          {"", "%Y", "!"},
      };
    fixture f = {0};
    for (size_t i = 0; i < ARB_COUNT_OF(dates); i++) {
        const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), dates[i].text);
        expect(&f, CALL(&f, "to_date", s, text(&f, dates[i].pattern)), dates[i].expected);
        fixture_reset(&f);
    }
    for (size_t i = 0; i < ARB_COUNT_OF(stamps); i++) {
        const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), stamps[i].text);
        expect(&f, CALL(&f, "to_timestamp", s, text(&f, stamps[i].pattern)), stamps[i].expected);
        fixture_reset(&f);
    }
    for (size_t i = 0; i < ARB_COUNT_OF(formats); i++) {
        const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), formats[i].text);
        bool wrong = strcmp(formats[i].expected, "!") == 0;
        expect(&f, CALL(&f, "strptime", s, text(&f, formats[i].pattern)), formats[i].expected);
        expect(&f, CALL(&f, "try_strptime", s, text(&f, formats[i].pattern)), wrong ? "NULL" : formats[i].expected);
        fixture_reset(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_by_templates), cmocka_unit_test(numbers_by_templates),
                                       cmocka_unit_test(reading)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
