#include "runtime/workers.h"

#include "base/alloc.h"
#include "base/thread.h"

arb_code arb_workers_init(arb_workers *workers, unsigned count, const char *what, arb_error *error)
{
    *workers = (arb_workers){.count = count, .threads = arb_alloc_zeroed(sizeof(pthread_t) * count)};
    if (workers->threads == NULL)
        return arb_fail_memory(error, what, sizeof(pthread_t) * count);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->work, NULL);
    return ARB_OK;
}

arb_code arb_workers_start(arb_workers *workers, void *(*run)(void *), void *context, size_t stack_bytes,
                           arb_error *error)
{
    if (workers->started != 0)
        return ARB_OK;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    int failure = 0;
    while (workers->started < workers->count && failure == 0) {
        failure = arb_thread_create(&workers->threads[workers->started], &attributes, run, context);
        workers->started += failure == 0;
    }
    pthread_attr_destroy(&attributes);
    return workers->started == 0 ? arb_fail_errno(error, failure, "cannot start a thread") : ARB_OK;
}

void arb_workers_reset(arb_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->work);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->started; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->work);
    pthread_mutex_destroy(&workers->lock);
    arb_free(workers->threads);
}
