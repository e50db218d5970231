/* What a process that crashes leaves in its work folder, and what the next one there makes of it. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "executor/crash_record.h"

static const arb_uuid process = {1, 2}, cluster = {3, 4}, other_cluster = {5, 6};
static char folder[] = "/tmp/crash-record-XXXXXX", path[64];

static arb_attempt attempt_of(uint64_t number)
{
    return (arb_attempt){
        .job = {7, 1}, .attempt = {7, number}, .generation = {7, 2}, .stage = 3, .task = (uint32_t)number};
}

static arb_crash_found take(arb_arena *arena)
{
    arb_crash_found found;
    arb_error error = {0};
    assert_int_equal(arb_crash_record_begin(arb_str_of(folder), process, arena, &found, &error), ARB_OK);
    arb_crash_record_end();
    return found;
}

static void *crash_by(void *signal_number)
{
    raise(*(const int *)signal_number);
    return NULL;
}

/* In a child; its end. */
static int crash(int number, bool in_thread, unsigned attempts)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        arb_arena arena = {0};
        arb_crash_found found;
        pthread_t thread;
        signal(number, SIG_DFL); /* this framework and sanitizers have handlers */
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (arb_crash_record_begin(arb_str_of(folder), process, &arena, &found, NULL) != ARB_OK)
            _exit(1);
        arb_attempt stranger = attempt_of(1000);
        (void)arb_crash_record_add(other_cluster, &stranger);
        unsigned gone = ARB_CRASH_NO_PLACE;
        for (uint64_t i = 1; i <= attempts + 1; i++) {
            arb_attempt attempt = attempt_of(i);
            unsigned place = arb_crash_record_add(cluster, &attempt);
            gone = i == 2 ? place : gone;
        }
        arb_crash_record_remove(gone);
        if (!in_thread)
            raise(number);
        else if (arb_thread_create(&thread, NULL, crash_by, &number) == 0)
            pthread_join(thread, NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void what_ran_is_told_to_the_next_one(void **state)
{
    static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(numbers) * 2; i++) {
        arb_arena arena = {0};
        int status = crash(numbers[i / 2], i % 2 != 0, 3);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == numbers[i / 2]);
        arb_crash_found found = take(&arena);
        assert_true(arb_uuid_equal(found.process, process));
        assert_true(arb_uuid_equal(found.cluster, cluster));
        assert_int_equal(found.attempt_count, 3);
        for (size_t at = 0; at < 3; at++) {
            arb_attempt expected =
                attempt_of(at == 0 ? 1 : at + 2); /* the second had ended, the other cluster's count not */
            assert_true(arb_attempt_equal(&found.attempts[at], &expected));
        }
        arb_arena_reset(&arena);
        assert_int_not_equal(access(path, F_OK), 0); /* it is told once */
        assert_int_equal(take(&arena).process.high, 0);
        arb_arena_reset(&arena);
    }
}

static void there_is_room_for_so_many(void **state)
{
    (void)state;
    arb_arena arena = {0};
    (void)crash(SIGABRT, false, ARB_CRASH_PLACES * 2);
    arb_crash_found found = take(&arena);
    assert_int_equal(found.attempt_count, ARB_CRASH_PLACES - 2); /* the other cluster's, and one that had ended */
    arb_arena_reset(&arena);
}

static void write_file(const void *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(file, bytes, size), (ssize_t)size);
    close(file);
}

static void what_is_no_record_is_thrown_away(void **state)
{
    (void)state;
    char bytes[4096] = "";
    ssize_t size;
    (void)crash(SIGABRT, false, 5);
    int file = open(path, O_RDONLY);
    assert_true((size = read(file, bytes, sizeof bytes)) > 64);
    close(file);
    for (size_t cut = 0; cut <= (size_t)size + 1; cut++) {
        arb_arena arena = {0};
        write_file(bytes, cut);
        assert_int_equal(take(&arena).attempt_count, cut == (size_t)size ? 5 : 0);
        arb_arena_reset(&arena);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    for (size_t at = 0; at < 8; at++) {
        arb_arena arena = {0};
        bytes[at] ^= 1;
        write_file(bytes, (size_t)size);
        assert_int_equal(take(&arena).attempt_count, 0);
        bytes[at] ^= 1;
        arb_arena_reset(&arena);
    }
    write_file("x", 1);
    arb_crash_record_forget(arb_str_of(folder));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void without_a_record_nothing_happens(void **state)
{
    (void)state;
    arb_attempt attempt = attempt_of(1);
    assert_int_equal(arb_crash_record_add(cluster, &attempt), ARB_CRASH_NO_PLACE);
    arb_crash_record_remove(ARB_CRASH_NO_PLACE);
    arb_crash_record_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ran_is_told_to_the_next_one),
        cmocka_unit_test(there_is_room_for_so_many),
        cmocka_unit_test(what_is_no_record_is_thrown_away),
        cmocka_unit_test(without_a_record_nothing_happens),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/crashed", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(folder) != 0 ? 1 : failed;
}
