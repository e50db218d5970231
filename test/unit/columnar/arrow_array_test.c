/* Arrow arrays of every type: accepted when right, refused for each way of being wrong, joined, sliced, compared. */
#include "unit/columnar/arrow_samples.h"

#include "columnar/arrow_concat.h"
#include "columnar/arrow_equal.h"

static void every_type_is_accepted(void **state)
{
    (void)state;
    for (int kind = 0; kind < ARB_ARROW_KIND_COUNT; kind++)
        for (int64_t rows = 0; rows < 200; rows = rows * 3 + 1) {
            arb_error error = {0};
            arb_arrow_schema *schema;
            arb_arrow_array *array;
            ASSERT_OK(sample_schema((arb_arrow_kind)kind, (arb_arrow_kind)kind, &schema, &error));
            ASSERT_OK(sample_array(schema, rows, 7, &array, &error));
            assert_int_equal(arb_arrow_array_length(array), rows);
            assert_true(arb_arrow_array_equal(array, array));
            arb_arrow_array_unref(array);
            arb_arrow_schema_unref(schema);
        }
}

/* A piece of a piece, and the pieces joined, are what they were cut from. */
static void slices_join(void **state)
{
    (void)state;
    for (int kind = 0; kind < ARB_ARROW_KIND_COUNT; kind++) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        arb_arrow_array *array, *parts[3], *joined, *compact;
        ASSERT_OK(sample_schema((arb_arrow_kind)kind, (arb_arrow_kind)kind, &schema, &error));
        ASSERT_OK(sample_array(schema, 100, (uint64_t)kind, &array, &error));
        static const int64_t starts[] = {0, 13, 14, 100};
        for (int i = 0; i < 3; i++) {
            ASSERT_OK(arb_arrow_copy_rows(array, starts[i], starts[i + 1] - starts[i], &parts[i], &error));
            assert_true(arb_arrow_rows_equal(arb_arrow_array_root(array), starts[i], arb_arrow_array_root(parts[i]), 0,
                                             starts[i + 1] - starts[i]));
            ASSERT_OK(arb_arrow_compact(parts[i], &compact, &error));
            assert_true(arb_arrow_array_equal(parts[i], compact));
            arb_arrow_array_unref(compact);
        }
        ASSERT_OK(arb_arrow_concat((const arb_arrow_array *const *)parts, 3, &joined, &error));
        assert_true(arb_arrow_array_equal(array, joined));
        if (kind != ARB_ARROW_NULL)
            assert_false(arb_arrow_rows_equal(arb_arrow_array_root(array), 0, arb_arrow_array_root(joined), 1, 99));
        for (int i = 0; i < 3; i++)
            arb_arrow_array_unref(parts[i]);
        arb_arrow_array_unref(joined);
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
    }
}

/* Arrays whose dictionaries differ are joined with both. */
static void dictionaries_join(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *parts[2], *joined;
    ASSERT_OK(sample_schema(ARB_ARROW_DICTIONARY, ARB_ARROW_DICTIONARY, &schema, &error));
    ASSERT_OK(sample_array(schema, 50, 1, &parts[0], &error));
    ASSERT_OK(sample_array(schema, 50, 2, &parts[1], &error));
    ASSERT_OK(arb_arrow_concat((const arb_arrow_array *const *)parts, 2, &joined, &error));
    assert_int_equal(arb_arrow_array_length(arb_arrow_array_root(joined)->children[0].dictionary), 40);
    for (int i = 0; i < 2; i++)
        assert_true(arb_arrow_rows_equal(arb_arrow_array_root(parts[i]), 0, arb_arrow_array_root(joined), 50 * i, 50));
    arb_arrow_array *many[8] = {parts[0], parts[1], parts[0], parts[1], parts[0], parts[1], parts[0], parts[1]};
    arb_arrow_array *none;
    assert_int_equal(arb_arrow_concat((const arb_arrow_array *const *)many, 8, &none, &error), ARB_LIMIT_EXCEEDED);
    assert_null(none);
    arb_arrow_array_unref(joined);
    arb_arrow_array_unref(parts[0]);
    arb_arrow_array_unref(parts[1]);
    arb_arrow_schema_unref(schema);
}

/* ---- what is wrong is refused ---- */

typedef void (*spoil)(arb_arrow_node *node);

static uint8_t *writable(arb_arrow_node *node, uint32_t buffer)
{
    return (uint8_t *)node->buffers[buffer].data;
}

