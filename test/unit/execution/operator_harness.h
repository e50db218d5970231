/* operator_harness.h: drives operators by hand: tables of whole numbers in, through threads that act as drivers, rows of
 * whole numbers out. A column's kind says what the operator sees of a number: an integer, a float, a text, codes of a
 * dictionary. So a test is written over numbers once and runs over all kinds. */
#ifndef ARB_TEST_OPERATOR_HARNESS_H
#define ARB_TEST_OPERATOR_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "execution/operators/operators.h"

#define T_NULL INT64_MIN

typedef enum t_kind { T_I32, T_I64, T_I128, T_F64, T_TEXT, T_CODES, T_BOOL, T_KINDS } t_kind;

typedef struct t_table {
    size_t columns, rows;
    t_kind kinds[8];
    int64_t *cells; /* row after row */
} t_table;

static inline uint64_t t_random(void)
{
    static _Thread_local uint64_t seed = 1;
    return seed = arb_hash_u64(seed);
}

/* Cells below `most`, about one in `null_in` NULL (0: none). */
static inline t_table t_make(size_t rows, size_t columns, const t_kind *kinds, const int64_t *most, unsigned null_in)
{
    t_table table = {.columns = columns, .rows = rows};
    table.cells = calloc(rows * columns + 1, sizeof(int64_t));
    memcpy(table.kinds, kinds, columns * sizeof *kinds);
    for (size_t i = 0; i < rows * columns; i++) {
        int64_t value = (int64_t)(t_random() % (uint64_t)most[i % columns]);
        if (kinds[i % columns] == T_BOOL)
            value %= 2;
        table.cells[i] = null_in != 0 && t_random() % null_in == 0 ? T_NULL : value;
    }
    return table;
}

static inline arb_slot t_slot(t_kind kind, uint32_t id)
{
    static const arb_physical physical[] = {ARB_PHYS_INT32,  ARB_PHYS_INT64,  ARB_PHYS_INT128, ARB_PHYS_FLOAT64,
                                            ARB_PHYS_STRING, ARB_PHYS_STRING, ARB_PHYS_BOOL};
    static const uint8_t types[] = {ARB_TYPE_INTEGER, ARB_TYPE_BIGINT,  ARB_TYPE_DECIMAL, ARB_TYPE_DOUBLE,
                                    ARB_TYPE_VARCHAR, ARB_TYPE_VARCHAR, ARB_TYPE_BOOLEAN};
    arb_slot slot = {.id = id, .type = {.id = types[kind]}, .physical = physical[kind], .nullable = true};
    if (kind == T_I128)
        slot.type = arb_type_decimal(38, 0);
    slot.range = arb_range_of_type(slot.type);
    return slot;
}

static inline arb_layout t_layout(const t_table *table, uint32_t first_id)
{
    arb_slot *slots = calloc(table->columns + 1, sizeof *slots);
    for (size_t c = 0; c < table->columns; c++)
        slots[c] = t_slot(table->kinds[c], first_id + (uint32_t)c);
    return (arb_layout){table->columns, slots};
}

/* A text of 4 to 30 bytes that starts with its number, so some are inline and some are not. */
static inline size_t t_text(int64_t value, char *out)
{
    return (size_t)snprintf(out, 64, "%04lld%.*s", (long long)value, (int)(value % 4 * 8),
                            "abcdefghijklmnopqrstuvwxyz");
}

/* Memory of the harness itself, out of the reach of arb_alloc_fail_at. */
typedef struct t_memory {
    void *blocks[4096];
    size_t count;
} t_memory;

static inline void *t_alloc(t_memory *memory, size_t size)
{
    assert_true(memory->count < ARB_COUNT_OF(memory->blocks));
    return memory->blocks[memory->count++] = calloc(1, size + 1);
}

static inline void t_memory_reset(t_memory *memory)
{
    while (memory->count != 0)
        free(memory->blocks[--memory->count]);
}

