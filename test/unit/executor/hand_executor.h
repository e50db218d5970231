/* hand_executor.h: an executor whose tasks a test plays by hand: a ledger, and a stream to the scheduler.
 *
 * The stream's events come on threads of their own and are put aside; all else happens when the test calls hand_pump. Before a
 * LAUNCH is looked at, the plan that it names must have come. */
#ifndef TEST_HAND_EXECUTOR_H
#define TEST_HAND_EXECUTOR_H

#include "unit/rpc/rpc_world.h"

#include <pthread.h>

#include "base/vec.h"
#include "exchange_flight/plan_hash.h"
#include "executor/task_ledger.h"
#include "scheduler/control_wire.h"

#define MS ((int64_t)1000000)
#define SECOND ((int64_t)1000000000)

/* One call, from its opening until its end was seen. */
typedef struct hand_stream {
    pthread_mutex_t lock;
    arb_rpc_call *call;
    ARB_VEC(arb_rpc_message *) messages;
    bool paused; /* asks for nothing */
    bool over;
    arb_error outcome;
} hand_stream;

typedef struct hand_run {
    uint64_t run;
    arb_attempt attempt;
    uint8_t plan[ARB_PLAN_HASH_BYTES];
    bool stopped, ended, dropped;
} hand_run;

typedef struct hand_plan {
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    uint64_t total;
    arb_text bytes;
    int times; /* it has come whole */
} hand_plan;

typedef struct hand_executor {
    world *w;
    arb_uuid id;
    arb_ledger *ledger;
    hand_stream *stream;
    ARB_VEC(hand_stream *) old; /* closed, and not over yet */
    ARB_VEC(hand_run) runs;
    ARB_VEC(hand_plan) plans;
    arb_str token;
    bool opening;
    bool holds; /* tasks go on until the test ends them */
    bool deaf;  /* it does nothing at all */
    bool slow;  /* it takes a message each five milliseconds */
    bool takes_no_plans;
    int beats; /* HEARTBEAT_SEEN that came while a plan was on its way */
    int opened, refused;
    char why[256];
    arb_error ended; /* how the last stream ended */
} hand_executor;

/* ---- the stream ---------------------------------------------------------------------------------------------------------- */

static void hand_on_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    hand_stream *stream = context;
    pthread_mutex_lock(&stream->lock);
    bool kept = ARB_VEC_PUSH(&stream->messages, message), more = !stream->paused;
    if (kept)
        arb_rpc_message_ref(message);
    pthread_mutex_unlock(&stream->lock);
    if (!kept)
        arb_rpc_cancel(call); /* no memory: the test makes it so */
    if (kept && more)
        arb_rpc_read(call);
}

static void hand_on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    hand_stream *stream = context;
    pthread_mutex_lock(&stream->lock);
    stream->outcome = *outcome;
    stream->over = true;
    pthread_mutex_unlock(&stream->lock);
}

static ARB_UNUSED hand_stream *hand_stream_open(world *w, bool paused)
{
    static const arb_rpc_events events = {.on_message = hand_on_message, .on_done = hand_on_done};
    static const arb_rpc_call_options options = {.method = "/arbalest.control.Control/Connect"};
    arb_error error = {0};
    hand_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL)
        abort();
    pthread_mutex_init(&stream->lock, NULL);
    stream->paused = paused;
    if (arb_rpc_channel_call(w->channel, &options, &events, stream, &stream->call, &error) != ARB_OK)
        fail_msg("%s", error.message);
    arb_rpc_call_ref(stream->call);
    arb_rpc_begin(stream->call);
    if (!paused)
        arb_rpc_read(stream->call);
    return stream;
}

static ARB_UNUSED bool hand_stream_is_over(hand_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    bool over = stream->over;
    pthread_mutex_unlock(&stream->lock);
    return over;
}

/* It is over. */
static ARB_UNUSED void hand_stream_free(hand_stream *stream)
{
    for (size_t i = 0; i < stream->messages.size; i++)
        arb_rpc_message_unref(stream->messages.data[i]);
    ARB_VEC_RESET(&stream->messages);
    arb_rpc_call_unref(stream->call);
    pthread_mutex_destroy(&stream->lock);
    arb_free(stream);
}

static ARB_UNUSED void hand_stream_send(hand_stream *stream, arb_str bytes)
{
    arb_rpc_message *message;
    arb_code code = arb_rpc_message_copy(bytes, &message, NULL);
    if (code == ARB_OK)
        code = arb_rpc_send(stream->call, message, NULL);
    if (code == ARB_OUT_OF_MEMORY) /* else it is over, which the test sees */
        abort();
}

/* ---- the ledger's actions ------------------------------------------------------------------------------------------------ */

static void hand_open(void *context)
{
    hand_executor *hand = context;
    hand->stream = hand_stream_open(hand->w, hand->slow);
    hand->opening = true;
    hand->opened++;
}

