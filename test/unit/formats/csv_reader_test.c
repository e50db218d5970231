/* What CSV files are taken for, and that they read the same however they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "formats/cell_text.h"
#include "formats/csv.h"
#include "formats/csv/csv_index.h"

/* Not 0: no byte is there at once, all are waited for, about so many at a time. */
static size_t wait_bytes;

static arb_code open_text(arb_str text, const arb_csv_options *options, arb_table_file **out_file, arb_error *error)
{
    arb_byte_source *source;
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("file.csv"), text.data, text.size, &source, error), ARB_OK);
    if (wait_bytes != 0)
        source->read_ahead = wait_bytes;
    return arb_csv_open(source, options, out_file, error);
}

/* All rows: cells separated by '|', NULL as "~". */
static arb_code read_rows(const arb_table_file *file, const arb_scan_request *asked, arb_text *out, arb_error *error)
{
    arb_scan_column columns[64];
    for (size_t i = 0; i < file->column_count; i++)
        columns[i] = (arb_scan_column){.source = (uint32_t)i, .physical = arb_type_physical(file->columns[i].type)};
    arb_scan_request all = {.column_count = (uint32_t)file->column_count, .columns = columns};
    if (asked != NULL)
        all = *asked;
    all.always_wait = wait_bytes != 0;
    const arb_scan_request *request = &all;
    arb_split_reader *reader;
    arb_code code = file->vtable->reader_create(file, request, &reader, error);
    for (size_t s = 0; s < file->split_count && code == ARB_OK; s++) {
        const arb_batch *batch = NULL;
        code = reader->vtable->begin(reader, &file->splits[s], error);
        while (code == ARB_OK && (code = arb_split_reader_next(reader, &batch, error)) == ARB_OK && batch != NULL) {
            uint32_t seen = 0;
            for (uint32_t row = 0; row < batch->rows; row++) {
                if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
                    continue;
                seen++;
                for (uint32_t i = 0; i < batch->column_count; i++) {
                    if (i != 0)
                        arb_text_append_char(out, '|');
                    if (request->columns[i].filter_only)
                        continue;
                    if (!arb_vector_is_valid(&batch->columns[i], row))
                        arb_text_append_char(out, '~');
                    else
                        assert_int_equal(arb_cell_append(out, &batch->columns[i],
                                                         file->columns[request->columns[i].source].type, row, error),
                                         ARB_OK);
                }
                arb_text_append_char(out, '\n');
            }
            assert_int_equal(seen, batch->selected);
        }
    }
    reader->vtable->destroy(reader);
    return code;
}

/* Columns as "name type, …" and all rows. */
static void expect(const char *text, size_t size, const arb_csv_options *options, const char *columns, const char *rows)
{
    arb_error error = {0};
    arb_table_file *file;
    assert_int_equal(open_text((arb_str){text, size}, options, &file, &error), ARB_OK);
    arb_text found = {0};
    for (size_t i = 0; i < file->column_count; i++) {
        arb_text_printf(&found, "%s%.*s ", i == 0 ? "" : ", ", ARB_STR_ARGS(file->columns[i].name));
        arb_type_print(&found, file->columns[i].type);
    }
    assert_string_equal(found.data, columns);
    arb_text_clear(&found);
    assert_int_equal(read_rows(file, NULL, &found, &error), ARB_OK);
    assert_string_equal(found.data != NULL ? found.data : "", rows);
    arb_text_reset(&found);
    file->vtable->destroy(file);
}
#define EXPECT(text, options, columns, rows) expect(text, sizeof text - 1, options, columns, rows)

