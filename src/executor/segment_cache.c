#include "executor/segment_cache.h"

#include <pthread.h>

#include "base/alloc.h"
#include "executor/segment_fetch.h"
#include "runtime/short_wait.h"

/* A segment that is here, or on its way. */
typedef struct cached_segment {
    struct cached_segment *next;          /* in its bucket */
    struct cached_segment *older, *newer; /* by when they were last asked for; those with a chunk */
    arb_segment_name name;
    arb_memory_chunk *chunk; /* a reference; NULL: somebody is fetching it */
} cached_segment;

/* Its counts: the owner's, and one for each that holds the finder. */
struct arb_segment_cache {
    _Atomic unsigned references;
    pthread_mutex_t lock;
    unsigned inside; /* of `find` */
    pthread_cond_t fetched;
    arb_rpc_channel *scheduler;
    arb_text token;
    arb_memory *account;
    uint64_t limit;
    int64_t patience_ns;
    _Atomic bool stopped;
    cached_segment *buckets[1024];
    cached_segment *oldest, *newest;
    arb_segment_cache_totals totals;
};

static const int64_t PATIENCE_NS = 10000000000;

arb_code arb_segment_cache_create(const arb_segment_cache_options *options, arb_segment_cache **out_cache,
                                  arb_error *error)
{
    *out_cache = NULL;
    arb_segment_cache *cache = arb_alloc_zeroed(sizeof *cache);
    if (cache == NULL)
        return arb_fail_memory(error, "the segments of tables", sizeof *cache);
    cache->references = 1;
    pthread_mutex_init(&cache->lock, NULL);
    arb_short_wait_init(&cache->fetched);
    cache->scheduler = options->scheduler;
    cache->account = options->account;
    cache->limit = options->limit;
    cache->patience_ns = options->patience_ns != 0 ? options->patience_ns : PATIENCE_NS;
    arb_text_append_str(&cache->token, options->join_token);
    arb_code code = arb_text_check(&cache->token, error);
    if (code != ARB_OK) {
        arb_segment_cache_destroy(cache);
        return code;
    }
    *out_cache = cache;
    return ARB_OK;
}

void arb_segment_cache_stop(arb_segment_cache *cache)
{
    atomic_store(&cache->stopped, true);
}

arb_segment_cache_totals arb_segment_cache_look(arb_segment_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    arb_segment_cache_totals totals = cache->totals;
    pthread_mutex_unlock(&cache->lock);
    return totals;
}

/* ---- with the lock held -------------------------------------------------------------------------------------------------- */

static cached_segment **place_of(arb_segment_cache *cache, const arb_segment_name *name)
{
    cached_segment **at = &cache->buckets[arb_load_u64(name->hash) % ARB_COUNT_OF(cache->buckets)];
    while (*at != NULL && memcmp((*at)->name.hash, name->hash, sizeof name->hash) != 0)
        at = &(*at)->next;
    return at;
}

static void unlist(arb_segment_cache *cache, cached_segment *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    entry->older = entry->newer = NULL;
}

