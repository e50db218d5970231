/* time_pattern_read.c: a point in time from a text that follows a pattern.
 *
 * A template is lenient, as PostgreSQL's are: spaces in front of a field are skipped, a separator stands for any other,
 * and what follows is ignored. strptime's formats must be met exactly, but for the amount of white space. */
#include "columnar/calendar.h"
#include "kernels/time_pattern_internal.h"

typedef struct read_time {
    const char *at, *end;
    int64_t year, month, day, day_of_year, julian;
    int64_t hour, minute, second, nanoseconds, second_of_day, epoch, offset;
    bool has_julian, has_day_of_year, has_second_of_day, has_epoch, hour_of_12, late, has_meridiem, before_christ;
} read_time;

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
    return c > 0 && !is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void skip_spaces(read_time *time)
{
    while (time->at < time->end && is_space(*time->at))
        time->at++;
}

static bool skip_literal(read_time *time, arb_str literal, bool exact)
{
    for (size_t i = 0; i < literal.size; i++) {
        char c = literal.data[i];
        if (is_space(c)) {
            skip_spaces(time);
        } else if (time->at < time->end && (*time->at == c || (!exact && is_separator(c) && is_separator(*time->at)))) {
            time->at++;
        } else if (exact || !is_separator(c)) {
            return false;
        }
    }
    return true;
}

/* Up to `most` digits. */
static bool read_number(read_time *time, unsigned most, int64_t *out)
{
    const char *begin = time->at;
    *out = 0;
    for (; time->at < time->end && is_digit(*time->at) && time->at < begin + most; time->at++)
        *out = *out * 10 + (*time->at - '0');
    return time->at > begin;
}

/* One of the names, or the first three letters of one; its number, or -1. */
static int read_name(read_time *time, const char *const *names, int count)
{
    for (int short_name = 0; short_name < 2; short_name++)
        for (int i = 0; i < count; i++) {
            arb_str name = arb_str_of(names[i]);
            name.size = short_name != 0 ? 3 : name.size;
            if ((size_t)(time->end - time->at) >= name.size &&
                arb_str_equal_nocase(name, (arb_str){time->at, name.size})) {
                time->at += name.size;
                return i;
            }
        }
    return -1;
}

/* 'A' or 'B' or 'P', possibly dots, then 'M', 'C' or 'D': 0 or 1, or -1. */
static int read_mark(read_time *time, const char *first, const char *second)
{
    for (int i = 0; i < 2; i++) {
        const char *mark = i == 0 ? first : second, *at = time->at;
        size_t matched = 0;
        for (; at < time->end && matched < 2 && (*at & ~0x20) == mark[matched]; matched++) {
            at++;
            if (at < time->end && *at == '.')
                at++;
        }
        if (matched == 2) {
            time->at = at;
            return i;
        }
    }
    return -1;
}

static bool read_fraction(read_time *time)
{
    int64_t scale = 100000000;
    const char *begin = time->at;
    time->nanoseconds = 0;
    for (; time->at < time->end && is_digit(*time->at); time->at++, scale /= 10)
        time->nanoseconds += (*time->at - '0') * scale;
    return time->at > begin;
}

static bool read_offset(read_time *time)
{
    int64_t hours, minutes = 0;
    if (time->at < time->end && (*time->at == 'Z' || *time->at == 'z')) {
        time->at++;
        return true;
    }
    if (time->at == time->end || (*time->at != '+' && *time->at != '-'))
        return false;
    int sign = *time->at++ == '-' ? -1 : 1;
    if (!read_number(time, 2, &hours))
        return false;
    if (time->at < time->end && *time->at == ':')
        time->at++;
    if (time->at < time->end && is_digit(*time->at) && !read_number(time, 2, &minutes))
        return false;
    time->offset = sign * (hours * 3600 + minutes * 60);
    return hours <= 15 && minutes <= 59;
}

static bool read_year(read_time *time, const arb_time_item *item, bool next_is_number)
{
    bool negative = item->width >= 4 && time->at < time->end && *time->at == '-';
    time->at += negative;
    const char *begin = time->at;
    if (!read_number(time, item->width >= 4 && !next_is_number ? 7 : item->width, &time->year))
        return false;
    if (time->at - begin <= 2 && item->width < 4) /* 70 to 99 are of the last century */
        time->year += time->year < 70 ? 2000 : 1900;
    else if (item->width == 3)
        time->year += time->year < 520 ? 2000 : 1000;
    if (negative)
        time->year = -time->year;
    return true;
}

static bool read_epoch(read_time *time)
{
    bool negative = time->at < time->end && *time->at == '-';
    time->at += negative;
    time->has_epoch = read_number(time, 12, &time->epoch);
    time->epoch = negative ? -time->epoch : time->epoch;
    return time->has_epoch;
}

