/* parquet_kernels.h: the inner loops of decoding, compiled for each processor level (see base/cpu.h).
 *
 * Sources lie in a page at any alignment, with ARB_CODEC_PADDING readable bytes behind them. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_KERNELS_H
#define ARB_FORMATS_PARQUET_PARQUET_KERNELS_H

#include "base/cpu.h"
#include "columnar/type.h"

/* What whole numbers are read from. */
typedef enum arb_parquet_source {
    ARB_PARQUET_SOURCE_I32,
    ARB_PARQUET_SOURCE_I64,
    ARB_PARQUET_SOURCE_I128,
    ARB_PARQUET_SOURCE_COUNT
} arb_parquet_source;

/* Values allowed: [low, low + span]; for I32 and I64 the low 64 bits count. */
typedef struct arb_parquet_bounds {
    arb_int128 low;
    arb_uint128 span;
} arb_parquet_bounds;

/* Convert values [0, count) to `to`; false when one lies outside of the bounds (all are converted nevertheless). */
typedef bool arb_parquet_convert(const void *from, size_t count, void *to, arb_parquet_bounds bounds);
/* The same for the values at `indices`. */
typedef bool arb_parquet_pick(const void *from, const uint16_t *indices, size_t count, void *to,
                              arb_parquet_bounds bounds);

typedef struct arb_parquet_kernels {
    /* Values [first, first + count) of a run of `width` bits each (1 to 32), least significant bit first. Returns the
     * largest. May write up to 8 values more. */
    uint32_t (*unpack)(const uint8_t *from, unsigned width, uint64_t first, size_t count, uint32_t *to);
    /* The values at `first + indices[i]`. Returns the largest. */
    uint32_t (*unpack_picked)(const uint8_t *from, unsigned width, uint64_t first, const uint16_t *indices,
                              size_t count, uint32_t *to);
    /* to[i] = dictionary[codes[i]], by bytes of a value: 1, 2, 4, 8, 16. */
    void (*lookup)(const void *dictionary, size_t value_size, const uint32_t *codes, size_t count, void *to);
    /* Bit i = passes[codes[i]] & 1; whole words are written, bits behind `count` are 0. */
    void (*lookup_bits)(const uint8_t *passes, const uint32_t *codes, size_t count, uint64_t *to);
    /* Whole numbers by source and by target INT8 to INT128. */
    arb_parquet_convert *convert[ARB_PARQUET_SOURCE_COUNT][ARB_PHYS_INT128 + 1];
    arb_parquet_pick *pick[ARB_PARQUET_SOURCE_COUNT][ARB_PHYS_INT128 + 1];
    bool (*is_ascii)(const uint8_t *from, size_t size);
} arb_parquet_kernels;

ARB_KERNELS_DECLARE(arb_parquet_kernels);

/* Valid UTF-8, as Unicode defines it: no overlong forms, surrogates or values above U+10FFFF. */
bool arb_utf8_valid(const uint8_t *from, size_t size);

#endif
