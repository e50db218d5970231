/* sql_job.c: statements that run: from the call that begins them to the one that takes their rows, and whatever ends them
 * before. */
#include "flight_sql/sql_job.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/stop.h"
#include "flight_sql/sql_operation.h"
#include "proto/sql_handle.pb-c.h"

/* How long a poll waits for its answer to change; the first one less, as with its answer the client has the handle, by which it
 * finds the statement whatever becomes of this process. */
enum { POLL_NS = 500000000, FIRST_POLL_NS = 50000000 };
static const int64_t GIVEN_UP_NS = INT64_C(5000000000); /* until the next one, after one whose client did not wait */

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

/* With the lock held. */
static void free_job(arb_sql_job *job)
{
    arb_batch_sender_destroy(job->sender);
    arb_text_reset(&job->schema);
    arb_sql_release_locked(job->turn.session->user, job->held);
    arb_client_session_unref_locked(job->turn.session);
    arb_arena_reset(&job->arena);
    arb_free(job);
}

void arb_sql_job_unref_locked(arb_sql_job *job)
{
    if (--job->references != 0)
        return;
    assert(job->state == ARB_SQL_JOB_OVER && job->result == NULL);
    free_job(job);
}

static void put_in(arb_sql_job *job)
{
    arb_sql_service *service = job->service;
    job->next = service->jobs;
    if (job->next != NULL)
        job->next->previous = job;
    service->jobs = job;
    service->job_count++;
    arb_sql_index_put(&service->job_index, &job->entry, arb_sql_id_key(job->id), job);
}

void arb_sql_job_take_out(arb_sql_job *job)
{
    arb_sql_service *service = job->service;
    service->job_count--;
    arb_sql_index_remove(&service->job_index, &job->entry);
    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        service->jobs = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
}

static arb_sql_job *find_job(const arb_sql_service *service, arb_sql_id id)
{
    uint64_t key = arb_sql_id_key(id);
    for (const arb_sql_entry *entry = NULL; (entry = arb_sql_index_next(&service->job_index, key, entry)) != NULL;)
        if (arb_sql_id_equal(((const arb_sql_job *)entry->item)->id, id))
            return entry->item;
    return NULL;
}

arb_code arb_sql_job_fail_cancelled(const arb_sql_job *job, arb_error *error)
{
    return job->stalled
               ? arb_fail(error, ARB_DEADLINE_EXCEEDED, "the client took none of the statement's rows for %lld seconds",
                          (long long)(job->service->stall_ns / 1000000000))
               : arb_fail_stopped(error);
}

/* With the lock held, while none of its turns runs: who waits for it hears at once that it is cancelled, however long threads are
 * busy with something else. */
static void tell_waiting(arb_sql_job *job)
{
    arb_error error = {0};
    arb_rpc_call *calls[] = {arb_sql_job_take_waiter(job), job->stream};
    job->stream = NULL;
    arb_code code = arb_sql_job_fail_cancelled(job, &error);
    for (size_t i = 0; i < ARB_COUNT_OF(calls); i++) {
        if (calls[i] == NULL)
            continue;
        arb_rpc_finish(calls[i], code, &error);
        arb_rpc_call_unref(calls[i]);
    }
}

/* With the lock held. */
static void cancel(arb_sql_job *job)
{
    const arb_client_session *session = job->turn.session;
    if (job->state == ARB_SQL_JOB_OVER || job->cancelled)
        return;
    job->cancelled = true;
    arb_sql_turn_queue(&job->turn); /* which ends it; if one runs, behind that */
    if (job->result != NULL) /* what it has begun ends now, however long its session is busy with something else */
        arb_result_cancel(job->result);
    else if (job->state == ARB_SQL_JOB_NEW && arb_sql_turn_runs(&job->turn) && session->engine != NULL)
        arb_session_cancel(session->engine);
    if (!arb_sql_turn_runs(&job->turn))
        tell_waiting(job);
}

arb_rpc_call *arb_sql_job_take_waiter(arb_sql_job *job)
{
    arb_rpc_call *waiter = job->waiter;
    job->waiter = NULL;
    job->lease_ns = arb_clock_monotonic_ns() + job->service->lease_ns;
    return waiter;
}

