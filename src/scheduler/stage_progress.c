/* Commit and loss: which tasks are done, and what follows for the stages.
 *
 * A task's first output that is offered is its result; later ones are dropped. Where rows are the same each time, it counts
 * at once and is recorded behind; where they may differ it counts once it is recorded, so that a later scheduler takes no
 * other one for what readers have seen.
 *
 *     stage:   needed?  ── the result is, until it is delivered; so is whoever is read by a needed one that is incomplete
 *              open     ── needed, incomplete, and all that it reads is complete: its tasks are launched
 *              complete ── every task is COMMITTED, or SUPERFLUOUS behind a row limit
 *              released ── complete and not needed any more: its outputs are deleted. Needed again (a reader's output was
 *                          lost), it is made again
 *
 * Lost output is made again if it is needed: the lost tasks alone where rows are the same, else the whole stage and all
 * that reads it, in a new generation (reset). Rows that the client has cannot be taken back: then the job fails. */
#include <stdlib.h>

#include "scheduler/scheduler_internal.h"

/* ---- tasks ------------------------------------------------------------------------------------------------------------- */

void arb_sched_task_set(arb_sched_stage *stage, uint32_t task, arb_task_state state)
{
    arb_sched_task *of = &stage->tasks[task];
    stage->counts[of->state]--;
    stage->counts[state]++;
    stage->job->expected += (state == ARB_TASK_EXPECTED) - (of->state == ARB_TASK_EXPECTED);
    of->state = (uint8_t)state;
}

bool arb_sched_put_back(arb_sched_stage *stage, uint32_t task)
{
    arb_sched_task *of = &stage->tasks[task];
    bool waits = of->state == ARB_TASK_PENDING || (of->state == ARB_TASK_RUNNING && of->twin_wanted);
    if (!waits || stage->job->state > ARB_JOB_FINISHED || of->queued ||
        (of->trouble != NULL && of->trouble->retry.node.place != 0))
        return false;
    stage->queue[(stage->queue_head + stage->queue_size++) % stage->spec->task_count] = task;
    of->queued = true;
    return true;
}

void arb_sched_enqueue(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    if (arb_sched_put_back(stage, task)) {
        stage->looked = 0;
        stage->hopeless_in = 0;
        s->untested = true;
        s->settled = false;
    }
    arb_sched_stage_hunger(s, stage);
}

static bool wave_has_room(const arb_sched_stage *stage)
{
    uint64_t begun =
        stage->counts[ARB_TASK_COMMITTED] + stage->counts[ARB_TASK_COMMITTING] + stage->counts[ARB_TASK_RUNNING];
    return stage->spec->row_limit < 0 || begun < stage->wave;
}

void arb_sched_stage_hunger(arb_scheduler *s, arb_sched_stage *stage)
{
    arb_sched_job *job = stage->job;
    bool may_start = !job->recorded || job->spec.read_only || job->stored;
    bool hungry = stage->open && stage->queue_size > 0 && wave_has_room(stage) && !job->recovering && may_start &&
                  job->state <= ARB_JOB_FINISHED;
    if (hungry && !stage->hungry) {
        stage->hungry_next = NULL;
        stage->hungry_previous = job->hungry_last;
        *(job->hungry_last != NULL ? &job->hungry_last->hungry_next : &job->hungry_first) = stage;
        job->hungry_last = stage;
    } else if (!hungry && stage->hungry) {
        *(stage->hungry_previous != NULL ? &stage->hungry_previous->hungry_next : &job->hungry_first) =
            stage->hungry_next;
        *(stage->hungry_next != NULL ? &stage->hungry_next->hungry_previous : &job->hungry_last) =
            stage->hungry_previous;
    }
    if (hungry && !stage->hungry) {
        s->untested = true;
        s->settled = false;
    }
    stage->hungry = hungry;
    if (job->hungry_first != NULL && job->queued.place == 0) {
        arb_sched_queue_put(s, job);
    } else if (job->hungry_first == NULL) {
        arb_sched_queue_remove(s, job);
        arb_sched_timer_clear(s, &job->unplaceable);
    }
}

/* ---- facts and times --------------------------------------------------------------------------------------------------- */

void arb_sched_facts_drop(arb_sched_stage *stage, uint32_t task)
{
    if (stage->facts == NULL)
        return;
    stage->job->facts_bytes -= stage->facts[task].size;
    arb_free((char *)stage->facts[task].data);
    stage->facts[task] = (arb_str){0};
}

