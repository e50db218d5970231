/* Executors, whole: they register, run tasks of stages that read each other, serve what they left, and forget what they shall. */
#include "executor/executor_internal.h"
#include "unit/executor/made_stages.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- what the scheduler says --------------------------------------------------------------------------------------------- */

static void send_plan(cluster *c, const host *to, const sent_stage *stage)
{
    size_t size = stage->bytes.size, step = size / 3 + 1;
    for (size_t from = 0; from < size; from += step) {
        const arb_chunk chunk = {stage->hash, size, from, {stage->bytes.data + from, ARB_MIN(step, size - from)}};
        say_chunk(c, to, &chunk);
    }
}

static arb_attempt attempt_of(uint32_t stage, uint32_t task)
{
    return (arb_attempt){.job = {1, 5},
                         .attempt = {1, 100 + stage * 10 + (uint64_t)task},
                         .generation = {1, 1 + (uint64_t)stage},
                         .stage = stage,
                         .task = task};
}

static void launch_as(cluster *c, const host *to, const sent_stage *stage, const arb_attempt *attempt,
                      const char *payload)
{
    say(c, to,
        &(arb_to_executor){
            .kind = ARB_TO_EXECUTOR_LAUNCH,
            .attempt = *attempt,
            .launch = {.plan = stage->hash, .payload = arb_str_of(payload), .drivers = 2, .memory = 1 << 20}});
}

static arb_attempt launch(cluster *c, const host *to, const sent_stage *stage, uint32_t task)
{
    arb_attempt attempt = attempt_of(stage->number, task);
    launch_as(c, to, stage, &attempt, "2");
    return attempt;
}

/* Stage 1 reads the two tasks of stage 0, one from each executor. */
static void say_sources_at(cluster *c, const host *to, const char *second)
{
    arb_source sources[2];
    for (uint32_t i = 0; i < 2; i++)
        sources[i] = (arb_source){.task = i,
                                  .attempt = attempt_of(0, i).attempt,
                                  .executor = c->hosts[i].id,
                                  .address = arb_str_of(i == 1 && second != NULL ? second : c->hosts[i].address),
                                  .key = {(const char *)c->hosts[i].key.bytes, sizeof c->hosts[i].key.bytes}};
    say(c, to,
        &(arb_to_executor){.kind = ARB_TO_EXECUTOR_SOURCES,
                           .sources = {.job = {1, 5},
                                       .stage = 1,
                                       .version = 1,
                                       .mode = ARB_INPUT_PARTITION,
                                       .sources = sources,
                                       .source_count = 2}});
}

static void say_of(cluster *c, const host *to, arb_to_executor_kind kind, const arb_attempt *attempt)
{
    say(c, to, &(arb_to_executor){.kind = kind, .attempt = *attempt});
}

static arb_task_output expect_done(cluster *c, const host *from, const arb_attempt *attempt)
{
    const noted *note = expect(c, from, ARB_TO_SCHEDULER_DONE);
    assert_true(arb_attempt_equal(&note->message.attempt, attempt));
    say_of(c, from, ARB_TO_EXECUTOR_SEEN, attempt);
    return note->message.output;
}

static const arb_failure *expect_failed(cluster *c, const host *from, const arb_attempt *attempt)
{
    const noted *note = expect(c, from, ARB_TO_SCHEDULER_FAILED);
    assert_true(arb_attempt_equal(&note->message.attempt, attempt));
    say_of(c, from, ARB_TO_EXECUTOR_SEEN, attempt);
    return &note->message.failure;
}

/* Both tasks of stage 0, one on each executor. */
static void make_rows(cluster *c)
{
    sent_stage rows = stage_of_rows(c);
    for (uint32_t i = 0; i < 2; i++) {
        send_plan(c, &c->hosts[i], &rows);
        arb_attempt attempt = launch(c, &c->hosts[i], &rows, i);
        arb_task_output made = expect_done(c, &c->hosts[i], &attempt);
        assert_true(made.rows == MADE_ROWS && made.bytes > 0);
    }
}

