/* snappy_decode.c: a decoder of Snappy blocks.
 *
 * A block is the size of its output (a varint) and a sequence of elements, each with a tag byte:
 *   ......00  literal: the upper six bits are size - 1; 60 to 63 say that 1 to 4 bytes with it follow
 *   ......01  copy of 4 to 11 bytes from 1 to 2,047 bytes back (three bits of the offset in the tag, a byte follows)
 *   ......10  copy of 1 to 64 bytes, offset in two bytes
 *   ......11  the same, offset in four bytes
 *
 * Elements are short (about six bytes in columns of numbers and text), and nothing foretells their kinds: a decoder that
 * branches on them spends most of its time on wrong guesses. So the fast loop handles all common elements alike, as a copy
 * of up to 32 bytes either from the input or from the output so far, chosen without a branch; a table says what a tag
 * means. It runs while enough room is left on both sides that one element needs no further check of its bounds, and
 * leaves what is rare (long elements, copies from nearer than 16 bytes, anything not valid) to decode_rare.
 *
 * Copies from near are a trap of their own: reading eight bytes back that two earlier stores wrote in parts stalls until
 * both have reached the cache. They are read in exactly the pieces that were written (see copy_near). */
#include "io/codec.h"

typedef struct block16 {
    uint64_t word[2];
} block16;

ARB_INLINE void copy16(uint8_t *to, const uint8_t *from)
{
    block16 block;
    memcpy(&block, from, sizeof block);
    memcpy(to, &block, sizeof block);
}

ARB_INLINE void copy64(uint8_t *to, const uint8_t *from)
{
    copy16(to, from);
    copy16(to + 16, from + 16);
    copy16(to + 32, from + 32);
    copy16(to + 48, from + 48);
}

/* Copy `size` (1 to 64) bytes from `offset` (1 to 15) back; may write up to 8 bytes more. */
ARB_INLINE void copy_near(uint8_t *to, size_t offset, size_t size)
{
    const uint8_t *from = to - offset;
    if (ARB_LIKELY(size - 4 <= 4 && offset >= size)) { /* 4 to 8 bytes that do not overlap themselves */
        uint64_t value = arb_load_u32(from) | (uint64_t)arb_load_u32(from + size - 4) << (8 * (size - 4));
        arb_store_u64(to, value);
        return;
    }
    if (offset >= 8) {
        for (size_t i = 0; i < size; i += 8)
            arb_store_u64(to + i, arb_load_u64(from + i));
        return;
    }
    for (size_t i = 0; i < size; i++)
        to[i] = from[i];
}

typedef struct cursor {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_begin, *out_end;
} cursor;

/* One element with every check; false when it is not a valid one. */
static bool decode_element(cursor *at)
{
    size_t left = (size_t)(at->in_end - at->in) - 1;
    unsigned tag = *at->in++;
    size_t size = (tag >> 2) + 1;
    if ((tag & 3) == 0) {
        if (size > 60) {
            size_t size_bytes = size - 60;
            if (size_bytes > left)
                return false;
            uint32_t value = 0;
            memcpy(&value, at->in, size_bytes);
            size = (size_t)value + 1;
            at->in += size_bytes;
        }
        if (size > (size_t)(at->in_end - at->in) || size > (size_t)(at->out_end - at->out))
            return false;
        memcpy(at->out, at->in, size);
        at->in += size;
        at->out += size;
        return true;
    }
    size_t offset = 0, offset_bytes = (tag & 3) == 3 ? 4 : (tag & 3);
    if (offset_bytes > left)
        return false;
    for (size_t i = 0; i < offset_bytes; i++)
        offset |= (size_t)at->in[i] << (8 * i);
    if ((tag & 3) == 1) {
        size = 4 + ((tag >> 2) & 7);
        offset |= (size_t)(tag >> 5) << 8;
    }
    at->in += offset_bytes;
    if (offset - 1 >= (size_t)(at->out - at->out_begin) || size > (size_t)(at->out_end - at->out))
        return false;
    for (size_t i = 0; i < size; i++)
        at->out[i] = at->out[(ptrdiff_t)i - (ptrdiff_t)offset];
    at->out += size;
    return true;
}

enum {
    MARGIN = 80, /* more than any element but a long literal reads or writes */
    NEAR = 16,   /* a copy of blocks of 16 bytes needs this distance */
    MOST = 32    /* bytes of an element that the fast loop handles */
};

/* The next element, whatever it is, with MARGIN bytes left on both sides. */
static bool decode_rare(cursor *at)
{
    const uint8_t *in = at->in;
    uint8_t *out = at->out;
    unsigned tag = *in;
    size_t size = (tag >> 2) + 1, offset;
    if ((tag & 3) == 0) {
        in++;
        if (ARB_LIKELY(size <= 60)) {
            copy64(out, in);
        } else {
            size_t size_bytes = size - 60;
            size = ((size_t)arb_load_u32(in) & (UINT32_MAX >> (32 - 8 * size_bytes))) + 1;
            in += size_bytes;
            if (size > (size_t)(at->in_end - in) || size > (size_t)(at->out_end - out))
                return false;
            memcpy(out, in, size);
        }
        at->out = out + size;
        at->in = in + size;
        return true;
    }
    if ((tag & 3) == 1) {
        size = 4 + ((tag >> 2) & 7);
        offset = (size_t)(tag >> 5) << 8 | in[1];
        at->in = in + 2;
    } else if ((tag & 3) == 2) {
        offset = arb_load_u16(in + 1);
        at->in = in + 3;
    } else {
        offset = arb_load_u32(in + 1);
        at->in = in + 5;
    }
    if (ARB_UNLIKELY(offset - 1 >= (size_t)(out - at->out_begin)))
        return false;
    if (offset >= NEAR)
        copy64(out, out - offset);
    else
        copy_near(out, offset, size);
    at->out = out + size;
    return true;
}