static int64_t lease_end_us(const arb_sql_job *job)
{
    return arb_clock_wall_us() + job->service->lease_ns / 1000;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------- */

arb_code arb_sql_job_summary(const arb_sql_job *job, bool final, arb_text *out, arb_error *error)
{
    Arbalest__Sql__StatementSummary summary = ARBALEST__SQL__STATEMENT_SUMMARY__INIT;
    summary.tag = (char *)(uintptr_t)job->tag; /* packing only reads it */
    summary.has_returns_rows = summary.has_affected = summary.has_peak_memory = true;
    summary.returns_rows = job->has_rows;
    summary.affected = job->affected;
    summary.peak_memory = job->peak_memory;
    summary.has_rows_sent = final;
    summary.rows_sent = job->sender != NULL ? arb_batch_sender_rows(job->sender) : 0;
    return arb_wire_pack(&summary.base, out, error);
}

void arb_sql_job_answer_info(arb_sql_job *job, arb_rpc_call *call)
{
    arb_error error = {0};
    arb_text summary = {0};
    arb_code code = arb_sql_job_summary(job, false, &summary, &error);
    arb_info_parts parts = {.descriptor = job->descriptor,
                            .schema = arb_text_view(&job->schema),
                            .ticket = job->ticket,
                            .until_us = lease_end_us(job),
                            .summary = arb_text_view(&summary)};
    if (code == ARB_OK)
        code = arb_answer_info(call, &parts, &error);
    arb_rpc_finish(call, code, &error);
    arb_rpc_call_unref(call);
    arb_text_reset(&summary);
}

/* What is said of it while it is carried out: stages. Appended. */
static arb_code progress_summary(const arb_sql_progress *progress, arb_text *out, arb_error *error)
{
    arb_arena arena = {0};
    Arbalest__Sql__StatementSummary summary = ARBALEST__SQL__STATEMENT_SUMMARY__INIT;
    size_t count = progress->stage_count;
    arb_code code = ARB_OK;
    summary.stages = arb_wire_messages(&arena, &arbalest__sql__stage_summary__descriptor, count);
    if (summary.stages == NULL)
        code = arb_fail_memory(error, "a statement's stages", count * sizeof *summary.stages);
    for (size_t i = 0; code == ARB_OK && i < count; i++) {
        const arb_run_stage *stage = &progress->stages[i];
        Arbalest__Sql__StageSummary *said = summary.stages[i];
        said->has_stage = said->has_tasks = said->has_running = true;
        said->has_committed = said->has_rows = said->has_bytes = said->has_complete = true;
        said->stage = stage->stage;
        said->tasks = stage->tasks;
        said->running = stage->running;
        said->committed = stage->committed;
        said->rows = stage->rows;
        said->bytes = stage->bytes;
        said->complete = stage->complete;
    }
    summary.n_stages = count;
    if (code == ARB_OK)
        code = arb_wire_pack(&summary.base, out, error);
    arb_arena_reset(&arena);
    return code;
}

void arb_sql_job_answer_poll(arb_sql_job *job, arb_rpc_call *call, const arb_sql_progress *progress)
{
    arb_error error = {0};
    arb_text summary = {0};
    arb_info_parts parts = {.descriptor = job->descriptor};
    bool finished = progress == NULL;
    arb_code code =
        finished ? arb_sql_job_summary(job, false, &summary, &error) : progress_summary(progress, &summary, &error);
    parts.summary = arb_text_view(&summary);
    if (finished) {
        parts.schema = arb_text_view(&job->schema);
        parts.ticket = job->has_rows ? job->ticket : (arb_str){0};
        parts.until_us = lease_end_us(job);
    }
    if (code == ARB_OK)
        code = arb_answer_poll(call, &parts, finished ? (arb_str){0} : job->ticket, finished ? 1 : progress->part,
                               lease_end_us(job), &error);
    arb_rpc_finish(call, code, &error);
    arb_rpc_call_unref(call);
    arb_text_reset(&summary);
}

/* With the lock held, which is given back meanwhile. Who cannot look at the stages knows nothing of them. */
static void look_at_progress(arb_sql_job *job, arb_arena *arena, arb_sql_progress *out)
{
    arb_session *engine = job->turn.session->engine;
    const arb_result *result = job->result;
    bool begins = job->state == ARB_SQL_JOB_NEW && arb_sql_turn_runs(&job->turn);
    *out = (arb_sql_progress){.part = -1};
    job->lookers++;
    arb_sql_unlock(job->service);
    if (result != NULL)
        (void)!arb_result_stages(result, arena, &out->stages, &out->stage_count, NULL);
    else if (begins && engine != NULL)
        (void)!arb_session_stages(engine, arena, &out->stages, &out->stage_count, NULL);
    uint64_t tasks = 0, committed = 0;
    for (size_t i = 0; i < out->stage_count; i++) {
        tasks += out->stages[i].tasks;
        committed += out->stages[i].complete ? out->stages[i].tasks : out->stages[i].committed;
    }
    if (tasks != 0)
        out->part = ARB_MIN((double)committed / (double)tasks, 1);
    else if ((result != NULL || begins) && engine != NULL)
        out->part = arb_session_progress(engine);
    arb_sql_lock(job->service);
    if (--job->lookers == 0)
        pthread_cond_broadcast(&job->service->looked);
}

/* A poll whose time is over. */
static void run_answer(arb_sql_errand *errand)
{
    arb_sql_job *job = (arb_sql_job *)((char *)errand - offsetof(arb_sql_job, answer));
    arb_sql_service *service = job->service;
    arb_arena arena = {0};
    arb_sql_progress progress;
    job->answering = false;
    look_at_progress(job, &arena, &progress);
    arb_rpc_call *call = job->waiter != NULL && job->polled ? arb_sql_job_take_waiter(job) : NULL;
    job->told |= call != NULL;
    if (call != NULL) {
        arb_sql_unlock(service);
        arb_sql_job_answer_poll(job, call, &progress);
        arb_sql_lock(service);
    }
    arb_arena_reset(&arena);
    arb_sql_job_unref_locked(job);
}

/* With the lock held. */
static void answer_soon(arb_sql_job *job)
{
    if (job->answering)
        return;
    job->answering = true;
    job->answer.run = run_answer;
    job->references++;
    arb_sql_lane_add(&job->service->lanes[ARB_SQL_BRIEF], job->turn.session->user, &job->answer);
}

/* ---- calls that wait ----------------------------------------------------------------------------------------------------- */

/* With the lock held: a call has ended whose answer its client does not have. */
static void give_up(arb_sql_job *job, bool waited)
{
    if (waited && (!job->polled || !job->told)) {
        cancel(job);
    } else if (job->polled && job->waiter == NULL) { /* another one may follow, but hardly after long */
        job->lease_ns = ARB_MIN(job->lease_ns, arb_clock_monotonic_ns() + GIVEN_UP_NS);
        arb_sql_look_by(job->service, job->lease_ns);
    }
}

static void waiter_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    arb_sql_job *job = context;
    arb_sql_service *service = job->service;
    arb_sql_lock(service);
    bool waits = job->waiter == call;
    if (waits)
        arb_sql_job_take_waiter(job);
    if (waits || outcome->code != ARB_OK)
        give_up(job, waits);
    arb_sql_job_unref_locked(job);
    arb_sql_unlock(service);
    if (waits)
        arb_rpc_call_unref(call);
}

