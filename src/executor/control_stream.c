#include "executor/control_stream.h"

#include "base/alloc.h"
#include "scheduler/control_wire.h"

static const int64_t FULL_MOST_NS = 5000000000, FINISH_MOST_NS = 1000000000;

struct arb_control_stream {
    arb_rpc_loop *loop;
    const arb_control_stream_events *events;
    void *context;
    arb_rpc_call *call; /* one count */
    arb_rpc_event received, ended;
    arb_rpc_timer patience;   /* with the end of a stream that was finished */
    arb_rpc_message *message; /* that has been received */
    arb_error outcome;
    bool closed;
    int64_t full_since; /* 0: there is room */
};

/* ---- on the call's thread ------------------------------------------------------------------------------------------------ */

/* No other one comes before the loop asks for it. */
static void on_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    (void)call;
    arb_control_stream *stream = context;
    stream->message = arb_rpc_message_ref(message);
    arb_rpc_loop_post(stream->loop, &stream->received);
}

static void on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    arb_control_stream *stream = context;
    stream->outcome = *outcome;
    arb_rpc_loop_post(stream->loop, &stream->ended);
}

/* ---- on the loop's ------------------------------------------------------------------------------------------------------- */

static void give_message(arb_control_stream *stream)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_str bytes;
    if (arb_rpc_message_bytes(stream->message, &arena, &bytes, &error) == ARB_OK)
        stream->events->message(stream->context, bytes);
    else
        arb_rpc_cancel(stream->call); /* it is lost, and so is all behind it */
    arb_arena_reset(&arena);
}

static void run_received(arb_rpc_event *event)
{
    arb_control_stream *stream = ARB_CONTAINER_OF(event, arb_control_stream, received);
    if (!stream->closed)
        give_message(stream);
    arb_rpc_message_unref(stream->message);
    stream->message = NULL;
    arb_rpc_read(stream->call); /* of a closed one, too: its end comes behind its messages */
}

static void run_ended(arb_rpc_event *event)
{
    arb_control_stream *stream = ARB_CONTAINER_OF(event, arb_control_stream, ended);
    (void)arb_rpc_loop_unset(stream->loop, &stream->patience);
    arb_rpc_call_unref(stream->call);
    stream->events->over(stream->context, stream, &stream->outcome);
    arb_free(stream);
}

static void lose_patience(arb_rpc_timer *timer)
{
    arb_rpc_cancel(ARB_CONTAINER_OF(timer, arb_control_stream, patience)->call);
}

arb_code arb_control_stream_open(arb_rpc_channel *channel, arb_rpc_loop *loop, const arb_control_stream_events *events,
                                 void *context, arb_control_stream **out_stream, arb_error *error)
{
    static const arb_rpc_events call_events = {.on_message = on_message, .on_done = on_done};
    static const arb_rpc_call_options options = {.method = ARB_CONTROL_CONNECT};
    *out_stream = NULL;
    arb_control_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL)
        return arb_fail_memory(error, "the stream to the scheduler", sizeof *stream);
    *stream = (arb_control_stream){.loop = loop,
                                   .events = events,
                                   .context = context,
                                   .received.run = run_received,
                                   .ended.run = run_ended,
                                   .patience.run = lose_patience};
    arb_code code = arb_rpc_channel_call(channel, &options, &call_events, stream, &stream->call, error);
    if (code != ARB_OK) {
        arb_free(stream);
        return code;
    }
    arb_rpc_call_ref(stream->call);
    arb_rpc_read(stream->call);
    arb_rpc_begin(stream->call);
    *out_stream = stream;
    return ARB_OK;
}

arb_code arb_control_stream_send(arb_control_stream *stream, int64_t now, arb_str bytes, arb_error *error)
{
    arb_rpc_message *message;
    if (arb_rpc_writable(stream->call))
        stream->full_since = 0;
    else if (stream->full_since == 0)
        stream->full_since = now;
    else if (now - stream->full_since >= FULL_MOST_NS)
        return arb_fail(error, ARB_CONNECTION_FAILED, "the scheduler does not take what is sent to it");
    ARB_TRY(arb_rpc_message_copy(bytes, &message, error));
    return arb_rpc_send(stream->call, message, error);
}

void arb_control_stream_close(arb_control_stream *stream)
{
    stream->closed = true;
    arb_rpc_cancel(stream->call);
}

void arb_control_stream_finish(arb_control_stream *stream, int64_t now)
{
    stream->closed = true;
    arb_rpc_half_close(stream->call);
    arb_rpc_loop_set(stream->loop, &stream->patience, now + FINISH_MOST_NS);
}
