#include "rest/job_json.h"

#include <inttypes.h>
#include <stdio.h>

static void put_number(json_t *object, const char *name, uint64_t number, bool *ok)
{
    arb_json_put(object, name, arb_json_number(number), ok);
}

static void put_time(json_t *object, const char *name, int64_t us, bool *ok)
{
    arb_json_put(object, name, json_integer(us / 1000), ok);
}

static void put_constant(json_t *object, const char *name, const char *text, bool *ok)
{
    arb_json_put(object, name, json_string(text), ok);
}

static void put_error(json_t *object, const char *name, arb_code code, arb_str message, bool *ok)
{
    if (code == ARB_OK)
        return;
    json_t *made = json_object();
    put_constant(made, "sqlstate", arb_code_sqlstate(code), ok);
    arb_json_put(made, "message", arb_json_text(message), ok);
    arb_json_put(object, name, made, ok);
}

static bool has_ended(const arb_job_view *job)
{
    return job->state > ARB_JOB_FINISHED;
}

/* ---- jobs ---------------------------------------------------------------------------------------------------------------- */

static const char *const job_states[] = {[ARB_JOB_RUNNING] = "running",
                                         [ARB_JOB_FINISHED] = "finished",
                                         [ARB_JOB_SUCCEEDED] = "succeeded",
                                         [ARB_JOB_FAILED] = "failed",
                                         [ARB_JOB_CANCELLED] = "cancelled"};

/* In Ballista's words. */
static const char *status_of(const arb_job_view *job)
{
    switch (job->state) {
    case ARB_JOB_RUNNING:
        return job->attempts == 0 ? "Queued" : "Running";
    case ARB_JOB_FINISHED:
        return "Running"; /* until its rows are delivered */
    case ARB_JOB_SUCCEEDED:
        return "Completed";
    case ARB_JOB_FAILED:
        return "Failed";
    case ARB_JOB_CANCELLED:
        return "Cancelled";
    }
    return "";
}

static void put_sentence(json_t *object, const arb_job_view *job, bool *ok)
{
    arb_text text = {0};
    arb_text_append_str(&text, arb_str_of(status_of(job)));
    if (job->state == ARB_JOB_SUCCEEDED)
        arb_text_printf(&text, ". Produced %" PRIu64 " %s. Elapsed time: %" PRIi64 " ms.", job->result_rows,
                        job->result_rows == 1 ? "row" : "rows", (job->ended - job->submitted) / 1000);
    else if (job->code != ARB_OK)
        arb_text_printf(&text, ": %.*s", ARB_STR_ARGS(job->message));
    *ok &= !text.failed;
    arb_json_put(object, "job_status", arb_json_text(arb_text_view(&text)), ok);
    arb_text_reset(&text);
}

json_t *arb_json_job(const arb_job_view *job, bool *ok)
{
    json_t *made = json_object();
    uint64_t percent = job->state == ARB_JOB_SUCCEEDED ? 100 : job->committed * 100 / ARB_MAX(job->tasks, (uint64_t)1);
    arb_json_put(made, "job_id", arb_json_id(job->job), ok);
    arb_json_put(made, "job_name", arb_json_text(job->text), ok);
    put_sentence(made, job, ok);
    put_constant(made, "status", status_of(job), ok);
    put_number(made, "num_stages", job->stages, ok);
    put_number(made, "completed_stages", job->complete, ok);
    put_number(made, "percent_complete", percent, ok);
    put_time(made, "start_time", job->submitted, ok);
    put_time(made, "end_time", job->ended, ok);
    put_constant(made, "state", job_states[job->state], ok);
    arb_json_put(made, "user", arb_json_text(job->user), ok);
    put_number(made, "num_tasks", job->tasks, ok);
    put_number(made, "completed_tasks", job->committed, ok);
    put_number(made, "running_tasks", job->running, ok);
    put_number(made, "attempts", job->attempts, ok);
    put_number(made, "result_rows", job->result_rows, ok);
    put_number(made, "result_bytes", job->result_bytes, ok);
    put_error(made, "error", job->code, job->message, ok);
    return made;
}

