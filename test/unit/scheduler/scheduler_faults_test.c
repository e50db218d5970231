/* What the scheduler does when something goes wrong, one thing at a time. The simulator mixes them. */
#include "scheduler_fixture.h"

#include "scheduler/scheduler_internal.h"

static void silence_makes_suspect_then_dead(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    join(&h, 2, (arb_register){.slots = 1});
    submit_pair(&h, 4);
    const note on_second = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(on_second.executor, 2);
    pass(&h, 2100 * MS, 1 << 1);
    size_t before = count_notes(&h, ARB_TO_EXECUTOR_LAUNCH);
    done(&h, 2, &on_second.attempt, 1); /* heard again in time: all is well */
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), before + 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, 2);
    pass(&h, 4400 * MS, 1 << 1);
    assert_int_equal(arb_scheduler_count(h.machine).lost, 0);
    pass(&h, 200 * MS, 1 << 1);
    assert_int_equal(arb_scheduler_count(h.machine).executors, 1);
    assert_int_equal(arb_scheduler_count(h.machine).lost, 2); /* an output and an attempt */
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_GONE).gone.low, 2);
    end(&h);
}

static void one_that_comes_back_keeps_what_it_has(void **state)
{
    (void)state;
    hand h;
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 2});
    submit_pair(&h, 3);
    const note first = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from),
               second = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, 1, &first.attempt, 1);
    const note third = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    const arb_held_output held = {first.attempt, {.rows = 1, .bytes = 1}};
    const arb_attempt stranger = {{1, 99}, {1, 98}, {1, 97}, 0, 0};
    const arb_attempt running[] = {second.attempt, stranger};
    join(&h, 1, (arb_register){.slots = 2, .held = &held, .held_count = 1, .running = running, .running_count = 2});
    assert_true(arb_id_equal(newest(&h, ARB_TO_EXECUTOR_CANCEL).attempt.attempt, stranger.attempt));
    assert_int_equal(arb_scheduler_count(h.machine).lost, 1); /* the third, which it does not know */
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(again.attempt.task, third.attempt.task);
    assert_false(arb_id_equal(again.attempt.attempt, third.attempt.attempt));
    join(&h, 1, (arb_register){.slots = 2}); /* now it has lost everything */
    assert_int_equal(arb_scheduler_count(h.machine).lost, 4);
    end(&h);
}

static void one_taken_for_dead_may_bring_its_outputs(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    submit_pair(&h, 2);
    const note first = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    done(&h, 1, &first.attempt, 1);
    pass(&h, 6 * SECOND, 0);
    assert_int_equal(arb_scheduler_count(h.machine).executors, 0);
    const arb_held_output held = {first.attempt, {.rows = 1, .bytes = 1}};
    join(&h, 1, (arb_register){.slots = 1, .held = &held, .held_count = 1});
    assert_true(arb_id_equal(newest(&h, ARB_TO_EXECUTOR_SEEN).attempt.attempt, first.attempt.attempt));
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.task, 1);
    end(&h);
}

static void a_gap_breaks_the_session(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){0});
    h.sent[1]++; /* a message is lost */
    say(&h, 1, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_HEARTBEAT});
    assert_int_equal(h.closed, 1);
    assert_int_equal(arb_scheduler_count(h.machine).broken_streams, 1);
    submit_pair(&h, 1);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 0);
    join(&h, 1, (arb_register){0});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    end(&h);
}

static void a_new_session_closes_the_old_stream(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){0});
    join(&h, 1, (arb_register){0});
    assert_int_equal(h.closed, 1);
    assert_int_equal(h.closed_session, 1);
    apply(&h, (arb_event){.kind = ARB_EVENT_STREAM_CLOSED, .executor = {0, 1}, .session = 1}); /* the old one */
    submit_pair(&h, 1);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    h.term = 2; /* and as this executor says, there is another scheduler */
    join(&h, 2, (arb_register){0});
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_REFUSED).executor, 2);
    assert_int_equal(h.closed, 2);
    end(&h);
}

static void other_clusters_and_terms_count_for_nothing(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    submit_pair(&h, 1);
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    arb_to_scheduler message = {.kind = ARB_TO_SCHEDULER_DONE, .attempt = task.attempt};
    const arb_control_header wrong[] = {
        {{1, 2}, 1, {0, 1}, 1, 2}, {{1, 1}, 2, {0, 1}, 1, 2}, {{1, 1}, 0, {0, 1}, 1, 2}, {{1, 1}, 1, {0, 9}, 1, 2}};
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        message.header = wrong[i];
        apply(&h, (arb_event){.kind = ARB_EVENT_MESSAGE, .message = &message});
    }
    assert_int_equal(arb_scheduler_count(h.machine).committed, 0);
    done(&h, 1, &task.attempt, 1);
    assert_int_equal(arb_scheduler_count(h.machine).committed, 1);
    end(&h);
}

