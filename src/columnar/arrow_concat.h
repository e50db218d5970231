/* arrow_concat.h: several Arrow arrays made into one, and slices made whole.
 *
 * The result starts at offset 0 everywhere, its offsets start at 0, and its buffers are as long as its rows need, except
 * that children of dense unions and of list views, and the bytes behind views, are taken over whole. IPC wants arrays of
 * that form, and dictionaries grow by it. */
#ifndef ARB_COLUMNAR_ARROW_CONCAT_H
#define ARB_COLUMNAR_ARROW_CONCAT_H

#include "columnar/arrow_array.h"

/* All rows of `parts` (at least one; all of the same type), one after another. The result has the schema of the first.
 * ARB_LIMIT_EXCEEDED when 32-bit offsets, indices or run ends are too narrow for all of them. */
ARB_NODISCARD arb_code arb_arrow_concat(const arb_arrow_array *const *parts, size_t count, arb_arrow_array **out_array,
                                        arb_error *error);
/* Rows [start, start + rows) of an array, copied. */
ARB_NODISCARD arb_code arb_arrow_copy_rows(const arb_arrow_array *array, int64_t start, int64_t rows,
                                           arb_arrow_array **out_array, arb_error *error);
/* The array itself with one more count when it has that form already, else a copy that has. */
ARB_NODISCARD arb_code arb_arrow_compact(const arb_arrow_array *array, arb_arrow_array **out_array, arb_error *error);

#endif