/* With the lock held: the call waits for the job from now on. */
static void wait_for(arb_sql_job *job, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_done = waiter_done};
    job->references++;
    job->waiter = arb_rpc_call_ref(call);
    job->answer_by_ns = INT64_MAX;
    if (job->polled) {
        job->answer_by_ns = arb_clock_monotonic_ns() + (job->told ? POLL_NS : FIRST_POLL_NS);
        arb_sql_look_by(job->service, job->answer_by_ns);
    }
    arb_rpc_handle(call, &events, job);
}

/* What clients know it by. */
static arb_code make_ticket(arb_sql_job *job, arb_str user, arb_str descriptor, arb_error *error)
{
    arb_text text = {0};
    arb_code code = arb_sql_seal_job(&job->service->sealer, user, job->id, &text, error);
    if (code == ARB_OK)
        job->handle = arb_str_copy(&job->arena, arb_text_view(&text));
    arb_text_clear(&text);
    if (code == ARB_OK && job->handle.data != NULL)
        code = arb_statement_ticket(job->handle, &text, error);
    job->ticket = arb_str_copy(&job->arena, arb_text_view(&text));
    job->descriptor = arb_str_copy(&job->arena, descriptor);
    arb_text_reset(&text);
    if (code == ARB_OK && (job->handle.data == NULL || job->ticket.data == NULL || job->descriptor.data == NULL))
        code = arb_fail_memory(error, "a statement", descriptor.size);
    return code;
}

