#include "io/codec_encode.h"

#include <libdeflate.h>
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <zstd.h>

#include "base/alloc.h"

enum { ZSTD_USUAL_LEVEL = 1, GZIP_USUAL_LEVEL = 6, GZIP_HIGHEST_LEVEL = 12 };

struct arb_codec_encoder {
    arb_codec codec;
    int level;
    ZSTD_CCtx *zstd;
    struct libdeflate_compressor *gzip;
};

arb_code arb_codec_encoder_create(arb_codec codec, int level, arb_codec_encoder **out_encoder, arb_error *error)
{
    *out_encoder = NULL;
    arb_codec_encoder *encoder = arb_alloc_zeroed(sizeof *encoder);
    if (encoder == NULL)
        return arb_fail_memory(error, "a compressor", sizeof *encoder);
    encoder->codec = codec;
    bool made = true;
    switch (codec) {
    case ARB_CODEC_NONE:
    case ARB_CODEC_SNAPPY:
    case ARB_CODEC_LZ4_RAW:
    case ARB_CODEC_LZ4_FRAME:
        break;
    case ARB_CODEC_ZSTD:
        encoder->level = level == 0 ? ZSTD_USUAL_LEVEL : ARB_MAX(ZSTD_minCLevel(), ARB_MIN(level, ZSTD_maxCLevel()));
        made = (encoder->zstd = ZSTD_createCCtx()) != NULL;
        break;
    case ARB_CODEC_GZIP:
        encoder->level = level == 0 ? GZIP_USUAL_LEVEL : ARB_MAX(1, ARB_MIN(level, GZIP_HIGHEST_LEVEL));
        made = (encoder->gzip = libdeflate_alloc_compressor(encoder->level)) != NULL;
        break;
    default:
        arb_free(encoder);
        return arb_fail(error, ARB_NOT_SUPPORTED, "compressing with %s is not supported", arb_codec_name(codec));
    }
    if (!made) {
        arb_codec_encoder_destroy(encoder);
        return arb_fail_memory(error, "a compressor", 256 << 10);
    }
    *out_encoder = encoder;
    return ARB_OK;
}

void arb_codec_encoder_destroy(arb_codec_encoder *encoder)
{
    if (encoder == NULL)
        return;
    ZSTD_freeCCtx(encoder->zstd);
    if (encoder->gzip != NULL)
        libdeflate_free_compressor(encoder->gzip);
    arb_free(encoder);
}

size_t arb_codec_encode_bound(const arb_codec_encoder *encoder, size_t size)
{
    switch (encoder->codec) {
    case ARB_CODEC_SNAPPY:
        return snappy_max_compressed_length(size);
    case ARB_CODEC_LZ4_RAW: /* the library takes an int */
        return size > LZ4_MAX_INPUT_SIZE ? size : (size_t)LZ4_compressBound((int)size);
    case ARB_CODEC_LZ4_FRAME:
        return LZ4F_compressFrameBound(size, NULL);
    case ARB_CODEC_ZSTD:
        return ZSTD_compressBound(size);
    case ARB_CODEC_GZIP:
        return libdeflate_gzip_compress_bound(encoder->gzip, size);
    default:
        return size;
    }
}

arb_code arb_codec_encode(arb_codec_encoder *encoder, const void *from, size_t size, void *to, size_t *out_size,
                          arb_error *error)
{
    size_t room = arb_codec_encode_bound(encoder, size), got = 0;
    bool done = true;
    switch (encoder->codec) {
    case ARB_CODEC_NONE:
        if (size != 0)
            memcpy(to, from, size);
        got = size;
        break;
    case ARB_CODEC_SNAPPY:
        got = room;
        done = snappy_compress(from, size, to, &got) == SNAPPY_OK;
        break;
    case ARB_CODEC_LZ4_RAW:
        if (size <= LZ4_MAX_INPUT_SIZE)
            got = (size_t)LZ4_compress_default(from, to, (int)size, (int)room);
        done = got != 0;
        break;
    case ARB_CODEC_LZ4_FRAME:
        got = LZ4F_compressFrame(to, room, from, size, NULL);
        done = !LZ4F_isError(got);
        break;
    case ARB_CODEC_ZSTD:
        got = ZSTD_compressCCtx(encoder->zstd, to, room, from, size, encoder->level);
        done = !ZSTD_isError(got);
        break;
    case ARB_CODEC_GZIP:
        got = libdeflate_gzip_compress(encoder->gzip, from, size, to, room);
        done = got != 0;
        break;
    default:
        done = false;
        break;
    }
    if (!done)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "%zu bytes could not be compressed with %s", size,
                        arb_codec_name(encoder->codec));
    *out_size = got;
    return ARB_OK;
}
