/* Copies of what the machine knows, for those who look in. */
#include "scheduler/scheduler_internal.h"

static arb_code no_memory(arb_error *error)
{
    return arb_fail_memory(error, "a view of the scheduler", 0);
}

static arb_code copy(arb_arena *arena, arb_str text, arb_str *out_copy, arb_error *error)
{
    *out_copy = arb_str_copy(arena, text);
    return out_copy->data != NULL ? ARB_OK : no_memory(error);
}

static arb_code find_job(const arb_scheduler *s, arb_id id, const arb_sched_job **out_job, arb_error *error)
{
    *out_job = arb_sched_job_of(s, id);
    return *out_job != NULL ? ARB_OK
                            : arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no job %llu.%llu that has not ended",
                                       (unsigned long long)id.term, (unsigned long long)id.number);
}

static arb_code live_view(const arb_sched_job *job, arb_arena *arena, arb_job_view *out_view, arb_error *error)
{
    const arb_sched_stage *last = &job->stages[job->spec.stage_count - 1];
    *out_view = (arb_job_view){.job = job->id,
                               .state = job->state,
                               .submitted = job->submitted,
                               .running = job->running,
                               .attempts = job->attempts,
                               .result_rows = last->rows,
                               .result_bytes = last->bytes,
                               .code = job->error.code};
    for (uint32_t number = 0; number < job->spec.stage_count; number++) {
        const arb_sched_stage *stage = &job->stages[number];
        out_view->tasks += stage->spec->task_count;
        out_view->committed += stage->counts[ARB_TASK_COMMITTED] + stage->counts[ARB_TASK_SUPERFLUOUS];
    }
    ARB_TRY(copy(arena, job->spec.text, &out_view->text, error));
    ARB_TRY(copy(arena, job->spec.user, &out_view->user, error));
    return copy(arena, arb_str_of(job->error.message), &out_view->message, error);
}

static arb_code ended_view(const arb_sched_ended *ended, arb_arena *arena, arb_job_view *out_view, arb_error *error)
{
    *out_view = (arb_job_view){.job = ended->job,
                               .state = ended->state,
                               .submitted = ended->submitted,
                               .ended = ended->ended,
                               .tasks = ended->tasks,
                               .attempts = ended->attempts,
                               .result_rows = ended->rows,
                               .result_bytes = ended->bytes,
                               .code = ended->code};
    ARB_TRY(copy(arena, arb_str_of(ended->text), &out_view->text, error));
    ARB_TRY(copy(arena, arb_str_of(ended->user), &out_view->user, error));
    return copy(arena, arb_str_of(ended->message), &out_view->message, error);
}

/* The i-th newest of the ended ones. */
static const arb_sched_ended *ended_at(const arb_scheduler *s, size_t i)
{
    return s->history[(s->history_first + s->history_size - 1 - i) % s->history_most];
}

arb_code arb_scheduler_jobs(const arb_scheduler *s, arb_arena *arena, const arb_job_view **out_jobs, size_t *out_count,
                            arb_error *error)
{
    size_t count = 0;
    arb_job_view *views = ARB_ARENA_ARRAY(arena, arb_job_view, s->job_count + s->history_size + 1);
    if (views == NULL)
        return no_memory(error);
    for (const arb_sched_job *job = s->last_job; job != NULL; job = job->previous)
        if (job->state <= ARB_JOB_FINISHED) /* the others stand in the history already */
            ARB_TRY(live_view(job, arena, &views[count++], error));
    for (size_t i = 0; i < s->history_size; i++)
        ARB_TRY(ended_view(ended_at(s, i), arena, &views[count++], error));
    *out_jobs = views;
    *out_count = count;
    return ARB_OK;
}

arb_code arb_scheduler_job(const arb_scheduler *s, arb_id id, arb_arena *arena, arb_job_view *out_job, arb_error *error)
{
    const arb_sched_job *job = arb_sched_job_of(s, id);
    if (job != NULL && job->state <= ARB_JOB_FINISHED)
        return live_view(job, arena, out_job, error);
    for (size_t i = 0; i < s->history_size; i++)
        if (arb_id_equal(ended_at(s, i)->job, id))
            return ended_view(ended_at(s, i), arena, out_job, error);
    return find_job(s, (arb_id){0}, &job, error);
}

