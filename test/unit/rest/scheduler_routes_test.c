/* The routes of a scheduler without a socket: a job that waits for executors, its cancelling, and each allocation failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http/http_failure.h"
#include "rest/scheduler_routes.h"
#include "state/memory_store.h"

static arb_error error;

typedef struct world {
    arb_store *store;
    arb_scheduler_process *process;
    arb_rest_scheduler rest;
} world;

static void begin(world *w)
{
    assert_int_equal(arb_memory_store_create(&w->store, &error), ARB_OK);
    arb_scheduler_process_options options = {.store = w->store, .times = arb_scheduler_times_default(10)};
    assert_int_equal(arb_scheduler_process_create(&options, &w->process, &error), ARB_OK);
    w->rest = (arb_rest_scheduler){{"1.2.3", arb_clock_wall_us(), NULL}, w->process};
}

static void end(world *w)
{
    arb_scheduler_process_destroy(w->process);
    arb_store_destroy(w->store);
}

static arb_job_client *submit(world *w, char out_path[64])
{
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    const arb_str plan = ARB_STR("a plan");
    arb_job_client *client;
    arb_job_progress progress;
    arb_plan_hash(plan, hash);
    const arb_stage_spec stages[] = {{.plan = {(const char *)hash, sizeof hash}, .task_count = 3, .row_limit = -1},
                                     {.plan = {(const char *)hash, sizeof hash},
                                      .task_count = 1,
                                      .row_limit = -1,
                                      .inputs = &input,
                                      .input_count = 1}};
    const arb_job_spec spec = {
        .text = ARB_STR("select 1"), .user = ARB_STR("ann"), .read_only = true, .stages = stages, .stage_count = 2};
    assert_int_equal(arb_job_submit(arb_scheduler_process_clients(w->process), &spec, &plan, 1, NULL, &client, &error),
                     ARB_OK);
    assert_int_equal(
        arb_job_wait(client, ARB_JOB_ACCEPTED, arb_clock_monotonic_ns() + INT64_C(20000000000), &progress, &error),
        ARB_OK);
    snprintf(out_path, 64, "/api/job/%llu.%llu", (unsigned long long)progress.job.term,
             (unsigned long long)progress.job.number);
    return client;
}

/* As the server does it; the body is the caller's. */
static arb_code ask(world *w, const char *method, const char *path, arb_http_response *out_response)
{
    char allowed[64];
    arb_http_request request = {.method = arb_str_of(method), .path = arb_str_of(path)};
    const arb_http_route *route = arb_http_route_find(arb_rest_scheduler_routes(), &request, allowed);
    *out_response = (arb_http_response){0};
    error = (arb_error){0};
    assert_non_null(route);
    return route->answer(&w->rest, &request, out_response, &error);
}

static json_t *json_of(world *w, const char *path)
{
    arb_http_response response;
    assert_int_equal(ask(w, "GET", path, &response), ARB_OK);
    json_t *value = json_loadb(response.body.data, response.body.size, 0, NULL);
    assert_non_null(value);
    arb_text_reset(&response.body);
    return value;
}

