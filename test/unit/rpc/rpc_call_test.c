/* Calls of all kinds over both transports: what arrives, what holds a sender up, and how calls end. */
#include <pthread.h>

#include "rpc_world.h"

static void open_world(world *w, void **state, echo *service, const arb_rpc_server_options *more)
{
    arb_rpc_service services[] = {echo_service(service)};
    arb_rpc_server_options options = more != NULL ? *more : (arb_rpc_server_options){0};
    options.services = services;
    options.service_count = 1;
    world_open(w, state, &options);
}

/* Until the server has no calls. */
static void wait_for_quiet(world *w)
{
    for (int64_t end = in_ms(20000); arb_rpc_server_calls(w->server) > 0; usleep(1000))
        assert_true(arb_clock_monotonic_ns() < end);
}

static arb_rpc_stream *open_stream(world *w, const char *method, int64_t deadline_ns, size_t window)
{
    arb_rpc_stream *stream;
    arb_error error = {0};
    arb_rpc_call_options options = {.method = method, .deadline_ns = deadline_ns};
    assert_int_equal(arb_rpc_stream_open(w->channel, &options, NULL, window, &stream, &error), ARB_OK);
    return stream;
}

static void expect_message(arb_rpc_stream *stream, const char *text)
{
    arb_error error = {0};
    arb_rpc_message *message;
    arb_code code = arb_rpc_stream_receive(stream, &message, &error);
    if (code != ARB_OK)
        fail_msg("%s: %s", arb_code_name(code), error.message);
    assert_non_null(message);
    assert_true(says(message, text));
    arb_rpc_message_unref(message);
}

static arb_code read_to_the_end(arb_rpc_stream *stream, size_t *out_messages, size_t *out_bytes, arb_error *error)
{
    arb_code code;
    *out_messages = *out_bytes = 0;
    for (;;) {
        arb_rpc_message *message;
        code = arb_rpc_stream_receive(stream, &message, error);
        if (message == NULL)
            return code;
        ++*out_messages;
        *out_bytes += message->size;
        arb_rpc_message_unref(message);
    }
}

static void expect_end(arb_rpc_stream *stream, arb_code wanted)
{
    arb_error error = {0};
    size_t messages, bytes;
    arb_code code = read_to_the_end(stream, &messages, &bytes, &error);
    if (code != wanted)
        fail_msg("%s: %s", arb_code_name(code), error.message);
}

static void send_text(arb_rpc_stream *stream, const char *text)
{
    arb_error error = {0};
    assert_int_equal(arb_rpc_stream_send(stream, message_of(text), &error), ARB_OK);
}

static void all_kinds_of_calls(void **state)
{
    world w;
    echo service = {0};
    arb_rpc_server_options options = {.limits.buffers = 64 << 20};
    open_world(&w, state, &service, &options);

    arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Echo", 0, 0);
    for (int i = 0; i < 50; i++) {
        char text[32];
        snprintf(text, sizeof text, "message %d", i);
        send_text(stream, text);
        expect_message(stream, text);
    }
    send_text(stream, ""); /* an empty one is one, too */
    arb_rpc_stream_half_close(stream);
    expect_message(stream, "");
    expect_end(stream, ARB_OK);
    arb_rpc_stream_close(stream);

    stream = open_stream(&w, "/test.Echo/Sum", 0, 0);
    for (int i = 0; i < 100; i++)
        send_text(stream, "ten bytes.");
    arb_rpc_stream_half_close(stream);
    expect_message(stream, "100 messages, 1000 bytes");
    expect_end(stream, ARB_OK);
    arb_rpc_stream_close(stream);

    stream = open_stream(&w, "/test.Echo/Count", 0, 1 << 20);
    send_text(stream, "1000 5000.");
    size_t messages, bytes;
    arb_error error = {0};
    assert_int_equal(read_to_the_end(stream, &messages, &bytes, &error), ARB_OK);
    assert_int_equal(messages, 1000);
    assert_int_equal(bytes, 5000000);
    arb_rpc_stream_close(stream);

    wait_until(&service.done, 3);
    assert_int_equal(atomic_load(&service.cancelled), 0);
    assert_int_equal(atomic_load(&service.alive), 0);
    world_end(&w);
}

typedef struct answer {
    _Atomic int done;
    arb_error outcome;
    char text[64];
} answer;

static void take_answer(void *context, const arb_error *outcome, arb_rpc_message *message)
{
    answer *a = context;
    a->outcome = *outcome;
    if (message != NULL)
        snprintf(a->text, sizeof a->text, "%.*s", (int)message->size, (const char *)message->slices[0].data);
    atomic_store(&a->done, 1);
}

static arb_code ask(world *w, const char *method, const char *request, answer *a)
{
    arb_error error = {0};
    arb_rpc_call_options options = {.method = method, .deadline_ns = in_ms(20000)};
    *a = (answer){0};
    arb_code code = arb_rpc_unary(w->channel, &options, message_of(request), take_answer, a, &error);
    if (code != ARB_OK)
        return code;
    wait_until(&a->done, 1);
    return a->outcome.code;
}

