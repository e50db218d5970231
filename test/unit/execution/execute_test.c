/* Plans made by hand, carried out by pools of one and of several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "execution/execute.h"
#include "expr/function.h"

typedef struct fixture {
    arb_arena arena;
    uint32_t nodes;
} fixture;

static arb_physical_node *node_of(fixture *f, arb_physical_kind kind, const arb_slot *slots, size_t slot_count,
                                  size_t child_count, const arb_physical_node *const *children)
{
    arb_physical_node *node = ARB_ARENA_NEW(&f->arena, arb_physical_node);
    arb_slot *copy = ARB_ARENA_ARRAY(&f->arena, arb_slot, slot_count + 1);
    const arb_physical_node **list = ARB_ARENA_ARRAY(&f->arena, const arb_physical_node *, child_count + 1);
    assert_true(node != NULL && copy != NULL && list != NULL);
    memcpy(copy, slots, slot_count * sizeof *slots);
    for (size_t i = 0; i < child_count; i++)
        list[i] = children[i];
    node->kind = (uint8_t)kind;
    node->number = f->nodes++;
    node->layout = (arb_layout){slot_count, copy};
    node->child_count = child_count;
    node->children = list;
    return node;
}

static arb_slot int_slot(arb_column_id id)
{
    return (arb_slot){.id = id,
                      .type = ARB_TYPE(INTEGER),
                      .physical = ARB_PHYS_INT32,
                      .nullable = true,
                      .range = {true, INT32_MIN, INT32_MAX}};
}

static const arb_expr *constant(fixture *f, int value)
{
    arb_value v = {.type = ARB_TYPE(INTEGER), .integer = value};
    return arb_expr_constant(&f->arena, v);
}

static const arb_expr *column(fixture *f, arb_column_id id)
{
    return arb_expr_column(&f->arena, id, ARB_TYPE(INTEGER));
}

/* Column `id` with the rows first, first + 1, …, and NULL for every seventh. */
static const arb_physical_node *values(fixture *f, arb_column_id id, int first, size_t count)
{
    arb_slot slot = int_slot(id);
    arb_physical_node *node = node_of(f, ARB_PHYSICAL_VALUES, &slot, 1, 0, NULL);
    const arb_expr **cells = ARB_ARENA_ARRAY(&f->arena, const arb_expr *, count + 1);
    for (size_t i = 0; i < count; i++)
        cells[i] = (first + (int)i) % 7 == 0 ? arb_expr_constant(&f->arena, arb_value_null(ARB_TYPE(INTEGER)))
                                             : constant(f, first + (int)i);
    node->values.row_count = count;
    node->values.cells = cells;
    return node;
}

static const arb_physical_node *filter_above(fixture *f, const arb_physical_node *child, arb_column_id id, int bound)
{
    arb_physical_node *node = node_of(f, ARB_PHYSICAL_FILTER, child->layout.slots, child->layout.count, 1, &child);
    node->filter.condition = arb_expr_compare(&f->arena, ARB_GREATER, column(f, id), constant(f, bound));
    return node;
}

/* 100 / (column - divisor_zero_at) */
static const arb_physical_node *divide(fixture *f, const arb_physical_node *child, arb_column_id id, int zero_at)
{
    arb_slot slot = int_slot(id + 100);
    arb_physical_node *node = node_of(f, ARB_PHYSICAL_PROJECT, &slot, 1, 1, &child);
    arb_argument arguments[2] = {{.type = ARB_TYPE(INTEGER)}, {.type = ARB_TYPE(INTEGER)}};
    const arb_function *minus, *over;
    arb_type result;
    assert_int_equal(arb_function_bind(ARB_FUNCTION_SCALAR, ARB_STR("-"), arguments, 2, &minus, &result, NULL), ARB_OK);
    assert_int_equal(arb_function_bind(ARB_FUNCTION_SCALAR, ARB_STR("/"), arguments, 2, &over, &result, NULL), ARB_OK);
    const arb_expr *less[] = {column(f, id), constant(f, zero_at)};
    const arb_expr *parts[] = {constant(f, 100), arb_expr_call(&f->arena, minus, ARB_TYPE(INTEGER), less, 2)};
    const arb_expr **exprs = ARB_ARENA_ARRAY(&f->arena, const arb_expr *, 1);
    exprs[0] = arb_expr_call(&f->arena, over, ARB_TYPE(INTEGER), parts, 2);
    node->project.exprs = exprs;
    return node;
}

