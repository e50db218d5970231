/* rle_encoder.h: Parquet's hybrid of runs and packed bits, written: see rle_decoder.h. */
#ifndef ARB_FORMATS_PARQUET_RLE_ENCODER_H
#define ARB_FORMATS_PARQUET_RLE_ENCODER_H

#include "base/text.h"

/* Append `count` values, each of at most `width` bits (0 to 32). */
void arb_rle_encode_u32(arb_text *out, const uint32_t *values, size_t count, unsigned width);
/* The same for levels. */
void arb_rle_encode_u8(arb_text *out, const uint8_t *values, size_t count, unsigned width);
/* Only the packed bits of `count` values, with zeros up to a whole byte. */
void arb_bits_pack_u64(arb_text *out, const uint64_t *values, size_t count, unsigned width);

#endif