static void one_message_there_one_back(void **state)
{
    world w;
    echo service = {0};
    answer a;
    open_world(&w, state, &service, NULL);
    assert_int_equal(ask(&w, "/test.Echo/Echo", "hello", &a), ARB_OK);
    assert_string_equal(a.text, "hello");
    assert_int_equal(ask(&w, "/test.Echo/Count", "2 4.", &a), ARB_INTERNAL);
    assert_non_null(strstr(a.outcome.message, "more than one answer"));
    assert_int_equal(ask(&w, "/test.Echo/Count", "0 4.", &a), ARB_INTERNAL);
    assert_non_null(strstr(a.outcome.message, "no answer"));
    assert_int_equal(ask(&w, "/test.Echo/Nothing", "", &a), ARB_NOT_SUPPORTED);
    assert_non_null(strstr(a.outcome.message, "there is no method /test.Echo/Nothing"));
    assert_int_equal(ask(&w, "/test.Ech/oEcho", "", &a), ARB_NOT_SUPPORTED);
    world_end(&w);
}

static void an_error_keeps_its_fields(void **state)
{
    world w;
    echo service = {0};
    answer a;
    open_world(&w, state, &service, NULL);
    assert_int_equal(ask(&w, "/test.Echo/Fail", "", &a), ARB_UNDEFINED_TABLE);
    assert_string_equal(a.outcome.message, "there is no table \"größe\"");
    assert_string_equal(a.outcome.detail, "searched: main, temp");
    assert_string_equal(a.outcome.hint, "Perhaps you meant \"groesse\".");
    assert_string_equal(a.outcome.origin, "stage 3, task 7");
    assert_int_equal(a.outcome.position, 42);
    world_end(&w);
}

/* ---- metadata and the gate ---------------------------------------------------------------------------------------------- */

static arb_code admit_ada(void *context, arb_rpc_call *call, arb_error *error)
{
    (void)context;
    arb_str user = arb_rpc_metadata_find(arb_rpc_request_headers(call), ARB_STR("x-user"));
    if (!arb_str_equal(user, ARB_STR("ada"))) {
        (void)arb_fail(error, ARB_NOT_AUTHENTICATED, "nobody knows you");
        arb_error_hint(error, "Say who you are.");
        return ARB_NOT_AUTHENTICATED;
    }
    return arb_rpc_set_identity(call, user, error);
}

static void metadata_and_the_gate(void **state)
{
    world w;
    echo service = {0};
    arb_error error = {0};
    arb_rpc_server_options gated = {.gate = {admit_ada, NULL}};
    open_world(&w, state, &service, &gated);

    arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Mirror", 0, 0);
    arb_rpc_message *message;
    assert_int_equal(arb_rpc_stream_receive(stream, &message, &error), ARB_NOT_AUTHENTICATED);
    assert_string_equal(error.hint, "Say who you are.");
    arb_rpc_stream_close(stream);
    assert_int_equal(atomic_load(&service.started), 0);

    arb_arena arena = {0};
    arb_rpc_metadata headers = {0};
    assert_int_equal(arb_rpc_metadata_add(&headers, &arena, ARB_STR("X-User"), ARB_STR("ada"), &error), ARB_OK);
    assert_int_equal(arb_rpc_metadata_add(&headers, &arena, ARB_STR("x-in"), ARB_STR("there and back"), &error),
                     ARB_OK);
    assert_int_equal(arb_rpc_metadata_add(&headers, &arena, ARB_STR("grpc-x"), ARB_STR(""), &error),
                     ARB_INVALID_PARAMETER);
    assert_int_equal(arb_rpc_metadata_add(&headers, &arena, ARB_STR(":path"), ARB_STR(""), &error),
                     ARB_INVALID_PARAMETER);
    assert_int_equal(arb_rpc_metadata_add(&headers, &arena, ARB_STR("x-a"), ARB_STR("a\nb"), &error),
                     ARB_INVALID_PARAMETER);
    arb_rpc_call_options options = {.method = "/test.Echo/Mirror"};
    assert_int_equal(arb_rpc_stream_open(w.channel, &options, &headers, 0, &stream, &error), ARB_OK);
    assert_int_equal(arb_rpc_stream_receive(stream, &message, &error), ARB_OK);
    assert_null(message);
    const arb_rpc_call *call = arb_rpc_stream_call(stream);
    assert_true(arb_str_equal(arb_rpc_metadata_find(arb_rpc_response_headers(call), ARB_STR("x-out-bin")),
                              (arb_str){"\0\1\xFF", 3}));
    assert_true(arb_str_equal(arb_rpc_metadata_find(arb_rpc_response_headers(call), ARB_STR("x-who")), ARB_STR("ada")));
    assert_true(arb_str_equal(arb_rpc_metadata_find(arb_rpc_response_trailers(call), ARB_STR("x-end")),
                              ARB_STR("there and back")));
    arb_rpc_stream_close(stream);
    arb_arena_reset(&arena);
    world_end(&w);
}

