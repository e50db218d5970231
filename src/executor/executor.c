#include "executor/executor_internal.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "scheduler/control_wire.h"

enum { WAITING_THREADS = 4, IDLE_PEERS_MOST = 64 };
static const int64_t USUAL_SILENCE_NS = 5000000000, PROGRESS_NS = 1000000000;

/* ---- the stream to the scheduler ----------------------------------------------------------------------------------------- */

static void lose_stream(arb_executor *executor)
{
    if (executor->stream != NULL)
        arb_control_stream_close(executor->stream);
    executor->stream = NULL;
    executor->lost = true;
}

bool arb_executor_send(arb_executor *executor, arb_text *bytes, arb_code code)
{
    arb_error error = {0};
    bool open = executor->stream != NULL;
    if (open && code == ARB_OK)
        code = arb_control_stream_send(executor->stream, arb_clock_monotonic_ns(), arb_text_view(bytes), &error);
    if (open && code != ARB_OK)
        lose_stream(executor);
    arb_text_reset(bytes);
    return open && code == ARB_OK;
}

static void take_chunk(arb_executor *executor, const arb_chunk *chunk)
{
    arb_error error = {0};
    arb_code code =
        arb_plan_cache_chunk(executor->plans, chunk->hash, chunk->size, chunk->offset, chunk->bytes, &error);
    bool whole = code == ARB_OK && chunk->size - chunk->offset == chunk->bytes.size;
    arb_executor_runs_plan(executor, chunk->hash, whole, code != ARB_OK ? &error : NULL);
}

/* Outputs of an older cluster were dropped by the ledger. */
static void begin_session(arb_executor *executor)
{
    executor->cluster = arb_ledger_cluster(executor->ledger);
    arb_output_service_set_cluster(executor->service, executor->cluster);
    if (executor->records_crashes)
        arb_crash_record_told(); /* before any of its own could be there */
    arb_executor_runs_welcome(executor);
}

static void take_message(void *context, arb_str bytes)
{
    arb_executor *executor = context;
    arb_arena arena = {0};
    arb_error error = {0};
    arb_to_executor message;
    arb_chunk chunk;
    bool is_chunk;
    if (executor->stopping)
        return;
    bool was_welcomed = arb_ledger_welcomed(executor->ledger);
    arb_code code = arb_to_executor_decode(&arena, bytes, &is_chunk, &message, &chunk, &error);
    if (code != ARB_OK)
        lose_stream(executor);
    else if (is_chunk)
        take_chunk(executor, &chunk);
    else
        arb_ledger_receive(executor->ledger, arb_clock_monotonic_ns(), &message);
    arb_arena_reset(&arena);
    if (!was_welcomed && arb_ledger_welcomed(executor->ledger))
        begin_session(executor);
    arb_executor_settle(executor);
}

static void say_refused(arb_executor *executor, const char *why)
{
    const arb_executor_listener *listener = &executor->options.listener;
    if (listener->refused != NULL)
        listener->refused(listener->context, why);
}

static void stream_is_over(void *context, const arb_control_stream *stream, const arb_error *why)
{
    arb_executor *executor = context;
    executor->streams--;
    if (stream == executor->stream) {
        executor->stream = NULL;
        executor->lost = true;
        if (why->code == ARB_NOT_AUTHENTICATED || why->code == ARB_ACCESS_DENIED)
            say_refused(executor, why->message);
    }
    arb_executor_settle(executor);
}

/* ---- the ledger's actions ------------------------------------------------------------------------------------------------ */

static void act_open(void *context)
{
    static const arb_control_stream_events events = {take_message, stream_is_over};
    arb_executor *executor = context;
    arb_error error = {0};
    arb_code code = arb_control_stream_open(executor->options.scheduler, &executor->loop, &events, executor,
                                            &executor->stream, &error);
    executor->opened = code == ARB_OK;
    executor->lost = code != ARB_OK;
    executor->streams += code == ARB_OK;
}

static void act_close(void *context)
{
    arb_executor *executor = context;
    lose_stream(executor);
    executor->lost = executor->opened = false; /* the ledger knows */
}

