#include "flight_sql/sql_service.h"

#include <stdatomic.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "flight_sql/sql_service_internal.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"
#include "rpc/flight_schema.h"

enum {
    USUAL_THREADS = 64,
    USUAL_SESSIONS = 1000,
    USUAL_JOBS = 10000,
    USUAL_HELD = 256 << 20,
};

static const int64_t usual_lease_ns = INT64_C(60) * 1000000000, usual_stall_ns = INT64_C(300) * 1000000000,
                     usual_session_ns = INT64_C(3600) * 1000000000;

/* ---- times --------------------------------------------------------------------------------------------------------------- */

/* Ends what has waited too long. A time that is set later lies at least a lease, a stall or a session's life ahead, so it need not
 * be woken for those. */
static void *keep(void *context)
{
    arb_sql_service *service = context;
    int64_t most_ns = ARB_MIN(ARB_MIN(service->lease_ns, service->stall_ns), service->session_ns);
    arb_sql_lock(service);
    while (!service->stopping) {
        int64_t now_ns = arb_clock_monotonic_ns();
        int64_t next_ns = ARB_MIN(arb_sql_jobs_expire(service, now_ns), arb_client_sessions_expire(service, now_ns));
        next_ns = ARB_MIN(ARB_MIN(next_ns, arb_sql_puts_expire(service, now_ns)), now_ns + most_ns);
        service->looks_by_ns = next_ns;
        struct timespec until = {.tv_sec = next_ns / 1000000000, .tv_nsec = next_ns % 1000000000};
        pthread_cond_timedwait(&service->times_changed, &service->lock, &until);
    }
    arb_sql_unlock(service);
    return NULL;
}

/* ---- memory of clients --------------------------------------------------------------------------------------------------- */

arb_code arb_sql_hold(arb_sql_user *user, size_t bytes, arb_error *error)
{
    arb_sql_service *service = user->service;
    size_t share = service->held_most / 2;
    arb_sql_lock(service);
    bool by_user = user->held + bytes > share, by_all = service->held + bytes > service->held_most;
    if (!by_user && !by_all) {
        service->held += bytes;
        user->held += bytes;
    }
    arb_sql_unlock(service);
    if (!by_user && !by_all)
        return ARB_OK;
    if (by_user) {
        (void)arb_fail(error, ARB_RESOURCES_EXHAUSTED,
                       "your statements and values that are not over have more than %zu bytes", share);
        arb_error_hint(error,
                       "Send fewer values at a time, and take the rows of statements that are open, or cancel them.");
    } else {
        (void)arb_fail(error, ARB_RESOURCES_EXHAUSTED,
                       "the statements and values of all clients have more than %zu bytes", service->held_most);
        arb_error_hint(error, "Try again when others have ended.");
    }
    return ARB_RESOURCES_EXHAUSTED;
}

void arb_sql_release_locked(arb_sql_user *user, size_t bytes)
{
    user->service->held -= bytes;
    user->held -= bytes;
}

/* ---- what is asked for by a descriptor ----------------------------------------------------------------------------------- */

/* A command that a worker answers: it lies in the call's arena. */
static arb_code read_command(arb_rpc_call *call, const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                             arb_sql_message **out_command, arb_error *error)
{
    arb_sql_message *command = ARB_ARENA_NEW(arb_rpc_arena(call), arb_sql_message);
    if (command == NULL)
        return arb_fail_memory(error, "a command", sizeof *command);
    if (descriptor->type != ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD)
        return arb_fail(error, ARB_NOT_SUPPORTED, "data is named by commands of Flight SQL here, not by paths");
    *out_command = command;
    return arb_any_read(arb_wire_text(descriptor->cmd), arb_rpc_arena(call), command, error);
}

static arb_code pack_descriptor(const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor, arb_text *out,
                                arb_error *error)
{
    return arb_wire_pack(&descriptor->base, out, error);
}

/* Rows about catalogs and types: the ticket is the command. */
static arb_code answer_listing(arb_rpc_call *call, const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                               const arb_sql_message *command, bool polled, arb_error *error)
{
    arb_arrow_schema *schema;
    arb_text framed = {0}, packed = {0};
    ARB_TRY(arb_sql_listing_schema(command, &schema, error));
    arb_code code = arb_flight_schema_write(schema, &framed, error);
    arb_arrow_schema_unref(schema);
    if (code == ARB_OK)
        code = pack_descriptor(descriptor, &packed, error);
    arb_info_parts parts = {.descriptor = arb_text_view(&packed),
                            .schema = arb_text_view(&framed),
                            .ticket = arb_wire_text(descriptor->cmd)};
    if (code == ARB_OK)
        code = polled
                   ? arb_answer_poll(call, &parts, (arb_str){0}, 1, arb_clock_wall_us() + usual_lease_ns / 1000, error)
                   : arb_answer_info(call, &parts, error);
    arb_text_reset(&framed);
    arb_text_reset(&packed);
    return code;
}

