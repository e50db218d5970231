#include "catalog/file_cache.h"

#include <pthread.h>

#include "base/alloc.h"
#include "catalog/file_access.h"
#include "catalog/footer_hash.h"

/* Entries are found by a hash table of chains over the path, which grows with their number. Those that nobody uses form a
 * list, the most recently used first: what to drop is found at its end, however many are in use. */
enum { BUCKETS_LEAST = 1024 };

typedef struct entry {
    arb_cached_file public;
    arb_reservation held; /* of itself; what it opened is counted there */
    struct entry *next_in_bucket;
    uint64_t hash;
    char path[];
} entry;

struct arb_file_cache {
    const arb_roots *roots; /* NULL: everything may be opened */
    pthread_mutex_t lock;
    uint64_t limit, bytes; /* of all that are found by their paths */
    arb_memory *memory;
    arb_descriptor_pool *descriptors; /* NULL: each file keeps its own */
    arb_cached_file *newest, *oldest; /* of those that nobody uses */
    entry **buckets;
    size_t bucket_count, count; /* a power of two */
};

arb_code arb_file_cache_create(uint64_t limit, arb_memory *memory, arb_file_cache **out_cache, arb_error *error)
{
    arb_file_cache *cache = *out_cache = arb_alloc_zeroed(sizeof *cache);
    entry **buckets = arb_alloc_zeroed(BUCKETS_LEAST * sizeof *buckets);
    if (cache == NULL || buckets == NULL) {
        arb_free(cache);
        arb_free(buckets);
        *out_cache = NULL;
        return arb_fail_memory(error, "the file cache", sizeof *cache + BUCKETS_LEAST * sizeof *buckets);
    }
    *cache = (arb_file_cache){.limit = limit, .memory = memory, .buckets = buckets, .bucket_count = BUCKETS_LEAST};
    pthread_mutex_init(&cache->lock, NULL);
    return ARB_OK;
}

static void entry_free(arb_cached_file *file)
{
    entry *self = ARB_CONTAINER_OF(file, entry, public);
    if (file->file != NULL)
        file->file->vtable->destroy(file->file);
    arb_reservation_reset(&self->held);
    arb_free(self);
}

/* ---- what is there: with the lock held ---------------------------------------------------------------------------- */

static entry **bucket_of(const arb_file_cache *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

/* Without memory the chains become longer. */
static void grow(arb_file_cache *cache)
{
    entry **old = cache->buckets, **buckets = arb_alloc_zeroed(2 * cache->bucket_count * sizeof *buckets);
    size_t old_count = cache->bucket_count;
    if (buckets == NULL)
        return;
    cache->buckets = buckets;
    cache->bucket_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++)
        for (entry *at = old[i], *next; at != NULL; at = next) {
            entry **bucket = bucket_of(cache, at->hash);
            next = at->next_in_bucket;
            at->next_in_bucket = *bucket;
            *bucket = at;
        }
    arb_free(old);
}

static void list_unused(arb_file_cache *cache, arb_cached_file *file)
{
    file->newer = NULL;
    file->older = cache->newest;
    if (cache->newest != NULL)
        cache->newest->newer = file;
    else
        cache->oldest = file;
    cache->newest = file;
}

static void unlist_unused(arb_file_cache *cache, arb_cached_file *file)
{
    if (file->newer != NULL)
        file->newer->older = file->older;
    else
        cache->newest = file->older;
    if (file->older != NULL)
        file->older->newer = file->newer;
    else
        cache->oldest = file->newer;
}

/* A file that is in use will be found by its path. */
static void link_entry(arb_file_cache *cache, arb_cached_file *file)
{
    entry *self = ARB_CONTAINER_OF(file, entry, public);
    if (cache->count == cache->bucket_count)
        grow(cache);
    entry **bucket = bucket_of(cache, self->hash);
    self->next_in_bucket = *bucket;
    *bucket = self;
    cache->count++;
    cache->bytes += file->bytes;
    file->listed = true;
}

/* It will not be found any more; freed if nobody uses it. */
static void drop_entry(arb_file_cache *cache, arb_cached_file *file)
{
    entry *self = ARB_CONTAINER_OF(file, entry, public);
    entry **at = bucket_of(cache, self->hash);
    while (*at != self)
        at = &(*at)->next_in_bucket;
    *at = self->next_in_bucket;
    cache->count--;
    cache->bytes -= file->bytes;
    file->listed = false;
    if (file->users != 0)
        return;
    unlist_unused(cache, file);
    entry_free(file);
}

