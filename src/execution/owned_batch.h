/* owned_batch.h: a batch that keeps its own values: what a lent batch becomes when it must outlive the moment.
 *
 * Only the selected rows are copied, flat, strings' bytes and nested values included. */
#ifndef ARB_EXECUTION_OWNED_BATCH_H
#define ARB_EXECUTION_OWNED_BATCH_H

#include "columnar/vector.h"

typedef struct arb_owned_batch {
    arb_arena arena;              /* holds everything that `batch` refers to */
    arb_batch batch;              /* FLAT vectors, all rows selected */
    struct arb_owned_batch *next; /* for whoever keeps a list */
} arb_owned_batch;

/* `columns` gives which of in's columns to copy, in order; NULL = all. Destroy with arb_owned_batch_destroy. */
ARB_NODISCARD arb_code arb_owned_batch_create(const arb_batch *in, const uint32_t *columns, size_t column_count,
                                              arb_owned_batch **out_batch, arb_error *error);
void arb_owned_batch_destroy(arb_owned_batch *batch); /* NULL is a no-op */
/* Bytes that it takes. */
ARB_INLINE uint64_t arb_owned_batch_bytes(const arb_owned_batch *batch)
{
    return batch->arena.total + sizeof *batch;
}

#endif
