/* rle_decoder.h: Parquet's hybrid of runs and packed bits, which holds levels, dictionary codes and booleans.
 *
 * A sequence of runs, each with a varint in front. Its lowest bit says which kind follows: 0, the same value (in as many
 * whole bytes as its width needs) `head >> 1` times; 1, `head >> 1` groups of eight values of `width` bits.
 * The decoder stands between any two values. It never reads outside of its bytes but for the padding behind them. */
#ifndef ARB_FORMATS_PARQUET_RLE_DECODER_H
#define ARB_FORMATS_PARQUET_RLE_DECODER_H

#include "formats/parquet/parquet_kernels.h"

typedef struct arb_rle_decoder {
    const uint8_t *at, *end; /* runs not begun */
    const uint8_t *packed;   /* of the current run, when it is packed; else NULL */
    uint64_t packed_index;   /* next value of it */
    uint64_t left;           /* values of the current run */
    uint32_t value;          /* of a run of equal values */
    unsigned width;          /* bits, 0 to 32 */
} arb_rle_decoder;

ARB_INLINE arb_rle_decoder arb_rle_decoder_over(const uint8_t *from, size_t size, unsigned width)
{
    return (arb_rle_decoder){.at = from, .end = from + size, .width = width};
}
/* One run of `count` packed values without a head, as old writers stored levels. */
ARB_INLINE arb_rle_decoder arb_rle_decoder_packed(const uint8_t *from, unsigned width, uint64_t count)
{
    return (arb_rle_decoder){.at = from, .end = from, .packed = from, .left = count, .width = width};
}

/* Make `left` at least 1; false when there are no more values. */
bool arb_rle_decoder_fill(arb_rle_decoder *decoder);
/* All return how many values there were, `count` unless the bytes ended. */
size_t arb_rle_decoder_skip(arb_rle_decoder *decoder, size_t count);
/* Values to `to`, which has room for 8 more; *largest is raised to the largest. */
size_t arb_rle_decoder_get(arb_rle_decoder *decoder, const arb_parquet_kernels *kernels, size_t count, uint32_t *to,
                           uint32_t *largest);
/* Of the next `span` values those at `indices` (ascending, below `span`); all `span` are passed. */
size_t arb_rle_decoder_pick(arb_rle_decoder *decoder, const arb_parquet_kernels *kernels, size_t span,
                            const uint16_t *indices, size_t index_count, uint32_t *to, uint32_t *largest);
/* Width 1: values as bits from bit `at` of `bits` on; *ones is raised by the ones among them. */
size_t arb_rle_decoder_bits(arb_rle_decoder *decoder, size_t count, uint64_t *bits, size_t at, size_t *ones);

#endif