/* Drop what nobody uses, oldest first, until the cache fits: into its own limit, and into a small part of the budget. */
static void trim(arb_file_cache *cache)
{
    uint64_t limit = ARB_MIN(cache->limit, cache->memory->governor->limit / 8);
    while (cache->oldest != NULL && cache->bytes > limit)
        drop_entry(cache, cache->oldest);
}

void arb_file_cache_pool(arb_file_cache *cache, arb_descriptor_pool *descriptors)
{
    cache->descriptors = descriptors;
}

void arb_file_cache_restrict(arb_file_cache *cache, const arb_roots *roots)
{
    cache->roots = roots;
}

arb_memory *arb_file_cache_memory(arb_file_cache *cache)
{
    return cache->memory;
}

const arb_roots *arb_file_cache_roots(const arb_file_cache *cache)
{
    return cache->roots;
}

void arb_file_cache_destroy(arb_file_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->newest != NULL)
        drop_entry(cache, cache->newest);
    assert(cache->count == 0);
    pthread_mutex_destroy(&cache->lock);
    arb_free(cache->buckets);
    arb_free(cache);
}

bool arb_cached_file_is_current(const arb_cached_file *file)
{
    arb_source_identity identity;
    return arb_source_identity_of_local(file->path.data, &identity, NULL) == ARB_OK &&
           arb_source_identity_equal(identity, file->identity);
}

/* ---- finding and opening ------------------------------------------------------------------------------------------ */

/* What is asked for. */
typedef struct request {
    arb_str path;
    uint64_t hash;      /* of the path */
    size_t folder_size; /* of the path: opened beneath that; 0: wherever it leads */
    const arb_file_format *format;
    const arb_file_options *options;
    arb_stop_flag *stop;
} request;

/* Called with the lock held: the file of that path, if it is this version. Another version is not found any more. */
static arb_cached_file *find_version(arb_file_cache *cache, const request *asked, arb_source_identity identity)
{
    entry *at = *bucket_of(cache, asked->hash);
    while (at != NULL && (at->hash != asked->hash || !arb_str_equal(at->public.path, asked->path)))
        at = at->next_in_bucket;
    if (at == NULL)
        return NULL;
    arb_cached_file *file = &at->public;
    if (!arb_source_identity_equal(file->identity, identity)) {
        drop_entry(cache, file);
        return NULL;
    }
    if (file->users++ == 0)
        unlist_unused(cache, file);
    return file;
}

/* The file as it is open for others, or NULL; `out_list` says whether one that is opened now is for others, too. */
static arb_cached_file *find_shared(arb_file_cache *cache, const request *asked, arb_source_identity identity,
                                    bool *out_list)
{
    *out_list = asked->options == NULL;
    if (asked->options != NULL)
        return NULL;
    pthread_mutex_lock(&cache->lock);
    arb_cached_file *file = find_version(cache, asked, identity);
    pthread_mutex_unlock(&cache->lock);
    if (file == NULL || file->format == asked->format)
        return file;
    arb_file_cache_release(file); /* known as another format: opened beside it, outside of the list */
    *out_list = false;
    return NULL;
}

/* Takes the source over, also on failure. */
static arb_code open_file(arb_file_cache *cache, const request *asked, arb_byte_source *source, bool list,
                          arb_cached_file **out_file, arb_error *error)
{
    size_t size = sizeof(entry) + asked->path.size + 1;
    entry *self = asked->format->open == NULL ? NULL : arb_alloc_zeroed(size);
    if (self == NULL) {
        arb_byte_source_destroy(source);
        return asked->format->open != NULL
                   ? arb_fail_memory(error, "the file cache", size)
                   : arb_fail(error, ARB_NOT_SUPPORTED, "%.*s: files of format %s cannot be read yet",
                              ARB_STR_ARGS(asked->path), asked->format->name);
    }
    memcpy(self->path, asked->path.data, asked->path.size);
    self->hash = asked->hash;
    arb_cached_file *file = &self->public;
    file->path = (arb_str){self->path, asked->path.size};
    file->format = asked->format;
    file->cache = cache;
    file->identity = source->identity;
    arb_reservation_init(&source->held, cache->memory, "an open file");
    if (cache->descriptors != NULL)
        arb_byte_source_pool(source, cache->descriptors, asked->folder_size);
    arb_code code = asked->format->open(source, asked->options, asked->stop, &file->file, error);
    if (code != ARB_OK) {
        arb_free(self);
        return code;
    }
    arb_reservation_init(&self->held, cache->memory, "an open file");
    arb_reservation_force(&self->held, size); /* once, however many tables have the file */
    file->bytes = file->file->bytes + size;
    file->users = 1;
    *out_file = file;
    if (list) {
        pthread_mutex_lock(&cache->lock);
        link_entry(cache, file);
        trim(cache);
        pthread_mutex_unlock(&cache->lock);
    }
    return ARB_OK;
}

