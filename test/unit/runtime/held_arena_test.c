/* What an arena has is counted, and before it is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/held_arena.h"

enum { MiB = 1 << 20 };

static void what_it_has_is_counted(void **state)
{
    (void)state;
    arb_governor governor;
    arb_memory memory;
    arb_reservation held;
    arb_error error = {0};
    arb_governor_init(&governor, 100 * MiB);
    arb_memory_init(&memory, &governor);
    arb_reservation_init(&held, &memory, "a reader");
    arb_held_arena arena = {.held = &held};
    for (size_t size = 1; size < 3 * MiB; size = 3 * size + 1) {
        const char *taken = arb_held_arena_take(&arena, size, "a list", &error);
        assert_non_null(taken);
        assert_int_equal(taken[0] | taken[size - 1], 0);
        assert_int_equal(governor.used, arena.arena.total);
    }
    assert_non_null(arb_arena_alloc(&arena.arena, 2 * MiB));
    assert_int_equal(arb_held_arena_settle(&arena, &error), ARB_OK);
    assert_int_equal(governor.used, arena.arena.total);

    /* More than there is: refused, and nothing was taken. */
    size_t before = arena.arena.total;
    assert_null(arb_held_arena_take(&arena, 200 * MiB, "a list", &error));
    assert_int_equal(error.code, ARB_OUT_OF_MEMORY);
    assert_non_null(strstr(error.message, "a reader"));
    assert_int_equal(arena.arena.total, before);
    assert_int_equal(governor.used, before);

    /* So much that it is counted, but not there. */
    arb_error_clear(&error);
    arena.arena.limit = before;
    assert_null(arb_held_arena_take(&arena, 10 * MiB, "a list", &error));
    assert_non_null(strstr(error.message, "a list"));
    assert_int_equal(governor.used, before);

    arb_held_arena_rewind(&arena);
    assert_true(arena.arena.total < before);
    assert_int_equal(governor.used, arena.arena.total);
    arb_held_arena_reset(&arena);
    assert_int_equal(governor.used, 0);
    arb_reservation_reset(&held);
}

static void without_an_account_nothing_is_counted(void **state)
{
    (void)state;
    arb_held_arena arena = {0};
    arb_error error = {0};
    assert_non_null(arb_held_arena_take(&arena, 5 * MiB, "a list", &error));
    assert_int_equal(arb_held_arena_settle(&arena, &error), ARB_OK);
    arb_held_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_has_is_counted),
        cmocka_unit_test(without_an_account_nothing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
