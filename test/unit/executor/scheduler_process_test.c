/* A scheduler's process and executors whose tasks are played by hand, over both transports. */
#include "unit/executor/hand_executor.h"
#include "unit/state_disk/store_fixture.h"

#include "proto/control.pb-c.h"
#include "scheduler_process/scheduler_process.h"
#include "scheduler_process/scheduler_views.h"
#include "state/memory_store.h"
#include "state_disk/sqlite_store.h"
#include "wire/wire.h"

static arb_error error;

typedef struct cluster {
    world w;
    void **state;
    char folder[64];
    bool on_disk;
    arb_store *store;
    arb_blob_folder *blobs;
    arb_scheduler_process_options options;
    arb_scheduler_process *process;
    arb_job_clients *clients;
    hand_executor hands[3];
    _Atomic int replaced;
} cluster;

static void on_replaced(void *context)
{
    atomic_fetch_add(&((cluster *)context)->replaced, 1);
}

static void serve(cluster *c)
{
    if (arb_scheduler_process_create(&c->options, &c->process, &error) != ARB_OK)
        fail_msg("%s", error.message);
    c->clients = arb_scheduler_process_clients(c->process);
    arb_rpc_service service = arb_scheduler_process_service(c->process);
    arb_rpc_server_options options = {
        .services = &service, .service_count = 1, .limits.send_window = ARB_CONTROL_SEND_WINDOW};
    assert_int_equal(world_serve(&c->w, &options, &error), ARB_OK);
    assert_int_equal(world_connect(&c->w, NULL, &error), ARB_OK);
    assert_int_equal(arb_rpc_channel_wait_ready(c->w.channel, in_ms(20000), &error), ARB_OK);
}

static void open_store(cluster *c)
{
    char path[128];
    snprintf(path, sizeof path, "%s/state", c->folder);
    if (!c->on_disk) {
        assert_int_equal(arb_memory_store_create(&c->store, &error), ARB_OK);
        return;
    }
    assert_int_equal(arb_sqlite_store_open(path, &c->store, &error), ARB_OK);
    snprintf(path, sizeof path, "%s/plans", c->folder);
    assert_int_equal(arb_blob_folder_open(path, &c->blobs, &error), ARB_OK);
    c->options.plans = c->blobs;
}

static void begin(cluster *c, void **state, bool on_disk)
{
    *c = (cluster){.on_disk = on_disk};
    world_begin(&c->w, state);
    if (on_disk)
        folder_make(c->folder);
    open_store(c);
    c->options.store = c->store;
    c->options.join_token = ARB_STR("secret");
    c->options.replaced = on_replaced;
    c->options.context = c;
}

static void stop_serving(cluster *c)
{
    arb_rpc_channel_destroy(c->w.channel);
    arb_scheduler_process_stop(c->process);
    arb_rpc_server_destroy(c->w.server);
    c->w.channel = NULL;
    c->w.server = NULL;
}

static void close_store(cluster *c)
{
    arb_store_destroy(c->store);
    arb_blob_folder_close(c->blobs);
    c->blobs = NULL;
}

static void end(cluster *c)
{
    for (size_t i = 0; i < ARB_COUNT_OF(c->hands); i++)
        hand_end(&c->hands[i]);
    stop_serving(c);
    arb_scheduler_process_destroy(c->process);
    close_store(c);
    world_end(&c->w);
    if (c->on_disk)
        folder_delete(c->folder);
}

static void pump(cluster *c)
{
    for (size_t i = 0; i < ARB_COUNT_OF(c->hands); i++)
        hand_pump(&c->hands[i]);
    usleep(500);
}

