/* plan_query.c: a query's way: optimize → physical plan → execution. */
#include "catalog/table_sample.h"
#include "engine/session_internal.h"
#include "expr/function.h"
#include "optimizer/optimize.h"
#include "optimizer/physical_planner.h"

/* What the optimizer asks about a filtered scan. */
static double sample_scan(void *context, const arb_logical *scan, const arb_expr *condition, double *bytes_left)
{
    const arb_result *result = context;
    arb_sample_cache *cache = arb_runtime_sample_cache(result->session->runtime);
    arb_column_id ids[256];
    uint32_t columns[256];
    size_t count = scan->scan.column_count;
    if (count > ARB_COUNT_OF(ids))
        return -1;
    for (size_t i = 0; i < count; i++) {
        ids[i] = scan->scan.columns[i].id;
        columns[i] = scan->scan.columns[i].table_column;
    }
    return arb_table_sample_selectivity(cache, scan->scan.table, ids, columns, count, condition, bytes_left,
                                        result->query.stop);
}

static double sample_values(void *context, const arb_table *table, uint32_t column, double *bytes_left)
{
    const arb_result *result = context;
    return arb_table_sample_distinct(arb_runtime_sample_cache(result->session->runtime), table, column, bytes_left,
                                     result->query.stop);
}

arb_code arb_result_plan(arb_result *result, const arb_logical_plan *plan, arb_logical_plan *out_logical,
                         arb_error *error)
{
    const arb_settings *settings = &result->session->settings;
    arb_query *query = &result->query;
    arb_column_set needed = {0};
    for (size_t i = 0; i < plan->column_count; i++)
        if (!arb_column_set_add(query, &needed, plan->columns[i].expr->column))
            return arb_fail_memory(error, "a plan", sizeof needed);
    arb_optimizer_options options = {
        .disabled = settings->disabled_rules,
        .validate = settings->verify_plans,
        .evaluate = arb_expr_evaluate_constant,
        .sample_selectivity = sample_scan,
        .sample_distinct = sample_values,
        .sample_context = result,
    };
    arb_logical_plan optimized = *plan;
    ARB_TRY(arb_optimize_with(query, plan->root, &needed, &options, &optimized.root, error));
    if (out_logical != NULL)
        *out_logical = optimized;
    ARB_TRY(arb_physical_plan_make(query, &optimized, &result->plan, error));
    return settings->verify_plans ? arb_physical_validate(result->plan, error) : ARB_OK;
}

static arb_code execution_options(const arb_session *session, arb_execution_options *out, arb_error *error)
{
    *out = (arb_execution_options){.governor = arb_runtime_governor(session->runtime),
                                   .spill_folder = arb_runtime_spill_folder(session->runtime),
                                   .batch_rows = session->settings.batch_rows,
                                   .force_spill = session->settings.force_spill,
                                   .force_async_io = session->settings.force_async_io};
    return arb_runtime_pools(session->runtime, &out->pool, &out->io, error);
}

arb_code arb_result_request(arb_result *result, arb_run_request *out_request, arb_error *error)
{
    const arb_session *session = result->session;
    *out_request = (arb_run_request){.plan = result->plan,
                                     .text = result->text,
                                     .origin.user = session->origin.user,
                                     .distribution = session->settings.distribution};
    if (result->is_query) {
        out_request->origin.name = session->origin.name;
        out_request->names = result->columns.names;
    }
    return execution_options(session, &out_request->execution, error);
}

static void began(arb_result *result)
{
    arb_session *session = result->session;
    atomic_store(&session->running, result->run);
    if (atomic_load(&session->cancelled)) /* between the last look and the store */
        result->run->vtable->cancel(result->run);
}

arb_code arb_result_start(arb_result *result, arb_error *error)
{
    arb_session *session = result->session;
    arb_run_request request;
    assert(result->run == NULL);
    ARB_TRY(arb_result_request(result, &request, error));
    ARB_TRY(arb_check_stop(&session->cancelled, error));
    arb_runtime_query_begins(session->runtime);
    arb_code code = session->runner.start(session->runner.context, &request, &result->run, error);
    if (code != ARB_OK) {
        arb_runtime_query_ends(session->runtime);
        return code;
    }
    began(result);
    return ARB_OK;
}

arb_code arb_result_find(arb_result *result, arb_str name, arb_error *error)
{
    arb_session *session = result->session;
    arb_execution_options execution;
    arb_found_run found;
    if (session->runner.find == NULL)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no query of that name");
    ARB_TRY(execution_options(session, &execution, error));
    arb_runtime_query_begins(session->runtime);
    arb_code code = session->runner.find(session->runner.context, name, &execution, &result->arena, &found, error);
    if (code != ARB_OK) {
        arb_runtime_query_ends(session->runtime);
        return code;
    }
    result->run = found.run;
    result->columns = (arb_result_columns){true, found.column_count, found.names, found.types};
    began(result);
    return ARB_OK;
}

arb_code arb_result_query_next(arb_result *result, const arb_batch **out_batch, arb_error *error)
{
    return result->run->vtable->next(result->run, out_batch, error);
}

arb_code arb_columns_of_plan(const arb_logical_plan *plan, arb_arena *arena, arb_result_columns *out, arb_error *error)
{
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, plan->column_count + 1);
    if (types == NULL)
        return arb_fail_memory(error, "a result", plan->column_count * sizeof *types);
    for (size_t i = 0; i < plan->column_count; i++)
        types[i] = plan->columns[i].expr->type;
    *out = (arb_result_columns){true, plan->column_count, plan->names, types};
    return ARB_OK;
}

arb_code arb_result_query(arb_result *result, const arb_logical_plan *plan, arb_error *error)
{
    ARB_TRY(arb_columns_of_plan(plan, &result->arena, &result->columns, error));
    ARB_TRY(arb_result_plan(result, plan, NULL, error));
    result->is_query = true;
    return arb_result_start(result, error);
}
