/* convert.h: numbers from one width or kind to another, over plain arrays. */
#ifndef ARB_KERNELS_CONVERT_H
#define ARB_KERNELS_CONVERT_H

#include "base/cpu.h"
#include "columnar/type.h"

/* to[i] = from[i]. True when some value does not fit: its result is unspecified, and calling again with one row tells
 * which. Floats to integers round half to even, as PostgreSQL does. */
typedef bool (*arb_convert_fn)(const void *from, void *to, size_t rows);

typedef struct arb_convert_kernels {
    /* [from][to] among INT8 to INT128, FLOAT32, FLOAT64; NULL for equal types and all others */
    arb_convert_fn number[ARB_PHYS_COUNT][ARB_PHYS_COUNT];
} arb_convert_kernels;

ARB_KERNELS_DECLARE(arb_convert_kernels);

#endif