static void limits_are_kept(void **state)
{
    world w;
    echo service = {0};
    answer a;
    arb_error error = {0};
    arb_rpc_server_options small = {.limits = {.message_bytes = 1000, .metadata_bytes = 2000, .calls = 2}};
    open_world(&w, state, &service, &small);
    char *large = calloc(1, 20 << 20);
    memset(large, 'x', 1001);
    assert_int_equal(ask(&w, "/test.Echo/Echo", large, &a), ARB_RESOURCES_EXHAUSTED);
    large[1000] = '\0';
    assert_int_equal(ask(&w, "/test.Echo/Echo", large, &a), ARB_OK);
    assert_int_equal(ask(&w, "/test.Echo/Count", "1 17000000.", &a), ARB_RESOURCES_EXHAUSTED); /* the client's limit */
    assert_int_equal(ask(&w, "/test.Echo/Count", "1 16000000.", &a), ARB_OK);

    wait_for_quiet(&w);
    arb_rpc_stream *first = open_stream(&w, "/test.Echo/Hang", 0, 0),
                   *second = open_stream(&w, "/test.Echo/Hang", 0, 0);
    wait_until(&service.started, atomic_load(&service.done) + 2);
    arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Hang", 0, 0);
    expect_end(stream, ARB_RESOURCES_EXHAUSTED);
    arb_rpc_stream_close(stream);
    arb_rpc_stream_close(first);
    arb_rpc_stream_close(second);

    /* Last: gRPC may close the whole connection for it. */
    arb_arena arena = {0};
    arb_rpc_metadata headers = {0};
    memset(large, 'y', 8000);
    assert_int_equal(arb_rpc_metadata_add(&headers, &arena, ARB_STR("x-in"), (arb_str){large, 8000}, &error), ARB_OK);
    arb_rpc_call_options options = {.method = "/test.Echo/Mirror"};
    assert_int_equal(arb_rpc_stream_open(w.channel, &options, &headers, 0, &stream, &error), ARB_OK);
    expect_end(stream, ARB_RESOURCES_EXHAUSTED);
    arb_rpc_stream_close(stream);
    arb_arena_reset(&arena);
    free(large);
    world_end(&w);
}

/* ---- being held up ------------------------------------------------------------------------------------------------------ */

static void a_stalled_reader_holds_little(void **state)
{
    world w;
    echo service = {0};
    arb_rpc_server_options options = {.limits = {.send_window = 1 << 20}};
    open_world(&w, state, &service, &options);
    arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Count", 0, 0);
    arb_error error = {0};
    arb_rpc_message *message;
    send_text(stream, "200 1000000.");
    assert_int_equal(arb_rpc_stream_receive(stream, &message, &error), ARB_OK);
    arb_rpc_message_unref(message);
    usleep(300000);
    int alive = atomic_load(&service.alive);
    assert_true(alive >= 1 && alive <= 12); /* the window, what gRPC has in its buffers, what the reader has */
    size_t messages, bytes;
    assert_int_equal(read_to_the_end(stream, &messages, &bytes, &error), ARB_OK);
    assert_int_equal(messages, 199);
    assert_int_equal(bytes, 199000000);
    assert_true(atomic_load(&service.most_alive) <= 12);
    arb_rpc_stream_close(stream);
    wait_until(&service.alive, 0);
    world_end(&w);
}

typedef struct slow_sender {
    _Atomic int writable, done;
} slow_sender;

static void note_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    atomic_fetch_add(&((slow_sender *)context)->writable, 1);
}

static void note_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call, (void)outcome;
    atomic_store(&((slow_sender *)context)->done, 1);
}

/* Nothing is read there: the sender is told when the window is full, and not told that there is room. */
static void a_sender_is_told_when_to_wait(void **state)
{
    static const arb_rpc_events events = {.on_writable = note_writable, .on_done = note_done};
    world w;
    echo service = {0};
    slow_sender sender = {0};
    arb_error error = {0};
    arb_rpc_call *call;
    open_world(&w, state, &service, NULL);
    arb_rpc_call_options options = {.method = "/test.Echo/Echo"};
    assert_int_equal(arb_rpc_channel_call(w.channel, &options, &events, &sender, &call, &error), ARB_OK);
    arb_rpc_begin(arb_rpc_call_ref(call));
    char *large = calloc(1, 1 << 20);
    memset(large, 'x', (1 << 20) - 1);
    int sent = 0;
    for (int pause = 0; pause < 300; pause++) { /* the answers are not read: the server stops reading too */
        if (arb_rpc_writable(call)) {
            assert_int_equal(arb_rpc_send(call, message_of(large), &error), ARB_OK);
            sent++;
            pause = 0;
        }
        usleep(1000);
        assert_true(sent < 60);
    }
    assert_false(arb_rpc_writable(call));
    int told = atomic_load(&sender.writable);
    arb_rpc_read(call); /* one answer is taken: things move on */
    for (int i = 0; i < 40; i++)
        arb_rpc_read(call), usleep(10000);
    assert_true(atomic_load(&sender.writable) > told);
    arb_rpc_cancel(call);
    wait_until(&sender.done, 1);
    assert_int_equal(arb_rpc_send(call, message_of("late"), &error), ARB_CANCELLED);
    arb_rpc_call_unref(call);
    free(large);
    wait_until(&service.done, 1);
    world_end(&w);
}

