/* descriptor_pool.h: how many files have a descriptor at once, when many more are open.
 *
 * A table of 50,000 files is open as long as somebody uses it, and a process may have some thousand descriptors. So who opens
 * a file to read it keeps its descriptor in a place that a pool knows. Once there are more than the pool may have, one that
 * nobody reads from is closed, one that was not used for long if it can be. Its owner finds the place empty at the next read,
 * opens the file again and puts the new descriptor there.
 *
 *      state of a place   descriptor + 1, or 0 : 32 bits | how many read : 32 bits
 *
 * A read adds one to the readers and looks what was there: a single atomic operation on the place itself, no lock. The pool
 * takes a descriptor by comparing and exchanging the state while nobody reads. Only who puts a descriptor into an empty place,
 * or closes one, takes the pool's lock. Places that hold one form a ring with a hand: what was read since the hand last
 * passed stays ("clock").
 *
 * Nobody ever waits for a descriptor: with all of them being read from, there is one more than the pool may have. */
#ifndef ARB_IO_DESCRIPTOR_POOL_H
#define ARB_IO_DESCRIPTOR_POOL_H

#include <stdatomic.h>

#include "base/error.h"

typedef struct arb_descriptor_pool arb_descriptor_pool;

/* The place of a descriptor, in what owns it. All is for descriptor_pool.c alone. */
typedef struct arb_pooled_descriptor {
    _Atomic uint64_t state;
    _Atomic bool used;                             /* since the hand last passed */
    arb_descriptor_pool *pool;                     /* NULL: keeps its descriptor; likewise, under the pool's lock: */
    struct arb_pooled_descriptor *before, *behind; /* in the ring; NULL: not there */
} arb_pooled_descriptor;

/* `most` descriptors, at least 1. */
ARB_NODISCARD arb_code arb_descriptor_pool_create(size_t most, arb_descriptor_pool **out_pool, arb_error *error);
/* All places are closed. NULL is a no-op. */
void arb_descriptor_pool_destroy(arb_descriptor_pool *pool);
/* What suits this process: a half of the files that it may have open, and no more than some thousands. */
size_t arb_descriptor_pool_default(void);
/* For tests: how many descriptors there are now. */
size_t arb_descriptor_pool_count(arb_descriptor_pool *pool);

/* A place with an open descriptor, which it owns from now on; in no pool. */
void arb_pooled_descriptor_init(arb_pooled_descriptor *place, int descriptor);
/* From now on the pool, which outlives the place, may take the descriptor. Before others have the place. */
void arb_descriptor_pool_add(arb_descriptor_pool *pool, arb_pooled_descriptor *place);
/* The last one: nobody reads. */
void arb_pooled_descriptor_close(arb_pooled_descriptor *place);

/* Any thread, and as many as like: the descriptor, which stays open until arb_pooled_descriptor_end, or -1 where the pool took
 * it. Then the caller may open the file again and put it there; it calls end in each case. */
ARB_NODISCARD int arb_pooled_descriptor_begin(arb_pooled_descriptor *place);
void arb_pooled_descriptor_end(arb_pooled_descriptor *place);
/* Between begin, which found none, and end. Takes the descriptor over and returns the one to read from: another one where
 * somebody else was faster. */
ARB_NODISCARD int arb_pooled_descriptor_put(arb_pooled_descriptor *place, int descriptor);

#endif