typedef struct outcome {
    arb_code code;
    size_t rows;
    int64_t sum;
    arb_error error;
} outcome;

/* Run the plan and add up its first column. `cancel_after` batches it is cancelled (0: never). */
static outcome run(const arb_physical_plan *plan, unsigned threads, uint32_t batch_rows, size_t cancel_after)
{
    outcome out = {0};
    arb_cpu_pool *pool;
    arb_governor governor;
    arb_execution *execution = NULL;
    out.code = arb_cpu_pool_create(threads, &pool, &out.error);
    if (out.code != ARB_OK)
        return out;
    arb_governor_init(&governor, 1 << 30);
    arb_execution_options options = {.pool = pool, .governor = &governor, .batch_rows = batch_rows};
    out.code = arb_execution_start(plan, &options, &execution, &out.error);
    for (size_t batches = 0; out.code == ARB_OK; batches++) {
        const arb_batch *batch;
        if (cancel_after != 0 && batches == cancel_after)
            arb_execution_cancel(execution);
        out.code = arb_execution_next(execution, &batch, &out.error);
        if (out.code != ARB_OK || batch == NULL)
            break;
        assert_true(batch->rows <= batch_rows);
        for (uint32_t row = 0; row < batch->rows; row++)
            if (arb_vector_is_valid(&batch->columns[0], row))
                out.sum += (int64_t)arb_vector_get_integer(&batch->columns[0], row);
        out.rows += batch->rows;
    }
    arb_execution_destroy(execution);
    assert_int_equal(atomic_load(&governor.used), 0);
    arb_cpu_pool_destroy(pool);
    return out;
}

static arb_physical_plan plan_of(fixture *f, const arb_physical_node *root)
{
    static const uint32_t first[] = {0};
    static const arb_str name[] = {{"x", 1}};
    return (arb_physical_plan){
        .root = root, .node_count = f->nodes, .column_count = 1, .columns = first, .names = name};
}

static const unsigned thread_counts[] = {1, 2, 7};
static const uint32_t batch_sizes[] = {1, 7, 2048};

static void filters_and_unions_keep_every_row(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_physical_node *branches[] = {filter_above(&f, values(&f, 1, 1, 100), 1, 40), values(&f, 2, 1, 50),
                                           values(&f, 3, 1, 0)};
    arb_physical_node *all = node_of(&f, ARB_PHYSICAL_UNION, branches[0]->layout.slots, 1, 3, branches);
    arb_physical_plan plan = plan_of(&f, all);
    for (size_t t = 0; t < ARB_COUNT_OF(thread_counts); t++)
        for (size_t b = 0; b < ARB_COUNT_OF(batch_sizes); b++) {
            outcome out = run(&plan, thread_counts[t], batch_sizes[b], 0);
            assert_int_equal(out.code, ARB_OK);
            /* 41 … 100 without its 9 multiples of seven, and 50 rows of which 7 are NULL */
            assert_int_equal(out.rows, 60 - 9 + 50);
            int64_t sum = 0;
            for (int i = 1; i <= 100; i++)
                sum += (i % 7 != 0) * ((i > 40 ? i : 0) + (i <= 50 ? i : 0));
            assert_int_equal(out.sum, sum);
        }
    arb_arena_reset(&f.arena);
}

static void a_limit_takes_the_first_rows(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_physical_node *child = values(&f, 1, 1, 100);
    arb_physical_node *limit = node_of(&f, ARB_PHYSICAL_LIMIT, child->layout.slots, 1, 1, &child);
    limit->limit.count = 5;
    limit->limit.offset = 3;
    arb_physical_plan plan = plan_of(&f, limit);
    for (size_t b = 0; b < ARB_COUNT_OF(batch_sizes); b++) {
        outcome out = run(&plan, 2, batch_sizes[b], 0);
        assert_int_equal(out.rows, 5);
        assert_int_equal(out.sum, 4 + 5 + 6 + 8);
    }
    limit->limit.count = 0;
    assert_int_equal(run(&plan, 2, 7, 0).rows, 0);
    arb_arena_reset(&f.arena);
}

