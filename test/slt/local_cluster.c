#include "local_cluster.h"

#include "base/alloc.h"
#include "optimizer/distribute.h"
#include "optimizer/result_plan.h"
#include "plan/plan_wire.h"

typedef struct result_work {
    arb_task_work base;
    slt_task_host *host;
} result_work;

typedef struct cluster_run {
    arb_query_run base;
    arb_arena arena;
    const arb_execution_options *options;
    arb_plan_tables tables;
    const arb_stage_graph *graph;
    slt_task_host *host;
    const arb_stage *last; /* decoded */
    result_work result_work;
    const arb_physical_plan *result_plan;
    arb_execution *result;
} cluster_run;

/* The tasks' rows come one after the other. */
static arb_code source_create(const arb_task_work *base, const arb_physical_node *node, bool later,
                              arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    (void)later;
    slt_task_host *host = ((const result_work *)base)->host;
    return host->vtable->result_source(host, node, context, out_op, error);
}

static arb_code run_stage(cluster_run *run, const arb_stage *planned, arb_error *error)
{
    arb_text bytes = {0};
    arb_code code = arb_stage_encode(planned, &run->tables, &bytes, error);
    if (code == ARB_OK)
        code = arb_stage_decode(&run->arena, arb_text_view(&bytes), &run->tables, &run->last, error);
    arb_text_reset(&bytes);
    for (uint32_t t = 0; code == ARB_OK && t < planned->tasks; t++)
        code = run->host->vtable->run_task(run->host, run->last, t, planned->tasks, run->options, error);
    return code;
}

/* What is left of the plan: the last stage's rows, in the form that results have. */
static arb_code start_result(cluster_run *run, const arb_physical_plan *plan, arb_error *error)
{
    ARB_TRY(arb_result_plan_create(&run->arena, plan, run->graph, &run->result_plan, error));
    run->result_work = (result_work){.base = {.source_create = source_create}, .host = run->host};
    arb_execution_options options = *run->options;
    options.work = &run->result_work.base;
    return arb_execution_start(run->result_plan, &options, &run->result, error);
}

static arb_code run_all(cluster_run *run, const slt_cluster *cluster, const arb_physical_plan *plan, arb_error *error)
{
    arb_distribute_options options = {
        .slots = cluster->slots, .broadcast_bytes = cluster->broadcast_bytes, .always = true};
    ARB_TRY(arb_distribute(&run->arena, plan, &options, &run->graph, error));
    ARB_TRY(arb_stage_graph_validate(run->graph, error));
    ARB_TRY(cluster->hosts.create(cluster->hosts.context, run->graph->stage_count, &run->host, error));
    for (size_t i = 0; i < run->graph->stage_count; i++)
        ARB_TRY(run_stage(run, &run->graph->stages[i], error));
    return start_result(run, plan, error);
}

/* ---- the runner ------------------------------------------------------------------------------------------------------------ */

static arb_code next(arb_query_run *base, const arb_batch **out_batch, arb_error *error)
{
    return arb_execution_next(((cluster_run *)base)->result, out_batch, error);
}

static void cancel(arb_query_run *base)
{
    arb_execution_cancel(((cluster_run *)base)->result);
}

static double progress(const arb_query_run *base)
{
    return arb_execution_progress(((const cluster_run *)base)->result);
}

static uint64_t peak_memory(const arb_query_run *base)
{
    return arb_execution_peak_memory(((const cluster_run *)base)->result);
}

static void explain(const arb_query_run *base, const arb_query *query, arb_text *out)
{
    arb_stage_graph_print(out, query, ((const cluster_run *)base)->graph, NULL, NULL);
}

static void destroy(arb_query_run *base)
{
    cluster_run *run = (cluster_run *)base;
    arb_execution_destroy(run->result);
    if (run->host != NULL)
        run->host->vtable->destroy(run->host);
    arb_arena_reset(&run->arena);
    arb_free(run);
}

static arb_code start(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *error)
{
    static const arb_query_run_vtable vtable = {next, cancel, progress, peak_memory, explain, destroy, NULL, NULL};
    const slt_cluster *cluster = context;
    *out_run = NULL;
    cluster_run *run = arb_alloc_zeroed(sizeof *run);
    if (run == NULL)
        return arb_fail_memory(error, "a query", sizeof *run);
    run->base.vtable = &vtable;
    run->options = &request->execution;
    run->tables = slt_wire_tables_names(cluster->tables);
    arb_code code = run_all(run, cluster, request->plan, error);
    if (code != ARB_OK) {
        destroy(&run->base);
        return code;
    }
    *out_run = &run->base;
    return ARB_OK;
}

arb_query_runner slt_cluster_runner(slt_cluster *cluster)
{
    return (arb_query_runner){.context = cluster, .start = start};
}
