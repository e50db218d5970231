/* Scans of files whose bytes are there, come late, never come or cannot be read. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "catalog/table.h"
#include "execution/execute.h"
#include "formats/csv.h"
#include "formats/parquet.h"
#include "formats/writer.h"

enum { rows = 60000, row_group_rows = 7000, limit_of_limit = 100 };

/* ---- a source ---------------------------------------------------------------------------------------------------- */

enum { threads_most = 64 };

/* The threads that called a function. */
typedef struct callers {
    _Atomic uint32_t count;
    pthread_t threads[threads_most];
} callers;

static void note_caller(callers *list)
{
    uint32_t count = atomic_load(&list->count);
    for (uint32_t i = 0; i < count; i++)
        if (pthread_equal(list->threads[i], pthread_self()))
            return;
    list->threads[count] = pthread_self();
    atomic_store(&list->count, count + 1);
}

/* How a source behaves; shared with the test, which outlives it. */
typedef struct behaviour {
    unsigned there;      /* percent of the attempts that give all at once */
    _Atomic bool shut;   /* reads do not come to an end */
    _Atomic int hanging; /* reads that wait for that */
    int64_t fail_at;     /* which read fails; 0 = none */
    _Atomic int64_t reads;
    _Atomic int closed;
    pthread_mutex_t lock; /* of the lists */
    callers triers, readers;
} behaviour;

typedef struct slow_source {
    arb_byte_source base;
    behaviour *how;
    const char *data;
} slow_source;

static void slow_destroy(arb_byte_source *base)
{
    slow_source *source = (slow_source *)base;
    atomic_fetch_add(&source->how->closed, 1);
    arb_free(source);
}

static arb_code slow_read(const arb_byte_source *base, uint64_t offset, void *to, size_t size, arb_error *error)
{
    const slow_source *source = (const slow_source *)base;
    behaviour *how = source->how;
    pthread_mutex_lock(&how->lock);
    note_caller(&how->readers);
    pthread_mutex_unlock(&how->lock);
    atomic_fetch_add(&how->hanging, 1);
    while (atomic_load(&how->shut))
        usleep(200);
    atomic_fetch_sub(&how->hanging, 1);
    if (atomic_fetch_add(&how->reads, 1) + 1 == how->fail_at)
        return arb_fail(error, ARB_IO, "the disk is gone");
    memcpy(to, source->data + offset, size);
    return ARB_OK;
}

static size_t slow_try(const arb_byte_source *base, uint64_t offset, void *to, size_t size)
{
    const slow_source *source = (const slow_source *)base;
    pthread_mutex_lock(&source->how->lock);
    note_caller(&source->how->triers);
    pthread_mutex_unlock(&source->how->lock);
    uint64_t random = arb_hash_u64(offset * 31 + size);
    if (random % 100 >= source->how->there)
        size = source->how->there == 0 ? 0 : (size_t)(random / 100 % size);
    memcpy(to, source->data + offset, size);
    return size;
}

