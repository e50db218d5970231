/* The files hold the generator's rows, in its order, whatever the number of threads; a failure leaves none behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "catalog/generators/tpch_export.h"
#include "catalog/generators/tpch_generator.h"
#include "formats/csv.h"
#include "formats/parquet.h"

static char folder[] = "/tmp/arb-tpch-XXXXXX";
static arb_tpch_text *text;

static int prepare(void **state)
{
    (void)state;
    arb_error error;
    return mkdtemp(folder) == NULL || arb_tpch_text_create(&text, &error) != ARB_OK;
}

static int clean_up(void **state)
{
    (void)state;
    arb_tpch_text_destroy(text);
    return rmdir(folder);
}

/* Remove all files; how many there were, hidden ones too. */
static unsigned empty_folder(void)
{
    unsigned count = 0;
    DIR *opened = opendir(folder);
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlink(path);
            count++;
        }
    }
    closedir(opened);
    return count;
}

/* Hashes of all values of a column, in order. */
static uint64_t add_whole(uint64_t sum, int64_t value)
{
    return arb_hash_combine(sum, (uint64_t)value);
}

static uint64_t add_text(uint64_t sum, arb_str value)
{
    return arb_hash_combine(sum, arb_hash_bytes(value.data, value.size));
}

static void hash_generated(arb_tpch_table_id table, double scale, uint64_t sums[ARB_TPCH_COLUMNS_MAX])
{
    arb_error error;
    arb_tpch_generator *generator;
    assert_int_equal(arb_tpch_generator_create(table, scale, text, 0, INT64_MAX, 1000, &generator, &error), ARB_OK);
    const arb_tpch_batch *batch;
    while (arb_tpch_generator_next(generator, &batch, &error) == ARB_OK && batch->row_count != 0)
        for (uint32_t i = 0; i < batch->table->column_count; i++)
            for (size_t row = 0; row < batch->row_count; row++)
                switch (batch->table->columns[i].type) {
                case ARB_TPCH_INT64:
                case ARB_TPCH_DECIMAL:
                    sums[i] = add_whole(sums[i], batch->columns[i].int64[row]);
                    break;
                case ARB_TPCH_INT32:
                case ARB_TPCH_DATE:
                    sums[i] = add_whole(sums[i], batch->columns[i].int32[row]);
                    break;
                default:
                    sums[i] = add_text(sums[i], arb_tpch_batch_text(batch, i, row));
                }
    arb_tpch_generator_destroy(generator);
}

static void hash_file(const arb_table_file *file, uint64_t sums[ARB_TPCH_COLUMNS_MAX])
{
    arb_error error = {0};
    arb_scan_column columns[ARB_TPCH_COLUMNS_MAX];
    for (size_t i = 0; i < file->column_count; i++)
        columns[i] = (arb_scan_column){.source = (uint32_t)i, .physical = arb_type_physical(file->columns[i].type)};
    arb_scan_request request = {.column_count = (uint32_t)file->column_count, .columns = columns};
    arb_split_reader *reader;
    assert_int_equal(file->vtable->reader_create(file, &request, &reader, &error), ARB_OK);
    for (size_t s = 0; s < file->split_count; s++) {
        const arb_batch *batch;
        assert_int_equal(reader->vtable->begin(reader, &file->splits[s], &error), ARB_OK);
        while (arb_split_reader_next(reader, &batch, &error) == ARB_OK && batch != NULL)
            for (size_t i = 0; i < file->column_count; i++)
                for (size_t row = 0; row < batch->rows; row++)
                    sums[i] = columns[i].physical == ARB_PHYS_STRING
                                  ? add_text(sums[i], arb_vector_get_text(&batch->columns[i], row))
                                  : add_whole(sums[i], (int64_t)arb_vector_get_integer(&batch->columns[i], row));
        assert_string_equal(error.message, "");
    }
    reader->vtable->destroy(reader);
}

