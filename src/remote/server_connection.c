#include "remote/server_connection.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"
#include "proto/sql_handle.pb-c.h"
#include "remote/remote_rows.h"
#include "remote/server_url.h"
#include "rpc/flight_client.h"
#include "rpc/grpc_channel.h"

#define COMMAND_KIND "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
#define SUMMARY_NAME "arbalest-statement-bin"

enum {
    WINDOW = 4 << 20, /* bytes of a result that come before they are taken */
    ASKS_MS = 5000,   /* a server that vanished without a word is noticed so */
    WAITS_MS = 5000,  /* for its answer */
};
static const int64_t GREETING_NS = INT64_C(10000000000), LEAVING_NS = INT64_C(500000000);

typedef struct server_connection {
    arb_statement_host base; /* first */
    arb_grpc_runtime *grpc;
    arb_rpc_channel *channel;
    arb_flight_client *client;
    pthread_mutex_t lock;   /* of the call */
    arb_rpc_stream *call;   /* that the statement waits for, or NULL */
    _Atomic bool cancelled; /* the statement, or what it was */
    _Atomic bool ending;
    bool expected; /* the statement that comes next */
    bool is_guest; /* it has been greeted */
    sem_t wake;    /* a signal handler may post it, but not end a call: the canceller does */
    pthread_t canceller;
    bool has_canceller;
} server_connection;

typedef struct remote_result {
    arb_hosted_result base; /* first */
    server_connection *connection;
    arb_arena arena;
    char tag[32];
    int64_t affected;
    uint64_t peak_memory;
    arb_result_columns columns;
    arb_rpc_stream *stream; /* NULL: no rows, or all were taken */
    arb_remote_rows *rows;
} remote_result;

/* ---- cancelling ------------------------------------------------------------------------------------------------------------------ */

static void *cancel_calls(void *context)
{
    server_connection *c = context;
    for (;;) {
        while (sem_wait(&c->wake) != 0)
            continue;
        if (atomic_load(&c->ending))
            return NULL;
        pthread_mutex_lock(&c->lock);
        if (c->call != NULL && atomic_load(&c->cancelled)) /* and not a later statement's */
            arb_rpc_stream_cancel(c->call);
        pthread_mutex_unlock(&c->lock);
    }
}

static void expect(arb_statement_host *host)
{
    server_connection *c = (server_connection *)host;
    atomic_store(&c->cancelled, false);
    c->expected = true;
}

static void cancel(arb_statement_host *host)
{
    server_connection *c = (server_connection *)host;
    atomic_store(&c->cancelled, true);
    sem_post(&c->wake);
}

/* The statement waits for this call from now on; for none, with NULL. */
static void wait_for(server_connection *c, arb_rpc_stream *call)
{
    pthread_mutex_lock(&c->lock);
    c->call = call;
    if (call != NULL && atomic_load(&c->cancelled)) /* before there was a call to end */
        arb_rpc_stream_cancel(call);
    pthread_mutex_unlock(&c->lock);
}

/* What a call's end means for the statement. */
static arb_code outcome(const server_connection *c, arb_code code, arb_error *error)
{
    return code != ARB_OK && atomic_load(&c->cancelled) ? arb_fail_stopped(error) : code;
}

/* ---- results --------------------------------------------------------------------------------------------------------------------- */

static void take_summary(remote_result *r, arb_str bytes)
{
    arb_arena arena = {0};
    ProtobufCMessage *message;
    if (bytes.data != NULL && arb_wire_unpack(&arbalest__sql__statement_summary__descriptor, &arena, bytes.data,
                                              bytes.size, &message, NULL) == ARB_OK) {
        const Arbalest__Sql__StatementSummary *summary = (const Arbalest__Sql__StatementSummary *)message;
        if (summary->tag != NULL)
            snprintf(r->tag, sizeof r->tag, "%s", summary->tag);
        if (summary->has_returns_rows)
            r->columns.has_rows = summary->returns_rows;
        if (summary->has_affected)
            r->affected = summary->affected;
        if (summary->has_peak_memory)
            r->peak_memory = summary->peak_memory;
    }
    arb_arena_reset(&arena);
}

static const arb_result_columns *describe(const arb_hosted_result *base)
{
    return &((const remote_result *)base)->columns;
}

static const char *tag(const arb_hosted_result *base)
{
    return ((const remote_result *)base)->tag;
}

static int64_t affected(const arb_hosted_result *base)
{
    return ((const remote_result *)base)->affected;
}

static uint64_t peak_memory(const arb_hosted_result *base)
{
    return ((const remote_result *)base)->peak_memory;
}

static arb_code next(arb_hosted_result *base, const arb_batch **out_batch, arb_error *error)
{
    remote_result *r = (remote_result *)base;
    *out_batch = NULL;
    if (r->stream == NULL)
        return ARB_OK;
    arb_code code = arb_remote_rows_next(r->rows, r->stream, out_batch, error);
    if (code == ARB_OK && *out_batch == NULL)
        take_summary(
            r, arb_rpc_metadata_find(arb_rpc_response_trailers(arb_rpc_stream_call(r->stream)), ARB_STR(SUMMARY_NAME)));
    return outcome(r->connection, code, error);
}

