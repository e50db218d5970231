/* What people see of jobs, stages, tasks and executors, while jobs run and when they have ended. */
#include "scheduler_fixture.h"

static arb_arena arena;

static const arb_task_view *tasks_of(hand *h, arb_id job, uint32_t stage, size_t *out_count)
{
    const arb_task_view *tasks;
    assert_int_equal(arb_scheduler_tasks(h->machine, job, stage, 0, UINT32_MAX, &arena, &tasks, out_count, &error),
                     ARB_OK);
    return tasks;
}

static const arb_stage_view *stages_of(hand *h, arb_id job)
{
    const arb_stage_view *stages;
    size_t count;
    assert_int_equal(arb_scheduler_stages(h->machine, job, &arena, &stages, &count, &error), ARB_OK);
    return stages;
}

static arb_job_view job_of(hand *h, arb_id job)
{
    arb_job_view view;
    assert_int_equal(arb_scheduler_job(h->machine, job, &arena, &view, &error), ARB_OK);
    return view;
}

static int64_t wall(const hand *h)
{
    return 1000000 + h->now / 1000; /* as the fixture's events have it */
}

/* Every task that is launched takes a second and leaves ten rows, until nothing is. */
static void run_all(hand *h, size_t *from)
{
    for (const note *at; (at = next_note(h, ARB_TO_EXECUTOR_LAUNCH, from)) != NULL;) {
        const note task = *at;
        pass(h, SECOND, 6);
        done(h, task.executor, &task.attempt, 10);
    }
}

static void deliver(hand *h, arb_id job)
{
    const arb_result_view *results;
    size_t count;
    assert_int_equal(arb_scheduler_results(h->machine, job, &arena, &results, &count, &error), ARB_OK);
    for (size_t i = 0; i < count; i++) {
        client(h, ARB_EVENT_ROWS_LEFT, job, results[i].task, results[i].attempt);
        client(h, ARB_EVENT_DELIVERED, job, results[i].task, results[i].attempt);
    }
}

static void a_job_is_seen_from_begin_to_end(void **state)
{
    (void)state;
    hand h;
    size_t count, from = 0;
    begin(&h);
    h.auto_write = true;
    join(&h, 1, (arb_register){.slots = 1});
    int64_t submitted = wall(&h);
    arb_id job = submit_pair(&h, 2);
    arb_job_view seen = job_of(&h, job);
    assert_int_equal(seen.submitted, submitted);
    assert_int_equal(seen.stages, 2);
    assert_int_equal(seen.complete, 0);
    assert_int_equal(seen.tasks, 3);
    assert_int_equal(seen.running, 1);
    const arb_stage_view *stages = stages_of(&h, job);
    assert_true(stages[0].open && !stages[1].open);
    assert_int_equal(stages[0].started, submitted);
    assert_int_equal(stages[1].started, 0);
    arb_scheduler_counts counts = arb_scheduler_count(h.machine);
    assert_int_equal(counts.submitted, 1);
    assert_int_equal(counts.running, 1);
    assert_int_equal(counts.pending, 1);

    pass(&h, SECOND, 1 << 1);
    const arb_task_view *tasks = tasks_of(&h, job, 0, &count);
    assert_int_equal(count, 2);
    assert_int_equal(tasks[0].running_count, 1);
    assert_int_equal(tasks[0].running[0].started, submitted);
    assert_int_equal(tasks[0].attempts, 1);
    assert_int_equal(tasks[1].attempts, 0);
    run_all(&h, &from);
    stages = stages_of(&h, job);
    assert_true(stages[0].complete && stages[1].complete);
    assert_int_equal(stages[0].rows, 20);
    assert_int_equal(stages[0].attempts, 2);
    assert_int_equal(stages[1].input_rows, 20);
    assert_int_equal(stages[1].ended, wall(&h));
    assert_int_equal(stages[0].ended, stages[1].started);

    deliver(&h, job);
    seen = job_of(&h, job);
    assert_int_equal(seen.state, ARB_JOB_SUCCEEDED);
    assert_int_equal(seen.stages, 2);
    assert_int_equal(seen.complete, 2);
    assert_int_equal(seen.committed, 3);
    assert_int_equal(seen.attempts, 3);
    /* its outputs are gone, what made them is not forgotten */
    tasks = tasks_of(&h, job, 0, &count);
    assert_int_equal(count, 2);
    assert_int_equal(tasks[1].state, ARB_TASK_COMMITTED);
    assert_int_equal(tasks[1].rows, 10);
    assert_int_equal(tasks[1].took, SECOND);
    assert_int_equal(tasks[1].executor.low, 1);
    assert_int_equal(tasks[1].ended, stages[0].ended);
    assert_int_equal(tasks[1].running_count, 0);
    assert_int_equal(stages_of(&h, job)[0].rows, 20);
    const arb_task_view *page;
    assert_int_equal(arb_scheduler_tasks(h.machine, job, 0, 1, 5, &arena, &page, &count, &error), ARB_OK);
    assert_int_equal(count, 1);
    assert_int_equal(page[0].task, 1);
    assert_int_equal(arb_scheduler_tasks(h.machine, job, 0, 2, 5, &arena, &page, &count, &error), ARB_OK);
    assert_int_equal(count, 0);
    assert_int_equal(arb_scheduler_tasks(h.machine, job, 2, 0, 5, &arena, &page, &count, &error), ARB_UNDEFINED_OBJECT);

    const arb_executor_view *executors;
    assert_int_equal(arb_scheduler_executors(h.machine, &arena, &executors, &count, &error), ARB_OK);
    assert_int_equal(executors[0].committed, 3);
    assert_int_equal(executors[0].rows, 30);
    assert_int_equal(executors[0].bytes, 30);
    assert_int_equal(executors[0].outputs, 0);
    assert_int_equal(executors[0].registered, submitted);
    counts = arb_scheduler_count(h.machine);
    assert_int_equal(counts.succeeded, 1);
    assert_int_equal(counts.committed_rows, 30);
    assert_int_equal(counts.committed_bytes, 30);
    assert_int_equal(counts.running + counts.pending + counts.committing, 0);
    arb_arena_reset(&arena);
    end(&h);
}