/* Facts only help: without memory or room they are left out. */
static void keep_facts(arb_sched_stage *stage, uint32_t task, arb_str facts)
{
    arb_sched_facts_drop(stage, task);
    if (stage->facts == NULL || facts.size == 0 || stage->job->facts_bytes + facts.size > ARB_SCHED_FACTS_MOST)
        return;
    char *copy = arb_strndup(facts.data, facts.size);
    if (copy == NULL)
        return;
    stage->facts[task] = (arb_str){copy, facts.size};
    stage->job->facts_bytes += facts.size;
    stage->recent[stage->recent_count++ % ARB_SCHED_OWN_FACTS] = task;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t arb_sched_stage_median(const arb_sched_stage *stage)
{
    int64_t sorted[ARB_SCHED_DURATIONS];
    size_t count = ARB_MIN(stage->duration_count, (uint32_t)ARB_SCHED_DURATIONS);
    if (count == 0)
        return 0;
    memcpy(sorted, stage->durations, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_size);
    return sorted[count / 2];
}

/* Half of the stage is done, nothing of it waits, and an attempt takes more than twice the median: it gets a twin. */
void arb_sched_twin_check(arb_scheduler *s, arb_sched_stage *stage)
{
    int64_t next = INT64_MAX;
    if (!stage->open || stage->queue_size > 0 || stage->duration_count == 0 ||
        stage->counts[ARB_TASK_COMMITTED] * 2 < stage->spec->task_count)
        return;
    int64_t patience = ARB_MAX(2 * arb_sched_stage_median(stage), s->times.twin_least);
    for (arb_sched_attempt *at = stage->running; at != NULL; at = at->stage_next) {
        arb_sched_task *task = &stage->tasks[at->key.task];
        if (task->attempts->task_next != NULL || task->leaving || task->queued ||
            (task->trouble != NULL && task->trouble->alone))
            continue;
        if (at->started + patience <= s->now) {
            task->twin_wanted = true;
            arb_sched_enqueue(s, stage, at->key.task);
        } else {
            next = ARB_MIN(next, at->started + patience);
        }
    }
    if (next != INT64_MAX)
        arb_sched_timer_set(s, &stage->twin, ARB_SCHED_TIMER_TWIN, next);
}

/* ---- commit ------------------------------------------------------------------------------------------------------------ */

static void stop_others(arb_scheduler *s, arb_sched_task *task)
{
    while (task->attempts != NULL)
        arb_sched_attempt_stop(s, task->attempts);
}

/* Enough rows: what has not been made is not needed. */
static void row_limit_reached(arb_scheduler *s, arb_sched_stage *stage)
{
    for (uint32_t i = 0; i < stage->spec->task_count; i++) {
        arb_sched_task *task = &stage->tasks[i];
        if (task->state != ARB_TASK_PENDING && task->state != ARB_TASK_RUNNING)
            continue;
        stop_others(s, task);
        if (task->trouble != NULL)
            arb_sched_timer_clear(s, &task->trouble->retry);
        arb_sched_task_set(stage, i, ARB_TASK_SUPERFLUOUS);
    }
}

/* The rows that are wanted are those of the first tasks, without a gap: so the same rows are given as by one process, however
 * long each task takes. */
static void next_wave(arb_scheduler *s, arb_sched_stage *stage)
{
    if (stage->spec->row_limit < 0)
        return;
    while (stage->first_count < stage->spec->task_count && stage->tasks[stage->first_count].state == ARB_TASK_COMMITTED)
        stage->first_rows += stage->tasks[stage->first_count++].rows;
    if (stage->first_rows >= (uint64_t)stage->spec->row_limit)
        row_limit_reached(s, stage);
    else if (stage->counts[ARB_TASK_COMMITTED] >= stage->wave)
        stage->wave *= 4;
}

/* From now on readers see it. */
static void commit(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    arb_sched_job *job = stage->job;
    arb_sched_task *of = &stage->tasks[task];
    arb_sched_executor *executor = s->slots.data[of->slot];
    arb_attempt key = {job->id, of->attempt, stage->generation, stage->number, task};
    s->counts.committed++;
    s->counts.committed_rows += of->rows;
    s->counts.committed_bytes += of->bytes;
    executor->committed++;
    executor->rows += of->rows;
    executor->bytes += of->bytes;
    arb_sched_task_set(stage, task, ARB_TASK_COMMITTED);
    stage->rows += of->rows;
    stage->bytes += of->bytes;
    arb_sched_send(s, executor, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_SEEN, .attempt = key});
    next_wave(s, stage);
    if (arb_sched_complete(stage)) {
        stage->made_rows = stage->rows;
        stage->made_bytes = stage->bytes;
        stage->ended = s->wall_us;
        arb_sched_job_advance(s, job);
        return;
    }
    arb_sched_stage_hunger(s, stage);
    if (stage->twin.node.place == 0)
        arb_sched_twin_check(s, stage);
}

