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

/* Its place among those with tasks to launch, and what it knows of roots, whose bits go from name to name. */
static bool job_sound(const arb_scheduler *s, const arb_sched_job *job, arb_error *error)
{
    const arb_heap_node *queued = &job->queued;
    if ((queued->place != 0) != (job->hungry_first != NULL))
        return unsound(error, "its place in the queue", job->id, 0, 0);
    if (queued->place != 0 && (queued->place > s->queues[job->turn].nodes.size ||
                               s->queues[job->turn].nodes.data[queued->place - 1] != queued))
        return unsound(error, "it is in another queue than it thinks", job->id, 0, 0);
    for (uint32_t root = 0; root < job->spec.root_count; root++) {
        uint64_t mask = job->root_masks[root];
        if (mask == 0)
            continue;
        size_t bit = (size_t)__builtin_ctzll(mask);
        if ((mask & (mask - 1)) != 0 || bit >= s->roots.size ||
            !arb_str_equal(s->roots.data[bit], job->spec.roots[root]))
            return unsound(error, "one of its roots has another one's bit", job->id, 0, 0);
    }
    return true;
}

/* What is launched where: the sums over executors, and the one that is being emptied. */
static bool placement_sound(const arb_scheduler *s, arb_error *error)
{
    uint64_t free_slots = 0;
    uint32_t ready = 0, draining = 0;
    bool kept = s->reserved_slot == ARB_SCHED_NO_SLOT;
    for (size_t slot = 0; slot < s->slots.size; slot++) {
        const arb_sched_executor *executor = s->slots.data[slot];
        if (executor == NULL)
            continue;
        draining += executor->draining;
        if (!arb_sched_ready(executor))
            continue;
        ready++;
        free_slots += executor->slots - ARB_MIN(executor->running, executor->slots);
        kept |= slot == s->reserved_slot;
    }
    if (!kept)
        return unsound(error, "an executor that gets no tasks is kept for one", s->reserved_for.job,
                       s->reserved_for.stage, s->reserved_for.task);
    if (ready != s->ready || draining != s->draining || free_slots != s->free_slots)
        return unsound(error, "executors or free slots are miscounted in sum", (arb_id){0}, 0, 0);
    if (s->queues[0].nodes.size + s->queues[1].nodes.size > s->job_count)
        return unsound(error, "jobs are queued that are not there", (arb_id){0}, 0, 0);
    return true;
}

/* A batch takes no more than its bytes, and what lasts of it fits where it goes when it is given up. */
static bool batches_sound(const arb_scheduler *s, arb_error *error)
{
    const arb_sched_batch *batches[] = {&s->filling, &s->flying};
    for (size_t i = 0; i < ARB_COUNT_OF(batches); i++)
        if (batches[i]->operations.size != batches[i]->places.size || batches[i]->lasting > batches[i]->bytes.size)
            return unsound(error, "a batch for the store is miscounted", (arb_id){0}, 0, 0);
    return s->writing || s->flying.operations.size == 0 ||
           unsound(error, "a batch that is over is not empty", (arb_id){0}, 0, 0);
}

static bool history_sound(const arb_scheduler *s, arb_error *error)
{
    size_t bytes = 0;
    bool none = true; /* of the oldest */
    for (size_t i = 0; i < s->history_size; i++) {
        const arb_sched_detail *detail = s->history[(s->history_first + i) % s->history_most]->detail;
        bytes += detail != NULL ? detail->size : 0;
        none &= i >= s->undetailed || detail == NULL;
    }
    return (none && bytes == s->detail_bytes && bytes <= ARB_SCHED_DETAILS_MOST) ||
           unsound(error, "details of ended jobs are miscounted", (arb_id){0}, 0, 0);
}

bool arb_scheduler_sound(const arb_scheduler *s, arb_error *error)
{
    uint64_t attempts = 0, jobs = 0;
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
        if (sound && (expected != job->expected || running != job->running))
            sound = unsound(error, "a job's tasks are miscounted", job->id, 0, 0);
        sound = sound && job_sound(s, job, error);
    }
    for (size_t slot = 0; sound && slot < s->slots.size; slot++) {
        const arb_sched_executor *executor = s->slots.data[slot];
        if (executor == NULL)
            continue;
        sound = executor_sound(executor, outputs[slot], &attempts, error);
    }
    sound = sound && placement_sound(s, error) && batches_sound(s, error) && history_sound(s, error);
    if (sound && (attempts != s->attempts.count || jobs != s->job_count))
        sound = unsound(error, "attempts or jobs are miscounted in sum", (arb_id){0}, 0, 0);
    if (outputs == NULL)
        arb_fail_memory(error, "a check of the scheduler", s->slots.size * sizeof *outputs);
    arb_free(outputs);
    return sound;
}