/* Let the executors do what they do until something is true; 30 s at most. */
#define PUMP_UNTIL(c, condition)                               \
    do {                                                       \
        int64_t end_ = in_ms(30000);                           \
        while (!(condition)) {                                 \
            pump(c);                                           \
            if (arb_clock_monotonic_ns() > end_)               \
                fail_msg("waited in vain for %s", #condition); \
        }                                                      \
    } while (0)

/* ---- jobs ---------------------------------------------------------------------------------------------------------------- */

typedef struct plans {
    uint8_t hashes[2][ARB_PLAN_HASH_BYTES];
    arb_str bytes[2];
} plans;

/* A scan of so many tasks, and one task that reads it. */
static arb_job_client *submit(cluster *c, plans *p, uint32_t tasks, const arb_job_watch *watch)
{
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    arb_stage_spec stages[2] = {{.task_count = tasks, .row_limit = -1, .drivers = 1},
                                {.task_count = 1, .row_limit = -1, .drivers = 1, .inputs = &input, .input_count = 1}};
    arb_job_spec spec = {
        .text = ARB_STR("SELECT 1"), .user = ARB_STR("ann"), .read_only = true, .stages = stages, .stage_count = 2};
    arb_job_client *client;
    for (int i = 0; i < 2; i++) {
        if (p->bytes[i].size == 0)
            p->bytes[i] = arb_str_of(i == 0 ? "the plan of a scan" : "the plan of an aggregation");
        arb_plan_hash(p->bytes[i], p->hashes[i]);
        stages[i].plan = (arb_str){(const char *)p->hashes[i], ARB_PLAN_HASH_BYTES};
    }
    if (arb_job_submit(c->clients, &spec, p->bytes, 2, watch, &client, &error) != ARB_OK)
        fail_msg("%s", error.message);
    return client;
}

static arb_job_progress look(arb_job_client *client)
{
    arb_job_progress progress;
    arb_job_look(client, &progress);
    return progress;
}

/* Read its result, as a client would. */
static void deliver(cluster *c, arb_job_client *client)
{
    arb_arena arena = {0};
    const arb_result_view *results;
    size_t count;
    arb_job_progress progress;
    if (!look(client).finished) /* a part of it would pass for the whole */
        assert_int_equal(arb_job_results(client, &arena, &results, &count, &error), ARB_NOT_READY);
    PUMP_UNTIL(c, look(client).finished);
    assert_int_equal(arb_job_results(client, &arena, &results, &count, &error), ARB_OK);
    assert_int_equal(count, 1);
    assert_true(results[0].rows == 10 && arb_str_equal(results[0].address, ARB_STR("there:1")) &&
                arb_str_equal(results[0].key, ARB_STR("key")));
    assert_int_equal(arb_job_delivered(client, 0, results[0].attempt, &error), ARB_UNDEFINED_OBJECT);
    assert_int_equal(arb_job_rows_left(client, 0, results[0].attempt, &error), ARB_OK);
    assert_int_equal(arb_job_delivered(client, 0, results[0].attempt, &error), ARB_OK);
    assert_int_equal(arb_job_wait(client, ARB_JOB_OVER, in_ms(20000), &progress, &error), ARB_OK);
    assert_int_equal(progress.state, ARB_JOB_SUCCEEDED);
    arb_arena_reset(&arena);
}

static size_t plan_count(cluster *c)
{
    return arb_plan_store_count(arb_scheduler_process_plans(c->process));
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

typedef struct watching {
    _Atomic int changes, ended;
} watching;

static void on_changed(void *context, const arb_job_progress *progress)
{
    watching *w = context;
    atomic_fetch_add(&w->changes, 1);
    if (progress->ended)
        atomic_fetch_add(&w->ended, 1);
}

static void expect_views(cluster *c, arb_id job)
{
    arb_arena arena = {0};
    arb_scheduler_loop *loop = arb_scheduler_process_loop(c->process);
    const arb_job_view *jobs;
    const arb_stage_view *stages;
    const arb_task_view *tasks;
    const arb_executor_view *executors;
    arb_job_view view;
    size_t count;
    assert_int_equal(arb_view_jobs(loop, 0, 10, &arena, &jobs, &count, &error), ARB_OK);
    assert_true(count == 1 && arb_id_equal(jobs[0].job, job) && arb_str_equal(jobs[0].user, ARB_STR("ann")));
    assert_int_equal(arb_view_job(loop, job, &arena, &view, &error), ARB_OK);
    assert_int_equal(view.tasks, 6);
    assert_int_equal(arb_view_stages(loop, job, &arena, &stages, &count, &error), ARB_OK);
    assert_int_equal(count, 2);
    assert_int_equal(arb_view_tasks(loop, job, 0, 0, 100, &arena, &tasks, &count, &error), ARB_OK);
    assert_int_equal(count, 5);
    assert_int_equal(arb_view_tasks(loop, job, 2, 0, 100, &arena, &tasks, &count, &error), ARB_UNDEFINED_OBJECT);
    assert_int_equal(arb_view_executors(loop, &arena, &executors, &count, &error), ARB_OK);
    assert_true(count == 2 && arb_str_equal(executors[0].address, ARB_STR("there:1")));
    assert_int_equal(arb_view_counts(loop).jobs, 1);
    arb_arena_reset(&arena);
}

static void a_job_of_two_stages(void **state)
{
    cluster c;
    plans p = {0};
    watching seen = {0};
    arb_job_watch watch = {on_changed, &seen};
    arb_job_progress progress;
    begin(&c, state, false);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    hand_begin(&c.hands[1], &c.w, 2);
    c.hands[0].holds = true;
    arb_job_client *client = submit(&c, &p, 5, &watch);
    assert_int_equal(arb_job_wait(client, ARB_JOB_ACCEPTED, in_ms(20000), &progress, &error), ARB_OK);
    assert_true(progress.accepted && !progress.finished);
    assert_int_equal(arb_job_wait(client, ARB_JOB_READABLE, in_ms(30), &progress, &error), ARB_DEADLINE_EXCEEDED);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2 && arb_ledger_welcomed(c.hands[1].ledger));
    expect_views(&c, progress.job);
    c.hands[0].holds = false;
    deliver(&c, client);
    wait_until(&seen.ended, 1);
    assert_true(atomic_load(&seen.changes) >= 2);
    assert_int_equal(plan_count(&c), 0); /* nobody needs them */
    for (int i = 0; i < 2; i++)
        for (size_t plan = 0; plan < c.hands[i].plans.size; plan++)
            assert_int_equal(c.hands[i].plans.data[plan].times, 1); /* once to each executor */
    arb_job_close(client);
    end(&c);
}

static void jobs_are_cancelled_left_and_found(void **state)
{
    cluster c;
    plans p = {0};
    arb_job_progress progress;
    begin(&c, state, false);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].holds = true;
    arb_job_client *client = submit(&c, &p, 2, NULL), *again, *third;
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2);
    assert_int_equal(arb_job_cancel(client, &error), ARB_OK);
    assert_int_equal(arb_job_wait(client, ARB_JOB_COMPLETE, in_ms(20000), &progress, &error), ARB_OK);
    assert_true(progress.ended && progress.state == ARB_JOB_CANCELLED && progress.error.code == ARB_CANCELLED);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 0);
    assert_int_equal(arb_job_rows_left(client, 0, (arb_id){0}, &error), ARB_UNDEFINED_OBJECT);
    arb_job_close(client);

    /* whoever goes last cancels it */
    client = submit(&c, &p, 2, NULL);
    arb_id job = look(client).job;
    assert_int_equal(arb_job_find(c.clients, job, NULL, &again, &error), ARB_OK);
    arb_job_close(client);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2);
    arb_job_leave(again);
    assert_int_equal(arb_job_find(c.clients, job, NULL, &again, &error), ARB_OK);
    assert_int_equal(arb_job_find(c.clients, job, NULL, &third, &error), ARB_OK);
    assert_false(look(again).ended);
    arb_job_close(again);
    arb_job_close(third);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 0);
    assert_int_equal(arb_job_find(c.clients, job, NULL, &again, &error), ARB_OK); /* it is remembered */
    assert_true(look(again).ended && look(again).state == ARB_JOB_CANCELLED);
    arb_job_close(again);
    assert_int_equal(arb_job_find(c.clients, (arb_id){1, 99}, NULL, &again, &error), ARB_UNDEFINED_OBJECT);
    assert_int_equal(plan_count(&c), 0);
    end(&c);
}

