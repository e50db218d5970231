/* What a reader of Parquet holds: counted while it is held, bounded where rows are large, refused where a file claims more
 * than there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "formats/parquet.h"
#include "formats/parquet/parquet_file.h"
#include "formats/parquet/parquet_pruning.h"
#include "formats/writer.h"

enum { MiB = 1 << 20 };

/* A file of one row group: n counts from 0, t is a text of `size` bytes, the same in each row but for its first ones. */
static void make_file(arb_text *out, uint32_t rows, uint32_t size, arb_write_codec codec, uint32_t page_rows)
{
    static const arb_str names[] = {{"n", 1}, {"t", 1}};
    const arb_type types[] = {ARB_TYPE(BIGINT), ARB_TYPE(VARCHAR)};
    const arb_parquet_write_options options = {
        .codec = codec, .page_rows = page_rows, .page_bytes = 1 << 30, .no_dictionaries = true};
    arb_table_schema schema = {2, names, types, NULL};
    arb_byte_sink *sink;
    arb_table_writer *writer;
    arb_error error = {0};
    char *text = arb_alloc(size);
    assert_non_null(text);
    memset(text, 'a', size);
    assert_int_equal(arb_byte_sink_create_memory(out, &sink, &error), ARB_OK);
    assert_int_equal(arb_parquet_writer_create(sink, &schema, &options, &writer, &error), ARB_OK);
    for (uint32_t row = 0; row < rows; row++) {
        int64_t n = row;
        memcpy(text, &(char[4]){(char)('a' + row % 26), (char)('a' + row / 26 % 26), (char)('a' + row / 676 % 26), 'a'},
               4);
        arb_string t = arb_string_of(text, size);
        arb_vector vectors[] = {
            {.physical = ARB_PHYS_INT64, .encoding = ARB_FLAT, .values = {.data = &n}},
            {.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values = {.data = &t}},
        };
        arb_batch batch = {.rows = 1, .selected = 1, .column_count = 2, .columns = vectors};
        assert_int_equal(arb_table_writer_append(writer, &batch, &error), ARB_OK);
    }
    assert_int_equal(arb_table_writer_finish(writer, &error), ARB_OK);
    arb_table_writer_destroy(writer);
    arb_free(text);
}

/* Keeps the rows whose n is a multiple of a number, which is handed over as the cost. */
static arb_code keep_multiples(const arb_scan_filter *filter, void *local, const arb_vector *const *inputs,
                               uint32_t rows, uint64_t *selection, arb_error *error)
{
    (void)local, (void)error;
    for (uint32_t i = 0; i < rows; i++)
        if (arb_vector_get_integer(inputs[0], i) % (arb_int128)filter->cost != 0)
            arb_bitmap_clear(selection, i);
    return ARB_OK;
}

typedef struct outcome {
    arb_code code;
    uint64_t rows, batches, most_rows; /* of a batch */
    uint64_t peak, end;                /* bytes held: at most, and when the split is through */
} outcome;

