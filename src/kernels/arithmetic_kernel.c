#include <math.h>

#include "kernels/arithmetic.h"

/* Wrapping arithmetic on the unsigned twin: rows that do not count may hold anything. */

/* 10^38 - 1, the largest number of decimal(38). */
static const arb_int128 decimal_most = (arb_int128)10000000000000000000u * 10000000000000000000u - 1;

#define BIN_NAME add_i32
#define BIN_OPERAND int32_t
#define BIN_RESULT int32_t
#define BIN_APPLY(a, b, r) ((r) = (int32_t)((uint32_t)(a) + (uint32_t)(b)))
#include "kernels/binary.inc"

#define BIN_NAME add_i64
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) ((r) = (int64_t)((uint64_t)(a) + (uint64_t)(b)))
#include "kernels/binary.inc"

#define BIN_NAME add_i128
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r) ((r) = (arb_int128)((arb_uint128)(a) + (arb_uint128)(b)))
#include "kernels/binary.inc"

#define BIN_NAME add_widen
#define BIN_OPERAND int32_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) ((r) = (int64_t)(a) + (int64_t)(b))
#include "kernels/binary.inc"

#define BIN_NAME add_f32
#define BIN_OPERAND float
#define BIN_RESULT float
#define BIN_APPLY(a, b, r) ((r) = (a) + (b))
#include "kernels/binary.inc"

#define BIN_NAME add_f64
#define BIN_OPERAND double
#define BIN_RESULT double
#define BIN_APPLY(a, b, r) ((r) = (a) + (b))
#include "kernels/binary.inc"

#define BIN_NAME add_i64_checked
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) (failed |= __builtin_add_overflow((a), (b), &(r)))
#include "kernels/binary.inc"

#define BIN_NAME add_i128_checked
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r)                                   \
    do {                                                     \
        failed |= __builtin_add_overflow((a), (b), &(r));    \
        failed |= (r) > decimal_most || (r) < -decimal_most; \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME subtract_i32
#define BIN_OPERAND int32_t
#define BIN_RESULT int32_t
#define BIN_APPLY(a, b, r) ((r) = (int32_t)((uint32_t)(a) - (uint32_t)(b)))
#include "kernels/binary.inc"

#define BIN_NAME subtract_i64
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) ((r) = (int64_t)((uint64_t)(a) - (uint64_t)(b)))
#include "kernels/binary.inc"

#define BIN_NAME subtract_i128
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r) ((r) = (arb_int128)((arb_uint128)(a) - (arb_uint128)(b)))
#include "kernels/binary.inc"

#define BIN_NAME subtract_widen
#define BIN_OPERAND int32_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) ((r) = (int64_t)(a) - (int64_t)(b))
#include "kernels/binary.inc"

#define BIN_NAME subtract_f32
#define BIN_OPERAND float
#define BIN_RESULT float
#define BIN_APPLY(a, b, r) ((r) = (a) - (b))
#include "kernels/binary.inc"

#define BIN_NAME subtract_f64
#define BIN_OPERAND double
#define BIN_RESULT double
#define BIN_APPLY(a, b, r) ((r) = (a) - (b))
#include "kernels/binary.inc"

#define BIN_NAME subtract_i64_checked
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) (failed |= __builtin_sub_overflow((a), (b), &(r)))
#include "kernels/binary.inc"

#define BIN_NAME subtract_i128_checked
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r)                                   \
    do {                                                     \
        failed |= __builtin_sub_overflow((a), (b), &(r));    \
        failed |= (r) > decimal_most || (r) < -decimal_most; \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME multiply_i32
#define BIN_OPERAND int32_t
#define BIN_RESULT int32_t
#define BIN_APPLY(a, b, r) ((r) = (int32_t)((uint32_t)(a) * (uint32_t)(b)))
#include "kernels/binary.inc"

#define BIN_NAME multiply_i64
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) ((r) = (int64_t)((uint64_t)(a) * (uint64_t)(b)))
#include "kernels/binary.inc"

#define BIN_NAME multiply_i128
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r) ((r) = (arb_int128)((arb_uint128)(a) * (arb_uint128)(b)))
#include "kernels/binary.inc"

#define BIN_NAME multiply_widen
#define BIN_OPERAND int32_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) ((r) = (int64_t)(a) * (int64_t)(b))
#include "kernels/binary.inc"

#define BIN_NAME multiply_f32
#define BIN_OPERAND float
#define BIN_RESULT float
#define BIN_APPLY(a, b, r) ((r) = (a) * (b))
#include "kernels/binary.inc"

#define BIN_NAME multiply_f64
#define BIN_OPERAND double
#define BIN_RESULT double
#define BIN_APPLY(a, b, r) ((r) = (a) * (b))
#include "kernels/binary.inc"

#define BIN_NAME multiply_i64_checked
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r) (failed |= __builtin_mul_overflow((a), (b), &(r)))
#include "kernels/binary.inc"

