#include "cli/progress_bar.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/thread.h"

enum { FIRST_MS = 500, STEP_MS = 100, CELLS = 40 };

struct arb_progress_bar {
    arb_statement_host *host;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, shown;
};

/* Wait for a while; true when the statement has ended. The lock is held. */
static bool wait_stopped(arb_progress_bar *bar, int milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!bar->stop)
        if (pthread_cond_timedwait(&bar->wake, &bar->lock, &until) != 0)
            break;
    return bar->stop;
}

static void draw(arb_progress_bar *bar)
{
    double part = bar->host->vtable->progress(bar->host);
    if (part < 0)
        return;
    char cells[CELLS + 1];
    for (int i = 0; i < CELLS; i++)
        cells[i] = i < (int)(part * CELLS) ? '#' : ' ';
    cells[CELLS] = '\0';
    fprintf(stderr, "\r[%s] %3d%%", cells, (int)(part * 100));
    fflush(stderr);
    bar->shown = true;
}

static void *run(void *argument)
{
    arb_progress_bar *bar = argument;
    pthread_mutex_lock(&bar->lock);
    for (int wait = FIRST_MS; !wait_stopped(bar, wait); wait = STEP_MS)
        draw(bar);
    pthread_mutex_unlock(&bar->lock);
    return NULL;
}

arb_progress_bar *arb_progress_bar_start(arb_statement_host *host)
{
    arb_progress_bar *bar = arb_alloc_zeroed(sizeof *bar);
    if (bar == NULL)
        return NULL;
    bar->host = host;
    pthread_mutex_init(&bar->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&bar->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (arb_thread_create(&bar->thread, NULL, run, bar) == 0)
        return bar;
    pthread_cond_destroy(&bar->wake);
    pthread_mutex_destroy(&bar->lock);
    arb_free(bar);
    return NULL;
}

void arb_progress_bar_stop(arb_progress_bar *bar)
{
    if (bar == NULL)
        return;
    pthread_mutex_lock(&bar->lock);
    bar->stop = true;
    pthread_cond_signal(&bar->wake);
    pthread_mutex_unlock(&bar->lock);
    pthread_join(bar->thread, NULL);
    if (bar->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    pthread_cond_destroy(&bar->wake);
    pthread_mutex_destroy(&bar->lock);
    arb_free(bar);
}
