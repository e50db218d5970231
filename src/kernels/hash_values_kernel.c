#include "base/hash.h"
#include "kernels/hash_values.h"

ARB_INLINE uint64_t hash_INT128(arb_int128 value)
{
    return arb_hash_combine((uint64_t)value, (uint64_t)((arb_uint128)value >> 64));
}

ARB_INLINE uint64_t hash_FLOAT64(double value)
{
    if (value == 0)
        value = 0; /* drops the sign of -0 */
    if (value != value)
        return arb_hash_u64(0x7FF8000000000000u);
    return arb_hash_u64(arb_load_u64(&value));
}

ARB_INLINE uint64_t hash_FLOAT32(float value)
{
    return hash_FLOAT64((double)value);
}

ARB_INLINE uint64_t hash_STRING(arb_string value)
{
    if (value.size <= ARB_STRING_INLINE)
        return arb_hash_combine(arb_load_u64(&value), arb_load_u64((const char *)&value + 8));
    return arb_hash_bytes(value.far.data, value.size);
}

ARB_INLINE uint64_t hash_INTERVAL(arb_interval value)
{
    return hash_INT128(arb_interval_span(value));
}

#define hash_INT8(value) arb_hash_u64((uint64_t)(value))
#define hash_INT16(value) arb_hash_u64((uint64_t)(value))
#define hash_INT32(value) arb_hash_u64((uint64_t)(value))
#define hash_INT64(value) arb_hash_u64((uint64_t)(value))

#define HASH(name, type)                                                        \
    static void first_##name(const void *values, size_t rows, uint64_t *hashes) \
    {                                                                           \
        const type *from = values;                                              \
        for (size_t i = 0; i < rows; i++)                                       \
            hashes[i] = hash_##name(from[i]);                                   \
    }                                                                           \
    static void next_##name(const void *values, size_t rows, uint64_t *hashes)  \
    {                                                                           \
        const type *from = values;                                              \
        for (size_t i = 0; i < rows; i++)                                       \
            hashes[i] = arb_hash_combine(hashes[i], hash_##name(from[i]));      \
    }
HASH(INT8, int8_t)
HASH(INT16, int16_t)
HASH(INT32, int32_t)
HASH(INT64, int64_t)
HASH(INT128, arb_int128)
HASH(FLOAT32, float)
HASH(FLOAT64, double)
HASH(STRING, arb_string)
HASH(INTERVAL, arb_interval)

#define ROWS(kind)                                                                                                     \
    {                                                                                                                  \
        [ARB_PHYS_INT8] = kind##_INT8, [ARB_PHYS_INT16] = kind##_INT16, [ARB_PHYS_INT32] = kind##_INT32,               \
        [ARB_PHYS_INT64] = kind##_INT64, [ARB_PHYS_INT128] = kind##_INT128, [ARB_PHYS_FLOAT32] = kind##_FLOAT32,       \
        [ARB_PHYS_FLOAT64] = kind##_FLOAT64, [ARB_PHYS_STRING] = kind##_STRING, [ARB_PHYS_INTERVAL] = kind##_INTERVAL, \
    }

const arb_hash_kernels ARB_KERNELS_TABLE(arb_hash_kernels) = {.hash = ROWS(first), .combine = ROWS(next)};
