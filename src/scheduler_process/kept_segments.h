/* kept_segments.h: the segments that a catalog's records name, as blobs in a folder: the shelf of a catalog that outlives its
 * process (catalog/catalog_keeping.h).
 *
 * Only records count here, not who reads: chunks that are in memory can be had from there (segment_store.h). So a blob that no
 * record names is deleted though its rows are still read, and put again when a record names them anew. */
#ifndef ARB_SCHEDULER_PROCESS_KEPT_SEGMENTS_H
#define ARB_SCHEDULER_PROCESS_KEPT_SEGMENTS_H

#include "catalog/catalog_keeping.h"
#include "scheduler_process/segment_store.h"
#include "state_disk/blob_folder.h"

typedef struct arb_kept_segments arb_kept_segments;

/* The store names chunks, the folder is for segments alone, `account` pays for chunks that come from it. All are borrowed. */
ARB_NODISCARD arb_code arb_kept_segments_create(arb_segment_store *store, arb_blob_folder *folder, arb_memory *account,
                                                arb_kept_segments **out_kept, arb_error *error);
/* The catalog is gone. NULL is a no-op. */
void arb_kept_segments_destroy(arb_kept_segments *kept);
/* For arb_catalog_keep, once. */
arb_segment_shelf arb_kept_segments_shelf(arb_kept_segments *kept);

#endif