/* ---- stages -------------------------------------------------------------------------------------------------------------- */

static const char *stage_status_of(const arb_job_view *of, const arb_stage_view *stage)
{
    if (stage->complete)
        return "Successful";
    if (has_ended(of))
        return of->state == ARB_JOB_FAILED ? "Failed" : "Cancelled";
    if (!stage->open)
        return "UnResolved";
    return stage->running + stage->committed > 0 ? "Running" : "Resolved";
}

/* From its first attempt to its end, or to now: as a person reads it; null before. */
static json_t *elapsed(const arb_job_view *of, const arb_stage_view *stage, int64_t now_us)
{
    char text[32];
    int64_t end = stage->ended != 0 ? stage->ended : has_ended(of) ? of->ended : now_us;
    int64_t us = ARB_MAX(end - stage->started, INT64_C(0));
    if (stage->started == 0)
        return json_null();
    snprintf(text, sizeof text, us < 1000000 ? "%" PRIi64 ".%02" PRIi64 "ms" : "%" PRIi64 ".%02" PRIi64 "s",
             us / (us < 1000000 ? 1000 : 1000000), us / (us < 1000000 ? 10 : 10000) % 100);
    return json_string(text);
}

json_t *arb_json_stage(const arb_job_view *of, const arb_stage_view *stage, int64_t now_us, bool *ok)
{
    json_t *made = json_object();
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, stage->stage);
    put_constant(made, "stage_id", number, ok);
    put_constant(made, "stage_status", stage_status_of(of, stage), ok);
    put_number(made, "input_rows", stage->input_rows, ok);
    put_number(made, "output_rows", stage->rows, ok);
    arb_json_put(made, "elapsed_compute", elapsed(of, stage, now_us), ok);
    put_number(made, "output_bytes", stage->bytes, ok);
    put_time(made, "start_time", stage->started, ok);
    put_time(made, "end_time", stage->ended, ok);
    put_number(made, "num_tasks", stage->tasks, ok);
    put_number(made, "pending_tasks", stage->pending, ok);
    put_number(made, "running_tasks", stage->running, ok);
    put_number(made, "completed_tasks", stage->committed, ok);
    put_number(made, "superfluous_tasks", stage->superfluous, ok);
    put_number(made, "attempts", stage->attempts, ok);
    put_number(made, "failures", stage->failures, ok);
    put_number(made, "peak_task_memory", stage->task_memory, ok);
    put_number(made, "median_task_us", (uint64_t)stage->median / 1000, ok);
    arb_json_put(made, "outputs_released", json_boolean(stage->released), ok);
    return made;
}

/* ---- tasks --------------------------------------------------------------------------------------------------------------- */

static const char *task_status_of(const arb_job_view *of, const arb_task_view *task)
{
    switch (task->state) {
    case ARB_TASK_COMMITTED:
        return "Successful";
    case ARB_TASK_SUPERFLUOUS:
        return "Superfluous";
    case ARB_TASK_PENDING:
    case ARB_TASK_EXPECTED:
        return !has_ended(of) ? "Pending" : task->failures > 0 ? "Failed" : "Cancelled";
    case ARB_TASK_RUNNING:
    case ARB_TASK_COMMITTING:
        return has_ended(of) ? "Cancelled" : "Running";
    }
    return "";
}

static json_t *running_attempts(const arb_task_view *task, bool *ok)
{
    json_t *list = json_array();
    for (size_t i = 0; i < task->running_count; i++) {
        const arb_attempt_view *attempt = &task->running[i];
        json_t *made = json_object();
        arb_json_put(made, "attempt_id", arb_json_id(attempt->attempt), ok);
        arb_json_put(made, "executor_id", arb_json_uuid(attempt->executor), ok);
        put_time(made, "launch_time", attempt->started, ok);
        put_number(made, "output_rows", attempt->rows, ok);
        put_number(made, "output_bytes", attempt->bytes, ok);
        arb_json_put(made, "twin", json_boolean(attempt->twin), ok);
        arb_json_put(made, "alone", json_boolean(attempt->alone), ok);
        arb_json_append(list, made, ok);
    }
    return list;
}

