/* What the scheduler does when nothing goes wrong. */
#include "scheduler_fixture.h"

static void a_job_goes_from_scan_to_delivery(void **state)
{
    (void)state;
    hand h;
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){0});
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_WELCOME).executor, 1);
    arb_id job = submit_pair(&h, 2);
    assert_non_null(newest_answer(&h, ARB_ANSWER_ACCEPTED));
    const note first = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    const note second = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    assert_null(next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from));
    done(&h, 1, &first.attempt, 10);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 2);
    done(&h, 1, &second.attempt, 20);
    const note reader = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(reader.attempt.stage, 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_SOURCES).count, 2);
    assert_true(newest(&h, ARB_TO_EXECUTOR_SOURCES).keyed);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_DELETE), 0);
    done(&h, 1, &reader.attempt, 5);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_DELETE).attempt.stage, 0); /* everybody has read it */
    assert_non_null(newest_answer(&h, ARB_ANSWER_FINISHED));
    client(&h, ARB_EVENT_ROWS_LEFT, job, 0, reader.attempt.attempt);
    client(&h, ARB_EVENT_DELIVERED, job, 0, reader.attempt.attempt);
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_SUCCEEDED);
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->client, 7);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_DELETE).attempt.stage, ARB_EVERY_STAGE);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    assert_int_equal(arb_scheduler_count(h.machine).timers, 2); /* the executor's, and whether the term is the newest */
    end(&h);
}

static void a_small_query_waits_for_no_disk(void **state)
{
    (void)state;
    hand h;
    const arb_stage_spec stage = plain_stage(1);
    begin(&h);
    h.auto_write = false;
    join(&h, 1, (arb_register){0});
    arb_id job = submit(&h, &stage, 1);
    assert_non_null(newest_answer(&h, ARB_ANSWER_ACCEPTED));
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    done(&h, 1, &task.attempt, 1);
    assert_non_null(newest_answer(&h, ARB_ANSWER_FINISHED));
    client(&h, ARB_EVENT_ROWS_LEFT, job, 0, task.attempt.attempt);
    assert_false(h.writing);
    client(&h, ARB_EVENT_DELIVERED, job, 0, task.attempt.attempt);
    assert_non_null(newest_answer(&h, ARB_ANSWER_ENDED));
    assert_true(h.writing); /* behind it */
    end(&h);
}

static void written(hand *h)
{
    assert_true(h->writing);
    h->writing = false;
    apply(h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_COMMITTED});
}

static void a_job_that_writes_is_recorded_first(void **state)
{
    (void)state;
    hand h;
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    const arb_stage_spec stage = plain_stage(1), pair[] = {stage, reading_stage(1, &input, 1)};
    begin(&h);
    h.auto_write = false;
    join(&h, 1, (arb_register){0});
    arb_id job = submit_spec(&h, (arb_job_spec){.read_only = false, .stages = &stage, .stage_count = 1});
    assert_null(newest_answer(&h, ARB_ANSWER_ACCEPTED));
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 0);
    written(&h);
    assert_non_null(newest_answer(&h, ARB_ANSWER_ACCEPTED));
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    done(&h, 1, &task.attempt, 1);
    assert_null(newest_answer(&h, ARB_ANSWER_FINISHED));
    written(&h);
    assert_non_null(newest_answer(&h, ARB_ANSWER_FINISHED));
    client(&h, ARB_EVENT_ROWS_LEFT, job, 0, task.attempt.attempt);
    client(&h, ARB_EVENT_DELIVERED, job, 0, task.attempt.attempt);
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
    written(&h);
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_SUCCEEDED);
    job = submit(&h, pair, 2); /* and one that changes nothing, and is cancelled while it is recorded */
    client(&h, ARB_EVENT_JOB_CANCEL, job, 0, (arb_id){0});
    h.answers.size = 0;
    written(&h);
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
    written(&h);
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_CANCELLED);
    end(&h);
}

static void rows_that_may_differ_wait_for_their_record(void **state)
{
    (void)state;
    hand h;
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    arb_stage_spec stages[] = {plain_stage(1), reading_stage(1, &input, 1)};
    stages[0].may_differ = true;
    begin(&h);
    join(&h, 1, (arb_register){0});
    submit(&h, stages, 2);
    h.auto_write = false;
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    done(&h, 1, &task.attempt, 1);
    assert_true(h.writing);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_SEEN), 0);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    h.writing = false;
    apply(&h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_COMMITTED});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_SEEN), 1);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 2);
    end(&h);
}

