#include "exchange/output_store.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"

/* In a list, oldest first, and in a chain of the hash table. */
typedef struct stored_output {
    struct stored_output *older, *newer, *next;
    arb_attempt_output *output; /* one count */
    bool kept;
} stored_output;

struct arb_output_store {
    pthread_mutex_t lock;
    uint64_t memory_most;
    arb_output_pool pool; /* dropped outputs that are read count there, too */
    stored_output *oldest, *newest;
    stored_output *oldest_held; /* those before it are kept and hold nothing any more; NULL: not known */
    size_t count, bucket_count;
    stored_output **buckets;
};

enum { first_buckets = 64 };

arb_code arb_output_store_create(uint64_t memory_most, arb_memory *memory, const char *spill_folder,
                                 arb_output_store **out_store, arb_error *error)
{
    *out_store = NULL;
    arb_output_store *store = arb_alloc_zeroed(sizeof *store);
    stored_output **buckets = arb_alloc_zeroed(first_buckets * sizeof(stored_output *));
    if (store == NULL || buckets == NULL) {
        arb_free(store);
        arb_free(buckets);
        return arb_fail_memory(error, "the store of outputs", sizeof *store);
    }
    *store = (arb_output_store){.memory_most = memory_most, .bucket_count = first_buckets, .buckets = buckets};
    arb_output_pool_init(&store->pool, memory, spill_folder);
    pthread_mutex_init(&store->lock, NULL);
    *out_store = store;
    return ARB_OK;
}

arb_output_pool *arb_output_store_pool(arb_output_store *store)
{
    return &store->pool;
}

/* ---- the table, with the lock held --------------------------------------------------------------------------------------- */

static size_t bucket_of(const arb_output_store *store, const arb_block_origin *origin)
{
    uint64_t hash = origin->attempt * UINT64_C(0x9E3779B97F4A7C15) ^ origin->attempt_term;
    return (size_t)((hash ^ hash >> 32) & (store->bucket_count - 1));
}

static bool is_of(const stored_output *stored, const arb_block_origin *origin)
{
    const arb_block_origin *own = arb_attempt_output_origin(stored->output);
    return own->attempt == origin->attempt && own->attempt_term == origin->attempt_term && own->job == origin->job &&
           own->job_term == origin->job_term;
}

static stored_output *look_up(const arb_output_store *store, const arb_block_origin *origin)
{
    stored_output *stored = store->buckets[bucket_of(store, origin)];
    while (stored != NULL && !is_of(stored, origin))
        stored = stored->next;
    return stored;
}

/* More buckets when there are many; without memory for them chains are longer. */
static void grow(arb_output_store *store)
{
    if (store->count < store->bucket_count * 2)
        return;
    stored_output **old = store->buckets,
                  **buckets = arb_alloc_zeroed(store->bucket_count * 2 * sizeof(stored_output *));
    if (buckets == NULL)
        return;
    store->buckets = buckets;
    store->bucket_count *= 2;
    for (stored_output *stored = store->oldest; stored != NULL; stored = stored->newer) {
        stored_output **bucket = &buckets[bucket_of(store, arb_attempt_output_origin(stored->output))];
        stored->next = *bucket;
        *bucket = stored;
    }
    arb_free(old);
}

static void insert(arb_output_store *store, stored_output *stored)
{
    grow(store);
    stored_output **bucket = &store->buckets[bucket_of(store, arb_attempt_output_origin(stored->output))];
    stored->next = *bucket;
    *bucket = stored;
    stored->older = store->newest;
    if (store->newest != NULL)
        store->newest->newer = stored;
    else
        store->oldest = stored;
    store->newest = stored;
    store->count++;
}

/* Out of list and table; it and its count go to the caller. */
static void take_out(arb_output_store *store, stored_output *stored)
{
    stored_output **link = &store->buckets[bucket_of(store, arb_attempt_output_origin(stored->output))];
    while (*link != stored)
        link = &(*link)->next;
    *link = stored->next;
    if (store->oldest_held == stored)
        store->oldest_held = stored->newer;
    if (stored->older != NULL)
        stored->older->newer = stored->newer;
    else
        store->oldest = stored->newer;
    if (stored->newer != NULL)
        stored->newer->older = stored->older;
    else
        store->newest = stored->older;
    store->count--;
    stored->next = NULL;
}

/* Those taken out, chained by `next`, without the lock: the last count of an output closes its file. */
static void drop_all(stored_output *stored)
{
    while (stored != NULL) {
        stored_output *next = stored->next;
        arb_attempt_output_unref(stored->output);
        arb_free(stored);
        stored = next;
    }
}

/* ---- outputs ----------------------------------------------------------------------------------------------------------------- */

arb_code arb_output_store_begin(arb_output_store *store, const arb_block_origin *origin, uint32_t partition_count,
                                arb_attempt_output **out_output, arb_error *error)
{
    *out_output = NULL;
    arb_attempt_output *output;
    ARB_TRY(arb_attempt_output_create(origin, partition_count, &store->pool, &output, error));
    stored_output *stored = arb_alloc_zeroed(sizeof *stored);
    if (stored == NULL) {
        arb_attempt_output_unref(output);
        return arb_fail_memory(error, "the store of outputs", sizeof *stored);
    }
    stored->output = arb_attempt_output_ref(output);
    pthread_mutex_lock(&store->lock);
    bool known = look_up(store, origin) != NULL;
    if (!known)
        insert(store, stored);
    pthread_mutex_unlock(&store->lock);
    if (known) {
        arb_free(stored);
        arb_attempt_output_unref(output);
        arb_attempt_output_unref(output);
        return arb_fail(error, ARB_INTERNAL, "an attempt was started twice");
    }
    *out_output = output;
    return ARB_OK;
}