/* The end of the call lies behind the answers, which nobody reads while he sends. */
static void a_sender_learns_that_nobody_listens(void **state)
{
    world w;
    echo service = {0};
    arb_error error = {0};
    arb_code code = ARB_OK;
    size_t messages, bytes;
    open_world(&w, state, &service, NULL);
    arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Early", in_ms(20000), 0);
    char *large = calloc(1, 1 << 20);
    memset(large, 'x', (1 << 20) - 1);
    send_text(stream, "first");
    for (int sent = 0; code == ARB_OK; sent++) {
        assert_true(sent < 60);
        code = arb_rpc_stream_send(stream, message_of(large), &error);
    }
    assert_int_equal(code, ARB_CANCELLED);
    assert_string_equal(error.message, "the server has ended the call");
    assert_int_equal(read_to_the_end(stream, &messages, &bytes, &error), ARB_OK);
    assert_int_equal(messages, 2);
    arb_rpc_stream_close(stream);
    free(large);
    world_end(&w);
}

/* What is on its way to a reader that takes nothing is let go of, and so is the call. */
static void an_error_does_not_wait_for_a_stalled_reader(void **state)
{
    world w;
    echo service = {0};
    arb_error error = {0};
    size_t messages, bytes;
    open_world(&w, state, &service, NULL);
    arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Count", 0, 0);
    send_text(stream, "20 3000000.");
    int alive = 0;
    for (int pause = 0; pause < 300 || alive == 0; pause++, usleep(1000))
        if (atomic_load(&service.alive) != alive) {
            alive = atomic_load(&service.alive);
            pause = 0;
        }
    arb_rpc_finish(atomic_load(&service.last), arb_fail(&error, ARB_UNDEFINED_OBJECT, "it broke"), &error);
    wait_until(&service.done, 1);
    wait_for_quiet(&w);
    assert_int_equal(read_to_the_end(stream, &messages, &bytes, &error), ARB_UNDEFINED_OBJECT);
    assert_string_equal(error.message, "it broke");
    assert_true(messages <= (size_t)alive);
    arb_rpc_stream_close(stream);
    wait_until(&service.alive, 0);
    world_end(&w);
}

/* ---- how calls end ------------------------------------------------------------------------------------------------------ */

static void clients_cancel_at_each_step(void **state)
{
    world w;
    echo service = {0};
    open_world(&w, state, &service, NULL);
    for (int step = 0; step < 6; step++) {
        int started = atomic_load(&service.started);
        arb_rpc_stream *stream = open_stream(&w, step < 5 ? "/test.Echo/Echo" : "/test.Echo/Hang", 0, 0);
        for (int64_t end = in_ms(20000); step == 1 && atomic_load(&service.started) == started; usleep(1000))
            assert_true(arb_clock_monotonic_ns() < end);
        if (step >= 2)
            send_text(stream, "x");
        if (step == 3 || step == 4)
            expect_message(stream, "x");
        if (step == 4)
            send_text(stream, "y");
        if (step == 5)
            arb_rpc_stream_half_close(stream);
        arb_rpc_stream_cancel(stream);
        expect_end(stream, ARB_CANCELLED);
        arb_rpc_stream_close(stream);
    }
    arb_rpc_server_stop(w.server, in_ms(20000)); /* nothing comes any more, and all that came is over */
    assert_int_equal(atomic_load(&service.started), atomic_load(&service.done));
    assert_int_equal(atomic_load(&service.started), atomic_load(&service.cancelled));
    /* The one that hangs may have seen its half close; the others, which were broken off, never looked finished. */
    assert_true(atomic_load(&service.half_closed) <= 1);
    world_end(&w);
}

static void servers_cancel_at_each_step(void **state)
{
    world w;
    echo service = {0};
    open_world(&w, state, &service, NULL);
    for (int step = 1; step <= 3; step++) {
        atomic_store(&service.cancel_step, step);
        arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Echo", in_ms(20000), 0);
        arb_error error = {0};
        (void)!arb_rpc_stream_send(stream, message_of("x"), &error);
        if (step == 3)
            arb_rpc_stream_half_close(stream);
        expect_end(stream, ARB_CANCELLED);
        arb_rpc_stream_close(stream);
        wait_until(&service.done, step);
    }
    world_end(&w);
}

