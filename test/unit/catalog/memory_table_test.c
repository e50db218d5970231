/* Tables in memory: rows, filters, statistics, versions, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "catalog/memory_table.h"

enum { NUMBER, WORD, FLAG, COLUMNS };

static const arb_table_column columns[COLUMNS] = {
    [NUMBER] = {.name = {"number", 6}, .type = {.id = ARB_TYPE_BIGINT}, .nullable = true},
    [WORD] = {.name = {"word", 4}, .type = {.id = ARB_TYPE_VARCHAR}, .nullable = true},
    [FLAG] = {.name = {"flag", 4}, .type = {.id = ARB_TYPE_BOOLEAN}, .nullable = false},
};

/* Row i: i, or NULL for each seventh; a word that is long for odd rows; whether i divides by 3. */
static void row_values(int64_t i, char word[64], arb_value *values)
{
    int size = snprintf(word, 64, i % 2 == 0 ? "w%lld" : "a word that is too long to be inlined %lld", (long long)i);
    values[NUMBER] = (arb_value){.type = ARB_TYPE(BIGINT), .is_null = i % 7 == 0, .integer = i};
    values[WORD] = (arb_value){.type = ARB_TYPE(VARCHAR), .text = {word, (size_t)size}};
    values[FLAG] = (arb_value){.type = ARB_TYPE(BOOLEAN), .boolean = i % 3 == 0};
}

static void append_rows(arb_memory_builder *builder, int64_t from, int64_t to)
{
    arb_error error = {0};
    for (int64_t i = from; i < to; i++) {
        char word[64];
        arb_value values[COLUMNS];
        row_values(i, word, values);
        assert_int_equal(arb_memory_builder_append_row(builder, values, &error), ARB_OK);
    }
}

static arb_table *make_table(int64_t rows, arb_memory *account)
{
    arb_error error = {0};
    arb_memory_builder *builder;
    arb_table *table;
    assert_int_equal(arb_memory_builder_create(ARB_STR("t"), columns, COLUMNS, account, &builder, &error), ARB_OK);
    append_rows(builder, 0, rows);
    assert_int_equal(arb_memory_builder_finish(builder, &table, &error), ARB_OK);
    arb_memory_builder_destroy(builder);
    return table;
}

/* number >= 100000, which the second chunk alone can pass. */
static arb_code at_least(const arb_scan_filter *filter, void *local, const arb_vector *const *inputs, uint32_t rows,
                         uint64_t *selection, arb_error *error)
{
    (void)filter, (void)local, (void)error;
    for (uint32_t row = 0; row < rows; row++)
        if (!arb_vector_is_valid(inputs[0], row) || arb_vector_get_integer(inputs[0], row) < 100000)
            arb_bitmap_clear(selection, row);
    return ARB_OK;
}

static arb_filter_verdict judge(const arb_scan_filter *filter, const arb_value_range *ranges)
{
    (void)filter;
    assert_true(ranges[0].known);
    return ranges[0].high < 100000 ? ARB_FILTER_NONE_PASS : ARB_FILTER_SOME_PASS;
}

typedef struct seen {
    uint64_t rows, words, flags;
    int64_t sum, first;
    uint64_t skipped;
} seen;

static seen scan(const arb_table *table, arb_physical number_physical, bool filtered)
{
    arb_error error = {0};
    const arb_scan_column read[] = {{.source = FLAG, .physical = ARB_PHYS_BOOL},
                                    {.source = NUMBER, .physical = number_physical},
                                    {.source = WORD, .physical = ARB_PHYS_STRING}};
    const arb_scan_filter_vtable vtable = {.name = "at least", .apply = at_least, .judge = judge};
    const uint32_t filter_columns[] = {1};
    arb_scan_filter filter = {.vtable = &vtable, .column_count = 1, .columns = filter_columns, .ready = 1};
    arb_scan_filter *const filters[] = {&filter};
    arb_scan_request request = {.column_count = 3, .columns = read, .filter_count = filtered, .filters = filters};
    arb_split_reader *reader;
    const arb_table_file *file = table->files[0];
    seen result = {.first = -1};
    assert_int_equal(file->vtable->reader_create(file, &request, &reader, &error), ARB_OK);
    for (size_t split = 0; split < file->split_count; split++) {
        const arb_batch *batch;
        assert_int_equal(reader->vtable->begin(reader, &file->splits[split], &error), ARB_OK);
        while (arb_split_reader_next(reader, &batch, &error) == ARB_OK && batch != NULL) {
            assert_int_equal(batch->selected, arb_bitmap_count(batch->selection, batch->rows));
            for (uint32_t row = 0; row < batch->rows; row++) {
                if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
                    continue;
                result.rows++;
                result.flags += arb_vector_get_bool(&batch->columns[0], row);
                result.words += arb_vector_get_text(&batch->columns[2], row).size;
                if (!arb_vector_is_valid(&batch->columns[1], row))
                    continue;
                int64_t number = (int64_t)arb_vector_get_integer(&batch->columns[1], row);
                result.sum += number;
                result.first = result.first < 0 ? number : result.first;
            }
        }
    }
    result.skipped = reader->rows_skipped;
    reader->vtable->destroy(reader);
    return result;
}

