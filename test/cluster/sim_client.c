/* Clients: each submits one job, waits, reads its result part by part, and judges how it ended.
 *
 * Some cancel, some go, some fall silent. When the scheduler ends, those that keep asking ask its successor; the others
 * are gone. The server between client and scheduler is in here too: it asks before rows leave, and says what it could not
 * read. */
#include <stdio.h>

#include "simulator.h"

enum { SUBMITS, BEGINS_TO_READ, HAS_READ, LOSES_PATIENCE, STREAMS };

static bool is_small(const sim_job *job)
{
    return job->spec.read_only && job->spec.stage_count == 1 && job->spec.stages[0].task_count == 1;
}

static void done(sim_world *world, sim_job *job, const char *how)
{
    sim_trace(world, "client %u: %s", job->index, how);
    job->state = CLIENT_DONE;
    sim_note(world, job->index * 1000 + job->ended * 100 + job->code);
}

/* ---- judging ----------------------------------------------------------------------------------------------------------- */

static bool executors_suffer(const sim_world *world)
{
    const sim_faults *faults = &world->faults;
    return faults->die || faults->pause || faults->cut || faults->drain || faults->part || faults->lose > 0 ||
           faults->late > 0 || faults->twice > 0 || faults->reorder || world->counts.crashes > 0;
}

static bool nobody_has_roots(const sim_world *world, const sim_job *job)
{
    if (job->spec.root_count == 0)
        return false;
    for (uint32_t i = 0; i < world->executor_count; i++)
        if (world->executors[i].root_mask == 3)
            return false;
    return true;
}

static bool justified(const sim_world *world, const sim_job *job)
{
    const sim_faults *faults = &world->faults;
    bool unreadable = faults->corrupt > 0 || faults->vanish > 0;
    switch (job->code) {
    case ARB_DIVISION_BY_ZERO:
        return job->final_stage >= 0;
    case ARB_DISK_FULL:
        return job->injected_failures >= 4 || faults->write > 0;
    case ARB_NO_EXECUTOR:
        return executors_suffer(world) || nobody_has_roots(world, job);
    case ARB_RESULT_LOST:
        return job->left && (executors_suffer(world) || unreadable || faults->retryable > 0);
    case ARB_EXECUTOR_CRASHED:
        return job->poison_stage >= 0 && !job->poison_beside;
    case ARB_CORRUPT_DATA:
    case ARB_IO:
        return world->counts.corrupted > 16;
    default:
        return false;
    }
}

static void judge(sim_world *world, sim_job *job, arb_job_state state, arb_code code)
{
    job->ended = state;
    job->code = code;
    switch (state) {
    case ARB_JOB_SUCCEEDED:
        world->counts.succeeded++;
        sim_result_right(world, job);
        break;
    case ARB_JOB_FAILED:
        world->counts.failed++;
        if (!justified(world, job))
            sim_fail(world, "job %u failed with %s without a reason", job->index, arb_code_name(code));
        break;
    case ARB_JOB_CANCELLED:
        world->counts.cancelled++;
        if (!job->cancelled && !job->silent && !job->lost_touch)
            sim_fail(world, "job %u was cancelled by nobody", job->index);
        break;
    default:
        sim_fail(world, "job %u ended in a state that is no end", job->index);
    }
    done(world, job, arb_code_name(code));
}

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

static void later(sim_world *world, sim_job *job, int64_t least, int64_t most, uint64_t what, uint64_t detail)
{
    sim_at(world, world->now + sim_between(world, least, most), SIM_CLIENT, job->index, what, detail);
}

void sim_client_answer(sim_world *world, const arb_answer *answer)
{
    sim_job *job =
        answer->client != 0 ? &world->jobs[answer->client - 1] : sim_job_of(world, world->store->cluster, answer->job);
    sim_trace(world, "  answer %d for job %llu.%llu, state %d %s", answer->kind, (unsigned long long)answer->job.term,
              (unsigned long long)answer->job.number, answer->state,
              answer->error != NULL ? answer->error->message : "");
    sim_note(world, (uint64_t)answer->kind << 48 | answer->job.number);
    if (job == NULL || job->state == CLIENT_DONE)
        return; /* of an earlier cluster, or its client is gone */
    switch (answer->kind) {
    case ARB_ANSWER_ACCEPTED:
        job->accepted = true;
        break;
    case ARB_ANSWER_STREAM:
        job->streaming = answer->attempt;
        if (!job->silent && sim_chance(world, 0.5))
            later(world, job, SIM_MS, 100 * SIM_MS, STREAMS, answer->attempt.number);
        break;
    case ARB_ANSWER_FINISHED:
        job->finished = true;
        job->state = CLIENT_READS;
        later(world, job, SIM_MS, 300 * SIM_MS, BEGINS_TO_READ, 0);
        break;
    case ARB_ANSWER_RESUMED:
        if (!job->finished)
            sim_fail(world, "job %u resumes, and had not finished", job->index);
        world->counts.resumed++;
        job->finished = false;
        job->state = CLIENT_WAITS;
        break;
    case ARB_ANSWER_ENDED:
        judge(world, job, answer->state, answer->error != NULL ? answer->error->code : ARB_OK);
        break;
    }
}