/* The output is this task's, at that executor; nothing else of the task goes on. */
static void take(arb_scheduler *s, arb_sched_executor *executor, arb_sched_stage *stage, const arb_attempt *key,
                 const arb_task_output *output)
{
    arb_sched_task *task = &stage->tasks[key->task];
    stop_others(s, task);
    if (task->trouble != NULL)
        arb_sched_timer_clear(s, &task->trouble->retry);
    task->twin_wanted = false;
    task->attempt = key->attempt;
    task->slot = executor->slot;
    task->rows = ARB_MIN(output->rows, ARB_SCHED_SIZE_MOST);
    task->bytes = ARB_MIN(output->bytes, ARB_SCHED_SIZE_MOST);
    task->ended = s->wall_us;
    task->executor = executor->id;
    task->seen = s->settling;
    executor->outputs++;
    executor->output_bytes += task->bytes;
    stage->task_memory = ARB_MAX(stage->task_memory, output->memory);
    keep_facts(stage, key->task, output->facts);
}

/* Whether an output that was offered may be its task's: NULL when it counts for nothing. */
static arb_sched_stage *stage_offered(arb_scheduler *s, arb_sched_executor *executor, const arb_attempt *key)
{
    arb_sched_job *job = arb_sched_job_of(s, key->job);
    if (job == NULL || job->state > ARB_JOB_FINISHED || key->stage >= job->spec.stage_count)
        return NULL;
    arb_sched_stage *stage = &job->stages[key->stage];
    if (key->task >= stage->spec->task_count || !arb_id_equal(stage->generation, key->generation) || stage->released ||
        !arb_sched_touch(job, executor->slot))
        return NULL;
    const arb_sched_task *task = &stage->tasks[key->task];
    bool kept = arb_id_equal(task->attempt, key->attempt);
    bool result = key->stage + 1 == job->spec.stage_count; /* clients read it, who reach whom others do not */
    if (executor->excluded && !kept && !result)
        return NULL;
    /* behind a row limit the recorded outputs are all that readers have seen: a further one may have been superfluous */
    if (job->recovering && stage->spec->row_limit >= 0 && !kept)
        return NULL;
    if (task->leaving && (task->attempts == NULL || !arb_id_equal(task->attempts->key.attempt, key->attempt)) &&
        task->state != ARB_TASK_COMMITTED && task->state != ARB_TASK_COMMITTING)
        return NULL;
    return stage;
}

/* An offer that cannot be: of an attempt that runs elsewhere or as another task, of one that nobody launched, or, but in
 * an inventory, of one that is not known. */
static bool refused(arb_scheduler *s, arb_sched_executor *executor, const arb_attempt *key)
{
    arb_sched_attempt *attempt = arb_id_map_get(&s->attempts, key->attempt.term, key->attempt.number);
    if (attempt == NULL)
        return !s->settling || !arb_sched_id_given(s, key->attempt);
    if (attempt->executor != executor)
        return true;
    if (arb_attempt_equal(&attempt->key, key))
        return false;
    arb_sched_attempt_lost(s, attempt); /* whatever it was, it runs no more */
    return true;
}

