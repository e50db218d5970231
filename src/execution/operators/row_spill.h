/* row_spill.h: rows of a row store on disk, in partitions by their hashes.
 *
 *   block:  | rows, as they lie in memory | the far bytes of their text, row by row, column by column |
 *
 * A row's header must hold the hash of its key; at `level` 0 six of its bits choose among 64 partitions, at each further
 * level the six bits below them. So a partition that is still too large is split by loading a part of it at a time and
 * spilling that again one level deeper, and equal keys always meet. Pointers are not spilled: text finds its new place
 * when it is read, and what an owner keeps in the header or the extra bytes must not point anywhere.
 *
 * Any thread may write; a partition is read by one thread at a time, once nobody writes to it. */
#ifndef ARB_EXECUTION_OPERATORS_ROW_SPILL_H
#define ARB_EXECUTION_OPERATORS_ROW_SPILL_H

#include "execution/operators/row_store.h"
#include "io/spill_file.h"

enum { ARB_SPILL_PARTS = 64, ARB_SPILL_LEVELS = 5 };

ARB_INLINE uint32_t arb_spill_part(uint64_t hash, unsigned level)
{
    return (uint32_t)(hash >> (32 - 6 * level)) & (ARB_SPILL_PARTS - 1);
}

typedef struct arb_row_block {
    arb_spill_block stored;
    uint32_t rows;
} arb_row_block;

/* A partition's rows, in the order in which they were written. */
typedef struct arb_row_stream {
    ARB_VEC(arb_row_block) blocks;
    uint64_t rows, bytes; /* bytes: about what they take in a row store */
} arb_row_stream;

typedef struct arb_row_spill {
    const arb_row_layout *layout; /* borrowed */
    arb_spill_file *file;         /* borrowed */
    unsigned level;
    pthread_mutex_t lock;                    /* guards the streams and has_null while there are writers */
    arb_row_stream streams[ARB_SPILL_PARTS]; /* sorts and the like use [0] alone */
    bool *has_null;                          /* one a column, as in the store */
} arb_row_spill;

/* The caller owns *out_spill. Layout and file must outlive it. */
ARB_NODISCARD arb_code arb_row_spill_create(const arb_row_layout *layout, arb_spill_file *file, unsigned level,
                                            arb_row_spill **out_spill, arb_error *error);
void arb_row_spill_destroy(arb_row_spill *spill); /* NULL is a no-op */

/* Append the rows to partition `part`. `has_null` is that of their store. */
ARB_NODISCARD arb_code arb_row_spill_write(arb_row_spill *spill, uint32_t part, char *const *rows, size_t count,
                                           const bool *has_null, arb_error *error);
/* Append all rows of the store to the partitions that their hashes choose, and clear the store. */
ARB_NODISCARD arb_code arb_row_spill_store(arb_row_spill *spill, arb_row_store *store, arb_error *error);
/* Append a block's rows to the store; out_rows (NULL: not wanted) has room for block->rows pointers. */
ARB_NODISCARD arb_code arb_row_spill_read(const arb_row_spill *spill, const arb_row_block *block, arb_row_store *store,
                                          char **out_rows, arb_error *error);
uint64_t arb_row_spill_rows(const arb_row_spill *spill);

#endif