/* A handle may be closed by whoever is told. */
typedef struct closing {
    _Atomic(arb_job_client *) client;
    _Atomic int closed;
} closing;

static void close_when_ended(void *context, const arb_job_progress *progress)
{
    closing *of = context;
    if (!progress->ended)
        return;
    arb_job_close(atomic_load(&of->client));
    atomic_store(&of->closed, 1);
}

/* One job of one task, which is not recorded before it has ended. */
static arb_job_client *submit_one(cluster *c, arb_str settings, bool may_stream, const arb_job_watch *watch)
{
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    arb_str plan = ARB_STR("a plan");
    arb_job_client *client;
    arb_plan_hash(plan, hash);
    arb_stage_spec stage = {.plan = {(const char *)hash, sizeof hash}, .task_count = 1, .row_limit = -1, .drivers = 1};
    arb_job_spec spec = {
        .read_only = true, .may_stream = may_stream, .settings = settings, .stages = &stage, .stage_count = 1};
    if (arb_job_submit(c->clients, &spec, &plan, 1, watch, &client, &error) != ARB_OK)
        fail_msg("%s", error.message);
    return client;
}

static void results_stream(void **state)
{
    cluster c;
    closing closes = {.closed = 0};
    arb_job_watch watch = {close_when_ended, &closes};
    arb_job_progress progress;
    begin(&c, state, false);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].holds = true;
    arb_job_client *client = submit_one(&c, (arb_str){0}, true, &watch);
    atomic_store(&closes.client, client);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 1);
    assert_int_equal(arb_job_wait(client, ARB_JOB_READABLE, in_ms(20000), &progress, &error), ARB_OK);
    assert_true(progress.streams && !progress.finished && arb_uuid_equal(progress.executor, c.hands[0].id));
    assert_true(arb_id_equal(progress.attempt, c.hands[0].runs.data[0].attempt.attempt));
    assert_int_equal(arb_job_rows_left(client, 0, progress.attempt, &error), ARB_OK);
    assert_int_equal(arb_job_delivered(client, 0, progress.attempt, &error), ARB_OK);
    wait_until(&closes.closed, 1);
    c.hands[0].holds = false;
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 0);
    end(&c);
}

