/* Arrow arrays to vectors and back: types, every conversion, dictionaries, batches with selections. */
#include "unit/columnar/arrow_samples.h"

#include "columnar/arrow_equal.h"
#include "columnar/arrow_vectors.h"
#include "columnar/calendar.h"
#include "columnar/value.h"

/* ---- types ---- */

static void types_map(void **state)
{
    (void)state;
    static const char *const names[ARB_ARROW_KIND_COUNT] = {
        [ARB_ARROW_NULL] = "null",
        [ARB_ARROW_BOOL] = "boolean",
        [ARB_ARROW_INT8] = "tinyint",
        [ARB_ARROW_INT16] = "smallint",
        [ARB_ARROW_INT32] = "integer",
        [ARB_ARROW_INT64] = "bigint",
        [ARB_ARROW_UINT8] = "smallint",
        [ARB_ARROW_UINT16] = "integer",
        [ARB_ARROW_UINT32] = "bigint",
        [ARB_ARROW_UINT64] = "decimal(20,0)",
        [ARB_ARROW_FLOAT16] = "real",
        [ARB_ARROW_FLOAT32] = "real",
        [ARB_ARROW_FLOAT64] = "double",
        [ARB_ARROW_DECIMAL32] = "decimal(9,2)",
        [ARB_ARROW_DECIMAL64] = "decimal(18,2)",
        [ARB_ARROW_DECIMAL128] = "decimal(18,2)",
        [ARB_ARROW_UTF8] = "varchar",
        [ARB_ARROW_LARGE_UTF8] = "varchar",
        [ARB_ARROW_UTF8_VIEW] = "varchar",
        [ARB_ARROW_BINARY] = "blob",
        [ARB_ARROW_LARGE_BINARY] = "blob",
        [ARB_ARROW_BINARY_VIEW] = "blob",
        [ARB_ARROW_FIXED_SIZE_BINARY] = "blob",
        [ARB_ARROW_DATE32] = "date",
        [ARB_ARROW_DATE64] = "date",
        [ARB_ARROW_TIME32] = "time",
        [ARB_ARROW_TIME64] = "time",
        [ARB_ARROW_TIMESTAMP] = "timestamp with time zone",
        [ARB_ARROW_DURATION] = "interval",
        [ARB_ARROW_INTERVAL_MONTHS] = "interval",
        [ARB_ARROW_INTERVAL_DAY_TIME] = "interval",
        [ARB_ARROW_INTERVAL_MDN] = "interval",
        [ARB_ARROW_LIST] = "integer[]",
        [ARB_ARROW_LARGE_LIST] = "struct(child integer, child varchar, child integer)[]",
        [ARB_ARROW_LIST_VIEW] = "integer[]",
        [ARB_ARROW_LARGE_LIST_VIEW] = "integer[]",
        [ARB_ARROW_FIXED_SIZE_LIST] = "integer[]",
        [ARB_ARROW_STRUCT] = "struct(child integer, child varchar, child integer)",
        [ARB_ARROW_MAP] = "map(integer, varchar)",
        [ARB_ARROW_DICTIONARY] = "varchar",
        [ARB_ARROW_RUN_END_ENCODED] = "varchar",
    };
    for (int kind = 0; kind < ARB_ARROW_KIND_COUNT; kind++) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        arb_arena arena = {0};
        arb_text text = {0};
        arb_type type;
        ASSERT_OK(sample_schema((arb_arrow_kind)kind, (arb_arrow_kind)kind, &schema, &error));
        arb_code code = arb_arrow_field_to_type(&schema->root.children[0], &arena, &type, &error);
        if (names[kind] == NULL) {
            assert_int_equal(code, ARB_NOT_SUPPORTED);
            assert_non_null(strstr(error.message, arb_arrow_kind_name((arb_arrow_kind)kind)));
        } else {
            ASSERT_OK(code);
            arb_type_print(&text, type);
            assert_string_equal(text.data, names[kind]);
        }
        arb_text_reset(&text);
        arb_arena_reset(&arena);
        arb_arrow_schema_unref(schema);
    }
}

/* ---- round trips ---- */

