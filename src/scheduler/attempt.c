/* Attempts: how they begin, stop and fail, and what a failure means for the task.
 *
 *     FINAL       the job ends with the error
 *     RETRYABLE   counts; the 4th ends the job. The task waits a little, and goes elsewhere if it can
 *     CANCELLED   the task waits again, if it is still wanted
 *     READ        the reader waits again. NOT_FOUND, CORRUPT: the producer's output is lost. UNREACHABLE: see below
 *     lost        (its executor died) the task waits again. When it has outlived six it runs with nothing beside it, and the
 *                 6th to die so ends the job: what the system kills for want of memory leaves no record of a crash. It may
 *                 be blamed for nothing where executors seldom live as long as a task takes; but such a job hardly ends
 *     crash       (it brought its executor down) it runs with nothing beside it; the 3rd crash there ends the job
 *
 * UNREACHABLE while the scheduler hears the producer well: who of the two is cut off? The reader is placed beside the
 * producer, where the question does not arise. When another executor cannot reach the producer either, or the reader,
 * now beside one producer, cannot reach another, then that one is excluded for a while and what it holds counts as lost. So is one
 * of two that complain of each other, whichever tasks were theirs: otherwise each task of a stage would find that out for itself. */
#include <stdarg.h>
#include <stdio.h>

#include "scheduler/scheduler_internal.h"

/* NULL without memory. */
static arb_sched_trouble *trouble_of(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    arb_sched_task *of = &stage->tasks[task];
    if (of->trouble != NULL)
        return of->trouble;
    arb_sched_trouble *made = arb_alloc_zeroed(sizeof *made);
    if (made == NULL || !arb_sched_timers_reserve(s, 1)) {
        arb_free(made);
        return NULL;
    }
    made->stage = stage;
    made->task = task;
    of->trouble = made;
    return made;
}

static void free_slot(arb_scheduler *s, arb_sched_executor *executor, const arb_sched_attempt *attempt)
{
    if (arb_sched_ready(executor) && executor->running <= executor->slots)
        s->free_slots++;
    executor->running--;
    executor->memory_taken -= attempt->memory;
    if (executor->alone == attempt)
        executor->alone = NULL;
    arb_sched_room_changed(s, false);
}

static void take_slot(arb_scheduler *s, arb_sched_executor *executor, arb_sched_attempt *attempt)
{
    executor->running++;
    if (arb_sched_ready(executor) && executor->running <= executor->slots)
        s->free_slots--;
    executor->memory_taken += attempt->memory;
    if (attempt->alone)
        executor->alone = attempt;
}

arb_sched_attempt *arb_sched_attempt_make(arb_scheduler *s, arb_sched_executor *executor, arb_sched_stage *stage,
                                          uint32_t task, arb_id id, bool alone, bool twin)
{
    arb_sched_job *job = stage->job;
    arb_sched_attempt *made = arb_alloc(sizeof *made);
    if (made == NULL || !arb_id_map_reserve(&s->attempts, s->attempts.count + 1) ||
        !arb_sched_touch(job, executor->slot)) {
        arb_free(made);
        return NULL;
    }
    *made = (arb_sched_attempt){.key = {job->id, id, stage->generation, stage->number, task},
                                .executor = executor,
                                .stage = stage,
                                .started = s->now,
                                .memory = ARB_MIN(stage->spec->memory, executor->memory),
                                .alone = alone,
                                .twin = twin,
                                .executor_next = executor->attempts,
                                .task_next = stage->tasks[task].attempts,
                                .stage_next = stage->running};
    arb_id_map_put(&s->attempts, id.term, id.number, made);
    if (executor->attempts != NULL)
        executor->attempts->executor_previous = made;
    executor->attempts = made;
    stage->tasks[task].attempts = made;
    if (stage->running != NULL)
        stage->running->stage_previous = made;
    stage->running = made;
    take_slot(s, executor, made);
    job->running++;
    job->attempts++;
    stage->attempts++;
    stage->tasks[task].made += stage->tasks[task].made < UINT16_MAX;
    if (stage->started == 0)
        stage->started = s->wall_us;
    if (stage->tasks[task].state == ARB_TASK_PENDING)
        arb_sched_task_set(stage, task, ARB_TASK_RUNNING);
    if (job->queued.place != 0)
        arb_sched_queue_put(s, job);
    return made;
}