static void lost_results_are_made_again(void **state)
{
    cluster c;
    plans p = {0};
    arb_arena arena = {0};
    const arb_result_view *results;
    size_t count;
    begin(&c, state, false);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    arb_job_client *client = submit(&c, &p, 2, NULL);
    PUMP_UNTIL(&c, look(client).finished);
    size_t made = c.hands[0].runs.size;
    c.hands[0].holds = true;
    assert_int_equal(arb_job_results(client, &arena, &results, &count, &error), ARB_OK);
    assert_int_equal(arb_job_result_lost(client, 0, results[0].attempt, ARB_READ_NOT_FOUND, &error), ARB_OK);
    assert_false(look(client).finished);
    PUMP_UNTIL(&c, c.hands[0].runs.size > made);
    c.hands[0].holds = false;
    deliver(&c, client);
    arb_job_close(client);
    arb_arena_reset(&arena);
    end(&c);
}

/* No executor could take its messages. */
static void what_cannot_be_sent_fails_its_job(void **state)
{
    cluster c;
    arb_job_progress progress = {0};
    enum { SIZE = 17 << 20 };
    char *large = arb_alloc_zeroed(SIZE);
    assert_non_null(large);
    begin(&c, state, false);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    PUMP_UNTIL(&c, arb_ledger_welcomed(c.hands[0].ledger));
    arb_job_client *client = submit_one(&c, (arb_str){large, SIZE}, false, NULL);
    assert_int_equal(arb_job_wait(client, ARB_JOB_OVER, in_ms(20000), &progress, &error), ARB_OK);
    assert_int_equal(progress.state, ARB_JOB_FAILED);
    assert_int_equal(progress.error.code, ARB_LIMIT_EXCEEDED);
    arb_job_close(client);
    PUMP_UNTIL(&c, c.hands[0].opened == 2 && arb_ledger_welcomed(c.hands[0].ledger));
    arb_free(large);
    end(&c);
}

/* Whoever has a handle wants the job, whether he waits or not; one that was left ends with its lease. */
static void handles_keep_jobs(void **state)
{
    cluster c;
    plans p = {0};
    arb_job_progress progress;
    arb_arena arena = {0};
    arb_job_view view = {0};
    begin(&c, state, false);
    c.options.times = (arb_scheduler_times){.lease = 600 * MS};
    serve(&c);
    arb_job_client *client = submit(&c, &p, 2, NULL);
    assert_int_equal(arb_job_wait(client, ARB_JOB_OVER, in_ms(1500), &progress, &error), ARB_DEADLINE_EXCEEDED);
    assert_false(progress.ended);
    usleep(1500 * 1000);
    progress = look(client);
    assert_false(progress.ended);
    arb_job_leave(client);
    PUMP_UNTIL(&c, arb_view_job(arb_scheduler_process_loop(c.process), progress.job, &arena, &view, &error) == ARB_OK &&
                       view.ended != 0);
    assert_int_equal(view.state, ARB_JOB_CANCELLED);
    arb_arena_reset(&arena);
    end(&c);
}

