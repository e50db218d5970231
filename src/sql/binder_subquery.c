/* binder_subquery.c: subqueries in expressions. Each becomes a join below the node that evaluates the expression, and
 * in the expression a plain column: the value (SINGLE), or whether there is a match (MARK). */
#include "sql/binder_internal.h"

static arb_code bind_inner(arb_binder *b, arb_scope *scope, const arb_ast_query *syntax, arb_ast_span span,
                           bool keep_untyped, arb_bound_query *out)
{
    if (scope->clause == NULL || scope->clause->pending == NULL)
        return arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "subqueries in %s are not supported",
                             scope->clause != NULL ? scope->clause->name : "FROM");
    ARB_TRY(arb_bind_count_join(b, span));
    scope->subquery_uses++;
    return arb_bind_query(b, syntax, scope, scope->ctes, &(arb_query_request){.keep_untyped = keep_untyped}, out);
}

static arb_code add_mark(arb_binder *b, arb_scope *scope, const arb_bound_query *query, arb_str name,
                         const arb_expr *condition, arb_ast_span span, const arb_expr **out)
{
    arb_column_id mark;
    bool null_aware = condition != NULL;
    ARB_TRY(arb_bind_new_column(b, name, ARB_TYPE(BOOLEAN), null_aware, &mark));
    ARB_PUSH(b, scope->clause->pending,
             (arb_pending_join){.kind = ARB_JOIN_MARK,
                                .plan = query->plan,
                                .condition = condition,
                                .mark = mark,
                                .null_aware = null_aware,
                                .span = span});
    return arb_bind_column_expr(b, mark, span, out);
}

arb_code arb_bind_subquery_row(arb_binder *b, arb_scope *scope, const arb_ast_subquery *subquery, arb_expr_list *out)
{
    arb_bound_query query;
    ARB_TRY(bind_inner(b, scope, subquery->query, subquery->base.span, false, &query));
    ARB_PUSH(b, scope->clause->pending,
             (arb_pending_join){
                 .kind = ARB_JOIN_SINGLE, .plan = query.plan, .mark = ARB_NO_COLUMN, .span = subquery->base.span});
    for (size_t i = 0; i < query.count; i++) {
        const arb_expr *column;
        ARB_TRY(arb_bind_column_expr(b, query.columns[i].expr->column, subquery->base.span, &column));
        ARB_PUSH(b, out, column);
    }
    return ARB_OK;
}

arb_code arb_bind_subquery(arb_binder *b, arb_scope *scope, const arb_ast_subquery *subquery, const arb_expr **out)
{
    arb_ast_span span = subquery->base.span;
    if (subquery->type == ARB_AST_ARRAY_OF)
        return arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "ARRAY(SELECT …) is not supported");
    if (subquery->type == ARB_AST_EXISTS) {
        arb_bound_query query;
        ARB_TRY(bind_inner(b, scope, subquery->query, span, false, &query));
        return add_mark(b, scope, &query, ARB_STR("exists"), NULL, span, out);
    }
    arb_expr_list row = {0};
    ARB_TRY(arb_bind_subquery_row(b, scope, subquery, &row));
    if (row.size != 1)
        return arb_bind_fail(b, span, ARB_SYNTAX, "a subquery that is used as a value must have one column, not %zu",
                             row.size);
    *out = row.data[0];
    return ARB_OK;
}

/* A literal that the subquery gives, x IN (SELECT NULL), takes the type of what it is compared with. */
static arb_code type_like_operand(arb_binder *b, const arb_expr *const *left, arb_bound_query *query)
{
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, query->count);
    ARB_MADE(b, types);
    for (size_t i = 0; i < query->count; i++) {
        bool untyped = arb_bind_is_untyped(query->columns[i].expr);
        types[i] = untyped ? left[i]->type : query->columns[i].expr->type;
        if (types[i].id == ARB_TYPE_NULL)
            types[i] = ARB_TYPE(VARCHAR);
    }
    return arb_bind_outputs(b, query, types);
}

arb_code arb_bind_any(arb_binder *b, arb_scope *scope, const arb_expr *const *left, size_t count, arb_ast_operator op,
                      const arb_ast_query *syntax, arb_ast_span span, const arb_expr **out)
{
    arb_bound_query query;
    ARB_TRY(bind_inner(b, scope, syntax, span, true, &query));
    if (query.count != count)
        return arb_bind_fail(b, span, ARB_SYNTAX, "the subquery has %zu column%s where %zu %s needed", query.count,
                             query.count == 1 ? "" : "s", count, count == 1 ? "is" : "are");
    const arb_expr **right = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count), *condition;
    ARB_MADE(b, right);
    ARB_TRY(type_like_operand(b, left, &query));
    for (size_t i = 0; i < count; i++)
        right[i] = query.columns[i].expr;
    ARB_TRY(arb_bind_operator_condition(b, op, left, right, count, span, &condition));
    ARB_TRY(arb_bind_to_boolean(b, condition, "ANY", &condition));
    return add_mark(b, scope, &query, op == ARB_AST_OP_EQUAL ? ARB_STR("in") : ARB_STR("any"), condition, span, out);
}

arb_code arb_bind_once(arb_binder *b, arb_scope *scope, arb_str name, arb_ast_span span, const arb_expr **expr)
{
    arb_pending_join value = {.mark = ARB_NO_COLUMN, .span = span};
    if (arb_expr_deterministic(*expr) || scope->clause == NULL || scope->clause->pending == NULL)
        return ARB_OK;
    ARB_TRY(arb_bind_settle(b, *expr, &value.value.expr));
    ARB_TRY(arb_bind_new_column(b, name, value.value.expr->type, true, &value.value.id));
    ARB_PUSH(b, scope->clause->pending, value);
    scope->subquery_uses++;
    return arb_bind_column_expr(b, value.value.id, span, expr);
}

/* The plan's columns and the value. */
static arb_code add_value(arb_binder *b, const arb_named_expr *value, const arb_logical **plan)
{
    arb_column_ids ids = {0};
    ARB_MADE_IF(b, arb_logical_output_ids(b->query, *plan, &ids));
    arb_named_expr *items = ARB_ARENA_ARRAY(b->arena, arb_named_expr, ids.size + 1);
    ARB_MADE(b, items);
    for (size_t i = 0; i < ids.size; i++) {
        items[i] = (arb_named_expr){ids.data[i], arb_query_column_expr(b->query, ids.data[i])};
        ARB_MADE(b, items[i].expr);
    }
    items[ids.size] = *value;
    *plan = arb_logical_project(b->query, *plan, items, ids.size + 1);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

arb_code arb_bind_join_pending(arb_binder *b, arb_pending_joins *pending, const arb_logical **plan)
{
    for (size_t i = 0; i < pending->size; i++) {
        const arb_pending_join *p = &pending->data[i];
        arb_logical *join;
        if (p->value.expr != NULL) {
            ARB_TRY(add_value(b, &p->value, plan));
            continue;
        }
        ARB_TRY(arb_bind_join(b, p->kind, *plan, p->plan, p->condition, p->span, &join));
        join->join.mark = p->mark;
        join->join.null_aware = p->null_aware;
        *plan = join;
    }
    pending->size = 0;
    return ARB_OK;
}