/* Scan an array and build it again from the batches. */
static arb_code rebuild(const arb_arrow_array *array, bool keep_dictionaries, arb_arrow_text_form text,
                        arb_arrow_array **out, arb_error *error)
{
    const arb_arrow_schema *schema = array->checked.schema;
    uint32_t count = schema->root.child_count;
    arb_arrow_scan *scan = NULL;
    arb_arrow_builder *builder = NULL;
    arb_arrow_schema *target = NULL;
    arb_type types[ARB_ARROW_KIND_COUNT];
    arb_str names[ARB_ARROW_KIND_COUNT];
    *out = NULL;
    arb_code code = arb_arrow_scan_create(schema, NULL, count, keep_dictionaries, &scan, error);
    for (uint32_t i = 0; code == ARB_OK && i < count; i++) {
        types[i] = arb_arrow_scan_type(scan, i);
        names[i] = schema->root.children[i].name;
    }
    if (code == ARB_OK)
        code = arb_arrow_schema_from_types(names, types, count, text, &target, error);
    if (code == ARB_OK)
        code = arb_arrow_builder_create(target, types, count, &builder, error);
    if (code == ARB_OK)
        code = arb_arrow_scan_begin(scan, array, error);
    const arb_batch *batch = NULL;
    while (code == ARB_OK && (code = arb_arrow_scan_next(scan, &batch, error)) == ARB_OK && batch != NULL)
        code = arb_arrow_builder_append(builder, batch, error);
    if (code == ARB_OK)
        code = arb_arrow_builder_finish(builder, out, error);
    arb_arrow_builder_destroy(builder);
    arb_arrow_schema_unref(target);
    arb_arrow_scan_destroy(scan);
    return code;
}

static void values_come_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < ARB_ARROW_KIND_COUNT; kind++) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        arb_arrow_array *array, *again;
        bool same_bytes = kind != ARB_ARROW_FLOAT16 && kind != ARB_ARROW_DATE64 && kind != ARB_ARROW_TIME32 &&
                          kind != ARB_ARROW_DECIMAL32 && kind != ARB_ARROW_DECIMAL64 &&
                          !(kind >= ARB_ARROW_UINT8 && kind <= ARB_ARROW_UINT64) &&
                          !(kind >= ARB_ARROW_DURATION && kind <= ARB_ARROW_INTERVAL_MDN);
        if (kind == ARB_ARROW_DECIMAL256 || kind == ARB_ARROW_DENSE_UNION || kind == ARB_ARROW_SPARSE_UNION)
            continue;
        ASSERT_OK(sample_schema((arb_arrow_kind)kind, (arb_arrow_kind)kind, &schema, &error));
        for (int64_t rows = 0; rows <= 6000; rows = rows * 10 + 60)
            for (int how = 0; how < 4; how++) {
                ASSERT_OK(sample_array(schema, rows, (uint64_t)kind, &array, &error));
                ASSERT_OK(rebuild(array, how & 1, (arb_arrow_text_form)(how >> 1), &again, &error));
                assert_int_equal(arb_arrow_array_length(again), rows);
                if (same_bytes)
                    assert_true(
                        arb_arrow_rows_equal(arb_arrow_array_root(array), 0, arb_arrow_array_root(again), 0, rows));
                else
                    assert_int_equal(arb_arrow_array_root(array)->children[0].null_count,
                                     arb_arrow_array_root(again)->children[0].null_count);
                arb_arrow_array_unref(again);
                arb_arrow_array_unref(array);
            }
        arb_arrow_schema_unref(schema);
    }
}

/* ---- single conversions ---- */

