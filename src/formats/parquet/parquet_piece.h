/* parquet_piece.h: what a reader needs of a file beside the pages: an index, a part of a Bloom filter.
 *
 * A piece is asked for as often as one likes and read once. So a step that needs several pieces can be done again from its
 * beginning whenever one of them was not there, until it comes to its end. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_PIECE_H
#define ARB_FORMATS_PARQUET_PARQUET_PIECE_H

#include "io/read_queue.h"

typedef struct arb_parquet_piece { /* zeroed: not asked for yet */
    void *data;                    /* owned; NULL until it was asked for */
    arb_queued_read *read;         /* while it is not there yet */
    arb_reservation *held;         /* counts it, from before it is there until it is reset */
    size_t size;
} arb_parquet_piece;

/* The bytes, valid until the piece is reset. Always the same range until then. ARB_WOULD_WAIT: ask again. */
ARB_NODISCARD arb_code arb_parquet_piece_get(arb_parquet_piece *piece, const arb_byte_source *source,
                                             arb_read_queue *queue, arb_reservation *held, uint64_t offset, size_t size,
                                             const void **out_data, arb_error *error);
void arb_parquet_piece_reset(arb_parquet_piece *piece, arb_read_queue *queue);

#endif
