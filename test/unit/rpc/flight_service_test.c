/* A Flight client and a Flight service, over both transports. */
#include "rpc_world.h"

#include "proto/flight.pb-c.h"
#include "rpc/flight_client.h"
#include "rpc/flight_store.h"

typedef struct flight_world {
    world w;
    flight_store store;
    arb_flight_client *client;
} flight_world;

static void flight_begin(flight_world *f, void **state, bool is_locked)
{
    arb_error error = {0};
    store_init(&f->store);
    f->store.is_locked = is_locked;
    arb_rpc_service services[] = {arb_flight_service_entry(&f->store.service)};
    arb_rpc_server_options options = {.services = services, .service_count = 1, .gate = {store_admit, &f->store}};
    world_open(&f->w, state, &options);
    assert_int_equal(arb_flight_client_create(f->w.channel, &f->client, &error), ARB_OK);
}

static void flight_end(flight_world *f)
{
    arb_flight_client_destroy(f->client);
    world_end(&f->w);
    assert_int_equal(atomic_load(&f->store.running), 0);
    store_reset(&f->store);
}

/* ---- an upload ---------------------------------------------------------------------------------------------------------- */

/* What a schema's metadata and batches are is nothing to Flight, nor to the store. */
static arb_rpc_message *data_message(const char *name, const char *header, const uint8_t *body, size_t size)
{
    Arrow__Flight__Protocol__FlightDescriptor descriptor = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    char *path[] = {(char *)name};
    descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__PATH;
    descriptor.path = path;
    descriptor.n_path = name != NULL;
    arb_text packed = {0};
    arb_error error = {0};
    arb_rpc_slice slice = {body, size};
    arb_rpc_message *message;
    if (name != NULL)
        assert_int_equal(arb_wire_pack(&descriptor.base, &packed, &error), ARB_OK);
    arb_flight_parts parts = {
        .descriptor = arb_text_view(&packed), .header = arb_str_of(header), .body = &slice, .body_count = 1};
    assert_int_equal(arb_flight_data_write(&parts, NULL, NULL, &message, &error), ARB_OK);
    arb_text_reset(&packed);
    return message;
}

static uint8_t batch_bytes[100000];

static arb_code put(flight_world *f, const char *name, int batches, arb_error *error)
{
    arb_rpc_stream *stream;
    ARB_TRY(arb_flight_client_stream(f->client, "DoPut", in_ms(20000), 0, &stream, error));
    arb_code code = arb_rpc_stream_send(stream, data_message(name, "schema", NULL, 0), error);
    for (int i = 0; i < batches && code == ARB_OK; i++)
        code = arb_rpc_stream_send(stream, data_message(NULL, "batch", batch_bytes, sizeof batch_bytes), error);
    arb_rpc_stream_half_close(stream);
    int answers = 0;
    for (arb_rpc_message *message; code == ARB_OK; answers++, arb_rpc_message_unref(message)) {
        code = arb_rpc_stream_receive(stream, &message, error);
        if (message == NULL)
            break;
        assert_true(says(message, "\x0A\x06"
                                  "100000")); /* a PutResult */
    }
    if (code == ARB_OK)
        assert_int_equal(answers, batches);
    arb_rpc_stream_close(stream);
    return code;
}

static Arrow__Flight__Protocol__Ticket ticket_of(const char *text)
{
    Arrow__Flight__Protocol__Ticket ticket = ARROW__FLIGHT__PROTOCOL__TICKET__INIT;
    ticket.ticket = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
    return ticket;
}

