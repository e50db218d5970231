/* Names of fields are Ballista's where it has the field, so that what was made for that finds them; the rest is ours. */
#include "rest/scheduler_routes.h"

#include "base/clock.h"
#include "rest/job_json.h"
#include "scheduler_process/scheduler_views.h"

enum { PAGE = 1000, PAGE_MOST = 10000 };

static arb_scheduler_loop *loop_of(const void *context)
{
    return arb_scheduler_process_loop(((const arb_rest_scheduler *)context)->scheduler);
}

/* ---- probes -------------------------------------------------------------------------------------------------------------- */

static arb_code say_status(const char *status, arb_http_response *response, arb_error *error)
{
    bool ok = true;
    json_t *body = json_object();
    arb_json_put(body, "status", json_string(status), &ok);
    return arb_json_reply(response, body, ok, error);
}

/* The thread that decides everything answers, so it does not hang. */
static arb_code healthz(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    (void)request;
    if (arb_view_counts(loop_of(context)).stopped)
        return arb_fail(error, ARB_NOT_READY, "a newer scheduler has replaced this one");
    return say_status("ok", response, error);
}

/* A query that comes now can run. (The store is open since there is a scheduler.) */
static arb_code readyz(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_executor_view *executors;
    size_t count, ready = 0;
    arb_arena arena = {0};
    arb_code code = arb_view_executors(loop_of(context), &arena, &executors, &count, error);
    (void)request;
    for (size_t i = 0; code == ARB_OK && i < count; i++)
        ready += executors[i].state == ARB_EXECUTOR_READY;
    arb_arena_reset(&arena);
    ARB_TRY(code);
    if (ready == 0)
        return arb_fail(error, ARB_NOT_READY, "no executor is ready");
    return healthz(context, request, response, error);
}

static arb_code metrics(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    (void)request;
    response->content_type = ARB_METRICS_TYPE;
    return arb_rest_scheduler_metrics(context, &response->body, error);
}

/* ---- the cluster --------------------------------------------------------------------------------------------------------- */

static arb_code state(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_rest_scheduler *rest = context;
    arb_scheduler_loop *loop = loop_of(context);
    arb_scheduler_counts counts = arb_view_counts(loop);
    bool ok = true;
    json_t *body = json_object();
    (void)request;
    arb_json_put(body, "started", json_integer(rest->process.started_us / 1000), &ok);
    arb_json_put(body, "version", json_string(rest->process.version), &ok);
    arb_json_put(body, "cluster", arb_json_uuid(arb_scheduler_loop_cluster(loop)), &ok);
    arb_json_put(body, "term", arb_json_number(arb_scheduler_loop_term(loop)), &ok);
    arb_json_put(body, "active", json_boolean(!counts.stopped), &ok);
    arb_json_put(body, "jobs", arb_json_number(counts.jobs), &ok);
    arb_json_put(body, "executors", arb_json_number(counts.executors), &ok);
    return arb_json_reply(response, body, ok, error);
}

static arb_code version(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_rest_scheduler *rest = context;
    bool ok = true;
    json_t *body = json_object();
    (void)request;
    arb_json_put(body, "version", json_string(rest->process.version), &ok);
    return arb_json_reply(response, body, ok, error);
}

static arb_code executors(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_executor_view *views;
    size_t count;
    bool ok = true;
    arb_arena arena = {0};
    (void)request;
    arb_code code = arb_view_executors(loop_of(context), &arena, &views, &count, error);
    if (code == ARB_OK) {
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
            arb_json_append(list, arb_json_executor(&views[i], &ok), &ok);
        code = arb_json_reply(response, list, ok, error);
    }
    arb_arena_reset(&arena);
    return code;
}

/* ---- jobs ---------------------------------------------------------------------------------------------------------------- */

static arb_code read_page(const arb_http_request *request, uint64_t *out_first, uint64_t *out_most, arb_error *error)
{
    ARB_TRY(arb_http_query_number(request, "offset", 0, UINT32_MAX, out_first, error));
    return arb_http_query_number(request, "limit", PAGE, PAGE_MOST, out_most, error);
}

