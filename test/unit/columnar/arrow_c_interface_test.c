/* The C Data and C Stream interfaces: what goes out comes in alike, and each release happens once. */
#include <errno.h>

#include "unit/columnar/arrow_samples.h"

#include "columnar/arrow_c_interface.h"
#include "columnar/arrow_equal.h"

static void schemas_come_back(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema, *again;
    struct ArrowSchema out;
    ASSERT_OK(sample_schema(SAMPLE_FIRST, SAMPLE_LAST, &schema, &error));
    schema->root.children[ARB_ARROW_MAP].ordered = schema->root.children[ARB_ARROW_DICTIONARY].ordered = true;
    ASSERT_OK(arb_arrow_schema_export(schema, &out, &error));
    assert_string_equal(out.format, "+s");
    assert_string_equal(out.children[ARB_ARROW_TIMESTAMP]->format, "tsu:Europe/Paris");
    assert_string_equal(out.children[ARB_ARROW_DECIMAL256]->format, "d:18,2,256");
    assert_string_equal(out.children[ARB_ARROW_DENSE_UNION]->format, "+ud:5,7");
    assert_string_equal(out.children[ARB_ARROW_FIXED_SIZE_LIST]->format, "+w:3");
    assert_string_equal(out.children[ARB_ARROW_TIME64]->format, "ttu");
    assert_string_equal(out.children[ARB_ARROW_DICTIONARY]->format, "c");
    assert_string_equal(out.children[ARB_ARROW_DICTIONARY]->dictionary->format, "u");
    assert_int_equal(out.children[ARB_ARROW_MAP]->flags, ARROW_FLAG_NULLABLE | ARROW_FLAG_MAP_KEYS_SORTED);
    ASSERT_OK(arb_arrow_schema_import(&out, &again, &error));
    assert_null(out.release);
    assert_true(arb_arrow_field_equal(&schema->root, &again->root, true));
    assert_true(again->root.children[ARB_ARROW_MAP].ordered);
    assert_int_equal(again->root.metadata.count, 2);
    assert_true(arb_str_equal(again->root.metadata.values[1], (arb_str){"\0\xff", 2}));
    assert_string_equal(again->root.children[3].name.data, "int16");
    arb_arrow_schema_unref(again);
    arb_arrow_schema_unref(schema);
}

static void unknown_formats_are_refused(void **state)
{
    (void)state;
    static const char *const formats[] = {"",         "x",  "tsx:", "tsu",          "d:",  "d:5",
                                          "d:5,1,7",  "w:", "w:-1", "+w:x",         "+ud", "+ud:200",
                                          "+us:1,2x", "+",  "td",   "w:99999999999"};
    for (size_t i = 0; i < ARB_COUNT_OF(formats); i++) {
        arb_error error = {0};
        arb_arrow_schema *schema, *again;
        struct ArrowSchema out;
        ASSERT_OK(sample_schema(ARB_ARROW_INT32, ARB_ARROW_INT32, &schema, &error));
        ASSERT_OK(arb_arrow_schema_export(schema, &out, &error));
        out.children[0]->format = formats[i];
        arb_code code = arb_arrow_schema_import(&out, &again, &error);
        assert_true(code == ARB_NOT_SUPPORTED || code == ARB_CORRUPT_DATA);
        assert_null(again);
        assert_null(out.release);
        arb_arrow_schema_unref(schema);
    }
}

static void arrays_come_back(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    ASSERT_OK(sample_schema(SAMPLE_FIRST, SAMPLE_LAST, &schema, &error));
    for (int64_t rows = 0; rows < 300; rows = rows * 2 + 1) {
        arb_arrow_array *array, *again;
        struct ArrowArray out;
        ASSERT_OK(sample_array(schema, rows, 3, &array, &error));
        ASSERT_OK(arb_arrow_array_export(array, &out, &error));
        ASSERT_OK(arb_arrow_array_import(&out, schema, &again, &error));
        assert_null(out.release);
        assert_true(arb_arrow_array_equal(array, again));
        arb_arrow_array_unref(array); /* the other keeps its buffers */
        assert_true(arb_arrow_array_equal(again, again));
        arb_arrow_array_unref(again);
    }
    arb_arrow_schema_unref(schema);
}

