/* Order by keys of every kind, both ways, NULLs at both ends, with and without a limit, against the C library's sort. */
#include "unit/execution/operator_harness.h"

static const arb_physical_sort_key *order_keys;
static size_t order_count, order_columns;

static int order_rows(const void *a_void, const void *b_void)
{
    const int64_t *a = a_void, *b = b_void;
    for (size_t k = 0; k < order_count; k++) {
        int64_t x = a[order_keys[k].column], y = b[order_keys[k].column];
        if (x == y)
            continue;
        if (x == T_NULL || y == T_NULL)
            return (x == T_NULL) == order_keys[k].nulls_first ? -1 : 1;
        return (x < y) == order_keys[k].descending ? 1 : -1;
    }
    return 0;
}

/* The last column numbers the rows, which is also the source's order: so ties are known. */
static int order_rows_and_ties(const void *a, const void *b)
{
    int result = order_rows(a, b);
    int64_t x = ((const int64_t *)a)[order_columns - 1], y = ((const int64_t *)b)[order_columns - 1];
    return result != 0 ? result : (x > y) - (x < y);
}

static void run_sort(t_world *world, const t_table *table, const arb_physical_sort_key *keys, size_t key_count,
                     int64_t limit, int64_t offset, bool ranges)
{
    arb_layout layout = t_layout(table, 0);
    for (size_t c = 0; ranges && c < table->columns; c++)
        if (table->kinds[c] <= T_I128)
            ((arb_slot *)&layout.slots[c])->range = (arb_range){true, 0, 100000};
    arb_physical_node child = {.layout = layout};
    const arb_physical_node *const children[] = {&child};
    arb_physical_node node = {.kind = ARB_PHYSICAL_SORT, .layout = layout, .child_count = 1, .children = children};
    node.sort.keys = keys;
    node.sort.key_count = key_count;
    node.sort.limit = limit;
    node.sort.offset = offset;
    arb_error error = {0};
    arb_operator *op;
    assert_int_equal(arb_sort_create(&node, &world->context, &op, &error), ARB_OK);
    t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER};
    assert_int_equal(t_sink(world, op, table), ARB_OK);
    assert_int_equal(t_source_in_order(world, op, &got), ARB_OK);
    size_t columns = table->columns, from = ARB_MIN((size_t)offset, table->rows);
    size_t count = limit < 0 ? table->rows - from : ARB_MIN((size_t)limit, table->rows - from);
    int64_t *expected = malloc((table->rows * columns + 1) * sizeof *expected);
    memcpy(expected, table->cells, table->rows * columns * sizeof *expected);
    order_keys = keys;
    order_count = key_count;
    order_columns = columns;
    qsort(expected, table->rows, columns * sizeof *expected, order_rows_and_ties);
    assert_int_equal(got.rows, count);
    if (count != 0)
        assert_memory_equal(got.cells, expected + from * columns, count * columns * sizeof *expected);
    free(expected);
    free(got.cells);
    op->vtable->destroy(op);
    assert_int_equal(world->governor.used, 0);
    free((void *)layout.slots);
}

static void run_sizes(const t_kind *kinds, const int64_t *most, size_t key_count, size_t rows, unsigned null_in)
{
    static const unsigned drivers[] = {1, 2, 7};
    static const uint32_t batches[] = {2048, 7, 1};
    static const uint64_t ceilings[] = {UINT64_MAX, 50000, 1}; /* nothing, some, and each batch is spilled */
    for (size_t i = 0; i < 3; i++)
        for (unsigned way = 0; way < 8; way++) {
            t_world world;
            t_world_init(&world, drivers[i], batches[i]);
            world.context.ceiling = ceilings[(i + way) % 3];
            world.holes = i != 0;
            t_table table = t_make(i == 2 ? rows / 8 : rows, 4, kinds, most, null_in);
            for (size_t r = 0; r < table.rows; r++)
                table.cells[r * 4 + 3] = (int64_t)r;
            arb_physical_sort_key keys[3];
            for (size_t k = 0; k < 3; k++)
                keys[k] = (arb_physical_sort_key){(uint32_t)k, (way >> k & 1) != 0, t_random() % 2 == 0};
            run_sort(&world, &table, keys, key_count, -1, 0, way % 2 == 0);
            run_sort(&world, &table, keys, key_count, 10, 0, way % 2 == 0);
            run_sort(&world, &table, keys, key_count, 20, 15, false);
            run_sort(&world, &table, keys, key_count, 5, (int64_t)table.rows - 2, true);
            run_sort(&world, &table, keys, key_count, 0, 0, true);
            free(table.cells);
        }
}

