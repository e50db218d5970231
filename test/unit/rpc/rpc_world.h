/* rpc_world.h: a client and a server in one test, over either transport, and a service that does everything a call can. */
#ifndef ARB_TEST_RPC_WORLD_H
#define ARB_TEST_RPC_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"
#include "rpc/rpc_memory_transport.h"
#include "rpc/rpc_stream.h"

/* ThreadSanitizer cannot see into gRPC: there, memory alone. */
#if defined(__SANITIZE_THREAD__)
#define WITHOUT_GRPC 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITHOUT_GRPC 1
#endif
#endif

enum transport_kind { OVER_GRPC, IN_MEMORY };
static enum transport_kind over_grpc = OVER_GRPC, in_memory = IN_MEMORY;

#ifdef WITHOUT_GRPC
#define OVER_BOTH(test)                                   \
    {                                                     \
#test ", in memory", test, NULL, NULL, &in_memory \
    }
#else
#define OVER_BOTH(test)                                   \
    {#test ", over gRPC", test, NULL, NULL, &over_grpc},  \
    {                                                     \
#test ", in memory", test, NULL, NULL, &in_memory \
    }
#endif

typedef struct world {
    enum transport_kind kind;
    arb_rpc_hub *hub;
    arb_grpc_runtime *runtime;
    arb_rpc_server *server;
    arb_rpc_channel *channel;
} world;

static inline int64_t in_ms(int64_t milliseconds)
{
    return arb_clock_monotonic_ns() + milliseconds * 1000000;
}

static inline void world_begin(world *w, void **state)
{
    arb_error error = {0};
    *w = (world){.kind = *(enum transport_kind *)*state};
    (void)over_grpc, (void)in_memory;
    if (w->kind == IN_MEMORY)
        assert_int_equal(arb_rpc_hub_create(3, &w->hub, &error), ARB_OK);
    else
        assert_int_equal(arb_grpc_runtime_create(2, &w->runtime, &error), ARB_OK);
}

static inline arb_code world_serve(world *w, const arb_rpc_server_options *options, arb_error *error)
{
    return w->kind == IN_MEMORY ? arb_rpc_memory_server_create(w->hub, "server", options, &w->server, error)
                                : arb_grpc_server_create(w->runtime, options, &w->server, error);
}

static inline arb_code world_connect(world *w, const arb_rpc_channel_options *options, arb_error *error)
{
    char target[64];
    if (w->kind == IN_MEMORY)
        return arb_rpc_memory_channel_create(w->hub, "server", options, &w->channel, error);
    snprintf(target, sizeof target, "127.0.0.1:%d", w->server != NULL ? arb_rpc_server_port(w->server, 0) : 1);
    return arb_grpc_channel_create(w->runtime, target, options, &w->channel, error);
}

/* Both, and connected: gRPC 1.51 loses some bytes when a channel is destroyed just while it connects. */
static inline void world_open(world *w, void **state, const arb_rpc_server_options *options)
{
    arb_error error = {0};
    world_begin(w, state);
    assert_int_equal(world_serve(w, options, &error), ARB_OK);
    assert_int_equal(world_connect(w, NULL, &error), ARB_OK);
    assert_int_equal(arb_rpc_channel_wait_ready(w->channel, in_ms(20000), &error), ARB_OK);
}

static inline void world_end(world *w)
{
    arb_rpc_channel_destroy(w->channel);
    arb_rpc_server_destroy(w->server);
    arb_rpc_hub_destroy(w->hub);
    arb_grpc_runtime_destroy(w->runtime);
}

/* Wait until a number that other threads change is as wanted; fails after 20 s. */
static inline void wait_until(_Atomic int *number, int wanted)
{
    for (int64_t end = in_ms(20000); atomic_load(number) != wanted; usleep(1000))
        if (arb_clock_monotonic_ns() > end)
            fail_msg("waited for %d, is %d", wanted, atomic_load(number));
}

static inline arb_rpc_message *message_of(const char *text)
{
    arb_rpc_message *message;
    arb_error error = {0};
    assert_int_equal(arb_rpc_message_copy(arb_str_of(text), &message, &error), ARB_OK);
    return message;
}

static inline bool says(const arb_rpc_message *message, const char *text)
{
    arb_arena arena = {0};
    arb_str bytes;
    bool same =
        arb_rpc_message_bytes(message, &arena, &bytes, NULL) == ARB_OK && arb_str_equal(bytes, arb_str_of(text));
    arb_arena_reset(&arena);
    return same;
}

/* Ends with a moment for gRPC, whose last threads end a little after it says so: leak checkers count what they hold. */
#define run_rpc_tests(tests)                                         \
    ({                                                               \
        int run_failed_ = cmocka_run_group_tests(tests, NULL, NULL); \
        usleep(500000);                                              \
        run_failed_;                                                 \
    })

/* ---- the service --------------------------------------------------------------------------------------------------------
 *   Echo    each message back, until the client has no more
 *   Count   the request is "n size": n messages of that size, as fast as they can be sent
 *   Sum     how many messages and bytes came, as a text
 *   Fail    an error with all its fields
 *   Hang    reads everything and never answers
 *   Early   reads one message, sends it back twice and finishes well, whatever else comes
 *   Mirror  the header x-in as header x-out-bin and trailer x-end, no message */
typedef struct echo {
    _Atomic int started, done, cancelled, half_closed;
    _Atomic int alive, most_alive; /* messages of Count that are not let go of */
    _Atomic int64_t deadline_ns;   /* of the last call */
    _Atomic(arb_rpc_call *) last;  /* while it runs */
    _Atomic int cancel_step; /* the server cancels: 1 at the start, 2 with the first message, 3 at the half close */
} echo;

typedef struct echo_call {
    echo *service;
    int64_t left, size;
    int64_t messages, bytes;
} echo_call;

static inline void echo_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    echo_call *c = context;
    echo *service = c->service;
    if (outcome->code == ARB_CANCELLED)
        atomic_fetch_add(&service->cancelled, 1);
    arb_free(c);
    atomic_fetch_add(&service->done, 1);
}

