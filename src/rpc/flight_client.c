#include "rpc/flight_client.h"

#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "proto/flight.pb-c.h"
#include "rpc/auth_metadata.h"
#include "rpc/flight_schema.h"
#include "rpc/flight_service.h"

struct arb_flight_client {
    arb_rpc_channel *channel;
    pthread_mutex_t lock; /* for all below */
    arb_arena arena;      /* of the headers */
    arb_rpc_metadata headers;
    arb_cookie_jar cookies;
    arb_text operation;
    arb_text authorization; /* "Bearer …"; empty before the login */
};

arb_code arb_flight_client_create(arb_rpc_channel *channel, arb_flight_client **out_client, arb_error *error)
{
    arb_flight_client *client = arb_alloc_zeroed(sizeof *client);
    *out_client = client;
    if (client == NULL)
        return arb_fail_memory(error, "a Flight client", sizeof *client);
    client->channel = channel;
    pthread_mutex_init(&client->lock, NULL);
    return ARB_OK;
}

void arb_flight_client_destroy(arb_flight_client *client)
{
    if (client == NULL)
        return;
    arb_arena_reset(&client->arena);
    arb_cookie_jar_reset(&client->cookies);
    arb_text_reset(&client->operation);
    arb_text_reset(&client->authorization);
    pthread_mutex_destroy(&client->lock);
    arb_free(client);
}

arb_code arb_flight_client_header(arb_flight_client *client, arb_str name, arb_str value, arb_error *error)
{
    pthread_mutex_lock(&client->lock);
    arb_code code = arb_rpc_metadata_add(&client->headers, &client->arena, name, value, error);
    pthread_mutex_unlock(&client->lock);
    return code;
}

arb_code arb_flight_client_operation(arb_flight_client *client, arb_str id, arb_error *error)
{
    pthread_mutex_lock(&client->lock);
    arb_text_clear(&client->operation);
    arb_text_append_str(&client->operation, id);
    arb_code code = arb_text_check(&client->operation, error);
    pthread_mutex_unlock(&client->lock);
    return code;
}

/* ---- the session -------------------------------------------------------------------------------------------------------- */

/* Copy the session's headers. `authorization` overrules what was given at login. */
static arb_code session_headers(arb_flight_client *client, arb_str authorization, arb_arena *arena,
                                arb_rpc_metadata *out, arb_error *error)
{
    arb_text cookies = {0};
    arb_code code = ARB_OK;
    pthread_mutex_lock(&client->lock);
    if (authorization.size == 0)
        authorization = arb_text_view(&client->authorization);
    for (size_t i = 0; code == ARB_OK && i < client->headers.size; i++)
        code = arb_rpc_metadata_add(out, arena, client->headers.data[i].name, client->headers.data[i].value, error);
    if (code == ARB_OK && authorization.size != 0)
        code = arb_rpc_metadata_add(out, arena, ARB_STR("authorization"), authorization, error);
    if (code == ARB_OK && client->operation.size != 0)
        code = arb_rpc_metadata_add(out, arena, ARB_STR("operation-id"), arb_text_view(&client->operation), error);
    arb_cookie_jar_write(&client->cookies, &cookies);
    if (code == ARB_OK)
        code = arb_text_check(&cookies, error);
    if (code == ARB_OK && cookies.size != 0)
        code = arb_rpc_metadata_add(out, arena, ARB_STR("cookie"), arb_text_view(&cookies), error);
    pthread_mutex_unlock(&client->lock);
    arb_text_reset(&cookies);
    return code;
}

/* On failure the session stays as it was, but for cookies before the one that failed. */
static arb_code keep_session(arb_flight_client *client, const arb_rpc_metadata *answer, arb_error *error)
{
    arb_text token = {0};
    arb_text_append_str(&token, arb_rpc_metadata_find(answer, ARB_STR("authorization")));
    arb_code code = arb_text_check(&token, error);
    pthread_mutex_lock(&client->lock);
    if (code == ARB_OK)
        code = arb_cookie_jar_take(&client->cookies, answer, error);
    if (code == ARB_OK && token.size != 0) {
        arb_text old = client->authorization;
        client->authorization = token;
        token = old;
    }
    pthread_mutex_unlock(&client->lock);
    arb_text_reset(&token);
    return code;
}

/* The call has failed: the server's answer, if that is what it is, may tell to forget a cookie. */
static void keep_cookies(arb_flight_client *client, arb_rpc_stream *stream, arb_code code)
{
    if (code != ARB_SESSION_ENDED)
        return;
    pthread_mutex_lock(&client->lock);
    (void)!arb_cookie_jar_take(&client->cookies, arb_rpc_response_headers(arb_rpc_stream_call(stream)), NULL);
    pthread_mutex_unlock(&client->lock);
}

static void method_path(const char *method, char *out, size_t size)
{
    snprintf(out, size, "/" ARB_FLIGHT_SERVICE_NAME "/%s", method);
}

