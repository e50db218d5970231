/* Jobs, stages, tasks and executors in JSON; ids; what happens without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "rest/job_json.h"

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static int64_t number_of(json_t *object, const char *name)
{
    assert_true(json_is_integer(json_object_get(object, name)));
    return json_integer_value(json_object_get(object, name));
}

static void ids_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     ".",    "1",    "1.",   ".1",  "1.2.3",
                                        "1.2x", "-1.2", "1.-2", "1 .2", "a.b", "18446744073709551616.1"};
    arb_error error = {0};
    arb_id id;
    assert_int_equal(arb_rest_read_job(ARB_STR("3.17"), &id, &error), ARB_OK);
    assert_true(arb_id_equal(id, (arb_id){3, 17}));
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++)
        assert_int_equal(arb_rest_read_job(arb_str_of(wrong[i]), &id, &error), ARB_UNDEFINED_OBJECT);
    char text[ARB_UUID_TEXT_SIZE];
    arb_uuid_text((arb_uuid){UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)}, text);
    assert_string_equal(text, "01234567-89ab-cdef-fedc-ba9876543210");
}

static void text_is_utf8(void **state)
{
    (void)state;
    json_t *value = arb_json_text(ARB_STR("a\xFF\xC3\xA4\xE2\x82z\xF0\x9F\x98\x80\xC3"));
    assert_string_equal(json_string_value(value),
                        "a\xEF\xBF\xBD\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBDz\xF0\x9F\x98\x80\xEF\xBF\xBD");
    json_decref(value);
    value = arb_json_text((arb_str){"a\0b", 3});
    assert_int_equal(json_string_length(value), 3);
    json_decref(value);
    value = arb_json_text((arb_str){NULL, 0});
    assert_string_equal(json_string_value(value), "");
    json_decref(value);
    value = arb_json_number(UINT64_MAX);
    assert_true(json_integer_value(value) == INT64_MAX);
    json_decref(value);
}

static arb_job_view job_in(arb_job_state state)
{
    return (arb_job_view){.job = {3, 17},
                          .state = state,
                          .text = ARB_STR("select \"x\""),
                          .user = ARB_STR("who"),
                          .submitted = 5000000,
                          .ended = state > ARB_JOB_FINISHED ? 7500000 : 0,
                          .stages = 2,
                          .complete = 1,
                          .tasks = 8,
                          .committed = 2,
                          .running = 1,
                          .attempts = 4,
                          .result_rows = 1,
                          .code = state == ARB_JOB_FAILED ? ARB_DIVISION_BY_ZERO : ARB_OK,
                          .message = ARB_STR("division by zero")};
}

static void jobs_say_how_they_are(void **state)
{
    (void)state;
    static const struct {
        arb_job_state state;
        const char *status, *name, *sentence;
        int percent;
    } expected[] = {
        {ARB_JOB_RUNNING, "Running", "running", "Running", 25},
        {ARB_JOB_FINISHED, "Running", "finished", "Running", 25},
        {ARB_JOB_SUCCEEDED, "Completed", "succeeded", "Completed. Produced 1 row. Elapsed time: 2500 ms.", 100},
        {ARB_JOB_FAILED, "Failed", "failed", "Failed: division by zero", 25},
        {ARB_JOB_CANCELLED, "Cancelled", "cancelled", "Cancelled", 25},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(expected); i++) {
        bool ok = true;
        arb_job_view view = job_in(expected[i].state);
        json_t *job = arb_json_job(&view, &ok);
        assert_true(ok);
        assert_string_equal(text_of(job, "job_id"), "3.17");
        assert_string_equal(text_of(job, "job_name"), "select \"x\"");
        assert_string_equal(text_of(job, "status"), expected[i].status);
        assert_string_equal(text_of(job, "state"), expected[i].name);
        assert_string_equal(text_of(job, "job_status"), expected[i].sentence);
        assert_int_equal(number_of(job, "percent_complete"), expected[i].percent);
        assert_int_equal(number_of(job, "start_time"), 5000);
        assert_int_equal(number_of(job, "end_time"), view.ended / 1000);
        assert_int_equal(number_of(job, "num_stages"), 2);
        assert_int_equal(number_of(job, "completed_stages"), 1);
        json_t *error = json_object_get(job, "error");
        assert_true((error != NULL) == (view.code != ARB_OK));
        if (error != NULL)
            assert_string_equal(text_of(error, "sqlstate"), "22012");
        json_decref(job);
    }
    bool ok = true;
    arb_job_view waits = {.state = ARB_JOB_RUNNING, .text = ARB_STR(""), .user = ARB_STR(""), .message = ARB_STR("")};
    json_t *job = arb_json_job(&waits, &ok);
    assert_string_equal(text_of(job, "status"), "Queued");
    assert_int_equal(number_of(job, "percent_complete"), 0);
    json_decref(job);
}

static void stages_say_how_they_are(void **state)
{
    (void)state;
    const arb_job_view runs = job_in(ARB_JOB_RUNNING), failed = job_in(ARB_JOB_FAILED),
                       cancelled = job_in(ARB_JOB_CANCELLED);
    const struct {
        const arb_job_view *of;
        arb_stage_view view;
        const char *status, *elapsed;
    } expected[] = {
        {&runs, {.complete = true, .started = 1000000, .ended = 1012340}, "Successful", "12.34ms"},
        {&cancelled, {.complete = true, .started = 1000000, .ended = 3456789}, "Successful", "2.45s"},
        {&runs, {.open = true, .running = 1, .started = 5000000}, "Running", "1.00s"},
        {&runs, {.open = true, .pending = 1}, "Resolved", NULL},
        {&runs, {.pending = 1}, "UnResolved", NULL},
        {&failed, {.open = true, .running = 1, .started = 7000000}, "Failed", "500.00ms"},
        {&cancelled, {.pending = 1}, "Cancelled", NULL},
        {&runs, {.open = true, .running = 1, .started = 9000000}, "Running", "0.00ms"}, /* clocks go back */
    };
    for (size_t i = 0; i < ARB_COUNT_OF(expected); i++) {
        bool ok = true;
        json_t *stage = arb_json_stage(expected[i].of, &expected[i].view, 6000000, &ok);
        assert_true(ok);
        assert_string_equal(text_of(stage, "stage_id"), "0");
        assert_string_equal(text_of(stage, "stage_status"), expected[i].status);
        if (expected[i].elapsed == NULL)
            assert_true(json_is_null(json_object_get(stage, "elapsed_compute")));
        else
            assert_string_equal(text_of(stage, "elapsed_compute"), expected[i].elapsed);
        json_decref(stage);
    }
}