void sim_clients_lose_touch(sim_world *world)
{
    for (uint32_t i = 0; i < world->job_count; i++) {
        sim_job *job = &world->jobs[i];
        if (job->state != CLIENT_WAITS && job->state != CLIENT_READS)
            continue;
        job->lost_touch = true;
        job->finished = job->left = false;
        job->state = CLIENT_WAITS;
        memset(job->has_result, 0, sizeof job->has_result);
        memset(job->begun, 0, sizeof job->begun); /* who keeps asking begins anew */
        if (job->accepted && job->keeps_asking && !job->silent && !world->faults.forget)
            continue;
        world->counts.unknown++;
        done(world, job, "its connection was lost");
    }
}

/* ---- what clients do --------------------------------------------------------------------------------------------------- */

static void submit(sim_world *world, sim_job *job)
{
    if (world->current == NULL) {
        later(world, job, 100 * SIM_MS, SIM_SECOND, SUBMITS, 0);
        return;
    }
    sim_trace(world, "client %u submits", job->index);
    job->state = CLIENT_WAITS;
    job->order = ++world->submissions;
    job->cluster = world->store->cluster;
    arb_code code = sim_apply(
        world, world->current,
        &(arb_event){
            .kind = ARB_EVENT_JOB_SUBMITTED, .spec = &job->spec, .client = job->index + 1, .out_job = &job->id});
    if (code != ARB_OK)
        sim_fail(world, "job %u is refused", job->index);
    sim_at(world, world->now + 5 * SIM_SECOND, SIM_CLIENT_POLLS, job->index, 0, 0);
    if (world->faults.impatient && sim_chance(world, 0.4))
        later(world, job, SIM_MS, 6 * SIM_SECOND, LOSES_PATIENCE, 0);
}

static arb_code tell(sim_world *world, const sim_job *job, arb_event_kind kind, uint32_t task, arb_id attempt,
                     arb_read_failure read)
{
    return sim_apply(world, world->current,
                     &(arb_event){.kind = kind, .job = job->id, .task = task, .attempt = attempt, .read = read});
}

/* The first part that has not been read; false: there is none. */
static bool next_part(sim_world *world, const sim_job *job, arb_result_view *out_part)
{
    arb_arena arena = {0};
    const arb_result_view *results;
    size_t count = 0;
    bool found = false;
    if (arb_scheduler_results(world->current->machine, job->id, &arena, &results, &count, NULL) != ARB_OK)
        count = 0;
    for (size_t i = 0; i < count && !found; i++)
        if (!job->has_result[results[i].task] && !results[i].delivered) {
            *out_part = results[i];
            found = true;
        }
    arb_arena_reset(&arena);
    return found;
}

static void begin_to_read(sim_world *world, sim_job *job)
{
    arb_result_view part;
    arb_read_failure failure;
    if (!job->finished || !next_part(world, job, &part))
        return;
    if (sim_read(world, -1, part.executor, job, part.attempt, &failure) == NULL) {
        if (failure == ARB_READ_UNREACHABLE && ++job->reads % 4 != 0)
            later(world, job, SIM_SECOND, SIM_SECOND, BEGINS_TO_READ, 0);
        else
            tell(world, job, ARB_EVENT_RESULT_LOST, part.task, part.attempt, failure);
        return;
    }
    if (tell(world, job, ARB_EVENT_ROWS_LEFT, part.task, part.attempt, failure) != ARB_OK) {
        sim_fail(world, "job %u: rows of a committed part may not leave", job->index);
        return;
    }
    if (job->begun[part.task] && !arb_id_equal(job->result_attempts[part.task], part.attempt))
        sim_fail(world, "job %u: rows of two makings of a part have left", job->index);
    job->left = job->begun[part.task] = true;
    job->result_attempts[part.task] = part.attempt;
    later(world, job, SIM_MS, 500 * SIM_MS, HAS_READ, part.task);
}

