/* The rows of TPC-H against checksums of the benchmark's own generator, and ranges of rows against the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>

#include "base/alloc.h"
#include "catalog/generators/tpch_generator.h"

#define EVERYTHING ((int64_t)1 << 60)

/* ---- rows as text: values in the columns' order with | between them, a line a row -------------------------------- */

static void print_date(arb_text *to, int32_t days)
{
    int year = 1970;
    for (int length; days >= (length = year % 4 == 0 ? 366 : 365); days -= length)
        year++;
    const int lengths[] = {31, year % 4 == 0 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int month = 0;
    for (; days >= lengths[month]; month++)
        days -= lengths[month];
    arb_text_printf(to, "%04d-%02d-%02d", year, month + 1, days + 1);
}

static void print_value(arb_text *to, const arb_tpch_batch *batch, uint32_t column, size_t row)
{
    const arb_tpch_vector *values = &batch->columns[column];
    switch (batch->table->columns[column].type) {
    case ARB_TPCH_INT64:
        arb_text_printf(to, "%lld", (long long)values->int64[row]);
        break;
    case ARB_TPCH_INT32:
        arb_text_printf(to, "%d", values->int32[row]);
        break;
    case ARB_TPCH_DECIMAL: {
        long long hundredths = values->int64[row], size = hundredths < 0 ? -hundredths : hundredths;
        arb_text_printf(to, "%s%lld.%02lld", hundredths < 0 ? "-" : "", size / 100, size % 100);
        break;
    }
    case ARB_TPCH_DATE:
        print_date(to, values->int32[row]);
        break;
    case ARB_TPCH_WORD:
    case ARB_TPCH_TEXT: {
        arb_str text = arb_tpch_batch_text(batch, column, row);
        assert_true(text.size <= 255);
        arb_text_append_str(to, text);
    }
    }
}

/* Append the rows of a range to `to` and return how many they are. Asserts nothing but through the result, so that any
 * thread may call it; -1 is a failure. */
static int64_t print_rows(arb_text *to, arb_tpch_text *text, arb_tpch_table_id table, double scale, int64_t first,
                          int64_t count, size_t batch_rows)
{
    arb_tpch_generator *generator;
    const arb_tpch_batch *batch;
    int64_t rows = 0;
    if (arb_tpch_generator_create(table, scale, text, first, count, batch_rows, &generator, NULL) != ARB_OK)
        return -1;
    arb_code code;
    while ((code = arb_tpch_generator_next(generator, &batch, NULL)) == ARB_OK && batch->row_count > 0) {
        for (size_t row = 0; row < batch->row_count; row++) {
            for (uint32_t column = 0; column < batch->table->column_count; column++) {
                print_value(to, batch, column, row);
                arb_text_append_char(to, column + 1 < batch->table->column_count ? '|' : '\n');
            }
        }
        rows += batch->row_count <= batch_rows ? (int64_t)batch->row_count : INT32_MIN;
    }
    arb_tpch_generator_destroy(generator);
    return code == ARB_OK && !to->failed ? rows : -1;
}

/* FNV-1a. */
static uint64_t checksum(arb_str bytes)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ (uint8_t)bytes.data[i]) * 0x100000001b3u;
    return hash;
}

/* The rows at scale 0.01, as the benchmark's own generator makes them. */
static const struct golden {
    int64_t rows;
    size_t bytes;
    uint64_t checksum;
} golden[ARB_TPCH_TABLE_COUNT] = {
    [ARB_TPCH_REGION] = {5, 384, 0x7829f2abbfb82076},
    [ARB_TPCH_NATION] = {25, 2199, 0x22fb0a36f20129b5},
    [ARB_TPCH_SUPPLIER] = {100, 13695, 0xafc941a78e728126},
    [ARB_TPCH_CUSTOMER] = {1500, 239490, 0x3a40c3c669d19491},
    [ARB_TPCH_PART] = {2000, 235134, 0x4f7b7465d504079c},
    [ARB_TPCH_PARTSUPP] = {8000, 1153705, 0xd4495a6771ba5373},
    [ARB_TPCH_ORDERS] = {15000, 1644137, 0xc601ea426375d4cb},
    [ARB_TPCH_LINEITEM] = {60175, 7384600, 0xfa60036e7646f159},
};

