/* thread.h: threads that leave signals to the program.
 *
 * A signal for the process is handled by some thread that does not block it. All of the libraries' threads block them, so it finds
 * the one that waits for it, or waits itself until that does. */
#ifndef ARB_BASE_THREAD_H
#define ARB_BASE_THREAD_H

#include <pthread.h>

/* As pthread_create, with all signals blocked in the new thread but those that its own faults raise, whose handlers would be passed
 * over otherwise. */
int arb_thread_create(pthread_t *out_thread, const pthread_attr_t *attributes, void *(*run)(void *context),
                      void *context);

#endif
