/* bitmap.h: one bit a row, in 64-bit words, least significant bit first (Arrow's order).
 *
 * Validity (1 = not NULL), truth values and selections are such bitmaps. A pointer of NULL stands for "all ones" where
 * a comment says so. Bits behind the last row of the last word are unspecified unless a function says otherwise. */
#ifndef ARB_BASE_BITMAP_H
#define ARB_BASE_BITMAP_H

#include "base/compiler.h"

ARB_INLINE size_t arb_bitmap_words(size_t rows)
{
    return (rows + 63) / 64;
}

ARB_INLINE bool arb_bitmap_get(const uint64_t *bits, size_t row)
{
    return (bits[row / 64] >> (row % 64)) & 1;
}

ARB_INLINE void arb_bitmap_set(uint64_t *bits, size_t row)
{
    bits[row / 64] |= (uint64_t)1 << (row % 64);
}

ARB_INLINE void arb_bitmap_clear(uint64_t *bits, size_t row)
{
    bits[row / 64] &= ~((uint64_t)1 << (row % 64));
}

ARB_INLINE void arb_bitmap_put(uint64_t *bits, size_t row, bool value)
{
    uint64_t mask = (uint64_t)1 << (row % 64);
    bits[row / 64] = (bits[row / 64] & ~mask) | (value ? mask : 0);
}

/* Ones for the rows of the last word that exist: and with it to drop what lies behind the end. */
ARB_INLINE uint64_t arb_bitmap_tail_mask(size_t rows)
{
    return rows % 64 == 0 ? ~(uint64_t)0 : ((uint64_t)1 << (rows % 64)) - 1;
}

/* Set rows [0, rows) and clear the rest of the last word. */
ARB_INLINE void arb_bitmap_fill(uint64_t *bits, size_t rows)
{
    size_t words = arb_bitmap_words(rows);
    memset(bits, 0xFF, words * 8);
    if (words != 0)
        bits[words - 1] &= arb_bitmap_tail_mask(rows);
}

/* Ones among the first `rows`; NULL counts as all ones. */
ARB_INLINE size_t arb_bitmap_count(const uint64_t *bits, size_t rows)
{
    if (bits == NULL)
        return rows;
    size_t count = 0;
    for (size_t word = 0; word < rows / 64; word++)
        count += (size_t)__builtin_popcountll(bits[word]);
    if (rows % 64 != 0)
        count += (size_t)__builtin_popcountll(bits[rows / 64] & arb_bitmap_tail_mask(rows));
    return count;
}

/* Copy `rows` bits from bit `from_row` of `from` to bit 0 of `to`; the rest of `to`'s last word is cleared. */
void arb_bitmap_copy(uint64_t *to, const void *from, size_t from_row, size_t rows);
/* Copy `rows` bits from bit 0 of `from` to bit `to_row` of `to`; other bits of `to` stay. `from` NULL writes ones. */
void arb_bitmap_write(uint64_t *to, size_t to_row, const uint64_t *from, size_t rows);
/* The row numbers of the ones among the first `rows` (at most 65,536), in order; returns how many. */
size_t arb_bitmap_indices(const uint64_t *bits, size_t rows, uint16_t *out_rows);

#endif
