/* flight_store.h: a Flight service for tests: it keeps what is uploaded and gives it back.
 *
 *     DoPut          path [NAME]: keeps the messages; answers each batch with how many bytes its body has
 *     DoGet          ticket NAME, or "N NAME": the batches N times
 *     DoExchange     each message back
 *     GetFlightInfo, GetSchema, PollFlightInfo, ListFlights
 *     DoAction       ping (pong, its body), drop (body NAME), fail, slow (never answers), calls (how many run)
 *     Handshake      "Basic user:secret" gives a token, which all other methods want if the store is locked;
 *                    "Basic user:renewed" another one */
#ifndef ARB_TEST_FLIGHT_STORE_H
#define ARB_TEST_FLIGHT_STORE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "proto/flight.pb-c.h"
#include "rpc/auth_metadata.h"
#include "rpc/flight_data.h"
#include "rpc/flight_schema.h"
#include "rpc/flight_service.h"

#define STORE_TOKEN "Bearer token-of-user"
#define STORE_COOKIE "arrow_flight_session_id=s-1"
/* What the password "renewed" gives instead: longer than what a client keeps without asking for memory. */
#define STORE_RENEWED_TOKEN STORE_TOKEN "-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STORE_RENEWED_COOKIE STORE_COOKIE "-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct store_set {
    char name[64];
    ARB_VEC(arb_rpc_message *) messages; /* the schema, then batches */
    arb_text schema;                     /* framed */
    int64_t bytes;
} store_set;

typedef struct flight_store {
    pthread_mutex_t lock;
    store_set sets[16];
    size_t set_count;
    bool is_locked;
    _Atomic int running, done, cancelled;
    arb_flight_service service;
} flight_store;

/* A call that goes on after its first event. */
typedef struct store_call {
    flight_store *store;
    store_set *set;
    int64_t rounds;
    size_t next;
    bool has_descriptor;
} store_call;

static inline void store_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    store_call *c = context;
    flight_store *store = c->store;
    if (outcome->code != ARB_OK)
        atomic_fetch_add(&store->cancelled, 1);
    atomic_fetch_add(&store->done, 1);
    atomic_fetch_sub(&store->running, 1);
    arb_free(c);
}

static inline store_call *store_begin(flight_store *store, arb_rpc_call *call, const arb_rpc_events *events)
{
    arb_error error = {0};
    store_call *c = arb_alloc_zeroed(sizeof *c);
    if (c == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "a call", sizeof *c), &error);
        return NULL;
    }
    c->store = store;
    atomic_fetch_add(&store->running, 1);
    arb_rpc_handle(call, events, c);
    return c;
}

static inline store_set *store_find(flight_store *store, arb_str name)
{
    store_set *found = NULL;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->set_count && found == NULL; i++)
        if (arb_str_equal(name, arb_str_of(store->sets[i].name)))
            found = &store->sets[i];
    pthread_mutex_unlock(&store->lock);
    return found;
}

static inline void store_clear(store_set *set)
{
    for (size_t i = 0; i < set->messages.size; i++)
        arb_rpc_message_unref(set->messages.data[i]);
    ARB_VEC_RESET(&set->messages);
    arb_text_reset(&set->schema);
    set->bytes = 0;
}

static inline arb_code store_open(flight_store *store, arb_str name, store_set **out_set, arb_error *error)
{
    *out_set = store_find(store, name);
    if (*out_set != NULL) {
        store_clear(*out_set);
        return ARB_OK;
    }
    pthread_mutex_lock(&store->lock);
    bool full = store->set_count == ARB_COUNT_OF(store->sets) || name.size >= sizeof store->sets[0].name;
    if (!full) {
        *out_set = &store->sets[store->set_count++];
        snprintf((*out_set)->name, sizeof(*out_set)->name, "%.*s", ARB_STR_ARGS(name));
    }
    pthread_mutex_unlock(&store->lock);
    return full ? arb_fail(error, ARB_LIMIT_EXCEEDED, "the store is full") : ARB_OK;
}