static void destroy_result(arb_hosted_result *base)
{
    remote_result *r = (remote_result *)base;
    wait_for(r->connection, NULL);
    arb_remote_rows_destroy(r->rows);
    arb_rpc_stream_close(r->stream);
    arb_arena_reset(&r->arena);
    arb_free(r);
}

/* ---- statements ------------------------------------------------------------------------------------------------------------------ */

/* Have the server begin the statement. The answer comes when what has no rows is done, or what has some has begun. */
static arb_code ask(remote_result *r, arb_str sql, const Arrow__Flight__Protocol__FlightInfo **out_info,
                    arb_error *error)
{
    server_connection *c = r->connection;
    Arrow__Flight__Protocol__Sql__CommandStatementQuery command;
    Arrow__Flight__Protocol__Sql__Any any;
    Arrow__Flight__Protocol__FlightDescriptor descriptor;
    arrow__flight__protocol__sql__command_statement_query__init(&command);
    arrow__flight__protocol__sql__any__init(&any);
    arrow__flight__protocol__flight_descriptor__init(&descriptor);
    arb_str text = arb_str_copy(&r->arena, sql); /* ends with NUL, as the library wants it */
    arb_text value = {0}, packed = {0};
    arb_rpc_stream *call = NULL;
    ProtobufCMessage *answer = NULL;
    if (text.data == NULL)
        return arb_fail_memory(error, "a statement", sql.size);
    command.query = (char *)(uintptr_t)text.data;
    arb_code code = arb_wire_pack(&command.base, &value, error);
    any.type_url = (char *)(uintptr_t)COMMAND_KIND;
    any.has_value = true;
    any.value = (ProtobufCBinaryData){value.size, (uint8_t *)value.data};
    if (code == ARB_OK)
        code = arb_wire_pack(&any.base, &packed, error);
    descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD;
    descriptor.cmd = (ProtobufCBinaryData){packed.size, (uint8_t *)packed.data};
    if (code == ARB_OK)
        code = arb_flight_request(c->client, "GetFlightInfo", &descriptor.base, ARB_RPC_NO_DEADLINE, 0, &call, error);
    if (code == ARB_OK) {
        wait_for(c, call);
        code = arb_flight_take_answer(c->client, call, &arrow__flight__protocol__flight_info__descriptor, &r->arena,
                                      &answer, error);
        wait_for(c, NULL);
    }
    arb_rpc_stream_close(call);
    arb_text_reset(&value);
    arb_text_reset(&packed);
    *out_info = (const Arrow__Flight__Protocol__FlightInfo *)answer;
    return code;
}

static arb_code begin_rows(remote_result *r, const Arrow__Flight__Protocol__FlightInfo *info, arb_error *error)
{
    if (info->n_endpoint != 1 || info->endpoint[0]->ticket == NULL)
        return arb_fail(error, ARB_INTERNAL, "the server names %zu places of the result, not one", info->n_endpoint);
    ARB_TRY(arb_flight_do_get(r->connection->client, info->endpoint[0]->ticket, ARB_RPC_NO_DEADLINE, WINDOW, &r->stream,
                              error));
    wait_for(r->connection, r->stream);
    return arb_remote_rows_begin(r->stream, &r->arena, &r->columns, &r->rows, error);
}

static arb_code execute(arb_statement_host *host, arb_str sql, arb_hosted_result **out_result, arb_error *error)
{
    static const arb_hosted_result_vtable vtable = {describe, tag, affected, next, peak_memory, destroy_result};
    server_connection *c = (server_connection *)host;
    const Arrow__Flight__Protocol__FlightInfo *info;
    *out_result = NULL;
    remote_result *r = arb_alloc_zeroed(sizeof *r);
    if (r == NULL)
        return arb_fail_memory(error, "a result", sizeof *r);
    r->base.vtable = &vtable;
    r->connection = c;
    r->affected = -1;
    if (!c->expected)
        atomic_store(&c->cancelled, false);
    c->expected = false;
    arb_code code = ask(r, sql, &info, error);
    if (code == ARB_OK) {
        take_summary(r, (arb_str){(const char *)info->app_metadata.data, info->app_metadata.len});
        if (r->columns.has_rows)
            code = begin_rows(r, info, error);
    }
    if (code != ARB_OK) {
        code = outcome(c, code, error);
        destroy_result(&r->base);
        return code;
    }
    *out_result = &r->base;
    return ARB_OK;
}

static arb_code set(arb_statement_host *host, arb_str name, arb_str value, arb_error *error)
{
    arb_hosted_result *result;
    arb_text text = {0};
    arb_text_append_str(&text, ARB_STR("SET "));
    arb_text_append_str(&text, name);
    arb_text_append_str(&text, ARB_STR(" = '"));
    for (size_t i = 0; i < value.size; i++)
        arb_text_append(&text, value.data[i] == '\'' ? "''" : &value.data[i], value.data[i] == '\'' ? 2 : 1);
    arb_text_append_char(&text, '\'');
    arb_code code = arb_text_check(&text, error);
    if (code == ARB_OK)
        code = execute(host, arb_text_view(&text), &result, error);
    if (code == ARB_OK)
        arb_hosted_result_destroy(result);
    if (code != ARB_OK && error != NULL)
        error->position = 0; /* in a text that nobody has written */
    arb_text_reset(&text);
    return code;
}

