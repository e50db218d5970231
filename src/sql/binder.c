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
arb_code arb_sql_bind(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                      arb_bound_statement *out, arb_error *error)
{
    arb_error own = {0};
    arb_binder b = make_binder(query, catalog, statement, error != NULL ? error : &own);
    *out = (arb_bound_statement){0};
    arb_catalog_scope_hold(catalog);
    arb_code code = arb_bind_statement(&b, statement, out);
    arb_catalog_scope_release(catalog);
    return code;
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
