/* Arrow IPC: what is written is read back, golden files of other writers are read alike in both forms, and damaged bytes
 * give typed errors. That golden files hold the right values is checked by test/tools/ipc_golden.py. */
#include <dirent.h>
#include <sys/stat.h>

#include "unit/columnar/arrow_samples.h"

#include "columnar/arrow_concat.h"
#include "columnar/arrow_equal.h"
#include "columnar/arrow_vectors.h"
#include "columnar/ipc/ipc_file_reader.h"
#include "columnar/ipc/ipc_format.h"
#include "columnar/ipc/ipc_stream_reader.h"
#include "columnar/ipc/ipc_writer.h"

/* ---- writing and reading ---- */

static arb_code write_arrays(arb_text *out, arb_ipc_form form, const arb_ipc_write_options *options,
                             arb_arrow_array *const *arrays, size_t count, arb_error *error)
{
    static const arb_str key[] = {{"made by", 7}}, value[] = {{"a test", 6}};
    arb_byte_sink *sink;
    arb_ipc_writer *writer = NULL;
    ARB_TRY(arb_byte_sink_create_memory(out, &sink, error));
    arb_code code = arb_ipc_writer_create(sink, form, arrays[0]->checked.schema, options, &writer, error);
    for (size_t i = 0; i < count && code == ARB_OK; i++)
        code = arb_ipc_writer_write(writer, arrays[i], error);
    if (code == ARB_OK)
        code = arb_ipc_writer_finish(writer, (arb_arrow_metadata){1, key, value}, error);
    arb_ipc_writer_destroy(writer);
    arb_byte_sink_destroy(sink);
    return code;
}

typedef struct arrays {
    arb_arrow_array *data[16];
    size_t count;
} arrays;

static void drop(arrays *arrays)
{
    for (size_t i = 0; i < arrays->count; i++)
        arb_arrow_array_unref(arrays->data[i]);
    arrays->count = 0;
}

/* Whatever was accepted can be scanned, as far as SQL has its types: values may be refused, no more. */
static void scan_all(const arb_arrow_array *array)
{
    arb_error error = {0};
    const arb_arrow_schema *schema = array->checked.schema;
    for (uint32_t i = 0; i < schema->root.child_count; i++) {
        arb_arrow_scan *scan;
        const arb_batch *batch = NULL;
        if (arb_arrow_scan_create(schema, &i, 1, i % 2 == 0, &scan, &error) != ARB_OK)
            continue;
        if (arb_arrow_scan_begin(scan, array, &error) == ARB_OK)
            for (int batches = 0; batches < 50 && arb_arrow_scan_next(scan, &batch, &error) == ARB_OK; batches++)
                if (batch == NULL)
                    break;
        arb_arrow_scan_destroy(scan);
    }
}

static void scan_arrays(const arrays *arrays)
{
    for (size_t i = 0; i < arrays->count; i++)
        scan_all(arrays->data[i]);
}

/* Read all batches; only the first 16 are kept. */
static arb_code drain(arb_arrow_stream *stream, arrays *out, arb_error *error)
{
    for (;;) {
        arb_arrow_array *array;
        ARB_TRY(arb_arrow_stream_next(stream, &array, error));
        if (array == NULL)
            return ARB_OK;
        if (out->count < ARB_COUNT_OF(out->data))
            out->data[out->count++] = array;
        else
            arb_arrow_array_unref(array);
    }
}

static arb_code read_arrays(const arb_byte_source *source, arrays *out, arb_error *error)
{
    bool is_file;
    arb_ipc_file *file = NULL;
    arb_arrow_stream *stream = NULL;
    arb_ipc_options options = {.memory_limit = 256 << 20};
    ARB_TRY(arb_ipc_file_detect(source, &is_file, error));
    arb_code code;
    if (is_file) {
        code = arb_ipc_file_open(source, &options, &file, error);
        if (code == ARB_OK)
            code = arb_ipc_file_stream(file, &stream, error);
    } else {
        code = arb_ipc_stream_open_source(source, &options, &stream, error);
    }
    if (code == ARB_OK)
        code = drain(stream, out, error);
    arb_arrow_stream_destroy(stream);
    arb_ipc_file_destroy(file);
    return code;
}