arb_sched_attempt *arb_sched_attempt_at(const arb_scheduler *s, const arb_sched_executor *executor, arb_id id)
{
    arb_sched_attempt *attempt = arb_id_map_get(&s->attempts, id.term, id.number);
    return attempt != NULL && attempt->executor == executor ? attempt : NULL;
}

/* It leaves its task and its stage. The task is PENDING again when nothing else runs for it. */
static void detach(arb_scheduler *s, arb_sched_attempt *attempt)
{
    arb_sched_stage *stage = attempt->stage;
    if (stage == NULL)
        return;
    arb_sched_task *task = &stage->tasks[attempt->key.task];
    arb_sched_attempt **link = &task->attempts;
    while (*link != attempt)
        link = &(*link)->task_next;
    *link = attempt->task_next;
    if (attempt->stage_previous != NULL)
        attempt->stage_previous->stage_next = attempt->stage_next;
    else
        stage->running = attempt->stage_next;
    if (attempt->stage_next != NULL)
        attempt->stage_next->stage_previous = attempt->stage_previous;
    attempt->stage = NULL;
    stage->job->running--;
    if (stage->job->queued.place != 0)
        arb_sched_queue_put(s, stage->job);
    if (task->attempts == NULL && task->state == ARB_TASK_RUNNING)
        arb_sched_task_set(stage, attempt->key.task, ARB_TASK_PENDING);
}

void arb_sched_attempt_free(arb_scheduler *s, arb_sched_attempt *attempt)
{
    arb_sched_executor *executor = attempt->executor;
    detach(s, attempt);
    free_slot(s, executor, attempt);
    if (attempt->executor_previous != NULL)
        attempt->executor_previous->executor_next = attempt->executor_next;
    else
        executor->attempts = attempt->executor_next;
    if (attempt->executor_next != NULL)
        attempt->executor_next->executor_previous = attempt->executor_previous;
    arb_id_map_remove(&s->attempts, attempt->key.attempt.term, attempt->key.attempt.number);
    arb_free(attempt);
}

void arb_sched_cancel_output(arb_scheduler *s, arb_sched_executor *executor, const arb_attempt *key)
{
    arb_sched_send(s, executor, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_CANCEL, .attempt = *key});
}

void arb_sched_attempt_stop(arb_scheduler *s, arb_sched_attempt *attempt)
{
    assert(attempt->stage != NULL);
    arb_sched_cancel_output(s, attempt->executor, &attempt->key);
    detach(s, attempt);
}

/* Rows of a running attempt have left: nobody can take its place. */
static bool was_leaving(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    const arb_sched_task *of = &stage->tasks[task];
    if (!of->leaving || of->attempts != NULL || of->state == ARB_TASK_COMMITTED || of->state == ARB_TASK_COMMITTING)
        return false;
    arb_sched_job_fail(s, stage->job, ARB_RESULT_LOST,
                       "the executor that made the result was lost after rows had been sent");
    return true;
}

void arb_sched_attempt_lost(arb_scheduler *s, arb_sched_attempt *attempt)
{
    arb_sched_stage *stage = attempt->stage;
    uint32_t task = attempt->key.task;
    s->counts.lost++;
    arb_sched_attempt_free(s, attempt);
    if (stage != NULL && !was_leaving(s, stage, task))
        arb_sched_enqueue(s, stage, task);
}

static void run_alone(const arb_scheduler *s, arb_sched_trouble *trouble)
{
    trouble->alone = true;
    trouble->alone_from = (arb_id){s->term, s->next_number + 1};
}

void arb_sched_attempt_died(arb_scheduler *s, arb_sched_attempt *attempt)
{
    arb_sched_stage *stage = attempt->stage;
    uint32_t task = attempt->key.task;
    arb_sched_trouble *trouble = stage != NULL ? trouble_of(s, stage, task) : NULL;
    bool blamed = false;
    if (trouble != NULL && attempt->alone) {
        blamed = ++trouble->deaths_alone >= ARB_SCHED_DEATHS_MOST;
    } else if (trouble != NULL && ++trouble->deaths >= ARB_SCHED_DEATHS_MOST && !trouble->alone) {
        run_alone(s, trouble);
    }
    if (blamed)
        arb_sched_job_fail(s, stage->job, ARB_EXECUTOR_CRASHED,
                           "%d executors died while they ran task %u of stage %u with nothing beside it",
                           ARB_SCHED_DEATHS_MOST, task, stage->number);
    arb_sched_attempt_lost(s, attempt);
}

