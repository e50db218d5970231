#include "base/thread.h"

#include <signal.h>

int arb_thread_create(pthread_t *out_thread, const pthread_attr_t *attributes, void *(*run)(void *context),
                      void *context)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* the new thread inherits it */
    int failure = pthread_create(out_thread, attributes, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}
