/* Who may have how much: limits, shares with a guarantee, and when a share is pressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#include "runtime/memory.h"

enum { mega = 1 << 20 };

typedef struct world {
    arb_governor governor;
    arb_memory memory;
} world;

static void world_init(world *w, uint64_t limit)
{
    arb_governor_init(&w->governor, limit);
    arb_memory_init(&w->memory, &w->governor);
}

static void the_limit_denies_and_names_the_owner(void **state)
{
    (void)state;
    world w;
    world_init(&w, 10 * mega);
    arb_reservation first, second;
    arb_reservation_init(&first, &w.memory, "a table");
    arb_reservation_init(&second, &w.memory, "a list");
    assert_true(arb_reservation_try_grow(&first, 7 * mega));
    assert_false(arb_reservation_try_grow(&second, 4 * mega));
    assert_int_equal(arb_memory_available(&w.memory), 3 * mega);
    arb_error error = {0};
    assert_int_equal(arb_reservation_grow(&second, 4 * mega, &error), ARB_OUT_OF_MEMORY);
    assert_non_null(strstr(error.message, "a list needs 4194304 more bytes"));
    assert_false(arb_reservation_try_grow(&second, UINT64_MAX)); /* no overflow */
    arb_reservation_force(&second, 4 * mega);
    assert_int_equal(w.governor.used, 11 * mega);
    assert_int_equal(arb_memory_available(&w.memory), 0);
    arb_reservation_shrink(&first, mega);
    arb_reservation_reset(&first);
    arb_reservation_reset(&second);
    arb_reservation_reset(&second);
    assert_int_equal(w.governor.used, 0);
    assert_int_equal(w.memory.used, 0);
    assert_int_equal(arb_memory_peak(&w.memory), 11 * mega);
}

static void a_guarantee_is_kept_free_but_not_held(void **state)
{
    (void)state;
    world w;
    world_init(&w, 10 * mega);
    arb_memory_share share;
    arb_memory_share_init(&share, &w.memory, 4 * mega, UINT64_MAX);
    assert_int_equal(w.governor.used, 4 * mega);
    assert_int_equal(w.memory.used, 0);
    arb_reservation own, other;
    arb_reservation_init(&own, &w.memory, "sort");
    own.share = &share;
    arb_reservation_init(&other, &w.memory, "greed");
    assert_false(arb_reservation_try_grow(&other, 7 * mega));
    assert_true(arb_reservation_try_grow(&other, 6 * mega));
    assert_true(arb_reservation_try_grow(&own, 3 * mega)); /* part of what was promised */
    assert_int_equal(w.governor.used, 10 * mega);
    assert_int_equal(w.memory.used, 9 * mega);
    assert_false(arb_reservation_try_grow(&own, 2 * mega));
    assert_true(arb_reservation_try_grow(&own, 1 * mega));
    assert_true(arb_reservation_try_grow(&own, 100 * 1024)); /* what a batch adds is granted in any case */
    arb_reservation_shrink(&own, 3 * mega);
    assert_int_equal(w.governor.used, 10 * mega); /* the guarantee stays */
    arb_memory_share_settle(&share);
    assert_int_equal(w.governor.used, 6 * mega + own.bytes);
    assert_int_equal(share.peak, 4 * mega + 100 * 1024);
    arb_reservation_reset(&own);
    arb_reservation_reset(&other);
    arb_memory_share_reset(&share);
    arb_memory_share_reset(&share);
    assert_int_equal(w.governor.used, 0);
    assert_int_equal(w.memory.used, 0);
}

static void who_holds_more_than_promised_is_pressed_when_memory_is_short(void **state)
{
    (void)state;
    world w;
    world_init(&w, 16 * mega); /* short from 14 on */
    arb_memory_share large, small;
    arb_memory_share_init(&large, &w.memory, 2 * mega, UINT64_MAX);
    arb_memory_share_init(&small, &w.memory, 2 * mega, UINT64_MAX);
    arb_reservation of_large, of_small;
    arb_reservation_init(&of_large, &w.memory, "large");
    arb_reservation_init(&of_small, &w.memory, "small");
    of_large.share = &large;
    of_small.share = &small;
    assert_true(arb_reservation_try_grow(&of_large, 11 * mega));
    assert_true(arb_reservation_try_grow(&of_small, 1 * mega));
    assert_false(arb_memory_share_pressed(&large, 0));
    assert_true(arb_memory_share_pressed(&large, 2 * mega));
    assert_false(arb_memory_share_pressed(&small, mega)); /* it may have that */
    assert_true(arb_memory_share_pressed(&small, 3 * mega));
    arb_reservation_shrink(&of_large, 8 * mega);
    assert_false(arb_memory_share_pressed(&small, 3 * mega));
    arb_reservation_reset(&of_large);
    arb_reservation_reset(&of_small);
    arb_memory_share_reset(&large);
    arb_memory_share_reset(&small);
    arb_memory_share_init(&small, &w.memory, 0, mega); /* a ceiling presses however much is free */
    assert_false(arb_memory_share_pressed(&small, mega));
    assert_true(arb_memory_share_pressed(&small, mega + 1));
    arb_memory_share_reset(&small);
    assert_int_equal(w.governor.used, 0);
}

