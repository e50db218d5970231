/* text_read_interval.c: intervals from text, in PostgreSQL's, the standard's and ISO 8601's forms. */
#include <math.h>

#include "columnar/calendar.h"
#include "kernels/text_read.h"
#include "kernels/text_scan.h"

bool arb_read_time_unit(arb_str word, arb_time_unit *out_unit)
{
    static const struct {
        const char *word;
        arb_time_unit unit;
    } words[] = {
        {"microsecond", ARB_UNIT_MICROSECOND},
        {"us", ARB_UNIT_MICROSECOND},
        {"usec", ARB_UNIT_MICROSECOND},
        {"millisecond", ARB_UNIT_MILLISECOND},
        {"ms", ARB_UNIT_MILLISECOND},
        {"msec", ARB_UNIT_MILLISECOND},
        {"second", ARB_UNIT_SECOND},
        {"s", ARB_UNIT_SECOND},
        {"sec", ARB_UNIT_SECOND},
        {"minute", ARB_UNIT_MINUTE},
        {"m", ARB_UNIT_MINUTE},
        {"min", ARB_UNIT_MINUTE},
        {"hour", ARB_UNIT_HOUR},
        {"h", ARB_UNIT_HOUR},
        {"hr", ARB_UNIT_HOUR},
        {"day", ARB_UNIT_DAY},
        {"d", ARB_UNIT_DAY},
        {"week", ARB_UNIT_WEEK},
        {"w", ARB_UNIT_WEEK},
        {"month", ARB_UNIT_MONTH},
        {"mon", ARB_UNIT_MONTH},
        {"quarter", ARB_UNIT_QUARTER},
        {"qtr", ARB_UNIT_QUARTER},
        {"year", ARB_UNIT_YEAR},
        {"y", ARB_UNIT_YEAR},
        {"yr", ARB_UNIT_YEAR},
        {"decade", ARB_UNIT_DECADE},
        {"dec", ARB_UNIT_DECADE},
        {"century", ARB_UNIT_CENTURY},
        {"centuries", ARB_UNIT_CENTURY},
        {"cent", ARB_UNIT_CENTURY},
        {"c", ARB_UNIT_CENTURY},
        {"millennium", ARB_UNIT_MILLENNIUM},
        {"millennia", ARB_UNIT_MILLENNIUM},
        {"mil", ARB_UNIT_MILLENNIUM},
    };
    arb_str singular = word;
    if (word.size > 2 && (word.data[word.size - 1] | 0x20) == 's')
        singular.size--;
    for (size_t i = 0; i < ARB_COUNT_OF(words); i++) {
        arb_str known = arb_str_of(words[i].word);
        if (!arb_str_equal_nocase(word, known) && !arb_str_equal_nocase(singular, known))
            continue;
        *out_unit = words[i].unit;
        return true;
    }
    return false;
}

/* The interval while it is read; 128 bits, so that only the end must be checked. */
typedef struct sum {
    arb_int128 months, days, micros;
} sum;

typedef struct amount {
    int64_t whole;
    double fraction; /* of the whole's sign */
} amount;

static void add_part(sum *to, arb_int128 *field, amount of, int64_t units, double unit_micros)
{
    *field += (arb_int128)of.whole * units;
    to->micros += (arb_int128)rint(of.fraction * unit_micros);
}

static void add_months(sum *to, amount of, int64_t months)
{
    double part = of.fraction * (double)months;
    to->months += (arb_int128)of.whole * months + (arb_int128)trunc(part);
    double days = rint((part - trunc(part)) * 30 * 1e6) / 1e6;
    to->days += (arb_int128)trunc(days);
    to->micros += (arb_int128)rint((days - trunc(days)) * (double)ARB_MICROS_DAY);
}

static void add_amount(sum *to, amount of, arb_time_unit unit)
{
    static const int64_t micros[] = {[ARB_UNIT_MICROSECOND] = 1,
                                     [ARB_UNIT_MILLISECOND] = 1000,
                                     [ARB_UNIT_SECOND] = ARB_MICROS_SECOND,
                                     [ARB_UNIT_MINUTE] = ARB_MICROS_MINUTE,
                                     [ARB_UNIT_HOUR] = ARB_MICROS_HOUR};
    static const int64_t months[] = {[ARB_UNIT_MONTH] = 1,    [ARB_UNIT_QUARTER] = 3,    [ARB_UNIT_YEAR] = 12,
                                     [ARB_UNIT_DECADE] = 120, [ARB_UNIT_CENTURY] = 1200, [ARB_UNIT_MILLENNIUM] = 12000};
    if (unit <= ARB_UNIT_HOUR) {
        add_part(to, &to->micros, of, micros[unit], (double)micros[unit]);
    } else if (unit == ARB_UNIT_DAY) {
        add_part(to, &to->days, of, 1, (double)ARB_MICROS_DAY);
    } else if (unit == ARB_UNIT_WEEK) {
        double days = of.fraction * 7;
        to->days += (arb_int128)of.whole * 7 + (arb_int128)trunc(days);
        to->micros += (arb_int128)rint((days - trunc(days)) * (double)ARB_MICROS_DAY);
    } else {
        add_months(to, of, months[unit]);
    }
}

static double scan_fraction_of_one(arb_scan *scan)
{
    return (double)arb_scan_fraction(scan, 15) / 1e15;
}

