#include "runtime/io_pool.h"

#include "base/alloc.h"
#include "runtime/workers.h"

enum { REQUEST_NEW, REQUEST_QUEUED, REQUEST_RUNNING, REQUEST_ABANDONED, REQUEST_OVER };

enum { stack_bytes = 256 << 10 };

/* The lock guards all states. A task is woken under it (the CPU pool's lock is the inner one), and whoever asks whether a
 * request is over takes it too: so a task that saw its last request end, and may be gone the next moment, is not about to
 * be woken. */
struct arb_io_pool {
    arb_workers workers;
    arb_io_request *first, **end; /* queued */
};

arb_code arb_io_pool_create(unsigned threads, arb_io_pool **out_pool, arb_error *error)
{
    *out_pool = NULL;
    arb_io_pool *pool = arb_alloc_zeroed(sizeof *pool);
    if (pool == NULL)
        return arb_fail_memory(error, "the I/O pool", sizeof *pool);
    arb_code code = arb_workers_init(&pool->workers, threads, "the I/O pool", error);
    if (code != ARB_OK) {
        arb_free(pool);
        return code;
    }
    pool->end = &pool->first;
    *out_pool = pool;
    return ARB_OK;
}

void arb_io_pool_destroy(arb_io_pool *pool)
{
    if (pool == NULL)
        return;
    arb_workers_reset(&pool->workers);
    assert(pool->first == NULL);
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
    pthread_mutex_lock(&group->pool->workers.lock);
    group->closed = true;
    for (arb_io_waiter *at = group->waiters; at != NULL; at = at->next)
        wake(at);
    pthread_mutex_unlock(&group->pool->workers.lock);
}

void arb_io_waiter_init(arb_io_waiter *waiter, arb_io_group *group, arb_task *task)
{
    *waiter = (arb_io_waiter){.group = group, .task = task};
    pthread_mutex_lock(&group->pool->workers.lock);
    waiter->next = group->waiters;
    waiter->link = &group->waiters;
    if (waiter->next != NULL)
        waiter->next->link = &waiter->next;
    group->waiters = waiter;
    pthread_mutex_unlock(&group->pool->workers.lock);
}

void arb_io_waiter_reset(arb_io_waiter *waiter)
{
    if (waiter->group == NULL)
        return;
    arb_io_pool *pool = waiter->group->pool;
    pthread_mutex_lock(&pool->workers.lock);
    *waiter->link = waiter->next;
    if (waiter->next != NULL)
        waiter->next->link = waiter->link;
    waiter->group = NULL;
    pthread_mutex_unlock(&pool->workers.lock);
}

bool arb_io_wait(arb_io_waiter *waiter, uint64_t seen)
{
    arb_io_pool *pool = waiter->group->pool;
    pthread_mutex_lock(&pool->workers.lock);
    waiter->waiting = !waiter->group->closed && arb_io_waiter_ended(waiter) == seen;
    bool waits = waiter->waiting;
    pthread_mutex_unlock(&pool->workers.lock);
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
    pthread_mutex_lock(&pool->workers.lock);
    for (;;) {
        arb_io_request *request = pool->first;
        if (request == NULL) {
            if (pool->workers.stopping)
                break;
            pthread_cond_wait(&pool->workers.work, &pool->workers.lock);
            continue;
        }
        unlink_request(pool, request);
        request->state = REQUEST_RUNNING;
        pthread_mutex_unlock(&pool->workers.lock);
        request->run(request);
        pthread_mutex_lock(&pool->workers.lock);
        if (request->state == REQUEST_ABANDONED) {
            pthread_mutex_unlock(&pool->workers.lock);
            request->drop(request);
            pthread_mutex_lock(&pool->workers.lock);
            continue;
        }
        request->state = REQUEST_OVER;
        atomic_fetch_add_explicit(&request->waiter->ended, 1, memory_order_release);
        wake(request->waiter);
    }
    pthread_mutex_unlock(&pool->workers.lock);
    return NULL;
}

arb_code arb_io_submit(arb_io_request *request, arb_io_waiter *waiter, arb_error *error)
{
    arb_io_pool *pool = waiter->group->pool;
    assert(request->state == REQUEST_NEW);
    pthread_mutex_lock(&pool->workers.lock);
    arb_code code = arb_workers_start(&pool->workers, serve, pool, stack_bytes, error);
    if (code == ARB_OK) {
        request->pool = pool;
        request->waiter = waiter;
        enqueue(pool, request);
        pthread_cond_signal(&pool->workers.work);
    }
    pthread_mutex_unlock(&pool->workers.lock);
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
    pthread_mutex_lock(&request->pool->workers.lock);
    bool over = request->state == REQUEST_OVER;
    pthread_mutex_unlock(&request->pool->workers.lock);
    return over;
}

void arb_io_abandon(arb_io_request *request)
{
    arb_io_pool *pool = request->pool;
    bool running = false;
    if (pool != NULL) {
        pthread_mutex_lock(&pool->workers.lock);
        running = request->state == REQUEST_RUNNING;
        if (running)
            request->state = REQUEST_ABANDONED;
        else if (request->state == REQUEST_QUEUED)
            unlink_request(pool, request);
        pthread_mutex_unlock(&pool->workers.lock);
    }
    if (!running)
        request->drop(request);
}
