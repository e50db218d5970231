/* The queue that brings the batches of several drivers and pipelines back into order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "execution/ordered_queue.h"
#include "execution/pipeline.h"

typedef struct fake_source {
    arb_operator base;
    uint64_t split; /* the lowest that is still read */
} fake_source;

static uint64_t watermark(arb_operator *op)
{
    return ((fake_source *)op)->split << 32;
}

static const arb_operator_vtable with_order = {.name = "source", .source_watermark = watermark};
static const arb_operator_vtable without_order = {.name = "source"};

static arb_task_result never(arb_task *task, int64_t deadline_ns)
{
    (void)task, (void)deadline_ns;
    return ARB_TASK_DONE;
}

typedef struct fixture {
    arb_ordered_queue queue;
    fake_source sources[2];
    arb_pipeline pipelines[2];
    arb_task_group group;
    arb_task tasks[2];
    arb_cpu_pool *pool;
    size_t changes;
} fixture;

static void count_change(void *owner)
{
    ((fixture *)owner)->changes++;
}

static void begin(fixture *f, bool first_ordered)
{
    arb_error error = {0};
    *f = (fixture){0};
    assert_int_equal(arb_cpu_pool_create(1, &f->pool, &error), ARB_OK);
    arb_task_group_init(&f->group, f->pool);
    arb_ordered_queue_init(&f->queue, count_change, f);
    for (int i = 0; i < 2; i++) {
        f->sources[i].base.vtable = i == 0 && first_ordered ? &with_order : &without_order;
        f->tasks[i] = (arb_task){.run = never, .group = &f->group};
        assert_int_equal(arb_ordered_queue_add_feeder(&f->queue, &f->pipelines[i], &f->sources[i].base, &error),
                         ARB_OK);
    }
}

static void end(fixture *f)
{
    arb_ordered_queue_reset(&f->queue);
    arb_cpu_pool_destroy(f->pool);
}

/* A batch of `rows` rows, all of them `value`; large ones take about a megabyte. */
static arb_flow put(fixture *f, int feeder, uint64_t split, uint32_t number, int32_t value, uint32_t rows, bool large)
{
    static char megabyte[1 << 20];
    int32_t values[64];
    arb_string texts[64];
    arb_error error = {0};
    arb_flow flow;
    for (uint32_t i = 0; i < rows; i++) {
        values[i] = value;
        texts[i] = arb_string_of(megabyte, large ? sizeof megabyte / rows : 0);
    }
    arb_vector columns[] = {{.physical = ARB_PHYS_INT32, .encoding = ARB_FLAT, .values = {values}},
                            {.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values = {texts}}};
    arb_batch batch = {
        .rows = rows, .selected = rows, .column_count = 2, .columns = columns, .sequence = (split << 32) + number};
    arb_driver driver = {.pipeline = &f->pipelines[feeder], .task = &f->tasks[feeder]};
    assert_int_equal(arb_ordered_queue_put(&f->queue, &driver, &batch, NULL, 2, &flow, &error), ARB_OK);
    return flow;
}

/* The next batch's value, -1 when none may leave, or an error's code below that. */
static int take(fixture *f)
{
    pthread_mutex_lock(&f->queue.lock);
    arb_owned_batch *batch;
    arb_error error = {0};
    arb_code code = arb_ordered_queue_take(&f->queue, &batch, &error);
    pthread_mutex_unlock(&f->queue.lock);
    assert_int_equal(code, error.code);
    if (code != ARB_OK)
        return -(int)code;
    int value = batch == NULL ? -1 : batch->batch.columns[0].values.i32[0];
    arb_owned_batch_destroy(batch);
    return value;
}