static void files_are_understood(void **state)
{
    (void)state;
    EXPECT("a,b\n1,x\n2,y\n", NULL, "a bigint, b varchar", "1|x\n2|y\n");
    EXPECT("a,b\r\n1,x\r\n2,y", NULL, "a bigint, b varchar", "1|x\n2|y\n");
    EXPECT("a,b\r1,x\r2,y\r", NULL, "a bigint, b varchar", "1|x\n2|y\n");
    EXPECT("\xEF\xBB\xBF"
           "a;b\n1;1.5\n2;-2e3\n",
           NULL, "a bigint, b double", "1|1.5\n2|-2000\n");
    EXPECT("1\tx\n2\ty\n", NULL, "column0 bigint, column1 varchar", "1|x\n2|y\n");
    EXPECT("a|b\n\n1|x\n\n2|\n", NULL, "a bigint, b varchar", "1|x\n2|~\n");
    EXPECT("name,text\nx,\"a \"\"b\"\", c\nd\"\ny,\"\"\nz,\n", NULL, "name varchar, text varchar",
           "x|a \"b\", c\nd\ny|\nz|~\n");
    EXPECT("a,b\n'x, y',1\n'',2\n", NULL, "a varchar, b bigint", "x, y|1\n|2\n");
    EXPECT("a,b\n\"x\\\"y\",1\n\"z\",2\n", NULL, "a varchar, b bigint", "x\"y|1\nz|2\n");
    EXPECT("a, b\n1, \"x, y\"\n2, z\n", NULL, "a bigint, b varchar", "1|x, y\n2| z\n");
    EXPECT("# made today\na,b\n1,2\n# no row, \"\n3,4\n", NULL, "a bigint, b bigint", "1|2\n3|4\n");
    EXPECT("Report of today\n\na,b,c\n1,2,3\n4,5,6\n", NULL, "a bigint, b bigint, c bigint", "1|2|3\n4|5|6\n");
    EXPECT("a,b\n1,2,\n3,4,\n", NULL, "a bigint, b bigint", "1|2\n3|4\n");
    EXPECT("a,a,\n1,2,3\n", NULL, "a bigint, a_1 bigint, column2 bigint", "1|2|3\n");
    EXPECT("t,\"say \"x\"\n1,2\n", NULL, "t bigint, \"say \"x\" bigint", "1|2\n");
    EXPECT("", NULL, "column0 varchar", "");
    EXPECT("only\n", NULL, "only varchar", "");
}

static void types_are_found(void **state)
{
    (void)state;
    EXPECT("d,t,s,z,b\n2024-02-29,12:30:00,2024-01-01 10:00:00,2024-01-01T10:00:00+02:00,true\n"
           "1999-12-31,00:00:01.5,2024-01-02,2024-01-01 10:00:00Z,FALSE\n",
           NULL, "d date, t time, s timestamp, z timestamp with time zone, b boolean",
           "2024-02-29|12:30:00|2024-01-01 10:00:00|2024-01-01 08:00:00+00|true\n"
           "1999-12-31|00:00:01.5|2024-01-02 00:00:00|2024-01-01 10:00:00+00|false\n");
    /* What would lose digits is text, what does not fit a whole number is a float. */
    EXPECT("zip,big,n\n01234,123456789012345678901234567890,1\n,2,\n", NULL, "zip varchar, big double, n bigint",
           "01234|1.2345678901234568e+29|1\n~|2|~\n");
    EXPECT("a\n-9223372036854775808\n9223372036854775807\n", NULL, "a bigint",
           "-9223372036854775808\n9223372036854775807\n");
    EXPECT("a,b\n1,0.1\n2,123456789.987654321\n3,1e400\n", NULL, "a bigint, b varchar",
           "1|0.1\n2|123456789.987654321\n3|1e400\n");
}