static void expect_rows_of_stage_1(cluster *c)
{
    uint64_t rows = 0;
    int64_t sum = 0;
    for (uint32_t i = 0; i < 2; i++) {
        rows_read got;
        arb_attempt attempt = attempt_of(1, i);
        arb_task_output made = expect_done(c, &c->hosts[i], &attempt);
        assert_int_equal(read_output(c, &c->hosts[i], &attempt, &got), ARB_OK);
        assert_true(got.rows == made.rows && got.rows > 0);
        rows += got.rows;
        sum += got.sum;
    }
    assert_int_equal(rows, 2 * MADE_ROWS);
    assert_int_equal(sum, MADE_ROWS * (MADE_ROWS + 1));
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

static void two_executors_run_two_stages(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    sent_stage partitions = stage_of_partitions(&c);
    for (uint32_t i = 0; i < 2; i++) {
        say_sources_at(&c, &c.hosts[i], NULL);
        send_plan(&c, &c.hosts[i], &partitions);
        (void)launch(&c, &c.hosts[i], &partitions, i);
    }
    expect_rows_of_stage_1(&c);
    /* no longer needed: stage by stage, job by job */
    arb_attempt of = attempt_of(0, 0);
    say_of(&c, &c.hosts[0], ARB_TO_EXECUTOR_DELETE, &of);
    wait_for_outputs(&c.hosts[0], 1);
    rows_read got;
    assert_int_equal(read_output(&c, &c.hosts[0], &of, &got), ARB_UNDEFINED_OBJECT);
    of = attempt_of(1, 0);
    assert_int_equal(read_output(&c, &c.hosts[0], &of, &got), ARB_OK);
    of.stage = ARB_EVERY_STAGE;
    for (uint32_t i = 0; i < 2; i++) {
        say_of(&c, &c.hosts[i], ARB_TO_EXECUTOR_DELETE, &of);
        wait_for_outputs(&c.hosts[i], 0);
    }
    cluster_end(&c);
}

static void a_plan_that_never_came_is_asked_for(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    const host *x = &c.hosts[0];
    sent_stage rows = stage_of_rows(&c);
    arb_attempt first = launch(&c, x, &rows, 0);
    assert_true(arb_str_equal(expect(&c, x, WANTED)->wanted, rows.hash));
    arb_attempt second = launch(&c, x, &rows, 1); /* which need not ask for itself */
    arb_attempt third = {.job = {1, 6}, .attempt = {1, 900}};
    sent_stage fails = stage_that_fails(&c);
    launch_as(&c, x, &fails, &third, "1");
    assert_true(arb_str_equal(expect(&c, x, WANTED)->wanted, fails.hash)); /* so all are there */
    say_of(&c, x, ARB_TO_EXECUTOR_CANCEL, &third);
    assert_int_equal(expect_failed(&c, x, &third)->kind, ARB_FAILURE_CANCELLED);
    break_stream(&c, x);
    const arb_register *inventory = expect_register(&c, &c.hosts[0]);
    assert_int_equal(inventory->running_count, 2);
    (void)expect(&c, x, WANTED); /* the new session may not know */
    arb_str damaged = arb_str_copy(&c.arena, rows.bytes);
    ((char *)damaged.data)[3] ^= 1;
    say_chunk(&c, x, &(arb_chunk){rows.hash, damaged.size, 0, damaged});
    (void)expect(&c, x, WANTED);
    send_plan(&c, x, &rows);
    const arb_attempt *ended = &expect(&c, x, ARB_TO_SCHEDULER_DONE)->message.attempt;
    assert_true(arb_attempt_equal(ended, &first) || arb_attempt_equal(ended, &second));
    (void)expect(&c, x, ARB_TO_SCHEDULER_DONE);
    assert_null(take_note(&c, x, WANTED));
    cluster_end(&c);
}

static void a_plan_is_not_asked_for_for_ever(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    const host *x = &c.hosts[0];
    sent_stage rows = stage_of_rows(&c);
    arb_str damaged = arb_str_copy(&c.arena, rows.bytes);
    ((char *)damaged.data)[3] ^= 1;
    arb_attempt attempt = launch(&c, x, &rows, 0);
    for (int i = 0; i < 3; i++) {
        (void)expect(&c, x, WANTED);
        say_chunk(&c, x, &(arb_chunk){rows.hash, damaged.size, 0, damaged});
    }
    const arb_failure *failure = expect_failed(&c, x, &attempt);
    assert_int_equal(failure->kind, ARB_FAILURE_RETRYABLE);
    assert_int_equal(failure->error->code, ARB_CORRUPT_DATA);
    attempt = attempt_of(0, 1); /* one that waits can be stopped */
    launch_as(&c, x, &rows, &attempt, "2");
    (void)expect(&c, x, WANTED);
    say_of(&c, x, ARB_TO_EXECUTOR_CANCEL, &attempt);
    assert_int_equal(expect_failed(&c, x, &attempt)->kind, ARB_FAILURE_CANCELLED);
    cluster_end(&c);
}

/* Nobody is at the address that the second source is said to be at: a task waits for it. */
static arb_attempt launch_waiting(cluster *c, const host *to, uint32_t task)
{
    sent_stage partitions = stage_of_partitions(c);
    say_sources_at(c, to, c->w.kind == IN_MEMORY ? "nobody" : "127.0.0.1:1");
    send_plan(c, to, &partitions);
    return launch(c, to, &partitions, task);
}

static void running_tasks_end_when_they_are_told(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    const host *x = &c.hosts[0];
    arb_attempt attempt = launch_waiting(&c, x, 0);
    usleep(50000);
    say_of(&c, x, ARB_TO_EXECUTOR_CANCEL, &attempt);
    assert_int_equal(expect_failed(&c, x, &attempt)->kind, ARB_FAILURE_CANCELLED);
    attempt = launch_waiting(&c, x, 1); /* the same at once, while it is being started or before */
    say_of(&c, x, ARB_TO_EXECUTOR_CANCEL, &attempt);
    assert_int_equal(expect_failed(&c, x, &attempt)->kind, ARB_FAILURE_CANCELLED);
    for (int at_once = 0; at_once < 2; at_once++) {
        attempt = launch_waiting(&c, x, (uint32_t)at_once);
        if (!at_once)
            usleep(50000);
        say(&c, x, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_GONE, .gone = c.hosts[1].id});
        const arb_failure *failure = expect_failed(&c, x, &attempt);
        assert_true(failure->kind == ARB_FAILURE_READ && failure->read == ARB_READ_UNREACHABLE);
        assert_true(failure->producer_stage == 0 && failure->producer_task == 1);
        assert_true(arb_id_equal(failure->producer_attempt, attempt_of(0, 1).attempt));
    }
    wait_for_outputs(x, 1);
    cluster_end(&c);
}

