#include "rpc/rpc_memory_transport.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "rpc/rpc_memory_pair.h"

typedef struct memory_host memory_host;
struct memory_host {
    arb_rpc_server base;
    arb_rpc_hub *hub;
    char *name;
    memory_host *next, **link;
};

typedef struct memory_route {
    arb_rpc_channel base;
    arb_rpc_hub *hub;
} memory_route;

struct arb_rpc_hub {
    pthread_mutex_t lock;
    pthread_cond_t appeared; /* a server */
    memory_host *hosts;
    arb_rpc_pair_call *waiting;
    _Atomic size_t turn;
    size_t loop_count;
    arb_rpc_loop loops[];
};

/* ---- servers ------------------------------------------------------------------------------------------------------------ */

static memory_host *find_host(arb_rpc_hub *hub, const char *name)
{
    memory_host *host = hub->hosts;
    while (host != NULL && strcmp(host->name, name) != 0)
        host = host->next;
    return host;
}

static void unlink_waiting(arb_rpc_pair_call *pair)
{
    *pair->link = pair->next;
    if (pair->next != NULL)
        pair->next->link = pair->link;
}

static void arrive(arb_rpc_pair_call *pair, memory_host *host)
{
    (void)!arb_rpc_live_add(&host->base.live, &pair->server.base); /* never closed */
    arb_rpc_pair_arrive(pair, &host->base);
}

static void stop(arb_rpc_server *server)
{
    memory_host *host = (memory_host *)server;
    pthread_mutex_lock(&host->hub->lock);
    *host->link = host->next;
    if (host->next != NULL)
        host->next->link = host->link;
    pthread_mutex_unlock(&host->hub->lock);
}

static void destroy_server(arb_rpc_server *server)
{
    memory_host *host = (memory_host *)server;
    arb_rpc_server_reset(server);
    arb_free(host->name);
    arb_free(host);
}

static const arb_rpc_server_kind memory_server = {.stop = stop, .destroy = destroy_server};

static arb_code open_host(arb_rpc_hub *hub, memory_host *host, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&hub->lock);
    if (find_host(hub, host->name) != NULL) {
        code = arb_fail(error, ARB_CONFIGURATION, "there is a server named %s already", host->name);
    } else {
        host->next = hub->hosts;
        host->link = &hub->hosts;
        if (host->next != NULL)
            host->next->link = &host->next;
        hub->hosts = host;
        for (arb_rpc_pair_call *pair = hub->waiting, *next; pair != NULL; pair = next) {
            next = pair->next;
            if (strcmp(pair->name, host->name) != 0)
                continue;
            unlink_waiting(pair);
            arrive(pair, host);
        }
        pthread_cond_broadcast(&hub->appeared);
    }
    pthread_mutex_unlock(&hub->lock);
    return code;
}

arb_code arb_rpc_memory_server_create(arb_rpc_hub *hub, const char *name, const arb_rpc_server_options *options,
                                      arb_rpc_server **out_server, arb_error *error)
{
    *out_server = NULL;
    memory_host *host = arb_alloc_zeroed(sizeof *host);
    char *copy = arb_strndup(name, strlen(name));
    arb_code code = host == NULL || copy == NULL ? arb_fail_memory(error, "a server", sizeof *host)
                                                 : arb_rpc_server_init(&host->base, &memory_server, options, error);
    if (code != ARB_OK) {
        arb_free(host);
        arb_free(copy);
        return code;
    }
    host->hub = hub;
    host->name = copy;
    code = open_host(hub, host, error);
    if (code != ARB_OK) {
        destroy_server(&host->base);
        return code;
    }
    *out_server = &host->base;
    return ARB_OK;
}

/* ---- channels ----------------------------------------------------------------------------------------------------------- */

void arb_rpc_hub_connect(arb_rpc_pair_call *pair)
{
    arb_rpc_hub *hub = pair->hub;
    pthread_mutex_lock(&hub->lock);
    memory_host *host = find_host(hub, pair->name);
    bool waits = host == NULL && pair->client.base.wait_for_ready;
    if (host != NULL) {
        arrive(pair, host);
    } else if (waits) {
        pair->state = PAIR_WAITING;
        pair->next = hub->waiting;
        pair->link = &hub->waiting;
        if (pair->next != NULL)
            pair->next->link = &pair->next;
        hub->waiting = pair;
    }
    pthread_mutex_unlock(&hub->lock);
    if (host == NULL && !waits) {
        char why[128];
        snprintf(why, sizeof why, "there is no server named %.80s", pair->name);
        arb_rpc_pair_fail(pair, ARB_CONNECTION_FAILED, why);
    }
}