static void an_error_ends_the_query_and_says_where(void **state)
{
    (void)state;
    fixture f = {0};
    arb_physical_plan plan = plan_of(&f, divide(&f, values(&f, 1, 1, 100), 1, 60));
    for (size_t t = 0; t < ARB_COUNT_OF(thread_counts); t++) {
        outcome out = run(&plan, thread_counts[t], 7, 0);
        assert_int_equal(out.code, ARB_DIVISION_BY_ZERO);
        assert_string_equal(out.error.message, "division by zero");
    }
    /* the same division is harmless where its row is filtered out */
    plan = plan_of(&f, divide(&f, filter_above(&f, values(&f, 1, 1, 100), 1, 60), 1, 60));
    assert_int_equal(run(&plan, 2, 7, 0).code, ARB_OK);
    arb_arena_reset(&f.arena);
}

static void a_shared_subplan_is_read_twice(void **state)
{
    (void)state;
    fixture f = {0};
    static const uint32_t first[] = {0};
    const arb_physical_node *shared[] = {filter_above(&f, values(&f, 1, 1, 30), 1, 10)};
    const arb_physical_node *readers[2];
    for (int i = 0; i < 2; i++) {
        arb_slot slot = int_slot(10 + (arb_column_id)i);
        arb_physical_node *reader = node_of(&f, ARB_PHYSICAL_SHARED, &slot, 1, 0, NULL);
        reader->shared.columns = first;
        readers[i] = reader;
    }
    arb_slot slot = int_slot(20);
    arb_physical_plan plan = plan_of(&f, node_of(&f, ARB_PHYSICAL_UNION, &slot, 1, 2, readers));
    plan.shared = shared;
    plan.shared_count = 1;
    outcome out = run(&plan, 3, 7, 0);
    assert_int_equal(out.code, ARB_OK);
    assert_int_equal(out.rows, 2 * (20 - 3));
    arb_arena_reset(&f.arena);
}

static void cancellation_ends_it(void **state)
{
    (void)state;
    fixture f = {0};
    arb_physical_plan plan = plan_of(&f, values(&f, 1, 1, 2000));
    for (size_t t = 0; t < ARB_COUNT_OF(thread_counts); t++) {
        outcome out = run(&plan, thread_counts[t], 1, 5);
        assert_int_equal(out.code, ARB_CANCELLED);
        assert_int_equal(out.rows, 5);
    }
    arb_arena_reset(&f.arena);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_physical_node *branches[] = {filter_above(&f, values(&f, 1, 1, 20), 1, 4),
                                           divide(&f, values(&f, 2, 1, 20), 2, 60)};
    arb_slot slot = int_slot(30);
    arb_physical_plan plan = plan_of(&f, node_of(&f, ARB_PHYSICAL_UNION, &slot, 1, 2, branches));
    outcome whole = run(&plan, 2, 7, 0);
    assert_int_equal(whole.code, ARB_OK);
    arb_alloc_fail_at(0, false);
    run(&plan, 2, 7, 0);
    uint64_t count = arb_alloc_count();
    for (uint64_t n = 1; n <= count; n++) {
        arb_alloc_fail_at(n, false);
        outcome out = run(&plan, 2, 7, 0);
        arb_alloc_fail_at(0, false);
        if (out.code == ARB_OK) /* timing may make this run's n-th allocation one that was not needed */
            assert_int_equal(out.sum, whole.sum);
        else
            assert_int_equal(out.code, ARB_OUT_OF_MEMORY);
    }
    arb_arena_reset(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_and_unions_keep_every_row),
        cmocka_unit_test(a_limit_takes_the_first_rows),
        cmocka_unit_test(an_error_ends_the_query_and_says_where),
        cmocka_unit_test(a_shared_subplan_is_read_twice),
        cmocka_unit_test(cancellation_ends_it),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