#define BIN_NAME multiply_i128_checked
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r)                                   \
    do {                                                     \
        failed |= __builtin_mul_overflow((a), (b), &(r));    \
        failed |= (r) > decimal_most || (r) < -decimal_most; \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME divide_i32
#define BIN_OPERAND int32_t
#define BIN_RESULT int32_t
#define BIN_APPLY(a, b, r)                                                                    \
    do {                                                                                      \
        if ((b) == 0 || (b) == -1) {                                                          \
            failed |= (b) == 0 || (a) == (int32_t)((uint32_t)1 << (sizeof(int32_t) * 8 - 1)); \
            (r) = (b) == 0 ? 0 : (int32_t)(0 - (uint32_t)(a));                                \
        } else {                                                                              \
            (r) = (a) / (b);                                                                  \
        }                                                                                     \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME modulo_i32
#define BIN_OPERAND int32_t
#define BIN_RESULT int32_t
#define BIN_APPLY(a, b, r)                           \
    do {                                             \
        failed |= (b) == 0;                          \
        (r) = (b) == 0 || (b) == -1 ? 0 : (a) % (b); \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME divide_i64
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r)                                                                    \
    do {                                                                                      \
        if ((b) == 0 || (b) == -1) {                                                          \
            failed |= (b) == 0 || (a) == (int64_t)((uint64_t)1 << (sizeof(int64_t) * 8 - 1)); \
            (r) = (b) == 0 ? 0 : (int64_t)(0 - (uint64_t)(a));                                \
        } else {                                                                              \
            (r) = (a) / (b);                                                                  \
        }                                                                                     \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME modulo_i64
#define BIN_OPERAND int64_t
#define BIN_RESULT int64_t
#define BIN_APPLY(a, b, r)                           \
    do {                                             \
        failed |= (b) == 0;                          \
        (r) = (b) == 0 || (b) == -1 ? 0 : (a) % (b); \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME divide_i128
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r)                                                                             \
    do {                                                                                               \
        if ((b) == 0 || (b) == -1) {                                                                   \
            failed |= (b) == 0 || (a) == (arb_int128)((arb_uint128)1 << (sizeof(arb_int128) * 8 - 1)); \
            (r) = (b) == 0 ? 0 : (arb_int128)(0 - (arb_uint128)(a));                                   \
        } else {                                                                                       \
            (r) = (a) / (b);                                                                           \
        }                                                                                              \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME modulo_i128
#define BIN_OPERAND arb_int128
#define BIN_RESULT arb_int128
#define BIN_APPLY(a, b, r)                           \
    do {                                             \
        failed |= (b) == 0;                          \
        (r) = (b) == 0 || (b) == -1 ? 0 : (a) % (b); \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME divide_f32
#define BIN_OPERAND float
#define BIN_RESULT float
#define BIN_APPLY(a, b, r)  \
    do {                    \
        failed |= (b) == 0; \
        (r) = (a) / (b);    \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME modulo_f32
#define BIN_OPERAND float
#define BIN_RESULT float
#define BIN_APPLY(a, b, r)     \
    do {                       \
        failed |= (b) == 0;    \
        (r) = fmodf((a), (b)); \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME divide_f64
#define BIN_OPERAND double
#define BIN_RESULT double
#define BIN_APPLY(a, b, r)  \
    do {                    \
        failed |= (b) == 0; \
        (r) = (a) / (b);    \
    } while (0)
#include "kernels/binary.inc"

#define BIN_NAME modulo_f64
#define BIN_OPERAND double
#define BIN_RESULT double
#define BIN_APPLY(a, b, r)    \
    do {                      \
        failed |= (b) == 0;   \
        (r) = fmod((a), (b)); \
    } while (0)
#include "kernels/binary.inc"

#define FORMS(name)                     \
    {                                   \
        name##_vv, name##_vc, name##_cv \
    }
#define TYPES(op)                                                                             \
    {                                                                                         \
        [ARB_ARITHMETIC_I32] = FORMS(op##_i32), [ARB_ARITHMETIC_I64] = FORMS(op##_i64),       \
        [ARB_ARITHMETIC_I128] = FORMS(op##_i128), [ARB_ARITHMETIC_WIDEN] = FORMS(op##_widen), \
        [ARB_ARITHMETIC_F32] = FORMS(op##_f32), [ARB_ARITHMETIC_F64] = FORMS(op##_f64),       \
        [ARB_ARITHMETIC_I64_CHECKED] = FORMS(op##_i64_checked),                               \
        [ARB_ARITHMETIC_I128_CHECKED] = FORMS(op##_i128_checked),                             \
    }
#define DIVISIONS(op)                                                                 \
    {                                                                                 \
        [ARB_DIVISION_I32] = FORMS(op##_i32), [ARB_DIVISION_I64] = FORMS(op##_i64),   \
        [ARB_DIVISION_I128] = FORMS(op##_i128), [ARB_DIVISION_F32] = FORMS(op##_f32), \
        [ARB_DIVISION_F64] = FORMS(op##_f64),                                         \
    }

const arb_arithmetic_kernels ARB_KERNELS_TABLE(arb_arithmetic_kernels) = {
    .binary = {[ARB_ADD] = TYPES(add), [ARB_SUBTRACT] = TYPES(subtract), [ARB_MULTIPLY] = TYPES(multiply)},
    .divide = DIVISIONS(divide),
    .modulo = DIVISIONS(modulo),
};
