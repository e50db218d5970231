/* Failpoints, in builds that have them: what the environment may say, and which passage acts. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/failpoint.h"

#ifdef ARB_FAILPOINTS
static arb_code read_text(const char *text, arb_error *error)
{
    *error = (arb_error){0};
    setenv("ARBALEST_FAILPOINTS", text, 1);
    return arb_failpoints_read(error);
}

static void odd_texts_are_refused(void **state)
{
    static const char *const odd[] = {"executor",
                                      "executor.nowhere=kill",
                                      "executor.task_start",
                                      "executor.task_start=",
                                      "executor.task_start=explode",
                                      "executor.task_start=kill@0",
                                      "executor.task_start=kill@",
                                      "executor.task_start=kill@x",
                                      "executor.task_start=kill@1234567890",
                                      "executor.task_start=kill:1",
                                      "executor.task_start=delay",
                                      "executor.task_start=delay:",
                                      "executor.task_start=delay:1s",
                                      "executor.task_start=error",
                                      "executor.task_start=error:00000",
                                      "executor.task_start=error:XXXXX",
                                      "executor.task_start=corrupt",
                                      "executor.after_commit=error:58030",
                                      "exchange.sealed=error:58030",
                                      "exchange.sealed=corrupt:1",
                                      "executor.task_start=kill,executor.task_start=stop",
                                      "executor.task_start=kill,",
                                      ","};
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(odd); i++) {
        arb_error error;
        assert_int_equal(read_text(odd[i], &error), ARB_CONFIGURATION);
        assert_non_null(strstr(error.message, "ARBALEST_FAILPOINTS: "));
    }
}

static void one_passage_acts_or_each(void **state)
{
    (void)state;
    arb_error error;
    assert_int_equal(read_text("", &error), ARB_OK);
    assert_int_equal(ARB_FAILPOINT_CODE(EXECUTOR_TASK_START, &error), ARB_OK);
    assert_int_equal(read_text("executor.task_start=error:53100@2,exchange.last_row=error:22012", &error), ARB_OK);
    assert_int_equal(ARB_FAILPOINT_CODE(EXECUTOR_TASK_START, &error), ARB_OK);
    assert_int_equal(ARB_FAILPOINT_CODE(EXECUTOR_TASK_START, &error), ARB_DISK_FULL);
    assert_string_equal(error.message, "the failpoint executor.task_start");
    assert_int_equal(ARB_FAILPOINT_CODE(EXECUTOR_TASK_START, &error), ARB_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ARB_FAILPOINT_CODE(EXCHANGE_LAST_ROW, &error), ARB_DIVISION_BY_ZERO);
}

static void bytes_are_changed_once(void **state)
{
    (void)state;
    arb_error error;
    uint8_t bytes[5] = {1, 2, 3, 4, 5};
    assert_int_equal(read_text("exchange.sealed=corrupt@2", &error), ARB_OK);
    ARB_FAILPOINT_DAMAGE(EXCHANGE_SEALED, bytes, sizeof bytes);
    assert_int_equal(bytes[2], 3);
    ARB_FAILPOINT_DAMAGE(EXCHANGE_SEALED, bytes, sizeof bytes);
    assert_int_not_equal(bytes[2], 3);
}

/* How a child ends that passes a place. */
static int status_of_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ARB_FAILPOINT(EXECUTOR_DRAINING);
        _exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void it_acts_while_a_file_is_there_and_leaves_a_mark(void **state)
{
    (void)state;
    arb_error error;
    char folder[] = "/tmp/failpoint-XXXXXX", condition[64], marker[64], line[64] = "";
    assert_non_null(mkdtemp(folder));
    snprintf(condition, sizeof condition, "%s/armed", folder);
    snprintf(marker, sizeof marker, "%s/marks", folder);
    setenv("ARBALEST_FAILPOINTS_WHILE", condition, 1);
    setenv("ARBALEST_FAILPOINTS_MARKER", marker, 1);
    assert_int_equal(read_text("executor.draining=kill", &error), ARB_OK);
    int status = status_of_child();
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7 && access(marker, F_OK) != 0);
    fclose(fopen(condition, "w"));
    status = status_of_child();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    FILE *marks = fopen(marker, "r");
    assert_non_null(marks);
    assert_non_null(fgets(line, sizeof line, marks));
    fclose(marks);
    assert_memory_equal(line, "executor.draining kill ", strlen("executor.draining kill "));
    assert_int_equal(unlink(condition) + unlink(marker) + rmdir(folder), 0);
    unsetenv("ARBALEST_FAILPOINTS_WHILE");
    unsetenv("ARBALEST_FAILPOINTS_MARKER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_texts_are_refused),
        cmocka_unit_test(one_passage_acts_or_each),
        cmocka_unit_test(bytes_are_changed_once),
        cmocka_unit_test(it_acts_while_a_file_is_there_and_leaves_a_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void without_them_nothing_is_there(void **state)
{
    (void)state;
    assert_int_equal(ARB_FAILPOINT_CODE(EXECUTOR_TASK_START, NULL), ARB_OK);
    assert_false(ARB_FAILPOINTS_VARIABLE(ARB_STR("FAILPOINTS")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_them_nothing_is_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