static void wrong_jobs_are_refused(void **state)
{
    cluster c;
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    arb_job_client *client;
    begin(&c, state, false);
    serve(&c);
    arb_str plan = ARB_STR("a plan"), empty = {0};
    arb_plan_hash(plan, hash);
    arb_stage_spec stage = {.plan = {(const char *)hash, sizeof hash}, .task_count = 1, .row_limit = -1, .drivers = 1};
    arb_job_spec spec = {.read_only = true, .stages = &stage, .stage_count = 1};
    assert_int_equal(arb_job_submit(c.clients, &spec, NULL, 0, NULL, &client, &error), ARB_INVALID_PARAMETER);
    assert_int_equal(arb_job_submit(c.clients, &spec, &empty, 1, NULL, &client, &error), ARB_LIMIT_EXCEEDED);
    stage.drivers = 0;
    stage.task_count = 0;
    spec.stage_count = 0;
    assert_int_equal(arb_job_submit(c.clients, &spec, &plan, 1, NULL, &client, &error), ARB_LIMIT_EXCEEDED);
    assert_null(client);
    assert_int_equal(plan_count(&c), 0);
    end(&c);
}

static void who_falls_silent_is_replaced(void **state)
{
    cluster c;
    plans p = {0};
    begin(&c, state, false);
    c.options.times = (arb_scheduler_times){.heartbeat = 50 * MS, .suspect = 700 * MS, .dead = 1500 * MS};
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].holds = true;
    arb_job_client *client = submit(&c, &p, 2, NULL);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2);
    c.hands[0].deaf = true;
    hand_begin(&c.hands[1], &c.w, 2);
    deliver(&c, client);
    arb_job_close(client);
    /* it comes back, learns that nobody needs what it has, and is welcome */
    c.hands[0].deaf = false;
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 0 && arb_ledger_welcomed(c.hands[0].ledger));
    end(&c);
}

static void wrong_tokens_and_versions_are_refused(void **state)
{
    cluster c;
    arb_arena arena = {0};
    arb_text bytes = {0}, changed = {0};
    ProtobufCMessage *unpacked;
    begin(&c, state, false);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].token = ARB_STR("secreT");
    PUMP_UNTIL(&c, c.hands[0].refused > 0);
    assert_non_null(strstr(c.hands[0].why, "token"));
    c.hands[0].token = ARB_STR("secret");
    PUMP_UNTIL(&c, arb_ledger_welcomed(c.hands[0].ledger));

    arb_to_scheduler message = {.header = {.executor = {1, 9}, .session = 1, .sequence = 1},
                                .kind = ARB_TO_SCHEDULER_REGISTER,
                                .inventory = {.slots = 1}};
    assert_int_equal(arb_to_scheduler_encode(&message, ARB_STR("secret"), &bytes, &error), ARB_OK);
    assert_int_equal(arb_wire_unpack(&arbalest__control__to_scheduler__descriptor, &arena, bytes.data, bytes.size,
                                     &unpacked, &error),
                     ARB_OK);
    ((Arbalest__Control__ToScheduler *)unpacked)->inventory->protocol = 2;
    assert_int_equal(arb_wire_pack(unpacked, &changed, &error), ARB_OK);
    hand_stream *stream = hand_stream_open(&c.w, false);
    hand_stream_send(stream, arb_text_view(&changed));
    PUMP_UNTIL(&c, hand_stream_is_over(stream));
    assert_int_equal(stream->outcome.code, ARB_OK);
    arb_str text;
    arb_to_executor refusal;
    arb_chunk chunk;
    bool is_chunk;
    assert_int_equal(stream->messages.size, 1);
    assert_int_equal(arb_rpc_message_bytes(stream->messages.data[0], &arena, &text, &error), ARB_OK);
    assert_int_equal(arb_to_executor_decode(&arena, text, &is_chunk, &refusal, &chunk, &error), ARB_OK);
    assert_true(refusal.kind == ARB_TO_EXECUTOR_REFUSED && refusal.header.executor.low == 9);
    assert_non_null(strstr(refusal.why, "version 2"));
    hand_stream_free(stream);
    arb_text_reset(&bytes);
    arb_text_reset(&changed);
    arb_arena_reset(&arena);
    end(&c);
}

/* What comes on a new stream, and how that ends. */
static void expect_end(cluster *c, const arb_to_scheduler *messages, size_t count, arb_code code)
{
    hand_stream *stream = hand_stream_open(&c->w, false);
    for (size_t i = 0; i < count; i++) {
        arb_text bytes = {0};
        assert_int_equal(arb_to_scheduler_encode(&messages[i], ARB_STR("secret"), &bytes, &error), ARB_OK);
        hand_stream_send(stream, arb_text_view(&bytes));
        arb_text_reset(&bytes);
    }
    PUMP_UNTIL(c, hand_stream_is_over(stream));
    assert_int_equal(stream->outcome.code, code);
    hand_stream_free(stream);
}