/* Rows [from, from + count) as a batch in the memory; with `holes` other rows stand between, not selected. */
static inline arb_batch *t_batch(t_memory *memory, const t_table *table, size_t from, size_t count, bool holes)
{
    static _Thread_local uint64_t dictionary_id;
    arb_batch *batch = t_alloc(memory, sizeof(arb_batch));
    uint32_t rows = (uint32_t)(holes ? ARB_MIN(count * 2, (size_t)ARB_VECTOR_ROWS) : count),
             skipped = rows - (uint32_t)count;
    uint64_t *selection = holes ? t_alloc(memory, sizeof(uint64_t) * (ARB_VECTOR_WORDS)) : NULL;
    size_t *source = t_alloc(memory, sizeof(size_t) * (rows + 1));
    for (uint32_t row = 0, next = 0; row < rows; row++) {
        bool skip = holes && skipped != 0 && (t_random() % 2 == 0 || next == count);
        source[row] = skip || next == count ? SIZE_MAX : from + next;
        if (skip)
            skipped--;
        else if (selection != NULL)
            arb_bitmap_set(selection, row);
        next += !skip;
    }
    *batch = (arb_batch){.rows = rows, .selected = (uint32_t)count, .selection = selection, .sequence = from};
    batch->column_count = (uint32_t)table->columns;
    batch->columns = t_alloc(memory, sizeof(arb_vector) * (table->columns + 1));
    for (size_t c = 0; c < table->columns; c++) {
        arb_vector *vector = &batch->columns[c];
        vector->physical = (uint8_t)t_slot(table->kinds[c], 0).physical;
        size_t width = ARB_MAX(arb_physical_size((arb_physical)vector->physical), (size_t)4);
        vector->values.data = t_alloc(memory, rows * width + ARB_VECTOR_PADDING);
        uint64_t *validity = t_alloc(memory, sizeof(uint64_t) * (ARB_VECTOR_WORDS));
        arb_vector *entries = t_alloc(memory, sizeof(arb_vector));
        bool has_null = false;
        char *texts = t_alloc(memory, (size_t)rows * 64);
        if (table->kinds[c] == T_CODES) { /* a dictionary of its own a batch: the distinct entries may repeat */
            *entries = (arb_vector){.physical = ARB_PHYS_STRING};
            entries->values.data = t_alloc(memory, (rows + 1) * 16 + ARB_VECTOR_PADDING);
            vector->encoding = ARB_DICTIONARY;
            vector->dictionary = entries;
            vector->dictionary_size = rows + 1;
            dictionary_id = arb_dictionary_id_next();
            vector->dictionary_id = dictionary_id;
        }
        for (uint32_t row = 0; row < rows; row++) {
            int64_t value = source[row] == SIZE_MAX ? 77 : table->cells[source[row] * table->columns + c];
            arb_bitmap_put(validity, row, value != T_NULL);
            has_null |= value == T_NULL;
            if (value == T_NULL)
                value = 0;
            arb_string text = {0};
            if (table->kinds[c] == T_TEXT || table->kinds[c] == T_CODES) {
                char *bytes = texts + (size_t)row * 64;
                text = arb_string_of(bytes, t_text(value, bytes));
            }
            switch (table->kinds[c]) {
            case T_I32:
                vector->values.i32[row] = (int32_t)value;
                break;
            case T_I64:
                vector->values.i64[row] = value;
                break;
            case T_I128:
                vector->values.i128[row] = value;
                break;
            case T_F64:
                vector->values.f64[row] = value == 0 && row % 2 != 0 ? -0.0 : (double)value;
                break;
            case T_TEXT:
                vector->values.string[row] = text;
                break;
            case T_BOOL:
                arb_bitmap_put(vector->values.bits, row, value != 0);
                break;
            default:
                vector->values.codes[row] = row;
                entries->values.string[row] = text;
                break;
            }
        }
        vector->validity = has_null ? validity : NULL;
    }
    return batch;
}