static void what_is_said_is_not_looked_for(void **state)
{
    (void)state;
    const arb_str names[] = {ARB_STR("x"), ARB_STR("y")};
    const arb_type types[] = {{.id = ARB_TYPE_DECIMAL, .precision = 10, .scale = 2}, {.id = ARB_TYPE_SMALLINT}};
    EXPECT("a,b\n1.005,7\n-3,\n", (&(arb_csv_options){.column_count = 2, .names = names, .types = types}),
           "x decimal(10,2), y smallint", "1.01|7\n-3.00|~\n");
    EXPECT("a,b\n1,2\n", (&(arb_csv_options){.header = ARB_CSV_NO}), "column0 varchar, column1 varchar", "a|b\n1|2\n");
    EXPECT("a,b\n1,2\n", (&(arb_csv_options){.all_text = true}), "a varchar, b varchar", "1|2\n");
    EXPECT("x\ny\na,b\n1,2\n", (&(arb_csv_options){.skip_lines = 2}), "a bigint, b bigint", "1|2\n");
    EXPECT("a:b\n1:2\n", (&(arb_csv_options){.delimiter = ':'}), "a bigint, b bigint", "1|2\n");
    EXPECT("a,b\n1\n2,3\n", (&(arb_csv_options){.null_padding = true}), "a bigint, b bigint", "1|~\n2|3\n");
    const arb_str nulls[] = {ARB_STR("NA"), ARB_STR("-")};
    EXPECT("a,b\nNA,-\n2,\"-\"\n", (&(arb_csv_options){.null_texts = nulls, .null_text_count = 2}),
           "a bigint, b varchar", "~|~\n2|-\n");
}

static const char wrong_text[] = "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,14\n";

static void errors_name_their_place(void **state)
{
    (void)state;
    struct {
        const char *line;
        arb_code code;
        const char *place, *column;
        const char *skipped, *nulled;
    } cases[] = {
        {"x,2\n", ARB_INVALID_TEXT, "file.csv, line 9", "\"a\"", "", "~|2\n"},
        {"1,2,3\n", ARB_BAD_COPY_FORMAT, "file.csv, line 9", "3 columns", "", "1|2\n"},
        {"1\n", ARB_BAD_COPY_FORMAT, "file.csv, line 9", "1 column ", "", "1|~\n"},
        {"\"1\"x,2\n", ARB_BAD_COPY_FORMAT, "file.csv, line 9", "\"a\"", "", "~|2\n"},
        {"1,\"2\n", ARB_BAD_COPY_FORMAT, "file.csv, line 9", "not closed", NULL, NULL},
    };
    const arb_str names[] = {ARB_STR("a"), ARB_STR("b")};
    const arb_type types[] = {{.id = ARB_TYPE_BIGINT}, {.id = ARB_TYPE_BIGINT}};
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++)
        for (unsigned on_error = 0; on_error < 3; on_error++) {
            arb_text text = {0}, found = {0};
            arb_text_append(&text, wrong_text, sizeof wrong_text - 1);
            arb_text_append(&text, cases[i].line, strlen(cases[i].line));
            arb_error error = {0};
            arb_table_file *file;
            arb_csv_options options = {.delimiter = ',',
                                       .quote = '"',
                                       .header = ARB_CSV_YES,
                                       .on_error = (arb_csv_on_error)on_error,
                                       .column_count = 2,
                                       .names = names,
                                       .types = types};
            assert_int_equal(open_text(arb_text_view(&text), &options, &file, &error), ARB_OK);
            arb_code code = read_rows(file, NULL, &found, &error);
            const char *tail = on_error == ARB_CSV_SKIP_ROW ? cases[i].skipped : cases[i].nulled;
            if (on_error == ARB_CSV_FAIL || tail == NULL) {
                assert_int_equal(code, cases[i].code);
                assert_non_null(strstr(error.message, cases[i].place));
                assert_non_null(strstr(error.message, cases[i].column));
            } else {
                assert_int_equal(code, ARB_OK);
                assert_non_null(strstr(found.data, "13|14\n"));
                assert_string_equal(strstr(found.data, "13|14\n") + 6, tail);
            }
            file->vtable->destroy(file);
            arb_text_reset(&text);
            arb_text_reset(&found);
        }
}

