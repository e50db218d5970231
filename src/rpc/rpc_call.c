#include "rpc/rpc_call.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "rpc/rpc_status.h"
#include "rpc/rpc_transport.h"

/* ---- lifetime ----------------------------------------------------------------------------------------------------------- */

static const arb_rpc_events no_events = {0};
enum { patience_ms = 5000 }; /* with clients that do not take an error */
static const char was_cancelled[] = "the call was cancelled";

void arb_rpc_call_init(arb_rpc_call *call, const arb_rpc_transport *transport, bool is_client)
{
    call->transport = transport;
    call->is_client = is_client;
    call->events = &no_events;
    call->deadline_ns = ARB_RPC_NO_DEADLINE;
    atomic_init(&call->references, 1);
    atomic_init(&call->users, 1);
    pthread_mutex_init(&call->lock, NULL);
}

void arb_rpc_call_reset(arb_rpc_call *call)
{
    assert(arb_rpc_queue_is_empty(&call->queue) && call->in_flight == NULL);
    arb_rpc_queue_reset(&call->queue);
    arb_arena_reset(&call->arena);
    arb_arena_reset(&call->own);
    pthread_mutex_destroy(&call->lock);
}

arb_rpc_call *arb_rpc_call_ref(arb_rpc_call *call)
{
    atomic_fetch_add_explicit(&call->references, 1, memory_order_relaxed);
    return call;
}

/* The transport is called without the lock. It must not let go of the call meanwhile: each caller is a user of it, and the
 * last one, after the end, releases it. Entered with the lock held. */
static void use_transport(arb_rpc_call *call)
{
    atomic_fetch_add_explicit(&call->users, 1, memory_order_relaxed);
}

static void release_transport(arb_rpc_call *call)
{
    arb_rpc_live *live = call->live;
    call->transport->release(call);
    if (live != NULL)
        arb_rpc_live_remove(live, call);
}

static void leave_transport(arb_rpc_call *call)
{
    arb_rpc_live *live = call->live;
    if (atomic_fetch_sub_explicit(&call->users, 1, memory_order_acq_rel) != 1)
        return;
    release_transport(call);
    arb_rpc_call_unref(call);
    /* Only now: whoever waits may then take down what carried the call. */
    if (live != NULL)
        arb_rpc_live_leave(live);
}

static void drop_queue_and_unlock(arb_rpc_call *call);

void arb_rpc_call_unref(arb_rpc_call *call)
{
    if (call == NULL || atomic_fetch_sub_explicit(&call->references, 1, memory_order_acq_rel) != 1)
        return;
    arb_rpc_live *unused = call->started ? NULL : call->live;
    if (!call->started) { /* made, but never begun */
        pthread_mutex_lock(&call->lock);
        drop_queue_and_unlock(call);
        release_transport(call);
    }
    call->transport->destroy(call);
    if (unused != NULL)
        arb_rpc_live_leave(unused);
}

/* ---- going out ---------------------------------------------------------------------------------------------------------- */

/* Messages are let go of without the lock: what they release may be anything. */
static void drop_queue_and_unlock(arb_rpc_call *call)
{
    arb_rpc_queue dropped = call->queue;
    call->queue = (arb_rpc_queue){0};
    pthread_mutex_unlock(&call->lock);
    arb_rpc_queue_reset(&dropped);
}

static bool has_room(const arb_rpc_call *call)
{
    return call->queue.bytes + (call->in_flight != NULL ? call->in_flight->size : 0) < call->window;
}

static bool next_outgoing(arb_rpc_call *call, arb_rpc_outgoing *out)
{
    *out = (arb_rpc_outgoing){0};
    if (!call->started || call->ended || call->sending || call->close_sent)
        return false;
    out->message = call->in_flight = arb_rpc_queue_pop(&call->queue);
    out->last = call->close_wanted && arb_rpc_queue_is_empty(&call->queue);
    out->headers = !call->headers_sent && (call->headers_wanted || out->message != NULL || out->last);
    return out->message != NULL || out->last || out->headers;
}

/* Give the transport what there is to send. Entered with the lock held, left without. */
static void pump_and_unlock(arb_rpc_call *call)
{
    arb_rpc_outgoing outgoing;
    bool any = next_outgoing(call, &outgoing);
    if (any) {
        call->sending = true;
        call->headers_sent |= outgoing.headers;
        call->close_sent |= outgoing.last;
        call->operations++;
        use_transport(call);
    }
    pthread_mutex_unlock(&call->lock);
    if (any) {
        call->transport->send(call, &outgoing);
        leave_transport(call);
    }
}

arb_code arb_rpc_send(arb_rpc_call *call, arb_rpc_message *message, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&call->lock);
    if (call->ended || call->close_wanted || call->send_failed)
        code = arb_fail(error, ARB_CANCELLED, "the call is over: nothing can be sent any more");
    else if (!arb_rpc_queue_push(&call->queue, message))
        code = arb_fail_memory(error, "messages to be sent", sizeof message);
    if (code == ARB_OK) {
        pump_and_unlock(call);
    } else {
        pthread_mutex_unlock(&call->lock);
        arb_rpc_message_unref(message);
    }
    return code;
}

