/* job_json.h: jobs, stages, tasks and executors in JSON. Values are new; *ok becomes false when there is no memory for all of
 * one. Times are milliseconds since 1970, 0 or null while they have not come; durations say their unit. */
#ifndef ARB_REST_JOB_JSON_H
#define ARB_REST_JOB_JSON_H

#include "rest/rest_json.h"
#include "scheduler/scheduler.h"

json_t *arb_json_job(const arb_job_view *job, bool *ok);
/* `now_us`: since 1970, for what still runs. */
json_t *arb_json_stage(const arb_job_view *of, const arb_stage_view *stage, int64_t now_us, bool *ok);
json_t *arb_json_task(const arb_job_view *of, const arb_task_view *task, bool *ok);
json_t *arb_json_executor(const arb_executor_view *executor, bool *ok);

#endif
