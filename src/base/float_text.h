/* float_text.h: binary floats to decimal digits and back, exactly, without the C library's locale.
 *
 * Writing gives the fewest digits that read back as the same number, and of those the nearest to it. Reading rounds to
 * the nearest float, ties to even, whatever the number of digits. */
#ifndef ARB_BASE_FLOAT_TEXT_H
#define ARB_BASE_FLOAT_TEXT_H

#include "base/compiler.h"

/* A positive number, digits * 10^exponent, without zeros at the end of the digits. */
typedef struct arb_float_digits {
    uint64_t digits;
    int exponent;
} arb_float_digits;

/* The value must be finite and above 0. */
arb_float_digits arb_double_shortest(double value);
arb_float_digits arb_float_shortest(float value);

typedef enum arb_float_parse {
    ARB_FLOAT_OK,
    ARB_FLOAT_MALFORMED,   /* not a number, or something behind it */
    ARB_FLOAT_OUT_OF_RANGE /* too large, or too small and not zero; the value is infinite or zero then */
} arb_float_parse;

/* [+-]digits[.digits][e[+-]digits], also .5 and 5., NaN, Inf and Infinity in any case. No spaces. */
ARB_NODISCARD arb_float_parse arb_double_parse(const char *text, size_t size, double *out_value);
ARB_NODISCARD arb_float_parse arb_float_parse_text(const char *text, size_t size, float *out_value);

/* The double nearest to digits * 10^exponent. */
double arb_double_of_digits(uint64_t digits, int exponent);

#endif
