/* catalog_keeping.h: a catalog that outlives its process.
 *
 * Records lie in the state store, rows of tables in memory as segments on a shelf, the folder of blobs:
 *
 *     catalog/schemas         the names of the schemas
 *     catalog/entry/NUMBER    a table or a view (catalog_record.h); NUMBER is 16 hexadecimal digits, larger than all that are there
 *
 * A change of the catalog is one transaction under the scheduler's term: segments that are new go to the disk first, then the
 * records are written, then others see the change. So whoever finds a record finds its segments; a change that fails, or whose
 * scheduler was replaced meanwhile (ARB_CONFLICT), is as if it had not been. Segments that no record names are deleted behind each
 * change, also one that failed, within transactions under the term (arb_store_act_wait): who was replaced deletes nothing, since
 * the newer scheduler may name the same. What a process leaves that is killed goes likewise at the next start.
 *
 * After a crash of the system a transaction that failed may turn out to be there (sqlite_store.h), so until a later one has been
 * committed nothing is deleted.
 *
 * Not kept are a session's temporary tables, and what comes from folders of data that are given anew at each start. */
#ifndef ARB_CATALOG_CATALOG_KEEPING_H
#define ARB_CATALOG_CATALOG_KEEPING_H

#include "catalog/catalog.h"
#include "catalog/segment.h"
#include "state/store.h"

/* Where segments lie. Thread: any, one at a time. */
typedef struct arb_segment_shelf {
    void *context;
    /* The chunk is on the disk under its name when this returns, and one more record names it. */
    arb_code (*keep)(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error);
    /* At the start: one more record names it, and it was found, or may be lost. */
    arb_code (*hold)(void *context, const arb_segment_name *name, bool found, arb_error *error);
    void (*release)(void *context, const arb_segment_name *name); /* one record less */
    /* At the start: the chunk, as arb_segment_finder says. ARB_RESOURCES_EXHAUSTED: the budget has no room for it. */
    arb_code (*find)(void *context, const arb_segment_wanted *wanted, arb_stop_flag *stop, arb_memory_chunk **out_chunk,
                     arb_error *error);
    bool (*has_unneeded)(void *context); /* some that no record names any more */
    void (*collect)(void *context);      /* delete them, or the first of many; quick, by any thread */
    /* At the start: whatever else is on the disk is not needed. */
    arb_code (*look)(void *context, arb_error *error);
} arb_segment_shelf;

/* Take over what the store has and keep all that changes from now on. Before sessions use the catalog, after folders of data
 * were added, whose tables give way to kept ones of the same names. Store and shelf outlive the catalog; the caller has the
 * term. A table whose rows are lost, or too many for the budget, is there and
 * says so when it is used; what its record names stays on the disk until it is dropped. */
ARB_NODISCARD arb_code arb_catalog_keep(arb_catalog *catalog, arb_store *store, uint64_t term,
                                        const arb_segment_shelf *shelf, arb_error *error);

#endif
