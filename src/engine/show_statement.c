/* show_statement.c: SHOW and DESCRIBE. */
#include "engine/session_internal.h"

static arb_code show_tables(arb_result *result, arb_str schema, arb_memory_builder *builder, arb_error *error)
{
    arb_catalog_listing listing;
    ARB_TRY(arb_catalog_list(result->session->catalog, &result->arena, &listing, error));
    for (size_t i = 0; i < listing.size; i++) {
        const arb_catalog_listed *item = &listing.data[i];
        if (schema.size > 0 && !arb_str_equal_nocase(item->schema, schema))
            continue;
        const arb_str texts[] = {item->schema, item->name, arb_str_of(item->kind)};
        ARB_TRY(arb_listing_row(builder, texts, 3, error));
    }
    return ARB_OK;
}

static arb_code show_schemas(arb_result *result, arb_memory_builder *builder, arb_error *error)
{
    arb_schema_names names;
    ARB_TRY(arb_catalog_list_schemas(result->session->catalog, &result->arena, &names, error));
    for (size_t i = 0; i < names.size; i++)
        ARB_TRY(arb_listing_row(builder, &names.data[i], 1, error));
    return ARB_OK;
}

static arb_code setting_text(const arb_result *result, arb_setting setting, arb_text *out, arb_error *error)
{
    arb_text_clear(out);
    arb_settings_print(&result->session->settings, setting, out);
    return arb_text_check(out, error);
}

static arb_code show_all(arb_result *result, arb_memory_builder *builder, arb_error *error)
{
    arb_text value = {0};
    arb_code code = ARB_OK;
    for (int i = 0; i < ARB_SETTING_COUNT && code == ARB_OK; i++) {
        code = setting_text(result, (arb_setting)i, &value, error);
        const arb_str texts[] = {arb_str_of(arb_setting_name((arb_setting)i)), arb_text_view(&value),
                                 arb_str_of(arb_setting_about((arb_setting)i))};
        if (code == ARB_OK)
            code = arb_listing_row(builder, texts, 3, error);
    }
    arb_text_reset(&value);
    return code;
}

static arb_code show_setting(arb_result *result, arb_str wanted, arb_memory_builder *builder, arb_error *error)
{
    arb_setting setting;
    arb_text value = {0};
    ARB_TRY(arb_setting_find(wanted, &setting, error));
    arb_code code = setting_text(result, setting, &value, error);
    if (code == ARB_OK)
        code = arb_listing_row(builder, &(arb_str){arb_text_view(&value).data, value.size}, 1, error);
    arb_text_reset(&value);
    return code;
}

static arb_code show_rows(arb_result *result, const arb_bound_statement *statement, arb_memory_builder *builder,
                          arb_error *error)
{
    switch (statement->show.what) {
    case ARB_AST_SHOW_TABLES:
        return show_tables(result, statement->show.name, builder, error);
    case ARB_AST_SHOW_SCHEMAS:
        return show_schemas(result, builder, error);
    case ARB_AST_SHOW_SETTING:
        return show_setting(result, statement->show.name, builder, error);
    default:
        return show_all(result, builder, error);
    }
}

arb_code arb_statement_show(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    arb_memory_builder *builder;
    ARB_TRY(arb_listing_begin(statement, &builder, error));
    arb_code code = show_rows(result, statement, builder, error);
    if (code == ARB_OK)
        return arb_listing_finish(result, builder, error);
    arb_memory_builder_destroy(builder);
    return code;
}

/* The columns of a query, bound but not run. A table is described as SELECT * FROM it. */
arb_code arb_statement_describe(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    const arb_logical_plan *plan = &statement->plan;
    arb_memory_builder *builder;
    arb_text type = {0};
    ARB_TRY(arb_listing_begin(statement, &builder, error));
    arb_code code = ARB_OK;
    for (size_t i = 0; i < plan->column_count && code == ARB_OK; i++) {
        const arb_expr *column = plan->columns[i].expr;
        bool nullable = column->kind != ARB_EXPR_COLUMN || arb_query_column(&result->query, column->column)->nullable;
        arb_text_clear(&type);
        arb_type_print(&type, column->type);
        const arb_str texts[] = {plan->names[i], arb_text_view(&type), nullable ? ARB_STR("YES") : ARB_STR("NO")};
        code = arb_text_check(&type, error);
        if (code == ARB_OK)
            code = arb_listing_row(builder, texts, 3, error);
    }
    arb_text_reset(&type);
    if (code == ARB_OK)
        return arb_listing_finish(result, builder, error);
    arb_memory_builder_destroy(builder);
    return code;
}