static arb_code get(flight_world *f, const char *text, int *out_batches, arb_error *error)
{
    Arrow__Flight__Protocol__Ticket ticket = ticket_of(text);
    arb_rpc_stream *stream;
    *out_batches = 0;
    ARB_TRY(arb_flight_do_get(f->client, &ticket, in_ms(20000), 1 << 20, &stream, error));
    arb_code code = ARB_OK;
    bool first = true;
    for (;;) {
        arb_flight_data data;
        bool end;
        code = arb_flight_receive(stream, &data, &end, error);
        if (code != ARB_OK || end)
            break;
        assert_true(arb_str_equal(data.header, first ? ARB_STR("schema") : ARB_STR("batch")));
        if (!first) {
            ++*out_batches;
            assert_int_equal(data.body.size, sizeof batch_bytes);
            assert_memory_equal(data.body.data, batch_bytes, sizeof batch_bytes);
            assert_int_equal((uintptr_t)data.body.data % 8, 0);
        }
        first = false;
        arb_flight_data_reset(&data);
    }
    arb_rpc_stream_close(stream);
    return code;
}

static void what_is_put_is_got(void **state)
{
    flight_world f;
    arb_error error = {0};
    int batches;
    for (size_t i = 0; i < sizeof batch_bytes; i++)
        batch_bytes[i] = (uint8_t)(i * 31 >> 3);
    flight_begin(&f, state, false);
    assert_int_equal(put(&f, "set", 10, &error), ARB_OK);
    assert_int_equal(get(&f, "set", &batches, &error), ARB_OK);
    assert_int_equal(batches, 10);
    assert_int_equal(get(&f, "100 set", &batches, &error), ARB_OK);
    assert_int_equal(batches, 1000);
    assert_int_equal(get(&f, "other", &batches, &error), ARB_UNDEFINED_TABLE);
    assert_string_equal(error.hint, "Upload it first.");
    flight_end(&f);
}

/* A reader that may not wait, and takes no more than it has room for. */
typedef struct room {
    pthread_mutex_t lock;
    ARB_VEC(arb_rpc_message *) kept;
    size_t bytes, most, total;
    bool wants; /* more was not asked for */
    _Atomic int done;
    arb_code code;
} room;

enum { room_bytes = 300000 };

static void keep_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    room *r = context;
    pthread_mutex_lock(&r->lock);
    bool kept = ARB_VEC_PUSH(&r->kept, message);
    if (kept)
        arb_rpc_message_ref(message);
    r->bytes += message->size;
    r->total += message->size;
    r->most = ARB_MAX(r->most, r->bytes);
    r->wants = r->bytes >= room_bytes;
    bool more = kept && !r->wants;
    pthread_mutex_unlock(&r->lock);
    if (more)
        arb_rpc_read(call);
}

static void keep_outcome(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    room *r = context;
    r->code = outcome->code;
    atomic_store(&r->done, 1);
}

static void a_reader_with_little_room(void **state)
{
    static const arb_rpc_events events = {.on_message = keep_message, .on_done = keep_outcome};
    flight_world f;
    arb_error error = {0};
    arb_rpc_call *call;
    room r = {0};
    Arrow__Flight__Protocol__Ticket ticket = ticket_of("30 set");
    pthread_mutex_init(&r.lock, NULL);
    flight_begin(&f, state, false);
    assert_int_equal(put(&f, "set", 5, &error), ARB_OK);
    assert_int_equal(arb_flight_client_call(f.client, "DoGet", in_ms(60000), &events, &r, &call, &error), ARB_OK);
    assert_int_equal(arb_flight_send(call, &ticket.base, &error), ARB_OK);
    arb_rpc_half_close(call);
    arb_rpc_read(call);
    arb_rpc_begin(arb_rpc_call_ref(call));
    while (!atomic_load(&r.done)) { /* a slow consumer on another thread */
        usleep(500);
        pthread_mutex_lock(&r.lock);
        arb_rpc_message *message = r.kept.size > 0 ? r.kept.data[--r.kept.size] : NULL;
        r.bytes -= message != NULL ? message->size : 0;
        bool more = r.wants && r.bytes < room_bytes;
        r.wants &= !more;
        pthread_mutex_unlock(&r.lock);
        arb_rpc_message_unref(message);
        if (more)
            arb_rpc_read(call);
    }
    assert_int_equal(r.code, ARB_OK);
    assert_true(r.total > 150 * sizeof batch_bytes);
    assert_true(r.most < room_bytes + 2 * sizeof batch_bytes);
    for (size_t i = 0; i < r.kept.size; i++)
        arb_rpc_message_unref(r.kept.data[i]);
    ARB_VEC_RESET(&r.kept);
    arb_rpc_call_unref(call);
    pthread_mutex_destroy(&r.lock);
    flight_end(&f);
}

