/* parquet_decode_kernel.c: unpacking of bits, lookups in dictionaries, conversion of whole numbers. */
#include "formats/parquet/parquet_kernels.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* ---- bits ---------------------------------------------------------------------------------------------------- */

ARB_INLINE uint32_t unpack_one(const uint8_t *from, unsigned width, uint64_t index)
{
    uint64_t bit = index * width;
    return (uint32_t)(arb_load_u64(from + bit / 8) >> (bit % 8)) & (UINT32_MAX >> (32 - width));
}

/* Eight values of `width` bits take `width` bytes. With the width a constant, everything but the loads folds. */
ARB_INLINE uint32_t unpack_eights(const uint8_t *from, const unsigned width, size_t eights, uint32_t *to)
{
    uint32_t largest = 0, mask = UINT32_MAX >> (32 - width);
    for (size_t i = 0; i < eights; i++, from += width, to += 8) {
#pragma GCC unroll 8
        for (unsigned j = 0; j < 8; j++) {
            uint32_t value = (uint32_t)(arb_load_u64(from + j * width / 8) >> (j * width % 8)) & mask;
            to[j] = value;
            largest = value > largest ? value : largest;
        }
    }
    return largest;
}

#ifdef __AVX2__
/* Up to 25 bits, a value and the bits in front of it in its first byte fit into 32: bring the four bytes that hold each
 * value into its lane, shift each lane by its own distance, mask. The upper four values begin at bit 4 * width. */
ARB_INLINE uint32_t unpack_eights_avx2(const uint8_t *from, const unsigned width, size_t eights, uint32_t *to)
{
    uint8_t bytes[32];
    uint32_t distances[8];
    for (unsigned j = 0; j < 8; j++) {
        unsigned bit = j * width - (j < 4 ? 0 : (4 * width / 8) * 8);
        for (unsigned k = 0; k < 4; k++)
            bytes[4 * j + k] = (uint8_t)(bit / 8 + k);
        distances[j] = bit % 8;
    }
    const __m256i shuffle = _mm256_loadu_si256((const __m256i *)bytes);
    const __m256i distance = _mm256_loadu_si256((const __m256i *)distances);
    const __m256i mask = _mm256_set1_epi32((int)(UINT32_MAX >> (32 - width)));
    __m256i largest = _mm256_setzero_si256();
    for (size_t i = 0; i < eights; i++, from += width, to += 8) {
        __m256i raw = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)from)),
                                              _mm_loadu_si128((const __m128i *)(from + 4 * width / 8)), 1);
        __m256i values = _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(raw, shuffle), distance), mask);
        _mm256_storeu_si256((__m256i *)to, values);
        largest = _mm256_max_epu32(largest, values);
    }
    uint32_t lanes[8], result = 0;
    _mm256_storeu_si256((__m256i *)lanes, largest);
    for (unsigned j = 0; j < 8; j++)
        result = lanes[j] > result ? lanes[j] : result;
    return result;
}
#define UNPACK_NARROW unpack_eights_avx2
#else
#define UNPACK_NARROW unpack_eights
#endif

typedef uint32_t unpack_aligned(const uint8_t *from, size_t eights, uint32_t *to);

#define WIDTHS_1_TO_8(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define WIDTHS_9_TO_16(X) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)
#define WIDTHS_17_TO_25(X) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25)
#define WIDE_WIDTHS(X) X(26) X(27) X(28) X(29) X(30) X(31) X(32)
#define NARROW_WIDTHS(X) WIDTHS_1_TO_8(X) WIDTHS_9_TO_16(X) WIDTHS_17_TO_25(X)

#define DEFINE_NARROW(width)                                                                 \
    static uint32_t unpack_aligned_##width(const uint8_t *from, size_t eights, uint32_t *to) \
    {                                                                                        \
        return UNPACK_NARROW(from, width, eights, to);                                       \
    }
#define DEFINE_WIDE(width)                                                                   \
    static uint32_t unpack_aligned_##width(const uint8_t *from, size_t eights, uint32_t *to) \
    {                                                                                        \
        return unpack_eights(from, width, eights, to);                                       \
    }
NARROW_WIDTHS(DEFINE_NARROW)
WIDE_WIDTHS(DEFINE_WIDE)

#define NAME(width) unpack_aligned_##width,
static unpack_aligned *const by_width[33] = {NULL, NARROW_WIDTHS(NAME) WIDE_WIDTHS(NAME)};

static uint32_t unpack(const uint8_t *from, unsigned width, uint64_t first, size_t count, uint32_t *to)
{
    uint32_t largest = 0;
    while (count != 0 && first % 8 != 0) {
        uint32_t value = unpack_one(from, width, first++);
        largest = value > largest ? value : largest;
        *to++ = value;
        count--;
    }
    from += first / 8 * width;
    size_t eights = count / 8;
    if (eights != 0) {
        uint32_t value = by_width[width](from, eights, to);
        largest = value > largest ? value : largest;
    }
    for (size_t i = eights * 8; i < count; i++) {
        to[i] = unpack_one(from, width, i);
        largest = to[i] > largest ? to[i] : largest;
    }
    return largest;
}

static uint32_t unpack_picked(const uint8_t *from, unsigned width, uint64_t first, const uint16_t *indices,
                              size_t count, uint32_t *to)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        to[i] = unpack_one(from, width, first + indices[i]);
        largest = to[i] > largest ? to[i] : largest;
    }
    return largest;
}