/* One column of `kind` with two rows that have these bytes; what they are as values, or the code that refuses them. */
static void expect_values(arb_arrow_kind kind, arb_arrow_unit unit, const void *bytes, size_t width, const char *first,
                          const char *second, arb_code wanted)
{
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_draft draft;
    arb_arrow_array *array;
    arb_arrow_scan *scan;
    const arb_batch *batch;
    uint8_t *data;
    ASSERT_OK(sample_schema(kind, kind, &schema, &error));
    schema->root.children[0].unit = (uint8_t)unit;
    ASSERT_OK(arb_arrow_draft_init(&draft, schema, NULL, &error));
    draft.root.length = draft.root.children[0].length = 2;
    ASSERT_OK(arb_arrow_buffer_create(2 * width, &draft.root.children[0].buffers[1], &data, &error));
    memcpy(data, bytes, 2 * width);
    ASSERT_OK(arb_arrow_array_create(&draft, &array, &error));
    ASSERT_OK(arb_arrow_scan_create(schema, NULL, 1, false, &scan, &error));
    ASSERT_OK(arb_arrow_scan_begin(scan, array, &error));
    arb_arrow_array_unref(array); /* the scan keeps it */
    assert_int_equal(arb_arrow_scan_next(scan, &batch, &error), wanted);
    for (size_t row = 0; wanted == ARB_OK && row < 2; row++) {
        arb_arena arena = {0};
        arb_value value;
        arb_text text = {0};
        ASSERT_OK(arb_vector_get_value(&batch->columns[0], arb_arrow_scan_type(scan, 0), row, &arena, &value, &error));
        arb_value_print(&text, &value);
        assert_string_equal(text.data, row == 0 ? first : second);
        arb_text_reset(&text);
        arb_arena_reset(&arena);
    }
    arb_arrow_scan_destroy(scan);
    arb_arrow_schema_unref(schema);
}

#define EXPECT(kind, unit, type, a, b, first, second) \
    expect_values(kind, unit, (type[]){a, b}, sizeof(type), first, second, ARB_OK)
#define EXPECT_REFUSED(kind, unit, type, a, b, code) \
    expect_values(kind, unit, (type[]){a, b}, sizeof(type), NULL, NULL, code)

static void scalars_convert(void **state)
{
    (void)state;
    EXPECT(ARB_ARROW_UINT8, 0, uint8_t, 255, 0, "255", "0");
    EXPECT(ARB_ARROW_UINT16, 0, uint16_t, 65535, 1, "65535", "1");
    EXPECT(ARB_ARROW_UINT32, 0, uint32_t, UINT32_MAX, 2, "4294967295", "2");
    EXPECT(ARB_ARROW_UINT64, 0, uint64_t, UINT64_MAX, 3, "18446744073709551615", "3");
    EXPECT(ARB_ARROW_FLOAT16, 0, uint16_t, 0x3c00, 0xc000, "1", "-2");
    EXPECT(ARB_ARROW_FLOAT16, 0, uint16_t, 0x7bff, 0xfc00, "65504", "-Infinity");
    EXPECT(ARB_ARROW_FLOAT16, 0, uint16_t, 0x3555, 0x7e01, "0.33325195", "NaN");
    EXPECT(ARB_ARROW_FLOAT16, 0, uint16_t, 0x0001, 0x8000, "5.9604645e-08", "-0");
    EXPECT(ARB_ARROW_DECIMAL32, 0, int32_t, 999999999, -5, "9999999.99", "-0.05");
    EXPECT(ARB_ARROW_DECIMAL64, 0, int64_t, 999999999999999999, -1, "9999999999999999.99", "-0.01");
    EXPECT(ARB_ARROW_DECIMAL128, 0, arb_int128, 100, -100, "1.00", "-1.00");
    EXPECT_REFUSED(ARB_ARROW_DECIMAL32, 0, int32_t, 1, 1000000000, ARB_OUT_OF_RANGE);
    EXPECT_REFUSED(ARB_ARROW_DECIMAL64, 0, int64_t, -1000000000000000000, 1, ARB_OUT_OF_RANGE);
    EXPECT_REFUSED(ARB_ARROW_DECIMAL128, 0, arb_int128, 1, ARB_INT128_MIN, ARB_OUT_OF_RANGE);
    EXPECT(ARB_ARROW_DATE64, 0, int64_t, 86400000, -1, "1970-01-02", "1969-12-31");
    EXPECT_REFUSED(ARB_ARROW_DATE64, 0, int64_t, 0, INT64_MAX, ARB_DATETIME_OVERFLOW);
    EXPECT(ARB_ARROW_TIME32, ARB_ARROW_SECOND, int32_t, 3600, 86399, "01:00:00", "23:59:59");
    EXPECT(ARB_ARROW_TIME32, ARB_ARROW_MILLISECOND, int32_t, 1500, 0, "00:00:01.5", "00:00:00");
    EXPECT(ARB_ARROW_TIME64, ARB_ARROW_NANOSECOND, int64_t, 1500, 1000000000, "00:00:00.000001", "00:00:01");
    EXPECT_REFUSED(ARB_ARROW_TIME32, ARB_ARROW_SECOND, int32_t, 0, 86401, ARB_DATETIME_OVERFLOW);
    EXPECT_REFUSED(ARB_ARROW_TIME64, ARB_ARROW_MICROSECOND, int64_t, -1, 0, ARB_DATETIME_OVERFLOW);
    EXPECT(ARB_ARROW_TIMESTAMP, ARB_ARROW_SECOND, int64_t, 1, -1, "1970-01-01 00:00:01+00", "1969-12-31 23:59:59+00");
    EXPECT(ARB_ARROW_TIMESTAMP, ARB_ARROW_NANOSECOND, int64_t, 1, 0, "1970-01-01 00:00:00.000000001+00",
           "1970-01-01 00:00:00+00");
    EXPECT_REFUSED(ARB_ARROW_TIMESTAMP, ARB_ARROW_SECOND, int64_t, 0, INT64_MAX / 1000, ARB_DATETIME_OVERFLOW);
    EXPECT(ARB_ARROW_DURATION, ARB_ARROW_MILLISECOND, int64_t, 1500, -1000, "00:00:01.5", "-00:00:01");
    EXPECT_REFUSED(ARB_ARROW_DURATION, ARB_ARROW_SECOND, int64_t, INT64_MAX, 0, ARB_DATETIME_OVERFLOW);
    EXPECT(ARB_ARROW_INTERVAL_MONTHS, 0, int32_t, 14, 1, "1 year 2 mons", "1 mon");
    expect_values(ARB_ARROW_INTERVAL_DAY_TIME, 0, (int32_t[]){1, 500, -1, 0}, 8, "1 day 00:00:00.5", "-1 days", ARB_OK);
}

