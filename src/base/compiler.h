/* compiler.h: the GNU extensions that the code uses, each behind one name.
 *
 * Everything that is not plain C17 stands here, so that the rest reads as C and another compiler
 * needs one file changed. Includes nothing of ours. */
#ifndef ARB_BASE_COMPILER_H
#define ARB_BASE_COMPILER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The result must be looked at. */
#define ARB_NODISCARD __attribute__((warn_unused_result))
/* Arguments are checked as printf's: `format` and `first` are 1-based positions. */
#define ARB_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
/* Kernels stay out of line, so that profilers and debuggers name them. */
#define ARB_NOINLINE __attribute__((noinline))
#define ARB_INLINE static inline __attribute__((always_inline))
#define ARB_COLD __attribute__((cold, noinline))
#define ARB_LIKELY(x) __builtin_expect(!!(x), 1)
#define ARB_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ARB_PREFETCH(address) __builtin_prefetch((address), 0, 3)
#define ARB_ALIGNED(bytes) __attribute__((aligned(bytes)))
#define ARB_FALLTHROUGH __attribute__((fallthrough))
#define ARB_UNUSED __attribute__((unused))

/* Join tokens after expanding them: kernel templates build their names so. */
#define ARB_CAT2_(a, b) a##b
#define ARB_CAT2(a, b) ARB_CAT2_(a, b)
#define ARB_CAT3(a, b, c) ARB_CAT2(ARB_CAT2(a, b), c)
#define ARB_CAT4(a, b, c, d) ARB_CAT2(ARB_CAT2(a, b), ARB_CAT2(c, d))

#define ARB_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ARB_MIN(a, b) ((a) < (b) ? (a) : (b))
#define ARB_MAX(a, b) ((a) > (b) ? (a) : (b))
/* From a pointer to a member to the struct that holds it; for intrusive links and base structs. */
#define ARB_CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

typedef __int128 arb_int128;
typedef unsigned __int128 arb_uint128;
#define ARB_INT128_MAX ((arb_int128)(~(arb_uint128)0 >> 1))
#define ARB_INT128_MIN (-ARB_INT128_MAX - 1)

/* Unaligned little-endian reads and writes; the compiler makes them single instructions. */
#define ARB_DEFINE_LOAD_(name, type)                       \
    ARB_INLINE type arb_load_##name(const void *from)      \
    {                                                      \
        type value;                                        \
        memcpy(&value, from, sizeof value);                \
        return value;                                      \
    }                                                      \
    ARB_INLINE void arb_store_##name(void *to, type value) \
    {                                                      \
        memcpy(to, &value, sizeof value);                  \
    }
ARB_DEFINE_LOAD_(u16, uint16_t)
ARB_DEFINE_LOAD_(u32, uint32_t)
ARB_DEFINE_LOAD_(u64, uint64_t)
ARB_DEFINE_LOAD_(i16, int16_t)
ARB_DEFINE_LOAD_(i32, int32_t)
ARB_DEFINE_LOAD_(i64, int64_t)
ARB_DEFINE_LOAD_(i128, arb_int128)
ARB_DEFINE_LOAD_(f32, float)
ARB_DEFINE_LOAD_(f64, double)
#undef ARB_DEFINE_LOAD_

ARB_INLINE uint64_t arb_round_up(uint64_t value, uint64_t power_of_two)
{
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}

/* The least power of two that is at least `value`; 1 for 0. */
ARB_INLINE uint64_t arb_next_power_of_two(uint64_t value)
{
    return value <= 1 ? 1 : (uint64_t)1 << (64 - __builtin_clzll(value - 1));
}

/* Bits needed to hold `value`; 0 for 0. */
ARB_INLINE unsigned arb_bit_width(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

#endif
