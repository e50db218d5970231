/* key_columns.h: the key columns of a batch, hashed and made flat; one object a driver.
 *
 * A dictionary's entries are hashed once, and rows then look their hash up by code. Equal keys have equal hashes whatever
 * the encodings; NULLs of a column all hash alike. */
#ifndef ARB_EXECUTION_OPERATORS_KEY_COLUMNS_H
#define ARB_EXECUTION_OPERATORS_KEY_COLUMNS_H

#include "columnar/vector.h"

typedef struct arb_key_columns {
    size_t count;
    const uint32_t *positions; /* in the batch; borrowed */
    arb_vector *flat;          /* one a key: FLAT; valid after arb_key_columns_flatten until the next load */
    uint64_t *hashes;          /* one a row; valid after arb_key_columns_hash */
    const arb_batch *batch;
    struct arb_key_memory *memory;
} arb_key_columns;

/* Caller's memory; reset on a zeroed one is a no-op. */
ARB_NODISCARD arb_code arb_key_columns_init(arb_key_columns *keys, const uint32_t *positions, size_t count,
                                            arb_error *error);
void arb_key_columns_reset(arb_key_columns *keys);

/* Borrow a batch until the next load. */
ARB_INLINE void arb_key_columns_load(arb_key_columns *keys, const arb_batch *batch)
{
    keys->batch = batch;
}
ARB_INLINE const arb_vector *arb_key_column(const arb_key_columns *keys, size_t at)
{
    return &keys->batch->columns[keys->positions[at]];
}
/* Hash all rows of the batch; without keys all hashes are 0. */
ARB_NODISCARD arb_code arb_key_columns_hash(arb_key_columns *keys, arb_error *error);
/* Fill `flat`. */
ARB_NODISCARD arb_code arb_key_columns_flatten(arb_key_columns *keys, arb_error *error);
/* The row numbers of the selected rows whose keys are all valid, but for those that may be NULL (by key; NULL: none may);
 * the others go to `out_null` (NULL: nowhere). */
size_t arb_key_columns_valid(const arb_key_columns *keys, const bool *may_be_null, uint16_t *rows, size_t count,
                             uint16_t *out_null, size_t *out_null_count);

/* The hash of one column's rows alone, as arb_key_columns_hash gives it for a single key. FLAT without regard to NULLs. */
void arb_hash_flat(const arb_vector *vector, size_t rows, uint64_t *hashes);

/* The numbers of a batch's selected rows; `out_rows` has room for ARB_VECTOR_ROWS + 64. */
size_t arb_batch_rows_selected(const arb_batch *batch, uint16_t *out_rows);

#endif
