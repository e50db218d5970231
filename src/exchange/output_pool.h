/* output_pool.h: what the outputs of one process have in common: the account that they are charged to, and the files that their
 * blocks move to.
 *
 * Blocks are charged as long as they are in memory, whoever has them: an output, or a reader that has received a block or had it
 * read from a file. They are counted, never denied, since a producer must get rid of its rows; who adds some looks whether memory
 * is short by now, and moves older ones to a file. Thousands of small outputs share a file, so that none of them costs a
 * descriptor; it goes with the last block that lies in it, and the space of others goes back to the file system when they do.
 *
 * Thread: any, but for init and reset. */
#ifndef ARB_EXCHANGE_OUTPUT_POOL_H
#define ARB_EXCHANGE_OUTPUT_POOL_H

#include <pthread.h>

#include "io/spill_file.h"
#include "runtime/memory.h"

typedef struct arb_pool_file arb_pool_file; /* counted */

typedef struct arb_output_pool {
    const char *spill_folder; /* borrowed; NULL: there is none, and what should move there is ARB_OUT_OF_MEMORY */
    _Atomic uint64_t held;    /* bytes of the outputs' blocks in memory */
    pthread_mutex_t lock;     /* of the rest */
    arb_reservation charged;  /* those, what readers have, and what describes outputs */
    arb_pool_file *file;      /* that is written to, while somebody has it; NULL: none */
} arb_output_pool;

/* `memory` outlives the pool; NULL: nothing is charged. */
void arb_output_pool_init(arb_output_pool *pool, arb_memory *memory, const char *spill_folder);
/* All outputs and loans are gone. A zeroed pool is a no-op. */
void arb_output_pool_reset(arb_output_pool *pool);

void arb_output_pool_charge(arb_output_pool *pool, uint64_t bytes);
void arb_output_pool_give_back(arb_output_pool *pool, uint64_t bytes);
/* Should what is here go to files, and as little as possible come? */
bool arb_output_pool_is_short(const arb_output_pool *pool);
/* Must it, though there may be no file for it? */
bool arb_output_pool_is_spent(const arb_output_pool *pool);

/* The file to write to, with a count for the caller. */
ARB_NODISCARD arb_code arb_output_pool_file(arb_output_pool *pool, arb_pool_file **out_file, arb_error *error);
arb_spill_file *arb_pool_file_spill(arb_pool_file *file);
/* The count goes, and what the caller has written there. NULL is a no-op. */
void arb_pool_file_drop(arb_pool_file *file, const arb_spill_block *pieces, size_t count);

#endif