/* With the lock held. The next output to move to its file: the oldest that is kept, else the oldest. */
static stored_output *next_victim(arb_output_store *store)
{
    stored_output *making = NULL, *first = store->oldest_held != NULL ? store->oldest_held : store->oldest;
    while (first != NULL && first->kept && arb_attempt_output_held(first->output) == 0)
        first = first->newer;
    store->oldest_held = first;
    for (stored_output *stored = first; stored != NULL; stored = stored->newer) {
        if (arb_attempt_output_held(stored->output) == 0)
            continue;
        if (stored->kept)
            return stored;
        making = making != NULL ? making : stored;
    }
    return making;
}

static bool holds_too_much(const arb_output_store *store)
{
    uint64_t held = atomic_load(&store->pool.held);
    bool has_folder = store->pool.spill_folder != NULL;
    return held > store->memory_most || (held != 0 && (has_folder ? arb_output_pool_is_short(&store->pool)
                                                                  : arb_output_pool_is_spent(&store->pool)));
}

/* Move outputs until the limit is kept, and while memory is short; without a folder that is an error, so it waits until none is
 * left. Writing is done without the lock: others may add and read meanwhile. */
static arb_code keep_limit(arb_output_store *store, arb_error *error)
{
    while (holds_too_much(store)) {
        pthread_mutex_lock(&store->lock);
        const stored_output *victim = next_victim(store);
        arb_attempt_output *output = victim == NULL ? NULL : arb_attempt_output_ref(victim->output);
        pthread_mutex_unlock(&store->lock);
        if (output == NULL)
            return ARB_OK;
        uint64_t freed;
        arb_code code = arb_attempt_output_spill(output, &freed, error);
        arb_attempt_output_unref(output);
        if (code != ARB_OK)
            return code;
    }
    return ARB_OK;
}

arb_code arb_output_store_add(arb_output_store *store, arb_attempt_output *output, uint32_t partition, arb_block *block,
                              arb_block_place place, arb_error *error)
{
    ARB_TRY(arb_attempt_output_add(output, partition, block, place, error));
    return keep_limit(store, error);
}

void arb_output_store_keep(arb_output_store *store, arb_attempt_output *output)
{
    arb_attempt_output_finish(output);
    pthread_mutex_lock(&store->lock);
    stored_output *stored = look_up(store, arb_attempt_output_origin(output));
    if (stored != NULL && stored->output == output) /* it may have been dropped */
        stored->kept = true;
    pthread_mutex_unlock(&store->lock);
}

arb_attempt_output *arb_output_store_find(arb_output_store *store, const arb_block_origin *origin)
{
    pthread_mutex_lock(&store->lock);
    const stored_output *stored = look_up(store, origin);
    const arb_block_origin *own = stored != NULL ? arb_attempt_output_origin(stored->output) : NULL;
    bool found = stored != NULL && stored->kept && own->stage == origin->stage && own->task == origin->task;
    arb_attempt_output *output = found ? arb_attempt_output_ref(stored->output) : NULL;
    pthread_mutex_unlock(&store->lock);
    return output;
}

void arb_output_store_drop(arb_output_store *store, const arb_block_origin *origin)
{
    pthread_mutex_lock(&store->lock);
    stored_output *stored = look_up(store, origin);
    if (stored != NULL)
        take_out(store, stored);
    pthread_mutex_unlock(&store->lock);
    drop_all(stored);
}

void arb_output_store_drop_stage(arb_output_store *store, uint64_t job_term, uint64_t job, uint32_t stage)
{
    stored_output *dropped = NULL, *newer;
    pthread_mutex_lock(&store->lock);
    for (stored_output *stored = store->oldest; stored != NULL; stored = newer) {
        const arb_block_origin *origin = arb_attempt_output_origin(stored->output);
        newer = stored->newer;
        if (!stored->kept || origin->job_term != job_term || origin->job != job ||
            (stage != ARB_STORE_EVERY_STAGE && origin->stage != stage))
            continue;
        take_out(store, stored);
        stored->next = dropped;
        dropped = stored;
    }
    pthread_mutex_unlock(&store->lock);
    drop_all(dropped);
}

arb_output_store_totals arb_output_store_look(arb_output_store *store)
{
    arb_output_store_totals totals = {0};
    pthread_mutex_lock(&store->lock);
    totals.outputs = store->count;
    totals.held = atomic_load(&store->pool.held);
    for (const stored_output *stored = store->oldest; stored != NULL; stored = stored->newer)
        totals.bytes += arb_attempt_output_total(stored->output).bytes;
    pthread_mutex_unlock(&store->lock);
    return totals;
}

void arb_output_store_destroy(arb_output_store *store)
{
    if (store == NULL)
        return;
    while (store->oldest != NULL) {
        stored_output *stored = store->oldest;
        take_out(store, stored);
        drop_all(stored);
    }
    arb_output_pool_reset(&store->pool);
    arb_free(store->buckets);
    pthread_mutex_destroy(&store->lock);
    arb_free(store);
}
