/* binder_order.c: ORDER BY keys, and LIMIT. */
#include "sql/binder_internal.h"

arb_sort_key arb_bind_sort_key(const arb_ast_sort_key *syntax, const arb_expr *expr)
{
    bool first = syntax->nulls == ARB_AST_NULLS_DEFAULT ? syntax->descending : syntax->nulls == ARB_AST_NULLS_FIRST;
    return (arb_sort_key){.expr = expr, .descending = syntax->descending, .nulls_first = first};
}

arb_code arb_bind_ordinal(arb_binder *b, const arb_ast_expr *syntax, const char *clause, size_t count, int64_t *out)
{
    *out = -1;
    if (syntax->kind != ARB_AST_LITERAL || arb_ast_as_literal(syntax)->type != ARB_AST_INTEGER)
        return ARB_OK;
    arb_str text = arb_ast_as_literal(syntax)->text;
    int64_t number = 0;
    for (size_t i = 0; i < text.size && number <= (int64_t)count; i++)
        number = text.data[i] == '-' ? (int64_t)count + 1 : number * 10 + (text.data[i] - '0');
    if (number < 1 || number > (int64_t)count)
        return arb_bind_fail(b, syntax->span, ARB_INVALID_COLUMN_REFERENCE,
                             "%s position %.*s is not in the select list", clause, ARB_STR_ARGS(text));
    *out = number - 1;
    return ARB_OK;
}

static arb_code bind_count(arb_binder *b, const arb_ast_expr *syntax, const char *what, int64_t absent, int64_t *out)
{
    arb_value value;
    *out = absent;
    if (syntax == NULL)
        return ARB_OK;
    ARB_TRY(arb_bind_constant_value(b, syntax, what, ARB_TYPE(BIGINT), &value));
    if (value.is_null)
        return ARB_OK;
    if (value.integer < 0)
        return arb_bind_fail(b, syntax->span, ARB_INVALID_PARAMETER, "%s must not be negative", what);
    *out = (int64_t)value.integer;
    return ARB_OK;
}

arb_code arb_bind_limit(arb_binder *b, const arb_ast_query *syntax, arb_bound_limit *out)
{
    if (syntax->limit_percent)
        return arb_bind_fail(b, syntax->limit->span, ARB_NOT_SUPPORTED, "LIMIT … PERCENT is not supported");
    if (syntax->with_ties)
        return arb_bind_fail(b, syntax->limit->span, ARB_NOT_SUPPORTED, "WITH TIES is not supported");
    ARB_TRY(bind_count(b, syntax->limit, "LIMIT", -1, &out->count));
    return bind_count(b, syntax->offset, "OFFSET", 0, &out->offset);
}

arb_code arb_bind_sort_and_limit(arb_binder *b, const arb_logical **plan, const arb_sort_key *keys, size_t count,
                                 arb_bound_limit limit)
{
    if (count != 0) {
        arb_logical *sort = arb_logical_sort(b->query, *plan, keys, count);
        ARB_MADE(b, sort);
        *plan = sort;
        sort->sort.limit = limit.count;
        sort->sort.offset = limit.offset;
        return ARB_OK;
    }
    if (limit.count < 0 && limit.offset == 0)
        return ARB_OK;
    *plan = arb_logical_limit(b->query, *plan, limit.count, limit.offset);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

/* ---- over a finished query ---------------------------------------------------------------------------------------- */
static arb_code name_outputs(arb_binder *b, const arb_bound_query *query, arb_scope *scope)
{
    for (size_t i = 0; i < query->count; i++)
        ARB_PUSH(b, &scope->names.columns,
                 (arb_scope_column){.name = query->columns[i].name, .expr = query->columns[i].expr});
    return ARB_OK;
}

static arb_code bind_output_key(arb_binder *b, arb_scope *scope, const arb_bound_query *query,
                                const arb_ast_sort_key *syntax, const arb_expr **out)
{
    int64_t ordinal;
    ARB_TRY(arb_bind_ordinal(b, syntax->expr, "ORDER BY", query->count, &ordinal));
    if (ordinal >= 0) {
        *out = query->columns[ordinal].expr;
        return ARB_OK;
    }
    ARB_TRY(arb_bind_expr(b, scope, syntax->expr, out));
    return arb_bind_settle(b, *out, out);
}

arb_code arb_bind_order_outputs(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte *ctes,
                                arb_bound_query *query)
{
    size_t count = syntax->order_all ? query->count : syntax->order_by.size, used = 0;
    arb_pending_joins pending = {0};
    const arb_clause clause = {.name = "ORDER BY", .pending = &pending};
    arb_scope scope = {
        .parent = parent, .depth = parent != NULL ? parent->depth + 1 : 1, .ctes = ctes, .clause = &clause};
    arb_sort_key *keys = ARB_ARENA_ARRAY(b->arena, arb_sort_key, count);
    arb_bound_limit limit;
    ARB_MADE(b, keys);
    ARB_TRY(name_outputs(b, query, &scope));
    for (size_t i = 0; i < count; i++) {
        const arb_ast_sort_key *key = &syntax->order_by.data[syntax->order_all ? 0 : i];
        const arb_expr *expr = query->columns[syntax->order_all ? i : 0].expr;
        if (!syntax->order_all)
            ARB_TRY(bind_output_key(b, &scope, query, key, &expr));
        if (expr->kind != ARB_EXPR_CONSTANT)
            keys[used++] = arb_bind_sort_key(key, expr);
    }
    ARB_TRY(arb_bind_join_pending(b, &pending, &query->plan));
    ARB_TRY(arb_bind_limit(b, syntax, &limit));
    return arb_bind_sort_and_limit(b, &query->plan, keys, used, limit);
}
