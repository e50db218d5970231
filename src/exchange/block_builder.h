/* block_builder.h: rows of one partition, collected column by column until they are sealed as a block. */
#ifndef ARB_EXCHANGE_BLOCK_BUILDER_H
#define ARB_EXCHANGE_BLOCK_BUILDER_H

#include "columnar/arrow_buffer.h"
#include "exchange/block.h"

typedef struct arb_block_column {
    arb_physical physical;
    arb_arrow_growing values;   /* bits of a BOOL; bytes of texts */
    arb_arrow_growing offsets;  /* texts: int32, one more than rows */
    arb_arrow_growing validity; /* bits; only when some row is NULL */
} arb_block_column;

/* One thread at a time. */
typedef struct arb_block_builder {
    size_t column_count;
    arb_block_column *columns;
    uint32_t rows;
    uint64_t bytes;    /* of all rows so far, about */
    uint64_t capacity; /* bytes that the columns hold memory for */
} arb_block_builder;

/* Columns of the layout. On failure the builder is empty. */
ARB_NODISCARD arb_code arb_block_builder_init(arb_block_builder *builder, const arb_layout *layout, arb_error *error);
void arb_block_builder_reset(arb_block_builder *builder); /* a zeroed one is a no-op */
/* Add the rows named, of vectors that are not nested. *out_taken are those that went in: fewer than `count` when more would
 * not fit a block; then seal it. At least one goes into an empty builder. */
ARB_NODISCARD arb_code arb_block_builder_append(arb_block_builder *builder, const arb_vector *const *columns,
                                                const uint16_t *rows, size_t count, size_t *out_taken,
                                                arb_error *error);
/* The rows become a block, the builder is empty and keeps its memory. There must be rows. */
ARB_NODISCARD arb_code arb_block_builder_seal(arb_block_builder *builder, const arb_block_origin *origin,
                                              arb_block *out_block, arb_error *error);

#endif
