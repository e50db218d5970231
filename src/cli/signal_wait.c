#include "cli/signal_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

/* Ctrl-C throws away what was typed before it: what poll has seen may be gone, and a read would wait for more. So a terminal is
 * read through an open file of its own, which does not wait; the given one may be shared with others, who want theirs to. */
static ssize_t read_now(int file, void *to, size_t size)
{
    char path[32];
    if (!isatty(file))
        return read(file, to, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int own = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t got = read(own >= 0 ? own : file, to, size);
    int failed = errno;
    if (own >= 0)
        close(own);
    errno = failed;
    return got;
}

ssize_t arb_read_unless(int file, void *to, size_t size, const volatile sig_atomic_t *a, const volatile sig_atomic_t *b)
{
    struct pollfd readable = {.fd = file, .events = POLLIN};
    sigset_t wanted, before;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGHUP);
    for (;;) {
        /* From the look at the flags until it waits none may come, or it would wait in vain. */
        pthread_sigmask(SIG_BLOCK, &wanted, &before);
        int found = -1, failed = EINTR;
        if (*a == 0 && (b == NULL || *b == 0)) {
            found = ppoll(&readable, 1, NULL, &before);
            failed = errno;
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = failed;
        ssize_t got = found < 0 ? -1 : read_now(file, to, size);
        if (got >= 0 || errno != EAGAIN)
            return got;
    }
}
