/* grpc_call.c: a call's operations as batches of gRPC's.
 *
 * Each operation of the call (rpc_transport.h) is one batch with a tag of its own. gRPC takes everything of a batch before
 * grpc_call_start_batch returns, except the bytes of messages: their slices hold counts of the message. */
#include <grpc/byte_buffer.h>
#include <grpc/slice_buffer.h>
#include <grpc/support/alloc.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "rpc/grpc_events.h"
#include "rpc/rpc_status.h"

enum { small_slice = 256 }; /* bytes that are copied rather than counted */

typedef struct grpc_end {
    arb_rpc_call base;
    grpc_call *call;
    arb_grpc_tag got_headers, sent, received, closed;
    grpc_byte_buffer *receiving;
    grpc_metadata_array headers, trailers; /* a client's, while they are received */
    grpc_status_code status;
    grpc_slice status_message;
    int cancelled; /* a server's */
} grpc_end;

static grpc_end *end_of(arb_rpc_call *call)
{
    return (grpc_end *)call;
}

/* A batch is refused only when this file is wrong; the operation has then failed. */
static void start_batch(grpc_end *end, const grpc_op *operations, size_t count, arb_grpc_tag *tag)
{
    grpc_call_error refused = grpc_call_start_batch(end->call, operations, count, tag, NULL);
    assert(refused == GRPC_CALL_OK);
    if (refused != GRPC_CALL_OK)
        tag->complete(tag, false);
}

/* ---- sending ------------------------------------------------------------------------------------------------------------ */

static void unref_message(void *message)
{
    arb_rpc_message_unref(message);
}

static grpc_byte_buffer *buffer_of(arb_rpc_message *message)
{
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(NULL, 0);
    for (size_t i = 0; i < message->slice_count; i++) {
        const arb_rpc_slice *slice = &message->slices[i];
        if (slice->size == 0)
            continue;
        grpc_slice_buffer_add(&buffer->data.raw.slice_buffer,
                              slice->size <= small_slice
                                  ? grpc_slice_from_copied_buffer((const char *)slice->data, slice->size)
                                  : grpc_slice_new_with_user_data((void *)slice->data, slice->size, unref_message,
                                                                  arb_rpc_message_ref(message)));
    }
    return buffer;
}

static grpc_slice slice_of(arb_str text)
{
    return grpc_slice_from_copied_buffer(text.data, text.size);
}

/* For the time of a batch. */
static grpc_metadata *metadata_of(const arb_rpc_metadata *pairs, arb_str details, size_t *out_count)
{
    grpc_metadata *made = gpr_zalloc((pairs->size + 1) * sizeof *made);
    size_t count = pairs->size;
    for (size_t i = 0; i < count; i++) {
        made[i].key = slice_of(pairs->data[i].name);
        made[i].value = slice_of(pairs->data[i].value);
    }
    if (details.size != 0) {
        made[count].key = slice_of(ARB_STR(ARB_RPC_DETAILS_NAME));
        made[count++].value = slice_of(details);
    }
    *out_count = count;
    return made;
}

static void free_metadata(grpc_metadata *made, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        grpc_slice_unref(made[i].key);
        grpc_slice_unref(made[i].value);
    }
    gpr_free(made);
}

static void grpc_send(arb_rpc_call *call, const arb_rpc_outgoing *outgoing)
{
    grpc_end *end = end_of(call);
    grpc_op operations[3] = {0};
    size_t count = 0, header_count = 0, trailer_count = 0;
    grpc_metadata *headers = NULL, *trailers = NULL;
    grpc_byte_buffer *message = NULL;
    grpc_slice status_message = grpc_empty_slice();
    if (outgoing->headers) {
        headers = metadata_of(&call->headers_out, (arb_str){0}, &header_count);
        grpc_op *operation = &operations[count++];
        operation->op = GRPC_OP_SEND_INITIAL_METADATA;
        if (call->is_client)
            operation->flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET |
                               (call->wait_for_ready ? GRPC_INITIAL_METADATA_WAIT_FOR_READY : 0);
        operation->data.send_initial_metadata.count = header_count;
        operation->data.send_initial_metadata.metadata = headers;
    }
    if (outgoing->message != NULL) {
        message = buffer_of(outgoing->message);
        grpc_op *operation = &operations[count++];
        operation->op = GRPC_OP_SEND_MESSAGE;
        operation->data.send_message.send_message = message;
    }
    if (outgoing->last && call->is_client) {
        operations[count++].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    } else if (outgoing->last) {
        trailers = metadata_of(&call->trailers_out, call->details, &trailer_count);
        status_message = slice_of(arb_str_of(call->status.message));
        grpc_op *operation = &operations[count++];
        operation->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        operation->data.send_status_from_server.status = (grpc_status_code)arb_code_grpc_status(call->status.code);
        operation->data.send_status_from_server.status_details = &status_message;
        operation->data.send_status_from_server.trailing_metadata_count = trailer_count;
        operation->data.send_status_from_server.trailing_metadata = trailers;
    }
    start_batch(end, operations, count, &end->sent);
    if (message != NULL)
        grpc_byte_buffer_destroy(message);
    grpc_slice_unref(status_message);
    free_metadata(headers, header_count);
    free_metadata(trailers, trailer_count);
}

