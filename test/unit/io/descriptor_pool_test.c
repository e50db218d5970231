/* More files are open than have descriptors: all bytes come all the same, and never those of another file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/byte_source.h"
#include "io/open_beneath.h"

enum { FILES = 20, SIZE = 5000, POOL = 2, THREADS = 6, READS = 3000 };

static int refusal; /* errno of openat2 and open; 0: they are carried out */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    int folder = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    struct open_how *how = va_arg(arguments, struct open_how *);
    size_t size = va_arg(arguments, size_t);
    va_end(arguments);
    errno = refusal;
    return refusal != 0 ? -1 : __real_syscall(number, folder, path, how, size);
}

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    errno = refusal;
    return refusal != 0 && refusal != ENOSYS ? -1 : __real_open(path, flags, 0);
}

static uint8_t byte_at(size_t file, size_t offset)
{
    return (uint8_t)(file * 37 + offset * 11 + offset / 256);
}

typedef struct fixture {
    char folder[64];
    arb_descriptor_pool *pool;
    arb_byte_source *sources[FILES];
    size_t descriptors; /* open before */
    arb_error error;
} fixture;

static fixture f;

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *list = opendir("/proc/self/fd");
    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", f.folder, name);
    return path;
}

static const char *file_path(size_t i)
{
    char name[32];
    snprintf(name, sizeof name, "in/file%zu", i);
    return path_of(name);
}

static void write_file(const char *path, size_t file, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    for (size_t i = 0; i < size; i++)
        fputc(byte_at(file, i), out);
    assert_int_equal(fclose(out), 0);
}

static void run(const char *command)
{
    char line[512];
    snprintf(line, sizeof line, "cd '%s' && %s", f.folder, command);
    assert_int_equal(system(line), 0);
}

/* Half of the files are opened beneath their folder. */
static int set_up(void **state)
{
    (void)state;
    f = (fixture){.folder = "/tmp/arb_pool_XXXXXX"};
    assert_non_null(mkdtemp(f.folder));
    assert_int_equal(mkdir(path_of("in"), 0700), 0);
    f.descriptors = open_descriptors();
    assert_int_equal(arb_descriptor_pool_create(POOL, &f.pool, &f.error), ARB_OK);
    for (size_t i = 0; i < FILES; i++) {
        int folder = -1;
        write_file(file_path(i), i, SIZE);
        assert_int_equal(arb_open_folder(path_of("in"), &folder, &f.error), ARB_OK);
        arb_str path = arb_str_of(file_path(i));
        size_t folder_size = strlen(f.folder) + 3;
        if (i % 2 == 0)
            assert_int_equal(arb_byte_source_open_local(path.data, &f.sources[i], &f.error), ARB_OK);
        else
            assert_int_equal(
                arb_byte_source_open_beneath(folder, path.data + folder_size + 1, path, &f.sources[i], &f.error),
                ARB_OK);
        close(folder);
        arb_byte_source_pool(f.sources[i], f.pool, i % 2 == 0 ? 0 : folder_size);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        arb_byte_source_destroy(f.sources[i]);
    assert_int_equal(arb_descriptor_pool_count(f.pool), 0);
    arb_descriptor_pool_destroy(f.pool);
    assert_int_equal(open_descriptors(), f.descriptors);
    run("rm -r in && rm -rf out");
    return rmdir(f.folder);
}

static bool has_bytes(size_t file, const uint8_t *bytes, size_t offset, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != byte_at(file, offset + i))
            return false;
    return true;
}

static arb_code read_file(size_t i)
{
    uint8_t bytes[SIZE];
    arb_error_clear(&f.error);
    ARB_TRY(arb_byte_source_read(f.sources[i], 10, bytes, SIZE - 10, &f.error));
    assert_true(has_bytes(i, bytes, 10, SIZE - 10));
    return ARB_OK;
}

static size_t try_file(size_t i)
{
    uint8_t bytes[SIZE];
    size_t got;
    assert_int_equal(arb_byte_source_try_read(f.sources[i], 0, bytes, SIZE, &got, &f.error), ARB_OK);
    assert_true(has_bytes(i, bytes, 0, got));
    return got;
}

