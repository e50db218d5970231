/* job_run.c: the turns of a statement: it begins, its rows are pulled, it ends. */
#include "base/clock.h"
#include "flight_sql/sql_job.h"
#include "flight_sql/sql_operation.h"
#include "flight_sql/sql_values.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"
#include "proto/sql_handle.pb-c.h"
#include "rpc/flight_schema.h"
#include "sql/parser.h"

/* A message that is not full goes after so long. Looked at behind each batch: what comes late itself holds rows up longer. */
enum { MESSAGE_NS = 100000000 };

/* ---- the end ------------------------------------------------------------------------------------------------------------- */

static void drop_result(arb_sql_job *job)
{
    arb_sql_lock(job->service);
    arb_result *result = job->result;
    job->result = NULL;
    while (job->lookers != 0) /* some milliseconds */
        pthread_cond_wait(&job->service->looked, &job->service->lock);
    arb_sql_unlock(job->service);
    arb_result_destroy(result);
    job->batch = NULL;
}

/* With the lock held: the job is in no list any more, and nothing queues it. */
static void retire(arb_sql_job *job)
{
    job->state = ARB_SQL_JOB_OVER;
    job->turn.again = false;
    arb_sql_release_locked(job->turn.session->user, job->held); /* who hears of its end may send as much again */
    job->held = 0;
    arb_sql_operation_forget(job->turn.session, job);
    arb_sql_job_take_out(job);
}

static void finish_call(arb_rpc_call *call, arb_code code, const arb_error *error)
{
    if (call == NULL)
        return;
    arb_rpc_finish(call, code, error);
    arb_rpc_call_unref(call);
}

/* The end of the job, and of whatever call is about it. A poll that comes later is to hear of a failure. */
static void end(arb_sql_job *job, arb_code code, const arb_error *error)
{
    drop_result(job);
    arb_sql_lock(job->service);
    arb_rpc_call *stream = job->stream, *waiter = arb_sql_job_take_waiter(job);
    job->stream = NULL;
    if (code != ARB_OK && job->polled && stream == NULL && waiter == NULL && !job->cancelled) {
        job->state = ARB_SQL_JOB_FAILED;
        job->error = *error;
    } else {
        retire(job);
    }
    arb_sql_unlock(job->service);
    finish_call(waiter, code, error);
    finish_call(stream, code, error);
}

static void end_cancelled(arb_sql_job *job)
{
    arb_error error = {0};
    arb_code code = arb_sql_job_fail_cancelled(job, &error);
    end(job, code, &error);
}

/* ---- the beginning ------------------------------------------------------------------------------------------------------- */

/* What would be forgotten with the statement, where it has a session of its own. */
static arb_code check_session(const arb_sql_job *job, arb_error *error)
{
    arb_arena arena = {0};
    const arb_ast_statement *statement;
    arb_sql_lock(job->service);
    bool named = job->turn.session->named;
    arb_sql_unlock(job->service);
    if (named)
        return ARB_OK;
    const char *what = NULL;
    if (arb_sql_parse_one(&arena, job->text, &statement, NULL) == ARB_OK) {
        if (statement->kind == ARB_AST_STATEMENT_SET)
            what = "a setting";
        else if ((statement->kind == ARB_AST_STATEMENT_CREATE_TABLE && arb_ast_as_create_table(statement)->temporary) ||
                 (statement->kind == ARB_AST_STATEMENT_CREATE_EXTERNAL &&
                  arb_ast_as_create_external(statement)->temporary) ||
                 (statement->kind == ARB_AST_STATEMENT_CREATE_VIEW && arb_ast_as_create_view(statement)->temporary))
            what = "what is temporary";
    }
    arb_arena_reset(&arena);
    if (what == NULL)
        return ARB_OK;
    (void)arb_fail(error, ARB_NOT_READY, "%s needs a session, and this client has none", what);
    arb_error_hint(error, "Let it keep cookies (" ARB_SQL_SESSION_COOKIE "), or log in for a bearer token.");
    return ARB_NOT_READY;
}

/* Who cancels the job from here on cancels what follows. */
static arb_code expect(const arb_sql_job *job, arb_session *engine, arb_error *error)
{
    arb_sql_lock(job->service);
    bool cancelled = job->cancelled;
    if (!cancelled)
        arb_session_expect(engine);
    arb_sql_unlock(job->service);
    return cancelled ? arb_sql_job_fail_cancelled(job, error) : ARB_OK;
}

static arb_str name_of(const arb_sql_job *job)
{
    return (arb_str){(const char *)job->id.bytes, sizeof job->id.bytes};
}

