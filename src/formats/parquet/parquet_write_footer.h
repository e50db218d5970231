/* parquet_write_footer.h: what is written behind the row groups: page indexes and the footer. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_WRITE_FOOTER_H
#define ARB_FORMATS_PARQUET_PARQUET_WRITE_FOOTER_H

#include "formats/parquet/parquet_write_chunk.h"

/* A chunk that lies in the file. Bytes and pages are in the footer's arena; offsets are the file's. */
typedef struct arb_parquet_written_chunk {
    arb_codec codec;
    arb_parquet_encoding encoding;
    uint64_t offset, size, raw_size, dictionary_size, entries;
    uint64_t bloom_offset, bloom_size; /* 0: none */
    size_t page_count;
    arb_parquet_page_location *pages;
    arb_str statistics, column_index;
    uint64_t column_index_offset, offset_index_offset, offset_index_size;
} arb_parquet_written_chunk;

typedef struct arb_parquet_written_group {
    uint64_t rows;
    arb_parquet_written_chunk *chunks; /* one a leaf */
} arb_parquet_written_group;

typedef struct arb_parquet_footer { /* zeroed: empty */
    arb_arena arena;
    ARB_VEC(arb_parquet_written_group) groups; /* in the arena */
    uint64_t rows;
} arb_parquet_footer;

/* Write a row group's chunks and note where they lie. */
ARB_NODISCARD arb_code arb_parquet_footer_put_group(arb_parquet_footer *footer, const arb_parquet_write_plan *plan,
                                                    const arb_parquet_write_chunk *chunks, uint64_t rows,
                                                    arb_byte_sink *sink, arb_error *error);
/* Write the indexes and the footer, up to the file's last byte. */
ARB_NODISCARD arb_code arb_parquet_footer_write(arb_parquet_footer *footer, const arb_parquet_write_plan *plan,
                                                arb_byte_sink *sink, arb_error *error);
void arb_parquet_footer_reset(arb_parquet_footer *footer);

#endif
