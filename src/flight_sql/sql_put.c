/* sql_put.c: DoPut. An update begins with the first message; values are collected until the client has sent all of them. */
#include "base/alloc.h"
#include "base/clock.h"
#include "flight_sql/sql_service_internal.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"
#include "proto/sql_handle.pb-c.h"
#include "rpc/flight_data.h"

enum {
    VALUES_MOST = 64 << 20, /* bytes of one update, in messages of at most 16 MiB */
    BOUND_MOST = 8 << 20,   /* of a query: its handle has them, and travels as one message, there and back */
    STALLS_OF_ALL = 10,     /* how long one may take, in silences */
};

/* A DoPut whose values are coming. Lives until the call's end, or until a job has it. */
typedef struct arb_sql_put {
    arb_sql_service *service;
    arb_sql_user *user; /* a count */
    arb_arena arena;    /* the command, and what has come */
    bool has_command;
    arb_sql_message command;
    Arbalest__Sql__PreparedStatement prepared;           /* the handle's statement with the values that come */
    ARB_VEC(Arbalest__Sql__ParameterMessage *) messages; /* arena */
    size_t bytes;                                        /* held by the service for it */
    arb_rpc_call *call;
    /* The lock: */
    struct arb_sql_put *previous, *next;
    bool listed;                       /* its time counts */
    int64_t silent_until_ns, until_ns; /* for the next message, and for all of them */
} arb_sql_put;

static void put_in(arb_sql_put *put)
{
    arb_sql_service *service = put->service;
    int64_t now_ns = arb_clock_monotonic_ns();
    arb_sql_lock(service);
    put->silent_until_ns = now_ns + service->stall_ns;
    put->until_ns = now_ns + STALLS_OF_ALL * service->stall_ns;
    put->next = service->puts;
    if (put->next != NULL)
        put->next->previous = put;
    service->puts = put;
    put->listed = true;
    arb_sql_unlock(service);
}

/* With the lock held: no time counts for it any more; false when that was so. */
static bool take_out(arb_sql_put *put)
{
    if (!put->listed)
        return false;
    put->listed = false;
    *(put->previous != NULL ? &put->previous->next : &put->service->puts) = put->next;
    if (put->next != NULL)
        put->next->previous = put->previous;
    return true;
}

/* With the lock held: a client that has its answer may send as much again at once. */
static void release(arb_sql_put *put)
{
    arb_sql_release_locked(put->user, put->bytes);
    put->bytes = 0;
}

static void free_put(arb_sql_put *put)
{
    arb_sql_lock(put->service);
    (void)take_out(put);
    release(put);
    arb_sql_user_unref_locked(put->user);
    arb_sql_unlock(put->service);
    arb_arena_reset(&put->arena);
    arb_free(put);
}

static void end_late(arb_sql_put *put)
{
    arb_error error = {0};
    (void)arb_fail(&error, ARB_DEADLINE_EXCEEDED, "the upload's values did not come in time");
    arb_error_hint(&error, "Send them without long breaks, and fewer at a time.");
    arb_rpc_finish(put->call, ARB_DEADLINE_EXCEEDED, &error); /* its end frees it */
}

int64_t arb_sql_puts_expire(arb_sql_service *service, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    for (arb_sql_put *put = service->puts, *after; put != NULL; put = after) {
        after = put->next;
        int64_t end_ns = ARB_MIN(put->silent_until_ns, put->until_ns);
        if (end_ns > now_ns) {
            next_ns = ARB_MIN(next_ns, end_ns);
            continue;
        }
        (void)take_out(put);
        end_late(put);
    }
    return next_ns;
}

static void put_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call, (void)outcome;
    free_put(context);
}

