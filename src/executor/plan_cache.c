#include "executor/plan_cache.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/vec.h"
#include "runtime/short_wait.h"

typedef struct plan_entry plan_entry;
struct plan_entry {
    arb_cached_plan plan; /* first: what users see. NULL until it is decoded */
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    uint64_t total;
    arb_text bytes;          /* as far as it has come */
    arb_plan_digest *digest; /* of those, so that the last chunk costs no more than others; NULL once it is whole */
    arb_arena arena;
    arb_reservation held;
    bool was_asked; /* for, by a task */
    bool decoding;  /* by some thread, without the lock */
    uint32_t users;
    uint64_t used;   /* when it was last given back, or more of it came, in the order of all */
    int64_t left_ns; /* the same as time */
};

enum { granted_always = 1 << 20 };
static const int64_t IDLE_NS = 1000000000;           /* the stage's next task may be on its way */
static const int64_t UNASKED_NS = 60 * 1000000000ll; /* longer than a launch waits for its plan */

struct arb_plan_cache {
    pthread_mutex_t lock;
    pthread_cond_t decoded;
    const arb_plan_tables *tables;
    arb_memory *memory;
    uint64_t limit, uses;
    ARB_VEC(plan_entry *) entries; /* few: looked through */
};

static void free_entry(plan_entry *entry)
{
    arb_plan_digest_destroy(entry->digest);
    arb_text_reset(&entry->bytes);
    arb_arena_reset(&entry->arena);
    arb_reservation_reset(&entry->held);
    arb_free(entry);
}

arb_code arb_plan_cache_create(const arb_plan_tables *tables, arb_memory *memory, uint64_t limit,
                               arb_plan_cache **out_cache, arb_error *error)
{
    *out_cache = NULL;
    arb_plan_cache *cache = arb_alloc_zeroed(sizeof *cache);
    if (cache == NULL)
        return arb_fail_memory(error, "the plans", sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    arb_short_wait_init(&cache->decoded);
    cache->tables = tables;
    cache->memory = memory;
    cache->limit = limit;
    *out_cache = cache;
    return ARB_OK;
}

void arb_plan_cache_destroy(arb_plan_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->entries.size; i++) {
        assert(cache->entries.data[i]->users == 0);
        free_entry(cache->entries.data[i]);
    }
    ARB_VEC_RESET(&cache->entries);
    pthread_cond_destroy(&cache->decoded);
    pthread_mutex_destroy(&cache->lock);
    arb_free(cache);
}

/* ---- with the lock held -------------------------------------------------------------------------------------------------- */

static plan_entry *find(const arb_plan_cache *cache, arb_str hash)
{
    for (size_t i = 0; hash.size == ARB_PLAN_HASH_BYTES && i < cache->entries.size; i++)
        if (memcmp(cache->entries.data[i]->hash, hash.data, hash.size) == 0)
            return cache->entries.data[i];
    return NULL;
}

static void remove_entry(arb_plan_cache *cache, plan_entry *entry)
{
    size_t at = 0;
    while (cache->entries.data[at] != entry)
        at++;
    cache->entries.data[at] = cache->entries.data[--cache->entries.size];
    free_entry(entry);
}

static bool is_idle(const plan_entry *entry)
{
    return entry->users == 0 && !entry->decoding;
}

/* Of those that nobody has used for so long, the oldest go while they are more than the limit. What no task has asked for yet has
 * come for one that is about to, unless it has been here for too long: then that has been stopped, or the rest does not come. */
static void evict(arb_plan_cache *cache, uint64_t limit, int64_t now_ns, int64_t idle_ns)
{
    for (;;) {
        plan_entry *oldest = NULL;
        uint64_t idle = 0;
        for (size_t i = 0; i < cache->entries.size; i++) {
            plan_entry *entry = cache->entries.data[i];
            if (!is_idle(entry) || entry->left_ns > now_ns - (entry->was_asked ? idle_ns : UNASKED_NS))
                continue;
            idle += entry->bytes.size + entry->arena.total;
            if (oldest == NULL || entry->used < oldest->used)
                oldest = entry;
        }
        if (oldest == NULL || idle <= limit)
            return;
        remove_entry(cache, oldest);
    }
}

