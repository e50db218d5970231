/* arrow_equal.h: do two Arrow arrays have the same values? */
#ifndef ARB_COLUMNAR_ARROW_EQUAL_H
#define ARB_COLUMNAR_ARROW_EQUAL_H

#include "columnar/arrow_array.h"

/* Rows [start, start + rows) of two nodes of the same type, or of types that differ only in how values are kept: widths
 * of offsets, views, list views, dictionaries, runs. Only values count: slices, bytes of NULL rows, the order of
 * dictionaries and how rows fall into runs do not. Floats are compared by their bits. */
bool arb_arrow_rows_equal(const arb_arrow_node *a, int64_t a_start, const arb_arrow_node *b, int64_t b_start,
                          int64_t rows);
/* Whole arrays: types without metadata, lengths, values. */
bool arb_arrow_array_equal(const arb_arrow_array *a, const arb_arrow_array *b);

#endif