typedef struct worker {
    arb_memory *memory;
    arb_memory_share *share;
} worker;

static void *grow_and_shrink(void *argument)
{
    worker *w = argument;
    arb_reservation own, shared;
    arb_reservation_init(&own, w->memory, "own");
    arb_reservation_init(&shared, w->memory, "shared");
    shared.share = w->share;
    for (uint64_t i = 0; i < 20000; i++) {
        arb_reservation *one = i % 3 == 0 ? &own : &shared;
        if (arb_reservation_try_grow(one, i % 7777) && i % 5 == 4)
            arb_reservation_shrink(one, one->bytes / 2);
    }
    arb_reservation_reset(&own);
    arb_reservation_reset(&shared);
    return NULL;
}

static void threads_leave_nothing_behind(void **state)
{
    (void)state;
    world w;
    world_init(&w, 64 * mega);
    arb_memory_share share;
    arb_memory_share_init(&share, &w.memory, mega, UINT64_MAX);
    pthread_t threads[4];
    worker work = {&w.memory, &share};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, grow_and_shrink, &work), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(share.held, 0);
    assert_int_equal(w.memory.used, 0);
    assert_int_equal(w.governor.used, mega);
    arb_memory_share_reset(&share);
    assert_int_equal(w.governor.used, 0);
}

/* A process, a job in it, and two tasks of that. */
static void a_part_is_bounded_by_itself_and_by_its_whole(void **state)
{
    (void)state;
    arb_governor process, job, tasks[2];
    arb_memory memories[2];
    arb_reservation held[2] = {0};
    arb_error error = {0};
    arb_governor_init(&process, 100 * mega);
    arb_governor_init_part(&job, 80 * mega, &process);
    for (size_t i = 0; i < 2; i++) {
        arb_governor_init_part(&tasks[i], 50 * mega, &job);
        arb_memory_init(&memories[i], &tasks[i]);
        arb_reservation_init(&held[i], &memories[i], "a table");
    }
    assert_true(arb_reservation_try_grow(&held[0], 40 * mega));
    assert_int_equal(process.used, 40 * mega);
    assert_int_equal(job.used, 40 * mega);
    assert_int_equal(arb_memory_available(&memories[0]), 10 * mega);
    assert_int_equal(arb_memory_available(&memories[1]), 40 * mega); /* of the job's */
    assert_false(arb_reservation_try_grow(&held[0], 11 * mega));
    assert_false(arb_reservation_try_grow(&held[1], 41 * mega));
    assert_int_equal(arb_reservation_grow(&held[1], 41 * mega, &error), ARB_OUT_OF_MEMORY);
    assert_non_null(strstr(error.detail, "of 83886080 bytes")); /* whose limit it is */
    assert_int_equal(tasks[0].used, 40 * mega);                 /* what was refused has left nothing, on no level */
    assert_int_equal(tasks[1].used, 0);
    assert_int_equal(job.used, 40 * mega);
    assert_int_equal(process.used, 40 * mega);

    /* short for both, as their job is full; the first alone holds more than it was promised */
    assert_false(arb_memory_is_short(&memories[1]));
    assert_true(arb_reservation_try_grow(&held[1], 31 * mega));
    assert_true(arb_memory_is_short(&memories[0]));
    assert_true(arb_memory_is_short(&memories[1]));
    arb_memory_share share;
    arb_memory_share_init(&share, &memories[0], mega, UINT64_MAX);
    assert_false(arb_memory_share_pressed(&share, mega / 2));
    assert_true(arb_memory_share_pressed(&share, 2 * mega));
    arb_memory_share_reset(&share);

    /* what becomes the job's is no task's any more */
    arb_memory common;
    arb_memory_init(&common, &job);
    arb_reservation_move(&held[0], &common);
    assert_int_equal(tasks[0].used, 0);
    assert_int_equal(job.used, 71 * mega);
    for (size_t i = 0; i < 2; i++)
        arb_reservation_reset(&held[i]);
    assert_int_equal(tasks[1].used + job.used + process.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_denies_and_names_the_owner),
        cmocka_unit_test(a_guarantee_is_kept_free_but_not_held),
        cmocka_unit_test(who_holds_more_than_promised_is_pressed_when_memory_is_short),
        cmocka_unit_test(threads_leave_nothing_behind),
        cmocka_unit_test(a_part_is_bounded_by_itself_and_by_its_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