/* Read all under a limit; `each` is not 0: every so many rows only. */
static outcome read_all(arb_str bytes, uint64_t limit, uint32_t each, bool always_wait)
{
    outcome out = {0};
    arb_governor governor;
    arb_memory memory;
    arb_byte_source *source;
    arb_table_file *file;
    arb_split_reader *reader;
    arb_error error = {0};
    static const arb_scan_filter_vtable vtable = {.name = "multiples", .apply = keep_multiples};
    const uint32_t filter_column = 0;
    arb_scan_filter filter = {
        .vtable = &vtable, .column_count = 1, .columns = &filter_column, .ready = 1, .cost = each};
    arb_scan_filter *const filters[] = {&filter};
    const arb_scan_column columns[] = {{.source = 0, .physical = ARB_PHYS_INT64},
                                       {.source = 1, .physical = ARB_PHYS_STRING}};
    arb_governor_init(&governor, limit);
    arb_memory_init(&memory, &governor);
    arb_scan_request request = {.column_count = 2,
                                .columns = columns,
                                .filter_count = each != 0,
                                .filters = filters,
                                .always_wait = always_wait,
                                .memory = &memory};
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("test"), bytes.data, bytes.size, &source, &error), ARB_OK);
    assert_int_equal(arb_parquet_open(source, &file, &error), ARB_OK);
    /* Nothing of the pages, which came with the footer. */
    assert_true(((const arb_parquet_file *)file)->arena.total <= 8 << 10);
    assert_int_equal(file->split_count, 1);
    assert_int_equal(file->vtable->reader_create(file, &request, &reader, &error), ARB_OK);
    out.code = reader->vtable->begin(reader, &file->splits[0], &error);
    const arb_batch *batch = NULL;
    int64_t expected = 0;
    while (out.code == ARB_OK && (out.code = arb_split_reader_next(reader, &batch, &error)) == ARB_OK &&
           batch != NULL) {
        for (uint32_t row = 0; row < batch->rows; row++) {
            if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
                continue;
            assert_int_equal(arb_vector_get_integer(&batch->columns[0], row), expected);
            arb_str text = arb_vector_get_text(&batch->columns[1], row);
            assert_int_equal(text.data[0], 'a' + expected % 26);
            assert_int_equal(text.data[text.size - 1], 'a');
            expected += each != 0 ? each : 1;
        }
        out.rows += batch->selected;
        out.batches++;
        out.most_rows = ARB_MAX(out.most_rows, batch->rows);
        assert_int_equal(reader->held.bytes, atomic_load(&governor.used));
    }
    assert_true(out.code != ARB_OUT_OF_MEMORY || strstr(error.message, "a scan") != NULL);
    out.peak = arb_memory_peak(&memory);
    out.end = atomic_load(&governor.used);
    reader->vtable->destroy(reader);
    assert_int_equal(atomic_load(&governor.used), 0);
    file->vtable->destroy(file);
    return out;
}

static void a_page_that_claims_more_than_there_is_is_refused(void **state)
{
    (void)state;
    arb_text bytes = {0};
    make_file(&bytes, 30, 2 * MiB, ARB_WRITE_ZSTD, 30);
    assert_true(bytes.size < MiB);
    for (int wait = 0; wait < 2; wait++) {
        assert_int_equal(read_all(arb_text_view(&bytes), 50 * MiB, 0, wait).code, ARB_OUT_OF_MEMORY);
        outcome out = read_all(arb_text_view(&bytes), 200 * MiB, 0, wait);
        assert_int_equal(out.code, ARB_OK);
        assert_int_equal(out.rows, 30);
        assert_true(out.peak > 60 * MiB && out.peak < 70 * MiB);
    }
    arb_text_reset(&bytes);
}

/* What is needed to make any progress is granted, however little there is. */
static void small_pages_are_read_whatever_the_limit(void **state)
{
    (void)state;
    arb_text bytes = {0};
    make_file(&bytes, 5000, 100, ARB_WRITE_SNAPPY, 1000);
    outcome out = read_all(arb_text_view(&bytes), 1000, 0, false);
    assert_int_equal(out.code, ARB_OK);
    assert_int_equal(out.rows, 5000);
    assert_true(out.peak > 200 * 1000 && out.peak < 2 * MiB);
    arb_text_reset(&bytes);
}

static void large_rows_come_in_small_windows(void **state)
{
    (void)state;
    arb_text bytes = {0};
    make_file(&bytes, 600, 200 * 1000, ARB_WRITE_ZSTD, 1); /* 120 MB */
    outcome out = read_all(arb_text_view(&bytes), 1 << 30, 0, false);
    assert_int_equal(out.rows, 600);
    assert_true(out.most_rows > 100 && out.most_rows < 200);
    assert_true(out.peak < 50 * MiB);
    assert_true(out.end < 10 * MiB); /* what is kept for the next pages */
    arb_text_reset(&bytes);
}