static void encodings_are_checked(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_table_file *file;
    arb_text found = {0};
    assert_int_equal(open_text(ARB_STR("\xFF\xFE"
                                       "a\0,\0"),
                               NULL, &file, &error),
                     ARB_INVALID_ENCODING);
    assert_non_null(strstr(error.message, "file.csv"));
    arb_error_clear(&error);
    assert_int_equal(open_text(ARB_STR("a,b\nx,y\nz\xC3\xA4,b\xE4r\n"), NULL, &file, &error), ARB_OK);
    assert_int_equal(read_rows(file, NULL, &found, &error), ARB_INVALID_ENCODING);
    assert_non_null(strstr(error.message, "line 3"));
    file->vtable->destroy(file);
    arb_text_reset(&found);
}

static void compressed_files_are_read(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,x\n2,y\n";
    char packed[256];
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t size = libdeflate_gzip_compress(compressor, text, sizeof text - 1, packed, sizeof packed);
    libdeflate_free_compressor(compressor);
    expect(packed, size, NULL, "a bigint, b varchar", "1|x\n2|y\n");
    arb_error error = {0};
    arb_table_file *file;
    assert_int_equal(open_text((arb_str){packed, size - 9}, NULL, &file, &error), ARB_CORRUPT_DATA);
}

/* A few bytes that hold many take no more than there is, and are counted as long as the file is open. */
static void what_compressed_files_hold_is_counted(void **state)
{
    (void)state;
    enum { text_bytes = 40 << 20 };
    char *text = malloc(text_bytes), *packed = malloc(1 << 20);
    assert_true(text != NULL && packed != NULL);
    for (size_t i = 0; i < text_bytes; i++)
        text[i] = i % 8 == 7 ? '\n' : '1';
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t size = libdeflate_gzip_compress(compressor, text, text_bytes, packed, 1 << 20);
    libdeflate_free_compressor(compressor);
    assert_true(size > 0);
    arb_governor governor;
    arb_memory memory;
    for (int round = 0; round < 2; round++) {
        arb_byte_source *source;
        arb_table_file *file;
        arb_error error = {0};
        arb_governor_init(&governor, round == 0 ? text_bytes : 4 * text_bytes);
        arb_memory_init(&memory, &governor);
        assert_int_equal(arb_byte_source_open_memory(ARB_STR("file.csv"), packed, size, &source, &error), ARB_OK);
        arb_reservation_init(&source->held, &memory, "an open file");
        arb_code code = arb_csv_open(source, NULL, &file, &error);
        assert_int_equal(code, round == 0 ? ARB_OUT_OF_MEMORY : ARB_OK);
        if (code == ARB_OK) {
            assert_true(file->bytes >= text_bytes);
            assert_int_equal(atomic_load(&governor.used), file->bytes);
            file->vtable->destroy(file);
        }
        assert_int_equal(atomic_load(&governor.used), 0);
    }
    free(text);
    free(packed);
}

/* ---- however it is cut --------------------------------------------------------------------------------------------- */

static uint64_t seed = 3;

static unsigned next_random(unsigned below)
{
    seed = arb_hash_u64(seed + 1);
    return (unsigned)(seed % below);
}

/* Text of all bytes that matter, in any order. */
static void make_noise(arb_text *out, size_t size, const char *bytes)
{
    arb_text_clear(out);
    size_t count = strlen(bytes);
    for (size_t i = 0; i < size; i++)
        arb_text_append_char(out, next_random(3) == 0 ? 'x' : bytes[next_random((unsigned)count)]);
}