arb_code arb_scheduler_plans(const arb_scheduler *s, arb_id id, arb_arena *arena, const arb_str **out_hashes,
                             size_t *out_count, arb_error *error)
{
    const arb_sched_job *job;
    ARB_TRY(find_job(s, id, &job, error));
    arb_str *hashes = ARB_ARENA_ARRAY(arena, arb_str, job->spec.stage_count);
    if (hashes == NULL)
        return no_memory(error);
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        ARB_TRY(copy(arena, job->spec.stages[number].plan, &hashes[number], error));
    *out_hashes = hashes;
    *out_count = job->spec.stage_count;
    return ARB_OK;
}

arb_code arb_scheduler_stages(const arb_scheduler *s, arb_id id, arb_arena *arena, const arb_stage_view **out_stages,
                              size_t *out_count, arb_error *error)
{
    const arb_sched_job *job;
    ARB_TRY(find_job(s, id, &job, error));
    arb_stage_view *views = ARB_ARENA_ARRAY(arena, arb_stage_view, job->spec.stage_count);
    if (views == NULL)
        return no_memory(error);
    for (uint32_t number = 0; number < job->spec.stage_count; number++) {
        const arb_sched_stage *stage = &job->stages[number];
        bool complete = arb_sched_complete(stage);
        views[number] =
            (arb_stage_view){.job = id,
                             .generation = stage->generation,
                             .stage = number,
                             .tasks = stage->spec->task_count,
                             .pending = stage->counts[ARB_TASK_PENDING] + stage->counts[ARB_TASK_EXPECTED],
                             .running = stage->counts[ARB_TASK_RUNNING] + stage->counts[ARB_TASK_COMMITTING],
                             .committed = stage->counts[ARB_TASK_COMMITTED],
                             .superfluous = stage->counts[ARB_TASK_SUPERFLUOUS],
                             .rows = complete ? stage->made_rows : stage->rows,
                             .bytes = complete ? stage->made_bytes : stage->bytes,
                             .complete = complete,
                             .released = stage->released,
                             .median = arb_sched_stage_median(stage)};
    }
    *out_stages = views;
    *out_count = job->spec.stage_count;
    return ARB_OK;
}

static arb_code task_view(const arb_scheduler *s, const arb_sched_stage *stage, uint32_t number, arb_arena *arena,
                          arb_task_view *out_view, arb_error *error)
{
    const arb_sched_task *task = &stage->tasks[number];
    const arb_sched_trouble *trouble = task->trouble;
    size_t count = 0;
    for (const arb_sched_attempt *at = task->attempts; at != NULL; at = at->task_next)
        count++;
    arb_attempt_view *running = ARB_ARENA_ARRAY(arena, arb_attempt_view, count + 1);
    if (running == NULL)
        return no_memory(error);
    *out_view = (arb_task_view){.job = stage->job->id,
                                .stage = stage->number,
                                .task = number,
                                .state = (arb_task_state)task->state,
                                .failures = trouble != NULL ? trouble->failures : 0,
                                .crashes = trouble != NULL ? trouble->crashes : 0,
                                .rows = task->rows,
                                .bytes = task->bytes,
                                .took = task->took,
                                .attempt = task->attempt,
                                .running = running,
                                .running_count = count};
    if (task->slot != ARB_SCHED_NO_SLOT)
        out_view->executor = s->slots.data[task->slot]->id;
    for (const arb_sched_attempt *at = task->attempts; at != NULL; at = at->task_next)
        *running++ = (arb_attempt_view){.attempt = at->key.attempt,
                                        .executor = at->executor->id,
                                        .started = at->started,
                                        .rows = at->rows,
                                        .bytes = at->bytes,
                                        .alone = at->alone,
                                        .twin = at->twin};
    return ARB_OK;
}

