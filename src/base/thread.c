#include "base/thread.h"

void arb_thread_block_signals(sigset_t *out_before)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_BLOCK, &all, out_before);
}

void arb_thread_restore_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

int arb_thread_create(pthread_t *out_thread, const pthread_attr_t *attributes, void *(*run)(void *context),
                      void *context)
{
    sigset_t before;
    arb_thread_block_signals(&before);
    int failure = pthread_create(out_thread, attributes, run, context);
    arb_thread_restore_signals(&before);
    return failure;
}