static arb_code append_result(void *context, arb_str body, arb_error *error)
{
    arb_text *text = context;
    arb_text_append_str(text, body);
    arb_text_append_char(text, '|');
    return arb_text_check(text, error);
}

static arb_code refuse_result(void *context, arb_str body, arb_error *error)
{
    (void)context, (void)body;
    return arb_fail(error, ARB_INVALID_PARAMETER, "no, thanks");
}

static arb_code act(flight_world *f, const char *type, const char *body, arb_flight_take_result take, arb_text *text,
                    int64_t milliseconds, arb_error *error)
{
    Arrow__Flight__Protocol__Action action = ARROW__FLIGHT__PROTOCOL__ACTION__INIT;
    action.type = (char *)type;
    action.body = (ProtobufCBinaryData){strlen(body), (uint8_t *)body};
    *error = (arb_error){0};
    return arb_flight_do_action(f->client, &action, in_ms(milliseconds), take, text, error);
}

static void infos_schemas_and_actions(void **state)
{
    flight_world f;
    arb_error error = {0};
    arb_arena arena = {0};
    arb_text text = {0};
    flight_begin(&f, state, false);
    assert_int_equal(put(&f, "set", 1, &error), ARB_OK);
    Arrow__Flight__Protocol__FlightDescriptor descriptor = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD;
    descriptor.cmd = (ProtobufCBinaryData){3, (uint8_t *)"set"};
    const Arrow__Flight__Protocol__FlightInfo *info;
    const Arrow__Flight__Protocol__PollInfo *poll;
    arb_arrow_schema *schema;
    assert_int_equal(arb_flight_get_info(f.client, &descriptor, in_ms(20000), &arena, &info, &error), ARB_OK);
    assert_int_equal(info->total_bytes, sizeof batch_bytes);
    assert_int_equal(info->n_endpoint, 1);
    assert_memory_equal(info->endpoint[0]->ticket->ticket.data, "set", 3);
    assert_int_equal(arb_flight_poll_info(f.client, &descriptor, in_ms(20000), &arena, &poll, &error), ARB_OK);
    assert_true(poll->progress == 1 && poll->flight_descriptor == NULL);
    assert_int_equal(arb_flight_get_schema(f.client, &descriptor, in_ms(20000), &schema, &error), ARB_CORRUPT_DATA);
    assert_null(schema); /* "schema" is none */
    descriptor.cmd.len = 2;
    assert_int_equal(arb_flight_get_info(f.client, &descriptor, in_ms(20000), &arena, &info, &error),
                     ARB_UNDEFINED_TABLE);
    assert_null(info);

    assert_int_equal(act(&f, "ping", "me", append_result, &text, 20000, &error), ARB_OK);
    assert_string_equal(text.data, "pong|me|");
    assert_int_equal(act(&f, "ping", "me", NULL, NULL, 20000, &error), ARB_OK);
    assert_int_equal(act(&f, "ping", "me", refuse_result, NULL, 20000, &error), ARB_INVALID_PARAMETER);
    assert_string_equal(error.message, "no, thanks");
    assert_int_equal(act(&f, "fail", "x", append_result, &text, 20000, &error), ARB_UNDEFINED_TABLE);
    assert_string_equal(error.detail, "as was asked for");
    assert_int_equal(act(&f, "slow", "", append_result, &text, 50, &error), ARB_DEADLINE_EXCEEDED);
    wait_until(&f.store.running, 0);
    arb_text_reset(&text);
    arb_arena_reset(&arena);
    flight_end(&f);
}

