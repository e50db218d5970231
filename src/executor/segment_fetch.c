#include "executor/segment_fetch.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "exchange_flight/plan_hash.h"
#include "proto/control.pb-c.h"
#include "runtime/short_wait.h"
#include "scheduler_process/segment_service.h"
#include "wire/wire.h"

static const int64_t RETRY_NS = 100000000;

/* One call, between its thread and the one that waits. */
typedef struct segment_call {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    arb_text *out;
    uint64_t most;
    int64_t came_ns; /* when something last did */
    bool too_much, over;
    arb_error outcome;
} segment_call;

static void on_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    segment_call *c = context;
    pthread_mutex_lock(&c->lock);
    if (message->size > c->most - c->out->size)
        c->too_much = true;
    for (size_t i = 0; !c->too_much && i < message->slice_count; i++)
        arb_text_append(c->out, (const char *)message->slices[i].data, message->slices[i].size);
    bool go_on = !c->too_much && !c->out->failed;
    c->came_ns = arb_clock_monotonic_ns();
    pthread_mutex_unlock(&c->lock);
    if (go_on)
        arb_rpc_read(call);
    else
        arb_rpc_cancel(call);
}

static void on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    segment_call *c = context;
    pthread_mutex_lock(&c->lock);
    c->outcome = *outcome;
    c->over = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static bool is_stopped(const arb_segment_fetch_options *options)
{
    for (size_t i = 0; i < options->stop_count; i++)
        if (arb_is_stopped(options->stop[i]))
            return true;
    return false;
}

static arb_code write_request(const arb_segment_fetch_options *options, const arb_segment_name *name,
                              arb_rpc_message **out_message, arb_error *error)
{
    Arbalest__Control__SegmentRequest request = ARBALEST__CONTROL__SEGMENT_REQUEST__INIT;
    arb_text bytes = {0};
    request.hash = arb_wire_bytes((arb_str){(const char *)name->hash, sizeof name->hash});
    request.token = arb_wire_bytes(options->join_token);
    arb_code code = arb_wire_pack(&request.base, &bytes, error);
    if (code == ARB_OK)
        code = arb_rpc_message_copy(arb_text_view(&bytes), out_message, error);
    arb_text_reset(&bytes);
    return code;
}

static arb_code begin_call(const arb_segment_fetch_options *options, const arb_segment_name *name, segment_call *c,
                           arb_rpc_call **out_call, arb_error *error)
{
    static const arb_rpc_events events = {.on_message = on_message, .on_done = on_done};
    static const arb_rpc_call_options how = {.method = ARB_SEGMENT_GET};
    arb_rpc_message *message;
    arb_rpc_call *call;
    ARB_TRY(write_request(options, name, &message, error));
    arb_code code = arb_rpc_channel_call(options->scheduler, &how, &events, c, &call, error);
    if (code != ARB_OK) {
        arb_rpc_message_unref(message);
        return code;
    }
    code = arb_rpc_send(call, message, error);
    if (code != ARB_OK) {
        arb_rpc_call_unref(call);
        return code;
    }
    arb_rpc_half_close(call);
    *out_call = arb_rpc_call_ref(call);
    arb_rpc_read(call);
    arb_rpc_begin(call);
    return ARB_OK;
}

/* One try. `c` is fresh but for its lock and `came_ns`. */
static arb_code try_once(const arb_segment_fetch_options *options, const arb_segment_name *name, segment_call *c,
                         arb_error *error)
{
    arb_rpc_call *call;
    bool stopped = false, late = false;
    ARB_TRY(begin_call(options, name, c, &call, error));
    pthread_mutex_lock(&c->lock);
    while (!c->over) {
        arb_short_wait(&c->changed, &c->lock);
        bool was = stopped || late;
        stopped |= is_stopped(options);
        late |= arb_clock_monotonic_ns() - c->came_ns > options->patience_ns;
        if (!was && (stopped || late) && !c->over) {
            pthread_mutex_unlock(&c->lock);
            arb_rpc_cancel(call);
            pthread_mutex_lock(&c->lock);
        }
    }
    pthread_mutex_unlock(&c->lock);
    arb_rpc_call_unref(call);
    if (c->outcome.code == ARB_OK)
        return ARB_OK;
    if (stopped)
        return arb_fail_stopped(error);
    if (late)
        return arb_fail(error, ARB_CONNECTION_FAILED, "the scheduler does not send a table's rows");
    if (c->too_much)
        return arb_fail(error, ARB_CORRUPT_DATA, "a table's segment is larger than its name says");
    ARB_TRY(arb_text_check(c->out, error));
    if (error != NULL)
        *error = c->outcome;
    return c->outcome.code;
}

static arb_code check(const arb_segment_name *name, const arb_text *bytes, arb_error *error)
{
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    arb_plan_hash(arb_text_view(bytes), hash);
    if (bytes->size == name->bytes && memcmp(hash, name->hash, sizeof hash) == 0)
        return ARB_OK;
    return arb_fail(error, ARB_CORRUPT_DATA, "a table's segment is not what its hash says");
}

static arb_code fetch(const arb_segment_fetch_options *options, const arb_segment_name *name, segment_call *c,
                      arb_error *error)
{
    for (;;) {
        arb_text_clear(c->out);
        c->too_much = c->over = false;
        arb_code code = try_once(options, name, c, error);
        if (code == ARB_OK)
            return check(name, c->out, error);
        bool may_help = code == ARB_CONNECTION_FAILED || code == ARB_RESOURCES_EXHAUSTED;
        if (!may_help || arb_clock_monotonic_ns() - c->came_ns > options->patience_ns)
            return code;
        pthread_mutex_lock(&c->lock);
        for (int64_t began = arb_clock_monotonic_ns();
             arb_clock_monotonic_ns() - began < RETRY_NS && !is_stopped(options);)
            arb_short_wait(&c->changed, &c->lock);
        pthread_mutex_unlock(&c->lock);
        if (is_stopped(options))
            return arb_fail_stopped(error);
    }
}

arb_code arb_segment_fetch(const arb_segment_fetch_options *options, const arb_segment_name *name, arb_text *out,
                           arb_error *error)
{
    segment_call c = {.out = out, .most = name->bytes, .came_ns = arb_clock_monotonic_ns()};
    pthread_mutex_init(&c.lock, NULL);
    arb_short_wait_init(&c.changed);
    arb_code code = fetch(options, name, &c, error);
    pthread_cond_destroy(&c.changed);
    pthread_mutex_destroy(&c.lock);
    return code;
}
