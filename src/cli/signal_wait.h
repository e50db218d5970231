/* signal_wait.h: reading until a signal comes, whenever it comes. */
#ifndef ARB_CLI_SIGNAL_WAIT_H
#define ARB_CLI_SIGNAL_WAIT_H

#include <signal.h>
#include <sys/types.h>

/* As read(2), but not while one of the flags is set, which handlers of SIGINT, SIGTERM and SIGHUP set: then -1 and EINTR, also when
 * that happens just before it would wait, or takes away what could have been read. `b` may be NULL. */
ssize_t arb_read_unless(int file, void *to, size_t size, const volatile sig_atomic_t *a,
                        const volatile sig_atomic_t *b);

#endif