static void expect_refused(arb_arrow_kind kind, spoil change)
{
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_draft draft;
    arb_arrow_array *array;
    ASSERT_OK(sample_schema(kind, kind, &schema, &error));
    ASSERT_OK(sample_draft(schema, 50, 3, &draft, &error));
    change(&draft.root.children[0]);
    arb_code code = arb_arrow_array_create(&draft, &array, &error);
    if (code != ARB_CORRUPT_DATA)
        print_error("%s: %s %s\n", arb_arrow_kind_name(kind), arb_code_name(code), error.message);
    assert_int_equal(code, ARB_CORRUPT_DATA);
    assert_null(array);
    assert_null(draft.schema);
    arb_arrow_schema_unref(schema);
}

static void make_longer(arb_arrow_node *node)
{
    node->length += 8;
    node->null_count = -1;
}
static void make_negative(arb_arrow_node *node)
{
    node->length = -1;
}
static void make_huge(arb_arrow_node *node)
{
    node->length = INT64_MAX;
}
static void move_behind(arb_arrow_node *node)
{
    node->offset = INT64_MAX - 10;
}
static void lie_about_nulls(arb_arrow_node *node)
{
    node->null_count = 49;
}
static void cut_values(arb_arrow_node *node)
{
    node->buffers[1].size--;
}
static void cut_validity(arb_arrow_node *node)
{
    node->buffers[0].size--;
}
static void offset_back(arb_arrow_node *node)
{
    memset(writable(node, 1) + 40, 0, 8);
}
static void offset_negative(arb_arrow_node *node)
{
    memset(writable(node, 1), 0xff, 8);
}
static void cut_bytes(arb_arrow_node *node)
{
    node->buffers[2].size -= 1;
}
static void break_text(arb_arrow_node *node)
{
    arb_arrow_buffer_reset(&node->buffers[0]);
    memset(writable(node, 2), 0xc0, node->buffers[2].size);
}
static void split_character(arb_arrow_node *node)
{
    arb_arrow_buffer_reset(&node->buffers[0]);
    for (size_t i = 0; i + 1 < node->buffers[2].size; i += 2)
        memcpy(writable(node, 2) + i, "\xc3\xa9", 2);
    for (uint32_t i = 0; i < 51; i++)
        if (arb_load_i32(node->buffers[1].data + i * 4) == arb_load_i32(node->buffers[1].data + i * 4 + 4) - 2) {
            arb_store_i32(writable(node, 1) + i * 4, arb_load_i32(node->buffers[1].data + i * 4) + 1);
            return;
        }
}
static void all_valid(arb_arrow_node *node)
{
    arb_arrow_buffer_reset(&node->buffers[0]);
}
static uint8_t *far_view(arb_arrow_node *node)
{
    all_valid(node);
    uint8_t *view = writable(node, 1);
    while (arb_load_u32(view) <= 12)
        view += 16;
    return view;
}
static void view_negative(arb_arrow_node *node)
{
    all_valid(node);
    arb_store_i32(writable(node, 1), -5);
}
static void view_buffer(arb_arrow_node *node)
{
    arb_store_i32(far_view(node) + 8, 2);
}
static void view_offset(arb_arrow_node *node)
{
    arb_store_i32(far_view(node) + 12, 60);
}
static void view_size(arb_arrow_node *node)
{
    arb_store_i32(far_view(node), INT32_MAX);
}
static void view_prefix(arb_arrow_node *node)
{
    far_view(node)[4] ^= 1;
}
static void view_padding(arb_arrow_node *node)
{
    all_valid(node);
    uint8_t *view = writable(node, 1);
    while (arb_load_u32(view) > 10)
        view += 16;
    view[15] = 1;
}
static void shorten_child(arb_arrow_node *node)
{
    node->children[0].length--;
    node->children[0].null_count = -1;
}
static void list_view_size(arb_arrow_node *node)
{
    memset(writable(node, 2), 0x7f, 4);
}
static void list_view_offset(arb_arrow_node *node)
{
    memset(writable(node, 1), 0xff, 4);
}
static void null_key(arb_arrow_node *node)
{
    arb_arrow_node *key = &node->children[0].children[0];
    uint8_t *bits;
    arb_error error = {0};
    ASSERT_OK(arb_arrow_buffer_create((size_t)(key->length + 7) / 8, &key->buffers[0], &bits, &error));
    memset(bits, 0xfe, (size_t)(key->length + 7) / 8);
}
static void union_id(arb_arrow_node *node)
{
    writable(node, 0)[17] = 6;
}
static void union_id_negative(arb_arrow_node *node)
{
    writable(node, 0)[17] = 0x85;
}
static void union_offset(arb_arrow_node *node)
{
    arb_store_i32(writable(node, 1) + 40, 26);
}
static void union_offset_negative(arb_arrow_node *node)
{
    arb_store_i32(writable(node, 1) + 40, -1);
}
static void index_large(arb_arrow_node *node)
{
    all_valid(node);
    writable(node, 1)[3] = 20;
}
static void index_negative(arb_arrow_node *node)
{
    all_valid(node);
    writable(node, 1)[3] = 0xff;
}
static void drop_dictionary(arb_arrow_node *node)
{
    arb_arrow_array_unref(node->dictionary);
    node->dictionary = NULL;
}
static void run_back(arb_arrow_node *node)
{
    arb_store_i32(writable(&node->children[0], 1) + 4, 3);
}
static void run_zero(arb_arrow_node *node)
{
    arb_store_i32(writable(&node->children[0], 1), 0);
}
static void runs_short(arb_arrow_node *node)
{
    node->children[0].length--;
}
static void run_values_short(arb_arrow_node *node)
{
    node->children[1].length--;
    node->children[1].null_count = -1;
}

