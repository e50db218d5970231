/* The server over real sockets: what it answers, and what hostile and slow clients get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http/http_server.h"

#define MS INT64_C(1000000)

/* ---- what it serves -------------------------------------------------------------------------------------------------------- */

static _Atomic unsigned changes;

static arb_code hello(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    (void)request, (void)error;
    response->content_type = "text/plain";
    arb_text_printf(&response->body, "hello %s", (const char *)context);
    return ARB_OK;
}

static arb_code sized(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    uint64_t size;
    (void)context;
    ARB_TRY(arb_http_query_number(request, "size", 0, 1 << 30, &size, error));
    arb_text_append_repeated(&response->body, 'x', size);
    return ARB_OK;
}

static arb_code thing(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    (void)context;
    if (!arb_str_equal(request->parameters[0], ARB_STR("1")))
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no thing \"%.*s\"",
                        ARB_STR_ARGS(request->parameters[0]));
    arb_text_append_str(&response->body, ARB_STR("{}"));
    return ARB_OK;
}

static arb_code change(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    atomic_fetch_add(&changes, 1);
    return thing(context, request, response, error);
}

static const arb_http_route table[] = {{"GET", "/hello", hello},
                                       {"GET", "/sized", sized},
                                       {"GET", "/thing/{id}", thing},
                                       {"PATCH", "/thing/{id}", change}};

static arb_http_server *serve(arb_http_server_options options)
{
    arb_http_server *server;
    arb_error error = {0};
    options.routes = (arb_http_routes){table, ARB_COUNT_OF(table)};
    options.context = "you";
    options.guard.token = ARB_STR("secret");
    assert_int_equal(arb_http_server_create(&options, &server, &error), ARB_OK);
    assert_true(arb_http_server_port(server) != 0);
    return server;
}

/* ---- a client -------------------------------------------------------------------------------------------------------------- */

static int dial(const arb_http_server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(arb_http_server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s >= 0);
    assert_int_equal(connect(s, (const struct sockaddr *)&at, sizeof at), 0);
    return s;
}

static void say(int s, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(send(s, text, size, MSG_NOSIGNAL), size);
}