static arb_table_file *open_table(const arb_tpch_table *table, arb_tpch_format format)
{
    char path[200];
    arb_error error = {0};
    arb_byte_source *source;
    arb_table_file *file;
    snprintf(path, sizeof path, "%s/%.*s.%s", folder, ARB_STR_ARGS(table->name),
             format == ARB_TPCH_CSV ? "csv" : "parquet");
    assert_int_equal(arb_byte_source_open_local(path, &source, &error), ARB_OK);
    if (format == ARB_TPCH_PARQUET) {
        assert_int_equal(arb_parquet_open(source, &file, &error), ARB_OK);
        return file;
    }
    arb_str names[ARB_TPCH_COLUMNS_MAX];
    arb_type types[ARB_TPCH_COLUMNS_MAX];
    for (uint32_t i = 0; i < table->column_count; i++) {
        static const arb_type_id ids[] = {ARB_TYPE_BIGINT, ARB_TYPE_INTEGER, ARB_TYPE_DECIMAL,
                                          ARB_TYPE_DATE,   ARB_TYPE_VARCHAR, ARB_TYPE_VARCHAR};
        names[i] = table->columns[i].name;
        types[i] = (arb_type){.id = (uint8_t)ids[table->columns[i].type], .precision = 15, .scale = 2};
    }
    arb_csv_options options = {
        .header = ARB_CSV_YES, .column_count = table->column_count, .names = names, .types = types};
    assert_int_equal(arb_csv_open(source, &options, &file, &error), ARB_OK);
    return file;
}

static void check_export(double scale, arb_tpch_format format, unsigned threads)
{
    arb_error error = {0};
    arb_tpch_progress total = {0};
    assert_int_equal(arb_tpch_export(scale, folder, format, threads, NULL, NULL, &total, &error), ARB_OK);
    int64_t rows = 0;
    for (unsigned id = 0; id < ARB_TPCH_TABLE_COUNT; id++) {
        const arb_tpch_table *table = &arb_tpch_tables[id];
        uint64_t expected[ARB_TPCH_COLUMNS_MAX] = {0}, found[ARB_TPCH_COLUMNS_MAX] = {0};
        arb_table_file *file = open_table(table, format);
        assert_int_equal(file->column_count, table->column_count);
        hash_generated((arb_tpch_table_id)id, scale, expected);
        hash_file(file, found);
        for (uint32_t i = 0; i < table->column_count; i++) {
            assert_true(arb_str_equal(file->columns[i].name, table->columns[i].name));
            assert_int_equal(found[i], expected[i]);
        }
        if (format == ARB_TPCH_PARQUET)
            assert_int_equal(file->rows, arb_tpch_row_count((arb_tpch_table_id)id, scale));
        rows += arb_tpch_row_count((arb_tpch_table_id)id, scale);
        file->vtable->destroy(file);
    }
    assert_int_equal(total.rows, rows);
    assert_true(total.fraction > 0.999 && total.fraction < 1.001);
    assert_int_equal(empty_folder(), ARB_TPCH_TABLE_COUNT);
}

static void files_hold_the_rows(void **state)
{
    (void)state;
    check_export(0.0001, ARB_TPCH_PARQUET, 1);
    check_export(0.05, ARB_TPCH_PARQUET, 3); /* several ranges of lineitem */
    check_export(0.05, ARB_TPCH_CSV, 4);
}

static bool stop_soon(void *context, const arb_tpch_progress *progress)
{
    assert_true(progress->fraction > 0 && progress->table != NULL);
    return ++*(int *)context < 2;
}

static void a_cancelled_export_leaves_nothing(void **state)
{
    (void)state;
    arb_error error = {0};
    int calls = 0;
    assert_int_equal(arb_tpch_export(0.1, folder, ARB_TPCH_PARQUET, 3, stop_soon, &calls, NULL, &error), ARB_CANCELLED);
    assert_int_equal(calls, 2);
    assert_int_equal(empty_folder(), 0);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    arb_error error = {0};
    assert_int_equal(arb_tpch_export(-1, folder, ARB_TPCH_PARQUET, 1, NULL, NULL, NULL, &error), ARB_INVALID_PARAMETER);
    arb_error_clear(&error);
    assert_int_equal(arb_tpch_export(0.001, "/dev/null/x", ARB_TPCH_PARQUET, 2, NULL, NULL, NULL, &error),
                     ARB_FILE_NOT_FOUND);
    assert_non_null(strstr(error.message, "/dev/null/x"));
    assert_int_equal(empty_folder(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_hold_the_rows),
        cmocka_unit_test(a_cancelled_export_leaves_nothing),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