static void the_fourth_failure_ends_the_job(void **state)
{
    (void)state;
    hand h;
    arb_error why = {0};
    arb_fail(&why, ARB_DISK_FULL, "no room");
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    join(&h, 2, (arb_register){.slots = 1});
    const arb_stage_spec stage = plain_stage(1);
    submit(&h, &stage, 1);
    unsigned before = 0;
    for (int i = 0; i < 4; i++) {
        const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
        assert_int_not_equal(task.executor, before); /* elsewhere each time */
        before = task.executor;
        assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
        size_t launched = count_notes(&h, ARB_TO_EXECUTOR_LAUNCH);
        failed(&h, task.executor, &task.attempt, (arb_failure){.kind = ARB_FAILURE_CANCELLED}); /* does not count */
        const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
        failed(&h, again.executor, &again.attempt, (arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = &why});
        assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), launched + 1); /* not at once */
        before = again.executor;
        pass(&h, SECOND, 6);
    }
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_FAILED);
    assert_int_equal(h.last_error.code, ARB_DISK_FULL);
    assert_string_equal(h.last_error.message, "no room");
    end(&h);
}

/* An executor that is confused, or plays tricks, commits nothing that was not launched there. */
static void what_disagrees_is_refused(void **state)
{
    (void)state;
    hand h;
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    join(&h, 2, (arb_register){.slots = 1});
    submit_pair(&h, 2);
    const note first = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from),
               second = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, second.executor, &first.attempt, 1); /* runs elsewhere */
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_CANCEL).executor, second.executor);
    arb_attempt wrong = first.attempt;
    wrong.attempt.number -= 1; /* was given, but runs nowhere */
    done(&h, first.executor, &wrong, 1);
    assert_int_equal(arb_scheduler_count(h.machine).attempts, 2);
    wrong = first.attempt;
    wrong.task = second.attempt.task; /* was launched as another task */
    done(&h, first.executor, &wrong, 1);
    assert_int_equal(arb_scheduler_count(h.machine).lost, 1);
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(again.attempt.task, first.attempt.task);
    wrong = again.attempt;
    wrong.stage = 1;
    failed(&h, again.executor, &wrong, (arb_failure){.kind = ARB_FAILURE_CANCELLED});
    assert_int_equal(arb_scheduler_count(h.machine).lost, 2);
    arb_held_output held = {first.attempt, {.rows = 1, .bytes = 1}};
    held.attempt.attempt.number += 1000; /* was never given */
    join(&h, 3, (arb_register){.slots = 1, .held = &held, .held_count = 1});
    held.attempt.attempt = (arb_id){9, 1};
    join(&h, 3, (arb_register){.slots = 1, .running = &held.attempt, .running_count = 1});
    held.attempt.attempt = (arb_id){1, 0};
    join(&h, 3, (arb_register){.slots = 1, .held = &held, .held_count = 1});
    assert_int_equal(arb_scheduler_count(h.machine).committed, 0);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_CANCEL), 6);
    end(&h);
}

static void sizes_that_cannot_be_do_not_overflow(void **state)
{
    (void)state;
    hand h;
    arb_arena arena = {0};
    const arb_stage_view *stages;
    const arb_executor_view *executors;
    size_t count, from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 3});
    arb_id job = submit_pair(&h, 3);
    for (int i = 0; i < 3; i++) {
        const note task = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
        arb_to_scheduler message = {.attempt = task.attempt, .output = {.rows = UINT64_MAX, .bytes = UINT64_MAX / 2}};
        message.kind = ARB_TO_SCHEDULER_PROGRESS;
        say(&h, 1, message);
        message.kind = ARB_TO_SCHEDULER_DONE;
        say(&h, 1, message);
    }
    assert_int_equal(arb_scheduler_stages(h.machine, job, &arena, &stages, &count, &error), ARB_OK);
    assert_true(stages[0].rows == 3 * ARB_SCHED_SIZE_MOST && stages[0].bytes == 3 * ARB_SCHED_SIZE_MOST);
    assert_int_equal(arb_scheduler_executors(h.machine, &arena, &executors, &count, &error), ARB_OK);
    assert_true(executors[0].output_bytes == 3 * ARB_SCHED_SIZE_MOST);
    arb_arena_reset(&arena);
    end(&h);
}