static void assert_golden(arb_str rows, int64_t row_count, arb_tpch_table_id table)
{
    assert_int_equal(row_count, golden[table].rows);
    assert_int_equal(rows.size, golden[table].bytes);
    assert_int_equal(checksum(rows), golden[table].checksum);
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

static int make_text(void **state)
{
    return arb_tpch_text_create((arb_tpch_text **)state, NULL) == ARB_OK ? 0 : -1;
}

static int free_text(void **state)
{
    arb_tpch_text_destroy(*state);
    return 0;
}

static void whole_tables_equal_the_reference(void **state)
{
    for (arb_tpch_table_id table = 0; table < ARB_TPCH_TABLE_COUNT; table++) {
        arb_text rows = {0};
        int64_t count = print_rows(&rows, *state, table, 0.01, 0, EVERYTHING, 2048);
        assert_golden(arb_text_view(&rows), count, table);
        assert_int_equal(arb_tpch_row_count(table, 0.01), count);
        arb_text_reset(&rows);
    }
}

/* The last order of scale 1. */
static void the_end_is_reached_directly(void **state)
{
    static const char expected[] =
        "6000000|32255|2256|1|5.00|5936.25|0.04|0.03|N|O|1996-11-02|1996-11-19|1996-12-01|TAKE BACK "
        "RETURN|MAIL|carefully \n"
        "6000000|96127|6128|2|28.00|31447.36|0.01|0.02|N|O|1996-09-22|1996-10-01|1996-10-21|NONE|AIR|"
        "ooze furiously about the pe\n";
    arb_text rows = {0};
    assert_int_equal(print_rows(&rows, *state, ARB_TPCH_LINEITEM, 1, 1499999, 1, 7), 2);
    assert_true(arb_str_equal(arb_text_view(&rows), arb_str_of(expected)));
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_LINEITEM, 1), 6001215);
    arb_text_reset(&rows);
}

static void the_size_of_batches_does_not_matter(void **state)
{
    const size_t sizes[] = {7, 8, 1000, 65536};
    for (arb_tpch_table_id table = 0; table < ARB_TPCH_TABLE_COUNT; table++) {
        for (size_t i = 0; i < ARB_COUNT_OF(sizes); i++) {
            arb_text whole = {0}, part = {0};
            int64_t rows = print_rows(&whole, *state, table, 0.001, 0, EVERYTHING, 2048);
            assert_int_equal(print_rows(&part, *state, table, 0.001, 0, EVERYTHING, sizes[i]), rows);
            assert_true(rows > 0 && arb_str_equal(arb_text_view(&whole), arb_text_view(&part)));
            arb_text_reset(&whole);
            arb_text_reset(&part);
        }
    }
}

static void ranges_join_to_the_whole(void **state)
{
    for (arb_tpch_table_id table = 0; table < ARB_TPCH_TABLE_COUNT; table++) {
        arb_text rows = {0};
        int64_t count = 0, units = arb_tpch_unit_count(table, 0.01), first = 0;
        for (int64_t size = 1; first < units; first += size, size = size * 3 % 1009)
            count += print_rows(&rows, *state, table, 0.01, first, size, 500);
        assert_golden(arb_text_view(&rows), count, table);
        arb_text_reset(&rows);
    }
}

#define THREADS 4

typedef struct job {
    pthread_t thread;
    arb_tpch_text *text;
    arb_text rows;
    int64_t first, count, row_count;
} job;

static void *run_job(void *argument)
{
    job *mine = argument;
    mine->row_count = print_rows(&mine->rows, mine->text, ARB_TPCH_LINEITEM, 0.01, mine->first, mine->count, 2048);
    return NULL;
}

