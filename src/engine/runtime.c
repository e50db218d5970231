#include "engine/runtime.h"

#include <pthread.h>

#include "base/alloc.h"
#include "engine/known_formats.h"

struct arb_runtime {
    pthread_mutex_t lock; /* pools, threads, queries, spill folder */
    arb_governor governor;
    arb_memory table_memory, file_memory;
    arb_descriptor_pool *descriptors;
    arb_file_cache *cache;
    arb_sample_cache *samples;
    arb_cpu_pool *pool; /* NULL until needed; likewise */
    arb_io_pool *io;
    unsigned threads; /* 0: as many as there are */
    unsigned queries;
    char *spill_folder;
    const arb_roots *write_roots; /* NULL: everywhere */
};

enum {
    FILE_CACHE_BYTES = 64 << 20,
    THREADS_MOST = 1024,
    IO_THREADS_LEAST = 4, /* a disk likes to know of several reads at once; as many as compute, for files in memory */
};

arb_code arb_runtime_create(const arb_runtime_options *options, arb_runtime **out_runtime, arb_error *error)
{
    *out_runtime = NULL;
    arb_runtime *runtime = arb_alloc_zeroed(sizeof *runtime);
    if (runtime == NULL)
        return arb_fail_memory(error, "the runtime", sizeof *runtime);
    pthread_mutex_init(&runtime->lock, NULL);
    arb_governor_init(&runtime->governor,
                      options->memory_limit != 0 ? options->memory_limit : arb_memory_default_limit());
    arb_memory_init(&runtime->table_memory, &runtime->governor);
    arb_memory_init(&runtime->file_memory, &runtime->governor);
    arb_code code;
    size_t descriptors = options->descriptors != 0 ? options->descriptors : arb_descriptor_pool_default();
    ARB_TRY_GOTO(code, arb_descriptor_pool_create(descriptors, &runtime->descriptors, error), fail);
    ARB_TRY_GOTO(code, arb_file_cache_create(FILE_CACHE_BYTES, &runtime->file_memory, &runtime->cache, error), fail);
    arb_file_cache_pool(runtime->cache, runtime->descriptors);
    ARB_TRY_GOTO(code, arb_sample_cache_create(&runtime->file_memory, &runtime->samples, error), fail);
    ARB_TRY_GOTO(code, arb_runtime_set_threads(runtime, options->threads, error), fail);
    ARB_TRY_GOTO(code, arb_runtime_set_spill_folder(runtime, options->spill_folder, error), fail);
    *out_runtime = runtime;
    return ARB_OK;

fail:
    arb_runtime_destroy(runtime);
    return code;
}

void arb_runtime_destroy(arb_runtime *runtime)
{
    if (runtime == NULL)
        return;
    assert(runtime->queries == 0);
    arb_cpu_pool_destroy(runtime->pool);
    arb_io_pool_destroy(runtime->io);
    arb_sample_cache_destroy(runtime->samples);
    arb_file_cache_destroy(runtime->cache);
    arb_descriptor_pool_destroy(runtime->descriptors);
    arb_free(runtime->spill_folder);
    pthread_mutex_destroy(&runtime->lock);
    arb_free(runtime);
}

void arb_runtime_restrict(arb_runtime *runtime, const arb_runtime_access *access)
{
    arb_file_cache_restrict(runtime->cache, access->read);
    runtime->write_roots = access->write;
}

const arb_roots *arb_runtime_write_roots(const arb_runtime *runtime)
{
    return runtime->write_roots;
}

arb_governor *arb_runtime_governor(arb_runtime *runtime)
{
    return &runtime->governor;
}

arb_file_cache *arb_runtime_file_cache(arb_runtime *runtime)
{
    return runtime->cache;
}

arb_sample_cache *arb_runtime_sample_cache(arb_runtime *runtime)
{
    return runtime->samples;
}

arb_memory *arb_runtime_table_memory(arb_runtime *runtime)
{
    return &runtime->table_memory;
}

const arb_file_formats *arb_runtime_formats(const arb_runtime *runtime)
{
    (void)runtime;
    return &arb_known_formats;
}

arb_code arb_runtime_pools(arb_runtime *runtime, arb_cpu_pool **out_cpu, arb_io_pool **out_io, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&runtime->lock);
    unsigned threads = arb_runtime_threads(runtime);
    if (runtime->pool == NULL)
        code = arb_cpu_pool_create(threads, &runtime->pool, error);
    if (runtime->io == NULL && code == ARB_OK)
        code = arb_io_pool_create(ARB_MAX(threads, (unsigned)IO_THREADS_LEAST), &runtime->io, error);
    *out_cpu = runtime->pool;
    *out_io = runtime->io;
    pthread_mutex_unlock(&runtime->lock);
    return code;
}

unsigned arb_runtime_threads(const arb_runtime *runtime)
{
    return runtime->threads != 0 ? runtime->threads : arb_cpu_count();
}

arb_code arb_runtime_set_threads(arb_runtime *runtime, unsigned threads, arb_error *error)
{
    if (threads > THREADS_MOST)
        return arb_fail(error, ARB_CONFIGURATION, "threads must be 1 to %d", THREADS_MOST);
    arb_code code = ARB_OK;
    pthread_mutex_lock(&runtime->lock);
    if (threads != runtime->threads && runtime->queries != 0) {
        code = arb_fail(error, ARB_CONFIGURATION, "threads cannot be changed while a query runs");
    } else if (threads != runtime->threads) {
        arb_cpu_pool_destroy(runtime->pool);
        arb_io_pool_destroy(runtime->io);
        runtime->pool = NULL;
        runtime->io = NULL;
        runtime->threads = threads;
    }
    pthread_mutex_unlock(&runtime->lock);
    return code;
}

void arb_runtime_set_memory_limit(arb_runtime *runtime, uint64_t bytes)
{
    runtime->governor.limit = bytes != 0 ? bytes : arb_memory_default_limit();
}

uint64_t arb_runtime_memory_limit(const arb_runtime *runtime)
{
    return runtime->governor.limit;
}

const char *arb_runtime_spill_folder(const arb_runtime *runtime)
{
    return runtime->spill_folder;
}

arb_code arb_runtime_set_spill_folder(arb_runtime *runtime, const char *folder, arb_error *error)
{
    if (folder == NULL)
        folder = "/tmp";
    char *copy = arb_strndup(folder, strlen(folder));
    if (copy == NULL)
        return arb_fail_memory(error, "a folder's name", strlen(folder));
    pthread_mutex_lock(&runtime->lock);
    arb_code code = ARB_OK;
    if (runtime->queries != 0) { /* they borrow the name */
        code = arb_fail(error, ARB_CONFIGURATION, "the spill folder cannot be changed while a query runs");
        arb_free(copy);
    } else {
        arb_free(runtime->spill_folder);
        runtime->spill_folder = copy;
    }
    pthread_mutex_unlock(&runtime->lock);
    return code;
}

void arb_runtime_query_begins(arb_runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    runtime->queries++;
    pthread_mutex_unlock(&runtime->lock);
}

void arb_runtime_query_ends(arb_runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    assert(runtime->queries > 0);
    runtime->queries--;
    pthread_mutex_unlock(&runtime->lock);
}