arb_code arb_flight_client_call(arb_flight_client *client, const char *method, int64_t deadline_ns,
                                const arb_rpc_events *events, void *context, arb_rpc_call **out_call, arb_error *error)
{
    char path[128];
    arb_arena arena = {0};
    arb_rpc_metadata headers = {0};
    arb_rpc_call_options options = {.method = path, .deadline_ns = deadline_ns};
    method_path(method, path, sizeof path);
    *out_call = NULL;
    arb_code code = session_headers(client, (arb_str){0}, &arena, &headers, error);
    if (code == ARB_OK)
        code = arb_rpc_channel_call(client->channel, &options, events, context, out_call, error);
    for (size_t i = 0; code == ARB_OK && i < headers.size; i++)
        code = arb_rpc_add_header(*out_call, headers.data[i].name, headers.data[i].value, error);
    if (code != ARB_OK) {
        arb_rpc_call_unref(*out_call);
        *out_call = NULL;
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code open_stream(arb_flight_client *client, const char *method, arb_str authorization, int64_t deadline_ns,
                            size_t window, arb_rpc_stream **out_stream, arb_error *error)
{
    char path[128];
    arb_arena arena = {0};
    arb_rpc_metadata headers = {0};
    arb_rpc_call_options options = {.method = path, .deadline_ns = deadline_ns};
    method_path(method, path, sizeof path);
    *out_stream = NULL;
    arb_code code = session_headers(client, authorization, &arena, &headers, error);
    if (code == ARB_OK)
        code = arb_rpc_stream_open(client->channel, &options, &headers, window, out_stream, error);
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_flight_client_stream(arb_flight_client *client, const char *method, int64_t deadline_ns, size_t window,
                                  arb_rpc_stream **out_stream, arb_error *error)
{
    return open_stream(client, method, (arb_str){0}, deadline_ns, window, out_stream, error);
}

/* ---- calls that wait ---------------------------------------------------------------------------------------------------- */

/* Open, send the one request, and say that it is all. */
arb_code arb_flight_request(arb_flight_client *client, const char *method, const ProtobufCMessage *message,
                            int64_t deadline_ns, size_t window, arb_rpc_stream **out_stream, arb_error *error)
{
    arb_rpc_message *packed;
    arb_rpc_stream *stream;
    *out_stream = NULL;
    ARB_TRY(arb_flight_pack(message, &packed, error));
    arb_code code = arb_flight_client_stream(client, method, deadline_ns, window, &stream, error);
    if (code == ARB_OK)
        code = arb_rpc_stream_send(stream, packed, error);
    else
        arb_rpc_message_unref(packed);
    if (code != ARB_OK) {
        arb_rpc_stream_close(stream);
        return code;
    }
    arb_rpc_stream_half_close(stream);
    *out_stream = stream;
    return ARB_OK;
}

/* The end of a call that must have no more messages. */
static arb_code expect_end(arb_flight_client *client, arb_rpc_stream *stream, arb_error *error)
{
    arb_rpc_message *more;
    ARB_TRY(arb_rpc_stream_receive(stream, &more, error));
    if (more != NULL) {
        arb_rpc_message_unref(more);
        return arb_fail(error, ARB_INTERNAL, "the server gave more than one answer");
    }
    return keep_session(client, arb_rpc_response_headers(arb_rpc_stream_call(stream)), error);
}

static arb_code ask(arb_flight_client *client, const char *method, const ProtobufCMessage *message, int64_t deadline_ns,
                    const ProtobufCMessageDescriptor *kind, arb_arena *arena, ProtobufCMessage **out_answer,
                    arb_error *error)
{
    arb_rpc_stream *stream;
    *out_answer = NULL;
    ARB_TRY(arb_flight_request(client, method, message, deadline_ns, 0, &stream, error));
    arb_code code = arb_flight_take_answer(client, stream, kind, arena, out_answer, error);
    arb_rpc_stream_close(stream);
    return code;
}

arb_code arb_flight_take_answer(arb_flight_client *client, arb_rpc_stream *stream,
                                const ProtobufCMessageDescriptor *kind, arb_arena *arena, ProtobufCMessage **out_answer,
                                arb_error *error)
{
    arb_rpc_message *answer = NULL;
    arb_str bytes;
    *out_answer = NULL;
    arb_code code = arb_rpc_stream_receive(stream, &answer, error);
    if (code == ARB_OK && answer == NULL)
        code = arb_fail(error, ARB_INTERNAL, "the server gave no answer");
    keep_cookies(client, stream, code);
    if (code == ARB_OK)
        code = expect_end(client, stream, error);
    if (code == ARB_OK)
        code = arb_rpc_message_bytes(answer, arena, &bytes, error);
    if (code == ARB_OK)
        code = arb_wire_unpack(kind, arena, bytes.data, bytes.size, out_answer, error);
    arb_rpc_message_unref(answer);
    return code;
}

arb_code arb_flight_handshake(arb_flight_client *client, arb_str user, arb_str password, int64_t deadline_ns,
                              arb_error *error)
{
    arb_text basic = {0};
    arb_rpc_stream *stream = NULL;
    arb_rpc_message *answer = NULL;
    arb_code code = arb_auth_write_basic(user, password, &basic, error);
    if (code == ARB_OK)
        code = open_stream(client, "Handshake", arb_text_view(&basic), deadline_ns, 0, &stream, error);
    arb_text_reset(&basic);
    if (code != ARB_OK)
        return code;
    arb_rpc_stream_half_close(stream);
    code = arb_rpc_stream_receive(stream, &answer, error); /* its payload is nothing to us, and it may be missing */
    if (code == ARB_OK)
        code = answer != NULL ? expect_end(client, stream, error)
                              : keep_session(client, arb_rpc_response_headers(arb_rpc_stream_call(stream)), error);
    arb_rpc_message_unref(answer);
    arb_rpc_stream_close(stream);
    return code;
}

arb_code arb_flight_get_info(arb_flight_client *client, const Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                             int64_t deadline_ns, arb_arena *arena,
                             const Arrow__Flight__Protocol__FlightInfo **out_info, arb_error *error)
{
    ProtobufCMessage *answer;
    arb_code code = ask(client, "GetFlightInfo", &descriptor->base, deadline_ns,
                        &arrow__flight__protocol__flight_info__descriptor, arena, &answer, error);
    *out_info = (const Arrow__Flight__Protocol__FlightInfo *)answer;
    return code;
}

arb_code arb_flight_poll_info(arb_flight_client *client, const Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                              int64_t deadline_ns, arb_arena *arena, const Arrow__Flight__Protocol__PollInfo **out_info,
                              arb_error *error)
{
    ProtobufCMessage *answer;
    arb_code code = ask(client, "PollFlightInfo", &descriptor->base, deadline_ns,
                        &arrow__flight__protocol__poll_info__descriptor, arena, &answer, error);
    *out_info = (const Arrow__Flight__Protocol__PollInfo *)answer;
    return code;
}

arb_code arb_flight_get_schema(arb_flight_client *client, const Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                               int64_t deadline_ns, arb_arrow_schema **out_schema, arb_error *error)
{
    arb_arena arena = {0};
    ProtobufCMessage *answer;
    *out_schema = NULL;
    arb_code code = ask(client, "GetSchema", &descriptor->base, deadline_ns,
                        &arrow__flight__protocol__schema_result__descriptor, &arena, &answer, error);
    if (code == ARB_OK) {
        const Arrow__Flight__Protocol__SchemaResult *result = (const Arrow__Flight__Protocol__SchemaResult *)answer;
        code =
            arb_flight_schema_read((arb_str){(const char *)result->schema.data, result->schema.len}, out_schema, error);
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code take_result(const arb_rpc_message *message, arb_flight_take_result take, void *context,
                            arb_error *error)
{
    arb_arena arena = {0};
    arb_str bytes;
    ProtobufCMessage *unpacked;
    arb_code code = arb_rpc_message_bytes(message, &arena, &bytes, error);
    if (code == ARB_OK)
        code = arb_wire_unpack(&arrow__flight__protocol__result__descriptor, &arena, bytes.data, bytes.size, &unpacked,
                               error);
    if (code == ARB_OK) {
        const Arrow__Flight__Protocol__Result *result = (const Arrow__Flight__Protocol__Result *)unpacked;
        code = take(context, (arb_str){(const char *)result->body.data, result->body.len}, error);
    }
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_flight_do_action(arb_flight_client *client, const Arrow__Flight__Protocol__Action *action,
                              int64_t deadline_ns, arb_flight_take_result take, void *context, arb_error *error)
{
    arb_rpc_stream *stream;
    ARB_TRY(arb_flight_request(client, "DoAction", &action->base, deadline_ns, 0, &stream, error));
    arb_code code;
    for (;;) {
        arb_rpc_message *message;
        code = arb_rpc_stream_receive(stream, &message, error);
        if (code != ARB_OK || message == NULL)
            break;
        if (take != NULL)
            code = take_result(message, take, context, error);
        arb_rpc_message_unref(message);
        if (code != ARB_OK)
            break;
    }
    if (code == ARB_OK)
        code = keep_session(client, arb_rpc_response_headers(arb_rpc_stream_call(stream)), error);
    else
        keep_cookies(client, stream, code);
    arb_rpc_stream_close(stream);
    return code;
}

arb_code arb_flight_do_get(arb_flight_client *client, const Arrow__Flight__Protocol__Ticket *ticket,
                           int64_t deadline_ns, size_t window, arb_rpc_stream **out_stream, arb_error *error)
{
    return arb_flight_request(client, "DoGet", &ticket->base, deadline_ns, window, out_stream, error);
}

arb_code arb_flight_receive(arb_rpc_stream *stream, arb_flight_data *out_data, bool *out_end, arb_error *error)
{
    arb_rpc_message *message;
    *out_data = (arb_flight_data){0};
    ARB_TRY(arb_rpc_stream_receive(stream, &message, error));
    *out_end = message == NULL;
    if (message == NULL)
        return ARB_OK;
    arb_code code = arb_flight_data_read(message, out_data, error);
    arb_rpc_message_unref(message);
    return code;
}
