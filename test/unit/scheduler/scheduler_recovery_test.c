/* A scheduler ends; the next one goes on from the store and from what executors still hold. */
#include "scheduler_fixture.h"

static void begin_on_store(hand *h)
{
    begin(h);
    assert_int_equal(arb_memory_store_create_as((arb_uuid){1, 1}, &h->store, &error), ARB_OK);
    assert_int_equal(arb_store_raise_term(h->store, &h->term, &error), ARB_OK);
}

static arb_code recover_one(void *context, arb_str key, arb_str value, arb_error *unused)
{
    return arb_scheduler_recover_record(context, key, value, unused);
}

/* Another scheduler on the same store; what was noted of the first is forgotten. */
static void restart(hand *h)
{
    arb_scheduler_destroy(h->machine);
    h->writing = false;
    h->notes.size = h->answers.size = 0;
    assert_int_equal(arb_store_raise_term(h->store, &h->term, &error), ARB_OK);
    arb_scheduler_options options = {
        .cluster = {1, 1}, .term = h->term, .actions = &hand_actions, .context = h, .history_most = 3};
    assert_int_equal(arb_scheduler_create(&options, &h->machine, &error), ARB_OK);
    assert_int_equal(arb_store_range(h->store, ARB_STR(ARB_SCHEDULER_KEYS), recover_one, h->machine, &error), ARB_OK);
    arb_scheduler_recover_end(h->machine, h->now);
}

static void end_on_store(hand *h)
{
    end(h);
    arb_store_destroy(h->store);
}

/* Launches that were noted, in order; how many. */
static size_t launches(const hand *h, note *out, size_t most)
{
    size_t count = 0, from = 0;
    for (const note *at; (at = next_note(h, ARB_TO_EXECUTOR_LAUNCH, &from)) != NULL && count < most;)
        out[count++] = *at;
    return count;
}

static arb_held_output held(const note *task)
{
    return (arb_held_output){task->attempt, {.rows = 1, .bytes = 1}};
}

static void a_job_is_found_by_its_name(void **state)
{
    (void)state;
    hand h;
    arb_arena arena = {0};
    arb_named_job named;
    const arb_stage_spec stages[] = {{.plan = ARB_STR("p"), .task_count = 2, .row_limit = -1}};
    begin_on_store(&h);
    (void)submit_pair(&h, 1); /* without a name */
    arb_id job = submit_spec(&h, (arb_job_spec){.read_only = true,
                                                .name = ARB_STR("a\0name"),
                                                .result = ARB_STR("columns"),
                                                .stages = stages,
                                                .stage_count = 1});
    restart(&h);
    assert_int_equal(arb_scheduler_job_named(h.machine, ARB_STR("a\0name"), &arena, &named, &error), ARB_OK);
    assert_true(arb_id_equal(named.job, job) && named.stage_count == 1);
    assert_true(arb_str_equal(named.result, ARB_STR("columns")));
    assert_int_equal(arb_scheduler_job_named(h.machine, ARB_STR("a"), &arena, &named, &error), ARB_UNDEFINED_OBJECT);
    assert_int_equal(arb_scheduler_job_named(h.machine, ARB_STR(""), &arena, &named, &error), ARB_UNDEFINED_OBJECT);
    client(&h, ARB_EVENT_CLIENT_GONE, job, 0, (arb_id){0});
    assert_int_equal(arb_scheduler_job_named(h.machine, ARB_STR("a\0name"), &arena, &named, &error),
                     ARB_UNDEFINED_OBJECT);
    arb_arena_reset(&arena);
    end_on_store(&h);
}

static void a_job_goes_on_with_what_is_held(void **state)
{
    (void)state;
    hand h;
    note tasks[3];
    begin_on_store(&h);
    join(&h, 1, (arb_register){.slots = 3});
    arb_id job = submit_pair(&h, 3);
    assert_int_equal(launches(&h, tasks, 3), 3);
    done(&h, 1, &tasks[0].attempt, 1);
    done(&h, 1, &tasks[1].attempt, 1);
    restart(&h);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 0);
    const arb_held_output outputs[] = {held(&tasks[0]), held(&tasks[1])};
    join(
        &h, 1,
        (arb_register){.slots = 3, .held = outputs, .held_count = 2, .running = &tasks[2].attempt, .running_count = 1});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 0); /* the third runs on */
    assert_int_equal(arb_scheduler_count(h.machine).attempts, 1);
    done(&h, 1, &tasks[2].attempt, 1);
    const note reader = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(reader.attempt.stage, 1);
    assert_int_equal(reader.attempt.attempt.term, 2);
    assert_true(arb_id_equal(reader.attempt.job, job));
    done(&h, 1, &reader.attempt, 1);
    assert_non_null(newest_answer(&h, ARB_ANSWER_FINISHED));
    end_on_store(&h);
}

