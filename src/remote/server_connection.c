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
#include "remote/remote_progress.h"
#include "remote/remote_rows.h"
#include "remote/server_return.h"
#include "remote/server_url.h"
#include "rpc/flight_client.h"
#include "rpc/grpc_channel.h"
#include "sql/parser.h"
#include "state/store.h"

#define KIND "type.googleapis.com/arrow.flight.protocol.sql."
#define SUMMARY_NAME "arbalest-statement-bin"

enum {
    WINDOW = 4 << 20, /* bytes of a result that come before they are taken */
    ASKS_MS = 5000,   /* a server that vanished without a word is noticed so */
    WAITS_MS = 5000,  /* for its answer */
    TIMES_MOST = 20, /* that a statement is begun, as the server lost it or its session: twice each time that it goes */
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
    bool expected;  /* the statement that comes next */
    bool is_guest;  /* it has been greeted */
    bool is_silent; /* it did not answer in time: no use in taking leave */
    bool has_state; /* statements have left something in the session */
    arb_arena arena;
    arb_server_url url;        /* in the arena */
    ARB_VEC(arb_str) settings; /* that the session began with, as statements */
    arb_remote_progress progress;
    char operation[40]; /* the statement's name */
    sem_t wake;         /* a signal handler may post it, but not end a call: the canceller does */
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
    Arrow__Flight__Protocol__Ticket ticket; /* for the rows */
    arb_rpc_stream *stream;                 /* NULL: there are none */
    arb_remote_rows *rows;
    bool given; /* some rows, or their end: they are not asked for again */
    arb_server_return back;
    bool entered; /* anew, since a call was answered */
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

static arb_code enter(server_connection *c, arb_error *error)
{
    int64_t until = arb_clock_monotonic_ns() + GREETING_NS;
    return c->url.user.data == NULL ? ARB_OK
                                    : arb_flight_handshake(c->client, c->url.user, c->url.password, until, error);
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

static void close_rows(remote_result *r)
{
    wait_for(r->connection, NULL);
    arb_remote_rows_destroy(r->rows);
    arb_rpc_stream_close(r->stream);
    r->rows = NULL;
    r->stream = NULL;
}

static arb_code open_rows(remote_result *r, arb_error *error)
{
    close_rows(r);
    ARB_TRY(arb_flight_do_get(r->connection->client, &r->ticket, ARB_RPC_NO_DEADLINE, WINDOW, &r->stream, error));
    wait_for(r->connection, r->stream);
    return arb_remote_rows_begin(r->stream, &r->arena, &r->columns, &r->rows, error);
}

/* A call failed: shall it be made once more? One that was turned away did nothing: the server's process is another one, where
 * nobody has logged in. One that a server took with it may have done something; `repeatable`: no harm in doing it again. */
static bool goes_on(remote_result *r, bool repeatable, arb_error *failure)
{
    server_connection *c = r->connection;
    if (failure->code == ARB_NOT_AUTHENTICATED && c->url.user.data != NULL && !r->entered) {
        r->entered = true;
        arb_error_clear(failure);
        if (enter(c, failure) == ARB_OK)
            return true;
    }
    if (!repeatable || !arb_server_return_wait(&r->back, c->channel, &c->cancelled, failure))
        return false;
    r->entered = false;
    return true;
}

/* The last of the failures is what is said: at a call, or at a login in between. */
static arb_code give_up(const arb_error *failure, arb_error *error)
{
    if (error != NULL)
        *error = *failure;
    return failure->code;
}

/* None have been given yet. */
static arb_code begin_rows(remote_result *r, arb_error *error)
{
    arb_error failure = {0};
    arb_code code = open_rows(r, &failure);
    while (code != ARB_OK && goes_on(r, true, &failure))
        code = open_rows(r, &failure);
    return code != ARB_OK ? give_up(&failure, error) : ARB_OK;
}

static arb_code next(arb_hosted_result *base, const arb_batch **out_batch, arb_error *error)
{
    remote_result *r = (remote_result *)base;
    arb_error failure = {0};
    *out_batch = NULL;
    if (r->stream == NULL)
        return ARB_OK;
    arb_code code = arb_remote_rows_next(r->rows, r->stream, out_batch, &failure);
    while (code != ARB_OK && !r->given && goes_on(r, true, &failure)) {
        code = begin_rows(r, &failure);
        if (code == ARB_OK)
            code = arb_remote_rows_next(r->rows, r->stream, out_batch, &failure);
    }
    if (code != ARB_OK)
        code = arb_server_return_judge(&r->back, failure.code, &failure);
    r->given = true;
    if (code == ARB_OK && *out_batch == NULL)
        take_summary(
            r, arb_rpc_metadata_find(arb_rpc_response_trailers(arb_rpc_stream_call(r->stream)), ARB_STR(SUMMARY_NAME)));
    if (code != ARB_OK && error != NULL)
        *error = failure;
    return outcome(r->connection, code, error);
}

static void destroy_result(arb_hosted_result *base)
{
    remote_result *r = (remote_result *)base;
    arb_remote_progress_reset(&r->connection->progress);
    close_rows(r);
    arb_arena_reset(&r->arena);
    arb_free(r);
}

/* ---- statements ------------------------------------------------------------------------------------------------------------------ */

/* Polls of one statement: what the last answer said. */
typedef struct polling {
    arb_arena arena, older;                                /* of the last answer; of the one before */
    const Arrow__Flight__Protocol__FlightDescriptor *next; /* NULL: it is finished */
    const Arrow__Flight__Protocol__FlightInfo *info;
} polling;

static arb_code poll(server_connection *c, const Arrow__Flight__Protocol__FlightDescriptor *descriptor, polling *p,
                     arb_error *error)
{
    arb_rpc_stream *call;
    ProtobufCMessage *answer = NULL;
    ARB_TRY(arb_flight_request(c->client, "PollFlightInfo", &descriptor->base, ARB_RPC_NO_DEADLINE, 0, &call, error));
    wait_for(c, call);
    arb_arena fresh = {0};
    arb_code code = arb_flight_take_answer(c->client, call, &arrow__flight__protocol__poll_info__descriptor, &fresh,
                                           &answer, error);
    wait_for(c, NULL);
    arb_rpc_stream_close(call);
    if (code != ARB_OK) {
        arb_arena_reset(&fresh);
        return code;
    }
    arb_arena_reset(&p->older);
    p->older = p->arena;
    p->arena = fresh;
    const Arrow__Flight__Protocol__PollInfo *said = (const Arrow__Flight__Protocol__PollInfo *)answer;
    p->next = said->flight_descriptor;
    p->info = said->info;
    arb_remote_progress_note(&c->progress, said);
    return p->next != NULL || p->info != NULL ? ARB_OK
                                              : arb_fail(error, ARB_INTERNAL, "the server says nothing of the result");
}

/* End what the server does; it is not waited for for long. */
static void cancel_there(server_connection *c, const polling *p)
{
    Arrow__Flight__Protocol__FlightInfo info;
    Arrow__Flight__Protocol__CancelFlightInfoRequest request;
    Arrow__Flight__Protocol__Action action;
    arb_text body = {0};
    if (p->next == NULL)
        return; /* nobody knows it: it ends with the call */
    arrow__flight__protocol__flight_info__init(&info);
    arrow__flight__protocol__cancel_flight_info_request__init(&request);
    arrow__flight__protocol__action__init(&action);
    info.flight_descriptor = (Arrow__Flight__Protocol__FlightDescriptor *)(uintptr_t)p->next;
    request.info = &info;
    action.type = (char *)(uintptr_t) "CancelFlightInfo";
    if (arb_wire_pack(&request.base, &body, NULL) == ARB_OK) {
        action.body = arb_wire_bytes(arb_text_view(&body));
        c->is_silent = arb_flight_do_action(c->client, &action, arb_clock_monotonic_ns() + LEAVING_NS, NULL, NULL,
                                            NULL) == ARB_DEADLINE_EXCEEDED;
    }
    arb_text_reset(&body);
}

static arb_code pack_command(arb_arena *arena, arb_str sql, arb_text *out, arb_error *error)
{
    Arrow__Flight__Protocol__Sql__CommandStatementQuery command;
    Arrow__Flight__Protocol__Sql__Any any;
    arrow__flight__protocol__sql__command_statement_query__init(&command);
    arrow__flight__protocol__sql__any__init(&any);
    arb_str text = arb_str_copy(arena, sql); /* ends with NUL, as the library wants it */
    arb_text value = {0};
    if (text.data == NULL)
        return arb_fail_memory(error, "a statement", sql.size);
    command.query = (char *)(uintptr_t)text.data;
    arb_code code = arb_wire_pack(&command.base, &value, error);
    any.type_url = (char *)(uintptr_t)(KIND "CommandStatementQuery");
    any.has_value = true;
    any.value = arb_wire_bytes(arb_text_view(&value));
    if (code == ARB_OK)
        code = arb_wire_pack(&any.base, out, error);
    arb_text_reset(&value);
    return code;
}

/* What a statement may leave behind. */
typedef struct effects {
    bool beyond;  /* of the session: a table */
    bool session; /* within: a setting, something temporary */
} effects;

/* What cannot be read here is the server's to judge: it may. */
static effects effects_of(arb_str sql)
{
    arb_arena arena = {0};
    const arb_ast_statement *statement;
    effects e = {true, true};
    if (arb_sql_parse_one(&arena, sql, &statement, NULL) == ARB_OK) {
        arb_ast_statement_kind kind = statement->kind;
        e.session = kind != ARB_AST_STATEMENT_SELECT && kind != ARB_AST_STATEMENT_SHOW &&
                    kind != ARB_AST_STATEMENT_DESCRIBE && kind != ARB_AST_STATEMENT_EXPLAIN;
        e.beyond = (e.session && kind != ARB_AST_STATEMENT_SET) ||
                   (kind == ARB_AST_STATEMENT_EXPLAIN && arb_ast_as_explain(statement)->analyze);
    }
    arb_arena_reset(&arena);
    return e;
}

/* Have the server begin the statement, and ask how far it is until what has no rows is done, or what has some has some. */
static arb_code ask(remote_result *r, arb_str sql, effects e, polling *p, arb_error *error)
{
    server_connection *c = r->connection;
    Arrow__Flight__Protocol__FlightDescriptor command;
    arb_text packed = {0};
    arrow__flight__protocol__flight_descriptor__init(&command);
    arb_code code = pack_command(&r->arena, sql, &packed, error);
    command.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD;
    command.cmd = arb_wire_bytes(arb_text_view(&packed));
    arb_error failure = {0};
    if (code == ARB_OK)
        code = poll(c, &command, p, &failure);
    for (;;) {
        bool known = p->next != NULL;
        if (code == ARB_OK) {
            arb_server_return_note(&r->back);
            r->entered = false;
        }
        if (code == ARB_OK ? !known : !goes_on(r, !e.beyond, &failure))
            break;
        /* by a handle; else the server begins it once more, which what changes nothing bears */
        code = poll(c, known ? p->next : &command, p, &failure);
    }
    arb_text_reset(&packed);
    if (code != ARB_OK && failure.code != ARB_OK)
        code = give_up(&failure, error);
    if (code != ARB_OK && atomic_load(&c->cancelled))
        cancel_there(c, p);
    return code;
}

static arb_code take_ticket(remote_result *r, const Arrow__Flight__Protocol__FlightInfo *info, arb_error *error)
{
    if (info->n_endpoint != 1 || info->endpoint[0]->ticket == NULL)
        return arb_fail(error, ARB_INTERNAL, "the server names %zu places of the result, not one", info->n_endpoint);
    arb_str ticket = arb_str_copy(&r->arena, arb_wire_text(info->endpoint[0]->ticket->ticket));
    if (ticket.data == NULL)
        return arb_fail_memory(error, "a ticket", info->endpoint[0]->ticket->ticket.len);
    arrow__flight__protocol__ticket__init(&r->ticket);
    r->ticket.ticket = arb_wire_bytes(ticket);
    return ARB_OK;
}

/* By this name the server knows what the statement does, whatever becomes of the connection. */
static arb_code name_operation(server_connection *c, arb_error *error)
{
    arb_uuid uuid;
    ARB_TRY(arb_uuid_make(&uuid, error));
    snprintf(c->operation, sizeof c->operation, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(uuid.high >> 32),
             (unsigned)(uuid.high >> 16 & 0xffff), (unsigned)(uuid.high & 0xffff), (unsigned)(uuid.low >> 48),
             (unsigned long long)(uuid.low & 0xffffffffffff));
    return arb_flight_client_operation(c->client, arb_str_of(c->operation), error);
}

/* An update whose connection breaks, or that a server lost which was begun anew in between, may have been done, or may be yet. It
 * is not repeated. */
static arb_code judge_break(const server_connection *c, effects e, arb_code code, arb_error *error)
{
    if ((code != ARB_CONNECTION_FAILED && code != ARB_UNDEFINED_STATEMENT) || !e.beyond)
        return code;
    arb_error unknown = {0};
    (void)arb_fail(&unknown, ARB_OUTCOME_UNKNOWN, "%s: the outcome of job %s is unknown",
                   code == ARB_CONNECTION_FAILED ? "the connection broke" : "the server has lost the statement",
                   c->operation);
    if (error != NULL) {
        arb_error_detail(&unknown, "%s", error->message);
        *error = unknown;
    }
    arb_error_hint(error, "It may have been done. Look before you repeat it.");
    return ARB_OUTCOME_UNKNOWN;
}

/* *out_lost: the server has been begun anew, and knows nothing of the statement. */
static arb_code execute_once(server_connection *c, arb_str sql, effects e, arb_hosted_result **out_result,
                             bool *out_lost, arb_error *error)
{
    static const arb_hosted_result_vtable vtable = {describe, tag, affected, next, peak_memory, destroy_result};
    polling p = {0};
    *out_result = NULL;
    *out_lost = false;
    remote_result *r = arb_alloc_zeroed(sizeof *r);
    if (r == NULL)
        return arb_fail_memory(error, "a result", sizeof *r);
    r->base.vtable = &vtable;
    r->connection = c;
    r->affected = -1;
    arb_code code = name_operation(c, error);
    if (code == ARB_OK)
        code = ask(r, sql, e, &p, error);
    if (code == ARB_OK) {
        take_summary(r, arb_wire_text(p.info->app_metadata));
        if (r->columns.has_rows)
            code = take_ticket(r, p.info, error);
        if (code == ARB_OK && r->columns.has_rows)
            code = begin_rows(r, error);
    }
    *out_lost = code == ARB_UNDEFINED_STATEMENT;
    code = judge_break(c, e, arb_server_return_judge(&r->back, code, error), error);
    arb_arena_reset(&p.arena);
    arb_arena_reset(&p.older);
    if (code != ARB_OK) {
        code = outcome(c, code, error);
        destroy_result(&r->base);
        return code;
    }
    *out_result = &r->base;
    return ARB_OK;
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

/* A setting that the caller has said, as a statement. */
static arb_code run_setting(server_connection *c, arb_str text, arb_error *error)
{
    arb_hosted_result *result;
    bool lost;
    arb_code code = execute_once(c, text, (effects){.session = true}, &result, &lost, error);
    if (code == ARB_OK)
        arb_hosted_result_destroy(result);
    else if (error != NULL)
        error->position = 0; /* in a text that nobody has written */
    return code;
}

/* A new session with the settings of the one that has ended. */
static arb_code begin_anew(server_connection *c, arb_error *error)
{
    ARB_TRY(greet(c, error));
    for (size_t i = 0; i < c->settings.size; i++)
        ARB_TRY(run_setting(c, c->settings.data[i], error));
    return ARB_OK;
}

static arb_code execute(arb_statement_host *host, arb_str sql, arb_hosted_result **out_result, arb_error *error)
{
    server_connection *c = (server_connection *)host;
    effects e = effects_of(sql);
    if (!c->expected)
        atomic_store(&c->cancelled, false);
    c->expected = false;
    for (unsigned times = 1;; times++) {
        bool lost;
        arb_code code = execute_once(c, sql, e, out_result, &lost, error);
        /* nothing was done, and what is lost can be set again; or it changes nothing, and can be done again */
        bool begins = code == ARB_SESSION_ENDED && !c->has_state;
        if (times == TIMES_MOST || !(begins || (lost && !e.beyond))) {
            c->has_state |= e.session;
            return code;
        }
        if (error != NULL)
            arb_error_clear(error);
        if (begins)
            ARB_TRY(begin_anew(c, error));
    }
}

static arb_code set(arb_statement_host *host, arb_str name, arb_str value, arb_error *error)
{
    server_connection *c = (server_connection *)host;
    arb_text text = {0};
    arb_text_append_str(&text, ARB_STR("SET "));
    arb_text_append_str(&text, name);
    arb_text_append_str(&text, ARB_STR(" = '"));
    for (size_t i = 0; i < value.size; i++)
        arb_text_append(&text, value.data[i] == '\'' ? "''" : &value.data[i], value.data[i] == '\'' ? 2 : 1);
    arb_text_append_char(&text, '\'');
    arb_code code = arb_text_check(&text, error);
    arb_str kept = code == ARB_OK ? arb_str_copy(&c->arena, arb_text_view(&text)) : ARB_STR("");
    arb_text_reset(&text);
    ARB_TRY(code);
    if (kept.data == NULL || !ARB_ARENA_PUSH(&c->arena, &c->settings, kept))
        return arb_fail_memory(error, "a setting", value.size);
    if (!c->expected)
        atomic_store(&c->cancelled, false);
    c->expected = false;
    arb_error failure = {0};
    code = run_setting(c, kept, &failure);
    if (code == ARB_SESSION_ENDED && !c->has_state) { /* between two settings */
        arb_error_clear(&failure);
        code = begin_anew(c, &failure);
    }
    c->settings.size -= code != ARB_OK;
    if (code != ARB_OK && error != NULL)
        *error = failure;
    return code;
}

static double progress(arb_statement_host *host)
{
    return arb_remote_progress_part(&((server_connection *)host)->progress);
}

static arb_code stages(arb_statement_host *host, arb_arena *arena, const arb_run_stage **out_stages, size_t *out_count,
                       arb_error *error)
{
    return arb_remote_progress_stages(&((server_connection *)host)->progress, arena, out_stages, out_count, error);
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
    if (c->is_guest && !c->is_silent)
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
    arb_remote_progress_destroy(&c->progress);
    pthread_mutex_destroy(&c->lock);
    arb_arena_reset(&c->arena);
    arb_free(c);
}

static arb_code reach(server_connection *c, const char *address, arb_error *error)
{
    const arb_rpc_channel_options channel = {.keepalive = {ASKS_MS, WAITS_MS}};
    ARB_TRY(arb_grpc_channel_create(c->grpc, address, &channel, &c->channel, error));
    ARB_TRY(arb_flight_client_create(c->channel, &c->client, error));
    arb_error failure = {0};
    arb_code code = enter(c, &failure);
    if (code == ARB_OK)
        code = greet(c, &failure);
    if (code == ARB_CONNECTION_FAILED || code == ARB_DEADLINE_EXCEEDED)
        return arb_fail(error, ARB_CONNECTION_FAILED, "no server answers at %s: %s", address, failure.message);
    if (code != ARB_OK && error != NULL)
        *error = failure;
    return code;
}

/* To the first that answers. */
static arb_code reach_any(server_connection *c, arb_error *error)
{
    arb_error failure = {0};
    arb_code code = ARB_CONNECTION_FAILED;
    for (size_t i = 0; i < c->url.count && code == ARB_CONNECTION_FAILED; i++) {
        arb_flight_client_destroy(c->client);
        arb_rpc_channel_destroy(c->channel);
        c->client = NULL;
        c->channel = NULL;
        code = reach(c, c->url.addresses[i], &failure);
    }
    if (code != ARB_OK && error != NULL)
        *error = failure;
    return code;
}

arb_code arb_server_connect(arb_str text, arb_statement_host **out_host, arb_error *error)
{
    static const arb_statement_host_vtable vtable = {execute, set, expect, cancel, progress, stages, catalog, destroy};
    *out_host = NULL;
    server_connection *c = arb_alloc_zeroed(sizeof *c);
    if (c == NULL)
        return arb_fail_memory(error, "a connection", sizeof *c);
    c->base.vtable = &vtable;
    pthread_mutex_init(&c->lock, NULL);
    arb_remote_progress_init(&c->progress);
    sem_init(&c->wake, 0, 0);
    arb_code code = arb_server_url_read(&c->arena, text, &c->url, error);
    if (code == ARB_OK)
        code = arb_grpc_runtime_create(1, &c->grpc, error);
    if (code == ARB_OK)
        code = reach_any(c, error);
    if (code == ARB_OK) {
        c->has_canceller = arb_thread_create(&c->canceller, NULL, cancel_calls, c) == 0;
        if (!c->has_canceller)
            code = arb_fail(error, ARB_RESOURCES_EXHAUSTED, "no thread for the connection");
    }
    if (code != ARB_OK) {
        destroy(&c->base);
        return code;
    }
    *out_host = &c->base;
    return ARB_OK;
}
