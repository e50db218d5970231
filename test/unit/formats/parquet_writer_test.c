/* What is written is read back: values of every type, through all encodings, codecs, page and row group sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/hash.h"
#include "columnar/value.h"
#include "formats/parquet.h"
#include "formats/parquet/delta_decoder.h"
#include "formats/parquet/delta_encoder.h"
#include "formats/parquet/rle_decoder.h"
#include "formats/parquet/rle_encoder.h"
#include "formats/writer.h"

static uint64_t seed = 7;

static uint64_t next_random(void)
{
    return seed = arb_hash_u64(seed + 1);
}

/* ---- the encoders against the decoders --------------------------------------------------------------------------- */

static void runs_and_bits_read_back(void **state)
{
    (void)state;
    enum { MOST = 3000 };
    static uint32_t values[MOST], back[MOST + 8];
    for (unsigned width = 0; width <= 32; width++)
        for (unsigned round = 0; round < 30; round++) {
            size_t count = next_random() % MOST;
            uint32_t mask = width == 32 ? UINT32_MAX : ((uint32_t)1 << width) - 1;
            for (size_t i = 0; i < count;) { /* runs of several lengths between noise */
                size_t run = round % 3 == 0 ? 1 : 1 + next_random() % (next_random() % 4 == 0 ? 90 : 3);
                uint32_t value = (uint32_t)next_random() & mask;
                for (; run > 0 && i < count; run--)
                    values[i++] = value;
            }
            arb_text out = {0};
            arb_rle_encode_u32(&out, values, count, width);
            size_t size = out.size;
            arb_text_append_repeated(&out, 0x5A, 64); /* the decoder's padding */
            arb_rle_decoder decoder = arb_rle_decoder_over((const uint8_t *)out.data, size, width);
            uint32_t largest = 0;
            assert_int_equal(arb_rle_decoder_get(&decoder, arb_parquet_kernels_get(), count, back, &largest), count);
            assert_memory_equal(values, back, count * sizeof *values);
            arb_text_reset(&out);
        }
}

static void differences_read_back(void **state)
{
    (void)state;
    enum { MOST = 700 };
    static int64_t values[MOST];
    static int32_t narrow[MOST];
    arb_padded_buffer back = {0};
    for (unsigned round = 0; round < 600; round++) {
        size_t count = next_random() % MOST;
        unsigned shift = (unsigned)(next_random() % 64);
        int64_t sum = (int64_t)next_random();
        for (size_t i = 0; i < count; i++) {
            sum = (int64_t)((uint64_t)sum + (next_random() >> shift));
            values[i] = round % 5 == 0 ? (int64_t)(next_random() % 3 == 0 ? INT64_MIN : INT64_MAX) : sum;
            narrow[i] = round % 7 == 0 ? (next_random() % 2 == 0 ? INT32_MIN : INT32_MAX) : (int32_t)values[i];
        }
        for (unsigned is_32 = 0; is_32 < 2; is_32++) {
            arb_text out = {0};
            if (is_32)
                arb_delta_encode_i32(&out, narrow, count);
            else
                arb_delta_encode_i64(&out, values, count);
            size_t size = out.size, got, used;
            arb_text_append_repeated(&out, 0x5A, 64);
            arb_error error = {0};
            assert_int_equal(
                arb_delta_integers((const uint8_t *)out.data, size, count, is_32, &back, &got, &used, &error), ARB_OK);
            assert_int_equal(got, count);
            assert_int_equal(used, size);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(((int64_t *)(void *)back.data)[i], is_32 ? narrow[i] : values[i]);
            arb_text_reset(&out);
        }
    }
    arb_padded_buffer_reset(&back);
}

/* ---- whole files ------------------------------------------------------------------------------------------------- */

enum { ROWS = 9000, BATCH = 700 };

/* Few or many distinct values, in order or not. */
static arb_int128 make_integer(unsigned nature, size_t row, unsigned bits)
{
    arb_int128 wide = (arb_int128)((arb_uint128)next_random() << 64 | next_random());
    arb_int128 value = nature == 0 ? (arb_int128)(next_random() % 11) - 5 : nature == 1 ? (arb_int128)row * 3 : wide;
    if (bits < 128) /* the value of the low bits */
        value = (arb_int128)((arb_uint128)value << (128 - bits)) >> (128 - bits);
    return value;
}

