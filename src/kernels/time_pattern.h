/* time_pattern.h: points in time written and read by a pattern: PostgreSQL's templates ("YYYY-MM-DD HH24:MI") and the
 * C library's ("%Y-%m-%d"). Both are taken apart into the same items once, and then used for any number of values. */
#ifndef ARB_KERNELS_TIME_PATTERN_H
#define ARB_KERNELS_TIME_PATTERN_H

#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "kernels/text_read.h"

typedef struct arb_time_item {
    uint8_t field;    /* time_field, private to the implementation */
    uint8_t width;    /* digits that are written, and most that are read */
    uint8_t modifier; /* of fractions: digits; of names: case */
    bool bare;        /* no padding */
    bool ordinal;     /* 1st */
    arb_str literal;
} arb_time_item;

typedef struct arb_time_pattern {
    ARB_VEC(arb_time_item) items; /* literals refer to the pattern's text */
    bool exact;                   /* strptime: literals must be there, nothing may follow */
} arb_time_pattern;

/* A template of to_char, to_date, to_timestamp. Caller's memory, reset afterwards; `text` must stay. */
ARB_NODISCARD arb_code arb_time_pattern_of_template(arb_str text, arb_time_pattern *out, arb_error *error);
/* A format of strftime and strptime. */
ARB_NODISCARD arb_code arb_time_pattern_of_format(arb_str text, arb_time_pattern *out, arb_error *error);
void arb_time_pattern_reset(arb_time_pattern *pattern);

/* Append what the pattern makes of a time in nanoseconds behind `micros`. `zone`: its abbreviation, or empty. */
void arb_time_pattern_write(const arb_time_pattern *pattern, int64_t micros, unsigned nanoseconds, arb_str zone,
                            arb_text *out);
/* Microseconds in UTC when the text gives an offset, else as written. */
ARB_NODISCARD arb_read_result arb_time_pattern_read(const arb_time_pattern *pattern, arb_str text, int64_t *out_micros);

#endif
