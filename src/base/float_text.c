/* float_text.c: see float_text.h.
 *
 * Both ways rest on one table of the first 128 bits of each power of ten. Writing is the method of Giulietti's
 * "Schubfach": scale the number and the ends of its rounding interval by a power of ten that leaves at most one
 * multiple of ten inside, keeping whether the scaled values were exact in their last bit. Reading multiplies 64 bits of
 * digits with the table's entry, which decides nearly always; when the product lies too near to the middle between two
 * floats, or there are more digits than 64 bits hold, whole numbers of any size are compared. */
#include "base/float_text.h"

typedef struct wide_power {
    uint64_t high, low;
} wide_power;

static const wide_power powers[] = {
#include "base/power_of_ten.inc"
};
enum { power_least = -343, power_most = 324 };
static_assert(ARB_COUNT_OF(powers) == power_most - power_least + 1, "one entry a power");

static int floor_log2_of_power(int exponent10)
{
    return (exponent10 * 1741647) >> 19;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* The table's entry rounded up; entries 0 to 55 are exact. */
static wide_power power_above(int exponent10)
{
    wide_power power = powers[exponent10 - power_least];
    if (exponent10 < 0 || exponent10 > 55) {
        power.low++;
        power.high += power.low == 0;
    }
    return power;
}

/* The top 64 bits of power * scaled, with the last bit set when anything was cut off. */
static uint64_t round_to_odd(wide_power power, uint64_t scaled)
{
    uint64_t carried = (uint64_t)(((arb_uint128)power.low * scaled) >> 64);
    arb_uint128 product = (arb_uint128)power.high * scaled + carried;
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

static arb_float_digits trimmed(uint64_t digits, int exponent)
{
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (arb_float_digits){digits, exponent};
}

/* fraction * 2^exponent2. `lower_is_near`: the float below is half as far away as the one above. */
static arb_float_digits shortest(uint64_t fraction, int exponent2, bool lower_is_near)
{
    bool even = fraction % 2 == 0;
    int exponent10 = (exponent2 * 1262611 - (lower_is_near ? 524031 : 0)) >> 22;
    int shift = exponent2 + floor_log2_of_power(-exponent10) + 1;
    wide_power power = power_above(-exponent10);
    /* four times the number, and the middles to its neighbours */
    uint64_t low = round_to_odd(power, (4 * fraction - 2 + lower_is_near) << shift) + !even;
    uint64_t middle = round_to_odd(power, (4 * fraction) << shift);
    uint64_t high = round_to_odd(power, (4 * fraction + 2) << shift) - !even;
    uint64_t whole = middle / 4;
    if (whole >= 10) { /* one digit less? */
        uint64_t tens = whole / 10;
        bool down = low <= 40 * tens, up = 40 * tens + 40 <= high;
        if (down != up)
            return trimmed(tens + up, exponent10 + 1);
    }
    bool down = low <= 4 * whole, up = 4 * whole + 4 <= high;
    if (down != up)
        return trimmed(whole + up, exponent10);
    uint64_t half = 4 * whole + 2;
    bool round_up = middle > half || (middle == half && whole % 2 != 0);
    return trimmed(whole + round_up, exponent10);
}

arb_float_digits arb_double_shortest(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7FF);
    assert(exponent != 0x7FF && (bits << 1) != 0);
    if (exponent == 0)
        return shortest(fraction, -1074, false);
    return shortest(fraction | UINT64_C(1) << 52, exponent - 1075, fraction == 0 && exponent > 1);
}

arb_float_digits arb_float_shortest(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & ((1u << 23) - 1);
    int exponent = (int)(bits >> 23 & 0xFF);
    assert(exponent != 0xFF && (bits << 1) != 0);
    if (exponent == 0)
        return shortest(fraction, -149, false);
    return shortest(fraction | 1u << 23, exponent - 150, fraction == 0 && exponent > 1);
}

/* ---- whole numbers of any size, for the cases near the middle ---------------------------------------------------------- */

enum {
    digits_most = 800, /* more significant digits than any middle between two doubles has (767) */
    limbs_most = 224   /* of 32 bits: 10^1200 * 2^64 and a power of two to spare */
};

typedef struct big_number {
    uint32_t limbs[limbs_most];
    unsigned size;
} big_number;

static void big_multiply_add(big_number *number, uint32_t factor, uint32_t summand)
{
    uint64_t carry = summand;
    for (unsigned i = 0; i < number->size; i++) {
        carry += (uint64_t)number->limbs[i] * factor;
        number->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        assert(number->size < limbs_most);
        number->limbs[number->size++] = (uint32_t)carry;
    }
}

static void big_multiply_power_of_five(big_number *number, unsigned exponent)
{
    for (; exponent >= 13; exponent -= 13)
        big_multiply_add(number, 1220703125, 0);
    for (; exponent > 0; exponent--)
        big_multiply_add(number, 5, 0);
}

static void big_shift_left(big_number *number, unsigned bits)
{
    unsigned limbs = bits / 32;
    if (number->size == 0)
        return;
    if (bits % 32 != 0)
        big_multiply_add(number, 1u << bits % 32, 0);
    assert(number->size + limbs <= limbs_most);
    memmove(number->limbs + limbs, number->limbs, number->size * sizeof number->limbs[0]);
    memset(number->limbs, 0, limbs * sizeof number->limbs[0]);
    number->size += limbs;
}

static int big_compare(const big_number *a, const big_number *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    for (unsigned i = a->size; i-- > 0;)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* A number as written: its first 19 significant digits, the exponent of the last of them, and all of the digits. */
typedef struct decimal_text {
    uint64_t digits;
    int64_t exponent;
    bool cut;                 /* there are digits behind those 19 */
    const char *first, *last; /* significant digits, a point possibly among them */
    int64_t last_exponent;    /* of the digit before `last` */
} decimal_text;

typedef struct float_format {
    int fraction_bits;  /* without the hidden one */
    int least_exponent; /* of the last bit of a subnormal number */
    int infinity;       /* biased exponent */
} float_format;

static const float_format double_format = {52, -1074, 0x7FF};
static const float_format single_format = {23, -149, 0xFF};

/* Compare the number with middle * 2^exponent2. */
static int compare_exactly(const decimal_text *text, uint64_t middle, int exponent2)
{
    big_number left = {.size = 0}, right = {.size = 0};
    int64_t exponent = text->last_exponent, count = 0;
    bool rest = false;
    if (text->first == NULL) {
        big_multiply_add(&left, 0, (uint32_t)(text->digits >> 32));
        big_shift_left(&left, 32);
        if (left.size == 0 && (uint32_t)text->digits != 0)
            left.size = 1;
        if (left.size != 0)
            left.limbs[0] = (uint32_t)text->digits;
        exponent = text->exponent;
    }
    for (const char *at = text->first; at != NULL && at < text->last; at++) {
        if (*at == '.')
            continue;
        if (count < digits_most) {
            big_multiply_add(&left, 10, (uint32_t)(*at - '0'));
        } else {
            rest |= *at != '0';
        }
        count++;
    }
    if (count > digits_most) {
        exponent += count - digits_most;
        if (rest) { /* any further digit that is not 0 stands for all of them */
            big_multiply_add(&left, 10, 1);
            exponent--;
        }
    }
    right.limbs[0] = (uint32_t)middle;
    right.limbs[1] = (uint32_t)(middle >> 32);
    right.size = right.limbs[1] != 0 ? 2 : 1;
    if (exponent >= 0)
        big_multiply_power_of_five(&left, (unsigned)exponent);
    else
        big_multiply_power_of_five(&right, (unsigned)-exponent);
    int64_t shift = exponent2 - exponent; /* of the right side against the left one */
    if (shift >= 0)
        big_shift_left(&right, (unsigned)shift);
    else
        big_shift_left(&left, (unsigned)-shift);
    return big_compare(&left, &right);
}

/* The bits of the nearest float; those of infinity when it is too large. */
static uint64_t nearest(const decimal_text *text, const float_format *format)
{
    uint64_t infinite = (uint64_t)format->infinity << format->fraction_bits;
    if (text->digits == 0 || text->exponent < power_least) /* 10^19 * 10^-344 is below half of the least double */
        return 0;
    if (text->exponent > 309)
        return infinite;
    int exponent10 = (int)text->exponent;
    int lead = __builtin_clzll(text->digits);
    uint64_t digits = text->digits << lead;
    wide_power power = powers[exponent10 - power_least];
    arb_uint128 product =
        (arb_uint128)digits * power.high + (uint64_t)(((arb_uint128)digits * power.low) >> 64); /* >= 2^126 */
    int top = (uint64_t)(product >> 127) != 0;
    /* the number is product * 2^exponent2, its first bit at 126 + top */
    int exponent2 = floor_log2_of_power(exponent10) - lead - 63;
    int shift = 126 + top - format->fraction_bits;
    if (exponent2 + shift < format->least_exponent)
        shift = format->least_exponent - exponent2;
    uint64_t fraction;
    bool up;
    if (shift >= 128) {
        fraction = 0; /* below the least number, and perhaps above half of it */
        up = shift == 128 && compare_exactly(text, 1, format->least_exponent - 1) > 0;
    } else {
        arb_uint128 half = (arb_uint128)1 << (shift - 1), rest = product & (((arb_uint128)1 << shift) - 1);
        fraction = (uint64_t)(product >> shift);
        arb_uint128 distance = rest > half ? rest - half : half - rest;
        /* more digits add less than one to `digits`, which is 2^lead units of 2^64; the table's cut less than two */
        arb_uint128 doubt = 4 + (text->cut ? (arb_uint128)1 << (64 + lead + 1) : 0);
        up = rest > half;
        if (distance <= doubt) {
            int order = compare_exactly(text, 2 * fraction + 1, exponent2 + shift - 1);
            up = order > 0 || (order == 0 && fraction % 2 != 0);
        }
    }
    fraction += up;
    int biased = exponent2 + shift - format->least_exponent + 1;
    /* a carry out of the fraction moves on into the exponent by itself; subnormal numbers have biased exponent 0 */
    uint64_t hidden = (uint64_t)1 << format->fraction_bits;
    if (fraction < hidden && biased <= 1)
        return fraction;
    uint64_t bits = ((uint64_t)biased << format->fraction_bits) + (fraction - hidden);
    return bits >= infinite ? infinite : bits;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool same_letters(const char *text, size_t size, const char *lower)
{
    if (strlen(lower) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((text[i] | 0x20) != lower[i])
            return false;
    return true;
}

/* Reads the digits; false when the text is not a number. */
static bool scan_decimal(const char *at, const char *end, decimal_text *out)
{
    const int64_t exponent_limit = INT64_C(1000000000000000);
    int64_t count = 0, behind_point = 0;
    bool point = false, any = false;
    for (; at < end && (is_digit(*at) || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        any = true;
        behind_point += point;
        if (*at == '0' && out->first == NULL)
            continue;
        if (out->first == NULL)
            out->first = at;
        if (count < 19) {
            out->digits = out->digits * 10 + (uint64_t)(*at - '0');
        } else {
            out->cut = true;
        }
        count++;
    }
    const char *last = at;
    if (!any)
        return false;
    int64_t exponent = 0;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        bool negative = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        if (at == end)
            return false;
        for (; at < end && is_digit(*at); at++)
            exponent = exponent < exponent_limit ? exponent * 10 + (*at - '0') : exponent;
        exponent = negative ? -exponent : exponent;
    }
    exponent -= behind_point;
    out->last = last;
    out->last_exponent = exponent;
    out->exponent = exponent + (count > 19 ? count - 19 : 0);
    return at == end;
}

static arb_float_parse parse(const char *text, size_t size, const float_format *format, uint64_t *out_bits,
                             bool *out_negative)
{
    const char *at = text, *end = text + size;
    *out_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    uint64_t infinite = (uint64_t)format->infinity << format->fraction_bits;
    decimal_text decimal = {0};
    *out_bits = 0;
    if (scan_decimal(at, end, &decimal)) {
        *out_bits = nearest(&decimal, format);
        bool fits = *out_bits < infinite && (*out_bits != 0 || decimal.digits == 0);
        return fits ? ARB_FLOAT_OK : ARB_FLOAT_OUT_OF_RANGE;
    }
    size_t rest = (size_t)(end - at);
    if (same_letters(at, rest, "inf") || same_letters(at, rest, "infinity"))
        *out_bits = infinite;
    else if (same_letters(at, rest, "nan"))
        *out_bits = infinite | (uint64_t)1 << (format->fraction_bits - 1);
    else
        return ARB_FLOAT_MALFORMED;
    return ARB_FLOAT_OK;
}

arb_float_parse arb_double_parse(const char *text, size_t size, double *out_value)
{
    bool negative;
    uint64_t bits;
    arb_float_parse outcome = parse(text, size, &double_format, &bits, &negative);
    bits |= (uint64_t)negative << 63;
    memcpy(out_value, &bits, sizeof bits);
    return outcome;
}

arb_float_parse arb_float_parse_text(const char *text, size_t size, float *out_value)
{
    bool negative;
    uint64_t bits;
    arb_float_parse outcome = parse(text, size, &single_format, &bits, &negative);
    uint32_t narrow = (uint32_t)bits | (uint32_t)negative << 31;
    memcpy(out_value, &narrow, sizeof narrow);
    return outcome;
}

double arb_double_of_digits(uint64_t digits, int exponent)
{
    decimal_text text = {.digits = digits, .exponent = exponent};
    uint64_t bits = nearest(&text, &double_format);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