static arb_code copy_statement(arb_sql_job *job, const arb_sql_statement *statement, arb_str user, arb_error *error)
{
    if (statement->prepared.data != NULL) {
        ARB_TRY(arb_sql_open_prepared(&job->service->sealer, user, statement->prepared, &job->arena, &job->prepared,
                                      error));
        job->text = arb_str_of(job->prepared->query);
    } else {
        job->text = arb_str_copy(&job->arena, statement->text);
    }
    if (job->text.data == NULL)
        return arb_fail_memory(error, "a statement", statement->text.size);
    return arb_sql_id_make(&job->id, error);
}

/* `statement` NULL: the one of that id, which an earlier process began. */
static arb_code new_job(arb_sql_service *service, arb_rpc_call *call, const arb_sql_statement *statement,
                        const arb_sql_id *id, arb_str descriptor, arb_sql_job **out_job, arb_error *error)
{
    *out_job = NULL;
    arb_sql_job *job = arb_alloc_zeroed(sizeof *job);
    if (job == NULL)
        return arb_fail_memory(error, "a statement", sizeof *job);
    job->service = service;
    job->turn.run = arb_sql_job_run;
    job->affected = -1;
    job->room_by_ns = INT64_MAX;
    job->references = 1;
    job->turn.lane = ARB_SQL_LONG;
    arb_code code = statement != NULL ? arb_client_session_find(service, call, &job->turn.session, error)
                                      : arb_client_session_begin(service, call, &job->turn.session, error);
    if (code != ARB_OK) {
        arb_free(job);
        return code;
    }
    job->is_revived = statement == NULL;
    if (job->is_revived) {
        job->id = *id;
        job->turn.lane = ARB_SQL_BRIEF; /* most often there is nothing to be found */
    } else {
        code = copy_statement(job, statement, arb_rpc_identity(call), error);
    }
    if (code == ARB_OK)
        code = make_ticket(job, arb_rpc_identity(call), descriptor, error);
    if (code == ARB_OK)
        code = arb_sql_hold(job->turn.session->user, job->arena.total, error);
    if (code == ARB_OK) {
        job->held = job->arena.total;
        *out_job = job;
        return ARB_OK;
    }
    arb_sql_lock(service);
    free_job(job);
    arb_sql_unlock(service);
    return code;
}

static arb_code check_room(const arb_sql_service *service, arb_error *error)
{
    if (service->job_count < service->jobs_most)
        return ARB_OK;
    return arb_fail(error, ARB_RESOURCES_EXHAUSTED, "%zu statements are open, which is as many as there may be",
                    service->jobs_most);
}

/* With the lock held: nobody has heard of it yet. */
static void discard(arb_sql_job *job)
{
    job->state = ARB_SQL_JOB_OVER;
    arb_sql_job_unref_locked(job);
}

static uint64_t hash_of(const arb_sql_job *job)
{
    uint64_t hash = arb_hash_bytes(job->text.data, job->text.size);
    for (size_t i = 0; job->prepared != NULL && i < job->prepared->n_parameters; i++) {
        const Arbalest__Sql__ParameterMessage *values = job->prepared->parameters[i];
        hash = arb_hash_combine(hash, arb_hash_bytes(values->description.data, values->description.len));
        hash = arb_hash_combine(hash, arb_hash_bytes(values->body.data, values->body.len));
    }
    return hash;
}

/* With the lock held: another call waits for the job now, whose client has repeated what it began. */
static arb_code join(arb_sql_job *job, arb_rpc_call *call, arb_sql_asking asking, arb_error *error)
{
    if (job->asking != asking)
        return arb_fail(error, ARB_CONFLICT, "the operation runs, begun by another kind of call");
    arb_error earlier = {0};
    arb_rpc_call *waiter = arb_sql_job_take_waiter(job);
    wait_for(job, call);
    if (waiter == NULL)
        return ARB_OK;
    arb_code code = arb_fail(&earlier, ARB_CONFLICT, "the operation was repeated by another call");
    arb_rpc_finish(waiter, code, &earlier);
    arb_rpc_call_unref(waiter);
    return ARB_OK;
}

