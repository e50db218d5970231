#include "io/encoded_sink.h"

#include "base/alloc.h"

enum { PIECE = 1 << 20 };

typedef struct encoded_sink {
    arb_byte_sink base;
    arb_byte_sink *to; /* owned */
    arb_codec_encoder *encoder;
    uint8_t *piece; /* PIECE bytes, `held` of them filled */
    uint8_t *packed;
    size_t held;
} encoded_sink;

static void encoded_destroy(arb_byte_sink *base)
{
    encoded_sink *sink = (encoded_sink *)base;
    arb_byte_sink_destroy(sink->to);
    arb_codec_encoder_destroy(sink->encoder);
    arb_free(sink->piece);
    arb_free(sink->packed);
    arb_free(sink);
}

static arb_code put_piece(encoded_sink *sink, arb_error *error)
{
    size_t size;
    ARB_TRY(arb_codec_encode(sink->encoder, sink->piece, sink->held, sink->packed, &size, error));
    sink->held = 0;
    return arb_byte_sink_write(sink->to, sink->packed, size, error);
}

static arb_code encoded_write(arb_byte_sink *base, const void *data, size_t size, arb_error *error)
{
    encoded_sink *sink = (encoded_sink *)base;
    for (size_t done = 0; done < size;) {
        size_t here = ARB_MIN(size - done, PIECE - sink->held);
        memcpy(sink->piece + sink->held, (const uint8_t *)data + done, here);
        sink->held += here;
        done += here;
        if (sink->held == PIECE)
            ARB_TRY(put_piece(sink, error));
    }
    return ARB_OK;
}

static arb_code encoded_finish(arb_byte_sink *base, arb_error *error)
{
    encoded_sink *sink = (encoded_sink *)base;
    if (sink->held != 0 || base->written == 0) /* nothing at all would be no compressed file */
        ARB_TRY(put_piece(sink, error));
    return arb_byte_sink_finish(sink->to, error);
}

static arb_code prepare(encoded_sink *sink, arb_codec codec, int level, arb_error *error)
{
    ARB_TRY(arb_codec_encoder_create(codec, level, &sink->encoder, error));
    size_t bound = arb_codec_encode_bound(sink->encoder, PIECE);
    sink->piece = arb_alloc(PIECE);
    sink->packed = arb_alloc(bound);
    return sink->piece != NULL && sink->packed != NULL ? ARB_OK
                                                       : arb_fail_memory(error, "a compressed file", PIECE + bound);
}

arb_code arb_byte_sink_encode(arb_byte_sink **sink, arb_codec codec, int level, arb_error *error)
{
    static const arb_byte_sink_vtable vtable = {encoded_destroy, encoded_write, encoded_finish};
    assert(codec == ARB_CODEC_GZIP || codec == ARB_CODEC_ZSTD);
    encoded_sink *made = arb_alloc_zeroed(sizeof *made);
    if (made == NULL)
        return arb_fail_memory(error, "a compressed file", sizeof *made);
    arb_code code = prepare(made, codec, level, error);
    if (code != ARB_OK) {
        encoded_destroy(&made->base);
        return code;
    }
    made->base = (arb_byte_sink){.vtable = &vtable, .path = (*sink)->path};
    made->to = *sink;
    *sink = &made->base;
    return ARB_OK;
}
