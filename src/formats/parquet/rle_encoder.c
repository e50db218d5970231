#include "formats/parquet/rle_encoder.h"

#include "formats/parquet/thrift_writer.h"

/* A run costs a head of one or two bytes and the value, and it ends the packed values before it, which then need a new
 * head: worth it from about four bytes of packed values on. */
static size_t least_run(unsigned width)
{
    return width == 0 ? 8 : ARB_MAX((size_t)8, arb_round_up(32 / width, 8));
}

/* The same body for levels and codes: `wide` is a constant wherever this is inlined. */
ARB_INLINE uint32_t value_at(const void *values, size_t i, bool wide)
{
    return wide ? ((const uint32_t *)values)[i] : ((const uint8_t *)values)[i];
}

/* Values [from, to) in groups of eight, the last one filled up with zeros. */
ARB_INLINE void put_packed(arb_text *out, const void *values, size_t from, size_t to, unsigned width, bool wide)
{
    if (from == to)
        return;
    size_t groups = (to - from + 7) / 8;
    arb_varint_append(out, groups << 1 | 1);
    size_t size = groups * width;
    uint8_t *at = (uint8_t *)arb_text_room(out, size + 8); /* whole words are stored */
    if (at == NULL)
        return;
    uint64_t bits = 0;
    unsigned held = 0;
    for (size_t i = from; i < to; i++) {
        bits |= (uint64_t)value_at(values, i, wide) << held;
        held += width;
        if (held >= 32) {
            arb_store_u32(at, (uint32_t)bits);
            at += 4;
            bits >>= 32;
            held -= 32;
        }
    }
    arb_store_u64(at, bits);
    /* Groups that are not full, and the rest of the last word. */
    uint8_t *end = (uint8_t *)out->data + out->size + size;
    at += (held + 7) / 8;
    if (at < end)
        memset(at, 0, (size_t)(end - at));
    arb_text_added(out, size);
}

static void put_run(arb_text *out, uint32_t value, size_t count, unsigned width)
{
    arb_varint_append(out, (uint64_t)count << 1);
    arb_text_append(out, (const char *)&value, (width + 7) / 8); /* little-endian */
}

ARB_INLINE void encode(arb_text *out, const void *values, size_t count, unsigned width, bool wide)
{
    assert(width <= 32);
    size_t least = least_run(width), packed_from = 0, i = 0;
    while (i + least <= count) {
        uint32_t first = value_at(values, i, wide);
        size_t end = i + 1;
        while (end < count && value_at(values, end, wide) == first)
            end++;
        if (end - i < least) {
            i += 8; /* packed values come in groups of eight */
            continue;
        }
        put_packed(out, values, packed_from, i, width, wide);
        put_run(out, first, end - i, width);
        packed_from = i = end;
    }
    put_packed(out, values, packed_from, count, width, wide);
}

void arb_rle_encode_u32(arb_text *out, const uint32_t *values, size_t count, unsigned width)
{
    encode(out, values, count, width, true);
}

void arb_rle_encode_u8(arb_text *out, const uint8_t *values, size_t count, unsigned width)
{
    encode(out, values, count, width, false);
}

void arb_bits_pack_u64(arb_text *out, const uint64_t *values, size_t count, unsigned width)
{
    size_t size = (count * width + 7) / 8;
    uint8_t *at = (uint8_t *)arb_text_room(out, size + 16);
    if (at == NULL || width == 0)
        return;
    arb_uint128 bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= (arb_uint128)values[i] << held;
        held += width;
        if (held >= 64) {
            arb_store_u64(at, (uint64_t)bits);
            at += 8;
            bits >>= 64;
            held -= 64;
        }
    }
    arb_store_u64(at, (uint64_t)bits);
    arb_text_added(out, size);
}