static void a_row_limit_goes_in_waves(void **state)
{
    (void)state;
    hand h;
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    arb_stage_spec stages[] = {plain_stage(100), reading_stage(1, &input, 1)};
    stages[0].may_differ = true;
    stages[0].row_limit = 25;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 64});
    submit(&h, stages, 2);
    const size_t waves[] = {1, 4, 16};
    size_t from = 0;
    for (size_t wave = 0; wave < ARB_COUNT_OF(waves); wave++) {
        assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), waves[wave]);
        for (size_t i = wave == 0 ? 0 : waves[wave - 1]; i < waves[wave]; i++) {
            const note task = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
            done(&h, 1, &task.attempt, wave == 2 ? 7 : 1);
            if (wave == 2 && i == 6)
                break; /* 4 + 21 rows: enough */
        }
        if (wave == 2)
            break;
    }
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.stage, 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_SOURCES).count, 7);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_CANCEL), 9);
    end(&h);
}

/* The first tasks' rows are wanted: what is behind one that is still made does not count, however much it is. */
static void a_row_limit_leaves_no_gap(void **state)
{
    (void)state;
    hand h;
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    arb_stage_spec stages[] = {plain_stage(5), reading_stage(1, &input, 1)};
    stages[0].may_differ = true;
    stages[0].row_limit = 25;
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 64});
    submit(&h, stages, 2);
    const note first = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, 1, &first.attempt, 10);
    note rest[3];
    for (int i = 0; i < 3; i++)
        rest[i] = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    assert_null(next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from)); /* the second wave is of four */
    done(&h, 1, &rest[2].attempt, 100);
    assert_null(next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from));
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_CANCEL), 0);
    done(&h, 1, &rest[0].attempt, 20); /* 30 rows without a gap */
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_CANCEL).attempt.task, rest[1].attempt.task);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.stage, 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_SOURCES).count, 3);
    end(&h);
}

static void facts_go_to_those_who_want_them(void **state)
{
    (void)state;
    hand h;
    static const arb_stage_input wants = {0, ARB_INPUT_FACTS};
    arb_stage_spec stages[] = {plain_stage(2), reading_stage(1, &wants, 1)};
    stages[0].publishes_facts = stages[0].wants_own_facts = true;
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    submit(&h, stages, 2);
    const note first = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    assert_int_equal(first.count, 0);
    say(&h, 1,
        (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DONE,
                           .attempt = first.attempt,
                           .output = {.rows = 1, .bytes = 1, .facts = ARB_STR("<5")}});
    const note second = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    assert_int_equal(second.count, 1); /* the bound of the first */
    say(&h, 1,
        (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DONE,
                           .attempt = second.attempt,
                           .output = {.rows = 1, .bytes = 1, .facts = ARB_STR("<3")}});
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_SOURCES).count, 2);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.stage, 1);
    end(&h);
}

static void jobs_take_turns(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    arb_id jobs[3];
    for (int i = 0; i < 3; i++)
        jobs[i] = submit_pair(&h, 10);
    uint64_t counts[3] = {0};
    for (int round = 0; round < 12; round++) {
        const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
        for (int i = 0; i < 3; i++)
            counts[i] += arb_id_equal(task.attempt.job, jobs[i]);
        done(&h, 1, &task.attempt, 1);
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(counts[i], 3, 5);
    end(&h);
}

static void memory_is_not_promised_twice(void **state)
{
    (void)state;
    hand h;
    arb_stage_spec stage = plain_stage(4), huge = plain_stage(1);
    stage.memory = 400;
    huge.memory = 5000;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 8, .memory = 1000});
    arb_id job = submit(&h, &stage, 1);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 2);
    submit(&h, &huge, 1); /* needs more than there is: runs alone, in what there is */
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 2);
    client(&h, ARB_EVENT_JOB_CANCEL, job, 0, (arb_id){0});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 2); /* what is to stop still has its memory */
    size_t from = 0;
    for (int i = 0; i < 2; i++) {
        const note task = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
        failed(&h, 1, &task.attempt, (arb_failure){.kind = ARB_FAILURE_CANCELLED});
    }
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 3);
    end(&h);
}

static void splits_go_where_their_folders_are(void **state)
{
    (void)state;
    hand h;
    const arb_str roots[] = {ARB_STR("lake"), ARB_STR("attic")};
    const uint64_t wanted[] = {1, 2, 3};
    arb_stage_spec stage = plain_stage(3);
    stage.task_roots = wanted;
    begin(&h);
    join(&h, 1, (arb_register){.roots = roots, .root_count = 1});
    submit_spec(&h,
                (arb_job_spec){.read_only = true, .roots = roots, .root_count = 2, .stages = &stage, .stage_count = 1});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    join(&h, 2, (arb_register){.roots = roots, .root_count = 2});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 3);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, 2);
    end(&h);
}

