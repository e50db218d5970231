#include "server/stage_report.h"

enum { tasks_shown = 3, tasks_a_look = 1024 };

/* The tasks of a stage that say most about it. Their texts are in the arena. */
typedef struct remarkable {
    arb_task_view tasks[tasks_shown];
    size_t count;
} remarkable;

/* One that failed before the longest, and of those the longest first. */
static bool says_more(const arb_task_view *a, const arb_task_view *b)
{
    bool failed = a->code != ARB_OK, other = b->code != ARB_OK;
    return failed != other ? failed : a->took > b->took;
}

static void note(remarkable *found, const arb_task_view *task)
{
    size_t at = found->count;
    while (at > 0 && says_more(task, &found->tasks[at - 1]))
        at--;
    if (at == tasks_shown)
        return;
    found->count = ARB_MIN(found->count + 1, (size_t)tasks_shown);
    memmove(&found->tasks[at + 1], &found->tasks[at], (found->count - 1 - at) * sizeof *found->tasks);
    found->tasks[at] = *task;
}

static void find_remarkable(arb_scheduler_loop *loop, arb_id job, uint32_t stage, arb_arena *arena, remarkable *out)
{
    const arb_task_view *tasks;
    size_t count;
    *out = (remarkable){0};
    for (uint32_t first = 0;; first += tasks_a_look) {
        if (arb_view_tasks(loop, job, stage, first, tasks_a_look, arena, &tasks, &count, NULL) != ARB_OK)
            return;
        for (size_t i = 0; i < count; i++)
            note(out, &tasks[i]);
        if (count < tasks_a_look)
            return;
    }
}

static void print_task(arb_text *out, const arb_task_view *task)
{
    arb_text_printf(out, "  task %u: %llu rows in %llu bytes", task->task, (unsigned long long)task->rows,
                    (unsigned long long)task->bytes);
    if (task->took > 0)
        arb_text_printf(out, ", %.3f ms on executor %08x", (double)task->took / 1e6,
                        (unsigned)(task->executor.high >> 32));
    if (task->attempts > 1)
        arb_text_printf(out, ", %u attempts", task->attempts);
    if (task->code != ARB_OK)
        arb_text_printf(out, ", failed before on executor %08x: %s%s%.*s", (unsigned)(task->failed_at.high >> 32),
                        arb_code_sqlstate(task->code), task->message.size != 0 ? ": " : "",
                        ARB_STR_ARGS(task->message));
    arb_text_append_char(out, '\n');
}

static void print_stage(arb_text *out, const arb_stage_view *s)
{
    arb_text_printf(out, "Stage %u ran: %llu of %llu tasks", s->stage, (unsigned long long)s->committed,
                    (unsigned long long)s->tasks);
    if (s->attempts != s->committed)
        arb_text_printf(out, " in %llu attempts", (unsigned long long)s->attempts);
    arb_text_printf(out,
                    ", %llu rows in %llu bytes, a task held at most %llu bytes, median task %.3f ms, all in %.3f ms\n",
                    (unsigned long long)s->rows, (unsigned long long)s->bytes, (unsigned long long)s->task_memory,
                    (double)s->median / 1e6, s->ended > s->started ? (double)(s->ended - s->started) / 1e3 : 0);
}

void arb_stage_report(arb_scheduler_loop *loop, arb_id job, arb_text *out)
{
    arb_arena arena = {0};
    const arb_stage_view *stages;
    size_t count;
    remarkable found;
    if (arb_view_stages(loop, job, &arena, &stages, &count, NULL) != ARB_OK)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        print_stage(out, &stages[i]);
        if (stages[i].tasks == 1 && stages[i].failures == 0)
            continue; /* its line says all */
        find_remarkable(loop, job, stages[i].stage, &arena, &found);
        for (size_t t = 0; t < found.count; t++)
            print_task(out, &found.tasks[t]);
    }
    arb_arena_reset(&arena);
}