static void failures_are_seen(void **state)
{
    (void)state;
    hand h;
    size_t count;
    arb_error why = {0};
    arb_fail(&why, ARB_IO, "the disk is gone");
    begin(&h);
    h.auto_write = true;
    join(&h, 1, (arb_register){.slots = 4});
    arb_id job = submit_pair(&h, 3);
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    failed(&h, 1, &task.attempt, (arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = &why});
    pass(&h, SECOND, 1 << 1);
    const arb_task_view *seen = &tasks_of(&h, job, 0, &count)[task.attempt.task];
    assert_int_equal(seen->attempts, 2);
    assert_int_equal(seen->failures, 1);
    assert_int_equal(seen->code, ARB_IO);
    assert_string_equal(seen->message.data, "the disk is gone");
    assert_int_equal(stages_of(&h, job)[0].failures, 1);
    assert_int_equal(stages_of(&h, job)[0].attempts, 4);
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    failed(&h, 1, &again.attempt, (arb_failure){.kind = ARB_FAILURE_FINAL, .error = &why});
    assert_int_equal(job_of(&h, job).state, ARB_JOB_FAILED);
    seen = tasks_of(&h, job, 0, &count);
    assert_int_equal(count, 3);
    assert_int_equal(seen[task.attempt.task].failures, 2); /* the last of which ended the job */
    assert_int_equal(seen[task.attempt.task].code, ARB_IO);
    assert_int_equal(seen[task.attempt.task].failed_at.low, 1);
    assert_int_equal(seen[task.attempt.task].state, ARB_TASK_PENDING);
    assert_int_equal(seen[0].state, ARB_TASK_RUNNING); /* as it was */
    client(&h, ARB_EVENT_JOB_CANCEL, submit_pair(&h, 1), 0, (arb_id){0});
    arb_scheduler_counts counts = arb_scheduler_count(h.machine);
    assert_int_equal(counts.failed_jobs, 1);
    assert_int_equal(counts.cancelled, 1);
    assert_int_equal(counts.submitted, 2);
    arb_arena_reset(&arena);
    end(&h);
}

/* Large jobs are remembered without tasks, and older ones make room; the last three jobs at all. */
static void memory_for_ended_jobs_is_bounded(void **state)
{
    (void)state;
    enum { jobs = 12 };
    hand h;
    arb_id ids[jobs];
    const arb_stage_view *stages;
    const arb_task_view *tasks;
    size_t count;
    begin(&h);
    h.auto_write = h.unchecked = true;
    for (int i = 0; i < jobs; i++) {
        ids[i] = submit_pair(&h, i == jobs - 2 ? 100000 : 10);
        client(&h, ARB_EVENT_JOB_CANCEL, ids[i], 0, (arb_id){0});
        assert_true(arb_scheduler_sound(h.machine, &error));
    }
    assert_int_equal(arb_scheduler_stages(h.machine, ids[jobs - 2], &arena, &stages, &count, &error), ARB_OK);
    assert_int_equal(stages[0].tasks, 100000);
    assert_int_equal(arb_scheduler_tasks(h.machine, ids[jobs - 2], 0, 0, 10, &arena, &tasks, &count, &error),
                     ARB_UNDEFINED_OBJECT);
    assert_int_equal(arb_scheduler_tasks(h.machine, ids[jobs - 1], 0, 0, 10, &arena, &tasks, &count, &error), ARB_OK);
    assert_int_equal(count, 10);
    assert_int_equal(arb_scheduler_stages(h.machine, ids[0], &arena, &stages, &count, &error), ARB_UNDEFINED_OBJECT);
    arb_arena_reset(&arena);
    end(&h);
}

static void details_make_room_for_newer_ones(void **state)
{
    (void)state;
    enum { jobs = 40, tasks_each = 12000 };
    arb_id ids[jobs];
    const arb_stage_view *stages;
    size_t count, kept = 0;
    hand h = {.now = SECOND};
    const arb_scheduler_options options = {
        .cluster = {1, 1}, .term = 1, .actions = &hand_actions, .context = &h, .history_most = 100};
    h.auto_write = h.unchecked = true;
    assert_int_equal(arb_scheduler_create(&options, &h.machine, &error), ARB_OK);
    arb_scheduler_recover_end(h.machine, h.now);
    for (int i = 0; i < jobs; i++) {
        ids[i] = submit_pair(&h, tasks_each);
        client(&h, ARB_EVENT_JOB_CANCEL, ids[i], 0, (arb_id){0});
    }
    assert_true(arb_scheduler_sound(h.machine, &error));
    for (int i = 0; i < jobs; i++) {
        arb_code code = arb_scheduler_stages(h.machine, ids[i], &arena, &stages, &count, &error);
        assert_true(code == ARB_OK || (code == ARB_UNDEFINED_OBJECT && kept == 0)); /* the newest are kept */
        kept += code == ARB_OK;
        assert_int_equal(job_of(&h, ids[i]).tasks, tasks_each + 1);
    }
    assert_in_range(kept, 5, jobs - 5);
    arb_arena_reset(&arena);
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_seen_from_begin_to_end),
        cmocka_unit_test(failures_are_seen),
        cmocka_unit_test(memory_for_ended_jobs_is_bounded),
        cmocka_unit_test(details_make_room_for_newer_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
