/* Names of columns: found again, in any case of their letters, however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/column_names.h"

static void names_are_found(void **state)
{
    enum { COUNT = 5000 };
    (void)state;
    arb_arena arena = {0};
    arb_column_names names = {0};
    arb_text text = {0};
    assert_int_equal(arb_column_names_find(&names, ARB_STR("column 0")), SIZE_MAX);
    for (int i = 0; i < COUNT; i++) {
        arb_text_clear(&text);
        arb_text_printf(&text, "Column %d", i);
        arb_str name = arb_str_copy(&arena, arb_text_view(&text));
        assert_non_null(name.data);
        assert_true(arb_column_names_add(&names, &arena, name));
    }
    for (int i = 0; i < COUNT + 10; i++) {
        arb_text_clear(&text);
        arb_text_printf(&text, "cOLUMN %d", i);
        assert_int_equal(arb_column_names_find(&names, arb_text_view(&text)), i < COUNT ? (size_t)i : SIZE_MAX);
    }
    arb_text_reset(&text);
    arb_arena_reset(&arena);
}

static void of_equal_names_the_first_is_found(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_column_names names = {0};
    for (int i = 0; i < 100; i++)
        assert_true(arb_column_names_add(&names, &arena, i % 2 == 0 ? ARB_STR("a") : ARB_STR("B")));
    assert_int_equal(arb_column_names_find(&names, ARB_STR("A")), 0);
    assert_int_equal(arb_column_names_find(&names, ARB_STR("b")), 1);
    assert_int_equal(arb_column_names_find(&names, ARB_STR("")), SIZE_MAX);
    arb_arena_reset(&arena);
}

static void without_memory_nothing_is_added(void **state)
{
    (void)state;
    arb_arena arena = {.limit = 4096};
    arb_column_names names = {0};
    while (arb_column_names_add(&names, &arena, ARB_STR("a")))
        assert_true(names.list.size < 4096);
    assert_true(names.list.size != 0);
    assert_int_equal(arb_column_names_find(&names, ARB_STR("a")), 0);
    assert_int_equal(arb_column_names_find(&names, ARB_STR("b")), SIZE_MAX);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(of_equal_names_the_first_is_found),
        cmocka_unit_test(without_memory_nothing_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
