/* output_store.h: the outputs that a process holds for others to read, and how much memory they may take.
 *
 * An output is begun when its attempt starts and kept when that has ended well; from then on it can be found and read, until
 * it is dropped. While it is begun it belongs to its attempt alone. Memory comes first: beyond the limit, and when memory is short
 * for others, the oldest outputs move to files, kept ones before those in the making, so that whoever adds a block need never wait
 * for a reader. Readers have counts of their own: what is dropped while it is read is gone when the last of them is done.
 *
 * Thread: any. */
#ifndef ARB_EXCHANGE_OUTPUT_STORE_H
#define ARB_EXCHANGE_OUTPUT_STORE_H

#include "exchange/attempt_output.h"

typedef struct arb_output_store arb_output_store;

typedef struct arb_output_store_totals {
    size_t outputs;       /* begun and kept */
    uint64_t bytes, held; /* of their blocks; of those in memory */
} arb_output_store_totals;

/* `memory_most`: bytes of blocks that stay in memory; 0: none does longer than it takes to write. `memory` (NULL: none), which
 * outlives the store, is charged for them. `spill_folder` (borrowed) may be NULL: then blocks beyond the limit, or
 * when no memory is left, are ARB_OUT_OF_MEMORY. */
ARB_NODISCARD arb_code arb_output_store_create(uint64_t memory_most, arb_memory *memory, const char *spill_folder,
                                               arb_output_store **out_store, arb_error *error);
/* Where blocks that come from elsewhere are charged; lives as long as the store. */
arb_output_pool *arb_output_store_pool(arb_output_store *store);
/* Drops all; nobody else may have a count of an output any more. NULL is a no-op. */
void arb_output_store_destroy(arb_output_store *store);

/* A new output of the attempt that `origin` names, with a count for the caller. ARB_INTERNAL when there is one already. */
ARB_NODISCARD arb_code arb_output_store_begin(arb_output_store *store, const arb_block_origin *origin,
                                              uint32_t partition_count, arb_attempt_output **out_output,
                                              arb_error *error);
/* As arb_attempt_output_add, with the limit kept. */
ARB_NODISCARD arb_code arb_output_store_add(arb_output_store *store, arb_attempt_output *output, uint32_t partition,
                                            arb_block *block, arb_block_place place, arb_error *error);
/* The attempt has ended well: its output can be read from now on. */
void arb_output_store_keep(arb_output_store *store, arb_attempt_output *output);
/* A count of the kept output of job and attempt, if it is of that stage and task, or NULL. */
arb_attempt_output *arb_output_store_find(arb_output_store *store, const arb_block_origin *origin);

/* The output of an attempt, kept or begun (then the attempt is over); none: no effect. */
void arb_output_store_drop(arb_output_store *store, const arb_block_origin *origin);
/* All kept outputs of a stage, or of all stages, of a job. */
enum { ARB_STORE_EVERY_STAGE = 0xFFFFFFFF };
void arb_output_store_drop_stage(arb_output_store *store, uint64_t job_term, uint64_t job, uint32_t stage);
arb_output_store_totals arb_output_store_look(arb_output_store *store);

#endif