/* The server does not say how far a statement is while its rows are waited for. */
static double progress(arb_statement_host *host)
{
    (void)host;
    return -1;
}

static arb_catalog_scope *catalog(arb_statement_host *host)
{
    (void)host;
    return NULL;
}

/* ---- the connection -------------------------------------------------------------------------------------------------------------- */

/* What is still begun there ends now, not with its lease: a statement whose answer was cancelled on its way, for one. */
static void leave(server_connection *c)
{
    Arrow__Flight__Protocol__Action action;
    arrow__flight__protocol__action__init(&action);
    action.type = (char *)(uintptr_t) "CloseSession";
    (void)!arb_flight_do_action(c->client, &action, arb_clock_monotonic_ns() + LEAVING_NS, NULL, NULL, NULL);
}

static void destroy(arb_statement_host *host)
{
    server_connection *c = (server_connection *)host;
    if (c->is_guest)
        leave(c);
    if (c->has_canceller) {
        atomic_store(&c->ending, true);
        sem_post(&c->wake);
        pthread_join(c->canceller, NULL);
    }
    arb_flight_client_destroy(c->client);
    arb_rpc_channel_destroy(c->channel);
    arb_grpc_runtime_destroy(c->grpc);
    sem_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    arb_free(c);
}

/* A call that changes nothing: whether somebody answers, and lets us in; and its answer offers a session. */
static arb_code greet(server_connection *c, arb_error *error)
{
    Arrow__Flight__Protocol__Action action;
    arrow__flight__protocol__action__init(&action);
    action.type = (char *)(uintptr_t) "GetSessionOptions";
    ARB_TRY(arb_flight_do_action(c->client, &action, arb_clock_monotonic_ns() + GREETING_NS, NULL, NULL, error));
    c->is_guest = true;
    return ARB_OK;
}

static arb_code enter(server_connection *c, const arb_server_url *url, arb_error *error)
{
    int64_t until = arb_clock_monotonic_ns() + GREETING_NS;
    return url->user.data != NULL ? arb_flight_handshake(c->client, url->user, url->password, until, error) : ARB_OK;
}

static arb_code reach(server_connection *c, const arb_server_url *url, const char *address, arb_error *error)
{
    const arb_rpc_channel_options channel = {.keepalive = {ASKS_MS, WAITS_MS}};
    ARB_TRY(arb_grpc_channel_create(c->grpc, address, &channel, &c->channel, error));
    ARB_TRY(arb_flight_client_create(c->channel, &c->client, error));
    arb_error failure = {0};
    arb_code code = enter(c, url, &failure);
    if (code == ARB_OK)
        code = greet(c, &failure);
    if (code == ARB_CONNECTION_FAILED || code == ARB_DEADLINE_EXCEEDED)
        return arb_fail(error, ARB_CONNECTION_FAILED, "no server answers at %s: %s", address, failure.message);
    if (code != ARB_OK && error != NULL)
        *error = failure;
    return code;
}

/* To the first that answers. */
static arb_code reach_any(server_connection *c, const arb_server_url *url, arb_error *error)
{
    arb_code code = ARB_CONNECTION_FAILED;
    for (size_t i = 0; i < url->count && code == ARB_CONNECTION_FAILED; i++) {
        arb_flight_client_destroy(c->client);
        arb_rpc_channel_destroy(c->channel);
        c->client = NULL;
        c->channel = NULL;
        code = reach(c, url, url->addresses[i], error);
    }
    return code;
}

arb_code arb_server_connect(arb_str text, arb_statement_host **out_host, arb_error *error)
{
    static const arb_statement_host_vtable vtable = {execute, set, expect, cancel, progress, catalog, destroy};
    arb_arena arena = {0};
    arb_server_url url;
    *out_host = NULL;
    server_connection *c = arb_alloc_zeroed(sizeof *c);
    if (c == NULL)
        return arb_fail_memory(error, "a connection", sizeof *c);
    c->base.vtable = &vtable;
    pthread_mutex_init(&c->lock, NULL);
    sem_init(&c->wake, 0, 0);
    arb_code code = arb_server_url_read(&arena, text, &url, error);
    if (code == ARB_OK)
        code = arb_grpc_runtime_create(1, &c->grpc, error);
    if (code == ARB_OK)
        code = reach_any(c, &url, error);
    if (code == ARB_OK) {
        c->has_canceller = arb_thread_create(&c->canceller, NULL, cancel_calls, c) == 0;
        if (!c->has_canceller)
            code = arb_fail(error, ARB_RESOURCES_EXHAUSTED, "no thread for the connection");
    }
    arb_arena_reset(&arena);
    if (code != ARB_OK) {
        destroy(&c->base);
        return code;
    }
    *out_host = &c->base;
    return ARB_OK;
}