static arb_code execute(arb_sql_job *job, arb_session *engine, const arb_value *values, size_t value_count,
                        arb_result **out_result, arb_error *error)
{
    arb_run_origin origin = {.user = arb_str_of(job->turn.session->user->name)}, nobody = {0};
    *out_result = NULL;
    if (job->asking != ARB_SQL_PUT)
        origin.name = name_of(job);
    ARB_TRY(expect(job, engine, error));
    arb_session_set_origin(engine, &origin);
    arb_code code = arb_session_execute_with(engine, job->text, values, value_count, out_result, error);
    arb_session_set_origin(engine, &nobody);
    return code;
}

static void note(arb_sql_job *job, const arb_result *result)
{
    job->tag = arb_result_tag(result);
    job->has_rows = arb_result_describe(result)->has_rows;
    job->peak_memory = ARB_MAX(job->peak_memory, arb_result_peak_memory(result));
    int64_t affected = arb_result_affected(result);
    if (affected >= 0)
        job->affected = ARB_MAX(job->affected, 0) + affected;
}

static arb_code run_row(arb_sql_job *job, arb_session *engine, const arb_value *row, size_t count, arb_error *error)
{
    arb_result *result;
    ARB_TRY(execute(job, engine, row, count, &result, error));
    note(job, result);
    arb_result_destroy(result);
    return job->has_rows
               ? arb_fail(error, ARB_WRONG_OBJECT_TYPE, "the statement is a query: it has rows to be asked for")
               : ARB_OK;
}

/* DoPut: once for each row of values. */
static arb_code run_update(arb_sql_job *job, arb_session *engine, arb_sql_values *values, arb_error *error)
{
    size_t count = arb_sql_values_count(values);
    if (count == 0)
        return run_row(job, engine, NULL, 0, error);
    job->affected = 0; /* there may be no row */
    for (uint64_t number = 1;; number++) {
        const arb_value *row;
        arb_code code = arb_sql_values_next(values, &row, error);
        if (code == ARB_OK && row == NULL)
            return ARB_OK;
        if (code == ARB_OK)
            code = run_row(job, engine, row, count, error);
        if (code == ARB_OK)
            continue;
        arb_error_context(error, "row %llu of the values", (unsigned long long)number);
        if (number > 1)
            arb_error_hint(error, "The rows before it have been written.");
        return code;
    }
}

/* A query takes one row of values. Known before anything runs, since it may be no query after all. */
static arb_code check_one_row(const arb_sql_job *job, arb_error *error)
{
    arb_sql_values *values;
    const arb_value *row = NULL;
    ARB_TRY(arb_sql_values_open(job->prepared, &values, error));
    arb_code code = ARB_OK;
    for (int i = 0; i < 2 && code == ARB_OK && arb_sql_values_count(values) != 0; i++)
        code = arb_sql_values_next(values, &row, error);
    arb_sql_values_close(values);
    if (code == ARB_OK && row != NULL)
        code = arb_fail(error, ARB_NOT_SUPPORTED, "a query takes one row of values, not several");
    return code;
}

/* The result is the job's from now on, or gone. */
static arb_code take_result(arb_sql_job *job, arb_result *result, arb_error *error)
{
    arb_arrow_schema *schema;
    note(job, result);
    arb_code code = arb_result_schema(arb_result_describe(result), &schema, error);
    if (code == ARB_OK) {
        code = arb_flight_schema_write(schema, &job->schema, error);
        arb_arrow_schema_unref(schema);
    }
    if (code != ARB_OK) {
        arb_result_destroy(result);
        return code;
    }
    job->ended = !job->has_rows;
    arb_sql_lock(job->service);
    job->result = result;
    arb_sql_unlock(job->service);
    return ARB_OK;
}

static arb_code run_query(arb_sql_job *job, arb_session *engine, arb_sql_values *values, arb_error *error)
{
    arb_result *result;
    size_t count = arb_sql_values_count(values);
    const arb_value *row = NULL;
    ARB_TRY(check_one_row(job, error));
    if (count != 0)
        ARB_TRY(arb_sql_values_next(values, &row, error));
    ARB_TRY(execute(job, engine, row, row != NULL ? count : 0, &result, error));
    return take_result(job, result, error);
}

/* What an earlier process of this cluster began goes on, or has left its result. */
static arb_code find_query(arb_sql_job *job, arb_session *engine, arb_error *error)
{
    arb_result *result;
    ARB_TRY(expect(job, engine, error));
    arb_code code = arb_session_find(engine, name_of(job), &result, error);
    if (code == ARB_UNDEFINED_OBJECT)
        return arb_sql_job_fail_gone(error);
    return code == ARB_OK ? take_result(job, result, error) : code;
}