static void act_send(void *context, const arb_to_scheduler *message)
{
    arb_executor *executor = context;
    arb_text bytes = {0};
    arb_error error = {0};
    (void)arb_executor_send(executor, &bytes,
                            arb_to_scheduler_encode(message, executor->options.join_token, &bytes, &error));
}

static void act_start(void *context, uint64_t run, const arb_attempt *attempt, const arb_launch *launch)
{
    arb_executor_runs_start(context, run, attempt, launch);
}

static void act_stop(void *context, uint64_t run)
{
    arb_executor_runs_stop(context, run);
}

static void act_drop(void *context, uint64_t run)
{
    arb_executor_runs_drop(context, run);
}

static void act_gone(void *context, arb_uuid peer)
{
    arb_executor_runs_gone(context, peer);
}

static void act_may_go(void *context)
{
    const arb_executor_listener *listener = &((arb_executor *)context)->options.listener;
    if (listener->may_go != NULL)
        listener->may_go(listener->context);
}

static void act_refused(void *context, const char *why)
{
    say_refused(context, why);
}

static const arb_ledger_actions actions = {.open = act_open,
                                           .close = act_close,
                                           .send = act_send,
                                           .start = act_start,
                                           .stop = act_stop,
                                           .drop = act_drop,
                                           .gone = act_gone,
                                           .may_go = act_may_go,
                                           .refused = act_refused};

/* ---- events of the loop -------------------------------------------------------------------------------------------------- */

static void tick(arb_executor *executor, int64_t now)
{
    arb_ledger_tick(executor->ledger, now);
    arb_executor_runs_look_at_time(executor, now);
    arb_plan_cache_look_at_time(executor->plans, now);
    arb_stage_builds_look_at_time(&executor->builds, now, arb_memory_is_short(&executor->plan_memory));
    if (now < executor->next_progress)
        return;
    executor->next_progress = now + PROGRESS_NS;
    arb_executor_runs_report(executor);
}

static void set_timer(arb_executor *executor)
{
    int64_t wake = arb_ledger_wake(executor->ledger);
    if (executor->timer.is_set && executor->timer.at_ns == wake)
        return;
    (void)arb_rpc_loop_unset(&executor->loop, &executor->timer);
    arb_rpc_loop_set(&executor->loop, &executor->timer, wake);
}

static void settle_end(arb_executor *executor)
{
    while (arb_executor_runs_settle(executor)) {
    }
    if (executor->streams == 0 && arb_executor_runs_are_over(executor))
        sem_post(&executor->stopped);
}

/* Heartbeats are looked for here too: timers come behind events, however many those are. */
void arb_executor_settle(arb_executor *executor)
{
    if (executor->stopping) {
        settle_end(executor);
        return;
    }
    for (;;) {
        int64_t now = arb_clock_monotonic_ns();
        if (executor->lost) {
            executor->lost = executor->opened = false;
            arb_ledger_disconnected(executor->ledger, now);
        } else if (executor->opened) {
            executor->opened = false;
            arb_ledger_connected(executor->ledger, now);
        } else if (now >= arb_ledger_wake(executor->ledger)) {
            tick(executor, now);
        } else if (!arb_executor_runs_settle(executor)) {
            break;
        }
    }
    atomic_store(&executor->joined, arb_ledger_welcomed(executor->ledger));
    set_timer(executor);
}

static void run_timer(arb_rpc_timer *timer)
{
    arb_executor_settle(ARB_CONTAINER_OF(timer, arb_executor, timer));
}

static void run_begin(arb_rpc_event *event)
{
    arb_executor_settle(ARB_CONTAINER_OF(event, arb_executor, begin));
}

static void run_drain(arb_rpc_event *event)
{
    arb_executor *executor = ARB_CONTAINER_OF(event, arb_executor, drain);
    if (executor->stopping)
        return;
    arb_ledger_drain(executor->ledger);
    ARB_FAILPOINT(EXECUTOR_DRAINING);
    arb_executor_settle(executor);
}

