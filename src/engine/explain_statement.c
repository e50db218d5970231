/* explain_statement.c: EXPLAIN [ANALYZE]: the plan as text, one line a row. */
#include "base/clock.h"
#include "engine/session_internal.h"

static arb_code append_lines(arb_memory_builder *builder, arb_str text, arb_error *error)
{
    for (size_t from = 0; from < text.size;) {
        const char *end = memchr(text.data + from, '\n', text.size - from);
        size_t size = end == NULL ? text.size - from : (size_t)(end - text.data) - from;
        ARB_TRY(arb_listing_row(builder, &(arb_str){text.data + from, size}, 1, error));
        from += size + 1;
    }
    return ARB_OK;
}

static arb_code analyze(arb_result *result, arb_text *out, arb_error *error)
{
    const arb_batch *batch;
    uint64_t rows = 0;
    int64_t start_ns = arb_clock_monotonic_ns();
    ARB_TRY(arb_result_start(result, error));
    do {
        ARB_TRY(arb_result_query_next(result, &batch, error));
        rows += batch != NULL ? batch->selected : 0;
    } while (batch != NULL);
    int64_t took_ns = arb_clock_monotonic_ns() - start_ns;
    result->run->vtable->explain(result->run, &result->query, out);
    arb_text_printf(out, "Rows: %llu\nTime: %.6f s\n", (unsigned long long)rows, (double)took_ns / 1e9);
    uint64_t held = result->run->vtable->peak_memory(result->run); /* here; what runs elsewhere says it by itself */
    if (held > 0)
        arb_text_printf(out, "Peak memory: %llu bytes\n", (unsigned long long)held);
    return ARB_OK;
}

static arb_code describe_run(arb_result *result, arb_text *out, arb_error *error)
{
    const arb_query_runner *runner = &result->session->runner;
    arb_run_request request;
    if (runner->describe == NULL)
        return ARB_OK;
    ARB_TRY(arb_result_request(result, &request, error));
    return runner->describe(runner->context, &request, &result->query, out, error);
}

static arb_code explain(arb_result *result, const arb_bound_statement *statement, arb_text *out, arb_error *error)
{
    const arb_logical_plan *plan = &statement->explain.statement->plan;
    arb_logical_plan optimized;
    if (statement->explain.verbose) {
        arb_text_append_str(out, ARB_STR("Bound plan\n"));
        arb_logical_print(out, &result->query, plan->root);
    }
    ARB_TRY(arb_result_plan(result, plan, &optimized, error));
    if (statement->explain.analyze)
        return analyze(result, out, error);
    arb_text_append_str(out, ARB_STR("Logical plan\n"));
    arb_logical_print(out, &result->query, optimized.root);
    arb_text_append_str(out, ARB_STR("Physical plan\n"));
    arb_physical_print(out, &result->query, result->plan, NULL, NULL);
    return describe_run(result, out, error);
}

arb_code arb_statement_explain(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    if (statement->explain.statement->kind != ARB_BOUND_QUERY)
        return arb_fail(error, ARB_NOT_SUPPORTED, "EXPLAIN takes a query");
    arb_text text = {0};
    arb_memory_builder *builder = NULL;
    arb_code code = explain(result, statement, &text, error);
    arb_result_stop(result);
    if (code == ARB_OK)
        code = arb_text_check(&text, error);
    if (code == ARB_OK)
        code = arb_listing_begin(statement, &builder, error);
    if (code == ARB_OK)
        code = append_lines(builder, arb_text_view(&text), error);
    arb_text_reset(&text);
    if (code == ARB_OK)
        return arb_listing_finish(result, builder, error);
    arb_memory_builder_destroy(builder);
    return code;
}
