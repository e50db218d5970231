/* time_pattern_internal.h: the fields of time patterns, for time_pattern*.c. */
#ifndef ARB_KERNELS_TIME_PATTERN_INTERNAL_H
#define ARB_KERNELS_TIME_PATTERN_INTERNAL_H

#include "kernels/time_pattern.h"

typedef enum time_field {
    TIME_LITERAL,
    TIME_YEAR,       /* its last `width` digits */
    TIME_YEAR_COMMA, /* 2,024 */
    TIME_ISO_YEAR,
    TIME_CENTURY,
    TIME_ERA, /* BC, A.D. */
    TIME_QUARTER,
    TIME_MONTH,
    TIME_MONTH_NAME,
    TIME_MONTH_SHORT,
    TIME_MONTH_ROMAN,
    TIME_DAY,
    TIME_DAY_OF_YEAR,
    TIME_DAY_OF_WEEK,     /* 1 is Sunday */
    TIME_DAY_OF_WEEK_0,   /* 0 is Sunday */
    TIME_ISO_DAY_OF_WEEK, /* 1 is Monday */
    TIME_DAY_NAME,
    TIME_DAY_SHORT,
    TIME_WEEK_OF_MONTH,
    TIME_WEEK_OF_YEAR, /* the first one starts on 1 January */
    TIME_ISO_WEEK,
    TIME_SUNDAY_WEEK,
    TIME_MONDAY_WEEK,
    TIME_JULIAN,
    TIME_HOUR,
    TIME_HOUR_12,
    TIME_MINUTE,
    TIME_SECOND,
    TIME_FRACTION, /* `width` digits */
    TIME_SECOND_OF_DAY,
    TIME_EPOCH,
    TIME_MERIDIEM, /* AM, p.m. */
    TIME_ZONE,
    TIME_OFFSET,        /* +02, +02:30 */
    TIME_OFFSET_MINUTE, /* of an offset */
} time_field;

enum { NAME_UPPER, NAME_LOWER, NAME_CAPITAL, NAME_DOTTED = 4 }; /* modifiers of names; DOTTED is added */

#endif