typedef struct column {
    arb_type type;
    arb_physical physical; /* of the vectors given to the writer */
    unsigned nature;
    unsigned bits;      /* of whole numbers */
    unsigned null_each; /* one of so many is NULL; 0: none */
    bool is_constant, has_codes;
} column;

static arb_string *make_texts(arb_arena *arena, unsigned nature)
{
    arb_string *texts = ARB_ARENA_ARRAY(arena, arb_string, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        char bytes[160];
        int size = nature == 0   ? snprintf(bytes, sizeof bytes, "word %llu", (unsigned long long)next_random() % 9)
                   : nature == 1 ? snprintf(bytes, sizeof bytes, "%*s%zu \xC3\xA4", (int)(next_random() % 90), "", i)
                                 : (int)(next_random() % 2);
        texts[i] = arb_string_of(arb_arena_copy(arena, bytes, (size_t)size), (size_t)size);
    }
    return texts;
}

/* All values of a column as one long vector. */
static arb_vector make_column(const column *c, arb_arena *arena)
{
    arb_vector v = {.physical = (uint8_t)c->physical, .encoding = ARB_FLAT};
    v.values.data = ARB_ARENA_ARRAY(arena, arb_int128, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        arb_int128 value = make_integer(c->nature, i, c->bits);
        switch (c->physical) {
        case ARB_PHYS_BOOL:
            arb_bitmap_put(v.values.bits, i, value & 1);
            break;
        case ARB_PHYS_INT8:
            v.values.i8[i] = (int8_t)value;
            break;
        case ARB_PHYS_INT16:
            v.values.i16[i] = (int16_t)value;
            break;
        case ARB_PHYS_INT32:
            v.values.i32[i] = (int32_t)value;
            break;
        case ARB_PHYS_INT64:
            v.values.i64[i] = (int64_t)value;
            break;
        case ARB_PHYS_INT128:
            v.values.i128[i] = value;
            break;
        case ARB_PHYS_FLOAT32:
            v.values.f32[i] = next_random() % 50 == 0 ? __builtin_nanf("") : (float)value / 8;
            break;
        case ARB_PHYS_FLOAT64:
            v.values.f64[i] = next_random() % 50 == 0 ? -0.0 : (double)value / 8;
            break;
        default:
            break;
        }
    }
    if (c->physical == ARB_PHYS_STRING)
        v.values.string = make_texts(arena, c->nature);
    if (c->null_each != 0) {
        v.validity = ARB_ARENA_ARRAY(arena, uint64_t, arb_bitmap_words(ROWS) + 1);
        for (size_t i = 0; i < ROWS; i++)
            arb_bitmap_put(v.validity, i, next_random() % c->null_each != 0);
    }
    return v;
}

/* Rows [from, from + count) of a long vector, in the encoding that the column asks for. */
static arb_vector cut_vector(const column *c, const arb_vector *all, size_t from, size_t count, arb_arena *arena)
{
    arb_vector v = *all;
    if (all->validity != NULL) {
        v.validity = ARB_ARENA_ARRAY(arena, uint64_t, arb_bitmap_words(count) + 1);
        arb_bitmap_copy(v.validity, all->validity, from, count);
    }
    if (c->has_codes) {
        arb_vector *entries = ARB_ARENA_NEW(arena, arb_vector);
        *entries = *all;
        entries->validity = NULL;
        v.encoding = ARB_DICTIONARY;
        v.dictionary = entries;
        v.dictionary_size = ROWS;
        v.dictionary_id = arb_dictionary_id_next();
        v.values.codes = ARB_ARENA_ARRAY(arena, uint32_t, count);
        for (size_t i = 0; i < count; i++)
            v.values.codes[i] = (uint32_t)(from + i);
        return v;
    }
    if (c->is_constant) { /* all rows of a batch have its first value */
        v.encoding = ARB_CONSTANT;
        count = 1;
    }
    if (c->physical == ARB_PHYS_BOOL) {
        v.values.bits = ARB_ARENA_ARRAY(arena, uint64_t, arb_bitmap_words(count) + 1);
        arb_bitmap_copy(v.values.bits, all->values.bits, from, count);
    } else {
        v.values.data = (char *)all->values.data + from * arb_physical_size(c->physical);
    }
    return v;
}

