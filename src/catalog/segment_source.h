/* segment_source.h: a segment that is asked for when it is read.
 *
 * Readers wait for files' bytes by noting reads of a byte source (io/read_queue.h). To them this is a source, of a single byte:
 * when that has been read, the segment's chunk is here. So who computes never waits for a network, and a query that ends waits
 * for nothing.
 *
 *     want ─▶ (try, or a read that is carried out elsewhere) ─▶ take ─▶ leave
 *
 * The chunk stays in the source while somebody wants it, no longer: who has it in the meantime is the finder. Thread: any. */
#ifndef ARB_CATALOG_SEGMENT_SOURCE_H
#define ARB_CATALOG_SEGMENT_SOURCE_H

#include "catalog/segment.h"
#include "io/byte_source.h"

typedef struct arb_segment_source arb_segment_source;

/* `wanted` is copied; the finder, which can peek, is held. */
ARB_NODISCARD arb_code arb_segment_source_create(const arb_segment_finder *finder, const arb_segment_wanted *wanted,
                                                 arb_segment_source **out_source, arb_error *error);
void arb_segment_source_destroy(arb_segment_source *source); /* reads may go on; NULL is a no-op */
const arb_segment_wanted *arb_segment_source_wanted(const arb_segment_source *source);
/* Lives as long as the source. */
const arb_byte_source *arb_segment_source_bytes(const arb_segment_source *source);

/* Once for each who waits for the chunk. */
void arb_segment_source_want(arb_segment_source *source);
/* After a read: the chunk, a reference. */
arb_memory_chunk *arb_segment_source_take(arb_segment_source *source);
/* The other half of `want`. A read for it that still runs ends soon, if nobody else wants it. */
void arb_segment_source_leave(arb_segment_source *source);

#endif
