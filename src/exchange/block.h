/* block.h: some rows of a partition, sealed: an Arrow record batch as IPC has it, with a checksum.
 *
 * Rows travel between stages at the plan's physical widths. Each physical type has one Arrow type, so that any Arrow client
 * can read a block, and reading one here copies nothing but the words that point to texts:
 *
 *     BOOL                bool                  FLOAT32, FLOAT64   float32, float64
 *     INT8 to INT64       int8 to int64         STRING             utf8; binary for all but VARCHAR
 *     INT128              decimal128(38, s)     INTERVAL           fixed_size_binary(16): months, days, microseconds
 *
 * What the numbers mean (a date, a decimal's scale) says the field's metadata "arbalest.type". Lists and structs are packed
 * before they come here. */
#ifndef ARB_EXCHANGE_BLOCK_H
#define ARB_EXCHANGE_BLOCK_H

#include "columnar/arrow_schema.h"
#include "expr/layout.h"

/* Immutable once it is sealed. */
typedef struct arb_block {
    uint32_t rows;
    uint32_t metadata_size; /* of the message's description, at the front of `data` */
    uint64_t body_at;       /* where in `data` the body begins: a multiple of 64 */
    uint64_t body_size;
    uint64_t checksum;
    uint8_t *data; /* aligned to 64; ARB_VECTOR_PADDING bytes behind the body may be read */
} arb_block;

/* Whose block it is: a block that got into the wrong place does not pass for another. Jobs and attempts have a term and a
 * number in it, which together never come again in a cluster. */
typedef struct arb_block_origin {
    uint64_t job_term, job, attempt_term, attempt;
    uint32_t stage, task, partition;
} arb_block_origin;

/* Memory for a block whose sizes of description and body are set, to be filled; what lies between and behind them is zero. */
ARB_NODISCARD arb_code arb_block_room(arb_block *block, arb_error *error);
void arb_block_reset(arb_block *block); /* a zeroed one is a no-op */
/* Bytes that it takes. */
ARB_INLINE uint64_t arb_block_bytes(const arb_block *block)
{
    return block->body_at + block->body_size;
}
/* XXH3 of the description, the body and the origin. */
uint64_t arb_block_checksum(const arb_block *block, const arb_block_origin *origin);
/* The schema that blocks of such rows have. One reference goes to the caller. */
ARB_NODISCARD arb_code arb_block_schema(const arb_layout *layout, arb_arrow_schema **out_schema, arb_error *error);

#endif