static inline bool echo_cancels(arb_rpc_call *call, echo *service, int step)
{
    if (atomic_load(&service->cancel_step) != step)
        return false;
    arb_rpc_cancel(call);
    return true;
}

static inline echo_call *echo_accept(echo *service, arb_rpc_call *call, const arb_rpc_events *events)
{
    arb_error error = {0};
    echo_call *c = arb_alloc_zeroed(sizeof *c);
    if (c == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "the test's call", sizeof *c), &error);
        return NULL;
    }
    atomic_store(&service->deadline_ns, arb_rpc_deadline_ns(call));
    atomic_store(&service->last, call);
    atomic_fetch_add(&service->started, 1);
    c->service = service;
    arb_rpc_handle(call, events, c);
    (void)echo_cancels(call, service, 1);
    return c;
}

static inline void finish_failed(arb_rpc_call *call, arb_code code, const arb_error *error)
{
    if (code != ARB_OK)
        arb_rpc_finish(call, code, error);
}

static inline void echo_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    echo_call *c = context;
    arb_error error = {0};
    (void)echo_cancels(call, c->service, 2);
    finish_failed(call, arb_rpc_send(call, arb_rpc_message_ref(message), &error), &error);
    if (arb_rpc_writable(call))
        arb_rpc_read(call);
}

static inline void echo_writable(arb_rpc_call *call, void *context)
{
    (void)context;
    arb_rpc_read(call);
}

static inline void echo_half_close(arb_rpc_call *call, void *context)
{
    echo_call *c = context;
    atomic_fetch_add(&c->service->half_closed, 1);
    if (!echo_cancels(call, c->service, 3))
        arb_rpc_finish(call, ARB_OK, NULL);
}

static inline void start_echo(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_message = echo_message,
                                          .on_writable = echo_writable,
                                          .on_half_close = echo_half_close,
                                          .on_done = echo_done};
    if (echo_accept(service, call, &events) != NULL)
        arb_rpc_read(call);
}

static inline void count_let_go(void *context)
{
    echo *service = context;
    atomic_fetch_sub(&service->alive, 1);
}

static inline void count_send(arb_rpc_call *call, void *context)
{
    echo_call *c = context;
    arb_error error = {0};
    arb_code code = ARB_OK;
    while (code == ARB_OK && c->left > 0 && arb_rpc_writable(call)) {
        arb_rpc_message *message;
        uint8_t *own;
        code = arb_rpc_message_create(2, (size_t)c->size, count_let_go, c->service, &message, &own, &error);
        if (code != ARB_OK)
            break;
        memset(own, (int)(c->left & 0xFF), (size_t)c->size);
        message->slices[0] = (arb_rpc_slice){own, (size_t)c->size / 3};
        message->slices[1] = (arb_rpc_slice){own + c->size / 3, (size_t)(c->size - c->size / 3)};
        message->size = (size_t)c->size;
        int alive = atomic_fetch_add(&c->service->alive, 1) + 1;
        if (alive > atomic_load(&c->service->most_alive))
            atomic_store(&c->service->most_alive, alive);
        c->left--;
        code = arb_rpc_send(call, message, &error);
    }
    if (code != ARB_OK || c->left == 0)
        arb_rpc_finish(call, code, &error);
}