/* The pool takes the descriptors of all files but the last ones that are read here: those at the end. */
static void read_the_last(void)
{
    for (size_t i = FILES - 2 * POOL; i < FILES; i++)
        assert_int_equal(read_file(i), ARB_OK);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void few_descriptors_serve_many_files(void **state)
{
    (void)state;
    assert_int_equal(arb_descriptor_pool_count(f.pool), POOL);
    for (size_t i = 0; i < 3 * FILES; i++) {
        size_t file = i * 7 % FILES;
        assert_int_equal(read_file(file), ARB_OK);
        try_file(file);
        arb_byte_source_expect(f.sources[(file + 1) % FILES], 0, SIZE);
        assert_int_equal(arb_descriptor_pool_count(f.pool), POOL);
        assert_int_equal(open_descriptors(), f.descriptors + POOL);
    }
}

/* It gives its bytes although it was removed: its descriptor was never taken. */
static void what_is_used_keeps_its_descriptor(void **state)
{
    (void)state;
    assert_int_equal(read_file(0), ARB_OK);
    assert_int_equal(unlink(file_path(0)), 0);
    for (size_t i = 1; i < FILES; i++) {
        assert_int_equal(read_file(0), ARB_OK);
        assert_int_equal(read_file(i), ARB_OK);
    }
}

static void attempts_open_what_the_system_knows(void **state)
{
    (void)state;
    read_the_last();
    assert_int_equal(read_file(1), ARB_OK); /* so the path is known, and the bytes */
    read_the_last();
    size_t got = try_file(1);
    assert_true(got == SIZE || got == 0); /* an old kernel, a file system that cannot tell */
    read_the_last();
    refusal = ENOSYS;
    assert_true(try_file(2) == 0 || f.sources[2]->vtable->try_read == NULL); /* in memory nothing waits */
    assert_int_equal(read_file(2), ARB_OK);
    assert_int_equal(read_file(3), ARB_OK); /* beneath its folder, part by part */
    refusal = 0;
}

static void nobody_waits_for_a_descriptor(void **state)
{
    (void)state;
    enum { more = 2 * POOL + 1 };
    arb_pooled_descriptor places[more];
    for (size_t i = 0; i < more; i++) {
        arb_pooled_descriptor_init(&places[i], open("/dev/null", O_RDONLY));
        assert_true(arb_pooled_descriptor_begin(&places[i]) >= 0);
        arb_descriptor_pool_add(f.pool, &places[i]);
    }
    assert_int_equal(arb_descriptor_pool_count(f.pool), more);
    for (size_t i = 0; i < more; i++) {
        assert_int_not_equal(fcntl(arb_pooled_descriptor_begin(&places[i]), F_GETFD), -1);
        arb_pooled_descriptor_end(&places[i]);
        arb_pooled_descriptor_end(&places[i]);
    }
    for (size_t i = 0; i < more; i++) /* each may take two away */
        assert_int_equal(read_file(i), ARB_OK);
    assert_int_equal(arb_descriptor_pool_count(f.pool), POOL);
    int descriptor = arb_pooled_descriptor_begin(&places[0]);
    assert_int_equal(descriptor, -1);
    descriptor = open("/dev/null", O_RDONLY);
    assert_int_equal(arb_pooled_descriptor_put(&places[0], descriptor), descriptor);
    int second = open("/dev/null", O_RDONLY);
    assert_int_equal(arb_pooled_descriptor_put(&places[0], second), descriptor); /* somebody else was faster */
    assert_int_equal(fcntl(second, F_GETFD), -1);
    arb_pooled_descriptor_end(&places[0]);
    for (size_t i = 0; i < more; i++)
        arb_pooled_descriptor_close(&places[i]);
}

static void *read_at_random(void *seed)
{
    uint8_t bytes[SIZE];
    unsigned next = (unsigned)(uintptr_t)seed;
    for (size_t i = 0; i < READS; i++) {
        size_t file = (size_t)rand_r(&next) % FILES, offset = (size_t)rand_r(&next) % SIZE, got;
        size_t size = (size_t)rand_r(&next) % (SIZE - offset);
        arb_error error;
        file = i % 3 == 0 ? 0 : file; /* one that all read */
        if (i % 2 == 0 && (arb_byte_source_try_read(f.sources[file], offset, bytes, size, &got, &error) != ARB_OK ||
                           !has_bytes(file, bytes, offset, got)))
            return "an attempt gives other bytes";
        if (arb_byte_source_read(f.sources[file], offset, bytes, size, &error) != ARB_OK ||
            !has_bytes(file, bytes, offset, size))
            return "a read gives other bytes";
    }
    return NULL;
}

static void threads_share_them(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_at_random, (void *)(uintptr_t)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        if (wrong != NULL)
            fail_msg("%s", (const char *)wrong);
    }
    assert_true(arb_descriptor_pool_count(f.pool) <= POOL + THREADS);
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(read_file(i), ARB_OK);
    assert_int_equal(arb_descriptor_pool_count(f.pool), POOL);
}

