/* binder_create.c: CREATE TABLE, CREATE EXTERNAL TABLE, CREATE VIEW. */
#include "sql/binder_statement.h"

static arb_catalog_existing existing(bool or_replace, bool if_not_exists)
{
    return or_replace ? ARB_EXISTING_REPLACE : if_not_exists ? ARB_EXISTING_KEEP : ARB_EXISTING_FAIL;
}

static arb_code fail_twice(arb_binder *b, arb_str name, arb_ast_span span)
{
    return arb_bind_fail(b, span, ARB_DUPLICATE_COLUMN, "column \"%.*s\" is given more than once", ARB_STR_ARGS(name));
}

static arb_code refuse_constraint(arb_binder *b, const char *what, arb_ast_span span)
{
    (void)arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "%s is not supported", what);
    arb_error_hint(b->error, "of a table's constraints only NOT NULL is kept");
    return ARB_NOT_SUPPORTED;
}

static arb_code check_definition(arb_binder *b, const arb_ast_column_definition *column)
{
    if (column->primary_key || column->unique)
        return refuse_constraint(b, column->primary_key ? "PRIMARY KEY" : "UNIQUE", column->name.span);
    if (column->default_value != NULL)
        return refuse_constraint(b, "DEFAULT", column->default_value->span);
    return column->check != NULL ? refuse_constraint(b, "CHECK", column->check->span) : ARB_OK;
}

static arb_code bind_columns(arb_binder *b, const arb_ast_column_definitions *definitions, const arb_table_column **out)
{
    arb_table_column *columns = ARB_ARENA_ARRAY(b->arena, arb_table_column, definitions->size);
    ARB_MADE(b, columns);
    for (size_t i = 0; i < definitions->size; i++) {
        const arb_ast_column_definition *definition = &definitions->data[i];
        ARB_TRY(check_definition(b, definition));
        for (size_t k = 0; k < i; k++) {
            if (arb_str_equal_nocase(columns[k].name, definition->name.text))
                return fail_twice(b, definition->name.text, definition->name.span);
        }
        columns[i].name = definition->name.text;
        columns[i].nullable = !definition->not_null;
        if (definition->type == NULL)
            return arb_bind_fail(b, definition->name.span, ARB_SYNTAX, "column \"%.*s\" needs a type",
                                 ARB_STR_ARGS(definition->name.text));
        ARB_TRY(arb_bind_type(b, definition->type, &columns[i].type, NULL));
    }
    *out = columns;
    return ARB_OK;
}

/* CREATE TABLE t(a, b) AS: names alone. */
static arb_code rename_columns(arb_binder *b, const arb_ast_create_table *create, arb_bound_query *query)
{
    arb_ast_names names = {0};
    for (size_t i = 0; i < create->columns.size; i++) {
        const arb_ast_column_definition *column = &create->columns.data[i];
        if (column->type != NULL)
            return arb_bind_fail(b, column->type->span, ARB_SYNTAX, "CREATE TABLE … AS takes its types from the query");
        ARB_PUSH(b, &names, column->name);
    }
    return arb_bind_rename(b, query, &names, create->name.data[create->name.size - 1].text, create->base.span);
}

static arb_code bind_table_as(arb_binder *b, const arb_ast_create_table *create, arb_bound_statement *out)
{
    arb_bound_query query;
    ARB_TRY(arb_bind_query(b, create->query, NULL, NULL, &(arb_query_request){0}, &query));
    ARB_TRY(rename_columns(b, create, &query));
    arb_table_column *columns = ARB_ARENA_ARRAY(b->arena, arb_table_column, query.count);
    ARB_MADE(b, columns);
    for (size_t i = 0; i < query.count; i++) {
        columns[i] =
            (arb_table_column){.name = query.columns[i].name, .type = query.columns[i].expr->type, .nullable = true};
        for (size_t k = 0; k < i; k++) {
            if (arb_str_equal_nocase(columns[k].name, columns[i].name))
                return fail_twice(b, columns[i].name, create->base.span);
        }
    }
    out->create_table.column_count = query.count;
    out->create_table.columns = columns;
    return arb_bind_finish_plan(b, &query, &out->plan);
}

arb_code arb_bind_create_table(arb_binder *b, const arb_ast_create_table *create, arb_bound_statement *out)
{
    out->kind = ARB_BOUND_CREATE_TABLE;
    out->create_table.existing = existing(create->or_replace, create->if_not_exists);
    out->create_table.temporary = create->temporary;
    out->create_table.with_no_data = create->with_no_data;
    ARB_TRY(arb_bind_catalog_name(b, &create->name, &out->create_table.name));
    if (create->primary_key.size != 0)
        return refuse_constraint(b, "PRIMARY KEY", create->primary_key.data[0].span);
    if (create->checks.size != 0)
        return refuse_constraint(b, "CHECK", create->checks.data[0]->span);
    if (create->options.size != 0)
        return arb_bind_fail(b, create->options.data[0].name.span, ARB_NOT_SUPPORTED,
                             "option \"%.*s\" of CREATE TABLE is not supported",
                             ARB_STR_ARGS(create->options.data[0].name.text));
    if (create->query != NULL)
        return bind_table_as(b, create, out);
    out->create_table.column_count = create->columns.size;
    return bind_columns(b, &create->columns, &out->create_table.columns);
}

arb_code arb_bind_create_external(arb_binder *b, const arb_ast_create_external *create, arb_bound_statement *out)
{
    out->kind = ARB_BOUND_CREATE_EXTERNAL;
    out->create_external.existing = existing(create->or_replace, create->if_not_exists);
    out->create_external.temporary = create->temporary;
    out->create_external.format = create->format.text;
    out->create_external.location = create->location.text;
    ARB_TRY(arb_bind_catalog_name(b, &create->name, &out->create_external.name));
    if (create->partitioned_by.size != 0)
        return arb_bind_fail(b, create->partitioned_by.data[0].name.span, ARB_NOT_SUPPORTED,
                             "PARTITIONED BY is not supported");
    ARB_TRY(arb_bind_options(b, &create->options, &out->create_external.options));
    out->create_external.column_count = create->columns.size;
    return bind_columns(b, &create->columns, &out->create_external.columns);
}

/* The query is bound to see that it can be; what is kept is its text. */
arb_code arb_bind_create_view(arb_binder *b, const arb_ast_create_view *create, arb_bound_statement *out)
{
    arb_bound_query query;
    arb_str *columns = ARB_ARENA_ARRAY(b->arena, arb_str, create->columns.size);
    ARB_MADE(b, columns);
    out->kind = ARB_BOUND_CREATE_VIEW;
    out->create_view.existing = existing(create->or_replace, create->if_not_exists);
    out->create_view.temporary = create->temporary;
    ARB_TRY(arb_bind_catalog_name(b, &create->name, &out->create_view.name));
    ARB_TRY(arb_bind_query(b, create->query, NULL, NULL, &(arb_query_request){0}, &query));
    ARB_TRY(
        arb_bind_rename(b, &query, &create->columns, create->name.data[create->name.size - 1].text, create->base.span));
    for (size_t i = 0; i < create->columns.size; i++)
        columns[i] = create->columns.data[i].text;
    out->create_view.view = (arb_view){
        .sql = arb_bind_text(b, create->query->span), .column_count = create->columns.size, .columns = columns};
    return ARB_OK;
}