/* As other libraries hand out slices: the same buffers, with an offset. */
static void slices_are_read(void **state)
{
    (void)state;
    for (int kind = 0; kind < ARB_ARROW_KIND_COUNT; kind++) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        arb_arrow_array *array, *slice;
        struct ArrowArray out;
        ASSERT_OK(sample_schema((arb_arrow_kind)kind, (arb_arrow_kind)kind, &schema, &error));
        ASSERT_OK(sample_array(schema, 100, 3, &array, &error));
        ASSERT_OK(arb_arrow_array_export(array, &out, &error));
        out.offset = 7; /* of the whole batch … */
        out.length = 90;
        out.children[0]->offset = 3; /* … and of its column */
        out.children[0]->length = 97;
        out.children[0]->null_count = -1;
        ASSERT_OK(arb_arrow_array_import(&out, schema, &slice, &error));
        assert_true(arb_arrow_rows_equal(arb_arrow_array_root(array), 10, arb_arrow_array_root(slice), 0, 90));
        arb_arrow_array_unref(slice);
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
    }
}

static void moved_children_live_on(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema, *column;
    arb_arrow_array *array, *again;
    struct ArrowArray out, child;
    struct ArrowSchema type, child_type;
    ASSERT_OK(sample_schema(ARB_ARROW_DICTIONARY, ARB_ARROW_DICTIONARY, &schema, &error));
    ASSERT_OK(sample_array(schema, 50, 3, &array, &error));
    ASSERT_OK(arb_arrow_array_export(array, &out, &error));
    ASSERT_OK(arb_arrow_schema_export(schema, &type, &error));
    child = *out.children[0];
    child_type = *type.children[0];
    out.children[0]->release = NULL;
    type.children[0]->release = NULL;
    out.release(&out);
    type.release(&type);
    ASSERT_OK(arb_arrow_schema_import(&child_type, &column, &error));
    ASSERT_OK(arb_arrow_array_import(&child, column, &again, &error));
    assert_true(arb_arrow_rows_equal(&arb_arrow_array_root(array)->children[0], 0, arb_arrow_array_root(again), 0, 50));
    arb_arrow_array_unref(again);
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(column);
    arb_arrow_schema_unref(schema);
}

/* ---- a producer that counts ---- */

typedef struct counter {
    unsigned released;
} counter;

static void count_release(struct ArrowArray *array)
{
    ((counter *)array->private_data)->released++;
    array->release = NULL;
}

static void release_happens_once(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    counter counter = {0};
    static const int32_t good[] = {0, 1, 3}, bad[] = {0, 3, 1};
    ASSERT_OK(arb_arrow_schema_create(0, &schema, &error));
    schema->root.kind = ARB_ARROW_UTF8;
    for (int is_good = 0; is_good < 2; is_good++) {
        const void *buffers[] = {NULL, is_good ? good : bad, "abc"};
        struct ArrowArray array = {
            .length = 2, .n_buffers = 3, .buffers = buffers, .release = count_release, .private_data = &counter};
        arb_arrow_array *got;
        counter.released = 0;
        assert_int_equal(arb_arrow_array_import(&array, schema, &got, &error), is_good ? ARB_OK : ARB_CORRUPT_DATA);
        assert_null(array.release);
        assert_int_equal(counter.released, is_good ? 0 : 1);
        if (is_good) {
            arb_arrow_buffer kept = arb_arrow_buffer_ref(&arb_arrow_array_root(got)->buffers[2]);
            arb_arrow_array_unref(got);
            assert_int_equal(counter.released, 0); /* one buffer is still in use */
            assert_memory_equal(kept.data, "abc", 3);
            arb_arrow_buffer_reset(&kept);
            assert_int_equal(counter.released, 1);
        }
    }
    arb_arrow_schema_unref(schema);
}

static void wrong_arrays_are_refused(void **state)
{
    (void)state;
    for (int how = 0; how < 6; how++) {
        arb_error error = {0};
        arb_arrow_schema *schema;
        arb_arrow_array *array, *again;
        struct ArrowArray out;
        ASSERT_OK(sample_schema(ARB_ARROW_UTF8_VIEW, ARB_ARROW_UTF8_VIEW, &schema, &error));
        ASSERT_OK(sample_array(schema, 50, 3, &array, &error));
        ASSERT_OK(arb_arrow_array_export(array, &out, &error));
        struct ArrowArray *child = out.children[0];
        switch (how) {
        case 0:
            child->length = -1;
            break;
        case 1:
            child->offset = INT64_MAX;
            break;
        case 2:
            child->n_buffers = 2;
            break;
        case 3:
            ((int64_t *)child->buffers[4])[0] = -1;
            break;
        case 4:
            child->buffers[1] = NULL;
            break;
        default:
            child->length = 49; /* fewer rows than the batch */
        }
        assert_int_equal(arb_arrow_array_import(&out, schema, &again, &error), ARB_CORRUPT_DATA);
        assert_null(again);
        assert_null(out.release);
        assert_int_equal(arb_arrow_array_import(&out, schema, &again, &error), ARB_CORRUPT_DATA); /* empty now */
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
    }
}

