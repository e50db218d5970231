/* The service of statements over calls in memory: what it does, what is left when any allocation fails, and, under
 * ThreadSanitizer, that its threads agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "columnar/ipc/ipc_decoder.h"
#include "flight_sql/arrow_rows.h"
#include "flight_sql/sql_service_internal.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"
#include "proto/sql_handle.pb-c.h"
#include "rpc/flight_client.h"
#include "rpc/rpc_memory_transport.h"

#define LONG \
    "select count(*) from generate_series(1, 100000) a(x), generate_series(1, 1000000) b(y) where a.x * b.y = -1"

typedef struct fixture {
    arb_runtime *runtime;
    _Atomic int sessions;
    arb_sql_service *service;
    arb_rpc_hub *hub;
    arb_rpc_server *server;
    arb_rpc_channel *channel;
    arb_flight_client *client;
} fixture;

static arb_code open_session(void *context, arb_str user, arb_session **out_session, arb_error *error)
{
    (void)user;
    fixture *f = context;
    ARB_TRY(arb_session_create(f->runtime, out_session, error));
    atomic_fetch_add(&f->sessions, 1);
    return ARB_OK;
}

static void close_session(void *context, arb_session *session)
{
    arb_session_destroy(session);
    atomic_fetch_sub(&((fixture *)context)->sessions, 1);
}

static int begin_with(void **state, int64_t lease_ns)
{
    static fixture f;
    f = (fixture){0};
    arb_error error = {0};
    arb_runtime_options runtime = {.threads = 2};
    arb_sql_service_options options = {.sessions = {&f, open_session, close_session},
                                       .threads = 4,
                                       .lease_ns = lease_ns,
                                       .session_ns = INT64_C(60000000000)};
    assert_int_equal(arb_runtime_create(&runtime, &f.runtime, &error), ARB_OK);
    assert_int_equal(arb_sql_service_create(&options, &f.service, &error), ARB_OK);
    assert_int_equal(arb_rpc_hub_create(2, &f.hub, &error), ARB_OK);
    arb_rpc_service entry = arb_flight_service_entry(arb_sql_service_flight(f.service));
    arb_rpc_server_options server = {.services = &entry, .service_count = 1, .limits.send_window = 100000};
    assert_int_equal(arb_rpc_memory_server_create(f.hub, "here", &server, &f.server, &error), ARB_OK);
    assert_int_equal(arb_rpc_memory_channel_create(f.hub, "here", NULL, &f.channel, &error), ARB_OK);
    assert_int_equal(arb_flight_client_create(f.channel, &f.client, &error), ARB_OK);
    assert_int_equal(
        arb_flight_client_header(f.client, ARB_STR("authorization"), ARB_STR("Bearer of-the-test"), &error), ARB_OK);
    *state = &f;
    return 0;
}

static int begin(void **state)
{
    return begin_with(state, 0);
}

static int begin_with_short_leases(void **state)
{
    return begin_with(state, INT64_C(300000000));
}

static int end(void **state)
{
    fixture *f = *state;
    arb_flight_client_destroy(f->client);
    arb_rpc_channel_destroy(f->channel);
    arb_rpc_server_destroy(f->server);
    arb_sql_service_destroy(f->service);
    arb_rpc_hub_destroy(f->hub);
    arb_runtime_destroy(f->runtime);
    assert_int_equal(atomic_load(&f->sessions), 0);
    return 0;
}

static int64_t soon(void)
{
    return arb_clock_monotonic_ns() + INT64_C(60000000000);
}

/* ---- a client ------------------------------------------------------------------------------------------------------------ */

static arb_code get_info(fixture *f, const ProtobufCMessage *command, arb_arena *arena,
                         const Arrow__Flight__Protocol__FlightInfo **out_info, arb_error *error)
{
    arb_text packed = {0};
    Arrow__Flight__Protocol__FlightDescriptor descriptor = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    arb_code code = arb_any_write(command, &packed, error);
    descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD;
    descriptor.cmd = arb_wire_bytes(arb_text_view(&packed));
    if (code == ARB_OK)
        code = arb_flight_get_info(f->client, &descriptor, soon(), arena, out_info, error);
    arb_text_reset(&packed);
    return code;
}