/* Few rows here and there would keep every page they lie in. */
static void sparse_rows_do_not_keep_many_pages(void **state)
{
    (void)state;
    arb_text bytes = {0};
    make_file(&bytes, 2000, 50 * 1000, ARB_WRITE_ZSTD, 20); /* 100 pages of 1 MB */
    for (int wait = 0; wait < 2; wait++) {
        outcome out = read_all(arb_text_view(&bytes), 1 << 30, 20, wait);
        assert_int_equal(out.rows, 100);
        assert_true(out.batches > 1);
        assert_true(out.peak < 60 * MiB);
    }
    arb_text_reset(&bytes);
}

/* ---- indexes ------------------------------------------------------------------------------------------------------- */

/* Drops the rows whose n lies in [low, high). */
typedef struct gap {
    arb_scan_filter base;
    int64_t low, high;
} gap;

static arb_code drop_gap(const arb_scan_filter *filter, void *local, const arb_vector *const *inputs, uint32_t rows,
                         uint64_t *selection, arb_error *error)
{
    const gap *self = (const gap *)filter;
    (void)local, (void)error;
    for (uint32_t i = 0; i < rows; i++) {
        arb_int128 n = arb_vector_get_integer(inputs[0], i);
        if (n >= self->low && n < self->high)
            arb_bitmap_clear(selection, i);
    }
    return ARB_OK;
}

static arb_filter_verdict judge_gap(const arb_scan_filter *filter, const arb_value_range *ranges)
{
    const gap *self = (const gap *)filter;
    bool inside = ranges->known && ranges->low >= self->low && ranges->high < self->high;
    return inside ? ARB_FILTER_NONE_PASS : ARB_FILTER_SOME_PASS;
}

/* The next n that is in no gap; the gaps begin in descending order. */
static int64_t behind_gaps(const gap *gaps, uint32_t count, int64_t n)
{
    for (uint32_t i = count; i-- > 0;)
        n = n >= gaps[i].low && n < gaps[i].high ? gaps[i].high : n;
    return n;
}

/* Read n of a file of `rows` rows, in pages of `page_rows`, but for the gaps. Gives back the most bytes held. */
static uint64_t read_gaps(uint32_t rows, uint32_t page_rows, const int64_t (*bounds)[2], uint32_t count,
                          uint64_t least_skipped, bool always_wait)
{
    static const arb_scan_filter_vtable vtable = {.name = "gap", .apply = drop_gap, .judge = judge_gap};
    static const arb_scan_column columns[] = {{.source = 0, .physical = ARB_PHYS_INT64}};
    const uint32_t filter_column = 0;
    gap gaps[4];
    arb_scan_filter *filters[4];
    arb_governor governor;
    arb_memory memory;
    arb_byte_source *source;
    arb_table_file *file;
    arb_split_reader *reader;
    arb_error error = {0};
    arb_text bytes = {0};
    const arb_batch *batch = NULL;
    int64_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        gaps[i] = (gap){
            {.vtable = &vtable, .column_count = 1, .columns = &filter_column, .ready = 1}, bounds[i][0], bounds[i][1]};
        filters[i] = &gaps[i].base;
    }
    arb_governor_init(&governor, 1 << 30);
    arb_memory_init(&memory, &governor);
    arb_scan_request request = {.column_count = 1,
                                .columns = columns,
                                .filter_count = count,
                                .filters = filters,
                                .always_wait = always_wait,
                                .memory = &memory};
    make_file(&bytes, rows, 4, ARB_WRITE_NONE, page_rows);
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("test"), bytes.data, bytes.size, &source, &error), ARB_OK);
    assert_int_equal(arb_parquet_open(source, &file, &error), ARB_OK);
    assert_int_equal(file->vtable->reader_create(file, &request, &reader, &error), ARB_OK);
    for (size_t i = 0; i < file->split_count; i++) {
        assert_int_equal(reader->vtable->begin(reader, &file->splits[i], &error), ARB_OK);
        for (;;) {
            assert_int_equal(arb_split_reader_next(reader, &batch, &error), ARB_OK);
            if (batch == NULL)
                break;
            for (uint32_t row = 0; row < batch->rows; row++) {
                if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
                    continue;
                next = behind_gaps(gaps, count, next);
                assert_true(arb_vector_get_integer(&batch->columns[0], row) == next++);
            }
        }
    }
    assert_int_equal(behind_gaps(gaps, count, next), rows);
    assert_in_range(reader->rows_skipped, least_skipped, rows);
    reader->vtable->destroy(reader);
    assert_int_equal(atomic_load(&governor.used), 0);
    file->vtable->destroy(file);
    arb_text_reset(&bytes);
    return arb_memory_peak(&memory);
}