static void a_final_error_ends_the_job_at_once(void **state)
{
    (void)state;
    hand h;
    arb_error why = {0};
    arb_fail(&why, ARB_DIVISION_BY_ZERO, "division by zero");
    begin(&h);
    join(&h, 1, (arb_register){.slots = 2});
    submit_pair(&h, 2);
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    failed(&h, 1, &task.attempt, (arb_failure){.kind = ARB_FAILURE_FINAL, .error = &why});
    assert_int_equal(h.last_error.code, ARB_DIVISION_BY_ZERO);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_DELETE).attempt.stage, ARB_EVERY_STAGE);
    end(&h);
}

/* Scan of two tasks on executors 1 and 2, both done; the reader runs. Gives its launch. */
static note reader_of_two(hand *h, bool may_differ)
{
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    arb_stage_spec stages[] = {plain_stage(2), reading_stage(1, &input, 1)};
    stages[0].may_differ = may_differ;
    size_t from = 0;
    begin(h);
    join(h, 1, (arb_register){.slots = 1});
    join(h, 2, (arb_register){.slots = 1});
    submit(h, stages, 2);
    for (int i = 0; i < 2; i++) {
        const note task = *next_note(h, ARB_TO_EXECUTOR_LAUNCH, &from);
        done(h, task.executor, &task.attempt, 1);
    }
    return newest(h, ARB_TO_EXECUTOR_LAUNCH);
}

static arb_failure unreadable(const hand *h, unsigned executor, arb_read_failure why)
{
    for (size_t from = 0;;) {
        const note *task = next_note(h, ARB_TO_EXECUTOR_LAUNCH, &from);
        if (task->executor == executor && task->attempt.stage == 0)
            return (arb_failure){.kind = ARB_FAILURE_READ,
                                 .read = why,
                                 .producer_stage = 0,
                                 .producer_task = task->attempt.task,
                                 .producer_attempt = task->attempt.attempt};
    }
}

static void a_corrupt_output_is_made_again_alone(void **state)
{
    (void)state;
    hand h;
    const note reader = reader_of_two(&h, false);
    size_t before = count_notes(&h, ARB_TO_EXECUTOR_LAUNCH);
    arb_failure failure = unreadable(&h, 2, ARB_READ_CORRUPT);
    failed(&h, reader.executor, &reader.attempt, failure);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), before + 1);
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(again.attempt.stage, 0);
    assert_int_equal(again.attempt.task, failure.producer_task);
    assert_int_equal(again.executor, 1); /* not where it was damaged */
    done(&h, again.executor, &again.attempt, 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.stage, 1);
    assert_int_equal(arb_scheduler_count(h.machine).failed, 1);
    end(&h);
}

static void all_of_a_stage_that_may_differ_is_made_again(void **state)
{
    (void)state;
    hand h;
    const note reader = reader_of_two(&h, true);
    failed(&h, reader.executor, &reader.attempt, unreadable(&h, 2, ARB_READ_NOT_FOUND));
    assert_int_equal(arb_scheduler_count(h.machine).resets, 1);
    size_t again = 0, from = 0;
    for (const note *at; (at = next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from)) != NULL;)
        again += at->attempt.stage == 0;
    assert_int_equal(again, 4);
    end(&h);
}

static void who_is_unreachable_is_found_out(void **state)
{
    (void)state;
    hand h;
    const note reader = reader_of_two(&h, false);
    unsigned producer = 3 - reader.executor;
    failed(&h, reader.executor, &reader.attempt, unreadable(&h, producer, ARB_READ_UNREACHABLE));
    const note beside = newest(&h, ARB_TO_EXECUTOR_LAUNCH); /* the reader goes to the producer */
    assert_int_equal(beside.attempt.stage, 1);
    assert_int_equal(beside.executor, producer);
    assert_int_equal(arb_scheduler_count(h.machine).exclusions, 0);
    failed(&h, producer, &beside.attempt, unreadable(&h, reader.executor, ARB_READ_UNREACHABLE));
    assert_int_equal(arb_scheduler_count(h.machine).exclusions, 1); /* and from there cannot reach the other */
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(again.attempt.stage, 0);
    assert_int_equal(again.executor, producer);
    done(&h, producer, &again.attempt, 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, producer);
    pass(&h, 21 * SECOND, 6);
    submit_pair(&h, 4); /* the exclusion is over */
    bool used = false;
    for (size_t i = h.notes.size - 1; h.notes.data[i].kind == ARB_TO_EXECUTOR_LAUNCH; i--)
        used |= h.notes.data[i].executor == reader.executor;
    assert_true(used);
    end(&h);
}