static void calls_that_are_cancelled_or_dropped_before_they_begin(void **state)
{
    static const arb_rpc_events events = {.on_done = note_done};
    world w;
    echo service = {0};
    arb_error error = {0};
    slow_sender ended = {0};
    arb_rpc_call *call;
    arb_rpc_call_options options = {.method = "/test.Echo/Hang"};
    open_world(&w, state, &service, NULL);
    assert_int_equal(arb_rpc_channel_call(w.channel, &options, &events, &ended, &call, &error), ARB_OK);
    assert_int_equal(arb_rpc_send(call, message_of("x"), &error), ARB_OK);
    arb_rpc_call_unref(call); /* never begun: no event, no leak */
    assert_int_equal(arb_rpc_channel_call(w.channel, &options, &events, &ended, &call, &error), ARB_OK);
    arb_rpc_cancel(call);
    assert_int_equal(atomic_load(&ended.done), 0);
    arb_rpc_begin(call);
    wait_until(&ended.done, 1);
    world_end(&w);
}

static void deadlines_end_calls_on_both_sides(void **state)
{
    world w;
    echo service = {0};
    open_world(&w, state, &service, NULL);
    /* The server sees it, but for what the way took. */
    int64_t deadline = in_ms(30000);
    arb_rpc_stream *stream = open_stream(&w, "/test.Echo/Hang", deadline, 0);
    wait_until(&service.started, 1);
    int64_t seen = atomic_load(&service.deadline_ns);
    assert_true(seen > deadline - 5000000000 && seen < deadline + 5000000000);
    arb_rpc_stream_close(stream);
    stream = open_stream(&w, "/test.Echo/Hang", 0, 0);
    wait_until(&service.started, 2);
    assert_int_equal(atomic_load(&service.deadline_ns), ARB_RPC_NO_DEADLINE);
    arb_rpc_stream_close(stream);

    int64_t before = arb_clock_monotonic_ns();
    stream = open_stream(&w, "/test.Echo/Hang", in_ms(50), 0);
    expect_end(stream, ARB_DEADLINE_EXCEEDED);
    int64_t took = (arb_clock_monotonic_ns() - before) / 1000000;
    assert_true(took >= 49 && took < 10000);
    arb_rpc_stream_close(stream);
    stream = open_stream(&w, "/test.Echo/Hang", in_ms(-5), 0); /* over before it began */
    expect_end(stream, ARB_DEADLINE_EXCEEDED);
    arb_rpc_stream_close(stream);
    arb_rpc_server_stop(w.server, in_ms(20000)); /* nothing comes any more, and all that came is over */
    assert_int_equal(atomic_load(&service.started), atomic_load(&service.cancelled));
    world_end(&w);
}

static void a_server_lets_calls_end_and_then_ends_them(void **state)
{
    world w;
    echo service = {0};
    open_world(&w, state, &service, NULL);
    /* One call ends while the server waits; the other has to be cancelled. */
    arb_rpc_stream *slow = open_stream(&w, "/test.Echo/Hang", in_ms(150), 0);
    wait_until(&service.started, 1);
    int64_t before = arb_clock_monotonic_ns();
    arb_rpc_server_stop(w.server, in_ms(10000));
    assert_true(arb_clock_monotonic_ns() - before < 9000000000);
    assert_int_equal(arb_rpc_server_calls(w.server), 0);
    expect_end(slow, ARB_DEADLINE_EXCEEDED);
    arb_rpc_stream_close(slow);
    arb_rpc_stream *late = open_stream(&w, "/test.Echo/Echo", 0, 0);
    expect_end(late, ARB_CONNECTION_FAILED);
    arb_rpc_stream_close(late);
    world_end(&w);

    open_world(&w, state, &service, NULL);
    arb_rpc_stream *stuck[20];
    for (int i = 0; i < 20; i++)
        stuck[i] = open_stream(&w, i % 2 ? "/test.Echo/Hang" : "/test.Echo/Echo", 0, 0);
    wait_until(&service.started, 21);
    arb_rpc_server_stop(w.server, in_ms(50));
    assert_int_equal(atomic_load(&service.done), 21);
    for (int i = 0; i < 20; i++) {
        arb_error error = {0};
        size_t messages, bytes;
        assert_int_not_equal(read_to_the_end(stuck[i], &messages, &bytes, &error), ARB_OK);
        arb_rpc_stream_close(stuck[i]);
    }
    world_end(&w);
}