static inline int64_t t_cell(const arb_vector *vector, size_t row)
{
    if (!arb_vector_is_valid(vector, row))
        return T_NULL;
    if (vector->physical == ARB_PHYS_BOOL)
        return arb_vector_get_bool(vector, row);
    if (vector->physical == ARB_PHYS_FLOAT64 || vector->physical == ARB_PHYS_FLOAT32)
        return (int64_t)arb_vector_get_double(vector, row);
    if (vector->physical != ARB_PHYS_STRING)
        return (int64_t)arb_vector_get_integer(vector, row);
    arb_str text = arb_vector_get_text(vector, row);
    char copy[64] = {0}, again[64];
    assert_true(text.size < sizeof copy);
    memcpy(copy, text.data, text.size);
    int64_t value = strtoll(copy, NULL, 10);
    assert_int_equal(t_text(value, again), text.size); /* all of the text arrived */
    assert_memory_equal(copy, again, text.size);
    return value;
}

/* Collected rows; appended under a lock. */
typedef struct t_rows {
    pthread_mutex_t lock;
    size_t columns, rows, capacity;
    int64_t *cells;
} t_rows;

static inline void t_collect(t_rows *out, const arb_batch *batch, const arb_query_context *context)
{
    assert_true(batch->selected <= batch->rows && batch->rows <= ARB_VECTOR_ROWS && batch->selected > 0);
    assert_int_equal(batch->selected, arb_bitmap_count(batch->selection, batch->rows));
    (void)context;
    pthread_mutex_lock(&out->lock);
    assert_true(out->columns == 0 || out->columns == batch->column_count);
    out->columns = batch->column_count;
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        if (out->rows == out->capacity) {
            out->capacity = out->capacity * 2 + 64;
            out->cells = realloc(out->cells, out->capacity * (out->columns + 1) * sizeof(int64_t));
        }
        for (size_t c = 0; c < out->columns; c++)
            out->cells[out->rows * out->columns + c] = t_cell(&batch->columns[c], row);
        out->rows++;
    }
    pthread_mutex_unlock(&out->lock);
}

static inline void t_append(t_rows *out, size_t columns, const int64_t *cells)
{
    out->columns = columns;
    if (out->rows == out->capacity) {
        out->capacity = out->capacity * 2 + 64;
        out->cells = realloc(out->cells, out->capacity * (columns + 1) * sizeof(int64_t));
    }
    memcpy(out->cells + out->rows++ * columns, cells, columns * sizeof *cells);
}

