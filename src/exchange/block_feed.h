/* block_feed.h: where the source of an EXCHANGE gets its blocks.
 *
 * A feed has parts, in the order of the rows; each is some blocks, which one driver reads one after the other. Parts are begun
 * in their order, so a feed may rely on it that whoever waits for a part will be given it once those before have been read. */
#ifndef ARB_EXCHANGE_BLOCK_FEED_H
#define ARB_EXCHANGE_BLOCK_FEED_H

#include "exchange/attempt_output.h"
#include "runtime/cpu_pool.h"

typedef enum arb_fed {
    ARB_FED_BLOCK,
    ARB_FED_END,  /* the part has no more */
    ARB_FED_WAIT, /* the task will be woken */
} arb_fed;

typedef struct arb_block_feed arb_block_feed;

typedef struct arb_block_feed_vtable {
    /* Block `at` of the part, the one behind the last that was taken; `out_loan` is the caller's to return. Several drivers at
     * once, each for a part of its own. */
    arb_code (*take)(arb_block_feed *feed, size_t part, size_t at, arb_task *task, arb_fed *out_what,
                     arb_block_loan *out_loan, arb_error *error);
    void (*stop)(arb_block_feed *feed); /* the query has ended early: nobody waits any more. May be NULL */
    void (*destroy)(arb_block_feed *feed);
} arb_block_feed_vtable;

struct arb_block_feed {
    const arb_block_feed_vtable *vtable;
    size_t parts;
};

/* A block of a finished output. */
typedef struct arb_block_ref {
    arb_attempt_output *output;
    uint32_t partition;
    size_t at;
} arb_block_ref;

/* Blocks that are here, each a part of its own. The array is copied and its outputs are counted. */
ARB_NODISCARD arb_code arb_block_feed_create(const arb_block_ref *blocks, size_t block_count, arb_block_feed **out_feed,
                                             arb_error *error);

#endif
