#include "rpc/rpc_loop.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/thread.h"

static void unlink_timer(arb_rpc_loop *loop, arb_rpc_timer *timer)
{
    *(timer->earlier != NULL ? &timer->earlier->later : &loop->earliest) = timer->later;
    *(timer->later != NULL ? &timer->later->earlier : &loop->latest) = timer->earlier;
    timer->is_set = false;
}

static void wait_for_change(arb_rpc_loop *loop)
{
    if (loop->earliest == NULL) {
        pthread_cond_wait(&loop->changed, &loop->lock);
        return;
    }
    int64_t at = loop->earliest->at_ns;
    const struct timespec until = {at / 1000000000, at % 1000000000};
    pthread_cond_timedwait(&loop->changed, &loop->lock, &until);
}

static void *run(void *argument)
{
    arb_rpc_loop *loop = argument;
    pthread_setname_np(pthread_self(), loop->name);
    pthread_mutex_lock(&loop->lock);
    for (;;) {
        arb_rpc_event *event = loop->first;
        arb_rpc_timer *timer = loop->earliest;
        if (event != NULL) {
            loop->first = event->next;
            if (loop->first == NULL)
                loop->end = &loop->first;
        } else if (timer != NULL && timer->at_ns <= arb_clock_monotonic_ns()) {
            unlink_timer(loop, timer);
        } else if (loop->stopping) {
            break;
        } else {
            wait_for_change(loop);
            continue;
        }
        pthread_mutex_unlock(&loop->lock);
        if (event != NULL)
            event->run(event);
        else
            timer->run(timer);
        pthread_mutex_lock(&loop->lock);
    }
    pthread_mutex_unlock(&loop->lock);
    return NULL;
}

arb_code arb_rpc_loop_start(arb_rpc_loop *loop, const char *name, arb_error *error)
{
    pthread_condattr_t attributes;
    *loop = (arb_rpc_loop){0};
    snprintf(loop->name, sizeof loop->name, "%s", name);
    loop->end = &loop->first;
    pthread_mutex_init(&loop->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loop->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    int failure = arb_thread_create(&loop->thread, NULL, run, loop);
    if (failure == 0)
        return ARB_OK;
    pthread_cond_destroy(&loop->changed);
    pthread_mutex_destroy(&loop->lock);
    return arb_fail_errno(error, failure, "cannot start a thread");
}

void arb_rpc_loop_stop(arb_rpc_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    assert(loop->earliest == NULL);
    loop->stopping = true;
    pthread_cond_signal(&loop->changed);
    pthread_mutex_unlock(&loop->lock);
    pthread_join(loop->thread, NULL);
    pthread_cond_destroy(&loop->changed);
    pthread_mutex_destroy(&loop->lock);
}

void arb_rpc_loop_post(arb_rpc_loop *loop, arb_rpc_event *event)
{
    event->next = NULL;
    pthread_mutex_lock(&loop->lock);
    *loop->end = event;
    loop->end = &event->next;
    pthread_cond_signal(&loop->changed);
    pthread_mutex_unlock(&loop->lock);
}

void arb_rpc_loop_set(arb_rpc_loop *loop, arb_rpc_timer *timer, int64_t at_ns)
{
    pthread_mutex_lock(&loop->lock);
    arb_rpc_timer *before = loop->latest; /* most timers are later than those that are set */
    while (before != NULL && before->at_ns > at_ns)
        before = before->earlier;
    timer->at_ns = at_ns;
    timer->is_set = true;
    timer->earlier = before;
    timer->later = before != NULL ? before->later : loop->earliest;
    *(before != NULL ? &before->later : &loop->earliest) = timer;
    *(timer->later != NULL ? &timer->later->earlier : &loop->latest) = timer;
    if (before == NULL) /* else the thread wakes early enough */
        pthread_cond_signal(&loop->changed);
    pthread_mutex_unlock(&loop->lock);
}

bool arb_rpc_loop_unset(arb_rpc_loop *loop, arb_rpc_timer *timer)
{
    pthread_mutex_lock(&loop->lock);
    bool was_set = timer->is_set;
    if (was_set)
        unlink_timer(loop, timer);
    pthread_mutex_unlock(&loop->lock);
    return was_set;
}
