/* rpc_memory_pair.c: moving messages between the two ends of a call.
 *
 * In each direction one message lies in a slot until it is read; the one behind it is pending, and its sender is told that it
 * was sent once it moves into the slot. So a sender is held up as by a network's flow control. A good end waits until the slot
 * is empty; a bad one does not. From a server's end on, nothing is taken from its client any more. */
#include "rpc/rpc_memory_pair.h"

#include "base/alloc.h"
#include "rpc/rpc_status.h"

static arb_rpc_memory_end *end_of(arb_rpc_call *call)
{
    return (arb_rpc_memory_end *)call;
}

static arb_rpc_memory_end *other(arb_rpc_memory_end *end)
{
    return end == &end->pair->client ? &end->pair->server : &end->pair->client;
}

/* ---- answers to the call, each on its end's thread ---------------------------------------------------------------------- */

static void run_got_headers(arb_rpc_event *event)
{
    arb_rpc_memory_end *end = ARB_CONTAINER_OF(event, arb_rpc_memory_end, got_headers);
    if (end->headers_ok)
        end->base.headers_in = other(end)->base.headers_out; /* which lives as long as the pair */
    arb_rpc_call_got_headers(&end->base, end->headers_ok);
}

static void run_sent(arb_rpc_event *event)
{
    arb_rpc_memory_end *end = ARB_CONTAINER_OF(event, arb_rpc_memory_end, sent);
    arb_rpc_call_sent(&end->base, end->sent_ok);
}

static void run_received(arb_rpc_event *event)
{
    arb_rpc_memory_end *end = ARB_CONTAINER_OF(event, arb_rpc_memory_end, received);
    arb_rpc_message *message = end->arrived;
    end->arrived = NULL;
    arb_rpc_call_received(&end->base, message, end->received_ok);
}

static void run_closed(arb_rpc_event *event)
{
    arb_rpc_memory_end *end = ARB_CONTAINER_OF(event, arb_rpc_memory_end, closed);
    if (end->base.is_client && other(end)->last)
        end->base.trailers_in = other(end)->base.trailers_out;
    arb_rpc_call_closed(&end->base, &end->outcome);
}

/* With the pair's lock held. */
static void answer_headers(arb_rpc_memory_end *client, bool ok)
{
    if (client->headers_due) {
        client->headers_due = false;
        client->headers_ok = ok;
        arb_rpc_loop_post(client->loop, &client->got_headers);
    }
}

static void answer_sent(arb_rpc_memory_end *end, bool ok)
{
    if (end->sending) {
        end->sending = false;
        end->sent_ok = ok;
        arb_rpc_loop_post(end->loop, &end->sent);
    }
}

static void answer_received(arb_rpc_memory_end *end, arb_rpc_message *message, bool ok)
{
    assert(end->receiving);
    end->receiving = false;
    end->received_ok = ok;
    end->arrived = message;
    arb_rpc_loop_post(end->loop, &end->received);
}

/* ---- the way of messages ------------------------------------------------------------------------------------------------ */

/* What must be let go of without the lock. */
typedef struct dropped {
    arb_rpc_message *messages[4];
} dropped;

static void drop(dropped *d)
{
    for (size_t i = 0; i < ARB_COUNT_OF(d->messages); i++)
        arb_rpc_message_unref(d->messages[i]);
}

static void end_one(arb_rpc_memory_end *end, const arb_error *outcome)
{
    if (!end->started)
        return;
    answer_headers(end, false);
    answer_sent(end, false);
    if (end->receiving)
        answer_received(end, NULL, false);
    end->outcome = *outcome;
    arb_rpc_loop_post(end->loop, &end->closed);
}

static void end_both(arb_rpc_pair_call *pair, const arb_error *to_client, const arb_error *to_server, dropped *d)
{
    pair->over = true;
    *d = (dropped){{pair->client.slot, pair->client.pending, pair->server.slot, pair->server.pending}};
    pair->client.slot = pair->client.pending = pair->server.slot = pair->server.pending = NULL;
    end_one(&pair->client, to_client);
    end_one(&pair->server, to_server);
}

static void fail_both(arb_rpc_pair_call *pair, arb_code code, const char *why, dropped *d)
{
    arb_error to_client = {0}, to_server = {0};
    (void)arb_fail(&to_client, code, "%s", why);
    (void)arb_fail(&to_server, ARB_CANCELLED, "the client went away, cancelled the call or ran into its deadline");
    end_both(pair, &to_client, &to_server, d);
}

static void end_well(arb_rpc_pair_call *pair, dropped *d)
{
    const arb_rpc_call *server = &pair->server.base;
    arb_error to_client = {0}, to_server = {0};
    (void)arb_rpc_error_read(arb_code_grpc_status(server->status.code), arb_str_of(server->status.message),
                             server->details, &to_client);
    end_both(pair, &to_client, &to_server, d);
}