/* Up to `most` bytes until the other side ends, or all of `until` has come (NULL: to the end); what came ends with NUL. */
static size_t hear(int s, char *out, size_t most, const char *until)
{
    size_t size = 0;
    struct pollfd on = {.fd = s, .events = POLLIN};
    out[0] = 0;
    while (size < most && (until == NULL || strstr(out, until) == NULL) && poll(&on, 1, 10000) == 1) {
        ssize_t got = recv(s, out + size, most - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
        out[size] = 0;
    }
    return size;
}

/* One request on a connection of its own. */
static unsigned ask(const arb_http_server *server, const char *request, char *out, size_t most)
{
    unsigned status = 0;
    int s = dial(server);
    say(s, request);
    hear(s, out, most, NULL);
    close(s);
    (void)sscanf(out, "HTTP/1.1 %u", &status);
    return status;
}

#define CLOSE "Host: localhost\r\nConnection: close\r\n"

static unsigned status_of(const arb_http_server *server, const char *line, const char *headers)
{
    char request[1024], out[4096];
    snprintf(request, sizeof request, "%s HTTP/1.1\r\n%s\r\n", line, headers);
    return ask(server, request, out, sizeof out - 1);
}

static bool is_closed_within(int s, int ms)
{
    char byte[256];
    int64_t until = arb_clock_monotonic_ns() + ms * MS;
    struct pollfd on = {.fd = s, .events = POLLIN};
    while (arb_clock_monotonic_ns() < until)
        if (poll(&on, 1, 20) == 1 && recv(s, byte, sizeof byte, 0) <= 0)
            return true;
    return false;
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

static void it_answers(void **state)
{
    (void)state;
    char out[4096];
    arb_http_server *server = serve((arb_http_server_options){0});
    assert_int_equal(ask(server, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n", out, sizeof out - 1), 200);
    assert_non_null(strstr(out, "\r\n\r\nhello you"));
    assert_non_null(strstr(out, "Content-Type: text/plain\r\n"));
    assert_non_null(strstr(out, "Content-Security-Policy: default-src 'none'"));
    assert_non_null(strstr(out, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(out, "Cache-Control: no-store\r\n"));
    assert_null(strstr(out, "Access-Control"));
    assert_int_equal(ask(server, "HEAD /hello HTTP/1.1\r\n" CLOSE "\r\n", out, sizeof out - 1), 200);
    assert_non_null(strstr(out, "Content-Length: 9\r\n"));
    assert_null(strstr(out, "hello"));
    assert_int_equal(ask(server, "GET /thing/2 HTTP/1.1\r\n" CLOSE "\r\n", out, sizeof out - 1), 404);
    assert_non_null(strstr(out, "{\"error\":\"there is no thing \\\"2\\\"\",\"sqlstate\":\"42704\"}"));
    assert_non_null(strstr(out, "Content-Security-Policy: default-src 'none'"));
    assert_int_equal(
        ask(server, "PUT /thing/1 HTTP/1.1\r\nAuthorization: Bearer secret\r\n" CLOSE "\r\n", out, sizeof out - 1),
        405);
    assert_non_null(strstr(out, "Allow: GET, HEAD, PATCH\r\n"));
    arb_http_server_destroy(server);
}

static void one_connection_asks_again(void **state)
{
    (void)state;
    char out[4096];
    arb_http_server *server = serve((arb_http_server_options){0});
    int s = dial(server);
    for (int i = 0; i < 3; i++) {
        say(s, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        hear(s, out, sizeof out - 1, "hello you");
        assert_non_null(strstr(out, "hello you"));
    }
    /* both at once, and not a byte of one in the other */
    say(s, "GET /thing/1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nothing HTTP/1.1\r\n" CLOSE "\r\n");
    hear(s, out, sizeof out - 1, NULL);
    assert_non_null(strstr(out, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(out, "{}HTTP/1.1 404 Not Found"));
    close(s);
    arb_http_server_destroy(server);
}

static void strangers_are_refused(void **state)
{
    (void)state;
    arb_http_server *server = serve((arb_http_server_options){0});
    atomic_store(&changes, 0);
    assert_int_equal(status_of(server, "GET /hello", "Host: evil.example\r\n"), 421);
    assert_int_equal(status_of(server, "GET /hello", ""), 400);
    assert_int_equal(status_of(server, "GET /hello", "Host: localhost\r\nHost: localhost\r\n"), 400);
    assert_int_equal(status_of(server, "GET /hello", "Host: localhost\r\nOrigin: http://evil.example\r\n"), 403);
    assert_int_equal(status_of(server, "OPTIONS /thing/1", "Host: localhost\r\nOrigin: http://evil.example\r\n"), 403);
    assert_int_equal(status_of(server, "PATCH /thing/1", CLOSE), 401);
    assert_int_equal(status_of(server, "PATCH /thing/1", CLOSE "Authorization: Bearer wrong\r\n"), 401);
    assert_int_equal(
        status_of(server, "PATCH /thing/1", CLOSE "Authorization: Bearer secret\r\nOrigin: http://evil.example\r\n"),
        403);
    assert_int_equal(atomic_load(&changes), 0);
    assert_int_equal(status_of(server, "PATCH /thing/1", CLOSE "Authorization: Bearer secret\r\n"), 200);
    assert_int_equal(atomic_load(&changes), 1);
    arb_http_server_destroy(server);
}

static void odd_requests_are_refused(void **state)
{
    (void)state;
    char out[4096], large[100 << 10];
    arb_http_server *server = serve((arb_http_server_options){0});
    assert_int_equal(status_of(server, "GET /nothing", CLOSE), 404);
    assert_int_equal(status_of(server, "GET /hel%6co", CLOSE), 404);
    assert_int_equal(status_of(server, "GET http://localhost/hello", CLOSE), 404);
    assert_int_equal(status_of(server, "GET /sized?size=x", CLOSE), 400);
    assert_int_equal(status_of(server, "GET /sized?size=%31", CLOSE), 400);
    assert_int_equal(status_of(server, "GET /sized?a&b&c&d&e&f&g&h", CLOSE), 200);
    assert_int_equal(status_of(server, "GET /sized?a&b&c&d&e&f&g&h&i", CLOSE), 400);
    assert_int_equal(status_of(server, "BREW /hello", CLOSE), 401);
    /* a body is not taken, nor read as the next request */
    atomic_store(&changes, 0);
    unsigned status = ask(server,
                          "PATCH /thing/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n"
                          "Content-Length: 67\r\n\r\n"
                          "PATCH /thing/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n",
                          out, sizeof out - 1);
    assert_int_equal(status, 413);
    assert_null(strstr(out + 12, "HTTP/1.1"));
    status = ask(server, "PATCH /thing/1 HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                 out, sizeof out - 1);
    assert_int_equal(status, 413);
    assert_int_equal(atomic_load(&changes), 0);
    /* a head that does not end */
    memset(large, 'a', sizeof large);
    memcpy(large, "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ", 42);
    memcpy(large + sizeof large - 5, "\r\n\r\n", 5);
    int s = dial(server);
    (void)!send(s, large, sizeof large - 1, MSG_NOSIGNAL);
    hear(s, out, sizeof out - 1, NULL);
    close(s);
    assert_true(out[0] == 0 || strncmp(out, "HTTP/1.1 4", 10) == 0);
    /* not HTTP at all */
    (void)ask(server, "\x16\x03\x01\x02\x00\r\n\r\n", out, sizeof out - 1);
    assert_true(out[0] == 0 || strncmp(out, "HTTP/1.1 4", 10) == 0);
    assert_int_equal(status_of(server, "GET /hello", CLOSE), 200);
    arb_http_server_destroy(server);
}

static void slow_clients_are_ended(void **state)
{
    (void)state;
    char out[4096];
    arb_http_server *server = serve((arb_http_server_options){.request_ns = 800 * MS});
    int silent = dial(server), dripping = dial(server), lazy = dial(server), idle = dial(server);
    const char *head = "GET /hello HTTP/1.1\r\nHost: localhost\r\n";
    int64_t began = arb_clock_monotonic_ns();
    bool over = false;
    say(lazy, "GET /sized?size=30000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"); /* and reads nothing */
    say(idle, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(idle, out, sizeof out - 1, "hello you");
    assert_non_null(strstr(out, "hello you"));
    for (size_t i = 0; !over && arb_clock_monotonic_ns() < began + 5000 * MS; i = (i + 1) % strlen(head)) {
        over = send(dripping, head + i, 1, MSG_NOSIGNAL) < 0;
        usleep(20000);
    }
    assert_true(over);
    assert_true(arb_clock_monotonic_ns() - began > 600 * MS);
    assert_true(is_closed_within(silent, 5000));
    assert_true(is_closed_within(idle, 5000));
    assert_true(is_closed_within(lazy, 5000));
    assert_int_equal(status_of(server, "GET /hello", CLOSE), 200);
    close(silent), close(dripping), close(lazy), close(idle);
    arb_http_server_destroy(server);
}

/* Clients that take all connections and ask for nothing keep nobody out. */
static void many_connections_make_room(void **state)
{
    (void)state;
    int taken[40];
    arb_http_server *server = serve((arb_http_server_options){.connections_most = 8});
    for (size_t i = 0; i < ARB_COUNT_OF(taken); i++) {
        taken[i] = dial(server);
        say(taken[i], "GET /hello HTTP/1.1\r\n");
        if (i % 5 == 0)
            assert_int_equal(status_of(server, "GET /hello", CLOSE), 200);
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(status_of(server, "GET /hello", CLOSE), 200);
    assert_true(is_closed_within(taken[0], 5000));
    for (size_t i = 0; i < ARB_COUNT_OF(taken); i++)
        close(taken[i]);
    arb_http_server_destroy(server);
}

static void responses_are_bounded(void **state)
{
    (void)state;
    char out[256];
    arb_http_server *server = serve((arb_http_server_options){.response_most = 40 << 20});
    int lazy = dial(server);
    say(lazy, "GET /sized?size=30000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(hear(lazy, out, 100, NULL) == 100); /* it has begun */
    assert_int_equal(status_of(server, "GET /sized?size=30000000", CLOSE), 503);
    assert_int_equal(status_of(server, "GET /sized?size=1000", CLOSE), 200);
    close(lazy);
    unsigned status = 0;
    for (int i = 0; i < 100 && status != 200; i++) {
        usleep(10000);
        status = status_of(server, "GET /sized?size=30000000", CLOSE);
    }
    assert_int_equal(status, 200);
    arb_http_server_destroy(server);
}

static void it_ends_with_manners(void **state)
{
    (void)state;
    enum { size = 20000000 };
    char *out = arb_alloc(size + 4096);
    assert_non_null(out);
    /* idle ones and half requests are not waited for */
    arb_http_server *server = serve((arb_http_server_options){.drain_ns = 60000 * MS});
    int idle = dial(server), half = dial(server);
    say(half, "GET /hello HTTP/1.1\r\n");
    usleep(50000);
    int64_t began = arb_clock_monotonic_ns();
    arb_http_server_destroy(server);
    assert_true(arb_clock_monotonic_ns() - began < 5000 * MS);
    assert_true(is_closed_within(idle, 1000) && is_closed_within(half, 1000));
    close(idle), close(half);
    /* a response that nobody takes is, but not for ever */
    server = serve((arb_http_server_options){.drain_ns = 200 * MS});
    int lazy = dial(server);
    say(lazy, "GET /sized?size=20000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(hear(lazy, out, 100, NULL) == 100);
    began = arb_clock_monotonic_ns();
    arb_http_server_destroy(server);
    assert_true(arb_clock_monotonic_ns() - began > 150 * MS && arb_clock_monotonic_ns() - began < 5000 * MS);
    close(lazy);
    arb_free(out);
}

static void addresses_are_meant(void **state)
{
    (void)state;
    arb_http_server *server = NULL, *other = NULL;
    arb_error error = {0};
    arb_http_server_options options = {.host = "0.0.0.0", .routes = {table, ARB_COUNT_OF(table)}};
    assert_int_equal(arb_http_server_create(&options, &server, &error), ARB_CONFIGURATION);
    assert_null(server);
    options.host = "::";
    assert_int_equal(arb_http_server_create(&options, &server, &error), ARB_CONFIGURATION);
    options.host = "no such name";
    assert_int_equal(arb_http_server_create(&options, &server, &error), ARB_CONFIGURATION);
    options = (arb_http_server_options){
        .host = "0.0.0.0", .beyond_loopback = true, .routes = {table, ARB_COUNT_OF(table)}, .context = "all"};
    assert_int_equal(arb_http_server_create(&options, &server, &error), ARB_OK);
    assert_int_equal(status_of(server, "GET /hello", "Host: 127.0.0.1\r\nConnection: close\r\n"), 200);
    assert_int_equal(status_of(server, "GET /hello", "Host: 127.0.0.2\r\nConnection: close\r\n"), 421);
    options.host = "127.0.0.1";
    options.port = arb_http_server_port(server);
    assert_true(arb_http_server_create(&options, &other, &error) != ARB_OK);
    assert_non_null(strstr(error.message, "cannot listen on 127.0.0.1"));
    arb_http_server_destroy(server);
    arb_http_server_destroy(NULL);
}

#ifdef ARB_FAILPOINTS
/* Each allocation of ours fails once: the client gets an answer, a refusal or an end, and the next one is served. */
static void it_survives_without_memory(void **state)
{
    (void)state;
    char out[4096];
    for (uint64_t n = 1; n < 60; n++) {
        arb_http_server *server = NULL;
        arb_error error = {0};
        arb_str host = ARB_STR("db.example");
        arb_http_server_options options = {
            .routes = {table, ARB_COUNT_OF(table)}, .context = "you", .guard = {&host, 1, {"x", 1}}};
        arb_alloc_fail_at(n, false);
        arb_code code = arb_http_server_create(&options, &server, &error);
        if (code == ARB_OK) {
            unsigned status = ask(server, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n", out, sizeof out - 1);
            assert_true(status == 200 || status == 503 || out[0] == 0);
            status = ask(server, "GET /thing/2 HTTP/1.1\r\n" CLOSE "\r\n", out, sizeof out - 1);
            assert_true(status == 404 || status == 503 || out[0] == 0);
            arb_alloc_fail_at(0, false);
            assert_int_equal(status_of(server, "GET /hello", CLOSE), 200);
        } else {
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
        }
        arb_alloc_fail_at(0, false);
        arb_http_server_destroy(server);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers),
        cmocka_unit_test(one_connection_asks_again),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(odd_requests_are_refused),
        cmocka_unit_test(slow_clients_are_ended),
        cmocka_unit_test(many_connections_make_room),
        cmocka_unit_test(responses_are_bounded),
        cmocka_unit_test(it_ends_with_manners),
        cmocka_unit_test(addresses_are_meant),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test(it_survives_without_memory),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
