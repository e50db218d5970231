/* csv_value.h: a cell's text into a vector, in whatever type the column has. */
#ifndef ARB_FORMATS_CSV_CSV_VALUE_H
#define ARB_FORMATS_CSV_CSV_VALUE_H

#include "columnar/vector.h"
#include "kernels/time_pattern.h"

typedef enum arb_csv_value {
    ARB_CSV_VALUE_OK,
    ARB_CSV_VALUE_BAD,      /* the text is no value of the type */
    ARB_CSV_VALUE_NO_MEMORY /* in the arena */
} arb_csv_value;

/* Read `text` (not empty unless the type is text) as row `row` of the storage, which is of a physical type that may
 * stand for the type. Text is referred to, bytes of a BLOB are made in the arena. 8 bytes behind the text are readable.
 * VARCHAR is taken as it is. */
ARB_NODISCARD arb_csv_value arb_csv_value_read(arb_type type, arb_str text, const arb_vector_storage *storage,
                                               size_t row, arb_arena *arena);
/* The same for a date or a timestamp that is written after a pattern. */
ARB_NODISCARD arb_csv_value arb_csv_value_read_pattern(const arb_time_pattern *pattern, arb_type type, arb_str text,
                                                       const arb_vector_storage *storage, size_t row);

#endif