/* Move on what can be moved from an end to the other. */
static void flow(arb_rpc_memory_end *from, dropped *d)
{
    arb_rpc_pair_call *pair = from->pair;
    arb_rpc_memory_end *to = other(from);
    if (!pair->connected || pair->over)
        return;
    for (int round = 0; round < 2; round++) {
        if (from->slot != NULL && to->receiving) {
            answer_received(to, from->slot, true);
            from->slot = NULL;
        }
        if (from->pending != NULL && from->slot == NULL) {
            from->slot = from->pending;
            from->pending = NULL;
            if (!from->pending_last)
                answer_sent(from, true);
        }
    }
    if (from->pending_last && from->pending == NULL && (from->slot == NULL || from->is_bad)) {
        from->pending_last = false;
        from->last = true;
        answer_sent(from, true);
    }
    if (!from->last)
        return;
    if (from == &pair->server)
        end_well(pair, d);
    else if (to->receiving && from->slot == NULL)
        answer_received(to, NULL, true);
}

static bool is_too_large(size_t size, int limit)
{
    return limit >= 0 && size > (size_t)limit;
}

static const char *breach(const arb_rpc_memory_end *from, const arb_rpc_outgoing *outgoing)
{
    const arb_rpc_pair_call *pair = from->pair;
    bool is_client = from->base.is_client;
    if (outgoing->message != NULL &&
        is_too_large(outgoing->message->size, is_client ? pair->to_server : pair->to_client))
        return "a message was larger than the receiver takes";
    if (!is_client &&
        ((outgoing->headers && is_too_large(arb_rpc_metadata_size(&from->base.headers_out), pair->headers_to_client)) ||
         (outgoing->last && is_too_large(arb_rpc_metadata_size(&from->base.trailers_out), pair->headers_to_client))))
        return "the metadata was larger than the receiver takes";
    return NULL;
}

/* What a client wants to send has nobody to take it. */
static void refuse(arb_rpc_memory_end *client, dropped *d)
{
    d->messages[0] = client->pending;
    client->pending = NULL;
    client->pending_last = false;
    answer_sent(client, false);
}

static void memory_send(arb_rpc_call *call, const arb_rpc_outgoing *outgoing)
{
    arb_rpc_memory_end *end = end_of(call);
    arb_rpc_pair_call *pair = end->pair;
    dropped d = {0};
    pthread_mutex_lock(&pair->lock);
    end->sending = true;
    const char *why = pair->connected ? breach(end, outgoing) : NULL;
    if (pair->over || (call->is_client && pair->server.pending_last)) {
        answer_sent(end, false);
    } else if (why != NULL) {
        fail_both(pair, ARB_RESOURCES_EXHAUSTED, why, &d);
    } else {
        end->pending = outgoing->message != NULL ? arb_rpc_message_ref(outgoing->message) : NULL;
        end->pending_last = outgoing->last;
        end->is_bad = outgoing->last && call->status.code != ARB_OK;
        if (outgoing->headers && !call->is_client)
            answer_headers(other(end), true);
        if (outgoing->message == NULL && !outgoing->last)
            answer_sent(end, true);
        flow(end, &d);
        if (outgoing->last && !call->is_client && !pair->over)
            refuse(&pair->client, &d);
    }
    pthread_mutex_unlock(&pair->lock);
    drop(&d);
    if (outgoing->headers && call->is_client)
        arb_rpc_hub_connect(pair);
}

static void memory_receive(arb_rpc_call *call)
{
    arb_rpc_memory_end *end = end_of(call);
    dropped d = {0};
    pthread_mutex_lock(&end->pair->lock);
    end->receiving = true;
    if (end->pair->over)
        answer_received(end, NULL, false);
    else
        flow(other(end), &d);
    pthread_mutex_unlock(&end->pair->lock);
    drop(&d);
}

/* ---- begin and end ------------------------------------------------------------------------------------------------------ */

void arb_rpc_pair_fail(arb_rpc_pair_call *pair, arb_code code, const char *why)
{
    dropped d = {0};
    pthread_mutex_lock(&pair->lock);
    if (!pair->over)
        fail_both(pair, code, why, &d);
    pthread_mutex_unlock(&pair->lock);
    drop(&d);
}

static void memory_cancel(arb_rpc_call *call, arb_code code, const char *why)
{
    arb_rpc_pair_fail(end_of(call)->pair, code, why);
}

static void run_deadline(arb_rpc_timer *timer)
{
    arb_rpc_pair_call *pair = ARB_CONTAINER_OF(timer, arb_rpc_pair_call, deadline);
    arb_rpc_pair_fail(pair, ARB_DEADLINE_EXCEEDED, "the deadline has passed");
    arb_rpc_call_unref(&pair->client.base);
}

