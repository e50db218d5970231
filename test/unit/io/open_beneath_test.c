/* What lies beneath a folder is opened, what leads out is not: as the kernel sees to it, and part by part where the kernel
 * cannot (its call is replaced by one that fails). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/byte_source.h"
#include "io/open_beneath.h"

static int refusal;    /* errno of the kernel's call; 0: it is carried out */
static int late_calls; /* that fail with EAGAIN before */
static int calls;

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
    assert_int_equal(number, SYS_openat2);
    calls++;
    if (refusal == 0 && late_calls-- <= 0)
        return __real_syscall(number, folder, path, how, size);
    errno = refusal != 0 ? refusal : EAGAIN;
    return -1;
}

static char top[64];

static void run(const char *command)
{
    char line[512];
    snprintf(line, sizeof line, "cd '%s' && %s", top, command);
    assert_int_equal(system(line), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/arb_beneath_XXXXXX");
    assert_non_null(mkdtemp(top));
    run("mkdir -p in/a/b out && echo inside >in/a/b/file && echo outside >out/file && ln -s b in/a/link && "
        "ln -s file in/a/b/link && ln -s ../../../out/file in/a/b/leaves && ln -s ../../out in/a/out && "
        "ln -s /etc in/etc && ln -s /proc/self/root in/root");
    refusal = late_calls = calls = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    run("rm -rf \"$PWD\"");
    return 0;
}

/* What opening gives: the text "inside", or errno. */
static int opens(const char *path)
{
    char folder[80], text[8] = "";
    arb_error error = {0};
    int at;
    snprintf(folder, sizeof folder, "%s/in", top);
    assert_int_equal(arb_open_folder(folder, &at, &error), ARB_OK);
    errno = 0;
    int file = arb_open_beneath(at, path, O_RDONLY), reason = errno;
    close(at);
    if (file < 0)
        return reason;
    assert_int_equal(read(file, text, 6), 6);
    assert_string_equal(text, "inside");
    assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(file);
    return 0;
}

static void leads_out(void)
{
    static const char *const paths[] = {"..",         "../out/file", "/etc/passwd", "a/../../out/file",
                                        "a/b/leaves", "a/out/file",  "etc/passwd",  "root/etc/passwd"};
    for (size_t i = 0; i < ARB_COUNT_OF(paths); i++) {
        int reason = opens(paths[i]);
        if (reason != EXDEV && !(reason == ELOOP && strncmp(paths[i], "root", 4) == 0))
            fail_msg("%s: %s", paths[i], strerror(reason));
    }
    assert_int_equal(opens("a/b/file"), 0);
    assert_int_equal(opens("a/b/none"), ENOENT);
    assert_int_equal(opens("a/b/file/x"), ENOTDIR);
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(opens(name), ENAMETOOLONG);
}

static void nothing_outside_is_opened(void **state)
{
    (void)state;
    leads_out();
    assert_int_equal(opens("a/link/file"), 0);
    assert_int_equal(opens("a/b/link"), 0);
    assert_int_equal(opens("a/../a/b/file"), 0);
}

static void old_kernels_follow_no_link(void **state)
{
    static const int reasons[] = {ENOSYS, EPERM};
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(reasons); i++) {
        refusal = reasons[i];
        leads_out();
        assert_int_equal(opens("a/link/file"), EXDEV);
        assert_int_equal(opens("a/b/link"), EXDEV);
        assert_int_equal(opens("a//b/file"), EXDEV);
        assert_int_equal(opens("a/./b/file"), EXDEV);
        assert_int_equal(opens(""), EXDEV);
    }
}

static void it_is_tried_again(void **state)
{
    (void)state;
    late_calls = 3;
    assert_int_equal(opens("a/b/file"), 0);
    assert_int_equal(calls, 4);
    late_calls = 1000;
    assert_int_equal(opens("a/b/file"), EAGAIN);
    assert_true(calls < 100);
}

static void sources_say_it(void **state)
{
    char folder[80];
    arb_error error = {0};
    arb_byte_source *source;
    int at;
    (void)state;
    snprintf(folder, sizeof folder, "%s/in", top);
    assert_int_equal(arb_open_folder(folder, &at, &error), ARB_OK);
    assert_int_equal(arb_byte_source_open_beneath(at, "a/b/file", ARB_STR("shown"), &source, &error), ARB_OK);
    assert_true(arb_str_equal(source->path, ARB_STR("shown")));
    assert_int_equal(source->identity.size, 7);
    arb_byte_source_destroy(source);
    assert_int_equal(arb_byte_source_open_beneath(at, "a/out/file", ARB_STR("shown"), &source, &error),
                     ARB_ACCESS_DENIED);
    assert_string_equal(error.message, "shown leads out of its folder");
    assert_null(source);
    assert_int_equal(arb_byte_source_open_beneath(at, "a/b", ARB_STR("shown"), &source, &error), ARB_WRONG_OBJECT_TYPE);
    assert_int_equal(arb_byte_source_open_beneath(at, "x", ARB_STR("shown"), &source, &error), ARB_FILE_NOT_FOUND);
    close(at);
    snprintf(folder, sizeof folder, "%s/none", top);
    assert_int_equal(arb_open_folder(folder, &at, &error), ARB_FILE_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_outside_is_opened),
        TEST(old_kernels_follow_no_link),
        TEST(it_is_tried_again),
        TEST(sources_say_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
