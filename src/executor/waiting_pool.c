#include "executor/waiting_pool.h"

enum { STACK_BYTES = 1 << 20 }; /* plans are decoded by recursion */

static void *serve(void *context)
{
    arb_waiting_pool *pool = context;
    pthread_mutex_lock(&pool->workers.lock);
    for (;;) {
        arb_waiting_job *job = pool->first;
        if (job == NULL) {
            if (pool->workers.stopping)
                break;
            pthread_cond_wait(&pool->workers.work, &pool->workers.lock);
            continue;
        }
        pool->first = job->next;
        if (pool->first == NULL)
            pool->last = &pool->first;
        pthread_mutex_unlock(&pool->workers.lock);
        job->run(job);
        pthread_mutex_lock(&pool->workers.lock);
    }
    pthread_mutex_unlock(&pool->workers.lock);
    return NULL;
}

arb_code arb_waiting_pool_init(arb_waiting_pool *pool, unsigned threads, arb_error *error)
{
    ARB_TRY(arb_workers_init(&pool->workers, threads, "the threads that start tasks", error));
    pool->first = NULL;
    pool->last = &pool->first;
    pthread_mutex_lock(&pool->workers.lock);
    arb_code code = arb_workers_start(&pool->workers, serve, pool, STACK_BYTES, error);
    pthread_mutex_unlock(&pool->workers.lock);
    if (code != ARB_OK)
        arb_workers_reset(&pool->workers);
    return code;
}

void arb_waiting_pool_reset(arb_waiting_pool *pool)
{
    arb_workers_reset(&pool->workers);
}

void arb_waiting_pool_submit(arb_waiting_pool *pool, arb_waiting_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&pool->workers.lock);
    *pool->last = job;
    pool->last = &job->next;
    pthread_cond_signal(&pool->workers.work);
    pthread_mutex_unlock(&pool->workers.lock);
}
