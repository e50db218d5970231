#include "scheduler_process/segment_store.h"

#include <pthread.h>

#include "base/alloc.h"
#include "exchange_flight/plan_hash.h"

/* A chunk that has a name; no reference. Equal chunks of several tables have an entry each. */
typedef struct named_chunk {
    arb_memory_chunk *chunk;
    struct named_chunk *next; /* in its bucket, or of those whose chunks are gone */
    arb_segment_name name;
} named_chunk;

struct arb_segment_store {
    arb_chunk_keeper keeper;
    pthread_mutex_t lock;
    size_t count, bucket_count; /* a power of two */
    named_chunk **buckets;
};

enum { FIRST_BUCKETS = 64 };

static named_chunk **bucket_of(named_chunk **buckets, size_t count, const uint8_t *hash)
{
    return &buckets[arb_load_u64(hash) & (count - 1)];
}

/* A chunk goes. Whoever is about to read it finds that it has no reference to give. */
static void gone(arb_chunk_keeper *keeper, arb_memory_chunk *chunk)
{
    arb_segment_store *store = ARB_CONTAINER_OF(keeper, arb_segment_store, keeper);
    pthread_mutex_lock(&store->lock);
    named_chunk **at = bucket_of(store->buckets, store->bucket_count, chunk->name.hash);
    while ((*at)->chunk != chunk)
        at = &(*at)->next;
    named_chunk *entry = *at;
    *at = entry->next;
    store->count--;
    pthread_mutex_unlock(&store->lock);
    arb_free(entry);
}

arb_code arb_segment_store_create(arb_segment_store **out_store, arb_error *error)
{
    *out_store = NULL;
    arb_segment_store *store = arb_alloc_zeroed(sizeof *store);
    named_chunk **buckets = arb_alloc_zeroed(FIRST_BUCKETS * sizeof(named_chunk *));
    if (store == NULL || buckets == NULL) {
        arb_free(store);
        arb_free(buckets);
        return arb_fail_memory(error, "the segments of tables", sizeof *store);
    }
    store->keeper.gone = gone;
    store->buckets = buckets;
    store->bucket_count = FIRST_BUCKETS;
    pthread_mutex_init(&store->lock, NULL);
    *out_store = store;
    return ARB_OK;
}

void arb_segment_store_destroy(arb_segment_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->bucket_count; i++)
        for (named_chunk *at = store->buckets[i], *next; at != NULL; at = next) {
            next = at->next;
            atomic_store_explicit(&at->chunk->keeper, NULL, memory_order_release);
            arb_free(at);
        }
    arb_free(store->buckets);
    pthread_mutex_destroy(&store->lock);
    arb_free(store);
}

size_t arb_segment_store_count(arb_segment_store *store)
{
    pthread_mutex_lock(&store->lock);
    size_t count = store->count;
    pthread_mutex_unlock(&store->lock);
    return count;
}

/* ---- naming -------------------------------------------------------------------------------------------------------------- */

/* With the lock held. Without memory the buckets stay as they are, and get longer. */
static void grow(arb_segment_store *store)
{
    if (store->count < store->bucket_count)
        return;
    size_t count = store->bucket_count * 2;
    named_chunk **buckets = arb_alloc_zeroed(count * sizeof(named_chunk *));
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < store->bucket_count; i++)
        for (named_chunk *at = store->buckets[i], *next; at != NULL; at = next) {
            next = at->next;
            named_chunk **to = bucket_of(buckets, count, at->name.hash);
            at->next = *to;
            *to = at;
        }
    arb_free(store->buckets);
    store->buckets = buckets;
    store->bucket_count = count;
}

/* With the lock held. The chunk's keeper comes last: who sees it sees the name. */
static void insert(arb_segment_store *store, arb_memory_chunk *chunk, const arb_segment_name *name, named_chunk *entry)
{
    grow(store);
    chunk->name = *name;
    named_chunk **to = bucket_of(store->buckets, store->bucket_count, name->hash);
    *entry = (named_chunk){.chunk = chunk, .next = *to, .name = *name};
    *to = entry;
    store->count++;
    atomic_store_explicit(&chunk->keeper, &store->keeper, memory_order_release);
}