static arb_code ask(fixture *f, const char *sql, arb_arena *arena, const Arrow__Flight__Protocol__FlightInfo **out_info,
                    arb_error *error)
{
    Arrow__Flight__Protocol__Sql__CommandStatementQuery query =
        ARROW__FLIGHT__PROTOCOL__SQL__COMMAND_STATEMENT_QUERY__INIT;
    query.query = (char *)(uintptr_t)sql;
    return get_info(f, &query.base, arena, out_info, error);
}

static arb_code take_message(arb_ipc_decoder *decoder, const arb_flight_data *data, int64_t *rows, arb_error *error)
{
    arb_ipc_message message;
    arb_arrow_array *array;
    ARB_TRY(arb_ipc_message_read((const uint8_t *)data->header.data, data->header.size, &message, error));
    if (arb_ipc_decoder_schema(decoder) == NULL)
        return arb_ipc_decoder_set_schema(decoder, &message.header, error);
    ARB_TRY(arb_ipc_decoder_push(decoder, &message, &data->body, &array, error));
    *rows += array != NULL ? arb_arrow_array_length(array) : 0;
    arb_arrow_array_unref(array);
    return ARB_OK;
}

/* How many rows the ticket gives. */
static arb_code fetch(fixture *f, const Arrow__Flight__Protocol__FlightInfo *info, int64_t *out_rows, arb_error *error)
{
    arb_rpc_stream *stream;
    arb_ipc_decoder *decoder;
    bool over = false;
    *out_rows = 0;
    ARB_TRY(arb_ipc_decoder_create(NULL, &decoder, error));
    arb_code code = arb_flight_do_get(f->client, info->endpoint[0]->ticket, soon(), 100000, &stream, error);
    if (code == ARB_OK) {
        while (code == ARB_OK && !over) {
            arb_flight_data data;
            code = arb_flight_receive(stream, &data, &over, error);
            if (code != ARB_OK || over)
                break;
            code = take_message(decoder, &data, out_rows, error);
            arb_flight_data_reset(&data);
        }
        arb_rpc_stream_close(stream);
    }
    arb_ipc_decoder_destroy(decoder);
    return code;
}

static arb_code run(fixture *f, const char *sql, int64_t *out_rows, arb_error *error)
{
    arb_arena arena = {0};
    const Arrow__Flight__Protocol__FlightInfo *info;
    arb_code code = ask(f, sql, &arena, &info, error);
    if (code == ARB_OK)
        code = fetch(f, info, out_rows, error);
    arb_arena_reset(&arena);
    return code;
}

static arb_code list(fixture *f, const ProtobufCMessage *command, int64_t *out_rows, arb_error *error)
{
    arb_arena arena = {0};
    const Arrow__Flight__Protocol__FlightInfo *info;
    arb_code code = get_info(f, command, &arena, &info, error);
    if (code == ARB_OK)
        code = fetch(f, info, out_rows, error);
    arb_arena_reset(&arena);
    return code;
}

static arb_code act(fixture *f, const char *type, const ProtobufCMessage *request, bool as_any,
                    arb_flight_take_result take, void *context, arb_error *error)
{
    arb_text body = {0};
    Arrow__Flight__Protocol__Action action = ARROW__FLIGHT__PROTOCOL__ACTION__INIT;
    arb_code code = as_any ? arb_any_write(request, &body, error) : arb_wire_pack(request, &body, error);
    action.type = (char *)(uintptr_t)type;
    action.body = arb_wire_bytes(arb_text_view(&body));
    if (code == ARB_OK)
        code = arb_flight_do_action(f->client, &action, soon(), take, context, error);
    arb_text_reset(&body);
    return code;
}

static arb_code cancel(fixture *f, const Arrow__Flight__Protocol__FlightInfo *info, arb_error *error)
{
    Arrow__Flight__Protocol__CancelFlightInfoRequest request =
        ARROW__FLIGHT__PROTOCOL__CANCEL_FLIGHT_INFO_REQUEST__INIT;
    request.info = (Arrow__Flight__Protocol__FlightInfo *)(uintptr_t)info;
    return act(f, "CancelFlightInfo", &request.base, false, NULL, NULL, error);
}