/* ---- dictionaries ---- */

static void dictionaries_stay(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *array;
    arb_arrow_scan *scan;
    const arb_batch *batch;
    ASSERT_OK(sample_schema(ARB_ARROW_DICTIONARY, ARB_ARROW_DICTIONARY, &schema, &error));
    ASSERT_OK(sample_array(schema, 5000, 1, &array, &error));
    ASSERT_OK(arb_arrow_scan_create(schema, NULL, 1, true, &scan, &error));
    uint64_t id = 0;
    const arb_arrow_node *node = &arb_arrow_array_root(array)->children[0];
    for (int again = 0; again < 2; again++) {
        ASSERT_OK(arb_arrow_scan_begin(scan, array, &error));
        for (int64_t start = 0; start < 5000; start += ARB_VECTOR_ROWS) {
            ASSERT_OK(arb_arrow_scan_next(scan, &batch, &error));
            const arb_vector *vector = &batch->columns[0];
            assert_int_equal(vector->encoding, ARB_DICTIONARY);
            assert_int_equal(vector->dictionary_size, 20);
            assert_true(id == 0 || vector->dictionary_id == id); /* the same entries, the same number */
            id = vector->dictionary_id;
            for (uint32_t row = 0; row < batch->rows; row++) {
                assert_int_equal(arb_vector_is_valid(vector, row), arb_arrow_node_is_valid(node, start + row));
                assert_true(vector->values.codes[row] < vector->dictionary_size);
                if (arb_vector_is_valid(vector, row))
                    assert_int_equal(vector->values.codes[row], arb_arrow_node_index(node, start + row));
            }
        }
        ASSERT_OK(arb_arrow_scan_next(scan, &batch, &error));
        assert_null(batch);
    }
    arb_arrow_scan_destroy(scan);
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(schema);
}