json_t *arb_json_task(const arb_job_view *of, const arb_task_view *task, bool *ok)
{
    json_t *made = json_object(), *partitions = json_array();
    bool done = task->state == ARB_TASK_COMMITTED || task->state == ARB_TASK_COMMITTING;
    int64_t launched = task->running_count > 0  ? task->running[task->running_count - 1].started
                       : done && task->took > 0 ? task->ended - task->took / 1000
                                                : 0;
    put_number(made, "id", task->task, ok);
    put_constant(made, "status", task_status_of(of, task), ok);
    arb_json_append(partitions, arb_json_number(task->task), ok);
    arb_json_put(made, "partition_id", partitions, ok);
    put_time(made, "launch_time", launched, ok);
    put_time(made, "finish_time", task->ended, ok);
    arb_json_put(made, "exec_duration", json_integer(task->took / 1000000), ok);
    put_number(made, "output_rows", task->rows, ok);
    put_number(made, "output_bytes", task->bytes, ok);
    put_number(made, "attempts", task->attempts, ok);
    put_number(made, "failures", task->failures, ok);
    put_number(made, "crashes", task->crashes, ok);
    put_error(made, "last_failure", task->code, task->message, ok);
    if (task->code != ARB_OK)
        arb_json_put(made, "last_failure_executor_id", arb_json_uuid(task->failed_at), ok);
    if (done) {
        arb_json_put(made, "attempt_id", arb_json_id(task->attempt), ok);
        arb_json_put(made, "executor_id", arb_json_uuid(task->executor), ok);
    }
    arb_json_put(made, "running", running_attempts(task, ok), ok);
    return made;
}

/* ---- executors ----------------------------------------------------------------------------------------------------------- */

static void put_address(json_t *object, arb_str address, bool *ok)
{
    size_t host = address.size;
    uint64_t port = 0;
    while (host > 0 && address.data[host - 1] != ':')
        host--;
    if (host == 0 || !arb_http_number((arb_str){address.data + host, address.size - host}, &port) || port > UINT16_MAX)
        port = 0;
    arb_json_put(object, "host", arb_json_text((arb_str){address.data, host > 0 ? host - 1 : address.size}), ok);
    put_number(object, "port", port, ok);
}

json_t *arb_json_executor(const arb_executor_view *executor, bool *ok)
{
    static const char *const states[] = {[ARB_EXECUTOR_READY] = "ready",
                                         [ARB_EXECUTOR_SUSPECT] = "suspect",
                                         [ARB_EXECUTOR_DRAINING] = "draining",
                                         [ARB_EXECUTOR_EXCLUDED] = "excluded"};
    json_t *made = json_object(), *specification = json_object();
    arb_json_put(made, "id", arb_json_uuid(executor->executor), ok);
    put_address(made, executor->address, ok);
    put_time(made, "last_seen", executor->heard, ok);
    put_number(specification, "task_slots", executor->slots, ok);
    arb_json_put(made, "specification", specification, ok);
    put_constant(made, "state", states[executor->state], ok);
    arb_json_put(made, "version", arb_json_text(executor->version), ok);
    put_time(made, "registered", executor->registered, ok);
    put_number(made, "running_tasks", executor->running, ok);
    put_number(made, "memory_bytes", executor->memory, ok);
    put_number(made, "memory_taken_bytes", executor->memory_taken, ok);
    put_number(made, "outputs", executor->outputs, ok);
    put_number(made, "output_bytes", executor->output_bytes, ok);
    put_number(made, "committed_tasks", executor->committed, ok);
    put_number(made, "committed_rows", executor->rows, ok);
    put_number(made, "committed_bytes", executor->bytes, ok);
    return made;
}
