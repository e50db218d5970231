/* parquet_pruning.h: what a file's statistics say about rows before these are read.
 *
 * What they need of the file comes in pieces, which belong to the reader: ARB_WOULD_WAIT means to ask again. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_PRUNING_H
#define ARB_FORMATS_PARQUET_PARQUET_PRUNING_H

#include "formats/parquet/page_metadata.h"
#include "formats/parquet/parquet_file.h"
#include "formats/parquet/parquet_piece.h"

/* The range of a leaf's values in a row group. */
arb_value_range arb_parquet_chunk_range(const arb_parquet_leaf *leaf, const arb_parquet_chunk_meta *meta);
/* In a page of a column index. */
arb_value_range arb_parquet_page_range(const arb_parquet_leaf *leaf, const arb_parquet_column_index *index,
                                       uint32_t page);
/* Of a Bloom filter. */
typedef struct arb_parquet_bloom_pieces {
    arb_parquet_piece head, block;
} arb_parquet_bloom_pieces;

/* False when the chunk's Bloom filter rules the filter's one value out. Reads it when the filter compares with one. */
ARB_NODISCARD arb_code arb_parquet_bloom_may_pass(const arb_byte_source *source, arb_read_queue *queue,
                                                  const arb_parquet_leaf *leaf, const arb_parquet_chunk_meta *meta,
                                                  const arb_scan_filter *filter, arb_parquet_bloom_pieces *pieces,
                                                  arb_reservation *held, bool *out_may_pass, arb_error *error);
/* Read an index of the chunk into the arena; count is 0 when there is none. A damaged one counts as none. */
ARB_NODISCARD arb_code arb_parquet_offset_index_read(const arb_byte_source *source, arb_read_queue *queue,
                                                     const arb_parquet_chunk_meta *meta, arb_parquet_piece *piece,
                                                     arb_held_arena *arena, arb_parquet_offset_index *out_index,
                                                     arb_error *error);
ARB_NODISCARD arb_code arb_parquet_column_index_read(const arb_byte_source *source, arb_read_queue *queue,
                                                     const arb_parquet_chunk_meta *meta, arb_parquet_piece *piece,
                                                     arb_held_arena *arena, arb_parquet_column_index *out_index,
                                                     arb_error *error);

#endif