static void streams_that_make_no_sense_end(void **state)
{
    cluster c;
    begin(&c, state, false);
    c.options.register_ns = 100 * MS;
    serve(&c);
    const arb_control_header header = {.executor = {1, 9}, .session = 3, .sequence = 1};
    const arb_register inventory = {.slots = 1};
    arb_to_scheduler messages[2] = {{.header = header, .kind = ARB_TO_SCHEDULER_HEARTBEAT},
                                    {.header = header, .kind = ARB_TO_SCHEDULER_HEARTBEAT}};
    expect_end(&c, messages, 1, ARB_INVALID_PARAMETER); /* not registered */
    expect_end(&c, messages, 0, ARB_DEADLINE_EXCEEDED);
    messages[0] = (arb_to_scheduler){.header = header, .kind = ARB_TO_SCHEDULER_REGISTER, .inventory = inventory};
    messages[1] = messages[0];
    expect_end(&c, messages, 2, ARB_INVALID_PARAMETER); /* twice */
    messages[0].header.session = messages[1].header.session = 4;
    messages[1].kind = ARB_TO_SCHEDULER_HEARTBEAT;
    messages[1].header.executor.low = 8;
    expect_end(&c, messages, 2, ARB_ACCESS_DENIED); /* for another */
    messages[0].header.session = 2;
    expect_end(&c, messages, 1, ARB_NOT_READY); /* an old session */
    hand_stream *stream = hand_stream_open(&c.w, false);
    hand_stream_send(stream, ARB_STR("\xFF\xFF nonsense"));
    PUMP_UNTIL(&c, hand_stream_is_over(stream));
    assert_int_equal(stream->outcome.code, ARB_CORRUPT_DATA);
    hand_stream_free(stream);
    end(&c);
}

static void a_second_stream_takes_the_place_of_the_first(void **state)
{
    cluster c;
    plans p = {0};
    begin(&c, state, false);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].holds = true;
    arb_job_client *client = submit(&c, &p, 2, NULL);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2);
    /* the end of the first is not heard by the executor, which opens another */
    hand_stream *first = c.hands[0].stream;
    c.hands[0].stream = NULL;
    arb_ledger_disconnected(c.hands[0].ledger, arb_clock_monotonic_ns());
    PUMP_UNTIL(&c, c.hands[0].opened == 2 && arb_ledger_welcomed(c.hands[0].ledger));
    PUMP_UNTIL(&c, hand_stream_is_over(first));
    assert_int_equal(first->outcome.code, ARB_CONNECTION_FAILED);
    hand_stream_free(first);
    assert_int_equal(hand_running(&c.hands[0]), 2); /* they went on */
    c.hands[0].holds = false;
    deliver(&c, client);
    arb_job_close(client);
    end(&c);
}

/* A plan of many chunks: messages wait for it, heartbeats do not. Asked for, it comes again. */
static void plans_come_again_when_asked_for(void **state)
{
    enum { SIZE = 24 << 20 };
    cluster c;
    char *large = arb_alloc(SIZE);
    arb_text wanted = {0};
    assert_non_null(large);
    for (size_t i = 0; i < SIZE; i++)
        large[i] = (char)(i * 7 + i / 1000);
    plans p = {.bytes[0] = {large, SIZE}};
    begin(&c, state, false);
    c.options.times = (arb_scheduler_times){.heartbeat = 5 * MS};
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].holds = c.hands[0].slow = true;
    arb_job_client *client = submit(&c, &p, 2, NULL);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2);
    const hand_plan *plan = &c.hands[0].plans.data[0];
    assert_int_equal(plan->times, 1);
    assert_true(c.hands[0].beats >= 3);
    assert_int_equal(arb_wanted_encode((arb_str){(const char *)p.hashes[0], ARB_PLAN_HASH_BYTES}, &wanted, &error),
                     ARB_OK);
    hand_stream_send(c.hands[0].stream, arb_text_view(&wanted));
    PUMP_UNTIL(&c, plan->times == 2);
    arb_text_clear(&wanted);
    assert_int_equal(arb_wanted_encode(ARB_STR("a hash of no plan at all"), &wanted, &error), ARB_OK);
    hand_stream_send(c.hands[0].stream, arb_text_view(&wanted)); /* means nothing */
    c.hands[0].holds = false;
    deliver(&c, client);
    assert_int_equal(c.hands[0].opened, 1);
    arb_job_close(client);
    arb_text_reset(&wanted);
    arb_free(large);
    end(&c);
}

