/* A file appears whole under its name or not at all, and nothing else is left behind; what is compressed reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/decoded_source.h"
#include "io/encoded_sink.h"

static char folder[] = "/tmp/arb-sink-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static unsigned count_files(void)
{
    DIR *opened = opendir(folder);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(opened);
    return count;
}

static void path_of(char path[64], const char *name)
{
    snprintf(path, 64, "%s/%s", folder, name);
}

static size_t read_file(const char *path, char *to, size_t most)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return SIZE_MAX;
    size_t size = fread(to, 1, most, file);
    fclose(file);
    return size;
}

static void a_finished_file_has_all_bytes(void **state)
{
    (void)state;
    char path[64];
    path_of(path, "a");
    arb_error error = {0};
    arb_byte_sink *sink;
    assert_int_equal(arb_byte_sink_create_local(path, false, &sink, &error), ARB_OK);
    enum { SIZE = 700000 };
    char *data = malloc(SIZE), *back = malloc(SIZE + 1);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 >> 3);
    size_t at = 0;
    for (size_t piece = 1; at < SIZE; piece = piece * 3 + 1) { /* small ones, and some beyond any buffer */
        size_t size = ARB_MIN(piece, SIZE - at);
        assert_int_equal(arb_byte_sink_write(sink, data + at, size, &error), ARB_OK);
        at += size;
        assert_int_equal(sink->written, at);
    }
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(count_files(), 1);
    assert_int_equal(arb_byte_sink_finish(sink, &error), ARB_OK);
    arb_byte_sink_destroy(sink);
    assert_int_equal(count_files(), 1);
    assert_int_equal(read_file(path, back, SIZE + 1), SIZE);
    assert_memory_equal(data, back, SIZE);
    unlink(path);
    free(data);
    free(back);
}

static void an_unfinished_file_leaves_nothing(void **state)
{
    (void)state;
    char path[64], back[16];
    path_of(path, "b");
    FILE *old = fopen(path, "wb");
    fputs("old", old);
    fclose(old);
    arb_error error = {0};
    arb_byte_sink *sink;
    assert_int_equal(arb_byte_sink_create_local(path, true, &sink, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_write(sink, "new bytes", 9, &error), ARB_OK);
    arb_byte_sink_destroy(sink);
    assert_int_equal(count_files(), 1);
    assert_int_equal(read_file(path, back, sizeof back), 3);
    assert_int_equal(arb_byte_sink_create_local(path, true, &sink, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_write(sink, "new bytes", 9, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_finish(sink, &error), ARB_OK);
    arb_byte_sink_destroy(sink);
    assert_int_equal(read_file(path, back, sizeof back), 9);
    unlink(path);
}

static void what_is_there_is_not_replaced_unless_asked(void **state)
{
    (void)state;
    char path[64], back[16];
    path_of(path, "c");
    arb_error error = {0};
    arb_byte_sink *first, *second;
    assert_int_equal(arb_byte_sink_create_local(path, false, &first, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_create_local(path, false, &second, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_write(first, "1", 1, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_finish(first, &error), ARB_OK);
    /* The other one came too late: it must not take the name away. */
    assert_int_equal(arb_byte_sink_write(second, "22", 2, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_finish(second, &error), ARB_FILE_EXISTS);
    arb_byte_sink_destroy(first);
    arb_byte_sink_destroy(second);
    arb_error_clear(&error);
    assert_int_equal(arb_byte_sink_create_local(path, false, &second, &error), ARB_FILE_EXISTS);
    assert_null(second);
    assert_int_equal(read_file(path, back, sizeof back), 1);
    assert_int_equal(count_files(), 1);
    unlink(path);
}

static void links_are_followed_and_folders_refused(void **state)
{
    (void)state;
    char target[64], link_path[64], back[16];
    path_of(target, "d");
    path_of(link_path, "e");
    fclose(fopen(target, "wb"));
    assert_int_equal(symlink(target, link_path), 0);
    arb_error error = {0};
    arb_byte_sink *sink;
    assert_int_equal(arb_byte_sink_create_local(link_path, true, &sink, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_write(sink, "xyz", 3, &error), ARB_OK);
    assert_int_equal(arb_byte_sink_finish(sink, &error), ARB_OK);
    arb_byte_sink_destroy(sink);
    assert_int_equal(read_file(target, back, sizeof back), 3);
    struct stat status;
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    unlink(link_path);
    unlink(target);
    assert_int_equal(arb_byte_sink_create_local(folder, true, &sink, &error), ARB_WRONG_OBJECT_TYPE);
    arb_error_clear(&error);
    path_of(target, "missing/file");
    assert_int_equal(arb_byte_sink_create_local(target, true, &sink, &error), ARB_FILE_NOT_FOUND);
    assert_non_null(strstr(error.message, "missing/file"));
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_byte_sink *sink;
    assert_int_equal(arb_byte_sink_create_local("/dev/full", true, &sink, &error), ARB_OK);
    arb_code code = arb_byte_sink_write(sink, "x", 1, &error);
    if (code == ARB_OK)
        code = arb_byte_sink_finish(sink, &error);
    assert_int_equal(code, ARB_DISK_FULL);
    assert_non_null(strstr(error.message, "/dev/full"));
    arb_byte_sink_destroy(sink);
    assert_int_equal(access("/dev/full", F_OK), 0);
}

static void compressed_bytes_read_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 1 << 20, (3 << 20) + 17};
    static const arb_codec codecs[] = {ARB_CODEC_GZIP, ARB_CODEC_ZSTD};
    for (size_t i = 0; i < ARB_COUNT_OF(sizes) * ARB_COUNT_OF(codecs); i++) {
        size_t size = sizes[i / 2];
        arb_error error = {0};
        arb_text packed = {0};
        arb_byte_sink *sink;
        arb_byte_source *source;
        char *data = malloc(size + 1), *back = malloc(size + 1);
        for (size_t k = 0; k < size; k++)
            data[k] = (char)(k * 7 >> 9);
        assert_int_equal(arb_byte_sink_create_memory(&packed, &sink, &error), ARB_OK);
        assert_int_equal(arb_byte_sink_encode(&sink, codecs[i % 2], 0, &error), ARB_OK);
        assert_int_equal(arb_byte_sink_write(sink, data, size / 3, &error), ARB_OK);
        assert_int_equal(arb_byte_sink_write(sink, data + size / 3, size - size / 3, &error), ARB_OK);
        assert_int_equal(arb_byte_sink_finish(sink, &error), ARB_OK);
        arb_byte_sink_destroy(sink);
        assert_true(packed.size != 0 && packed.size < size / 2 + 64);
        assert_int_equal(arb_byte_source_open_memory(ARB_STR("packed"), packed.data, packed.size, &source, &error),
                         ARB_OK);
        assert_int_equal(arb_byte_source_decode(&source, NULL, &error), ARB_OK);
        assert_int_equal(source->identity.size, size);
        assert_int_equal(arb_byte_source_read(source, 0, back, size, &error), ARB_OK);
        assert_memory_equal(data, back, size);
        arb_byte_source_destroy(source);
        arb_text_reset(&packed);
        free(data);
        free(back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_file_has_all_bytes),
        cmocka_unit_test(an_unfinished_file_leaves_nothing),
        cmocka_unit_test(what_is_there_is_not_replaced_unless_asked),
        cmocka_unit_test(links_are_followed_and_folders_refused),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(compressed_bytes_read_back),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