static void failures_say_what_they_are(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    host *x = &c.hosts[0], *other = &c.hosts[1];
    sent_stage fails = stage_that_fails(&c);
    send_plan(&c, x, &fails);
    arb_attempt attempt = {.job = {1, 5}, .attempt = {1, 900}, .generation = {1, 9}};
    launch_as(&c, x, &fails, &attempt, "1");
    const arb_failure *failure = expect_failed(&c, x, &attempt);
    assert_int_equal(failure->kind, ARB_FAILURE_FINAL);
    assert_int_equal(failure->error->code, ARB_DIVISION_BY_ZERO);
    attempt.attempt.number++;
    launch_as(&c, x, &fails, &attempt, "many");
    assert_int_equal(expect_failed(&c, x, &attempt)->error->code, ARB_CORRUPT_DATA);
    /* an input that is lost: on the other executor, then on the same */
    arb_attempt lost = attempt_of(0, 1);
    say_of(&c, other, ARB_TO_EXECUTOR_CANCEL, &lost);
    wait_for_outputs(other, 0);
    sent_stage partitions = stage_of_partitions(&c);
    for (uint32_t i = 0; i < 2; i++) {
        host *reader = &c.hosts[i];
        say_sources_at(&c, reader, NULL);
        send_plan(&c, reader, &partitions);
        attempt = launch(&c, reader, &partitions, i);
        failure = expect_failed(&c, reader, &attempt);
        assert_true(failure->kind == ARB_FAILURE_READ && failure->read == ARB_READ_NOT_FOUND);
        assert_true(failure->producer_stage == 0 && failure->producer_task == 1);
        assert_true(arb_id_equal(failure->producer_attempt, lost.attempt));
    }
    wait_for_outputs(other, 0);
    cluster_end(&c);
}

