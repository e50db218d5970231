#include "cli/progress_bar.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/thread.h"

enum { FIRST_MS = 500, STEP_MS = 100, CELLS = 40, CELLS_BESIDE_STAGES = 20, USUAL_WIDTH = 80 };

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

/* Columns of the terminal; many where it does not say. */
static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : USUAL_WIDTH;
}

/* What several executors do at the moment: "  2/5 stages, stage 2: 3/8 tasks, 4 running". */
static void print_stages(arb_text *out, const arb_run_stage *stages, size_t count)
{
    size_t complete = 0;
    for (size_t i = 0; i < count; i++)
        complete += stages[i].complete;
    arb_text_printf(out, "  %zu/%zu stages", complete, count);
    for (size_t i = 0; i < count; i++)
        if (stages[i].running != 0 && !stages[i].complete)
            arb_text_printf(out, ", stage %u: %llu/%llu tasks, %llu running", stages[i].stage,
                            (unsigned long long)stages[i].committed, (unsigned long long)stages[i].tasks,
                            (unsigned long long)stages[i].running);
}

static void draw(arb_progress_bar *bar)
{
    const arb_statement_host_vtable *host = bar->host->vtable;
    double part = host->progress(bar->host);
    if (part < 0)
        return;
    arb_arena arena = {0};
    arb_text line = {0};
    const arb_run_stage *stages;
    size_t count = 0;
    if (host->stages(bar->host, &arena, &stages, &count, NULL) != ARB_OK)
        count = 0;
    size_t cells = count != 0 ? CELLS_BESIDE_STAGES : CELLS, full = (size_t)(part * (double)cells);
    arb_text_append_char(&line, '[');
    arb_text_append_repeated(&line, '#', full);
    arb_text_append_repeated(&line, ' ', cells - full);
    arb_text_printf(&line, "] %3d%%", (int)(part * 100));
    if (count != 0)
        print_stages(&line, stages, count);
    if (!line.failed) {
        size_t shown = ARB_MIN(line.size, terminal_width() - 1); /* a full line would begin another one */
        fprintf(stderr, "\r%.*s\033[K", (int)shown, line.data);
        fflush(stderr);
        bar->shown = true;
    }
    arb_text_reset(&line);
    arb_arena_reset(&arena);
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