/* The positions that the 64-byte loop finds are those that the plain loop finds, wherever the text is cut. */
static void both_loops_agree(const char *level)
{
    arb_error unknown = {0};
    if (arb_cpu_choose(level, &unknown) != ARB_OK)
        return; /* this machine lacks it */
    enum { MOST = 700 };
    static uint32_t expected[MOST], found[MOST];
    arb_text text = {0};
    for (unsigned round = 0; round < 6000; round++) {
        static const char *const natures[] = {"\",\n", "\",\n  ", ",\n", "\"\",\n\r ab", "\"\\,\n", "\"#,\n"};
        unsigned nature = round % ARB_COUNT_OF(natures);
        make_noise(&text, next_random(MOST), natures[nature]);
        arb_csv_dialect dialect = {.delimiter = ',', .quote = '"', .escape = '"', .newline = '\n'};
        dialect.escape = nature == 4 ? '\\' : '"';
        dialect.comment = nature == 5 ? '#' : 0;
        const uint8_t *data = (const uint8_t *)arb_text_view(&text).data;
        arb_csv_state plain = arb_csv_state_at_row(), fast = plain;
        size_t count = arb_csv_index_bytes(data, text.size, &dialect, &plain, 0, expected), at = 0, total = 0;
        while (at < text.size) {
            size_t size = 1 + (size_t)next_random(300);
            size = ARB_MIN(text.size - at, size);
            total += arb_csv_kernels_get()->index(data + at, size, &dialect, &fast, (uint32_t)at, found + total);
            at += size;
        }
        assert_int_equal(total, count);
        assert_memory_equal(expected, found, count * sizeof *found);
        assert_int_equal(fast.in_quotes, plain.in_quotes);
        assert_int_equal(fast.at_start, plain.at_start);
        assert_int_equal(fast.row_start, plain.row_start);
    }
    arb_text_reset(&text);
}

static void all_loops_agree(void **state)
{
    (void)state;
    const char *best = arb_cpu_level_name(arb_cpu_best());
    both_loops_agree("v2");
    both_loops_agree("v3");
    both_loops_agree("v4");
    arb_error error = {0};
    assert_int_equal(arb_cpu_choose(best, &error), ARB_OK);
}

static void ranges_have_the_same_rows(void **state)
{
    (void)state;
    arb_text text = {0}, whole = {0}, pieces = {0};
    for (unsigned round = 0; round < 400; round++) {
        make_noise(&text, next_random(3000), round % 2 == 0 ? "\",\n" : ",\n\"\" \n");
        arb_csv_options options = {
            .delimiter = ',', .quote = '"', .header = ARB_CSV_NO, .all_text = true, .on_error = ARB_CSV_NULL_CELL};
        arb_error error = {0}, other = {0};
        arb_table_file *file;
        arb_text_clear(&whole);
        arb_text_clear(&pieces);
        assert_int_equal(open_text(arb_text_view(&text), &options, &file, &error), ARB_OK);
        arb_code code = read_rows(file, NULL, &whole, &error);
        file->vtable->destroy(file);
        options.range_bytes = 16 + next_random(100);
        assert_int_equal(open_text(arb_text_view(&text), &options, &file, &other), ARB_OK);
        assert_int_equal(read_rows(file, NULL, &pieces, &other), code);
        file->vtable->destroy(file);
        assert_string_equal(other.message, error.message);
        if (code == ARB_OK)
            assert_string_equal(arb_text_view(&pieces).data, arb_text_view(&whole).data);
    }
    arb_text_reset(&text);
    arb_text_reset(&whole);
    arb_text_reset(&pieces);
}

/* The second range begins within quotes, which last beyond a piece that is looked at in one go and close at a place where
 * quotes could also open: what the range says of its end depends on what it is told of its beginning. */
