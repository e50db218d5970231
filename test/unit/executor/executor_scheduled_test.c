/* Executors under the scheduler itself: a job of two stages from its submission until its result is delivered and gone. Clock,
 * store and client are the test's. */
#include "unit/executor/made_stages.h"

#include "scheduler/scheduler.h"

typedef struct scheduled {
    cluster c;
    pthread_mutex_t lock; /* of the machine; taken before the hand's */
    arb_scheduler *machine;
    bool writing;
    sent_stage plans[2];
    size_t plan_count;
    _Atomic int finished, ended, wanted;
    arb_job_state state;
    arb_error error; /* of a job that failed */
    pthread_t ticker;
    _Atomic bool over;
} scheduled;

static scheduled *scheduled_of(hand *h)
{
    return ARB_CONTAINER_OF(h, scheduled, c.hand);
}

/* ---- the machine's actions ----------------------------------------------------------------------------------------------- */

static stream_in *find_stream(hand *h, arb_uuid executor, uint64_t session)
{
    stream_in *stream = h->streams;
    while (stream != NULL && !(arb_uuid_equal(stream->executor, executor) && stream->session == session))
        stream = stream->next;
    return stream;
}

static void act_send(void *context, const arb_to_executor *message)
{
    hand *h = &((scheduled *)context)->c.hand;
    arb_text bytes = {0};
    arb_error error = {0};
    pthread_mutex_lock(&h->lock);
    stream_in *stream = find_stream(h, message->header.executor, message->header.session);
    if (stream != NULL)
        send_down(stream, &bytes, arb_to_executor_encode(message, &bytes, &error));
    pthread_mutex_unlock(&h->lock);
}

static void act_close(void *context, arb_uuid executor, uint64_t session)
{
    hand *h = &((scheduled *)context)->c.hand;
    pthread_mutex_lock(&h->lock);
    stream_in *stream = find_stream(h, executor, session);
    arb_rpc_call *call = stream != NULL ? arb_rpc_call_ref(stream->call) : NULL;
    pthread_mutex_unlock(&h->lock);
    if (call != NULL)
        arb_rpc_cancel(call);
    arb_rpc_call_unref(call);
}

static void act_answer(void *context, const arb_answer *answer)
{
    scheduled *s = context;
    if (answer->kind == ARB_ANSWER_ENDED) {
        s->state = answer->state;
        if (answer->error != NULL)
            s->error = *answer->error;
    }
    atomic_fetch_add(&s->finished, answer->kind == ARB_ANSWER_FINISHED);
    atomic_fetch_add(&s->ended, answer->kind == ARB_ANSWER_ENDED);
}

static void act_write(void *context, const arb_store_operation *operations, size_t count)
{
    (void)operations, (void)count;
    ((scheduled *)context)->writing = true;
}

static void act_stop(void *context)
{
    (void)context;
    fail_msg("the scheduler was replaced");
}

/* ---- its events ---------------------------------------------------------------------------------------------------------- */

/* What cannot be lost is given again; false: there was no memory for an executor's message. */
static bool apply(scheduled *s, arb_event event)
{
    arb_error error = {0};
    arb_code code;
    pthread_mutex_lock(&s->lock);
    event.now = arb_clock_monotonic_ns();
    do {
        code = arb_scheduler_apply(s->machine, &event, &error);
    } while (code == ARB_OUT_OF_MEMORY && event.kind != ARB_EVENT_MESSAGE);
    while (code == ARB_OK && s->writing) {
        s->writing = false;
        const arb_event written = {.kind = ARB_EVENT_WRITTEN, .now = event.now, .outcome = ARB_STORE_COMMITTED};
        while (arb_scheduler_apply(s->machine, &written, &error) != ARB_OK)
            assert_int_equal(error.code, ARB_OUT_OF_MEMORY);
    }
    pthread_mutex_unlock(&s->lock);
    if (code != ARB_OK && code != ARB_OUT_OF_MEMORY)
        fail_msg("%s", error.message);
    return code == ARB_OK;
}