static void run_stop(arb_rpc_event *event)
{
    arb_executor *executor = ARB_CONTAINER_OF(event, arb_executor, stop);
    arb_ledger_goodbye(executor->ledger);
    executor->stopping = true;
    atomic_store(&executor->joined, false);
    (void)arb_rpc_loop_unset(&executor->loop, &executor->timer);
    if (executor->stream != NULL)
        arb_control_stream_finish(executor->stream, arb_clock_monotonic_ns());
    executor->stream = NULL;
    arb_executor_runs_stop_all(executor);
    arb_executor_settle(executor);
}

/* ---- for its owner ------------------------------------------------------------------------------------------------------- */

static arb_code copy_options(arb_executor *executor, const arb_executor_options *from, arb_error *error)
{
    arb_executor_options *to = &executor->options;
    arb_str *roots = ARB_ARENA_ARRAY(&executor->arena, arb_str, from->root_count + 1);
    *to = *from;
    to->version = arb_str_copy(&executor->arena, from->version);
    to->join_token = arb_str_copy(&executor->arena, from->join_token);
    to->roots = roots;
    bool copied = roots != NULL && to->version.data != NULL && to->join_token.data != NULL;
    for (size_t i = 0; copied && i < from->root_count; i++)
        copied = (roots[i] = arb_str_copy(&executor->arena, from->roots[i])).data != NULL;
    if (to->plan_memory == 0)
        to->plan_memory = ARB_PLAN_BYTES_MOST;
    if (to->silence_ns == 0)
        to->silence_ns = USUAL_SILENCE_NS;
    return copied ? ARB_OK : arb_fail_memory(error, "an executor", sizeof *executor);
}

/* Entries of another cluster than the first's are of a session that was over. */
static arb_code begin_crash_record(arb_executor *executor, arb_str folder, arb_error *error)
{
    arb_str left;
    arb_crash_entry entry;
    ARB_TRY(arb_crash_record_begin(folder, sizeof entry, &executor->arena, &left, error));
    executor->records_crashes = true;
    executor->crashed.attempts = ARB_ARENA_ARRAY(&executor->arena, arb_attempt, left.size / sizeof entry + 1);
    if (executor->crashed.attempts == NULL)
        return arb_fail_memory(error, "an executor", left.size);
    for (size_t at = 0; at < left.size; at += sizeof entry) {
        memcpy(&entry, left.data + at, sizeof entry);
        if (at == 0)
            executor->crashed.executor = entry.executor, executor->crashed.cluster = entry.cluster;
        if (arb_uuid_equal(entry.cluster, executor->crashed.cluster))
            executor->crashed.attempts[executor->crashed.count++] = entry.attempt;
    }
    return ARB_OK;
}

static arb_code make_parts(arb_executor *executor, const arb_executor_options *options, arb_error *error)
{
    ARB_TRY(copy_options(executor, options, error));
    ARB_TRY(arb_uuid_make(&executor->id, error));
    ARB_TRY(arb_seal_key_make(&executor->key, error));
    arb_governor *governor = options->execution.governor;
    executor->memories = (arb_job_memories){.process = governor, .slots = options->slots};
    arb_memory_init(&executor->output_memory, governor);
    arb_memory_init(&executor->plan_memory, governor);
    if (options->crash_folder.data != NULL)
        ARB_TRY(begin_crash_record(executor, options->crash_folder, error));
    ARB_TRY(arb_output_store_create(options->output_memory, &executor->output_memory, options->execution.spill_folder,
                                    &executor->store, error));
    ARB_TRY(arb_output_service_create(executor->store, &executor->key, &executor->service, error));
    executor->methods.do_get = arb_output_service_do_get;
    executor->flight = (arb_flight_service){&executor->methods, executor->service};
    return arb_plan_cache_create(options->tables, &executor->plan_memory, executor->options.plan_memory,
                                 &executor->plans, error);
}

arb_code arb_executor_create(const arb_executor_options *options, arb_executor **out_executor, arb_error *error)
{
    *out_executor = NULL;
    arb_executor *executor = arb_alloc_zeroed(sizeof *executor);
    if (executor == NULL)
        return arb_fail_memory(error, "an executor", sizeof *executor);
    executor->begin.run = run_begin;
    executor->drain.run = run_drain;
    executor->stop.run = run_stop;
    executor->timer.run = run_timer;
    executor->peers =
        (arb_peer_table){.network = options->network, .pool = &executor->waiting, .idle_most = IDLE_PEERS_MOST};
    sem_init(&executor->stopped, 0, 0);
    arb_code code = make_parts(executor, options, error);
    if (code != ARB_OK) {
        arb_executor_destroy(executor);
        return code;
    }
    *out_executor = executor;
    return ARB_OK;
}

