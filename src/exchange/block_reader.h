/* block_reader.h: a block's rows as batches, which refer to the block's memory. */
#ifndef ARB_EXCHANGE_BLOCK_READER_H
#define ARB_EXCHANGE_BLOCK_READER_H

#include "exchange/block.h"

typedef struct arb_block_reader arb_block_reader;

/* Reads blocks whose columns have these physical types and gives the columns named, in that order. The arrays are
 * borrowed. */
ARB_NODISCARD arb_code arb_block_reader_create(const uint8_t *produced, size_t produced_count, const uint32_t *columns,
                                               size_t column_count, uint32_t batch_rows, arb_block_reader **out_reader,
                                               arb_error *error);
void arb_block_reader_destroy(arb_block_reader *reader); /* NULL is a no-op */
/* The block is borrowed until the next begin. Everything in it is checked but that texts are UTF-8: who made it knows.
 * ARB_CORRUPT_DATA. */
ARB_NODISCARD arb_code arb_block_reader_begin(arb_block_reader *reader, const arb_block *block, arb_error *error);
/* The next rows, lent until the next call, all selected and FLAT; NULL at the block's end. */
const arb_batch *arb_block_reader_next(arb_block_reader *reader);

#endif