/* All that nobody uses goes, but this one: who still wants one of them asks for it again. False: there was none. */
static bool make_room(arb_plan_cache *cache, const plan_entry *but)
{
    size_t before = cache->entries.size;
    for (size_t i = cache->entries.size; i > 0; i--)
        if (is_idle(cache->entries.data[i - 1]) && cache->entries.data[i - 1] != but)
            remove_entry(cache, cache->entries.data[i - 1]);
    return cache->entries.size < before;
}

/* So much of a plan is granted whatever others hold: a small one does not fail for want of memory that is about to be free. */
static arb_code hold(arb_plan_cache *cache, plan_entry *entry, uint64_t bytes, arb_error *error)
{
    if (cache->memory == NULL || arb_reservation_try_grow(&entry->held, bytes))
        return ARB_OK;
    (void)make_room(cache, entry);
    if (entry->held.bytes + bytes > granted_always)
        return arb_reservation_grow(&entry->held, bytes, error);
    arb_reservation_force(&entry->held, bytes);
    return ARB_OK;
}

static arb_code begin_entry(arb_plan_cache *cache, arb_str hash, uint64_t total, plan_entry **out_entry,
                            arb_error *error)
{
    plan_entry *entry = arb_alloc_zeroed(sizeof *entry);
    if (entry != NULL)
        entry->digest = arb_plan_digest_create();
    if (entry == NULL || entry->digest == NULL || !ARB_VEC_PUSH(&cache->entries, entry)) {
        if (entry != NULL)
            free_entry(entry);
        return arb_fail_memory(error, "a plan", sizeof *entry);
    }
    memcpy(entry->hash, hash.data, ARB_PLAN_HASH_BYTES);
    entry->total = total;
    arb_reservation_init(&entry->held, cache->memory, "a plan");
    *out_entry = entry;
    return ARB_OK;
}

static bool is_whole(const plan_entry *entry)
{
    return entry->bytes.size == entry->total;
}

static arb_code check_whole(arb_plan_cache *cache, plan_entry *entry, arb_error *error)
{
    uint8_t found[ARB_PLAN_HASH_BYTES];
    bool same = arb_plan_digest_end(entry->digest, found) && memcmp(found, entry->hash, sizeof found) == 0;
    arb_plan_digest_destroy(entry->digest);
    entry->digest = NULL;
    if (same)
        return ARB_OK;
    remove_entry(cache, entry);
    return arb_fail(error, ARB_CORRUPT_DATA, "a plan is not what its hash says");
}

static arb_code add_chunk(arb_plan_cache *cache, arb_str hash, uint64_t total, uint64_t offset, arb_str bytes,
                          arb_error *error)
{
    plan_entry *entry = find(cache, hash);
    if (entry != NULL && is_whole(entry))
        return ARB_OK; /* it comes again */
    if (entry == NULL)
        ARB_TRY(begin_entry(cache, hash, total, &entry, error));
    entry->used = ++cache->uses;
    entry->left_ns = arb_clock_monotonic_ns();
    bool begins = offset == 0;
    if (begins) {
        arb_text_clear(&entry->bytes);
        arb_reservation_reset(&entry->held);
    }
    if (entry->total != total || offset != entry->bytes.size || bytes.size > total - offset) {
        remove_entry(cache, entry);
        return arb_fail(error, ARB_CORRUPT_DATA, "a plan's chunk does not follow the one before it");
    }
    arb_code code = hold(cache, entry, bytes.size, error);
    if (code != ARB_OK) {
        remove_entry(cache, entry);
        return code;
    }
    arb_text_append_str(&entry->bytes, bytes);
    bool digested = (!begins || arb_plan_digest_begin(entry->digest)) && arb_plan_digest_add(entry->digest, bytes);
    if (entry->bytes.failed || !digested) {
        remove_entry(cache, entry);
        return arb_fail_memory(error, "a plan", (size_t)total);
    }
    return is_whole(entry) ? check_whole(cache, entry, error) : ARB_OK;
}