static bool read_item(read_time *time, const arb_time_item *item, bool next_is_number)
{
    static const char *const romans[] = {"XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I"};
    int64_t ignored;
    int found;
    switch ((time_field)item->field) {
    case TIME_YEAR:
        return read_year(time, item, next_is_number);
    case TIME_MONTH:
        return read_number(time, 2, &time->month);
    case TIME_MONTH_NAME:
    case TIME_MONTH_SHORT:
        found = read_name(time, arb_month_names, 12);
        time->month = found + 1;
        return found >= 0;
    case TIME_MONTH_ROMAN:
        for (int i = 0; i < 12; i++) {
            arb_str roman = arb_str_of(romans[i]);
            if ((size_t)(time->end - time->at) >= roman.size &&
                arb_str_equal_nocase(roman, (arb_str){time->at, roman.size})) {
                time->at += roman.size;
                time->month = 12 - i;
                return true;
            }
        }
        return false;
    case TIME_DAY:
        return read_number(time, 2, &time->day);
    case TIME_DAY_OF_YEAR:
        return time->has_day_of_year = item->modifier != 1 && read_number(time, 3, &time->day_of_year);
    case TIME_DAY_NAME:
    case TIME_DAY_SHORT:
        return read_name(time, arb_day_names, 7) >= 0;
    case TIME_DAY_OF_WEEK:
    case TIME_DAY_OF_WEEK_0:
    case TIME_ISO_DAY_OF_WEEK:
    case TIME_QUARTER:
        return read_number(time, 1, &ignored);
    case TIME_JULIAN:
        return time->has_julian = read_number(time, 8, &time->julian);
    case TIME_HOUR:
        return read_number(time, 2, &time->hour);
    case TIME_HOUR_12:
        time->hour_of_12 = true;
        return read_number(time, 2, &time->hour);
    case TIME_MINUTE:
        return read_number(time, 2, &time->minute);
    case TIME_SECOND:
        return read_number(time, 2, &time->second);
    case TIME_FRACTION:
        return read_fraction(time);
    case TIME_SECOND_OF_DAY:
        return time->has_second_of_day = read_number(time, 5, &time->second_of_day);
    case TIME_EPOCH:
        return read_epoch(time);
    case TIME_MERIDIEM:
        found = read_mark(time, "AM", "PM");
        time->has_meridiem = found >= 0;
        time->late = found == 1;
        return found >= 0;
    case TIME_ERA:
        found = read_mark(time, "AD", "BC");
        time->before_christ = found == 1;
        return found >= 0;
    case TIME_OFFSET:
        return read_offset(time);
    default: /* weeks and names of zones are written only */
        return false;
    }
}

static arb_read_result join_day(const read_time *time, int64_t *out_days)
{
    int64_t year = time->before_christ ? 1 - time->year : time->year;
    if (time->has_julian) {
        *out_days = time->julian - 2440588;
        return ARB_READ_OK;
    }
    if (year > 290000 || year < -290000)
        return ARB_READ_OUT_OF_RANGE;
    if (time->has_day_of_year) {
        *out_days = arb_days_from_civil(year, 1, 1) + time->day_of_year - 1;
        return time->day_of_year >= 1 && time->day_of_year <= 365 + arb_is_leap_year(year) ? ARB_READ_OK
                                                                                           : ARB_READ_OUT_OF_RANGE;
    }
    if (time->month < 1 || time->month > 12 || time->day < 1 || time->day > arb_days_of_month(year, (int)time->month))
        return ARB_READ_OUT_OF_RANGE;
    *out_days = arb_days_from_civil(year, (int)time->month, (int)time->day);
    return ARB_READ_OK;
}

static arb_read_result join(const read_time *time, int64_t *out_micros)
{
    int64_t days, hour = time->hour, second;
    if (time->has_epoch) {
        *out_micros = time->epoch * ARB_MICROS_SECOND + time->nanoseconds / 1000;
        return ARB_READ_OK;
    }
    arb_read_result outcome = join_day(time, &days);
    if (outcome != ARB_READ_OK)
        return outcome;
    if ((time->hour_of_12 || time->has_meridiem) && (hour < 1 || hour > 12) && time->hour_of_12)
        return ARB_READ_OUT_OF_RANGE;
    if (time->has_meridiem)
        hour = hour % 12 + (time->late ? 12 : 0);
    if (hour > 24 || time->minute > 59 || time->second > 60 || time->second_of_day > 86400)
        return ARB_READ_OUT_OF_RANGE;
    second = time->has_second_of_day ? time->second_of_day : hour * 3600 + time->minute * 60 + time->second;
    second -= time->offset;
    arb_int128 micros = (arb_int128)days * ARB_MICROS_DAY + second * ARB_MICROS_SECOND + time->nanoseconds / 1000;
    if (micros > INT64_MAX || micros < INT64_MIN)
        return ARB_READ_OUT_OF_RANGE;
    *out_micros = (int64_t)micros;
    return ARB_READ_OK;
}

arb_read_result arb_time_pattern_read(const arb_time_pattern *pattern, arb_str text, int64_t *out_micros)
{
    read_time time = {.at = text.data, .end = text.data + text.size, .year = pattern->exact ? 1900 : 0, .month = 1};
    time.day = 1;
    if (!pattern->exact)
        time.year = 1; /* PostgreSQL's 1 BC helps nobody */
    *out_micros = 0;
    for (size_t i = 0; i < pattern->items.size; i++) {
        const arb_time_item *item = &pattern->items.data[i];
        bool last = i + 1 == pattern->items.size;
        bool next_is_number = !last && pattern->items.data[i + 1].field != TIME_LITERAL;
        if (item->field == TIME_LITERAL) {
            if (!skip_literal(&time, item->literal, pattern->exact))
                return ARB_READ_MALFORMED;
            continue;
        }
        if (!pattern->exact)
            skip_spaces(&time);
        if (!read_item(&time, item, next_is_number)) {
            if (time.at == time.end && !pattern->exact) /* a template may go on behind the text */
                break;
            return ARB_READ_MALFORMED;
        }
        if (item->ordinal)
            time.at += time.end - time.at >= 2 ? 2 : 0;
    }
    if (pattern->exact) {
        skip_spaces(&time);
        if (time.at != time.end)
            return ARB_READ_MALFORMED;
    }
    return join(&time, out_micros);
}
