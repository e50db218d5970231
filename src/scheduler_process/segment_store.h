/* segment_store.h: which segments executors can have from here: chunks of the tables of this process, by name.
 *
 * The store holds no table. A chunk is named when a plan that reads it is made for executors, and can be had under that name
 * for as long as somebody has it: the catalog, or a session whose query reads the table. So rows stay exactly as long as they
 * would without a cluster, and whoever runs a query on executors keeps its tables until the query is over. A segment that is
 * asked for later is not there any more.
 *
 * Bytes are made anew each time: executors ask once.
 *
 * With a folder of blobs the store is also the shelf of a catalog that outlives the process (catalog/catalog_keeping.h): chunks
 * that its records name lie there, too, under the same names. A blob is deleted when no record of this process names it and its
 * chunk is gone, which is looked for at each change of the catalog. Thread: any. */
#ifndef ARB_SCHEDULER_PROCESS_SEGMENT_STORE_H
#define ARB_SCHEDULER_PROCESS_SEGMENT_STORE_H

#include "catalog/catalog_keeping.h"
#include "state_disk/blob_folder.h"

typedef struct arb_segment_store arb_segment_store;

ARB_NODISCARD arb_code arb_segment_store_create(arb_segment_store **out_store, arb_error *error);
/* Nobody lets go of a chunk meanwhile; those that are still there can no longer be had. NULL is a no-op. */
void arb_segment_store_destroy(arb_segment_store *store);
/* For arb_table_encode. A chunk has one store in its life: ARB_INTERNAL for one of another. */
arb_segment_namer arb_segment_store_namer(arb_segment_store *store);
/* For arb_catalog_keep; once, before a chunk is named. The folder is for segments alone, `account` pays for chunks that come from
 * it. Both outlive the store. */
arb_segment_shelf arb_segment_store_shelf(arb_segment_store *store, arb_blob_folder *folder, arb_memory *account);
/* Append the bytes of the segment with that hash. ARB_UNDEFINED_TABLE: it is not there. */
ARB_NODISCARD arb_code arb_segment_store_read(arb_segment_store *store, arb_str hash, arb_text *out, arb_error *error);
/* How many chunks have a name, for tests and metrics. */
size_t arb_segment_store_count(arb_segment_store *store);

#endif
