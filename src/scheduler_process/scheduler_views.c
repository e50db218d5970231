#include "scheduler_process/scheduler_views.h"

typedef struct look look;
struct look {
    arb_code (*at)(const arb_scheduler *machine, look *by);
    arb_scheduler_loop *loop;
    arb_id job;
    arb_str name;
    uint32_t stage;
    size_t first, most;
    arb_arena *arena;
    void *out;
    size_t *out_count;
    arb_error *error;
    arb_code code;
};

static void run_look(void *context)
{
    look *by = context;
    by->code = by->at(arb_scheduler_loop_machine(by->loop), by);
}

static arb_code look_by(look by)
{
    arb_scheduler_loop_call(by.loop, run_look, &by);
    return by.code;
}

static arb_code at_jobs(const arb_scheduler *machine, look *by)
{
    return arb_scheduler_jobs(machine, by->first, by->most, by->arena, by->out, by->out_count, by->error);
}

arb_code arb_view_jobs(arb_scheduler_loop *loop, size_t first, size_t most, arb_arena *arena,
                       const arb_job_view **out_jobs, size_t *out_count, arb_error *error)
{
    return look_by((look){.at = at_jobs,
                          .loop = loop,
                          .first = first,
                          .most = most,
                          .arena = arena,
                          .out = out_jobs,
                          .out_count = out_count,
                          .error = error});
}

static arb_code at_job(const arb_scheduler *machine, look *by)
{
    return arb_scheduler_job(machine, by->job, by->arena, by->out, by->error);
}

arb_code arb_view_job(arb_scheduler_loop *loop, arb_id job, arb_arena *arena, arb_job_view *out_job, arb_error *error)
{
    return look_by((look){.at = at_job, .loop = loop, .job = job, .arena = arena, .out = out_job, .error = error});
}

static arb_code at_named(const arb_scheduler *machine, look *by)
{
    return arb_scheduler_job_named(machine, by->name, by->arena, by->out, by->error);
}

arb_code arb_view_named(arb_scheduler_loop *loop, arb_str name, arb_arena *arena, arb_named_job *out_job,
                        arb_error *error)
{
    return look_by((look){.at = at_named, .loop = loop, .name = name, .arena = arena, .out = out_job, .error = error});
}

static arb_code at_stages(const arb_scheduler *machine, look *by)
{
    return arb_scheduler_stages(machine, by->job, by->arena, by->out, by->out_count, by->error);
}

arb_code arb_view_stages(arb_scheduler_loop *loop, arb_id job, arb_arena *arena, const arb_stage_view **out_stages,
                         size_t *out_count, arb_error *error)
{
    return look_by((look){.at = at_stages,
                          .loop = loop,
                          .job = job,
                          .arena = arena,
                          .out = out_stages,
                          .out_count = out_count,
                          .error = error});
}

static arb_code at_tasks(const arb_scheduler *machine, look *by)
{
    return arb_scheduler_tasks(machine, by->job, by->stage, (uint32_t)by->first, (uint32_t)by->most, by->arena, by->out,
                               by->out_count, by->error);
}

arb_code arb_view_tasks(arb_scheduler_loop *loop, arb_id job, uint32_t stage, uint32_t first, uint32_t most,
                        arb_arena *arena, const arb_task_view **out_tasks, size_t *out_count, arb_error *error)
{
    return look_by((look){.at = at_tasks,
                          .loop = loop,
                          .job = job,
                          .stage = stage,
                          .first = first,
                          .most = most,
                          .arena = arena,
                          .out = out_tasks,
                          .out_count = out_count,
                          .error = error});
}

static arb_code at_executors(const arb_scheduler *machine, look *by)
{
    return arb_scheduler_executors(machine, by->arena, by->out, by->out_count, by->error);
}

arb_code arb_view_executors(arb_scheduler_loop *loop, arb_arena *arena, const arb_executor_view **out_executors,
                            size_t *out_count, arb_error *error)
{
    return look_by((look){.at = at_executors,
                          .loop = loop,
                          .arena = arena,
                          .out = out_executors,
                          .out_count = out_count,
                          .error = error});
}

static arb_code at_counts(const arb_scheduler *machine, look *by)
{
    *(arb_scheduler_counts *)by->out = arb_scheduler_count(machine);
    return ARB_OK;
}

arb_scheduler_counts arb_view_counts(arb_scheduler_loop *loop)
{
    arb_scheduler_counts counts;
    (void)look_by((look){.at = at_counts, .loop = loop, .out = &counts});
    return counts;
}