bool arb_rpc_writable(arb_rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    bool writable = has_room(call) && !call->ended;
    call->starved |= !writable;
    pthread_mutex_unlock(&call->lock);
    return writable;
}

void arb_rpc_send_headers(arb_rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    call->headers_wanted = true;
    pump_and_unlock(call);
}

void arb_rpc_half_close(arb_rpc_call *call)
{
    assert(call->is_client);
    pthread_mutex_lock(&call->lock);
    call->close_wanted = true;
    pump_and_unlock(call);
}

static arb_code add_metadata(arb_rpc_call *call, arb_rpc_metadata *to, const bool *sent, arb_str name, arb_str value,
                             arb_error *error)
{
    pthread_mutex_lock(&call->lock);
    arb_code code = *sent
                        ? arb_fail(error, ARB_INTERNAL, "it is too late for \"%.*s\": it has gone", ARB_STR_ARGS(name))
                        : arb_rpc_metadata_add(to, &call->own, name, value, error);
    pthread_mutex_unlock(&call->lock);
    return code;
}

arb_code arb_rpc_add_header(arb_rpc_call *call, arb_str name, arb_str value, arb_error *error)
{
    return add_metadata(call, &call->headers_out, &call->headers_sent, name, value, error);
}

arb_code arb_rpc_add_trailer(arb_rpc_call *call, arb_str name, arb_str value, arb_error *error)
{
    assert(!call->is_client);
    return add_metadata(call, &call->trailers_out, &call->close_wanted, name, value, error);
}

/* What goes with a bad end. Without memory it goes without. */
static void keep_status(arb_rpc_call *call, arb_code code, const arb_error *error)
{
    arb_text details = {0};
    if (error != NULL)
        call->status = *error;
    call->status.code = code;
    if (call->status.message[0] == '\0')
        snprintf(call->status.message, sizeof call->status.message, "%s", arb_code_name(code));
    if (arb_rpc_details_write(&call->status, &details, NULL) == ARB_OK)
        call->details = arb_str_copy(&call->own, arb_text_view(&details));
    arb_text_reset(&details);
}

static void lose_patience(arb_rpc_timer *timer)
{
    arb_rpc_call *call = ARB_CONTAINER_OF(timer, arb_rpc_call, patience);
    pthread_mutex_lock(&call->lock);
    bool late = !call->closed;
    pthread_mutex_unlock(&call->lock);
    if (late)
        call->transport->cancel(call, call->status.code, call->status.message);
    leave_transport(call);
}

/* A client that does not read what is on its way to it would keep the call, and all that it holds, for ever. Entered with the
 * lock held. */
static void bound_end(arb_rpc_call *call)
{
    if (call->live == NULL || call->live->patience == NULL)
        return;
    use_transport(call);
    call->bounded = true;
    call->patience.run = lose_patience;
    arb_rpc_loop_set(call->live->patience, &call->patience, arb_clock_monotonic_ns() + patience_ms * (int64_t)1000000);
}

void arb_rpc_finish(arb_rpc_call *call, arb_code code, const arb_error *error)
{
    assert(!call->is_client);
    pthread_mutex_lock(&call->lock);
    if (call->close_wanted || call->ended) {
        pthread_mutex_unlock(&call->lock);
        return;
    }
    call->close_wanted = true;
    if (code != ARB_OK) {
        keep_status(call, code, error);
        bound_end(call);
        drop_queue_and_unlock(call);
        pthread_mutex_lock(&call->lock);
    }
    pump_and_unlock(call);
}

void arb_rpc_cancel(arb_rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    bool may = call->started && !call->done;
    call->cancel_wanted |= !call->started;
    if (may)
        use_transport(call);
    pthread_mutex_unlock(&call->lock);
    if (!may)
        return;
    call->transport->cancel(call, ARB_CANCELLED, was_cancelled);
    leave_transport(call);
}

/* ---- coming in ---------------------------------------------------------------------------------------------------------- */

static void receive_and_unlock(arb_rpc_call *call)
{
    bool may = call->started && call->read_wanted && !call->reading && !call->ended;
    call->read_wanted &= !call->started;
    if (may) {
        call->reading = true;
        call->operations++;
        use_transport(call);
    }
    pthread_mutex_unlock(&call->lock);
    if (may) {
        call->transport->receive(call);
        leave_transport(call);
    }
}

void arb_rpc_read(arb_rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    call->read_wanted = true;
    receive_and_unlock(call);
}

/* After each answer of the transport, on the call's thread: is this the end? */
static void settle(arb_rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    bool done = call->closed && call->operations == 0 && !call->done;
    call->done |= done;
    pthread_mutex_unlock(&call->lock);
    if (!done)
        return;
    if (call->events->on_done != NULL)
        call->events->on_done(call, call->context, &call->outcome);
    leave_transport(call);
}

