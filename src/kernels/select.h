/* select.h: pick values by position: survivors of a selection, entries of a dictionary. */
#ifndef ARB_KERNELS_SELECT_H
#define ARB_KERNELS_SELECT_H

#include "base/cpu.h"
#include "columnar/vector.h"

/* The position of a width in the tables: log2 of the bytes of a value. */
enum { ARB_WIDTH_1, ARB_WIDTH_2, ARB_WIDTH_4, ARB_WIDTH_8, ARB_WIDTH_16, ARB_WIDTHS };
ARB_INLINE unsigned arb_width_of(size_t bytes)
{
    return (unsigned)__builtin_ctzll(bytes);
}

typedef struct arb_selection_kernels {
    /* out[i] = values[rows[i]] */
    void (*gather16[ARB_WIDTHS])(const void *values, const uint16_t *rows, size_t count, void *out);
    void (*gather32[ARB_WIDTHS])(const void *values, const uint32_t *rows, size_t count, void *out);
    /* bits[i] = source bit rows[i]; bits behind the end of the last word are 0. */
    void (*gather16_bits)(const uint64_t *source, const uint16_t *rows, size_t count, uint64_t *bits);
    void (*gather32_bits)(const uint64_t *source, const uint32_t *rows, size_t count, uint64_t *bits);
    /* The numbers of the set bits, in order; returns how many. Writes up to 64 entries past the count. */
    size_t (*indices)(const uint64_t *bits, size_t rows, uint16_t *out_rows);
} arb_selection_kernels;

ARB_KERNELS_DECLARE(arb_selection_kernels);

/* Make a FLAT vector of the same rows. `in` itself is copied to `out` when it is FLAT already; else the values go to
 * `storage`, which has in's physical type and room for `rows`. Nested vectors must be FLAT or CONSTANT; a constant list
 * is repeated by reference to the same elements. */
void arb_vector_flatten(const arb_vector *in, size_t rows, const arb_vector_storage *storage, arb_vector *out);

/* The given rows of `in`, in order, as a vector over `storage`: CONSTANT stays CONSTANT, DICTIONARY stays DICTIONARY
 * (the codes go to the storage, which then needs 4 bytes a row), FLAT becomes FLAT. `in` must not be a STRUCT. */
void arb_vector_gather(const arb_vector *in, const uint16_t *rows, size_t count, const arb_vector_storage *storage,
                       arb_vector *out);

#endif