static arb_code read_bytes(const void *data, size_t size, arrays *out, arb_error *error)
{
    arb_byte_source *source;
    ARB_TRY(arb_byte_source_open_memory(ARB_STR("bytes"), data, size, &source, error));
    arb_code code = read_arrays(source, out, error);
    arb_byte_source_destroy(source);
    return code;
}

static void all_types_come_back(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *whole, *parts[3];
    ASSERT_OK(sample_schema(SAMPLE_FIRST, SAMPLE_LAST, &schema, &error));
    ASSERT_OK(sample_array(schema, 100, 5, &whole, &error));
    ASSERT_OK(arb_arrow_copy_rows(whole, 0, 60, &parts[0], &error));
    ASSERT_OK(arb_arrow_copy_rows(whole, 60, 0, &parts[1], &error));
    parts[2] = whole; /* not compact: its offsets do not start at 0 */
    static const arb_codec codecs[] = {ARB_CODEC_NONE, ARB_CODEC_LZ4_FRAME, ARB_CODEC_ZSTD};
    for (int form = ARB_IPC_STREAM; form <= ARB_IPC_FILE; form++)
        for (size_t codec = 0; codec < 3; codec++)
            for (size_t alignment = 8; alignment <= 64; alignment *= 8) {
                arb_text bytes = {0};
                arrays got = {0};
                arb_ipc_write_options options = {.codec = codecs[codec], .alignment = alignment};
                ASSERT_OK(write_arrays(&bytes, (arb_ipc_form)form, &options, parts, 3, &error));
                ASSERT_OK(read_bytes(bytes.data, bytes.size, &got, &error));
                assert_int_equal(got.count, 3);
                for (size_t i = 0; i < 3; i++)
                    assert_true(arb_arrow_array_equal(parts[i], got.data[i]));
                const arb_arrow_field *root = &got.data[0]->checked.schema->root;
                assert_int_equal(root->metadata.count, 2);
                assert_true(arb_str_equal(root->metadata.values[1], (arb_str){"\0\xff", 2}));
                assert_int_equal(root->children[0].metadata.count, 1);
                drop(&got);
                arb_text_reset(&bytes);
            }
    arb_arrow_array_unref(parts[0]);
    arb_arrow_array_unref(parts[1]);
    arb_arrow_array_unref(whole);
    arb_arrow_schema_unref(schema);
}

/* ---- dictionaries ---- */

/* A column of indices 0, 1, …, entries - 1 into the first `entries` rows of `all`. */
static arb_code dictionary_column(const arb_arrow_schema *schema, const arb_arrow_array *all, int64_t start,
                                  int64_t entries, arb_arrow_array **out, arb_error *error)
{
    arb_arrow_draft draft;
    uint8_t *indices;
    ARB_TRY(arb_arrow_draft_init(&draft, schema, NULL, error));
    arb_arrow_node *node = &draft.root.children[0];
    draft.root.length = node->length = entries;
    arb_code code = arb_arrow_copy_rows(all, start, entries, &node->dictionary, error);
    if (code == ARB_OK)
        code = arb_arrow_buffer_create((size_t)entries, &node->buffers[1], &indices, error);
    if (code != ARB_OK) {
        arb_arrow_draft_reset(&draft);
        return code;
    }
    for (int64_t i = 0; i < entries; i++)
        indices[i] = (uint8_t)i;
    return arb_arrow_array_create(&draft, out, error);
}

static size_t count_messages(const arb_text *bytes, uint8_t type, bool *out_delta)
{
    size_t found = 0;
    for (size_t at = 0; at + 8 <= bytes->size;) {
        int32_t size = arb_load_i32(bytes->data + at + 4);
        if (size == 0)
            break;
        arb_ipc_message message;
        arb_error error = {0};
        ASSERT_OK(arb_ipc_message_read((const uint8_t *)bytes->data + at + 8, (size_t)size, &message, &error));
        if (message.type == type) {
            found++;
            *out_delta = arb_flat_u8(&message.header, DICTIONARY_BATCH_DELTA, 0) != 0;
        }
        at += 8 + (size_t)size + message.body_size;
    }
    return found;
}

