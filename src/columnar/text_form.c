#include "columnar/text_form.h"

#include "base/float_text.h"
#include "columnar/calendar.h"

static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142"
    "43444546474849505152535455565758596061626364656667686970717273747576777879808182838485"
    "8687888990919293949596979899";

static const uint64_t powers_of_ten[] = {UINT64_C(1),
                                         UINT64_C(10),
                                         UINT64_C(100),
                                         UINT64_C(1000),
                                         UINT64_C(10000),
                                         UINT64_C(100000),
                                         UINT64_C(1000000),
                                         UINT64_C(10000000),
                                         UINT64_C(100000000),
                                         UINT64_C(1000000000),
                                         UINT64_C(10000000000),
                                         UINT64_C(100000000000),
                                         UINT64_C(1000000000000),
                                         UINT64_C(10000000000000),
                                         UINT64_C(100000000000000),
                                         UINT64_C(1000000000000000),
                                         UINT64_C(10000000000000000),
                                         UINT64_C(100000000000000000),
                                         UINT64_C(1000000000000000000),
                                         UINT64_C(10000000000000000000)};

/* How many digits `value` has; 1 for 0. By the bits' number times log10(2), which is right or one too small. */
ARB_INLINE size_t count_digits(uint64_t value)
{
    size_t guess = (arb_bit_width(value | 1) * 1233) >> 12;
    return guess + ((value | 1) >= powers_of_ten[guess]);
}

/* Digits of `value`, at least `least`; returns how many. */
ARB_INLINE size_t put_digits(char *to, uint64_t value, size_t least)
{
    size_t size = ARB_MAX(count_digits(value), least);
    char *at = to + size;
    while (value >= 100) {
        at -= 2;
        memcpy(at, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, digit_pairs + value * 2, 2);
    } else if (at > to) {
        *--at = (char)('0' + value);
    }
    while (at > to)
        *--at = '0';
    return size;
}

static size_t put_wide_digits(char *to, arb_uint128 value, size_t least)
{
    const uint64_t part = UINT64_C(1000000000000000000); /* 18 digits */
    if (value < part)
        return put_digits(to, (uint64_t)value, ARB_MIN(least, (size_t)18));
    size_t size = put_wide_digits(to, value / part, 0);
    return size + put_digits(to + size, (uint64_t)(value % part), 18);
}

size_t arb_form_integer(char *to, arb_int128 value)
{
    if (ARB_LIKELY(value == (int64_t)value)) {
        size_t sign = value < 0;
        *to = '-';
        return sign + put_digits(to + sign, sign ? -(uint64_t)(int64_t)value : (uint64_t)(int64_t)value, 0);
    }
    if (value >= 0)
        return put_wide_digits(to, (arb_uint128)value, 0);
    *to = '-';
    return 1 + put_wide_digits(to + 1, -(arb_uint128)value, 0);
}

size_t arb_form_decimal(char *to, arb_int128 value, unsigned scale)
{
    if (scale == 0)
        return arb_form_integer(to, value);
    if (scale < ARB_COUNT_OF(powers_of_ten) && value == (int64_t)value) {
        uint64_t part = value < 0 ? -(uint64_t)(int64_t)value : (uint64_t)(int64_t)value, unit = powers_of_ten[scale];
        size_t sign = value < 0;
        *to = '-';
        size_t whole = sign + put_digits(to + sign, part / unit, 0);
        to[whole] = '.';
        return whole + 1 + put_digits(to + whole + 1, part % unit, scale);
    }
    char digits[48];
    size_t size = put_wide_digits(digits, value < 0 ? -(arb_uint128)value : (arb_uint128)value, 0), at = 0;
    if (value < 0)
        to[at++] = '-';
    if (size <= scale) {
        to[at++] = '0';
        to[at++] = '.';
        memset(to + at, '0', scale - size);
        at += scale - size;
        memcpy(to + at, digits, size);
        return at + size;
    }
    memcpy(to + at, digits, size - scale);
    at += size - scale;
    to[at++] = '.';
    memcpy(to + at, digits + size - scale, scale);
    return at + scale;
}

size_t arb_form_boolean(char *to, bool value)
{
    memcpy(to, value ? "true" : "false", value ? 4 : 5);
    return value ? 4 : 5;
}

static size_t put_date(char *to, int64_t days, bool *out_bc)
{
    arb_civil civil = arb_civil_from_days(days);
    *out_bc = civil.year <= 0;
    size_t at = put_digits(to, (uint64_t)(*out_bc ? 1 - civil.year : civil.year), 4);
    to[at++] = '-';
    memcpy(to + at, digit_pairs + civil.month * 2, 2);
    to[at + 2] = '-';
    memcpy(to + at + 3, digit_pairs + civil.day * 2, 2);
    return at + 5;
}

static size_t put_bc(char *to, bool bc)
{
    if (bc)
        memcpy(to, " BC", 3);
    return bc ? 3 : 0;
}

size_t arb_form_date(char *to, int64_t days)
{
    bool bc;
    size_t size = put_date(to, days, &bc);
    return size + put_bc(to + size, bc);
}

/* ".5" for half of a second; nothing for none. */
static size_t put_fraction(char *to, uint64_t fraction, unsigned digits)
{
    if (fraction == 0)
        return 0;
    to[0] = '.';
    put_digits(to + 1, fraction, digits);
    size_t size = 1 + digits;
    while (to[size - 1] == '0')
        size--;
    return size;
}

