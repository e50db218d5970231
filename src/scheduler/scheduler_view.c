/* Copies of what the machine knows, for those who look in. */
#include "scheduler/scheduler_internal.h"

static arb_code no_memory(arb_error *error)
{
    return arb_fail_memory(error, "a view of the scheduler", 0);
}

/* When something was, by the monotonic clock, as the time of people. */
static int64_t wall_us_of(const arb_scheduler *s, int64_t then)
{
    return s->wall_us - (s->now - then) / 1000;
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
                               .stages = job->spec.stage_count,
                               .running = job->running,
                               .attempts = job->attempts,
                               .result_rows = last->rows,
                               .result_bytes = last->bytes,
                               .code = job->error.code};
    for (uint32_t number = 0; number < job->spec.stage_count; number++) {
        const arb_sched_stage *stage = &job->stages[number];
        out_view->tasks += stage->spec->task_count;
        out_view->complete += arb_sched_complete(stage);
        out_view->committed += stage->counts[ARB_TASK_COMMITTED] + stage->counts[ARB_TASK_SUPERFLUOUS];
    }
    char text[sizeof((arb_sched_ended *)NULL)->text];
    arb_sched_copy_cut(text, sizeof text, job->spec.text);
    ARB_TRY(copy(arena, arb_str_of(text), &out_view->text, error));
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
    const arb_sched_detail *detail = ended->detail;
    for (uint32_t number = 0; detail != NULL && number < detail->stage_count; number++) {
        out_view->stages++;
        out_view->complete += detail->stages[number].complete;
        out_view->committed += detail->stages[number].committed + detail->stages[number].superfluous;
    }
    ARB_TRY(copy(arena, arb_str_of(ended->text), &out_view->text, error));
    ARB_TRY(copy(arena, arb_str_of(ended->user), &out_view->user, error));
    return copy(arena, arb_str_of(ended->message), &out_view->message, error);
}

/* The i-th newest of the ended ones. */
static const arb_sched_ended *ended_at(const arb_scheduler *s, size_t i)
{
    return s->history[(s->history_first + s->history_size - 1 - i) % s->history_most];
}

arb_code arb_scheduler_jobs(const arb_scheduler *s, size_t first, size_t most, arb_arena *arena,
                            const arb_job_view **out_jobs, size_t *out_count, arb_error *error)
{
    size_t all = s->job_count + s->history_size, at = 0, count = 0;
    arb_job_view *views = ARB_ARENA_ARRAY(arena, arb_job_view, ARB_MIN(all - ARB_MIN(first, all), most) + 1);
    if (views == NULL)
        return no_memory(error);
    for (const arb_sched_job *job = s->last_job; job != NULL && count < most; job = job->previous)
        if (job->state <= ARB_JOB_FINISHED && at++ >= first) /* the others stand in the history already */
            ARB_TRY(live_view(job, arena, &views[count++], error));
    for (size_t i = at < first ? first - at : 0; i < s->history_size && count < most; i++)
        ARB_TRY(ended_view(ended_at(s, i), arena, &views[count++], error));
    *out_jobs = views;
    *out_count = count;
    return ARB_OK;
}

/* How the job is remembered, once it has ended, even if its last write is under way; NULL: it has not, or is not. */
static const arb_sched_ended *ended_of(const arb_scheduler *s, arb_id id)
{
    const arb_sched_job *job = arb_sched_job_of(s, id);
    if (job != NULL && job->state <= ARB_JOB_FINISHED)
        return NULL;
    for (size_t i = 0; i < s->history_size; i++)
        if (arb_id_equal(ended_at(s, i)->job, id))
            return ended_at(s, i);
    return NULL;
}

arb_code arb_scheduler_job(const arb_scheduler *s, arb_id id, arb_arena *arena, arb_job_view *out_job, arb_error *error)
{
    const arb_sched_job *job;
    const arb_sched_ended *ended = ended_of(s, id);
    if (ended != NULL)
        return ended_view(ended, arena, out_job, error);
    ARB_TRY(find_job(s, id, &job, error));
    return live_view(job, arena, out_job, error);
}

