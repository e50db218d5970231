/* text_scan.h: small steps through a text that is being read. For src/kernels only. */
#ifndef ARB_KERNELS_TEXT_SCAN_H
#define ARB_KERNELS_TEXT_SCAN_H

#include "base/text.h"

typedef struct arb_scan {
    const char *at, *end;
} arb_scan;

ARB_INLINE bool arb_scan_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

ARB_INLINE bool arb_scan_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

ARB_INLINE bool arb_scan_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

ARB_INLINE arb_str arb_scan_trim(arb_str text)
{
    while (text.size != 0 && arb_scan_is_space(text.data[0]))
        text.data++, text.size--;
    while (text.size != 0 && arb_scan_is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

ARB_INLINE arb_scan arb_scan_of(arb_str text)
{
    text = arb_scan_trim(text);
    return (arb_scan){text.data, text.data + text.size};
}

ARB_INLINE bool arb_scan_done(const arb_scan *scan)
{
    return scan->at == scan->end;
}

/* The next character, NUL at the end. */
ARB_INLINE char arb_scan_peek(const arb_scan *scan)
{
    return scan->at < scan->end ? *scan->at : '\0';
}

ARB_INLINE bool arb_scan_take(arb_scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

ARB_INLINE bool arb_scan_spaces(arb_scan *scan)
{
    const char *from = scan->at;
    while (scan->at < scan->end && arb_scan_is_space(*scan->at))
        scan->at++;
    return scan->at != from;
}

ARB_INLINE arb_str arb_scan_letters(arb_scan *scan)
{
    const char *from = scan->at;
    while (scan->at < scan->end && arb_scan_is_letter(*scan->at))
        scan->at++;
    return (arb_str){from, (size_t)(scan->at - from)};
}

/* Digits as a number, at most 18 of them; returns how many there were, 0 for none and for too many. */
ARB_INLINE unsigned arb_scan_number(arb_scan *scan, int64_t *out_value)
{
    unsigned count = 0;
    int64_t value = 0;
    for (; scan->at < scan->end && arb_scan_is_digit(*scan->at); scan->at++, count++)
        if (count < 18)
            value = value * 10 + (*scan->at - '0');
    *out_value = value;
    return count > 18 ? 0 : count;
}

/* Digits behind a point, as whole units of 10^-digits, rounded. */
ARB_INLINE int64_t arb_scan_fraction(arb_scan *scan, unsigned digits)
{
    int64_t value = 0;
    unsigned count = 0;
    for (; scan->at < scan->end && arb_scan_is_digit(*scan->at); scan->at++, count++) {
        if (count < digits)
            value = value * 10 + (*scan->at - '0');
        else if (count == digits)
            value += *scan->at >= '5';
    }
    for (; count < digits; count++)
        value *= 10;
    return value;
}

#endif
