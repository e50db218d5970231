/* text_form.h: single values as text, written to memory of the caller.
 *
 * These are the forms that results show and that a cast to VARCHAR gives, and each reads back as the same value. A form
 * needs at most ARB_FORM_MOST bytes; the functions return how many they wrote, and write no NUL. */
#ifndef ARB_COLUMNAR_TEXT_FORM_H
#define ARB_COLUMNAR_TEXT_FORM_H

#include "columnar/type.h"

enum { ARB_FORM_MOST = 96 };

size_t arb_form_integer(char *to, arb_int128 value);
/* "-0.05" for -5 of scale 2. */
size_t arb_form_decimal(char *to, arb_int128 value, unsigned scale);
/* The fewest digits that read back as the same number, the nearest of them; "NaN", "Infinity", "-Infinity". As
 * PostgreSQL does, with an exponent below 1e-4 and from 1e15 (REAL: 1e6) on. */
size_t arb_form_double(char *to, double value);
size_t arb_form_real(char *to, float value);
size_t arb_form_boolean(char *to, bool value);
/* "1998-12-01"; before the year 1 "0044-03-15 BC". */
size_t arb_form_date(char *to, int64_t days);
/* "23:59:59.5" */
size_t arb_form_time(char *to, int64_t micros);
/* "1998-12-01 10:00:00", with up to 6 or 9 digits of fractions; `zoned` appends "+00". */
size_t arb_form_timestamp(char *to, int64_t value, bool nanoseconds, bool zoned);
/* "1 year 2 mons -3 days +04:05:06.7" */
size_t arb_form_interval(char *to, arb_interval interval);

#endif