/* Two that cannot reach each other say so of different tasks: one is enough, and not each task need try. */
static void of_two_that_are_parted_one_is_excluded(void **state)
{
    (void)state;
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    const arb_stage_spec stages[] = {plain_stage(2), reading_stage(8, &input, 1)};
    hand h;
    size_t from = 0;
    note readers[2];
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    join(&h, 2, (arb_register){.slots = 1});
    submit(&h, stages, 2);
    for (int i = 0; i < 2; i++) {
        const note at = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
        done(&h, at.executor, &at.attempt, 1);
    }
    for (int i = 0; i < 2; i++)
        readers[i] = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    assert_int_equal(readers[0].attempt.stage + readers[1].attempt.stage, 2);
    assert_int_not_equal(readers[0].executor, readers[1].executor);
    failed(&h, readers[0].executor, &readers[0].attempt, unreadable(&h, readers[1].executor, ARB_READ_UNREACHABLE));
    assert_int_equal(arb_scheduler_count(h.machine).exclusions, 0);
    failed(&h, readers[1].executor, &readers[1].attempt, unreadable(&h, readers[0].executor, ARB_READ_UNREACHABLE));
    assert_int_equal(arb_scheduler_count(h.machine).exclusions, 1);
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH); /* what the excluded one held is made again by the other */
    assert_int_equal(again.attempt.stage, 0);
    assert_int_equal(again.executor, readers[1].executor);
    end(&h);
}

/* A reader that could not be placed beside its producer has not shown that it is somebody else who is cut off. */
static void a_complaint_from_elsewhere_excludes_nobody(void **state)
{
    (void)state;
    hand h;
    const note reader = reader_of_two(&h, false);
    unsigned producer = 3 - reader.executor;
    say(&h, producer, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DRAINING}); /* nothing new goes there */
    failed(&h, reader.executor, &reader.attempt, unreadable(&h, producer, ARB_READ_UNREACHABLE));
    const note again = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(again.executor, reader.executor);
    join(&h, 3, (arb_register){.slots = 1});
    failed(&h, again.executor, &again.attempt, (arb_failure){.kind = ARB_FAILURE_RETRYABLE});
    pass(&h, SECOND, 14);
    const note elsewhere = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(elsewhere.executor, 3);
    failed(&h, elsewhere.executor, &elsewhere.attempt, unreadable(&h, 3 - producer, ARB_READ_UNREACHABLE));
    assert_int_equal(arb_scheduler_count(h.machine).exclusions, 0);
    end(&h);
}

static void a_slow_task_gets_a_twin(void **state)
{
    (void)state;
    hand h;
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 2});
    join(&h, 2, (arb_register){.slots = 2});
    submit_pair(&h, 4);
    note tasks[4];
    for (int i = 0; i < 4; i++)
        tasks[i] = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    pass(&h, SECOND, 6);
    for (int i = 0; i < 3; i++)
        done(&h, tasks[i].executor, &tasks[i].attempt, 1);
    pass(&h, 900 * MS, 6);
    assert_int_equal(arb_scheduler_count(h.machine).twins, 0);
    pass(&h, 300 * MS, 6);
    assert_int_equal(arb_scheduler_count(h.machine).twins, 1);
    const note twin = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_int_equal(twin.attempt.task, tasks[3].attempt.task);
    assert_int_not_equal(twin.executor, tasks[3].executor);
    done(&h, twin.executor, &twin.attempt, 1);
    assert_true(arb_id_equal(newest(&h, ARB_TO_EXECUTOR_CANCEL).attempt.attempt, tasks[3].attempt.attempt));
    done(&h, tasks[3].executor, &tasks[3].attempt, 1); /* it was as fast in the end: too late */
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.stage, 1);
    end(&h);
}

/* The launch of a scan's task on an executor; NULL: there was none. */
static const note *launch_of(const hand *h, unsigned executor, uint32_t task)
{
    for (size_t from = 0;;) {
        const note *at = next_note(h, ARB_TO_EXECUTOR_LAUNCH, &from);
        if (at == NULL || (at->executor == executor && at->attempt.stage == 0 && at->attempt.task == task))
            return at;
    }
}

static void a_task_that_crashes_runs_alone_and_only_thrice(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 4});
    submit_pair(&h, 3);
    arb_attempt crashed = launch_of(&h, 1, 0)->attempt;
    for (unsigned executor = 2; executor <= 5; executor++) {
        assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
        join(&h, executor,
             (arb_register){.slots = 4,
                            .crashed = &crashed,
                            .crashed_count = 1,
                            .crashed_cluster = {1, 1},
                            .previous = {0, executor - 1}});
        for (uint32_t task = 1; task < 3; task++) { /* the others end; then it is launched, alone */
            const note *beside = launch_of(&h, executor, task);
            if (beside != NULL) {
                arb_attempt ended = beside->attempt;
                done(&h, executor, &ended, 1);
            }
        }
        if (executor < 5) {
            assert_true(launch_of(&h, executor, 0)->alone);
            crashed = launch_of(&h, executor, 0)->attempt;
        }
    }
    assert_int_equal(h.last_error.code, ARB_EXECUTOR_CRASHED);
    end(&h);
}

