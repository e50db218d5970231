/* delta_decoder.h: the delta encodings, each decoded for a whole page at once (their values depend on each other).
 *
 * Output buffers grow as values really come, at most to `max_count`, whatever a header claims. */
#ifndef ARB_FORMATS_PARQUET_DELTA_DECODER_H
#define ARB_FORMATS_PARQUET_DELTA_DECODER_H

#include "columnar/type.h"
#include "io/padded_buffer.h"

/* DELTA_BINARY_PACKED: `*out_count` int64_t values (sums wrap at 32 bits when `is_32`) into `out`; *out_used is where
 * the encoded bytes end. */
ARB_NODISCARD arb_code arb_delta_integers(const uint8_t *from, size_t size, size_t max_count, bool is_32,
                                          arb_padded_buffer *out, size_t *out_count, size_t *out_used,
                                          arb_error *error);
/* DELTA_LENGTH_BYTE_ARRAY: arb_string values that refer to `from`. `scratch` is overwritten. */
ARB_NODISCARD arb_code arb_delta_lengths(const uint8_t *from, size_t size, size_t max_count, arb_padded_buffer *scratch,
                                         arb_padded_buffer *out, size_t *out_count, arb_error *error);
/* DELTA_BYTE_ARRAY: arb_string values that refer to `bytes`. */
ARB_NODISCARD arb_code arb_delta_bytes(const uint8_t *from, size_t size, size_t max_count, arb_padded_buffer *scratch,
                                       arb_padded_buffer *bytes, arb_padded_buffer *out, size_t *out_count,
                                       arb_error *error);

#endif