static void hand_close(void *context)
{
    hand_executor *hand = context;
    if (hand->stream == NULL)
        return;
    arb_rpc_cancel(hand->stream->call);
    if (!ARB_VEC_PUSH(&hand->old, hand->stream))
        abort();
    hand->stream = NULL;
}

static void hand_send(void *context, const arb_to_scheduler *message)
{
    hand_executor *hand = context;
    arb_text bytes = {0};
    if (arb_to_scheduler_encode(message, hand->token, &bytes, NULL) != ARB_OK)
        abort();
    if (hand->stream != NULL)
        hand_stream_send(hand->stream, arb_text_view(&bytes));
    arb_text_reset(&bytes);
}

static hand_plan *hand_plan_of(hand_executor *hand, arb_str hash)
{
    for (size_t i = 0; i < hand->plans.size; i++)
        if (hash.size == ARB_PLAN_HASH_BYTES && memcmp(hand->plans.data[i].hash, hash.data, hash.size) == 0)
            return &hand->plans.data[i];
    return NULL;
}

static void hand_start(void *context, uint64_t run, const arb_attempt *attempt, const arb_launch *launch)
{
    hand_executor *hand = context;
    hand_run made = {.run = run, .attempt = *attempt};
    const hand_plan *plan = hand_plan_of(hand, launch->plan);
    if (!hand->takes_no_plans && (plan == NULL || plan->times == 0))
        fail_msg("a LAUNCH came before its plan");
    memcpy(made.plan, launch->plan.data, sizeof made.plan);
    if (!ARB_VEC_PUSH(&hand->runs, made))
        abort();
}

static hand_run *hand_run_of(hand_executor *hand, uint64_t run)
{
    for (size_t i = 0; i < hand->runs.size; i++)
        if (hand->runs.data[i].run == run)
            return &hand->runs.data[i];
    fail_msg("a run that was not started");
    return NULL;
}

static void hand_stop(void *context, uint64_t run)
{
    hand_run_of(context, run)->stopped = true;
}

static void hand_drop(void *context, uint64_t run)
{
    hand_run_of(context, run)->dropped = true;
}

static void hand_gone(void *context, arb_uuid executor)
{
    (void)context;
    (void)executor;
}

static void hand_may_go(void *context)
{
    (void)context;
}

static void hand_refused(void *context, const char *why)
{
    hand_executor *hand = context;
    hand->refused++;
    snprintf(hand->why, sizeof hand->why, "%s", why);
}

/* ---- its life ------------------------------------------------------------------------------------------------------------ */

static ARB_UNUSED void hand_begin(hand_executor *hand, world *w, unsigned number)
{
    static const arb_ledger_actions actions = {hand_open, hand_close, hand_send,   hand_start,  hand_stop,
                                               hand_drop, hand_gone,  hand_may_go, hand_refused};
    arb_error error = {0};
    *hand = (hand_executor){.w = w, .id = {7, number}, .token = ARB_STR("secret")};
    arb_ledger_options options = {.executor = hand->id,
                                  .registration = {.address = ARB_STR("there:1"),
                                                   .key = ARB_STR("key"),
                                                   .version = ARB_STR("test"),
                                                   .slots = 2,
                                                   .memory = 1 << 20},
                                  .silence_ns = 5 * SECOND,
                                  .actions = &actions,
                                  .context = hand};
    assert_int_equal(arb_ledger_create(&options, &hand->ledger, &error), ARB_OK);
}

static void hand_take_chunk(hand_executor *hand, const arb_chunk *chunk)
{
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    hand_plan *plan = hand_plan_of(hand, chunk->hash);
    if (plan == NULL) {
        assert_int_equal(chunk->hash.size, ARB_PLAN_HASH_BYTES);
        if (!ARB_VEC_PUSH(&hand->plans, (hand_plan){.total = chunk->size}))
            abort();
        plan = &hand->plans.data[hand->plans.size - 1];
        memcpy(plan->hash, chunk->hash.data, sizeof plan->hash);
    }
    if (chunk->offset == 0)
        arb_text_clear(&plan->bytes);
    assert_true(chunk->bytes.size <= ARB_PLAN_CHUNK_BYTES);
    assert_int_equal(chunk->offset, plan->bytes.size); /* they follow each other */
    arb_text_append_str(&plan->bytes, chunk->bytes);
    if (plan->bytes.size != plan->total)
        return;
    arb_plan_hash(arb_text_view(&plan->bytes), hash);
    assert_memory_equal(hash, plan->hash, sizeof hash);
    plan->times++;
}

static bool hand_plan_is_coming(const hand_executor *hand)
{
    for (size_t i = 0; i < hand->plans.size; i++)
        if (hand->plans.data[i].bytes.size != hand->plans.data[i].total)
            return true;
    return false;
}

