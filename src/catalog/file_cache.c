#include "catalog/file_cache.h"

#include <pthread.h>

#include "base/alloc.h"

/* Entries form one list, the most recently used first. A process opens some dozens of files, rarely some thousands, so
 * they are found by a hash table of chains over the path. */
enum { BUCKETS = 1024 };

typedef struct entry {
    arb_cached_file public;
    struct entry *next_in_bucket;
    uint64_t hash;
    char path[];
} entry;

struct arb_file_cache {
    pthread_mutex_t lock;
    uint64_t limit, bytes;
    arb_memory *memory;
    arb_cached_file *newest, *oldest;
    entry *buckets[BUCKETS];
};

arb_code arb_file_cache_create(uint64_t limit, arb_memory *memory, arb_file_cache **out_cache, arb_error *error)
{
    *out_cache = arb_alloc_zeroed(sizeof **out_cache);
    if (*out_cache == NULL)
        return arb_fail_memory(error, "the file cache", sizeof **out_cache);
    (*out_cache)->limit = limit;
    (*out_cache)->memory = memory;
    pthread_mutex_init(&(*out_cache)->lock, NULL);
    return ARB_OK;
}

static void entry_free(arb_cached_file *file)
{
    if (file->file != NULL)
        file->file->vtable->destroy(file->file);
    arb_free(ARB_CONTAINER_OF(file, entry, public));
}

static void unlink_entry(arb_file_cache *cache, arb_cached_file *file)
{
    entry *self = ARB_CONTAINER_OF(file, entry, public);
    entry **at = &cache->buckets[self->hash % BUCKETS];
    while (*at != self)
        at = &(*at)->next_in_bucket;
    *at = self->next_in_bucket;
    if (file->newer != NULL)
        file->newer->older = file->older;
    else
        cache->newest = file->older;
    if (file->older != NULL)
        file->older->newer = file->newer;
    else
        cache->oldest = file->newer;
    cache->bytes -= file->bytes;
    file->listed = false;
}

static void link_entry(arb_file_cache *cache, arb_cached_file *file)
{
    entry *self = ARB_CONTAINER_OF(file, entry, public);
    self->next_in_bucket = cache->buckets[self->hash % BUCKETS];
    cache->buckets[self->hash % BUCKETS] = self;
    file->newer = NULL;
    file->older = cache->newest;
    if (cache->newest != NULL)
        cache->newest->newer = file;
    else
        cache->oldest = file;
    cache->newest = file;
    cache->bytes += file->bytes;
    file->listed = true;
}

/* Drop what nobody uses, oldest first, until the cache fits: into its own limit, and into a small part of the budget. */
static void trim(arb_file_cache *cache)
{
    uint64_t limit = ARB_MIN(cache->limit, cache->memory->governor->limit / 8);
    arb_cached_file *file = cache->oldest;
    while (file != NULL && cache->bytes > limit) {
        arb_cached_file *newer = file->newer;
        if (file->users == 0) {
            unlink_entry(cache, file);
            entry_free(file);
        }
        file = newer;
    }
}

void arb_file_cache_destroy(arb_file_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->newest != NULL) {
        arb_cached_file *file = cache->newest;
        assert(file->users == 0);
        unlink_entry(cache, file);
        entry_free(file);
    }
    pthread_mutex_destroy(&cache->lock);
    arb_free(cache);
}

bool arb_cached_file_is_current(const arb_cached_file *file)
{
    arb_source_identity identity;
    return arb_source_identity_of_local(file->path.data, &identity, NULL) == ARB_OK &&
           arb_source_identity_equal(identity, file->identity);
}

/* Called with the lock held. */
static arb_cached_file *find_current(arb_file_cache *cache, arb_str path, uint64_t hash)
{
    for (entry *at = cache->buckets[hash % BUCKETS]; at != NULL; at = at->next_in_bucket) {
        if (at->hash != hash || !arb_str_equal(at->public.path, path))
            continue;
        arb_cached_file *file = &at->public;
        bool current = arb_cached_file_is_current(file);
        unlink_entry(cache, file);
        if (current) {
            link_entry(cache, file);
            file->users++;
            return file;
        }
        if (file->users == 0)
            entry_free(file);
        return NULL;
    }
    return NULL;
}

static arb_code open_entry(arb_file_cache *cache, arb_str path, uint64_t hash, const arb_file_format *format,
                           const arb_file_options *options, arb_stop_flag *stop, arb_cached_file **out_file,
                           arb_error *error)
{
    if (format->open == NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "%.*s: files of format %s cannot be read yet", ARB_STR_ARGS(path),
                        format->name);
    entry *self = arb_alloc_zeroed(sizeof *self + path.size + 1);
    if (self == NULL)
        return arb_fail_memory(error, "the file cache", sizeof *self + path.size + 1);
    memcpy(self->path, path.data, path.size);
    self->hash = hash;
    arb_cached_file *file = &self->public;
    file->path = (arb_str){self->path, path.size};
    file->format = format;
    file->cache = cache;
    arb_byte_source *source;
    arb_code code;
    ARB_TRY_GOTO(code, arb_byte_source_open_local(self->path, &source, error), fail);
    file->identity = source->identity;
    arb_reservation_init(&source->held, cache->memory, "an open file");
    ARB_TRY_GOTO(code, format->open(source, options, stop, &file->file, error), fail);
    file->bytes = file->file->bytes + sizeof *self + path.size;
    file->users = 1;
    *out_file = file;
    return ARB_OK;

fail:
    arb_free(self);
    return code;
}

arb_code arb_file_cache_get(arb_file_cache *cache, arb_str path, const arb_file_format *format,
                            const arb_file_options *options, arb_stop_flag *stop, arb_cached_file **out_file,
                            arb_error *error)
{
    *out_file = NULL;
    if (memchr(path.data, '\0', path.size) != NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a path holds a zero byte");
    uint64_t hash = arb_str_hash(path);
    if (options != NULL)
        return open_entry(cache, path, hash, format, options, stop, out_file, error);
    pthread_mutex_lock(&cache->lock);
    *out_file = find_current(cache, path, hash);
    pthread_mutex_unlock(&cache->lock);
    if (*out_file != NULL && (*out_file)->format == format)
        return ARB_OK;
    arb_file_cache_release(*out_file); /* known as another format: opened beside it, outside of the list */
    bool list = *out_file == NULL;
    *out_file = NULL;
    ARB_TRY(open_entry(cache, path, hash, format, NULL, stop, out_file, error));
    if (list) {
        pthread_mutex_lock(&cache->lock);
        link_entry(cache, *out_file);
        trim(cache);
        pthread_mutex_unlock(&cache->lock);
    }
    return ARB_OK;
}

void arb_file_cache_release(arb_cached_file *file)
{
    if (file == NULL)
        return;
    arb_file_cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    bool drop = --file->users == 0 && !file->listed;
    if (!drop && file->users == 0)
        trim(cache);
    pthread_mutex_unlock(&cache->lock);
    if (drop)
        entry_free(file);
}
