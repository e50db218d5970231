/* attempt_output.h: what an attempt of a task leaves: blocks, by partition, in memory or in a file.
 *
 * Drivers add blocks while the attempt runs, each with its place in the order of the rows. Once the attempt has ended well
 * the blocks are brought into that order; from then on the output is immutable but for where its blocks are, and may be
 * read by any number of threads. At any time all blocks in memory may be moved to the file, which has no name and is
 * gone with the output. Counted: who reads holds a count, so that an output may be dropped while it is read. */
#ifndef ARB_EXCHANGE_ATTEMPT_OUTPUT_H
#define ARB_EXCHANGE_ATTEMPT_OUTPUT_H

#include "exchange/block.h"
#include "exchange/output_pool.h"

/* Where a block's rows come in the order of a task's rows. */
typedef struct arb_block_place {
    uint32_t feeder;   /* of the pipelines that give the task's rows */
    uint64_t sequence; /* of the block's first batch */
} arb_block_place;

typedef struct arb_partition_size {
    uint64_t rows, bytes;
    size_t blocks;
} arb_partition_size;

typedef struct arb_attempt_output arb_attempt_output;

/* `origin` is the attempt's; its partition is not looked at. The pool outlives the output and its loans. One count for the
 * caller. */
ARB_NODISCARD arb_code arb_attempt_output_create(const arb_block_origin *origin, uint32_t partition_count,
                                                 arb_output_pool *pool, arb_attempt_output **out_output,
                                                 arb_error *error);
arb_attempt_output *arb_attempt_output_ref(arb_attempt_output *output);
void arb_attempt_output_unref(arb_attempt_output *output); /* NULL is a no-op */

/* What rows it has: takes a count of the schema, which blocks of such rows have. Once, before it is finished. */
void arb_attempt_output_describe(arb_attempt_output *output, const arb_arrow_schema *schema);
/* From now on each block goes to the file at once. Before the first one. */
void arb_attempt_output_write_through(arb_attempt_output *output);
/* Takes the block, also on failure. Any thread. */
ARB_NODISCARD arb_code arb_attempt_output_add(arb_attempt_output *output, uint32_t partition, arb_block *block,
                                              arb_block_place place, arb_error *error);
/* All blocks are there: bring them into order. Once, before anybody reads. */
void arb_attempt_output_finish(arb_attempt_output *output);
/* Move all blocks to the file; *out_freed are the bytes that memory has back, also of a failure half way. Any thread; readers
 * go on. ARB_OUT_OF_MEMORY without a folder, ARB_DISK_FULL. */
ARB_NODISCARD arb_code arb_attempt_output_spill(arb_attempt_output *output, uint64_t *out_freed, arb_error *error);

const arb_block_origin *arb_attempt_output_origin(const arb_attempt_output *output);
uint32_t arb_attempt_output_partitions(const arb_attempt_output *output);
/* NULL when nobody has described it. */
const arb_arrow_schema *arb_attempt_output_schema(const arb_attempt_output *output);
/* Any thread; exact once the output is finished. */
arb_partition_size arb_attempt_output_size(arb_attempt_output *output, uint32_t partition);
arb_partition_size arb_attempt_output_total(arb_attempt_output *output);
/* Bytes of blocks that are in memory. */
uint64_t arb_attempt_output_held(const arb_attempt_output *output);

/* One of a finished output's blocks, to be looked at. */
typedef struct arb_block_loan {
    arb_block block;
    arb_attempt_output *lender; /* a count, while its memory is referred to; NULL: the block is the borrower's own */
    uint32_t partition;
    size_t at;
    arb_output_pool *pool; /* of a borrower's own: it is charged there; NULL: nowhere */
} arb_block_loan;

/* The block is checked against its checksum when it comes from the file. ARB_CORRUPT_DATA. Any thread. */
ARB_NODISCARD arb_code arb_attempt_output_borrow(arb_attempt_output *output, uint32_t partition, size_t at,
                                                 arb_block_loan *out_loan, arb_error *error);
void arb_block_loan_return(arb_block_loan *loan); /* a zeroed one is a no-op */

#endif
