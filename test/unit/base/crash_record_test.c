/* What a process that crashes leaves in a folder, and what the next one there finds. */
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

#include "base/crash_record.h"
#include "base/thread.h"

typedef struct note {
    uint64_t number;
    char text[16];
} note;

static char folder[] = "/tmp/crash-record-XXXXXX", path[64];

static arb_str look_at(size_t entry_size, arb_arena *arena, bool tell)
{
    arb_str left;
    arb_error error = {0};
    assert_int_equal(arb_crash_record_begin(arb_str_of(folder), entry_size, arena, &left, &error), ARB_OK);
    if (tell)
        arb_crash_record_told();
    arb_crash_record_end();
    return left;
}

static arb_str take(arb_arena *arena)
{
    return look_at(sizeof(note), arena, true);
}

static void *crash_by(void *signal_number)
{
    raise(*(const int *)signal_number);
    return NULL;
}

/* In a child, with so many entries, the second of which has gone; its end. */
static int crash(int number, bool in_thread, unsigned entries)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        arb_arena arena = {0};
        arb_str left;
        pthread_t thread;
        signal(number, SIG_DFL); /* this framework and sanitizers have handlers */
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (arb_crash_record_begin(arb_str_of(folder), sizeof(note), &arena, &left, NULL) != ARB_OK)
            _exit(1);
        unsigned gone = ARB_CRASH_NO_PLACE;
        for (unsigned i = 1; i <= entries; i++) {
            note entry = {.number = i, .text = "an entry"};
            unsigned place = arb_crash_record_add(&entry);
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

static void must_crash(int number, bool in_thread, unsigned entries)
{
    int status = crash(number, in_thread, entries);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == number);
}

static void entries_are_told_to_the_next_one(void **state)
{
    static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(numbers) * 2; i++) {
        arb_arena arena = {0};
        must_crash(numbers[i / 2], i % 2 != 0, 4);
        assert_int_equal(look_at(sizeof(note), &arena, false).size, 3 * sizeof(note)); /* it did not get to tell it */
        arb_str left = take(&arena);
        assert_int_equal(left.size, 3 * sizeof(note));
        for (size_t at = 0; at < 3; at++) {
            note entry, expected = {.number = at == 0 ? 1 : at + 2, .text = "an entry"};
            memcpy(&entry, left.data + at * sizeof entry, sizeof entry);
            assert_memory_equal(&entry, &expected, sizeof entry);
        }
        arb_arena_reset(&arena);
        assert_int_not_equal(access(path, F_OK), 0); /* it is told once */
        assert_int_equal(take(&arena).size, 0);
        arb_arena_reset(&arena);
    }
}

static void there_is_room_for_so_many(void **state)
{
    (void)state;
    arb_arena arena = {0};
    must_crash(SIGABRT, false, ARB_CRASH_PLACES * 2);
    assert_int_equal(take(&arena).size, (ARB_CRASH_PLACES - 1) * sizeof(note));
    arb_arena_reset(&arena);
}

static void without_entries_nothing_is_left(void **state)
{
    (void)state;
    must_crash(SIGABRT, false, 0);
    assert_int_not_equal(access(path, F_OK), 0);
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
    must_crash(SIGABRT, false, 6);
    int file = open(path, O_RDONLY);
    assert_true((size = read(file, bytes, sizeof bytes)) > 64);
    close(file);
    for (size_t cut = 0; cut <= (size_t)size + 1; cut++) {
        arb_arena arena = {0};
        write_file(bytes, cut);
        assert_int_equal(take(&arena).size, cut == (size_t)size ? 5 * sizeof(note) : 0);
        arb_arena_reset(&arena);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    for (size_t at = 0; at < 8; at++) {
        arb_arena arena = {0};
        bytes[at] ^= 1;
        write_file(bytes, (size_t)size);
        assert_int_equal(take(&arena).size, 0);
        bytes[at] ^= 1;
        arb_arena_reset(&arena);
    }
    arb_arena arena = {0};
    write_file(bytes, (size_t)size);
    assert_int_equal(look_at(sizeof(note) + 1, &arena, false).size, 0); /* of another program */
    write_file("x", 1);
    arb_crash_record_forget(arb_str_of(folder));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void without_a_record_nothing_happens(void **state)
{
    (void)state;
    note entry = {.number = 1};
    assert_int_equal(arb_crash_record_add(&entry), ARB_CRASH_NO_PLACE);
    arb_crash_record_remove(ARB_CRASH_NO_PLACE);
    arb_crash_record_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_told_to_the_next_one), cmocka_unit_test(without_entries_nothing_is_left),
        cmocka_unit_test(there_is_room_for_so_many),        cmocka_unit_test(what_is_no_record_is_thrown_away),
        cmocka_unit_test(without_a_record_nothing_happens),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/crashed", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(folder) != 0 ? 1 : failed;
}
