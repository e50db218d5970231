#include "runtime/cpu_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

/* A task's states. WOKEN: woken while it runs, so a BLOCKED that it returns is answered by running it again. */
enum { TASK_READY, TASK_RUNNING, TASK_WOKEN, TASK_WAITING };

enum { stack_bytes = 2 << 20 };

struct arb_cpu_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t *threads;
    unsigned thread_count, started;
    bool stopping;
    arb_task_group *groups; /* those with ready tasks */
    double least_time;      /* where a group that comes back starts, so that idling earns nothing */
};

unsigned arb_cpu_count(void)
{
    cpu_set_t set;
    unsigned count = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file != NULL) {
        char quota[32], period[32];
        if (fscanf(file, "%31s %31s", quota, period) == 2 && quota[0] != 'm') {
            unsigned long whole = strtoul(quota, NULL, 10), part = strtoul(period, NULL, 10);
            if (part != 0)
                count = ARB_MIN(count, (unsigned)ARB_MAX((whole + part - 1) / part, 1ul));
        }
        fclose(file);
    }
    return ARB_MAX(count, 1u);
}

arb_code arb_cpu_pool_create(unsigned threads, arb_cpu_pool **out_pool, arb_error *error)
{
    *out_pool = NULL;
    arb_cpu_pool *pool = arb_alloc_zeroed(sizeof *pool);
    pthread_t *list = arb_alloc_zeroed(sizeof(pthread_t) * threads);
    if (pool == NULL || list == NULL) {
        arb_free(pool);
        arb_free(list);
        return arb_fail_memory(error, "the CPU pool", sizeof *pool);
    }
    pool->threads = list;
    pool->thread_count = threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    *out_pool = pool;
    return ARB_OK;
}

void arb_cpu_pool_destroy(arb_cpu_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    assert(pool->groups == NULL);
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

unsigned arb_cpu_pool_threads(const arb_cpu_pool *pool)
{
    return pool->thread_count;
}

void arb_task_group_init(arb_task_group *group, arb_cpu_pool *pool)
{
    *group = (arb_task_group){.pool = pool, .weight = 1};
    group->ready_end = &group->ready;
}

/* All below with the lock held. */
static void enqueue(arb_cpu_pool *pool, arb_task *task)
{
    arb_task_group *group = task->group;
    task->state = TASK_READY;
    task->next = NULL;
    *group->ready_end = task;
    group->ready_end = &task->next;
    if (!group->listed) {
        group->listed = true;
        group->virtual_time = ARB_MAX(group->virtual_time, pool->least_time);
        group->next = pool->groups;
        pool->groups = group;
    }
    pthread_cond_signal(&pool->work);
}

static arb_task *dequeue(arb_cpu_pool *pool)
{
    arb_task_group **best = NULL;
    for (arb_task_group **at = &pool->groups; *at != NULL; at = &(*at)->next)
        if (best == NULL || (*at)->virtual_time < (*best)->virtual_time)
            best = at;
    if (best == NULL)
        return NULL;
    arb_task_group *group = *best;
    pool->least_time = ARB_MAX(pool->least_time, group->virtual_time);
    arb_task *task = group->ready;
    group->ready = task->next;
    if (group->ready == NULL) {
        group->ready_end = &group->ready;
        group->listed = false;
        *best = group->next;
    }
    task->state = TASK_RUNNING;
    return task;
}

static void *work(void *argument)
{
    arb_cpu_pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        arb_task *task = dequeue(pool);
        if (task == NULL) {
            if (pool->stopping)
                break;
            pthread_cond_wait(&pool->work, &pool->lock);
            continue;
        }
        arb_task_group *group = task->group;
        pthread_mutex_unlock(&pool->lock);
        int64_t start = arb_clock_monotonic_ns();
        arb_task_result result = task->run(task, start + ARB_QUANTUM_NS);
        int64_t spent = arb_clock_monotonic_ns() - start;
        pthread_mutex_lock(&pool->lock);
        if (result == ARB_TASK_DONE) /* the task and, with its last task, the group may be gone */
            continue;
        group->virtual_time += (double)spent * 1e-9 / group->weight;
        if (result == ARB_TASK_YIELD || task->state == TASK_WOKEN)
            enqueue(pool, task);
        else
            task->state = TASK_WAITING;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static arb_code start_threads(arb_cpu_pool *pool, arb_error *error)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    int failure = 0;
    while (pool->started < pool->thread_count && failure == 0) {
        failure = pthread_create(&pool->threads[pool->started], &attributes, work, pool);
        pool->started += failure == 0;
    }
    pthread_attr_destroy(&attributes);
    /* fewer threads than wanted are slower, not wrong; none at all would hang */
    return pool->started == 0 ? arb_fail_errno(error, failure, "cannot start a thread") : ARB_OK;
}

arb_code arb_task_submit(arb_task *task, arb_error *error)
{
    arb_cpu_pool *pool = task->group->pool;
    pthread_mutex_lock(&pool->lock);
    arb_code code = pool->started == 0 ? start_threads(pool, error) : ARB_OK;
    if (code == ARB_OK)
        enqueue(pool, task);
    pthread_mutex_unlock(&pool->lock);
    return code;
}

void arb_task_wake(arb_task *task)
{
    arb_cpu_pool *pool = task->group->pool;
    pthread_mutex_lock(&pool->lock);
    if (task->state == TASK_WAITING)
        enqueue(pool, task);
    else if (task->state == TASK_RUNNING)
        task->state = TASK_WOKEN;
    pthread_mutex_unlock(&pool->lock);
}
