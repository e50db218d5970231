#include "rpc/rpc_stream.h"

#include <pthread.h>

#include "base/alloc.h"
#include "rpc/rpc_queue.h"

struct arb_rpc_stream {
    arb_rpc_call *call;
    size_t window;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    arb_rpc_queue received;
    bool stalled; /* nothing is asked for: enough waits */
    bool done;
    bool half_closed; /* the sender's */
    arb_error outcome;
};

static void on_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    arb_rpc_stream *stream = context;
    pthread_mutex_lock(&stream->lock);
    bool kept = arb_rpc_queue_push(&stream->received, message);
    if (kept)
        arb_rpc_message_ref(message);
    else
        (void)arb_fail_memory(&stream->outcome, "messages received", message->size);
    stream->stalled = kept && stream->received.bytes >= stream->window;
    bool more = kept && !stream->stalled;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    if (more)
        arb_rpc_read(call);
    else if (!kept)
        arb_rpc_cancel(call);
}

static void on_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    arb_rpc_stream *stream = context;
    pthread_mutex_lock(&stream->lock);
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

static void on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    arb_rpc_stream *stream = context;
    pthread_mutex_lock(&stream->lock);
    if (stream->outcome.code == ARB_OK)
        stream->outcome = *outcome;
    stream->done = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

static const arb_rpc_events stream_events = {
    .on_message = on_message,
    .on_writable = on_writable,
    .on_done = on_done,
};

static void free_stream(arb_rpc_stream *stream)
{
    arb_rpc_queue_reset(&stream->received);
    arb_rpc_call_unref(stream->call);
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->lock);
    arb_free(stream);
}

arb_code arb_rpc_stream_open(arb_rpc_channel *channel, const arb_rpc_call_options *options,
                             const arb_rpc_metadata *headers, size_t window, arb_rpc_stream **out_stream,
                             arb_error *error)
{
    *out_stream = NULL;
    arb_rpc_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL)
        return arb_fail_memory(error, "a call", sizeof *stream);
    stream->window = window;
    pthread_mutex_init(&stream->lock, NULL);
    pthread_cond_init(&stream->changed, NULL);
    arb_code code = arb_rpc_channel_call(channel, options, &stream_events, stream, &stream->call, error);
    for (size_t i = 0; code == ARB_OK && headers != NULL && i < headers->size; i++)
        code = arb_rpc_add_header(stream->call, headers->data[i].name, headers->data[i].value, error);
    if (code != ARB_OK) {
        free_stream(stream);
        return code;
    }
    arb_rpc_read(stream->call);
    arb_rpc_begin(arb_rpc_call_ref(stream->call));
    *out_stream = stream;
    return ARB_OK;
}

static arb_code end_of_call(const arb_rpc_stream *stream, arb_error *error)
{
    if (error != NULL)
        *error = stream->outcome;
    return stream->outcome.code;
}

/* Its error, or that it ended without waiting for what was to be sent. The outcome lies behind what the server sent, so all of
 * that is read now; it sends nothing new, and what it has sent is bounded by windows. */
static arb_code ended_early(arb_rpc_stream *stream, arb_error *error)
{
    pthread_mutex_lock(&stream->lock);
    bool more = stream->stalled;
    stream->stalled = false;
    stream->window = SIZE_MAX;
    pthread_mutex_unlock(&stream->lock);
    if (more)
        arb_rpc_read(stream->call);
    pthread_mutex_lock(&stream->lock);
    while (!stream->done)
        pthread_cond_wait(&stream->changed, &stream->lock);
    arb_code code = end_of_call(stream, error);
    pthread_mutex_unlock(&stream->lock);
    return code != ARB_OK ? code : arb_fail(error, ARB_CANCELLED, "the server has ended the call");
}

arb_code arb_rpc_stream_send(arb_rpc_stream *stream, arb_rpc_message *message, arb_error *error)
{
    assert(!stream->half_closed);
    pthread_mutex_lock(&stream->lock);
    while (!stream->done && !arb_rpc_writable(stream->call))
        pthread_cond_wait(&stream->changed, &stream->lock);
    pthread_mutex_unlock(&stream->lock);
    arb_code code = arb_rpc_send(stream->call, message, error);
    return code == ARB_CANCELLED ? ended_early(stream, error) : code;
}

void arb_rpc_stream_half_close(arb_rpc_stream *stream)
{
    stream->half_closed = true;
    arb_rpc_half_close(stream->call);
}

arb_code arb_rpc_stream_receive(arb_rpc_stream *stream, arb_rpc_message **out_message, arb_error *error)
{
    arb_code code = ARB_OK;
    bool more = false;
    pthread_mutex_lock(&stream->lock);
    while (arb_rpc_queue_is_empty(&stream->received) && !stream->done)
        pthread_cond_wait(&stream->changed, &stream->lock);
    *out_message = arb_rpc_queue_pop(&stream->received);
    if (*out_message != NULL) {
        more = stream->stalled && (stream->received.bytes < stream->window || stream->received.bytes == 0);
        stream->stalled &= !more;
    } else {
        code = end_of_call(stream, error);
    }
    pthread_mutex_unlock(&stream->lock);
    if (more)
        arb_rpc_read(stream->call);
    return code;
}

const arb_rpc_call *arb_rpc_stream_call(const arb_rpc_stream *stream)
{
    return stream->call;
}

void arb_rpc_stream_cancel(arb_rpc_stream *stream)
{
    arb_rpc_cancel(stream->call);
}

void arb_rpc_stream_close(arb_rpc_stream *stream)
{
    if (stream == NULL)
        return;
    arb_rpc_cancel(stream->call);
    pthread_mutex_lock(&stream->lock);
    while (!stream->done)
        pthread_cond_wait(&stream->changed, &stream->lock);
    pthread_mutex_unlock(&stream->lock);
    free_stream(stream);
}