/* ---- lookups ------------------------------------------------------------------------------------------------- */

static void lookup(const void *dictionary, size_t value_size, const uint32_t *restrict codes, size_t count, void *to)
{
    switch (value_size) {
#define CASE(size, type)                           \
    case size: {                                   \
        const type *restrict entries = dictionary; \
        type *restrict out = to;                   \
        for (size_t i = 0; i < count; i++)         \
            out[i] = entries[codes[i]];            \
        break;                                     \
    }
        CASE(1, uint8_t)
        CASE(2, uint16_t)
        CASE(4, uint32_t)
        CASE(8, uint64_t)
    default:
        CASE(16, arb_int128)
#undef CASE
    }
}

static void lookup_bits(const uint8_t *restrict passes, const uint32_t *restrict codes, size_t count,
                        uint64_t *restrict to)
{
    size_t words = count / 64;
    for (size_t word = 0; word < words; word++, codes += 64) {
        uint64_t bits = 0;
        for (unsigned i = 0; i < 64; i += 8) {
            uint64_t eight = 0;
#pragma GCC unroll 8
            for (unsigned j = 0; j < 8; j++)
                eight |= (uint64_t)passes[codes[i + j]] << j;
            bits |= eight << i;
        }
        to[word] = bits;
    }
    if (count % 64 != 0) {
        uint64_t bits = 0;
        for (unsigned i = 0; i < count % 64; i++)
            bits |= (uint64_t)passes[codes[i]] << i;
        to[words] = bits;
    }
}

/* ---- whole numbers ------------------------------------------------------------------------------------------- */

#define DEFINE_CONVERT(name, source, unsigned_source, load, target)                                                   \
    static bool convert_##name(const void *restrict from, size_t count, void *restrict to, arb_parquet_bounds bounds) \
    {                                                                                                                 \
        const char *restrict in = from;                                                                               \
        target *restrict out = to;                                                                                    \
        const unsigned_source low = (unsigned_source)bounds.low, span = (unsigned_source)bounds.span;                 \
        unsigned_source outside = 0;                                                                                  \
        for (size_t i = 0; i < count; i++) {                                                                          \
            source value = load(in + i * sizeof(source));                                                             \
            outside |= (unsigned_source)value - low > span;                                                           \
            out[i] = (target)value;                                                                                   \
        }                                                                                                             \
        return outside == 0;                                                                                          \
    }                                                                                                                 \
    static bool pick_##name(const void *restrict from, const uint16_t *restrict indices, size_t count,                \
                            void *restrict to, arb_parquet_bounds bounds)                                             \
    {                                                                                                                 \
        const char *restrict in = from;                                                                               \
        target *restrict out = to;                                                                                    \
        const unsigned_source low = (unsigned_source)bounds.low, span = (unsigned_source)bounds.span;                 \
        unsigned_source outside = 0;                                                                                  \
        for (size_t i = 0; i < count; i++) {                                                                          \
            source value = load(in + indices[i] * sizeof(source));                                                    \
            outside |= (unsigned_source)value - low > span;                                                           \
            out[i] = (target)value;                                                                                   \
        }                                                                                                             \
        return outside == 0;                                                                                          \
    }

#define DEFINE_SOURCE(name, source, unsigned_source, load)               \
    DEFINE_CONVERT(name##_INT8, source, unsigned_source, load, int8_t)   \
    DEFINE_CONVERT(name##_INT16, source, unsigned_source, load, int16_t) \
    DEFINE_CONVERT(name##_INT32, source, unsigned_source, load, int32_t) \
    DEFINE_CONVERT(name##_INT64, source, unsigned_source, load, int64_t) \
    DEFINE_CONVERT(name##_INT128, source, unsigned_source, load, arb_int128)

DEFINE_SOURCE(i32, int32_t, uint64_t, arb_load_i32)
DEFINE_SOURCE(i64, int64_t, uint64_t, arb_load_i64)
DEFINE_SOURCE(i128, arb_int128, arb_uint128, arb_load_i128)

/* ---- text ---------------------------------------------------------------------------------------------------- */

static bool is_ascii(const uint8_t *from, size_t size)
{
    uint64_t all = 0;
    size_t i = 0;
    for (; i + 64 <= size; i += 64)
        for (unsigned j = 0; j < 64; j += 8)
            all |= arb_load_u64(from + i + j);
    for (; i < size; i++)
        all |= from[i];
    return (all & 0x8080808080808080u) == 0;
}

#define TARGETS(verb, name)                                                                 \
    {                                                                                       \
        [ARB_PHYS_INT8] = verb##_##name##_INT8, [ARB_PHYS_INT16] = verb##_##name##_INT16,   \
        [ARB_PHYS_INT32] = verb##_##name##_INT32, [ARB_PHYS_INT64] = verb##_##name##_INT64, \
        [ARB_PHYS_INT128] = verb##_##name##_INT128                                          \
    }

const arb_parquet_kernels ARB_KERNELS_TABLE(arb_parquet_kernels) = {
    .unpack = unpack,
    .unpack_picked = unpack_picked,
    .lookup = lookup,
    .lookup_bits = lookup_bits,
    .convert = {TARGETS(convert, i32), TARGETS(convert, i64), TARGETS(convert, i128)},
    .pick = {TARGETS(pick, i32), TARGETS(pick, i64), TARGETS(pick, i128)},
    .is_ascii = is_ascii,
};