static arb_code make_name(arb_segment_store *store, arb_memory_chunk *chunk, arb_text *bytes, arb_error *error)
{
    arb_segment_name name = {0};
    named_chunk *entry = arb_alloc_zeroed(sizeof *entry);
    arb_code code = entry == NULL ? arb_fail_memory(error, "a segment's name", sizeof *entry)
                                  : arb_segment_encode(chunk, bytes, error);
    if (code == ARB_OK) {
        name.bytes = bytes->size;
        arb_plan_hash(arb_text_view(bytes), name.hash);
        pthread_mutex_lock(&store->lock);
        if (atomic_load_explicit(&chunk->keeper, memory_order_relaxed) == NULL) {
            insert(store, chunk, &name, entry);
            entry = NULL;
        } /* else another thread was faster, and has found the same */
        pthread_mutex_unlock(&store->lock);
    }
    arb_free(entry);
    return code;
}

static arb_code check_own(const arb_segment_store *store, const arb_memory_chunk *chunk, arb_error *error)
{
    return atomic_load_explicit(&chunk->keeper, memory_order_acquire) == &store->keeper
               ? ARB_OK
               : arb_fail(error, ARB_INTERNAL, "a table is served to executors by another scheduler of this process");
}

arb_code arb_segment_store_name(arb_segment_store *store, arb_memory_chunk *chunk, arb_text *bytes,
                                arb_segment_name *out_name, arb_error *error)
{
    if (atomic_load_explicit(&chunk->keeper, memory_order_acquire) == NULL)
        ARB_TRY(make_name(store, chunk, bytes, error));
    ARB_TRY(check_own(store, chunk, error));
    *out_name = chunk->name;
    return ARB_OK;
}

static arb_code name_chunk(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error)
{
    arb_text bytes = {0};
    arb_code code = arb_segment_store_name(context, chunk, &bytes, out_name, error);
    arb_text_reset(&bytes);
    return code;
}

arb_segment_namer arb_segment_store_namer(arb_segment_store *store)
{
    return (arb_segment_namer){store, name_chunk};
}

arb_code arb_segment_store_add(arb_segment_store *store, arb_memory_chunk *chunk, const arb_segment_name *name,
                               arb_error *error)
{
    named_chunk *entry = arb_alloc_zeroed(sizeof *entry);
    if (entry == NULL)
        return arb_fail_memory(error, "a segment's name", sizeof *entry);
    pthread_mutex_lock(&store->lock);
    insert(store, chunk, name, entry);
    pthread_mutex_unlock(&store->lock);
    return ARB_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

arb_memory_chunk *arb_segment_store_find(arb_segment_store *store, arb_str hash)
{
    arb_memory_chunk *found = NULL;
    if (hash.size != sizeof((arb_segment_name *)0)->hash)
        return NULL;
    pthread_mutex_lock(&store->lock);
    const named_chunk *at = *bucket_of(store->buckets, store->bucket_count, (const uint8_t *)hash.data);
    for (; at != NULL && found == NULL; at = at->next)
        if (memcmp(at->name.hash, hash.data, hash.size) == 0 && arb_memory_chunk_try_ref(at->chunk))
            found = at->chunk;
    pthread_mutex_unlock(&store->lock);
    return found;
}

arb_code arb_segment_store_read(arb_segment_store *store, arb_str hash, arb_text *out, arb_error *error)
{
    arb_memory_chunk *chunk = arb_segment_store_find(store, hash);
    if (chunk == NULL)
        return arb_fail(error, ARB_UNDEFINED_TABLE, "rows of a table that a query reads are not there any more");
    arb_code code = arb_segment_encode(chunk, out, error);
    arb_memory_chunk_unref(chunk);
    return code;
}
