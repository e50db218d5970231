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

/* Sums of floats keep what each addition rounds away (Knuth's two-sum) in lanes of their own, so that the result is
 * nearly that of exact arithmetic; the lanes also hide the latency of the additions. */
enum { sum_lanes = 16 };

typedef struct float_sum {
    double sums[sum_lanes], lost[sum_lanes];
} float_sum;

ARB_INLINE void add_exactly(double *sum, double *lost, double value)
{
    double total = *sum + value, part = total - *sum;
    *lost += (*sum - (total - part)) + (value - part);
    *sum = total;
}

static double finish_sum(const float_sum *lanes)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < sum_lanes; i++) {
        add_exactly(&sum, &lost, lanes->sums[i]);
        lost += lanes->lost[i];
    }
    return sum - sum == 0 ? sum + lost : sum; /* once it is infinite or NaN, what was lost means nothing */
}

#define DEFINE_FLOAT_SUM(name, ctype)                                                                        \
    static ARB_NOINLINE double name(const ctype *values, size_t rows, const uint64_t *mask)                  \
    {                                                                                                        \
        float_sum lanes = {{0}, {0}};                                                                        \
        for (size_t first = 0; first < rows; first += sum_lanes) {                                           \
            uint64_t word = mask == NULL ? ~(uint64_t)0 : mask[first / 64] >> (first % 64);                  \
            size_t count = rows - first < sum_lanes ? rows - first : sum_lanes;                              \
            const ctype *of = values + first;                                                                \
            if (count == sum_lanes && (word & 0xFFFF) == 0xFFFF) {                                           \
                for (size_t i = 0; i < sum_lanes; i++)                                                       \
                    add_exactly(&lanes.sums[i], &lanes.lost[i], (double)of[i]);                              \
            } else if ((word & 0xFFFF) != 0) {                                                               \
                for (size_t i = 0; i < count; i++)                                                           \
                    add_exactly(&lanes.sums[i], &lanes.lost[i], (word >> i & 1) != 0 ? (double)of[i] : 0.0); \
            }                                                                                                \
        }                                                                                                    \
        return finish_sum(&lanes);                                                                           \
    }
DEFINE_FLOAT_SUM(sum_f32, float)
DEFINE_FLOAT_SUM(sum_f64, double)
#undef DEFINE_FLOAT_SUM

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