static void print_row(arb_text *out, const arb_vector *vector, arb_type type, size_t row)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_value value;
    if (!arb_vector_is_valid(vector, row)) {
        arb_text_append_str(out, ARB_STR("NULL\n"));
        return;
    }
    assert_int_equal(arb_vector_get_value(vector, type, row, &arena, &value, &error), ARB_OK);
    arb_value_print(out, &value);
    arb_text_append_char(out, '\n');
    arb_arena_reset(&arena);
}

static const column columns[] = {
    {{.id = ARB_TYPE_BOOLEAN}, ARB_PHYS_BOOL, 0, 8, 3, false, false},
    {{.id = ARB_TYPE_BOOLEAN}, ARB_PHYS_BOOL, 2, 8, 0, true, false},
    {{.id = ARB_TYPE_TINYINT}, ARB_PHYS_INT8, 2, 8, 4, false, false},
    {{.id = ARB_TYPE_SMALLINT}, ARB_PHYS_INT16, 2, 16, 0, false, false},
    {{.id = ARB_TYPE_INTEGER}, ARB_PHYS_INT32, 1, 32, 0, false, false},
    {{.id = ARB_TYPE_INTEGER}, ARB_PHYS_INT64, 2, 32, 100, false, false},
    {{.id = ARB_TYPE_BIGINT}, ARB_PHYS_INT64, 2, 64, 5, false, false},
    {{.id = ARB_TYPE_BIGINT}, ARB_PHYS_INT32, 1, 32, 5, false, true},
    {{.id = ARB_TYPE_BIGINT}, ARB_PHYS_INT64, 0, 64, 2, true, false},
    {{.id = ARB_TYPE_REAL}, ARB_PHYS_FLOAT32, 0, 16, 4, false, false},
    {{.id = ARB_TYPE_DOUBLE}, ARB_PHYS_FLOAT64, 2, 50, 0, false, false},
    {{.id = ARB_TYPE_DECIMAL, .precision = 9, .scale = 2}, ARB_PHYS_INT32, 2, 28, 9, false, false},
    {{.id = ARB_TYPE_DECIMAL, .precision = 15, .scale = 2}, ARB_PHYS_INT32, 1, 30, 0, false, false},
    {{.id = ARB_TYPE_DECIMAL, .precision = 18, .scale = 0}, ARB_PHYS_INT128, 2, 55, 3, false, false},
    {{.id = ARB_TYPE_DECIMAL, .precision = 20, .scale = 3}, ARB_PHYS_INT64, 2, 64, 3, false, false},
    {{.id = ARB_TYPE_DECIMAL, .precision = 38, .scale = 10}, ARB_PHYS_INT128, 2, 120, 3, false, true},
    {{.id = ARB_TYPE_VARCHAR}, ARB_PHYS_STRING, 0, 8, 5, false, false},
    {{.id = ARB_TYPE_VARCHAR}, ARB_PHYS_STRING, 1, 8, 0, false, true},
    {{.id = ARB_TYPE_VARCHAR}, ARB_PHYS_STRING, 1, 8, 2, false, false},
    {{.id = ARB_TYPE_BLOB}, ARB_PHYS_STRING, 1, 8, 3, false, false},
    {{.id = ARB_TYPE_DATE}, ARB_PHYS_INT32, 1, 20, 3, false, false},
    {{.id = ARB_TYPE_TIME}, ARB_PHYS_INT64, 2, 36, 3, false, false},
    {{.id = ARB_TYPE_TIMESTAMP}, ARB_PHYS_INT64, 2, 55, 3, false, false},
    {{.id = ARB_TYPE_TIMESTAMP, .nanoseconds = true}, ARB_PHYS_INT64, 1, 62, 3, false, false},
    {{.id = ARB_TYPE_TIMESTAMPTZ}, ARB_PHYS_INT64, 2, 55, 0, false, false},
    {{.id = ARB_TYPE_TIMESTAMPTZ, .nanoseconds = true}, ARB_PHYS_INT64, 2, 62, 1, false, false},
    {{.id = ARB_TYPE_NULL}, ARB_PHYS_BOOL, 0, 8, 1, false, false},
};
enum { COLUMNS = ARB_COUNT_OF(columns) };

