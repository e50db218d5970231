/* Blocks of a task's output: in the order of their places, in memory or in the file, lent while they are moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/alloc.h"
#include "exchange/attempt_output.h"
#include "exchange/block_builder.h"

static const arb_slot slot = {.id = 1, .type = {.id = ARB_TYPE_BIGINT}, .physical = ARB_PHYS_INT64};
static const arb_layout layout = {1, &slot};
static const arb_block_origin origin = {.job_term = 1, .job = 2, .stage = 3, .task = 4, .attempt = 5};
static arb_governor governor;
static arb_memory memory;
static arb_output_pool pool;

static int begin(void **state)
{
    (void)state;
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    arb_output_pool_init(&pool, &memory, "/tmp");
    return 0;
}

/* Nothing stays charged. */
static int end(void **state)
{
    (void)state;
    arb_output_pool_reset(&pool);
    assert_int_equal(governor.used, 0);
    return 0;
}

/* A block of one row: the number. */
static arb_block make_block(uint32_t partition, int64_t number)
{
    arb_error error = {0};
    arb_block_builder builder;
    arb_block block;
    arb_block_origin of = origin;
    uint16_t row = 0;
    size_t taken;
    arb_vector vector = {.physical = ARB_PHYS_INT64, .values.i64 = &number};
    const arb_vector *columns[] = {&vector};
    of.partition = partition;
    assert_int_equal(arb_block_builder_init(&builder, &layout, &error), ARB_OK);
    assert_int_equal(arb_block_builder_append(&builder, columns, &row, 1, &taken, &error), ARB_OK);
    assert_int_equal(arb_block_builder_seal(&builder, &of, &block, &error), ARB_OK);
    arb_block_builder_reset(&builder);
    return block;
}

static int64_t number_of(const arb_block *block)
{
    return arb_load_i64(block->data + block->body_at);
}

static void add(arb_attempt_output *output, uint32_t partition, uint32_t feeder, uint64_t sequence, int64_t number)
{
    arb_error error = {0};
    arb_block block = make_block(partition, number);
    assert_int_equal(arb_attempt_output_add(output, partition, &block, (arb_block_place){feeder, sequence}, &error),
                     ARB_OK);
    assert_null(block.data);
}

static void expect(arb_attempt_output *output, uint32_t partition, size_t at, int64_t number)
{
    arb_error error = {0};
    arb_block_loan loan;
    assert_int_equal(arb_attempt_output_borrow(output, partition, at, &loan, &error), ARB_OK);
    assert_int_equal(number_of(&loan.block), number);
    arb_block_loan_return(&loan);
}

static arb_attempt_output *make_output(void)
{
    arb_error error = {0};
    arb_attempt_output *output;
    assert_int_equal(arb_attempt_output_create(&origin, 2, &pool, &output, &error), ARB_OK);
    add(output, 0, 1, 5, 30);
    add(output, 0, 0, 7, 20);
    add(output, 0, 0, 6, 10);
    add(output, 0, 0, 7, 21);
    add(output, 1, 0, 0, 40);
    return output;
}

static void blocks_come_in_order(void **state)
{
    (void)state;
    static const int64_t expected[] = {10, 20, 21, 30};
    arb_attempt_output *output = make_output();
    arb_attempt_output_finish(output);
    assert_int_equal(arb_attempt_output_size(output, 0).blocks, 4);
    assert_int_equal(arb_attempt_output_size(output, 1).rows, 1);
    assert_int_equal(arb_attempt_output_total(output).rows, 5);
    assert_int_equal(arb_attempt_output_held(output), arb_attempt_output_total(output).bytes);
    for (size_t i = 0; i < 4; i++)
        expect(output, 0, i, expected[i]);
    expect(output, 1, 0, 40);
    arb_attempt_output_unref(output);
}

static void what_is_moved_stays_readable(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_block_loan loan;
    uint64_t freed, first;
    arb_attempt_output *output = make_output();
    assert_int_equal(arb_attempt_output_spill(output, &first, &error), ARB_OK); /* while it is made */
    assert_int_equal(first, arb_attempt_output_total(output).bytes);
    add(output, 1, 0, 1, 41);
    arb_attempt_output_finish(output);
    assert_int_equal(arb_attempt_output_borrow(output, 1, 1, &loan, &error), ARB_OK);
    assert_int_equal(arb_attempt_output_spill(output, &freed, &error), ARB_OK); /* while it is read */
    assert_int_equal(first + freed, arb_attempt_output_total(output).bytes);
    assert_int_equal(arb_attempt_output_held(output), 0);
    assert_int_equal(number_of(&loan.block), 41);
    arb_block_loan_return(&loan);
    expect(output, 0, 0, 10);
    expect(output, 0, 3, 30);
    expect(output, 1, 0, 40);
    expect(output, 1, 1, 41);
    assert_int_equal(arb_attempt_output_spill(output, &freed, &error), ARB_OK);
    assert_int_equal(freed, 0);
    arb_attempt_output_unref(output);
}

