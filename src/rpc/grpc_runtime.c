#include "rpc/grpc_runtime.h"

#include <errno.h>
#include <grpc/support/log.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "rpc/grpc_events.h"

typedef struct queue {
    grpc_completion_queue *queue;
    pthread_t thread;
    unsigned number;
} queue;

struct arb_grpc_runtime {
    size_t queue_count;
    _Atomic size_t next;
    queue queues[];
};

/* Failures come back as values; gRPC's log would print them a second time. Only its last words are worth a line. */
static void log_last_words(gpr_log_func_args *said)
{
    if (strncmp(said->message, "assertion failed", 16) == 0)
        fprintf(stderr, "gRPC: %s:%d: %s\n", said->file, said->line, said->message);
}

static void *see_events(void *argument)
{
    queue *q = argument;
    char name[16];
    snprintf(name, sizeof name, "arb-rpc-%u", q->number);
    pthread_setname_np(pthread_self(), name);
    for (;;) {
        grpc_event event = grpc_completion_queue_next(q->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        arb_grpc_tag *tag = event.tag;
        tag->complete(tag, event.success != 0);
    }
}

static void end_queue(queue *q, bool has_thread)
{
    grpc_completion_queue_shutdown(q->queue);
    if (has_thread)
        pthread_join(q->thread, NULL);
    else
        see_events(q);
    grpc_completion_queue_destroy(q->queue);
}

arb_code arb_grpc_runtime_create(unsigned threads, arb_grpc_runtime **out_runtime, arb_error *error)
{
    size_t count = threads != 0 ? threads : 2, size = sizeof(arb_grpc_runtime) + count * sizeof(queue);
    *out_runtime = NULL;
    arb_grpc_runtime *runtime = arb_alloc_zeroed(size);
    if (runtime == NULL)
        return arb_fail_memory(error, "the RPC runtime", size);
    sigset_t before;
    arb_thread_block_signals(&before); /* gRPC starts threads, too */
    gpr_set_log_function(log_last_words);
    grpc_init();
    int failure = 0;
    for (size_t i = 0; i < count && failure == 0; i++) {
        queue *q = &runtime->queues[i];
        q->number = (unsigned)i;
        q->queue = grpc_completion_queue_create_for_next(NULL);
        failure = arb_thread_create(&q->thread, NULL, see_events, q);
        if (failure != 0)
            end_queue(q, false);
        else
            runtime->queue_count++;
    }
    arb_thread_restore_signals(&before);
    if (failure != 0) {
        arb_grpc_runtime_destroy(runtime);
        return arb_fail_errno(error, failure, "cannot start a thread");
    }
    *out_runtime = runtime;
    return ARB_OK;
}

void arb_grpc_runtime_destroy(arb_grpc_runtime *runtime)
{
    if (runtime == NULL)
        return;
    sigset_t before;
    arb_thread_block_signals(&before);
    for (size_t i = 0; i < runtime->queue_count; i++)
        end_queue(&runtime->queues[i], true);
    grpc_shutdown_blocking();
    arb_thread_restore_signals(&before);
    arb_free(runtime);
}

size_t arb_grpc_queue_count(const arb_grpc_runtime *runtime)
{
    return runtime->queue_count;
}

grpc_completion_queue *arb_grpc_queue(arb_grpc_runtime *runtime, size_t index)
{
    return runtime->queues[index].queue;
}

grpc_completion_queue *arb_grpc_next_queue(arb_grpc_runtime *runtime)
{
    size_t turn = atomic_fetch_add_explicit(&runtime->next, 1, memory_order_relaxed);
    return runtime->queues[turn % runtime->queue_count].queue;
}

/* ---- waiting, time, metadata -------------------------------------------------------------------------------------------- */

static void wait_complete(arb_grpc_tag *tag, bool ok)
{
    arb_grpc_wait *wait = (arb_grpc_wait *)tag;
    pthread_mutex_lock(&wait->lock);
    wait->is_complete = true;
    wait->ok = ok;
    pthread_cond_broadcast(&wait->completed);
    pthread_mutex_unlock(&wait->lock);
}

void arb_grpc_wait_init(arb_grpc_wait *wait)
{
    pthread_condattr_t attributes;
    *wait = (arb_grpc_wait){.tag = {wait_complete}};
    pthread_mutex_init(&wait->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wait->completed, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool arb_grpc_wait_for(arb_grpc_wait *wait, int64_t deadline_ns)
{
    const struct timespec until = {deadline_ns / 1000000000, deadline_ns % 1000000000};
    int failure = 0;
    pthread_mutex_lock(&wait->lock);
    while (!wait->is_complete && failure != ETIMEDOUT)
        failure = pthread_cond_timedwait(&wait->completed, &wait->lock, &until);
    bool is_complete = wait->is_complete;
    pthread_mutex_unlock(&wait->lock);
    return is_complete;
}

void arb_grpc_wait_reset(arb_grpc_wait *wait)
{
    pthread_cond_destroy(&wait->completed);
    pthread_mutex_destroy(&wait->lock);
}

gpr_timespec arb_grpc_time(int64_t deadline_ns)
{
    if (deadline_ns == 0 || deadline_ns == ARB_RPC_NO_DEADLINE)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    int64_t left = deadline_ns - arb_clock_monotonic_ns();
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left, GPR_TIMESPAN));
}

int64_t arb_grpc_deadline(gpr_timespec time)
{
    enum { years = 1000000000 }; /* of seconds: no deadline that means something */
    if (gpr_time_cmp(time, gpr_inf_future(time.clock_type)) == 0)
        return ARB_RPC_NO_DEADLINE;
    gpr_timespec left = gpr_time_sub(time, gpr_now(time.clock_type));
    if (left.tv_sec > years)
        return ARB_RPC_NO_DEADLINE;
    return arb_clock_monotonic_ns() + left.tv_sec * 1000000000 + left.tv_nsec;
}

arb_code arb_grpc_metadata_read(const grpc_metadata_array *from, arb_arena *arena, arb_rpc_metadata *to,
                                arb_error *error)
{
    for (size_t i = 0; i < from->count; i++)
        ARB_TRY(arb_rpc_metadata_add_unchecked(to, arena, arb_grpc_str(&from->metadata[i].key),
                                               arb_grpc_str(&from->metadata[i].value), error));
    return ARB_OK;
}
