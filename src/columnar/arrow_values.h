/* arrow_values.h: values of Arrow's scalar types, converted to the engine's physical types; private to arrow_*.c. */
#ifndef ARB_COLUMNAR_ARROW_VALUES_H
#define ARB_COLUMNAR_ARROW_VALUES_H

#include "columnar/arrow_array.h"
#include "columnar/type.h"

/* Rows [start, start + rows) of a node of FIXED, BINARY or VIEW layout, as values of the type's full width at `to`,
 * which is aligned to 16. NULL rows become zero or empty; others that do not fit the type are errors. */
ARB_NODISCARD arb_code arb_arrow_values_convert(const arb_arrow_node *node, int64_t start, size_t rows, arb_type type,
                                                void *to, arb_error *error);

#endif
