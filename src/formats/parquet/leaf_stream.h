/* leaf_stream.h: the levels and values of one leaf below lists or structs, row by row.
 *
 * In such a leaf a row has any number of entries. Each entry has a repetition level (0 begins a row) and a definition
 * level, and a stored value when the definition level is the leaf's highest. A stream goes forward: it gives the entries
 * of the rows asked for and passes those in between. It looks a little ahead, since only the next entry tells that a
 * row has ended; a row may go on in the next page.
 *
 * Reading says ARB_WOULD_WAIT when a page's bytes are not there; the same call, made again, goes on from there. */
#ifndef ARB_FORMATS_PARQUET_LEAF_STREAM_H
#define ARB_FORMATS_PARQUET_LEAF_STREAM_H

#include "formats/parquet/chunk_reader.h"

enum { ARB_PARQUET_LEVELS_AHEAD = ARB_VECTOR_ROWS };

typedef struct arb_parquet_leaf_stream {
    arb_parquet_chunk chunk;
    uint64_t next_row; /* in the row group */
    /* A read that waits: passes rows, or takes them; `left` of `walked` rows are still to begin. */
    bool is_passing, is_taking;
    uint64_t walked, left;
    /* Of the current page, decoded but not taken. */
    uint8_t repetitions_ahead[ARB_PARQUET_LEVELS_AHEAD], definitions_ahead[ARB_PARQUET_LEVELS_AHEAD];
    size_t ahead, ahead_end;
    uint32_t decoded[ARB_PARQUET_LEVELS_AHEAD + 8]; /* scratch: levels or codes */

    /* Of the rows read last. */
    arb_padded_buffer repetitions, definitions; /* a byte an entry */
    size_t entry_count;
    arb_padded_buffer values; /* of the target's type, without gaps; room for one more */
    size_t value_count;
} arb_parquet_leaf_stream;

/* Zeroed memory becomes a stream, for the reader whose reads and memory these are; the leaf's levels are below 256. */
void arb_parquet_leaf_stream_init(arb_parquet_leaf_stream *stream, const arb_byte_source *source,
                                  const arb_parquet_leaf *leaf, arb_read_queue *queue, arb_reservation *held);
void arb_parquet_leaf_stream_reset(arb_parquet_leaf_stream *stream);
/* Stand in front of the row group's first row. Rows from `end_row` on will not be asked for. */
ARB_NODISCARD arb_code arb_parquet_leaf_stream_begin(arb_parquet_leaf_stream *stream,
                                                     const arb_parquet_chunk_meta *meta, uint64_t group_rows,
                                                     uint64_t end_row, arb_error *error);
/* Rows [first, first + rows); never backwards. What was read before is overwritten. */
ARB_NODISCARD arb_code arb_parquet_leaf_stream_read(arb_parquet_leaf_stream *stream, uint64_t first, uint32_t rows,
                                                    arb_error *error);

#endif