/* [+-]digits[.digits] */
static bool scan_amount(arb_scan *scan, amount *out, bool *out_negative)
{
    *out_negative = arb_scan_peek(scan) == '-';
    if (*out_negative || arb_scan_peek(scan) == '+')
        scan->at++;
    bool digits = arb_scan_number(scan, &out->whole) != 0;
    out->fraction = 0;
    if (arb_scan_peek(scan) == '.' && scan->end - scan->at > 1 && arb_scan_is_digit(scan->at[1])) {
        scan->at++;
        out->fraction = scan_fraction_of_one(scan);
        digits = true;
    }
    if (*out_negative) {
        out->whole = -out->whole;
        out->fraction = -out->fraction;
    }
    return digits;
}

/* Behind hours and a colon: "05:06.7", "05". */
static bool scan_clock(arb_scan *scan, amount hours, bool negative, sum *to)
{
    int64_t minutes, seconds = 0, fraction = 0;
    if (arb_scan_number(scan, &minutes) == 0 || minutes > 59)
        return false;
    if (arb_scan_take(scan, ':') && (arb_scan_number(scan, &seconds) == 0 || seconds > 59))
        return false;
    if (arb_scan_take(scan, '.'))
        fraction = arb_scan_fraction(scan, 6);
    int64_t rest = minutes * ARB_MICROS_MINUTE + seconds * ARB_MICROS_SECOND + fraction;
    to->micros += (arb_int128)hours.whole * ARB_MICROS_HOUR + (negative ? -rest : rest);
    return true;
}

/* "1-2": years and months. */
static bool scan_year_month(arb_scan *scan, amount years, bool negative, sum *to)
{
    int64_t months;
    if (arb_scan_number(scan, &months) == 0 || months > 11)
        return false;
    to->months += (arb_int128)years.whole * 12 + (negative ? -months : months);
    return true;
}

/* A time follows, so a number without a unit is days. */
static bool clock_follows(arb_scan scan)
{
    int64_t ignored;
    arb_scan_spaces(&scan);
    if (arb_scan_peek(&scan) == '-' || arb_scan_peek(&scan) == '+')
        scan.at++;
    return arb_scan_number(&scan, &ignored) != 0 && arb_scan_peek(&scan) == ':';
}

static bool scan_parts(arb_scan *scan, sum *to, bool *out_ago)
{
    bool any = false;
    *out_ago = false;
    arb_scan_take(scan, '@');
    for (;;) {
        amount of;
        bool negative;
        arb_scan_spaces(scan);
        if (arb_scan_done(scan))
            return any;
        if (arb_scan_is_letter(arb_scan_peek(scan))) {
            *out_ago = arb_str_equal_nocase(arb_scan_letters(scan), ARB_STR("ago"));
            return any && *out_ago && arb_scan_done(scan);
        }
        if (!scan_amount(scan, &of, &negative))
            return false;
        any = true;
        if (arb_scan_take(scan, ':')) {
            if (of.fraction != 0 || !scan_clock(scan, of, negative, to))
                return false;
            continue;
        }
        if (of.fraction == 0 && arb_scan_peek(scan) == '-' && scan->end - scan->at > 1 &&
            arb_scan_is_digit(scan->at[1])) {
            scan->at++;
            if (!scan_year_month(scan, of, negative, to))
                return false;
            continue;
        }
        arb_scan behind = *scan;
        arb_scan_spaces(scan);
        arb_time_unit unit;
        if (arb_scan_is_letter(arb_scan_peek(scan))) {
            if (!arb_read_time_unit(arb_scan_letters(scan), &unit))
                return false;
        } else {
            *scan = behind;
            unit = clock_follows(behind) ? ARB_UNIT_DAY : ARB_UNIT_SECOND;
        }
        add_amount(to, of, unit);
    }
}

/* Behind the P of "P1Y2M3DT4H5M6.7S". */
static bool scan_iso(arb_scan *scan, sum *to)
{
    bool time = false, any = false;
    while (!arb_scan_done(scan)) {
        if (!time && (arb_scan_take(scan, 'T') || arb_scan_take(scan, 't'))) {
            time = true;
            continue;
        }
        amount of;
        bool negative;
        if (!scan_amount(scan, &of, &negative) || arb_scan_done(scan))
            return false;
        arb_time_unit unit;
        switch (*scan->at++ | 0x20) {
        case 'y':
            unit = ARB_UNIT_YEAR;
            break;
        case 'm':
            unit = time ? ARB_UNIT_MINUTE : ARB_UNIT_MONTH;
            break;
        case 'w':
            unit = ARB_UNIT_WEEK;
            break;
        case 'd':
            unit = ARB_UNIT_DAY;
            break;
        case 'h':
            unit = ARB_UNIT_HOUR;
            break;
        case 's':
            unit = ARB_UNIT_SECOND;
            break;
        default:
            return false;
        }
        if (time != (unit <= ARB_UNIT_HOUR))
            return false;
        add_amount(to, of, unit);
        any = true;
    }
    return any;
}

arb_read_result arb_read_interval(arb_str text, arb_interval *out_value)
{
    arb_scan scan = arb_scan_of(text);
    sum total = {0};
    bool ago = false;
    bool iso = arb_scan_take(&scan, 'P') || arb_scan_take(&scan, 'p');
    if (iso ? !scan_iso(&scan, &total) : !scan_parts(&scan, &total, &ago))
        return ARB_READ_MALFORMED;
    if (ago)
        total = (sum){-total.months, -total.days, -total.micros};
    *out_value = (arb_interval){(int32_t)total.months, (int32_t)total.days, (int64_t)total.micros};
    bool fits = out_value->months == total.months && out_value->days == total.days && out_value->micros == total.micros;
    return fits ? ARB_READ_OK : ARB_READ_OUT_OF_RANGE;
}
