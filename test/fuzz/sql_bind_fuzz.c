/* SQL text to a physical plan: parsed, bound to a small catalog, optimized with every plan checked after every rule, and
 * printed.
 *
 * Input: one statement. */
#include "expr/function.h"
#include "fuzz_session.h"
#include "optimizer/optimize.h"
#include "optimizer/physical_planner.h"
#include "sql/binder.h"
#include "sql/parser.h"

static void plan(arb_query *query, const arb_logical_plan *bound)
{
    arb_error error = {0};
    arb_column_set needed = {0};
    for (size_t i = 0; i < bound->column_count; i++)
        FUZZ_REQUIRE(arb_column_set_add(query, &needed, bound->columns[i].expr->column));
    const arb_optimizer_options options = {.validate = true, .evaluate = arb_expr_evaluate_constant};
    arb_logical_plan optimized = *bound;
    arb_text text = {0};
    arb_code code = arb_optimize_with(query, bound->root, &needed, &options, &optimized.root, &error);
    if (code == ARB_INTERNAL)
        fprintf(stderr, "%s\n", error.message);
    FUZZ_REQUIRE(code != ARB_INTERNAL && code != ARB_OUT_OF_MEMORY);
    if (code == ARB_OK) {
        const arb_physical_plan *physical;
        code = arb_physical_plan_make(query, &optimized, &physical, &error);
        if (code == ARB_INTERNAL)
            fprintf(stderr, "%s\n", error.message);
        FUZZ_REQUIRE(code != ARB_INTERNAL && code != ARB_OUT_OF_MEMORY);
        if (code == ARB_OK) {
            arb_physical_print(&text, query, physical, NULL, NULL);
            FUZZ_REQUIRE(arb_text_check(&text, &error) == ARB_OK && text.size != 0);
        }
    }
    arb_text_reset(&text);
}

/* Parameters have values of several types. */
static arb_code bind(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                     arb_bound_statement *out, arb_error *error)
{
    const arb_value kinds[] = {{.type = ARB_TYPE(BIGINT), .integer = 1},
                               {.type = ARB_TYPE(VARCHAR), .text = ARB_STR("2")},
                               {.type = ARB_TYPE(DOUBLE), .real = 2.5},
                               arb_value_null(ARB_TYPE(NULL))};
    arb_value *values = ARB_ARENA_ARRAY(query->arena, arb_value, statement->parameter_count + 1);
    FUZZ_REQUIRE(values != NULL);
    for (uint32_t i = 0; i < statement->parameter_count; i++)
        values[i] = kinds[i % ARB_COUNT_OF(kinds)];
    return arb_sql_bind_values(query, catalog, statement, values, statement->parameter_count, out, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arb_session *session;
    if (session == NULL)
        session = fuzz_session_create();
    arb_arena arena = {0};
    arb_error error = {0};
    arb_query query = {.arena = &arena, .now_us = INT64_C(1710505800000000), .time_zone = ARB_STR("UTC")};
    const arb_ast_statement *statement;
    arb_bound_statement bound = {0};
    arb_code code = arb_sql_parse_one(&arena, (arb_str){(const char *)data, size}, &statement, &error);
    if (code == ARB_OK) {
        code = bind(&query, arb_session_scope(session), statement, &bound, &error);
        if (code == ARB_INTERNAL)
            fprintf(stderr, "%s\n", error.message);
        FUZZ_REQUIRE(code != ARB_INTERNAL && code != ARB_OUT_OF_MEMORY && code == error.code);
        FUZZ_REQUIRE(error.position >= 0 && (uint64_t)error.position <= size + 1);
    }
    if (code == ARB_OK && bound.kind == ARB_BOUND_EXPLAIN)
        bound = *bound.explain.statement;
    if (code == ARB_OK && bound.plan.root != NULL)
        plan(&query, &bound.plan);
    arb_arena_reset(&arena);
    return 0;
}
