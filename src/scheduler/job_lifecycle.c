/* Jobs: how they come, what clients do with them, how they end.
 *
 *     RUNNING ⇄ FINISHED ─▶ SUCCEEDED     its result is complete (and may be lost again before rows leave); delivered
 *        └─────────┴──────▶ FAILED, CANCELLED
 *
 * Answers about what is recorded wait until it is written, so that no client knows more than the next scheduler will:
 * ACCEPTED, the end, and FINISHED of a job that changes something. A read-only job of one task is not recorded before it
 * has ended, and nothing waits then. */
#include <stdarg.h>
#include <stdio.h>

#include "scheduler/scheduler_internal.h"

arb_sched_job *arb_sched_job_of(const arb_scheduler *s, arb_id id)
{
    return arb_id_map_get(&s->jobs, id.term, id.number);
}

static arb_sched_task *result_task(arb_sched_job *job, uint32_t task)
{
    const arb_sched_stage *last = &job->stages[job->spec.stage_count - 1];
    return task < last->spec->task_count ? &last->tasks[task] : NULL;
}

/* ---- made and freed ---------------------------------------------------------------------------------------------------- */

static arb_code stage_init(arb_scheduler *s, arb_sched_job *job, uint32_t number, arb_error *error)
{
    arb_sched_stage *stage = &job->stages[number];
    const arb_stage_spec *spec = &job->spec.stages[number];
    *stage = (arb_sched_stage){.job = job,
                               .number = number,
                               .spec = spec,
                               .tasks = ARB_ARENA_ARRAY(&job->arena, arb_sched_task, spec->task_count),
                               .queue = ARB_ARENA_ARRAY(&job->arena, uint32_t, spec->task_count),
                               .generation = {job->id.term, job->id.number},
                               .sources_version = 1,
                               .wave = 1};
    if (spec->publishes_facts)
        stage->facts = ARB_ARENA_ARRAY(&job->arena, arb_str, spec->task_count);
    if (stage->tasks == NULL || stage->queue == NULL || (spec->publishes_facts && stage->facts == NULL))
        return arb_fail_memory(error, "the tasks of a job", spec->task_count * sizeof(arb_sched_task));
    stage->counts[ARB_TASK_PENDING] = spec->task_count;
    stage->queue_size = spec->task_count;
    for (uint32_t task = 0; task < spec->task_count; task++) {
        stage->tasks[task].slot = ARB_SCHED_NO_SLOT;
        stage->tasks[task].queued = true;
        stage->queue[task] = task;
    }
    (void)s;
    return ARB_OK;
}

/* Room in all that the scheduler keeps for each job. */
static bool reserve_for_job(arb_scheduler *s, uint32_t stages)
{
    return arb_id_map_reserve(&s->jobs, s->jobs.count + 1) && arb_heap_reserve(&s->queues[0], s->job_count + 1) &&
           arb_heap_reserve(&s->queues[1], s->job_count + 1) && arb_sched_timers_reserve(s, 2 + (size_t)stages);
}

arb_code arb_sched_job_create(arb_scheduler *s, arb_id id, arb_str record, arb_sched_job **out_job, arb_error *error)
{
    arb_code code;
    *out_job = NULL;
    arb_sched_job *job = arb_alloc_zeroed(sizeof *job);
    if (job == NULL)
        return arb_fail_memory(error, "a job", sizeof *job);
    job->id = id;
    job->submitted = s->wall_us;
    job->served = ++s->served;
    ARB_TRY_GOTO(code, arb_job_spec_decode(record, &job->arena, &job->spec, error), failed);
    code = ARB_OUT_OF_MEMORY;
    job->ended = arb_alloc_zeroed(sizeof *job->ended);
    job->stages = ARB_ARENA_ARRAY(&job->arena, arb_sched_stage, job->spec.stage_count);
    job->root_masks = ARB_ARENA_ARRAY(&job->arena, uint64_t, job->spec.root_count + 1);
    if (job->ended == NULL || job->stages == NULL || job->root_masks == NULL) {
        code = arb_fail_memory(error, "a job", job->spec.stage_count * sizeof *job->stages);
        goto failed;
    }
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        ARB_TRY_GOTO(code, stage_init(s, job, number, error), failed);
    if (!reserve_for_job(s, job->spec.stage_count)) {
        code = arb_fail_memory(error, "a job", 0);
        goto failed;
    }
    job->recorded = arb_job_spec_recorded(&job->spec);
    job->previous = s->last_job;
    *(s->last_job != NULL ? &s->last_job->next : &s->first_job) = job;
    s->last_job = job;
    s->job_count++;
    s->stage_count += job->spec.stage_count;
    arb_id_map_put(&s->jobs, id.term, id.number, job);
    *out_job = job;
    return ARB_OK;
failed:
    arb_free(job->ended);
    arb_arena_reset(&job->arena);
    arb_free(job);
    return code;
}

