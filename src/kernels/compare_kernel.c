#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "kernels/compare.h"

/* One bit for each of 64 bytes that are 0 or 1. */
ARB_INLINE uint64_t pack_bytes(const uint8_t *bytes)
{
    uint64_t word = 0;
#ifdef __SSE2__
    for (unsigned part = 0; part < 4; part++) {
        __m128i lanes = _mm_loadu_si128((const __m128i *)(bytes + part * 16));
        word |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_slli_epi16(lanes, 7)) << (part * 16);
    }
#else
    for (unsigned part = 0; part < 8; part++) {
        /* gathers bit 0 of eight bytes into the top byte */
        uint64_t gathered = (arb_load_u64(bytes + part * 8) * 0x0102040810204080u) >> 56;
        word |= gathered << (part * 8);
    }
#endif
    return word;
}

#define CMP_NAME equal_INT8
#define CMP_TYPE int8_t
#define CMP_TEST(a, b) ((a) == (b))
#include "kernels/compare.inc"

#define CMP_NAME less_INT8
#define CMP_TYPE int8_t
#define CMP_TEST(a, b) ((a) < (b))
#include "kernels/compare.inc"

#define CMP_NAME equal_INT16
#define CMP_TYPE int16_t
#define CMP_TEST(a, b) ((a) == (b))
#include "kernels/compare.inc"

#define CMP_NAME less_INT16
#define CMP_TYPE int16_t
#define CMP_TEST(a, b) ((a) < (b))
#include "kernels/compare.inc"

#define CMP_NAME equal_INT32
#define CMP_TYPE int32_t
#define CMP_TEST(a, b) ((a) == (b))
#include "kernels/compare.inc"

#define CMP_NAME less_INT32
#define CMP_TYPE int32_t
#define CMP_TEST(a, b) ((a) < (b))
#include "kernels/compare.inc"

#define CMP_NAME equal_INT64
#define CMP_TYPE int64_t
#define CMP_TEST(a, b) ((a) == (b))
#include "kernels/compare.inc"

#define CMP_NAME less_INT64
#define CMP_TYPE int64_t
#define CMP_TEST(a, b) ((a) < (b))
#include "kernels/compare.inc"

#define CMP_NAME equal_INT128
#define CMP_TYPE arb_int128
#define CMP_TEST(a, b) ((a) == (b))
#include "kernels/compare.inc"

#define CMP_NAME less_INT128
#define CMP_TYPE arb_int128
#define CMP_TEST(a, b) ((a) < (b))
#include "kernels/compare.inc"

#define CMP_NAME equal_FLOAT32
#define CMP_TYPE float
#define CMP_TEST(a, b) (((a) == (b)) | (((a) != (a)) & ((b) != (b))))
#include "kernels/compare.inc"

#define CMP_NAME less_FLOAT32
#define CMP_TYPE float
#define CMP_TEST(a, b) (((a) < (b)) | (((a) == (a)) & ((b) != (b))))
#include "kernels/compare.inc"

#define CMP_NAME equal_FLOAT64
#define CMP_TYPE double
#define CMP_TEST(a, b) (((a) == (b)) | (((a) != (a)) & ((b) != (b))))
#include "kernels/compare.inc"

#define CMP_NAME less_FLOAT64
#define CMP_TYPE double
#define CMP_TEST(a, b) (((a) < (b)) | (((a) == (a)) & ((b) != (b))))
#include "kernels/compare.inc"

#define CMP_NAME equal_STRING
#define CMP_TYPE arb_string
#define CMP_TEST(a, b) arb_string_equal(&(a), &(b))
#include "kernels/compare.inc"

#define CMP_NAME less_STRING
#define CMP_TYPE arb_string
#define CMP_TEST(a, b) (arb_string_compare(&(a), &(b)) < 0)
#include "kernels/compare.inc"

#define CMP_NAME equal_INTERVAL
#define CMP_TYPE arb_interval
#define CMP_TEST(a, b) (arb_interval_span(a) == arb_interval_span(b))
#include "kernels/compare.inc"

#define CMP_NAME less_INTERVAL
#define CMP_TYPE arb_interval
#define CMP_TEST(a, b) (arb_interval_span(a) < arb_interval_span(b))
#include "kernels/compare.inc"

#define FORMS(name)                     \
    {                                   \
        name##_vv, name##_vc, name##_cv \
    }
#define TYPES(rel)                                                                          \
    {                                                                                       \
        [ARB_PHYS_INT8] = FORMS(rel##_INT8), [ARB_PHYS_INT16] = FORMS(rel##_INT16),         \
        [ARB_PHYS_INT32] = FORMS(rel##_INT32), [ARB_PHYS_INT64] = FORMS(rel##_INT64),       \
        [ARB_PHYS_INT128] = FORMS(rel##_INT128), [ARB_PHYS_FLOAT32] = FORMS(rel##_FLOAT32), \
        [ARB_PHYS_FLOAT64] = FORMS(rel##_FLOAT64), [ARB_PHYS_STRING] = FORMS(rel##_STRING), \
        [ARB_PHYS_INTERVAL] = FORMS(rel##_INTERVAL),                                        \
    }

const arb_compare_kernels ARB_KERNELS_TABLE(arb_compare_kernels) = {.equal = TYPES(equal), .less = TYPES(less)};