static arb_code run_statement(arb_sql_job *job, arb_error *error)
{
    arb_session *engine;
    arb_sql_values *values;
    ARB_TRY(arb_client_session_engine(job->turn.session, &engine, error));
    if (job->is_revived)
        return find_query(job, engine, error);
    ARB_TRY(check_session(job, error));
    ARB_TRY(arb_sql_values_open(job->prepared, &values, error));
    arb_code code =
        job->asking == ARB_SQL_PUT ? run_update(job, engine, values, error) : run_query(job, engine, values, error);
    arb_sql_values_close(values);
    return code;
}

/* What was done before is said once more: its schema has no columns. */
static arb_code repeat_statement(arb_sql_job *job, arb_error *error)
{
    static const arb_result_columns none = {0};
    arb_arrow_schema *schema;
    ARB_TRY(arb_result_schema(&none, &schema, error));
    arb_code code = arb_flight_schema_write(schema, &job->schema, error);
    arb_arrow_schema_unref(schema);
    job->ended = true;
    return code;
}

/* What a repeat of the same operation is to hear. */
static void note_outcome(arb_sql_job *job, arb_code code)
{
    arb_client_session *session = job->turn.session;
    arb_sql_lock(job->service);
    if (code == ARB_OK && !job->has_rows)
        arb_sql_operation_done(session, job, job->tag, job->affected);
    else if (code != ARB_OK && job->asking == ARB_SQL_PUT && job->affected > 0)
        arb_sql_operation_failed(session, job, job->affected);
    else
        arb_sql_operation_forget(session, job);
    arb_sql_unlock(job->service);
}

static arb_code add_summary(arb_sql_job *job, arb_rpc_call *call, arb_error *error)
{
    arb_text summary = {0};
    arb_code code = arb_sql_job_summary(job, true, &summary, error);
    if (code == ARB_OK)
        code = arb_rpc_add_trailer(call, ARB_STR(ARB_SQL_SUMMARY), arb_text_view(&summary), error);
    arb_text_reset(&summary);
    return code;
}

static arb_code answer_put(arb_sql_job *job, arb_rpc_call *call, arb_error *error)
{
    arb_text counted = {0};
    Arrow__Flight__Protocol__Sql__DoPutUpdateResult count = ARROW__FLIGHT__PROTOCOL__SQL__DO_PUT_UPDATE_RESULT__INIT;
    Arrow__Flight__Protocol__PutResult result = ARROW__FLIGHT__PROTOCOL__PUT_RESULT__INIT;
    count.has_record_count = true;
    count.record_count = ARB_MAX(job->affected, 0); /* JDBC's driver takes -1 for a query's, and runs it once more */
    arb_code code = arb_wire_pack(&count.base, &counted, error);
    result.app_metadata = arb_wire_bytes(arb_text_view(&counted));
    if (code == ARB_OK)
        code = arb_flight_send(call, &result.base, error);
    arb_text_reset(&counted);
    return code == ARB_OK ? add_summary(job, call, error) : code;
}