static inline arb_code store_missing(arb_error *error, arb_str name)
{
    (void)arb_fail(error, ARB_UNDEFINED_TABLE, "there is no set \"%.*s\"", ARB_STR_ARGS(name));
    arb_error_hint(error, "Upload it first.");
    return ARB_UNDEFINED_TABLE;
}

static inline arb_str name_in(const Arrow__Flight__Protocol__FlightDescriptor *descriptor)
{
    if (descriptor->n_path == 1)
        return arb_str_of(descriptor->path[0]);
    return (arb_str){(const char *)descriptor->cmd.data, descriptor->cmd.len};
}

static inline void finish(arb_rpc_call *call, arb_code code, const arb_error *error)
{
    arb_rpc_finish(call, code, error);
}

/* ---- login -------------------------------------------------------------------------------------------------------------- */

static inline void store_handshake(void *service, arb_rpc_call *call)
{
    (void)service;
    arb_error error = {0};
    arb_str user, password;
    arb_str value = arb_rpc_metadata_find(arb_rpc_request_headers(call), ARB_STR("authorization"));
    arb_code code = arb_auth_read_basic(value, arb_rpc_arena(call), &user, &password, &error);
    bool renewed = code == ARB_OK && arb_auth_equal(password, ARB_STR("renewed"));
    if (code == ARB_OK &&
        !(arb_auth_equal(user, ARB_STR("user")) && (renewed || arb_auth_equal(password, ARB_STR("secret")))))
        code = arb_fail(&error, ARB_NOT_AUTHENTICATED, "user or password is wrong");
    if (code == ARB_OK)
        code = arb_rpc_add_header(call, ARB_STR("authorization"),
                                  renewed ? ARB_STR(STORE_RENEWED_TOKEN) : ARB_STR(STORE_TOKEN), &error);
    if (code == ARB_OK)
        code = arb_rpc_add_header(call, ARB_STR("set-cookie"),
                                  renewed ? ARB_STR(STORE_RENEWED_COOKIE) : ARB_STR(STORE_COOKIE "; Path=/; HttpOnly"),
                                  &error);
    finish(call, code, &error);
}

static inline arb_code store_admit(void *context, arb_rpc_call *call, arb_error *error)
{
    const flight_store *store = context;
    arb_str value = arb_rpc_metadata_find(arb_rpc_request_headers(call), ARB_STR("authorization"));
    if (!store->is_locked || arb_str_ends_with(arb_rpc_method(call), ARB_STR("/Handshake")) ||
        arb_auth_equal(value, ARB_STR(STORE_TOKEN)) || arb_auth_equal(value, ARB_STR(STORE_RENEWED_TOKEN)))
        return ARB_OK;
    return arb_fail(error, ARB_NOT_AUTHENTICATED, "log in first");
}

/* ---- up and down -------------------------------------------------------------------------------------------------------- */

static inline void let_go_of_data(void *context)
{
    arb_flight_data *data = context;
    arb_flight_data_reset(data);
    arb_free(data);
}

/* A message of the same content without the descriptor; its bytes stay where they are. */
static inline arb_code store_copy_of(const arb_flight_data *data, arb_rpc_message **out, arb_error *error)
{
    arb_flight_data *held = arb_alloc_zeroed(sizeof *held);
    arb_rpc_slice body = {data->body.data, data->body.size};
    if (held == NULL)
        return arb_fail_memory(error, "a message", sizeof *held);
    held->body = arb_arrow_buffer_ref(&data->body);
    arb_flight_parts parts = {
        .header = data->header, .app_metadata = data->app_metadata, .body = &body, .body_count = 1};
    arb_code code = arb_flight_data_write(&parts, let_go_of_data, held, out, error);
    if (code != ARB_OK)
        let_go_of_data(held);
    return code;
}

static inline arb_code store_take(store_call *c, const arb_flight_data *data, arb_error *error)
{
    arb_rpc_message *kept;
    if (data->header.size == 0)
        return ARB_OK;
    if (c->set->messages.size == 0)
        ARB_TRY(arb_flight_schema_frame(data->header, &c->set->schema, error));
    ARB_TRY(store_copy_of(data, &kept, error));
    if (!ARB_VEC_PUSH(&c->set->messages, kept)) {
        arb_rpc_message_unref(kept);
        return arb_fail_memory(error, "a set", sizeof kept);
    }
    c->set->bytes += (int64_t)data->body.size;
    return ARB_OK;
}

