#include "base/bitmap.h"

/* The 64 bits that begin at bit `at`; reads only bytes that hold some of the first `end` bits. */
static uint64_t load_bits(const unsigned char *bytes, size_t at, size_t end)
{
    size_t first = at / 8, shift = at % 8, last = (end + 7) / 8;
    uint64_t low = 0, high = 0;
    if (first + 8 <= last)
        low = arb_load_u64(bytes + first);
    else
        memcpy(&low, bytes + first, last - first);
    if (shift == 0)
        return low;
    if (first + 8 < last)
        high = bytes[first + 8];
    return (low >> shift) | (high << (64 - shift));
}

void arb_bitmap_copy(uint64_t *to, const void *from, size_t from_row, size_t rows)
{
    for (size_t row = 0; row < rows; row += 64)
        to[row / 64] = load_bits(from, from_row + row, from_row + rows);
    if (rows != 0)
        to[(rows - 1) / 64] &= arb_bitmap_tail_mask(rows);
}

void arb_bitmap_write(uint64_t *to, size_t to_row, const uint64_t *from, size_t rows)
{
    for (size_t row = 0; row < rows;) {
        size_t at = to_row + row, bit = at % 64, count = ARB_MIN(64 - bit, rows - row);
        uint64_t value = from == NULL ? ~(uint64_t)0 : load_bits((const unsigned char *)from, row, rows);
        uint64_t mask = (count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1) << bit;
        to[at / 64] = (to[at / 64] & ~mask) | ((value << bit) & mask);
        row += count;
    }
}

size_t arb_bitmap_indices(const uint64_t *bits, size_t rows, uint16_t *out_rows)
{
    size_t count = 0;
    for (size_t word = 0; word < arb_bitmap_words(rows); word++) {
        uint64_t left = bits[word];
        if (word == rows / 64)
            left &= arb_bitmap_tail_mask(rows);
        for (; left != 0; left &= left - 1)
            out_rows[count++] = (uint16_t)(word * 64 + (size_t)__builtin_ctzll(left));
    }
    return count;
}