void arb_sched_output_offered(arb_scheduler *s, arb_sched_executor *executor, const arb_attempt *key,
                              const arb_task_output *output)
{
    bool stops = false;
    int64_t took = 0;
    arb_sched_stage *stage = stage_offered(s, executor, key);
    arb_sched_task *task = stage != NULL ? &stage->tasks[key->task] : NULL;
    bool same = task != NULL && arb_id_equal(task->attempt, key->attempt);
    if (same && task->slot == executor->slot) { /* known: registered again */
        task->seen = s->settling;
        if (task->state == ARB_TASK_COMMITTED)
            arb_sched_send(s, executor, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_SEEN, .attempt = *key});
        return;
    }
    if (refused(s, executor, key)) {
        arb_sched_cancel_output(s, executor, key);
        return;
    }
    arb_sched_attempt *attempt = arb_sched_attempt_at(s, executor, key->attempt);
    if (attempt != NULL) {
        stops = attempt->stage == NULL;
        took = s->now - attempt->started;
        if (stage == NULL)
            arb_sched_attempt_lost(s, attempt);
        else
            arb_sched_attempt_free(s, attempt);
    }
    bool expected = task != NULL && task->state == ARB_TASK_EXPECTED;
    bool wanted = task != NULL && !stops &&
                  (task->state == ARB_TASK_PENDING || task->state == ARB_TASK_RUNNING ||
                   (expected && (same || !stage->spec->may_differ)));
    if (!wanted) {
        arb_sched_cancel_output(s, executor, key);
        return;
    }
    take(s, executor, stage, key, output);
    task->took = took;
    if (took > 0)
        stage->durations[stage->duration_count++ % ARB_SCHED_DURATIONS] = took;
    if (stage->job->recorded && !(expected && same))
        arb_sched_store_commit(s, stage, key->task);
    if (stage->job->recorded && stage->spec->may_differ && !expected) {
        arb_sched_task_set(stage, key->task, ARB_TASK_COMMITTING);
        s->commits.data[s->commits.size++] = (arb_sched_commit){*key, executor->id, s->write_sequence};
        arb_sched_stage_hunger(s, stage);
        return;
    }
    commit(s, stage, key->task);
}

void arb_sched_commits_written(arb_scheduler *s)
{
    size_t done = 0;
    while (done < s->commits.size && s->commits.data[done].write <= s->written) {
        const arb_sched_commit *at = &s->commits.data[done++];
        arb_sched_job *job = arb_sched_job_of(s, at->attempt.job);
        if (job == NULL || job->state > ARB_JOB_FINISHED)
            continue;
        arb_sched_stage *stage = &job->stages[at->attempt.stage];
        const arb_sched_task *task = &stage->tasks[at->attempt.task];
        if (task->state == ARB_TASK_COMMITTING && arb_id_equal(task->attempt, at->attempt.attempt))
            commit(s, stage, at->attempt.task);
    }
    s->commits.size -= done;
    if (s->commits.size > 0)
        memmove(s->commits.data, s->commits.data + done, s->commits.size * sizeof *s->commits.data);
}

/* ---- loss -------------------------------------------------------------------------------------------------------------- */

/* Nobody counts it any more; its executor is not told. */
void arb_sched_forget_output(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    arb_sched_task *of = &stage->tasks[task];
    if (of->slot == ARB_SCHED_NO_SLOT)
        return;
    s->slots.data[of->slot]->outputs--;
    s->slots.data[of->slot]->output_bytes -= of->bytes;
    of->slot = ARB_SCHED_NO_SLOT;
}

static void uncommit(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    arb_sched_task *of = &stage->tasks[task];
    arb_sched_forget_output(s, stage, task);
    if (of->state == ARB_TASK_COMMITTED) {
        stage->rows -= of->rows;
        stage->bytes -= of->bytes;
        stage->first_count = 0; /* counted anew with the next commit */
        stage->first_rows = 0;
    }
    of->attempt = (arb_id){0};
    of->rows = of->bytes = 0;
    arb_sched_task_set(stage, task, ARB_TASK_PENDING);
}

void arb_sched_output_lost(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    arb_sched_task *of = &stage->tasks[task];
    s->counts.lost++;
    if (of->delivered) {
        arb_sched_forget_output(s, stage, task);
        return;
    }
    if (of->leaving) {
        arb_sched_job_fail(s, stage->job, ARB_RESULT_LOST,
                           "the executor with the result was lost after rows had been sent");
        return;
    }
    stage->changed = true;
    stage->broken |= stage->spec->may_differ;
    uncommit(s, stage, task);
    arb_sched_enqueue(s, stage, task);
}