static arb_code open_prepared(arb_sql_put *put, arb_rpc_call *call, ProtobufCBinaryData handle, arb_error *error)
{
    const Arbalest__Sql__PreparedStatement *prepared;
    ARB_TRY(arb_sql_open_prepared(&put->service->sealer, arb_rpc_identity(call), arb_wire_text(handle), &put->arena,
                                  &prepared, error));
    put->prepared = (Arbalest__Sql__PreparedStatement)ARBALEST__SQL__PREPARED_STATEMENT__INIT;
    put->prepared.query = prepared->query;
    put->prepared.n_parameters = prepared->n_parameters; /* until others come */
    put->prepared.parameters = prepared->parameters;
    return ARB_OK;
}

static arb_code read_command(arb_sql_put *put, arb_rpc_call *call, arb_str descriptor, arb_error *error)
{
    ProtobufCMessage *message;
    if (descriptor.size == 0)
        return arb_fail(error, ARB_INVALID_PARAMETER, "the upload came without a command");
    ARB_TRY(arb_wire_unpack(&arrow__flight__protocol__flight_descriptor__descriptor, &put->arena, descriptor.data,
                            descriptor.size, &message, error));
    const Arrow__Flight__Protocol__FlightDescriptor *given = (const Arrow__Flight__Protocol__FlightDescriptor *)message;
    ARB_TRY(arb_any_read(arb_wire_text(given->cmd), &put->arena, &put->command, error));
    put->has_command = true;
    message = (ProtobufCMessage *)(uintptr_t)put->command.message;
    switch (put->command.kind) {
    case ARB_SQL_CommandStatementUpdate:
        return ARB_OK;
    case ARB_SQL_CommandPreparedStatementUpdate:
        return open_prepared(
            put, call,
            ((Arrow__Flight__Protocol__Sql__CommandPreparedStatementUpdate *)message)->prepared_statement_handle,
            error);
    case ARB_SQL_CommandPreparedStatementQuery:
        return open_prepared(
            put, call,
            ((Arrow__Flight__Protocol__Sql__CommandPreparedStatementQuery *)message)->prepared_statement_handle, error);
    default:
        return arb_fail(error, ARB_NOT_SUPPORTED, "%s is no upload", message->descriptor->short_name);
    }
}

static arb_code take_values(arb_sql_put *put, const arb_flight_data *data, arb_error *error)
{
    if (data->header.size == 0)
        return ARB_OK;
    size_t bytes = data->header.size + data->body.size;
    bool is_update = put->command.kind == ARB_SQL_CommandPreparedStatementUpdate;
    size_t most = is_update ? VALUES_MOST : BOUND_MOST;
    if (put->bytes + bytes > most) {
        (void)arb_fail(error, ARB_LIMIT_EXCEEDED, "more than %zu bytes of values for one %s", most,
                       is_update ? "update" : "query");
        arb_error_hint(error, is_update ? "Send them in several updates." : "Load them into a table first.");
        return ARB_LIMIT_EXCEEDED;
    }
    ARB_TRY(arb_sql_hold(put->user, bytes, error));
    put->bytes += bytes;
    Arbalest__Sql__ParameterMessage *message =
        arb_wire_message(&put->arena, &arbalest__sql__parameter_message__descriptor);
    arb_str description = arb_str_copy(&put->arena, data->header);
    arb_str body = arb_str_copy(&put->arena,
                                (arb_str){data->body.size != 0 ? (const char *)data->body.data : "", data->body.size});
    if (message == NULL || description.data == NULL || body.data == NULL ||
        !ARB_ARENA_PUSH(&put->arena, &put->messages, message))
        return arb_fail_memory(error, "values", bytes);
    message->has_description = message->has_body = true;
    message->description = arb_wire_bytes(description);
    message->body = arb_wire_bytes(body);
    put->prepared.n_parameters = put->messages.size;
    put->prepared.parameters = put->messages.data;
    return ARB_OK;
}

/* The call goes over to the job, which has its own copy of the statement; unless its client hears that it came too late. */
static void hand_over(arb_rpc_call *call, arb_sql_put *put, const arb_sql_statement *statement)
{
    arb_sql_lock(put->service);
    bool in_time = take_out(put);
    release(put);
    arb_sql_unlock(put->service);
    if (!in_time)
        return;
    arb_sql_job_begin(put->service, call, ARB_SQL_PUT, statement, ARB_STR(""));
    free_put(put);
}