/* A NULL entry makes rows NULL; a dictionary without entries can be looked up all the same. */
static void odd_dictionaries_are_read(void **state)
{
    (void)state;
    for (int64_t entries = 0; entries <= 2; entries += 2) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        arb_arrow_draft inner, draft;
        arb_arrow_array *array;
        arb_arrow_scan *scan;
        const arb_batch *batch;
        uint8_t *data;
        ASSERT_OK(sample_schema(ARB_ARROW_DICTIONARY, ARB_ARROW_DICTIONARY, &schema, &error));
        schema->root.children[0].children[0].kind = ARB_ARROW_INT32;
        ASSERT_OK(arb_arrow_draft_init(&inner, schema, &schema->root.children[0].children[0], &error));
        inner.root.length = entries;
        ASSERT_OK(arb_arrow_buffer_create(8, &inner.root.buffers[1], &data, &error));
        memcpy(data, (int32_t[]){7, 8}, 8);
        ASSERT_OK(arb_arrow_buffer_create(1, &inner.root.buffers[0], &data, &error));
        *data = 2; /* the first one is NULL */
        ASSERT_OK(arb_arrow_draft_init(&draft, schema, NULL, &error));
        arb_arrow_node *node = &draft.root.children[0];
        draft.root.length = node->length = 3;
        ASSERT_OK(arb_arrow_array_create(&inner, &node->dictionary, &error));
        ASSERT_OK(arb_arrow_buffer_create(3, &node->buffers[1], &data, &error));
        memcpy(data, (uint8_t[]){1, 0, 99}, 3);
        ASSERT_OK(arb_arrow_buffer_create(1, &node->buffers[0], &data, &error));
        *data = entries == 0 ? 0 : 3;
        ASSERT_OK(arb_arrow_array_create(&draft, &array, &error));
        ASSERT_OK(arb_arrow_scan_create(schema, NULL, 1, true, &scan, &error));
        ASSERT_OK(arb_arrow_scan_begin(scan, array, &error));
        ASSERT_OK(arb_arrow_scan_next(scan, &batch, &error));
        const arb_vector *vector = &batch->columns[0];
        assert_null(vector->dictionary->validity);
        for (uint32_t row = 0; row < 3; row++) {
            assert_int_equal(arb_vector_is_valid(vector, row), entries != 0 && row == 0);
            assert_true(vector->values.codes[row] < vector->dictionary_size);
        }
        if (entries != 0)
            assert_int_equal((int)arb_vector_get_integer(vector, 0), 8);
        arb_arrow_scan_destroy(scan);
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
    }
}

/* ---- building ---- */

static void batches_build(void **state)
{
    (void)state;
    arb_error error = {0};
    int32_t narrow[] = {1234, -5, 7, 8};
    arb_string text = arb_string_of("a text that is longer than twelve", 33);
    arb_string words[] = {arb_string_of("one", 3), arb_string_of("two", 3)};
    uint32_t codes[] = {1, 0, 1, 0};
    uint64_t selection = 0xB, validity = 0xE, one = 1; /* rows 0, 1, 3; row 0 is NULL in the second column */
    arb_vector dictionary = {.physical = ARB_PHYS_STRING, .values = {.string = words}};
    arb_vector columns[] = {
        {.physical = ARB_PHYS_INT32, .values = {.i32 = narrow}},
        {.physical = ARB_PHYS_STRING,
         .encoding = ARB_DICTIONARY,
         .values = {.codes = codes},
         .validity = &validity,
         .dictionary = &dictionary,
         .dictionary_size = 2,
         .dictionary_id = 1},
        {.physical = ARB_PHYS_STRING, .encoding = ARB_CONSTANT, .values = {.string = &text}, .validity = &one},
    };
    arb_batch batch = {.rows = 4, .selected = 3, .selection = &selection, .column_count = 3, .columns = columns};
    arb_str names[] = {ARB_STR("d"), ARB_STR("w"), ARB_STR("t")};
    arb_type types[] = {arb_type_decimal(30, 2), ARB_TYPE(VARCHAR), ARB_TYPE(BLOB)};
    for (int form = 0; form < 2; form++) {
        arb_arrow_schema *schema;
        arb_arrow_builder *builder;
        arb_arrow_array *array;
        ASSERT_OK(arb_arrow_schema_from_types(names, types, 3, (arb_arrow_text_form)form, &schema, &error));
        ASSERT_OK(arb_arrow_builder_create(schema, types, 3, &builder, &error));
        for (int again = 0; again < 2; again++) { /* a builder is empty after finish */
            ASSERT_OK(arb_arrow_builder_append(builder, &batch, &error));
            ASSERT_OK(arb_arrow_builder_append(builder, &batch, &error));
            assert_int_equal(arb_arrow_builder_rows(builder), 6);
            assert_true(arb_arrow_builder_bytes(builder) >= 6 * 16);
            ASSERT_OK(arb_arrow_builder_finish(builder, &array, &error));
            const arb_arrow_node *root = arb_arrow_array_root(array);
            assert_int_equal(root->length, 6);
            assert_int_equal(root->children[1].null_count, 2);
            assert_int_equal(root->children[0].field->precision, 30);
            assert_true(arb_load_i128(arb_arrow_node_bytes(&root->children[0], 4).data) == -5);
            assert_true(arb_str_equal(arb_arrow_node_bytes(&root->children[1], 2), ARB_STR("one")));
            assert_true(arb_str_equal(arb_arrow_node_bytes(&root->children[2], 5), arb_string_view(&text)));
            arb_arrow_array_unref(array);
        }
        arb_arrow_builder_destroy(builder);
        arb_arrow_schema_unref(schema);
    }
    arb_arrow_schema *schema;
    arb_arrow_builder *builder;
    ASSERT_OK(arb_arrow_schema_from_types(names, types, 3, ARB_ARROW_TEXT_OFFSETS, &schema, &error));
    types[0] = ARB_TYPE(BIGINT);
    assert_int_equal(arb_arrow_builder_create(schema, types, 3, &builder, &error), ARB_DATATYPE_MISMATCH);
    arb_arrow_schema_unref(schema);
}

