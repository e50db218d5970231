#include "flight_sql/sql_operation.h"

#include "base/alloc.h"

static arb_sql_operation *find_id(const arb_client_session *session, arb_str id)
{
    for (size_t i = 0; session->operations != NULL && i < ARB_SQL_OPERATIONS; i++)
        if (arb_str_equal(arb_str_of(session->operations[i].id), id))
            return &session->operations[i];
    return NULL;
}

static arb_sql_operation *find_job(const arb_client_session *session, const arb_sql_job *job)
{
    for (size_t i = 0; session->operations != NULL && i < ARB_SQL_OPERATIONS; i++)
        if (session->operations[i].job == job)
            return &session->operations[i];
    return NULL;
}

/* The one that was remembered the longest makes room. */
static arb_code take_room(arb_client_session *session, arb_sql_operation **out_room, arb_error *error)
{
    size_t size = ARB_SQL_OPERATIONS * sizeof **out_room;
    if (session->operations == NULL)
        session->operations = arb_alloc_zeroed(size);
    if (session->operations == NULL)
        return arb_fail_memory(error, "operations", size);
    for (size_t i = 0; i < ARB_SQL_OPERATIONS; i++) {
        *out_room = &session->operations[session->next_operation++ % ARB_SQL_OPERATIONS];
        if ((*out_room)->job == NULL)
            return ARB_OK;
    }
    return arb_fail(error, ARB_RESOURCES_EXHAUSTED, "%d operations of the session wait, which is as many as may",
                    ARB_SQL_OPERATIONS);
}

static arb_code check_id(const arb_client_session *session, arb_str id, arb_error *error)
{
    if (id.size > ARB_SQL_OPERATION_BYTES || memchr(id.data, '\0', id.size) != NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "an " ARB_SQL_OPERATION " has at most %d letters",
                        ARB_SQL_OPERATION_BYTES);
    if (session->named)
        return ARB_OK;
    (void)arb_fail(error, ARB_NOT_READY, "an " ARB_SQL_OPERATION " needs a session, and this client has none");
    arb_error_hint(error, "Let it keep cookies (" ARB_SQL_SESSION_COOKIE "), or log in for a bearer token.");
    return ARB_NOT_READY;
}

arb_code arb_sql_operation_begin(arb_client_session *session, arb_str id, uint64_t statement, arb_sql_job *job,
                                 arb_sql_repeat *out_repeat, const arb_sql_operation **out_operation, arb_error *error)
{
    ARB_TRY(check_id(session, id, error));
    arb_sql_operation *operation = find_id(session, id);
    *out_operation = operation;
    *out_repeat = ARB_SQL_FIRST;
    if (operation == NULL) {
        ARB_TRY(take_room(session, &operation, error));
        *operation = (arb_sql_operation){.statement = statement, .job = job};
        memcpy(operation->id, id.data, id.size);
        return ARB_OK;
    }
    if (operation->statement != statement)
        return arb_fail(error, ARB_CONFLICT, "the operation \"%s\" is another statement", operation->id);
    if (operation->failed)
        return arb_fail(error, ARB_CONFLICT, "the operation \"%s\" has failed after %lld rows had been written",
                        operation->id, (long long)operation->affected);
    *out_repeat = operation->job != NULL ? ARB_SQL_RUNS : ARB_SQL_DONE;
    return ARB_OK;
}

void arb_sql_operation_done(arb_client_session *session, const arb_sql_job *job, const char *tag, int64_t affected)
{
    arb_sql_operation *operation = find_job(session, job);
    if (operation == NULL)
        return;
    operation->job = NULL;
    operation->tag = tag;
    operation->affected = affected;
}

void arb_sql_operation_failed(arb_client_session *session, const arb_sql_job *job, int64_t affected)
{
    arb_sql_operation *operation = find_job(session, job);
    if (operation == NULL)
        return;
    operation->job = NULL;
    operation->affected = affected;
    operation->failed = true;
}

void arb_sql_operation_forget(arb_client_session *session, const arb_sql_job *job)
{
    arb_sql_operation *operation = find_job(session, job);
    if (operation != NULL)
        *operation = (arb_sql_operation){0};
}
