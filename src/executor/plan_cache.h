/* plan_cache.h: plans of stages as they came from the scheduler, by the hash of their bytes, each decoded once.
 *
 * A plan comes in chunks, before the first task that names it, and may come again. It is decoded when a task first asks: that
 * opens tables and may wait for a disk, so it is done on a thread that may. Plans that no task uses stay, the newest ones, as
 * far as the limit lets them; when memory is short only those that a task has used within the last second, since the stage's next
 * task would need it again; and none of them where a plan has no room otherwise. What has come for a task that is about to ask
 * does not count for a minute. All are charged to one account. Thread: any. */
#ifndef ARB_EXECUTOR_PLAN_CACHE_H
#define ARB_EXECUTOR_PLAN_CACHE_H

#include "exchange_flight/plan_hash.h"
#include "plan/plan_wire.h"

typedef struct arb_plan_cache arb_plan_cache;

/* A decoded plan that is in use. */
typedef struct arb_cached_plan {
    const arb_stage *stage;
} arb_cached_plan;

/* `tables` and `memory` (NULL: nothing is charged) are borrowed; `limit`: bytes of plans that nobody uses. */
ARB_NODISCARD arb_code arb_plan_cache_create(const arb_plan_tables *tables, arb_memory *memory, uint64_t limit,
                                             arb_plan_cache **out_cache, arb_error *error);
/* No plan may be in use. NULL is a no-op. */
void arb_plan_cache_destroy(arb_plan_cache *cache);

/* The next chunk of a plan of `total` bytes; one at offset 0 begins it anew. ARB_CORRUPT_DATA for one that does not follow, or
 * when the whole is not what its hash says; ARB_OUT_OF_MEMORY when it does not fit beside what else is here. */
ARB_NODISCARD arb_code arb_plan_cache_chunk(arb_plan_cache *cache, arb_str hash, uint64_t total, uint64_t offset,
                                            arb_str bytes, arb_error *error);
/* The plan, decoded, with a count for the caller. ARB_UNDEFINED_OBJECT when it has not come; what is wrong with it or its
 * tables; ARB_OUT_OF_MEMORY when it does not fit; ARB_CANCELLED soon after the flag is set, which may be NULL. May wait. */
ARB_NODISCARD arb_code arb_plan_cache_get(arb_plan_cache *cache, arb_str hash, arb_stop_flag *stop,
                                          const arb_cached_plan **out_plan, arb_error *error);
void arb_plan_cache_give_back(arb_plan_cache *cache, const arb_cached_plan *plan); /* NULL is a no-op */
/* Let go of what nobody uses: of what is beyond the limit, or of all if memory is short. */
void arb_plan_cache_look_at_time(arb_plan_cache *cache, int64_t now_ns);

#endif