/* The next scheduler has not launched it, and knows from its executor alone that it may crash its process. */
static void what_runs_alone_goes_on_alone(void **state)
{
    (void)state;
    hand h;
    note tasks[2];
    begin_on_store(&h);
    join(&h, 1, (arb_register){.slots = 3});
    submit_pair(&h, 2);
    assert_int_equal(launches(&h, tasks, 2), 2);
    restart(&h);
    join(&h, 1,
         (arb_register){
             .slots = 3, .running = &tasks[0].attempt, .running_count = 1, .alone = tasks[0].attempt.attempt});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 0);
    pass(&h, 9 * SECOND, 1 << 1); /* what was lost is known */
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 0);
    done(&h, 1, &tasks[0].attempt, 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.task, tasks[1].attempt.task);
    end_on_store(&h);
}

static void what_nobody_holds_is_made_again(void **state)
{
    (void)state;
    hand h;
    note tasks[2];
    begin_on_store(&h);
    join(&h, 1, (arb_register){.slots = 1});
    join(&h, 2, (arb_register){.slots = 1});
    submit_pair(&h, 2);
    assert_int_equal(launches(&h, tasks, 2), 2);
    for (int i = 0; i < 2; i++)
        done(&h, tasks[i].executor, &tasks[i].attempt, 1);
    restart(&h);
    const arb_held_output output = held(&tasks[0]);
    join(&h, tasks[0].executor, (arb_register){.slots = 1, .held = &output, .held_count = 1});
    pass(&h, 7900 * MS, 1u << tasks[0].executor);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 0); /* the other may still come */
    pass(&h, 200 * MS, 1u << tasks[0].executor);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.task, tasks[1].attempt.task);
    end_on_store(&h);
}

static void another_making_of_rows_that_may_differ_is_not_taken(void **state)
{
    (void)state;
    hand h;
    note task;
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    arb_stage_spec stages[] = {plain_stage(1), reading_stage(1, &input, 1)};
    stages[0].may_differ = true;
    begin_on_store(&h);
    join(&h, 1, (arb_register){.slots = 1});
    submit(&h, stages, 2);
    assert_int_equal(launches(&h, &task, 1), 1);
    done(&h, 1, &task.attempt, 1);
    restart(&h);
    arb_held_output twin = held(&task);
    twin.attempt.attempt.number += 100; /* as if a twin had ended there, too late */
    join(&h, 2, (arb_register){.slots = 1, .held = &twin, .held_count = 1});
    assert_true(arb_id_equal(newest(&h, ARB_TO_EXECUTOR_CANCEL).attempt.attempt, twin.attempt.attempt));
    pass(&h, 9 * SECOND, 1 << 2);
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(again.attempt.stage, 0);
    assert_false(arb_id_equal(again.attempt.generation, task.attempt.generation));
    restart(&h); /* the new generation is known to the next one */
    join(&h, 2, (arb_register){.slots = 1, .running = &again.attempt, .running_count = 1});
    assert_int_equal(arb_scheduler_count(h.machine).attempts, 1);
    end_on_store(&h);
}

static void behind_a_row_limit_only_what_was_recorded_counts(void **state)
{
    (void)state;
    hand h;
    note tasks[5];
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    arb_stage_spec stages[] = {plain_stage(9), reading_stage(1, &input, 1)};
    stages[0].may_differ = true;
    stages[0].row_limit = 2;
    begin_on_store(&h);
    join(&h, 1, (arb_register){.slots = 8});
    submit(&h, stages, 2);
    assert_int_equal(launches(&h, tasks, 5), 1);
    done(&h, 1, &tasks[0].attempt, 1);
    assert_int_equal(launches(&h, tasks, 5), 4);
    done(&h, 1, &tasks[1].attempt, 1); /* enough: the reader runs, the others were superfluous */
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.stage, 1);
    restart(&h);
    const arb_held_output outputs[] = {held(&tasks[2]), held(&tasks[0]),
                                       held(&tasks[1])}; /* one had ended all the same */
    join(
        &h, 1,
        (arb_register){.slots = 8, .held = outputs, .held_count = 3, .running = &tasks[3].attempt, .running_count = 1});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_CANCEL), 2);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_SOURCES).count, 2);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.stage, 1);
    end_on_store(&h);
}

static void strangers_are_told_to_stop_and_drop(void **state)
{
    (void)state;
    hand h;
    note task;
    const arb_stage_spec small = plain_stage(1);
    begin_on_store(&h);
    join(&h, 1, (arb_register){.slots = 1});
    arb_id job = submit(&h, &small, 1); /* so small that it was not recorded */
    assert_int_equal(launches(&h, &task, 1), 1);
    restart(&h);
    join(&h, 1, (arb_register){.slots = 1, .running = &task.attempt, .running_count = 1});
    assert_true(arb_id_equal(newest(&h, ARB_TO_EXECUTOR_CANCEL).attempt.attempt, task.attempt.attempt));
    arb_event alive = {.kind = ARB_EVENT_CLIENT_ALIVE, .now = h.now, .job = job};
    assert_int_equal(arb_scheduler_apply(h.machine, &alive, &error), ARB_UNDEFINED_OBJECT);
    end_on_store(&h);
}