static void dictionaries_grow_and_change(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *sample, *columns[3];
    ASSERT_OK(sample_schema(ARB_ARROW_DICTIONARY, ARB_ARROW_DICTIONARY, &schema, &error));
    ASSERT_OK(sample_array(schema, 10, 5, &sample, &error));
    const arb_arrow_array *entries = arb_arrow_array_root(sample)->children[0].dictionary;
    static const struct {
        int64_t start, entries, then_start, then_entries;
        size_t messages;
        bool delta;
    } cases[] = {{0, 5, 0, 5, 1, false}, {0, 5, 0, 9, 2, true}, {0, 5, 1, 5, 2, false}, {0, 5, 0, 4, 2, false}};
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        ASSERT_OK(dictionary_column(schema, entries, cases[i].start, cases[i].entries, &columns[0], &error));
        ASSERT_OK(dictionary_column(schema, entries, cases[i].then_start, cases[i].then_entries, &columns[1], &error));
        arb_text bytes = {0};
        arrays got = {0};
        bool delta = false;
        ASSERT_OK(write_arrays(&bytes, ARB_IPC_STREAM, NULL, columns, 2, &error));
        assert_int_equal(count_messages(&bytes, HEADER_DICTIONARY, &delta), cases[i].messages);
        assert_int_equal(delta, cases[i].delta);
        ASSERT_OK(read_bytes(bytes.data, bytes.size, &got, &error));
        for (size_t j = 0; j < 2; j++)
            assert_true(arb_arrow_array_equal(columns[j], got.data[j]));
        drop(&got);
        arb_text_clear(&bytes);
        arb_code code = write_arrays(&bytes, ARB_IPC_FILE, NULL, columns, 2, &error);
        bool replaces = cases[i].messages == 2 && !delta;
        assert_int_equal(code, replaces ? ARB_NOT_SUPPORTED : ARB_OK);
        if (!replaces)
            ASSERT_OK(read_bytes(bytes.data, bytes.size, &got, &error));
        drop(&got);
        arb_text_reset(&bytes);
        arb_arrow_array_unref(columns[0]);
        arb_arrow_array_unref(columns[1]);
    }
    arb_arrow_array_unref(sample);
    arb_arrow_schema_unref(schema);
}

/* ---- frames ---- */

/* Before 0.15 there was no word in front of the size; streams may lack their end. */
static void old_frames_are_read(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *array;
    arb_text bytes = {0}, old = {0};
    arrays got = {0};
    ASSERT_OK(sample_schema(ARB_ARROW_INT8, ARB_ARROW_UTF8, &schema, &error));
    ASSERT_OK(sample_array(schema, 30, 5, &array, &error));
    ASSERT_OK(write_arrays(&bytes, ARB_IPC_STREAM, NULL, &array, 1, &error));
    for (size_t at = 0; at < bytes.size;) {
        int32_t size = arb_load_i32(bytes.data + at + 4);
        if (size == 0)
            break;
        arb_ipc_message message;
        ASSERT_OK(arb_ipc_message_read((const uint8_t *)bytes.data + at + 8, (size_t)size, &message, &error));
        arb_text_append(&old, bytes.data + at + 4, 4 + (size_t)size + message.body_size);
        at += 8 + (size_t)size + message.body_size;
    }
    ASSERT_OK(read_bytes(old.data, old.size, &got, &error));
    assert_int_equal(got.count, 1);
    assert_true(arb_arrow_array_equal(array, got.data[0]));
    drop(&got);
    for (size_t size = 1; size < old.size; size += 97) { /* cut anywhere */
        arb_code code = read_bytes(old.data, size, &got, &error);
        assert_true(code == ARB_OK || code == ARB_CORRUPT_DATA);
        assert_true(code == ARB_CORRUPT_DATA || got.count == 0);
        drop(&got);
    }
    arb_text_reset(&bytes);
    arb_text_reset(&old);
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(schema);
}

