/* delta_encoder.h: DELTA_BINARY_PACKED, written: see delta_decoder.h.
 *
 * Values lie in blocks of 128; a block is its least difference and four groups of 32 differences, each packed with as
 * many bits as its largest one needs above the least. Differences wrap at the type's width. */
#ifndef ARB_FORMATS_PARQUET_DELTA_ENCODER_H
#define ARB_FORMATS_PARQUET_DELTA_ENCODER_H

#include "base/text.h"

void arb_delta_encode_i32(arb_text *out, const int32_t *values, size_t count);
void arb_delta_encode_i64(arb_text *out, const int64_t *values, size_t count);
/* Bits that a value takes on average, from a sample of blocks. */
double arb_delta_estimate_i32(const int32_t *values, size_t count);
double arb_delta_estimate_i64(const int64_t *values, size_t count);

#endif
