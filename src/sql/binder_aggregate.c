/* binder_aggregate.c: aggregate calls.
 *
 * A call is taken out of its expression: it becomes a column that the AGGREGATE of its SELECT gives. Its SELECT is
 * mostly the one in which it stands; but when all columns of its arguments come from further out, it belongs to the
 * innermost SELECT that one of them comes from:
 *
 *     SELECT (SELECT max(t.a) FROM u) FROM t      -- max over t, once
 */
#include "sql/binder_internal.h"

/* A call while it is bound, and how things were before. */
typedef struct aggregate_binding {
    const arb_ast_call *call;
    arb_scope *scope, *owner;
    const arb_clause *clause; /* that the call stands in */
    arb_aggregate_frame frame;
    arb_str name;
    arb_expr_list arguments;
    arb_aggregate_call result;
    arb_type type;
} aggregate_binding;

static arb_code bind_order(arb_binder *b, aggregate_binding *a)
{
    const arb_ast_sort_keys *keys = &a->call->order_by;
    if (keys->size == 0)
        return ARB_OK;
    arb_sort_key *order = ARB_ARENA_ARRAY(b->arena, arb_sort_key, keys->size);
    ARB_MADE(b, order);
    for (size_t i = 0; i < keys->size; i++) {
        const arb_expr *expr;
        ARB_TRY(arb_bind_expr(b, a->scope, keys->data[i].expr, &expr));
        ARB_TRY(arb_bind_settle(b, expr, &expr));
        order[i] = arb_bind_sort_key(&keys->data[i], expr);
    }
    a->result.order = order;
    a->result.order_count = keys->size;
    return ARB_OK;
}

/* percentile_cont(0.5) WITHIN GROUP (ORDER BY x) is quantile_cont(x, 0.5). */
static arb_code bind_within_group(arb_binder *b, aggregate_binding *a)
{
    const arb_ast_sort_keys *keys = &a->call->within_group;
    const arb_expr *expr;
    if (keys->size == 0)
        return ARB_OK;
    if (arb_str_equal_nocase(a->name, ARB_STR("percentile_cont")))
        a->name = ARB_STR("quantile_cont");
    else if (arb_str_equal_nocase(a->name, ARB_STR("percentile_disc")))
        a->name = ARB_STR("quantile_disc");
    else if (!arb_str_equal_nocase(a->name, ARB_STR("mode")))
        return arb_bind_fail(b, a->call->base.span, ARB_NOT_SUPPORTED, "%.*s WITHIN GROUP is not supported",
                             ARB_STR_ARGS(a->name));
    if (keys->size != 1 || keys->data[0].descending)
        return arb_bind_fail(b, a->call->base.span, ARB_NOT_SUPPORTED,
                             "WITHIN GROUP with several or descending keys is not supported");
    ARB_TRY(arb_bind_expr(b, a->scope, keys->data[0].expr, &expr));
    ARB_PUSH(b, &a->arguments, expr);
    return ARB_OK;
}

static arb_code bind_parts(arb_binder *b, aggregate_binding *a)
{
    const arb_ast_call *call = a->call;
    const arb_expr *expr;
    ARB_TRY(bind_within_group(b, a));
    for (size_t i = 0; i < call->arguments.size; i++) {
        const arb_ast_argument *argument = &call->arguments.data[i];
        if (argument->name.text.size != 0)
            return arb_bind_fail(b, argument->name.span, ARB_NOT_SUPPORTED, "named arguments are not supported");
        bool star = argument->value->kind == ARB_AST_STAR && call->arguments.size == 1 && !call->distinct;
        if (star && arb_str_equal_nocase(a->name, ARB_STR("count")))
            break;
        ARB_TRY(arb_bind_expr(b, a->scope, argument->value, &expr));
        ARB_PUSH(b, &a->arguments, expr);
    }
    if (call->filter != NULL)
        ARB_TRY(arb_bind_condition(b, a->scope, call->filter, "FILTER", &a->result.filter));
    ARB_TRY(bind_order(b, a));
    ARB_TRY(arb_bind_arguments(b, ARB_FUNCTION_AGGREGATE, a->name, a->arguments.data, a->arguments.size,
                               call->base.span, &a->result.function, &a->type));
    a->result.arguments = a->arguments.data;
    a->result.argument_count = a->arguments.size;
    a->result.distinct = call->distinct;
    a->result.position = arb_bind_position(b, call->base.span);
    return ARB_OK;
}

/* Bind the parts in a clause of their own: they are computed before the grouping. */
static arb_code bind_inside(arb_binder *b, aggregate_binding *a)
{
    const arb_clause inside = {.name = "aggregate functions", .pending = &a->scope->argument_joins};
    const arb_clause *before = a->scope->clause;
    a->frame = (arb_aggregate_frame){.outer = b->frame, .scope = a->scope};
    b->frame = &a->frame;
    /* Where no aggregate may stand there is none, so no subquery of it either, unless it belongs further out. */
    a->scope->clause = &inside;
    arb_code code = bind_parts(b, a);
    a->scope->clause = before;
    b->frame = a->frame.outer;
    return code;
}