static void tasks_say_how_they_are(void **state)
{
    (void)state;
    const arb_job_view runs = job_in(ARB_JOB_RUNNING), failed = job_in(ARB_JOB_FAILED);
    static const arb_attempt_view running[] = {
        {.attempt = {3, 30}, .executor = {1, 2}, .started = 6000000, .rows = 5, .twin = true},
        {.attempt = {3, 29}, .executor = {1, 3}, .started = 4000000}};
    bool ok = true;
    arb_task_view view = {.task = 7,
                          .state = ARB_TASK_COMMITTED,
                          .attempts = 3,
                          .failures = 1,
                          .code = ARB_IO,
                          .message = ARB_STR("no disk"),
                          .rows = 9,
                          .ended = 5000000,
                          .took = 2000000000,
                          .attempt = {3, 29},
                          .executor = {1, 3}};
    json_t *task = arb_json_task(&runs, &view, &ok);
    assert_string_equal(text_of(task, "status"), "Successful");
    assert_int_equal(number_of(task, "launch_time"), 3000);
    assert_int_equal(number_of(task, "finish_time"), 5000);
    assert_int_equal(number_of(task, "exec_duration"), 2000);
    assert_int_equal(number_of(task, "attempts"), 3);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(task, "partition_id"), 0)), 7);
    assert_string_equal(text_of(json_object_get(task, "last_failure"), "message"), "no disk");
    assert_string_equal(text_of(task, "attempt_id"), "3.29");
    json_decref(task);

    view = (arb_task_view){.state = ARB_TASK_RUNNING, .running = running, .running_count = 2, .message = ARB_STR("")};
    task = arb_json_task(&runs, &view, &ok);
    assert_string_equal(text_of(task, "status"), "Running");
    assert_int_equal(number_of(task, "launch_time"), 4000);
    assert_null(json_object_get(task, "executor_id"));
    assert_null(json_object_get(task, "last_failure"));
    json_t *attempts = json_object_get(task, "running");
    assert_int_equal(json_array_size(attempts), 2);
    assert_true(json_is_true(json_object_get(json_array_get(attempts, 0), "twin")));
    assert_int_equal(number_of(json_array_get(attempts, 0), "output_rows"), 5);
    json_decref(task);
    task = arb_json_task(&failed, &view, &ok);
    assert_string_equal(text_of(task, "status"), "Cancelled");
    json_decref(task);
    view = (arb_task_view){.state = ARB_TASK_PENDING, .message = ARB_STR("")};
    task = arb_json_task(&runs, &view, &ok);
    assert_string_equal(text_of(task, "status"), "Pending");
    json_decref(task);
    view.failures = 1;
    task = arb_json_task(&failed, &view, &ok);
    assert_string_equal(text_of(task, "status"), "Failed");
    json_decref(task);
    view.state = ARB_TASK_SUPERFLUOUS;
    task = arb_json_task(&failed, &view, &ok);
    assert_string_equal(text_of(task, "status"), "Superfluous");
    json_decref(task);
    assert_true(ok);
}

