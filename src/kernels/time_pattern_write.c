/* time_pattern_write.c: a point in time as its pattern shows it. */
#include "columnar/calendar.h"
#include "kernels/time_pattern_internal.h"

typedef struct broken_time {
    int64_t micros, days, year, iso_year;
    arb_civil civil;
    int64_t of_day; /* microseconds */
    unsigned nanoseconds;
    int week, weekday;
    bool exact; /* strftime's years: 0 is 1 BC */
} broken_time;

static void put_name(arb_text *out, const char *name, size_t size, unsigned modifier)
{
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter && modifier == NAME_UPPER)
            c &= (char)~0x20;
        else if (letter && modifier == NAME_LOWER)
            c |= 0x20;
        arb_text_append_char(out, c);
    }
}

static void put_padded_name(arb_text *out, const char *name, size_t size, const arb_time_item *item)
{
    put_name(out, name, size, item->modifier & 3u);
    if (!item->bare && size < item->width)
        arb_text_append_repeated(out, ' ', item->width - size);
}

static void put_number(arb_text *out, int64_t value, const arb_time_item *item)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    if (item->bare)
        arb_text_printf(out, "%lld", (long long)value);
    else
        arb_text_printf(out, "%0*lld", item->width + (value < 0), (long long)value);
    if (!item->ordinal)
        return;
    int64_t last = value % 100 < 0 ? -(value % 100) : value % 100;
    const char *ending = endings[last / 10 != 1 && last % 10 < 4 ? last % 10 : 0];
    put_name(out, ending, 2, item->modifier);
}

static void put_fraction(arb_text *out, const broken_time *time, unsigned digits)
{
    uint64_t fraction = (uint64_t)(time->of_day % ARB_MICROS_SECOND) * 1000 + time->nanoseconds;
    for (unsigned i = digits; i < 9; i++)
        fraction /= 10;
    arb_text_printf(out, "%0*llu", (int)digits, (unsigned long long)fraction);
}

static int64_t cut_year(int64_t year, unsigned width)
{
    static const int64_t powers[] = {1, 10, 100, 1000};
    return width >= 4 ? year : arb_floor_modulo(year, powers[width]);
}

static int64_t number_of(const broken_time *time, const arb_time_item *item)
{
    int day_of_year = arb_day_of_year(time->days, time->civil);
    int64_t hour = time->of_day / ARB_MICROS_HOUR;
    switch ((time_field)item->field) {
    case TIME_YEAR:
        return cut_year(time->exact || time->year > 0 ? time->year : 1 - time->year, item->width);
    case TIME_ISO_YEAR:
        return cut_year(time->exact || time->iso_year > 0 ? time->iso_year : 1 - time->iso_year, item->width);
    case TIME_CENTURY:
        return time->year > 0 ? (time->year + 99) / 100 : -((99 - (time->year - 1)) / 100);
    case TIME_QUARTER:
        return (time->civil.month + 2) / 3;
    case TIME_MONTH:
        return time->civil.month;
    case TIME_DAY:
        return time->civil.day;
    case TIME_DAY_OF_YEAR:
        return item->modifier == 1 && !item->ordinal ? (time->week - 1) * 7 + (time->weekday + 6) % 7 + 1 : day_of_year;
    case TIME_DAY_OF_WEEK:
        return time->weekday + 1;
    case TIME_DAY_OF_WEEK_0:
        return time->weekday;
    case TIME_ISO_DAY_OF_WEEK:
        return time->weekday == 0 ? 7 : time->weekday;
    case TIME_WEEK_OF_MONTH:
        return (time->civil.day - 1) / 7 + 1;
    case TIME_WEEK_OF_YEAR:
        return (day_of_year - 1) / 7 + 1;
    case TIME_ISO_WEEK:
        return time->week;
    case TIME_SUNDAY_WEEK:
        return (day_of_year + 6 - time->weekday) / 7;
    case TIME_MONDAY_WEEK:
        return (day_of_year + 6 - (time->weekday + 6) % 7) / 7;
    case TIME_JULIAN:
        return time->days + 2440588;
    case TIME_HOUR:
        return hour;
    case TIME_HOUR_12:
        return hour % 12 == 0 ? 12 : hour % 12;
    case TIME_MINUTE:
        return time->of_day / ARB_MICROS_MINUTE % 60;
    case TIME_SECOND:
        return time->of_day / ARB_MICROS_SECOND % 60;
    case TIME_SECOND_OF_DAY:
        return time->of_day / ARB_MICROS_SECOND;
    case TIME_EPOCH:
        return arb_floor_divide(time->micros, ARB_MICROS_SECOND);
    default:
        return 0;
    }
}

static void put_item(arb_text *out, const broken_time *time, const arb_time_item *item, arb_str zone)
{
    static const char *const romans[] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};
    const char *name = NULL;
    bool dotted = (item->modifier & NAME_DOTTED) != 0, late = time->of_day >= 12 * ARB_MICROS_HOUR;
    switch ((time_field)item->field) {
    case TIME_LITERAL:
        arb_text_append_str(out, item->literal);
        return;
    case TIME_YEAR_COMMA: {
        int64_t year = time->year > 0 ? time->year : 1 - time->year;
        arb_text_printf(out, "%lld,%03lld", (long long)(year / 1000), (long long)(year % 1000));
        return;
    }
    case TIME_ERA:
        name = time->year > 0 ? (dotted ? "A.D." : "AD") : (dotted ? "B.C." : "BC");
        break;
    case TIME_MERIDIEM:
        name = late ? (dotted ? "P.M." : "PM") : (dotted ? "A.M." : "AM");
        break;
    case TIME_MONTH_NAME:
        name = arb_month_names[time->civil.month - 1];
        break;
    case TIME_DAY_NAME:
        name = arb_day_names[time->weekday];
        break;
    case TIME_MONTH_SHORT:
        put_name(out, arb_month_names[time->civil.month - 1], 3, item->modifier);
        return;
    case TIME_DAY_SHORT:
        put_name(out, arb_day_names[time->weekday], 3, item->modifier);
        return;
    case TIME_MONTH_ROMAN:
        name = romans[time->civil.month - 1];
        break;
    case TIME_FRACTION:
        put_fraction(out, time, item->width);
        return;
    case TIME_ZONE:
        put_name(out, zone.data, zone.size, item->modifier);
        return;
    case TIME_OFFSET:
        arb_text_append_str(out, ARB_STR("+00"));
        return;
    case TIME_OFFSET_MINUTE:
        arb_text_append_str(out, ARB_STR("00"));
        return;
    default:
        put_number(out, number_of(time, item), item);
        return;
    }
    put_padded_name(out, name, strlen(name), item);
}

void arb_time_pattern_write(const arb_time_pattern *pattern, int64_t micros, unsigned nanoseconds, arb_str zone,
                            arb_text *out)
{
    broken_time time = {.micros = micros, .nanoseconds = nanoseconds, .exact = pattern->exact};
    time.days = arb_floor_divide(micros, ARB_MICROS_DAY);
    time.of_day = arb_floor_modulo(micros, ARB_MICROS_DAY);
    time.civil = arb_civil_from_days(time.days);
    time.year = time.civil.year;
    time.week = arb_iso_week(time.days, &time.iso_year);
    time.weekday = arb_weekday(time.days);
    for (size_t i = 0; i < pattern->items.size; i++)
        put_item(out, &time, &pattern->items.data[i], zone);
}
