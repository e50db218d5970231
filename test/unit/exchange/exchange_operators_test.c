/* Rows of every kind through the sink of a stage and the sources of the next: each in the partition that it belongs to, none
 * lost or doubled, in order where there is one, with much memory and with almost none. */
#include "exchange/exchange_hash.h"
#include "exchange/exchange_operators.h"
#include "unit/execution/operator_harness.h"

enum { columns = 7 };
static const t_kind kinds[columns] = {T_I32, T_I64, T_I128, T_F64, T_TEXT, T_CODES, T_BOOL};
static const int64_t most[columns] = {1000, 1000000, 50, 300, 2000, 20, 2};
static const uint32_t all_columns[columns] = {0, 1, 2, 3, 4, 5, 6};

typedef struct exchange {
    t_world *world;
    arb_layout layout;
    arb_physical_node root;
    arb_stage stage;
    arb_output_pool pool;
    arb_attempt_output *output;
} exchange;

static void write_table(exchange *x, t_world *world, const t_table *table, arb_stage_output output)
{
    arb_error error = {0};
    arb_operator *sink;
    arb_block_origin origin = {.job = 1, .attempt = 1};
    *x = (exchange){.world = world, .layout = t_layout(table, 0)};
    x->root.layout = x->layout;
    x->stage.plan = (arb_physical_plan){.root = &x->root, .column_count = columns, .columns = all_columns};
    x->stage.output = output;
    arb_output_pool_init(&x->pool, NULL, "/tmp");
    assert_int_equal(arb_attempt_output_create(&origin, output.partitions, &x->pool, &x->output, &error), ARB_OK);
    assert_int_equal(arb_exchange_sink_create(&x->stage, NULL, x->output, &world->context, &sink, &error), ARB_OK);
    assert_int_equal(t_sink(world, sink, table), ARB_OK);
    sink->vtable->destroy(sink);
    arb_attempt_output_finish(x->output);
    assert_int_equal(arb_attempt_output_total(x->output).rows, table->rows);
}

/* The rows of one partition. */
static t_rows read_partition(exchange *x, uint32_t partition)
{
    arb_error error = {0};
    arb_operator *source;
    arb_physical_node node = {.kind = ARB_PHYSICAL_EXCHANGE, .layout = x->layout};
    uint8_t produced[columns];
    for (size_t c = 0; c < columns; c++)
        produced[c] = x->layout.slots[c].physical;
    node.exchange.produced_count = columns;
    node.exchange.produced = produced;
    node.exchange.columns = all_columns;
    size_t count = arb_attempt_output_size(x->output, partition).blocks;
    arb_block_ref *blocks = calloc(count + 1, sizeof *blocks);
    for (size_t i = 0; i < count; i++)
        blocks[i] = (arb_block_ref){x->output, partition, i};
    arb_block_feed *feed;
    assert_int_equal(arb_block_feed_create(blocks, count, &feed, &error), ARB_OK);
    assert_int_equal(arb_exchange_source_create(&node, feed, &x->world->context, &source, &error), ARB_OK);
    free(blocks);
    t_rows rows = {.lock = PTHREAD_MUTEX_INITIALIZER};
    assert_int_equal(t_source_in_order(x->world, source, &rows), ARB_OK);
    source->vtable->destroy(source);
    return rows;
}

static void drop(exchange *x)
{
    arb_attempt_output_unref(x->output);
    arb_output_pool_reset(&x->pool);
    free((void *)(uintptr_t)x->layout.slots);
}

/* By the definition of the hash, value by value. */
static uint64_t hash_of(const int64_t *cells, const uint32_t *keys, size_t count)
{
    uint64_t hash = 0;
    for (size_t k = 0; k < count; k++) {
        int64_t cell = cells[keys[k]];
        char text[64];
        t_kind kind = kinds[keys[k]];
        uint64_t one = cell == T_NULL                      ? arb_exchange_hash_null()
                       : kind == T_F64                     ? arb_exchange_hash_double((double)cell)
                       : kind == T_TEXT || kind == T_CODES ? arb_exchange_hash_text((arb_str){text, t_text(cell, text)})
                                                           : arb_exchange_hash_integer(cell);
        hash = k == 0 ? one : arb_exchange_hash_combine(hash, one);
    }
    return hash;
}