/* What the system kills leaves no record. Its executors are seen to die, and not without end. */
static void a_task_that_outlives_executors(void **state)
{
    (void)state;
    enum { most = 2 * ARB_SCHED_DEATHS_MOST };
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 4});
    submit_pair(&h, 3);
    for (unsigned executor = 1; executor <= most; executor++) {
        assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
        for (uint32_t task = 1; task < 3; task++) {
            const note *beside = launch_of(&h, executor, task);
            if (beside != NULL) {
                arb_attempt ended = beside->attempt;
                done(&h, executor, &ended, 1);
            }
        }
        assert_int_equal(launch_of(&h, executor, 0)->alone, executor > most / 2);
        join(&h, executor + 1, (arb_register){.slots = 4, .previous = {0, executor}});
    }
    assert_int_equal(h.last_error.code, ARB_EXECUTOR_CRASHED);
    end(&h);
}

/* A task that must run alone waits for an executor to be empty, and does not wait for one that gets nothing new. */
static void one_that_goes_is_not_kept_for_a_task(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        hand h;
        begin(&h);
        join(&h, 1, (arb_register){.slots = 4});
        submit_pair(&h, 1);
        const arb_attempt crashed = newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt;
        join(&h, 2, (arb_register){.slots = 8});
        join(&h, 3, (arb_register){.slots = 8});
        submit_pair(&h, 6);
        join(&h, 4,
             (arb_register){.draining = true,
                            .crashed = &crashed,
                            .crashed_count = 1,
                            .crashed_cluster = {1, 1},
                            .previous = {0, 1}}); /* 2 and 3 have room, but something to do: one is kept */
        assert_int_not_equal(h.machine->reserved_slot, ARB_SCHED_NO_SLOT);
        unsigned kept = (unsigned)h.machine->slots.data[h.machine->reserved_slot]->id.low;
        if (how == 0)
            say(&h, kept, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DRAINING});
        else if (how == 1)
            pass(&h, 2100 * MS, 28 & ~(1u << kept));
        else
            arb_sched_exclude(h.machine, arb_sched_executor_of(h.machine, (arb_uuid){0, kept}));
        apply(&h, (arb_event){.kind = ARB_EVENT_TICK});
        assert_int_not_equal(h.machine->reserved_slot, ARB_SCHED_NO_SLOT); /* another one is */
        assert_int_not_equal(h.machine->slots.data[h.machine->reserved_slot]->id.low, kept);
        end(&h);
    }
}

static void a_crash_that_is_said_twice_counts_once(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    submit_pair(&h, 1);
    const arb_attempt crashed = newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt;
    arb_register inventory = {
        .slots = 1, .crashed = &crashed, .crashed_count = 1, .crashed_cluster = {1, 1}, .previous = {0, 1}};
    join(&h, 2, inventory);
    const arb_attempt again = newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt;
    inventory.running = &again;
    inventory.running_count = 1;
    join(&h, 2, inventory); /* its welcome was lost */
    assert_int_equal(arb_scheduler_count(h.machine).crashes, 1);
    inventory.crashed_cluster.low = 2;
    inventory.crashed = &again;
    join(&h, 2, inventory); /* of another cluster, whose ids mean nothing here */
    assert_int_equal(arb_scheduler_count(h.machine).crashes, 1);
    end(&h);
}

static void without_executors_jobs_wait_then_fail(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    arb_id job = submit_pair(&h, 1);
    pass(&h, 29 * SECOND, 0);
    join(&h, 1, (arb_register){0});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    pass(&h, 5 * SECOND, 0); /* until then it counts as there */
    pass(&h, 24 * SECOND, 0);
    client(&h, ARB_EVENT_CLIENT_ALIVE, job, 0, (arb_id){0});
    pass(&h, 5 * SECOND, 0);
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
    pass(&h, 2 * SECOND, 0);
    assert_int_equal(h.last_error.code, ARB_NO_EXECUTOR);
    end(&h);
}

