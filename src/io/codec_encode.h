/* codec_encode.h: compression, the other direction of codec.h. */
#ifndef ARB_IO_CODEC_ENCODE_H
#define ARB_IO_CODEC_ENCODE_H

#include "io/codec.h"

/* What a codec keeps between blocks: tables of some 100 KiB. One thread at a time. */
typedef struct arb_codec_encoder arb_codec_encoder;

/* ARB_CODEC_NONE, SNAPPY, GZIP, ZSTD, LZ4_RAW or LZ4_FRAME; others are ARB_NOT_SUPPORTED. `level` 0 is the codec's
 * usual one (ZSTD: 1, which loses little and is several times as fast as the library's own choice). */
ARB_NODISCARD arb_code arb_codec_encoder_create(arb_codec codec, int level, arb_codec_encoder **out_encoder,
                                                arb_error *error);
void arb_codec_encoder_destroy(arb_codec_encoder *encoder); /* NULL is a no-op */
/* Most bytes that `size` bytes can become. */
size_t arb_codec_encode_bound(const arb_codec_encoder *encoder, size_t size);
/* One block from `size` bytes; `to` has room for the bound. */
ARB_NODISCARD arb_code arb_codec_encode(arb_codec_encoder *encoder, const void *from, size_t size, void *to,
                                        size_t *out_size, arb_error *error);

#endif
