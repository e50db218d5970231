#include "kernels/select.h"

#define GATHER(name, index, type)                                                    \
    static void name(const void *values, const index *rows, size_t count, void *out) \
    {                                                                                \
        const type *from = values;                                                   \
        type *to = out;                                                              \
        for (size_t i = 0; i < count; i++)                                           \
            to[i] = from[rows[i]];                                                   \
    }
GATHER(gather16_1, uint16_t, uint8_t)
GATHER(gather16_2, uint16_t, uint16_t)
GATHER(gather16_4, uint16_t, uint32_t)
GATHER(gather16_8, uint16_t, uint64_t)
GATHER(gather16_16, uint16_t, arb_string)
GATHER(gather32_1, uint32_t, uint8_t)
GATHER(gather32_2, uint32_t, uint16_t)
GATHER(gather32_4, uint32_t, uint32_t)
GATHER(gather32_8, uint32_t, uint64_t)
GATHER(gather32_16, uint32_t, arb_string)

#define GATHER_BITS(name, index)                                                              \
    static void name(const uint64_t *source, const index *rows, size_t count, uint64_t *bits) \
    {                                                                                         \
        for (size_t row = 0; row < count; row += 64) {                                        \
            uint64_t word = 0;                                                                \
            size_t end = ARB_MIN(count - row, (size_t)64);                                    \
            for (size_t i = 0; i < end; i++)                                                  \
                word |= (uint64_t)arb_bitmap_get(source, rows[row + i]) << i;                 \
            bits[row / 64] = word;                                                            \
        }                                                                                     \
    }
GATHER_BITS(gather16_bits, uint16_t)
GATHER_BITS(gather32_bits, uint32_t)

static size_t indices(const uint64_t *bits, size_t rows, uint16_t *out_rows)
{
    size_t count = 0;
    for (size_t word = 0; word < arb_bitmap_words(rows); word++) {
        uint64_t left = bits[word];
        if (word == rows / 64)
            left &= arb_bitmap_tail_mask(rows);
        if (left == ~(uint64_t)0) {
            for (size_t i = 0; i < 64; i++)
                out_rows[count + i] = (uint16_t)(word * 64 + i);
            count += 64;
            continue;
        }
        for (; left != 0; left &= left - 1)
            out_rows[count++] = (uint16_t)(word * 64 + (size_t)__builtin_ctzll(left));
    }
    return count;
}

const arb_selection_kernels ARB_KERNELS_TABLE(arb_selection_kernels) = {
    .gather16 = {gather16_1, gather16_2, gather16_4, gather16_8, gather16_16},
    .gather32 = {gather32_1, gather32_2, gather32_4, gather32_8, gather32_16},
    .gather16_bits = gather16_bits,
    .gather32_bits = gather32_bits,
    .indices = indices,
};