static void list_newest(arb_segment_cache *cache, cached_segment *entry)
{
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void note_use(arb_segment_cache *cache, cached_segment *entry)
{
    unlist(cache, entry);
    list_newest(cache, entry);
}

static void remove_at(arb_segment_cache *cache, cached_segment **at)
{
    cached_segment *entry = *at;
    *at = entry->next;
    if (entry->chunk != NULL) {
        unlist(cache, entry);
        cache->totals.segments--;
        cache->totals.bytes -= entry->chunk->reservation.bytes;
    }
    arb_memory_chunk_unref(entry->chunk);
    arb_free(entry);
}

/* Nobody but the cache has it, so nobody can get it meanwhile. */
static bool is_idle(const cached_segment *entry)
{
    return entry->chunk != NULL && atomic_load_explicit(&entry->chunk->references, memory_order_acquire) == 1;
}

/* What nobody uses goes, the oldest first, until what is here is no more than `limit` bytes; what is used stays, and counts. */
static void evict(arb_segment_cache *cache, uint64_t limit)
{
    for (cached_segment *entry = cache->oldest, *newer; entry != NULL && cache->totals.bytes > limit; entry = newer) {
        newer = entry->newer;
        if (is_idle(entry))
            remove_at(cache, place_of(cache, &entry->name));
    }
}

static void let_go(void *context)
{
    arb_segment_cache *cache = context;
    if (atomic_fetch_sub_explicit(&cache->references, 1, memory_order_acq_rel) != 1)
        return;
    arb_text_reset(&cache->token);
    pthread_cond_destroy(&cache->fetched);
    pthread_mutex_destroy(&cache->lock);
    arb_free(cache);
}

static void hold(void *context)
{
    atomic_fetch_add_explicit(&((arb_segment_cache *)context)->references, 1, memory_order_relaxed);
}

/* Reads of queries that have ended may still be here, or come yet; they find that it is stopped. */
void arb_segment_cache_destroy(arb_segment_cache *cache)
{
    if (cache == NULL)
        return;
    arb_segment_cache_stop(cache);
    pthread_mutex_lock(&cache->lock);
    while (cache->inside != 0)
        arb_short_wait(&cache->fetched, &cache->lock);
    for (size_t i = 0; i < ARB_COUNT_OF(cache->buckets); i++)
        while (cache->buckets[i] != NULL)
            remove_at(cache, &cache->buckets[i]);
    pthread_mutex_unlock(&cache->lock);
    let_go(cache);
}

/* ---- fetching ------------------------------------------------------------------------------------------------------------ */

/* Without the lock. */
static arb_code fetch(arb_segment_cache *cache, const arb_segment_wanted *wanted, arb_stop_flag *stop,
                      arb_memory_chunk **out_chunk, arb_error *error)
{
    arb_stop_flag *const stops[] = {&cache->stopped, stop};
    arb_segment_fetch_options options = {.scheduler = cache->scheduler,
                                         .join_token = arb_text_view(&cache->token),
                                         .patience_ns = cache->patience_ns,
                                         .stop = stops,
                                         .stop_count = ARB_COUNT_OF(stops)};
    arb_text bytes = {0};
    arb_code code = arb_segment_fetch(&options, &wanted->name, &bytes, error);
    if (code == ARB_OK)
        code = arb_segment_decode(arb_text_view(&bytes), wanted, cache->account, out_chunk, error);
    if (code == ARB_OUT_OF_MEMORY && bytes.size == wanted->name.bytes) {
        pthread_mutex_lock(&cache->lock);
        evict(cache, 0);
        pthread_mutex_unlock(&cache->lock);
        code = arb_segment_decode(arb_text_view(&bytes), wanted, cache->account, out_chunk, error);
    }
    arb_text_reset(&bytes);
    return code;
}

/* With the lock held, which is let go of meanwhile. Others who want the segment wait. */
static arb_code bring(arb_segment_cache *cache, const arb_segment_wanted *wanted, arb_stop_flag *stop,
                      arb_memory_chunk **out_chunk, arb_error *error)
{
    cached_segment *entry = arb_alloc_zeroed(sizeof *entry);
    if (entry == NULL)
        return arb_fail_memory(error, "a segment of a table", sizeof *entry);
    entry->name = wanted->name;
    *place_of(cache, &wanted->name) = entry;
    cache->totals.fetched++;
    pthread_mutex_unlock(&cache->lock);
    arb_code code = fetch(cache, wanted, stop, out_chunk, error);
    pthread_mutex_lock(&cache->lock);
    if (code == ARB_OK) {
        entry->chunk = arb_memory_chunk_ref(*out_chunk);
        list_newest(cache, entry);
        cache->totals.segments++;
        cache->totals.bytes += entry->chunk->reservation.bytes;
        evict(cache, arb_memory_is_short(cache->account) ? 0 : cache->limit);
    } else {
        remove_at(cache, place_of(cache, &wanted->name)); /* another time may be better */
    }
    pthread_cond_broadcast(&cache->fetched);
    return code;
}

static arb_code find(void *context, const arb_segment_wanted *wanted, arb_stop_flag *stop, arb_memory_chunk **out_chunk,
                     arb_error *error)
{
    arb_segment_cache *cache = context;
    arb_code code = ARB_OK;
    cached_segment *entry;
    *out_chunk = NULL;
    pthread_mutex_lock(&cache->lock);
    cache->inside++;
    for (;;) {
        code = arb_check_stop(&cache->stopped, error);
        if (code == ARB_OK)
            code = arb_check_stop(stop, error);
        entry = *place_of(cache, &wanted->name);
        if (code != ARB_OK || entry == NULL || entry->chunk != NULL)
            break;
        arb_short_wait(&cache->fetched, &cache->lock);
    }
    if (code == ARB_OK && entry == NULL) {
        code = bring(cache, wanted, stop, out_chunk, error);
    } else if (code == ARB_OK && entry->chunk->rows != wanted->rows) {
        code = arb_fail(error, ARB_CORRUPT_DATA, "a table's segment has another number of rows than its table says");
    } else if (code == ARB_OK) {
        note_use(cache, entry);
        *out_chunk = arb_memory_chunk_ref(entry->chunk);
    }
    cache->inside--;
    pthread_mutex_unlock(&cache->lock);
    return code;
}

static arb_memory_chunk *peek(void *context, const arb_segment_wanted *wanted)
{
    arb_segment_cache *cache = context;
    arb_memory_chunk *found = NULL;
    pthread_mutex_lock(&cache->lock);
    cached_segment *entry = *place_of(cache, &wanted->name);
    if (entry != NULL && entry->chunk != NULL && entry->chunk->rows == wanted->rows) {
        note_use(cache, entry);
        found = arb_memory_chunk_ref(entry->chunk);
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

arb_segment_finder arb_segment_cache_finder(arb_segment_cache *cache)
{
    return (arb_segment_finder){cache, find, peek, hold, let_go};
}