static void tensors_are_refused(void **state)
{
    (void)state;
    for (int type = HEADER_TENSOR; type <= HEADER_SPARSE_TENSOR; type++) {
        arb_error error = {0};
        arb_flat_writer writer = {0};
        arb_text bytes = {0};
        arrays got = {0};
        arb_flat_slot slots[] = {{.field = MESSAGE_VERSION, .size = 2, .value = IPC_V5},
                                 {.field = MESSAGE_HEADER_TYPE, .size = 1, .value = type},
                                 {.field = MESSAGE_HEADER}};
        arb_flat_write_root(&writer, slots, 3);
        arb_flat_write_table(&writer, slots[2].at, NULL, 0);
        int32_t size = (int32_t)writer.bytes.size;
        arb_text_append(&bytes, "\xff\xff\xff\xff", 4);
        arb_text_append(&bytes, (const char *)&size, 4);
        arb_text_append(&bytes, writer.bytes.data, writer.bytes.size);
        assert_int_equal(read_bytes(bytes.data, bytes.size, &got, &error), ARB_NOT_SUPPORTED);
        assert_non_null(strstr(error.message, "tensors"));
        arb_text_reset(&bytes);
        arb_text_reset(&writer.bytes);
    }
}

/* ---- damage ---- */

static bool is_typed(arb_code code)
{
    return code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_NOT_SUPPORTED || code == ARB_LIMIT_EXCEEDED ||
           code == ARB_OUT_OF_MEMORY;
}

static void mutate(const arb_text *good, unsigned times, uint64_t seed)
{
    sample_random random = {seed};
    char *copy = arb_alloc(good->size);
    assert_non_null(copy);
    for (unsigned i = 0; i < times; i++) {
        arb_error error = {0};
        arrays got = {0};
        memcpy(copy, good->data, good->size);
        for (unsigned changes = 1 + (unsigned)(sample_next(&random) % 4); changes != 0; changes--) {
            size_t at = sample_next(&random) % good->size;
            static const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0xff};
            uint64_t how = sample_next(&random) % 8;
            copy[at] = how < 5 ? (char)bytes[how] : (char)(copy[at] ^ (1 << sample_next(&random) % 8));
        }
        assert_true(is_typed(read_bytes(copy, good->size, &got, &error)));
        scan_arrays(&got);
        drop(&got);
    }
    arb_free(copy);
}

static void damaged_bytes_are_refused(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *array;
    static const arb_arrow_kind ranges[][2] = {{ARB_ARROW_BOOL, ARB_ARROW_FLOAT16},
                                               {ARB_ARROW_DECIMAL64, ARB_ARROW_BINARY_VIEW},
                                               {ARB_ARROW_LIST, ARB_ARROW_MAP},
                                               {ARB_ARROW_DENSE_UNION, ARB_ARROW_RUN_END_ENCODED}};
    for (size_t i = 0; i < ARB_COUNT_OF(ranges); i++) {
        ASSERT_OK(sample_schema(ranges[i][0], ranges[i][1], &schema, &error));
        ASSERT_OK(sample_array(schema, 9, 5, &array, &error));
        for (int form = ARB_IPC_STREAM; form <= ARB_IPC_FILE; form++) {
            arb_text bytes = {0};
            arb_ipc_write_options options = {.alignment = 8, .codec = form == ARB_IPC_FILE ? ARB_CODEC_LZ4_FRAME : 0};
            ASSERT_OK(write_arrays(&bytes, (arb_ipc_form)form, &options, &array, 1, &error));
            mutate(&bytes, 1500, i * 2 + (unsigned)form);
            arb_text_reset(&bytes);
        }
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
    }
}

static void allocations_fail(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *array;
    ASSERT_OK(sample_schema(ARB_ARROW_UTF8, SAMPLE_LAST, &schema, &error));
    ASSERT_OK(sample_array(schema, 9, 5, &array, &error));
    for (int form = ARB_IPC_STREAM; form <= ARB_IPC_FILE; form++)
        for (uint64_t n = 1;; n++) {
            arb_text bytes = {0};
            arrays got = {0};
            arb_ipc_write_options options = {.codec = ARB_CODEC_ZSTD};
            arb_alloc_fail_at(n, false);
            arb_code code = write_arrays(&bytes, (arb_ipc_form)form, &options, &array, 1, &error);
            if (code == ARB_OK)
                code = read_bytes(bytes.data, bytes.size, &got, &error);
            uint64_t asked = arb_alloc_count();
            arb_alloc_fail_at(0, false);
            bool done = asked < n;
            assert_int_equal(code, done ? ARB_OK : ARB_OUT_OF_MEMORY);
            drop(&got);
            arb_text_reset(&bytes);
            if (done)
                break;
        }
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(schema);
}