static void quotes_that_span_ranges_are_followed(void **state)
{
    (void)state;
    arb_text text = {0}, expected = {0}, found = {0};
    arb_text_append_str(&text, ARB_STR("1,\""));
    arb_text_append_str(&expected, ARB_STR("1|"));
    for (int i = 0; i < 30000; i++) {
        arb_text_append_str(&text, ARB_STR("no end\n"));
        arb_text_append_str(&expected, ARB_STR("no end\n"));
    }
    arb_text_append_str(&text, ARB_STR("\"\n"));
    arb_text_append_char(&expected, '\n');
    for (int i = 0; i < 30000; i++) {
        arb_text_printf(&text, "%d,text\n", i);
        arb_text_printf(&expected, "%d|text\n", i);
    }
    arb_csv_options options = {.delimiter = ',', .quote = '"', .header = ARB_CSV_NO, .range_bytes = 120000};
    arb_error error = {0};
    arb_table_file *file;
    assert_int_equal(open_text(arb_text_view(&text), &options, &file, &error), ARB_OK);
    assert_int_equal(read_rows(file, NULL, &found, &error), ARB_OK);
    assert_true(arb_str_equal(arb_text_view(&found), arb_text_view(&expected)));
    file->vtable->destroy(file);
    arb_text_reset(&text);
    arb_text_reset(&expected);
    arb_text_reset(&found);
}

/* ---- filters ------------------------------------------------------------------------------------------------------- */

static arb_code keep_multiples_of_three(const arb_scan_filter *filter, void *local, const arb_vector *const *inputs,
                                        uint32_t rows, uint64_t *selection, arb_error *error)
{
    (void)filter, (void)local, (void)error;
    for (uint32_t i = 0; i < rows; i++)
        if (arb_bitmap_get(selection, i) && arb_vector_get_integer(inputs[0], i) % 3 != 0)
            arb_bitmap_clear(selection, i);
    return ARB_OK;
}

static void filters_choose_rows(void **state)
{
    (void)state;
    enum { ROWS = 10000 };
    arb_text text = {0}, expected = {0}, found = {0};
    arb_text_append_str(&text, ARB_STR("n,text,unused\n"));
    for (int i = 0; i < ROWS; i++) {
        arb_text_printf(&text, "%d,\"text, number %d\",%d\n", i, i, i * 2);
        if (i % 3 == 0)
            arb_text_printf(&expected, "text, number %d|\n", i);
    }
    static const arb_scan_filter_vtable vtable = {.name = "multiples", .apply = keep_multiples_of_three};
    const uint32_t filter_columns[] = {1};
    arb_scan_filter filter = {.vtable = &vtable, .column_count = 1, .columns = filter_columns, .ready = 1};
    arb_scan_filter *const filters[] = {&filter};
    const arb_scan_column columns[] = {{.source = 1, .physical = ARB_PHYS_STRING},
                                       {.source = 0, .physical = ARB_PHYS_INT64, .filter_only = true}};
    arb_scan_request request = {.column_count = 2, .columns = columns, .filter_count = 1, .filters = filters};
    arb_error error = {0};
    arb_table_file *file;
    assert_int_equal(open_text(arb_text_view(&text), &(arb_csv_options){.range_bytes = 20000}, &file, &error), ARB_OK);
    assert_true(file->split_count > 10);
    assert_int_equal(read_rows(file, &request, &found, &error), ARB_OK);
    assert_string_equal(found.data, expected.data);
    file->vtable->destroy(file);
    arb_text_reset(&text);
    arb_text_reset(&expected);
    arb_text_reset(&found);
}

/* ---- stopping ------------------------------------------------------------------------------------------------------ */

/* A file of a gigabyte that lies nowhere: what it begins with, then a text again and again, then another one. While it
 * is armed, a read that begins at or in front of `trap` sets the flag. */
typedef struct endless_source {
    arb_byte_source base;
    const char *first, *often, *last;
    uint64_t last_at;
    bool is_armed;
    uint64_t trap;
    _Atomic bool stop;
    size_t reads_since; /* the flag was set */
} endless_source;

static arb_code endless_read(const arb_byte_source *base, uint64_t offset, void *to, size_t size, arb_error *error)
{
    endless_source *source = (endless_source *)base;
    (void)error;
    source->reads_since += source->stop;
    source->stop = source->stop || (source->is_armed && offset <= source->trap);
    size_t first = strlen(source->first), often = strlen(source->often), last = strlen(source->last);
    for (size_t i = 0; i < size; i++) {
        uint64_t at = offset + i;
        ((char *)to)[i] = at < first              ? source->first[at]
                          : at >= source->last_at ? source->last[(at - source->last_at) % last]
                                                  : source->often[(at - first) % often];
    }
    return ARB_OK;
}