static void a_channel_takes_its_calls_with_it(void **state)
{
    static const arb_rpc_events events = {.on_done = note_done};
    world w;
    echo service = {0};
    slow_sender ended[10] = {0};
    open_world(&w, state, &service, NULL);
    for (int i = 0; i < 10; i++) {
        arb_error error = {0};
        arb_rpc_call *call;
        arb_rpc_call_options options = {.method = "/test.Echo/Hang"};
        assert_int_equal(arb_rpc_channel_call(w.channel, &options, &events, &ended[i], &call, &error), ARB_OK);
        arb_rpc_begin(call);
    }
    arb_rpc_channel_destroy(w.channel);
    w.channel = NULL;
    for (int i = 0; i < 10; i++)
        assert_int_equal(atomic_load(&ended[i].done), 1);
    world_end(&w);
}

static void servers_that_are_not_there_are_named_or_waited_for(void **state)
{
    world w;
    echo service = {0};
    arb_error error = {0};
    answer a;
    world_begin(&w, state);
    assert_int_equal(world_connect(&w, NULL, &error), ARB_OK);
    assert_int_equal(ask(&w, "/test.Echo/Echo", "x", &a), ARB_CONNECTION_FAILED);
    assert_non_null(strstr(a.outcome.message, "server"));
    assert_int_equal(arb_rpc_channel_wait_ready(w.channel, in_ms(100), &error), ARB_DEADLINE_EXCEEDED);
    arb_rpc_call_options patient = {.method = "/test.Echo/Echo", .deadline_ns = in_ms(100), .wait_for_ready = true};
    arb_rpc_stream *stream;
    assert_int_equal(arb_rpc_stream_open(w.channel, &patient, NULL, 0, &stream, &error), ARB_OK);
    expect_end(stream, ARB_DEADLINE_EXCEEDED);
    arb_rpc_stream_close(stream);
    arb_rpc_channel_destroy(w.channel);

    /* It comes while a call waits. */
    arb_rpc_service services[] = {echo_service(&service)};
    arb_rpc_server_options options = {.services = services, .service_count = 1};
    int port = 0;
    if (w.kind == OVER_GRPC) { /* a port that is free in a moment */
        assert_int_equal(world_serve(&w, &options, &error), ARB_OK);
        port = arb_rpc_server_port(w.server, 0);
        assert_int_equal(world_connect(&w, NULL, &error), ARB_OK);
        arb_rpc_server_destroy(w.server);
        w.server = NULL;
    } else {
        assert_int_equal(world_connect(&w, NULL, &error), ARB_OK);
    }
    patient.deadline_ns = in_ms(20000);
    assert_int_equal(arb_rpc_stream_open(w.channel, &patient, NULL, 0, &stream, &error), ARB_OK);
    usleep(50000);
    char address[64];
    const char *addresses[] = {address};
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    options.addresses = addresses;
    options.address_count = 1;
    assert_int_equal(world_serve(&w, &options, &error), ARB_OK);
    send_text(stream, "at last");
    expect_message(stream, "at last");
    arb_rpc_stream_close(stream);
    assert_int_equal(arb_rpc_channel_wait_ready(w.channel, in_ms(20000), &error), ARB_OK);
    world_end(&w);
}

static void many_calls_at_once(void **state)
{
    enum { count = 1000 };
    world w;
    echo service = {0};
    open_world(&w, state, &service, NULL);
    arb_rpc_stream **streams = calloc(count, sizeof(arb_rpc_stream *));
    for (int i = 0; i < count; i++) {
        streams[i] = open_stream(&w, "/test.Echo/Echo", in_ms(120000), 0);
        send_text(streams[i], "x");
    }
    for (int i = 0; i < count; i++) {
        expect_message(streams[i], "x");
        send_text(streams[i], "y");
        if (i % 3 == 0)
            arb_rpc_stream_cancel(streams[i]);
        else
            arb_rpc_stream_half_close(streams[i]);
    }
    for (int i = 0; i < count; i++) {
        if (i % 3 != 0)
            expect_message(streams[i], "y");
        expect_end(streams[i], i % 3 == 0 ? ARB_CANCELLED : ARB_OK);
        arb_rpc_stream_close(streams[i]);
    }
    wait_until(&service.done, count);
    free(streams);
    world_end(&w);
}