static void has_read(sim_world *world, sim_job *job, uint32_t task)
{
    arb_result_view part;
    arb_read_failure failure;
    if (!job->finished || !job->begun[task] || !next_part(world, job, &part) || part.task != task)
        return;
    const sim_output *output = sim_read(world, -1, part.executor, job, part.attempt, &failure);
    if (output == NULL) {
        tell(world, job, ARB_EVENT_RESULT_LOST, task, part.attempt, failure);
        return;
    }
    if (!arb_id_equal(job->result_attempts[task], part.attempt))
        sim_fail(world, "job %u: a part changed while it was read", job->index);
    job->results[task] = output->content;
    job->has_result[task] = true;
    tell(world, job, ARB_EVENT_DELIVERED, task, part.attempt, failure);
    later(world, job, SIM_MS, 50 * SIM_MS, BEGINS_TO_READ, 0);
}

/* Rows of a running attempt leave; the rest is read when it has ended. */
static void stream(sim_world *world, sim_job *job, uint64_t attempt)
{
    if (job->finished || job->left || job->streaming.number != attempt)
        return;
    if (tell(world, job, ARB_EVENT_ROWS_LEFT, 0, job->streaming, ARB_READ_NOT_FOUND) == ARB_OK) {
        world->counts.streamed++;
        job->left = job->begun[0] = true;
        job->result_attempts[0] = job->streaming;
    }
}

static void lose_patience(sim_world *world, sim_job *job)
{
    uint64_t how = sim_random(world, 3);
    job->cancelled = true;
    sim_trace(world, "client %u loses patience, %llu", job->index, (unsigned long long)how);
    if (how == 0) {
        job->silent = true;
        if (job->lost_touch) { /* perhaps nobody knows its job any more, and it does not ask */
            world->counts.unknown++;
            done(world, job, "it asks no more");
        }
        return;
    }
    tell(world, job, how == 1 ? ARB_EVENT_JOB_CANCEL : ARB_EVENT_CLIENT_GONE, 0, (arb_id){0}, ARB_READ_NOT_FOUND);
    if (how == 1 && sim_chance(world, 0.3)) /* once more changes nothing */
        tell(world, job, ARB_EVENT_JOB_CANCEL, 0, (arb_id){0}, ARB_READ_NOT_FOUND);
}

/* After a restart: what has become of it? */
static void look_up(sim_world *world, sim_job *job)
{
    arb_arena arena = {0};
    arb_job_view view;
    arb_code code = arb_scheduler_job(world->current->machine, job->id, &arena, &view, NULL);
    if (code == ARB_OK && view.state > ARB_JOB_FINISHED) {
        job->ended = view.state;
        job->code = view.code;
        if (view.state == ARB_JOB_FAILED && !justified(world, job) && view.code != ARB_RESULT_LOST)
            sim_fail(world, "job %u failed with %s without a reason", job->index, arb_code_name(view.code));
        world->counts.unknown++;
        done(world, job, "it had ended");
    } else if (code != ARB_OK) {
        if (!is_small(job) && !world->faults.forget && !world->short_history)
            sim_fail(world, "job %u was accepted, and is forgotten", job->index);
        world->counts.unknown++;
        done(world, job, "it is unknown");
    } else if (view.state == ARB_JOB_FINISHED && !job->finished) {
        job->finished = true;
        job->state = CLIENT_READS;
        later(world, job, SIM_MS, 300 * SIM_MS, BEGINS_TO_READ, 0);
    }
    arb_arena_reset(&arena);
}

static void poll(sim_world *world, sim_job *job)
{
    if (job->silent)
        return;
    sim_at(world, world->now + 5 * SIM_SECOND, SIM_CLIENT_POLLS, job->index, 0, 0);
    if (world->current == NULL)
        return;
    tell(world, job, ARB_EVENT_CLIENT_ALIVE, 0, (arb_id){0}, ARB_READ_NOT_FOUND);
    if (job->lost_touch && job->state != CLIENT_DONE)
        look_up(world, job);
}

void sim_client_event(sim_world *world, sim_event *event)
{
    sim_job *job = &world->jobs[event->who];
    if (job->state == CLIENT_DONE)
        return;
    if (event->kind == SIM_CLIENT_POLLS) {
        poll(world, job);
        return;
    }
    if (event->a == SUBMITS) {
        submit(world, job);
        return;
    }
    if (world->current == NULL || job->silent)
        return;
    if (event->a == BEGINS_TO_READ)
        begin_to_read(world, job);
    else if (event->a == HAS_READ)
        has_read(world, job, (uint32_t)event->b);
    else if (event->a == STREAMS)
        stream(world, job, event->b);
    else
        lose_patience(world, job);
}
