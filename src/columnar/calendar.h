/* calendar.h: days and the proleptic Gregorian calendar.
 *
 * A date is the number of days since 1970-01-01, a timestamp the number of micro- or nanoseconds since its midnight.
 * Years are astronomical: 0 is 1 BC. All functions take any day that fits 32 bits and do not fail. */
#ifndef ARB_COLUMNAR_CALENDAR_H
#define ARB_COLUMNAR_CALENDAR_H

#include "base/compiler.h"

#define ARB_MICROS_SECOND INT64_C(1000000)
#define ARB_MICROS_MINUTE (60 * ARB_MICROS_SECOND)
#define ARB_MICROS_HOUR (60 * ARB_MICROS_MINUTE)
#define ARB_MICROS_DAY (24 * ARB_MICROS_HOUR)

typedef struct arb_civil {
    int64_t year;
    int month, day; /* 1 to 12, 1 to 31 */
} arb_civil;

ARB_INLINE int64_t arb_floor_divide(int64_t value, int64_t positive)
{
    int64_t quotient = value / positive;
    return quotient - (value % positive < 0);
}

ARB_INLINE int64_t arb_floor_modulo(int64_t value, int64_t positive)
{
    int64_t rest = value % positive;
    return rest < 0 ? rest + positive : rest;
}

/* A year is counted from March, so that the leap day is its last; eras of 400 years have 146,097 days each. `month`
 * must be 1 to 12; a day behind the month's end runs on into the next one. */
ARB_INLINE int64_t arb_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = arb_floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

ARB_INLINE arb_civil arb_civil_from_days(int64_t days)
{
    days += 719468;
    int64_t era = arb_floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
    arb_civil civil;
    civil.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    civil.month = (int)(month < 10 ? month + 3 : month - 9);
    civil.year = year_of_era + era * 400 + (civil.month <= 2);
    return civil;
}

ARB_INLINE bool arb_is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

ARB_INLINE int arb_days_of_month(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && arb_is_leap_year(year) ? 29 : days[month - 1];
}

/* 1 for 1 January. */
ARB_INLINE int arb_day_of_year(int64_t days, arb_civil civil)
{
    return (int)(days - arb_days_from_civil(civil.year, 1, 1)) + 1;
}

/* 0 for Sunday to 6 for Saturday. */
ARB_INLINE int arb_weekday(int64_t days)
{
    return (int)arb_floor_modulo(days + 4, 7);
}

/* The same day some months on, or the month's last one when it is shorter: 31 January + 1 month is 28 February. */
ARB_INLINE int64_t arb_days_add_months(int64_t days, int64_t months)
{
    arb_civil civil = arb_civil_from_days(days);
    int64_t month = civil.year * 12 + (civil.month - 1) + months;
    int64_t year = arb_floor_divide(month, 12);
    int of_year = (int)arb_floor_modulo(month, 12) + 1;
    int last = arb_days_of_month(year, of_year);
    return arb_days_from_civil(year, of_year, civil.day < last ? civil.day : last);
}

/* The ISO 8601 week: its number and the year that it belongs to (the one of its Thursday). */
ARB_INLINE int arb_iso_week(int64_t days, int64_t *out_year)
{
    int64_t thursday = days - arb_floor_modulo(days + 3, 7) + 3;
    arb_civil civil = arb_civil_from_days(thursday);
    *out_year = civil.year;
    return (int)((thursday - arb_days_from_civil(civil.year, 1, 1)) / 7) + 1;
}

#endif