static void who_takes_nothing_is_given_up(void **state)
{
    cluster c;
    enum { SIZE = 16 << 20 };
    char *large = arb_alloc_zeroed(SIZE);
    assert_non_null(large);
    plans p = {.bytes[0] = {large, SIZE}};
    arb_text bytes = {0};
    begin(&c, state, false);
    c.options.waiting_most = 300; /* some LAUNCHes */
    serve(&c);
    arb_to_scheduler message = {.header = {.executor = {1, 9}, .session = 1, .sequence = 1},
                                .kind = ARB_TO_SCHEDULER_REGISTER,
                                .inventory = {.slots = 8, .memory = 1 << 20}};
    assert_int_equal(arb_to_scheduler_encode(&message, ARB_STR("secret"), &bytes, &error), ARB_OK);
    hand_stream *stream = hand_stream_open(&c.w, true);
    hand_stream_send(stream, arb_text_view(&bytes));
    PUMP_UNTIL(&c, arb_view_counts(arb_scheduler_process_loop(c.process)).executors == 1);
    arb_job_client *client = submit(&c, &p, 8, NULL);
    PUMP_UNTIL(&c, hand_stream_is_over(stream) || (arb_rpc_read(stream->call), false));
    assert_int_equal(stream->outcome.code, ARB_RESOURCES_EXHAUSTED);
    hand_stream_free(stream);
    hand_begin(&c.hands[0], &c.w, 1);
    arb_job_close(client);
    arb_text_reset(&bytes);
    arb_free(large);
    end(&c);
}

static void restart(cluster *c)
{
    stop_serving(c);
    arb_scheduler_process_destroy(c->process);
    close_store(c);
    open_store(c);
    c->options.store = c->store;
}

/* The executor keeps its outputs and registers again; the job goes on where it was, under the next scheduler. */
static void recorded_jobs_outlive_the_scheduler(void **state)
{
    cluster c;
    plans p = {0};
    arb_job_progress progress;
    begin(&c, state, true);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].holds = true;
    arb_job_client *client = submit(&c, &p, 2, NULL);
    assert_int_equal(arb_job_wait(client, ARB_JOB_ACCEPTED, in_ms(20000), &progress, &error), ARB_OK);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2);
    hand_end_run(&c.hands[0], &c.hands[0].runs.data[0]);
    hand_end_run(&c.hands[0], &c.hands[0].runs.data[1]);
    PUMP_UNTIL(&c, c.hands[0].runs.size == 3); /* the second stage runs: the first is committed */
    arb_scheduler_process_stop(c.process);
    assert_int_equal(arb_job_wait(client, ARB_JOB_OVER, in_ms(20000), &progress, &error), ARB_CONNECTION_FAILED);
    assert_int_equal(arb_job_cancel(client, &error), ARB_CONNECTION_FAILED);
    assert_int_equal(error.code, ARB_CONNECTION_FAILED);
    arb_job_close(client); /* which cancels nothing: the job is the next scheduler's */
    restart(&c);
    serve(&c);
    assert_int_equal(plan_count(&c), 2);
    assert_int_equal(arb_job_find(c.clients, progress.job, NULL, &client, &error), ARB_OK);
    PUMP_UNTIL(&c, arb_ledger_welcomed(c.hands[0].ledger) && c.hands[0].opened >= 2);
    c.hands[0].holds = false;
    deliver(&c, client);
    assert_int_equal(c.hands[0].runs.size, 3); /* nothing was done twice */
    assert_int_equal(plan_count(&c), 0);
    arb_job_close(client);
    end(&c);
}

static void a_lost_plan_fails_its_job(void **state)
{
    cluster c;
    plans p = {0};
    char path[128];
    arb_job_progress progress;
    begin(&c, state, true);
    serve(&c);
    arb_job_client *client = submit(&c, &p, 2, NULL);
    assert_int_equal(arb_job_wait(client, ARB_JOB_ACCEPTED, in_ms(20000), &progress, &error), ARB_OK);
    arb_job_leave(client);
    snprintf(path, sizeof path, "%s/plans", c.folder);
    folder_delete(path);
    restart(&c);
    serve(&c);
    assert_int_equal(arb_job_find(c.clients, progress.job, NULL, &client, &error), ARB_OK);
    assert_int_equal(arb_job_wait(client, ARB_JOB_OVER, in_ms(20000), &progress, &error), ARB_OK);
    assert_int_equal(progress.state, ARB_JOB_FAILED);
    assert_int_equal(progress.error.code, ARB_CORRUPT_DATA);
    arb_job_close(client);
    end(&c);
}

