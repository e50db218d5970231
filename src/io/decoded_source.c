#include "io/decoded_source.h"

#include <libdeflate.h>
#include <zstd.h>

#include "base/alloc.h"
#include "runtime/held_memory.h"

#define DECODED_MOST (UINT64_C(4) << 30)
enum {
    ROOM_LEAST = 1 << 20,
    PIECE_MOST = 4 << 20,
    GZIP_FACTOR_MOST = 1032, /* deflate cannot make more of a byte */
};

typedef struct decoded_source {
    arb_byte_source base;
    char *data;
    char path[];
} decoded_source;

static void decoded_destroy(arb_byte_source *source)
{
    arb_free(((decoded_source *)source)->data);
    arb_free(source);
}

static arb_code decoded_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size, arb_error *error)
{
    (void)error;
    memcpy(to, ((const decoded_source *)source)->data + offset, size);
    return ARB_OK;
}

typedef struct output {
    char *data;
    size_t size, capacity;
    arb_reservation *held; /* counts the capacity */
} output;

static arb_code grow(output *out, size_t wanted, arb_error *error)
{
    if (out->capacity == DECODED_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a compressed file holds more than 4 GiB");
    wanted = (size_t)ARB_MIN(wanted, DECODED_MOST);
    ARB_TRY(arb_held_take(out->held, wanted - out->capacity, error));
    char *moved = arb_realloc(out->data, wanted);
    if (moved == NULL) {
        arb_held_give(out->held, wanted - out->capacity);
        return arb_fail_memory(error, "a compressed file", wanted);
    }
    out->data = moved;
    out->capacity = wanted;
    return ARB_OK;
}

static arb_code damaged(const char *kind, arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "the file is damaged: it begins as %s, but cannot be decompressed", kind);
}

/* Member by member; a member that does not fit is tried again with more room. */
static arb_code decode_gzip(const uint8_t *from, size_t size, arb_stop_flag *stop, output *out, arb_error *error)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (decompressor == NULL)
        return arb_fail_memory(error, "gzip decompression", 32 << 10);
    arb_code code = ARB_OK;
    while (size != 0 && code == ARB_OK && (code = arb_check_stop(stop, error)) == ARB_OK) {
        size_t used = 0, got = 0;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(decompressor, from, size, out->data + out->size,
                                                                      out->capacity - out->size, &used, &got);
        if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
            if (out->capacity - out->size > (uint64_t)size * GZIP_FACTOR_MOST)
                code = damaged("gzip", error);
            else
                code = grow(out, out->capacity * 2, error);
            continue;
        }
        if (result != LIBDEFLATE_SUCCESS) {
            code = damaged("gzip", error);
            continue;
        }
        out->size += got;
        from += used;
        size -= used;
    }
    libdeflate_free_decompressor(decompressor);
    return code;
}

static arb_code decode_zstd(const uint8_t *from, size_t size, arb_stop_flag *stop, output *out, arb_error *error)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL)
        return arb_fail_memory(error, "zstd decompression", 256 << 10);
    arb_code code = ARB_OK;
    ZSTD_inBuffer in = {from, size, 0};
    size_t left = 1;
    while (code == ARB_OK && (in.pos < in.size || left != 0)) {
        if (out->size == out->capacity) {
            code = grow(out, out->capacity * 2, error);
            continue;
        }
        if ((code = arb_check_stop(stop, error)) != ARB_OK)
            break;
        ZSTD_outBuffer piece = {out->data + out->size, ARB_MIN(out->capacity - out->size, (size_t)PIECE_MOST), 0};
        size_t in_before = in.pos;
        left = ZSTD_decompressStream(context, &piece, &in);
        out->size += piece.pos;
        if (ZSTD_isError(left) || (piece.pos == 0 && in.pos == in_before))
            code = damaged("zstd", error);
    }
    ZSTD_freeDCtx(context);
    return code;
}

static arb_code decode(const arb_byte_source *source, bool is_gzip, arb_stop_flag *stop, output *out, arb_error *error)
{
    size_t size = source->identity.size;
    ARB_TRY(arb_held_take(out->held, size, error)); /* while it is decoded */
    uint8_t *bytes = arb_alloc(size);
    arb_code code = bytes != NULL ? ARB_OK : arb_fail_memory(error, "a compressed file", size);
    if (code == ARB_OK)
        code = arb_byte_source_read(source, 0, bytes, size, error);
    if (code == ARB_OK)
        code = grow(out, ARB_MAX(size * 4, (size_t)ROOM_LEAST), error);
    if (code == ARB_OK)
        code = is_gzip ? decode_gzip(bytes, size, stop, out, error) : decode_zstd(bytes, size, stop, out, error);
    arb_free(bytes);
    arb_held_give(out->held, size);
    return code;
}

arb_code arb_byte_source_decode(arb_byte_source **source, arb_stop_flag *stop, arb_error *error)
{
    static const arb_byte_source_vtable vtable = {.destroy = decoded_destroy, .read = decoded_read};
    const arb_byte_source *from = *source;
    uint8_t magic[4];
    if (from->identity.size < sizeof magic)
        return ARB_OK;
    ARB_TRY(arb_byte_source_read(from, 0, magic, sizeof magic, error));
    bool is_gzip = magic[0] == 0x1F && magic[1] == 0x8B, is_zstd = memcmp(magic, "\x28\xB5\x2F\xFD", 4) == 0;
    if (!is_gzip && !is_zstd)
        return ARB_OK;
    if (from->identity.size > DECODED_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a compressed file holds more than 4 GiB");
    decoded_source *made = arb_alloc_zeroed(sizeof *made + from->path.size + 1);
    if (made == NULL)
        return arb_fail_memory(error, "a byte source", sizeof *made);
    made->base.held = (arb_reservation){.memory = from->held.memory, .owner = "a compressed file"};
    output out = {.held = &made->base.held};
    arb_code code = decode(from, is_gzip, stop, &out, error);
    if (code != ARB_OK) {
        arb_free(out.data);
        arb_reservation_reset(&made->base.held);
        arb_free(made);
        return code;
    }
    memcpy(made->path, from->path.data, from->path.size);
    made->data = out.data;
    made->base = (arb_byte_source){.vtable = &vtable,
                                   .path = {made->path, from->path.size},
                                   .identity = from->identity,
                                   .read_ahead = from->read_ahead,
                                   .held = made->base.held};
    made->base.identity.size = out.size;
    arb_byte_source_destroy(*source);
    *source = &made->base;
    return ARB_OK;
}
