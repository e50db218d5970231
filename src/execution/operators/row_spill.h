/* row_spill.h: rows of a row store on disk, in partitions by their hashes.
 *
 * A row's header must hold the hash of its key; at `level` 0 six of its bits choose among 64 partitions, at each further
 * level the six bits below them. So a partition that is still too large is split by loading a part of it at a time and
 * spilling that again one level deeper, and equal keys always meet.
 *
 * Any thread may write; a partition is read by one thread at a time, once nobody writes to it. */
#ifndef ARB_EXECUTION_OPERATORS_ROW_SPILL_H
#define ARB_EXECUTION_OPERATORS_ROW_SPILL_H

#include "execution/operators/row_block.h"

enum { ARB_SPILL_PARTS = 64, ARB_SPILL_LEVELS = 5 };

ARB_INLINE uint32_t arb_spill_part(uint64_t hash, unsigned level)
{
    return (uint32_t)(hash >> (32 - 6 * level)) & (ARB_SPILL_PARTS - 1);
}

/* A partition's rows, in the order in which they were written. */
typedef struct arb_row_stream {
    ARB_VEC(arb_row_block) blocks;
    uint64_t rows, bytes; /* bytes: about what they take in a row store */
} arb_row_stream;

typedef struct arb_row_spill {
    arb_row_format format;
    unsigned level;
    pthread_mutex_t lock; /* guards the streams and has_null while there are writers */
    arb_row_stream streams[ARB_SPILL_PARTS];
    bool *has_null; /* one a column, as in the store */
} arb_row_spill;

/* The caller owns *out_spill. What the format borrows must outlive it. */
ARB_NODISCARD arb_code arb_row_spill_create(arb_row_format format, unsigned level, arb_row_spill **out_spill,
                                            arb_error *error);
void arb_row_spill_destroy(arb_row_spill *spill); /* NULL is a no-op */

/* Append the rows to the partitions that their hashes choose. `has_null` is that of their store. */
ARB_NODISCARD arb_code arb_row_spill_rows(arb_row_spill *spill, char *const *rows, size_t count, const bool *has_null,
                                          arb_error *error);
/* Append all rows of the store, and clear it. */
ARB_NODISCARD arb_code arb_row_spill_store(arb_row_spill *spill, arb_row_store *store, arb_error *error);
/* Bring a block's rows back into the view, and give its space back to the file system. */
ARB_NODISCARD arb_code arb_row_spill_take(const arb_row_spill *spill, const arb_row_block *block,
                                          arb_row_block_view *view, arb_error *error);
/* Take the rows of partition `number` of `from`, and append them to `to`, which is a level deeper; some at a time, the
 * fewer the more pressed the share is. Ends with ARB_CANCELLED once *cancelled. */
ARB_NODISCARD arb_code arb_row_spill_split(arb_row_spill *from, uint32_t number, arb_row_spill *to, arb_memory *memory,
                                           arb_memory_share *share, const _Atomic bool *cancelled, arb_error *error);
/* Put the view's rows, which this spill gave, into a store of its layout. view->rows then point there. */
ARB_NODISCARD arb_code arb_row_spill_keep(const arb_row_spill *spill, arb_row_block_view *view, arb_row_store *store,
                                          arb_error *error);
uint64_t arb_row_spill_count(const arb_row_spill *spill);

#endif