static arb_code keep_handle(void *context, arb_str body, arb_error *error)
{
    arb_arena arena = {0};
    arb_text *handle = context;
    ProtobufCMessage *message;
    arb_code code =
        arb_wire_unpack(&arrow__flight__protocol__sql__any__descriptor, &arena, body.data, body.size, &message, error);
    if (code == ARB_OK) {
        arb_str value = arb_wire_text(((const Arrow__Flight__Protocol__Sql__Any *)message)->value);
        code = arb_wire_unpack(&arrow__flight__protocol__sql__action_create_prepared_statement_result__descriptor,
                               &arena, value.data, value.size, &message, error);
    }
    if (code == ARB_OK) {
        arb_text_append_str(
            handle, arb_wire_text(((const Arrow__Flight__Protocol__Sql__ActionCreatePreparedStatementResult *)message)
                                      ->prepared_statement_handle));
        code = arb_text_check(handle, error);
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code prepare(fixture *f, const char *sql, arb_text *out_handle, arb_error *error)
{
    Arrow__Flight__Protocol__Sql__ActionCreatePreparedStatementRequest request =
        ARROW__FLIGHT__PROTOCOL__SQL__ACTION_CREATE_PREPARED_STATEMENT_REQUEST__INIT;
    request.query = (char *)(uintptr_t)sql;
    return act(f, "CreatePreparedStatement", &request.base, true, keep_handle, out_handle, error);
}

static arb_code collect(void *context, const arb_ipc_encoded *encoded, arb_error *error)
{
    arb_rpc_stream *stream = context;
    arb_rpc_message *message;
    ARB_TRY(arb_flight_data_write_ipc(encoded, ARB_STR(""), &message, error));
    return arb_rpc_stream_send(stream, message, error);
}

/* An update with one column of numbers from 0 on. */
static arb_code put_numbers(fixture *f, arb_str handle, int64_t count, arb_error *error)
{
    static const arb_rows_column columns[] = {{"n", ARB_ARROW_INT64, false}};
    Arrow__Flight__Protocol__Sql__CommandPreparedStatementUpdate update =
        ARROW__FLIGHT__PROTOCOL__SQL__COMMAND_PREPARED_STATEMENT_UPDATE__INIT;
    Arrow__Flight__Protocol__FlightDescriptor descriptor = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    arb_arrow_schema *schema = NULL;
    arb_arrow_array *array = NULL;
    arb_rows *rows = NULL;
    arb_rpc_stream *stream = NULL;
    arb_rpc_message *message = NULL;
    arb_ipc_encoder *encoder = NULL;
    arb_text packed = {0}, command = {0};
    arb_code code;
    update.has_prepared_statement_handle = true;
    update.prepared_statement_handle = arb_wire_bytes(handle);
    ARB_TRY_GOTO(code, arb_any_write(&update.base, &command, error), done);
    descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD;
    descriptor.cmd = arb_wire_bytes(arb_text_view(&command));
    ARB_TRY_GOTO(code, arb_wire_pack(&descriptor.base, &packed, error), done);
    ARB_TRY_GOTO(code, arb_rows_schema(columns, 1, &schema, error), done);
    ARB_TRY_GOTO(code, arb_rows_create(schema, &rows, error), done);
    for (int64_t i = 0; i < count; i++)
        arb_rows_number(rows, i);
    ARB_TRY_GOTO(code, arb_rows_finish(rows, &array, error), done);
    ARB_TRY_GOTO(code, arb_flight_client_stream(f->client, "DoPut", soon(), 1000, &stream, error), done);
    arb_flight_parts parts = {.descriptor = arb_text_view(&packed)};
    ARB_TRY_GOTO(code, arb_flight_data_write(&parts, NULL, NULL, &message, error), done);
    ARB_TRY_GOTO(code, arb_rpc_stream_send(stream, message, error), done);
    ARB_TRY_GOTO(code, arb_ipc_encoder_create(schema, NULL, (arb_ipc_outlet){collect, stream}, &encoder, error), done);
    ARB_TRY_GOTO(code, arb_ipc_encoder_schema(encoder, error), done);
    ARB_TRY_GOTO(code, arb_ipc_encoder_batch(encoder, array, error), done);
    arb_rpc_stream_half_close(stream);
    do {
        code = arb_rpc_stream_receive(stream, &message, error);
        arb_rpc_message_unref(message);
    } while (code == ARB_OK && message != NULL);
done:
    arb_rpc_stream_close(stream);
    arb_ipc_encoder_destroy(encoder);
    arb_rows_destroy(rows);
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(schema);
    arb_text_reset(&packed);
    arb_text_reset(&command);
    return code;
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

static void expect_rows(fixture *f, const char *sql, int64_t expected)
{
    arb_error error = {0};
    int64_t rows;
    if (run(f, sql, &rows, &error) != ARB_OK)
        fail_msg("%s: %s", sql, error.message);
    assert_int_equal(rows, expected);
}

static void statements_and_their_rows(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    int64_t rows;
    expect_rows(f, "select 1", 1);
    expect_rows(f, "create table t (a bigint)", 0);
    expect_rows(f, "insert into t select i from generate_series(1, 100000) s(i)", 0);
    expect_rows(f, "select * from t", 100000);
    assert_int_equal(run(f, "select nothing from t", &rows, &error), ARB_UNDEFINED_COLUMN);
    assert_int_equal(error.position, 8);
    arb_error_clear(&error);
    assert_int_equal(run(f, "select 1 / (a - 99999) from t", &rows, &error), ARB_DIVISION_BY_ZERO);
}

static void values_are_bound(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    arb_text handle = {0};
    expect_rows(f, "create table t (a bigint)", 0);
    assert_int_equal(prepare(f, "insert into t values (?)", &handle, &error), ARB_OK);
    assert_int_equal(put_numbers(f, arb_text_view(&handle), 100, &error), ARB_OK);
    expect_rows(f, "select * from t where a < 50", 50);
    handle.data[handle.size / 2] ^= 1;
    assert_int_equal(put_numbers(f, arb_text_view(&handle), 1, &error), ARB_ACCESS_DENIED);
    arb_text_reset(&handle);
}

static void a_lease_ends(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    arb_arena arena = {0};
    int64_t rows;
    const Arrow__Flight__Protocol__FlightInfo *info;
    assert_int_equal(ask(f, LONG, &arena, &info, &error), ARB_OK);
    usleep(800000);
    assert_int_equal(fetch(f, info, &rows, &error), ARB_UNDEFINED_STATEMENT);
    arb_arena_reset(&arena);
}

/* What a client does until it is told to stop, or something goes wrong. */
typedef struct busy_client {
    fixture *f;
    _Atomic bool *stop;
    unsigned number;
    int64_t done;
} busy_client;

static void *be_busy(void *context)
{
    busy_client *b = context;
    while (!atomic_load(b->stop)) {
        arb_error error = {0};
        arb_arena arena = {0};
        int64_t rows = 0;
        const Arrow__Flight__Protocol__FlightInfo *info;
        const char *sql = b->done % 3 == 0 ? LONG : "select * from generate_series(1, 20000) s(i)";
        arb_code code = ask(b->f, sql, &arena, &info, &error);
        if (code == ARB_OK && b->done % 3 == 0)
            code = cancel(b->f, info, &error);
        else if (code == ARB_OK)
            code = fetch(b->f, info, &rows, &error);
        arb_arena_reset(&arena);
        if (code != ARB_OK || (b->done % 3 != 0 && rows != 20000)) {
            fprintf(stderr, "client %u: %s, %lld rows\n", b->number, error.message, (long long)rows);
            b->done = -1;
            return NULL;
        }
        b->done++;
    }
    return NULL;
}

static void many_clients_of_one_session(void **state)
{
    enum { CLIENTS = 6 };
    fixture *f = *state;
    _Atomic bool stop = false;
    busy_client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (busy_client){f, &stop, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, be_busy, &clients[i]), 0);
    }
    usleep(1500000);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(clients[i].done > 0);
    }
}