static void threads_share_the_text(void **state)
{
    job jobs[THREADS] = {0};
    int64_t units = arb_tpch_unit_count(ARB_TPCH_LINEITEM, 0.01), count = 0;
    for (int i = 0; i < THREADS; i++) {
        jobs[i].text = *state;
        jobs[i].first = units * i / THREADS;
        jobs[i].count = units * (i + 1) / THREADS - jobs[i].first;
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]), 0);
    }
    arb_text rows = {0};
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
        count += jobs[i].row_count;
        arb_text_append_str(&rows, arb_text_view(&jobs[i].rows));
        arb_text_reset(&jobs[i].rows);
    }
    assert_golden(arb_text_view(&rows), count, ARB_TPCH_LINEITEM);
    arb_text_reset(&rows);
}

static void counts_follow_the_scale(void **state)
{
    (void)state;
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_REGION, 1), 5);
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_NATION, 100), 25);
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_SUPPLIER, 0.0001), 1);
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_CUSTOMER, 0.00011), 16);
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_PART, 10), 2000000);
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_PARTSUPP, 10), 8000000);
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_ORDERS, 10000), 15000000000);
    assert_int_equal(arb_tpch_row_count(ARB_TPCH_LINEITEM, 0.0001), 586);
}

static void wrong_arguments_are_refused(void **state)
{
    const double scales[] = {0, -1, 0.00009, 10001, INFINITY, NAN};
    arb_tpch_generator *generator;
    arb_error error = {0};
    for (size_t i = 0; i < ARB_COUNT_OF(scales); i++) {
        assert_int_equal(arb_tpch_scale_check(scales[i], &error), ARB_INVALID_PARAMETER);
        assert_int_equal(arb_tpch_generator_create(ARB_TPCH_PART, scales[i], *state, 0, 1, 10, &generator, &error),
                         ARB_INVALID_PARAMETER);
        assert_null(generator);
    }
    const struct {
        int64_t first, count;
        size_t batch_rows;
    } ranges[] = {{-1, 1, 10}, {0, -1, 10}, {0, 1, 6}, {0, 1, 65537}, {INT64_MIN, INT64_MIN, 0}};
    for (size_t i = 0; i < ARB_COUNT_OF(ranges); i++) {
        assert_int_equal(arb_tpch_generator_create(ARB_TPCH_LINEITEM, 1, *state, ranges[i].first, ranges[i].count,
                                                   ranges[i].batch_rows, &generator, &error),
                         ARB_INVALID_PARAMETER);
        assert_null(generator);
    }
    arb_tpch_generator_destroy(NULL);
    arb_text rows = {0};
    assert_int_equal(print_rows(&rows, *state, ARB_TPCH_PART, 1, INT64_MAX, INT64_MAX, 10), 0);
    assert_int_equal(print_rows(&rows, *state, ARB_TPCH_PART, 1, 199999, INT64_MAX, 10), 1);
    arb_text_reset(&rows);
}

/* Fail each allocation in turn. */
static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    arb_alloc_fail_at(0, false);
    for (uint64_t n = 1;; n++) {
        arb_tpch_text *text = NULL;
        arb_tpch_generator *generator = NULL;
        const arb_tpch_batch *batch = NULL;
        arb_error error = {0};
        arb_alloc_fail_at(n, false);
        arb_code code = arb_tpch_text_create(&text, &error);
        if (code == ARB_OK)
            code = arb_tpch_generator_create(ARB_TPCH_REGION, 1, text, 0, 5, 8, &generator, &error);
        if (code == ARB_OK)
            code = arb_tpch_generator_next(generator, &batch, &error);
        bool all_worked = arb_alloc_count() < n;
        arb_alloc_fail_at(0, false);
        arb_tpch_generator_destroy(generator);
        arb_tpch_text_destroy(text);
        assert_int_equal(code, all_worked ? ARB_OK : ARB_OUT_OF_MEMORY);
        assert_int_equal(error.code, code);
        if (all_worked)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_tables_equal_the_reference),
        cmocka_unit_test(the_end_is_reached_directly),
        cmocka_unit_test(the_size_of_batches_does_not_matter),
        cmocka_unit_test(ranges_join_to_the_whole),
        cmocka_unit_test_setup_teardown(threads_share_the_text, make_text, free_text), /* from nothing, at once */
        cmocka_unit_test(counts_follow_the_scale),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("tpch_generator", tests, make_text, free_text);
}
