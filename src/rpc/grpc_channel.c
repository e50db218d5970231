#include "rpc/grpc_channel.h"

#include <grpc/grpc_security.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "rpc/grpc_events.h"
#include "rpc/rpc_channel_kind.h"

/* A server that comes back is found soon; one that does not answer is given up before other servers would be asked. */
enum { first_retry_ms = 100, longest_retry_ms = 2000, connect_ms = 5000 };

typedef struct grpc_route {
    arb_rpc_channel base;
    arb_grpc_runtime *runtime;
    grpc_channel *channel;
} grpc_route;

static grpc_route *route_of(arb_rpc_channel *channel)
{
    return (grpc_route *)channel;
}

static arb_code create_call(arb_rpc_channel *channel, const arb_rpc_call_options *options, arb_rpc_call **out_call,
                            arb_error *error)
{
    grpc_route *route = route_of(channel);
    return arb_grpc_call_create(route->channel, arb_grpc_next_queue(route->runtime), options, out_call, error);
}

static arb_code wait_ready(arb_rpc_channel *channel, int64_t deadline_ns, arb_error *error)
{
    grpc_route *route = route_of(channel);
    for (;;) {
        grpc_connectivity_state state = grpc_channel_check_connectivity_state(route->channel, 1);
        if (state == GRPC_CHANNEL_READY)
            return ARB_OK;
        arb_grpc_wait changed;
        arb_grpc_wait_init(&changed);
        grpc_channel_watch_connectivity_state(route->channel, state, arb_grpc_time(deadline_ns),
                                              arb_grpc_next_queue(route->runtime), &changed.tag);
        (void)arb_grpc_wait_for(&changed, INT64_MAX);
        bool in_time = changed.ok;
        arb_grpc_wait_reset(&changed);
        if (!in_time)
            return arb_fail(error, ARB_DEADLINE_EXCEEDED, "the server at %s could not be reached in time",
                            channel->target);
    }
}

static void destroy(arb_rpc_channel *channel)
{
    grpc_route *route = route_of(channel);
    grpc_channel_destroy(route->channel);
    arb_rpc_channel_reset(channel);
    arb_free(route);
}

static const arb_rpc_channel_kind grpc_kind = {
    .create_call = create_call,
    .wait_ready = wait_ready,
    .destroy = destroy,
};

static grpc_arg integer(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static grpc_channel *connect(const arb_rpc_channel *channel, const arb_rpc_channel_options *options)
{
    arb_rpc_keepalive keepalive = arb_rpc_keepalive_or_usual(options->keepalive, true);
    grpc_arg list[] = {
        integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, channel->limits.message_bytes),
        integer(GRPC_ARG_MAX_METADATA_SIZE, channel->limits.metadata_bytes),
        integer(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, options->own_connection),
        integer(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive.interval_ms),
        integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive.timeout_ms),
        integer(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        integer(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
        integer(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, first_retry_ms),
        integer(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, longest_retry_ms),
        integer(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, connect_ms),
        /* What comes before it is asked for is bounded. gRPC would rather measure the way and let it grow to many times what a
         * reader wants; that costs memory and, on short ways, a third of the speed. */
        integer(GRPC_ARG_HTTP2_BDP_PROBE, 0),
        integer(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, channel->limits.receive_window),
        integer(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, ARB_GRPC_NO_COMPRESSION),
        integer(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        /* Whether a call may be repeated is for its caller to know. */
        integer(GRPC_ARG_ENABLE_RETRIES, 0),
        integer(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        integer(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
    };
    grpc_channel_args arguments = {ARB_COUNT_OF(list), list};
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    sigset_t before;
    arb_thread_block_signals(&before);
    grpc_channel *connected = grpc_channel_create(channel->target, credentials, &arguments);
    arb_thread_restore_signals(&before);
    grpc_channel_credentials_release(credentials);
    return connected;
}

arb_code arb_grpc_channel_create(arb_grpc_runtime *runtime, const char *target, const arb_rpc_channel_options *options,
                                 arb_rpc_channel **out_channel, arb_error *error)
{
    static const arb_rpc_channel_options usual = {0};
    options = options != NULL ? options : &usual;
    *out_channel = NULL;
    if (options->credentials != NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "channels have no TLS yet");
    grpc_route *route = arb_alloc_zeroed(sizeof *route);
    if (route == NULL)
        return arb_fail_memory(error, "a channel", sizeof *route);
    arb_code code = arb_rpc_channel_init(&route->base, &grpc_kind, target, options, error);
    if (code != ARB_OK) {
        arb_free(route);
        return code;
    }
    route->runtime = runtime;
    route->channel = connect(&route->base, options);
    *out_channel = &route->base;
    return ARB_OK;
}