void arb_rpc_call_got_headers(arb_rpc_call *call, bool ok)
{
    pthread_mutex_lock(&call->lock);
    call->operations--;
    pthread_mutex_unlock(&call->lock);
    if (ok && call->events->on_headers != NULL)
        call->events->on_headers(call, call->context);
    settle(call);
}

void arb_rpc_call_sent(arb_rpc_call *call, bool ok)
{
    pthread_mutex_lock(&call->lock);
    arb_rpc_message *message = call->in_flight;
    call->in_flight = NULL;
    call->operations--;
    call->sending = false;
    call->send_failed |= !ok;
    /* A client's call that can send no more may go on until what has come was read: its sender must not wait for that. */
    bool tell = call->starved && !call->ended && !call->close_wanted && (!ok || has_room(call));
    call->starved &= !tell;
    if (ok)
        pump_and_unlock(call);
    else
        drop_queue_and_unlock(call);
    arb_rpc_message_unref(message);
    if (tell && call->events->on_writable != NULL)
        call->events->on_writable(call, call->context);
    settle(call);
}

void arb_rpc_call_received(arb_rpc_call *call, arb_rpc_message *message, bool ok)
{
    pthread_mutex_lock(&call->lock);
    call->operations--;
    call->reading = false;
    /* A server that has said how the call ends hears no more of it. A client's last message may come behind its end. */
    bool tell = call->is_client || !(call->close_wanted || call->ended);
    pthread_mutex_unlock(&call->lock);
    if (tell && message != NULL && call->events->on_message != NULL)
        call->events->on_message(call, call->context, message);
    if (tell && message == NULL && ok && !call->is_client && call->events->on_half_close != NULL)
        call->events->on_half_close(call, call->context);
    arb_rpc_message_unref(message);
    settle(call);
}

void arb_rpc_call_closed(arb_rpc_call *call, const arb_error *outcome)
{
    pthread_mutex_lock(&call->lock);
    call->operations--;
    call->outcome = *outcome;
    call->closed = call->ended = true;
    bool bounded = call->bounded;
    drop_queue_and_unlock(call);
    if (bounded && arb_rpc_loop_unset(call->live->patience, &call->patience))
        leave_transport(call);
    settle(call);
}

/* ---- beginning ---------------------------------------------------------------------------------------------------------- */

static void start(arb_rpc_call *call, unsigned operations)
{
    pthread_mutex_lock(&call->lock);
    assert(!call->started);
    call->headers_wanted |= call->is_client;
    call->operations += operations;
    use_transport(call);
    pthread_mutex_unlock(&call->lock);
    call->transport->start(call);
    pthread_mutex_lock(&call->lock);
    call->started = true; /* what others wanted meanwhile waits until here */
    bool cancel = call->cancel_wanted;
    pump_and_unlock(call);
    pthread_mutex_lock(&call->lock);
    receive_and_unlock(call);
    if (cancel)
        call->transport->cancel(call, ARB_CANCELLED, was_cancelled);
    leave_transport(call);
}

void arb_rpc_begin(arb_rpc_call *call)
{
    assert(call->is_client);
    start(call, 2);
}

void arb_rpc_call_accept(arb_rpc_call *call)
{
    start(call, 1);
}

/* ---- what is known ------------------------------------------------------------------------------------------------------ */

void arb_rpc_handle(arb_rpc_call *call, const arb_rpc_events *events, void *context)
{
    call->events = events;
    call->context = context;
}

arb_str arb_rpc_method(const arb_rpc_call *call)
{
    return call->method;
}

int64_t arb_rpc_deadline_ns(const arb_rpc_call *call)
{
    return call->deadline_ns;
}

const arb_rpc_metadata *arb_rpc_request_headers(const arb_rpc_call *call)
{
    return call->is_client ? &call->headers_out : &call->headers_in;
}

const arb_rpc_metadata *arb_rpc_response_headers(const arb_rpc_call *call)
{
    return call->is_client ? &call->headers_in : &call->headers_out;
}

const arb_rpc_metadata *arb_rpc_response_trailers(const arb_rpc_call *call)
{
    return call->is_client ? &call->trailers_in : &call->trailers_out;
}

arb_code arb_rpc_set_identity(arb_rpc_call *call, arb_str identity, arb_error *error)
{
    pthread_mutex_lock(&call->lock);
    arb_str copy = arb_str_copy(&call->own, identity);
    pthread_mutex_unlock(&call->lock);
    if (copy.data == NULL)
        return arb_fail_memory(error, "the caller's name", identity.size);
    call->identity = copy;
    return ARB_OK;
}

arb_str arb_rpc_identity(const arb_rpc_call *call)
{
    return call->identity;
}

arb_arena *arb_rpc_arena(arb_rpc_call *call)
{
    return &call->arena;
}
