/* compare.h: comparisons over plain arrays, as bitmaps.
 *
 * Two relations suffice: "equal" and "less"; the others are their negations and mirror images. Floats are in total
 * order: NaN equals itself and is above everything, -0 equals 0. */
#ifndef ARB_KERNELS_COMPARE_H
#define ARB_KERNELS_COMPARE_H

#include "base/cpu.h"
#include "columnar/type.h"
#include "kernels/arithmetic.h"

/* bits[i] = left[i] rel right[i] for all rows; bits behind the last row of the last word are 0. */
typedef void (*arb_compare_fn)(const void *left, const void *right, size_t rows, uint64_t *bits);

typedef struct arb_compare_kernels {
    arb_compare_fn equal[ARB_PHYS_COUNT][ARB_OPERANDS]; /* NULL where a type has no comparison here (BOOL, nested) */
    arb_compare_fn less[ARB_PHYS_COUNT][ARB_OPERANDS];
} arb_compare_kernels;

ARB_KERNELS_DECLARE(arb_compare_kernels);

#endif