void arb_sched_outputs_lost(arb_scheduler *s, uint32_t slot, bool results)
{
    for (arb_sched_job *job = s->first_job, *next; job != NULL; job = next) {
        bool lost = false;
        next = job->next;
        if (job->state > ARB_JOB_FINISHED || slot / 64 >= job->touched_words || !arb_bitmap_get(job->touched, slot))
            continue;
        uint32_t count = job->spec.stage_count - !results;
        for (uint32_t number = 0; number < count && job->state <= ARB_JOB_FINISHED; number++) {
            arb_sched_stage *stage = &job->stages[number];
            for (uint32_t task = 0; task < stage->spec->task_count && job->state <= ARB_JOB_FINISHED; task++) {
                if (stage->tasks[task].slot != slot)
                    continue;
                arb_attempt key = {job->id, stage->tasks[task].attempt, stage->generation, number, task};
                arb_sched_cancel_output(s, s->slots.data[slot], &key);
                arb_sched_output_lost(s, stage, task);
                lost = true;
            }
        }
        if (lost && job->state <= ARB_JOB_FINISHED)
            arb_sched_job_advance(s, job);
    }
}

static void delete_stage(arb_scheduler *s, arb_sched_stage *stage)
{
    for (uint32_t task = 0; task < stage->spec->task_count; task++) {
        if (stage->tasks[task].slot != ARB_SCHED_NO_SLOT)
            s->slot_marks.data[stage->tasks[task].slot] = 1;
        arb_sched_forget_output(s, stage, task);
    }
    for (size_t slot = 0; slot < s->slots.size; slot++) {
        if (s->slot_marks.data[slot] == 0)
            continue;
        s->slot_marks.data[slot] = 0;
        arb_sched_send(s, s->slots.data[slot],
                       &(arb_to_executor){.kind = ARB_TO_EXECUTOR_DELETE,
                                          .attempt = {.job = stage->job->id, .stage = stage->number}});
    }
}

/* Back to nothing, in a new generation; once in an event, since nothing is launched before its end. */
static void stage_restart(arb_scheduler *s, arb_sched_stage *stage)
{
    if (stage->restarted == s->events)
        return;
    stage->restarted = s->events;
    while (stage->running != NULL)
        arb_sched_attempt_stop(s, stage->running);
    delete_stage(s, stage);
    stage->generation = (arb_id){s->term, ++s->next_number};
    stage->broken = stage->released = stage->facts_ready = false;
    stage->changed = true;
    stage->wave = 1;
    for (uint32_t task = 0; task < stage->spec->task_count; task++) {
        arb_sched_task *of = &stage->tasks[task];
        uncommit(s, stage, task);
        arb_sched_facts_drop(stage, task);
        of->twin_wanted = false;
        arb_sched_enqueue(s, stage, task);
    }
    stage->rows = stage->bytes = 0;
    if (stage->job->recorded)
        arb_sched_store_reset(s, stage);
}

/* ---- what follows ------------------------------------------------------------------------------------------------------ */

/* Same rows again: what was released is made again task by task. */
static void unrelease(arb_scheduler *s, arb_sched_stage *stage)
{
    stage->released = false;
    stage->changed = true;
    for (uint32_t task = 0; task < stage->spec->task_count; task++) {
        uncommit(s, stage, task);
        arb_sched_enqueue(s, stage, task);
    }
}

/* From the result back: who is needed, and of those, who must be made again as a whole. True: more must be than before. */
static bool mark_needed(arb_scheduler *s, arb_sched_job *job)
{
    bool more = false;
    job->stages[job->spec.stage_count - 1].needed = true;
    for (uint32_t number = job->spec.stage_count; number-- > 0;) {
        arb_sched_stage *stage = &job->stages[number];
        if (!stage->needed)
            continue;
        if (stage->released && !stage->spec->may_differ)
            unrelease(s, stage);
        if ((stage->broken || stage->released) && !stage->again)
            more = stage->again = true;
        if (!stage->again && arb_sched_complete(stage))
            continue;
        for (uint32_t i = 0; i < stage->spec->input_count; i++) {
            arb_sched_stage *input = &job->stages[stage->spec->inputs[i].stage];
            input->needed |= stage->spec->inputs[i].mode != ARB_INPUT_FACTS || !input->facts_ready || input->again;
        }
    }
    return more;
}

/* And whoever reads what is made again. True: more than before. */
static bool mark_readers(arb_sched_job *job)
{
    bool more = false;
    for (uint32_t number = 0; number < job->spec.stage_count; number++) {
        arb_sched_stage *stage = &job->stages[number];
        for (uint32_t i = 0; i < stage->spec->input_count && !stage->again; i++)
            if (job->stages[stage->spec->inputs[i].stage].again)
                more = stage->again = true;
    }
    return more;
}

