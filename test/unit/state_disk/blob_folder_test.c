/* Blobs: named by content, whole or not there. */
#include "small_disk.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "state_disk/blob_folder.h"

static char folder[64];
static arb_error error;
static arb_blob_folder *blobs;

static int set_up(void **state)
{
    (void)state;
    folder_make(folder);
    return arb_blob_folder_open(folder, &blobs, &error) != ARB_OK;
}

static int tear_down(void **state)
{
    (void)state;
    arb_blob_folder_close(blobs);
    folder_delete(folder);
    return 0;
}

static void path_of(const arb_blob_hash *hash, char out[256])
{
    char digits[ARB_BLOB_HASH_TEXT];
    arb_blob_hash_text(hash, digits);
    snprintf(out, 256, "%s/%.2s/%s", folder, digits, digits + 2);
}

static void they_are_named_by_content(void **state)
{
    (void)state;
    arb_blob_hash first, second, pieces;
    arb_text out = {0};
    char digits[ARB_BLOB_HASH_TEXT];
    arb_blob_writer *writer;
    assert_int_equal(arb_blob_put(blobs, "abc", 3, &first, &error), ARB_OK);
    arb_blob_hash_text(&first, digits);
    assert_string_equal(digits, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(arb_blob_put(blobs, "abc", 3, &second, &error), ARB_OK);
    assert_memory_equal(&first, &second, sizeof first);
    assert_int_equal(arb_blob_write_begin(blobs, &writer, &error), ARB_OK);
    assert_int_equal(arb_blob_write(writer, "a", 1, &error), ARB_OK);
    assert_int_equal(arb_blob_write(writer, "bc", 2, &error), ARB_OK);
    assert_int_equal(arb_blob_write_commit(writer, &pieces, &error), ARB_OK);
    assert_memory_equal(&first, &pieces, sizeof first);
    arb_text_append(&out, "before ", 7);
    assert_int_equal(arb_blob_get(blobs, &first, 3, &out, &error), ARB_OK);
    assert_string_equal(out.data, "before abc");
    assert_int_equal(arb_blob_put(blobs, "", 0, &second, &error), ARB_OK);
    assert_int_equal(arb_blob_get(blobs, &second, 0, &out, &error), ARB_OK);
    arb_text_reset(&out);
}

/* Two processes may have the same number, each in its own name space. */
static void writers_do_not_meet(void **state)
{
    (void)state;
    arb_blob_folder *again;
    arb_blob_writer *first, *second;
    arb_blob_hash a, b;
    arb_text out = {0};
    assert_int_equal(arb_blob_folder_open(folder, &again, &error), ARB_OK);
    assert_int_equal(arb_blob_write_begin(blobs, &first, &error), ARB_OK);
    assert_int_equal(arb_blob_write_begin(again, &second, &error), ARB_OK);
    assert_int_equal(arb_blob_write(first, "first", 5, &error), ARB_OK);
    assert_int_equal(arb_blob_write(second, "second", 6, &error), ARB_OK);
    assert_int_equal(arb_blob_write_commit(first, &a, &error), ARB_OK);
    assert_int_equal(arb_blob_write_commit(second, &b, &error), ARB_OK);
    assert_int_equal(arb_blob_get(blobs, &a, 5, &out, &error), ARB_OK);
    assert_int_equal(arb_blob_get(again, &b, 6, &out, &error), ARB_OK);
    assert_string_equal(out.data, "firstsecond");
    arb_text_reset(&out);
    arb_blob_folder_close(again);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    arb_blob_hash hash, other = {{1}};
    arb_text out = {0};
    char path[256];
    assert_int_equal(arb_blob_put(blobs, "some content", 12, &hash, &error), ARB_OK);
    assert_int_equal(arb_blob_get(blobs, &other, 100, &out, &error), ARB_FILE_NOT_FOUND);
    assert_int_equal(arb_blob_get(blobs, &hash, 11, &out, &error), ARB_LIMIT_EXCEEDED);
    path_of(&hash, path);
    int file = open(path, O_WRONLY);
    assert_int_equal(pwrite(file, "C", 1, 5), 1);
    close(file);
    assert_int_equal(arb_blob_get(blobs, &hash, 100, &out, &error), ARB_CORRUPT_DATA);
    arb_text_reset(&out);
}

static bool keep_one(void *context, const arb_blob_hash *hash)
{
    return memcmp(context, hash, sizeof *hash) == 0;
}

static void leftovers_are_swept(void **state)
{
    (void)state;
    arb_blob_hash kept, swept;
    arb_blob_writer *unfinished, *aborted;
    arb_text out = {0};
    size_t deleted;
    assert_int_equal(arb_blob_put(blobs, "kept", 4, &kept, &error), ARB_OK);
    assert_int_equal(arb_blob_put(blobs, "swept", 5, &swept, &error), ARB_OK);
    assert_int_equal(arb_blob_write_begin(blobs, &aborted, &error), ARB_OK);
    arb_blob_write_abort(aborted);
    assert_int_equal(arb_blob_write_begin(blobs, &unfinished, &error), ARB_OK);
    assert_int_equal(arb_blob_write(unfinished, "x", 1, &error), ARB_OK);
    assert_int_equal(arb_blob_sweep(blobs, keep_one, &kept, &deleted, &error), ARB_OK);
    assert_int_equal(deleted, 2);
    assert_int_equal(arb_blob_get(blobs, &kept, 4, &out, &error), ARB_OK);
    assert_int_equal(arb_blob_get(blobs, &swept, 5, &out, &error), ARB_FILE_NOT_FOUND);
    arb_blob_write_abort(unfinished);
    arb_text_reset(&out);
}

/* A process that is killed while it writes leaves no blob that is not whole. */
static void kill_leaves_whole_blobs(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        int pipe_ends[2];
        arb_blob_hash said[1000];
        size_t count = 0;
        assert_int_equal(pipe(pipe_ends), 0);
        pid_t child = fork();
        if (child == 0)
            for (int i = 0;; i++) {
                char content[3000];
                arb_blob_hash hash;
                memset(content, i, sizeof content);
                snprintf(content, sizeof content, "%d of %d", i, round);
                if (arb_blob_put(blobs, content, sizeof content, &hash, &error) != ARB_OK ||
                    write(pipe_ends[1], &hash, sizeof hash) != sizeof hash)
                    _exit(1);
            }
        close(pipe_ends[1]);
        while (count < 1000 && read(pipe_ends[0], &said[count], sizeof said[count]) == sizeof said[count])
            if (++count == (size_t)(3 + round))
                kill(child, SIGKILL);
        close(pipe_ends[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        for (size_t i = 0; i < count; i++) {
            arb_text out = {0};
            assert_int_equal(arb_blob_get(blobs, &said[i], 3000, &out, &error), ARB_OK);
            arb_text_reset(&out);
        }
    }
}

static void one_can_be_deleted(void **state)
{
    (void)state;
    arb_blob_hash hash, other;
    arb_text out = {0};
    assert_int_equal(arb_blob_put(blobs, "content", 7, &hash, &error), ARB_OK);
    assert_int_equal(arb_blob_put(blobs, "other", 5, &other, &error), ARB_OK);
    assert_int_equal(arb_blob_delete(blobs, &hash, &error), ARB_OK);
    assert_int_equal(arb_blob_delete(blobs, &hash, &error), ARB_OK); /* it is gone */
    assert_int_equal(arb_blob_get(blobs, &hash, 7, &out, &error), ARB_FILE_NOT_FOUND);
    assert_int_equal(arb_blob_get(blobs, &other, 7, &out, &error), ARB_OK);
    assert_int_equal(arb_blob_put(blobs, "content", 7, &hash, &error), ARB_OK);
    assert_int_equal(arb_blob_get(blobs, &hash, 7, &out, &error), ARB_OK);
    arb_text_reset(&out);
}

static void a_full_disk_is_said(void **state)
{
    (void)state;
    static char content[400000];
    arb_blob_hash hash;
    size_t deleted;
    arb_blob_hash none = {{0}};
    arb_blob_folder_close(blobs);
    blobs = NULL;
    if (!folder_limit(folder, 200)) {
        assert_int_equal(arb_blob_folder_open(folder, &blobs, &error), ARB_OK);
        return;
    }
    assert_int_equal(arb_blob_folder_open(folder, &blobs, &error), ARB_OK);
    assert_int_equal(arb_blob_put(blobs, content, sizeof content, &hash, &error), ARB_DISK_FULL);
    assert_int_equal(arb_blob_put(blobs, "small", 5, &hash, &error), ARB_OK); /* nothing of the other is left */
    assert_int_equal(arb_blob_sweep(blobs, keep_one, &none, &deleted, &error), ARB_OK);
    assert_int_equal(deleted, 1);
    arb_blob_folder_close(blobs);
    blobs = NULL;
    folder_unlimit(folder);
    assert_int_equal(arb_blob_folder_open(folder, &blobs, &error), ARB_OK);
}

#ifdef ARB_FAILPOINTS
static void each_allocation_may_fail(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        arb_blob_hash hash;
        arb_text out = {0};
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_blob_put(blobs, "content", 7, &hash, &error);
        if (code == ARB_OK)
            code = arb_blob_get(blobs, &hash, 7, &out, &error);
        failed = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        assert_int_equal(code, failed ? ARB_OUT_OF_MEMORY : ARB_OK);
        arb_text_reset(&out);
    }
}
#endif

static void room_is_left_on_the_disk(void **state)
{
    (void)state;
    arb_blob_hash hash, none = {{0}};
    size_t deleted;
    arb_blob_folder_leave(blobs, UINT64_MAX);
    assert_int_equal(arb_blob_put(blobs, "abc", 3, &hash, &error), ARB_DISK_FULL);
    assert_int_equal(arb_blob_sweep(blobs, keep_one, &none, &deleted, &error), ARB_OK);
    assert_int_equal(deleted, 0); /* nothing is there of it */
    arb_blob_folder_leave(blobs, 1);
    assert_int_equal(arb_blob_put(blobs, "abc", 3, &hash, &error), ARB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_named_by_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writers_do_not_meet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_are_swept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kill_leaves_whole_blobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_can_be_deleted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_is_left_on_the_disk, set_up, tear_down),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test_setup_teardown(each_allocation_may_fail, set_up, tear_down),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