typedef struct chance {
    world *w;
    uint64_t seed;
    _Atomic int *failures; /* ends that no chance explains */
} chance;

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* One call of any kind, broken off anywhere. */
static arb_code call_by_chance(world *w, uint64_t *seed)
{
    static const char *const methods[] = {"/test.Echo/Echo", "/test.Echo/Count", "/test.Echo/Sum",
                                          "/test.Echo/Hang", "/test.Echo/Fail",  "/test.Echo/Mirror"};
    arb_error error = {0};
    arb_rpc_stream *stream;
    size_t method = next_random(seed) % ARB_COUNT_OF(methods);
    int64_t patience = method == 3 || next_random(seed) % 4 == 0 ? (int64_t)(next_random(seed) % 20) : 60000;
    arb_rpc_call_options options = {.method = methods[method], .deadline_ns = in_ms(patience)};
    arb_code code = arb_rpc_stream_open(w->channel, &options, NULL, next_random(seed) % 3 * 5000, &stream, &error);
    for (uint64_t steps = next_random(seed) % 6; code == ARB_OK && steps > 0; steps--) {
        arb_rpc_message *message = NULL;
        switch (next_random(seed) % 8) {
        case 0:
            arb_rpc_stream_cancel(stream);
            break;
        case 1:
            if (method == 0 || method == 1)
                code = arb_rpc_stream_send(stream, message_of("20 3000."), &error);
            if (code == ARB_OK && (method == 0 || method == 1))
                code = arb_rpc_stream_receive(stream, &message, &error);
            arb_rpc_message_unref(message);
            break;
        default:
            code = arb_rpc_stream_send(stream, message_of("7 100."), &error);
        }
    }
    if (code == ARB_OK && next_random(seed) % 4 != 0) {
        size_t messages, bytes;
        arb_rpc_stream_half_close(stream);
        code = read_to_the_end(stream, &messages, &bytes, &error);
    }
    arb_rpc_stream_close(stream);
    return code;
}

static void *run_by_chance(void *context)
{
    chance *c = context;
    for (int i = 0; i < 150; i++) {
        int64_t before = arb_clock_monotonic_ns();
        arb_code code = call_by_chance(c->w, &c->seed);
        if (code != ARB_OK && code != ARB_CANCELLED && code != ARB_UNDEFINED_TABLE && code != ARB_INVALID_PARAMETER &&
            (code != ARB_DEADLINE_EXCEEDED || arb_clock_monotonic_ns() - before > 10000000000))
            atomic_fetch_add(c->failures, 1);
    }
    return NULL;
}

static void threads_that_call_by_chance(void **state)
{
    world w;
    echo service = {0};
    chance chances[6];
    pthread_t threads[6];
    _Atomic int failures = 0;
    open_world(&w, state, &service, NULL);
    for (int i = 0; i < 6; i++) {
        chances[i] = (chance){&w, 0x9E3779B97F4A7C15 * (uint64_t)(i + 1), &failures};
        assert_int_equal(pthread_create(&threads[i], NULL, run_by_chance, &chances[i]), 0);
    }
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&failures), 0);
    arb_rpc_server_stop(w.server, in_ms(20000)); /* nothing comes any more, and all that came is over */
    assert_int_equal(atomic_load(&service.started), atomic_load(&service.done));
    wait_until(&service.alive, 0);
    world_end(&w);
}

/* Each allocation of ours fails in turn: the call ends, well or with an error, and nothing is lost. */
static void calls_survive_failing_allocations(void **state)
{
    world w;
    echo service = {0};
    open_world(&w, state, &service, NULL);
    int failed = 0;
    arb_error error = {0};
    for (uint64_t n = 1; n < 120; n++) { /* once, and all from then on */
        arb_rpc_stream *stream = NULL;
        arb_rpc_message *message = message_of("6 2000.");
        arb_rpc_call_options options = {.method = n % 2 ? "/test.Echo/Count" : "/test.Echo/Echo",
                                        .deadline_ns = in_ms(10000)};
        arb_alloc_fail_at(n % 60, n >= 60);
        arb_code code = arb_rpc_stream_open(w.channel, &options, NULL, 1 << 20, &stream, &error);
        if (code == ARB_OK) {
            code = arb_rpc_stream_send(stream, message, &error);
            arb_rpc_stream_half_close(stream);
            size_t messages, bytes;
            if (code == ARB_OK)
                code = read_to_the_end(stream, &messages, &bytes, &error);
        } else {
            arb_rpc_message_unref(message);
        }
        arb_alloc_fail_at(0, false);
        arb_rpc_stream_close(stream);
        assert_int_not_equal(code, ARB_DEADLINE_EXCEEDED);
        failed += code != ARB_OK;
    }
#ifdef ARB_FAILPOINTS
    assert_true(failed > 5);
#else
    assert_int_equal(failed, 0);
#endif
    answer a;
    assert_int_equal(ask(&w, "/test.Echo/Echo", "still here", &a), ARB_OK);
    wait_until(&service.alive, 0);
    world_end(&w);
}

static void creating_survives_failing_allocations(void **state)
{
    arb_error error = {0};
    echo service = {0};
    arb_rpc_service services[] = {echo_service(&service)};
    arb_rpc_server_options options = {.services = services, .service_count = 1};
    arb_code code = ARB_OUT_OF_MEMORY;
    for (uint64_t n = 1; code != ARB_OK; n++) {
        world w = {.kind = *(enum transport_kind *)*state};
        arb_alloc_fail_at(n, false);
        code = w.kind == IN_MEMORY ? arb_rpc_hub_create(2, &w.hub, &error)
                                   : arb_grpc_runtime_create(2, &w.runtime, &error);
        if (code == ARB_OK)
            code = world_serve(&w, &options, &error);
        if (code == ARB_OK)
            code = world_connect(&w, NULL, &error);
        arb_alloc_fail_at(0, false);
        world_end(&w);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        assert_true(n < 40);
    }
}