arb_code arb_scheduler_tasks(const arb_scheduler *s, arb_id id, uint32_t stage, arb_arena *arena,
                             const arb_task_view **out_tasks, size_t *out_count, arb_error *error)
{
    const arb_sched_job *job;
    ARB_TRY(find_job(s, id, &job, error));
    if (stage >= job->spec.stage_count)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "the job has no stage %u", stage);
    const arb_sched_stage *of = &job->stages[stage];
    arb_task_view *views = ARB_ARENA_ARRAY(arena, arb_task_view, of->spec->task_count);
    if (views == NULL)
        return no_memory(error);
    for (uint32_t task = 0; task < of->spec->task_count; task++)
        ARB_TRY(task_view(s, of, task, arena, &views[task], error));
    *out_tasks = views;
    *out_count = of->spec->task_count;
    return ARB_OK;
}

arb_code arb_scheduler_results(const arb_scheduler *s, arb_id id, arb_arena *arena, const arb_result_view **out_results,
                               size_t *out_count, arb_error *error)
{
    const arb_sched_job *job;
    ARB_TRY(find_job(s, id, &job, error));
    const arb_sched_stage *last = &job->stages[job->spec.stage_count - 1];
    arb_result_view *views = ARB_ARENA_ARRAY(arena, arb_result_view, last->spec->task_count);
    size_t count = 0;
    if (views == NULL)
        return no_memory(error);
    for (uint32_t i = 0; i < last->spec->task_count; i++) {
        const arb_sched_task *task = &last->tasks[i];
        if (task->state != ARB_TASK_COMMITTED || job->state > ARB_JOB_FINISHED)
            continue;
        arb_result_view *view = &views[count++];
        *view = (arb_result_view){.job = id,
                                  .stage = last->number,
                                  .task = i,
                                  .attempt = task->attempt,
                                  .rows = task->rows,
                                  .bytes = task->bytes,
                                  .delivered = task->delivered,
                                  .address = {"", 0},
                                  .key = {"", 0}};
        if (task->slot == ARB_SCHED_NO_SLOT)
            continue;
        view->executor = s->slots.data[task->slot]->id;
        ARB_TRY(copy(arena, s->slots.data[task->slot]->address, &view->address, error));
        ARB_TRY(copy(arena, s->slots.data[task->slot]->key, &view->key, error));
    }
    *out_results = views;
    *out_count = count;
    return ARB_OK;
}

arb_code arb_scheduler_executors(const arb_scheduler *s, arb_arena *arena, const arb_executor_view **out_executors,
                                 size_t *out_count, arb_error *error)
{
    arb_executor_view *views = ARB_ARENA_ARRAY(arena, arb_executor_view, s->slots.size + 1);
    size_t count = 0;
    if (views == NULL)
        return no_memory(error);
    for (size_t slot = 0; slot < s->slots.size; slot++) {
        const arb_sched_executor *executor = s->slots.data[slot];
        if (executor == NULL || executor->welcome == 0)
            continue;
        arb_executor_view *view = &views[count++];
        *view = (arb_executor_view){.executor = executor->id,
                                    .state = executor->excluded   ? ARB_EXECUTOR_EXCLUDED
                                             : executor->suspect  ? ARB_EXECUTOR_SUSPECT
                                             : executor->draining ? ARB_EXECUTOR_DRAINING
                                                                  : ARB_EXECUTOR_READY,
                                    .slots = executor->slots,
                                    .running = executor->running,
                                    .memory = executor->memory,
                                    .memory_taken = executor->memory_taken,
                                    .outputs = executor->outputs,
                                    .output_bytes = executor->output_bytes,
                                    .registered = executor->registered,
                                    .heard = executor->heard};
        ARB_TRY(copy(arena, executor->address, &view->address, error));
        ARB_TRY(copy(arena, executor->version, &view->version, error));
    }
    *out_executors = views;
    *out_count = count;
    return ARB_OK;
}