/* `command` does something to file 1 or 2, which then cannot be read; undone, it can. */
static void check_changed(size_t file, const char *command, arb_code code, const char *message, const char *undo)
{
    char text[256];
    read_the_last();
    run(command);
    assert_int_equal(try_file(file), 0);
    arb_byte_source_expect(f.sources[file], 0, SIZE);
    assert_int_equal(read_file(file), code);
    snprintf(text, sizeof text, message, file_path(file));
    assert_string_equal(f.error.message, text);
    run(undo);
    if (*undo != ':')
        assert_int_equal(read_file(file), ARB_OK);
}

static void another_file_is_not_read(void **state)
{
    (void)state;
    static const char removed[] = "%s was removed while it was in use",
                      replaced[] = "%s was changed or replaced while it was in use";
    check_changed(1, "mv in/file1 kept", ARB_FILE_CHANGED, removed, "mv kept in/file1");
    check_changed(2, "mv in/file2 kept", ARB_FILE_CHANGED, removed, "mv kept in/file2");
    check_changed(2, "mv in kept && cp -rp kept in", ARB_FILE_CHANGED, replaced, "rm -r in && mv kept in");
    check_changed(1, "mv in kept && cp -rp kept in", ARB_FILE_CHANGED, replaced, "rm -r in && mv kept in");
    check_changed(1, "mv in/file1 kept && mkdir in/file1", ARB_FILE_CHANGED, replaced,
                  "rmdir in/file1 && mv kept in/file1");
    check_changed(2, "mv in/file2 kept && mkfifo in/file2", ARB_FILE_CHANGED, replaced,
                  "rm in/file2 && mv kept in/file2");
    check_changed(2, "touch in/file2", ARB_FILE_CHANGED, replaced, ":");
    check_changed(1, "truncate -s 20 in/file1", ARB_FILE_CHANGED, replaced, ":");
}

static void what_leads_out_of_its_folder_is_refused(void **state)
{
    (void)state;
    check_changed(1, "mkdir out && mv in/file1 out && ln -s ../out/file1 in/file1", ARB_ACCESS_DENIED,
                  "%s leads out of its folder", "rm in/file1 && mv out/file1 in");
    read_the_last();
    run("mv in/file2 out && ln -s ../out/file2 in/file2"); /* the same file, and this one may be anywhere */
    assert_int_equal(read_file(2), ARB_OK);
}

static void opening_may_fail(void **state)
{
    (void)state;
    char text[256];
    read_the_last();
    for (size_t i = 1; i <= 2; i++) {
        refusal = EMFILE;
        assert_int_equal(try_file(i), 0);
        arb_byte_source_expect(f.sources[i], 0, SIZE);
        assert_int_not_equal(read_file(i), ARB_OK);
        refusal = 0;
        snprintf(text, sizeof text,
                 i == 1 ? "cannot open the folder %s/in: Too many open files"
                        : "cannot open %s/in/file2: Too many open files",
                 f.folder);
        assert_string_equal(f.error.message, text);
        assert_int_equal(read_file(i), ARB_OK);
    }
}

static void without_memory_there_is_no_pool(void **state)
{
    (void)state;
#ifdef ARB_FAILPOINTS
    arb_descriptor_pool *pool;
    arb_alloc_fail_at(1, false);
    assert_int_equal(arb_descriptor_pool_create(1, &pool, &f.error), ARB_OUT_OF_MEMORY);
    arb_alloc_fail_at(0, false);
    assert_null(pool);
#endif
    arb_descriptor_pool_destroy(NULL);
    assert_in_range(arb_descriptor_pool_default(), 1, 4096);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(few_descriptors_serve_many_files),
        TEST(what_is_used_keeps_its_descriptor),
        TEST(attempts_open_what_the_system_knows),
        TEST(nobody_waits_for_a_descriptor),
        TEST(threads_share_them),
        TEST(another_file_is_not_read),
        TEST(what_leads_out_of_its_folder_is_refused),
        TEST(opening_may_fail),
        TEST(without_memory_there_is_no_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
