/* grpc_server.c: accepting calls from gRPC.
 *
 * gRPC gives a call only where one was asked for. Each completion queue has a few slots that ask all the time; a slot is asked
 * again as soon as its call has been taken over, also when there was no memory for it, so that a server never falls silent. */
#include "rpc/grpc_server.h"

#include <errno.h>
#include <grpc/grpc_security.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/loopback.h"
#include "base/thread.h"
#include "rpc/grpc_events.h"

enum {
    slots_per_queue = 16,
    goodbye_ms = 1000, /* for connections to end by themselves */
};

typedef struct grpc_host grpc_host;

typedef struct slot {
    arb_grpc_tag tag;
    grpc_host *host;
    grpc_completion_queue *queue;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array headers;
} slot;

struct grpc_host {
    arb_rpc_server base;
    arb_grpc_runtime *runtime;
    grpc_server *server;
    arb_grpc_wait shut_down;
    arb_grpc_wait slots_back; /* none is with gRPC any more */
    _Atomic size_t slots_out; /* and one until the server is stopped */
    slot *slots;
};

static grpc_host *host_of(arb_rpc_server *server)
{
    return (grpc_host *)server;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

static void ask(slot *s)
{
    grpc_call_details_init(&s->details);
    grpc_metadata_array_init(&s->headers);
    grpc_call_error refused =
        grpc_server_request_call(s->host->server, &s->call, &s->details, &s->headers, s->queue, s->queue, &s->tag);
    assert(refused == GRPC_CALL_OK);
    (void)refused;
}

static void forget(slot *s)
{
    grpc_call_details_destroy(&s->details);
    grpc_metadata_array_destroy(&s->headers);
}

static void slot_back(grpc_host *host)
{
    if (atomic_fetch_sub(&host->slots_out, 1) == 1)
        host->slots_back.tag.complete(&host->slots_back.tag, true);
}

static void take_call(arb_grpc_tag *tag, bool ok)
{
    slot *s = (slot *)tag;
    if (!ok) { /* the server shuts down */
        forget(s);
        slot_back(s->host);
        return;
    }
    arb_rpc_server *server = &s->host->base;
    arb_rpc_call *call = NULL;
    arb_code code = arb_grpc_call_accept(s->call, &s->details, &s->headers, &call, NULL);
    forget(s);
    ask(s);
    if (code != ARB_OK)
        return;
    call->window = server->limits.send_window;
    (void)!arb_rpc_live_add(&server->live, call); /* never closed */
    arb_rpc_server_serve(server, call);
}

/* ---- beginning ---------------------------------------------------------------------------------------------------------- */

static bool is_in_file_system(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 || strncmp(address, "unix-abstract:", 14) == 0;
}

/* "host:port" and "[host]:port" taken apart; false when it is neither. */
static bool split_address(const char *address, char *out_host, size_t size, const char **out_port)
{
    const char *colon = strrchr(address, ':');
    bool in_brackets = address[0] == '[' && colon != NULL && colon > address + 1 && colon[-1] == ']';
    if (colon == NULL || (size_t)(colon - address) >= size || (!in_brackets && strchr(address, ':') != colon))
        return false;
    snprintf(out_host, size, "%.*s", (int)(colon - address) - 2 * in_brackets, address + in_brackets);
    *out_port = colon + 1;
    return true;
}

static arb_code check_meant(const char *address, bool meant, arb_error *error)
{
    char host[256];
    const char *port;
    if (is_in_file_system(address))
        return ARB_OK;
    bool split = split_address(address, host, sizeof host, &port);
    return arb_loopback_check(split ? host : "", address, meant, error);
}

/* gRPC does not say why it could not listen: try once more, by hand. */
static int reason(const char *address)
{
    char host[256];
    const char *port;
    struct addrinfo *found = NULL, hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    if (is_in_file_system(address))
        return EADDRINUSE;
    if (!split_address(address, host, sizeof host, &port) || getaddrinfo(host, port, &hints, &found) != 0)
        return EADDRNOTAVAIL;
    int failure = EADDRINUSE, yes = 1, handle = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (handle < 0 || setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(handle, found->ai_addr, found->ai_addrlen) != 0)
        failure = errno;
    if (handle >= 0)
        close(handle);
    freeaddrinfo(found);
    return failure;
}

static arb_code listen_at(grpc_host *host, const arb_rpc_server_options *options, arb_error *error)
{
    static const char *const usual[] = {"127.0.0.1:0"};
    const char *const *addresses = options->address_count != 0 ? options->addresses : usual;
    for (size_t i = 0; i < host->base.port_count; i++) {
        ARB_TRY(check_meant(addresses[i], options->beyond_loopback, error));
        grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
        host->base.ports[i] = grpc_server_add_http2_port(host->server, addresses[i], credentials);
        grpc_server_credentials_release(credentials);
        if (host->base.ports[i] == 0) {
            char text[128];
            return arb_fail(error, ARB_CONFIGURATION, "cannot listen at %s: %s", addresses[i],
                            strerror_r(reason(addresses[i]), text, sizeof text));
        }
        if (is_in_file_system(addresses[i]))
            host->base.ports[i] = 0;
    }
    return ARB_OK;
}

static grpc_arg integer(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static void create_server(grpc_host *host, const arb_rpc_server_options *options)
{
    const arb_rpc_limits *limits = &host->base.limits;
    arb_rpc_keepalive keepalive = arb_rpc_keepalive_or_usual(options->keepalive, false);
    grpc_resource_quota *quota = NULL;
    grpc_arg list[16] = {
        integer(GRPC_ARG_ALLOW_REUSEPORT, 0),
        integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, limits->message_bytes),
        integer(GRPC_ARG_MAX_METADATA_SIZE, limits->metadata_bytes),
        integer(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits->streams),
        integer(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive.interval_ms),
        integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive.timeout_ms),
        integer(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        integer(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, ARB_RPC_SHORTEST_ASKING_MS),
        integer(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
        integer(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10000),
        integer(GRPC_ARG_HTTP2_BDP_PROBE, 0), /* see grpc_channel.c */
        integer(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, limits->receive_window),
        integer(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, ARB_GRPC_NO_COMPRESSION),
        integer(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
    };
    grpc_channel_args arguments = {14, list};
    if (limits->buffers != 0) {
        quota = grpc_resource_quota_create(NULL);
        grpc_resource_quota_resize(quota, limits->buffers);
        list[arguments.num_args++] = (grpc_arg){.type = GRPC_ARG_POINTER,
                                                .key = (char *)GRPC_ARG_RESOURCE_QUOTA,
                                                .value.pointer = {quota, grpc_resource_quota_arg_vtable()}};
    }
    host->server = grpc_server_create(&arguments, NULL);
    if (quota != NULL)
        grpc_resource_quota_unref(quota);
    for (size_t i = 0; i < arb_grpc_queue_count(host->runtime); i++)
        grpc_server_register_completion_queue(host->server, arb_grpc_queue(host->runtime, i), NULL);
}

/* ---- ending ------------------------------------------------------------------------------------------------------------- */

static void stop(arb_rpc_server *server)
{
    grpc_host *host = host_of(server);
    grpc_server_shutdown_and_notify(host->server, arb_grpc_queue(host->runtime, 0), &host->shut_down.tag);
    slot_back(host);
}

/* All calls are over. What connections still have to say goes out first, unless the other side does not listen. */
static void destroy(arb_rpc_server *server)
{
    grpc_host *host = host_of(server);
    if (!arb_grpc_wait_for(&host->shut_down, arb_clock_monotonic_ns() + goodbye_ms * (int64_t)1000000)) {
        grpc_server_cancel_all_calls(host->server);
        (void)arb_grpc_wait_for(&host->shut_down, INT64_MAX);
    }
    (void)arb_grpc_wait_for(&host->slots_back, INT64_MAX);
    /* A call that came while the server was being stopped has been refused since. */
    (void)arb_rpc_live_wait(&server->live, INT64_MAX);
    grpc_server_destroy(host->server);
    arb_grpc_wait_reset(&host->shut_down);
    arb_grpc_wait_reset(&host->slots_back);
    arb_rpc_server_reset(server);
    arb_free(host->slots);
    arb_free(host);
}

static const arb_rpc_server_kind grpc_kind = {.stop = stop, .destroy = destroy};

static arb_code start(grpc_host *host, const arb_rpc_server_options *options, arb_error *error)
{
    create_server(host, options);
    arb_code code = listen_at(host, options, error);
    grpc_server_start(host->server);
    if (code != ARB_OK)
        return code;
    size_t count = arb_grpc_queue_count(host->runtime) * slots_per_queue;
    for (size_t i = 0; i < count; i++) {
        host->slots[i] = (slot){.tag = {take_call}, .host = host};
        host->slots[i].queue = arb_grpc_queue(host->runtime, i / slots_per_queue);
        atomic_fetch_add(&host->slots_out, 1);
        ask(&host->slots[i]);
    }
    return ARB_OK;
}

arb_code arb_grpc_server_create(arb_grpc_runtime *runtime, const arb_rpc_server_options *options,
                                arb_rpc_server **out_server, arb_error *error)
{
    *out_server = NULL;
    if (options->credentials != NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "servers have no TLS yet");
    grpc_host *host = arb_alloc_zeroed(sizeof *host);
    slot *slots = arb_alloc(arb_grpc_queue_count(runtime) * slots_per_queue * sizeof *slots);
    arb_code code = host == NULL || slots == NULL ? arb_fail_memory(error, "a server", sizeof *host)
                                                  : arb_rpc_server_init(&host->base, &grpc_kind, options, error);
    if (code != ARB_OK) {
        arb_free(host);
        arb_free(slots);
        return code;
    }
    host->runtime = runtime;
    host->slots = slots;
    arb_grpc_wait_init(&host->shut_down);
    arb_grpc_wait_init(&host->slots_back);
    atomic_init(&host->slots_out, 1);
    sigset_t before;
    arb_thread_block_signals(&before);
    code = start(host, options, error);
    arb_thread_restore_signals(&before);
    if (code != ARB_OK) {
        arb_rpc_server_destroy(&host->base);
        return code;
    }
    *out_server = &host->base;
    return ARB_OK;
}