static void splits_and_feeders_come_in_order(void **state)
{
    (void)state;
    fixture f;
    begin(&f, true);
    assert_int_equal(put(&f, 1, 0, 0, 50, 1, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 2, 0, 20, 1, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 1, 0, 10, 1, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(take(&f), -1); /* split 0 is still read */
    assert_int_equal(put(&f, 0, 0, 0, 1, 1, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 0, 1, 2, 1, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 0, 1, 3, 1, false), ARB_FLOW_NEED_INPUT); /* a second one of the same source batch */
    assert_int_equal(take(&f), 1);
    assert_int_equal(take(&f), 2);
    assert_int_equal(take(&f), 3);
    assert_int_equal(take(&f), -1);
    f.sources[0].split = 2;
    assert_int_equal(take(&f), 10);
    assert_int_equal(take(&f), 20);
    assert_int_equal(take(&f), -1);
    assert_int_equal(put(&f, 1, 0, 0, 51, 1, false), ARB_FLOW_NEED_INPUT);
    arb_ordered_queue_feeder_done(&f.queue, &f.pipelines[0]);
    assert_false(f.queue.complete);
    assert_int_equal(take(&f), 50); /* as they came: this source has no order */
    assert_int_equal(take(&f), 51);
    arb_ordered_queue_feeder_done(&f.queue, &f.pipelines[1]);
    assert_true(f.queue.complete);
    end(&f);
}

static void who_is_ahead_waits_but_never_the_next(void **state)
{
    (void)state;
    fixture f;
    begin(&f, true);
    int filled = 0;
    while (put(&f, 0, 1, (uint32_t)filled, 100 + filled, 4, true) == ARB_FLOW_NEED_INPUT)
        assert_true(++filled < 40);
    assert_true(filled > 10);
    assert_int_equal(f.queue.waiting.size, 1);
    /* The lowest split's driver may go on while nothing can leave. When something can, it waits for that. */
    assert_int_equal(put(&f, 0, 0, 0, 1, 4, true), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 0, 1, 2, 4, true), ARB_FLOW_BLOCKED);
    assert_int_equal(take(&f), 1);
    assert_int_equal(f.queue.waiting.size, 0);
    /* The watermark moves unseen: whoever comes next, even to wait himself, must tell the others. */
    assert_int_equal(put(&f, 0, 1, 90, 190, 4, true), ARB_FLOW_BLOCKED);
    f.sources[0].split = 1;
    size_t changes = f.changes;
    assert_int_equal(put(&f, 0, 2, 0, 200, 4, true), ARB_FLOW_BLOCKED);
    assert_true(f.changes > changes);
    assert_int_equal(f.queue.waiting.size, 1);
    changes = f.changes;
    f.sources[0].split = 3;
    arb_ordered_queue_source_moved(&f.queue);
    assert_true(f.changes > changes);
    assert_int_equal(f.queue.waiting.size, 0);
    for (int i = 0; i < filled; i++)
        assert_int_equal(take(&f), 100 + i);
    end(&f);
}

static void put_error(fixture *f, int feeder, uint64_t sequence, arb_code code)
{
    arb_error error = {0};
    arb_driver driver = {.pipeline = &f->pipelines[feeder], .task = &f->tasks[feeder], .sequence = sequence};
    (void)arb_fail(&error, code, "failed at %llu", (unsigned long long)sequence);
    arb_ordered_queue_fail(&f->queue, &driver, &error);
}

static void errors_have_their_place(void **state)
{
    (void)state;
    fixture f;
    begin(&f, true);
    const int division = -(int)ARB_DIVISION_BY_ZERO, range = -(int)ARB_OUT_OF_RANGE;
    assert_true(division < -1 && range < -1);
    put_error(&f, 1, 0, ARB_OUT_OF_RANGE);
    assert_int_equal(take(&f), -1); /* the first feeder's rows come before it */
    assert_int_equal(put(&f, 0, 4, 0, 40, 1, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 3, 1, 30, 1, false), ARB_FLOW_NEED_INPUT);
    size_t changes = f.changes;
    put_error(&f, 0, ((uint64_t)3 << 32) + 1,
              ARB_DIVISION_BY_ZERO); /* behind the batch that was put at the same place */
    assert_true(f.changes > changes);
    assert_int_equal(take(&f), -1);
    assert_int_equal(put(&f, 0, 5, 0, 50, 1, false), ARB_FLOW_BLOCKED); /* behind an error nobody goes on */
    assert_int_equal(put(&f, 1, 0, 0, 90, 1, false), ARB_FLOW_BLOCKED);
    assert_int_equal(put(&f, 0, 1, 0, 10, 1, false), ARB_FLOW_NEED_INPUT);
    put_error(&f, 0, (uint64_t)7 << 32, ARB_OUT_OF_RANGE); /* a later one does not matter */
    f.sources[0].split = 2;
    assert_int_equal(take(&f), 10);
    assert_int_equal(take(&f), -1);
    f.sources[0].split = 3;
    assert_int_equal(take(&f), 30);
    assert_int_equal(take(&f), division);
    assert_int_equal(take(&f), division);
    put_error(&f, 0, 0, ARB_OUT_OF_RANGE); /* an earlier one does */
    assert_int_equal(take(&f), range);
    pthread_mutex_lock(&f.queue.lock);
    arb_ordered_queue_close(&f.queue);
    pthread_mutex_unlock(&f.queue.lock);
    put_error(&f, 0, 0, ARB_OUT_OF_RANGE); /* nobody wants the rows any more, so nobody the error */
    assert_int_equal(take(&f), -1);
    end(&f);
}

static void rows_beyond_those_wanted_wait(void **state)
{
    (void)state;
    fixture f;
    begin(&f, true);
    f.queue.rows_skipped = 10;
    f.queue.rows_wanted = 18;
    assert_int_equal(put(&f, 0, 0, 0, 1, 8, false), ARB_FLOW_NEED_INPUT); /* passed over as a whole, not kept */
    assert_int_equal(f.queue.entries.size, 0);
    assert_int_equal(f.queue.rows_skipped, 2);
    assert_int_equal(f.queue.rows_wanted, 10);
    assert_int_equal(put(&f, 0, 3, 0, 30, 6, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 2, 0, 20, 6, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 4, 0, 40, 6, false), ARB_FLOW_BLOCKED); /* twelve rows stand before these */
    assert_int_equal(put(&f, 0, 1, 0, 10, 2, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(put(&f, 0, 0, 1, 2, 2, false), ARB_FLOW_NEED_INPUT);
    assert_int_equal(f.queue.rows_skipped, 0);
    assert_int_equal(take(&f), -1);
    f.sources[0].split = 4;
    assert_int_equal(take(&f), 10);
    assert_int_equal(take(&f), 20);
    pthread_mutex_lock(&f.queue.lock);
    arb_ordered_queue_close(&f.queue);
    pthread_mutex_unlock(&f.queue.lock);
    assert_int_equal(take(&f), -1);
    assert_int_equal(put(&f, 0, 4, 1, 41, 6, false), ARB_FLOW_DONE);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_and_feeders_come_in_order),
        cmocka_unit_test(who_is_ahead_waits_but_never_the_next),
        cmocka_unit_test(errors_have_their_place),
        cmocka_unit_test(rows_beyond_those_wanted_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
