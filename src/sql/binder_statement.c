/* binder_statement.c: what a statement asks for. */
#include "sql/binder_statement.h"

arb_code arb_bind_finish_plan(arb_binder *b, arb_bound_query *query, arb_logical_plan *out)
{
    arb_named_expr *columns = ARB_ARENA_ARRAY(b->arena, arb_named_expr, query->count);
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, query->count);
    ARB_MADE_IF(b, columns != NULL && names != NULL);
    for (size_t i = 0; i < query->count; i++) {
        names[i] = query->columns[i].name;
        columns[i] = (arb_named_expr){.id = query->columns[i].expr->column, .expr = query->columns[i].expr};
    }
    ARB_TRY(arb_bind_inline_shared(b, query->plan));
    *out = (arb_logical_plan){.root = query->plan, .column_count = query->count, .columns = columns, .names = names};
    return ARB_OK;
}

arb_code arb_bind_plan(arb_binder *b, const arb_ast_query *query, arb_logical_plan *out)
{
    arb_bound_query bound;
    ARB_TRY(arb_bind_query(b, query, NULL, NULL, &(arb_query_request){0}, &bound));
    return arb_bind_finish_plan(b, &bound, out);
}

/* ---- options ------------------------------------------------------------------------------------------------------ */
static arb_code list_text(arb_binder *b, const arb_ast_exprs *elements, arb_value *out)
{
    arb_text text = {0};
    arb_code code = ARB_OK;
    for (size_t i = 0; i < elements->size && code == ARB_OK; i++) {
        arb_value value;
        code = arb_bind_option_value(b, elements->data[i], &value);
        if (i != 0)
            arb_text_append_str(&text, ARB_STR(", "));
        if (code == ARB_OK)
            arb_value_print(&text, &value);
    }
    if (code != ARB_OK) {
        arb_text_reset(&text);
        return code;
    }
    arb_str copy;
    ARB_TRY(arb_bind_keep_text(b, &text, &copy));
    *out = (arb_value){.type = ARB_TYPE(VARCHAR), .text = copy};
    return ARB_OK;
}

arb_code arb_bind_option_value(arb_binder *b, const arb_ast_expr *syntax, arb_value *out)
{
    const arb_clause clause = {.name = "a setting"};
    arb_scope scope = {.depth = 1, .clause = &clause};
    const arb_expr *expr;
    if (syntax->kind == ARB_AST_STAR) {
        *out = (arb_value){.type = ARB_TYPE(VARCHAR), .text = ARB_STR("*")};
        return ARB_OK;
    }
    if (syntax->kind == ARB_AST_COLUMN) {
        const arb_ast_names *parts = &arb_ast_as_column(syntax)->parts;
        *out = (arb_value){.type = ARB_TYPE(VARCHAR), .text = parts->data[parts->size - 1].text};
        return ARB_OK;
    }
    if (syntax->kind == ARB_AST_ROW)
        return list_text(b, &arb_ast_as_row(syntax)->elements, out);
    if (syntax->kind == ARB_AST_LIST)
        return list_text(b, &arb_ast_as_list(syntax)->elements, out);
    ARB_TRY(arb_bind_expr(b, &scope, syntax, &expr));
    ARB_TRY(arb_bind_settle(b, expr, &expr));
    arb_code code = arb_expr_evaluate_constant(b->arena, expr, out, b->error);
    return code == ARB_OK ? ARB_OK : arb_error_at(b->error, code, arb_bind_position(b, syntax->span));
}

arb_code arb_bind_options(arb_binder *b, const arb_ast_options *options, arb_bound_options *out)
{
    for (size_t i = 0; i < options->size; i++) {
        const arb_ast_option *option = &options->data[i];
        arb_bound_option bound = {.name = option->name.text, .has_value = option->value != NULL};
        if (option->value != NULL)
            ARB_TRY(arb_bind_option_value(b, option->value, &bound.value));
        ARB_PUSH(b, out, bound);
    }
    return ARB_OK;
}

/* ---- the small statements ----------------------------------------------------------------------------------------- */
static arb_code bind_drop(arb_binder *b, const arb_ast_drop *drop, arb_bound_statement *out)
{
    arb_catalog_name *names = ARB_ARENA_ARRAY(b->arena, arb_catalog_name, drop->names.size);
    ARB_MADE(b, names);
    for (size_t i = 0; i < drop->names.size; i++)
        ARB_TRY(arb_bind_catalog_name(b, &drop->names.data[i], &names[i]));
    out->kind = ARB_BOUND_DROP;
    out->drop.object = drop->object;
    out->drop.if_exists = drop->if_exists;
    out->drop.cascade = drop->cascade;
    out->drop.name_count = drop->names.size;
    out->drop.names = names;
    return ARB_OK;
}

