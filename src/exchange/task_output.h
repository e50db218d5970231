/* task_output.h: what an attempt of a task leaves: blocks, by partition.
 *
 * Drivers add blocks while the attempt runs, each with its place in the order of the rows. Once the attempt has ended well
 * the blocks are brought into that order; from then on the output is immutable and may be read by any number of threads. */
#ifndef ARB_EXCHANGE_TASK_OUTPUT_H
#define ARB_EXCHANGE_TASK_OUTPUT_H

#include <pthread.h>

#include "base/vec.h"
#include "exchange/block.h"

/* Where a block's rows come in the order of a task's rows. */
typedef struct arb_block_place {
    uint32_t feeder;   /* of the pipelines that give the task's rows */
    uint64_t sequence; /* of the block's first batch */
} arb_block_place;

typedef struct arb_placed_block {
    arb_block block;
    arb_block_place place;
    uint64_t arrival;
} arb_placed_block;

typedef struct arb_output_partition {
    ARB_VEC(arb_placed_block) blocks;
    uint64_t rows, bytes;
} arb_output_partition;

typedef struct arb_task_output {
    pthread_mutex_t lock; /* while the attempt runs */
    arb_block_origin origin;
    uint64_t arrivals;
    uint32_t partition_count;
    arb_output_partition *partitions;
} arb_task_output;

/* Caller's memory. `origin` is the attempt's; its partition is not looked at. */
ARB_NODISCARD arb_code arb_task_output_init(arb_task_output *output, const arb_block_origin *origin,
                                            uint32_t partition_count, arb_error *error);
void arb_task_output_reset(arb_task_output *output); /* a zeroed one is a no-op */
/* Takes the block, also on failure. Any thread. */
ARB_NODISCARD arb_code arb_task_output_add(arb_task_output *output, uint32_t partition, arb_block *block,
                                           arb_block_place place, arb_error *error);
/* All blocks are there: bring them into order. */
void arb_task_output_finish(arb_task_output *output);
uint64_t arb_task_output_rows(const arb_task_output *output);
uint64_t arb_task_output_bytes(const arb_task_output *output);

#endif