static void a_job_waits_and_is_cancelled(void **state)
{
    (void)state;
    world w;
    char path[64], stages_path[80], tasks_path[80];
    arb_http_response response;
    arb_job_progress progress;
    begin(&w);
    assert_int_equal(ask(&w, "GET", "/healthz", &response), ARB_OK);
    arb_text_reset(&response.body);
    assert_int_equal(ask(&w, "GET", "/readyz", &response), ARB_NOT_READY);
    arb_text_reset(&response.body);
    arb_job_client *client = submit(&w, path);
    json_t *job = json_of(&w, path);
    assert_string_equal(json_string_value(json_object_get(job, "status")), "Queued");
    assert_string_equal(json_string_value(json_object_get(job, "job_name")), "select 1");
    assert_string_equal(json_string_value(json_object_get(job, "user")), "ann");
    json_decref(job);
    snprintf(stages_path, sizeof stages_path, "%s/stages", path);
    json_t *stages = json_of(&w, stages_path);
    assert_int_equal(json_array_size(json_object_get(stages, "stages")), 2);
    json_decref(stages);
    snprintf(tasks_path, sizeof tasks_path, "%s/stage/0/tasks", path);
    json_t *tasks = json_of(&w, tasks_path);
    assert_int_equal(json_array_size(json_object_get(tasks, "tasks")), 3);
    json_decref(tasks);

    assert_int_equal(ask(&w, "PATCH", path, &response), ARB_OK);
    assert_int_equal(response.status, 0);
    assert_string_equal(response.body.data, "{\"cancelled\":true}");
    arb_text_reset(&response.body);
    assert_int_equal(
        arb_job_wait(client, ARB_JOB_OVER, arb_clock_monotonic_ns() + INT64_C(20000000000), &progress, &error), ARB_OK);
    assert_int_equal(progress.state, ARB_JOB_CANCELLED);
    assert_int_equal(ask(&w, "PATCH", path, &response), ARB_OK);
    assert_int_equal(response.status, 409);
    arb_text_reset(&response.body);
    assert_int_equal(ask(&w, "PATCH", "/api/job/1.999", &response), ARB_UNDEFINED_OBJECT);
    arb_job_close(client);
    end(&w);
}

/* Whoever asks does not keep the job: its client does. */
static void cancelling_leaves_others_alone(void **state)
{
    (void)state;
    world w;
    char path[64], other_path[64];
    arb_http_response response;
    begin(&w);
    arb_job_client *client = submit(&w, path), *other = submit(&w, other_path);
    assert_int_equal(ask(&w, "PATCH", path, &response), ARB_OK);
    arb_text_reset(&response.body);
    json_t *job = json_of(&w, other_path);
    assert_string_equal(json_string_value(json_object_get(job, "state")), "running");
    json_decref(job);
    arb_job_close(client);
    arb_job_close(other);
    job = json_of(&w, other_path);
    assert_string_equal(json_string_value(json_object_get(job, "state")), "cancelled");
    json_decref(job);
    end(&w);
}

#ifdef ARB_FAILPOINTS
/* Each allocation of an answer fails in turn, jansson's too: it is an answer all the same, or ARB_OUT_OF_MEMORY. */
static void answers_without_memory(void **state)
{
    (void)state;
    world w;
    char path[64], paths[3][80];
    arb_http_response response;
    begin(&w);
    arb_job_client *client = submit(&w, path);
    snprintf(paths[0], sizeof paths[0], "%s", path);
    snprintf(paths[1], sizeof paths[1], "%s/stages", path);
    snprintf(paths[2], sizeof paths[2], "%s/stage/0/tasks", path);
    const char *const all[] = {"/healthz",  "/metrics", "/api/state", "/api/version", "/api/executors",
                               "/api/jobs", paths[0],   paths[1],     paths[2]};
    json_set_alloc_funcs(arb_alloc, arb_free);
    for (size_t i = 0; i < ARB_COUNT_OF(all); i++) {
        bool hit = true;
        size_t failed = 0;
        for (uint64_t nth = 1; hit; nth++) {
            arb_alloc_fail_at(nth, false);
            arb_code code = ask(&w, "GET", all[i], &response);
            if (code != ARB_OK)
                arb_http_fail_with(&response, code, &error);
            hit = arb_alloc_count() >= nth;
            arb_alloc_fail_at(0, false);
            failed += code != ARB_OK;
            assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
            assert_int_equal(response.status, code == ARB_OK ? 0 : 503);
            arb_text_reset(&response.body);
        }
        assert_true(failed > 0);
    }
    arb_job_close(client);
    end(&w);
}

static void cancelling_without_memory(void **state)
{
    (void)state;
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        world w;
        char path[64];
        arb_http_response response;
        begin(&w);
        arb_job_client *client = submit(&w, path);
        arb_alloc_fail_at(nth, false);
        arb_code code = ask(&w, "PATCH", path, &response);
        hit = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        arb_text_reset(&response.body);
        arb_job_close(client);
        end(&w);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_waits_and_is_cancelled),
        cmocka_unit_test(cancelling_leaves_others_alone),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test(answers_without_memory),
        cmocka_unit_test(cancelling_without_memory),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