static void check_hash(t_world *world, const t_table *table, const uint32_t *keys, size_t key_count,
                       uint32_t partitions)
{
    exchange x;
    t_rows got = {0}, expected = {0};
    write_table(&x, world, table, (arb_stage_output){ARB_OUTPUT_HASH, partitions, key_count, keys});
    for (uint32_t p = 0; p < partitions; p++) {
        t_rows part = read_partition(&x, p);
        for (size_t i = 0; i < part.rows; i++) {
            const int64_t *cells = part.cells + i * columns;
            assert_int_equal(arb_exchange_partition(hash_of(cells, keys, key_count), partitions), p);
            t_append(&got, columns, cells);
        }
        free(part.cells);
    }
    for (size_t i = 0; i < table->rows; i++)
        t_append(&expected, columns, table->cells + i * columns);
    t_expect(&got, &expected);
    drop(&x);
}

static void rows_go_where_their_hash_says(void **state)
{
    (void)state;
    static const uint32_t keys[][3] = {{0}, {4}, {5, 3}, {2, 6, 1}};
    static const size_t counts[] = {1, 1, 2, 3};
    t_table table = t_make(20000, columns, kinds, most, 9);
    for (int holes = 0; holes < 2; holes++)
        for (size_t k = 0; k < ARB_COUNT_OF(counts); k++) {
            t_world world;
            t_world_init(&world, k % 2 == 0 ? 1 : 3, holes ? 7 : ARB_VECTOR_ROWS);
            world.holes = holes;
            check_hash(&world, &table, keys[k], counts[k], k == 3 ? 200 : 5);
            assert_int_equal(world.memory.used, 0);
        }
    free(table.cells);
}

/* Less memory than one builder takes: blocks are small then, and the account is kept. */
static void little_memory_makes_small_blocks(void **state)
{
    (void)state;
    static const uint32_t keys[] = {1};
    t_table table = t_make(20000, columns, kinds, most, 9);
    t_world world;
    t_world_init(&world, 2, 512);
    arb_governor_init(&world.governor, 256 << 10);
    check_hash(&world, &table, keys, 1, 50);
    assert_true(arb_memory_peak(&world.memory) <= 256 << 10);
    assert_int_equal(world.memory.used, 0);
    free(table.cells);
}

static void turns_share_rows_out(void **state)
{
    (void)state;
    t_table table = t_make(20000, columns, kinds, most, 9);
    t_world world;
    exchange x;
    t_rows got = {0}, expected = {0};
    t_world_init(&world, 2, 100);
    write_table(&x, &world, &table, (arb_stage_output){.kind = ARB_OUTPUT_TURNS, .partitions = 4});
    for (uint32_t p = 0; p < 4; p++) {
        t_rows part = read_partition(&x, p);
        assert_in_range(part.rows, 2000, 8000);
        for (size_t i = 0; i < part.rows; i++)
            t_append(&got, columns, part.cells + i * columns);
        free(part.cells);
    }
    for (size_t i = 0; i < table.rows; i++)
        t_append(&expected, columns, table.cells + i * columns);
    t_expect(&got, &expected);
    drop(&x);
    free(table.cells);
}

static void one_driver_keeps_the_order(void **state)
{
    (void)state;
    t_table table = t_make(10000, columns, kinds, most, 9);
    t_world world;
    exchange x;
    t_world_init(&world, 1, 64);
    write_table(&x, &world, &table, (arb_stage_output){.kind = ARB_OUTPUT_ONE, .partitions = 1});
    t_rows got = read_partition(&x, 0);
    assert_int_equal(got.rows, table.rows);
    assert_memory_equal(got.cells, table.cells, table.rows * columns * sizeof(int64_t));
    free(got.cells);
    drop(&x);
    free(table.cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_where_their_hash_says),
        cmocka_unit_test(little_memory_makes_small_blocks),
        cmocka_unit_test(turns_share_rows_out),
        cmocka_unit_test(one_driver_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
