/* segment_fetch.h: asks a scheduler for the bytes of a segment, and waits for them. */
#ifndef ARB_EXECUTOR_SEGMENT_FETCH_H
#define ARB_EXECUTOR_SEGMENT_FETCH_H

#include "base/stop.h"
#include "catalog/segment.h"
#include "rpc/rpc_channel.h"

typedef struct arb_segment_fetch_options {
    arb_rpc_channel *scheduler;
    arb_str join_token;
    int64_t patience_ns;        /* how long nothing may come, over all tries */
    arb_stop_flag *const *stop; /* ARB_CANCELLED soon after one of them is set; NULLs among them count as not set */
    size_t stop_count;
} arb_segment_fetch_options;

/* The bytes, which have the hash, and as many as the name says. A connection that breaks is made again, until patience ends.
 * ARB_CORRUPT_DATA: others came; ARB_UNDEFINED_TABLE: the scheduler has none; ARB_CONNECTION_FAILED. Not on a thread that must
 * not wait. */
ARB_NODISCARD arb_code arb_segment_fetch(const arb_segment_fetch_options *options, const arb_segment_name *name,
                                         arb_text *out, arb_error *error);

#endif
