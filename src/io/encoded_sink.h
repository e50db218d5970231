/* encoded_sink.h: a sink whose file is compressed, the other direction of decoded_source.h. */
#ifndef ARB_IO_ENCODED_SINK_H
#define ARB_IO_ENCODED_SINK_H

#include "io/byte_sink.h"
#include "io/codec_encode.h"

/* Put a sink in the place of *sink that compresses what it is given, in pieces of about a mebibyte, each a member (a frame)
 * of its own. ARB_CODEC_GZIP or ARB_CODEC_ZSTD; `level` 0 is the codec's usual one. On failure *sink stays as it is. */
ARB_NODISCARD arb_code arb_byte_sink_encode(arb_byte_sink **sink, arb_codec codec, int level, arb_error *error);

#endif
