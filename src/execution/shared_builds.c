#include "execution/shared_builds.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"

typedef enum build_state { BUILD_FREE, BUILD_TAKEN, BUILD_SEALED, BUILD_SPLIT } build_state;

struct arb_shared_build {
    arb_shared_builds *builds;
    arb_shared_build *next;
    uint32_t node;
    /* the builds' lock */
    build_state state;
    const void *builder; /* TAKEN: the join */
    arb_sealed_build *sealed;
    arb_build_waiter *waiting;
};

struct arb_shared_builds {
    _Atomic unsigned references;
    pthread_mutex_t lock;
    arb_shared_build *first;
};

arb_code arb_shared_builds_create(arb_shared_builds **out_builds, arb_error *error)
{
    arb_shared_builds *builds = arb_alloc_zeroed(sizeof *builds);
    *out_builds = builds;
    if (builds == NULL)
        return arb_fail_memory(error, "shared build sides", sizeof *builds);
    atomic_init(&builds->references, 1);
    pthread_mutex_init(&builds->lock, NULL);
    return ARB_OK;
}

arb_shared_builds *arb_shared_builds_ref(arb_shared_builds *builds)
{
    atomic_fetch_add_explicit(&builds->references, 1, memory_order_relaxed);
    return builds;
}

void arb_shared_builds_unref(arb_shared_builds *builds)
{
    if (builds == NULL || atomic_fetch_sub_explicit(&builds->references, 1, memory_order_acq_rel) != 1)
        return;
    for (arb_shared_build *build = builds->first, *next; build != NULL; build = next) {
        assert(build->waiting == NULL);
        next = build->next;
        if (build->sealed != NULL)
            build->sealed->destroy(build->sealed);
        arb_free(build);
    }
    pthread_mutex_destroy(&builds->lock);
    arb_free(builds);
}

arb_code arb_shared_builds_get(arb_shared_builds *builds, uint32_t node, arb_shared_build **out_build, arb_error *error)
{
    pthread_mutex_lock(&builds->lock);
    arb_shared_build *build = builds->first;
    while (build != NULL && build->node != node)
        build = build->next;
    if (build == NULL && (build = arb_alloc_zeroed(sizeof *build)) != NULL) {
        build->builds = builds;
        build->node = node;
        build->next = builds->first;
        builds->first = build;
    }
    pthread_mutex_unlock(&builds->lock);
    *out_build = build;
    return build != NULL ? ARB_OK : arb_fail_memory(error, "shared build sides", sizeof *build);
}

/* With the lock held: take the waiter out of the list, if it is there. */
static void unlist(arb_shared_build *build, arb_build_waiter *waiter)
{
    arb_build_waiter **at = &build->waiting;
    while (*at != NULL && *at != waiter)
        at = &(*at)->next;
    if (*at == waiter)
        *at = waiter->next;
    waiter->join = NULL;
}

/* With the lock held: those of the join, or all. */
static void wake(arb_shared_build *build, const void *join)
{
    arb_build_waiter **at = &build->waiting;
    while (*at != NULL) {
        arb_build_waiter *waiter = *at;
        if (join != NULL && waiter->join != join) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->join = NULL;
        arb_task_wake(waiter->task);
    }
}

arb_build_turn arb_shared_build_begin(arb_shared_build *build, const void *join, arb_build_waiter *waiter)
{
    pthread_mutex_lock(&build->builds->lock);
    arb_build_turn turn = build->state == BUILD_SPLIT ? ARB_BUILD_ALONE : ARB_BUILD_FOR_ALL;
    if (build->state == BUILD_FREE) {
        build->state = BUILD_TAKEN;
        build->builder = join;
    } else if (build->state == BUILD_SEALED) {
        turn = ARB_BUILD_SEALED;
    } else if (build->state == BUILD_TAKEN && build->builder != join) {
        turn = ARB_BUILD_WAIT;
        if (waiter->join == NULL) {
            waiter->join = join;
            waiter->next = build->waiting;
            build->waiting = waiter;
        }
    }
    pthread_mutex_unlock(&build->builds->lock);
    return turn;
}

void arb_shared_build_forget(arb_shared_build *build, arb_build_waiter *waiter)
{
    pthread_mutex_lock(&build->builds->lock);
    unlist(build, waiter);
    pthread_mutex_unlock(&build->builds->lock);
}

/* With the lock held: the join has the build no more, if it had it. */
static bool settle(arb_shared_build *build, const void *join, build_state state)
{
    if (build->state != BUILD_TAKEN || build->builder != join)
        return false;
    build->state = state;
    build->builder = NULL;
    wake(build, NULL);
    return true;
}

void arb_shared_build_leave(arb_shared_build *build, const void *join)
{
    pthread_mutex_lock(&build->builds->lock);
    if (!settle(build, join, BUILD_FREE))
        wake(build, join);
    pthread_mutex_unlock(&build->builds->lock);
}

bool arb_shared_build_seal(arb_shared_build *build, const void *join, arb_sealed_build *sealed)
{
    pthread_mutex_lock(&build->builds->lock);
    bool taken = settle(build, join, BUILD_SEALED);
    if (taken)
        build->sealed = sealed;
    pthread_mutex_unlock(&build->builds->lock);
    return taken;
}

void arb_shared_build_split(arb_shared_build *build, const void *join)
{
    pthread_mutex_lock(&build->builds->lock);
    (void)settle(build, join, BUILD_SPLIT);
    pthread_mutex_unlock(&build->builds->lock);
}

const arb_sealed_build *arb_shared_build_sealed(arb_shared_build *build)
{
    pthread_mutex_lock(&build->builds->lock);
    const arb_sealed_build *sealed = build->sealed;
    pthread_mutex_unlock(&build->builds->lock);
    return sealed;
}
