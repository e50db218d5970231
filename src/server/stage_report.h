/* stage_report.h: what became of a job's stages and tasks, as EXPLAIN ANALYZE shows it. */
#ifndef ARB_SERVER_STAGE_REPORT_H
#define ARB_SERVER_STAGE_REPORT_H

#include "scheduler_process/scheduler_views.h"

/* Of each stage how much was done, how often and how long, then those of its tasks that took longest or failed. What the
 * scheduler does not know any more is left out. Waits for its thread, some milliseconds. */
void arb_stage_report(arb_scheduler_loop *loop, arb_id job, arb_text *out);

#endif