arb_code arb_scheduler_job_named(const arb_scheduler *s, arb_str name, arb_arena *arena, arb_named_job *out_job,
                                 arb_error *error)
{
    const arb_sched_job *job = s->first_job;
    while (job != NULL && (job->state > ARB_JOB_FINISHED || !arb_str_equal(job->spec.name, name)))
        job = job->next;
    if (job == NULL || name.size == 0)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no job of that name");
    *out_job = (arb_named_job){.job = job->id, .stage_count = job->spec.stage_count};
    return copy(arena, job->spec.result, &out_job->result, error);
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

static arb_code no_detail(const char *what, arb_error *error)
{
    return arb_fail(error, ARB_UNDEFINED_OBJECT, "the %s of this job, which has ended, are not remembered (any more)",
                    what);
}

void arb_sched_stage_look(const arb_sched_stage *stage, arb_stage_view *out_view)
{
    const arb_sched_job *job = stage->job;
    bool complete = arb_sched_complete(stage);
    *out_view = (arb_stage_view){.job = job->id,
                                 .generation = stage->generation,
                                 .stage = stage->number,
                                 .tasks = stage->spec->task_count,
                                 .pending = stage->counts[ARB_TASK_PENDING] + stage->counts[ARB_TASK_EXPECTED],
                                 .running = stage->counts[ARB_TASK_RUNNING] + stage->counts[ARB_TASK_COMMITTING],
                                 .committed = stage->counts[ARB_TASK_COMMITTED],
                                 .superfluous = stage->counts[ARB_TASK_SUPERFLUOUS],
                                 .attempts = stage->attempts,
                                 .failures = stage->failures,
                                 .rows = complete ? stage->made_rows : stage->rows,
                                 .bytes = complete ? stage->made_bytes : stage->bytes,
                                 .task_memory = stage->task_memory,
                                 .open = stage->open,
                                 .complete = complete,
                                 .released = stage->released,
                                 .median = arb_sched_stage_median(stage),
                                 .started = stage->started,
                                 .ended = complete ? stage->ended : 0};
    for (uint32_t i = 0; i < stage->spec->input_count; i++) {
        const arb_stage_input *input = &stage->spec->inputs[i];
        const arb_sched_stage *producer = &job->stages[input->stage];
        if (input->mode != ARB_INPUT_FACTS)
            out_view->input_rows += arb_sched_complete(producer) ? producer->made_rows : producer->rows;
    }
}

arb_code arb_scheduler_stages(const arb_scheduler *s, arb_id id, arb_arena *arena, const arb_stage_view **out_stages,
                              size_t *out_count, arb_error *error)
{
    const arb_sched_job *job = NULL;
    const arb_sched_ended *ended = ended_of(s, id);
    if (ended == NULL)
        ARB_TRY(find_job(s, id, &job, error));
    else if (ended->detail == NULL)
        return no_detail("stages", error);
    size_t count = job != NULL ? job->spec.stage_count : ended->detail->stage_count;
    arb_stage_view *views = ARB_ARENA_ARRAY(arena, arb_stage_view, count);
    if (views == NULL)
        return no_memory(error);
    if (job == NULL)
        memcpy(views, ended->detail->stages, count * sizeof *views);
    for (uint32_t number = 0; job != NULL && number < count; number++)
        arb_sched_stage_look(&job->stages[number], &views[number]);
    *out_stages = views;
    *out_count = count;
    return ARB_OK;
}

void arb_sched_task_look(const arb_sched_stage *stage, uint32_t number, arb_task_view *out_view)
{
    const arb_sched_task *task = &stage->tasks[number];
    const arb_sched_trouble *trouble = task->trouble;
    *out_view = (arb_task_view){.job = stage->job->id,
                                .stage = stage->number,
                                .task = number,
                                .state = (arb_task_state)task->state,
                                .attempts = task->made,
                                .failures = trouble != NULL ? trouble->failures : 0,
                                .crashes = trouble != NULL ? trouble->crashes : 0,
                                .code = trouble != NULL ? trouble->code : ARB_OK,
                                .message = {"", 0},
                                .failed_at = trouble != NULL ? trouble->where : (arb_uuid){0},
                                .rows = task->rows,
                                .bytes = task->bytes,
                                .attempt = task->attempt};
    if (task->state != ARB_TASK_COMMITTED && task->state != ARB_TASK_COMMITTING)
        return;
    out_view->took = task->took;
    out_view->ended = task->ended;
    out_view->executor = task->executor;
}

static arb_code task_view(const arb_scheduler *s, const arb_sched_stage *stage, uint32_t number, arb_arena *arena,
                          arb_task_view *out_view, arb_error *error)
{
    const arb_sched_task *task = &stage->tasks[number];
    size_t count = 0;
    arb_sched_task_look(stage, number, out_view);
    if (task->trouble != NULL)
        ARB_TRY(copy(arena, arb_str_of(task->trouble->message), &out_view->message, error));
    for (const arb_sched_attempt *at = task->attempts; at != NULL; at = at->task_next)
        count++;
    arb_attempt_view *running = ARB_ARENA_ARRAY(arena, arb_attempt_view, count + 1);
    if (running == NULL)
        return no_memory(error);
    out_view->running = running;
    out_view->running_count = count;
    for (const arb_sched_attempt *at = task->attempts; at != NULL; at = at->task_next)
        *running++ = (arb_attempt_view){.attempt = at->key.attempt,
                                        .executor = at->executor->id,
                                        .started = wall_us_of(s, at->started),
                                        .rows = at->rows,
                                        .bytes = at->bytes,
                                        .alone = at->alone,
                                        .twin = at->twin};
    return ARB_OK;
}

arb_code arb_scheduler_tasks(const arb_scheduler *s, arb_id id, uint32_t stage, uint32_t first, uint32_t most,
                             arb_arena *arena, const arb_task_view **out_tasks, size_t *out_count, arb_error *error)
{
    const arb_sched_job *job = NULL;
    const arb_sched_ended *ended = ended_of(s, id);
    if (ended == NULL)
        ARB_TRY(find_job(s, id, &job, error));
    else if (ended->detail == NULL || !ended->detail->has_tasks)
        return no_detail("tasks", error);
    if (stage >= (job != NULL ? job->spec.stage_count : ended->detail->stage_count))
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "the job has no stage %u", stage);
    uint64_t tasks = job != NULL ? job->spec.stages[stage].task_count : ended->detail->stages[stage].tasks;
    size_t count = first < tasks ? ARB_MIN(tasks - first, (uint64_t)most) : 0;
    arb_task_view *views = ARB_ARENA_ARRAY(arena, arb_task_view, count + 1);
    if (views == NULL)
        return no_memory(error);
    if (job == NULL && count > 0)
        memcpy(views, &ended->detail->tasks[stage][first], count * sizeof *views);
    for (uint32_t i = 0; job != NULL && i < count; i++)
        ARB_TRY(task_view(s, &job->stages[stage], first + i, arena, &views[i], error));
    *out_tasks = views;
    *out_count = count;
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
                                    .committed = executor->committed,
                                    .rows = executor->rows,
                                    .bytes = executor->bytes,
                                    .registered = wall_us_of(s, executor->registered),
                                    .heard = wall_us_of(s, executor->heard)};
        ARB_TRY(copy(arena, executor->address, &view->address, error));
        ARB_TRY(copy(arena, executor->version, &view->version, error));
    }
    *out_executors = views;
    *out_count = count;
    return ARB_OK;
}
