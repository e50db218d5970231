/* parquet_write_chunk.h: from the values of a column to its chunk's bytes.
 *
 *     values ─ dictionary? delta? plain? ─ pages (levels, values) ─ compressed, unless that gains nothing ─ bytes
 *
 * Offsets are counted from the chunk's own first byte; the footer's writer knows where that lies. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_WRITE_CHUNK_H
#define ARB_FORMATS_PARQUET_PARQUET_WRITE_CHUNK_H

#include "base/vec.h"
#include "formats/parquet/page_metadata.h"
#include "formats/parquet/parquet_write_dictionary.h"
#include "formats/parquet/parquet_write_plan.h"
#include "formats/parquet/parquet_write_range.h"
#include "io/codec_encode.h"

typedef struct arb_parquet_write_chunk { /* zeroed: empty */
    arb_text bytes;                      /* the dictionary page, if any, and the data pages */
    arb_codec codec;
    arb_parquet_encoding encoding; /* of the data pages */
    uint64_t dictionary_size;      /* bytes of the dictionary page with its header; 0: none */
    uint64_t entries;
    uint64_t raw_bytes;                       /* as if nothing were compressed */
    ARB_VEC(arb_parquet_page_location) pages; /* of the data pages */
    arb_text statistics;                      /* made structs */
    arb_text column_index;                    /* empty: there is none */
    arb_text bloom;                           /* with its header; empty: there is none */
} arb_parquet_write_chunk;

/* What encoding needs besides, kept from chunk to chunk. */
typedef struct arb_parquet_write_scratch arb_parquet_write_scratch;

ARB_NODISCARD arb_code arb_parquet_write_scratch_create(const arb_parquet_write_plan *plan,
                                                        arb_parquet_write_scratch **out_scratch, arb_error *error);
void arb_parquet_write_scratch_destroy(arb_parquet_write_scratch *scratch);
ARB_NODISCARD arb_code arb_parquet_write_chunk_encode(arb_parquet_write_scratch *scratch,
                                                      const arb_parquet_write_column *column, arb_stop_flag *stop,
                                                      arb_parquet_write_chunk *out_chunk, arb_error *error);
void arb_parquet_write_chunk_clear(arb_parquet_write_chunk *chunk);
void arb_parquet_write_chunk_reset(arb_parquet_write_chunk *chunk);

/* parquet_write_bloom.c: a Bloom filter over all values, with its header. */
void arb_parquet_write_bloom(const arb_parquet_write_column *column, arb_text *out);

#endif
