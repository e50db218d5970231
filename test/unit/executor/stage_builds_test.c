/* Which runs have build sides in common, and how long what they have in common lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "executor/stage_builds.h"

static const arb_input_source sources[] = {{.task = 0, .attempt = {1, 50}}, {.task = 1, .attempt = {1, 51}}};
static const arb_input_source newer_sources[] = {{.task = 0, .attempt = {1, 50}}, {.task = 1, .attempt = {1, 60}}};
static const arb_task_input input = {3, 2, sources}, newer_input = {3, 2, newer_sources};

static arb_stage_builds_key key_of(uint64_t attempt)
{
    return (arb_stage_builds_key){.cluster = {1, 1},
                                  .attempt = {.job = {1, 2},
                                              .attempt = {1, attempt},
                                              .generation = {1, 9},
                                              .stage = 4,
                                              .task = (uint32_t)attempt},
                                  .plan_hash = ARB_STR("a plan"),
                                  .input_count = 1,
                                  .inputs = &input};
}

static void runs_of_one_stage_share(void **state)
{
    (void)state;
    arb_stage_builds_list list = {0};
    arb_stage_builds_key first = key_of(100), second = key_of(101);
    arb_stage_builds *a = arb_stage_builds_take(&list, &first), *b = arb_stage_builds_take(&list, &second);
    assert_non_null(a);
    assert_ptr_equal(a, b);
    arb_shared_builds *mine = arb_stage_builds_of(a), *others = arb_stage_builds_of(b);
    assert_non_null(mine);
    assert_ptr_equal(mine, others);
    arb_stage_builds_give_back(&list, a);
    assert_ptr_equal(arb_stage_builds_take(&list, &first), b); /* as long as one has a place there */
    arb_stage_builds_give_back(&list, b);
    arb_stage_builds_give_back(&list, b);
    assert_null(list.first);
    arb_shared_builds_unref(mine);
    arb_shared_builds_unref(others);
}

static void others_do_not(void **state)
{
    (void)state;
    arb_stage_builds_list list = {0};
    arb_stage_builds_key keys[8];
    arb_stage_builds *places[8];
    for (size_t i = 0; i < 8; i++)
        keys[i] = key_of(100 + i);
    keys[1].inputs = &newer_input;
    keys[2].attempt.generation.number++;
    keys[3].attempt.job.number++;
    keys[4].attempt.stage++;
    keys[5].cluster = (arb_uuid){1, 2};
    keys[6].plan_hash = ARB_STR("b plan");
    keys[7].input_count = 0;
    for (size_t i = 0; i < 8; i++) {
        places[i] = arb_stage_builds_take(&list, &keys[i]);
        assert_non_null(places[i]);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(places[i], places[j]);
    }
    for (size_t i = 0; i < 8; i++)
        arb_stage_builds_give_back(&list, places[i]);
    assert_null(list.first);
}

/* What runs of a stage that is over hold lives on; a later one begins without. */
static void a_stage_that_is_over_shares_no_more(void **state)
{
    (void)state;
    arb_stage_builds_list list = {0};
    arb_stage_builds_key key = key_of(100);
    arb_error error = {0};
    arb_shared_build *build;
    arb_stage_builds *place = arb_stage_builds_take(&list, &key);
    arb_shared_builds *builds = arb_stage_builds_of(place);
    arb_stage_builds_over(&list, key.attempt.job, 5);
    arb_shared_builds_unref(arb_stage_builds_of(place));
    arb_stage_builds_over(&list, key.attempt.job, 4);
    assert_null(arb_stage_builds_of(place));
    assert_int_equal(arb_shared_builds_get(builds, 1, &build, &error), ARB_OK);
    arb_shared_builds_unref(builds);
    arb_stage_builds_give_back(&list, place);
    assert_null(list.first);
}

/* What nobody has used for a second goes, or at once when memory is short; who comes after that builds again. */
static void what_nobody_uses_goes(void **state)
{
    (void)state;
    static const int64_t second = 1000000000;
    arb_stage_builds_list list = {0};
    arb_stage_builds_key key = key_of(100);
    arb_stage_builds *place = arb_stage_builds_take(&list, &key);
    arb_shared_builds *builds = arb_stage_builds_of(place);
    arb_stage_builds_look_at_time(&list, 100 * second, true); /* the run is there */
    arb_shared_builds *again = arb_stage_builds_of(place);
    assert_ptr_equal(builds, again);
    arb_stage_builds_leave(place, 100 * second);
    arb_stage_builds_look_at_time(&list, 101 * second - 1, false);
    arb_shared_builds *soon = arb_stage_builds_of(place);
    assert_ptr_equal(builds, soon);
    arb_stage_builds_look_at_time(&list, 101 * second, false);
    arb_shared_builds *fresh = arb_stage_builds_of(place); /* the old ones are still counted, so it is another place */
    assert_non_null(fresh);
    assert_ptr_not_equal(builds, fresh);
    arb_stage_builds_look_at_time(&list, 100 * second, true);
    arb_shared_builds *pressed = arb_stage_builds_of(place);
    assert_ptr_not_equal(fresh, pressed);
    arb_shared_builds_unref(builds);
    arb_shared_builds_unref(again);
    arb_shared_builds_unref(soon);
    arb_shared_builds_unref(fresh);
    arb_shared_builds_unref(pressed);
    arb_stage_builds_give_back(&list, place);
    assert_null(list.first);
}

static void runs_do_without_memory(void **state)
{
    (void)state;
    arb_stage_builds_list list = {0};
    arb_stage_builds_key key = key_of(100);
    for (uint64_t n = 1;; n++) {
        arb_alloc_fail_at(n, false);
        arb_stage_builds *place = arb_stage_builds_take(&list, &key);
        bool failed = arb_alloc_count() >= n;
        arb_alloc_fail_at(0, false);
        assert_true(place != NULL || (failed && list.first == NULL));
        arb_stage_builds_give_back(&list, place);
        if (!failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_one_stage_share),
        cmocka_unit_test(others_do_not),
        cmocka_unit_test(a_stage_that_is_over_shares_no_more),
        cmocka_unit_test(what_nobody_uses_goes),
        cmocka_unit_test(runs_do_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