static void stage_free(arb_scheduler *s, arb_sched_stage *stage)
{
    assert(stage->running == NULL);
    arb_sched_timer_clear(s, &stage->twin);
    for (uint32_t task = 0; task < stage->spec->task_count; task++) {
        arb_sched_trouble *trouble = stage->tasks[task].trouble;
        arb_sched_facts_drop(stage, task);
        if (trouble == NULL)
            continue;
        arb_sched_timer_clear(s, &trouble->retry);
        s->timer_objects--;
        arb_free(trouble);
    }
    arb_free(stage->told);
    arb_free(stage->near_bytes);
}

void arb_sched_job_free(arb_scheduler *s, arb_sched_job *job)
{
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        stage_free(s, &job->stages[number]);
    arb_sched_timer_clear(s, &job->lease);
    arb_sched_timer_clear(s, &job->unplaceable);
    arb_sched_queue_remove(s, job);
    s->timer_objects -= 2 + (size_t)job->spec.stage_count;
    arb_sched_leave_unwritten(s, job);
    *(job->previous != NULL ? &job->previous->next : &s->first_job) = job->next;
    *(job->next != NULL ? &job->next->previous : &s->last_job) = job->previous;
    s->job_count--;
    s->stage_count -= job->spec.stage_count;
    arb_id_map_remove(&s->jobs, job->id.term, job->id.number);
    arb_free(job->ended);
    arb_free(job->touched);
    arb_arena_reset(&job->arena);
    arb_free(job);
}

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

static void answer(arb_scheduler *s, const arb_sched_job *job, arb_answer_kind kind)
{
    s->actions->answer(s->context, &(arb_answer){.kind = kind,
                                                 .job = job->id,
                                                 .client = job->client,
                                                 .state = job->state,
                                                 .error = job->error.code != ARB_OK ? &job->error : NULL});
}

void arb_sched_answers_owed(arb_scheduler *s, arb_sched_job *job)
{
    if (job->awaits > s->written)
        return;
    if (job->owes_accepted)
        answer(s, job, ARB_ANSWER_ACCEPTED);
    if (job->owes_finished && job->state == ARB_JOB_FINISHED)
        answer(s, job, ARB_ANSWER_FINISHED);
    job->owes_accepted = job->owes_finished = false;
    if (!job->owes_ended)
        return;
    job->owes_ended = false;
    answer(s, job, ARB_ANSWER_ENDED);
    job->reaped_next = s->reaped;
    s->reaped = job;
}

/* ---- the end ----------------------------------------------------------------------------------------------------------- */

void arb_sched_copy_cut(char *to, size_t capacity, arb_str from)
{
    size_t size = ARB_MIN(from.size, capacity - 1);
    while (size < from.size && size > 0 && ((unsigned char)from.data[size] & 0xC0) == 0x80)
        size--;
    if (size > 0)
        memcpy(to, from.data, size);
    to[size] = '\0';
}

void arb_sched_remember(arb_scheduler *s, arb_sched_ended *ended, bool recorded)
{
    if (s->history_size == s->history_most) {
        arb_sched_ended *oldest = s->history[s->history_first];
        if (recorded)
            arb_sched_store_forget(s, oldest);
        if (oldest->detail != NULL)
            s->detail_bytes -= oldest->detail->size;
        s->undetailed -= s->undetailed > 0;
        arb_free(oldest->detail);
        arb_free(oldest);
        s->history_first = (s->history_first + 1) % s->history_most;
        s->history_size--;
    }
    s->history[(s->history_first + s->history_size++) % s->history_most] = ended;
    arb_sched_detail_kept(s, ended);
}

static void fill_ended(arb_scheduler *s, arb_sched_job *job)
{
    const arb_sched_stage *last = &job->stages[job->spec.stage_count - 1];
    arb_sched_ended *ended = job->ended;
    *ended = (arb_sched_ended){.job = job->id,
                               .state = job->state,
                               .code = job->error.code,
                               .submitted = job->submitted,
                               .ended = s->wall_us,
                               .attempts = job->attempts,
                               .rows = last->made_rows,
                               .bytes = last->made_bytes};
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        ended->tasks += job->spec.stages[number].task_count;
    arb_sched_copy_cut(ended->text, sizeof ended->text, job->spec.text);
    arb_sched_copy_cut(ended->user, sizeof ended->user, job->spec.user);
    arb_sched_copy_cut(ended->message, sizeof ended->message, arb_str_of(job->error.message));
}

