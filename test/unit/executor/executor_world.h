/* executor_world.h: executors as parts of one process, and a scheduler that a test plays by hand, over either transport.
 *
 * It greets whoever registers and answers heartbeats by itself; all else that executors say is noted, for the test to take. */
#ifndef ARB_TEST_EXECUTOR_WORLD_H
#define ARB_TEST_EXECUTOR_WORLD_H

#include "unit/rpc/rpc_world.h"

#include <pthread.h>

#include "exchange_flight/output_service.h"
#include "executor/executor.h"
#include "executor/plan_cache.h"
#include "proto/flight.pb-c.h"
#include "rpc/flight_data.h"
#include "scheduler/control_wire.h"

enum { EXECUTORS = 2 };

/* ---- the scheduler ------------------------------------------------------------------------------------------------------- */

/* A message that came. */
typedef struct noted {
    struct noted *next;
    arb_arena arena;
    arb_to_scheduler message;
    arb_str token, wanted; /* wanted: there is no message */
} noted;

/* A stream of an executor. */
typedef struct stream_in {
    struct stream_in *next;
    struct hand *hand;
    arb_rpc_call *call; /* a count */
    arb_uuid executor;
    uint64_t session, sent;
    bool over;
    _Atomic bool deaf; /* nothing more is read */
} stream_in;

typedef struct hand {
    /* Unless NULL: it does not greet and note by itself, these do. `closed`: of a stream that was registered on. */
    void (*take)(struct hand *hand, stream_in *stream, const noted *note);
    void (*closed)(struct hand *hand, const stream_in *stream);
    pthread_mutex_t lock;
    arb_uuid cluster;
    uint64_t term;
    const char *refuses;      /* why, instead of a welcome */
    const char *crash_folder; /* of the first executor; NULL: its crashes are not recorded */
    stream_in *streams;       /* newest first */
    noted *first, **last;
} hand;

/* With the lock held. Without memory the stream is given up, as a scheduler does. */
static inline void send_down(stream_in *stream, arb_text *bytes, arb_code code)
{
    arb_rpc_message *message;
    arb_error error = {0};
    if (code == ARB_OK)
        code = arb_rpc_message_copy(arb_text_view(bytes), &message, &error);
    if (code == ARB_OK)
        code = arb_rpc_send(stream->call, message, &error); /* it may be over */
    if (code != ARB_OK)
        arb_rpc_cancel(stream->call);
    arb_text_reset(bytes);
}

static inline void say_on(stream_in *stream, const arb_to_executor *said)
{
    arb_to_executor message = *said;
    arb_text bytes = {0};
    arb_error error = {0};
    message.header = (arb_control_header){stream->hand->cluster, stream->hand->term, stream->executor, stream->session,
                                          ++stream->sent};
    send_down(stream, &bytes, arb_to_executor_encode(&message, &bytes, &error));
}

static inline void welcome(stream_in *stream, const arb_control_header *header)
{
    hand *h = stream->hand;
    stream->executor = header->executor;
    stream->session = header->session;
    if (h->refuses != NULL)
        say_on(stream, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_REFUSED, .why = h->refuses});
    else
        say_on(stream, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_WELCOME,
                                          .welcome = {.heartbeat_ns = 50000000,
                                                      .silence_ns = INT64_C(20000000000),
                                                      .unreachable_ns = INT64_C(20000000000)}});
}

static inline void free_note(void *note)
{
    arb_arena_reset(&((noted *)note)->arena);
    arb_free(note);
}

static inline noted *note_of(arb_rpc_message *message)
{
    arb_error error = {0};
    arb_str bytes;
    noted *note = arb_alloc_zeroed(sizeof *note);
    if (note == NULL)
        return NULL;
    arb_code code = arb_rpc_message_bytes(message, &note->arena, &bytes, &error);
    if (code == ARB_OK && (bytes = arb_str_copy(&note->arena, bytes)).data == NULL)
        code = ARB_OUT_OF_MEMORY;
    if (code == ARB_OK)
        code = arb_to_scheduler_decode(&note->arena, bytes, &note->message, &note->token, &note->wanted, &error);
    assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
    if (code == ARB_OK)
        return note;
    free_note(note);
    return NULL;
}

static inline void greet_and_note(stream_in *stream, noted *note)
{
    hand *h = stream->hand;
    bool spoke = note->wanted.size == 0;
    pthread_mutex_lock(&h->lock);
    if (spoke && note->message.kind == ARB_TO_SCHEDULER_REGISTER)
        welcome(stream, &note->message.header);
    if (spoke && note->message.kind == ARB_TO_SCHEDULER_HEARTBEAT)
        say_on(stream, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_HEARTBEAT_SEEN});
    note->message.header.executor = stream->executor;
    *h->last = note;
    h->last = &note->next;
    pthread_mutex_unlock(&h->lock);
}