static void who_loses_the_stream_registers_again(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    host *x = &c.hosts[0];
    sent_stage partitions = stage_of_partitions(&c);
    arb_attempt runs = launch(&c, x, &partitions, 0), held = attempt_of(0, 0);
    (void)expect(&c, x, WANTED); /* so it has been launched */
    break_stream(&c, x);
    const arb_register *inventory = expect_register(&c, x);
    assert_true(inventory->held_count == 1 && arb_attempt_equal(&inventory->held[0].attempt, &held));
    assert_true(inventory->held[0].output.rows == MADE_ROWS);
    assert_true(inventory->running_count == 1 && arb_attempt_equal(&inventory->running[0], &runs));
    say_of(&c, x, ARB_TO_EXECUTOR_CANCEL, &runs);
    assert_int_equal(expect_failed(&c, x, &runs)->kind, ARB_FAILURE_CANCELLED);
    /* what makes no sense ends a stream as well */
    arb_text bytes = {0};
    arb_text_append_str(&bytes, ARB_STR("\xFF\xFF\xFF"));
    pthread_mutex_lock(&c.hand.lock);
    send_down(stream_of(&c, x), &bytes, ARB_OK);
    pthread_mutex_unlock(&c.hand.lock);
    assert_int_equal(expect_register(&c, x)->held_count, 1);
    cluster_end(&c);
}

static void who_is_not_listened_to_registers_again(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    host *x = &c.hosts[0];
    pthread_mutex_lock(&c.hand.lock);
    atomic_store(&stream_of(&c, x)->deaf, true);
    pthread_mutex_unlock(&c.hand.lock);
    assert_int_equal(expect_register(&c, x)->held_count, 1); /* long before it would hear nothing for too long */
    cluster_end(&c);
}

static void another_cluster_begins_anew(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    (void)launch_waiting(&c, &c.hosts[0], 0);
    usleep(50000);
    rows_read got;
    arb_attempt attempt = attempt_of(0, 0);
    arb_uuid before = c.hand.cluster;
    pthread_mutex_lock(&c.hand.lock);
    c.hand.cluster = (arb_uuid){8, 8};
    pthread_mutex_unlock(&c.hand.lock);
    for (unsigned i = 0; i < EXECUTORS; i++) {
        break_stream(&c, &c.hosts[i]);
        (void)expect_register(&c, &c.hosts[i]);
        wait_for_outputs(&c.hosts[i], 0);
    }
    make_rows(&c); /* by the same ids */
    assert_int_equal(read_output(&c, &c.hosts[0], &attempt, &got), ARB_OK);
    sent_stage partitions = stage_of_partitions(&c);
    for (uint32_t i = 0; i < 2; i++) {
        say_sources_at(&c, &c.hosts[i], NULL);
        send_plan(&c, &c.hosts[i], &partitions);
        (void)launch(&c, &c.hosts[i], &partitions, i);
    }
    expect_rows_of_stage_1(&c);
    c.hand.cluster = before;
    assert_int_equal(read_output(&c, &c.hosts[0], &attempt, &got), ARB_UNDEFINED_OBJECT);
    cluster_end(&c);
}

/* ---- a start that takes long --------------------------------------------------------------------------------------------- */

typedef struct gate {
    _Atomic int waiting;
    sem_t open;
} gate;

static arb_code name_table(void *context, const arb_table *table, arb_text *out, arb_error *error)
{
    (void)context, (void)table;
    arb_text_append_str(out, ARB_STR("the table"));
    return arb_text_check(out, error);
}

static arb_code open_table(void *context, arb_str name, arb_str reference, arb_stop_flag *stop, arb_table **out_table,
                           arb_error *error)
{
    (void)name, (void)reference, (void)stop, (void)error;
    gate *g = context;
    atomic_fetch_add(&g->waiting, 1);
    while (sem_wait(&g->open) != 0) {
    }
    *out_table = arb_table_ref(&empty_table);
    return ARB_OK;
}

/* A task of the first executor, which waits for its table. */
static arb_attempt launch_slow(cluster *c, gate *g, const sent_stage *slow)
{
    const host *x = &c->hosts[0];
    say_sources_at(c, x, c->w.kind == IN_MEMORY ? "nobody" : "127.0.0.1:1");
    send_plan(c, x, slow);
    arb_attempt attempt = launch(c, x, slow, 0);
    wait_until(&g->waiting, 1);
    return attempt;
}

static void expect_to_live(cluster *c, const host *x)
{
    for (noted *note; (note = take_note(c, x, ARB_TO_SCHEDULER_HEARTBEAT)) != NULL;)
        free_note(note);
    for (int i = 0; i < 3; i++)
        (void)expect(c, x, ARB_TO_SCHEDULER_HEARTBEAT);
}