static void who_is_replaced_says_so(void **state)
{
    cluster c;
    plans p = {0};
    arb_job_progress progress;
    arb_job_client *again;
    uint64_t term;
    begin(&c, state, true);
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    c.hands[0].holds = true;
    arb_job_client *client = submit(&c, &p, 2, NULL);
    PUMP_UNTIL(&c, hand_running(&c.hands[0]) == 2);
    assert_int_equal(arb_store_raise_term(c.store, &term, &error), ARB_OK);
    c.hands[0].holds = false; /* what it commits shall be written, and is refused */
    PUMP_UNTIL(&c, atomic_load(&c.replaced) == 1);
    assert_int_equal(arb_job_wait(client, ARB_JOB_OVER, in_ms(20000), &progress, &error), ARB_CONNECTION_FAILED);
    PUMP_UNTIL(&c, c.hands[0].refused > 0);
    assert_non_null(strstr(c.hands[0].why, "newer"));
    assert_int_equal(arb_job_find(c.clients, progress.job, NULL, &again, &error), ARB_CONNECTION_FAILED);
    arb_job_close(client);
    assert_int_equal(plan_count(&c), 2);
    end(&c);
}

#ifdef ARB_FAILPOINTS
/* Whatever finds no memory, of all that happens from the submission on: it is said at once, or the job succeeds. */
static void allocations_fail(void **state)
{
    cluster c;
    int refused = 0;
    begin(&c, state, false);
    c.options.times = (arb_scheduler_times){.heartbeat = 20 * MS};
    serve(&c);
    hand_begin(&c.hands[0], &c.w, 1);
    PUMP_UNTIL(&c, arb_ledger_welcomed(c.hands[0].ledger));
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    arb_str plan = ARB_STR("a plan");
    arb_plan_hash(plan, hash);
    arb_stage_spec stage = {.plan = {(const char *)hash, sizeof hash}, .task_count = 2, .row_limit = -1, .drivers = 1};
    arb_job_spec spec = {.read_only = true, .stages = &stage, .stage_count = 1};
    for (uint64_t nth = 1; nth <= 60; nth++) {
        arb_job_client *client;
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_job_submit(c.clients, &spec, &plan, 1, NULL, &client, &error);
        usleep(3000); /* what the loop and the streams do with it */
        arb_alloc_fail_at(0, false);
        if (code != ARB_OK) {
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
            refused++;
            continue;
        }
        PUMP_UNTIL(&c, look(client).finished);
        arb_job_close(client);
    }
    assert_true(refused >= 5);
    PUMP_UNTIL(&c, plan_count(&c) == 0);
    end(&c);
}

static void creating_may_fail(void **state)
{
    cluster c;
    begin(&c, state, false);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_scheduler_process_create(&c.options, &c.process, &error);
        failed = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        if (code == ARB_OK) {
            arb_scheduler_process_destroy(c.process);
        } else {
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
            assert_null(c.process);
        }
    }
    serve(&c);
    end(&c);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(a_job_of_two_stages),
        OVER_BOTH(jobs_are_cancelled_left_and_found),
        OVER_BOTH(results_stream),
        OVER_BOTH(lost_results_are_made_again),
        OVER_BOTH(what_cannot_be_sent_fails_its_job),
        OVER_BOTH(handles_keep_jobs),
        OVER_BOTH(wrong_jobs_are_refused),
        OVER_BOTH(who_falls_silent_is_replaced),
        OVER_BOTH(wrong_tokens_and_versions_are_refused),
        OVER_BOTH(streams_that_make_no_sense_end),
        OVER_BOTH(a_second_stream_takes_the_place_of_the_first),
        OVER_BOTH(plans_come_again_when_asked_for),
        OVER_BOTH(who_takes_nothing_is_given_up),
        OVER_BOTH(recorded_jobs_outlive_the_scheduler),
        OVER_BOTH(a_lost_plan_fails_its_job),
        OVER_BOTH(who_is_replaced_says_so),
#ifdef ARB_FAILPOINTS
        {"allocations_fail", allocations_fail, NULL, NULL, &in_memory},
        {"creating_may_fail", creating_may_fail, NULL, NULL, &in_memory},
#endif
    };
    return run_rpc_tests(tests);
}