static void rows_come_in_the_order_of_one_key(void **state)
{
    (void)state;
    for (int kind = 0; kind < T_KINDS; kind++) {
        t_kind kinds[] = {(t_kind)kind, T_TEXT, T_I32, T_I64};
        run_sizes(kinds, (int64_t[]){1000, 10, 5, 1}, 1, 3000, 0);
        run_sizes(kinds, (int64_t[]){30, 10, 5, 1}, 1, 3000, 9);
    }
}

static void further_keys_decide_among_equal_ones(void **state)
{
    (void)state;
    for (int kind = 0; kind < T_KINDS; kind++) {
        t_kind first[] = {(t_kind)kind, T_F64, T_I32, T_I64}, second[] = {T_I32, (t_kind)kind, T_CODES, T_I64};
        run_sizes(first, (int64_t[]){20, 10, 5, 1}, 3, 1500, 9);
        run_sizes(second, (int64_t[]){20, 10, 5, 1}, 3, 1500, 0);
    }
}

static void a_limit_keeps_few_rows(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I64, T_TEXT, T_I32, T_I64};
    t_table table = t_make(300000, 4, kinds, (int64_t[]){1000000, 10, 5, 1}, 0);
    for (size_t r = 0; r < table.rows; r++)
        table.cells[r * 4 + 3] = (int64_t)r;
    arb_physical_sort_key key = {.column = 0, .descending = true};
    t_world world;
    t_world_init(&world, 2, 2048);
    run_sort(&world, &table, &key, 1, 100, 7, false);
    assert_true(arb_memory_peak(&world.memory) < 4 << 20);
    run_sort(&world, &table, &key, 1, -1, 0, false);
    free(table.cells);
}

/* Runs are merged range by range, and on disk in several passes. */
static void many_rows_are_many_runs(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I64, T_TEXT, T_I32, T_I64};
    arb_physical_sort_key keys[] = {{.column = 2}, {.column = 0, .descending = true}};
    for (int round = 0; round < 4; round++) {
        t_table table = t_make(400000, 4, kinds, (int64_t[]){round % 2 == 0 ? 1000000 : 2, 10, 5, 1}, 50);
        for (size_t r = 0; r < table.rows; r++)
            table.cells[r * 4 + 3] = (int64_t)r;
        t_world world;
        t_world_init(&world, 3, 2048);
        if (round >= 2) {
            world.context.ceiling = 1 << 20;
            world.governor.limit = 16 << 20; /* four runs at once, of more than that */
        }
        run_sort(&world, &table, keys, 2, -1, 0, false);
        run_sort(&world, &table, keys, 2, 1000, 399500, false);
        run_sort(&world, &table, keys, 2, 50000, 100000, false);
        free(table.cells);
    }
}

static void nothing_sorts_to_nothing(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I64, T_TEXT, T_I32, T_I64};
    run_sizes(kinds, (int64_t[]){20, 10, 5, 1}, 2, 0, 0);
}

typedef struct torture {
    t_world world;
    t_table table;
    arb_physical_node node;
} torture;

static arb_code sort_once(void *context)
{
    torture *t = context;
    t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER};
    arb_error error = {0};
    arb_operator *op;
    arb_code code = arb_sort_create(&t->node, &t->world.context, &op, &error);
    if (code != ARB_OK)
        return code;
    code = t_sink(&t->world, op, &t->table);
    if (code == ARB_OK)
        code = t_source(&t->world, op, &got);
    op->vtable->destroy(op);
    assert_int_equal(t->world.governor.used, 0);
    free(got.cells);
    return code;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I64, T_TEXT};
    arb_physical_sort_key keys[] = {{.column = 1}, {.column = 0, .descending = true}};
    torture t = {.table = t_make(6000, 2, kinds, (int64_t[]){1000, 100}, 9)};
    t_world_init(&t.world, 1, 2048);
    t.node = (arb_physical_node){.kind = ARB_PHYSICAL_SORT, .layout = t_layout(&t.table, 0)};
    t.node.sort.keys = keys;
    t.node.sort.key_count = 2;
    for (int64_t limit = -1; limit <= 9; limit += 10) {
        t.node.sort.limit = limit;
        t.world.context.ceiling = UINT64_MAX;
        t_each_allocation_fails(sort_once, &t);
        t.world.context.ceiling = 1;
        t_each_allocation_fails(sort_once, &t);
    }
    free((void *)t.node.layout.slots);
    free(t.table.cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_the_order_of_one_key),
        cmocka_unit_test(further_keys_decide_among_equal_ones),
        cmocka_unit_test(a_limit_keeps_few_rows),
        cmocka_unit_test(many_rows_are_many_runs),
        cmocka_unit_test(nothing_sorts_to_nothing),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