static void readers_go_where_their_rows_are(void **state)
{
    (void)state;
    hand h;
    size_t from = 0;
    begin(&h);
    for (unsigned executor = 1; executor <= 3; executor++)
        join(&h, executor, (arb_register){.slots = 1});
    submit_pair(&h, 3);
    unsigned heavy = 0;
    for (int i = 0; i < 3; i++) {
        const note task = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
        if (i == 1)
            heavy = task.executor;
        done(&h, task.executor, &task.attempt, i == 1 ? 1000 : 10);
    }
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, heavy);
    end(&h);
}

/* Its surroundings know what it names, and may say that they cannot go on. */
static void jobs_may_be_failed_from_outside(void **state)
{
    (void)state;
    hand h;
    arb_arena arena = {0};
    arb_error lost = {0};
    const arb_str *hashes;
    size_t count;
    begin(&h);
    join(&h, 1, (arb_register){0});
    arb_id job = submit_pair(&h, 2);
    assert_int_equal(arb_scheduler_plans(h.machine, job, &arena, &hashes, &count, &error), ARB_OK);
    assert_int_equal(count, 2);
    assert_true(arb_str_equal(hashes[0], ARB_STR("plan")) && arb_str_equal(hashes[1], ARB_STR("plan")));
    arb_fail(&lost, ARB_CORRUPT_DATA, "its plan is lost");
    apply(&h, (arb_event){.kind = ARB_EVENT_JOB_CANCEL, .job = job, .error = &lost});
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_FAILED);
    assert_int_equal(h.last_error.code, ARB_CORRUPT_DATA);
    assert_string_equal(h.last_error.message, "its plan is lost");
    assert_int_equal(arb_scheduler_plans(h.machine, job, &arena, &hashes, &count, &error), ARB_UNDEFINED_OBJECT);
    arb_arena_reset(&arena);
    end(&h);
}

static void clients_may_cancel_go_and_fall_silent(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){0});
    arb_id cancelled = submit_pair(&h, 2), gone = submit_pair(&h, 2), silent = submit_pair(&h, 2);
    client(&h, ARB_EVENT_JOB_CANCEL, cancelled, 0, (arb_id){0});
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_CANCELLED);
    client(&h, ARB_EVENT_CLIENT_GONE, gone, 0, (arb_id){0});
    assert_true(arb_id_equal(newest_answer(&h, ARB_ANSWER_ENDED)->job, gone));
    pass(&h, 59 * SECOND, 1 << 1);
    client(&h, ARB_EVENT_CLIENT_ALIVE, silent, 0, (arb_id){0});
    pass(&h, 59 * SECOND, 1 << 1);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 1);
    pass(&h, 2 * SECOND, 1 << 1);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    assert_int_equal(h.last_error.code, ARB_CANCELLED);
    arb_event again = {.kind = ARB_EVENT_JOB_CANCEL, .now = h.now, .job = cancelled};
    assert_int_equal(arb_scheduler_apply(h.machine, &again, &error), ARB_UNDEFINED_OBJECT);
    end(&h);
}

static void history_is_short(void **state)
{
    (void)state;
    hand h;
    arb_arena arena = {0};
    const arb_job_view *jobs;
    size_t count;
    begin(&h);
    arb_id last = {0};
    for (int i = 0; i < 5; i++) {
        last = submit_pair(&h, 1);
        client(&h, ARB_EVENT_JOB_CANCEL, last, 0, (arb_id){0});
    }
    submit_pair(&h, 1);
    assert_int_equal(arb_scheduler_jobs(h.machine, 0, 100, &arena, &jobs, &count, &error), ARB_OK);
    assert_int_equal(count, 4);
    assert_int_equal(jobs[0].state, ARB_JOB_RUNNING);
    assert_true(arb_id_equal(jobs[1].job, last));
    assert_string_equal(jobs[1].message.data, "the query was cancelled");
    const arb_id newest[] = {jobs[0].job, jobs[1].job, jobs[2].job, jobs[3].job};
    for (size_t first = 0; first < 6; first++)
        for (size_t most = 0; most < 6; most++) {
            assert_int_equal(arb_scheduler_jobs(h.machine, first, most, &arena, &jobs, &count, &error), ARB_OK);
            assert_int_equal(count, first > 4 ? 0 : ARB_MIN(4 - first, most));
            for (size_t i = 0; i < count; i++)
                assert_true(arb_id_equal(jobs[i].job, newest[first + i]));
        }
    arb_job_view one;
    assert_int_equal(arb_scheduler_job(h.machine, last, &arena, &one, &error), ARB_OK);
    assert_int_equal(one.state, ARB_JOB_CANCELLED);
    assert_int_equal(one.ended, 1000000 + h.now / 1000);
    assert_int_equal(arb_scheduler_job(h.machine, (arb_id){1, 1}, &arena, &one, &error), ARB_UNDEFINED_OBJECT);
    arb_arena_reset(&arena);
    end(&h);
}

