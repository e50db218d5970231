/* What our clients do when a server of somebody else's misbehaves: gRPC as it comes, without this library. */
#include "rpc_world.h"

#ifndef WITHOUT_GRPC
#include <arpa/inet.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc_security.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

enum { zeros = 64 << 20 }; /* more than a client takes; 64 kB when compressed */

/* Answers one call with a compressed message. */
typedef struct foreign {
    grpc_completion_queue *queue;
    grpc_server *server;
    int port;
    pthread_t thread;
} foreign;

static void wait_for_event(foreign *f)
{
    gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(20, GPR_TIMESPAN));
    grpc_event event = grpc_completion_queue_next(f->queue, until, NULL);
    if (event.type != GRPC_OP_COMPLETE)
        abort();
}

static void answer_compressed(foreign *f, grpc_call *call)
{
    void *bytes = calloc(1, zeros);
    grpc_slice slice = grpc_slice_new(bytes, zeros, free), nothing = grpc_empty_slice();
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    int cancelled;
    grpc_op operations[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                             {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
                             {.op = GRPC_OP_SEND_STATUS_FROM_SERVER},
                             {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &cancelled}};
    operations[2].data.send_status_from_server.status_details = &nothing;
    if (grpc_call_start_batch(call, operations, ARB_COUNT_OF(operations), f, NULL) != GRPC_CALL_OK)
        abort();
    wait_for_event(f);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(slice);
    grpc_call_unref(call);
}

static void *serve(void *context)
{
    foreign *f = context;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array headers;
    grpc_call_details_init(&details);
    grpc_metadata_array_init(&headers);
    if (grpc_server_request_call(f->server, &call, &details, &headers, f->queue, f->queue, f) != GRPC_CALL_OK)
        abort();
    wait_for_event(f);
    answer_compressed(f, call);
    grpc_call_details_destroy(&details);
    grpc_metadata_array_destroy(&headers);
    return NULL;
}

static void foreign_begin(foreign *f)
{
    grpc_arg compressing = {.type = GRPC_ARG_INTEGER,
                            .key = (char *)GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM,
                            .value.integer = GRPC_COMPRESS_GZIP};
    grpc_channel_args arguments = {1, &compressing};
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    f->queue = grpc_completion_queue_create_for_next(NULL);
    f->server = grpc_server_create(&arguments, NULL);
    grpc_server_register_completion_queue(f->server, f->queue, NULL);
    f->port = grpc_server_add_http2_port(f->server, "127.0.0.1:0", credentials);
    grpc_server_credentials_release(credentials);
    grpc_server_start(f->server);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void foreign_end(foreign *f)
{
    pthread_join(f->thread, NULL);
    grpc_server_shutdown_and_notify(f->server, f->queue, f);
    grpc_server_cancel_all_calls(f->server);
    wait_for_event(f);
    grpc_server_destroy(f->server);
    grpc_completion_queue_shutdown(f->queue);
    while (grpc_completion_queue_next(f->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type != GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(f->queue);
}

static void compressed_answers_are_refused(void **state)
{
    (void)state;
    foreign f;
    char target[32];
    arb_error error = {0};
    arb_grpc_runtime *runtime;
    arb_rpc_channel *channel;
    arb_rpc_stream *stream;
    arb_rpc_message *message;
    assert_int_equal(arb_grpc_runtime_create(1, &runtime, &error), ARB_OK);
    foreign_begin(&f);
    snprintf(target, sizeof target, "127.0.0.1:%d", f.port);
    assert_int_equal(arb_grpc_channel_create(runtime, target, NULL, &channel, &error), ARB_OK);
    arb_rpc_call_options options = {.method = "/somebody.Else/Answer", .deadline_ns = in_ms(20000)};
    assert_int_equal(arb_rpc_stream_open(channel, &options, NULL, 0, &stream, &error), ARB_OK);
    /* Not for its size, which is known only once it was unpacked. */
    assert_int_equal(arb_rpc_stream_receive(stream, &message, &error), ARB_NOT_SUPPORTED);
    assert_null(message);
    arb_rpc_stream_close(stream);
    foreign_end(&f);
    arb_rpc_channel_destroy(channel);
    arb_grpc_runtime_destroy(runtime);
}

/* ---- asking whether it lives ------------------------------------------------------------------------------------------- */

static void read_all(int connection, uint8_t *to, size_t size)
{
    while (size > 0) {
        ssize_t got = read(connection, to, size);
        assert_true(got > 0);
        to += got;
        size -= (size_t)got;
    }
}

/* How often the client asks within a time; it is not answered. */
static int count_questions(int connection, int64_t milliseconds)
{
    static const uint8_t no_settings[9] = {[3] = 4};
    uint8_t preface[24];
    int questions = 0;
    read_all(connection, preface, sizeof preface);
    assert_int_equal(write(connection, no_settings, sizeof no_settings), sizeof no_settings);
    struct pollfd readable = {.fd = connection, .events = POLLIN};
    for (int64_t end = in_ms(milliseconds); questions == 0 && arb_clock_monotonic_ns() < end;) {
        uint8_t head[9], body[16384];
        if (poll(&readable, 1, 50) <= 0)
            continue;
        read_all(connection, head, sizeof head);
        read_all(connection, body, (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
        questions += head[3] == 6 && (head[4] & 1) == 0;
    }
    return questions;
}

static int questions_of_a_channel(arb_rpc_keepalive keepalive, int64_t milliseconds)
{
    arb_error error = {0};
    arb_grpc_runtime *runtime;
    arb_rpc_channel *channel;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char target[32];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    snprintf(target, sizeof target, "127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(arb_grpc_runtime_create(1, &runtime, &error), ARB_OK);
    arb_rpc_channel_options options = {.keepalive = keepalive};
    arb_rpc_call_options hang = {.method = "/somebody.Else/Hang"};
    arb_rpc_stream *stream;
    assert_int_equal(arb_grpc_channel_create(runtime, target, &options, &channel, &error), ARB_OK);
    assert_int_equal(arb_rpc_stream_open(channel, &hang, NULL, 0, &stream, &error), ARB_OK);
    int connection = accept(listener, NULL, NULL);
    assert_true(connection >= 0);
    int questions = count_questions(connection, milliseconds);
    arb_rpc_stream_close(stream);
    arb_rpc_channel_destroy(channel);
    arb_grpc_runtime_destroy(runtime);
    close(connection);
    close(listener);
    return questions;
}

/* Most servers allow it once in five minutes, and end the connection of those who ask every ten seconds. */
static void servers_are_asked_when_that_is_wanted(void **state)
{
    (void)state;
    assert_true(questions_of_a_channel((arb_rpc_keepalive){.interval_ms = 100}, 20000) > 0);
    assert_int_equal(questions_of_a_channel((arb_rpc_keepalive){0}, 12000), 0);
}
#endif

int main(void)
{
#ifdef WITHOUT_GRPC
    return 0;
#else
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_answers_are_refused),
        cmocka_unit_test(servers_are_asked_when_that_is_wanted),
    };
    return run_rpc_tests(tests);
#endif
}
