#include "formats/parquet/delta_encoder.h"

#include "formats/parquet/rle_encoder.h"
#include "formats/parquet/thrift_writer.h"

enum { BLOCK_VALUES = 128, GROUPS = 4, GROUP_VALUES = BLOCK_VALUES / GROUPS, SAMPLE_BLOCKS = 16 };

/* The same body for both widths: `wide` is a constant wherever this is inlined. */
ARB_INLINE int64_t value_at(const void *values, size_t i, bool wide)
{
    return wide ? ((const int64_t *)values)[i] : ((const int32_t *)values)[i];
}

ARB_INLINE int64_t wrap(uint64_t difference, bool wide)
{
    return wide ? (int64_t)difference : (int32_t)(uint32_t)difference;
}

/* The differences that lead to values [first, first + count), above the least of them; zeros behind. */
ARB_INLINE int64_t block_differences(const void *values, size_t first, size_t count, bool wide,
                                     uint64_t out[BLOCK_VALUES], unsigned widths[GROUPS])
{
    int64_t differences[BLOCK_VALUES], least = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t now = (uint64_t)value_at(values, first + i, wide),
                 before = (uint64_t)value_at(values, first + i - 1, wide);
        differences[i] = wrap(now - before, wide);
        least = ARB_MIN(least, differences[i]);
    }
    for (size_t group = 0; group < GROUPS; group++) {
        uint64_t any = 0;
        for (size_t i = group * GROUP_VALUES; i < (group + 1) * GROUP_VALUES; i++) {
            out[i] = i < count ? (uint64_t)differences[i] - (uint64_t)least : 0;
            any |= out[i];
        }
        widths[group] = arb_bit_width(any);
    }
    return least;
}

ARB_INLINE void encode(arb_text *out, const void *values, size_t count, bool wide)
{
    arb_varint_append(out, BLOCK_VALUES);
    arb_varint_append(out, GROUPS);
    arb_varint_append(out, count);
    arb_varint_append(out, arb_zigzag(count == 0 ? 0 : value_at(values, 0, wide)));
    for (size_t first = 1; first < count; first += BLOCK_VALUES) {
        size_t here = ARB_MIN(count - first, (size_t)BLOCK_VALUES);
        uint64_t block[BLOCK_VALUES];
        unsigned widths[GROUPS];
        int64_t least = block_differences(values, first, here, wide, block, widths);
        arb_varint_append(out, arb_zigzag(least));
        for (size_t group = 0; group < GROUPS; group++)
            arb_text_append_char(out, (char)widths[group]);
        for (size_t group = 0; group * GROUP_VALUES < here; group++)
            arb_bits_pack_u64(out, block + group * GROUP_VALUES, GROUP_VALUES, widths[group]);
    }
}

ARB_INLINE double estimate(const void *values, size_t count, bool wide)
{
    if (count <= BLOCK_VALUES)
        return wide ? 64 : 32;
    uint64_t bits = 0;
    for (size_t i = 0; i < SAMPLE_BLOCKS; i++) {
        size_t first = 1 + (count - 1 - BLOCK_VALUES) * i / SAMPLE_BLOCKS;
        uint64_t block[BLOCK_VALUES];
        unsigned widths[GROUPS];
        block_differences(values, first, BLOCK_VALUES, wide, block, widths);
        for (size_t group = 0; group < GROUPS; group++)
            bits += widths[group] * GROUP_VALUES;
        bits += 8 * 8;
    }
    return (double)bits / (SAMPLE_BLOCKS * BLOCK_VALUES);
}

void arb_delta_encode_i32(arb_text *out, const int32_t *values, size_t count)
{
    encode(out, values, count, false);
}

void arb_delta_encode_i64(arb_text *out, const int64_t *values, size_t count)
{
    encode(out, values, count, true);
}

double arb_delta_estimate_i32(const int32_t *values, size_t count)
{
    return estimate(values, count, false);
}

double arb_delta_estimate_i64(const int64_t *values, size_t count)
{
    return estimate(values, count, true);
}