/* ---- streams ---- */

typedef struct sample_stream {
    arb_arrow_stream base;
    arb_arrow_schema *schema;
    int left;
    arb_code then; /* after the last one */
    bool *destroyed;
} sample_stream;

static arb_code stream_next(arb_arrow_stream *stream, arb_arrow_array **out_array, arb_error *error)
{
    sample_stream *samples = (sample_stream *)stream;
    if (samples->left == 0)
        return samples->then == ARB_OK ? ARB_OK : arb_fail(error, samples->then, "the disk is on fire");
    return sample_array(samples->schema, 10, (uint64_t)samples->left--, out_array, error);
}

static void stream_destroy(arb_arrow_stream *stream)
{
    sample_stream *samples = (sample_stream *)stream;
    *samples->destroyed = true;
    arb_arrow_schema_unref(samples->schema);
    arb_free(samples);
}

static void streams_pass_through(void **state)
{
    (void)state;
    static const arb_arrow_stream_vtable vtable = {stream_destroy, stream_next};
    for (int fails = 0; fails < 2; fails++) {
        arb_error error = {0};
        bool destroyed = false;
        sample_stream *samples = arb_alloc_zeroed(sizeof *samples);
        assert_non_null(samples);
        ASSERT_OK(sample_schema(ARB_ARROW_INT8, ARB_ARROW_UTF8, &samples->schema, &error));
        samples->base = (arb_arrow_stream){&vtable, samples->schema};
        samples->left = 3;
        samples->then = fails ? ARB_IO : ARB_OK;
        samples->destroyed = &destroyed;
        struct ArrowArrayStream out;
        arb_arrow_stream *again;
        arb_arrow_array *array;
        ASSERT_OK(arb_arrow_stream_export(&samples->base, &out, &error));
        ASSERT_OK(arb_arrow_stream_import(&out, &again, &error));
        assert_null(out.release);
        for (int i = 0; i < 3; i++) {
            ASSERT_OK(arb_arrow_stream_next(again, &array, &error));
            assert_int_equal(arb_arrow_array_length(array), 10);
            arb_arrow_array_unref(array);
        }
        assert_int_equal(arb_arrow_stream_next(again, &array, &error), fails ? ARB_IO : ARB_OK);
        assert_null(array);
        if (fails)
            assert_non_null(strstr(error.message, "on fire"));
        assert_false(destroyed);
        arb_arrow_stream_destroy(again);
        assert_true(destroyed);
    }
}

static void allocations_fail(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *array;
    ASSERT_OK(sample_schema(SAMPLE_FIRST, SAMPLE_LAST, &schema, &error));
    ASSERT_OK(sample_array(schema, 10, 3, &array, &error));
    for (uint64_t n = 1;; n++) {
        struct ArrowSchema type = {0};
        struct ArrowArray values = {0};
        arb_arrow_schema *schema_again = NULL;
        arb_arrow_array *array_again = NULL;
        arb_alloc_fail_at(n, false);
        arb_code code = arb_arrow_schema_export(schema, &type, &error);
        if (code == ARB_OK)
            code = arb_arrow_schema_import(&type, &schema_again, &error);
        if (code == ARB_OK)
            code = arb_arrow_array_export(array, &values, &error);
        if (code == ARB_OK)
            code = arb_arrow_array_import(&values, schema_again, &array_again, &error);
        uint64_t asked = arb_alloc_count();
        arb_alloc_fail_at(0, false);
        assert_null(type.release);
        assert_null(values.release);
        arb_arrow_array_unref(array_again);
        arb_arrow_schema_unref(schema_again);
        assert_true(asked < n ? code == ARB_OK : code == ARB_OUT_OF_MEMORY);
        if (asked < n)
            break;
    }
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_come_back),        cmocka_unit_test(unknown_formats_are_refused),
        cmocka_unit_test(arrays_come_back),         cmocka_unit_test(slices_are_read),
        cmocka_unit_test(moved_children_live_on),   cmocka_unit_test(release_happens_once),
        cmocka_unit_test(wrong_arrays_are_refused), cmocka_unit_test(streams_pass_through),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