/* Write batches, some with selections; note what the rows were. */
static void write_rows(arb_table_writer *writer, const arb_vector *all, arb_text expected[COLUMNS])
{
    arb_error error = {0};
    for (size_t from = 0; from < ROWS; from += BATCH) {
        arb_arena arena = {0};
        size_t count = ARB_MIN((size_t)BATCH, ROWS - from);
        arb_vector vectors[COLUMNS];
        for (size_t i = 0; i < COLUMNS; i++)
            vectors[i] = cut_vector(&columns[i], &all[i], from, count, &arena);
        uint64_t selection[ARB_VECTOR_WORDS] = {0};
        arb_batch batch = {
            .rows = (uint32_t)count, .selected = (uint32_t)count, .column_count = COLUMNS, .columns = vectors};
        if (from / BATCH % 2 == 1) {
            for (size_t i = 0; i < count; i++)
                arb_bitmap_put(selection, i, next_random() % 3 != 0);
            batch.selection = selection;
            batch.selected = (uint32_t)arb_bitmap_count(selection, count);
        }
        for (size_t row = 0; row < count; row++)
            for (size_t i = 0; i < COLUMNS && (batch.selection == NULL || arb_bitmap_get(selection, row)); i++)
                print_row(&expected[i], &vectors[i], columns[i].type, row);
        assert_int_equal(arb_table_writer_append(writer, &batch, &error), ARB_OK);
        arb_arena_reset(&arena);
    }
}

static void read_rows(const arb_table_file *file, arb_text found[COLUMNS], bool keep_dictionaries)
{
    arb_error error = {0};
    arb_scan_column scan[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        scan[i] = (arb_scan_column){.source = (uint32_t)i, .physical = arb_type_physical(file->columns[i].type)};
    arb_scan_request request = {.column_count = COLUMNS, .columns = scan, .keep_dictionaries = keep_dictionaries};
    arb_split_reader *reader;
    assert_int_equal(file->vtable->reader_create(file, &request, &reader, &error), ARB_OK);
    for (size_t s = 0; s < file->split_count; s++) {
        const arb_batch *batch;
        assert_int_equal(reader->vtable->begin(reader, &file->splits[s], &error), ARB_OK);
        while (arb_split_reader_next(reader, &batch, &error) == ARB_OK && batch != NULL)
            for (size_t i = 0; i < COLUMNS; i++)
                for (size_t row = 0; row < batch->rows; row++)
                    print_row(&found[i], &batch->columns[i], file->columns[i].type, row);
        assert_string_equal(error.message, "");
    }
    reader->vtable->destroy(reader);
}

static void check_options(const arb_parquet_write_options *options)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_str names[COLUMNS];
    arb_type types[COLUMNS];
    bool required[COLUMNS];
    arb_vector all[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        char *name = arb_arena_alloc(&arena, 16);
        snprintf(name, 16, "c%zu", i);
        names[i] = arb_str_of(name);
        types[i] = columns[i].type;
        required[i] = columns[i].null_each == 0;
        all[i] = make_column(&columns[i], &arena);
    }
    arb_table_schema schema = {COLUMNS, names, types, required};
    arb_text bytes = {0}, expected[COLUMNS] = {0}, found[COLUMNS] = {0};
    arb_byte_sink *sink;
    arb_table_writer *writer;
    assert_int_equal(arb_byte_sink_create_memory(&bytes, &sink, &error), ARB_OK);
    assert_int_equal(arb_parquet_writer_create(sink, &schema, options, &writer, &error), ARB_OK);
    write_rows(writer, all, expected);
    assert_int_equal(arb_table_writer_finish(writer, &error), ARB_OK);
    uint64_t rows = writer->rows;
    arb_table_writer_destroy(writer);

    arb_byte_source *source;
    arb_table_file *file;
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("test"), bytes.data, bytes.size, &source, &error), ARB_OK);
    assert_int_equal(arb_parquet_open(source, &file, &error), ARB_OK);
    assert_int_equal(file->rows, rows);
    assert_int_equal(file->column_count, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (types[i].id != ARB_TYPE_NULL)
            assert_true(arb_type_equal(file->columns[i].type, types[i]));
        assert_int_equal(file->columns[i].nullable, !required[i]);
    }
    read_rows(file, found, options != NULL && options->bloom_filters);
    for (size_t i = 0; i < COLUMNS; i++) {
        assert_int_equal(found[i].size, expected[i].size);
        assert_memory_equal(found[i].data, expected[i].data, found[i].size);
        arb_text_reset(&expected[i]);
        arb_text_reset(&found[i]);
    }
    file->vtable->destroy(file);
    arb_text_reset(&bytes);
    arb_arena_reset(&arena);
}