static void wrong_data_is_refused(void **state)
{
    (void)state;
    for (int kind = ARB_ARROW_BOOL; kind < ARB_ARROW_KIND_COUNT; kind++) {
        expect_refused((arb_arrow_kind)kind, make_negative);
        expect_refused((arb_arrow_kind)kind, make_huge);
        expect_refused((arb_arrow_kind)kind, move_behind);
        expect_refused((arb_arrow_kind)kind, lie_about_nulls);
        if (arb_arrow_layout_of((arb_arrow_kind)kind) != ARB_LAYOUT_LIST_VIEW)
            expect_refused((arb_arrow_kind)kind, make_longer);
        if (arb_arrow_layout_has_validity(arb_arrow_layout_of((arb_arrow_kind)kind)))
            expect_refused((arb_arrow_kind)kind, cut_validity);
        if (arb_arrow_layout_buffers(arb_arrow_layout_of((arb_arrow_kind)kind)) >= 2)
            expect_refused((arb_arrow_kind)kind, cut_values);
    }
    static const struct {
        arb_arrow_kind kind;
        spoil change;
    } cases[] = {
        {ARB_ARROW_UTF8, offset_back},
        {ARB_ARROW_LARGE_BINARY, offset_back},
        {ARB_ARROW_UTF8, offset_negative},
        {ARB_ARROW_LARGE_UTF8, offset_negative},
        {ARB_ARROW_BINARY, cut_bytes},
        {ARB_ARROW_UTF8, break_text},
        {ARB_ARROW_UTF8, split_character},
        {ARB_ARROW_UTF8_VIEW, break_text},
        {ARB_ARROW_BINARY_VIEW, view_negative},
        {ARB_ARROW_BINARY_VIEW, view_buffer},
        {ARB_ARROW_BINARY_VIEW, view_offset},
        {ARB_ARROW_BINARY_VIEW, view_size},
        {ARB_ARROW_BINARY_VIEW, view_prefix},
        {ARB_ARROW_BINARY_VIEW, view_padding},
        {ARB_ARROW_LIST, offset_back},
        {ARB_ARROW_LIST, shorten_child},
        {ARB_ARROW_LARGE_LIST, offset_negative},
        {ARB_ARROW_LIST_VIEW, list_view_size},
        {ARB_ARROW_LARGE_LIST_VIEW, list_view_offset},
        {ARB_ARROW_FIXED_SIZE_LIST, shorten_child},
        {ARB_ARROW_STRUCT, shorten_child},
        {ARB_ARROW_MAP, null_key},
        {ARB_ARROW_SPARSE_UNION, union_id},
        {ARB_ARROW_SPARSE_UNION, union_id_negative},
        {ARB_ARROW_SPARSE_UNION, shorten_child},
        {ARB_ARROW_DENSE_UNION, union_offset},
        {ARB_ARROW_DENSE_UNION, union_offset_negative},
        {ARB_ARROW_DICTIONARY, index_large},
        {ARB_ARROW_DICTIONARY, index_negative},
        {ARB_ARROW_DICTIONARY, drop_dictionary},
        {ARB_ARROW_RUN_END_ENCODED, run_back},
        {ARB_ARROW_RUN_END_ENCODED, run_zero},
        {ARB_ARROW_RUN_END_ENCODED, runs_short},
        {ARB_ARROW_RUN_END_ENCODED, run_values_short},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++)
        expect_refused(cases[i].kind, cases[i].change);
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    static const int8_t twice[] = {3, 3};
    static const struct {
        arb_arrow_kind kind;
        arb_arrow_field wrong;
    } cases[] = {
        {ARB_ARROW_DECIMAL32, {.precision = 10}},
        {ARB_ARROW_DECIMAL256, {.precision = 77}},
        {ARB_ARROW_TIME32, {.unit = ARB_ARROW_MICROSECOND}},
        {ARB_ARROW_TIME64, {.unit = ARB_ARROW_SECOND}},
        {ARB_ARROW_FIXED_SIZE_BINARY, {.size = -1}},
        {ARB_ARROW_FIXED_SIZE_LIST, {.size = -1}},
        {ARB_ARROW_DICTIONARY, {.index_kind = ARB_ARROW_UTF8}},
        {ARB_ARROW_SPARSE_UNION, {.type_ids = twice}},
        {ARB_ARROW_INT32, {.name = {"\xff", 1}}},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        ASSERT_OK(sample_schema(cases[i].kind, cases[i].kind, &schema, &error));
        arb_arrow_field *field = &schema->root.children[0];
        field->precision = cases[i].wrong.precision;
        field->unit = cases[i].wrong.unit;
        field->size = cases[i].wrong.size;
        if (cases[i].wrong.index_kind != 0)
            field->index_kind = cases[i].wrong.index_kind;
        if (cases[i].wrong.type_ids != NULL)
            field->type_ids = cases[i].wrong.type_ids;
        if (cases[i].wrong.name.data != NULL)
            field->name = cases[i].wrong.name;
        assert_int_equal(arb_arrow_schema_validate(schema, &error), ARB_CORRUPT_DATA);
        arb_arrow_schema_unref(schema);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    ASSERT_OK(arb_arrow_schema_create(0, &schema, &error));
    arb_arrow_field *field = &schema->root;
    for (int depth = 0; depth < ARB_ARROW_DEPTH_MAX; depth++) {
        field->kind = ARB_ARROW_LIST;
        field = sample_children(schema, field, 1);
        assert_non_null(field);
    }
    ASSERT_OK(arb_arrow_schema_validate(schema, &error));
    field->kind = ARB_ARROW_LIST;
    assert_non_null(sample_children(schema, field, 1));
    assert_int_equal(arb_arrow_schema_validate(schema, &error), ARB_LIMIT_EXCEEDED);
    arb_arrow_schema_unref(schema);
}

static void types_print(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_text text = {0};
    ASSERT_OK(sample_schema(ARB_ARROW_MAP, ARB_ARROW_MAP, &schema, &error));
    arb_arrow_field_print_type(&text, &schema->root);
    assert_string_equal(text.data, "struct<map: map<child: struct<child: int32, child: utf8>>>");
    arb_text_reset(&text);
    arb_arrow_schema_unref(schema);
}

/* Every allocation fails once; nothing leaks or crashes. */
static void allocations_fail(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        arb_error error = {0};
        arb_arrow_schema *schema = NULL;
        arb_arrow_array *array = NULL, *copy = NULL;
        arb_alloc_fail_at(n, false);
        arb_code code = sample_schema(SAMPLE_FIRST, SAMPLE_LAST, &schema, &error);
        if (code == ARB_OK)
            code = sample_array(schema, 20, 9, &array, &error);
        if (code == ARB_OK)
            code = arb_arrow_copy_rows(array, 3, 10, &copy, &error);
        uint64_t asked = arb_alloc_count();
        arb_alloc_fail_at(0, false);
        arb_arrow_array_unref(copy);
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
        if (asked < n) {
            assert_int_equal(code, ARB_OK);
            break;
        }
        assert_int_equal(code, ARB_OUT_OF_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_accepted),
        cmocka_unit_test(slices_join),
        cmocka_unit_test(dictionaries_join),
        cmocka_unit_test(wrong_data_is_refused),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(types_print),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