static arb_code jobs(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_job_view *views;
    size_t count;
    uint64_t first, most;
    bool ok = true;
    arb_arena arena = {0};
    ARB_TRY(read_page(request, &first, &most, error));
    arb_code code = arb_view_jobs(loop_of(context), first, most, &arena, &views, &count, error);
    if (code == ARB_OK) {
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
            arb_json_append(list, arb_json_job(&views[i], &ok), &ok);
        code = arb_json_reply(response, list, ok, error);
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code look_at_job(void *context, const arb_http_request *request, arb_arena *arena, arb_job_view *out_job,
                            arb_error *error)
{
    arb_id id;
    ARB_TRY(arb_rest_read_job(request->parameters[0], &id, error));
    return arb_view_job(loop_of(context), id, arena, out_job, error);
}

static arb_code job(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    arb_job_view view;
    bool ok = true;
    arb_arena arena = {0};
    arb_code code = look_at_job(context, request, &arena, &view, error);
    if (code == ARB_OK) {
        json_t *body = arb_json_job(&view, &ok);
        code = arb_json_reply(response, body, ok, error);
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code stages(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    arb_job_view of;
    const arb_stage_view *views;
    size_t count;
    bool ok = true;
    arb_arena arena = {0};
    arb_code code = look_at_job(context, request, &arena, &of, error);
    if (code == ARB_OK)
        code = arb_view_stages(loop_of(context), of.job, &arena, &views, &count, error);
    if (code == ARB_OK) {
        json_t *body = json_object(), *list = json_array();
        for (size_t i = 0; i < count; i++)
            arb_json_append(list, arb_json_stage(&of, &views[i], arb_clock_wall_us(), &ok), &ok);
        arb_json_put(body, "stages", list, &ok);
        code = arb_json_reply(response, body, ok, error);
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code tasks(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    arb_job_view of;
    const arb_task_view *views;
    size_t count;
    uint64_t stage, first, most;
    bool ok = true;
    arb_arena arena = {0};
    ARB_TRY(read_page(request, &first, &most, error));
    if (!arb_http_number(request->parameters[1], &stage) || stage > UINT32_MAX)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "a job has no such stage");
    arb_code code = look_at_job(context, request, &arena, &of, error);
    if (code == ARB_OK)
        code = arb_view_tasks(loop_of(context), of.job, (uint32_t)stage, (uint32_t)first, (uint32_t)most, &arena,
                              &views, &count, error);
    if (code == ARB_OK) {
        json_t *body = json_object(), *list = json_array();
        for (size_t i = 0; i < count; i++)
            arb_json_append(list, arb_json_task(&of, &views[i], &ok), &ok);
        arb_json_put(body, "tasks", list, &ok);
        code = arb_json_reply(response, body, ok, error);
    }
    arb_arena_reset(&arena);
    return code;
}

/* What is changed by PATCH: it ends. */
static arb_code cancel_job(arb_job_clients *clients, arb_id id, bool *out_cancelled, arb_error *error)
{
    arb_job_client *handle;
    arb_job_progress progress;
    ARB_TRY(arb_job_find(clients, id, NULL, &handle, error));
    arb_job_look(handle, &progress);
    arb_code code = progress.ended ? ARB_UNDEFINED_OBJECT : arb_job_cancel(handle, error);
    arb_job_leave(handle);
    *out_cancelled = code == ARB_OK;
    return code == ARB_UNDEFINED_OBJECT ? ARB_OK : code; /* it has ended before, or just now */
}

static arb_code cancel(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_rest_scheduler *rest = context;
    arb_id id;
    bool cancelled, ok = true;
    ARB_TRY(arb_rest_read_job(request->parameters[0], &id, error));
    ARB_TRY(cancel_job(arb_scheduler_process_clients(rest->scheduler), id, &cancelled, error));
    json_t *body = json_object();
    arb_json_put(body, "cancelled", json_boolean(cancelled), &ok);
    if (!cancelled) {
        response->status = 409;
        arb_json_put(body, "reason", json_string("the job has ended already"), &ok);
    }
    return arb_json_reply(response, body, ok, error);
}

static const arb_http_route routes[] = {
    {"GET", "/healthz", healthz},
    {"GET", "/readyz", readyz},
    {"GET", "/metrics", metrics},
    {"GET", "/api/metrics", metrics},
    {"GET", "/api/state", state},
    {"GET", "/api/version", version},
    {"GET", "/api/executors", executors},
    {"GET", "/api/jobs", jobs},
    {"GET", "/api/job/{id}", job},
    {"PATCH", "/api/job/{id}", cancel},
    {"GET", "/api/job/{id}/stages", stages},
    {"GET", "/api/job/{id}/stage/{n}/tasks", tasks},
};

arb_http_routes arb_rest_scheduler_routes(void)
{
    return (arb_http_routes){routes, ARB_COUNT_OF(routes)};
}
