#include <errno.h>

#include "rpc/rpc_transport.h"

void arb_rpc_live_init(arb_rpc_live *live)
{
    pthread_condattr_t attributes;
    *live = (arb_rpc_live){0};
    pthread_mutex_init(&live->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&live->none, &attributes);
    pthread_condattr_destroy(&attributes);
}

void arb_rpc_live_reset(arb_rpc_live *live)
{
    assert(live->count == 0);
    pthread_cond_destroy(&live->none);
    pthread_mutex_destroy(&live->lock);
}

static void link_call(arb_rpc_call **list, arb_rpc_call *call)
{
    call->live_next = *list;
    call->live_link = list;
    if (*list != NULL)
        (*list)->live_link = &call->live_next;
    *list = call;
}

bool arb_rpc_live_add(arb_rpc_live *live, arb_rpc_call *call)
{
    pthread_mutex_lock(&live->lock);
    bool open = !live->closed;
    if (open) {
        call->live = live;
        link_call(&live->running, call);
        live->count++;
    }
    pthread_mutex_unlock(&live->lock);
    return open;
}

void arb_rpc_live_remove(arb_rpc_live *live, arb_rpc_call *call)
{
    pthread_mutex_lock(&live->lock);
    *call->live_link = call->live_next;
    if (call->live_next != NULL)
        call->live_next->live_link = call->live_link;
    pthread_mutex_unlock(&live->lock);
}

void arb_rpc_live_leave(arb_rpc_live *live)
{
    pthread_mutex_lock(&live->lock);
    if (--live->count == 0)
        pthread_cond_broadcast(&live->none);
    pthread_mutex_unlock(&live->lock);
}

size_t arb_rpc_live_count(arb_rpc_live *live)
{
    pthread_mutex_lock(&live->lock);
    size_t count = live->count;
    pthread_mutex_unlock(&live->lock);
    return count;
}

void arb_rpc_live_close(arb_rpc_live *live)
{
    pthread_mutex_lock(&live->lock);
    live->closed = true;
    pthread_mutex_unlock(&live->lock);
}

bool arb_rpc_live_wait(arb_rpc_live *live, int64_t deadline_ns)
{
    const struct timespec until = {deadline_ns / 1000000000, deadline_ns % 1000000000};
    int failure = 0;
    pthread_mutex_lock(&live->lock);
    while (live->count > 0 && failure != ETIMEDOUT)
        failure = deadline_ns == INT64_MAX ? pthread_cond_wait(&live->none, &live->lock)
                                           : pthread_cond_timedwait(&live->none, &live->lock, &until);
    bool none = live->count == 0;
    pthread_mutex_unlock(&live->lock);
    return none;
}

/* Take a count, unless the last one is gone already: a call that was never begun is on its way out then. */
static bool still_counted(arb_rpc_call *call)
{
    uint32_t count = atomic_load_explicit(&call->references, memory_order_relaxed);
    while (count != 0)
        if (atomic_compare_exchange_weak_explicit(&call->references, &count, count + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

void arb_rpc_live_cancel(arb_rpc_live *live)
{
    pthread_mutex_lock(&live->lock);
    while (live->running != NULL) {
        arb_rpc_call *call = live->running;
        live->running = call->live_next;
        if (live->running != NULL)
            live->running->live_link = &live->running;
        link_call(&live->cancelled, call);
        if (!still_counted(call))
            continue;
        pthread_mutex_unlock(&live->lock);
        arb_rpc_cancel(call);
        arb_rpc_call_unref(call);
        pthread_mutex_lock(&live->lock);
    }
    pthread_mutex_unlock(&live->lock);
}