static void blocks_may_go_to_the_file_at_once(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_attempt_output *output;
    assert_int_equal(arb_attempt_output_create(&origin, 1, &pool, &output, &error), ARB_OK);
    arb_attempt_output_write_through(output);
    for (int64_t i = 0; i < 3; i++) {
        add(output, 0, 0, (uint64_t)i, 50 + i);
        assert_int_equal(arb_attempt_output_held(output), 0);
    }
    arb_attempt_output_finish(output);
    assert_int_equal(arb_attempt_output_total(output).blocks, 3);
    for (int64_t i = 0; i < 3; i++)
        expect(output, 0, (size_t)i, 50 + i);
    arb_attempt_output_unref(output);
}

static void a_loan_outlives_its_output(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_block_loan loan;
    arb_attempt_output *output = make_output();
    arb_attempt_output_finish(output);
    assert_int_equal(arb_attempt_output_borrow(output, 1, 0, &loan, &error), ARB_OK);
    arb_attempt_output_unref(output);
    assert_int_equal(number_of(&loan.block), 40);
    arb_block_loan_return(&loan);
}

static void without_a_folder_nothing_moves(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_output_pool homeless;
    arb_attempt_output *output;
    uint64_t freed;
    arb_output_pool_init(&homeless, NULL, NULL);
    assert_int_equal(arb_attempt_output_create(&origin, 1, &homeless, &output, &error), ARB_OK);
    add(output, 0, 0, 0, 7);
    assert_int_equal(arb_attempt_output_spill(output, &freed, &error), ARB_OUT_OF_MEMORY);
    assert_int_equal(freed, 0);
    arb_attempt_output_finish(output);
    expect(output, 0, 0, 7);
    arb_attempt_output_unref(output);
    arb_output_pool_reset(&homeless);
}

static void *read_all(void *argument)
{
    arb_attempt_output *output = argument;
    size_t wrong = 0;
    for (size_t round = 0; round < 200; round++)
        for (size_t i = 0; i < 100; i++) {
            arb_error error = {0};
            arb_block_loan loan;
            wrong += arb_attempt_output_borrow(output, 0, i, &loan, &error) != ARB_OK ||
                     number_of(&loan.block) != (int64_t)i;
            arb_block_loan_return(&loan);
        }
    return (void *)wrong;
}

static void readers_go_on_while_blocks_move(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_attempt_output *output;
    pthread_t readers[3];
    void *wrong;
    uint64_t freed;
    assert_int_equal(arb_attempt_output_create(&origin, 1, &pool, &output, &error), ARB_OK);
    for (uint64_t i = 0; i < 100; i++)
        add(output, 0, 0, i, (int64_t)i);
    arb_attempt_output_finish(output);
    for (size_t i = 0; i < ARB_COUNT_OF(readers); i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all, output), 0);
    assert_int_equal(arb_attempt_output_spill(output, &freed, &error), ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(readers); i++) {
        pthread_join(readers[i], &wrong);
        assert_null(wrong);
    }
    arb_attempt_output_unref(output);
}

static void allocations_fail(void **state)
{
    (void)state;
    uint64_t count = 0;
    for (uint64_t n = 0; n <= count; n++) {
        arb_error error = {0};
        arb_attempt_output *output;
        arb_block_loan loan;
        uint64_t freed;
        arb_block block = make_block(0, 9);
        arb_alloc_fail_at(n, false);
        arb_code code = arb_attempt_output_create(&origin, 1, &pool, &output, &error);
        if (code == ARB_OK) {
            code = arb_attempt_output_add(output, 0, &block, (arb_block_place){0}, &error);
            if (code == ARB_OK)
                code = arb_attempt_output_spill(output, &freed, &error);
            arb_attempt_output_finish(output);
            if (code == ARB_OK && (code = arb_attempt_output_borrow(output, 0, 0, &loan, &error)) == ARB_OK)
                arb_block_loan_return(&loan);
            arb_attempt_output_unref(output);
        }
        arb_block_reset(&block);
        count = n == 0 ? arb_alloc_count() : count;
        arb_alloc_fail_at(0, false);
        assert_int_equal(code, n == 0 || code == ARB_OK ? ARB_OK : ARB_OUT_OF_MEMORY);
    }
#ifdef ARB_FAILPOINTS
    assert_true(count >= 4);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_in_order),
        cmocka_unit_test(what_is_moved_stays_readable),
        cmocka_unit_test(blocks_may_go_to_the_file_at_once),
        cmocka_unit_test(a_loan_outlives_its_output),
        cmocka_unit_test(without_a_folder_nothing_moves),
        cmocka_unit_test(readers_go_on_while_blocks_move),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
