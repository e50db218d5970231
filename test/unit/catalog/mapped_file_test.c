/* Files seen through other columns than they have: what is read of them, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/mapped_file.h"
#include "formats/csv.h"
#include "formats/parquet.h"
#include "formats/writer.h"

enum { ROWS = 3000 };

static arb_table_file *open_csv(arb_text *bytes)
{
    arb_byte_source *source;
    arb_table_file *file;
    arb_error error = {0};
    arb_text_append_str(bytes, ARB_STR("a,b\n"));
    for (int i = 0; i < ROWS; i++)
        arb_text_printf(bytes, "text %d,%d\n", i, i);
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("f.csv"), bytes->data, bytes->size, &source, &error), ARB_OK);
    assert_int_equal(arb_csv_open(source, NULL, &file, &error), ARB_OK);
    return file;
}

static arb_table_file *open_parquet(arb_text *bytes)
{
    static const arb_str names[] = {{"a", 1}, {"b", 1}};
    const arb_type types[] = {ARB_TYPE(VARCHAR), ARB_TYPE(BIGINT)};
    arb_table_schema schema = {2, names, types, NULL};
    arb_byte_sink *sink;
    arb_table_writer *writer;
    arb_byte_source *source;
    arb_table_file *file;
    arb_error error = {0};
    assert_int_equal(arb_byte_sink_create_memory(bytes, &sink, &error), ARB_OK);
    assert_int_equal(arb_parquet_writer_create(sink, &schema, NULL, &writer, &error), ARB_OK);
    for (int64_t n = 0; n < ROWS; n++) {
        arb_string text = arb_string_of("text", 4);
        arb_vector vectors[] = {
            {.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values = {.data = &text}},
            {.physical = ARB_PHYS_INT64, .encoding = ARB_FLAT, .values = {.data = &n}},
        };
        arb_batch batch = {.rows = 1, .selected = 1, .column_count = 2, .columns = vectors};
        assert_int_equal(arb_table_writer_append(writer, &batch, &error), ARB_OK);
    }
    assert_int_equal(arb_table_writer_finish(writer, &error), ARB_OK);
    arb_table_writer_destroy(writer);
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("f"), bytes->data, bytes->size, &source, &error), ARB_OK);
    assert_int_equal(arb_parquet_open(source, &file, &error), ARB_OK);
    return file;
}

/* Read all: the column at `at` counts from 0, one before it, if any, is the text. Gives back the most bytes that the
 * file's own reader held. */
static uint64_t read_all(const arb_table_file *file, uint32_t at, const arb_scan_column *columns)
{
    arb_governor governor;
    arb_memory memory;
    arb_split_reader *reader;
    arb_error error = {0};
    const arb_batch *batch;
    int64_t rows = 0;
    uint64_t held = 0;
    arb_governor_init(&governor, 64 << 20);
    arb_memory_init(&memory, &governor);
    arb_scan_request request = {.column_count = at + 1, .columns = columns, .memory = &memory};
    assert_int_equal(file->vtable->reader_create(file, &request, &reader, &error), ARB_OK);
    for (size_t i = 0; i < file->split_count; i++) {
        assert_int_equal(reader->vtable->begin(reader, &file->splits[i], &error), ARB_OK);
        for (;;) {
            assert_int_equal(arb_split_reader_next(reader, &batch, &error), ARB_OK);
            if (batch == NULL)
                break;
            for (uint32_t row = 0; row < batch->rows; row++) {
                assert_true(arb_vector_get_integer(&batch->columns[at], row) == rows++);
                if (at == 1)
                    assert_true(arb_str_equal(arb_vector_get_text(&batch->columns[0], row), ARB_STR("constant")));
            }
            held = ARB_MAX(held, (reader->behind != NULL ? reader->behind : reader)->held.bytes);
        }
    }
    assert_int_equal(rows, ROWS);
    reader->vtable->destroy(reader);
    return held;
}

/* The constant takes the place of a column in the file's reader, which reads nothing for it. */
static void no_column_is_read_for_a_constant(void **state)
{
    arb_table_file *(*const open[])(arb_text *) = {open_csv, open_parquet};
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(open); i++) {
        arb_text bytes = {0};
        arb_arena arena = {0};
        arb_table_file *file = open[i](&bytes);
        const arb_mapped_column mapped[] = {
            {ARB_STR("c"), .is_constant = true, .value = {.type = ARB_TYPE(VARCHAR), .text = ARB_STR("constant")}},
            {ARB_STR("b"), .source = 1},
        };
        const arb_scan_column columns[] = {{.source = 0, .physical = ARB_PHYS_STRING},
                                           {.source = 1, .physical = ARB_PHYS_INT64}};
        arb_table_file *other = arb_mapped_file_create(&arena, file, mapped, 2);
        assert_non_null(other);
        uint64_t alone = read_all(file, 0, &columns[1]), beside = read_all(other, 1, columns);
        assert_in_range(beside, alone, alone + 2048); /* a place in a list */
        other->vtable->destroy(other);
        file->vtable->destroy(file);
        arb_arena_reset(&arena);
        arb_text_reset(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_column_is_read_for_a_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