static inline void count_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    echo_call *c = context;
    arb_str request;
    arb_error error = {0};
    long long left = 0, size = 0;
    arb_code code = arb_rpc_message_bytes(message, arb_rpc_arena(call), &request, &error);
    if (code == ARB_OK && sscanf(request.data, "%lld %lld.", &left, &size) != 2)
        code = arb_fail(&error, ARB_INVALID_PARAMETER, "two numbers are wanted");
    c->left = left;
    c->size = size;
    if (code != ARB_OK)
        arb_rpc_finish(call, code, &error);
    else
        count_send(call, context);
}

static inline void count_without(arb_rpc_call *call, void *context)
{
    (void)context;
    arb_error error = {0};
    arb_rpc_finish(call, arb_fail(&error, ARB_INVALID_PARAMETER, "two numbers are wanted"), &error);
}

static inline void start_count(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {
        .on_message = count_message, .on_half_close = count_without, .on_writable = count_send, .on_done = echo_done};
    if (echo_accept(service, call, &events) != NULL)
        arb_rpc_read(call);
}

static inline void sum_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    echo_call *c = context;
    c->messages++;
    c->bytes += (int64_t)message->size;
    arb_rpc_read(call);
}

static inline void sum_half_close(arb_rpc_call *call, void *context)
{
    echo_call *c = context;
    char text[64];
    arb_rpc_message *message;
    arb_error error = {0};
    atomic_fetch_add(&c->service->half_closed, 1);
    snprintf(text, sizeof text, "%lld messages, %lld bytes", (long long)c->messages, (long long)c->bytes);
    arb_code code = arb_rpc_message_copy(arb_str_of(text), &message, &error);
    if (code == ARB_OK)
        code = arb_rpc_send(call, message, &error);
    arb_rpc_finish(call, code, &error);
}

static inline void start_sum(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {
        .on_message = sum_message, .on_half_close = sum_half_close, .on_done = echo_done};
    if (echo_accept(service, call, &events) != NULL)
        arb_rpc_read(call);
}

static inline void start_fail(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_done = echo_done};
    arb_error error = {0};
    if (echo_accept(service, call, &events) == NULL)
        return;
    (void)arb_fail(&error, ARB_UNDEFINED_TABLE, "there is no table \"größe\"");
    arb_error_detail(&error, "searched: main, temp");
    arb_error_hint(&error, "Perhaps you meant \"groesse\".");
    arb_error_origin(&error, "stage 3, task 7");
    (void)arb_error_at(&error, ARB_UNDEFINED_TABLE, 42);
    arb_rpc_finish(call, ARB_UNDEFINED_TABLE, &error);
}

static inline void hang_half_close(arb_rpc_call *call, void *context)
{
    (void)call;
    echo_call *c = context;
    atomic_fetch_add(&c->service->half_closed, 1);
}

static inline void start_hang(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {
        .on_message = sum_message, .on_half_close = hang_half_close, .on_done = echo_done};
    if (echo_accept(service, call, &events) != NULL)
        arb_rpc_read(call);
}

static inline void early_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    (void)context;
    arb_error error = {0};
    arb_code code = arb_rpc_send(call, arb_rpc_message_ref(message), &error);
    if (code == ARB_OK)
        code = arb_rpc_send(call, arb_rpc_message_ref(message), &error);
    arb_rpc_finish(call, code, &error);
}

static inline void start_early(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_message = early_message, .on_done = echo_done};
    if (echo_accept(service, call, &events) != NULL)
        arb_rpc_read(call);
}

static inline void start_mirror(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_done = echo_done};
    arb_error error = {0};
    if (echo_accept(service, call, &events) == NULL)
        return;
    arb_str in = arb_rpc_metadata_find(arb_rpc_request_headers(call), ARB_STR("x-in"));
    arb_code code = arb_rpc_add_header(call, ARB_STR("X-Out-bin"), ARB_STR("\0\1\xFF"), &error);
    if (code == ARB_OK)
        code = arb_rpc_add_header(call, ARB_STR("x-who"), arb_rpc_identity(call), &error);
    if (code == ARB_OK)
        code = arb_rpc_add_trailer(call, ARB_STR("x-end"), in, &error);
    arb_rpc_send_headers(call);
    arb_rpc_finish(call, code, &error);
}

static const arb_rpc_method_entry echo_methods[] = {
    {"Echo", start_echo}, {"Count", start_count}, {"Sum", start_sum},       {"Fail", start_fail},
    {"Hang", start_hang}, {"Early", start_early}, {"Mirror", start_mirror},
};

static inline arb_rpc_service echo_service(echo *service)
{
    return (arb_rpc_service){"test.Echo", echo_methods, ARB_COUNT_OF(echo_methods), service};
}

#endif
