/* utf8_step.h: steps through valid UTF-8. */
#ifndef ARB_KERNELS_UTF8_STEP_H
#define ARB_KERNELS_UTF8_STEP_H

#include "base/text.h"

ARB_INLINE bool arb_utf8_continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Bytes of the character that starts with this one. */
ARB_INLINE size_t arb_utf8_size(char first)
{
    unsigned char byte = (unsigned char)first;
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/* Where the character behind the one at `at` starts, `end` at most. */
ARB_INLINE const char *arb_utf8_next(const char *at, const char *end)
{
    size_t size = arb_utf8_size(*at);
    return (size_t)(end - at) < size ? end : at + size;
}

/* `count` characters on, or `end`. */
ARB_INLINE const char *arb_utf8_skip(const char *at, const char *end, int64_t count)
{
    for (; count > 0 && at < end; count--)
        at = arb_utf8_next(at, end);
    return at;
}

/* `count` characters back, or `start`. */
ARB_INLINE const char *arb_utf8_back(const char *start, const char *at, int64_t count)
{
    for (; count > 0 && at > start; count--)
        do
            at--;
        while (at > start && arb_utf8_continues(*at));
    return at;
}

/* Characters; counts what does not continue one, eight bytes at a time. */
ARB_INLINE size_t arb_utf8_length(arb_str text)
{
    size_t continued = 0, at = 0;
    for (; at + 8 <= text.size; at += 8) {
        uint64_t bytes = arb_load_u64(text.data + at);
        continued += (size_t)__builtin_popcountll(bytes & ~(bytes << 1) & 0x8080808080808080u);
    }
    for (; at < text.size; at++)
        continued += arb_utf8_continues(text.data[at]);
    return text.size - continued;
}

/* The code point at `at`. */
ARB_INLINE uint32_t arb_utf8_get(const char *at, const char *end)
{
    const unsigned char *bytes = (const unsigned char *)at;
    size_t size = arb_utf8_size(*at);
    if ((size_t)(end - at) < size)
        return 0xFFFD;
    switch (size) {
    case 1:
        return bytes[0];
    case 2:
        return (bytes[0] & 0x1Fu) << 6 | (bytes[1] & 0x3Fu);
    case 3:
        return (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
    default:
        return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3Fu) << 12 | (bytes[2] & 0x3Fu) << 6 | (bytes[3] & 0x3Fu);
    }
}

/* Writes up to four bytes; returns how many. */
ARB_INLINE size_t arb_utf8_put(char *to, uint32_t point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    to[0] = (char)(leads[size] | point);
    return size;
}

#endif
