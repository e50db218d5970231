/* text_read_time.c: dates, times and timestamps from text. */
#include "columnar/calendar.h"
#include "kernels/text_read.h"
#include "kernels/text_scan.h"

const char *const arb_month_names[12] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
const char *const arb_day_names[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

int arb_read_month_name(arb_str word)
{
    for (int i = 0; i < 12; i++) {
        arb_str name = arb_str_of(arb_month_names[i]);
        if (arb_str_equal_nocase(word, name) || arb_str_equal_nocase(word, (arb_str){name.data, 3}))
            return i + 1;
    }
    return arb_str_equal_nocase(word, ARB_STR("sept")) ? 9 : 0;
}

/* ---- dates ------------------------------------------------------------------------------------------------------------ */

typedef struct date_text {
    int64_t year, month, day;
} date_text;

/* "Dec 1, 1998" and "1 Dec 1998", with dashes also. */
static arb_read_result scan_named_date(arb_scan *scan, date_text *out)
{
    bool month_first = arb_scan_is_letter(arb_scan_peek(scan));
    if (!month_first) {
        if (arb_scan_number(scan, &out->day) == 0)
            return ARB_READ_MALFORMED;
        if (!arb_scan_spaces(scan) && !arb_scan_take(scan, '-'))
            return ARB_READ_MALFORMED;
    }
    out->month = arb_read_month_name(arb_scan_letters(scan));
    if (out->month == 0)
        return ARB_READ_MALFORMED;
    arb_scan_take(scan, '.');
    if (!arb_scan_spaces(scan) && !arb_scan_take(scan, '-'))
        return ARB_READ_MALFORMED;
    if (month_first) {
        if (arb_scan_number(scan, &out->day) == 0)
            return ARB_READ_MALFORMED;
        bool comma = arb_scan_take(scan, ',');
        if (!arb_scan_spaces(scan) && !comma && !arb_scan_take(scan, '-'))
            return ARB_READ_MALFORMED;
    }
    return arb_scan_number(scan, &out->year) >= 3 ? ARB_READ_OK : ARB_READ_MALFORMED;
}

static arb_read_result scan_date_fields(arb_scan *scan, date_text *out)
{
    arb_scan start = *scan;
    unsigned digits = arb_scan_number(scan, &out->year);
    if (digits == 8 && arb_scan_peek(scan) != '-' && arb_scan_peek(scan) != '/') {
        out->day = out->year % 100;
        out->month = out->year / 100 % 100;
        out->year /= 10000;
        return ARB_READ_OK;
    }
    char separator = arb_scan_peek(scan);
    bool plain = digits >= 3 && (separator == '-' || separator == '/');
    if (!plain) {
        *scan = start;
        return scan_named_date(scan, out);
    }
    scan->at++;
    if (arb_scan_number(scan, &out->month) == 0 || !arb_scan_take(scan, separator) ||
        arb_scan_number(scan, &out->day) == 0)
        return ARB_READ_MALFORMED;
    return ARB_READ_OK;
}

static arb_read_result scan_date(arb_scan *scan, date_text *out)
{
    arb_read_result outcome = scan_date_fields(scan, out);
    if (outcome != ARB_READ_OK)
        return outcome;
    bool in_range = out->month >= 1 && out->month <= 12 && out->day >= 1 && out->year >= 1 && out->year <= 5881580;
    return in_range ? ARB_READ_OK : ARB_READ_OUT_OF_RANGE;
}

/* " BC" at the end turns the year, and with it leap years move: so the day is checked here. */
static arb_read_result finish_date(arb_scan *scan, date_text *date, int64_t *out_days)
{
    arb_scan before = *scan;
    arb_scan_spaces(scan);
    arb_str word = arb_scan_letters(scan);
    if (arb_str_equal_nocase(word, ARB_STR("BC"))) {
        date->year = 1 - date->year;
    } else if (!arb_str_equal_nocase(word, ARB_STR("AD"))) {
        *scan = before;
    }
    if (date->day > arb_days_of_month(date->year, (int)date->month))
        return ARB_READ_OUT_OF_RANGE;
    *out_days = arb_days_from_civil(date->year, (int)date->month, (int)date->day);
    return *out_days >= INT32_MIN && *out_days <= INT32_MAX ? ARB_READ_OK : ARB_READ_OUT_OF_RANGE;
}

/* ---- times ------------------------------------------------------------------------------------------------------------ */

/* "PM" behind a time of twelve hours. */
static arb_read_result scan_half_day(arb_scan *scan, int64_t *hour)
{
    arb_scan before = *scan;
    arb_scan_spaces(scan);
    arb_str word = arb_scan_letters(scan);
    bool morning = arb_str_equal_nocase(word, ARB_STR("AM")), evening = arb_str_equal_nocase(word, ARB_STR("PM"));
    if (!morning && !evening) {
        *scan = before;
        return ARB_READ_OK;
    }
    if (*hour < 1 || *hour > 12)
        return ARB_READ_OUT_OF_RANGE;
    *hour = *hour % 12 + (evening ? 12 : 0);
    return ARB_READ_OK;
}

/* In units of 10^-digits seconds. */
static arb_read_result scan_time(arb_scan *scan, unsigned digits, int64_t *out_value)
{
    int64_t hour, minute = 0, second = 0, fraction = 0, unit = digits == 9 ? 1000000000 : 1000000;
    unsigned count = arb_scan_number(scan, &hour);
    if (count == 0)
        return ARB_READ_MALFORMED;
    if (count == 6 && arb_scan_peek(scan) != ':') {
        second = hour % 100;
        minute = hour / 100 % 100;
        hour /= 10000;
    } else if (!arb_scan_take(scan, ':') || arb_scan_number(scan, &minute) == 0) {
        return ARB_READ_MALFORMED;
    } else if (arb_scan_take(scan, ':') && arb_scan_number(scan, &second) == 0) {
        return ARB_READ_MALFORMED;
    }
    if (arb_scan_take(scan, '.'))
        fraction = arb_scan_fraction(scan, digits);
    arb_read_result outcome = scan_half_day(scan, &hour);
    if (outcome != ARB_READ_OK)
        return outcome;
    if (hour > 24 || minute > 59 || second > 59)
        return ARB_READ_OUT_OF_RANGE;
    *out_value = (hour * 3600 + minute * 60 + second) * unit + fraction;
    return *out_value <= 86400 * unit ? ARB_READ_OK : ARB_READ_OUT_OF_RANGE;
}

arb_read_result arb_read_time(arb_str text, int64_t *out_micros)
{
    arb_scan scan = arb_scan_of(text);
    arb_read_result outcome = scan_time(&scan, 6, out_micros);
    return outcome == ARB_READ_OK && !arb_scan_done(&scan) ? ARB_READ_MALFORMED : outcome;
}

/* ---- zones ------------------------------------------------------------------------------------------------------------ */

static arb_read_result scan_offset(arb_scan *scan, arb_zone_text *out_zone)
{
    bool negative = arb_scan_peek(scan) == '-';
    scan->at++;
    int64_t hours, minutes = 0, seconds = 0;
    unsigned count = arb_scan_number(scan, &hours);
    if (count == 0 || count == 3 || count > 4)
        return ARB_READ_MALFORMED;
    if (count == 4) {
        minutes = hours % 100;
        hours /= 100;
    } else if (arb_scan_take(scan, ':')) {
        if (arb_scan_number(scan, &minutes) == 0 || (arb_scan_take(scan, ':') && arb_scan_number(scan, &seconds) == 0))
            return ARB_READ_MALFORMED;
    }
    if (hours > 15 || minutes > 59 || seconds > 59)
        return ARB_READ_OUT_OF_RANGE;
    out_zone->given = true;
    out_zone->offset = hours * 3600 + minutes * 60 + seconds;
    if (negative)
        out_zone->offset = -out_zone->offset;
    return ARB_READ_OK;
}

static bool is_zone_letter(char c)
{
    return arb_scan_is_letter(c) || arb_scan_is_digit(c) || c == '/' || c == '_' || c == '-' || c == '+';
}

static arb_read_result scan_zone(arb_scan *scan, arb_zone_text *out_zone)
{
    *out_zone = (arb_zone_text){0};
    arb_scan before = *scan;
    bool spaced = arb_scan_spaces(scan);
    char first = arb_scan_peek(scan);
    if (first == '+' || first == '-')
        return scan_offset(scan, out_zone);
    if (!arb_scan_is_letter(first))
        return ARB_READ_OK;
    const char *from = scan->at;
    while (scan->at < scan->end && is_zone_letter(*scan->at))
        scan->at++;
    arb_str name = {from, (size_t)(scan->at - from)};
    if (arb_str_equal_nocase(name, ARB_STR("BC")) || arb_str_equal_nocase(name, ARB_STR("AD"))) {
        *scan = before;
        return ARB_READ_OK;
    }
    out_zone->given = true;
    bool utc = arb_str_equal_nocase(name, ARB_STR("Z")) || arb_str_equal_nocase(name, ARB_STR("UTC")) ||
               arb_str_equal_nocase(name, ARB_STR("GMT"));
    if (!utc)
        out_zone->name = name;
    return utc || spaced ? ARB_READ_OK : ARB_READ_MALFORMED;
}

/* ---- timestamps ------------------------------------------------------------------------------------------------------- */

/* A day, the time within it in units of 10^-digits seconds (a whole day at most), and the zone. */
static arb_read_result scan_timestamp(arb_str text, unsigned digits, int64_t *out_days, int64_t *out_time,
                                      arb_zone_text *out_zone)
{
    arb_scan scan = arb_scan_of(text);
    date_text date;
    *out_time = 0;
    *out_zone = (arb_zone_text){0};
    arb_read_result outcome = scan_date(&scan, &date);
    if (outcome != ARB_READ_OK)
        return outcome;
    arb_scan before = scan;
    bool separated = arb_scan_spaces(&scan) || arb_scan_take(&scan, 'T') || arb_scan_take(&scan, 't');
    if (separated && arb_scan_is_digit(arb_scan_peek(&scan)))
        outcome = scan_time(&scan, digits, out_time);
    else
        scan = before;
    if (outcome == ARB_READ_OK)
        outcome = scan_zone(&scan, out_zone);
    if (outcome == ARB_READ_OK)
        outcome = finish_date(&scan, &date, out_days);
    return outcome == ARB_READ_OK && !arb_scan_done(&scan) ? ARB_READ_MALFORMED : outcome;
}

arb_read_result arb_read_timestamp(arb_str text, bool nanoseconds, int64_t *out_value, arb_zone_text *out_zone)
{
    int64_t days, time;
    arb_read_result outcome = scan_timestamp(text, nanoseconds ? 9 : 6, &days, &time, out_zone);
    if (outcome != ARB_READ_OK)
        return outcome;
    /* Wide, since the first midnight lies before the first time. */
    arb_int128 value = (arb_int128)days * (ARB_MICROS_DAY * (nanoseconds ? 1000 : 1)) + time;
    *out_value = (int64_t)value;
    return value == *out_value ? ARB_READ_OK : ARB_READ_OUT_OF_RANGE;
}

arb_read_result arb_read_date(arb_str text, int32_t *out_days)
{
    arb_scan scan = arb_scan_of(text);
    date_text date;
    int64_t days, time = 0;
    arb_read_result outcome = scan_date(&scan, &date);
    if (outcome == ARB_READ_OK)
        outcome = finish_date(&scan, &date, &days);
    if (outcome == ARB_READ_OK && !arb_scan_done(&scan)) {
        arb_zone_text zone;
        outcome = scan_timestamp(text, 6, &days, &time, &zone);
        if (outcome == ARB_READ_OK && zone.name.size != 0) /* most likely no zone at all */
            outcome = ARB_READ_MALFORMED;
    }
    if (outcome != ARB_READ_OK)
        return outcome;
    days += time / ARB_MICROS_DAY; /* 24:00 is the next day */
    *out_days = (int32_t)days;
    return days == *out_days ? ARB_READ_OK : ARB_READ_OUT_OF_RANGE;
}