static arb_byte_source *open_slow(behaviour *how, arb_str data, size_t read_ahead)
{
    static const arb_byte_source_vtable vtable = {.destroy = slow_destroy, .read = slow_read, .try_read = slow_try};
    slow_source *source = arb_alloc_zeroed(sizeof *source);
    if (source != NULL)
        *source = (slow_source){
            {.vtable = &vtable, .path = ARB_STR("slow"), .identity = {.size = data.size}, .read_ahead = read_ahead},
            how,
            data.data};
    return source != NULL ? &source->base : NULL;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Column n counts from 0; column t is a text that depends on n. */
static arb_str text_of(int64_t n, char text[40])
{
    int size = snprintf(text, 40, "text number %llu", (unsigned long long)(arb_hash_u64((uint64_t)n) % 50000));
    return (arb_str){text, (size_t)size};
}

static void make_csv(arb_text *out)
{
    arb_text_append_str(out, ARB_STR("n,t\n"));
    for (int n = 0; n < rows; n++) {
        char text[40];
        arb_text_printf(out, "%d,\"%s", n, text_of(n, text).data);
        arb_text_append_str(out, n % 1000 == 0 ? ARB_STR("\nof two lines\"\n") : ARB_STR("\"\n"));
    }
}

static void make_parquet(arb_text *out)
{
    static const arb_str names[] = {{"n", 1}, {"t", 1}};
    const arb_type types[] = {ARB_TYPE(BIGINT), ARB_TYPE(VARCHAR)};
    static int64_t numbers[ARB_VECTOR_ROWS];
    static arb_string texts[ARB_VECTOR_ROWS];
    const arb_parquet_write_options options = {.row_group_rows = row_group_rows};
    arb_table_schema schema = {2, names, types, NULL};
    arb_byte_sink *sink;
    arb_table_writer *writer;
    arb_error error = {0};
    assert_int_equal(arb_byte_sink_create_memory(out, &sink, &error), ARB_OK);
    assert_int_equal(arb_parquet_writer_create(sink, &schema, &options, &writer, &error), ARB_OK);
    for (int first = 0; first < rows; first += ARB_VECTOR_ROWS) {
        arb_arena arena = {0};
        uint32_t count = (uint32_t)ARB_MIN(rows - first, ARB_VECTOR_ROWS);
        for (uint32_t i = 0; i < count; i++) {
            char text[40];
            numbers[i] = first + (int)i;
            arb_str copy = arb_str_copy(&arena, text_of(numbers[i], text));
            texts[i] = arb_string_of(copy.data, (uint32_t)copy.size);
        }
        arb_vector vectors[] = {
            {.physical = ARB_PHYS_INT64, .encoding = ARB_FLAT, .values = {.data = numbers}},
            {.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values = {.data = texts}},
        };
        arb_batch batch = {.rows = count, .selected = count, .column_count = 2, .columns = vectors};
        assert_int_equal(arb_table_writer_append(writer, &batch, &error), ARB_OK);
        arb_arena_reset(&arena);
    }
    assert_int_equal(arb_table_writer_finish(writer, &error), ARB_OK);
    arb_table_writer_destroy(writer);
}

typedef struct files {
    arb_text csv, parquet;
} files;

static int make_files(void **state)
{
    static files made;
    make_csv(&made.csv);
    make_parquet(&made.parquet);
    *state = &made;
    return made.csv.failed || made.parquet.failed;
}

static int drop_files(void **state)
{
    files *made = *state;
    arb_text_reset(&made->csv);
    arb_text_reset(&made->parquet);
    return 0;
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

typedef struct settings {
    behaviour *how;
    unsigned threads;
    bool force, no_io_pool;
    bool has_filter;         /* n % 10 = 3, as n is compared with a text's hash: see below */
    int64_t limit;           /* 0 = none */
    int64_t cancel_after_ms; /* 0 = never */
} settings;

typedef struct outcome {
    arb_code code;
    uint64_t rows;
    int64_t sum, last;
    bool in_order;
    int64_t end_ms; /* from the cancellation to the end */
    uint64_t peak;
    arb_error error;
} outcome;

typedef struct query {
    arb_arena arena;
    arb_table table;
    arb_table_file *file;
    arb_scan_column columns[2];
    arb_slot slots[2];
    arb_physical_node nodes[2];
    const arb_physical_node *child;
    const arb_expr *filters[1];
    arb_physical_plan plan;
} query;

static const uint32_t both_columns[] = {0, 1};
static const arb_str column_names[] = {{"n", 1}, {"t", 1}};

static void make_plan(query *q, const settings *s)
{
    q->table = (arb_table){.name = ARB_STR("slow"),
                           .column_count = 2,
                           .columns = q->file->columns,
                           .rows = q->file->rows,
                           .file_count = 1,
                           .files = &q->file};
    for (uint32_t i = 0; i < 2; i++) {
        arb_type type = q->file->columns[i].type;
        q->columns[i] = (arb_scan_column){.source = i, .physical = arb_type_physical(type)};
        q->slots[i] = (arb_slot){.id = i + 1, .type = type, .physical = arb_type_physical(type), .nullable = true};
        q->slots[i].range = arb_range_of_type(type);
    }
    arb_layout layout = {2, q->slots};
    q->nodes[0] = (arb_physical_node){.kind = ARB_PHYSICAL_SCAN, .layout = layout};
    q->nodes[0].scan.table = &q->table;
    q->nodes[0].scan.column_count = 2;
    q->nodes[0].scan.columns = q->columns;
    q->nodes[0].scan.read = layout;
    q->nodes[0].scan.limit = -1;
    if (s->has_filter) {
        arb_value bound = {.type = ARB_TYPE(BIGINT), .integer = rows - 5000};
        q->filters[0] = arb_expr_compare(&q->arena, ARB_GREATER, arb_expr_column(&q->arena, 1, ARB_TYPE(BIGINT)),
                                         arb_expr_constant(&q->arena, bound));
        q->nodes[0].scan.filters = q->filters;
        q->nodes[0].scan.filter_count = 1;
    }
    q->child = &q->nodes[0];
    q->nodes[1] = (arb_physical_node){
        .kind = ARB_PHYSICAL_LIMIT, .number = 1, .layout = layout, .child_count = 1, .children = &q->child};
    q->nodes[1].limit.count = s->limit;
    q->plan = (arb_physical_plan){.root = s->limit != 0 ? &q->nodes[1] : &q->nodes[0],
                                  .node_count = 2,
                                  .column_count = 2,
                                  .columns = both_columns,
                                  .names = column_names};
}

typedef struct canceller {
    arb_execution *execution;
    int64_t after_ms;
    int64_t at_ns;
} canceller;

static void *cancel_later(void *argument)
{
    canceller *c = argument;
    usleep((useconds_t)c->after_ms * 1000);
    c->at_ns = arb_clock_monotonic_ns();
    arb_execution_cancel(c->execution);
    return NULL;
}

static void take_rows(arb_execution *execution, outcome *out)
{
    out->last = -1;
    out->in_order = true;
    for (;;) {
        const arb_batch *batch;
        out->code = arb_execution_next(execution, &batch, &out->error);
        if (out->code != ARB_OK || batch == NULL)
            return;
        for (uint32_t row = 0; row < batch->rows; row++) {
            int64_t n = (int64_t)arb_vector_get_integer(&batch->columns[0], row);
            char memory[40];
            arb_str text = text_of(n, memory), found = arb_vector_get_text(&batch->columns[1], row);
            assert_true(found.size >= text.size && memcmp(found.data, text.data, text.size) == 0);
            out->in_order = out->in_order && n > out->last;
            out->last = n;
            out->sum += n;
        }
        out->rows += batch->rows;
    }
}

/* Open the file, run the query, close all. `data` begins with "PAR1" or is CSV. */
static outcome run(arb_str data, const settings *s)
{
    outcome out = {0};
    query q = {0};
    arb_cpu_pool *cpu = NULL;
    arb_io_pool *io = NULL;
    arb_governor governor;
    arb_execution *execution = NULL;
    arb_governor_init(&governor, 1 << 30);
    bool is_parquet = memcmp(data.data, "PAR1", 4) == 0;
    bool shut = atomic_load(&s->how->shut);
    atomic_store(&s->how->shut, false); /* opening is the planner's */
    pthread_mutex_init(&s->how->lock, NULL);
    arb_byte_source *source = open_slow(s->how, data, is_parquet ? 2000 : 6000);
    out.code = source == NULL ? ARB_OUT_OF_MEMORY
               : is_parquet   ? arb_parquet_open(source, &q.file, &out.error)
                              : arb_csv_open(source, &(arb_csv_options){.range_bytes = 100000}, &q.file, &out.error);
    if (out.code == ARB_OK)
        out.code = arb_cpu_pool_create(s->threads, &cpu, &out.error);
    if (out.code == ARB_OK && !s->no_io_pool)
        out.code = arb_io_pool_create(3, &io, &out.error);
    if (out.code == ARB_OK) {
        make_plan(&q, s);
        s->how->triers.count = s->how->readers.count = 0;
        atomic_store(&s->how->reads, 0);
        atomic_store(&s->how->shut, shut);
        arb_execution_options options = {.pool = cpu, .io = io, .governor = &governor, .force_async_io = s->force};
        out.code = arb_execution_start(&q.plan, &options, &execution, &out.error);
    }
    if (out.code == ARB_OK) {
        canceller c = {execution, s->cancel_after_ms, 0};
        pthread_t thread;
        if (s->cancel_after_ms != 0)
            assert_int_equal(pthread_create(&thread, NULL, cancel_later, &c), 0);
        take_rows(execution, &out);
        if (s->cancel_after_ms != 0)
            pthread_join(thread, NULL);
        out.peak = arb_execution_peak_memory(execution);
        arb_execution_destroy(execution);
        out.end_ms = (arb_clock_monotonic_ns() - c.at_ns) / 1000000;
    }
    assert_int_equal(atomic_load(&governor.used), 0);
    if (q.file != NULL)
        q.file->vtable->destroy(q.file);
    atomic_store(&s->how->shut, false);
    arb_cpu_pool_destroy(cpu);
    arb_io_pool_destroy(io);
    arb_arena_reset(&q.arena);
    pthread_mutex_destroy(&s->how->lock);
    return out;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static const unsigned thread_counts[] = {1, 2, 7};

static void rows_are_the_same_whether_bytes_are_there_or_not(void **state)
{
    const files *made = *state;
    static const unsigned there[] = {100, 50, 0};
    for (int parquet = 0; parquet < 2; parquet++)
        for (int filtered = 0; filtered < 2; filtered++)
            for (size_t t = 0; t < ARB_COUNT_OF(thread_counts); t++)
                for (size_t i = 0; i < ARB_COUNT_OF(there); i++)
                    for (int way = 0; way < 3; way++) {
                        behaviour how = {.there = there[i]};
                        settings s = {.how = &how,
                                      .threads = thread_counts[t],
                                      .force = way == 1,
                                      .no_io_pool = way == 2,
                                      .has_filter = filtered};
                        outcome out = run(arb_text_view(parquet ? &made->parquet : &made->csv), &s);
                        int64_t first = filtered ? rows - 4999 : 0;
                        assert_int_equal(out.code, ARB_OK);
                        assert_int_equal(out.rows, rows - first);
                        assert_int_equal(out.sum, (int64_t)(rows - first) * (first + rows - 1) / 2);
                        assert_true(out.in_order);
                        assert_true(out.peak > 20000);
                        assert_int_equal(atomic_load(&how.closed), 1);
                    }
}

static void threads_that_compute_do_not_wait(void **state)
{
    const files *made = *state;
    for (int parquet = 0; parquet < 2; parquet++) {
        behaviour how = {.there = 30};
        settings s = {.how = &how, .threads = 3};
        outcome out = run(arb_text_view(parquet ? &made->parquet : &made->csv), &s);
        assert_int_equal(out.rows, rows);
        assert_true(how.readers.count >= 1 && how.readers.count <= 3);
        assert_true(how.triers.count >= 1);
        uint32_t both = 0; /* I/O threads try before they read ahead */
        for (uint32_t i = 0; i < how.triers.count; i++)
            for (uint32_t j = 0; j < how.readers.count; j++)
                both += pthread_equal(how.triers.threads[i], how.readers.threads[j]) != 0;
        assert_true(how.triers.count > both);
        /* whoever tries and never reads computes: at most as many as there are such threads */
        assert_true(how.triers.count - both <= s.threads);
    }
}

/* No read ever ends, and yet the query does, at once. What was to be written to goes when the reads are through. */
static void cancelling_does_not_wait_for_reads(void **state)
{
    const files *made = *state;
    for (int parquet = 0; parquet < 2; parquet++)
        for (size_t t = 0; t < ARB_COUNT_OF(thread_counts); t++) {
            behaviour how = {.there = 0, .shut = true};
            settings s = {.how = &how, .threads = thread_counts[t], .cancel_after_ms = 20};
            outcome out = run(arb_text_view(parquet ? &made->parquet : &made->csv), &s);
            assert_int_equal(out.code, ARB_CANCELLED);
            assert_int_equal(out.rows, 0);
            assert_true(out.end_ms < 500); /* some ms, on a machine that does nothing else */
            assert_int_equal(atomic_load(&how.closed), 1);
            assert_int_equal(atomic_load(&how.hanging), 0);
        }
}

static void cancelling_at_any_moment_is_clean(void **state)
{
    const files *made = *state;
    for (int round = 0; round < 60; round++) {
        behaviour how = {.there = (unsigned)round % 4 * 30};
        settings s = {.how = &how, .threads = 3, .force = round % 8 == 0, .cancel_after_ms = 1 + round % 17};
        outcome out = run(arb_text_view(round % 2 ? &made->parquet : &made->csv), &s);
        assert_true(out.code == ARB_CANCELLED || (out.code == ARB_OK && out.rows == rows));
        assert_int_equal(atomic_load(&how.closed), 1);
    }
}

static void a_read_that_fails_ends_the_query(void **state)
{
    const files *made = *state;
    for (int parquet = 0; parquet < 2; parquet++)
        for (int64_t at = 1; at < 60; at += 7) {
            behaviour how = {.there = 0, .fail_at = at};
            settings s = {.how = &how, .threads = 3};
            outcome out = run(arb_text_view(parquet ? &made->parquet : &made->csv), &s);
            /* Parquet files are small: that many reads need not be necessary. But none is done that is not. */
            bool failed = atomic_load(&how.reads) >= at;
            assert_int_equal(out.code, failed ? ARB_IO : ARB_OK);
            assert_true(!failed || strstr(out.error.message, "the disk is gone") != NULL);
            assert_true(failed || (parquet && at > 15));
            assert_int_equal(atomic_load(&how.closed), 1);
        }
}

static void a_limit_ends_it_while_reads_run(void **state)
{
    const files *made = *state;
    for (int parquet = 0; parquet < 2; parquet++)
        for (size_t t = 0; t < ARB_COUNT_OF(thread_counts); t++) {
            behaviour how = {.there = 0};
            settings s = {.how = &how, .threads = thread_counts[t], .limit = limit_of_limit};
            outcome out = run(arb_text_view(parquet ? &made->parquet : &made->csv), &s);
            assert_int_equal(out.code, ARB_OK);
            assert_int_equal(out.rows, limit_of_limit);
            assert_int_equal(out.sum, limit_of_limit * (limit_of_limit - 1) / 2);
            assert_int_equal(atomic_load(&how.closed), 1);
        }
}

static void each_allocation_may_fail(void **state)
{
#ifdef ARB_FAILPOINTS
    const files *made = *state;
    for (int parquet = 0; parquet < 2; parquet++) {
        behaviour how = {.there = 20};
        settings s = {.how = &how, .threads = 2, .limit = 3000};
        arb_str data = arb_text_view(parquet ? &made->parquet : &made->csv);
        arb_alloc_fail_at(0, false);
        outcome whole = run(data, &s);
        uint64_t count = arb_alloc_count(), failed = 0;
        assert_int_equal(whole.code, ARB_OK);
        uint64_t step = count / 200 + 1; /* reads make many that are alike */
        for (uint64_t n = 1; n <= count; n += step) {
            arb_alloc_fail_at(n, n % 5 == 0);
            outcome out = run(data, &s);
            arb_alloc_fail_at(0, false);
            if (out.code == ARB_OK)
                assert_int_equal(out.sum, whole.sum);
            else
                assert_int_equal(out.code, ARB_OUT_OF_MEMORY);
            failed += out.code != ARB_OK;
        }
        assert_true(failed > 10);
    }
#else
    (void)state;
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_whether_bytes_are_there_or_not),
        cmocka_unit_test(threads_that_compute_do_not_wait),
        cmocka_unit_test(cancelling_does_not_wait_for_reads),
        cmocka_unit_test(cancelling_at_any_moment_is_clean),
        cmocka_unit_test(a_read_that_fails_ends_the_query),
        cmocka_unit_test(a_limit_ends_it_while_reads_run),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_files, drop_files);
}
