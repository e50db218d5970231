#include "catalog/segment_source.h"

#include <pthread.h>

#include "base/alloc.h"

struct arb_segment_source {
    arb_byte_source base;
    arb_segment_finder finder; /* held */
    arb_segment_wanted wanted;
    arb_arena arena; /* types */
    pthread_mutex_t lock;
    unsigned interested;
    _Atomic bool unwanted;   /* nobody is: stops what looks for it */
    arb_memory_chunk *chunk; /* a reference, or NULL */
};

/* A chunk has come. */
static void put(arb_segment_source *source, arb_memory_chunk *chunk)
{
    pthread_mutex_lock(&source->lock);
    arb_memory_chunk *drop = chunk;
    if (source->interested != 0) {
        drop = source->chunk;
        source->chunk = chunk;
    }
    pthread_mutex_unlock(&source->lock);
    arb_memory_chunk_unref(drop);
}

static void source_destroy(arb_byte_source *base)
{
    arb_segment_source *source = (arb_segment_source *)base;
    assert(source->interested == 0 && source->chunk == NULL);
    source->finder.let_go(source->finder.context);
    pthread_mutex_destroy(&source->lock);
    arb_arena_reset(&source->arena);
    arb_free(source);
}

static arb_code source_read(const arb_byte_source *base, uint64_t offset, void *to, size_t size, arb_error *error)
{
    arb_segment_source *source = (arb_segment_source *)(uintptr_t)base;
    arb_memory_chunk *chunk;
    (void)offset;
    ARB_TRY(source->finder.find(source->finder.context, &source->wanted, &source->unwanted, &chunk, error));
    put(source, chunk);
    memset(to, 0, size);
    return ARB_OK;
}

static size_t source_try_read(const arb_byte_source *base, uint64_t offset, void *to, size_t size)
{
    arb_segment_source *source = (arb_segment_source *)(uintptr_t)base;
    arb_memory_chunk *chunk = source->finder.peek(source->finder.context, &source->wanted);
    (void)offset;
    if (chunk == NULL)
        return 0;
    put(source, chunk);
    memset(to, 0, size);
    return size;
}

static bool copy_wanted(arb_segment_source *source, const arb_segment_wanted *wanted)
{
    arb_type *types = ARB_ARENA_ARRAY(&source->arena, arb_type, wanted->column_count + 1);
    source->wanted = *wanted;
    source->wanted.types = types;
    for (size_t i = 0; types != NULL && i < wanted->column_count; i++) {
        types[i] = arb_type_copy(&source->arena, wanted->types[i]);
        if (!arb_type_equal(types[i], wanted->types[i]))
            return false;
    }
    return types != NULL;
}

arb_code arb_segment_source_create(const arb_segment_finder *finder, const arb_segment_wanted *wanted,
                                   arb_segment_source **out_source, arb_error *error)
{
    static const arb_byte_source_vtable vtable = {
        .destroy = source_destroy, .read = source_read, .try_read = source_try_read};
    *out_source = NULL;
    arb_segment_source *source = arb_alloc_zeroed(sizeof *source);
    if (source == NULL || !copy_wanted(source, wanted)) {
        if (source != NULL)
            arb_arena_reset(&source->arena);
        arb_free(source);
        return arb_fail_memory(error, "a table in memory", sizeof *source);
    }
    source->base = (arb_byte_source){.vtable = &vtable, .path = ARB_STR("a segment"), .identity.size = 1};
    source->finder = *finder;
    source->finder.hold(source->finder.context);
    pthread_mutex_init(&source->lock, NULL);
    *out_source = source;
    return ARB_OK;
}

void arb_segment_source_destroy(arb_segment_source *source)
{
    if (source != NULL)
        arb_byte_source_destroy(&source->base);
}

const arb_segment_wanted *arb_segment_source_wanted(const arb_segment_source *source)
{
    return &source->wanted;
}

const arb_byte_source *arb_segment_source_bytes(const arb_segment_source *source)
{
    return &source->base;
}

void arb_segment_source_want(arb_segment_source *source)
{
    pthread_mutex_lock(&source->lock);
    source->interested++;
    atomic_store(&source->unwanted, false);
    pthread_mutex_unlock(&source->lock);
}

arb_memory_chunk *arb_segment_source_take(arb_segment_source *source)
{
    pthread_mutex_lock(&source->lock);
    assert(source->chunk != NULL);
    arb_memory_chunk *chunk = arb_memory_chunk_ref(source->chunk);
    pthread_mutex_unlock(&source->lock);
    return chunk;
}

void arb_segment_source_leave(arb_segment_source *source)
{
    arb_memory_chunk *drop = NULL;
    pthread_mutex_lock(&source->lock);
    if (--source->interested == 0) {
        drop = source->chunk;
        source->chunk = NULL;
        atomic_store(&source->unwanted, true);
    }
    pthread_mutex_unlock(&source->lock);
    arb_memory_chunk_unref(drop);
}