static void ended_jobs_stay_ended(void **state)
{
    (void)state;
    hand h;
    arb_arena arena = {0};
    arb_job_view view;
    begin_on_store(&h);
    arb_id job = submit_pair(&h, 2);
    client(&h, ARB_EVENT_JOB_CANCEL, job, 0, (arb_id){0});
    restart(&h);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    assert_int_equal(arb_scheduler_job(h.machine, job, &arena, &view, &error), ARB_OK);
    assert_int_equal(view.state, ARB_JOB_CANCELLED);
    assert_int_equal(view.tasks, 3);
    assert_string_equal(view.text.data, "SELECT 1");
    arb_arena_reset(&arena);
    end_on_store(&h);
}

/* The batch under way fails until it is given up; what is written from then on goes to `store`. */
static void give_batch_up(hand *h, arb_store *store)
{
    arb_error full = {0};
    arb_fail(&full, ARB_DISK_FULL, "the disk is full");
    for (int i = 0; i < 5; i++) {
        assert_true(h->writing);
        h->writing = false;
        if (i == 4)
            h->store = store;
        apply(h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_FAILED, .error = &full});
        pass(h, i < 4 ? 4 * SECOND : 0, 1 << 1);
    }
}

static void the_end_of_a_job_that_writes_is_recorded_however_late(void **state)
{
    (void)state;
    hand h;
    arb_arena arena = {0};
    arb_job_view view;
    const arb_stage_spec stage = plain_stage(1);
    begin_on_store(&h);
    join(&h, 1, (arb_register){0});
    arb_id job = submit_spec(&h, (arb_job_spec){.stages = &stage, .stage_count = 1});
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    done(&h, 1, &task.attempt, 1);
    client(&h, ARB_EVENT_ROWS_LEFT, job, 0, task.attempt.attempt);
    arb_store *store = h.store;
    h.store = NULL;
    h.auto_write = false;
    client(&h, ARB_EVENT_DELIVERED, job, 0, task.attempt.attempt);
    give_batch_up(&h, NULL);
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED)); /* else it could run again after its client was told */
    give_batch_up(&h, store);
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
    assert_true(h.writing);
    h.writing = false;
    apply(&h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_COMMITTED});
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_SUCCEEDED);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    restart(&h);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    assert_int_equal(arb_scheduler_job(h.machine, job, &arena, &view, &error), ARB_OK);
    assert_int_equal(view.state, ARB_JOB_SUCCEEDED);
    arb_arena_reset(&arena);
    end_on_store(&h);
}

/* Of what the store never had little is kept for it, however long its disk is full. */
static void what_was_never_stored_is_not_carried_on(void **state)
{
    (void)state;
    hand h;
    const arb_stage_spec stage = plain_stage(1);
    begin_on_store(&h);
    join(&h, 1, (arb_register){0});
    arb_store *store = h.store;
    h.store = NULL;
    h.auto_write = false;
    submit_spec(&h, (arb_job_spec){.stages = &stage, .stage_count = 1});
    give_batch_up(&h, NULL);
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
    size_t before = h.operations + 8; /* two more in each of four tries */
    give_batch_up(&h, store);         /* that it has ended could not be written either */
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_FAILED);
    assert_int_equal(h.last_error.code, ARB_DISK_FULL);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    assert_true(h.writing);
    assert_int_equal(h.operations - before, 1); /* the deletion */
    end_on_store(&h);
}

static void a_damaged_record_ends_its_job_alone(void **state)
{
    (void)state;
    hand h;
    arb_store_outcome outcome;
    begin_on_store(&h);
    submit_pair(&h, 2);
    const arb_store_operation damage[] = {
        {ARB_STORE_PUT, ARB_STR("job/live/0000000000000001.0000000000000077"), ARB_STR("\x01\x01 nonsense")},
        {ARB_STORE_PUT, ARB_STR("job/live/0000000000000001.0000000000000077/commit/x"), ARB_STR("y")},
        {ARB_STORE_PUT, ARB_STR("job/ended/0000000000000001.0000000000000078"), ARB_STR("\x07")}};
    assert_int_equal(arb_store_txn_wait(h.store, h.term, damage, 3, &outcome, NULL, &error), ARB_OK);
    restart(&h);
    apply(&h, (arb_event){.kind = ARB_EVENT_TICK});
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_FAILED);
    assert_int_equal(h.last_error.code, ARB_CORRUPT_DATA);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 1);
    restart(&h);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 1); /* its records are gone */
    assert_int_equal(arb_scheduler_count(h.machine).history, 1);
    end_on_store(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_found_by_its_name),
        cmocka_unit_test(a_job_goes_on_with_what_is_held),
        cmocka_unit_test(what_runs_alone_goes_on_alone),
        cmocka_unit_test(what_nobody_holds_is_made_again),
        cmocka_unit_test(another_making_of_rows_that_may_differ_is_not_taken),
        cmocka_unit_test(behind_a_row_limit_only_what_was_recorded_counts),
        cmocka_unit_test(strangers_are_told_to_stop_and_drop),
        cmocka_unit_test(ended_jobs_stay_ended),
        cmocka_unit_test(the_end_of_a_job_that_writes_is_recorded_however_late),
        cmocka_unit_test(what_was_never_stored_is_not_carried_on),
        cmocka_unit_test(a_damaged_record_ends_its_job_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