static inline arb_code store_put_one(arb_rpc_call *call, store_call *c, const arb_flight_data *data, arb_error *error)
{
    if (!c->has_descriptor) {
        ProtobufCMessage *message;
        ARB_TRY(arb_wire_unpack(&arrow__flight__protocol__flight_descriptor__descriptor, arb_rpc_arena(call),
                                data->descriptor.data, data->descriptor.size, &message, error));
        ARB_TRY(
            store_open(c->store, name_in((const Arrow__Flight__Protocol__FlightDescriptor *)message), &c->set, error));
        c->has_descriptor = true;
    }
    ARB_TRY(store_take(c, data, error));
    if (data->body.size == 0)
        return ARB_OK;
    char text[32];
    Arrow__Flight__Protocol__PutResult result = ARROW__FLIGHT__PROTOCOL__PUT_RESULT__INIT;
    result.app_metadata.len = (size_t)snprintf(text, sizeof text, "%zu", data->body.size);
    result.app_metadata.data = (uint8_t *)text;
    return arb_flight_send(call, &result.base, error);
}

static inline void store_put_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    store_call *c = context;
    arb_error error = {0};
    arb_flight_data data;
    arb_code code = arb_flight_data_read(message, &data, &error);
    if (code == ARB_OK) {
        code = store_put_one(call, c, &data, &error);
        arb_flight_data_reset(&data);
    }
    if (code != ARB_OK)
        finish(call, code, &error);
    else
        arb_rpc_read(call);
}

static inline void store_put_end(arb_rpc_call *call, void *context)
{
    (void)context;
    finish(call, ARB_OK, NULL);
}

static inline void store_do_put(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {
        .on_message = store_put_message, .on_half_close = store_put_end, .on_done = store_done};
    if (store_begin(service, call, &events) != NULL)
        arb_rpc_read(call);
}

static inline void store_exchange_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    (void)context;
    arb_error error = {0};
    arb_flight_data data;
    arb_rpc_message *copy;
    arb_code code = arb_flight_data_read(message, &data, &error);
    if (code == ARB_OK) {
        bool anything = data.header.size + data.app_metadata.size > 0; /* not the descriptor alone */
        if (anything)
            code = store_copy_of(&data, &copy, &error);
        if (anything && code == ARB_OK)
            code = arb_rpc_send(call, copy, &error);
        arb_flight_data_reset(&data);
    }
    if (code != ARB_OK)
        finish(call, code, &error);
    else if (arb_rpc_writable(call))
        arb_rpc_read(call);
}

static inline void store_exchange_writable(arb_rpc_call *call, void *context)
{
    (void)context;
    arb_rpc_read(call);
}

static inline void store_do_exchange(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_message = store_exchange_message,
                                          .on_writable = store_exchange_writable,
                                          .on_half_close = store_put_end,
                                          .on_done = store_done};
    if (store_begin(service, call, &events) != NULL)
        arb_rpc_read(call);
}

static inline void store_send_more(arb_rpc_call *call, void *context)
{
    store_call *c = context;
    arb_error error = {0};
    arb_code code = ARB_OK;
    while (code == ARB_OK && c->rounds > 0 && arb_rpc_writable(call)) {
        code = arb_rpc_send(call, arb_rpc_message_ref(c->set->messages.data[c->next++]), &error);
        if (c->next == c->set->messages.size) {
            c->rounds = c->next == 1 ? 0 : c->rounds - 1;
            c->next = 1; /* the schema comes once */
        }
    }
    if (code != ARB_OK || c->rounds == 0)
        finish(call, code, &error);
}

