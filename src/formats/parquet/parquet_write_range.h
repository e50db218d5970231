/* parquet_write_range.h: the least and the largest value of a page or chunk, and how files say them. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_WRITE_RANGE_H
#define ARB_FORMATS_PARQUET_PARQUET_WRITE_RANGE_H

#include "formats/parquet/parquet_write_column.h"

/* One member by the column's kind: bool and whole numbers, floats, text. */
typedef union arb_parquet_extreme {
    arb_int128 whole;
    double real;
    arb_string text;
} arb_parquet_extreme;

typedef struct arb_parquet_write_range {
    bool known; /* false: no value that can be compared (only NULLs or NaNs) */
    arb_parquet_extreme low, high;
} arb_parquet_write_range;

/* Of values [from, to). */
arb_parquet_write_range arb_parquet_range_of_values(const arb_parquet_write_column *column, size_t from, size_t to);
/* Of the values at `positions`. */
arb_parquet_write_range arb_parquet_range_of_positions(const arb_parquet_write_column *column,
                                                       const uint32_t *positions, size_t count);
/* Make *range include the other. */
void arb_parquet_range_add(arb_parquet_kept kept, arb_parquet_write_range *range, const arb_parquet_write_range *other);
/* <0, 0, >0 */
int arb_parquet_extreme_compare(arb_parquet_kept kept, const arb_parquet_extreme *a, const arb_parquet_extreme *b);

/* The bytes of one end as a file says it. Long text is cut (a largest one so that it is still not below any value);
 * *out_exact tells. */
void arb_parquet_extreme_append(arb_text *out, const arb_parquet_leaf *leaf, arb_parquet_kept kept,
                                const arb_parquet_extreme *value, bool is_high, bool *out_exact);

#endif
