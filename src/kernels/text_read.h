/* text_read.h: single values from text, as a cast from VARCHAR and a CSV field read them.
 *
 * Spaces around a value are allowed. Nothing is kept: results do not refer to the text, but for a zone's name. */
#ifndef ARB_KERNELS_TEXT_READ_H
#define ARB_KERNELS_TEXT_READ_H

#include "columnar/type.h"

typedef enum arb_read_result {
    ARB_READ_OK,
    ARB_READ_MALFORMED,   /* not of this form */
    ARB_READ_OUT_OF_RANGE /* of this form, but 13 is no month, or too large */
} arb_read_result;

/* true, false, yes, no, on, off, their beginnings, 1 and 0; in any case. */
ARB_NODISCARD arb_read_result arb_read_boolean(arb_str text, bool *out_value);
/* [+-]digits within [low, high]. */
ARB_NODISCARD arb_read_result arb_read_integer(arb_str text, arb_int128 low, arb_int128 high, arb_int128 *out_value);
/* A number, possibly with an exponent, times 10^scale, rounded half away from zero; at most `precision` digits. */
ARB_NODISCARD arb_read_result arb_read_decimal(arb_str text, unsigned precision, unsigned scale, arb_int128 *out_value);
ARB_NODISCARD arb_read_result arb_read_double(arb_str text, double *out_value);
ARB_NODISCARD arb_read_result arb_read_real(arb_str text, float *out_value);
/* "1998-12-01", "1998/12/1", "19981201", "Dec 1, 1998", "1 December 1998", each possibly with " BC"; a time behind it
 * is checked and ignored. */
ARB_NODISCARD arb_read_result arb_read_date(arb_str text, int32_t *out_days);
/* "23:59", "23:59:59.5", "11:59 PM", "235959"; up to 24:00. */
ARB_NODISCARD arb_read_result arb_read_time(arb_str text, int64_t *out_micros);

typedef struct arb_zone_text {
    bool given;
    int64_t offset; /* seconds east of UTC, when there is no name */
    arb_str name;   /* "Europe/Berlin", within the text; empty for an offset */
} arb_zone_text;

/* A date, then possibly a space or T, a time, and a zone (Z, +02, +0530, +05:30, UTC, a name). The value is the local
 * time as written, in micro- or nanoseconds (more digits are rounded); the zone is for the caller to apply. */
ARB_NODISCARD arb_read_result arb_read_timestamp(arb_str text, bool nanoseconds, int64_t *out_value,
                                                 arb_zone_text *out_zone);
/* "1 year 2 mons -3 days 04:05:06.7 ago", "P1Y2M3DT4H5M6S", "1-2", "3 4:05:06", "90" (seconds). */
ARB_NODISCARD arb_read_result arb_read_interval(arb_str text, arb_interval *out_value);
/* "\x0aff" or bytes with \\ and \ooo for escapes, into `to`, which has room for text.size bytes. */
ARB_NODISCARD arb_read_result arb_read_blob(arb_str text, char *to, size_t *out_size);

/* The unit of time that a word names, as date_trunc, extract and intervals know it. */
typedef enum arb_time_unit {
    ARB_UNIT_MICROSECOND,
    ARB_UNIT_MILLISECOND,
    ARB_UNIT_SECOND,
    ARB_UNIT_MINUTE,
    ARB_UNIT_HOUR,
    ARB_UNIT_DAY,
    ARB_UNIT_WEEK,
    ARB_UNIT_MONTH,
    ARB_UNIT_QUARTER,
    ARB_UNIT_YEAR,
    ARB_UNIT_DECADE,
    ARB_UNIT_CENTURY,
    ARB_UNIT_MILLENNIUM,
    ARB_UNIT_COUNT
} arb_time_unit;

/* "day", "days", "d", …, in any case; false when it names none. */
ARB_NODISCARD bool arb_read_time_unit(arb_str word, arb_time_unit *out_unit);
/* 1 to 12 from "Dec" or "december"; 0 when it names none. */
int arb_read_month_name(arb_str word);
extern const char *const arb_month_names[12]; /* "January", … */
extern const char *const arb_day_names[7];    /* "Sunday", … */

#endif