static void put_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    arb_sql_put *put = context;
    arb_error error = {0};
    arb_flight_data data;
    arb_sql_lock(put->service);
    put->silent_until_ns = arb_clock_monotonic_ns() + put->service->stall_ns;
    arb_sql_unlock(put->service);
    arb_code code = arb_flight_data_read(message, &data, &error);
    if (code == ARB_OK) {
        if (!put->has_command)
            code = read_command(put, call, data.descriptor, &error);
        if (code == ARB_OK && put->command.kind != ARB_SQL_CommandStatementUpdate)
            code = take_values(put, &data, &error);
        arb_flight_data_reset(&data);
    }
    if (code != ARB_OK) {
        arb_rpc_finish(call, code, &error);
    } else if (put->command.kind == ARB_SQL_CommandStatementUpdate) {
        const Arrow__Flight__Protocol__Sql__CommandStatementUpdate *update =
            (const Arrow__Flight__Protocol__Sql__CommandStatementUpdate *)put->command.message;
        hand_over(call, put, &(arb_sql_statement){.text = arb_str_of(update->query != NULL ? update->query : "")});
    } else {
        arb_rpc_read(call);
    }
}

/* The values are there: bound to a query they become a new handle, in an update they are run. */
static void put_half_close(arb_rpc_call *call, void *context)
{
    arb_sql_put *put = context;
    arb_error error = {0};
    arb_text handle = {0};
    arb_code code = ARB_OK;
    if (!put->has_command)
        code = arb_fail(&error, ARB_INVALID_PARAMETER, "the upload came without a command");
    if (code == ARB_OK)
        code = arb_sql_seal_prepared(&put->service->sealer, arb_rpc_identity(call), &put->prepared, &handle, &error);
    if (code == ARB_OK && put->command.kind == ARB_SQL_CommandPreparedStatementUpdate) {
        hand_over(call, put, &(arb_sql_statement){.prepared = arb_text_view(&handle)});
        arb_text_reset(&handle);
        return;
    }
    arb_text bound = {0};
    if (code == ARB_OK) {
        Arrow__Flight__Protocol__Sql__DoPutPreparedStatementResult answer =
            ARROW__FLIGHT__PROTOCOL__SQL__DO_PUT_PREPARED_STATEMENT_RESULT__INIT;
        Arrow__Flight__Protocol__PutResult result = ARROW__FLIGHT__PROTOCOL__PUT_RESULT__INIT;
        answer.has_prepared_statement_handle = true;
        answer.prepared_statement_handle = arb_wire_bytes(arb_text_view(&handle));
        code = arb_wire_pack(&answer.base, &bound, &error);
        result.app_metadata = arb_wire_bytes(arb_text_view(&bound));
        if (code == ARB_OK)
            code = arb_flight_send(call, &result.base, &error);
    }
    arb_sql_lock(put->service);
    release(put);
    arb_sql_unlock(put->service);
    arb_rpc_finish(call, code, &error);
    arb_text_reset(&bound);
    arb_text_reset(&handle);
}

void arb_sql_do_put(void *context, arb_rpc_call *call)
{
    static const arb_rpc_events events = {
        .on_message = put_message, .on_half_close = put_half_close, .on_done = put_done};
    arb_error error = {0};
    arb_sql_put *put = arb_alloc_zeroed(sizeof *put);
    arb_code code = put == NULL ? arb_fail_memory(&error, "an upload", sizeof *put)
                                : arb_sql_user_find(context, arb_rpc_identity(call), &put->user, &error);
    if (code != ARB_OK) {
        arb_free(put);
        arb_rpc_finish(call, code, &error);
        return;
    }
    put->service = context;
    put->call = call;
    put_in(put);
    arb_rpc_handle(call, &events, put);
    arb_rpc_read(call);
}