static void busy_is_not_absent(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    arb_id job = submit_pair(&h, 2);
    join(&h, 1, (arb_register){.slots = 1});
    arb_id waiting = submit_pair(&h, 2);
    for (int i = 0; i < 4; i++) {
        pass(&h, 25 * SECOND, 1 << 1);
        client(&h, ARB_EVENT_CLIENT_ALIVE, job, 0, (arb_id){0});
        client(&h, ARB_EVENT_CLIENT_ALIVE, waiting, 0, (arb_id){0});
    }
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
    end(&h);
}

/* Names come and go with executors; 64 are known at a time. */
static void roots_that_nobody_has_give_way(void **state)
{
    (void)state;
    enum { NAMES = 150 };
    hand h;
    static char texts[NAMES][16];
    static arb_str names[NAMES];
    static const uint64_t reads[] = {1};
    arb_stage_spec stage = plain_stage(1);
    stage.task_roots = reads;
    arb_job_spec spec = {.read_only = true, .stages = &stage, .stage_count = 1, .root_count = 1};
    begin(&h);
    for (int i = 0; i < NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "root %d", i);
        names[i] = arb_str_of(texts[i]);
    }
    join(&h, 1, (arb_register){.roots = names, .root_count = 64});
    join(&h, 2, (arb_register){.roots = names + 64, .root_count = 1}); /* one too many */
    spec.roots = names;
    submit_spec(&h, spec);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, 1);
    spec.roots = names + 64;
    submit_spec(&h, spec);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    say(&h, 1, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_GOODBYE});
    join(&h, 2, (arb_register){.roots = names + 64, .root_count = 64}); /* now they are known */
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, 2);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 2); /* and whoever read the first reads none of these */
    join(&h, 3, (arb_register){.roots = names, .root_count = 1});
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 2); /* again one too many */
    join(&h, 2, (arb_register){.roots = names + 128, .root_count = 10});
    join(&h, 3, (arb_register){.roots = names, .root_count = 1});
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, 3);
    end(&h);
}

static uint64_t looks(const hand *h)
{
    return arb_scheduler_count(h->machine).looks;
}

/* Ticks that are due at once; none looks at much. */
static void settle(hand *h)
{
    while (arb_scheduler_wake(h->machine) <= h->now) {
        uint64_t before = looks(h);
        apply(h, (arb_event){.kind = ARB_EVENT_TICK});
        assert_true(looks(h) < before + 300);
    }
}

static void what_waits_in_vain_costs_little(void **state)
{
    (void)state;
    enum { TASKS = 5000 };
    hand h;
    static uint64_t masks[TASKS];
    const arb_str lake[] = {ARB_STR("lake")}, attic[] = {ARB_STR("attic")};
    arb_stage_spec stage = plain_stage(TASKS);
    for (int i = 0; i < TASKS; i++)
        masks[i] = i + 1 < TASKS ? 1 : 0; /* the last one could run anywhere */
    stage.task_roots = masks;
    const arb_job_spec spec = {.read_only = true, .stages = &stage, .stage_count = 1, .roots = attic, .root_count = 1};
    begin(&h);
    h.unchecked = true;
    join(&h, 1, (arb_register){.slots = 9, .roots = lake, .root_count = 1});
    submit_pair(&h, 3);
    submit_spec(&h, spec);
    assert_true(looks(&h) < 600); /* two events: it was written, too */
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 3);
    settle(&h);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).attempt.task, TASKS - 1);
    uint64_t before = looks(&h);
    assert_in_range(before, TASKS, 2 * TASKS + 10);
    pass(&h, SECOND, 1 << 1);
    assert_int_equal(looks(&h), before); /* heartbeats and ticks */
    size_t from = 0;
    const note task = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, 1, &task.attempt, 1); /* a place, but not for them */
    settle(&h);
    assert_int_equal(looks(&h), before);
    join(&h, 2, (arb_register){.slots = 1, .roots = attic, .root_count = 1});
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_LAUNCH).executor, 2);
    settle(&h);
    before = looks(&h);
    const note second = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, 1, &second.attempt, 1); /* whoever could run them is full: all are looked at, a few in each event */
    assert_true(looks(&h) < before + 600);
    settle(&h);
    assert_in_range(looks(&h) - before, 1, TASKS + 10);
    h.unchecked = false;
    apply(&h, (arb_event){.kind = ARB_EVENT_TICK});
    end(&h);
}

static void a_drained_executor_goes_when_nothing_of_it_is_needed(void **state)
{
    (void)state;
    hand h;
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    submit_pair(&h, 2);
    const note first = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    say(&h, 1, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DRAINING});
    done(&h, 1, &first.attempt, 1);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1); /* nothing new */
    join(&h, 2, (arb_register){.slots = 1});
    const note second = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, 2, &second.attempt, 1);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_MAY_GO), 0);
    const note reader = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, 2, &reader.attempt, 1);
    assert_int_equal(newest(&h, ARB_TO_EXECUTOR_MAY_GO).executor, 1);
    say(&h, 1, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_GOODBYE});
    assert_int_equal(arb_scheduler_count(h.machine).executors, 1);
    end(&h);
}

