/* segment_store.h: which segments executors can have from here: chunks of the tables of this process, by name.
 *
 * The store holds no table. A chunk is named when a plan that reads it is made for executors, and can be had under that name
 * for as long as somebody has it: the catalog, or a session whose query reads the table. So rows stay exactly as long as they
 * would without a cluster, and whoever runs a query on executors keeps its tables until the query is over. A segment that is
 * asked for later is not there any more.
 *
 * Bytes are made anew each time: executors ask once. Thread: any. */
#ifndef ARB_SCHEDULER_PROCESS_SEGMENT_STORE_H
#define ARB_SCHEDULER_PROCESS_SEGMENT_STORE_H

#include "catalog/segment.h"

typedef struct arb_segment_store arb_segment_store;

ARB_NODISCARD arb_code arb_segment_store_create(arb_segment_store **out_store, arb_error *error);
/* Nobody lets go of a chunk meanwhile; those that are still there can no longer be had. NULL is a no-op. */
void arb_segment_store_destroy(arb_segment_store *store);
/* For arb_table_encode. A chunk has one store in its life: ARB_INTERNAL for one of another. */
arb_segment_namer arb_segment_store_namer(arb_segment_store *store);
/* The chunk's name, which it has from now on. Bytes that had to be made for that are left in `bytes`. */
ARB_NODISCARD arb_code arb_segment_store_name(arb_segment_store *store, arb_memory_chunk *chunk, arb_text *bytes,
                                              arb_segment_name *out_name, arb_error *error);
/* A chunk that was made of bytes of that name, and has none yet. */
ARB_NODISCARD arb_code arb_segment_store_add(arb_segment_store *store, arb_memory_chunk *chunk,
                                             const arb_segment_name *name, arb_error *error);
/* The chunk of that hash, with a reference for the caller; NULL: it is not there. */
arb_memory_chunk *arb_segment_store_find(arb_segment_store *store, arb_str hash);
/* Append the bytes of the segment with that hash. ARB_UNDEFINED_TABLE: it is not there. */
ARB_NODISCARD arb_code arb_segment_store_read(arb_segment_store *store, arb_str hash, arb_text *out, arb_error *error);
/* How many chunks have a name, for tests and metrics. */
size_t arb_segment_store_count(arb_segment_store *store);

#endif
