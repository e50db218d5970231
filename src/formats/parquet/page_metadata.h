/* page_metadata.h: what Parquet says about pages: the header in front of each, and the two indexes over them. */
#ifndef ARB_FORMATS_PARQUET_PAGE_METADATA_H
#define ARB_FORMATS_PARQUET_PAGE_METADATA_H

#include "base/text.h"
#include "runtime/held_arena.h"

typedef enum arb_parquet_page_kind {
    ARB_PARQUET_DATA_PAGE = 0,
    ARB_PARQUET_INDEX_PAGE = 1,
    ARB_PARQUET_DICTIONARY_PAGE = 2,
    ARB_PARQUET_DATA_PAGE_V2 = 3
} arb_parquet_page_kind;

typedef struct arb_parquet_page_header {
    int32_t kind; /* arb_parquet_page_kind; others are to be skipped */
    int32_t uncompressed_size, compressed_size;
    bool has_crc;
    uint32_t crc;
    int32_t value_count; /* NULLs included */
    int32_t encoding;
    int32_t definition_encoding, repetition_encoding; /* v1 */
    int32_t null_count, row_count;                    /* v2 */
    int32_t definition_size, repetition_size;         /* v2: bytes of the levels, which are not compressed */
    bool is_compressed;                               /* v2 */
} arb_parquet_page_header;

/* Parse the header at `data`; *out_size is how many bytes it takes. False when `size` bytes do not hold a valid one
 * (they may be too few). */
bool arb_parquet_page_header_parse(const void *data, size_t size, arb_parquet_page_header *out_header,
                                   size_t *out_size);

/* Where each data page lies. */
typedef struct arb_parquet_page_location {
    int64_t offset;
    int32_t size; /* with its header */
    int64_t first_row;
} arb_parquet_page_location;

typedef struct arb_parquet_offset_index {
    uint32_t count;
    arb_parquet_page_location *pages;
} arb_parquet_offset_index;

/* What each data page holds. */
typedef struct arb_parquet_column_index {
    uint32_t count;
    bool *null_pages;     /* only NULLs */
    arb_str *mins, *maxs; /* refer to the parsed bytes */
    int64_t *null_counts; /* NULL when not said */
} arb_parquet_column_index;

/* Both give ARB_CORRUPT_DATA for damaged bytes; an index need not be used. What it takes is counted before. */
ARB_NODISCARD arb_code arb_parquet_offset_index_parse(const void *data, size_t size, arb_held_arena *arena,
                                                      arb_parquet_offset_index *out_index, arb_error *error);
ARB_NODISCARD arb_code arb_parquet_column_index_parse(const void *data, size_t size, arb_held_arena *arena,
                                                      arb_parquet_column_index *out_index, arb_error *error);
/* The header of a Bloom filter: the bytes of the filter behind it, or 0 when it is not of the one known kind. */
size_t arb_parquet_bloom_header_parse(const void *data, size_t size, size_t *out_header_size);

#endif