static void rows_come_back(void **state)
{
    (void)state;
    arb_governor governor;
    arb_memory account;
    arb_governor_init(&governor, UINT64_C(1) << 30);
    arb_memory_init(&account, &governor);
    const int64_t rows = 150000;
    arb_table *table = make_table(rows, &account);
    assert_int_equal(table->rows, rows);
    assert_true(account.used > (uint64_t)rows * 25);
    const arb_column_statistics *statistics = &table->columns[NUMBER].statistics;
    assert_true(statistics->has_range && statistics->low == 1 && statistics->high == rows - 1);
    assert_int_equal(statistics->null_count, (rows + 6) / 7);

    uint64_t words = 0, flags = 0;
    int64_t sum = 0, late = 0;
    for (int64_t i = 0; i < rows; i++) {
        char word[64];
        arb_value values[COLUMNS];
        row_values(i, word, values);
        words += values[WORD].text.size;
        flags += values[FLAG].boolean;
        sum += i % 7 == 0 ? 0 : i;
        late += i >= 100000 && i % 7 != 0;
    }
    const arb_physical widths[] = {ARB_PHYS_INT64, ARB_PHYS_INT32};
    for (size_t i = 0; i < 2; i++) {
        seen all = scan(table, widths[i], false);
        assert_int_equal(all.rows, rows);
        assert_int_equal(all.words, words);
        assert_int_equal(all.flags, flags);
        assert_int_equal(all.sum, sum);
        assert_int_equal(all.first, 1);
        seen some = scan(table, widths[i], true);
        assert_int_equal(some.rows, late);
        assert_int_equal(some.first, 100000);
        assert_int_equal(some.skipped, 65536);
    }
    arb_table_unref(table);
    assert_int_equal(account.used, 0);
}

static void versions_share_chunks(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_table *first = make_table(70000, NULL), *second;
    arb_memory_builder *builder;
    assert_int_equal(arb_memory_builder_create_from(first, NULL, &builder, &error), ARB_OK);
    append_rows(builder, 70000, 70001);
    assert_int_equal(arb_memory_builder_finish(builder, &second, &error), ARB_OK);
    arb_memory_builder_destroy(builder);
    assert_int_equal(first->rows, 70000);
    assert_int_equal(second->rows, 70001);
    seen before = scan(first, ARB_PHYS_INT64, false);
    arb_table_unref(first);
    seen after = scan(second, ARB_PHYS_INT64, false);
    assert_int_equal(after.rows, before.rows + 1);
    assert_int_equal(after.sum, before.sum + (70000 % 7 == 0 ? 0 : 70000));
    arb_table_unref(second);
}

/* Many small additions make one chunk, not many. */
static void small_additions_are_merged(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_table *table = make_table(0, NULL);
    for (int64_t i = 0; i < 300; i++) {
        arb_memory_builder *builder;
        arb_table *next;
        assert_int_equal(arb_memory_builder_create_from(table, NULL, &builder, &error), ARB_OK);
        append_rows(builder, i, i + 1);
        assert_int_equal(arb_memory_builder_finish(builder, &next, &error), ARB_OK);
        arb_memory_builder_destroy(builder);
        arb_table_unref(table);
        table = next;
    }
    assert_int_equal(table->rows, 300);
    assert_int_equal(table->files[0]->split_count, 1);
    assert_int_equal(scan(table, ARB_PHYS_INT64, false).flags, 100);
    arb_table_unref(table);
}

static void null_is_refused(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_memory_builder *builder;
    char word[64];
    arb_value values[COLUMNS];
    row_values(1, word, values);
    values[FLAG].is_null = true;
    assert_int_equal(arb_memory_builder_create(ARB_STR("t"), columns, COLUMNS, NULL, &builder, &error), ARB_OK);
    assert_int_equal(arb_memory_builder_append_row(builder, values, &error), ARB_NOT_NULL_VIOLATION);
    assert_non_null(strstr(error.message, "\"flag\""));
    arb_memory_builder_destroy(builder);
}

static void memory_is_limited(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_governor governor;
    arb_memory account;
    arb_memory_builder *builder;
    arb_governor_init(&governor, 100000);
    arb_memory_init(&account, &governor);
    assert_int_equal(arb_memory_builder_create(ARB_STR("t"), columns, COLUMNS, &account, &builder, &error), ARB_OK);
    arb_code code = ARB_OK;
    for (int64_t i = 0; i < 100000 && code == ARB_OK; i++) {
        char word[64];
        arb_value values[COLUMNS];
        row_values(i, word, values);
        code = arb_memory_builder_append_row(builder, values, &error);
    }
    assert_int_equal(code, ARB_OUT_OF_MEMORY);
    arb_memory_builder_destroy(builder);
    assert_int_equal(governor.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(versions_share_chunks),
        cmocka_unit_test(small_additions_are_merged),
        cmocka_unit_test(null_is_refused),
        cmocka_unit_test(memory_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