static void long_intervals_are_refused(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_interval interval = {.micros = INT64_MAX / 100};
    arb_vector column = {.physical = ARB_PHYS_INTERVAL, .values = {.interval = &interval}};
    arb_batch batch = {.rows = 1, .selected = 1, .column_count = 1, .columns = &column};
    arb_str name = ARB_STR("i");
    arb_type type = ARB_TYPE(INTERVAL);
    arb_arrow_schema *schema;
    arb_arrow_builder *builder;
    ASSERT_OK(arb_arrow_schema_from_types(&name, &type, 1, ARB_ARROW_TEXT_OFFSETS, &schema, &error));
    ASSERT_OK(arb_arrow_builder_create(schema, &type, 1, &builder, &error));
    assert_int_equal(arb_arrow_builder_append(builder, &batch, &error), ARB_DATETIME_OVERFLOW);
    arb_arrow_builder_destroy(builder);
    arb_arrow_schema_unref(schema);
}

static void allocations_fail(void **state)
{
    (void)state;
    static const arb_arrow_kind ranges[][2] = {{ARB_ARROW_NULL, ARB_ARROW_DECIMAL128},
                                               {ARB_ARROW_UTF8, ARB_ARROW_MAP},
                                               {ARB_ARROW_DICTIONARY, ARB_ARROW_RUN_END_ENCODED}};
    for (size_t i = 0; i < ARB_COUNT_OF(ranges); i++) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        arb_arrow_array *array, *again;
        ASSERT_OK(sample_schema(ranges[i][0], ranges[i][1], &schema, &error));
        ASSERT_OK(sample_array(schema, 30, 4, &array, &error));
        for (uint64_t n = 1;; n++) {
            arb_alloc_fail_at(n, false);
            arb_code code = rebuild(array, true, ARB_ARROW_TEXT_VIEWS, &again, &error);
            uint64_t asked = arb_alloc_count();
            arb_alloc_fail_at(0, false);
            arb_arrow_array_unref(again);
            assert_int_equal(code, asked < n ? ARB_OK : ARB_OUT_OF_MEMORY);
            if (asked < n)
                break;
        }
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_map),
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(scalars_convert),
        cmocka_unit_test(dictionaries_stay),
        cmocka_unit_test(odd_dictionaries_are_read),
        cmocka_unit_test(batches_build),
        cmocka_unit_test(long_intervals_are_refused),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
