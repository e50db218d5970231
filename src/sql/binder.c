/* binder.c: the entries, and small things that all files of the binder use. */
#include "sql/binder_internal.h"
#include "sql/binder_statement.h"

arb_code arb_bind_out_of_memory(arb_binder *b)
{
    return arb_fail_memory(b->error, "the statement's plan", b->arena->total);
}

arb_code arb_bind_keep_text(arb_binder *b, arb_text *text, arb_str *out)
{
    *out = text->failed ? (arb_str){0} : arb_str_copy(b->arena, arb_text_view(text));
    arb_text_reset(text);
    return out->data != NULL ? ARB_OK : arb_bind_out_of_memory(b);
}

arb_code arb_bind_count_join(arb_binder *b, arb_ast_span span)
{
    if (++b->joins <= ARB_BIND_JOINS_MAX)
        return ARB_OK;
    return arb_bind_fail(b, span, ARB_STATEMENT_TOO_COMPLEX,
                         "a statement has more than %d joins, subqueries and set operations", ARB_BIND_JOINS_MAX);
}

arb_code arb_bind_new_column(arb_binder *b, arb_str name, arb_type type, bool nullable, arb_column_id *out)
{
    *out = arb_query_add_column(b->query, name, type, nullable);
    return *out != ARB_NO_COLUMN ? ARB_OK : arb_bind_out_of_memory(b);
}

arb_code arb_bind_column_expr(arb_binder *b, arb_column_id id, arb_ast_span span, const arb_expr **out)
{
    arb_expr *expr = arb_query_column_expr(b->query, id);
    ARB_MADE(b, expr);
    expr->position = span.end != 0 ? arb_bind_position(b, span) : 0;
    *out = expr;
    return ARB_OK;
}

static arb_binder make_binder(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                              arb_error *error)
{
    return (arb_binder){
        .query = query, .arena = query->arena, .catalog = catalog, .error = error, .source = statement->source};
}

/* Without a caller's error the binder needs one of its own, since it looks into it. */
static arb_code bind(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                     arb_bind_parameters *parameters, arb_bound_statement *out, arb_error *error)
{
    arb_error own = {0};
    arb_binder b = make_binder(query, catalog, statement, error != NULL ? error : &own);
    b.parameters = parameters;
    *out = (arb_bound_statement){0};
    arb_catalog_scope_hold(catalog);
    arb_code code = arb_bind_statement(&b, statement, out);
    arb_catalog_scope_release(catalog);
    return code;
}

arb_code arb_sql_bind(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                      arb_bound_statement *out, arb_error *error)
{
    return bind(query, catalog, statement, NULL, out, error);
}

arb_code arb_sql_bind_unset(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                            arb_bound_statement *out, arb_type *out_types, arb_error *error)
{
    arb_bind_parameters parameters = {.count = statement->parameter_count, .types = out_types};
    if (parameters.count == 0)
        return arb_sql_bind(query, catalog, statement, out, error);
    parameters.untyped = ARB_ARENA_ARRAY(query->arena, arb_expr, parameters.count);
    if (parameters.untyped == NULL)
        return arb_fail_memory(error, "a statement's parameters", parameters.count * sizeof(arb_expr));
    for (size_t i = 0; i < parameters.count; i++) {
        out_types[i] = ARB_TYPE(NULL);
        parameters.untyped[i] =
            (arb_expr){.kind = ARB_EXPR_CONSTANT, .type = ARB_TYPE(NULL), .value = arb_value_null(ARB_TYPE(NULL))};
    }
    ARB_TRY(bind(query, catalog, statement, &parameters, out, error));
    for (size_t i = 0; i < parameters.count; i++)
        if (out_types[i].id == ARB_TYPE_NULL)
            out_types[i] = ARB_TYPE(VARCHAR);
    return ARB_OK;
}

/* The caller's text does not stay. */
static arb_code copy_value(arb_query *query, const arb_value *value, arb_value *out, arb_error *error)
{
    *out = *value;
    if (arb_type_is_nested(value->type))
        return arb_fail(error, ARB_NOT_SUPPORTED, "parameters cannot have nested values");
    if (!arb_type_is_text(value->type))
        return ARB_OK;
    out->text = arb_str_copy(query->arena, value->text);
    return out->text.data != NULL ? ARB_OK : arb_fail_memory(error, "a parameter's value", value->text.size);
}

/* The value as the type has it, or as it is when the type has no such value. */
static arb_code fit_value(arb_query *query, size_t number, const arb_value *value, arb_type type, arb_value *out,
                          arb_error *error)
{
    arb_error ignored = {0};
    arb_value back;
    *out = arb_value_null(type);
    if (value->is_null)
        return ARB_OK;
    if (arb_type_equal(value->type, type))
        return copy_value(query, value, out, error);
    bool text = value->type.id == ARB_TYPE_VARCHAR;
    arb_code code = arb_type_castable(value->type, type) ? arb_value_cast(query->arena, value, type, out, &ignored)
                                                         : ARB_CANNOT_COERCE;
    if (code == ARB_OK && text)
        return ARB_OK;
    if (code == ARB_OK)
        code = arb_type_castable(type, value->type) ? arb_value_cast(query->arena, out, value->type, &back, &ignored)
                                                    : ARB_CANNOT_COERCE;
    if (code == ARB_OK && arb_value_equal(&back, value))
        return ARB_OK;
    if (code != ARB_OUT_OF_MEMORY && !text)
        return copy_value(query, value, out, error);
    if (error != NULL)
        *error = ignored;
    arb_error_context(error, "$%zu", number);
    return code;
}

arb_code arb_sql_bind_values(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                             const arb_value *values, size_t value_count, arb_bound_statement *out, arb_error *error)
{
    size_t count = statement->parameter_count;
    if (value_count != count)
        return arb_fail(error, ARB_UNDEFINED_PARAMETER, "the statement has %zu parameter%s, but there %s %zu value%s",
                        count, count == 1 ? "" : "s", value_count == 1 ? "is" : "are", value_count,
                        value_count == 1 ? "" : "s");
    if (count == 0)
        return arb_sql_bind(query, catalog, statement, out, error);
    arb_query trial = {
        .arena = query->arena, .now_us = query->now_us, .time_zone = query->time_zone, .stop = query->stop};
    arb_type *types = ARB_ARENA_ARRAY(query->arena, arb_type, count);
    arb_value *fitted = ARB_ARENA_ARRAY(query->arena, arb_value, count);
    if (types == NULL || fitted == NULL)
        return arb_fail_memory(error, "a statement's parameters", count * sizeof *fitted);
    ARB_TRY(arb_sql_bind_unset(&trial, catalog, statement, out, types, error));
    for (size_t i = 0; i < count; i++)
        ARB_TRY(fit_value(query, i + 1, &values[i], types[i], &fitted[i], error));
    return bind(query, catalog, statement, &(arb_bind_parameters){.count = count, .values = fitted}, out, error);
}

arb_code arb_sql_bind_select(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                             arb_logical_plan *out, arb_error *error)
{
    arb_bound_statement bound;
    *out = (arb_logical_plan){0};
    if (statement->kind != ARB_AST_STATEMENT_SELECT)
        return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "the statement is not a query");
    ARB_TRY(arb_sql_bind(query, catalog, statement, &bound, error));
    *out = bound.plan;
    return ARB_OK;
}