/* ---- files of others ---- */

#define CORPUS ARB_SOURCE_DIR "/../shared/corpora/arrow-testing/"

static bool ends_with(const char *name, const char *end)
{
    return arb_str_ends_with(arb_str_of(name), arb_str_of(end));
}

static arb_code read_path(const char *path, arrays *out, arb_error *error)
{
    arb_byte_source *source;
    ARB_TRY(arb_byte_source_open_local(path, &source, error));
    arb_code code = read_arrays(source, out, error);
    arb_byte_source_destroy(source);
    return code;
}

/* Call for each plain file below a folder; false when there is no such folder. */
static bool walk(const char *folder, void (*use)(const char *path, size_t *count), size_t *count)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return false;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[1024];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            walk(path, use, count);
        else
            use(path, count);
    }
    closedir(directory);
    return true;
}

static void compare_forms(const char *path, size_t *count)
{
    char other[1024];
    arb_error error = {0};
    arrays stream = {0}, file = {0}, again = {0};
    arb_text bytes = {0};
    if (!ends_with(path, ".stream"))
        return;
    snprintf(other, sizeof other, "%.*s.arrow_file", (int)(strlen(path) - strlen(".stream")), path);
    ASSERT_OK(read_path(path, &stream, &error));
    ASSERT_OK(read_path(other, &file, &error));
    assert_int_equal(stream.count, file.count);
    for (size_t i = 0; i < stream.count; i++) {
        const arb_arrow_node *a = arb_arrow_array_root(stream.data[i]), *b = arb_arrow_array_root(file.data[i]);
        assert_int_equal(a->length, b->length);
        assert_true(arb_arrow_field_equal(a->field, b->field, false)); /* their maps' children have other names */
        assert_true(arb_arrow_rows_equal(a, 0, b, 0, a->length));
    }
    if (stream.count != 0) {
        arb_ipc_write_options options = {.codec = ARB_CODEC_ZSTD};
        ASSERT_OK(write_arrays(&bytes, ARB_IPC_FILE, &options, stream.data, stream.count, &error));
        ASSERT_OK(read_bytes(bytes.data, bytes.size, &again, &error));
        assert_int_equal(stream.count, again.count);
        for (size_t i = 0; i < stream.count; i++)
            assert_true(arb_arrow_array_equal(stream.data[i], again.data[i]));
    }
    drop(&stream);
    drop(&file);
    drop(&again);
    arb_text_reset(&bytes);
    ++*count;
}

static void golden_files_agree(void **state)
{
    (void)state;
    size_t count = 0;
    if (!walk(CORPUS "arrow-ipc-stream/integration", compare_forms, &count)) {
        print_message("skipped: no ../shared: %s\n", CORPUS);
        skip();
    }
    assert_in_range(count, 90, 1000);
}

static void read_hostile(const char *path, size_t *count)
{
    arb_error error = {0};
    arrays got = {0};
    if (strstr(path, "/integration/") != NULL)
        return;
    assert_true(is_typed(read_path(path, &got, &error)));
    scan_arrays(&got);
    drop(&got);
    ++*count;
}

static void hostile_files_are_refused(void **state)
{
    (void)state;
    size_t count = 0;
    bool found = walk(CORPUS "arrow-ipc-file", read_hostile, &count);
    found &= walk(CORPUS "arrow-ipc-stream", read_hostile, &count);
    found &= walk(CORPUS "arrow-ipc-tensor-stream", read_hostile, &count);
    if (!found) {
        print_message("skipped: no ../shared: %s\n", CORPUS);
        skip();
    }
    assert_in_range(count, 100, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types_come_back),       cmocka_unit_test(dictionaries_grow_and_change),
        cmocka_unit_test(old_frames_are_read),       cmocka_unit_test(tensors_are_refused),
        cmocka_unit_test(damaged_bytes_are_refused), cmocka_unit_test(allocations_fail),
        cmocka_unit_test(golden_files_agree),        cmocka_unit_test(hostile_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