/* Nothing of it runs or is held any more, as far as executors can be told; the others learn it when they register. */
static void drop_all(arb_scheduler *s, arb_sched_job *job)
{
    for (uint32_t number = 0; number < job->spec.stage_count; number++) {
        arb_sched_stage *stage = &job->stages[number];
        stage->open = false;
        while (stage->running != NULL)
            arb_sched_attempt_stop(s, stage->running);
        for (uint32_t task = 0; task < stage->spec->task_count; task++) {
            arb_sched_forget_output(s, stage, task);
            if (stage->tasks[task].trouble != NULL)
                arb_sched_timer_clear(s, &stage->tasks[task].trouble->retry);
        }
        arb_sched_timer_clear(s, &stage->twin);
        arb_sched_stage_hunger(s, stage);
    }
    for (size_t slot = 0; slot < s->slots.size && slot / 64 < job->touched_words; slot++)
        if (s->slots.data[slot] != NULL && arb_bitmap_get(job->touched, slot))
            arb_sched_send(s, s->slots.data[slot],
                           &(arb_to_executor){.kind = ARB_TO_EXECUTOR_DELETE,
                                              .attempt = {.job = job->id, .stage = ARB_EVERY_STAGE}});
}

void arb_sched_job_end(arb_scheduler *s, arb_sched_job *job, arb_job_state state, const arb_error *error)
{
    if (job->state > ARB_JOB_FINISHED)
        return;
    job->state = state;
    if (error != NULL)
        job->error = *error;
    s->counts.succeeded += state == ARB_JOB_SUCCEEDED;
    s->counts.failed_jobs += state == ARB_JOB_FAILED;
    s->counts.cancelled += state == ARB_JOB_CANCELLED;
    arb_sched_detail *detail = arb_sched_detail_make(job);
    drop_all(s, job);
    arb_sched_timer_clear(s, &job->lease);
    arb_sched_timer_clear(s, &job->unplaceable);
    fill_ended(s, job);
    job->ended->detail = detail;
    arb_sched_store_ended(s, job);
    job->owes_ended = true;
    job->owes_finished = false;
    job->awaits = job->recorded ? job->unwritten_to : 0;
    arb_sched_remember(s, job->ended, true);
    job->ended = NULL;
    arb_sched_answers_owed(s, job);
}

void arb_sched_job_fail(arb_scheduler *s, arb_sched_job *job, arb_code code, const char *format, ...)
{
    arb_error error = {.code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    arb_sched_job_end(s, job, ARB_JOB_FAILED, &error);
}

/* All rows that there are have been delivered. A result that streams has one task, which may not have been reported yet. */
static bool end_if_delivered(arb_scheduler *s, arb_sched_job *job)
{
    const arb_sched_stage *last = &job->stages[job->spec.stage_count - 1];
    uint64_t parts = job->spec.may_stream ? 1 : last->counts[ARB_TASK_COMMITTED];
    if (job->delivered != parts)
        return false;
    arb_sched_job_end(s, job, ARB_JOB_SUCCEEDED, NULL);
    return true;
}

void arb_sched_job_finished(arb_scheduler *s, arb_sched_job *job)
{
    if (job->state == ARB_JOB_FINISHED) {
        job->state = ARB_JOB_RUNNING;
        if (!job->owes_finished)
            answer(s, job, ARB_ANSWER_RESUMED);
        job->owes_finished = false;
        return;
    }
    job->state = ARB_JOB_FINISHED;
    if (end_if_delivered(s, job))
        return;
    job->owes_finished = true;
    if (!job->spec.read_only && job->unwritten_to > s->written)
        job->awaits = job->unwritten_to;
    arb_sched_answers_owed(s, job);
}

/* ---- events ------------------------------------------------------------------------------------------------------------ */

arb_code arb_sched_submit(arb_scheduler *s, const arb_event *event, arb_error *error)
{
    arb_text record = {0};
    arb_sched_job *job = NULL;
    arb_code code = arb_job_spec_check(event->spec, error);
    if (code == ARB_OK)
        code = arb_job_spec_encode(event->spec, &record, error);
    if (code == ARB_OK && !arb_sched_store_prepare(s, event->spec->stage_count * 2 + 8, record.size))
        code = arb_fail_memory(error, "the record of a job", record.size);
    if (code == ARB_OK)
        code = arb_sched_job_create(s, (arb_id){s->term, s->next_number + 1}, arb_text_view(&record), &job, error);
    if (code == ARB_OK) {
        s->next_number++;
        s->counts.submitted++;
        job->client = event->client;
        job->owes_accepted = true;
        arb_sched_timer_set(s, &job->lease, ARB_SCHED_TIMER_LEASE, s->now + s->times.lease);
        if (job->recorded) {
            arb_sched_store_job(s, job, arb_text_view(&record));
            job->awaits = job->unwritten_to;
        }
        *event->out_job = job->id;
        arb_sched_answers_owed(s, job);
        arb_sched_job_advance(s, job);
    }
    arb_text_reset(&record);
    return code;
}

/* The attempt whose rows a client gets, or wants to get: committed, or the one that runs and may stream. */
static bool is_current(const arb_sched_job *job, const arb_sched_task *task, arb_id attempt)
{
    if (task->state == ARB_TASK_COMMITTED)
        return task->slot != ARB_SCHED_NO_SLOT && arb_id_equal(task->attempt, attempt);
    return job->spec.may_stream && task->attempts != NULL && task->attempts->task_next == NULL &&
           arb_id_equal(task->attempts->key.attempt, attempt);
}

static arb_code rows_left(arb_sched_job *job, const arb_event *event, arb_error *error)
{
    arb_sched_task *task = result_task(job, event->task);
    if (task == NULL || task->delivered || !is_current(job, task, event->attempt))
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "this part of the result is not there");
    task->leaving = job->rows_left = true;
    return ARB_OK;
}