static void rows_that_have_left_cannot_change(void **state)
{
    (void)state;
    hand h;
    const arb_stage_spec stage = plain_stage(2);
    size_t from = 0;
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    join(&h, 2, (arb_register){.slots = 1});
    arb_id job = submit(&h, &stage, 1);
    const note first = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from),
               second = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, first.executor, &first.attempt, 1);
    done(&h, second.executor, &second.attempt, 1);
    apply(&h, (arb_event){.kind = ARB_EVENT_RESULT_LOST,
                          .job = job,
                          .task = 0,
                          .attempt = first.attempt.attempt,
                          .read = ARB_READ_CORRUPT}); /* before any row has left */
    assert_non_null(newest_answer(&h, ARB_ANSWER_RESUMED));
    const note again = *next_note(&h, ARB_TO_EXECUTOR_LAUNCH, &from);
    done(&h, again.executor, &again.attempt, 1);
    client(&h, ARB_EVENT_ROWS_LEFT, job, 0, again.attempt.attempt);
    apply(&h, (arb_event){.kind = ARB_EVENT_RESULT_LOST,
                          .job = job,
                          .task = 0,
                          .attempt = first.attempt.attempt, /* said late, of what was lost before */
                          .read = ARB_READ_NOT_FOUND});
    arb_event other = {
        .kind = ARB_EVENT_DELIVERED, .now = h.now, .job = job, .task = 0, .attempt = first.attempt.attempt};
    assert_int_equal(arb_scheduler_apply(h.machine, &other, &error), ARB_UNDEFINED_OBJECT);
    assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
    client(&h, ARB_EVENT_DELIVERED, job, 0, again.attempt.attempt);
    client(&h, ARB_EVENT_ROWS_LEFT, job, 1, second.attempt.attempt);
    say(&h, second.executor, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_GOODBYE});
    assert_int_equal(h.last_error.code, ARB_RESULT_LOST);
    end(&h);
}

/* Others cannot reach it, but the client, by way of the scheduler, can. */
static void exclusion_leaves_a_stream_alone(void **state)
{
    (void)state;
    hand h;
    const arb_stage_spec stage = plain_stage(1);
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    arb_id job =
        submit_spec(&h, (arb_job_spec){.read_only = true, .may_stream = true, .stages = &stage, .stage_count = 1});
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    assert_true(arb_id_equal(newest_answer(&h, ARB_ANSWER_STREAM)->attempt, task.attempt.attempt));
    client(&h, ARB_EVENT_ROWS_LEFT, job, 0, task.attempt.attempt);
    arb_sched_exclude(h.machine, arb_sched_executor_of(h.machine, (arb_uuid){0, 1}));
    join(&h, 2, (arb_register){.slots = 1});
    done(&h, 1, &task.attempt, 1);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    assert_non_null(newest_answer(&h, ARB_ANSWER_FINISHED));
    client(&h, ARB_EVENT_DELIVERED, job, 0, task.attempt.attempt);
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_SUCCEEDED);
    end(&h);
}

/* Nobody can take the place of an attempt whose rows have left. */
static void a_lost_stream_ends_its_job(void **state)
{
    (void)state;
    hand h;
    const arb_stage_spec stage = plain_stage(1);
    begin(&h);
    join(&h, 1, (arb_register){.slots = 1});
    arb_id job =
        submit_spec(&h, (arb_job_spec){.read_only = true, .may_stream = true, .stages = &stage, .stage_count = 1});
    const note task = newest(&h, ARB_TO_EXECUTOR_LAUNCH);
    client(&h, ARB_EVENT_ROWS_LEFT, job, 0, task.attempt.attempt);
    join(&h, 2, (arb_register){.slots = 1});
    say(&h, 1, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_GOODBYE});
    assert_int_equal(h.last_error.code, ARB_RESULT_LOST);
    assert_int_equal(count_notes(&h, ARB_TO_EXECUTOR_LAUNCH), 1);
    end(&h);
}

