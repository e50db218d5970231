#include "scheduler_process/scheduler_process.h"

struct arb_scheduler_process {
    arb_scheduler_loop *loop;
    arb_control_service *control;
    arb_plan_store *plans;
    arb_job_clients *clients;
    void (*replaced)(void *context);
    void *context;
    bool stopped, was_replaced;
    ARB_VEC(arb_id) lost; /* recovered jobs whose plans are not there */
    arb_error lost_error; /* of the last one */
};

/* ---- the machine's actions ----------------------------------------------------------------------------------------------- */

static void to_executor(void *context, const arb_to_executor *message)
{
    arb_control_service_send(((arb_scheduler_process *)context)->control, message);
}

static void close_stream(void *context, arb_uuid executor, uint64_t session)
{
    arb_control_service_close_stream(((arb_scheduler_process *)context)->control, executor, session);
}

static void to_client(void *context, const arb_answer *answer)
{
    arb_job_clients_answer(((arb_scheduler_process *)context)->clients, answer);
}

/* What is in the store and the folder is the other's now. */
static void be_replaced(void *context)
{
    arb_scheduler_process *process = context;
    process->was_replaced = true;
    arb_plan_store_retire(process->plans);
    arb_control_service_replaced(process->control);
    arb_job_clients_stop(process->clients, "this scheduler was replaced by a newer one: connect again");
}

static void settle(void *context)
{
    arb_scheduler_process *process = context;
    arb_control_service_settle(process->control);
    arb_job_clients_settle(process->clients);
    if (!process->was_replaced)
        return;
    process->was_replaced = false;
    if (process->replaced != NULL)
        process->replaced(process->context);
}

static const arb_scheduler_outlet outlet = {to_executor, close_stream, to_client, be_replaced, settle};

/* ---- recovery ------------------------------------------------------------------------------------------------------------ */

/* The plans of one job; what is wrong with them alone is the job's failure. */
static arb_code recover_plans(arb_scheduler_process *process, arb_id job, arb_error *error)
{
    const arb_str *hashes;
    size_t count;
    arb_plan_set *set = NULL;
    arb_arena arena = {0};
    arb_code code = arb_scheduler_plans(arb_scheduler_loop_machine(process->loop), job, &arena, &hashes, &count, error);
    if (code == ARB_OK)
        code = arb_plan_store_load(process->plans, hashes, count, &set, error);
    if (code == ARB_OK) {
        arb_plan_store_bind(process->plans, set, job);
    } else if (code == ARB_FILE_NOT_FOUND || code == ARB_CORRUPT_DATA) {
        process->lost_error = *error;
        code = ARB_VEC_PUSH(&process->lost, job) ? ARB_OK : arb_fail_memory(error, "jobs", sizeof job);
    }
    arb_arena_reset(&arena);
    return code;
}

static arb_code recover(arb_scheduler_process *process, arb_error *error)
{
    const arb_job_view *jobs;
    size_t count;
    arb_arena arena = {0};
    arb_code code =
        arb_scheduler_jobs(arb_scheduler_loop_machine(process->loop), 0, SIZE_MAX, &arena, &jobs, &count, error);
    for (size_t i = 0; code == ARB_OK && i < count; i++)
        if (jobs[i].state <= ARB_JOB_FINISHED)
            code = recover_plans(process, jobs[i].job, error);
    arb_arena_reset(&arena);
    return code == ARB_OK ? arb_plan_store_sweep(process->plans, error) : code;
}

typedef struct failing {
    arb_scheduler_process *process;
    arb_error *error;
    arb_code code;
} failing;

static void fail_lost(void *context)
{
    failing *f = context;
    arb_scheduler_process *process = f->process;
    arb_error why = {0};
    arb_fail(&why, ARB_CORRUPT_DATA, "the plan of this query is lost: %s", process->lost_error.message);
    for (size_t i = 0; f->code == ARB_OK && i < process->lost.size; i++) {
        arb_event event = {.kind = ARB_EVENT_JOB_CANCEL, .job = process->lost.data[i], .error = &why};
        f->code = arb_scheduler_loop_apply(process->loop, &event, f->error);
        if (f->code == ARB_UNDEFINED_OBJECT)
            f->code = ARB_OK; /* it has ended otherwise */
    }
}

/* ---- beginning and end --------------------------------------------------------------------------------------------------- */

static arb_code prepare(arb_scheduler_process *process, const arb_scheduler_process_options *options, arb_error *error)
{
    arb_scheduler_loop_options loop = {.store = options->store,
                                       .times = options->times,
                                       .history_most = options->history_most,
                                       .outlet = &outlet,
                                       .context = process};
    ARB_TRY(arb_plan_store_create(options->plans, &process->plans, error));
    ARB_TRY(arb_scheduler_loop_create(&loop, &process->loop, error));
    arb_control_service_options control = {.loop = process->loop,
                                           .plans = process->plans,
                                           .join_token = options->join_token,
                                           .waiting_most = options->waiting_most,
                                           .register_ns = options->register_ns};
    ARB_TRY(arb_control_service_create(&control, &process->control, error));
    ARB_TRY(arb_job_clients_create(process->loop, process->plans, &process->clients, error));
    ARB_TRY(recover(process, error));
    ARB_TRY(arb_scheduler_loop_start(process->loop, error));
    failing f = {process, error, ARB_OK};
    arb_scheduler_loop_call(process->loop, fail_lost, &f);
    return f.code;
}

arb_code arb_scheduler_process_create(const arb_scheduler_process_options *options, arb_scheduler_process **out_process,
                                      arb_error *error)
{
    *out_process = NULL;
    arb_scheduler_process *process = arb_alloc_zeroed(sizeof *process);
    if (process == NULL)
        return arb_fail_memory(error, "the scheduler", sizeof *process);
    process->replaced = options->replaced;
    process->context = options->context;
    arb_code code = prepare(process, options, error);
    if (code == ARB_OK)
        *out_process = process;
    else
        arb_scheduler_process_destroy(process);
    return code;
}

arb_rpc_service arb_scheduler_process_service(arb_scheduler_process *process)
{
    return arb_control_service_entry(process->control);
}

static void run_stop(void *context)
{
    arb_scheduler_process *process = context;
    if (process->stopped)
        return;
    process->stopped = true;
    arb_job_clients_stop(process->clients, "the scheduler is about to end: connect again");
    arb_control_service_stop(process->control);
    settle(process);
}

void arb_scheduler_process_stop(arb_scheduler_process *process)
{
    arb_scheduler_loop_call(process->loop, run_stop, process);
}

void arb_scheduler_process_destroy(arb_scheduler_process *process)
{
    if (process == NULL)
        return;
    if (process->clients != NULL)
        arb_scheduler_process_stop(process);
    arb_scheduler_loop_destroy(process->loop);
    arb_control_service_destroy(process->control);
    arb_job_clients_destroy(process->clients);
    arb_plan_store_destroy(process->plans);
    ARB_VEC_RESET(&process->lost);
    arb_free(process);
}

arb_scheduler_loop *arb_scheduler_process_loop(arb_scheduler_process *process)
{
    return process->loop;
}

arb_job_clients *arb_scheduler_process_clients(arb_scheduler_process *process)
{
    return process->clients;
}

arb_plan_store *arb_scheduler_process_plans(arb_scheduler_process *process)
{
    return process->plans;
}