static void executors_have_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address, *host;
        int port;
    } expected[] = {{"127.0.0.1:50051", "127.0.0.1", 50051},
                    {"[::1]:9", "[::1]", 9},
                    {"unix:/path", "unix", 0},
                    {"name", "name", 0},
                    {"", "", 0},
                    {":", "", 0},
                    {"x:99999999999999", "x", 0}};
    for (size_t i = 0; i < ARB_COUNT_OF(expected); i++) {
        bool ok = true;
        arb_executor_view view = {.address = arb_str_of(expected[i].address),
                                  .version = ARB_STR("1"),
                                  .slots = 4,
                                  .state = ARB_EXECUTOR_DRAINING};
        json_t *executor = arb_json_executor(&view, &ok);
        assert_true(ok);
        assert_string_equal(text_of(executor, "host"), expected[i].host);
        assert_int_equal(number_of(executor, "port"), expected[i].port);
        assert_string_equal(text_of(executor, "state"), "draining");
        assert_int_equal(number_of(json_object_get(executor, "specification"), "task_slots"), 4);
        json_decref(executor);
    }
}

/* Each allocation of jansson's fails once: it is told, or did not matter, and nothing leaks. */
static size_t until_failure;

static void *failing_alloc(size_t size)
{
    return until_failure != 0 && --until_failure == 0 ? NULL : arb_alloc(size);
}

static void without_memory_there_is_no_answer(void **state)
{
    (void)state;
    static const arb_attempt_view running = {.attempt = {3, 30}};
    const arb_job_view job = job_in(ARB_JOB_FAILED);
    const arb_stage_view stage = {.started = 1};
    const arb_task_view task = {
        .state = ARB_TASK_COMMITTED, .code = ARB_IO, .message = ARB_STR("x"), .running = &running, .running_count = 1};
    const arb_executor_view executor = {.address = ARB_STR("a:1"), .version = ARB_STR("")};
    arb_text whole = {0};
    json_set_alloc_funcs(failing_alloc, arb_free);
    for (size_t n = 0;; n++) { /* first none */
        bool ok = true;
        arb_error error = {0};
        arb_http_response response = {0};
        until_failure = n;
        json_t *list = json_array();
        arb_json_append(list, arb_json_job(&job, &ok), &ok);
        arb_json_append(list, arb_json_stage(&job, &stage, 0, &ok), &ok);
        arb_json_append(list, arb_json_task(&job, &task, &ok), &ok);
        arb_json_append(list, arb_json_executor(&executor, &ok), &ok);
        arb_code code = arb_json_reply(&response, list, ok, &error);
        bool failed_none = until_failure != 0;
        until_failure = 0;
        if (n == 0)
            whole = response.body;
        else if (code == ARB_OK)
            assert_string_equal(response.body.data, whole.data);
        else
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
        if (n > 0)
            arb_text_reset(&response.body);
        if (failed_none) {
            assert_true(code == ARB_OK && n > 100);
            break;
        }
    }
    arb_text_reset(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_read),
        cmocka_unit_test(text_is_utf8),
        cmocka_unit_test(jobs_say_how_they_are),
        cmocka_unit_test(stages_say_how_they_are),
        cmocka_unit_test(tasks_say_how_they_are),
        cmocka_unit_test(executors_have_addresses),
        cmocka_unit_test(without_memory_there_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
