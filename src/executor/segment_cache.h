/* segment_cache.h: segments of tables that this executor has, by name: each is asked of the scheduler once, for all tasks that
 * need it, and stays for later ones as far as the limit lets it.
 *
 * A chunk is charged to the account as long as it is there. When memory is short, all that nobody reads goes. Thread: any. */
#ifndef ARB_EXECUTOR_SEGMENT_CACHE_H
#define ARB_EXECUTOR_SEGMENT_CACHE_H

#include "catalog/segment.h"
#include "rpc/rpc_channel.h"

typedef struct arb_segment_cache arb_segment_cache;

/* All is borrowed but for the token, which is copied. */
typedef struct arb_segment_cache_options {
    arb_rpc_channel *scheduler; /* to where executors register */
    arb_str join_token;
    arb_memory *account; /* outlives the chunks */
    uint64_t limit;      /* bytes of chunks, beyond which those go that nobody reads */
    int64_t patience_ns; /* how long a scheduler may send nothing; 0: 10 s */
} arb_segment_cache_options;

ARB_NODISCARD arb_code arb_segment_cache_create(const arb_segment_cache_options *options, arb_segment_cache **out_cache,
                                                arb_error *error);
/* Whoever waits, or comes yet, gets ARB_CANCELLED: before the executor stops, which waits for them. */
void arb_segment_cache_stop(arb_segment_cache *cache);
/* Stops it and waits for those that are looking for a segment; later ones get ARB_CANCELLED. The channel and the account are not
 * used any more then, but for chunks that somebody has. NULL is a no-op. */
void arb_segment_cache_destroy(arb_segment_cache *cache);
/* For arb_table_finder; tables are found without their rows. */
arb_segment_finder arb_segment_cache_finder(arb_segment_cache *cache);

typedef struct arb_segment_cache_totals {
    size_t segments;
    uint64_t bytes;   /* that they hold */
    uint64_t fetched; /* how often one was asked for */
} arb_segment_cache_totals;
arb_segment_cache_totals arb_segment_cache_look(arb_segment_cache *cache);

#endif