static void a_session_goes_along(void **state)
{
    flight_world f;
    arb_error error = {0};
    arb_rpc_call *call;
    flight_begin(&f, state, true);
    assert_int_equal(act(&f, "ping", "", NULL, NULL, 20000, &error), ARB_NOT_AUTHENTICATED);
    assert_int_equal(arb_flight_handshake(f.client, ARB_STR("user"), ARB_STR("wrong"), in_ms(20000), &error),
                     ARB_NOT_AUTHENTICATED);
    assert_int_equal(act(&f, "ping", "", NULL, NULL, 20000, &error), ARB_NOT_AUTHENTICATED);
    assert_int_equal(arb_flight_handshake(f.client, ARB_STR("user"), ARB_STR("secret"), in_ms(20000), &error), ARB_OK);
    assert_int_equal(act(&f, "ping", "", NULL, NULL, 20000, &error), ARB_OK);
    assert_int_equal(arb_flight_client_header(f.client, ARB_STR("x-mine"), ARB_STR("1"), &error), ARB_OK);
    assert_int_equal(arb_flight_client_header(f.client, ARB_STR("x mine"), ARB_STR("1"), &error),
                     ARB_INVALID_PARAMETER);
    assert_int_equal(arb_flight_client_call(f.client, "DoGet", 0, NULL, NULL, &call, &error), ARB_OK);
    const arb_rpc_metadata *headers = arb_rpc_request_headers(call);
    assert_true(arb_str_equal(arb_rpc_metadata_find(headers, ARB_STR("authorization")), ARB_STR(STORE_TOKEN)));
    assert_true(arb_str_equal(arb_rpc_metadata_find(headers, ARB_STR("cookie")), ARB_STR(STORE_COOKIE)));
    assert_true(arb_str_equal(arb_rpc_metadata_find(headers, ARB_STR("x-mine")), ARB_STR("1")));
    arb_rpc_call_unref(call);
    flight_end(&f);
}

static void expect_session(flight_world *f, bool renewed)
{
    arb_rpc_call *call;
    arb_error error = {0};
    assert_int_equal(arb_flight_client_call(f->client, "DoGet", 0, NULL, NULL, &call, &error), ARB_OK);
    const arb_rpc_metadata *headers = arb_rpc_request_headers(call);
    assert_true(arb_str_equal(arb_rpc_metadata_find(headers, ARB_STR("authorization")),
                              renewed ? ARB_STR(STORE_RENEWED_TOKEN) : ARB_STR(STORE_TOKEN)));
    assert_true(arb_str_equal(arb_rpc_metadata_find(headers, ARB_STR("cookie")),
                              renewed ? ARB_STR(STORE_RENEWED_COOKIE) : ARB_STR(STORE_COOKIE)));
    arb_rpc_call_unref(call);
}

/* A login that fails anywhere leaves what the last one gave. */
static void a_session_is_renewed_as_a_whole(void **state)
{
    flight_world f;
    arb_error error = {0};
    int failed = 0;
    flight_begin(&f, state, true);
    assert_int_equal(arb_flight_handshake(f.client, ARB_STR("user"), ARB_STR("secret"), in_ms(20000), &error), ARB_OK);
    expect_session(&f, false);
    for (uint64_t n = 1; n < 60; n++) {
        arb_alloc_fail_at(n, false);
        arb_code code = arb_flight_handshake(f.client, ARB_STR("user"), ARB_STR("renewed"), in_ms(20000), &error);
        arb_alloc_fail_at(0, false);
        expect_session(&f, code == ARB_OK);
        failed += code != ARB_OK;
        assert_int_equal(arb_flight_handshake(f.client, ARB_STR("user"), ARB_STR("secret"), in_ms(20000), &error),
                         ARB_OK);
        expect_session(&f, false);
    }
#ifdef ARB_FAILPOINTS
    assert_true(failed > 10);
#else
    assert_int_equal(failed, 0);
#endif
    flight_end(&f);
}