static void complete_sent(arb_grpc_tag *tag, bool ok)
{
    arb_rpc_call_sent(&ARB_CONTAINER_OF(tag, grpc_end, sent)->base, ok);
}

/* ---- receiving ---------------------------------------------------------------------------------------------------------- */

static void grpc_receive(arb_rpc_call *call)
{
    grpc_end *end = end_of(call);
    grpc_op operation = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &end->receiving};
    start_batch(end, &operation, 1, &end->received);
}

static void destroy_buffer(void *buffer)
{
    grpc_byte_buffer_destroy(buffer);
}

static arb_rpc_message *message_of(grpc_byte_buffer *buffer)
{
    const grpc_slice_buffer *slices = &buffer->data.raw.slice_buffer;
    arb_rpc_message *message;
    if (arb_rpc_message_create(slices->count, 0, destroy_buffer, buffer, &message, NULL, NULL) != ARB_OK)
        return NULL;
    for (size_t i = 0; i < slices->count; i++)
        message->slices[i] =
            (arb_rpc_slice){GRPC_SLICE_START_PTR(slices->slices[i]), GRPC_SLICE_LENGTH(slices->slices[i])};
    message->size = slices->length;
    return message;
}

static void cancel_for_memory(grpc_end *end)
{
    grpc_call_cancel_with_status(end->call, GRPC_STATUS_RESOURCE_EXHAUSTED, "no memory for what was received", NULL);
}

/* NULL: it cannot be taken, and the call is cancelled. */
static arb_rpc_message *take_message(grpc_end *end, grpc_byte_buffer *buffer)
{
    arb_rpc_message *message = NULL;
    if (buffer->data.raw.compression != GRPC_COMPRESS_NONE) {
        grpc_call_cancel_with_status(end->call, GRPC_STATUS_UNIMPLEMENTED, "compressed messages are not taken", NULL);
    } else {
        message = message_of(buffer);
        if (message == NULL)
            cancel_for_memory(end);
    }
    if (message == NULL)
        grpc_byte_buffer_destroy(buffer);
    return message;
}

static void complete_received(arb_grpc_tag *tag, bool ok)
{
    grpc_end *end = ARB_CONTAINER_OF(tag, grpc_end, received);
    grpc_byte_buffer *buffer = end->receiving;
    arb_rpc_message *message = NULL;
    end->receiving = NULL;
    if (buffer != NULL) {
        message = take_message(end, buffer);
        ok = message != NULL;
    } else if (grpc_call_failed_before_recv_message(end->call)) {
        ok = false; /* gone, not finished: a client that died in the middle has not sent all */
    }
    arb_rpc_call_received(&end->base, message, ok);
}

static void complete_headers(arb_grpc_tag *tag, bool ok)
{
    grpc_end *end = ARB_CONTAINER_OF(tag, grpc_end, got_headers);
    if (ok && arb_grpc_metadata_read(&end->headers, &end->base.own, &end->base.headers_in, NULL) != ARB_OK) {
        cancel_for_memory(end);
        ok = false;
    }
    arb_rpc_call_got_headers(&end->base, ok);
}

/* ---- begin and end ------------------------------------------------------------------------------------------------------ */

