#include <math.h>

#include "kernels/convert.h"

#define CONV_NAME INT8_to_INT16
#define CONV_FROM int8_t
#define CONV_TO int16_t
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT8_to_INT32
#define CONV_FROM int8_t
#define CONV_TO int32_t
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT8_to_INT64
#define CONV_FROM int8_t
#define CONV_TO int64_t
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT8_to_INT128
#define CONV_FROM int8_t
#define CONV_TO arb_int128
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT8_to_FLOAT32
#define CONV_FROM int8_t
#define CONV_TO float
#define CONV_APPLY(f, t) ((t) = (float)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT8_to_FLOAT64
#define CONV_FROM int8_t
#define CONV_TO double
#define CONV_APPLY(f, t) ((t) = (double)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT16_to_INT8
#define CONV_FROM int16_t
#define CONV_TO int8_t
#define CONV_APPLY(f, t) ((t) = (int8_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT16_to_INT32
#define CONV_FROM int16_t
#define CONV_TO int32_t
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT16_to_INT64
#define CONV_FROM int16_t
#define CONV_TO int64_t
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT16_to_INT128
#define CONV_FROM int16_t
#define CONV_TO arb_int128
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT16_to_FLOAT32
#define CONV_FROM int16_t
#define CONV_TO float
#define CONV_APPLY(f, t) ((t) = (float)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT16_to_FLOAT64
#define CONV_FROM int16_t
#define CONV_TO double
#define CONV_APPLY(f, t) ((t) = (double)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT32_to_INT8
#define CONV_FROM int32_t
#define CONV_TO int8_t
#define CONV_APPLY(f, t) ((t) = (int8_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT32_to_INT16
#define CONV_FROM int32_t
#define CONV_TO int16_t
#define CONV_APPLY(f, t) ((t) = (int16_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT32_to_INT64
#define CONV_FROM int32_t
#define CONV_TO int64_t
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT32_to_INT128
#define CONV_FROM int32_t
#define CONV_TO arb_int128
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT32_to_FLOAT32
#define CONV_FROM int32_t
#define CONV_TO float
#define CONV_APPLY(f, t) ((t) = (float)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT32_to_FLOAT64
#define CONV_FROM int32_t
#define CONV_TO double
#define CONV_APPLY(f, t) ((t) = (double)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT64_to_INT8
#define CONV_FROM int64_t
#define CONV_TO int8_t
#define CONV_APPLY(f, t) ((t) = (int8_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT64_to_INT16
#define CONV_FROM int64_t
#define CONV_TO int16_t
#define CONV_APPLY(f, t) ((t) = (int16_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT64_to_INT32
#define CONV_FROM int64_t
#define CONV_TO int32_t
#define CONV_APPLY(f, t) ((t) = (int32_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT64_to_INT128
#define CONV_FROM int64_t
#define CONV_TO arb_int128
#define CONV_APPLY(f, t) ((t) = (f))
#include "kernels/convert.inc"

#define CONV_NAME INT64_to_FLOAT32
#define CONV_FROM int64_t
#define CONV_TO float
#define CONV_APPLY(f, t) ((t) = (float)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT64_to_FLOAT64
#define CONV_FROM int64_t
#define CONV_TO double
#define CONV_APPLY(f, t) ((t) = (double)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT128_to_INT8
#define CONV_FROM arb_int128
#define CONV_TO int8_t
#define CONV_APPLY(f, t) ((t) = (int8_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT128_to_INT16
#define CONV_FROM arb_int128
#define CONV_TO int16_t
#define CONV_APPLY(f, t) ((t) = (int16_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT128_to_INT32
#define CONV_FROM arb_int128
#define CONV_TO int32_t
#define CONV_APPLY(f, t) ((t) = (int32_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT128_to_INT64
#define CONV_FROM arb_int128
#define CONV_TO int64_t
#define CONV_APPLY(f, t) ((t) = (int64_t)(f), failed |= (t) != (f))
#include "kernels/convert.inc"

#define CONV_NAME INT128_to_FLOAT32
#define CONV_FROM arb_int128
#define CONV_TO float
#define CONV_APPLY(f, t) ((t) = (float)(f))
#include "kernels/convert.inc"

