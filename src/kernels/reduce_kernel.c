#include "kernels/reduce.h"

#define REDUCE_NAME sum_i8
#define REDUCE_TYPE int8_t
#define REDUCE_STATE int64_t sum = 0
#define REDUCE_PARAMETERS
#define REDUCE_ADD(v) sum += (v)
#define REDUCE_SKIP 0
#define REDUCE_RESULT arb_int128
#define REDUCE_RETURN sum
#include "kernels/reduce.inc"

#define REDUCE_NAME sum_i16
#define REDUCE_TYPE int16_t
#define REDUCE_STATE int64_t sum = 0
#define REDUCE_PARAMETERS
#define REDUCE_ADD(v) sum += (v)
#define REDUCE_SKIP 0
#define REDUCE_RESULT arb_int128
#define REDUCE_RETURN sum
#include "kernels/reduce.inc"

#define REDUCE_NAME sum_i32
#define REDUCE_TYPE int32_t
#define REDUCE_STATE int64_t sum = 0
#define REDUCE_PARAMETERS
#define REDUCE_ADD(v) sum += (v)
#define REDUCE_SKIP 0
#define REDUCE_RESULT arb_int128
#define REDUCE_RETURN sum
#include "kernels/reduce.inc"

/* The halves of 64 bits are summed apart, so that nothing can overflow and nothing needs 128 bits a row. */
#define REDUCE_NAME sum_i64
#define REDUCE_TYPE int64_t
#define REDUCE_STATE int64_t high = 0, low = 0
#define REDUCE_PARAMETERS
#define REDUCE_ADD(v) (high += (v) >> 32, low += (int64_t)(uint32_t)(v))
#define REDUCE_SKIP 0
#define REDUCE_RESULT arb_int128
#define REDUCE_RETURN ((arb_int128)high * ((int64_t)1 << 32) + low)
#include "kernels/reduce.inc"

#define REDUCE_NAME sum_f32
#define REDUCE_TYPE float
#define REDUCE_STATE double sum = 0
#define REDUCE_PARAMETERS
#define REDUCE_ADD(v) sum += (double)(v)
#define REDUCE_SKIP 0
#define REDUCE_RESULT double
#define REDUCE_RETURN sum
#include "kernels/reduce.inc"

#define REDUCE_NAME sum_f64
#define REDUCE_TYPE double
#define REDUCE_STATE double sum = 0
#define REDUCE_PARAMETERS
#define REDUCE_ADD(v) sum += (double)(v)
#define REDUCE_SKIP 0
#define REDUCE_RESULT double
#define REDUCE_RETURN sum
#include "kernels/reduce.inc"

#define REDUCE_NAME min_i8
#define REDUCE_TYPE int8_t
#define REDUCE_STATE int8_t best = start
#define REDUCE_PARAMETERS , int8_t start
#define REDUCE_ADD(v) best = (v) < best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int8_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

#define REDUCE_NAME max_i8
#define REDUCE_TYPE int8_t
#define REDUCE_STATE int8_t best = start
#define REDUCE_PARAMETERS , int8_t start
#define REDUCE_ADD(v) best = (v) > best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int8_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

#define REDUCE_NAME min_i16
#define REDUCE_TYPE int16_t
#define REDUCE_STATE int16_t best = start
#define REDUCE_PARAMETERS , int16_t start
#define REDUCE_ADD(v) best = (v) < best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int16_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

#define REDUCE_NAME max_i16
#define REDUCE_TYPE int16_t
#define REDUCE_STATE int16_t best = start
#define REDUCE_PARAMETERS , int16_t start
#define REDUCE_ADD(v) best = (v) > best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int16_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

#define REDUCE_NAME min_i32
#define REDUCE_TYPE int32_t
#define REDUCE_STATE int32_t best = start
#define REDUCE_PARAMETERS , int32_t start
#define REDUCE_ADD(v) best = (v) < best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int32_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

#define REDUCE_NAME max_i32
#define REDUCE_TYPE int32_t
#define REDUCE_STATE int32_t best = start
#define REDUCE_PARAMETERS , int32_t start
#define REDUCE_ADD(v) best = (v) > best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int32_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

#define REDUCE_NAME min_i64
#define REDUCE_TYPE int64_t
#define REDUCE_STATE int64_t best = start
#define REDUCE_PARAMETERS , int64_t start
#define REDUCE_ADD(v) best = (v) < best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int64_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

#define REDUCE_NAME max_i64
#define REDUCE_TYPE int64_t
#define REDUCE_STATE int64_t best = start
#define REDUCE_PARAMETERS , int64_t start
#define REDUCE_ADD(v) best = (v) > best ? (v) : best
#define REDUCE_SKIP start
#define REDUCE_RESULT int64_t
#define REDUCE_RETURN best
#include "kernels/reduce.inc"

const arb_reduce_kernels ARB_KERNELS_TABLE(arb_reduce_kernels) = {
    .sum_i8 = sum_i8,
    .sum_i16 = sum_i16,
    .sum_i32 = sum_i32,
    .sum_i64 = sum_i64,
    .sum_f32 = sum_f32,
    .sum_f64 = sum_f64,
    .min_i8 = min_i8,
    .max_i8 = max_i8,
    .min_i16 = min_i16,
    .max_i16 = max_i16,
    .min_i32 = min_i32,
    .max_i32 = max_i32,
    .min_i64 = min_i64,
    .max_i64 = max_i64,
};
