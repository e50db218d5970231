#include "runtime/cpu_pool.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "runtime/workers.h"

/* A task's states. WOKEN: woken while it runs, so a BLOCKED that it returns is answered by running it again. */
enum { TASK_READY, TASK_RUNNING, TASK_WOKEN, TASK_WAITING };

enum { stack_bytes = 2 << 20 };

struct arb_cpu_pool {
    arb_workers workers;
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
    if (pool == NULL)
        return arb_fail_memory(error, "the CPU pool", sizeof *pool);
    arb_code code = arb_workers_init(&pool->workers, threads, "the CPU pool", error);
    if (code != ARB_OK) {
        arb_free(pool);
        return code;
    }
    *out_pool = pool;
    return ARB_OK;
}

void arb_cpu_pool_destroy(arb_cpu_pool *pool)
{
    if (pool == NULL)
        return;
    arb_workers_reset(&pool->workers);
    assert(pool->groups == NULL);
    arb_free(pool);
}

unsigned arb_cpu_pool_threads(const arb_cpu_pool *pool)
{
    return pool->workers.count;
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
    pthread_cond_signal(&pool->workers.work);
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
    pthread_mutex_lock(&pool->workers.lock);
    for (;;) {
        arb_task *task = dequeue(pool);
        if (task == NULL) {
            if (pool->workers.stopping)
                break;
            pthread_cond_wait(&pool->workers.work, &pool->workers.lock);
            continue;
        }
        arb_task_group *group = task->group;
        pthread_mutex_unlock(&pool->workers.lock);
        int64_t start = arb_clock_monotonic_ns();
        arb_task_result result = task->run(task, start + ARB_QUANTUM_NS);
        int64_t spent = arb_clock_monotonic_ns() - start;
        pthread_mutex_lock(&pool->workers.lock);
        if (result == ARB_TASK_DONE) /* the task and, with its last task, the group may be gone */
            continue;
        group->virtual_time += (double)spent * 1e-9 / group->weight;
        if (result == ARB_TASK_YIELD || task->state == TASK_WOKEN)
            enqueue(pool, task);
        else
            task->state = TASK_WAITING;
    }
    pthread_mutex_unlock(&pool->workers.lock);
    return NULL;
}

arb_code arb_task_submit(arb_task *task, arb_error *error)
{
    arb_cpu_pool *pool = task->group->pool;
    pthread_mutex_lock(&pool->workers.lock);
    arb_code code = arb_workers_start(&pool->workers, work, pool, stack_bytes, error);
    if (code == ARB_OK)
        enqueue(pool, task);
    pthread_mutex_unlock(&pool->workers.lock);
    return code;
}

void arb_task_wake(arb_task *task)
{
    arb_cpu_pool *pool = task->group->pool;
    pthread_mutex_lock(&pool->workers.lock);
    if (task->state == TASK_WAITING)
        enqueue(pool, task);
    else if (task->state == TASK_RUNNING)
        task->state = TASK_WOKEN;
    pthread_mutex_unlock(&pool->workers.lock);
}