static size_t t_compare_columns;
static inline int t_compare(const void *a_void, const void *b_void)
{
    const int64_t *a = a_void, *b = b_void;
    for (size_t i = 0; i < t_compare_columns; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* The same rows, in any order. */
static inline void t_expect(t_rows *got, t_rows *expected)
{
    assert_int_equal(got->rows, expected->rows);
    if (got->rows != 0) {
        assert_int_equal(got->columns, expected->columns);
        t_compare_columns = got->columns;
        qsort(got->cells, got->rows, got->columns * sizeof(int64_t), t_compare);
        qsort(expected->cells, expected->rows, expected->columns * sizeof(int64_t), t_compare);
        assert_memory_equal(got->cells, expected->cells, got->rows * got->columns * sizeof(int64_t));
    }
    free(got->cells);
    free(expected->cells);
    got->cells = expected->cells = NULL;
}

/* ---- drivers ------------------------------------------------------------------------------------------------------------ */

typedef struct t_world {
    arb_governor governor;
    arb_memory memory;
    arb_query_context context;
    bool holes; /* batches with rows that are not selected */
} t_world;

static inline void t_world_init(t_world *world, unsigned drivers, uint32_t batch_rows)
{
    *world = (t_world){0};
    arb_governor_init(&world->governor, (uint64_t)4 << 30);
    arb_memory_init(&world->memory, &world->governor);
    world->context.memory = &world->memory;
    world->context.drivers = drivers;
    world->context.batch_rows = batch_rows;
    world->context.spill_folder = "/tmp";
    world->context.ceiling = UINT64_MAX;
}

typedef struct t_run {
    t_world *world;
    arb_operator *transform, *sink, *source; /* those that are not NULL */
    const t_table *table;
    t_rows *out;
    void (*take)(void *context, const arb_batch *batch); /* instead of `out`; one call at a time */
    void *take_context;
    _Atomic size_t next; /* row of the table */
    arb_code code;
    arb_error error;
    pthread_mutex_t lock;
} t_run;

typedef struct t_driver {
    t_run *run;
    uint32_t number;
} t_driver;

static inline void t_fail(t_run *run, arb_code code, const arb_error *error)
{
    pthread_mutex_lock(&run->lock);
    if (run->code == ARB_OK) {
        run->code = code;
        run->error = *error;
    }
    pthread_mutex_unlock(&run->lock);
}

static inline void t_give(t_run *run, const arb_batch *batch)
{
    if (run->take == NULL) {
        t_collect(run->out, batch, &run->world->context);
        return;
    }
    pthread_mutex_lock(&run->lock);
    run->take(run->take_context, batch);
    pthread_mutex_unlock(&run->lock);
}

static inline void *t_drive(void *driver_void)
{
    t_driver *me = driver_void;
    t_run *run = me->run;
    arb_driver driver = {.context = &run->world->context, .number = me->number};
    arb_error error = {0};
    arb_code code = ARB_OK;
    void *source = NULL, *transform = NULL, *sink = NULL;
    t_memory memory = {0};
    if (run->source != NULL)
        code = run->source->vtable->source_create(run->source, &driver, &source, &error);
    if (code == ARB_OK && run->transform != NULL)
        code = run->transform->vtable->transform_create(run->transform, &driver, &transform, &error);
    if (code == ARB_OK && run->sink != NULL)
        code = run->sink->vtable->sink_create(run->sink, &driver, &sink, &error);
    for (bool over = false; code == ARB_OK && !over;) {
        const arb_batch *in = NULL;
        arb_flow flow = ARB_FLOW_NEED_INPUT;
        if (run->source != NULL) {
            code = run->source->vtable->pull(run->source, source, &in, &flow, &error);
            over = flow == ARB_FLOW_DONE;
            if (code == ARB_OK && in != NULL)
                t_give(run, in);
            continue;
        }
        uint32_t step = run->world->context.batch_rows;
        if (run->world->holes)
            step = (step + 1) / 2;
        size_t at = atomic_fetch_add(&run->next, step);
        over = at >= run->table->rows;
        if (over)
            break;
        t_memory_reset(&memory);
        in = t_batch(&memory, run->table, at, ARB_MIN((size_t)step, run->table->rows - at), run->world->holes);
        if (run->sink != NULL) {
            code = run->sink->vtable->sink(run->sink, sink, in, &flow, &error);
            continue;
        }
        do {
            const arb_batch *out = NULL;
            code = run->transform->vtable->push(run->transform, transform, in, &out, &flow, &error);
            if (code == ARB_OK && out != NULL)
                t_give(run, out);
        } while (code == ARB_OK && flow == ARB_FLOW_HAVE_OUTPUT);
        over = flow == ARB_FLOW_DONE;
    }
    for (bool more = run->transform != NULL && run->transform->vtable->flush != NULL; code == ARB_OK && more;) {
        const arb_batch *out = NULL;
        arb_flow flow = ARB_FLOW_NEED_INPUT;
        code = run->transform->vtable->flush(run->transform, transform, &out, &flow, &error);
        if (code == ARB_OK && out != NULL)
            t_give(run, out);
        more = flow == ARB_FLOW_HAVE_OUTPUT;
    }
    if (code == ARB_OK && run->sink != NULL)
        code = run->sink->vtable->combine(run->sink, sink, &error);
    if (source != NULL)
        run->source->vtable->source_destroy(run->source, source);
    if (transform != NULL)
        run->transform->vtable->transform_destroy(run->transform, transform);
    if (sink != NULL)
        run->sink->vtable->sink_destroy(run->sink, sink);
    t_memory_reset(&memory);
    if (code != ARB_OK)
        t_fail(run, code, &error);
    return NULL;
}

static inline arb_code t_pipeline(t_run *run, unsigned drivers)
{
    pthread_t threads[16];
    t_driver numbers[16];
    for (unsigned i = 0; i < drivers; i++) {
        numbers[i] = (t_driver){run, i};
        assert_int_equal(pthread_create(&threads[i], NULL, t_drive, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < drivers; i++)
        pthread_join(threads[i], NULL);
    if (run->code != ARB_OK && run->code != ARB_CARDINALITY_VIOLATION && run->code != ARB_OUT_OF_MEMORY)
        fail_msg("%s", run->error.message);
    return run->code;
}

typedef struct t_part {
    t_run *run;
    _Atomic uint32_t *next;
    uint32_t parts;
} t_part;

static inline void *t_finish_part(void *part_void)
{
    t_part *part = part_void;
    for (uint32_t at; (at = atomic_fetch_add(part->next, 1)) < part->parts;) {
        arb_error error = {0};
        arb_code code = part->run->sink->vtable->finish_part(part->run->sink, at, &error);
        if (code != ARB_OK)
            t_fail(part->run, code, &error);
    }
    return NULL;
}

/* Feed a table to a sink and finish it. */
static inline arb_code t_sink(t_world *world, arb_operator *op, const t_table *table)
{
    t_run run = {.world = world, .sink = op, .table = table, .lock = PTHREAD_MUTEX_INITIALIZER};
    if (t_pipeline(&run, world->context.drivers) != ARB_OK)
        return run.code;
    _Atomic uint32_t next = 0;
    t_part part = {&run, &next, op->vtable->finish_parts != NULL ? op->vtable->finish_parts(op) : 0};
    pthread_t threads[16];
    for (unsigned i = 0; i < world->context.drivers; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, t_finish_part, &part), 0);
    for (unsigned i = 0; i < world->context.drivers; i++)
        pthread_join(threads[i], NULL);
    if (run.code == ARB_OK && op->vtable->finish != NULL)
        run.code = op->vtable->finish(op, &run.error);
    if (run.code != ARB_OK && run.code != ARB_OUT_OF_MEMORY)
        fail_msg("%s", run.error.message);
    return run.code;
}

static inline arb_code t_transform(t_world *world, arb_operator *op, const t_table *table, t_rows *out)
{
    t_run run = {.world = world, .transform = op, .table = table, .out = out, .lock = PTHREAD_MUTEX_INITIALIZER};
    return t_pipeline(&run, world->context.drivers);
}

/* All rows by one driver, and so in the source's order. */
static inline arb_code t_source_in_order(t_world *world, arb_operator *op, t_rows *out)
{
    t_run run = {.world = world, .source = op, .out = out, .lock = PTHREAD_MUTEX_INITIALIZER};
    return t_pipeline(&run, 1);
}

static inline arb_code t_source(t_world *world, arb_operator *op, t_rows *out)
{
    t_run run = {.world = world, .source = op, .out = out, .lock = PTHREAD_MUTEX_INITIALIZER};
    uint32_t drivers = op->vtable->source_parallelism != NULL ? op->vtable->source_parallelism(op) : 1;
    assert_true(drivers >= 1 && drivers <= ARB_MAX(world->context.drivers, 1u));
    return t_pipeline(&run, drivers);
}

/* Run `once` with the first, the second, … allocation failing until it needs no more of them; it must then succeed, and
 * before that fail cleanly. */
static inline void t_each_allocation_fails(arb_code (*once)(void *context), void *context)
{
    for (uint64_t n = 1;; n += 1 + n / 50) {
        arb_alloc_fail_at(n, false);
        arb_code code = once(context);
        bool failed = arb_alloc_count() >= n;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || (failed && code == ARB_OUT_OF_MEMORY));
        if (!failed)
            return;
    }
}

#endif