static inline void stream_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    stream_in *stream = context;
    noted *note = note_of(message);
    if (note == NULL) {
        arb_rpc_cancel(call);
    } else if (stream->hand->take != NULL) {
        stream->hand->take(stream->hand, stream, note);
        free_note(note);
    } else {
        greet_and_note(stream, note);
    }
    if (!atomic_load(&stream->deaf))
        arb_rpc_read(call);
}

static inline void stream_half_close(arb_rpc_call *call, void *context)
{
    (void)context;
    arb_rpc_finish(call, ARB_OK, NULL);
}

static inline void stream_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call, (void)outcome;
    stream_in *stream = context;
    pthread_mutex_lock(&stream->hand->lock);
    stream->over = true;
    pthread_mutex_unlock(&stream->hand->lock);
    if (stream->hand->closed != NULL && stream->session != 0)
        stream->hand->closed(stream->hand, stream);
}

static inline void start_connect(void *service, arb_rpc_call *call)
{
    static const arb_rpc_events events = {
        .on_message = stream_message, .on_half_close = stream_half_close, .on_done = stream_done};
    hand *h = service;
    stream_in *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL) {
        arb_rpc_cancel(call);
        return;
    }
    stream->hand = h;
    stream->call = arb_rpc_call_ref(call);
    pthread_mutex_lock(&h->lock);
    stream->next = h->streams;
    h->streams = stream;
    pthread_mutex_unlock(&h->lock);
    arb_rpc_handle(call, &events, stream);
    arb_rpc_read(call);
}

static const arb_rpc_method_entry control_methods[] = {{ARB_CONTROL_METHOD, start_connect}};

