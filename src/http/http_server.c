/* libmicrohttpd parses and sends; it is polled from a thread of ours, so that time is ours to keep: it knows idleness alone,
 * and a client that sends a byte now and then is never idle. A connection that is late is shut down (shutdown(2)), upon which
 * the library finds its end and closes it as any other. */
#include "http/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/thread.h"
#include "http/http_failure.h"
#include "http/http_listener.h"

enum {
    CONNECTIONS = 64,
    SPARE_CONNECTIONS =
        8, /* the library's limit is so much higher: there is room for a new one while an old one ends */
    HEADS_MOST = 32 << 10, /* of a request and its response */
    RESPONSES_MOST = 64 << 20,
};
static const int64_t REQUEST_NS = 20000000000, DRAIN_NS = 2000000000;

typedef struct connection connection;
struct connection {
    connection *older, *newer; /* by `since`, as long as it is not shut down */
    arb_http_server *server;
    int socket;
    int64_t since; /* it came, or its last response was taken */
    bool asks;     /* a request's head is there, its response is not sent yet */
    bool late;     /* it is shut down */
};

struct arb_http_server {
    arb_arena arena;
    arb_http_server_options options;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    bool started;
    int listening, epoll, wake;
    uint16_t port;
    _Atomic bool stopping;
    /* the thread's */
    connection *oldest, *newest;
    unsigned connection_count; /* those shut down too */
    bool has_room;             /* a connection has ended in this turn: the library listens again in the next one */
    uint64_t held;             /* bytes of responses that are not sent yet */
};

/* ---- connections --------------------------------------------------------------------------------------------------------- */

static void unlink_connection(arb_http_server *server, connection *c)
{
    *(c->older != NULL ? &c->older->newer : &server->oldest) = c->newer;
    *(c->newer != NULL ? &c->newer->older : &server->newest) = c->older;
    c->older = c->newer = NULL;
}

static void link_connection(arb_http_server *server, connection *c)
{
    c->since = arb_clock_monotonic_ns();
    c->older = server->newest;
    *(c->older != NULL ? &c->older->newer : &server->oldest) = c;
    server->newest = c;
}

static void shut_down(arb_http_server *server, connection *c)
{
    unlink_connection(server, c);
    c->late = true;
    shutdown(c->socket, SHUT_RDWR);
}

/* Who has asked for nothing the longest makes room. */
static void make_room(arb_http_server *server)
{
    connection *c = server->oldest;
    while (c != NULL && c->asks)
        c = c->newer;
    if (c != NULL)
        shut_down(server, c);
}