void arb_executor_destroy(arb_executor *executor)
{
    if (executor == NULL)
        return;
    arb_executor_stop(executor);
    arb_executor_runs_reset(executor);
    assert(executor->memories.first == NULL && executor->builds.first == NULL);
    arb_ledger_destroy(executor->ledger);
    arb_plan_cache_destroy(executor->plans);
    arb_output_service_destroy(executor->service);
    arb_output_store_destroy(executor->store);
    if (executor->records_crashes)
        arb_crash_record_end();
    arb_arena_reset(&executor->arena);
    sem_destroy(&executor->stopped);
    arb_free(executor);
}

arb_uuid arb_executor_id(const arb_executor *executor)
{
    return executor->id;
}

arb_flight_service *arb_executor_flight_service(arb_executor *executor)
{
    return &executor->flight;
}

arb_executor_totals arb_executor_look(const arb_executor *executor)
{
    return (arb_executor_totals){.joined = atomic_load(&executor->joined),
                                 .draining = atomic_load(&executor->drain_wanted),
                                 .slots = executor->options.slots,
                                 .waiting = atomic_load(&executor->seen.waiting),
                                 .running = atomic_load(&executor->seen.running),
                                 .launched = atomic_load(&executor->seen.launched),
                                 .done = atomic_load(&executor->seen.done),
                                 .failed = atomic_load(&executor->seen.failed),
                                 .cancelled = atomic_load(&executor->seen.cancelled)};
}

arb_output_store_totals arb_executor_outputs(const arb_executor *executor)
{
    return arb_output_store_look(executor->store);
}

static arb_code make_ledger(arb_executor *executor, arb_str address, arb_error *error)
{
    const arb_executor_options *o = &executor->options;
    const arb_ledger_options options = {
        .executor = executor->id,
        .registration = {.address = address,
                         .version = o->version,
                         .key = {(const char *)executor->key.bytes, sizeof executor->key.bytes},
                         .slots = o->slots,
                         .memory = o->memory,
                         .roots = o->roots,
                         .root_count = o->root_count,
                         .previous = executor->crashed.executor,
                         .crashed = executor->crashed.attempts,
                         .crashed_count = executor->crashed.count,
                         .crashed_cluster = executor->crashed.cluster},
        .silence_ns = o->silence_ns,
        .actions = &actions,
        .context = executor};
    return arb_ledger_create(&options, &executor->ledger, error);
}

arb_code arb_executor_start(arb_executor *executor, arb_str address, arb_error *error)
{
    assert(executor->ledger == NULL);
    ARB_TRY(make_ledger(executor, address, error));
    arb_code code = arb_waiting_pool_init(&executor->waiting, WAITING_THREADS, error);
    if (code == ARB_OK) {
        code = arb_rpc_loop_start(&executor->loop, "arb-executor", error);
        if (code != ARB_OK)
            arb_waiting_pool_reset(&executor->waiting);
    }
    if (code != ARB_OK) {
        arb_ledger_destroy(executor->ledger);
        executor->ledger = NULL;
        return code;
    }
    executor->started = true;
    arb_rpc_loop_post(&executor->loop, &executor->begin);
    return ARB_OK;
}

void arb_executor_drain(arb_executor *executor)
{
    if (executor->started && !atomic_exchange(&executor->drain_wanted, true))
        arb_rpc_loop_post(&executor->loop, &executor->drain);
}

void arb_executor_stop(arb_executor *executor)
{
    if (!executor->started)
        return;
    arb_rpc_loop_post(&executor->loop, &executor->stop);
    while (sem_wait(&executor->stopped) != 0 && errno == EINTR) {
    }
    arb_peer_table_reset(&executor->peers);
    arb_waiting_pool_reset(&executor->waiting);
    arb_rpc_loop_stop(&executor->loop);
    executor->started = false;
}