static arb_code bind_set(arb_binder *b, const arb_ast_set *set, arb_bound_statement *out)
{
    arb_value *values = ARB_ARENA_ARRAY(b->arena, arb_value, set->values.size);
    ARB_MADE(b, values);
    for (size_t i = 0; i < set->values.size; i++)
        ARB_TRY(arb_bind_option_value(b, set->values.data[i], &values[i]));
    out->kind = ARB_BOUND_SET;
    out->set.name = set->name.text;
    out->set.local = set->local;
    out->set.value_count = set->values.size;
    out->set.values = values;
    return ARB_OK;
}

static arb_code bind_explain(arb_binder *b, const arb_ast_explain *explain, arb_bound_statement *out)
{
    arb_bound_statement *inner = ARB_ARENA_NEW(b->arena, arb_bound_statement);
    ARB_MADE(b, inner);
    out->kind = ARB_BOUND_EXPLAIN;
    out->explain.analyze = explain->analyze;
    out->explain.verbose = explain->verbose;
    out->explain.statement = inner;
    ARB_TRY(arb_bind_options(b, &explain->options, &out->explain.options));
    return arb_bind_statement(b, explain->statement, inner);
}

static arb_code bind_describe(arb_binder *b, const arb_ast_describe *describe, arb_bound_statement *out)
{
    if (describe->summarize)
        return arb_bind_fail(b, describe->base.span, ARB_NOT_SUPPORTED, "SUMMARIZE is not supported");
    out->kind = ARB_BOUND_DESCRIBE;
    return arb_bind_plan(b, describe->query, &out->plan);
}

static arb_code bind_schema(arb_binder *b, const arb_ast_create_schema *create, arb_bound_statement *out)
{
    (void)b;
    out->kind = ARB_BOUND_CREATE_SCHEMA;
    out->create_schema.name = create->name.data[create->name.size - 1].text;
    out->create_schema.if_not_exists = create->if_not_exists;
    return ARB_OK;
}

arb_code arb_bind_statement(arb_binder *b, const arb_ast_statement *statement, arb_bound_statement *out)
{
    switch (statement->kind) {
    case ARB_AST_STATEMENT_SELECT:
        out->kind = ARB_BOUND_QUERY;
        return arb_bind_plan(b, arb_ast_as_select_statement(statement)->query, &out->plan);
    case ARB_AST_STATEMENT_CREATE_TABLE:
        return arb_bind_create_table(b, arb_ast_as_create_table(statement), out);
    case ARB_AST_STATEMENT_CREATE_EXTERNAL:
        return arb_bind_create_external(b, arb_ast_as_create_external(statement), out);
    case ARB_AST_STATEMENT_CREATE_VIEW:
        return arb_bind_create_view(b, arb_ast_as_create_view(statement), out);
    case ARB_AST_STATEMENT_CREATE_SCHEMA:
        return bind_schema(b, arb_ast_as_create_schema(statement), out);
    case ARB_AST_STATEMENT_DROP:
        return bind_drop(b, arb_ast_as_drop(statement), out);
    case ARB_AST_STATEMENT_INSERT:
        return arb_bind_insert(b, arb_ast_as_insert(statement), out);
    case ARB_AST_STATEMENT_COPY:
        return arb_bind_copy(b, arb_ast_as_copy(statement), out);
    case ARB_AST_STATEMENT_DESCRIBE:
        return bind_describe(b, arb_ast_as_describe(statement), out);
    case ARB_AST_STATEMENT_SHOW:
        out->kind = ARB_BOUND_SHOW;
        out->show.what = arb_ast_as_show(statement)->what;
        out->show.name = arb_ast_as_show(statement)->name.text;
        return ARB_OK;
    case ARB_AST_STATEMENT_SET:
        return bind_set(b, arb_ast_as_set(statement), out);
    case ARB_AST_STATEMENT_EXPLAIN:
        return bind_explain(b, arb_ast_as_explain(statement), out);
    case ARB_AST_STATEMENT_TRANSACTION:
        out->kind = ARB_BOUND_TRANSACTION;
        out->transaction = arb_ast_as_transaction(statement)->action;
        return ARB_OK;
    case ARB_AST_STATEMENT_PREPARE:
    case ARB_AST_STATEMENT_EXECUTE:
    case ARB_AST_STATEMENT_DEALLOCATE:
        break;
    }
    return arb_bind_fail(b, statement->span, ARB_NOT_SUPPORTED, "prepared statements are not supported");
}