#define CONV_NAME INT128_to_FLOAT64
#define CONV_FROM arb_int128
#define CONV_TO double
#define CONV_APPLY(f, t) ((t) = (double)(f))
#include "kernels/convert.inc"

#define CONV_NAME FLOAT32_to_INT8
#define CONV_FROM float
#define CONV_TO int8_t
#define CONV_APPLY(f, t)                              \
    do {                                              \
        double whole = rint((double)(f));             \
        bool fits = whole >= -128.0 && whole < 128.0; \
        failed |= !fits;                              \
        (t) = (int8_t)(fits ? whole : 0);             \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT32_to_INT16
#define CONV_FROM float
#define CONV_TO int16_t
#define CONV_APPLY(f, t)                                  \
    do {                                                  \
        double whole = rint((double)(f));                 \
        bool fits = whole >= -32768.0 && whole < 32768.0; \
        failed |= !fits;                                  \
        (t) = (int16_t)(fits ? whole : 0);                \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT32_to_INT32
#define CONV_FROM float
#define CONV_TO int32_t
#define CONV_APPLY(f, t)                                            \
    do {                                                            \
        double whole = rint((double)(f));                           \
        bool fits = whole >= -2147483648.0 && whole < 2147483648.0; \
        failed |= !fits;                                            \
        (t) = (int32_t)(fits ? whole : 0);                          \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT32_to_INT64
#define CONV_FROM float
#define CONV_TO int64_t
#define CONV_APPLY(f, t)                                \
    do {                                                \
        double whole = rint((double)(f));               \
        bool fits = whole >= -0x1p63 && whole < 0x1p63; \
        failed |= !fits;                                \
        (t) = (int64_t)(fits ? whole : 0);              \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT32_to_INT128
#define CONV_FROM float
#define CONV_TO arb_int128
#define CONV_APPLY(f, t)                                  \
    do {                                                  \
        double whole = rint((double)(f));                 \
        bool fits = whole >= -0x1p127 && whole < 0x1p127; \
        failed |= !fits;                                  \
        (t) = (arb_int128)(fits ? whole : 0);             \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT64_to_INT8
#define CONV_FROM double
#define CONV_TO int8_t
#define CONV_APPLY(f, t)                              \
    do {                                              \
        double whole = rint((double)(f));             \
        bool fits = whole >= -128.0 && whole < 128.0; \
        failed |= !fits;                              \
        (t) = (int8_t)(fits ? whole : 0);             \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT64_to_INT16
#define CONV_FROM double
#define CONV_TO int16_t
#define CONV_APPLY(f, t)                                  \
    do {                                                  \
        double whole = rint((double)(f));                 \
        bool fits = whole >= -32768.0 && whole < 32768.0; \
        failed |= !fits;                                  \
        (t) = (int16_t)(fits ? whole : 0);                \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT64_to_INT32
#define CONV_FROM double
#define CONV_TO int32_t
#define CONV_APPLY(f, t)                                            \
    do {                                                            \
        double whole = rint((double)(f));                           \
        bool fits = whole >= -2147483648.0 && whole < 2147483648.0; \
        failed |= !fits;                                            \
        (t) = (int32_t)(fits ? whole : 0);                          \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT64_to_INT64
#define CONV_FROM double
#define CONV_TO int64_t
#define CONV_APPLY(f, t)                                \
    do {                                                \
        double whole = rint((double)(f));               \
        bool fits = whole >= -0x1p63 && whole < 0x1p63; \
        failed |= !fits;                                \
        (t) = (int64_t)(fits ? whole : 0);              \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT64_to_INT128
#define CONV_FROM double
#define CONV_TO arb_int128
#define CONV_APPLY(f, t)                                  \
    do {                                                  \
        double whole = rint((double)(f));                 \
        bool fits = whole >= -0x1p127 && whole < 0x1p127; \
        failed |= !fits;                                  \
        (t) = (arb_int128)(fits ? whole : 0);             \
    } while (0)
#include "kernels/convert.inc"

#define CONV_NAME FLOAT32_to_FLOAT64
#define CONV_FROM float
#define CONV_TO double
#define CONV_APPLY(f, t) ((t) = (double)(f))
#include "kernels/convert.inc"

#define CONV_NAME FLOAT64_to_FLOAT32
#define CONV_FROM double
#define CONV_TO float
#define CONV_APPLY(f, t) ((t) = (float)(f), failed |= isinf(t) && !isinf(f))
#include "kernels/convert.inc"

const arb_convert_kernels ARB_KERNELS_TABLE(arb_convert_kernels) = {
    .number =
        {
            [ARB_PHYS_INT8] = {[ARB_PHYS_INT16] = INT8_to_INT16,
                               [ARB_PHYS_INT32] = INT8_to_INT32,
                               [ARB_PHYS_INT64] = INT8_to_INT64,
                               [ARB_PHYS_INT128] = INT8_to_INT128,
                               [ARB_PHYS_FLOAT32] = INT8_to_FLOAT32,
                               [ARB_PHYS_FLOAT64] = INT8_to_FLOAT64},
            [ARB_PHYS_INT16] = {[ARB_PHYS_INT8] = INT16_to_INT8,
                                [ARB_PHYS_INT32] = INT16_to_INT32,
                                [ARB_PHYS_INT64] = INT16_to_INT64,
                                [ARB_PHYS_INT128] = INT16_to_INT128,
                                [ARB_PHYS_FLOAT32] = INT16_to_FLOAT32,
                                [ARB_PHYS_FLOAT64] = INT16_to_FLOAT64},
            [ARB_PHYS_INT32] = {[ARB_PHYS_INT8] = INT32_to_INT8,
                                [ARB_PHYS_INT16] = INT32_to_INT16,
                                [ARB_PHYS_INT64] = INT32_to_INT64,
                                [ARB_PHYS_INT128] = INT32_to_INT128,
                                [ARB_PHYS_FLOAT32] = INT32_to_FLOAT32,
                                [ARB_PHYS_FLOAT64] = INT32_to_FLOAT64},
            [ARB_PHYS_INT64] = {[ARB_PHYS_INT8] = INT64_to_INT8,
                                [ARB_PHYS_INT16] = INT64_to_INT16,
                                [ARB_PHYS_INT32] = INT64_to_INT32,
                                [ARB_PHYS_INT128] = INT64_to_INT128,
                                [ARB_PHYS_FLOAT32] = INT64_to_FLOAT32,
                                [ARB_PHYS_FLOAT64] = INT64_to_FLOAT64},
            [ARB_PHYS_INT128] = {[ARB_PHYS_INT8] = INT128_to_INT8,
                                 [ARB_PHYS_INT16] = INT128_to_INT16,
                                 [ARB_PHYS_INT32] = INT128_to_INT32,
                                 [ARB_PHYS_INT64] = INT128_to_INT64,
                                 [ARB_PHYS_FLOAT32] = INT128_to_FLOAT32,
                                 [ARB_PHYS_FLOAT64] = INT128_to_FLOAT64},
            [ARB_PHYS_FLOAT32] = {[ARB_PHYS_INT8] = FLOAT32_to_INT8,
                                  [ARB_PHYS_INT16] = FLOAT32_to_INT16,
                                  [ARB_PHYS_INT32] = FLOAT32_to_INT32,
                                  [ARB_PHYS_INT64] = FLOAT32_to_INT64,
                                  [ARB_PHYS_INT128] = FLOAT32_to_INT128,
                                  [ARB_PHYS_FLOAT64] = FLOAT32_to_FLOAT64},
            [ARB_PHYS_FLOAT64] = {[ARB_PHYS_INT8] = FLOAT64_to_INT8,
                                  [ARB_PHYS_INT16] = FLOAT64_to_INT16,
                                  [ARB_PHYS_INT32] = FLOAT64_to_INT32,
                                  [ARB_PHYS_INT64] = FLOAT64_to_INT64,
                                  [ARB_PHYS_INT128] = FLOAT64_to_INT128,
                                  [ARB_PHYS_FLOAT32] = FLOAT64_to_FLOAT32},
        },
};
