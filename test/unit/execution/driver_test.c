/* What a driver tells its sink: where its source is, also when no batch comes. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/driver.h"
#include "execution/split_order.h"

enum { parts = 5 };

/* Gives a batch of one row for part 1 only, and fails at the beginning of part `fails_at`. */
typedef struct sparse_source {
    arb_operator base;
    arb_split_order order;
    size_t fails_at;
    arb_driver *driver;
    arb_batch batch;
} sparse_source;

typedef struct watching_sink {
    arb_operator base;
    const sparse_source *source;
    uint64_t watermarks[parts + 2]; /* at each move */
    size_t moves, rows;
    uint64_t rows_sequence;
} watching_sink;

typedef struct outcome {
    arb_code code;
    uint64_t sequence;
    arb_error error;
    sem_t over;
} outcome;

static arb_code source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)error;
    ((sparse_source *)op)->driver = driver;
    *out_local = op;
    return ARB_OK;
}

static arb_code pull(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    (void)local;
    sparse_source *source = (sparse_source *)op;
    size_t part;
    *out = NULL;
    *out_flow = ARB_FLOW_DONE;
    if (!arb_split_order_take(&source->order, source->driver, &part))
        return ARB_OK;
    if (part == source->fails_at)
        return arb_fail(error, ARB_CORRUPT_DATA, "part %zu is damaged", part);
    source->batch = (arb_batch){.rows = 1, .selected = 1, .sequence = arb_split_sequence(part, 0)};
    *out = part == 1 ? &source->batch : NULL;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}

static uint64_t watermark(arb_operator *op)
{
    return arb_split_order_watermark(&((sparse_source *)op)->order);
}

static arb_code sink(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow, arb_error *error)
{
    (void)local, (void)error;
    watching_sink *watching = (watching_sink *)op;
    watching->rows += in->selected;
    watching->rows_sequence = in->sequence;
    *out_flow = ARB_FLOW_NEED_INPUT;
    return ARB_OK;
}

static void source_moved(arb_operator *op)
{
    watching_sink *watching = (watching_sink *)op;
    assert_true(watching->moves < ARB_COUNT_OF(watching->watermarks));
    watching->watermarks[watching->moves++] = arb_split_order_watermark(&watching->source->order);
}

static void ended(void *owner, arb_driver_state *driver, arb_code code, const arb_error *error)
{
    outcome *out = owner;
    out->code = code;
    out->sequence = arb_driver_of(driver)->sequence;
    out->error = *error;
    arb_driver_destroy(driver);
    sem_post(&out->over);
}

static const arb_operator_vtable source_vtable = {
    .name = "source", .source_create = source_create, .pull = pull, .source_watermark = watermark};
static const arb_operator_vtable sink_vtable = {.name = "sink", .sink = sink, .source_moved = source_moved};

static void run(sparse_source *source, watching_sink *watching, outcome *out)
{
    arb_cpu_pool *pool;
    arb_task_group group;
    arb_error error = {0};
    arb_driver_state *driver;
    arb_pipeline_sink end = {.op = &watching->base};
    arb_pipeline pipeline = {.source = &source->base, .sink = &end};
    assert_int_equal(arb_cpu_pool_create(1, &pool, &error), ARB_OK);
    arb_task_group_init(&group, pool);
    arb_query_context context = {.pool = pool, .group = &group, .drivers = 1, .batch_rows = ARB_VECTOR_ROWS};
    source->base = (arb_operator){.vtable = &source_vtable, .context = &context};
    watching->base = (arb_operator){.vtable = &sink_vtable, .context = &context};
    watching->source = source;
    *out = (outcome){0};
    assert_int_equal(sem_init(&out->over, 0, 0), 0);
    arb_split_order_init(&source->order, parts);
    assert_int_equal(arb_driver_create(&pipeline, &context, 0, out, ended, &driver, &error), ARB_OK);
    assert_int_equal(arb_task_submit(arb_driver_task(driver), &error), ARB_OK);
    while (sem_wait(&out->over) != 0) {
    }
    sem_destroy(&out->over);
    arb_cpu_pool_destroy(pool);
}

static void the_sink_learns_of_each_part(void **state)
{
    (void)state;
    sparse_source source = {.fails_at = SIZE_MAX};
    watching_sink watching = {0};
    outcome out;
    run(&source, &watching, &out);
    assert_int_equal(out.code, ARB_OK);
    assert_int_equal(watching.rows, 1);
    assert_true(watching.rows_sequence == arb_split_sequence(1, 0));
    assert_int_equal(watching.moves, parts); /* the parts but the first, and the end */
    for (size_t i = 1; i < parts; i++)
        assert_true(watching.watermarks[i - 1] == arb_split_sequence(i, 0));
    assert_true(watching.watermarks[parts - 1] >= arb_split_sequence(parts, 0));
}

static void an_error_is_where_the_source_was(void **state)
{
    (void)state;
    sparse_source source = {.fails_at = 3};
    watching_sink watching = {0};
    outcome out;
    run(&source, &watching, &out);
    assert_int_equal(out.code, ARB_CORRUPT_DATA);
    assert_string_equal(out.error.message, "part 3 is damaged");
    assert_true(out.sequence == arb_split_sequence(3, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sink_learns_of_each_part),
        cmocka_unit_test(an_error_is_where_the_source_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