/* The statement that a command is about; false when it is about none. */
static bool statement_of(const arb_sql_message *command, arb_sql_statement *out)
{
    *out = (arb_sql_statement){0};
    if (command->kind == ARB_SQL_CommandStatementQuery) {
        const char *text = ((const Arrow__Flight__Protocol__Sql__CommandStatementQuery *)command->message)->query;
        out->text = arb_str_of(text != NULL ? text : "");
        return true;
    }
    if (command->kind != ARB_SQL_CommandPreparedStatementQuery)
        return false;
    out->prepared =
        arb_wire_text(((const Arrow__Flight__Protocol__Sql__CommandPreparedStatementQuery *)command->message)
                          ->prepared_statement_handle);
    if (out->prepared.data == NULL)
        out->prepared = ARB_STR("");
    return true;
}

static arb_code fail_command(const arb_sql_message *command, arb_error *error)
{
    return arb_fail(error, ARB_NOT_SUPPORTED, "%s cannot be asked for this way",
                    command->message->descriptor->short_name);
}

static void get_info(arb_sql_service *service, arb_rpc_call *call,
                     const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor, bool polled)
{
    arb_error error = {0};
    arb_sql_message *command;
    arb_sql_statement statement;
    arb_text packed = {0};
    arb_code code = read_command(call, descriptor, &command, &error);
    bool begun = false;
    if (code == ARB_OK && polled && command->kind == ARB_SQL_TicketStatementQuery) {
        code = pack_descriptor(descriptor, &packed, &error);
        begun = code == ARB_OK;
        if (begun)
            arb_sql_job_poll(
                service, call,
                arb_wire_text(
                    ((const Arrow__Flight__Protocol__Sql__TicketStatementQuery *)command->message)->statement_handle),
                arb_text_view(&packed));
    } else if (code == ARB_OK && arb_sql_is_listing(command->kind)) {
        code = answer_listing(call, descriptor, command, polled, &error);
    } else if (code == ARB_OK && statement_of(command, &statement)) {
        code = pack_descriptor(descriptor, &packed, &error);
        begun = code == ARB_OK;
        if (begun)
            arb_sql_job_begin(service, call, polled ? ARB_SQL_POLL : ARB_SQL_GET_INFO, &statement,
                              arb_text_view(&packed));
    } else if (code == ARB_OK) {
        code = fail_command(command, &error);
    }
    arb_text_reset(&packed);
    if (!begun)
        arb_rpc_finish(call, code, &error);
}

static void handshake(void *context, arb_rpc_call *call)
{
    arb_login_handshake(((const arb_sql_service *)context)->login, call);
}

static void get_flight_info(void *context, arb_rpc_call *call,
                            const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor)
{
    get_info(context, call, descriptor, false);
}

static void poll_flight_info(void *context, arb_rpc_call *call,
                             const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor)
{
    get_info(context, call, descriptor, true);
}

static arb_code answer_schema(arb_rpc_call *call, const arb_sql_message *command, arb_error *error)
{
    arb_arrow_schema *schema;
    arb_text framed = {0};
    Arrow__Flight__Protocol__SchemaResult answer = ARROW__FLIGHT__PROTOCOL__SCHEMA_RESULT__INIT;
    ARB_TRY(arb_sql_listing_schema(command, &schema, error));
    arb_code code = arb_flight_schema_write(schema, &framed, error);
    arb_arrow_schema_unref(schema);
    answer.schema = arb_wire_bytes(arb_text_view(&framed));
    if (code == ARB_OK)
        code = arb_flight_send(call, &answer.base, error);
    arb_text_reset(&framed);
    return code;
}

static void get_schema(void *context, arb_rpc_call *call,
                       const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor)
{
    arb_error error = {0};
    arb_sql_message *command;
    arb_sql_statement statement;
    arb_code code = read_command(call, descriptor, &command, &error);
    if (code == ARB_OK && statement_of(command, &statement)) {
        arb_sql_request_begin(context, call, ARB_SQL_BRIEF, arb_sql_look_schema, command);
        return;
    }
    if (code == ARB_OK)
        code = arb_sql_is_listing(command->kind) ? answer_schema(call, command, &error) : fail_command(command, &error);
    arb_rpc_finish(call, code, &error);
}

