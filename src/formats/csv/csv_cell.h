/* csv_cell.h: from the bytes of a cell to its text, and from the text to a type. */
#ifndef ARB_FORMATS_CSV_CSV_CELL_H
#define ARB_FORMATS_CSV_CSV_CELL_H

#include "columnar/type.h"
#include "formats/csv/csv_index.h"
#include "kernels/time_pattern.h"

/* How dates and timestamps are written; one without items: as in SQL. */
typedef struct arb_csv_patterns {
    arb_time_pattern date, timestamp;
} arb_csv_patterns;

typedef enum arb_csv_cell {
    ARB_CSV_CELL_PLAIN,   /* the text is the cell's bytes */
    ARB_CSV_CELL_QUOTED,  /* what stands between the quotes */
    ARB_CSV_CELL_ESCAPED, /* the same, but with quotes in it that are written twice or escaped */
    ARB_CSV_CELL_BROKEN   /* something follows the closing quote, or there is none */
} arb_csv_cell;

/* `raw` is a cell without the delimiter or line end behind it. */
arb_csv_cell arb_csv_cell_open(const arb_csv_dialect *dialect, arb_str raw, arb_str *out_text);
/* An ESCAPED text as it is meant, to `to`, which has room for text.size bytes; returns its size. */
size_t arb_csv_cell_unescape(const arb_csv_dialect *dialect, arb_str text, char *to);

/* The type that a text suggests: NULL for an empty one, BOOLEAN, BIGINT, DOUBLE, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, else
 * VARCHAR. */
arb_type_id arb_csv_guess(const arb_csv_patterns *patterns, arb_str text);
/* The type that has both. Where times have `patterns` of their own, dates are no timestamps. */
arb_type_id arb_csv_guess_merge(bool patterns, arb_type_id a, arb_type_id b);

#endif
