#include "io/codec.h"

#include <brotli/decode.h>
#include <libdeflate.h>
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <zstd.h>

#include "base/alloc.h"

const char *arb_codec_name(arb_codec codec)
{
    static const char *const names[] = {"uncompressed", "snappy", "gzip",   "zstd",
                                        "lz4_raw",      "lz4",    "brotli", "lz4_frame"};
    return (unsigned)codec < ARB_CODEC_COUNT ? names[codec] : "unknown";
}

static arb_code damaged(arb_codec codec, size_t to_size, arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA,
                    "a block compressed with %s is damaged, or does not hold the %zu bytes "
                    "that are expected",
                    arb_codec_name(codec), to_size);
}

/* Members follow each other; each says in itself where it ends. */
static arb_code gzip_decode(const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size, arb_error *error)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (decompressor == NULL)
        return arb_fail_memory(error, "gzip decompression", 32 << 10);
    size_t written = 0;
    bool zlib = from_size >= 2 && (from[0] & 0x0F) == 8 && (from[0] << 8 | from[1]) % 31 == 0;
    enum libdeflate_result result = LIBDEFLATE_SUCCESS;
    do {
        size_t used = 0, got = 0;
        result = zlib ? libdeflate_zlib_decompress_ex(decompressor, from, from_size, to + written, to_size - written,
                                                      &used, &got)
                      : libdeflate_gzip_decompress_ex(decompressor, from, from_size, to + written, to_size - written,
                                                      &used, &got);
        if (result != LIBDEFLATE_SUCCESS)
            break;
        from += used;
        from_size -= used;
        written += got;
    } while (from_size != 0 && written < to_size);
    libdeflate_free_decompressor(decompressor);
    if (result != LIBDEFLATE_SUCCESS || written != to_size)
        return damaged(ARB_CODEC_GZIP, to_size, error);
    return ARB_OK;
}

static bool lz4_block(const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size, size_t *out_size)
{
    if (from_size > INT_MAX)
        return false;
    int room = to_size > INT_MAX ? INT_MAX : (int)to_size;
    int got = LZ4_decompress_safe((const char *)from, (char *)to, (int)from_size, room);
    *out_size = got < 0 ? 0 : (size_t)got;
    return got >= 0;
}

ARB_INLINE uint32_t load_big_endian_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Hadoop's framing: the size of the output and the size of the block, big-endian, and the block; again and again. */
static bool lz4_hadoop(const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size)
{
    size_t written = 0;
    while (from_size != 0) {
        if (from_size < 8)
            return false;
        uint32_t out_size = load_big_endian_u32(from), in_size = load_big_endian_u32(from + 4);
        size_t got;
        if (in_size > from_size - 8 || out_size > to_size - written ||
            !lz4_block(from + 8, in_size, to + written, out_size, &got) || got != out_size)
            return false;
        from += 8 + in_size;
        from_size -= 8 + in_size;
        written += out_size;
    }
    return written == to_size;
}

static bool lz4_frame(const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return false;
    size_t written = 0, left = 1;
    while (from_size != 0 && left != 0) {
        size_t room = to_size - written, used = from_size;
        left = LZ4F_decompress(context, to + written, &room, from, &used, NULL);
        if (LZ4F_isError(left) || (room == 0 && used == 0))
            break;
        from += used;
        from_size -= used;
        written += room;
    }
    LZ4F_freeDecompressionContext(context);
    return written == to_size;
}

static arb_code lz4_old_decode(const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size, arb_error *error)
{
    size_t got;
    if (lz4_hadoop(from, from_size, to, to_size) || lz4_frame(from, from_size, to, to_size) ||
        (lz4_block(from, from_size, to, to_size, &got) && got == to_size))
        return ARB_OK;
    return damaged(ARB_CODEC_LZ4_HADOOP, to_size, error);
}

arb_code arb_codec_decode(arb_codec codec, const void *from, size_t from_size, void *to, size_t to_size,
                          arb_error *error)
{
    size_t got = 0;
    switch (codec) {
    case ARB_CODEC_NONE:
        if (from_size != to_size)
            return damaged(codec, to_size, error);
        memcpy(to, from, to_size);
        return ARB_OK;
    case ARB_CODEC_SNAPPY:
        return arb_snappy_decode(from, from_size, to, to_size, error);
    case ARB_CODEC_GZIP:
        return gzip_decode(from, from_size, to, to_size, error);
    case ARB_CODEC_ZSTD:
        got = ZSTD_decompress(to, to_size, from, from_size);
        break;
    case ARB_CODEC_LZ4_RAW:
        if (!lz4_block(from, from_size, to, to_size, &got))
            return damaged(codec, to_size, error);
        break;
    case ARB_CODEC_LZ4_HADOOP:
        return lz4_old_decode(from, from_size, to, to_size, error);
    case ARB_CODEC_LZ4_FRAME:
        return lz4_frame(from, from_size, to, to_size) ? ARB_OK : damaged(codec, to_size, error);
    case ARB_CODEC_BROTLI:
        got = to_size;
        if (BrotliDecoderDecompress(from_size, from, &got, to) != BROTLI_DECODER_RESULT_SUCCESS)
            return damaged(codec, to_size, error);
        break;
    default:
        return arb_fail(error, ARB_NOT_SUPPORTED, "compression codec %d is not supported", (int)codec);
    }
    return got == to_size ? ARB_OK : damaged(codec, to_size, error);
}
