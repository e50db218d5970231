#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "runtime/cpu_pool.h"
#include "runtime/memory.h"

typedef struct counting_task {
    arb_task task;
    int turns_left;
    bool block;
    _Atomic int runs, done;
} counting_task;

static arb_task_result take_turn(arb_task *task, int64_t deadline_ns)
{
    counting_task *t = (counting_task *)task;
    (void)deadline_ns;
    atomic_fetch_add(&t->runs, 1);
    if (--t->turns_left > 0)
        return t->block ? ARB_TASK_BLOCKED : ARB_TASK_YIELD;
    atomic_store(&t->done, 1);
    return ARB_TASK_DONE;
}

static bool wait_until_done(counting_task *t)
{
    for (int i = 0; i < 5000 && !atomic_load(&t->done); i++)
        usleep(1000);
    return atomic_load(&t->done);
}

static void tasks_yield_and_end(void **state)
{
    (void)state;
    arb_cpu_pool *pool;
    arb_task_group group;
    counting_task tasks[20] = {0};
    assert_int_equal(arb_cpu_pool_create(3, &pool, NULL), ARB_OK);
    arb_task_group_init(&group, pool);
    for (int i = 0; i < 20; i++) {
        tasks[i] = (counting_task){.task = {.run = take_turn, .group = &group}, .turns_left = i + 1};
        assert_int_equal(arb_task_submit(&tasks[i].task, NULL), ARB_OK);
    }
    for (int i = 0; i < 20; i++) {
        assert_true(wait_until_done(&tasks[i]));
        assert_int_equal(atomic_load(&tasks[i].runs), i + 1);
    }
    arb_cpu_pool_destroy(pool);
}

static void blocked_tasks_wait_for_their_wakers(void **state)
{
    (void)state;
    arb_cpu_pool *pool;
    arb_task_group group;
    counting_task t = {.task = {.run = take_turn, .group = &group}, .turns_left = 3, .block = true};
    assert_int_equal(arb_cpu_pool_create(2, &pool, NULL), ARB_OK);
    arb_task_group_init(&group, pool);
    assert_int_equal(arb_task_submit(&t.task, NULL), ARB_OK);
    usleep(20000);
    assert_int_equal(atomic_load(&t.runs), 1);
    arb_task_wake(&t.task);
    usleep(20000);
    assert_int_equal(atomic_load(&t.runs), 2);
    arb_task_wake(&t.task);
    assert_true(wait_until_done(&t));
    arb_cpu_pool_destroy(pool);
}

/* Busy for a while, many times. What it sees of the groups is true: the pool's only thread runs it, and counts. */
typedef struct busy_task {
    arb_task task;
    const struct busy_task *other;
    _Atomic int turns;
    int unfair;      /* turns that the other one's group should have had */
    int64_t busy_ns; /* by its own clock, but for the last turn, which nobody counts */
    _Atomic bool stop, done;
} busy_task;

static arb_task_result stay_busy(arb_task *task, int64_t deadline_ns)
{
    busy_task *t = (busy_task *)task;
    int64_t begun_ns = arb_clock_monotonic_ns();
    if (atomic_load(&t->turns) > 0 && atomic_load(&t->other->turns) > 0 && !atomic_load(&t->other->done))
        t->unfair += task->group->virtual_time > t->other->task.group->virtual_time;
    while (arb_clock_monotonic_ns() < deadline_ns - ARB_QUANTUM_NS * 9 / 10)
        continue;
    atomic_fetch_add(&t->turns, 1);
    if (!atomic_load(&t->stop)) {
        t->busy_ns += arb_clock_monotonic_ns() - begun_ns;
        return ARB_TASK_YIELD;
    }
    atomic_store(&t->done, true);
    return ARB_TASK_DONE;
}

/* Whoever has had less for its weight has the next turn, however long the system lets the turns take. */
static void groups_share_by_weight(void **state)
{
    (void)state;
    arb_cpu_pool *pool;
    arb_task_group light, heavy;
    int64_t begun_ns = arb_clock_monotonic_ns();
    assert_int_equal(arb_cpu_pool_create(1, &pool, NULL), ARB_OK);
    arb_task_group_init(&light, pool);
    arb_task_group_init(&heavy, pool);
    heavy.weight = 3;
    busy_task a = {.task = {.run = stay_busy, .group = &light}}, b = {.task = {.run = stay_busy, .group = &heavy}};
    a.other = &b;
    b.other = &a;
    assert_int_equal(arb_task_submit(&a.task, NULL), ARB_OK);
    assert_int_equal(arb_task_submit(&b.task, NULL), ARB_OK);
    while (atomic_load(&a.turns) < 10 || atomic_load(&b.turns) < 10)
        usleep(1000);
    atomic_store(&a.stop, true);
    atomic_store(&b.stop, true);
    while (!atomic_load(&a.done) || !atomic_load(&b.done))
        usleep(1000);
    arb_cpu_pool_destroy(pool);
    int64_t most_ns = arb_clock_monotonic_ns() - begun_ns;
    double counted_ns = (light.virtual_time + heavy.virtual_time * heavy.weight) * 1e9;
    assert_int_equal(a.unfair + b.unfair, 0);
    assert_true(counted_ns >= (double)(a.busy_ns + b.busy_ns) && counted_ns <= (double)most_ns);
}

static void reservations_add_up_and_are_denied_beyond_the_limit(void **state)
{
    (void)state;
    arb_governor governor;
    arb_memory memory;
    arb_reservation a, b;
    arb_error error = {0};
    arb_governor_init(&governor, 1000);
    arb_memory_init(&memory, &governor);
    arb_reservation_init(&a, &memory, "first");
    arb_reservation_init(&b, &memory, "second");
    assert_true(arb_reservation_try_grow(&a, 600));
    assert_false(arb_reservation_try_grow(&b, 401));
    assert_int_equal(arb_reservation_grow(&b, 500, &error), ARB_OUT_OF_MEMORY);
    assert_non_null(strstr(error.message, "second"));
    assert_int_equal(arb_reservation_grow(&b, 400, &error), ARB_OK);
    assert_int_equal(arb_memory_available(&memory), 0);
    arb_reservation_shrink(&a, 100);
    assert_int_equal(arb_memory_available(&memory), 100);
    arb_reservation_reset(&a);
    arb_reservation_reset(&b);
    arb_reservation_reset(&b);
    assert_int_equal(atomic_load(&governor.used), 0);
    assert_int_equal(arb_memory_peak(&memory), 1000);
    assert_false(arb_reservation_try_grow(&a, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_yield_and_end),
        cmocka_unit_test(blocked_tasks_wait_for_their_wakers),
        cmocka_unit_test(groups_share_by_weight),
        cmocka_unit_test(reservations_add_up_and_are_denied_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