static void pages_of_several_filters_are_skipped(void **state)
{
    static const int64_t bounds[][2] = {{900, 1000}, {350, 360}, {200, 400}, {100, 300}};
    (void)state;
    for (int wait = 0; wait < 2; wait++)
        read_gaps(1000, 10, bounds, 4, 400, wait);
}

/* What is known of a row group's pages serves all its splits. */
static void pages_are_skipped_in_each_split_of_a_row_group(void **state)
{
    static const int64_t bounds[][2] = {{299000, 300000}, {200000, 290000}, {50000, 130000}};
    (void)state;
    for (int wait = 0; wait < 2; wait++)
        read_gaps(300000, 1000, bounds, 3, 165000, wait);
}

/* The list of pages that are skipped takes what they take, not its square. */
static void many_pages_are_skipped_with_little_memory(void **state)
{
    static const int64_t bounds[][2] = {{5000, 19999}, {1, 10000}};
    (void)state;
    assert_true(read_gaps(20000, 1, bounds, 2, 19998, false) < 10 * MiB);
}

/* An index of which a few bytes claim much is refused before that is taken. */
static void indexes_are_counted_before_they_are_made(void **state)
{
    enum { PAGES = 4 << 20 }; /* 64 MiB of places */
    (void)state;
    arb_governor governor;
    arb_memory memory;
    arb_reservation held;
    arb_error error = {0};
    arb_governor_init(&governor, 20 * MiB);
    arb_memory_init(&memory, &governor);
    arb_reservation_init(&held, &memory, "a scan");
    arb_held_arena arena = {.held = &held};
    uint8_t *bytes = arb_alloc_zeroed(PAGES + 16);
    assert_non_null(bytes);
    /* Field 2 is a list of so many binaries, all empty. */
    memcpy(bytes, (uint8_t[]){0x29, 0xF8, 0x80, 0x80, 0x80, 0x02}, 6);
    arb_parquet_column_index index;
    assert_int_equal(arb_parquet_column_index_parse(bytes, PAGES + 16, &arena, &index, &error), ARB_OUT_OF_MEMORY);
    assert_non_null(strstr(error.message, "a scan"));
    assert_true(arena.arena.total < MiB);
    arb_held_arena_reset(&arena);
    arb_error_clear(&error);

    /* So is what has to be read for it, of a file that is not there at all. */
    arb_byte_source source = {.identity = {.size = 1 << 30}};
    arb_read_queue queue = {0};
    arb_parquet_piece piece = {0};
    const void *data;
    assert_int_equal(arb_parquet_piece_get(&piece, &source, &queue, &held, 0, 60 * MiB, &data, &error),
                     ARB_OUT_OF_MEMORY);
    assert_int_equal(held.bytes, 0);
    arb_reservation_reset(&held);
    arb_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_claims_more_than_there_is_is_refused),
        cmocka_unit_test(small_pages_are_read_whatever_the_limit),
        cmocka_unit_test(large_rows_come_in_small_windows),
        cmocka_unit_test(sparse_rows_do_not_keep_many_pages),
        cmocka_unit_test(pages_of_several_filters_are_skipped),
        cmocka_unit_test(pages_are_skipped_in_each_split_of_a_row_group),
        cmocka_unit_test(many_pages_are_skipped_with_little_memory),
        cmocka_unit_test(indexes_are_counted_before_they_are_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