/* Plans go to who asks for them. */
static void send_wanted(scheduled *s, stream_in *stream, arb_str hash)
{
    atomic_fetch_add(&s->wanted, 1);
    for (size_t i = 0; i < s->plan_count; i++) {
        const sent_stage *plan = &s->plans[i];
        if (!arb_str_equal(plan->hash, hash))
            continue;
        arb_text bytes = {0};
        arb_error error = {0};
        pthread_mutex_lock(&s->c.hand.lock);
        send_down(stream, &bytes,
                  arb_chunk_encode(&(arb_chunk){hash, plan->bytes.size, 0, plan->bytes}, &bytes, &error));
        pthread_mutex_unlock(&s->c.hand.lock);
    }
}

static void take(hand *h, stream_in *stream, const noted *note)
{
    scheduled *s = scheduled_of(h);
    if (note->wanted.size != 0) {
        send_wanted(s, stream, note->wanted);
        return;
    }
    if (note->message.kind == ARB_TO_SCHEDULER_REGISTER) {
        pthread_mutex_lock(&h->lock);
        stream->executor = note->message.header.executor;
        stream->session = note->message.header.session;
        pthread_mutex_unlock(&h->lock);
    }
    if (!apply(s, (arb_event){.kind = ARB_EVENT_MESSAGE, .message = &note->message}))
        arb_rpc_cancel(stream->call);
}

static void closed(hand *h, const stream_in *stream)
{
    (void)apply(scheduled_of(h),
                (arb_event){.kind = ARB_EVENT_STREAM_CLOSED, .executor = stream->executor, .session = stream->session});
}

static void *tick(void *context)
{
    scheduled *s = context;
    for (; !atomic_load(&s->over); usleep(10000)) {
        pthread_mutex_lock(&s->lock);
        bool due = arb_scheduler_wake(s->machine) <= arb_clock_monotonic_ns();
        pthread_mutex_unlock(&s->lock);
        if (due)
            (void)apply(s, (arb_event){.kind = ARB_EVENT_TICK});
    }
    return NULL;
}

static void scheduled_begin(scheduled *s, void **state)
{
    static const arb_scheduler_actions actions = {act_send, act_close, act_answer, act_write, act_stop};
    arb_error error = {0};
    *s = (scheduled){0};
    pthread_mutex_init(&s->lock, NULL);
    arb_scheduler_times times = arb_scheduler_times_default(4);
    times.retry = 1000000;
    const arb_scheduler_options options = {
        .cluster = {7, 7}, .term = 1, .times = times, .actions = &actions, .context = s};
    assert_int_equal(arb_scheduler_create(&options, &s->machine, &error), ARB_OK);
    arb_scheduler_recover_end(s->machine, arb_clock_monotonic_ns());
    cluster_begin_as(&s->c, state, &(hand){.take = take, .closed = closed});
    assert_int_equal(pthread_create(&s->ticker, NULL, tick, s), 0);
}

static void scheduled_end(scheduled *s)
{
    cluster_end(&s->c);
    atomic_store(&s->over, true);
    pthread_join(s->ticker, NULL);
    arb_scheduler_destroy(s->machine);
    pthread_mutex_destroy(&s->lock);
}

/* ---- jobs ---------------------------------------------------------------------------------------------------------------- */

/* Of the stages in `plans`, each of which reads the one before it. */
static arb_id submit(scheduled *s, size_t stage_count)
{
    static const arb_str payloads[] = {{"2", 1}, {"2", 1}};
    static const arb_stage_input input = {0, ARB_INPUT_PARTITION};
    arb_stage_spec stages[2];
    arb_id job = {0};
    s->plan_count = stage_count;
    for (size_t i = 0; i < stage_count; i++)
        stages[i] = (arb_stage_spec){.plan = s->plans[i].hash,
                                     .task_count = 2,
                                     .input_count = (uint32_t)i,
                                     .inputs = &input,
                                     .payloads = payloads,
                                     .row_limit = -1,
                                     .memory = 1 << 20,
                                     .drivers = 1};
    const arb_job_spec spec = {
        .text = ARB_STR("a test"), .read_only = true, .stage_count = (uint32_t)stage_count, .stages = stages};
    (void)apply(s, (arb_event){.kind = ARB_EVENT_JOB_SUBMITTED, .spec = &spec, .client = 1, .out_job = &job});
    return job;
}

static host *host_with(scheduled *s, arb_uuid executor)
{
    for (unsigned i = 0; i < EXECUTORS; i++)
        if (arb_uuid_equal(s->c.hosts[i].id, executor))
            return &s->c.hosts[i];
    fail_msg("an executor that nobody knows");
    return NULL;
}

