/* output_feed.h: the blocks that a task reads, wherever their outputs are.
 *
 * A part of the feed is what one attempt left in one partition, in an output of this process or of another, which a fetch
 * reads. Fetches are shared by the feed's parts, whose units stand in the order of the parts. */
#ifndef ARB_EXCHANGE_FLIGHT_OUTPUT_FEED_H
#define ARB_EXCHANGE_FLIGHT_OUTPUT_FEED_H

#include "exchange_flight/output_fetch.h"

typedef struct arb_feed_part {
    arb_attempt_output *output; /* here: read by reference. NULL: by the fetch */
    uint32_t partition;         /* of `output` */
    arb_output_fetch *fetch;
    size_t unit; /* of `fetch` */
} arb_feed_part;

/* The array is copied, outputs are counted; fetches are borrowed. *failed, which outlives the feed and begins as SIZE_MAX, becomes
 * the first part whose block could not be had. */
ARB_NODISCARD arb_code arb_output_feed_create(const arb_feed_part *parts, size_t part_count, _Atomic size_t *failed,
                                              arb_block_feed **out_feed, arb_error *error);

#endif