static void begin_connection(arb_http_server *server, struct MHD_Connection *with, void **out_own)
{
    int s = MHD_get_connection_info(with, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection *c = arb_alloc_zeroed(sizeof *c);
    *out_own = c;
    if (c == NULL) {
        shutdown(s, SHUT_RDWR);
        return;
    }
    if (server->connection_count >= server->options.connections_most)
        make_room(server);
    c->server = server;
    c->socket = s;
    server->connection_count++;
    link_connection(server, c);
}

static void end_connection(arb_http_server *server, connection *c)
{
    if (c == NULL)
        return;
    if (!c->late)
        unlink_connection(server, c);
    server->connection_count--;
    server->has_room = true;
    arb_free(c);
}

static void on_connection(void *context, struct MHD_Connection *with, void **own,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        begin_connection(context, with, own);
    else
        end_connection(context, *own);
}

static connection *connection_of(struct MHD_Connection *with)
{
    return MHD_get_connection_info(with, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_completed(void *context, struct MHD_Connection *with, void **own, enum MHD_RequestTerminationCode how)
{
    connection *c = connection_of(with);
    (void)context, (void)own, (void)how;
    if (c == NULL)
        return;
    c->asks = false;
    if (!c->late) {
        unlink_connection(c->server, c);
        link_connection(c->server, c);
    }
}

/* ---- responses ----------------------------------------------------------------------------------------------------------- */

/* A body on its way. */
typedef struct sent_body {
    arb_http_server *server;
    arb_text text;
} sent_body;

static void body_is_sent(void *context)
{
    sent_body *body = context;
    body->server->held -= body->text.size;
    arb_text_reset(&body->text);
    arb_free(body);
}

/* Nothing that is given here is a page: a browser that takes it for one shall do nothing with it. */
static const char *const headers[][2] = {
    {"Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

static bool put_headers(struct MHD_Response *to, const arb_http_response *response, bool last)
{
    bool ok =
        MHD_add_response_header(to, "Content-Type",
                                response->content_type != NULL ? response->content_type : ARB_HTTP_JSON) == MHD_YES;
    for (size_t i = 0; ok && i < ARB_COUNT_OF(headers); i++)
        ok = MHD_add_response_header(to, headers[i][0], headers[i][1]) == MHD_YES;
    if (ok && response->header[0] != NULL)
        ok = MHD_add_response_header(to, response->header[0], response->header[1]) == MHD_YES;
    if (ok && last)
        ok = MHD_add_response_header(to, "Connection", "close") == MHD_YES;
    return ok;
}

/* Takes the response's body. `last`: the connection ends with it. */
static enum MHD_Result reply(arb_http_server *server, struct MHD_Connection *with, arb_http_response *response,
                             bool last)
{
    if (response->body.failed || server->held + response->body.size > server->options.response_most)
        arb_http_fail(response, 503, "no memory for the answer: ask again later, or for less");
    sent_body *body = arb_alloc(sizeof *body);
    if (body == NULL) {
        arb_text_reset(&response->body);
        return MHD_NO; /* ends the connection */
    }
    *body = (sent_body){server, response->body};
    server->held += body->text.size;
    struct MHD_Response *made =
        MHD_create_response_from_buffer_with_free_callback_cls(body->text.size, body->text.data, body_is_sent, body);
    if (made == NULL) {
        body_is_sent(body);
        return MHD_NO;
    }
    enum MHD_Result result = put_headers(made, response, last)
                                 ? MHD_queue_response(with, response->status != 0 ? response->status : 200, made)
                                 : MHD_NO;
    MHD_destroy_response(made);
    return result;
}

static enum MHD_Result refuse(arb_http_server *server, struct MHD_Connection *with, arb_http_refusal refusal,
                              const char *header, const char *value)
{
    arb_http_response response = {0};
    arb_http_fail(&response, refusal.status, refusal.why);
    response.header[0] = header;
    response.header[1] = value;
    return reply(server, with, &response, true);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------ */

typedef struct request_head {
    arb_http_claims claims;
    bool has_body;
} request_head;

static void claim(arb_str *place, arb_str value, bool *out_doubled)
{
    *out_doubled |= place->data != NULL;
    *place = value;
}

static enum MHD_Result see_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                  const char *value, size_t size)
{
    request_head *head = context;
    arb_str key = {name, name_size}, text = {value != NULL ? value : "", value != NULL ? size : 0};
    (void)kind;
    if (arb_str_equal_nocase(key, ARB_STR("host")))
        claim(&head->claims.host, text, &head->claims.doubled);
    else if (arb_str_equal_nocase(key, ARB_STR("origin")))
        claim(&head->claims.origin, text, &head->claims.doubled);
    else if (arb_str_equal_nocase(key, ARB_STR("authorization")))
        claim(&head->claims.authorization, text, &head->claims.doubled);
    else if (arb_str_equal_nocase(key, ARB_STR("transfer-encoding")) ||
             (arb_str_equal_nocase(key, ARB_STR("content-length")) && !arb_str_equal(text, ARB_STR("0"))))
        head->has_body = true;
    return MHD_YES;
}

static enum MHD_Result see_query(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                 const char *value, size_t size)
{
    arb_http_request *request = context;
    (void)kind;
    if (request->query_count < ARB_HTTP_QUERY_MOST)
        request->query[request->query_count] =
            (arb_http_pair){{name, name_size}, {value != NULL ? value : "", value != NULL ? size : 0}};
    request->query_count++;
    return MHD_YES;
}

static arb_http_refusal check(const arb_http_server *server, const connection *c, const request_head *head,
                              const arb_http_request *request)
{
    struct sockaddr_storage arrived = {0};
    socklen_t size = sizeof arrived;
    if (head->has_body)
        return (arb_http_refusal){413, "requests have no bodies here"};
    if (request->query_count > ARB_HTTP_QUERY_MOST)
        return (arb_http_refusal){400, "there is too much behind the ?"};
    if (getsockname(c->socket, (struct sockaddr *)&arrived, &size) != 0)
        arrived.ss_family = AF_UNSPEC; /* then it is no host's */
    return arb_http_guard_check(&server->options.guard, &head->claims, (const struct sockaddr *)&arrived,
                                arb_http_method_changes(request->method));
}

static enum MHD_Result answer(arb_http_server *server, struct MHD_Connection *with, arb_http_request *request)
{
    arb_http_response response = {0};
    arb_error error = {0};
    char allowed[64];
    const arb_http_route *route = arb_http_route_find(server->options.routes, request, allowed);
    if (route == NULL && allowed[0] != 0)
        return refuse(server, with, (arb_http_refusal){405, "this path does not take the method"}, "Allow", allowed);
    if (route == NULL) {
        arb_http_fail(&response, 404, "there is nothing at this path");
        return reply(server, with, &response, false);
    }
    arb_code code = route->answer(server->options.context, request, &response, &error);
    if (code != ARB_OK)
        arb_http_fail_with(&response, code, &error);
    return reply(server, with, &response, false);
}

/* Called when the head has come, then once more without a body, as no request has one that is taken. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *with, const char *path, const char *method,
                                  const char *version, const char *bytes, size_t *byte_count, void **own)
{
    arb_http_server *server = context;
    connection *c = connection_of(with);
    request_head head = {0};
    arb_http_request request = {.method = arb_str_of(method), .path = arb_str_of(path)};
    (void)version, (void)bytes;
    if (c == NULL || *byte_count != 0 || atomic_load(&server->stopping))
        return MHD_NO;
    c->asks = true;
    MHD_get_connection_values_n(with, MHD_HEADER_KIND, see_header, &head);
    MHD_get_connection_values_n(with, MHD_GET_ARGUMENT_KIND, see_query, &request);
    arb_http_refusal refusal = check(server, c, &head, &request);
    if (refusal.status != 0)
        return refuse(server, with, refusal, refusal.status == 401 ? "WWW-Authenticate" : NULL, "Bearer");
    if (*own == NULL) {
        *own = c;
        return MHD_YES;
    }
    return answer(server, with, &request);
}

/* Paths and queries stay as they were sent; see http_route.h. */
static size_t leave_as_it_is(void *context, struct MHD_Connection *with, char *text)
{
    (void)context, (void)with;
    return strlen(text);
}

/* ---- the thread ---------------------------------------------------------------------------------------------------------- */

static void shut_down_before(arb_http_server *server, int64_t since, bool those_that_ask)
{
    for (connection *c = server->oldest, *next; c != NULL && c->since <= since; c = next) {
        next = c->newer;
        if (those_that_ask || !c->asks)
            shut_down(server, c);
    }
}

static int wait_ms(arb_http_server *server, int64_t now, int64_t deadline)
{
    MHD_UNSIGNED_LONG_LONG ready;
    int64_t ns = server->has_room ? 0 : INT64_C(1000000000);
    server->has_room = false;
    if (server->oldest != NULL)
        ns = ARB_MIN(ns, server->oldest->since + server->options.request_ns - now);
    ns = ARB_MIN(ns, deadline - now);
    if (MHD_get_timeout(server->daemon, &ready) == MHD_YES)
        ns = ARB_MIN(ns, (int64_t)ARB_MIN(ready, (MHD_UNSIGNED_LONG_LONG)1000) * 1000000);
    return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

static void stop_listening(arb_http_server *server)
{
    int s = MHD_quiesce_daemon(server->daemon);
    if (s != MHD_INVALID_SOCKET)
        close(s);
    shut_down_before(server, INT64_MAX, false);
}

static void *run(void *argument)
{
    arb_http_server *server = argument;
    int64_t deadline = INT64_MAX;
    pthread_setname_np(pthread_self(), "http");
    for (;;) {
        int64_t now = arb_clock_monotonic_ns();
        shut_down_before(server, now - server->options.request_ns, true);
        if (deadline == INT64_MAX && atomic_load(&server->stopping)) {
            stop_listening(server);
            deadline = now + server->options.drain_ns;
        }
        if (deadline != INT64_MAX && (server->connection_count == 0 || now >= deadline))
            return NULL;
        struct pollfd on[] = {{.fd = server->epoll, .events = POLLIN}, {.fd = server->wake, .events = POLLIN}};
        uint64_t count;
        if (poll(on, ARB_COUNT_OF(on), wait_ms(server, now, deadline)) > 0 && on[1].revents != 0)
            (void)!read(server->wake, &count, sizeof count);
        MHD_run(server->daemon);
        if (deadline != INT64_MAX)
            shut_down_before(server, INT64_MAX, false);
    }
}

/* ---- beginning and end --------------------------------------------------------------------------------------------------- */

static arb_code copy_options(arb_http_server *server, const arb_http_server_options *given, arb_error *error)
{
    arb_http_server_options *o = &server->options;
    *o = *given;
    o->connections_most = o->connections_most != 0 ? o->connections_most : CONNECTIONS;
    o->request_ns = o->request_ns != 0 ? o->request_ns : REQUEST_NS;
    o->response_most = o->response_most != 0 ? o->response_most : RESPONSES_MOST;
    o->drain_ns = o->drain_ns != 0 ? o->drain_ns : DRAIN_NS;
    arb_str *hosts = ARB_ARENA_ARRAY(&server->arena, arb_str, o->guard.host_count + 1);
    if (hosts == NULL)
        return arb_fail_memory(error, "an HTTP server", o->guard.host_count * sizeof *hosts);
    for (size_t i = 0; i < o->guard.host_count; i++)
        if ((hosts[i] = arb_str_copy(&server->arena, o->guard.hosts[i])).data == NULL)
            return arb_fail_memory(error, "an HTTP server", o->guard.hosts[i].size);
    o->guard.hosts = hosts;
    o->guard.token = arb_str_copy(&server->arena, o->guard.token);
    return o->guard.token.data != NULL ? ARB_OK : arb_fail_memory(error, "an HTTP server", given->guard.token.size);
}

static arb_code start_daemon(arb_http_server *server, arb_error *error)
{
    server->daemon =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, server->listening,
                         MHD_OPTION_CONNECTION_LIMIT, server->options.connections_most + SPARE_CONNECTIONS,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADS_MOST, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                         MHD_OPTION_UNESCAPE_CALLBACK, leave_as_it_is, NULL, MHD_OPTION_NOTIFY_CONNECTION,
                         on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (server->daemon == NULL)
        return arb_fail_errno(error, errno != 0 ? errno : ENOMEM, "cannot start an HTTP server");
    server->listening = -1; /* the daemon's now */
    server->epoll = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return ARB_OK;
}

static arb_code start(arb_http_server *server, const arb_http_server_options *options, arb_error *error)
{
    ARB_TRY(copy_options(server, options, error));
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake < 0)
        return arb_fail_errno(error, errno, "cannot start an HTTP server");
    ARB_TRY(arb_http_listen(options->host != NULL ? options->host : "127.0.0.1", options->port,
                            options->beyond_loopback, &server->listening, &server->port, error));
    ARB_TRY(start_daemon(server, error));
    int failure = arb_thread_create(&server->thread, NULL, run, server);
    if (failure != 0)
        return arb_fail_errno(error, failure, "cannot start a thread");
    server->started = true;
    return ARB_OK;
}

arb_code arb_http_server_create(const arb_http_server_options *options, arb_http_server **out_server, arb_error *error)
{
    *out_server = NULL;
    arb_http_server *server = arb_alloc_zeroed(sizeof *server);
    if (server == NULL)
        return arb_fail_memory(error, "an HTTP server", sizeof *server);
    server->listening = server->wake = -1;
    arb_code code = start(server, options, error);
    if (code != ARB_OK) {
        arb_http_server_destroy(server);
        return code;
    }
    *out_server = server;
    return ARB_OK;
}

uint16_t arb_http_server_port(const arb_http_server *server)
{
    return server->port;
}

void arb_http_server_destroy(arb_http_server *server)
{
    if (server == NULL)
        return;
    if (server->started) {
        const uint64_t one = 1;
        atomic_store(&server->stopping, true);
        (void)!write(server->wake, &one, sizeof one);
        pthread_join(server->thread, NULL);
    }
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    if (server->listening >= 0)
        close(server->listening);
    if (server->wake >= 0)
        close(server->wake);
    arb_arena_reset(&server->arena);
    arb_free(server);
}
