/* table_statement.c: CREATE TABLE [AS] and INSERT: rows of a query become a table in memory. INSERT's are then added to the
 * table that they are for, as one step and behind what others added meanwhile. A statement that fails changes nothing. */
#include "engine/session_internal.h"

static arb_code fill(arb_result *result, const arb_logical_plan *plan, arb_memory_builder *builder, arb_error *error)
{
    const arb_batch *batch;
    int64_t rows = 0;
    ARB_TRY(arb_result_plan(result, plan, NULL, error));
    ARB_TRY(arb_result_start(result, error));
    for (;;) {
        ARB_TRY(arb_result_query_next(result, &batch, error));
        if (batch == NULL)
            break;
        rows += batch->selected;
        ARB_TRY(arb_memory_builder_append(builder, batch, error));
    }
    result->affected = rows;
    return ARB_OK;
}

/* Run the plan, unless it is NULL, add its rows to the builder and finish it. The builder is gone afterwards. */
static arb_code finish_table(arb_result *result, const arb_logical_plan *plan, arb_memory_builder *builder,
                             arb_table **out_table, arb_error *error)
{
    *out_table = NULL;
    arb_code code = plan != NULL ? fill(result, plan, builder, error) : ARB_OK;
    arb_result_stop(result);
    if (code == ARB_OK)
        code = arb_memory_builder_finish(builder, out_table, error);
    arb_memory_builder_destroy(builder);
    return code;
}

arb_code arb_statement_create_table(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    arb_catalog_scope *catalog = result->session->catalog;
    const arb_catalog_target *target = &statement->create_table.target;
    arb_str last = target->name.parts[target->name.count - 1].text;
    arb_memory_builder *builder;
    arb_table *table;
    if (target->existing != ARB_EXISTING_REPLACE &&
        arb_catalog_has(catalog, target)) /* before a query runs for nothing */
        return target->existing == ARB_EXISTING_KEEP
                   ? ARB_OK
                   : arb_fail(error, ARB_DUPLICATE_TABLE, "table \"%.*s\" exists already", ARB_STR_ARGS(last));
    ARB_TRY(arb_memory_builder_create(last, statement->create_table.columns, statement->create_table.column_count,
                                      arb_runtime_table_memory(result->session->runtime), &builder, error));
    if (statement->create_table.key_count > 0) {
        arb_code failed = arb_memory_builder_set_keys(builder, statement->create_table.keys,
                                                      statement->create_table.key_count, error);
        if (failed != ARB_OK) {
            arb_memory_builder_destroy(builder);
            return failed;
        }
    }
    bool run = statement->plan.root != NULL && !statement->create_table.with_no_data;
    ARB_TRY(finish_table(result, run ? &statement->plan : NULL, builder, &table, error));
    arb_code code = arb_catalog_add_table(catalog, target, table, NULL, error);
    arb_table_unref(table);
    return code;
}

arb_code arb_statement_insert(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    const arb_table *bound = statement->insert.table;
    arb_memory *account = arb_runtime_table_memory(result->session->runtime);
    arb_memory_builder *builder;
    arb_table *rows;
    ARB_TRY(arb_memory_table_check(bound, error));
    ARB_TRY(arb_memory_builder_create(bound->name, bound->columns, bound->column_count, account, &builder, error));
    ARB_TRY(finish_table(result, &statement->plan, builder, &rows, error));
    arb_code code = arb_catalog_append(result->session->catalog, statement->insert.name, bound, rows, account, error);
    arb_table_unref(rows);
    return code;
}
