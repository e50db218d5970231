/* cell_text.h: values of vectors as text, straight into a buffer: what every text format writes. */
#ifndef ARB_FORMATS_CELL_TEXT_H
#define ARB_FORMATS_CELL_TEXT_H

#include "columnar/vector.h"

/* Append the value as results show it; "-0.05", "1998-12-01", text as it is, nested values as JSON. A NULL appends
 * nothing. An error can only come from a nested value. */
ARB_NODISCARD arb_code arb_cell_append(arb_text *out, const arb_vector *vector, arb_type type, size_t row,
                                       arb_error *error);

#endif
