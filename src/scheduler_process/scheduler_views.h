/* scheduler_views.h: looking into a scheduler that runs, for REST and metrics: the views of scheduler/scheduler.h, copied
 * into the caller's arena on the loop's thread. From any thread; waits for its turn, some milliseconds. Fails as those do. */
#ifndef ARB_SCHEDULER_PROCESS_SCHEDULER_VIEWS_H
#define ARB_SCHEDULER_PROCESS_SCHEDULER_VIEWS_H

#include "scheduler_process/scheduler_loop.h"

ARB_NODISCARD arb_code arb_view_jobs(arb_scheduler_loop *loop, size_t first, size_t most, arb_arena *arena,
                                     const arb_job_view **out_jobs, size_t *out_count, arb_error *error);
ARB_NODISCARD arb_code arb_view_job(arb_scheduler_loop *loop, arb_id job, arb_arena *arena, arb_job_view *out_job,
                                    arb_error *error);
ARB_NODISCARD arb_code arb_view_named(arb_scheduler_loop *loop, arb_str name, arb_arena *arena, arb_named_job *out_job,
                                      arb_error *error);
ARB_NODISCARD arb_code arb_view_stages(arb_scheduler_loop *loop, arb_id job, arb_arena *arena,
                                       const arb_stage_view **out_stages, size_t *out_count, arb_error *error);
ARB_NODISCARD arb_code arb_view_tasks(arb_scheduler_loop *loop, arb_id job, uint32_t stage, uint32_t first,
                                      uint32_t most, arb_arena *arena, const arb_task_view **out_tasks,
                                      size_t *out_count, arb_error *error);
ARB_NODISCARD arb_code arb_view_executors(arb_scheduler_loop *loop, arb_arena *arena,
                                          const arb_executor_view **out_executors, size_t *out_count, arb_error *error);
arb_scheduler_counts arb_view_counts(arb_scheduler_loop *loop);

#endif
