#include "runtime/io_pool.h"

#include <pthread.h>

#include "base/alloc.h"

enum { REQUEST_NEW, REQUEST_QUEUED, REQUEST_RUNNING, REQUEST_ABANDONED, REQUEST_OVER };

enum { stack_bytes = 256 << 10 };

/* The lock guards all states. A task is woken under it (the CPU pool's lock is the inner one), and whoever asks whether a
 * request is over takes it too: so a task that saw its last request end, and may be gone the next moment, is not about to
 * be woken. */
struct arb_io_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t *threads;
    unsigned thread_count, started;
    bool stopping;
    arb_io_request *first, **end; /* queued */
};

arb_code arb_io_pool_create(unsigned threads, arb_io_pool **out_pool, arb_error *error)
{
    *out_pool = NULL;
    arb_io_pool *pool = arb_alloc_zeroed(sizeof *pool);
    pthread_t *list = arb_alloc_zeroed(sizeof(pthread_t) * threads);
    if (pool == NULL || list == NULL) {
        arb_free(pool);
        arb_free(list);
        return arb_fail_memory(error, "the I/O pool", sizeof *pool);
    }
    pool->threads = list;
    pool->thread_count = threads;
    pool->end = &pool->first;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    *out_pool = pool;
    return ARB_OK;
}

void arb_io_pool_destroy(arb_io_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    assert(pool->first == NULL);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    arb_free(pool->threads);
    arb_free(pool);
}

/* ---- who waits --------------------------------------------------------------------------------------------------- */

void arb_io_group_init(arb_io_group *group, arb_io_pool *pool)
{
    *group = (arb_io_group){.pool = pool};
}

/* With the lock held. */
static void wake(arb_io_waiter *waiter)
{
    if (!waiter->waiting)
        return;
    waiter->waiting = false;
    arb_task_wake(waiter->task);
}

void arb_io_group_close(arb_io_group *group)
{
    pthread_mutex_lock(&group->pool->lock);
    group->closed = true;
    for (arb_io_waiter *at = group->waiters; at != NULL; at = at->next)
        wake(at);
    pthread_mutex_unlock(&group->pool->lock);
}

void arb_io_waiter_init(arb_io_waiter *waiter, arb_io_group *group, arb_task *task)
{
    *waiter = (arb_io_waiter){.group = group, .task = task};
    pthread_mutex_lock(&group->pool->lock);
    waiter->next = group->waiters;
    waiter->link = &group->waiters;
    if (waiter->next != NULL)
        waiter->next->link = &waiter->next;
    group->waiters = waiter;
    pthread_mutex_unlock(&group->pool->lock);
}

void arb_io_waiter_reset(arb_io_waiter *waiter)
{
    if (waiter->group == NULL)
        return;
    arb_io_pool *pool = waiter->group->pool;
    pthread_mutex_lock(&pool->lock);
    *waiter->link = waiter->next;
    if (waiter->next != NULL)
        waiter->next->link = waiter->link;
    waiter->group = NULL;
    pthread_mutex_unlock(&pool->lock);
}

bool arb_io_wait(arb_io_waiter *waiter, uint64_t seen)
{
    arb_io_pool *pool = waiter->group->pool;
    pthread_mutex_lock(&pool->lock);
    waiter->waiting = !waiter->group->closed && arb_io_waiter_ended(waiter) == seen;
    bool waits = waiter->waiting;
    pthread_mutex_unlock(&pool->lock);
    return waits;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* All with the lock held. */
static void enqueue(arb_io_pool *pool, arb_io_request *request)
{
    request->next = NULL;
    request->link = pool->end;
    *pool->end = request;
    pool->end = &request->next;
    request->state = REQUEST_QUEUED;
}

static void unlink_request(arb_io_pool *pool, arb_io_request *request)
{
    *request->link = request->next;
    if (request->next != NULL)
        request->next->link = request->link;
    else
        pool->end = request->link;
}

static void *serve(void *argument)
{
    arb_io_pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        arb_io_request *request = pool->first;
        if (request == NULL) {
            if (pool->stopping)
                break;
            pthread_cond_wait(&pool->work, &pool->lock);
            continue;
        }
        unlink_request(pool, request);
        request->state = REQUEST_RUNNING;
        pthread_mutex_unlock(&pool->lock);
        request->run(request);
        pthread_mutex_lock(&pool->lock);
        if (request->state == REQUEST_ABANDONED) {
            pthread_mutex_unlock(&pool->lock);
            request->drop(request);
            pthread_mutex_lock(&pool->lock);
            continue;
        }
        request->state = REQUEST_OVER;
        atomic_fetch_add_explicit(&request->waiter->ended, 1, memory_order_release);
        wake(request->waiter);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static arb_code start_threads(arb_io_pool *pool, arb_error *error)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    int failure = 0;
    while (pool->started < pool->thread_count && failure == 0) {
        failure = pthread_create(&pool->threads[pool->started], &attributes, serve, pool);
        pool->started += failure == 0;
    }
    pthread_attr_destroy(&attributes);
    return pool->started == 0 ? arb_fail_errno(error, failure, "cannot start a thread") : ARB_OK;
}

arb_code arb_io_submit(arb_io_request *request, arb_io_waiter *waiter, arb_error *error)
{
    arb_io_pool *pool = waiter->group->pool;
    assert(request->state == REQUEST_NEW);
    pthread_mutex_lock(&pool->lock);
    arb_code code = pool->started == 0 ? start_threads(pool, error) : ARB_OK;
    if (code == ARB_OK) {
        request->pool = pool;
        request->waiter = waiter;
        enqueue(pool, request);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return code;
}

void arb_io_run(arb_io_request *request)
{
    assert(request->state == REQUEST_NEW);
    request->run(request);
    request->state = REQUEST_OVER;
}

bool arb_io_is_over(arb_io_request *request)
{
    if (request->pool == NULL)
        return request->state == REQUEST_OVER;
    pthread_mutex_lock(&request->pool->lock);
    bool over = request->state == REQUEST_OVER;
    pthread_mutex_unlock(&request->pool->lock);
    return over;
}

void arb_io_abandon(arb_io_request *request)
{
    arb_io_pool *pool = request->pool;
    bool running = false;
    if (pool != NULL) {
        pthread_mutex_lock(&pool->lock);
        running = request->state == REQUEST_RUNNING;
        if (running)
            request->state = REQUEST_ABANDONED;
        else if (request->state == REQUEST_QUEUED)
            unlink_request(pool, request);
        pthread_mutex_unlock(&pool->lock);
    }
    if (!running)
        request->drop(request);
}