static arb_code check_owner(arb_binder *b, const aggregate_binding *a)
{
    arb_ast_span span = a->call->base.span;
    const arb_clause *clause = a->owner == a->scope ? a->clause : a->owner->clause;
    for (const arb_aggregate_frame *frame = b->frame; frame != NULL; frame = frame->outer) {
        if (frame->scope == a->owner)
            return arb_bind_fail(b, span, ARB_GROUPING, "aggregate functions cannot be nested");
    }
    if (clause == NULL || !clause->aggregates)
        return arb_bind_fail(b, span, ARB_GROUPING, "aggregate functions are not allowed in %s",
                             clause != NULL ? clause->name : "FROM");
    return ARB_OK;
}

static bool same_list(const arb_expr *const *a, const arb_expr *const *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!arb_expr_equal(a[i], b[i]))
            return false;
    }
    return true;
}

static bool same_call(const arb_aggregate_call *a, const arb_aggregate_call *b)
{
    if (a->function != b->function || a->argument_count != b->argument_count || a->distinct != b->distinct ||
        a->order_count != b->order_count || (a->filter == NULL) != (b->filter == NULL))
        return false;
    for (size_t i = 0; i < a->order_count; i++) {
        if (!arb_expr_equal(a->order[i].expr, b->order[i].expr) || a->order[i].descending != b->order[i].descending ||
            a->order[i].nulls_first != b->order[i].nulls_first)
            return false;
    }
    return same_list(a->arguments, b->arguments, a->argument_count) &&
           (a->filter == NULL || arb_expr_equal(a->filter, b->filter));
}

static bool is_deterministic(const arb_aggregate_call *call)
{
    for (size_t i = 0; i < call->argument_count; i++) {
        if (!arb_expr_deterministic(call->arguments[i]))
            return false;
    }
    return call->filter == NULL || arb_expr_deterministic(call->filter);
}

/* The owner's column for the call: that of an equal one, or a new one. */
static arb_code add_call(arb_binder *b, aggregate_binding *a, arb_column_id *out)
{
    arb_scope *owner = a->owner;
    owner->aggregate_uses++;
    for (size_t i = 0; i < owner->aggregates.size && is_deterministic(&a->result); i++) {
        if (same_call(&owner->aggregates.data[i], &a->result)) {
            *out = owner->aggregates.data[i].id;
            return ARB_OK;
        }
    }
    bool counts = arb_str_equal(arb_str_of(a->result.function->name), ARB_STR("count"));
    ARB_TRY(arb_bind_new_column(b, arb_str_of(a->result.function->name), a->type, !counts, out));
    a->result.id = *out;
    ARB_PUSH(b, &owner->aggregates, a->result);
    return ARB_OK;
}

arb_code arb_bind_aggregate(arb_binder *b, arb_scope *scope, const arb_ast_call *call, const arb_expr **out)
{
    aggregate_binding a = {.call = call,
                           .scope = scope,
                           .owner = scope,
                           .clause = scope->clause,
                           .name = call->name.data[call->name.size - 1].text};
    size_t joins_before = scope->argument_joins.size;
    arb_column_id id;
    if (call->ignore_nulls)
        return arb_bind_fail(b, call->base.span, ARB_NOT_SUPPORTED, "IGNORE NULLS is not supported");
    for (const arb_aggregate_frame *frame = b->frame; frame != NULL; frame = frame->outer) {
        if (frame->scope == scope)
            return arb_bind_fail(b, call->base.span, ARB_GROUPING, "aggregate functions cannot be nested");
    }
    /* Uses of the owner's columns are inside of an aggregate, so they need not be grouped. */
    size_t *before = ARB_ARENA_ARRAY(b->arena, size_t, scope->depth + 1);
    ARB_MADE(b, before);
    for (arb_scope *s = scope; s != NULL; s = s->parent)
        before[s->depth] = s->correlated.size;
    ARB_TRY(bind_inside(b, &a));
    while (a.frame.nearest != 0 && a.owner->depth > a.frame.nearest)
        a.owner = a.owner->parent;
    ARB_TRY(check_owner(b, &a));
    if (a.owner != scope) {
        a.owner->correlated.size = before[a.owner->depth];
        for (size_t i = joins_before; i < scope->argument_joins.size; i++)
            ARB_PUSH(b, &a.owner->argument_joins, scope->argument_joins.data[i]);
        scope->argument_joins.size = joins_before;
    }
    for (arb_aggregate_frame *frame = b->frame; frame != NULL; frame = frame->outer) {
        if (a.owner->depth <= frame->scope->depth)
            frame->nearest = ARB_MAX(frame->nearest, a.owner->depth);
    }
    ARB_TRY(add_call(b, &a, &id));
    return arb_bind_column_expr(b, id, call->base.span, out);
}