static void grpc_start(arb_rpc_call *call)
{
    grpc_end *end = end_of(call);
    grpc_op operation = {0};
    if (!call->is_client) {
        operation.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
        operation.data.recv_close_on_server.cancelled = &end->cancelled;
        start_batch(end, &operation, 1, &end->closed);
        return;
    }
    operation.op = GRPC_OP_RECV_INITIAL_METADATA;
    operation.data.recv_initial_metadata.recv_initial_metadata = &end->headers;
    start_batch(end, &operation, 1, &end->got_headers);
    operation = (grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    operation.data.recv_status_on_client.trailing_metadata = &end->trailers;
    operation.data.recv_status_on_client.status = &end->status;
    operation.data.recv_status_on_client.status_details = &end->status_message;
    start_batch(end, &operation, 1, &end->closed);
}

static void read_status(grpc_end *end, arb_error *out_outcome)
{
    arb_rpc_call *call = &end->base;
    if (arb_grpc_metadata_read(&end->trailers, &call->own, &call->trailers_in, out_outcome) != ARB_OK)
        return;
    arb_str details = arb_rpc_metadata_find(&call->trailers_in, ARB_STR(ARB_RPC_DETAILS_NAME));
    arb_code code = arb_rpc_error_read(end->status, arb_grpc_str(&end->status_message), details, out_outcome);
    if (details.size != 0)
        return;
    if (code == ARB_CONNECTION_FAILED)
        arb_error_context(out_outcome, "the server at %s", call->target);
    if (code == ARB_CANCELLED && arb_clock_monotonic_ns() >= call->deadline_ns) {
        /* The server's clock was the first to see it. */
        arb_error_clear(out_outcome);
        (void)arb_fail(out_outcome, ARB_DEADLINE_EXCEEDED, "the deadline has passed");
    }
}

static void complete_closed(arb_grpc_tag *tag, bool ok)
{
    (void)ok;
    grpc_end *end = ARB_CONTAINER_OF(tag, grpc_end, closed);
    arb_error outcome = {0};
    if (end->base.is_client)
        read_status(end, &outcome);
    else if (end->cancelled)
        (void)arb_fail(&outcome, ARB_CANCELLED, "the client went away, cancelled the call or ran into its deadline");
    arb_rpc_call_closed(&end->base, &outcome);
}

static void grpc_cancel(arb_rpc_call *call, arb_code code, const char *why)
{
    grpc_call_cancel_with_status(end_of(call)->call, (grpc_status_code)arb_code_grpc_status(code), why, NULL);
}

static void grpc_release(arb_rpc_call *call)
{
    grpc_end *end = end_of(call);
    grpc_slice_unref(end->status_message);
    grpc_metadata_array_destroy(&end->headers);
    grpc_metadata_array_destroy(&end->trailers);
    grpc_call_unref(end->call);
    end->call = NULL;
}

static void grpc_destroy(arb_rpc_call *call)
{
    arb_rpc_call_reset(call);
    arb_free(call);
}

static const arb_rpc_transport grpc_transport = {
    .start = grpc_start,
    .send = grpc_send,
    .receive = grpc_receive,
    .cancel = grpc_cancel,
    .release = grpc_release,
    .destroy = grpc_destroy,
};

static grpc_end *create_end(grpc_call *call, bool is_client)
{
    grpc_end *end = arb_alloc_zeroed(sizeof *end);
    if (end == NULL)
        return NULL;
    arb_rpc_call_init(&end->base, &grpc_transport, is_client);
    end->call = call;
    end->got_headers.complete = complete_headers;
    end->sent.complete = complete_sent;
    end->received.complete = complete_received;
    end->closed.complete = complete_closed;
    end->status_message = grpc_empty_slice();
    grpc_metadata_array_init(&end->headers);
    grpc_metadata_array_init(&end->trailers);
    return end;
}

arb_code arb_grpc_call_create(grpc_channel *channel, grpc_completion_queue *queue, const arb_rpc_call_options *options,
                              arb_rpc_call **out_call, arb_error *error)
{
    grpc_end *end = create_end(NULL, true);
    if (end == NULL)
        return arb_fail_memory(error, "a call", sizeof *end);
    grpc_slice method = grpc_slice_from_copied_string(options->method);
    end->call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, method, NULL,
                                         arb_grpc_time(options->deadline_ns), NULL);
    grpc_slice_unref(method);
    *out_call = &end->base;
    return ARB_OK;
}

static arb_code read_request(grpc_end *end, const grpc_call_details *details, const grpc_metadata_array *headers,
                             arb_error *error)
{
    arb_rpc_call *call = &end->base;
    call->method = arb_str_copy(&call->own, arb_grpc_str(&details->method));
    call->deadline_ns = arb_grpc_deadline(details->deadline);
    if (call->method.data == NULL)
        return arb_fail_memory(error, "a call", 0);
    return arb_grpc_metadata_read(headers, &call->own, &call->headers_in, error);
}

arb_code arb_grpc_call_accept(grpc_call *accepted, const grpc_call_details *details, const grpc_metadata_array *headers,
                              arb_rpc_call **out_call, arb_error *error)
{
    grpc_end *end = create_end(accepted, false);
    arb_code code =
        end != NULL ? read_request(end, details, headers, error) : arb_fail_memory(error, "a call", sizeof *end);
    if (code == ARB_OK) {
        *out_call = &end->base;
        return ARB_OK;
    }
    grpc_call_cancel_with_status(accepted, GRPC_STATUS_RESOURCE_EXHAUSTED, "the server has no memory for the call",
                                 NULL);
    if (end != NULL)
        arb_rpc_call_unref(&end->base);
    else
        grpc_call_unref(accepted);
    return code;
}