static inline void store_do_get(void *service, arb_rpc_call *call, const Arrow__Flight__Protocol__Ticket *ticket)
{
    static const arb_rpc_events events = {.on_writable = store_send_more, .on_done = store_done};
    arb_str name = {(const char *)ticket->ticket.data, ticket->ticket.len};
    arb_error error = {0};
    int64_t rounds = 1;
    const char *space = name.size != 0 ? memchr(name.data, ' ', name.size) : NULL;
    if (space != NULL) {
        rounds = strtoll(name.data, NULL, 10);
        name = (arb_str){space + 1, name.size - (size_t)(space + 1 - name.data)};
    }
    store_set *set = store_find(service, name);
    if (set == NULL || set->messages.size == 0) {
        finish(call, store_missing(&error, name), &error);
        return;
    }
    store_call *c = store_begin(service, call, &events);
    if (c != NULL) {
        c->set = set;
        c->rounds = rounds;
        store_send_more(call, c);
    }
}

/* ---- what there is ------------------------------------------------------------------------------------------------------ */

typedef struct info_parts {
    Arrow__Flight__Protocol__FlightInfo info;
    Arrow__Flight__Protocol__FlightDescriptor descriptor;
    Arrow__Flight__Protocol__FlightEndpoint endpoint, *endpoints[1];
    Arrow__Flight__Protocol__Ticket ticket;
    char *path[1];
} info_parts;

static inline void fill_info(const store_set *set, info_parts *p)
{
    p->info = (Arrow__Flight__Protocol__FlightInfo)ARROW__FLIGHT__PROTOCOL__FLIGHT_INFO__INIT;
    p->descriptor = (Arrow__Flight__Protocol__FlightDescriptor)ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    p->endpoint = (Arrow__Flight__Protocol__FlightEndpoint)ARROW__FLIGHT__PROTOCOL__FLIGHT_ENDPOINT__INIT;
    p->ticket = (Arrow__Flight__Protocol__Ticket)ARROW__FLIGHT__PROTOCOL__TICKET__INIT;
    p->path[0] = (char *)set->name;
    p->descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__PATH;
    p->descriptor.n_path = 1;
    p->descriptor.path = p->path;
    p->ticket.ticket = (ProtobufCBinaryData){strlen(set->name), (uint8_t *)set->name};
    p->endpoint.ticket = &p->ticket;
    p->endpoints[0] = &p->endpoint;
    p->info.schema = (ProtobufCBinaryData){set->schema.size, (uint8_t *)set->schema.data};
    p->info.flight_descriptor = &p->descriptor;
    p->info.endpoint = p->endpoints;
    p->info.n_endpoint = 1;
    p->info.total_records = -1;
    p->info.total_bytes = set->bytes;
}

static inline void store_list_flights(void *service, arb_rpc_call *call,
                                      const Arrow__Flight__Protocol__Criteria *criteria)
{
    (void)criteria;
    flight_store *store = service;
    arb_error error = {0};
    arb_code code = ARB_OK;
    for (size_t i = 0; i < store->set_count && code == ARB_OK; i++) {
        info_parts parts;
        fill_info(&store->sets[i], &parts);
        code = arb_flight_send(call, &parts.info.base, &error);
    }
    finish(call, code, &error);
}

static inline void store_get_info(void *service, arb_rpc_call *call,
                                  const Arrow__Flight__Protocol__FlightDescriptor *descriptor)
{
    arb_error error = {0};
    info_parts parts;
    store_set *set = store_find(service, name_in(descriptor));
    if (set == NULL) {
        finish(call, store_missing(&error, name_in(descriptor)), &error);
        return;
    }
    fill_info(set, &parts);
    arb_flight_answer(call, &parts.info.base);
}

static inline void store_poll_info(void *service, arb_rpc_call *call,
                                   const Arrow__Flight__Protocol__FlightDescriptor *descriptor)
{
    arb_error error = {0};
    info_parts parts;
    Arrow__Flight__Protocol__PollInfo poll = ARROW__FLIGHT__PROTOCOL__POLL_INFO__INIT;
    store_set *set = store_find(service, name_in(descriptor));
    if (set == NULL) {
        finish(call, store_missing(&error, name_in(descriptor)), &error);
        return;
    }
    fill_info(set, &parts);
    poll.info = &parts.info;
    poll.progress_known_case = ARROW__FLIGHT__PROTOCOL__POLL_INFO__PROGRESS_KNOWN_PROGRESS;
    poll.progress = 1;
    arb_flight_answer(call, &poll.base);
}

