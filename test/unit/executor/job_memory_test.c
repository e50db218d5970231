/* Budgets of jobs and tasks: shares of the process's memory, and how long they live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "executor/job_memory.h"

enum { mega = 1 << 20 };

static const arb_uuid cluster = {1, 1};

static void a_task_has_its_slot_or_what_it_was_admitted_with(void **state)
{
    (void)state;
    arb_governor process, task;
    arb_governor_init(&process, 256 * mega);
    arb_job_memories memories = {.process = &process, .slots = 2};
    arb_job_memory *job = arb_job_memories_take(&memories, cluster, (arb_id){1, 1});
    assert_non_null(job);
    arb_job_memory_part(&memories, job, 64 * mega, &task);
    assert_int_equal(task.limit, 128 * mega); /* more than it was admitted with, as there is more */
    memories.slots = 8;
    arb_job_memory_part(&memories, job, 64 * mega, &task);
    assert_int_equal(task.limit, 64 * mega);
    arb_job_memory_part(&memories, job, 1000 * mega, &task);
    assert_int_equal(task.limit, 224 * mega); /* no more than its job */
    arb_job_memories_give_back(&memories, job);
    assert_null(memories.first);
}

static void a_job_leaves_room_for_another(void **state)
{
    (void)state;
    arb_governor process, tasks[2];
    arb_memory memories_of[2];
    arb_reservation held[2];
    arb_job_memory *jobs[2];
    arb_governor_init(&process, 256 * mega);
    arb_job_memories memories = {.process = &process, .slots = 1};
    for (uint64_t i = 0; i < 2; i++) {
        jobs[i] = arb_job_memories_take(&memories, cluster, (arb_id){1, i});
        arb_job_memory_part(&memories, jobs[i], mega, &tasks[i]);
        arb_memory_init(&memories_of[i], &tasks[i]);
        arb_reservation_init(&held[i], &memories_of[i], "a test");
    }
    assert_ptr_not_equal(jobs[0], jobs[1]);
    assert_true(arb_reservation_try_grow(&held[0], 224 * mega));
    assert_false(arb_reservation_try_grow(&held[0], mega));
    assert_true(arb_reservation_try_grow(&held[1], 32 * mega));
    assert_false(arb_reservation_try_grow(&held[1], mega));
    for (size_t i = 0; i < 2; i++) {
        arb_reservation_reset(&held[i]);
        arb_job_memories_give_back(&memories, jobs[i]);
    }
    assert_int_equal(process.used, 0);
}

static void a_budget_lives_as_long_as_a_run(void **state)
{
    (void)state;
    arb_governor process;
    arb_governor_init(&process, 256 * mega);
    arb_job_memories memories = {.process = &process, .slots = 1};
    arb_job_memory *first = arb_job_memories_take(&memories, cluster, (arb_id){1, 1});
    assert_ptr_equal(arb_job_memories_take(&memories, cluster, (arb_id){1, 1}), first);
    arb_job_memory *other = arb_job_memories_take(&memories, (arb_uuid){1, 2}, (arb_id){1, 1}); /* of another cluster */
    assert_ptr_not_equal(other, first);
    arb_job_memories_give_back(&memories, first);
    assert_ptr_equal(arb_job_memories_take(&memories, cluster, (arb_id){1, 1}), first);
    arb_job_memories_give_back(&memories, first);
    arb_job_memories_give_back(&memories, first);
    arb_alloc_fail_at(1, false);
    arb_job_memory *failed = arb_job_memories_take(&memories, cluster, (arb_id){1, 3});
    arb_alloc_fail_at(0, false);
#ifdef ARB_FAILPOINTS
    assert_null(failed);
#endif
    arb_job_memories_give_back(&memories, failed);
    arb_job_memories_give_back(&memories, other);
    arb_job_memories_give_back(&memories, NULL);
    assert_null(memories.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_has_its_slot_or_what_it_was_admitted_with),
        cmocka_unit_test(a_job_leaves_room_for_another),
        cmocka_unit_test(a_budget_lives_as_long_as_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
