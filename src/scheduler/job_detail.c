/* What is remembered of ended jobs besides how they ended: their stages and tasks, for people who look when it is over.
 *
 * It may be given up: for lack of memory, and when newer ones need the room. */
#include "scheduler/scheduler_internal.h"

static size_t size_of(const arb_sched_job *job, bool with_tasks)
{
    size_t stages = job->spec.stage_count, tasks = 0;
    for (uint32_t number = 0; with_tasks && number < stages; number++)
        tasks += job->spec.stages[number].task_count;
    return sizeof(arb_sched_detail) + stages * (sizeof(arb_stage_view) + sizeof(arb_task_view *)) +
           tasks * sizeof(arb_task_view);
}

static void fill_tasks(arb_sched_detail *detail, const arb_sched_job *job, arb_task_view *room)
{
    for (uint32_t number = 0; number < detail->stage_count; number++) {
        uint32_t count = job->spec.stages[number].task_count;
        detail->tasks[number] = room;
        for (uint32_t task = 0; task < count; task++)
            arb_sched_task_look(&job->stages[number], task, room++);
    }
}

arb_sched_detail *arb_sched_detail_make(const arb_sched_job *job)
{
    bool with_tasks = size_of(job, true) <= ARB_SCHED_DETAIL_MOST;
    size_t size = size_of(job, with_tasks);
    arb_sched_detail *made = arb_alloc(size);
    if (made == NULL)
        return NULL;
    arb_stage_view *stages = (arb_stage_view *)(made + 1);
    arb_task_view **tasks = (arb_task_view **)(stages + job->spec.stage_count);
    *made = (arb_sched_detail){
        .size = size, .stage_count = job->spec.stage_count, .has_tasks = with_tasks, .stages = stages, .tasks = tasks};
    for (uint32_t number = 0; number < made->stage_count; number++)
        arb_sched_stage_look(&job->stages[number], &stages[number]);
    if (with_tasks)
        fill_tasks(made, job, (arb_task_view *)(tasks + made->stage_count));
    return made;
}

void arb_sched_detail_kept(arb_scheduler *s, const arb_sched_ended *newest)
{
    s->detail_bytes += newest->detail != NULL ? newest->detail->size : 0;
    while (s->detail_bytes > ARB_SCHED_DETAILS_MOST) {
        arb_sched_ended *oldest = s->history[(s->history_first + s->undetailed++) % s->history_most];
        if (oldest->detail == NULL)
            continue;
        s->detail_bytes -= oldest->detail->size;
        arb_free(oldest->detail);
        oldest->detail = NULL;
    }
}