arb_code arb_file_cache_get(arb_file_cache *cache, arb_str path, const arb_file_format *format,
                            const arb_file_options *options, arb_stop_flag *stop, arb_cached_file **out_file,
                            arb_error *error)
{
    request asked = {path, arb_str_hash(path), 0, format, options, stop};
    arb_source_identity now = {0};
    arb_byte_source *source;
    bool list;
    *out_file = NULL;
    if (memchr(path.data, '\0', path.size) != NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a path holds a zero byte");
    if (options == NULL && arb_source_identity_of_local(path.data, &now, NULL) != ARB_OK)
        now = (arb_source_identity){0}; /* opening will say why */
    if ((*out_file = find_shared(cache, &asked, now, &list)) != NULL)
        return ARB_OK;
    ARB_TRY(arb_file_access_open(cache->roots, path.data, &source, error));
    if (cache->roots != NULL)
        asked.folder_size = arb_roots_holding(cache->roots, path, &(arb_str){0})->folder.size;
    return open_file(cache, &asked, source, list, out_file, error);
}

/* ---- versions ----------------------------------------------------------------------------------------------------- */

static bool find_hash(const arb_cached_file *file, uint64_t *out_hash)
{
    pthread_mutex_lock(&file->cache->lock);
    bool known = file->hashed;
    *out_hash = file->footer_hash;
    pthread_mutex_unlock(&file->cache->lock);
    return known;
}

static void keep_hash(arb_cached_file *file, uint64_t hash)
{
    pthread_mutex_lock(&file->cache->lock);
    file->hashed = true;
    file->footer_hash = hash;
    pthread_mutex_unlock(&file->cache->lock);
}

arb_code arb_file_cache_get_planned(arb_file_cache *cache, const arb_planned_file *planned,
                                    const arb_file_format *format, const arb_file_options *options, arb_stop_flag *stop,
                                    arb_cached_file **out_file, arb_error *error)
{
    request asked = {planned->path, arb_str_hash(planned->path), planned->root->folder.size, format, options, stop};
    arb_byte_source *source;
    uint64_t hash;
    bool list;
    *out_file = NULL;
    ARB_TRY(arb_planned_file_open(planned, &source, error));
    arb_cached_file *file = find_shared(cache, &asked, source->identity, &list);
    arb_code code = file != NULL && find_hash(file, &hash) ? ARB_OK : arb_footer_hash(source, &hash, error);
    if (code == ARB_OK)
        code = arb_planned_file_check_hash(planned, hash, error);
    if (code == ARB_OK && file == NULL) {
        code = open_file(cache, &asked, source, list, &file, error);
        source = NULL;
    }
    arb_byte_source_destroy(source);
    if (code != ARB_OK) {
        arb_file_cache_release(file);
        return code;
    }
    keep_hash(file, hash);
    *out_file = file;
    return ARB_OK;
}

arb_code arb_cached_file_version(arb_cached_file *file, arb_file_version *out_version, arb_error *error)
{
    arb_byte_source *source;
    uint64_t hash;
    if (!find_hash(file, &hash)) {
        ARB_TRY(arb_file_access_open(file->cache->roots, file->path.data, &source, error));
        arb_code code =
            arb_source_identity_equal(source->identity, file->identity)
                ? arb_footer_hash(source, &hash, error)
                : arb_fail(error, ARB_FILE_CHANGED, "%.*s changed since it was opened", ARB_STR_ARGS(file->path));
        arb_byte_source_destroy(source);
        if (code != ARB_OK)
            return code;
        keep_hash(file, hash);
    }
    *out_version = (arb_file_version){file->identity.size, file->identity.modified_ns, hash};
    return ARB_OK;
}

void arb_file_cache_release(arb_cached_file *file)
{
    if (file == NULL)
        return;
    arb_file_cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    bool drop = --file->users == 0 && !file->listed;
    if (!drop && file->users == 0) {
        list_unused(cache, file);
        trim(cache);
    }
    pthread_mutex_unlock(&cache->lock);
    if (drop)
        entry_free(file);
}
