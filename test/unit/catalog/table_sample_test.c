/* What a look at a table finds, what it may cost, and that known answers cost nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/memory_table.h"
#include "catalog/table_sample.h"
#include "expr/expr.h"

enum { ROWS = 60000, ID = 7 };

/* One column of the numbers 0 to 99, again and again; each in runs of so many rows. */
static arb_table *make_table(int run)
{
    arb_error error = {0};
    arb_memory_builder *builder;
    arb_table *table;
    arb_table_column column = {.name = ARB_STR("n"), .type = ARB_TYPE(INTEGER)};
    assert_int_equal(arb_memory_builder_create(ARB_STR("t"), &column, 1, NULL, &builder, &error), ARB_OK);
    for (int row = 0; row < ROWS; row++) {
        arb_value value = {.type = ARB_TYPE(INTEGER), .integer = row / run % 100};
        assert_int_equal(arb_memory_builder_append_row(builder, &value, &error), ARB_OK);
    }
    assert_int_equal(arb_memory_builder_finish(builder, &table, &error), ARB_OK);
    arb_memory_builder_destroy(builder);
    return table;
}

static double look(arb_sample_cache *cache, const arb_table *table, int most, double *bytes_left)
{
    arb_arena arena = {0};
    arb_column_id id = ID;
    uint32_t column = 0;
    const arb_expr *left = arb_expr_column(&arena, ID, ARB_TYPE(INTEGER));
    const arb_expr *right = arb_expr_constant(&arena, (arb_value){.type = ARB_TYPE(INTEGER), .integer = most});
    const arb_expr *condition = arb_expr_compare(&arena, ARB_LESS, left, right);
    assert_non_null(condition);
    double part = arb_table_sample_selectivity(cache, table, &id, &column, 1, condition, bytes_left, NULL);
    arb_arena_reset(&arena);
    return part;
}

static void looks_have_a_budget(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_sample_cache *cache;
    arb_table *table = make_table(1);
    arb_governor governor;
    arb_memory memory;
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    assert_int_equal(arb_sample_cache_create(&memory, &cache, &error), ARB_OK);
    double left = 1;
    assert_true(look(cache, table, 25, &left) < 0);
    assert_true(left == 1);
    left = 1e9;
    double part = look(cache, table, 25, &left);
    assert_true(part > 0.2 && part < 0.3);
    assert_true(left < 1e9 && left > 1e9 - ROWS * 8);
    left = 0;
    assert_true(look(cache, table, 25, &left) == part);
    assert_true(left == 0);
    assert_true(look(cache, table, 50, &left) < 0);
    arb_sample_cache_destroy(cache);
    arb_table_unref(table);
    assert_int_equal(memory.used, 0);
}

/* A batch holds all 100 numbers when they alternate, and few of them in long runs. */
static void repeats_are_seen(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_sample_cache *cache;
    arb_governor governor;
    arb_memory memory;
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    assert_int_equal(arb_sample_cache_create(&memory, &cache, &error), ARB_OK);
    for (int run = 1; run <= 512; run *= 512) {
        arb_table *table = make_table(run);
        double left = 1;
        assert_true(arb_table_sample_distinct(cache, table, 0, &left, NULL) < 0 && left == 1);
        left = 1e9;
        double part = arb_table_sample_distinct(cache, table, 0, &left, NULL);
        assert_true(run == 1 ? part > 90.0 / 2048 && part < 110.0 / 2048 : part >= 4.0 / 2048 && part <= 5.0 / 2048);
        assert_true(left < 1e9);
        left = 0;
        assert_true(arb_table_sample_distinct(cache, table, 0, &left, NULL) == part);
        arb_table_unref(table);
    }
    arb_sample_cache_destroy(cache);
    assert_int_equal(memory.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(looks_have_a_budget), cmocka_unit_test(repeats_are_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
