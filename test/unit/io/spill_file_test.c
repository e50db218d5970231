#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/codec.h"
#include "io/spill_file.h"

enum { blocks = 40 };

/* Block i: its size and bytes; even ones can be compressed, odd ones cannot. */
static size_t make_block(unsigned i, char *to)
{
    size_t size = i == 0 ? 0 : (size_t)i * 7919 % 200000 + 1;
    unsigned seed = i + 1;
    for (size_t at = 0; at < size; at++)
        to[at] = i % 2 == 0 ? (char)(at / 64) : (char)rand_r(&seed);
    return size;
}

static void blocks_come_back(void **state)
{
    (void)state;
    static char data[200064], back[200064 + ARB_CODEC_PADDING];
    arb_spill_file file;
    arb_spill_block block[blocks];
    arb_error error = {0};
    uint64_t sum = 0;
    arb_spill_file_init(&file, "/tmp");
    for (unsigned i = 0; i < blocks; i++) {
        size_t size = make_block(i, data);
        assert_int_equal(arb_spill_file_write(&file, data, size, &block[i], &error), ARB_OK);
        assert_int_equal(block[i].size, size);
        sum += size;
        if (i % 2 == 0 && size > 10000)
            assert_true(block[i].stored < block[i].size / 2);
    }
    assert_int_equal(arb_spill_file_written(&file), sum);
    for (unsigned i = blocks; i > 0; i--) {
        size_t size = make_block(i - 1, data);
        assert_int_equal(arb_spill_file_read(&file, &block[i - 1], back, &error), ARB_OK);
        assert_memory_equal(back, data, size);
    }
    struct stat status;
    assert_int_equal(fstat(file.descriptor, &status), 0);
    assert_int_equal(status.st_nlink, 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    arb_spill_file_reset(&file);
    arb_spill_file_reset(&file);
}

/* Each byte region: one flipped bit, a block read as another, a file cut short. */
static void damage_is_seen(void **state)
{
    (void)state;
    static char data[200064], back[200064 + ARB_CODEC_PADDING];
    arb_spill_file file;
    arb_spill_block first, second;
    arb_error error = {0};
    arb_spill_file_init(&file, "/tmp");
    size_t size = make_block(4, data);
    assert_int_equal(arb_spill_file_write(&file, data, size, &first, &error), ARB_OK);
    assert_int_equal(arb_spill_file_write(&file, data, size, &second, &error), ARB_OK);
    assert_int_equal(first.stored, second.stored);
    for (uint32_t at = 0; at < first.stored; at += 97) {
        char byte, flipped;
        assert_int_equal(pread(file.descriptor, &byte, 1, (off_t)(first.offset + at)), 1);
        flipped = (char)(byte ^ 1 << at % 8);
        assert_int_equal(pwrite(file.descriptor, &flipped, 1, (off_t)(first.offset + at)), 1);
        assert_int_equal(arb_spill_file_read(&file, &first, back, &error), ARB_CORRUPT_DATA);
        assert_int_equal(pwrite(file.descriptor, &byte, 1, (off_t)(first.offset + at)), 1);
    }
    assert_int_equal(arb_spill_file_read(&file, &first, back, &error), ARB_OK);
    arb_spill_block exchanged = first;
    exchanged.offset = second.offset;
    assert_int_equal(arb_spill_file_read(&file, &exchanged, back, &error), ARB_CORRUPT_DATA);
    assert_int_equal(ftruncate(file.descriptor, (off_t)second.offset), 0);
    assert_int_equal(arb_spill_file_read(&file, &second, back, &error), ARB_CORRUPT_DATA);
    arb_spill_file_reset(&file);
}

static void no_folder_is_an_error(void **state)
{
    (void)state;
    arb_spill_file file;
    arb_spill_block block;
    arb_error error = {0};
    arb_spill_file_init(&file, "/no/such/folder");
    assert_int_not_equal(arb_spill_file_write(&file, "x", 1, &block, &error), ARB_OK);
    assert_non_null(strstr(error.message, "/no/such/folder"));
    assert_non_null(strstr(error.hint, "--spill-dir"));
    arb_spill_file_reset(&file);
    arb_spill_file_init(&file, NULL);
    assert_int_equal(arb_spill_file_write(&file, "x", 1, &block, &error), ARB_OUT_OF_MEMORY);
    arb_spill_file_reset(&file);
}

static void full_disk_is_typed(void **state)
{
    (void)state;
    static char data[200064];
    char folder[] = "/tmp/spill-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    if (mount("tmpfs", folder, "tmpfs", 0, "size=1m") != 0) {
        rmdir(folder);
        print_message("skipped: no privilege: mounting a small file system\n");
        skip();
    }
    arb_spill_file file;
    arb_spill_block block;
    arb_error error = {0};
    arb_code code = ARB_OK;
    arb_spill_file_init(&file, folder);
    for (unsigned i = 1; code == ARB_OK && i < 1000; i += 2)
        code = arb_spill_file_write(&file, data, make_block(i % 39, data), &block, &error);
    assert_int_equal(code, ARB_DISK_FULL);
    assert_non_null(strstr(error.message, folder));
    arb_spill_file_reset(&file);
    assert_int_equal(umount(folder), 0);
    rmdir(folder);
}

static void a_stopped_file_does_nothing(void **state)
{
    (void)state;
    arb_spill_file file;
    arb_spill_block block, other;
    arb_error error = {0};
    _Atomic bool stop = false;
    char back[4 + ARB_CODEC_PADDING];
    arb_spill_file_init(&file, "/tmp");
    file.stop = &stop;
    assert_int_equal(arb_spill_file_write(&file, "text", 4, &block, &error), ARB_OK);
    atomic_store(&stop, true);
    assert_int_equal(arb_spill_file_write(&file, "text", 4, &other, &error), ARB_CANCELLED);
    assert_int_equal(arb_spill_file_read(&file, &block, back, &error), ARB_CANCELLED);
    arb_spill_file_reset(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_stopped_file_does_nothing),
                                       cmocka_unit_test(blocks_come_back), cmocka_unit_test(damage_is_seen),
                                       cmocka_unit_test(no_folder_is_an_error), cmocka_unit_test(full_disk_is_typed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
