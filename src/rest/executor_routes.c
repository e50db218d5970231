#include "rest/executor_routes.h"

#include "rest/rest_json.h"

static const arb_metric task_metrics[] = {
    {"arbalest_executor_slots", "Tasks that may run at once.", ARB_METRIC_GAUGE, offsetof(arb_executor_totals, slots)},
    {"arbalest_executor_tasks_waiting", "Tasks that wait for their plan or to be started.", ARB_METRIC_GAUGE,
     offsetof(arb_executor_totals, waiting)},
    {"arbalest_executor_tasks_running", "Tasks that run.", ARB_METRIC_GAUGE, offsetof(arb_executor_totals, running)},
    {"arbalest_executor_tasks_launched_total", "Tasks that the scheduler sent here.", ARB_METRIC_COUNTER,
     offsetof(arb_executor_totals, launched)},
    {"arbalest_executor_tasks_done_total", "Tasks that left their output here.", ARB_METRIC_COUNTER,
     offsetof(arb_executor_totals, done)},
    {"arbalest_executor_tasks_failed_total", "Tasks that failed.", ARB_METRIC_COUNTER,
     offsetof(arb_executor_totals, failed)},
    {"arbalest_executor_tasks_cancelled_total", "Tasks that were stopped, or not wanted any more.", ARB_METRIC_COUNTER,
     offsetof(arb_executor_totals, cancelled)},
};
static const arb_metric joined = {.name = "arbalest_executor_joined", .help = "1 while a scheduler knows it."};
static const arb_metric draining = {.name = "arbalest_executor_draining", .help = "1 once it takes no new tasks."};
static const arb_metric outputs = {.name = "arbalest_executor_outputs",
                                   .help = "Outputs of tasks that are made or kept for others."};
static const arb_metric output_bytes = {.name = "arbalest_executor_output_bytes",
                                        .help = "Bytes of these outputs, by where they are."};

static arb_code healthz(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    bool ok = true;
    json_t *body = json_object();
    (void)context, (void)request;
    arb_json_put(body, "status", json_string("ok"), &ok);
    return arb_json_reply(response, body, ok, error);
}

/* New work finds it. */
static arb_code readyz(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_rest_executor *rest = context;
    arb_executor_totals totals = arb_executor_look(rest->executor);
    if (totals.draining)
        return arb_fail(error, ARB_NOT_READY, "this executor takes no new tasks: it was told to go");
    if (!totals.joined)
        return arb_fail(error, ARB_NOT_READY, "no scheduler has welcomed this executor, or the stream to it is broken");
    return healthz(context, request, response, error);
}

static arb_code metrics(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    const arb_rest_executor *rest = context;
    arb_executor_totals totals = arb_executor_look(rest->executor);
    arb_output_store_totals held = arb_executor_outputs(rest->executor);
    arb_text *out = &response->body;
    (void)request;
    response->content_type = ARB_METRICS_TYPE;
    arb_process_metrics(out, &rest->process);
    arb_metrics_from(out, task_metrics, ARB_COUNT_OF(task_metrics), &totals);
    arb_metrics_one(out, &joined, totals.joined);
    arb_metrics_one(out, &draining, totals.draining);
    arb_metrics_one(out, &outputs, held.outputs);
    arb_metrics_begin(out, &output_bytes);
    arb_metrics_sample(out, &output_bytes, "place", ARB_STR("memory"), held.held);
    arb_metrics_sample(out, &output_bytes, "place", ARB_STR("file"), held.bytes - ARB_MIN(held.held, held.bytes));
    return arb_text_check(out, error);
}

static const arb_http_route routes[] = {
    {"GET", "/healthz", healthz},
    {"GET", "/readyz", readyz},
    {"GET", "/metrics", metrics},
};

arb_http_routes arb_rest_executor_routes(void)
{
    return (arb_http_routes){routes, ARB_COUNT_OF(routes)};
}
