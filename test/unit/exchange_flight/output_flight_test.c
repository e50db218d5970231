/* Outputs of tasks over Flight: tickets, blocks in order, and everything that can go wrong on the way. */
#include "unit/exchange_flight/served_outputs.h"

#include "exchange/exchange_operators.h"
#include "exchange_flight/output_feed.h"
#include "execution/execute.h"
#include "proto/flight.pb-c.h"

/* All attempts and partitions, the latter from behind. */
static const uint32_t partitions[PARTITIONS] = {2, 0, 1};

static arb_output_ticket whole_ticket(arb_ticket_attempt attempts[ATTEMPTS])
{
    for (uint32_t task = 0; task < ATTEMPTS; task++)
        attempts[task] = (arb_ticket_attempt){task, 1, 100 + (uint64_t)task};
    return (arb_output_ticket){.cluster = served_cluster,
                               .job_term = 1,
                               .job = 2,
                               .stage = 3,
                               .attempt_count = ATTEMPTS,
                               .attempts = attempts,
                               .partition_count = PARTITIONS,
                               .partitions = partitions,
                               .user = ARB_STR("somebody")};
}

static arb_output_fetch *fetch(outputs *o, const arb_output_ticket *ticket, size_t window, int64_t unreachable_ms)
{
    arb_error error = {0};
    arb_output_fetch *out;
    arb_fetch_options options = {.channel = o->w.channel,
                                 .loop = &o->loop,
                                 .pool = arb_output_store_pool(o->store),
                                 .ticket = ticket,
                                 .key = &o->key,
                                 .window = window,
                                 .unreachable_ns = unreachable_ms * 1000000};
    assert_int_equal(arb_output_fetch_create(&options, &out, &error), ARB_OK);
    return out;
}

/* The next of a unit: its number, -1 at the end; the error's code in *out_code. */
static int64_t take(outputs *o, arb_output_fetch *from, size_t unit, arb_code *out_code, arb_error *error)
{
    for (int64_t until = in_ms(20000);;) {
        arb_fed what;
        arb_block_loan loan;
        *error = (arb_error){0};
        *out_code = arb_output_fetch_take(from, unit, &o->task, &what, &loan, error);
        assert_int_equal(*out_code, error->code);
        if (*out_code != ARB_OK || what == ARB_FED_END)
            return -1;
        if (what == ARB_FED_BLOCK) {
            int64_t number = arb_load_i64(loan.block.data + loan.block.body_at);
            arb_block_loan_return(&loan);
            return number;
        }
        assert_true(arb_clock_monotonic_ns() < until);
        usleep(200);
    }
}

static void expect_unit(outputs *o, arb_output_fetch *from, size_t unit)
{
    arb_code code;
    arb_error error;
    uint32_t task = (uint32_t)(unit % ATTEMPTS), partition = partitions[unit / ATTEMPTS];
    for (int i = 0; i < blocks_of(task, partition); i++)
        assert_int_equal(take(o, from, unit, &code, &error), number_of(task, partition, i));
    assert_int_equal(take(o, from, unit, &code, &error), -1);
    assert_int_equal(code, ARB_OK);
}

/* ---- tickets ------------------------------------------------------------------------------------------------------------- */

