/* tpch_export.c: threads take ranges of units in order, largest table first. Each makes the rows of its range, encodes
 * them as a part of the table's file, waits until all parts before it are in the file, and puts it there. The range that
 * comes first is always being worked on, so nobody waits for ever, and no thread holds more than one part. */
#include "catalog/generators/tpch_export.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "catalog/generators/tpch_generator.h"
#include "formats/writer.h"
#include "runtime/cpu_pool.h"

enum {
    RANGE_ROWS = 122400, /* on average: a row group of lineitem then stays below 122,880 rows, which is whole pages */
    LINES_AVERAGE = 4,
    THREADS_MOST = 256,
};

typedef struct table_state {
    arb_tpch_table_id id;
    arb_table_schema schema;
    arb_table_writer *writer; /* made with the first range */
    int64_t range_units, ranges, units;
    int64_t unit_rows; /* on average */
    int64_t taken;     /* ranges given to threads */
    int64_t put;       /* ranges in the file */
} table_state;

typedef struct exporter {
    double scale;
    const char *folder;
    arb_tpch_format format;
    arb_tpch_progress_callback progress;
    void *context;
    arb_tpch_text *text;
    arb_arena arena; /* schemas */

    pthread_mutex_t lock; /* over all below */
    pthread_cond_t moved; /* a part was put, or something failed */
    table_state tables[ARB_TPCH_TABLE_COUNT];
    size_t first_open; /* tables before it have all their ranges taken */
    arb_tpch_progress done;
    double rows_done, rows_all; /* by the average, for the fraction */
    arb_code code;
    arb_error error;
} exporter;

/* A thread's own: the part it fills, and vectors over the generator's arrays. */
typedef struct worker {
    exporter *shared;
    pthread_t thread;
    table_state *table; /* that the part is of */
    arb_table_part *part;
    arb_vector columns[ARB_TPCH_COLUMNS_MAX];
    arb_vector dictionaries[ARB_TPCH_COLUMNS_MAX];
    arb_vector_storage storage[ARB_TPCH_COLUMNS_MAX]; /* codes of words, strings of texts */
    arb_arena words;
} worker;

/* ---- rows as batches --------------------------------------------------------------------------------------------- */

static void reset_vectors(worker *w)
{
    for (size_t i = 0; i < ARB_TPCH_COLUMNS_MAX; i++)
        arb_vector_storage_reset(&w->storage[i]);
    arb_arena_reset(&w->words);
    memset(w->columns, 0, sizeof w->columns);
}

static arb_code prepare_words(worker *w, uint32_t column, const arb_tpch_words *words, arb_error *error)
{
    arb_string *entries = ARB_ARENA_ARRAY(&w->words, arb_string, words->size);
    if (entries == NULL)
        return arb_fail_memory(error, "TPC-H words", words->size * sizeof *entries);
    for (size_t i = 0; i < words->size; i++)
        entries[i] = arb_string_of(words->data[i].data, words->data[i].size);
    w->dictionaries[column] = (arb_vector){.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values.string = entries};
    w->columns[column] = (arb_vector){.physical = ARB_PHYS_STRING,
                                      .encoding = ARB_DICTIONARY,
                                      .values.data = w->storage[column].values,
                                      .dictionary = &w->dictionaries[column],
                                      .dictionary_size = (uint32_t)words->size,
                                      .dictionary_id = arb_dictionary_id_next()};
    return ARB_OK;
}

static arb_code prepare_vectors(worker *w, const arb_tpch_table *table, arb_error *error)
{
    reset_vectors(w);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const arb_tpch_column *column = &table->columns[i];
        w->columns[i].encoding = ARB_FLAT;
        switch (column->type) {
        case ARB_TPCH_INT64:
        case ARB_TPCH_DECIMAL:
            w->columns[i].physical = ARB_PHYS_INT64;
            break;
        case ARB_TPCH_INT32:
        case ARB_TPCH_DATE:
            w->columns[i].physical = ARB_PHYS_INT32;
            break;
        case ARB_TPCH_WORD:
            ARB_TRY(arb_vector_storage_init(&w->storage[i], ARB_PHYS_STRING, ARB_VECTOR_ROWS, error));
            ARB_TRY(prepare_words(w, i, column->words, error));
            break;
        case ARB_TPCH_TEXT:
            ARB_TRY(arb_vector_storage_init(&w->storage[i], ARB_PHYS_STRING, ARB_VECTOR_ROWS, error));
            w->columns[i] = arb_vector_over(&w->storage[i]);
            break;
        }
    }
    return ARB_OK;
}

