#include "kernels/hash_values.h"

#include "base/hash.h"

ARB_KERNELS_DEFINE(arb_hash_kernels)

static const uint64_t null_hash = 0x5DEECE66D1CE4E5Bu;

static void hash_bits(const uint64_t *bits, size_t rows, uint64_t *hashes, bool first)
{
    for (size_t row = 0; row < rows; row++) {
        uint64_t value = arb_hash_u64(arb_bitmap_get(bits, row));
        hashes[row] = first ? value : arb_hash_combine(hashes[row], value);
    }
}

void arb_hash_vectors(const arb_vector *const *columns, size_t column_count, size_t rows, uint64_t *hashes)
{
    const arb_hash_kernels *kernels = arb_hash_kernels_get();
    uint64_t before[ARB_VECTOR_ROWS];
    for (size_t c = 0; c < column_count; c++) {
        const arb_vector *column = columns[c];
        assert(column->encoding == ARB_FLAT && rows <= ARB_VECTOR_ROWS);
        if (column->validity != NULL && c != 0)
            memcpy(before, hashes, rows * sizeof *hashes);
        if (column->physical == ARB_PHYS_BOOL)
            hash_bits(column->values.bits, rows, hashes, c == 0);
        else
            (c == 0 ? kernels->hash : kernels->combine)[column->physical](column->values.data, rows, hashes);
        if (column->validity == NULL)
            continue;
        for (size_t row = 0; row < rows; row++)
            if (!arb_bitmap_get(column->validity, row))
                hashes[row] = c == 0 ? null_hash : arb_hash_combine(before[row], null_hash);
    }
}