static void memory_start(arb_rpc_call *call)
{
    arb_rpc_memory_end *end = end_of(call);
    arb_rpc_pair_call *pair = end->pair;
    pthread_mutex_lock(&pair->lock);
    end->started = true;
    end->headers_due = call->is_client;
    if (pair->over) { /* it was cancelled just now */
        answer_headers(end, false);
        (void)arb_fail(&end->outcome, ARB_CANCELLED, "the call was cancelled");
        arb_rpc_loop_post(end->loop, &end->closed);
    }
    pthread_mutex_unlock(&pair->lock);
    if (call->is_client && call->deadline_ns != ARB_RPC_NO_DEADLINE) {
        arb_rpc_call_ref(call); /* the timer's */
        arb_rpc_loop_set(end->loop, &pair->deadline, call->deadline_ns);
    }
}

static void run_arrive(arb_rpc_event *event)
{
    arb_rpc_pair_call *pair = ARB_CONTAINER_OF(event, arb_rpc_pair_call, arrive);
    arb_rpc_call *server = &pair->server.base;
    dropped d = {0};
    pthread_mutex_lock(&pair->lock);
    if (!pair->over) {
        const arb_rpc_limits *limits = &pair->host->limits;
        const arb_rpc_call *client = &pair->client.base;
        pair->connected = true;
        pair->to_server = limits->message_bytes;
        pair->headers_to_server = limits->metadata_bytes;
        server->headers_in = client->headers_out;
        server->method = client->method;
        server->deadline_ns = client->deadline_ns;
        server->window = limits->send_window;
        const arb_rpc_message *first = pair->client.pending;
        if (is_too_large(arb_rpc_metadata_size(&server->headers_in), pair->headers_to_server))
            fail_both(pair, ARB_RESOURCES_EXHAUSTED, "the metadata was larger than the receiver takes", &d);
        else if (first != NULL && is_too_large(first->size, pair->to_server))
            fail_both(pair, ARB_RESOURCES_EXHAUSTED, "a message was larger than the receiver takes", &d);
        else
            flow(&pair->client, &d);
    }
    bool over = pair->over;
    pthread_mutex_unlock(&pair->lock);
    drop(&d);
    if (over)
        arb_rpc_call_unref(server);
    else
        arb_rpc_server_serve(pair->host, server);
}

void arb_rpc_pair_arrive(arb_rpc_pair_call *pair, arb_rpc_server *host)
{
    pair->host = host;
    pair->state = PAIR_ARRIVING;
    arb_rpc_loop_post(pair->server.loop, &pair->arrive);
}

static void memory_release(arb_rpc_call *call)
{
    arb_rpc_pair_call *pair = end_of(call)->pair;
    if (!call->is_client)
        return;
    if (arb_rpc_loop_unset(pair->client.loop, &pair->deadline))
        arb_rpc_call_unref(call);
    arb_rpc_hub_leave(pair);
}

static void memory_destroy(arb_rpc_call *call)
{
    arb_rpc_pair_call *pair = end_of(call)->pair;
    if (atomic_fetch_sub_explicit(&pair->ends, 1, memory_order_acq_rel) != 1)
        return;
    arb_rpc_call_reset(&pair->client.base);
    arb_rpc_call_reset(&pair->server.base);
    pthread_mutex_destroy(&pair->lock);
    arb_free(pair);
}

static const arb_rpc_transport memory_transport = {
    .start = memory_start,
    .send = memory_send,
    .receive = memory_receive,
    .cancel = memory_cancel,
    .release = memory_release,
    .destroy = memory_destroy,
};

static void init_end(arb_rpc_pair_call *pair, arb_rpc_memory_end *end, arb_rpc_loop *loop)
{
    arb_rpc_call_init(&end->base, &memory_transport, end == &pair->client);
    end->pair = pair;
    end->loop = loop;
    end->got_headers.run = run_got_headers;
    end->sent.run = run_sent;
    end->received.run = run_received;
    end->closed.run = run_closed;
}

arb_code arb_rpc_pair_create(arb_rpc_hub *hub, const char *name, arb_rpc_loop *client_loop, arb_rpc_loop *server_loop,
                             arb_rpc_pair_call **out_pair, arb_error *error)
{
    arb_rpc_pair_call *pair = arb_alloc_zeroed(sizeof *pair);
    if (pair == NULL)
        return arb_fail_memory(error, "a call", sizeof *pair);
    atomic_init(&pair->ends, 2);
    pthread_mutex_init(&pair->lock, NULL);
    pair->hub = hub;
    pair->name = name;
    pair->arrive.run = run_arrive;
    pair->deadline.run = run_deadline;
    init_end(pair, &pair->client, client_loop);
    init_end(pair, &pair->server, server_loop);
    *out_pair = pair;
    return ARB_OK;
}