static void hand_take(hand_executor *hand, arb_rpc_message *message)
{
    arb_arena arena = {0};
    arb_str bytes;
    arb_to_executor got;
    arb_chunk chunk;
    bool is_chunk = false;
    arb_error error = {0};
    if (arb_rpc_message_bytes(message, &arena, &bytes, &error) != ARB_OK ||
        arb_to_executor_decode(&arena, bytes, &is_chunk, &got, &chunk, &error) != ARB_OK)
        fail_msg("%s", error.message);
    if (is_chunk && !hand->takes_no_plans)
        hand_take_chunk(hand, &chunk);
    if (!is_chunk && got.kind == ARB_TO_EXECUTOR_HEARTBEAT_SEEN && hand_plan_is_coming(hand))
        hand->beats++;
    if (!is_chunk)
        arb_ledger_receive(hand->ledger, arb_clock_monotonic_ns(), &got);
    arb_arena_reset(&arena);
    arb_rpc_message_unref(message);
}

/* The next message of the stream, unless that is gone by now. */
static arb_rpc_message *hand_next(hand_stream *stream)
{
    arb_rpc_message *message = NULL;
    pthread_mutex_lock(&stream->lock);
    if (stream->messages.size > 0) {
        message = stream->messages.data[0];
        stream->messages.size--;
        memmove(stream->messages.data, stream->messages.data + 1, stream->messages.size * sizeof message);
    }
    pthread_mutex_unlock(&stream->lock);
    return message;
}

static void hand_take_all(hand_executor *hand)
{
    arb_rpc_message *message;
    hand_stream *stream = hand->stream;
    if (stream != NULL && hand->slow) {
        arb_rpc_read(stream->call); /* one at a time */
        usleep(5000);
    }
    while (stream != NULL && stream == hand->stream && (message = hand_next(stream)) != NULL)
        hand_take(hand, message);
}

static void hand_free_old(hand_executor *hand)
{
    for (size_t i = hand->old.size; i-- > 0;) {
        if (!hand_stream_is_over(hand->old.data[i]))
            continue;
        hand_stream_free(hand->old.data[i]);
        hand->old.data[i] = hand->old.data[--hand->old.size];
    }
}

static ARB_UNUSED void hand_end_run(hand_executor *hand, hand_run *run)
{
    if (run->ended)
        return;
    run->ended = true;
    if (run->stopped)
        arb_ledger_failed(hand->ledger, run->run, &(arb_failure){.kind = ARB_FAILURE_CANCELLED});
    else
        (void)arb_ledger_done(hand->ledger, run->run, &(arb_task_output){.rows = 10, .bytes = 100});
}

/* Whatever there is to do now. */
static ARB_UNUSED void hand_pump(hand_executor *hand)
{
    if (hand->ledger == NULL || hand->deaf)
        return;
    int64_t now = arb_clock_monotonic_ns();
    if (arb_ledger_wake(hand->ledger) <= now)
        arb_ledger_tick(hand->ledger, now);
    if (hand->opening) {
        hand->opening = false;
        arb_ledger_connected(hand->ledger, now);
    }
    bool over = hand->stream != NULL && hand_stream_is_over(hand->stream); /* before what it brought is looked at */
    hand_take_all(hand);
    if (over && hand->stream != NULL) {
        hand->ended = hand->stream->outcome;
        hand_stream_free(hand->stream);
        hand->stream = NULL;
        hand->opening = false;
        arb_ledger_disconnected(hand->ledger, arb_clock_monotonic_ns());
    }
    for (size_t i = 0; i < hand->runs.size; i++)
        if (!hand->holds || hand->runs.data[i].stopped)
            hand_end_run(hand, &hand->runs.data[i]);
    hand_free_old(hand);
}

/* It is gone, without a word. The channel may go on. */
static ARB_UNUSED void hand_end(hand_executor *hand)
{
    if (hand->ledger == NULL)
        return;
    hand_close(hand);
    for (int64_t end = in_ms(20000); hand->old.size > 0; usleep(1000)) {
        hand_free_old(hand);
        assert_true(arb_clock_monotonic_ns() < end);
    }
    arb_ledger_destroy(hand->ledger);
    for (size_t i = 0; i < hand->plans.size; i++)
        arb_text_reset(&hand->plans.data[i].bytes);
    ARB_VEC_RESET(&hand->plans);
    ARB_VEC_RESET(&hand->runs);
    ARB_VEC_RESET(&hand->old);
    hand->ledger = NULL;
}

static ARB_UNUSED size_t hand_running(const hand_executor *hand)
{
    size_t count = 0;
    for (size_t i = 0; i < hand->runs.size; i++)
        count += !hand->runs.data[i].ended;
    return count;
}

#endif
