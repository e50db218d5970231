#include "rpc/rpc_channel.h"

#include "base/alloc.h"
#include "rpc/rpc_channel_kind.h"

arb_code arb_rpc_channel_init(arb_rpc_channel *channel, const arb_rpc_channel_kind *kind, const char *target,
                              const arb_rpc_channel_options *options, arb_error *error)
{
    channel->kind = kind;
    channel->limits = arb_rpc_limits_or_usual(options->limits, true);
    channel->target = arb_strndup(target, strlen(target));
    if (channel->target == NULL)
        return arb_fail_memory(error, "a channel", strlen(target));
    arb_rpc_live_init(&channel->live);
    return ARB_OK;
}

void arb_rpc_channel_reset(arb_rpc_channel *channel)
{
    arb_rpc_live_reset(&channel->live);
    arb_free(channel->target);
}

arb_code arb_rpc_channel_call(arb_rpc_channel *channel, const arb_rpc_call_options *options,
                              const arb_rpc_events *events, void *context, arb_rpc_call **out_call, arb_error *error)
{
    arb_rpc_call *call;
    *out_call = NULL;
    ARB_TRY(channel->kind->create_call(channel, options, &call, error));
    call->deadline_ns = options->deadline_ns != 0 ? options->deadline_ns : ARB_RPC_NO_DEADLINE;
    call->wait_for_ready = options->wait_for_ready;
    call->window = channel->limits.send_window;
    call->method = arb_str_copy(&call->own, arb_str_of(options->method));
    call->target = channel->target;
    arb_rpc_handle(call, events, context);
    arb_code code = ARB_OK;
    if (call->method.data == NULL)
        code = arb_fail_memory(error, "a call", strlen(options->method));
    else if (!arb_rpc_live_add(&channel->live, call))
        code = arb_fail(error, ARB_CANCELLED, "the channel to %s is being closed", channel->target);
    if (code != ARB_OK) {
        arb_rpc_call_unref(call);
        return code;
    }
    *out_call = call;
    return ARB_OK;
}

arb_code arb_rpc_channel_wait_ready(arb_rpc_channel *channel, int64_t deadline_ns, arb_error *error)
{
    return channel->kind->wait_ready(channel, deadline_ns, error);
}

void arb_rpc_channel_destroy(arb_rpc_channel *channel)
{
    if (channel == NULL)
        return;
    arb_rpc_live_close(&channel->live);
    arb_rpc_live_cancel(&channel->live);
    (void)arb_rpc_live_wait(&channel->live, INT64_MAX);
    channel->kind->destroy(channel);
}

/* ---- one message there, one back ---------------------------------------------------------------------------------------- */

typedef struct unary {
    arb_rpc_unary_done done;
    void *context;
    arb_rpc_message *answer;
    bool twice; /* more than one came */
} unary;

static void unary_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    unary *u = context;
    u->twice = u->answer != NULL;
    if (u->twice) {
        arb_rpc_cancel(call);
        return;
    }
    u->answer = arb_rpc_message_ref(message);
    arb_rpc_read(call); /* until the end is seen */
}

static void unary_end(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    unary *u = context;
    arb_error error = *outcome;
    if (u->twice || (error.code == ARB_OK && u->answer == NULL)) {
        arb_error_clear(&error);
        (void)arb_fail(&error, ARB_INTERNAL, "%.*s gave %s", ARB_STR_ARGS(arb_rpc_method(call)),
                       u->twice ? "more than one answer" : "no answer");
    }
    u->done(u->context, &error, error.code == ARB_OK ? u->answer : NULL);
    arb_rpc_message_unref(u->answer);
    arb_free(u);
}

static const arb_rpc_events unary_events = {.on_message = unary_message, .on_done = unary_end};

arb_code arb_rpc_unary(arb_rpc_channel *channel, const arb_rpc_call_options *options, arb_rpc_message *request,
                       arb_rpc_unary_done done, void *context, arb_error *error)
{
    arb_rpc_call *call = NULL;
    unary *u = arb_alloc_zeroed(sizeof *u);
    arb_code code = u != NULL ? arb_rpc_channel_call(channel, options, &unary_events, u, &call, error)
                              : arb_fail_memory(error, "a call", sizeof *u);
    if (code == ARB_OK)
        code = arb_rpc_send(call, request, error);
    else
        arb_rpc_message_unref(request);
    if (code != ARB_OK) {
        arb_rpc_call_unref(call);
        arb_free(u);
        return code;
    }
    u->done = done;
    u->context = context;
    arb_rpc_half_close(call);
    arb_rpc_read(call);
    arb_rpc_begin(call);
    return ARB_OK;
}
