/* thread.h: threads that leave signals to the program.
 *
 * A signal for the process is handled by some thread that does not block it. All of the libraries' threads block them, so it finds
 * the one that waits for it, or waits itself until that does. */
#ifndef ARB_BASE_THREAD_H
#define ARB_BASE_THREAD_H

#include <pthread.h>
#include <signal.h>

/* Around what starts threads, which inherit what is blocked: all signals but those that a thread's own faults raise, whose
 * handlers would be passed over otherwise. */
void arb_thread_block_signals(sigset_t *out_before);
void arb_thread_restore_signals(const sigset_t *before);

/* As pthread_create, with these signals blocked in the new thread. */
int arb_thread_create(pthread_t *out_thread, const pthread_attr_t *attributes, void *(*run)(void *context),
                      void *context);

#endif