static void gated_cluster(cluster *c, void **state, gate *g)
{
    *g = (gate){0};
    sem_init(&g->open, 0, 0);
    cluster_begin(c, state);
    c->tables = (arb_plan_tables){g, name_table, open_table, NULL};
    make_rows(c);
}

static void a_task_that_starts_can_be_told_to_end(void **state)
{
    for (int gone = 0; gone < 2; gone++) {
        cluster c;
        gate g;
        gated_cluster(&c, state, &g);
        const host *x = &c.hosts[0];
        sent_stage slow = stage_that_reads(&c, true);
        arb_attempt attempt = launch_slow(&c, &g, &slow);
        if (gone)
            say(&c, x, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_GONE, .gone = c.hosts[1].id});
        else
            say_of(&c, x, ARB_TO_EXECUTOR_CANCEL, &attempt);
        expect_to_live(&c, x);
        assert_null(take_note(&c, x, ARB_TO_SCHEDULER_FAILED));
        sem_post(&g.open);
        const arb_failure *failure = expect_failed(&c, x, &attempt);
        assert_int_equal(failure->kind, gone ? ARB_FAILURE_READ : ARB_FAILURE_CANCELLED);
        cluster_end(&c);
        sem_destroy(&g.open);
    }
}

/* An attempt of the new cluster has the ids of one that has not ended yet. */
static void the_same_ids_wait_for_each_other(void **state)
{
    cluster c;
    gate g;
    gated_cluster(&c, state, &g);
    host *x = &c.hosts[0];
    sent_stage slow = stage_that_reads(&c, true), partitions = stage_of_partitions(&c);
    (void)launch_slow(&c, &g, &slow);
    pthread_mutex_lock(&c.hand.lock);
    c.hand.cluster = (arb_uuid){8, 8};
    pthread_mutex_unlock(&c.hand.lock);
    for (unsigned i = 0; i < EXECUTORS; i++) {
        break_stream(&c, &c.hosts[i]);
        (void)expect_register(&c, &c.hosts[i]);
    }
    make_rows(&c);
    say_sources_at(&c, x, NULL);
    send_plan(&c, x, &partitions);
    arb_attempt attempt = launch(&c, x, &partitions, 0);
    expect_to_live(&c, x);
    assert_null(take_note(&c, x, ARB_TO_SCHEDULER_DONE));
    arb_attempt stopped = attempt; /* one that waits so can be stopped as well */
    say_of(&c, x, ARB_TO_EXECUTOR_CANCEL, &attempt);
    assert_int_equal(expect_failed(&c, x, &stopped)->kind, ARB_FAILURE_CANCELLED);
    (void)launch(&c, x, &partitions, 0);
    sem_post(&g.open);
    assert_true(expect_done(&c, x, &attempt).rows > 0);
    assert_null(take_note(&c, x, ARB_TO_SCHEDULER_FAILED));
    wait_for_outputs(x, 2);
    cluster_end(&c);
    sem_destroy(&g.open);
}

/* ---- the end ------------------------------------------------------------------------------------------------------------- */

static void who_drains_may_go(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    host *x = &c.hosts[0];
    for (int i = 0; i < 2; i++)
        arb_executor_drain(x->executor);
    (void)expect(&c, x, ARB_TO_SCHEDULER_DRAINING);
    break_stream(&c, x);
    assert_true(expect_register(&c, x)->draining);
    assert_int_equal(atomic_load(&c.may_go), 0);
    say(&c, x, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_MAY_GO});
    wait_until(&c.may_go, 1);
    arb_executor_stop(x->executor);
    (void)expect(&c, x, ARB_TO_SCHEDULER_GOODBYE);
    rows_read got; /* as long as the server is there */
    arb_attempt attempt = attempt_of(0, 0);
    assert_int_equal(read_output(&c, x, &attempt, &got), ARB_OK);
    cluster_end(&c);
}

