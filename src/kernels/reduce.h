/* reduce.h: many values to one: sums and extremes over plain arrays.
 *
 * `mask` has one bit a row; rows whose bit is 0 do not count. NULL counts all; bits behind the last row are 0. */
#ifndef ARB_KERNELS_REDUCE_H
#define ARB_KERNELS_REDUCE_H

#include "base/cpu.h"
#include "columnar/type.h"

typedef struct arb_reduce_kernels {
    /* Exact for up to 2^31 rows. */
    arb_int128 (*sum_i8)(const int8_t *values, size_t rows, const uint64_t *mask);
    arb_int128 (*sum_i16)(const int16_t *values, size_t rows, const uint64_t *mask);
    arb_int128 (*sum_i32)(const int32_t *values, size_t rows, const uint64_t *mask);
    arb_int128 (*sum_i64)(const int64_t *values, size_t rows, const uint64_t *mask);
    double (*sum_f32)(const float *values, size_t rows, const uint64_t *mask);
    double (*sum_f64)(const double *values, size_t rows, const uint64_t *mask);
    /* The extreme of those that count and of `start`. */
    int8_t (*min_i8)(const int8_t *values, size_t rows, const uint64_t *mask, int8_t start);
    int8_t (*max_i8)(const int8_t *values, size_t rows, const uint64_t *mask, int8_t start);
    int16_t (*min_i16)(const int16_t *values, size_t rows, const uint64_t *mask, int16_t start);
    int16_t (*max_i16)(const int16_t *values, size_t rows, const uint64_t *mask, int16_t start);
    int32_t (*min_i32)(const int32_t *values, size_t rows, const uint64_t *mask, int32_t start);
    int32_t (*max_i32)(const int32_t *values, size_t rows, const uint64_t *mask, int32_t start);
    int64_t (*min_i64)(const int64_t *values, size_t rows, const uint64_t *mask, int64_t start);
    int64_t (*max_i64)(const int64_t *values, size_t rows, const uint64_t *mask, int64_t start);
} arb_reduce_kernels;

ARB_KERNELS_DECLARE(arb_reduce_kernels);

#endif
