/* text_read.c: truth values, numbers and bytes from text. */
#include "kernels/text_read.h"

#include "base/float_text.h"
#include "kernels/text_scan.h"

arb_read_result arb_read_boolean(arb_str text, bool *out_value)
{
    static const struct {
        const char *word;
        bool value;
        size_t least; /* letters that tell it from the others */
    } words[] = {{"true", true, 1},   {"yes", true, 1}, {"on", true, 2},   {"1", true, 1},
                 {"false", false, 1}, {"no", false, 1}, {"off", false, 2}, {"0", false, 1}};
    text = arb_scan_trim(text);
    for (size_t i = 0; i < ARB_COUNT_OF(words); i++) {
        if (text.size < words[i].least || text.size > strlen(words[i].word) ||
            !arb_str_equal_nocase(text, (arb_str){words[i].word, text.size}))
            continue;
        *out_value = words[i].value;
        return ARB_READ_OK;
    }
    return ARB_READ_MALFORMED;
}

arb_read_result arb_read_integer(arb_str text, arb_int128 low, arb_int128 high, arb_int128 *out_value)
{
    text = arb_scan_trim(text);
    const char *at = text.data, *end = text.data + text.size;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return ARB_READ_MALFORMED;
    arb_int128 value = 0;
    bool over = false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return ARB_READ_MALFORMED;
        over |= __builtin_mul_overflow(value, (arb_int128)10, &value);
        over |= __builtin_sub_overflow(value, (arb_int128)(*at - '0'), &value); /* downwards, for the least one */
    }
    if (!negative && !over)
        over = __builtin_sub_overflow((arb_int128)0, value, &value);
    if (over || value < low || value > high)
        return ARB_READ_OUT_OF_RANGE;
    *out_value = value;
    return ARB_READ_OK;
}

/* The significant digits of a number, its sign and the exponent of the last of them. */
typedef struct number_text {
    const char *first, *last; /* digits, a point possibly among them */
    int64_t count;
    int64_t exponent;
    bool negative;
} number_text;

static bool scan_exponent(const char **at, const char *end, int64_t *out_exponent)
{
    *out_exponent = 0;
    if (*at == end || (**at != 'e' && **at != 'E'))
        return true;
    ++*at;
    bool negative = *at < end && **at == '-';
    if (*at < end && (**at == '-' || **at == '+'))
        ++*at;
    if (*at == end)
        return false;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
        if (*out_exponent < INT64_C(1000000000000))
            *out_exponent = *out_exponent * 10 + (**at - '0');
    *out_exponent = negative ? -*out_exponent : *out_exponent;
    return true;
}

static bool scan_number(arb_str text, number_text *out)
{
    const char *at = text.data, *end = text.data + text.size;
    *out = (number_text){.negative = at < end && *at == '-'};
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    bool point = false, any = false;
    int64_t behind_point = 0, exponent;
    for (; at < end && ((*at >= '0' && *at <= '9') || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        any = true;
        behind_point += point;
        if (out->first == NULL && *at == '0')
            continue;
        out->first = out->first == NULL ? at : out->first;
        out->count++;
    }
    out->last = at;
    if (!any || !scan_exponent(&at, end, &exponent) || at != end)
        return false;
    out->exponent = exponent - behind_point;
    return true;
}

arb_read_result arb_read_decimal(arb_str text, unsigned precision, unsigned scale, arb_int128 *out_value)
{
    number_text number;
    if (!scan_number(arb_scan_trim(text), &number))
        return ARB_READ_MALFORMED;
    int64_t shift = number.exponent + scale, kept = number.count + ARB_MIN(shift, 0);
    *out_value = 0;
    if (number.count == 0 || kept < 0)
        return ARB_READ_OK;
    if (number.count + shift > 38)
        return ARB_READ_OUT_OF_RANGE;
    arb_int128 value = 0, limit = 1;
    int64_t taken = 0;
    for (const char *at = number.first; at < number.last; at++) {
        if (*at == '.')
            continue;
        if (taken == kept) { /* the first digit that is cut off */
            value += *at >= '5';
            break;
        }
        value = value * 10 + (*at - '0');
        taken++;
    }
    for (int64_t i = 0; i < shift; i++)
        value *= 10;
    for (unsigned i = 0; i < precision; i++)
        limit *= 10;
    if (value >= limit)
        return ARB_READ_OUT_OF_RANGE;
    *out_value = number.negative ? -value : value;
    return ARB_READ_OK;
}

static arb_read_result float_outcome(arb_float_parse outcome)
{
    return outcome == ARB_FLOAT_OK          ? ARB_READ_OK
           : outcome == ARB_FLOAT_MALFORMED ? ARB_READ_MALFORMED
                                            : ARB_READ_OUT_OF_RANGE;
}

arb_read_result arb_read_double(arb_str text, double *out_value)
{
    text = arb_scan_trim(text);
    return float_outcome(arb_double_parse(text.data, text.size, out_value));
}

arb_read_result arb_read_real(arb_str text, float *out_value)
{
    text = arb_scan_trim(text);
    return float_outcome(arb_float_parse_text(text.data, text.size, out_value));
}

static arb_read_result read_hex(arb_str digits, char *to, size_t *out_size)
{
    size_t size = 0;
    if (digits.size % 2 != 0)
        return ARB_READ_MALFORMED;
    for (size_t i = 0; i < digits.size; i += 2) {
        int high = arb_hex_digit(digits.data[i]), low = arb_hex_digit(digits.data[i + 1]);
        if (high < 0 || low < 0)
            return ARB_READ_MALFORMED;
        to[size++] = (char)(high << 4 | low);
    }
    *out_size = size;
    return ARB_READ_OK;
}

arb_read_result arb_read_blob(arb_str text, char *to, size_t *out_size)
{
    if (text.size >= 2 && text.data[0] == '\\' && (text.data[1] == 'x' || text.data[1] == 'X'))
        return read_hex((arb_str){text.data + 2, text.size - 2}, to, out_size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *at = text.data + i;
        if (*at != '\\') {
            to[size++] = *at;
        } else if (text.size - i >= 2 && at[1] == '\\') {
            to[size++] = '\\';
            i++;
        } else if (text.size - i >= 4 && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' && at[3] >= '0' &&
                   at[3] <= '7') {
            to[size++] = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
            i += 3;
        } else {
            return ARB_READ_MALFORMED;
        }
    }
    *out_size = size;
    return ARB_READ_OK;
}