static void views_show_what_happens(void **state)
{
    (void)state;
    hand h;
    arb_arena arena = {0};
    const arb_stage_view *stages;
    const arb_task_view *tasks;
    const arb_executor_view *executors;
    size_t count;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 3});
    arb_id job = submit_pair(&h, 4);
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    say(&h, 1, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_PROGRESS, .attempt = task.attempt, .output = {.rows = 33}});
    assert_int_equal(arb_scheduler_stages(h.machine, job, &arena, &stages, &count, &error), ARB_OK);
    assert_int_equal(count, 2);
    assert_int_equal(stages[0].running, 3);
    assert_int_equal(stages[0].pending, 1);
    assert_int_equal(arb_scheduler_tasks(h.machine, job, 0, 0, 100, &arena, &tasks, &count, &error), ARB_OK);
    assert_int_equal(count, 4);
    assert_int_equal(tasks[task.attempt.task].running[0].rows, 33);
    pass(&h, SECOND, 1 << 1);
    done(&h, 1, &task.attempt, 40);
    assert_int_equal(arb_scheduler_tasks(h.machine, job, 0, 0, 100, &arena, &tasks, &count, &error), ARB_OK);
    assert_int_equal(tasks[task.attempt.task].took, SECOND);
    assert_int_equal(tasks[task.attempt.task].rows, 40);
    assert_int_equal(arb_scheduler_executors(h.machine, &arena, &executors, &count, &error), ARB_OK);
    assert_int_equal(count, 1);
    assert_int_equal(executors[0].running, 3);
    assert_string_equal(executors[0].address.data, "there:1");
    assert_int_equal(arb_scheduler_tasks(h.machine, job, 2, 0, 100, &arena, &tasks, &count, &error),
                     ARB_UNDEFINED_OBJECT);
    arb_arena_reset(&arena);
    end(&h);
}

static void impossible_jobs_are_refused(void **state)
{
    (void)state;
    hand h;
    arb_id job = {0};
    static const arb_stage_input forward = {1, ARB_INPUT_ALL};
    const arb_stage_spec stages[] = {reading_stage(1, &forward, 1), plain_stage(0)};
    arb_job_spec specs[] = {
        {.stage_count = 0}, {.stages = stages, .stage_count = 1}, {.stages = &stages[1], .stage_count = 1}};
    begin(&h);
    for (size_t i = 0; i < ARB_COUNT_OF(specs); i++) {
        arb_event event = {.kind = ARB_EVENT_JOB_SUBMITTED, .now = h.now, .spec = &specs[i], .out_job = &job};
        arb_code code = arb_scheduler_apply(h.machine, &event, &error);
        assert_true(code == ARB_LIMIT_EXCEEDED || code == ARB_INVALID_PARAMETER);
    }
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_goes_from_scan_to_delivery),
        cmocka_unit_test(a_small_query_waits_for_no_disk),
        cmocka_unit_test(a_job_that_writes_is_recorded_first),
        cmocka_unit_test(rows_that_may_differ_wait_for_their_record),
        cmocka_unit_test(a_row_limit_goes_in_waves),
        cmocka_unit_test(a_row_limit_leaves_no_gap),
        cmocka_unit_test(facts_go_to_those_who_want_them),
        cmocka_unit_test(jobs_take_turns),
        cmocka_unit_test(memory_is_not_promised_twice),
        cmocka_unit_test(splits_go_where_their_folders_are),
        cmocka_unit_test(readers_go_where_their_rows_are),
        cmocka_unit_test(jobs_may_be_failed_from_outside),
        cmocka_unit_test(clients_may_cancel_go_and_fall_silent),
        cmocka_unit_test(history_is_short),
        cmocka_unit_test(views_show_what_happens),
        cmocka_unit_test(impossible_jobs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
