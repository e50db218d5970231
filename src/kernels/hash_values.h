/* hash_values.h: hashes of columns, for hash tables inside one process.
 *
 * Equal values of one physical type have equal hashes (-0 and 0, every NaN too), and so have integers of up to 64 bits, whatever their
 * widths. Values of other physical types do not, so both sides of a join are brought to one type first. */
#ifndef ARB_KERNELS_HASH_VALUES_H
#define ARB_KERNELS_HASH_VALUES_H

#include "base/cpu.h"
#include "columnar/vector.h"

typedef struct arb_hash_kernels {
    /* hashes[i] = hash of values[i]; by physical type, NULL for BOOL and nested types */
    void (*hash[ARB_PHYS_COUNT])(const void *values, size_t rows, uint64_t *hashes);
    /* hashes[i] = hashes[i] combined with the hash of values[i] */
    void (*combine[ARB_PHYS_COUNT])(const void *values, size_t rows, uint64_t *hashes);
} arb_hash_kernels;

ARB_KERNELS_DECLARE(arb_hash_kernels);

/* Hash the rows of FLAT vectors into `hashes`. NULLs of a column all hash alike. Not for nested types. */
void arb_hash_vectors(const arb_vector *const *columns, size_t column_count, size_t rows, uint64_t *hashes);

#endif
