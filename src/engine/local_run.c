/* local_run.c: a query that this process executes. */
#include "base/alloc.h"
#include "engine/query_run.h"

typedef struct local_run {
    arb_query_run base;
    arb_execution *execution;
} local_run;

static arb_code next(arb_query_run *run, const arb_batch **out_batch, arb_error *error)
{
    return arb_execution_next(((local_run *)run)->execution, out_batch, error);
}

static void cancel(arb_query_run *run)
{
    arb_execution_cancel(((local_run *)run)->execution);
}

static double progress(const arb_query_run *run)
{
    return arb_execution_progress(((const local_run *)run)->execution);
}

static uint64_t peak_memory(const arb_query_run *run)
{
    return arb_execution_peak_memory(((const local_run *)run)->execution);
}

static void explain(const arb_query_run *run, const arb_query *query, arb_text *out)
{
    arb_execution_explain(((const local_run *)run)->execution, query, out);
}

static void destroy(arb_query_run *run)
{
    arb_execution_destroy(((local_run *)run)->execution);
    arb_free(run);
}

static arb_code start(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *error)
{
    static const arb_query_run_vtable vtable = {next, cancel, progress, peak_memory, explain, destroy, NULL, NULL};
    (void)context;
    *out_run = NULL;
    local_run *run = arb_alloc_zeroed(sizeof *run);
    if (run == NULL)
        return arb_fail_memory(error, "a query", sizeof *run);
    run->base.vtable = &vtable;
    arb_code code = arb_execution_start(request->plan, &request->execution, &run->execution, error);
    if (code != ARB_OK) {
        arb_free(run);
        return code;
    }
    *out_run = &run->base;
    return ARB_OK;
}

const arb_query_runner arb_local_runner = {NULL, start, NULL, NULL};