static void a_ticket_opens_with_its_key_alone(void **state)
{
    (void)state;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_output_ticket ticket = whole_ticket(attempts), opened;
    arb_seal_key key, other;
    arb_text bytes = {0};
    arb_arena arena = {0};
    arb_error error = {0};
    assert_int_equal(arb_seal_key_make(&key, &error), ARB_OK);
    assert_int_equal(arb_seal_key_make(&other, &error), ARB_OK);
    assert_memory_not_equal(&key, &other, sizeof key);
    assert_int_equal(arb_output_ticket_seal(&ticket, &key, &bytes, &error), ARB_OK);
    assert_int_equal(arb_output_ticket_open(arb_text_view(&bytes), &key, &arena, &opened, &error), ARB_OK);
    assert_true(arb_uuid_equal(opened.cluster, served_cluster) && arb_str_equal(opened.user, ticket.user));
    assert_true(opened.job_term == 1 && opened.job == 2 && opened.stage == 3);
    assert_int_equal(opened.attempt_count, ATTEMPTS);
    assert_int_equal(opened.attempts[3].number, 103);
    assert_int_equal(opened.partition_count, PARTITIONS);
    assert_int_equal(opened.partitions[0], 2);
    assert_int_equal(arb_output_ticket_open(arb_text_view(&bytes), &other, &arena, &opened, &error), ARB_ACCESS_DENIED);
    for (size_t i = 0; i < bytes.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (char)(1 << bit);
            assert_int_equal(arb_output_ticket_open(arb_text_view(&bytes), &key, &arena, &opened, &error),
                             ARB_ACCESS_DENIED);
            bytes.data[i] ^= (char)(1 << bit);
            assert_int_equal(arb_output_ticket_open((arb_str){bytes.data, i}, &key, &arena, &opened, &error),
                             ARB_ACCESS_DENIED);
        }
    arb_text_reset(&bytes);
    arb_arena_reset(&arena);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static void units_come_block_by_block(void **state)
{
    for (size_t window = 1; window <= 1 << 20; window <<= 10)
        for (uint64_t memory = 0; memory <= 1 << 20; memory += 1 << 20) {
            outputs o;
            arb_ticket_attempt attempts[ATTEMPTS];
            begin(&o, state, memory);
            arb_output_ticket ticket = whole_ticket(attempts);
            arb_output_fetch *from = fetch(&o, &ticket, window, 5000);
            for (size_t unit = 0; unit < UNITS; unit++)
                expect_unit(&o, from, unit);
            arb_output_fetch_destroy(from);
            end(&o);
        }
}

/* A reader that is ahead waits until those before it have read. */
static void several_units_at_a_time(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_code code;
    arb_error error;
    arb_fed what;
    arb_block_loan loan;
    begin(&o, state, 0);
    arb_output_ticket ticket = whole_ticket(attempts);
    arb_output_fetch *from = fetch(&o, &ticket, 1, 5000);
    /* unit 0 is attempt 0 in partition 2: six blocks; unit 1 has four */
    assert_int_equal(take(&o, from, 0, &code, &error), number_of(0, 2, 0));
    assert_int_equal(arb_output_fetch_take(from, 1, &o.task, &what, &loan, &error), ARB_OK);
    assert_int_equal(what, ARB_FED_WAIT);
    for (int i = 1; i < 6; i++)
        assert_int_equal(take(&o, from, 0, &code, &error), number_of(0, 2, i));
    assert_int_equal(take(&o, from, 1, &code, &error), number_of(1, 2, 0));
    assert_int_equal(take(&o, from, 0, &code, &error), -1); /* what is behind is there, so it has ended */
    arb_output_fetch_destroy(from);
    end(&o);
}

/* ---- what can go wrong --------------------------------------------------------------------------------------------------- */

/* Read all units; the first failure's code. */
static arb_code read_all(outputs *o, arb_output_fetch *from, int *out_blocks, arb_error *error)
{
    arb_code code = ARB_OK;
    *out_blocks = 0;
    for (size_t unit = 0; unit < UNITS && code == ARB_OK; unit++)
        while (take(o, from, unit, &code, error) >= 0)
            ++*out_blocks;
    return code;
}

static int all_blocks(void)
{
    int all = 0;
    for (uint32_t task = 0; task < ATTEMPTS; task++)
        for (uint32_t p = 0; p < PARTITIONS; p++)
            all += blocks_of(task, p);
    return all;
}

static void expect_failure(outputs *o, const arb_output_ticket *ticket, arb_code expected, size_t at_fault)
{
    int blocks;
    arb_error error;
    arb_output_fetch *from = fetch(o, ticket, 1 << 20, 5000);
    assert_int_equal(read_all(o, from, &blocks, &error), expected);
    assert_true(error.message[0] != 0);
    assert_int_equal(arb_output_fetch_at_fault(from), at_fault);
    arb_output_fetch_destroy(from);
}

static void what_is_not_here_is_named(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    begin(&o, state, 1 << 20);
    arb_output_ticket ticket = whole_ticket(attempts);
    attempts[2].number++;
    expect_failure(&o, &ticket, ARB_UNDEFINED_OBJECT, 2);
    attempts[2].number--;
    attempts[1].task = 3; /* another task's */
    expect_failure(&o, &ticket, ARB_UNDEFINED_OBJECT, 1);
    attempts[1].task = 1;
    static const uint32_t beyond[] = {0, PARTITIONS};
    ticket.partitions = beyond;
    ticket.partition_count = 2;
    expect_failure(&o, &ticket, ARB_UNDEFINED_OBJECT, 0);
    ticket = whole_ticket(attempts);
    ticket.job++;
    expect_failure(&o, &ticket, ARB_UNDEFINED_OBJECT, 0);
    ticket.job--;
    ticket.cluster.low++;
    expect_failure(&o, &ticket, ARB_UNDEFINED_OBJECT, 0);
    ticket.cluster.low--;
    o.key.bytes[5] ^= 1; /* of the reader */
    int blocks;
    arb_error error;
    arb_output_fetch *from = fetch(&o, &ticket, 1 << 20, 5000);
    assert_int_equal(read_all(&o, from, &blocks, &error), ARB_ACCESS_DENIED);
    assert_int_equal(blocks, 0);
    arb_output_fetch_destroy(from);
    end(&o);
}

static void damage_is_noticed(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_error error = {0};
    arb_block_loan loan;
    begin(&o, state, 1 << 20);
    arb_output_ticket ticket = whole_ticket(attempts);
    arb_block_origin origin = origin_of(1);
    arb_attempt_output *output = arb_output_store_find(o.store, &origin);
    assert_int_equal(arb_attempt_output_borrow(output, 0, 2, &loan, &error), ARB_OK);
    loan.block.data[loan.block.body_at] ^= 1;
    arb_block_loan_return(&loan);
    expect_failure(&o, &ticket, ARB_CORRUPT_DATA, 1); /* found by the reader */
    uint64_t freed;
    assert_int_equal(arb_attempt_output_spill(output, &freed, &error), ARB_OK);
    expect_failure(&o, &ticket, ARB_CORRUPT_DATA, 1); /* found by who reads the file */
    arb_attempt_output_unref(output);
    end(&o);
}

static void what_is_dropped_is_read_to_its_end(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_code code;
    arb_error error;
    int blocks;
    begin(&o, state, 0);
    arb_output_ticket ticket = whole_ticket(attempts);
    arb_output_fetch *from = fetch(&o, &ticket, 1, 5000);
    assert_int_equal(take(&o, from, 0, &code, &error), number_of(0, 2, 0));
    arb_output_store_drop_stage(o.store, 1, 2, 3);
    assert_int_equal(arb_output_store_look(o.store).outputs, 0);
    assert_int_equal(read_all(&o, from, &blocks, &error), ARB_OK);
    assert_int_equal(blocks, all_blocks() - 1);
    arb_output_fetch_destroy(from);
    expect_failure(&o, &ticket, ARB_UNDEFINED_OBJECT, 0);
    end(&o);
}

/* The server goes when `before` blocks have been read, and comes back. */
static void broken_connections_are_made_again(void **state)
{
    for (int before = 0; before <= all_blocks(); before += 3) {
        outputs o;
        arb_ticket_attempt attempts[ATTEMPTS];
        arb_code code = ARB_OK;
        arb_error error;
        begin(&o, state, 1 << 20);
        arb_output_ticket ticket = whole_ticket(attempts);
        arb_output_fetch *from = fetch(&o, &ticket, 1, 5000);
        int seen = 0;
        for (size_t unit = 0; unit < UNITS; unit++) {
            uint32_t task = (uint32_t)(unit % ATTEMPTS), partition = partitions[unit / ATTEMPTS];
            for (int i = 0; i <= blocks_of(task, partition); i++) {
                if (seen == before) {
                    stop_serving(&o);
                    serve(&o);
                    seen++;
                }
                bool last = i == blocks_of(task, partition);
                assert_int_equal(take(&o, from, unit, &code, &error), last ? -1 : number_of(task, partition, i));
                assert_string_equal(error.message, "");
                seen += !last;
            }
        }
        arb_output_fetch_destroy(from);
        end(&o);
    }
}

static void who_cannot_be_reached_is_given_up(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_code code;
    arb_error error;
    begin(&o, state, 1 << 20);
    arb_output_ticket ticket = whole_ticket(attempts);
    arb_output_fetch *from = fetch(&o, &ticket, 1, 300);
    int blocks;
    assert_int_equal(take(&o, from, 0, &code, &error), number_of(0, 2, 0));
    stop_serving(&o);
    int64_t start = arb_clock_monotonic_ns();
    assert_int_equal(read_all(&o, from, &blocks, &error), ARB_CONNECTION_FAILED);
    assert_true(arb_clock_monotonic_ns() - start < INT64_C(10000000000));
    arb_output_fetch_destroy(from);
    /* or at once, when the scheduler says that it is gone */
    from = fetch(&o, &ticket, 1, 100000);
    arb_output_fetch_give_up(from);
    assert_int_equal(take(&o, from, 0, &code, &error), -1);
    assert_int_equal(code, ARB_CONNECTION_FAILED);
    arb_output_fetch_destroy(from);
    /* and a reader that does not want to go on leaves nothing behind */
    arb_output_fetch_destroy(fetch(&o, &ticket, 1, 100000));
    end(&o);
}

static void readers_may_go_at_any_time(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_code code;
    arb_error error;
    begin(&o, state, 0);
    arb_output_ticket ticket = whole_ticket(attempts);
    for (int i = 0; i < 50; i++) {
        arb_output_fetch *from = fetch(&o, &ticket, i % 2 == 0 ? 1 : 1 << 20, 5000);
        if (i % 3 != 0)
            assert_int_equal(take(&o, from, 0, &code, &error), number_of(0, 2, 0));
        arb_output_fetch_destroy(from);
    }
    end(&o);
}

/* Others need the memory: one block waits here, the next is asked for when that has been taken. */
static void one_block_at_a_time_when_memory_is_short(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_governor governor;
    arb_memory memory;
    arb_reservation others;
    arb_output_pool pool;
    arb_output_fetch *from;
    arb_error error = {0};
    int blocks;
    begin(&o, state, 1 << 20);
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    arb_reservation_init(&others, &memory, "others");
    arb_reservation_force(&others, 1 << 20);
    arb_output_pool_init(&pool, &memory, NULL);
    arb_output_ticket ticket = whole_ticket(attempts);
    arb_fetch_options options = {.channel = o.w.channel,
                                 .loop = &o.loop,
                                 .ticket = &ticket,
                                 .key = &o.key,
                                 .pool = &pool,
                                 .window = 1 << 20,
                                 .unreachable_ns = INT64_C(5000000000)};
    assert_int_equal(arb_output_fetch_create(&options, &from, &error), ARB_OK);
    for (int64_t until = in_ms(20000); atomic_load(&governor.used) == 1 << 20; usleep(200))
        assert_true(arb_clock_monotonic_ns() < until);
    uint64_t one = atomic_load(&governor.used);
    usleep(30000); /* the others would have come */
    assert_int_equal(atomic_load(&governor.used), one);
    assert_int_equal(read_all(&o, from, &blocks, &error), ARB_OK);
    assert_int_equal(blocks, all_blocks());
    arb_output_fetch_destroy(from);
    /* without the others all of it comes, is charged, and goes with the fetch */
    arb_reservation_reset(&others);
    assert_int_equal(arb_output_fetch_create(&options, &from, &error), ARB_OK);
    for (int64_t until = in_ms(20000); atomic_load(&governor.used) <= one - (1 << 20); usleep(200))
        assert_true(arb_clock_monotonic_ns() < until);
    arb_output_fetch_destroy(from);
    assert_int_equal(atomic_load(&governor.used), 0);
    arb_output_pool_reset(&pool);
    end(&o);
}

static arb_code fetch_all(outputs *o, const arb_output_ticket *ticket, int *out_blocks)
{
    arb_output_fetch *from = NULL;
    arb_error error = {0};
    arb_fetch_options options = {.channel = o->w.channel,
                                 .loop = &o->loop,
                                 .pool = arb_output_store_pool(o->store),
                                 .ticket = ticket,
                                 .key = &o->key,
                                 .window = 100,
                                 .unreachable_ns = 1000000000};
    *out_blocks = 0;
    arb_code code = arb_output_fetch_create(&options, &from, &error);
    if (code == ARB_OK)
        code = read_all(o, from, out_blocks, &error);
    arb_output_fetch_destroy(from);
    return code;
}

static void each_allocation_may_fail(void **state)
{
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    int blocks;
    begin(&o, state, 0);
    arb_output_ticket ticket = whole_ticket(attempts);
    arb_alloc_fail_at(0, false);
    assert_int_equal(fetch_all(&o, &ticket, &blocks), ARB_OK);
    uint64_t count = arb_alloc_count(), failed = 0;
    for (uint64_t n = 1; n <= count; n++) {
        arb_alloc_fail_at(n, false);
        arb_code code = fetch_all(&o, &ticket, &blocks);
        arb_alloc_fail_at(0, false);
        if (code == ARB_OK) /* timing may make this run's n-th allocation one that is not needed */
            assert_int_equal(blocks, all_blocks());
        else
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
        failed += code != ARB_OK;
    }
    assert_true(count == 0 || failed > 20); /* builds without the switch count nothing */
    end(&o);
}

/* ---- as the source of a plan ----------------------------------------------------------------------------------------------- */

typedef struct feed_work {
    arb_task_work base;
    const arb_feed_part *parts;
    size_t count;
    _Atomic size_t *failed;
} feed_work;

static arb_code source_create(const arb_task_work *base, const arb_physical_node *node, bool later,
                              arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    (void)later;
    const feed_work *work = (const feed_work *)base;
    arb_block_feed *feed;
    ARB_TRY(arb_output_feed_create(work->parts, work->count, work->failed, &feed, error));
    return arb_exchange_source_create(node, feed, context, out_op, error);
}

typedef struct feed_run {
    outputs o;
    arb_ticket_attempt attempts[ATTEMPTS];
    arb_feed_part parts[UNITS];
    arb_output_fetch *from;
    arb_governor governor;
    arb_physical_node leaf;
    arb_physical_plan plan;
    feed_work work;
    _Atomic size_t failed;
    arb_execution_options options;
} feed_run;

/* The outputs of even tasks are read by reference, as those of this process, the others through the fetch. */
static void begin_run(feed_run *r, void **state, arb_cpu_pool *pool, int64_t unreachable_ms)
{
    static const uint32_t columns[] = {0};
    static const uint8_t produced[] = {ARB_PHYS_INT64};
    *r = (feed_run){0};
    begin(&r->o, state, 100000);
    arb_output_ticket ticket = whole_ticket(r->attempts);
    r->attempts[0] = r->attempts[1];
    r->attempts[1] = r->attempts[3];
    ticket.attempt_count = 2;
    r->from = fetch(&r->o, &ticket, 1, unreachable_ms);
    size_t far = 0;
    for (size_t unit = 0; unit < UNITS; unit++) {
        arb_block_origin origin = origin_of((uint32_t)(unit % ATTEMPTS));
        r->parts[unit].partition = partitions[unit / ATTEMPTS];
        if (unit % 2 == 0) {
            r->parts[unit].output = arb_output_store_find(r->o.store, &origin);
        } else {
            r->parts[unit].fetch = r->from;
            r->parts[unit].unit = far++;
        }
    }
    r->leaf = (arb_physical_node){.kind = ARB_PHYSICAL_EXCHANGE, .layout = number_layout};
    r->leaf.exchange.read = ARB_READ_ALL;
    r->leaf.exchange.produced_count = 1;
    r->leaf.exchange.produced = produced;
    r->leaf.exchange.columns = columns;
    r->plan = (arb_physical_plan){.root = &r->leaf, .column_count = 1, .columns = columns};
    r->work = (feed_work){.base.source_create = source_create, .parts = r->parts, .count = UNITS, .failed = &r->failed};
    atomic_init(&r->failed, SIZE_MAX);
    arb_governor_init(&r->governor, 64 << 20);
    r->options =
        (arb_execution_options){.pool = pool, .governor = &r->governor, .spill_folder = "/tmp", .work = &r->work.base};
}

static void end_run(feed_run *r)
{
    for (size_t unit = 0; unit < UNITS; unit += 2)
        arb_attempt_output_unref(r->parts[unit].output);
    arb_output_fetch_destroy(r->from);
    end(&r->o);
}

static void a_plan_reads_them_in_order(void **state)
{
    for (unsigned threads = 1; threads <= 5; threads += 2) {
        feed_run r;
        arb_error error = {0};
        arb_cpu_pool *pool;
        arb_execution *execution;
        assert_int_equal(arb_cpu_pool_create(threads, &pool, &error), ARB_OK);
        begin_run(&r, state, pool, 5000);
        assert_int_equal(arb_execution_start(&r.plan, &r.options, &execution, &error), ARB_OK);
        for (size_t unit = 0; unit < UNITS; unit++) {
            uint32_t task = (uint32_t)(unit % ATTEMPTS), partition = partitions[unit / ATTEMPTS];
            for (int i = 0; i < blocks_of(task, partition); i++) {
                const arb_batch *batch;
                assert_int_equal(arb_execution_next(execution, &batch, &error), ARB_OK);
                assert_int_equal(batch->rows, BLOCK_ROWS);
                assert_int_equal(batch->columns[0].values.i64[0], number_of(task, partition, i));
            }
        }
        const arb_batch *none;
        assert_int_equal(arb_execution_next(execution, &none, &error), ARB_OK);
        assert_null(none);
        arb_execution_destroy(execution);
        end_run(&r);
        arb_cpu_pool_destroy(pool);
    }
}

/* Its drivers wait for an executor that does not answer: cancelling does not. */
static void a_waiting_plan_can_be_cancelled(void **state)
{
    for (int round = 0; round < 20; round++) {
        feed_run r;
        arb_error error = {0};
        arb_cpu_pool *pool;
        arb_execution *execution;
        const arb_batch *batch;
        assert_int_equal(arb_cpu_pool_create(3, &pool, &error), ARB_OK);
        begin_run(&r, state, pool, 100000);
        stop_serving(&r.o);
        assert_int_equal(arb_execution_start(&r.plan, &r.options, &execution, &error), ARB_OK);
        usleep((unsigned)round * 500);
        int64_t start = arb_clock_monotonic_ns();
        if (round % 2 == 0) {
            arb_execution_cancel(execution);
            while (arb_execution_next(execution, &batch, &error) == ARB_OK)
                assert_non_null(batch);
        }
        arb_execution_destroy(execution);
        assert_true(arb_clock_monotonic_ns() - start < INT64_C(10000000000));
        end_run(&r);
        arb_cpu_pool_destroy(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_opens_with_its_key_alone),
        OVER_BOTH(units_come_block_by_block),
        OVER_BOTH(one_block_at_a_time_when_memory_is_short),
        OVER_BOTH(several_units_at_a_time),
        OVER_BOTH(what_is_not_here_is_named),
        OVER_BOTH(damage_is_noticed),
        OVER_BOTH(what_is_dropped_is_read_to_its_end),
        OVER_BOTH(broken_connections_are_made_again),
        OVER_BOTH(who_cannot_be_reached_is_given_up),
        OVER_BOTH(readers_may_go_at_any_time),
        OVER_BOTH(a_plan_reads_them_in_order),
        OVER_BOTH(a_waiting_plan_can_be_cancelled),
        {"each_allocation_may_fail, in memory", each_allocation_may_fail, NULL, NULL, &in_memory},
    };
    return run_rpc_tests(tests);
}