static void fill_vector(arb_vector *vector, const arb_tpch_column *column, const arb_tpch_vector *from, size_t rows)
{
    switch (column->type) {
    case ARB_TPCH_INT64:
    case ARB_TPCH_DECIMAL:
        vector->values.i64 = from->int64;
        return;
    case ARB_TPCH_INT32:
    case ARB_TPCH_DATE:
        vector->values.i32 = from->int32;
        return;
    case ARB_TPCH_WORD:
        for (size_t i = 0; i < rows; i++)
            vector->values.codes[i] = from->word[i];
        return;
    case ARB_TPCH_TEXT: {
        const int32_t *offsets = from->text.offsets;
        for (size_t i = 0; i < rows; i++)
            vector->values.string[i] =
                arb_string_of(from->text.bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
        return;
    }
    }
}

static arb_code append_rows(worker *w, const arb_tpch_batch *from, arb_error *error)
{
    for (uint32_t i = 0; i < from->table->column_count; i++)
        fill_vector(&w->columns[i], &from->table->columns[i], &from->columns[i], from->row_count);
    arb_batch batch = {.rows = (uint32_t)from->row_count,
                       .selected = (uint32_t)from->row_count,
                       .column_count = from->table->column_count,
                       .columns = w->columns};
    return arb_table_part_append(w->part, &batch, error);
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

static arb_code make_part(worker *w, table_state *table, int64_t range, arb_error *error)
{
    if (w->table != table) {
        arb_table_part_destroy(w->part);
        w->part = NULL;
        w->table = table;
        ARB_TRY(arb_table_part_create(table->writer, &w->part, error));
        ARB_TRY(prepare_vectors(w, &arb_tpch_tables[table->id], error));
    }
    arb_table_part_clear(w->part);
    arb_tpch_generator *generator;
    ARB_TRY(arb_tpch_generator_create(table->id, w->shared->scale, w->shared->text, range * table->range_units,
                                      table->range_units, ARB_VECTOR_ROWS, &generator, error));
    arb_code code;
    const arb_tpch_batch *batch;
    while ((code = arb_tpch_generator_next(generator, &batch, error)) == ARB_OK && batch->row_count != 0)
        ARB_TRY_GOTO(code, append_rows(w, batch, error), done);
    if (code == ARB_OK)
        code = arb_table_part_encode(w->part, error);
done:
    arb_tpch_generator_destroy(generator);
    return code;
}

static arb_code open_writer(exporter *shared, table_state *table, arb_error *error)
{
    const char *suffix = shared->format == ARB_TPCH_CSV ? "csv" : "parquet";
    arb_str name = arb_tpch_tables[table->id].name;
    arb_text path = {0};
    arb_text_printf(&path, "%s/%.*s.%s", shared->folder, ARB_STR_ARGS(name), suffix);
    arb_byte_sink *sink = NULL;
    arb_code code = arb_text_check(&path, error);
    if (code == ARB_OK)
        code = arb_byte_sink_create_local(path.data, true, &sink, error);
    arb_text_reset(&path);
    if (code != ARB_OK)
        return code;
    return shared->format == ARB_TPCH_CSV
               ? arb_csv_table_writer_create(sink, &table->schema, NULL, &table->writer, error)
               : arb_parquet_writer_create(sink, &table->schema, NULL, &table->writer, error);
}

/* The next range, or no table when there is none. Called with the lock. */
static arb_code take_range(exporter *shared, table_state **out_table, int64_t *out_range, arb_error *error)
{
    *out_table = NULL;
    while (shared->first_open < ARB_TPCH_TABLE_COUNT) {
        table_state *table = &shared->tables[shared->first_open];
        if (table->taken == table->ranges) {
            shared->first_open++;
            continue;
        }
        if (table->writer == NULL)
            ARB_TRY(open_writer(shared, table, error));
        *out_table = table;
        *out_range = table->taken++;
        return ARB_OK;
    }
    return ARB_OK;
}

/* Called with the lock, as what follows. */
static arb_code report(exporter *shared, const table_state *table, int64_t range, uint64_t rows, uint64_t bytes,
                       arb_error *error)
{
    int64_t units = ARB_MIN(table->range_units, table->units - range * table->range_units);
    shared->rows_done += (double)(units * table->unit_rows);
    shared->done.table = arb_tpch_tables[table->id].name.data;
    shared->done.fraction = shared->rows_done / shared->rows_all;
    shared->done.rows += rows;
    shared->done.bytes += bytes;
    if (shared->progress != NULL && !shared->progress(shared->context, &shared->done))
        return arb_fail(error, ARB_CANCELLED, "generating TPC-H data was cancelled");
    return ARB_OK;
}

/* Wait for this part's turn and put it. Called with the lock, which is free while bytes are written. */
static arb_code put_part(worker *w, int64_t range, arb_error *error)
{
    exporter *shared = w->shared;
    table_state *table = w->table;
    while (table->put != range && shared->code == ARB_OK)
        pthread_cond_wait(&shared->moved, &shared->lock);
    if (shared->code != ARB_OK)
        return shared->code;
    pthread_mutex_unlock(&shared->lock);
    uint64_t before = table->writer->sink->written;
    arb_code code = arb_table_writer_put(table->writer, w->part, error);
    if (code == ARB_OK && range + 1 == table->ranges)
        code = arb_table_writer_finish(table->writer, error);
    uint64_t bytes = table->writer->sink->written - before;
    pthread_mutex_lock(&shared->lock);
    if (code == ARB_OK)
        code = report(shared, table, range, w->part->rows, bytes, error);
    table->put++;
    pthread_cond_broadcast(&shared->moved);
    return code;
}

static void *work(void *argument)
{
    worker *w = argument;
    exporter *shared = w->shared;
    arb_error error = {0};
    pthread_mutex_lock(&shared->lock);
    while (shared->code == ARB_OK) {
        table_state *table;
        int64_t range = 0;
        arb_code code = take_range(shared, &table, &range, &error);
        if (code == ARB_OK && table == NULL)
            break;
        if (code == ARB_OK) {
            pthread_mutex_unlock(&shared->lock);
            code = make_part(w, table, range, &error);
            pthread_mutex_lock(&shared->lock);
        }
        if (code == ARB_OK)
            code = put_part(w, range, &error);
        if (code != ARB_OK && shared->code == ARB_OK) { /* the first failure is the one that is told */
            shared->code = code;
            shared->error = error;
            pthread_cond_broadcast(&shared->moved);
        }
    }
    pthread_mutex_unlock(&shared->lock);
    return NULL;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static arb_type type_of(const arb_tpch_column *column)
{
    switch (column->type) {
    case ARB_TPCH_INT64:
        return ARB_TYPE(BIGINT);
    case ARB_TPCH_INT32:
        return ARB_TYPE(INTEGER);
    case ARB_TPCH_DECIMAL:
        return arb_type_decimal(15, 2);
    case ARB_TPCH_DATE:
        return ARB_TYPE(DATE);
    default:
        return ARB_TYPE(VARCHAR);
    }
}

static arb_code prepare_table(exporter *shared, table_state *table, arb_tpch_table_id id, arb_error *error)
{
    const arb_tpch_table *described = &arb_tpch_tables[id];
    table->id = id;
    table->units = arb_tpch_unit_count(id, shared->scale);
    table->unit_rows = id == ARB_TPCH_LINEITEM ? LINES_AVERAGE : described->unit_rows_max;
    table->range_units = RANGE_ROWS / table->unit_rows;
    table->ranges = ARB_MAX((table->units + table->range_units - 1) / table->range_units, (int64_t)1);
    shared->rows_all += (double)(table->units * table->unit_rows);
    arb_str *names = ARB_ARENA_ARRAY(&shared->arena, arb_str, described->column_count);
    arb_type *types = ARB_ARENA_ARRAY(&shared->arena, arb_type, described->column_count);
    bool *required = ARB_ARENA_ARRAY(&shared->arena, bool, described->column_count);
    if (names == NULL || types == NULL || required == NULL)
        return arb_fail_memory(error, "TPC-H tables", shared->arena.total);
    for (uint32_t i = 0; i < described->column_count; i++) {
        names[i] = described->columns[i].name;
        types[i] = type_of(&described->columns[i]);
        required[i] = true;
    }
    table->schema = (arb_table_schema){described->column_count, names, types, required};
    return ARB_OK;
}

static arb_code prepare(exporter *shared, arb_error *error)
{
    static const arb_tpch_table_id largest_first[] = {ARB_TPCH_LINEITEM, ARB_TPCH_ORDERS,   ARB_TPCH_PARTSUPP,
                                                      ARB_TPCH_PART,     ARB_TPCH_CUSTOMER, ARB_TPCH_SUPPLIER,
                                                      ARB_TPCH_NATION,   ARB_TPCH_REGION};
    static_assert(ARB_COUNT_OF(largest_first) == ARB_TPCH_TABLE_COUNT, "each table once");
    for (size_t i = 0; i < ARB_TPCH_TABLE_COUNT; i++)
        ARB_TRY(prepare_table(shared, &shared->tables[i], largest_first[i], error));
    if (mkdir(shared->folder, 0777) != 0 && errno != EEXIST)
        return arb_fail_errno(error, errno, "cannot make the folder %s", shared->folder);
    return arb_tpch_text_create(&shared->text, error);
}

/* The calling thread works too; when not all of the others can be started, those that can are enough. */
static arb_code run(exporter *shared, unsigned threads, arb_error *error)
{
    threads = ARB_MIN(ARB_MAX(threads, 1), THREADS_MOST);
    worker *workers = arb_alloc_zeroed(threads * sizeof *workers);
    if (workers == NULL)
        return arb_fail_memory(error, "threads", threads * sizeof *workers);
    unsigned started = 1;
    for (unsigned i = 0; i < threads; i++)
        workers[i].shared = shared;
    while (started < threads && arb_thread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < threads; i++) {
        arb_table_part_destroy(workers[i].part);
        reset_vectors(&workers[i]);
    }
    arb_free(workers);
    if (shared->code != ARB_OK && error != NULL)
        *error = shared->error;
    return shared->code;
}

arb_code arb_tpch_export(double scale, const char *folder, arb_tpch_format format, unsigned threads,
                         arb_tpch_progress_callback progress, void *context, arb_tpch_progress *out_total,
                         arb_error *error)
{
    ARB_TRY(arb_tpch_scale_check(scale, error));
    exporter shared = {.scale = scale, .folder = folder, .format = format, .progress = progress, .context = context};
    pthread_mutex_init(&shared.lock, NULL);
    pthread_cond_init(&shared.moved, NULL);
    arb_code code = prepare(&shared, error);
    if (code == ARB_OK)
        code = run(&shared, threads != 0 ? threads : arb_cpu_count(), error);
    for (size_t i = 0; i < ARB_TPCH_TABLE_COUNT; i++)
        arb_table_writer_destroy(shared.tables[i].writer);
    arb_tpch_text_destroy(shared.text);
    arb_arena_reset(&shared.arena);
    pthread_cond_destroy(&shared.moved);
    pthread_mutex_destroy(&shared.lock);
    if (code == ARB_OK && out_total != NULL)
        *out_total = shared.done;
    return code;
}