static void retry_later(arb_scheduler *s, arb_sched_trouble *trouble)
{
    uint32_t doublings = ARB_MIN(ARB_MAX(trouble->failures, trouble->rebuilds), (uint32_t)7);
    arb_sched_timer_set(s, &trouble->retry, ARB_SCHED_TIMER_RETRY,
                        s->now + (s->times.retry << (doublings == 0 ? 0 : doublings - 1)));
}

/* For people. */
static void note_failure(arb_sched_stage *stage, arb_sched_trouble *trouble, arb_uuid where, const arb_error *error)
{
    stage->failures++;
    trouble->failures++;
    trouble->where = where;
    trouble->code = error != NULL ? error->code : ARB_IO;
    arb_sched_copy_cut(trouble->message, sizeof trouble->message, arb_str_of(error != NULL ? error->message : ""));
}

static void failed_retryably(arb_scheduler *s, arb_sched_stage *stage, uint32_t task, arb_uuid where,
                             const arb_error *error)
{
    if (stage->tasks[task].attempts != NULL)
        return; /* its twin goes on */
    arb_sched_trouble *trouble = trouble_of(s, stage, task);
    if (trouble == NULL) {
        arb_sched_job_fail(s, stage->job, ARB_OUT_OF_MEMORY, "the scheduler has no memory to try a failed task again");
        return;
    }
    trouble->avoid = where;
    note_failure(stage, trouble, where, error);
    if (trouble->failures < ARB_SCHED_FAILURES_MOST) {
        retry_later(s, trouble);
        return;
    }
    arb_error last = error != NULL ? *error : (arb_error){.code = ARB_IO, .message = "a task failed"};
    arb_error_detail(&last, "task %u of stage %u failed %d times", task, stage->number, ARB_SCHED_FAILURES_MOST);
    arb_sched_job_end(s, stage->job, ARB_JOB_FAILED, &last);
}

/* Has somebody complained of it, not long ago? */
static bool complained_of(const arb_scheduler *s, const arb_sched_executor *executor)
{
    bool by_anyone = (executor->complainer.high | executor->complainer.low) != 0;
    return by_anyone && s->now - executor->complained < 3 * s->times.exclusion;
}

/* See the head of the file. */
static void unreachable(arb_scheduler *s, arb_sched_executor *reader, arb_sched_executor *producer,
                        arb_sched_stage *stage, uint32_t task)
{
    arb_sched_trouble *trouble = trouble_of(s, stage, task);
    if (producer->suspect || producer->excluded)
        return; /* it will be clear soon what has become of it */
    bool agreed = complained_of(s, producer) && !arb_uuid_equal(producer->complainer, reader->id);
    bool mutual = complained_of(s, reader) && arb_uuid_equal(reader->complainer, producer->id);
    if (agreed || mutual || trouble == NULL || arb_uuid_equal(trouble->bounced_to, reader->id)) {
        if (trouble != NULL)
            trouble->bounced_to = (arb_uuid){0};
        if (mutual)
            reader->complainer = (arb_uuid){0};
        arb_sched_exclude(s, producer);
        return;
    }
    producer->complainer = reader->id;
    producer->complained = s->now;
    trouble->beside = trouble->bounced_to = producer->id;
}

static void read_failed(arb_scheduler *s, arb_sched_executor *reader, arb_sched_stage *stage, uint32_t task,
                        const arb_failure *failure)
{
    arb_sched_job *job = stage->job;
    arb_sched_enqueue(s, stage, task);
    if (failure->producer_stage >= job->spec.stage_count ||
        failure->producer_task >= job->stages[failure->producer_stage].spec->task_count)
        return;
    arb_sched_stage *producers = &job->stages[failure->producer_stage];
    const arb_sched_task *producer = &producers->tasks[failure->producer_task];
    if (producer->state != ARB_TASK_COMMITTED || !arb_id_equal(producer->attempt, failure->producer_attempt) ||
        producer->slot == ARB_SCHED_NO_SLOT)
        return; /* it has been replaced already */
    if (failure->read == ARB_READ_UNREACHABLE && s->slots.data[producer->slot] != reader)
        unreachable(s, reader, s->slots.data[producer->slot], stage, task);
    else
        arb_sched_output_unreadable(s, producers, failure->producer_task, failure->read);
}

