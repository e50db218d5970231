#include "io/descriptor_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"

struct arb_descriptor_pool {
    pthread_mutex_t lock;
    size_t most, count;
    arb_pooled_descriptor *hand; /* looked at next; NULL: the ring is empty */
};

enum {
    DEFAULT_MOST = 4096, /* more are no faster: opening a file again costs microseconds */
    /* That are closed for one that is put: what there was too much of goes away again. */
    TAKEN_AT_ONCE = 2,
};

static int descriptor_in(uint64_t state)
{
    return (int)(state >> 32) - 1;
}

static uint64_t readers_in(uint64_t state)
{
    return state & UINT32_MAX;
}

static uint64_t state_of(int descriptor)
{
    return (uint64_t)(descriptor + 1) << 32;
}

arb_code arb_descriptor_pool_create(size_t most, arb_descriptor_pool **out_pool, arb_error *error)
{
    assert(most != 0);
    arb_descriptor_pool *pool = *out_pool = arb_alloc_zeroed(sizeof *pool);
    if (pool == NULL)
        return arb_fail_memory(error, "the pool of open files", sizeof *pool);
    pool->most = most;
    pthread_mutex_init(&pool->lock, NULL);
    return ARB_OK;
}

void arb_descriptor_pool_destroy(arb_descriptor_pool *pool)
{
    if (pool == NULL)
        return;
    assert(pool->count == 0 && pool->hand == NULL);
    pthread_mutex_destroy(&pool->lock);
    arb_free(pool);
}

size_t arb_descriptor_pool_default(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 2 > DEFAULT_MOST)
        return DEFAULT_MOST;
    return ARB_MAX(limit.rlim_cur / 2, 1);
}

size_t arb_descriptor_pool_count(arb_descriptor_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t count = pool->count;
    pthread_mutex_unlock(&pool->lock);
    return count;
}

/* ---- the ring: with the lock held -------------------------------------------------------------------------------- */

/* Behind all others, as the hand will come by. */
static void enter(arb_descriptor_pool *pool, arb_pooled_descriptor *place)
{
    arb_pooled_descriptor *next = pool->hand != NULL ? pool->hand : place;
    place->behind = next;
    place->before = next != place ? next->before : place;
    place->before->behind = place;
    next->before = place;
    pool->hand = next;
    pool->count++;
}

static void leave(arb_descriptor_pool *pool, arb_pooled_descriptor *place)
{
    if (pool->hand == place)
        pool->hand = place->behind != place ? place->behind : NULL;
    place->before->behind = place->behind;
    place->behind->before = place->before;
    place->before = place->behind = NULL;
    pool->count--;
}

/* A descriptor that nobody reads from, for the caller to close; -1: all are in use. The first round passes by what was used
 * since the last one. */
static int take_one(arb_descriptor_pool *pool)
{
    for (size_t looks = 2 * pool->count; looks != 0; looks--) {
        arb_pooled_descriptor *place = pool->hand;
        pool->hand = place->behind;
        if (atomic_exchange_explicit(&place->used, false, memory_order_relaxed))
            continue;
        uint64_t state = atomic_load(&place->state);
        if (readers_in(state) == 0 && atomic_compare_exchange_strong(&place->state, &state, 0)) {
            leave(pool, place);
            return descriptor_in(state);
        }
    }
    return -1;
}

/* Enters the place, and gives back the lock. */
static void enter_and_unlock(arb_descriptor_pool *pool, arb_pooled_descriptor *place)
{
    int taken[TAKEN_AT_ONCE];
    size_t count = 0;
    enter(pool, place);
    while (count < TAKEN_AT_ONCE && pool->count > pool->most && (taken[count] = take_one(pool)) >= 0)
        count++;
    pthread_mutex_unlock(&pool->lock);
    while (count != 0)
        close(taken[--count]);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

void arb_pooled_descriptor_init(arb_pooled_descriptor *place, int descriptor)
{
    assert(descriptor >= 0);
    *place = (arb_pooled_descriptor){.state = state_of(descriptor)};
}

void arb_descriptor_pool_add(arb_descriptor_pool *pool, arb_pooled_descriptor *place)
{
    assert(place->pool == NULL);
    place->pool = pool;
    pthread_mutex_lock(&pool->lock);
    enter_and_unlock(pool, place);
}

void arb_pooled_descriptor_close(arb_pooled_descriptor *place)
{
    if (place->pool != NULL) {
        pthread_mutex_lock(&place->pool->lock);
        if (place->behind != NULL)
            leave(place->pool, place);
        pthread_mutex_unlock(&place->pool->lock);
    }
    uint64_t state = atomic_load(&place->state);
    assert(readers_in(state) == 0);
    if (descriptor_in(state) >= 0)
        close(descriptor_in(state));
}

int arb_pooled_descriptor_begin(arb_pooled_descriptor *place)
{
    int descriptor = descriptor_in(atomic_fetch_add(&place->state, 1));
    /* What is read a second time may be so again. Written once, not by each reader. */
    if (descriptor >= 0 && !atomic_load_explicit(&place->used, memory_order_relaxed))
        atomic_store_explicit(&place->used, true, memory_order_relaxed);
    return descriptor;
}

void arb_pooled_descriptor_end(arb_pooled_descriptor *place)
{
    atomic_fetch_sub(&place->state, 1);
}

int arb_pooled_descriptor_put(arb_pooled_descriptor *place, int descriptor)
{
    arb_descriptor_pool *pool = place->pool;
    pthread_mutex_lock(&pool->lock);
    int there = descriptor_in(atomic_load(&place->state));
    if (there >= 0) {
        pthread_mutex_unlock(&pool->lock);
        close(descriptor);
        return there;
    }
    atomic_fetch_add(&place->state, state_of(descriptor));
    enter_and_unlock(pool, place);
    return descriptor;
}