arb_code arb_plan_cache_chunk(arb_plan_cache *cache, arb_str hash, uint64_t total, uint64_t offset, arb_str bytes,
                              arb_error *error)
{
    if (hash.size != ARB_PLAN_HASH_BYTES || total == 0 || total > ARB_PLAN_BYTES_MOST || offset > total)
        return arb_fail(error, ARB_CORRUPT_DATA, "a plan's chunk makes no sense");
    pthread_mutex_lock(&cache->lock);
    arb_code code = add_chunk(cache, hash, total, offset, bytes, error);
    evict(cache, cache->limit, arb_clock_monotonic_ns(), 0);
    pthread_mutex_unlock(&cache->lock);
    return code;
}

/* ---- plans in use ---------------------------------------------------------------------------------------------------------- */

/* With the lock held, which is let go of meanwhile. */
static arb_code try_to_decode(arb_plan_cache *cache, plan_entry *entry, const arb_plan_tables *tables, arb_error *error)
{
    uint64_t left = cache->memory != NULL ? arb_memory_available(cache->memory) : 0;
    entry->arena.limit = cache->memory != NULL ? ARB_MAX(left, (uint64_t)granted_always) : 0;
    pthread_mutex_unlock(&cache->lock);
    const arb_stage *stage = NULL;
    arb_code code = arb_stage_decode(&entry->arena, arb_text_view(&entry->bytes), tables, &stage, error);
    pthread_mutex_lock(&cache->lock);
    entry->plan.stage = code == ARB_OK ? stage : NULL;
    if (code != ARB_OK)
        arb_arena_reset(&entry->arena); /* another time may be better: a file may be there then */
    return code;
}

/* Likewise. Others who want the plan wait. */
static arb_code decode(arb_plan_cache *cache, plan_entry *entry, arb_stop_flag *stop, arb_error *error)
{
    arb_plan_tables tables = *cache->tables;
    tables.stop = stop;
    entry->decoding = true;
    arb_code code = try_to_decode(cache, entry, &tables, error);
    while (code == ARB_OUT_OF_MEMORY && make_room(cache, entry)) {
        *error = (arb_error){0};
        code = try_to_decode(cache, entry, &tables, error);
    }
    entry->decoding = false;
    if (code == ARB_OK && cache->memory != NULL)
        arb_reservation_force(&entry->held, entry->arena.total); /* it is there, and was bounded above */
    pthread_cond_broadcast(&cache->decoded);
    return code;
}

arb_code arb_plan_cache_get(arb_plan_cache *cache, arb_str hash, arb_stop_flag *stop, const arb_cached_plan **out_plan,
                            arb_error *error)
{
    arb_code code = ARB_OK;
    *out_plan = NULL;
    pthread_mutex_lock(&cache->lock);
    plan_entry *entry = find(cache, hash);
    if (entry == NULL || !is_whole(entry)) {
        code = arb_fail(error, ARB_UNDEFINED_OBJECT, "the plan of a task has not come");
    } else {
        entry->users++; /* so that it stays meanwhile */
        entry->was_asked = true;
        while (entry->decoding && !arb_is_stopped(stop))
            arb_short_wait(&cache->decoded, &cache->lock);
        code = arb_check_stop(stop, error);
        if (code == ARB_OK && entry->plan.stage == NULL)
            code = decode(cache, entry, stop, error);
        if (code == ARB_OK)
            *out_plan = &entry->plan;
        else
            entry->users--;
    }
    pthread_mutex_unlock(&cache->lock);
    return code;
}

void arb_plan_cache_give_back(arb_plan_cache *cache, const arb_cached_plan *plan)
{
    if (plan == NULL)
        return;
    plan_entry *entry = (plan_entry *)(uintptr_t)plan;
    pthread_mutex_lock(&cache->lock);
    entry->users--;
    entry->used = ++cache->uses;
    entry->left_ns = arb_clock_monotonic_ns();
    evict(cache, cache->limit, entry->left_ns, 0);
    pthread_mutex_unlock(&cache->lock);
}

void arb_plan_cache_look_at_time(arb_plan_cache *cache, int64_t now_ns)
{
    bool short_of_memory = cache->memory != NULL && arb_memory_is_short(cache->memory);
    pthread_mutex_lock(&cache->lock);
    evict(cache, short_of_memory ? 0 : cache->limit, now_ns, short_of_memory ? IDLE_NS : 0);
    pthread_mutex_unlock(&cache->lock);
}