static void it_stops_whatever_it_does(void **state)
{
    cluster c;
    cluster_begin(&c, state);
    make_rows(&c);
    host *x = &c.hosts[0];
    sent_stage fails = stage_that_fails(&c);
    (void)launch_waiting(&c, x, 0);
    arb_attempt attempt = {.job = {1, 5}, .attempt = {1, 900}, .generation = {1, 9}};
    launch_as(&c, x, &fails, &attempt, "1"); /* without its plan */
    (void)expect(&c, x, WANTED);
    (void)launch_waiting(&c, x, 1);
    arb_executor_totals totals = {0};
    for (int64_t end = in_ms(20000); totals.waiting + totals.running != 3; usleep(1000)) {
        assert_true(arb_clock_monotonic_ns() < end);
        totals = arb_executor_look(x->executor);
    }
    assert_true(totals.joined && !totals.draining);
    assert_int_equal(totals.launched, totals.done + 3);
    arb_executor_stop(x->executor);
    (void)expect(&c, x, ARB_TO_SCHEDULER_GOODBYE);
    assert_null(take_note(&c, x, ARB_TO_SCHEDULER_FAILED));
    totals = arb_executor_look(x->executor);
    assert_false(totals.joined);
    assert_int_equal(totals.waiting + totals.running, 0);
    assert_int_equal(totals.launched, totals.done + totals.failed + totals.cancelled);
    assert_int_equal(arb_executor_outputs(x->executor).outputs, 1);
    cluster_end(&c);
}

static void who_is_refused_tries_again(void **state)
{
    cluster c;
    cluster_begin_as(&c, state, &(hand){.refuses = "not you"});
    for (int64_t end = in_ms(20000); atomic_load(&c.refused) < 4; usleep(1000))
        assert_true(arb_clock_monotonic_ns() < end);
    pthread_mutex_lock(&c.hand.lock);
    c.hand.refuses = NULL;
    pthread_mutex_unlock(&c.hand.lock);
    (void)expect(&c, &c.hosts[0], ARB_TO_SCHEDULER_HEARTBEAT);
    cluster_end(&c);
}

/* A process that crashed while it ran a task. */
static void leave_crash(const char *folder)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        arb_arena arena = {0};
        arb_str left;
        const arb_crash_entry entry = {{3, 3}, {7, 7}, attempt_of(0, 1)};
        signal(SIGABRT, SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (arb_crash_record_begin(arb_str_of(folder), sizeof entry, &arena, &left, NULL) == ARB_OK &&
            arb_crash_record_add(&entry) != ARB_CRASH_NO_PLACE)
            abort();
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Until the scheduler knows of a crash, whichever process comes next in the folder tells it. */
static void a_crash_is_told_by_who_is_welcomed(void **state)
{
    char folder[] = "/tmp/executor-crash-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/crashed", folder);
    leave_crash(folder);
    for (int welcomed = 0; welcomed < 2; welcomed++) {
        cluster c;
        cluster_begin_as(&c, state, &(hand){.refuses = welcomed != 0 ? NULL : "not you", .crash_folder = folder});
        const arb_register *inventory = expect_register(&c, &c.hosts[0]);
        assert_int_equal(inventory->crashed_count, 1);
        arb_attempt crashed = attempt_of(0, 1);
        assert_true(arb_attempt_equal(&inventory->crashed[0], &crashed));
        if (welcomed)
            (void)expect(&c, &c.hosts[0], ARB_TO_SCHEDULER_HEARTBEAT);
        cluster_end(&c);
        assert_int_equal(access(path, F_OK), welcomed != 0 ? -1 : 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(two_executors_run_two_stages),
        OVER_BOTH(a_plan_that_never_came_is_asked_for),
        OVER_BOTH(a_plan_is_not_asked_for_for_ever),
        OVER_BOTH(running_tasks_end_when_they_are_told),
        OVER_BOTH(failures_say_what_they_are),
        OVER_BOTH(who_loses_the_stream_registers_again),
        OVER_BOTH(another_cluster_begins_anew),
        OVER_BOTH(a_task_that_starts_can_be_told_to_end),
        OVER_BOTH(the_same_ids_wait_for_each_other),
        OVER_BOTH(who_drains_may_go),
        OVER_BOTH(it_stops_whatever_it_does),
        OVER_BOTH(who_is_refused_tries_again),
        OVER_BOTH(a_crash_is_told_by_who_is_welcomed),
        /* over gRPC more lies under way, in its buffers */
        {"who_is_not_listened_to_registers_again, in memory", who_is_not_listened_to_registers_again, NULL, NULL,
         &in_memory},
    };
    return run_rpc_tests(tests);
}