static void begin(arb_sql_job *job)
{
    arb_error error = {0};
    arb_code code = job->repeats ? repeat_statement(job, &error) : run_statement(job, &error);
    note_outcome(job, code);
    if (code != ARB_OK) {
        end(job, code, &error);
        return;
    }
    if (job->asking == ARB_SQL_PUT) {
        arb_sql_lock(job->service);
        arb_rpc_call *call = arb_sql_job_take_waiter(job);
        retire(job);
        arb_sql_unlock(job->service);
        if (call == NULL)
            return;
        code = answer_put(job, call, &error);
        finish_call(call, code, &error);
        return;
    }
    if (!job->has_rows)
        drop_result(job);
    arb_sql_lock(job->service);
    job->state = ARB_SQL_JOB_BEGUN;
    job->turn.lane = ARB_SQL_LONG;
    arb_rpc_call *call = job->polled ? NULL : arb_sql_job_take_waiter(job);
    job->turn.again |= job->polled || job->stream != NULL;
    arb_sql_unlock(job->service);
    if (call != NULL)
        arb_sql_job_answer_info(job, call);
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

static arb_code next_batch(arb_sql_job *job, arb_error *error)
{
    if (job->batch != NULL || job->ended)
        return ARB_OK;
    job->row = 0;
    ARB_TRY(arb_result_next(job->result, &job->batch, error));
    job->ended = job->batch == NULL;
    return ARB_OK;
}

/* What executors do not have yet has no thread here: the job's next turn comes when they have it. */
static void rows_have_come(void *context)
{
    arb_sql_job *job = context;
    arb_sql_lock(job->service);
    if (job->state != ARB_SQL_JOB_OVER)
        arb_sql_turn_queue(&job->turn);
    arb_sql_unlock(job->service);
}

static bool can_go_on(arb_sql_job *job)
{
    return job->batch != NULL || job->ended || arb_result_ready(job->result, &(arb_wake){rows_have_come, job});
}

/* A poll is answered when the first rows are there. */
static void peek(arb_sql_job *job)
{
    arb_error error = {0};
    if (!can_go_on(job))
        return;
    arb_code code = next_batch(job, &error);
    if (code != ARB_OK) {
        end(job, code, &error);
        return;
    }
    arb_sql_lock(job->service);
    job->peeked = true;
    arb_rpc_call *call = job->waiter != NULL ? arb_sql_job_take_waiter(job) : NULL;
    job->turn.again |= job->stream != NULL;
    if (call != NULL && job->stream == NULL && !job->has_rows)
        retire(job); /* there is nothing more to be asked for */
    arb_sql_unlock(job->service);
    if (call != NULL)
        arb_sql_job_answer_poll(job, call, NULL);
}

static arb_code open_stream(arb_sql_job *job, arb_error *error)
{
    static const arb_result_columns none = {0};
    if (job->sender != NULL)
        return ARB_OK;
    ARB_TRY(arb_batch_sender_create(job->has_rows ? arb_result_describe(job->result) : &none, job->stream, &job->sender,
                                    error));
    return arb_batch_sender_begin(job->sender, error);
}

/* One message, or what there is after a while; *out_over: all has been sent. */
static arb_code send_some(arb_sql_job *job, bool *out_over, bool *out_more, arb_error *error)
{
    ARB_TRY(open_stream(job, error));
    uint64_t messages = arb_batch_sender_messages(job->sender);
    int64_t until_ns = arb_clock_monotonic_ns() + MESSAGE_NS;
    *out_over = *out_more = false;
    if (!arb_rpc_writable(job->stream) || !can_go_on(job))
        return ARB_OK;
    while (arb_batch_sender_messages(job->sender) == messages) {
        ARB_TRY(next_batch(job, error));
        if (job->ended) {
            *out_over = true;
            return arb_batch_sender_flush(job->sender, error);
        }
        ARB_TRY(arb_batch_sender_take(job->sender, job->batch, &job->row, error));
        if (job->row == job->batch->rows)
            job->batch = NULL;
        if (arb_clock_monotonic_ns() > until_ns)
            ARB_TRY(arb_batch_sender_flush(job->sender, error));
    }
    *out_more = true;
    return ARB_OK;
}

/* The session's other turns, and other sessions, come between two messages. */
static void pull(arb_sql_job *job)
{
    arb_error error = {0};
    bool over = false, more = false;
    arb_code code = send_some(job, &over, &more, &error);
    if (code == ARB_OK && over) {
        if (job->result != NULL)
            job->peak_memory = ARB_MAX(job->peak_memory, arb_result_peak_memory(job->result));
        code = add_summary(job, job->stream, &error);
    }
    if (code != ARB_OK || over) {
        end(job, code, &error);
        return;
    }
    bool is_full = !more && !arb_rpc_writable(job->stream);
    arb_sql_lock(job->service);
    job->turn.again |= more;
    if (!is_full)
        job->room_by_ns = INT64_MAX;
    else if (job->room_by_ns == INT64_MAX)
        job->room_by_ns = arb_clock_monotonic_ns() + job->service->stall_ns;
    arb_sql_unlock(job->service);
}

void arb_sql_job_run(arb_sql_turn *turn)
{
    arb_sql_job *job = (arb_sql_job *)turn;
    arb_sql_service *service = job->service;
    arb_sql_lock(service);
    arb_sql_job_state state = job->state;
    bool cancelled = job->cancelled, polled = job->polled && (!job->peeked || job->waiter != NULL),
         streams = job->stream != NULL;
    arb_sql_unlock(service);
    if (cancelled)
        end_cancelled(job);
    else if (state == ARB_SQL_JOB_NEW)
        begin(job);
    else if (state == ARB_SQL_JOB_FAILED)
        end(job, job->error.code, &job->error);
    else if (polled)
        peek(job);
    else if (streams)
        pull(job);
    arb_sql_lock(service);
    bool over = job->state == ARB_SQL_JOB_OVER;
    arb_sql_turn_end(turn);
    if (over)
        arb_sql_job_unref_locked(job);
    arb_sql_unlock(service);
}