/* What a tag means to the fast loop: the element's size, and its offset as (the two bytes behind the tag & mask) + base.
 * A literal counts as a copy at the least offset; what the loop does not handle has the offset 0, which it refuses. */
typedef struct tag_meaning {
    uint16_t mask, base;
    uint32_t size;
} tag_meaning;

#define SIZE(tag) (((tag)&3) == 1 ? 4 + ((tag) >> 2 & 7) : ((tag) >> 2) + 1)
#define IS_FAST(tag) (((tag)&3) != 3 && SIZE(tag) <= MOST)
#define MASK(tag) (!IS_FAST(tag) || ((tag)&3) == 0 ? 0 : ((tag)&3) == 1 ? 0xFF : 0xFFFF)
#define BASE(tag) (!IS_FAST(tag) || ((tag)&3) == 2 ? 0 : ((tag)&3) == 0 ? NEAR : (tag) >> 5 << 8)
#define TAG(tag)                        \
    {                                   \
        MASK(tag), BASE(tag), SIZE(tag) \
    }
#define TAGS_4(tag) TAG(tag), TAG(tag + 1), TAG(tag + 2), TAG(tag + 3)
#define TAGS_16(tag) TAGS_4(tag), TAGS_4(tag + 4), TAGS_4(tag + 8), TAGS_4(tag + 12)
#define TAGS_64(tag) TAGS_16(tag), TAGS_16(tag + 16), TAGS_16(tag + 32), TAGS_16(tag + 48)
static const tag_meaning meanings[256] = {TAGS_64(0), TAGS_64(64), TAGS_64(128), TAGS_64(192)};

/* `if_zero` or `if_not`, without a branch even where the compiler thinks that one would do. */
ARB_INLINE uintptr_t choose(uintptr_t selector, uintptr_t if_zero, uintptr_t if_not)
{
#ifdef __x86_64__
    __asm__("test %1, %1\n\tcmovz %2, %0" : "+r"(if_not) : "r"(selector), "r"(if_zero) : "cc");
    return if_not;
#else
    return selector == 0 ? if_zero : if_not;
#endif
}

/* Decode until one side comes near its end; false when an element is not valid. */
static bool decode_fast(cursor *at)
{
    if (at->in_end - at->in <= MARGIN || at->out_end - at->out <= MARGIN)
        return true;
    const uint8_t *in_limit = at->in_end - MARGIN, *out_limit = at->out_end - MARGIN, *out_near = at->out_begin + NEAR;
    while (at->in < in_limit && at->out < out_limit) {
        const uint8_t *in = at->in;
        uint8_t *out = at->out;
        while (out >= out_near && in < in_limit && out < out_limit) {
            uintptr_t tag = *in, kind = tag & 3;
            const tag_meaning *meaning = &meanings[tag];
            size_t offset = (size_t)(arb_load_u16(in + 1) & meaning->mask) + meaning->base;
            if (ARB_UNLIKELY(offset - NEAR > (size_t)(out - out_near)))
                break;
            const uint8_t *from = (const uint8_t *)choose(kind, (uintptr_t)(in + 1), (uintptr_t)(out - offset));
            copy16(out, from);
            copy16(out + 16, from + 16);
            out += meaning->size;
            in += choose(kind, (tag >> 2) + 2, kind + 1);
        }
        at->in = in;
        at->out = out;
        if (in < in_limit && out < out_limit && !decode_rare(at))
            return false;
    }
    return true;
}

arb_code arb_snappy_decode(const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size, arb_error *error)
{
    const uint8_t *end = from + from_size;
    uint64_t claimed = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (from == end || shift > 28)
            return arb_fail(error, ARB_CORRUPT_DATA, "a Snappy block does not begin with its size");
        claimed |= (uint64_t)(*from & 0x7F) << shift;
        if (*from++ < 0x80)
            break;
    }
    if (claimed != to_size)
        return arb_fail(error, ARB_CORRUPT_DATA, "a Snappy block says it holds %llu bytes where %zu are expected",
                        (unsigned long long)claimed, to_size);
    cursor at = {from, end, to, to, to + to_size};
    bool valid = decode_fast(&at);
    while (valid && at.in < at.in_end)
        valid = decode_element(&at);
    if (!valid || at.out != at.out_end)
        return arb_fail(error, ARB_CORRUPT_DATA, "a Snappy block is damaged near byte %zu of its output",
                        (size_t)(at.out - to));
    return ARB_OK;
}
