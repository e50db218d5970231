/* plan_store.h: plans of stages, as bytes, while jobs need them.
 *
 * The scheduler knows plans by their hashes alone. Here they are, for those who send them to executors. A job that is
 * recorded outlives its scheduler, so its plans go to the folder of blobs first, if there is one, and are deleted when
 * the last job that names them has ended. Thread: any. */
#ifndef ARB_SCHEDULER_PROCESS_PLAN_STORE_H
#define ARB_SCHEDULER_PROCESS_PLAN_STORE_H

#include "base/vec.h"
#include "exchange_flight/plan_hash.h"
#include "scheduler/control.h"
#include "state_disk/blob_folder.h"

typedef struct arb_plan_store arb_plan_store;
typedef struct arb_plan_set arb_plan_set; /* the plans of one job */

/* A plan. Whoever has one has a count of it. */
typedef struct arb_stored_plan {
    arb_str bytes;
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    ARB_VEC(uint64_t) sent_to; /* streams, by number; of the thread that sends */
} arb_stored_plan;

/* `folder` is borrowed, holds plans alone, and may be NULL: then plans end with the process. */
ARB_NODISCARD arb_code arb_plan_store_create(arb_blob_folder *folder, arb_plan_store **out_store, arb_error *error);
/* No plan may be in use; sets that belong to jobs go, their blobs stay. NULL is a no-op. */
void arb_plan_store_destroy(arb_plan_store *store);

/* Copies plans, if they are not there already. `lasting`: they are on the disk when this returns; waits for it.
 * ARB_LIMIT_EXCEEDED; what the disk says. */
ARB_NODISCARD arb_code arb_plan_store_take(arb_plan_store *store, const arb_str *plans, size_t count, bool lasting,
                                           arb_plan_set **out_set, arb_error *error);
/* The plans of a job of an earlier scheduler, from the folder. ARB_CORRUPT_DATA or ARB_FILE_NOT_FOUND when one is lost.
 * Waits for the disk. */
ARB_NODISCARD arb_code arb_plan_store_load(arb_plan_store *store, const arb_str *hashes, size_t count,
                                           arb_plan_set **out_set, arb_error *error);
/* Delete every blob that no set here names. Before others take plans. */
ARB_NODISCARD arb_code arb_plan_store_sweep(arb_plan_store *store, arb_error *error);
/* Is a plan of that hash in the set? */
bool arb_plan_set_has(const arb_plan_set *set, arb_str hash);
/* The set is the job's from now on, until the job ends. Cannot fail. */
void arb_plan_store_bind(arb_plan_store *store, arb_plan_set *set, arb_id job);
void arb_plan_store_end(arb_plan_store *store, arb_id job);         /* none is bound to it: a no-op */
void arb_plan_store_drop(arb_plan_store *store, arb_plan_set *set); /* one that was not bound; NULL is a no-op */

/* The plan, with a count for the caller; NULL: it is not here. */
arb_stored_plan *arb_plan_store_get(arb_plan_store *store, arb_str hash);
void arb_plan_store_give_back(arb_plan_store *store, arb_stored_plan *plan); /* NULL is a no-op */
/* Another scheduler has the folder now: nothing is deleted any more. */
void arb_plan_store_retire(arb_plan_store *store);
/* Plans that are here, for tests and metrics. */
size_t arb_plan_store_count(arb_plan_store *store);

#endif
