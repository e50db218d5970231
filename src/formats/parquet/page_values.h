/* page_values.h: the values of one page (or of a dictionary), behind its levels and without its NULLs.
 *
 * Preparing a page sorts the many encodings and conversions into a few kinds. What is common stays as it lies in the
 * page and is decoded as it is asked for (plain numbers, text, dictionary codes); what is rare is turned into an array
 * when the page is opened. Values are taken in order: read, picked or skipped. */
#ifndef ARB_FORMATS_PARQUET_PAGE_VALUES_H
#define ARB_FORMATS_PARQUET_PAGE_VALUES_H

#include "formats/parquet/parquet_schema.h"
#include "formats/parquet/rle_decoder.h"
#include "io/padded_buffer.h"

typedef enum arb_parquet_values_kind {
    ARB_PARQUET_VALUES_I32, /* arrays at any alignment: the arb_parquet_source of the same number */
    ARB_PARQUET_VALUES_I64,
    ARB_PARQUET_VALUES_I128,
    ARB_PARQUET_VALUES_F32,
    ARB_PARQUET_VALUES_F64,
    ARB_PARQUET_VALUES_INTERVALS,
    ARB_PARQUET_VALUES_STRINGS, /* of arb_string */
    ARB_PARQUET_VALUES_FIXED,   /* bytes, all of one size */
    ARB_PARQUET_VALUES_PLAIN,   /* bytes, each with its size in front */
    ARB_PARQUET_VALUES_BITS,    /* booleans */
    ARB_PARQUET_VALUES_CODES    /* of the chunk's dictionary */
} arb_parquet_values_kind;

/* What values become. */
typedef struct arb_parquet_target {
    arb_physical physical;
    bool check; /* values are to be compared with a range that was named */
    /* Of whole numbers, for sources of up to 64 bits and for wider ones. */
    arb_parquet_bounds bounds, wide_bounds;
} arb_parquet_target;

typedef struct arb_parquet_values {
    arb_parquet_values_kind kind;
    const uint8_t *data;      /* of arrays; PLAIN: the next value */
    const uint8_t *end;       /* PLAIN */
    size_t value_size;        /* of arrays */
    uint64_t count, position; /* of arrays */
    bool check_text;          /* PLAIN: there are bytes outside of ASCII, which must be valid UTF-8 */
    arb_rle_decoder runs;     /* BITS, CODES */
} arb_parquet_values;

/* Memory for what is not used as it lies in the page; strings may refer to it. */
typedef struct arb_parquet_values_memory {
    arb_padded_buffer array, bytes, scratch, converted;
} arb_parquet_values_memory;
void arb_parquet_values_memory_reset(arb_parquet_values_memory *memory);

/* The target of that width; with `check_range`, values outside of [low, high] are refused. */
arb_parquet_target arb_parquet_target_make(arb_physical physical, bool check_range, arb_int128 low, arb_int128 high);

/* `data` and `memory` must outlive the values. At most `max_count` values are of use. */
ARB_NODISCARD arb_code arb_parquet_values_prepare(const arb_parquet_leaf *leaf, int32_t encoding, const uint8_t *data,
                                                  size_t size, size_t max_count, const arb_parquet_kernels *kernels,
                                                  arb_parquet_values_memory *memory, arb_parquet_values *out_values,
                                                  arb_error *error);
/* The next `count` values to `to` (for BOOL: whole words of bits; else the target's type). Not for CODES. */
ARB_NODISCARD arb_code arb_parquet_values_read(arb_parquet_values *values, const arb_parquet_kernels *kernels,
                                               size_t count, const arb_parquet_target *target, void *to,
                                               arb_error *error);
/* Of the next `span` values those at `indices`; all are passed. */
ARB_NODISCARD arb_code arb_parquet_values_pick(arb_parquet_values *values, const arb_parquet_kernels *kernels,
                                               size_t span, const uint16_t *indices, size_t index_count,
                                               const arb_parquet_target *target, void *to, arb_error *error);
/* The same for CODES: each is below `limit`. */
ARB_NODISCARD arb_code arb_parquet_codes_read(arb_parquet_values *values, const arb_parquet_kernels *kernels,
                                              size_t count, uint32_t limit, uint32_t *to, arb_error *error);
ARB_NODISCARD arb_code arb_parquet_codes_pick(arb_parquet_values *values, const arb_parquet_kernels *kernels,
                                              size_t span, const uint16_t *indices, size_t index_count, uint32_t limit,
                                              uint32_t *to, arb_error *error);
ARB_NODISCARD arb_code arb_parquet_values_skip(arb_parquet_values *values, uint64_t count, arb_error *error);

#endif