static size_t put_clock(char *to, uint64_t seconds)
{
    size_t at = put_digits(to, seconds / 3600, 2);
    to[at++] = ':';
    memcpy(to + at, digit_pairs + seconds / 60 % 60 * 2, 2);
    to[at + 2] = ':';
    memcpy(to + at + 3, digit_pairs + seconds % 60 * 2, 2);
    return at + 5;
}

size_t arb_form_time(char *to, int64_t micros)
{
    uint64_t value = micros < 0 ? 0 : (uint64_t)micros;
    size_t size = put_clock(to, value / 1000000);
    return size + put_fraction(to + size, value % 1000000, 6);
}

size_t arb_form_timestamp(char *to, int64_t value, bool nanoseconds, bool zoned)
{
    int64_t unit = nanoseconds ? 1000000000 : 1000000;
    int64_t seconds = arb_floor_divide(value, unit);
    bool bc;
    size_t size = put_date(to, arb_floor_divide(seconds, 86400), &bc);
    to[size++] = ' ';
    size += put_clock(to + size, (uint64_t)arb_floor_modulo(seconds, 86400));
    size += put_fraction(to + size, (uint64_t)arb_floor_modulo(value, unit), nanoseconds ? 9 : 6);
    if (zoned) {
        memcpy(to + size, "+00", 3);
        size += 3;
    }
    return size + put_bc(to + size, bc);
}

/* One part of an interval. A positive part behind a negative one says so with a plus sign. */
static size_t put_part(char *to, int64_t value, const char *unit, bool *is_first, bool *is_behind_negative)
{
    if (value == 0)
        return 0;
    size_t at = 0;
    if (!*is_first)
        to[at++] = ' ';
    if (*is_behind_negative && value > 0)
        to[at++] = '+';
    at += arb_form_integer(to + at, value);
    to[at++] = ' ';
    size_t unit_size = strlen(unit);
    memcpy(to + at, unit, unit_size);
    at += unit_size;
    if (value != 1)
        to[at++] = 's';
    *is_first = false;
    *is_behind_negative = value < 0;
    return at;
}

size_t arb_form_interval(char *to, arb_interval interval)
{
    bool first = true, behind_negative = false;
    size_t at = put_part(to, interval.months / 12, "year", &first, &behind_negative);
    at += put_part(to + at, interval.months % 12, "mon", &first, &behind_negative);
    at += put_part(to + at, interval.days, "day", &first, &behind_negative);
    if (interval.micros == 0 && !first)
        return at;
    if (!first)
        to[at++] = ' ';
    if (interval.micros < 0)
        to[at++] = '-';
    else if (behind_negative)
        to[at++] = '+';
    uint64_t micros = interval.micros < 0 ? -(uint64_t)interval.micros : (uint64_t)interval.micros;
    at += put_clock(to + at, micros / 1000000);
    return at + put_fraction(to + at, micros % 1000000, 6);
}

static size_t put_exponent(char *to, int exponent)
{
    to[0] = 'e';
    to[1] = exponent < 0 ? '-' : '+';
    return 2 + put_digits(to + 2, (uint64_t)(exponent < 0 ? -exponent : exponent), 2);
}

/* From `exponent_from` on, and below 1e-4, digits are followed by an exponent. */
static size_t put_float(char *to, arb_float_digits number, int exponent_from)
{
    char digits[20];
    int count = (int)put_digits(digits, number.digits, 1);
    int first = number.exponent + count - 1; /* exponent of the first digit */
    size_t at = 0;
    if (first < -4 || first >= exponent_from) {
        to[at++] = digits[0];
        if (count > 1) {
            to[at++] = '.';
            memcpy(to + at, digits + 1, (size_t)count - 1);
            at += (size_t)count - 1;
        }
        return at + put_exponent(to + at, first);
    }
    if (first < 0) {
        memcpy(to, "0.0000", 6);
        at = (size_t)(1 - first);
        memcpy(to + at, digits, (size_t)count);
        return at + (size_t)count;
    }
    int whole = first + 1;
    if (count <= whole) {
        memcpy(to, digits, (size_t)count);
        memset(to + count, '0', (size_t)(whole - count));
        return (size_t)whole;
    }
    memcpy(to, digits, (size_t)whole);
    to[whole] = '.';
    memcpy(to + whole + 1, digits + whole, (size_t)(count - whole));
    return (size_t)count + 1;
}

static size_t put_special(char *to, double value)
{
    const char *text = value != value ? "NaN" : value > 0 ? "Infinity" : value < 0 ? "-Infinity" : "0";
    size_t size = strlen(text);
    memcpy(to, text, size);
    return size;
}

size_t arb_form_double(char *to, double value)
{
    size_t sign = value < 0 || (value == 0 && __builtin_signbit(value));
    double magnitude = value < 0 ? -value : value;
    if (!(magnitude <= __DBL_MAX__))
        return put_special(to, value);
    *to = '-';
    return magnitude == 0 ? sign + put_special(to + sign, 0)
                          : sign + put_float(to + sign, arb_double_shortest(magnitude), 15);
}

size_t arb_form_real(char *to, float value)
{
    size_t sign = value < 0 || (value == 0 && __builtin_signbit(value));
    float magnitude = value < 0 ? -value : value;
    if (!(magnitude <= __FLT_MAX__))
        return put_special(to, (double)value);
    *to = '-';
    return magnitude == 0 ? sign + put_special(to + sign, 0)
                          : sign + put_float(to + sign, arb_float_shortest(magnitude), 6);
}