static void do_get(void *context, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Ticket *ticket)
{
    arb_error error = {0};
    arb_sql_message *command = ARB_ARENA_NEW(arb_rpc_arena(call), arb_sql_message);
    arb_code code = command == NULL ? arb_fail_memory(&error, "a ticket", sizeof *command)
                                    : arb_any_read(arb_wire_text(ticket->ticket), arb_rpc_arena(call), command, &error);
    if (code == ARB_OK && command->kind == ARB_SQL_TicketStatementQuery)
        arb_sql_job_get(
            context, call,
            arb_wire_text(
                ((const Arrow__Flight__Protocol__Sql__TicketStatementQuery *)command->message)->statement_handle));
    else if (code == ARB_OK && arb_sql_is_listing(command->kind))
        arb_sql_request_begin(context, call, arb_sql_listing_lane(command), arb_sql_listing_send, command);
    else
        arb_rpc_finish(call, code == ARB_OK ? fail_command(command, &error) : code, &error);
}

/* ---- the service --------------------------------------------------------------------------------------------------------- */

static const char *or_usual(const char *text, const char *usual)
{
    return text != NULL ? text : usual;
}

static arb_code start(arb_sql_service *service, const arb_sql_service_options *options, arb_error *error)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&service->times_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    const char *name = or_usual(options->name, "Arbalest"), *version = or_usual(options->version, "");
    service->name = arb_strndup(name, strlen(name));
    service->version = arb_strndup(version, strlen(version));
    if (service->name == NULL || service->version == NULL)
        return arb_fail_memory(error, "the service of statements", strlen(name) + strlen(version));
    if (options->key != NULL)
        service->key = *options->key;
    else
        ARB_TRY(arb_seal_key_make(&service->key, error));
    service->sealer = (arb_sql_sealer){&service->key, options->cluster};
    ARB_TRY(arb_sql_lanes_begin(service, error));
    int failure = arb_thread_create(&service->keeper, NULL, keep, service);
    service->keeping = failure == 0;
    return failure == 0 ? ARB_OK : arb_fail_errno(error, failure, "cannot start a thread");
}

arb_code arb_sql_service_create(const arb_sql_service_options *options, arb_sql_service **out_service, arb_error *error)
{
    *out_service = NULL;
    arb_sql_service *service = arb_alloc_zeroed(sizeof *service);
    if (service == NULL)
        return arb_fail_memory(error, "the service of statements", sizeof *service);
    service->opener = options->sessions;
    service->lease_ns = options->lease_ns > 0 ? options->lease_ns : usual_lease_ns;
    service->stall_ns = options->stall_ns > 0 ? options->stall_ns : usual_stall_ns;
    service->session_ns = options->session_ns > 0 ? options->session_ns : usual_session_ns;
    service->sessions_most = options->sessions_most > 0 ? options->sessions_most : USUAL_SESSIONS;
    service->held_most = options->held_most > 0 ? options->held_most : USUAL_HELD;
    service->jobs_most = options->jobs_most > 0 ? options->jobs_most : USUAL_JOBS;
    pthread_mutex_init(&service->lock, NULL);
    pthread_cond_init(&service->looked, NULL);
    arb_sql_lanes_init(service, options->threads > 0 ? options->threads : USUAL_THREADS);
    service->login = options->login;
    service->methods = (arb_flight_methods){.handshake = options->login != NULL ? handshake : NULL,
                                            .get_flight_info = get_flight_info,
                                            .poll_flight_info = poll_flight_info,
                                            .get_schema = get_schema,
                                            .do_get = do_get,
                                            .do_put = arb_sql_do_put,
                                            .do_action = arb_sql_do_action,
                                            .list_actions = arb_sql_list_actions};
    service->flight = (arb_flight_service){&service->methods, service};
    arb_code code = start(service, options, error);
    if (code != ARB_OK) {
        arb_sql_service_destroy(service);
        return code;
    }
    *out_service = service;
    return ARB_OK;
}

arb_flight_service *arb_sql_service_flight(arb_sql_service *service)
{
    return &service->flight;
}

void arb_sql_service_destroy(arb_sql_service *service)
{
    if (service == NULL)
        return;
    arb_sql_lock(service);
    arb_sql_jobs_cancel(service, NULL);
    service->stopping = true;
    pthread_cond_signal(&service->times_changed);
    arb_sql_unlock(service);
    if (service->keeping)
        pthread_join(service->keeper, NULL);
    arb_sql_lanes_end(service);
    arb_client_sessions_close(service);
    pthread_mutex_destroy(&service->lock);
    pthread_cond_destroy(&service->looked);
    pthread_cond_destroy(&service->times_changed);
    arb_free(service->name);
    arb_free(service->version);
    arb_free(service);
}