static void every_type_reads_back(void **state)
{
    (void)state;
    check_options(NULL);
    const arb_parquet_write_options several[] = {
        {.codec = ARB_WRITE_NONE, .row_group_rows = 1000, .page_rows = 100, .bloom_filters = true},
        {.codec = ARB_WRITE_SNAPPY, .row_group_rows = 777, .page_bytes = 500},
        {.codec = ARB_WRITE_GZIP, .level = 1, .page_rows = 1, .row_group_rows = 4000},
        {.codec = ARB_WRITE_LZ4_RAW, .no_dictionaries = true, .bloom_filters = true},
        {.codec = ARB_WRITE_ZSTD, .level = 19, .row_group_bytes = 100000},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(several); i++)
        check_options(&several[i]);
}

static void a_file_without_rows_is_a_file(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_text bytes = {0};
    arb_byte_sink *sink;
    arb_table_writer *writer;
    arb_str name = ARB_STR("a");
    arb_type type = ARB_TYPE(VARCHAR);
    arb_table_schema schema = {1, &name, &type, NULL};
    assert_int_equal(arb_byte_sink_create_memory(&bytes, &sink, &error), ARB_OK);
    assert_int_equal(arb_parquet_writer_create(sink, &schema, NULL, &writer, &error), ARB_OK);
    assert_int_equal(arb_table_writer_finish(writer, &error), ARB_OK);
    arb_table_writer_destroy(writer);
    arb_byte_source *source;
    arb_table_file *file;
    assert_int_equal(arb_byte_source_open_memory(name, bytes.data, bytes.size, &source, &error), ARB_OK);
    assert_int_equal(arb_parquet_open(source, &file, &error), ARB_OK);
    assert_int_equal(file->rows, 0);
    assert_int_equal(file->split_count, 0);
    file->vtable->destroy(file);
    arb_text_reset(&bytes);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_text bytes = {0};
    arb_byte_sink *sink;
    arb_table_writer *writer;
    arb_str name = ARB_STR("span");
    arb_type type = ARB_TYPE(INTERVAL);
    arb_table_schema schema = {1, &name, &type, NULL};
    assert_int_equal(arb_byte_sink_create_memory(&bytes, &sink, &error), ARB_OK);
    assert_int_equal(arb_parquet_writer_create(sink, &schema, NULL, &writer, &error), ARB_NOT_SUPPORTED);
    assert_non_null(strstr(error.message, "span"));
    assert_non_null(strstr(error.message, "interval"));

    /* A value that its type cannot hold, and a NULL where there must be none. */
    int64_t values[2] = {1, INT64_C(1) << 40};
    uint64_t validity = 1;
    bool required = true;
    for (int nulls = 0; nulls < 2; nulls++) {
        arb_error_clear(&error);
        type = ARB_TYPE(INTEGER);
        schema.required = &required;
        arb_vector vector = {.physical = ARB_PHYS_INT64, .values.i64 = values, .validity = nulls ? &validity : NULL};
        arb_batch batch = {.rows = 2, .selected = 2, .column_count = 1, .columns = &vector};
        assert_int_equal(arb_byte_sink_create_memory(&bytes, &sink, &error), ARB_OK);
        assert_int_equal(arb_parquet_writer_create(sink, &schema, NULL, &writer, &error), ARB_OK);
        assert_int_equal(arb_table_writer_append(writer, &batch, &error),
                         nulls ? ARB_NULL_NOT_ALLOWED : ARB_OUT_OF_RANGE);
        assert_non_null(strstr(error.message, "span"));
        arb_table_writer_destroy(writer);
    }
    arb_text_reset(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_and_bits_read_back),
        cmocka_unit_test(differences_read_back),
        cmocka_unit_test(every_type_reads_back),
        cmocka_unit_test(a_file_without_rows_is_a_file),
        cmocka_unit_test(what_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