/* With the lock held. *out_joined: another job carries it out. */
static arb_code find_repeated(arb_sql_job *job, arb_rpc_call *call, bool *out_joined, arb_error *error)
{
    arb_str id = arb_rpc_metadata_find(arb_rpc_request_headers(call), ARB_STR(ARB_SQL_OPERATION));
    const arb_sql_operation *operation;
    arb_sql_repeat repeat;
    *out_joined = false;
    if (id.size == 0)
        return ARB_OK;
    ARB_TRY(arb_sql_operation_begin(job->turn.session, id, hash_of(job), job, &repeat, &operation, error));
    if (repeat == ARB_SQL_RUNS && operation->job->cancelled) {
        (void)arb_fail(error, ARB_NOT_READY,
                       "the operation is being cancelled, with the connection of the call before");
        arb_error_hint(error, "Repeat it once more.");
        return ARB_NOT_READY;
    }
    if (repeat == ARB_SQL_RUNS) {
        *out_joined = true;
        return join(operation->job, call, job->asking, error);
    }
    job->repeats = repeat == ARB_SQL_DONE;
    if (job->repeats) {
        job->tag = operation->tag;
        job->affected = operation->affected;
    }
    return ARB_OK;
}

void arb_sql_job_begin(arb_sql_service *service, arb_rpc_call *call, arb_sql_asking asking,
                       const arb_sql_statement *statement, arb_str descriptor)
{
    static const arb_rpc_events no_events = {0};
    arb_error error = {0};
    arb_sql_job *job;
    bool joined = false;
    arb_rpc_handle(call, &no_events, NULL);
    arb_code code = new_job(service, call, statement, NULL, descriptor, &job, &error);
    if (code == ARB_OK) {
        job->asking = asking;
        job->polled = asking == ARB_SQL_POLL;
        arb_sql_lock(service);
        code = check_room(service, &error);
        if (code == ARB_OK)
            code = find_repeated(job, call, &joined, &error);
        if (code == ARB_OK && !joined) {
            put_in(job);
            wait_for(job, call);
            arb_sql_turn_queue(&job->turn);
        } else {
            discard(job);
        }
        arb_sql_unlock(service);
    }
    if (code != ARB_OK)
        arb_rpc_finish(call, code, &error);
}

/* ---- calls about one that was begun -------------------------------------------------------------------------------------- */

arb_code arb_sql_job_fail_gone(arb_error *error)
{
    (void)arb_fail(error, ARB_UNDEFINED_STATEMENT, "there is no such statement");
    arb_error_hint(error, "It was cancelled, its rows have been given, or nobody asked for them in time.");
    return ARB_UNDEFINED_STATEMENT;
}

/* With the lock held when it is found. */
static arb_code lock_job(arb_sql_service *service, arb_str user, arb_str handle, arb_sql_job **out_job,
                         arb_error *error)
{
    arb_sql_id id;
    ARB_TRY(arb_sql_open_job(&service->sealer, user, handle, &id, error));
    arb_sql_lock(service);
    *out_job = find_job(service, id);
    if (*out_job != NULL && !(*out_job)->cancelled)
        return ARB_OK;
    arb_sql_unlock(service);
    return arb_sql_job_fail_gone(error);
}

/* The same; what is not here may be one of an earlier process, which its first turn finds, or not. */
static arb_code lock_job_or_revive(arb_sql_service *service, arb_rpc_call *call, arb_str handle, arb_str descriptor,
                                   arb_sql_job **out_job, arb_error *error)
{
    arb_sql_id id;
    arb_sql_job *job = NULL;
    ARB_TRY(arb_sql_open_job(&service->sealer, arb_rpc_identity(call), handle, &id, error));
    arb_sql_lock(service);
    *out_job = find_job(service, id);
    if (*out_job == NULL) {
        arb_sql_unlock(service);
        ARB_TRY(new_job(service, call, NULL, &id, descriptor, &job, error));
        arb_sql_lock(service);
        *out_job = find_job(service, id); /* by another call, meanwhile */
    }
    arb_code code = ARB_OK;
    bool fresh = *out_job == NULL;
    if (fresh) {
        code = check_room(service, error);
        *out_job = job;
    }
    if (code == ARB_OK && fresh) {
        put_in(job);
        arb_sql_turn_queue(&job->turn);
    } else if (job != NULL) {
        discard(job);
    }
    if (code == ARB_OK && (*out_job)->cancelled)
        code = arb_sql_job_fail_gone(error);
    if (code != ARB_OK)
        arb_sql_unlock(service);
    return code;
}