void arb_sched_output_unreadable(arb_scheduler *s, arb_sched_stage *stage, uint32_t task, arb_read_failure read)
{
    arb_sched_task *of = &stage->tasks[task];
    arb_sched_executor *holder = s->slots.data[of->slot];
    arb_sched_trouble *trouble = trouble_of(s, stage, task);
    arb_attempt key = {stage->job->id, of->attempt, stage->generation, stage->number, task};
    s->counts.rebuilt++;
    if (trouble == NULL || ++trouble->rebuilds > ARB_SCHED_REBUILDS_MOST) {
        arb_sched_job_fail(s, stage->job, read == ARB_READ_CORRUPT ? ARB_CORRUPT_DATA : ARB_IO,
                           "the output of task %u of stage %u could not be read, though it was made %d times", task,
                           stage->number, ARB_SCHED_REBUILDS_MOST);
        return;
    }
    trouble->avoid = holder->id;
    arb_sched_cancel_output(s, holder, &key);
    arb_sched_output_lost(s, stage, task);
    arb_sched_job_advance(s, stage->job);
}

void arb_sched_attempt_failed(arb_scheduler *s, arb_sched_executor *executor, const arb_to_scheduler *message)
{
    const arb_failure *failure = &message->failure;
    arb_sched_attempt *attempt = arb_sched_attempt_at(s, executor, message->attempt.attempt);
    arb_sched_send(s, executor, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_SEEN, .attempt = message->attempt});
    if (attempt == NULL)
        return;
    if (!arb_attempt_equal(&attempt->key, &message->attempt)) { /* what failed there is not what was launched */
        arb_sched_attempt_lost(s, attempt);
        return;
    }
    arb_sched_stage *stage = attempt->stage;
    uint32_t task = attempt->key.task;
    arb_sched_attempt_free(s, attempt);
    if (stage == NULL)
        return;
    s->counts.failed++;
    if (failure->kind == ARB_FAILURE_FINAL && failure->error != NULL) {
        arb_sched_trouble *trouble = trouble_of(s, stage, task);
        if (trouble != NULL)
            note_failure(stage, trouble, executor->id, failure->error);
        arb_sched_job_end(s, stage->job, ARB_JOB_FAILED, failure->error);
        return;
    }
    if (was_leaving(s, stage, task))
        return;
    switch (failure->kind) {
    case ARB_FAILURE_FINAL:
        arb_sched_job_fail(s, stage->job, ARB_INTERNAL, "a task failed without an error");
        break;
    case ARB_FAILURE_RETRYABLE:
        failed_retryably(s, stage, task, executor->id, failure->error);
        break;
    case ARB_FAILURE_CANCELLED:
        arb_sched_enqueue(s, stage, task);
        break;
    case ARB_FAILURE_READ:
        read_failed(s, executor, stage, task, failure);
        break;
    }
}

void arb_sched_crashed(arb_scheduler *s, const arb_attempt *key)
{
    arb_sched_job *job = arb_sched_job_of(s, key->job);
    if (job == NULL || job->state > ARB_JOB_FINISHED || key->stage >= job->spec.stage_count ||
        key->task >= job->stages[key->stage].spec->task_count)
        return;
    arb_sched_stage *stage = &job->stages[key->stage];
    arb_sched_trouble *trouble = trouble_of(s, stage, key->task);
    if (trouble != NULL && arb_id_compare(key->attempt, trouble->last_crash) <= 0)
        return; /* reported before */
    s->counts.crashes++;
    if (trouble != NULL) {
        trouble->last_crash = key->attempt;
        trouble->crashes++;
        if (!trouble->alone) {
            run_alone(s, trouble);
        } else if (arb_id_compare(key->attempt, trouble->alone_from) >= 0) {
            trouble->crashes_alone++;
        }
    }
    if (trouble == NULL || trouble->crashes_alone >= ARB_SCHED_CRASHES_MOST)
        arb_sched_job_fail(s, job, ARB_EXECUTOR_CRASHED,
                           "task %u of stage %u crashed its executor %d times with nothing beside it", key->task,
                           key->stage, ARB_SCHED_CRASHES_MOST);
}
