/* short_wait.h: waiting for a change, by those who must look at a stop flag now and then. */
#ifndef ARB_RUNTIME_SHORT_WAIT_H
#define ARB_RUNTIME_SHORT_WAIT_H

#include <pthread.h>

/* A condition that is waited at so. */
void arb_short_wait_init(pthread_cond_t *condition);
/* With the lock held: until the condition is signalled, or some 20 ms are over. Whoever waits looks which it was. */
void arb_short_wait(pthread_cond_t *condition, pthread_mutex_t *lock);

#endif
