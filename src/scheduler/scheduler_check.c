/* Whether the machine's state holds together: everything that is counted is counted again. */
#include "scheduler/scheduler_internal.h"

static bool unsound(arb_error *error, const char *what, arb_id job, uint32_t stage, uint32_t task)
{
    arb_fail(error, ARB_INTERNAL, "job %llu.%llu stage %u task %u: %s", (unsigned long long)job.term,
             (unsigned long long)job.number, stage, task, what);
    return false;
}

static bool task_sound(const arb_scheduler *s, const arb_sched_stage *stage, uint32_t number, arb_error *error)
{
    const arb_sched_task *task = &stage->tasks[number];
    const char *what = NULL;
    bool over = stage->job->state > ARB_JOB_FINISHED;
    bool held = task->state == ARB_TASK_COMMITTED || task->state == ARB_TASK_COMMITTING;
    for (const arb_sched_attempt *at = task->attempts; at != NULL; at = at->task_next)
        if (at->stage != stage || at->key.task != number || !arb_id_equal(at->key.generation, stage->generation))
            what = "an attempt of another task or generation";
    if ((task->state == ARB_TASK_RUNNING) != (task->attempts != NULL))
        what = "RUNNING and its attempts disagree";
    if (held && task->slot == ARB_SCHED_NO_SLOT && !stage->released && !task->delivered && !over)
        what = "a committed output is nowhere";
    if (!held && task->slot != ARB_SCHED_NO_SLOT)
        what = "an output without a commit";
    if (task->slot != ARB_SCHED_NO_SLOT && (task->slot >= s->slots.size || s->slots.data[task->slot] == NULL))
        what = "an output with an executor that is gone";
    if (task->seen && task->slot == ARB_SCHED_NO_SLOT && !held)
        what = "seen, and not there";
    if (task->state == ARB_TASK_PENDING && !task->queued && !over &&
        (task->trouble == NULL || task->trouble->retry.node.place == 0))
        what = "it waits in no queue";
    return what == NULL || unsound(error, what, stage->job->id, stage->number, number);
}

static bool stage_sound(const arb_scheduler *s, const arb_sched_stage *stage, uint64_t *outputs, arb_error *error)
{
    uint64_t counts[ARB_TASK_SUPERFLUOUS + 1] = {0}, rows = 0, queued = 0;
    for (uint32_t i = 0; i < stage->spec->task_count; i++) {
        const arb_sched_task *task = &stage->tasks[i];
        counts[task->state]++;
        queued += task->queued;
        rows += task->state == ARB_TASK_COMMITTED ? task->rows : 0;
        if (!task_sound(s, stage, i, error))
            return false;
        if (task->slot != ARB_SCHED_NO_SLOT)
            outputs[task->slot]++;
    }
    const char *what = NULL;
    if (memcmp(counts, stage->counts, sizeof counts) != 0)
        what = "tasks by state are miscounted";
    if (queued != stage->queue_size)
        what = "the queue is miscounted";
    if (rows != stage->rows)
        what = "rows are miscounted";
    if (stage->hungry && !stage->open)
        what = "hungry, and not open";
    if (stage->hungry && s->settled && s->free_slots > 0 && arb_sched_somebody_fits(s, stage))
        what = "a task waits, and there is a place for it";
    if (stage->open && stage->job->state <= ARB_JOB_FINISHED)
        for (uint32_t i = 0; i < stage->spec->input_count; i++) {
            const arb_sched_stage *input = &stage->job->stages[stage->spec->inputs[i].stage];
            if (stage->spec->inputs[i].mode != ARB_INPUT_FACTS && (!arb_sched_complete(input) || input->released))
                what = "open, and an input is not complete";
        }
    return what == NULL || unsound(error, what, stage->job->id, stage->number, 0);
}

static bool executor_sound(const arb_sched_executor *executor, uint64_t outputs, uint64_t *attempts, arb_error *error)
{
    uint64_t running = 0, memory = 0;
    for (const arb_sched_attempt *at = executor->attempts; at != NULL; at = at->executor_next) {
        running++;
        memory += at->memory;
        if (executor->alone != NULL && executor->alone != at && at->started > executor->alone->started)
            return unsound(error, "something was launched beside a task that must run alone", at->key.job,
                           at->key.stage, at->key.task);
    }
    *attempts += running;
    if (running != executor->running || memory != executor->memory_taken || outputs != executor->outputs)
        return unsound(error, "an executor's attempts, memory or outputs are miscounted", (arb_id){0}, executor->slot,
                       0);
    return true;
}

bool arb_scheduler_sound(const arb_scheduler *s, arb_error *error)
{
    uint64_t attempts = 0, free_slots = 0, jobs = 0;
    uint64_t *outputs = arb_alloc_zeroed((s->slots.size + 1) * sizeof *outputs);
    bool sound = outputs != NULL;
    for (const arb_sched_job *job = s->first_job; sound && job != NULL; job = job->next) {
        uint64_t expected = 0, running = 0;
        jobs++;
        for (uint32_t number = 0; sound && number < job->spec.stage_count; number++) {
            const arb_sched_stage *stage = &job->stages[number];
            sound = stage_sound(s, stage, outputs, error);
            expected += stage->counts[ARB_TASK_EXPECTED];
            for (const arb_sched_attempt *at = stage->running; at != NULL; at = at->stage_next)
                running++;
        }
        if (sound && (expected != job->expected || running != job->running ||
                      (job->queued.place != 0) != (job->hungry_first != NULL)))
            sound = unsound(error, "a job's tasks are miscounted, or its place in the queue", job->id, 0, 0);
    }
    for (size_t slot = 0; sound && slot < s->slots.size; slot++) {
        const arb_sched_executor *executor = s->slots.data[slot];
        if (executor == NULL)
            continue;
        sound = executor_sound(executor, outputs[slot], &attempts, error);
        if (arb_sched_ready(executor))
            free_slots += executor->slots - ARB_MIN(executor->running, executor->slots);
    }
    if (sound && s->reserved_slot != ARB_SCHED_NO_SLOT &&
        (s->reserved_slot >= s->slots.size || s->slots.data[s->reserved_slot] == NULL ||
         !arb_sched_ready(s->slots.data[s->reserved_slot])))
        sound = unsound(error, "an executor that gets no tasks is kept for one", s->reserved_for.job,
                        s->reserved_for.stage, s->reserved_for.task);
    if (sound && (attempts != s->attempts.count || free_slots != s->free_slots || jobs != s->job_count))
        sound = unsound(error, "attempts, free slots or jobs are miscounted in sum", (arb_id){0}, 0, 0);
    if (outputs == NULL)
        arb_fail_memory(error, "a check of the scheduler", s->slots.size * sizeof *outputs);
    arb_free(outputs);
    return sound;
}