/* A named update, polled until it is done. */
static arb_code poll_update(fixture *f, const char *sql, arb_error *error)
{
    arb_arena arena = {0};
    arb_text packed = {0};
    const Arrow__Flight__Protocol__PollInfo *info;
    Arrow__Flight__Protocol__Sql__CommandStatementQuery query =
        ARROW__FLIGHT__PROTOCOL__SQL__COMMAND_STATEMENT_QUERY__INIT;
    Arrow__Flight__Protocol__FlightDescriptor descriptor = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT,
                                              *next = &descriptor;
    query.query = (char *)(uintptr_t)sql;
    arb_code code = arb_flight_client_operation(f->client, ARB_STR("named"), error);
    if (code == ARB_OK)
        code = arb_any_write(&query.base, &packed, error);
    descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD;
    descriptor.cmd = arb_wire_bytes(arb_text_view(&packed));
    while (code == ARB_OK && next != NULL) {
        code = arb_flight_poll_info(f->client, next, soon(), &arena, &info, error);
        next = code == ARB_OK ? info->flight_descriptor : NULL;
    }
    (void)!arb_flight_client_operation(f->client, (arb_str){"", 0}, NULL);
    arb_text_reset(&packed);
    arb_arena_reset(&arena);
    return code;
}

static void a_repeated_update_runs_once(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    expect_rows(f, "create table t (a bigint)", 0);
    for (int i = 0; i < 3; i++)
        if (poll_update(f, "insert into t select i from generate_series(1, 100) s(i)", &error) != ARB_OK)
            fail_msg("%s", error.message);
    expect_rows(f, "select * from t", 100);
    assert_int_equal(poll_update(f, "insert into t values (1)", &error), ARB_CONFLICT);
    expect_rows(f, "select * from t", 100);
}