/* Requests that no Flight library would send. */
static void strange_requests_are_refused(void **state)
{
    flight_world f;
    flight_begin(&f, state, false);
    static const struct {
        const char *method;
        arb_str request; /* data NULL: none */
        arb_code code;
    } cases[] = {
        {"DoGet", {NULL, 0}, ARB_INVALID_PARAMETER},
        {"DoGet", {"\x0A\x7F", 2}, ARB_CORRUPT_DATA},
        {"DoGet", {"\x0A\x01x", 3}, ARB_UNDEFINED_TABLE},
        {"GetFlightInfo", {"\x12\x05x", 3}, ARB_CORRUPT_DATA},
        {"DoAction", {"", 0}, ARB_NOT_SUPPORTED},
        {"DoPut", {"\x0A\xFF", 2}, ARB_CORRUPT_DATA},
        {"DoPut", {"\x0A\x02\x12\x05", 4}, ARB_CORRUPT_DATA},
        {"DoExchange", {"\xC2\x3E\x05", 3}, ARB_CORRUPT_DATA},
        {"Nothing", {"", 0}, ARB_NOT_SUPPORTED},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        arb_error error = {0};
        arb_rpc_stream *stream;
        arb_rpc_message *message;
        assert_int_equal(arb_flight_client_stream(f.client, cases[i].method, in_ms(20000), 0, &stream, &error), ARB_OK);
        if (cases[i].request.data != NULL) {
            assert_int_equal(arb_rpc_message_copy(cases[i].request, &message, &error), ARB_OK);
            (void)!arb_rpc_stream_send(stream, message, &error); /* the server may have refused already */
        }
        arb_rpc_stream_half_close(stream);
        arb_code code = arb_rpc_stream_receive(stream, &message, &error);
        if (code != cases[i].code)
            fail_msg("%s %zu: %s", cases[i].method, i, error.message);
        arb_rpc_stream_close(stream);
    }
    flight_end(&f);
}

static const arb_flight_methods no_methods = {0};

static void methods_that_are_not_there(void **state)
{
    static const char *const methods[] = {"Handshake", "ListFlights", "GetFlightInfo", "PollFlightInfo", "GetSchema",
                                          "DoGet",     "DoPut",       "DoExchange",    "DoAction",       "ListActions"};
    flight_world f;
    flight_begin(&f, state, false);
    f.store.service.methods = &no_methods;
    for (size_t i = 0; i < ARB_COUNT_OF(methods); i++) {
        arb_error error = {0};
        arb_rpc_stream *stream;
        arb_rpc_message *message;
        assert_int_equal(arb_flight_client_stream(f.client, methods[i], in_ms(20000), 0, &stream, &error), ARB_OK);
        assert_int_equal(arb_rpc_stream_receive(stream, &message, &error), ARB_NOT_SUPPORTED);
        arb_rpc_stream_close(stream);
    }
    flight_end(&f);
}

static void flight_survives_failing_allocations(void **state)
{
    flight_world f;
    arb_error error = {0};
    int batches, failed = 0;
    flight_begin(&f, state, false);
    assert_int_equal(put(&f, "set", 3, &error), ARB_OK);
    for (uint64_t n = 1; n < 160; n++) { /* once, and all from then on */
        arb_alloc_fail_at(n % 80, n >= 80);
        arb_code code = n % 2 ? get(&f, "2 set", &batches, &error)
                        : act(&f, "ping", "x", refuse_result, NULL, 10000, &error) == ARB_INVALID_PARAMETER
                            ? ARB_OK
                            : error.code;
        arb_alloc_fail_at(0, false);
        assert_int_not_equal(code, ARB_DEADLINE_EXCEEDED);
        failed += code != ARB_OK;
    }
#ifdef ARB_FAILPOINTS
    assert_true(failed > 10);
#else
    assert_int_equal(failed, 0);
#endif
    assert_int_equal(get(&f, "set", &batches, &error), ARB_OK);
    assert_int_equal(batches, 3);
    flight_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(what_is_put_is_got),
        OVER_BOTH(a_reader_with_little_room),
        OVER_BOTH(infos_schemas_and_actions),
        OVER_BOTH(a_session_goes_along),
        OVER_BOTH(a_session_is_renewed_as_a_whole),
        OVER_BOTH(strange_requests_are_refused),
        OVER_BOTH(methods_that_are_not_there),
        OVER_BOTH(flight_survives_failing_allocations),
    };
    return run_rpc_tests(tests);
}