/* Each stage is restarted once at most. False: rows have left, so the job has failed. */
static bool reset_what_must_be(arb_scheduler *s, arb_sched_job *job)
{
    bool any = false;
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        job->stages[number].needed = job->stages[number].again = false;
    while (mark_needed(s, job) || (any && mark_readers(job))) {
        any = true;
        mark_readers(job);
    }
    if (!any)
        return true;
    if (job->stages[job->spec.stage_count - 1].again && job->rows_left) {
        arb_sched_job_fail(s, job, ARB_RESULT_LOST,
                           "rows that a part of the result was made of were lost after other rows had been sent");
        return false;
    }
    s->counts.resets++;
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        if (job->stages[number].again)
            stage_restart(s, &job->stages[number]);
    return true;
}

static bool inputs_ready(const arb_sched_stage *stage)
{
    for (uint32_t i = 0; i < stage->spec->input_count; i++) {
        const arb_sched_stage *input = &stage->job->stages[stage->spec->inputs[i].stage];
        bool ready = stage->spec->inputs[i].mode == ARB_INPUT_FACTS ? input->facts_ready
                                                                    : arb_sched_complete(input) && !input->released;
        if (!ready)
            return false;
    }
    return true;
}

/* What the executors hold of its inputs, so that tasks go where their rows are. A hint, so it may be missing. */
static void note_near(arb_scheduler *s, arb_sched_stage *stage)
{
    if (stage->near_size < s->slots.size) {
        uint64_t *grown = arb_realloc(stage->near_bytes, s->slots.size * sizeof *grown);
        if (grown == NULL)
            return;
        stage->near_bytes = grown;
        stage->near_size = s->slots.size;
    }
    if (stage->near_size == 0)
        return;
    memset(stage->near_bytes, 0, stage->near_size * sizeof *stage->near_bytes);
    stage->near_total = 0;
    for (uint32_t i = 0; i < stage->spec->input_count; i++) {
        const arb_sched_stage *input = &stage->job->stages[stage->spec->inputs[i].stage];
        if (stage->spec->inputs[i].mode == ARB_INPUT_FACTS)
            continue;
        for (uint32_t task = 0; task < input->spec->task_count; task++) {
            if (input->tasks[task].slot == ARB_SCHED_NO_SLOT ||
                input->tasks[task].bytes > UINT64_MAX - stage->near_total)
                continue;
            stage->near_bytes[input->tasks[task].slot] += input->tasks[task].bytes;
            stage->near_total += input->tasks[task].bytes;
        }
    }
}

static void settle_stage(arb_scheduler *s, arb_sched_stage *stage)
{
    bool complete = arb_sched_complete(stage);
    bool last = stage->number + 1 == stage->job->spec.stage_count;
    bool open = stage->needed && !complete && inputs_ready(stage);
    for (uint32_t i = 0; i < stage->spec->input_count; i++)
        if (stage->job->stages[stage->spec->inputs[i].stage].changed) {
            stage->sources_version++;
            break;
        }
    if (open && !stage->open)
        note_near(s, stage);
    stage->open = open;
    stage->facts_ready |= complete;
    if (!stage->needed && !complete)
        while (stage->running != NULL) {
            arb_sched_attempt *attempt = stage->running;
            uint32_t task = attempt->key.task;
            arb_sched_attempt_stop(s, attempt);
            arb_sched_enqueue(s, stage, task);
        }
    if (!stage->needed && complete && !stage->released && !last && !stage->job->recovering) {
        delete_stage(s, stage);
        stage->released = true;
    }
    arb_sched_stage_hunger(s, stage);
}

void arb_sched_job_advance(arb_scheduler *s, arb_sched_job *job)
{
    if (job->state > ARB_JOB_FINISHED || job->recovering)
        return;
    if (!reset_what_must_be(s, job))
        return;
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        settle_stage(s, &job->stages[number]);
    for (uint32_t number = 0; number < job->spec.stage_count; number++)
        job->stages[number].changed = false;
    if (arb_sched_complete(&job->stages[job->spec.stage_count - 1]) != (job->state == ARB_JOB_FINISHED))
        arb_sched_job_finished(s, job);
}