static void endless_destroy(arb_byte_source *source)
{
    (void)source;
}

/* One line that is as long as the file, one row that goes on in quotes, lines to be counted in front of a cell that is no
 * value: whoever reads them looks at the flag. */
static void long_lines_can_be_stopped(void **state)
{
    (void)state;
    static const arb_byte_source_vtable vtable = {.destroy = endless_destroy, .read = endless_read};
    enum { PIECE = 64 << 10, SPLIT = 2 << 20 };
    const struct {
        const char *first, *often;
        char quote;
        size_t split;
        uint64_t last_at, trap;
        arb_code code;
    } cases[] = {
        {"1,", "x", '\0', 5, UINT64_MAX, UINT64_MAX, ARB_CANCELLED},
        {"1,", "x", '"', 5, UINT64_MAX, UINT64_MAX, ARB_CANCELLED},
        {"1,\"", "x", '"', 0, UINT64_MAX, UINT64_MAX, ARB_CANCELLED},
        {"1,2\n", "1,2\n", '\0', 20, 20 * SPLIT + 400, 0, ARB_INVALID_TEXT},
    };
    const arb_str names[] = {ARB_STR("a"), ARB_STR("b")};
    const arb_type types[] = {{.id = ARB_TYPE_BIGINT}, {.id = ARB_TYPE_VARCHAR}};
    const arb_scan_column columns[] = {{.source = 0, .physical = ARB_PHYS_INT64}};
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        endless_source source = {.base = {.vtable = &vtable,
                                          .path = ARB_STR("file.csv"),
                                          .identity = {.size = 1 << 30},
                                          .read_ahead = PIECE},
                                 .first = cases[i].first,
                                 .often = cases[i].often,
                                 .last = "x,2\n",
                                 .last_at = cases[i].last_at,
                                 .trap = cases[i].trap};
        arb_csv_options options = {.delimiter = ',',
                                   .quote = cases[i].quote,
                                   .no_quotes = cases[i].quote == 0,
                                   .header = ARB_CSV_NO,
                                   .range_bytes = SPLIT,
                                   .column_count = 2,
                                   .names = names,
                                   .types = types};
        arb_scan_request request = {.column_count = 1, .columns = columns, .stop = &source.stop};
        arb_error error = {0};
        arb_table_file *file;
        arb_split_reader *reader;
        const arb_batch *batch;
        assert_int_equal(arb_csv_open(&source.base, &options, &file, &error), ARB_OK);
        assert_int_equal(file->vtable->reader_create(file, &request, &reader, &error), ARB_OK);
        assert_int_equal(reader->vtable->begin(reader, &file->splits[cases[i].split], &error), ARB_OK);
        source.is_armed = true;
        assert_int_equal(arb_split_reader_next(reader, &batch, &error), cases[i].code);
        assert_true(source.stop);
        assert_int_equal(source.reads_since, 0);
        reader->vtable->destroy(reader);
        file->vtable->destroy(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_understood),
        cmocka_unit_test(types_are_found),
        cmocka_unit_test(what_is_said_is_not_looked_for),
        cmocka_unit_test(errors_name_their_place),
        cmocka_unit_test(encodings_are_checked),
        cmocka_unit_test(compressed_files_are_read),
        cmocka_unit_test(what_compressed_files_hold_is_counted),
        cmocka_unit_test(all_loops_agree),
        cmocka_unit_test(ranges_have_the_same_rows),
        cmocka_unit_test(quotes_that_span_ranges_are_followed),
        cmocka_unit_test(filters_choose_rows),
        cmocka_unit_test(long_lines_can_be_stopped),
    };
    int failed = 0;
    for (size_t i = 0; i < 3; i++) {
        wait_bytes = (size_t[]){0, 1, 70}[i];
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