static inline void hand_end(hand *h)
{
    for (stream_in *stream = h->streams, *next; stream != NULL; stream = next) {
        next = stream->next;
        arb_rpc_call_unref(stream->call);
        arb_free(stream);
    }
    for (noted *note = h->first, *next; note != NULL; note = next) {
        next = note->next;
        free_note(note);
    }
    pthread_mutex_destroy(&h->lock);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------------- */

typedef struct host {
    arb_executor *executor;
    arb_uuid id;
    arb_seal_key key; /* as it was registered */
    char address[64];
    arb_rpc_channel *to_scheduler, *from_test;
    arb_rpc_server *server;
} host;

typedef struct cluster {
    world w; /* its server is the scheduler's */
    hand hand;
    arb_cpu_pool *pool;
    arb_governor governor;
    arb_plan_tables tables;
    host hosts[EXECUTORS];
    _Atomic int may_go, refused;
    arb_arena arena; /* of the test's messages and stages */
} cluster;

static inline arb_code reach(void *context, const char *address, const arb_rpc_channel_options *options,
                             arb_rpc_channel **out_channel, arb_error *error)
{
    const world *w = context;
    return w->kind == IN_MEMORY ? arb_rpc_memory_channel_create(w->hub, address, options, out_channel, error)
                                : arb_grpc_channel_create(w->runtime, address, options, out_channel, error);
}

/* *out_address is where it is then. */
static inline void serve_at(world *w, const char *name, arb_rpc_service service, arb_rpc_server **out_server,
                            char out_address[64])
{
    arb_error error = {0};
    const arb_rpc_server_options options = {.services = &service, .service_count = 1};
    if (w->kind == IN_MEMORY) {
        assert_int_equal(arb_rpc_memory_server_create(w->hub, name, &options, out_server, &error), ARB_OK);
        snprintf(out_address, 64, "%s", name);
    } else {
        assert_int_equal(arb_grpc_server_create(w->runtime, &options, out_server, &error), ARB_OK);
        snprintf(out_address, 64, "127.0.0.1:%d", arb_rpc_server_port(*out_server, 0));
    }
}

static inline void note_may_go(void *context)
{
    atomic_fetch_add(&((cluster *)context)->may_go, 1);
}

static inline void note_refused(void *context, const char *why)
{
    assert_string_equal(why, "not you");
    atomic_fetch_add(&((cluster *)context)->refused, 1);
}

/* The next message of that kind that the executor sent, which the test then has until the cluster's end; a plan that it wants for
 * kind WANTED. */
enum { WANTED = -1 };

static inline noted *take_note(cluster *c, const host *from, int kind)
{
    noted *found = NULL;
    pthread_mutex_lock(&c->hand.lock);
    for (noted **at = &c->hand.first; *at != NULL && found == NULL; at = &(*at)->next) {
        int is = (*at)->wanted.size != 0 ? WANTED : (int)(*at)->message.kind;
        if (is != kind || !arb_uuid_equal((*at)->message.header.executor, from->id))
            continue;
        found = *at;
        *at = found->next;
        if (*at == NULL)
            c->hand.last = at;
        break;
    }
    pthread_mutex_unlock(&c->hand.lock);
    return found;
}

static inline noted *expect(cluster *c, const host *from, int kind)
{
    arb_error error = {0};
    noted *found;
    for (int64_t end = in_ms(20000); (found = take_note(c, from, kind)) == NULL; usleep(1000))
        if (arb_clock_monotonic_ns() > end)
            fail_msg("waited for message %d", kind);
    assert_int_equal(arb_arena_on_reset(&c->arena, free_note, found, &error), ARB_OK);
    return found;
}

/* On the newest stream of the executor. */
static inline stream_in *stream_of(cluster *c, const host *to)
{
    stream_in *stream = c->hand.streams;
    while (stream != NULL && !arb_uuid_equal(stream->executor, to->id))
        stream = stream->next;
    assert_non_null(stream);
    return stream;
}

static inline void say(cluster *c, const host *to, const arb_to_executor *message)
{
    pthread_mutex_lock(&c->hand.lock);
    say_on(stream_of(c, to), message);
    pthread_mutex_unlock(&c->hand.lock);
}

static inline void say_chunk(cluster *c, const host *to, const arb_chunk *chunk)
{
    arb_text bytes = {0};
    arb_error error = {0};
    pthread_mutex_lock(&c->hand.lock);
    send_down(stream_of(c, to), &bytes, arb_chunk_encode(chunk, &bytes, &error));
    pthread_mutex_unlock(&c->hand.lock);
}

static inline void break_stream(cluster *c, const host *to)
{
    pthread_mutex_lock(&c->hand.lock);
    arb_rpc_call *call = arb_rpc_call_ref(stream_of(c, to)->call);
    pthread_mutex_unlock(&c->hand.lock);
    arb_rpc_cancel(call);
    arb_rpc_call_unref(call);
}

static inline const arb_register *expect_register(cluster *c, host *from)
{
    noted *note = expect(c, from, ARB_TO_SCHEDULER_REGISTER);
    const arb_register *inventory = &note->message.inventory;
    assert_true(arb_str_equal(inventory->address, arb_str_of(from->address)));
    assert_true(arb_str_equal(note->token, ARB_STR("let me in")));
    assert_int_equal(inventory->key.size, sizeof from->key.bytes);
    memcpy(from->key.bytes, inventory->key.data, inventory->key.size);
    return inventory;
}

static inline void host_begin(cluster *c, unsigned number, const char *scheduler)
{
    static const arb_str roots[] = {{"data", 4}};
    host *x = &c->hosts[number];
    char name[32];
    arb_error error = {0};
    snprintf(name, sizeof name, "executor-%u", number);
    const arb_rpc_channel_options narrow = {.limits.send_window = 1};
    assert_int_equal(reach(&c->w, scheduler, &narrow, &x->to_scheduler, &error), ARB_OK);
    assert_int_equal(arb_rpc_channel_wait_ready(x->to_scheduler, in_ms(20000), &error), ARB_OK);
    const arb_executor_options options = {
        .scheduler = x->to_scheduler,
        .network = {&c->w, reach},
        .tables = &c->tables,
        .execution = {.pool = c->pool, .governor = &c->governor, .spill_folder = "/tmp"},
        .output_memory = 1 << 20,
        .version = ARB_STR("test"),
        .join_token = ARB_STR("let me in"),
        .slots = 2,
        .memory = 64 << 20,
        .roots = roots,
        .root_count = 1,
        .silence_ns = INT64_C(20000000000),
        .crash_folder = number == 0 && c->hand.crash_folder != NULL ? arb_str_of(c->hand.crash_folder) : (arb_str){0},
        .listener = {c, note_may_go, note_refused}};
    assert_int_equal(arb_executor_create(&options, &x->executor, &error), ARB_OK);
    x->id = arb_executor_id(x->executor);
    serve_at(&c->w, name, arb_flight_service_entry(arb_executor_flight_service(x->executor)), &x->server, x->address);
    assert_int_equal(reach(&c->w, x->address, NULL, &x->from_test, &error), ARB_OK);
    assert_int_equal(arb_rpc_channel_wait_ready(x->from_test, in_ms(20000), &error), ARB_OK);
    assert_int_equal(arb_executor_start(x->executor, arb_str_of(x->address), &error), ARB_OK);
}

/* `how` says what the hand does. */
static inline void cluster_begin_as(cluster *c, void **state, const hand *how)
{
    char scheduler[64];
    arb_error error = {0};
    *c = (cluster){.hand = *how};
    world_begin(&c->w, state);
    pthread_mutex_init(&c->hand.lock, NULL);
    c->hand.cluster = (arb_uuid){7, 7};
    c->hand.term = 1;
    c->hand.last = &c->hand.first;
    assert_int_equal(arb_cpu_pool_create(2, &c->pool, &error), ARB_OK);
    arb_governor_init(&c->governor, 64 << 20);
    serve_at(&c->w, "scheduler",
             (arb_rpc_service){ARB_CONTROL_SERVICE, control_methods, ARB_COUNT_OF(control_methods), &c->hand},
             &c->w.server, scheduler);
    for (unsigned i = 0; i < EXECUTORS; i++)
        host_begin(c, i, scheduler);
}

static inline void cluster_begin(cluster *c, void **state)
{
    cluster_begin_as(c, state, &(hand){0});
    for (unsigned i = 0; i < EXECUTORS; i++) {
        const arb_register *inventory = expect_register(c, &c->hosts[i]);
        assert_true(inventory->slots == 2 && inventory->root_count == 1 && inventory->held_count == 0);
    }
}

static inline void cluster_end(cluster *c)
{
    for (unsigned i = 0; i < EXECUTORS; i++)
        arb_executor_stop(c->hosts[i].executor);
    for (unsigned i = 0; i < EXECUTORS; i++) {
        host *x = &c->hosts[i];
        arb_rpc_channel_destroy(x->from_test);
        arb_rpc_server_destroy(x->server);
        arb_executor_destroy(x->executor);
        arb_rpc_channel_destroy(x->to_scheduler);
    }
    world_end(&c->w);
    hand_end(&c->hand);
    arb_cpu_pool_destroy(c->pool);
    arb_arena_reset(&c->arena);
}

/* ---- what is left -------------------------------------------------------------------------------------------------------- */

typedef struct rows_read {
    uint64_t rows;
    int64_t sum; /* of a column of INTEGER */
} rows_read;

static inline void add_rows(arb_rpc_message *message, rows_read *out)
{
    arb_flight_data data;
    arb_served_block served;
    arb_error error = {0};
    assert_int_equal(arb_flight_data_read(message, &data, &error), ARB_OK);
    if (arb_served_block_read(data.app_metadata, &served)) {
        out->rows += served.rows;
        for (uint32_t i = 0; i < served.rows; i++)
            out->sum += (int32_t)arb_load_u32((const uint8_t *)data.body.data + (size_t)i * 4);
    }
    arb_flight_data_reset(&data);
}

static inline arb_rpc_message *ask_with(const arb_text *ticket)
{
    arb_rpc_message *message;
    arb_error error = {0};
    Arrow__Flight__Protocol__Ticket sent = ARROW__FLIGHT__PROTOCOL__TICKET__INIT;
    sent.ticket = (ProtobufCBinaryData){ticket->size, (uint8_t *)ticket->data};
    assert_int_equal(arb_flight_pack(&sent.base, &message, &error), ARB_OK);
    return message;
}

/* As any Flight client with a ticket of the cluster; the first partition. */
static inline arb_code read_output(cluster *c, const host *from, const arb_attempt *attempt, rows_read *out)
{
    static const uint32_t partitions[] = {0};
    arb_ticket_attempt of = {attempt->task, attempt->attempt.term, attempt->attempt.number};
    arb_output_ticket ticket = {.cluster = c->hand.cluster,
                                .job_term = attempt->job.term,
                                .job = attempt->job.number,
                                .stage = attempt->stage,
                                .attempt_count = 1,
                                .attempts = &of,
                                .partition_count = 1,
                                .partitions = partitions};
    arb_text sealed = {0};
    arb_error error = {0};
    arb_rpc_stream *stream;
    arb_rpc_message *message = NULL;
    *out = (rows_read){0};
    assert_int_equal(arb_output_ticket_seal(&ticket, &from->key, &sealed, &error), ARB_OK);
    arb_rpc_call_options options = {.method = "/" ARB_FLIGHT_SERVICE_NAME "/DoGet", .deadline_ns = in_ms(20000)};
    assert_int_equal(arb_rpc_stream_open(from->from_test, &options, NULL, 0, &stream, &error), ARB_OK);
    arb_code code = arb_rpc_stream_send(stream, ask_with(&sealed), &error);
    arb_rpc_stream_half_close(stream);
    while (code == ARB_OK && (code = arb_rpc_stream_receive(stream, &message, &error)) == ARB_OK && message != NULL) {
        add_rows(message, out);
        arb_rpc_message_unref(message);
    }
    arb_rpc_stream_close(stream);
    arb_text_reset(&sealed);
    return code;
}

static inline void wait_for_outputs(const host *of, size_t wanted)
{
    for (int64_t end = in_ms(20000); arb_executor_outputs(of->executor).outputs != wanted; usleep(1000))
        if (arb_clock_monotonic_ns() > end)
            fail_msg("%zu outputs", arb_executor_outputs(of->executor).outputs);
}

#endif
