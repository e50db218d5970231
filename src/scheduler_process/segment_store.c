#include "scheduler_process/segment_store.h"

#include <pthread.h>

#include "base/alloc.h"
#include "exchange_flight/plan_hash.h"

/* A chunk that has a name; no reference. Equal chunks of several tables have an entry each. */
typedef struct named_chunk {
    arb_memory_chunk *chunk;
    struct named_chunk *next; /* in its bucket, or of those whose chunks are gone */
    arb_segment_name name;
    unsigned records; /* of the catalog's store */
    bool on_disk;
} named_chunk;

struct arb_segment_store {
    arb_chunk_keeper keeper;
    pthread_mutex_t lock;
    size_t count, bucket_count; /* a power of two */
    named_chunk **buckets;
    named_chunk *left; /* blobs that were named, and whose chunks are gone */
    arb_blob_folder *folder;
    arb_memory *account;
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
    bool leaves_blob = entry->on_disk && entry->records == 0;
    if (leaves_blob) {
        entry->next = store->left;
        store->left = entry;
    }
    pthread_mutex_unlock(&store->lock);
    if (!leaves_blob)
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
    for (named_chunk *at = store->left, *next; at != NULL; at = next) {
        next = at->next;
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

static arb_code name_chunk(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error)
{
    arb_segment_store *store = context;
    arb_text bytes = {0};
    arb_code code = ARB_OK;
    if (atomic_load_explicit(&chunk->keeper, memory_order_acquire) == NULL)
        code = make_name(store, chunk, &bytes, error);
    arb_text_reset(&bytes);
    ARB_TRY(code);
    ARB_TRY(check_own(store, chunk, error));
    *out_name = chunk->name;
    return ARB_OK;
}

arb_segment_namer arb_segment_store_namer(arb_segment_store *store)
{
    return (arb_segment_namer){store, name_chunk};
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static arb_memory_chunk *find(arb_segment_store *store, arb_str hash)
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
    arb_memory_chunk *chunk = find(store, hash);
    if (chunk == NULL)
        return arb_fail(error, ARB_UNDEFINED_TABLE, "rows of a table that a query reads are not there any more");
    arb_code code = arb_segment_encode(chunk, out, error);
    arb_memory_chunk_unref(chunk);
    return code;
}

/* ---- the shelf ----------------------------------------------------------------------------------------------------------- */

/* With the lock held. */
static named_chunk *entry_of(const arb_segment_store *store, const arb_memory_chunk *chunk)
{
    named_chunk *at = *bucket_of(store->buckets, store->bucket_count, chunk->name.hash);
    while (at->chunk != chunk)
        at = at->next;
    return at;
}

/* With the lock held. */
static bool is_named(const arb_segment_store *store, const uint8_t *hash)
{
    const named_chunk *at = *bucket_of(store->buckets, store->bucket_count, hash);
    while (at != NULL && (at->records == 0 || memcmp(at->name.hash, hash, sizeof at->name.hash) != 0))
        at = at->next;
    return at != NULL;
}

/* One record more. False: there was none, so its blob may not be there. */
static bool add_record(arb_segment_store *store, arb_memory_chunk *chunk, bool also_first)
{
    pthread_mutex_lock(&store->lock);
    named_chunk *entry = entry_of(store, chunk);
    bool added = also_first || entry->records != 0;
    entry->records += added;
    entry->on_disk |= added;
    pthread_mutex_unlock(&store->lock);
    return added;
}

static arb_code put_blob(arb_segment_store *store, arb_memory_chunk *chunk, arb_text *bytes, arb_error *error)
{
    arb_blob_hash hash;
    if (bytes->size == 0)
        ARB_TRY(arb_segment_encode(chunk, bytes, error));
    ARB_TRY(arb_blob_put(store->folder, bytes->data, bytes->size, &hash, error));
    assert(memcmp(hash.bytes, chunk->name.hash, sizeof hash.bytes) == 0);
    (void)add_record(store, chunk, true);
    return ARB_OK;
}

static arb_code keep(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error)
{
    arb_segment_store *store = context;
    arb_text bytes = {0};
    arb_code code = ARB_OK;
    if (atomic_load_explicit(&chunk->keeper, memory_order_acquire) == NULL)
        code = make_name(store, chunk, &bytes, error);
    if (code == ARB_OK)
        code = check_own(store, chunk, error);
    if (code == ARB_OK && !add_record(store, chunk, false))
        code = put_blob(store, chunk, &bytes, error);
    arb_text_reset(&bytes);
    if (code == ARB_OK)
        *out_name = chunk->name;
    return code;
}

static void release(void *context, arb_memory_chunk *chunk)
{
    arb_segment_store *store = context;
    pthread_mutex_lock(&store->lock);
    entry_of(store, chunk)->records--;
    pthread_mutex_unlock(&store->lock);
}

static arb_code load(arb_segment_store *store, const arb_segment_wanted *wanted, arb_memory_chunk **out_chunk,
                     arb_error *error)
{
    arb_blob_hash hash;
    arb_text bytes = {0};
    bool denied = false;
    named_chunk *entry = arb_alloc_zeroed(sizeof *entry);
    memcpy(hash.bytes, wanted->name.hash, sizeof hash.bytes);
    arb_code code = entry == NULL ? arb_fail_memory(error, "a segment's name", sizeof *entry)
                                  : arb_blob_get(store->folder, &hash, wanted->name.bytes, &bytes, error);
    if (code == ARB_OK)
        code = arb_segment_decode_within(arb_text_view(&bytes), wanted, store->account, out_chunk, &denied, error);
    arb_text_reset(&bytes);
    if (denied)
        code = arb_fail(error, ARB_RESOURCES_EXHAUSTED, "a part of %zu rows is more than is left of the limit",
                        wanted->rows);
    if (code != ARB_OK) {
        arb_free(entry);
        return code;
    }
    pthread_mutex_lock(&store->lock);
    insert(store, *out_chunk, &wanted->name, entry);
    pthread_mutex_unlock(&store->lock);
    return ARB_OK;
}

static arb_code find_kept(void *context, const arb_segment_wanted *wanted, arb_stop_flag *stop,
                          arb_memory_chunk **out_chunk, arb_error *error)
{
    (void)stop;
    arb_segment_store *store = context;
    *out_chunk = find(store, (arb_str){(const char *)wanted->name.hash, sizeof wanted->name.hash});
    if (*out_chunk == NULL)
        ARB_TRY(load(store, wanted, out_chunk, error));
    (void)add_record(store, *out_chunk, true);
    return ARB_OK;
}

/* What cannot be deleted is swept at the next start. */
static void collect(void *context)
{
    arb_segment_store *store = context;
    pthread_mutex_lock(&store->lock);
    named_chunk *left = store->left;
    store->left = NULL;
    pthread_mutex_unlock(&store->lock);
    for (named_chunk *next; left != NULL; left = next) {
        arb_blob_hash hash;
        next = left->next;
        memcpy(hash.bytes, left->name.hash, sizeof hash.bytes);
        pthread_mutex_lock(&store->lock);
        bool needed = is_named(store, hash.bytes);
        pthread_mutex_unlock(&store->lock);
        if (!needed)
            (void)!arb_blob_delete(store->folder, &hash, NULL);
        arb_free(left);
    }
}

static bool is_needed(void *context, const arb_blob_hash *hash)
{
    arb_segment_store *store = context;
    pthread_mutex_lock(&store->lock);
    bool needed = is_named(store, hash->bytes);
    pthread_mutex_unlock(&store->lock);
    return needed;
}

static arb_code sweep(void *context, arb_error *error)
{
    arb_segment_store *store = context;
    size_t deleted;
    return arb_blob_sweep(store->folder, is_needed, store, &deleted, error);
}

arb_segment_shelf arb_segment_store_shelf(arb_segment_store *store, arb_blob_folder *folder, arb_memory *account)
{
    assert(store->folder == NULL && store->count == 0);
    store->folder = folder;
    store->account = account;
    return (arb_segment_shelf){store, keep, release, find_kept, collect, sweep};
}