static void a_store_that_fails_fails_its_jobs_alone(void **state)
{
    (void)state;
    hand h;
    arb_error full = {0};
    arb_fail(&full, ARB_DISK_FULL, "the disk is full");
    const arb_stage_spec small = plain_stage(1);
    begin(&h);
    h.auto_write = false;
    join(&h, 1, (arb_register){0});
    submit_pair(&h, 1);
    arb_id other = submit(&h, &small, 1);
    for (int i = 0; i < 5; i++) {
        assert_true(h.writing);
        assert_null(newest_answer(&h, ARB_ANSWER_ENDED));
        h.writing = false;
        apply(&h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_FAILED, .error = &full});
        if (i < 4)
            pass(&h, 4 * SECOND, 1 << 1);
    }
    assert_true(h.writing); /* that it has ended is tried to be written */
    h.writing = false;
    apply(&h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_COMMITTED});
    assert_int_equal(newest_answer(&h, ARB_ANSWER_ENDED)->state, ARB_JOB_FAILED);
    assert_int_equal(h.last_error.code, ARB_DISK_FULL);
    assert_int_equal(arb_scheduler_count(h.machine).jobs, 1);
    client(&h, ARB_EVENT_CLIENT_ALIVE, other, 0, (arb_id){0});
    end(&h);
}

static void one_that_was_replaced_finds_out(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    h.auto_write = false;
    pass(&h, 6 * SECOND, 0);
    assert_true(h.writing);
    assert_int_equal(h.operations, 0);
    h.writing = false;
    apply(&h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_COMMITTED});
    pass(&h, 6 * SECOND, 0);
    h.writing = false;
    apply(&h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_FENCED});
    assert_true(h.stopped);
    end(&h);
}

static void a_fenced_scheduler_stops(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    h.auto_write = false;
    join(&h, 1, (arb_register){0});
    arb_id job = submit_pair(&h, 1);
    h.writing = false;
    apply(&h, (arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = ARB_STORE_FENCED});
    assert_true(h.stopped);
    const arb_stage_spec stage = plain_stage(1);
    const arb_job_spec spec = {.read_only = true, .stages = &stage, .stage_count = 1};
    for (arb_event_kind kind = ARB_EVENT_JOB_SUBMITTED; kind <= ARB_EVENT_RESULT_LOST; kind++) {
        arb_event event = {.kind = kind, .now = h.now, .spec = &spec, .job = job, .out_job = &job};
        assert_int_equal(arb_scheduler_apply(h.machine, &event, &error), ARB_CONNECTION_FAILED);
    }
    size_t before = h.notes.size;
    pass(&h, 10 * SECOND, 1 << 1);
    assert_int_equal(h.notes.size, before);
    assert_true(arb_scheduler_wake(h.machine) == INT64_MAX);
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_makes_suspect_then_dead),
        cmocka_unit_test(one_that_comes_back_keeps_what_it_has),
        cmocka_unit_test(one_taken_for_dead_may_bring_its_outputs),
        cmocka_unit_test(a_gap_breaks_the_session),
        cmocka_unit_test(a_new_session_closes_the_old_stream),
        cmocka_unit_test(other_clusters_and_terms_count_for_nothing),
        cmocka_unit_test(the_fourth_failure_ends_the_job),
        cmocka_unit_test(what_disagrees_is_refused),
        cmocka_unit_test(sizes_that_cannot_be_do_not_overflow),
        cmocka_unit_test(a_final_error_ends_the_job_at_once),
        cmocka_unit_test(a_corrupt_output_is_made_again_alone),
        cmocka_unit_test(all_of_a_stage_that_may_differ_is_made_again),
        cmocka_unit_test(who_is_unreachable_is_found_out),
        cmocka_unit_test(of_two_that_are_parted_one_is_excluded),
        cmocka_unit_test(a_complaint_from_elsewhere_excludes_nobody),
        cmocka_unit_test(a_slow_task_gets_a_twin),
        cmocka_unit_test(a_task_that_crashes_runs_alone_and_only_thrice),
        cmocka_unit_test(a_task_that_outlives_executors),
        cmocka_unit_test(one_that_goes_is_not_kept_for_a_task),
        cmocka_unit_test(a_crash_that_is_said_twice_counts_once),
        cmocka_unit_test(without_executors_jobs_wait_then_fail),
        cmocka_unit_test(busy_is_not_absent),
        cmocka_unit_test(roots_that_nobody_has_give_way),
        cmocka_unit_test(what_waits_in_vain_costs_little),
        cmocka_unit_test(a_drained_executor_goes_when_nothing_of_it_is_needed),
        cmocka_unit_test(rows_that_have_left_cannot_change),
        cmocka_unit_test(exclusion_leaves_a_stream_alone),
        cmocka_unit_test(a_lost_stream_ends_its_job),
        cmocka_unit_test(a_store_that_fails_fails_its_jobs_alone),
        cmocka_unit_test(one_that_was_replaced_finds_out),
        cmocka_unit_test(a_fenced_scheduler_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