static arb_code delivered(arb_scheduler *s, arb_sched_job *job, const arb_event *event, arb_error *error)
{
    arb_sched_task *task = result_task(job, event->task);
    if (task == NULL || !task->leaving || (!task->delivered && !is_current(job, task, event->attempt)))
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "this part of the result is not there");
    if (task->delivered)
        return ARB_OK;
    task->delivered = true;
    job->delivered++;
    if (job->state == ARB_JOB_FINISHED || job->spec.may_stream)
        end_if_delivered(s, job);
    return ARB_OK;
}

static void result_lost(arb_scheduler *s, arb_sched_job *job, const arb_event *event)
{
    arb_sched_task *task = result_task(job, event->task);
    if (task == NULL || task->delivered || !is_current(job, task, event->attempt))
        return; /* nobody reads that any more */
    if (task->leaving)
        arb_sched_job_fail(s, job, ARB_RESULT_LOST, "reading the result failed after rows had been sent");
    else if (task->state == ARB_TASK_COMMITTED)
        arb_sched_output_unreadable(s, &job->stages[job->spec.stage_count - 1], event->task, event->read);
}

arb_code arb_sched_client_event(arb_scheduler *s, const arb_event *event, arb_error *error)
{
    arb_sched_job *job = arb_sched_job_of(s, event->job);
    arb_error gone = {.code = ARB_CANCELLED, .message = "the query was cancelled"};
    if (job == NULL)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no job %llu.%llu (any more)",
                        (unsigned long long)event->job.term, (unsigned long long)event->job.number);
    if (job->state > ARB_JOB_FINISHED) /* its end is being written, then answered */
        return event->kind == ARB_EVENT_ROWS_LEFT
                   ? arb_fail(error, ARB_UNDEFINED_OBJECT, "this part of the result is not there")
                   : ARB_OK;
    arb_sched_timer_set(s, &job->lease, ARB_SCHED_TIMER_LEASE, s->now + s->times.lease);
    switch (event->kind) {
    case ARB_EVENT_CLIENT_GONE:
        arb_fail(&gone, ARB_CANCELLED, "the client went away");
        arb_sched_job_end(s, job, ARB_JOB_CANCELLED, &gone);
        return ARB_OK;
    case ARB_EVENT_JOB_CANCEL:
        if (event->error != NULL)
            arb_sched_job_end(s, job, ARB_JOB_FAILED, event->error);
        else
            arb_sched_job_end(s, job, ARB_JOB_CANCELLED, &gone);
        return ARB_OK;
    case ARB_EVENT_ROWS_LEFT:
        return rows_left(job, event, error);
    case ARB_EVENT_DELIVERED:
        return delivered(s, job, event, error);
    case ARB_EVENT_RESULT_LOST:
        result_lost(s, job, event);
        return ARB_OK;
    default:
        return ARB_OK;
    }
}