void arb_rpc_hub_leave(arb_rpc_pair_call *pair)
{
    pthread_mutex_lock(&pair->hub->lock);
    if (pair->state == PAIR_WAITING)
        unlink_waiting(pair);
    bool apart = pair->state != PAIR_ARRIVING;
    pthread_mutex_unlock(&pair->hub->lock);
    if (apart)
        arb_rpc_call_unref(&pair->server.base);
}

static arb_rpc_loop *next_loop(arb_rpc_hub *hub)
{
    size_t turn = atomic_fetch_add_explicit(&hub->turn, 1, memory_order_relaxed);
    return &hub->loops[turn % hub->loop_count];
}

static arb_code create_call(arb_rpc_channel *channel, const arb_rpc_call_options *options, arb_rpc_call **out_call,
                            arb_error *error)
{
    (void)options;
    memory_route *route = (memory_route *)channel;
    arb_rpc_pair_call *pair;
    ARB_TRY(
        arb_rpc_pair_create(route->hub, channel->target, next_loop(route->hub), next_loop(route->hub), &pair, error));
    pair->to_client = channel->limits.message_bytes;
    pair->headers_to_client = channel->limits.metadata_bytes;
    *out_call = &pair->client.base;
    return ARB_OK;
}

static arb_code wait_ready(arb_rpc_channel *channel, int64_t deadline_ns, arb_error *error)
{
    arb_rpc_hub *hub = ((memory_route *)channel)->hub;
    const struct timespec until = {deadline_ns / 1000000000, deadline_ns % 1000000000};
    int failure = 0;
    pthread_mutex_lock(&hub->lock);
    while (find_host(hub, channel->target) == NULL && failure != ETIMEDOUT)
        failure = pthread_cond_timedwait(&hub->appeared, &hub->lock, &until);
    bool found = find_host(hub, channel->target) != NULL;
    pthread_mutex_unlock(&hub->lock);
    return found ? ARB_OK
                 : arb_fail(error, ARB_DEADLINE_EXCEEDED, "the server at %s could not be reached in time",
                            channel->target);
}

static void destroy_channel(arb_rpc_channel *channel)
{
    arb_rpc_channel_reset(channel);
    arb_free(channel);
}

static const arb_rpc_channel_kind memory_channel = {
    .create_call = create_call,
    .wait_ready = wait_ready,
    .destroy = destroy_channel,
};

arb_code arb_rpc_memory_channel_create(arb_rpc_hub *hub, const char *name, const arb_rpc_channel_options *options,
                                       arb_rpc_channel **out_channel, arb_error *error)
{
    static const arb_rpc_channel_options usual = {0};
    options = options != NULL ? options : &usual;
    *out_channel = NULL;
    memory_route *route = arb_alloc_zeroed(sizeof *route);
    if (route == NULL)
        return arb_fail_memory(error, "a channel", sizeof *route);
    arb_code code = arb_rpc_channel_init(&route->base, &memory_channel, name, options, error);
    if (code != ARB_OK) {
        arb_free(route);
        return code;
    }
    route->hub = hub;
    *out_channel = &route->base;
    return ARB_OK;
}

/* ---- the hub ------------------------------------------------------------------------------------------------------------ */

arb_code arb_rpc_hub_create(unsigned threads, arb_rpc_hub **out_hub, arb_error *error)
{
    size_t count = threads != 0 ? threads : 2, size = sizeof(arb_rpc_hub) + count * sizeof(arb_rpc_loop);
    pthread_condattr_t attributes;
    *out_hub = NULL;
    arb_rpc_hub *hub = arb_alloc_zeroed(size);
    if (hub == NULL)
        return arb_fail_memory(error, "a hub", size);
    pthread_mutex_init(&hub->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&hub->appeared, &attributes);
    pthread_condattr_destroy(&attributes);
    for (; hub->loop_count < count; hub->loop_count++) {
        char name[24];
        snprintf(name, sizeof name, "arb-mem-%u", (unsigned)hub->loop_count);
        arb_code code = arb_rpc_loop_start(&hub->loops[hub->loop_count], name, error);
        if (code != ARB_OK) {
            arb_rpc_hub_destroy(hub);
            return code;
        }
    }
    *out_hub = hub;
    return ARB_OK;
}

void arb_rpc_hub_destroy(arb_rpc_hub *hub)
{
    if (hub == NULL)
        return;
    assert(hub->hosts == NULL && hub->waiting == NULL);
    for (size_t i = 0; i < hub->loop_count; i++)
        arb_rpc_loop_stop(&hub->loops[i]);
    pthread_cond_destroy(&hub->appeared);
    pthread_mutex_destroy(&hub->lock);
    arb_free(hub);
}
