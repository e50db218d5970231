#include "cli/signal_wait.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

ssize_t arb_read_unless(int file, void *to, size_t size, const volatile sig_atomic_t *a, const volatile sig_atomic_t *b)
{
    struct pollfd readable = {.fd = file, .events = POLLIN};
    sigset_t wanted, before;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGHUP);
    /* From the look at the flags until it waits none may come, or it would wait in vain. */
    pthread_sigmask(SIG_BLOCK, &wanted, &before);
    int found = -1, failed = EINTR;
    if (*a == 0 && (b == NULL || *b == 0)) {
        found = ppoll(&readable, 1, NULL, &before);
        failed = errno;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return found < 0 ? -1 : read(file, to, size);
}