static inline void store_get_schema(void *service, arb_rpc_call *call,
                                    const Arrow__Flight__Protocol__FlightDescriptor *descriptor)
{
    arb_error error = {0};
    Arrow__Flight__Protocol__SchemaResult result = ARROW__FLIGHT__PROTOCOL__SCHEMA_RESULT__INIT;
    store_set *set = store_find(service, name_in(descriptor));
    if (set == NULL) {
        finish(call, store_missing(&error, name_in(descriptor)), &error);
        return;
    }
    result.schema = (ProtobufCBinaryData){set->schema.size, (uint8_t *)set->schema.data};
    arb_flight_answer(call, &result.base);
}

/* ---- actions ------------------------------------------------------------------------------------------------------------ */

static inline arb_code send_result(arb_rpc_call *call, arb_str body, arb_error *error)
{
    Arrow__Flight__Protocol__Result result = ARROW__FLIGHT__PROTOCOL__RESULT__INIT;
    result.body = (ProtobufCBinaryData){body.size, (uint8_t *)body.data};
    return arb_flight_send(call, &result.base, error);
}

static inline void store_do_action(void *service, arb_rpc_call *call, const Arrow__Flight__Protocol__Action *action)
{
    static const arb_rpc_events events = {.on_done = store_done};
    flight_store *store = service;
    arb_str body = {(const char *)action->body.data, action->body.len};
    arb_error error = {0};
    arb_code code = ARB_OK;
    char text[64];
    if (strcmp(action->type, "ping") == 0) {
        code = send_result(call, ARB_STR("pong"), &error);
        if (code == ARB_OK)
            code = send_result(call, body, &error);
    } else if (strcmp(action->type, "calls") == 0) {
        snprintf(text, sizeof text, "%d", atomic_load(&store->running));
        code = send_result(call, arb_str_of(text), &error);
    } else if (strcmp(action->type, "drop") == 0) {
        store_set *set = store_find(store, body);
        if (set != NULL)
            store_clear(set);
    } else if (strcmp(action->type, "slow") == 0) {
        (void)store_begin(store, call, &events);
        return;
    } else if (strcmp(action->type, "fail") == 0) {
        code = store_missing(&error, body);
        arb_error_detail(&error, "as was asked for");
    } else {
        code = arb_fail(&error, ARB_NOT_SUPPORTED, "there is no action \"%s\"", action->type);
    }
    finish(call, code, &error);
}

static inline void store_list_actions(void *service, arb_rpc_call *call)
{
    (void)service;
    static const char *const types[] = {"ping", "calls", "drop", "slow", "fail"};
    arb_error error = {0};
    arb_code code = ARB_OK;
    for (size_t i = 0; i < ARB_COUNT_OF(types) && code == ARB_OK; i++) {
        Arrow__Flight__Protocol__ActionType type = ARROW__FLIGHT__PROTOCOL__ACTION_TYPE__INIT;
        type.type = (char *)types[i];
        type.description = (char *)"for tests";
        code = arb_flight_send(call, &type.base, &error);
    }
    finish(call, code, &error);
}

static const arb_flight_methods store_methods = {
    .handshake = store_handshake,
    .list_flights = store_list_flights,
    .get_flight_info = store_get_info,
    .poll_flight_info = store_poll_info,
    .get_schema = store_get_schema,
    .do_get = store_do_get,
    .do_put = store_do_put,
    .do_exchange = store_do_exchange,
    .do_action = store_do_action,
    .list_actions = store_list_actions,
};

static inline void store_init(flight_store *store)
{
    *store = (flight_store){0};
    pthread_mutex_init(&store->lock, NULL);
    store->service = (arb_flight_service){&store_methods, store};
}

static inline void store_reset(flight_store *store)
{
    for (size_t i = 0; i < store->set_count; i++)
        store_clear(&store->sets[i]);
    pthread_mutex_destroy(&store->lock);
}

#endif