#ifndef WITHOUT_GRPC
static void addresses_are_checked(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_grpc_runtime *runtime;
    arb_rpc_server *server, *second;
    assert_int_equal(arb_grpc_runtime_create(0, &runtime, &error), ARB_OK);
    const char *addresses[2] = {"127.0.0.1:0", "[::1]:0"};
    arb_rpc_server_options options = {.addresses = addresses, .address_count = 1};
    assert_int_equal(arb_grpc_server_create(runtime, &options, &server, &error), ARB_OK);
    char taken[64];
    snprintf(taken, sizeof taken, "127.0.0.1:%d", arb_rpc_server_port(server, 0));
    addresses[0] = taken;
    assert_int_equal(arb_grpc_server_create(runtime, &options, &second, &error), ARB_CONFIGURATION);
    assert_null(second);
    assert_non_null(strstr(error.message, "cannot listen at 127.0.0.1:"));
    assert_non_null(strstr(error.message, "Address already in use"));
    static const char *const open[] = {
        "0.0.0.0:0", "[::]:0", "::1:0", "0.0.0.0", "127.example.com:0", "dns:///0.0.0.0:0", "127.0.0.1:0,0.0.0.0:0",
        "",          ":0",     "*:0"};
    for (size_t i = 0; i < ARB_COUNT_OF(open); i++) {
        addresses[0] = open[i];
        error = (arb_error){0};
        assert_int_equal(arb_grpc_server_create(runtime, &options, &second, &error), ARB_CONFIGURATION);
        assert_non_null(strstr(error.message, "can be reached from other machines"));
    }
    addresses[0] = "0.0.0.0:0";
    options.beyond_loopback = true;
    assert_int_equal(arb_grpc_server_create(runtime, &options, &second, &error), ARB_OK);
    assert_true(arb_rpc_server_port(second, 0) > 0);
    arb_rpc_server_destroy(second);

    /* A socket in the file system, beside a port. */
    char path[] = "/tmp/arb_rpc_call_XXXXXX", unix_address[64];
    arb_rpc_channel *channel;
    assert_non_null(mkdtemp(path));
    snprintf(unix_address, sizeof unix_address, "unix:%s/socket", path);
    addresses[0] = unix_address;
    addresses[1] = "localhost:0";
    options = (arb_rpc_server_options){.addresses = addresses, .address_count = 2};
    assert_int_equal(arb_grpc_server_create(runtime, &options, &second, &error), ARB_OK);
    assert_int_equal(arb_rpc_server_port(second, 0), 0);
    assert_true(arb_rpc_server_port(second, 1) > 0);
    assert_int_equal(arb_rpc_server_port(second, 2), 0);
    assert_int_equal(arb_grpc_channel_create(runtime, unix_address, NULL, &channel, &error), ARB_OK);
    assert_int_equal(arb_rpc_channel_wait_ready(channel, in_ms(20000), &error), ARB_OK);
    arb_rpc_channel_destroy(channel);
    arb_rpc_server_destroy(second);
    unlink(unix_address + 5);
    rmdir(path);

    arb_rpc_server_destroy(server);
    arb_grpc_runtime_destroy(runtime);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(all_kinds_of_calls),
        OVER_BOTH(one_message_there_one_back),
        OVER_BOTH(an_error_keeps_its_fields),
        OVER_BOTH(metadata_and_the_gate),
        OVER_BOTH(limits_are_kept),
        OVER_BOTH(a_stalled_reader_holds_little),
        OVER_BOTH(a_sender_is_told_when_to_wait),
        OVER_BOTH(a_sender_learns_that_nobody_listens),
        OVER_BOTH(an_error_does_not_wait_for_a_stalled_reader),
        OVER_BOTH(clients_cancel_at_each_step),
        OVER_BOTH(servers_cancel_at_each_step),
        OVER_BOTH(calls_that_are_cancelled_or_dropped_before_they_begin),
        OVER_BOTH(deadlines_end_calls_on_both_sides),
        OVER_BOTH(a_server_lets_calls_end_and_then_ends_them),
        OVER_BOTH(a_channel_takes_its_calls_with_it),
        OVER_BOTH(servers_that_are_not_there_are_named_or_waited_for),
        OVER_BOTH(many_calls_at_once),
        OVER_BOTH(threads_that_call_by_chance),
        OVER_BOTH(calls_survive_failing_allocations),
        OVER_BOTH(creating_survives_failing_allocations),
#ifndef WITHOUT_GRPC
        cmocka_unit_test(addresses_are_checked),
#endif
    };
    return run_rpc_tests(tests);
}