/* The client reads the result, task by task. */
static rows_read deliver(scheduled *s, arb_id job)
{
    const arb_result_view *results;
    size_t count;
    arb_error error = {0};
    rows_read all = {0};
    pthread_mutex_lock(&s->lock);
    assert_int_equal(arb_scheduler_results(s->machine, job, &s->c.arena, &results, &count, &error), ARB_OK);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < count; i++) {
        rows_read got;
        host *from = host_with(s, results[i].executor);
        const arb_attempt of = {
            .job = job, .attempt = results[i].attempt, .stage = results[i].stage, .task = results[i].task};
        assert_true(arb_str_equal(results[i].address, arb_str_of(from->address)));
        assert_int_equal(results[i].key.size, sizeof from->key.bytes);
        memcpy(from->key.bytes, results[i].key.data, sizeof from->key.bytes);
        arb_event event = {
            .kind = ARB_EVENT_ROWS_LEFT, .job = job, .task = results[i].task, .attempt = results[i].attempt};
        (void)apply(s, event);
        assert_int_equal(read_output(&s->c, from, &of, &got), ARB_OK);
        assert_int_equal(got.rows, results[i].rows);
        event.kind = ARB_EVENT_DELIVERED;
        (void)apply(s, event);
        all.rows += got.rows;
        all.sum += got.sum;
    }
    return all;
}

static void jobs_run_from_submission_to_delivery(void **state)
{
    scheduled s;
    scheduled_begin(&s, state);
    s.plans[0] = stage_of_rows(&s.c);
    s.plans[1] = stage_of_partitions(&s.c);
    for (int i = 1; i <= 3; i++) {
        if (i == 3) /* the other one does it all */
            arb_executor_stop(s.c.hosts[0].executor);
        arb_id job = submit(&s, 2);
        wait_until(&s.finished, i);
        rows_read got = deliver(&s, job);
        assert_int_equal(got.rows, 2 * MADE_ROWS);
        assert_int_equal(got.sum, MADE_ROWS * (MADE_ROWS + 1));
        wait_until(&s.ended, i);
        assert_int_equal(s.state, ARB_JOB_SUCCEEDED);
        wait_for_outputs(&s.c.hosts[1], 0);
        if (i < 3)
            wait_for_outputs(&s.c.hosts[0], 0);
    }
    assert_true(atomic_load(&s.wanted) <= 4); /* each plan once by each */
    s.plans[0] = stage_that_fails(&s.c);
    (void)submit(&s, 1);
    wait_until(&s.ended, 4);
    assert_int_equal(s.state, ARB_JOB_FAILED);
    assert_int_equal(s.error.code, ARB_DIVISION_BY_ZERO);
    scheduled_end(&s);
}

/* Whatever allocation fails, once: the job ends, well or for want of memory, and nothing of it stays. */
static void memory_that_runs_out_is_survived(void **state)
{
    enum { ROUNDS = 100 };
    scheduled s;
    scheduled_begin(&s, state);
    s.plans[0] = stage_of_rows(&s.c);
    s.plans[1] = stage_of_partitions(&s.c);
    int succeeded = 0;
    for (int i = 1; i <= ROUNDS; i++) {
        arb_id job = submit(&s, 2);
        arb_alloc_fail_at(1 + (uint64_t)i * 37 % 600, false);
        for (int64_t end = in_ms(60000); atomic_load(&s.finished) + atomic_load(&s.ended) < i + succeeded; usleep(1000))
            if (arb_clock_monotonic_ns() > end)
                fail_msg("a job does not end after failure of allocation %d", i);
        arb_alloc_fail_at(0, false);
        if (atomic_load(&s.ended) == i) {
            assert_int_equal(s.state, ARB_JOB_FAILED);
            assert_int_equal(s.error.code, ARB_OUT_OF_MEMORY);
            atomic_fetch_add(&s.finished, 1);
        } else {
            assert_int_equal(deliver(&s, job).rows, 2 * MADE_ROWS);
        }
        succeeded++;
        wait_until(&s.ended, i);
        for (unsigned x = 0; x < EXECUTORS; x++)
            wait_for_outputs(&s.c.hosts[x], 0);
    }
    scheduled_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(jobs_run_from_submission_to_delivery),
        {"memory_that_runs_out_is_survived, in memory", memory_that_runs_out_is_survived, NULL, NULL, &in_memory},
    };
    return run_rpc_tests(tests);
}
