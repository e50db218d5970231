/* codec.h: decompression.
 *
 * One call turns a whole compressed block into bytes whose number is known beforehand (all of our formats say it). A
 * block that gives more, fewer or no bytes is ARB_CORRUPT_DATA.
 *
 * Both buffers are padded: ARB_CODEC_PADDING bytes behind `from_size` may be read (their values do not matter) and as
 * many behind `to_size` may be overwritten. So decoders copy 16 bytes where they need three, without looking. */
#ifndef ARB_IO_CODEC_H
#define ARB_IO_CODEC_H

#include "base/error.h"

typedef enum arb_codec {
    ARB_CODEC_NONE,
    ARB_CODEC_SNAPPY,
    ARB_CODEC_GZIP, /* gzip or zlib, also of several members */
    ARB_CODEC_ZSTD,
    ARB_CODEC_LZ4_RAW,    /* one LZ4 block */
    ARB_CODEC_LZ4_HADOOP, /* Hadoop's framing of blocks; files of that name also hold frames or one bare block */
    ARB_CODEC_BROTLI,
    ARB_CODEC_LZ4_FRAME, /* one frame of LZ4's own file format */
    ARB_CODEC_COUNT
} arb_codec;

enum { ARB_CODEC_PADDING = 64 };

const char *arb_codec_name(arb_codec codec);

/* Decompress `from` into exactly `to_size` bytes at `to`; the two do not overlap. Keeps nothing. */
ARB_NODISCARD arb_code arb_codec_decode(arb_codec codec, const void *from, size_t from_size, void *to, size_t to_size,
                                        arb_error *error);

/* Snappy's own format, decoded by ourselves: with the usual library it would be most of the time of a scan. */
ARB_NODISCARD arb_code arb_snappy_decode(const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size,
                                         arb_error *error);

/* The CRC of gzip and Parquet (polynomial 0x04C11DB7). `so_far` is 0 at the start. */
uint32_t arb_crc32(uint32_t so_far, const void *data, size_t size);

#endif
