/* Each allocation of the scheduler fails in turn: nothing is half done, nothing leaks, the next try works. And a job of
 * 100,000 tasks is cheap. */
#include "scheduler_fixture.h"

#include "base/alloc.h"
#include "base/clock.h"

#ifdef ARB_FAILPOINTS
/* A job with all that a job can have, over a failed attempt and a registration, to its end. */
static void run_a_job(hand *h)
{
    static const arb_stage_input inputs[] = {{0, ARB_INPUT_PARTITION}, {0, ARB_INPUT_FACTS}};
    static const uint64_t roots[] = {1, 1, 1};
    static const arb_str names[] = {{"lake", 4}};
    arb_error why = {0};
    arb_fail(&why, ARB_IO, "no luck");
    arb_stage_spec stages[] = {plain_stage(3), reading_stage(2, inputs, 2)};
    stages[0].may_differ = stages[0].publishes_facts = true;
    stages[0].task_roots = roots;
    arb_register inventory = {.slots = 2, .roots = names, .root_count = 1};
    h->may_starve = true;
    join(h, 1, inventory);
    join(h, 2, inventory);
    arb_id job = submit_spec(
        h, (arb_job_spec){.read_only = true, .stages = stages, .stage_count = 2, .roots = names, .root_count = 1});
    bool has_failed = false;
    size_t from = 0;
    for (int round = 0; round < 100 && newest_answer(h, ARB_ANSWER_FINISHED) == NULL; round++) {
        for (const note *at; (at = next_note(h, ARB_TO_EXECUTOR_LAUNCH, &from)) != NULL;) {
            const note task = *at;
            if (!has_failed)
                failed(h, task.executor, &task.attempt, (arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = &why});
            else
                say(h, task.executor,
                    (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DONE,
                                       .attempt = task.attempt,
                                       .output = {.rows = 2, .bytes = 2, .facts = ARB_STR("f")}});
            has_failed = true;
        }
        pass(h, 200 * MS, 6);
        if (newest_answer(h, ARB_ANSWER_ENDED) != NULL)
            break;
    }
    const arb_answer *ended = newest_answer(h, ARB_ANSWER_ENDED);
    if (ended != NULL) { /* no memory to remember that a task has failed */
        assert_int_equal(h->last_error.code, ARB_OUT_OF_MEMORY);
        return;
    }
    arb_arena arena = {0};
    const arb_result_view *results;
    size_t count;
    arb_code code = arb_scheduler_results(h->machine, job, &arena, &results, &count, &error);
    if (code == ARB_OUT_OF_MEMORY)
        code = arb_scheduler_results(h->machine, job, &arena, &results, &count, &error);
    assert_int_equal(code, ARB_OK);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        client(h, ARB_EVENT_ROWS_LEFT, job, results[i].task, results[i].attempt);
        client(h, ARB_EVENT_DELIVERED, job, results[i].task, results[i].attempt);
    }
    arb_arena_reset(&arena);
    assert_int_equal(newest_answer(h, ARB_ANSWER_ENDED)->state, ARB_JOB_SUCCEEDED);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    bool hit = true;
    uint64_t nth = 1;
    for (; hit; nth++) {
        hand h;
        arb_alloc_fail_at(nth, false);
        arb_code code = create(&h);
        hit = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        if (code != ARB_OK) {
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
            continue;
        }
        arb_scheduler_recover_end(h.machine, h.now);
        assert_true(ARB_VEC_RESERVE(&h.notes, 1000) &&
                    ARB_VEC_RESERVE(&h.answers, 100)); /* the hand's own never fail */
        uint64_t before = hit ? nth : 0;
        if (!hit)
            arb_alloc_fail_at(nth, false);
        h.unchecked = true; /* the check allocates too */
        run_a_job(&h);
        hit = before != 0 || arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        if (!arb_scheduler_sound(h.machine, &error))
            fail_msg("%s", error.message);
        end(&h);
    }
    printf("%llu allocations\n", (unsigned long long)nth);
    assert_true(nth > 40);
}

/* What is recorded comes back, whichever allocation fails; then it is given again from the start. */
static void recovery_may_fail(void **state)
{
    (void)state;
    arb_text record = {0};
    const arb_stage_spec stage = plain_stage(3);
    const arb_job_spec spec = {.text = ARB_STR("q"), .stages = &stage, .stage_count = 1};
    arb_text_append(&record, "\x01", 1);
    assert_int_equal(arb_job_spec_encode(&spec, &record, &error), ARB_OK);
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        hand h;
        assert_int_equal(create(&h), ARB_OK);
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_scheduler_recover_record(h.machine, ARB_STR("job/live/0000000000000001.0000000000000002"),
                                                     arb_text_view(&record), &error);
        if (code == ARB_OK)
            code = arb_scheduler_recover_record(h.machine, ARB_STR("job/live/0000000000000001.0000000000000003"),
                                                ARB_STR("\x01 damaged"), &error);
        if (code == ARB_OK)
            code = arb_scheduler_recover_record(h.machine, ARB_STR("job/ended/0000000000000001.0000000000000001"),
                                                ARB_STR("\x01\x02\x00\x01\x02\x03\x04\x05\x06\x01q\x01u\x00"), &error);
        hit = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        arb_arena arena = {0};
        const arb_stage_view *stages;
        size_t count;
        bool forgot = arb_scheduler_stages(h.machine, (arb_id){1, 3}, &arena, &stages, &count, &error) != ARB_OK;
        arb_arena_reset(&arena);
        /* what is remembered of an ended job's stages may be given up */
        assert_true(hit ? code == ARB_OUT_OF_MEMORY || forgot : code == ARB_OK && !forgot);
        end(&h);
    }
    arb_text_reset(&record);
}
#endif

/* Nanoseconds for a job of `count` tasks that 8 executors run, each event done. */
static int64_t run_large(uint32_t count)
{
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    const arb_stage_spec stages[] = {plain_stage(count), reading_stage(64, &input, 1)};
    hand h;
    size_t from = 0;
    begin(&h);
    h.unchecked = true;
    int64_t start = arb_clock_monotonic_ns();
    for (unsigned executor = 1; executor <= 8; executor++)
        join(&h, executor, (arb_register){.slots = 16});
    arb_id job = submit(&h, stages, 2);
    for (uint32_t i = 0; i < count + 64; i++) {
        const note task = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
        done(&h, task.executor, &task.attempt, 1);
    }
    assert_non_null(newest_answer(&h, ARB_ANSWER_FINISHED));
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_SOURCES), 8); /* once for each executor, not for each task */
    client(&h, ARB_EVENT_JOB_CANCEL, job, 0, (arb_id){0});
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 0);
    int64_t took = arb_clock_monotonic_ns() - start;
    end(&h);
    return took;
}

static void a_hundred_thousand_tasks_are_cheap(void **state)
{
    (void)state;
    int64_t small = run_large(10000), large = run_large(100000);
    printf("10,000 tasks: %.1f ms, 100,000 tasks: %.1f ms\n", (double)small / 1e6, (double)large / 1e6);
    assert_true(large < 40 * small + SECOND); /* no square in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef ARB_FAILPOINTS
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(recovery_may_fail),
#endif
        cmocka_unit_test(a_hundred_thousand_tasks_are_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