void arb_sql_job_poll(arb_sql_service *service, arb_rpc_call *call, arb_str handle, arb_str descriptor)
{
    arb_error error = {0};
    arb_sql_job *job;
    arb_code code = lock_job_or_revive(service, call, handle, descriptor, &job, &error);
    if (code == ARB_OK) {
        arb_rpc_call *earlier = job->waiter;
        job->waiter = NULL;
        job->polled = true;
        job->told = true; /* how else would it be asked for? */
        wait_for(job, call);
        if (job->state != ARB_SQL_JOB_NEW)
            arb_sql_turn_queue(&job->turn); /* which has the answer, or looks for it */
        job->references++;
        arb_sql_unlock(service);
        if (earlier != NULL)
            arb_sql_job_answer_poll(job, earlier, &(arb_sql_progress){.part = -1});
        arb_sql_lock(service);
        arb_sql_job_unref_locked(job);
        arb_sql_unlock(service);
    }
    if (code != ARB_OK)
        arb_rpc_finish(call, code, &error);
}

static void stream_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    arb_sql_job *job = context;
    arb_sql_lock(job->service);
    job->room_by_ns = INT64_MAX;
    if (job->state != ARB_SQL_JOB_OVER)
        arb_sql_turn_queue(&job->turn);
    arb_sql_unlock(job->service);
}

static void stream_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)outcome;
    arb_sql_job *job = context;
    arb_sql_service *service = job->service;
    arb_sql_lock(service);
    if (job->stream == call)
        cancel(job);
    arb_sql_job_unref_locked(job);
    arb_sql_unlock(service);
}

void arb_sql_job_get(arb_sql_service *service, arb_rpc_call *call, arb_str handle)
{
    static const arb_rpc_events events = {.on_writable = stream_writable, .on_done = stream_done};
    arb_error error = {0};
    arb_sql_job *job;
    arb_code code = lock_job_or_revive(service, call, handle, ARB_STR(""), &job, &error);
    if (code == ARB_OK) {
        if (job->stream != NULL)
            code = arb_fail(&error, ARB_CONFLICT, "the statement's rows are being given to another call");
        if (code == ARB_OK) {
            job->stream = arb_rpc_call_ref(call);
            job->references++;
            arb_rpc_handle(call, &events, job);
            arb_sql_turn_queue(&job->turn);
        }
        arb_sql_unlock(service);
    }
    if (code != ARB_OK)
        arb_rpc_finish(call, code, &error);
}

arb_code arb_sql_job_cancel(arb_sql_service *service, arb_str user, arb_str handle, bool *out_found, arb_error *error)
{
    arb_sql_job *job;
    *out_found = false;
    arb_code code = lock_job(service, user, handle, &job, error);
    if (code == ARB_UNDEFINED_STATEMENT) {
        arb_error_clear(error);
        return ARB_OK;
    }
    if (code != ARB_OK)
        return code;
    cancel(job);
    *out_found = true;
    arb_sql_unlock(service);
    return ARB_OK;
}

arb_code arb_sql_job_renew(arb_sql_service *service, arb_str user, arb_str handle, int64_t *out_until_us,
                           arb_error *error)
{
    arb_sql_job *job;
    ARB_TRY(lock_job(service, user, handle, &job, error));
    job->lease_ns = arb_clock_monotonic_ns() + service->lease_ns;
    *out_until_us = lease_end_us(job);
    arb_sql_unlock(service);
    return ARB_OK;
}

/* ---- all of them --------------------------------------------------------------------------------------------------------- */

int64_t arb_sql_jobs_expire(arb_sql_service *service, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    for (arb_sql_job *job = service->jobs; job != NULL; job = job->next) {
        if (job->waiter != NULL && job->answer_by_ns <= now_ns) {
            answer_soon(job);
        } else if (job->waiter != NULL) {
            next_ns = ARB_MIN(next_ns, job->answer_by_ns);
        } else if (job->stream != NULL && !job->cancelled) {
            job->stalled = job->room_by_ns <= now_ns;
            if (job->stalled)
                cancel(job);
            else
                next_ns = ARB_MIN(next_ns, job->room_by_ns);
        } else if (!job->cancelled) {
            if (job->lease_ns <= now_ns)
                cancel(job);
            else
                next_ns = ARB_MIN(next_ns, job->lease_ns);
        }
    }
    return next_ns;
}

void arb_sql_jobs_cancel(arb_sql_service *service, const arb_client_session *session)
{
    for (arb_sql_job *job = service->jobs; job != NULL; job = job->next)
        if (session == NULL || job->turn.session == session)
            cancel(job);
}