/* A bit of everything; whatever fails is the end. */
static arb_code do_everything(fixture *f, arb_error *error)
{
    Arrow__Flight__Protocol__Sql__CommandGetTables tables = ARROW__FLIGHT__PROTOCOL__SQL__COMMAND_GET_TABLES__INIT;
    Arrow__Flight__Protocol__Sql__CommandGetSqlInfo info = ARROW__FLIGHT__PROTOCOL__SQL__COMMAND_GET_SQL_INFO__INIT;
    Arrow__Flight__Protocol__Sql__CommandGetXdbcTypeInfo types =
        ARROW__FLIGHT__PROTOCOL__SQL__COMMAND_GET_XDBC_TYPE_INFO__INIT;
    Arrow__Flight__Protocol__GetSessionOptionsRequest options =
        ARROW__FLIGHT__PROTOCOL__GET_SESSION_OPTIONS_REQUEST__INIT;
    uint32_t numbers[] = {0, 3, 517};
    arb_text handle = {0};
    int64_t rows;
    arb_code code;
    tables.has_include_schema = tables.include_schema = true;
    info.n_info = ARB_COUNT_OF(numbers);
    info.info = numbers;
    ARB_TRY_GOTO(code, run(f, "select i, 'x' || i from generate_series(1, 3) s(i)", &rows, error), done);
    ARB_TRY_GOTO(code, poll_update(f, "insert into t values (7)", error), done);
    ARB_TRY_GOTO(code, prepare(f, "insert into t values (?)", &handle, error), done);
    ARB_TRY_GOTO(code, put_numbers(f, arb_text_view(&handle), 2, error), done);
    ARB_TRY_GOTO(code, list(f, &tables.base, &rows, error), done);
    ARB_TRY_GOTO(code, list(f, &info.base, &rows, error), done);
    ARB_TRY_GOTO(code, list(f, &types.base, &rows, error), done);
    code = act(f, "GetSessionOptions", &options.base, false, NULL, NULL, error);
done:
    arb_text_reset(&handle);
    return code;
}

static void each_allocation_fails(void **state)
{
    fixture *f = *state;
    uint64_t failures = 0, count = 1;
    expect_rows(f, "create table t (a bigint)", 0);
    for (uint64_t n = 0; n <= count; n++) {
        arb_error error = {0};
        arb_alloc_fail_at(n, false);
        arb_code code = do_everything(f, &error);
        count = n == 0 ? arb_alloc_count() : count;
        arb_alloc_fail_at(0, false);
        if (code != ARB_OK && code != ARB_OUT_OF_MEMORY && code != ARB_RESOURCES_EXHAUSTED)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, arb_code_name(code), error.message);
        failures += code != ARB_OK;
    }
#ifdef ARB_FAILPOINTS
    assert_true(failures > count / 2);
#else
    (void)failures;
#endif
    expect_rows(f, "select 1", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statements_and_their_rows, begin, end),
        cmocka_unit_test_setup_teardown(values_are_bound, begin, end),
        cmocka_unit_test_setup_teardown(a_lease_ends, begin_with_short_leases, end),
        cmocka_unit_test_setup_teardown(a_repeated_update_runs_once, begin, end),
        cmocka_unit_test_setup_teardown(many_clients_of_one_session, begin, end),
        cmocka_unit_test_setup_teardown(each_allocation_fails, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
