/* binder_output.c: the upper end of a SELECT: PROJECT, DISTINCT, SORT and LIMIT.
 *
 * A column that is selected as it is keeps its id. ORDER BY may use what is not selected: then the PROJECT gives more
 * columns than the query has. */
#include "sql/binder_internal.h"

typedef struct projection {
    arb_column_set below; /* what the plan gives */
    arb_column_set above; /* ids of the items */
    ARB_VEC(arb_named_expr) items;
    bool computes; /* some item is not just a column passed on */
} projection;

/* Make the expression a column of the projection. */
static arb_code project(arb_binder *b, projection *p, arb_str name, const arb_expr *expr, arb_column_id *out)
{
    bool passed = expr->kind == ARB_EXPR_COLUMN && arb_column_set_has(&p->below, expr->column);
    if (passed) {
        *out = expr->column;
        if (arb_column_set_has(&p->above, *out))
            return ARB_OK;
    } else {
        ARB_TRY(arb_bind_new_column(b, name, expr->type, true, out));
        p->computes = true;
    }
    ARB_MADE_IF(b, arb_column_set_add(b->query, &p->above, *out));
    ARB_PUSH(b, &p->items, (arb_named_expr){.id = *out, .expr = expr});
    return ARB_OK;
}

static arb_code project_items(arb_binder *b, arb_select_output *select, projection *p, arb_bound_query *out)
{
    const arb_query_request *request = select->request;
    bool distinct = select->syntax->select->distinct;
    out->count = select->items.size;
    out->columns = ARB_ARENA_ARRAY(b->arena, arb_output, out->count);
    ARB_MADE(b, out->columns);
    for (size_t i = 0; i < out->count; i++) {
        arb_select_item *item = &select->items.data[i];
        arb_output *output = &out->columns[i];
        *output = (arb_output){.name = item->name, .position = arb_bind_position(b, item->span)};
        bool untyped = arb_bind_is_untyped(item->expr) && item->expr->kind == ARB_EXPR_CONSTANT;
        if (untyped && i < request->expected_count && !distinct) {
            ARB_TRY(arb_bind_coerce(b, item->expr, request->expected[i], &item->expr));
        } else if (untyped && request->keep_untyped && !distinct) {
            output->expr = item->expr;
            continue;
        }
        arb_column_id id;
        ARB_TRY(arb_bind_settle(b, item->expr, &item->expr));
        ARB_TRY(project(b, p, item->name, item->expr, &id));
        ARB_TRY(arb_bind_column_expr(b, id, item->span, &output->expr));
    }
    return ARB_OK;
}

/* The column of an item that equals the expression; ARB_NO_COLUMN when none does. */
static arb_column_id find_item(const projection *p, const arb_expr *expr)
{
    for (size_t i = 0; i < p->items.size; i++) {
        if (arb_expr_equal(p->items.data[i].expr, expr) && arb_expr_deterministic(expr))
            return p->items.data[i].id;
    }
    return ARB_NO_COLUMN;
}

/* An expression of ORDER BY or DISTINCT ON as a column. */
static arb_code project_key(arb_binder *b, arb_select_output *select, projection *p, const arb_expr *expr,
                            arb_ast_span span, const arb_expr **out)
{
    ARB_TRY(arb_bind_settle(b, expr, &expr));
    arb_column_id id = find_item(p, expr);
    bool plain_distinct = select->syntax->select->distinct && select->distinct_on.size == 0;
    if (id == ARB_NO_COLUMN && plain_distinct)
        return arb_bind_fail(b, span, ARB_INVALID_COLUMN_REFERENCE,
                             "with SELECT DISTINCT, ORDER BY expressions must appear in the select list");
    if (id == ARB_NO_COLUMN)
        ARB_TRY(project(b, p, ARB_STR("sort_key"), expr, &id));
    return arb_bind_column_expr(b, id, span, out);
}

static arb_code add_distinct(arb_binder *b, const projection *p, const arb_logical **plan)
{
    arb_named_expr *groups = ARB_ARENA_ARRAY(b->arena, arb_named_expr, p->items.size);
    ARB_MADE(b, groups);
    for (size_t i = 0; i < p->items.size; i++) {
        groups[i] =
            (arb_named_expr){.id = p->items.data[i].id, .expr = arb_query_column_expr(b->query, p->items.data[i].id)};
        ARB_MADE(b, groups[i].expr);
    }
    *plan = arb_logical_aggregate(b->query, *plan, groups, p->items.size, NULL, 0);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

/* DISTINCT ON (k): grouped by k, of each other column the first value in the order of ORDER BY. */
static arb_code add_distinct_on(arb_binder *b, const projection *p, const arb_expr_list *on, const arb_sort_key *keys,
                                size_t key_count, arb_column_id *renamed, const arb_logical **plan)
{
    ARB_VEC(arb_named_expr) groups = {0};
    ARB_VEC(arb_aggregate_call) calls = {0};
    arb_column_set grouped = {0};
    for (size_t i = 0; i < on->size; i++) {
        if (arb_column_set_has(&grouped, on->data[i]->column))
            continue;
        ARB_MADE_IF(b, arb_column_set_add(b->query, &grouped, on->data[i]->column));
        ARB_PUSH(b, &groups, (arb_named_expr){.id = on->data[i]->column, .expr = on->data[i]});
    }
    for (size_t i = 0; i < p->items.size; i++) {
        arb_column_id id = p->items.data[i].id;
        renamed[i] = id;
        if (arb_column_set_has(&grouped, id))
            continue;
        const arb_expr **argument = ARB_ARENA_ARRAY(b->arena, const arb_expr *, 1);
        arb_aggregate_call call = {.argument_count = 1, .order_count = key_count, .order = keys};
        arb_type type;
        ARB_MADE(b, argument);
        ARB_TRY(arb_bind_column_expr(b, id, (arb_ast_span){0}, argument));
        ARB_TRY(arb_bind_arguments(b, ARB_FUNCTION_AGGREGATE, ARB_STR("first"), argument, 1, (arb_ast_span){0},
                                   &call.function, &type));
        call.arguments = argument;
        ARB_TRY(arb_bind_new_column(b, arb_query_column(b->query, id)->name, type, true, &call.id));
        renamed[i] = call.id;
        ARB_PUSH(b, &calls, call);
    }
    *plan = arb_logical_aggregate(b->query, *plan, groups.data, groups.size, calls.data, calls.size);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

static arb_code rename(arb_binder *b, const projection *p, const arb_column_id *renamed, const arb_expr **expr)
{
    for (size_t i = 0; i < p->items.size; i++) {
        if ((*expr)->kind == ARB_EXPR_COLUMN && p->items.data[i].id == (*expr)->column && renamed[i] != (*expr)->column)
            return arb_bind_column_expr(b, renamed[i], (arb_ast_span){0}, expr);
    }
    return ARB_OK;
}

static arb_code distinct_on(arb_binder *b, const projection *p, const arb_expr_list *on, arb_sort_key *keys,
                            size_t key_count, arb_bound_query *out)
{
    arb_column_id *renamed = ARB_ARENA_ARRAY(b->arena, arb_column_id, p->items.size);
    arb_sort_key *inner = ARB_ARENA_ARRAY(b->arena, arb_sort_key, key_count);
    ARB_MADE_IF(b, renamed != NULL && inner != NULL);
    for (size_t i = 0; i < key_count; i++)
        inner[i] = keys[i];
    ARB_TRY(add_distinct_on(b, p, on, inner, key_count, renamed, &out->plan));
    for (size_t i = 0; i < out->count; i++)
        ARB_TRY(rename(b, p, renamed, &out->columns[i].expr));
    for (size_t i = 0; i < key_count; i++)
        ARB_TRY(rename(b, p, renamed, &keys[i].expr));
    return ARB_OK;
}

arb_code arb_bind_select_output(arb_binder *b, arb_select_output *select, arb_bound_query *out)
{
    projection p = {0};
    arb_expr_list on = {0};
    arb_bound_limit limit;
    size_t key_count = 0;
    arb_sort_key *keys = ARB_ARENA_ARRAY(b->arena, arb_sort_key, select->keys.size);
    ARB_MADE(b, keys);
    ARB_MADE_IF(b, arb_logical_output(b->query, select->plan, &p.below));
    ARB_TRY(project_items(b, select, &p, out));
    for (size_t i = 0; i < select->keys.size; i++) {
        const arb_select_key *key = &select->keys.data[i];
        const arb_expr *column;
        if (key->expr->kind == ARB_EXPR_CONSTANT)
            continue;
        ARB_TRY(project_key(b, select, &p, key->expr, key->span, &column));
        keys[key_count++] = arb_bind_sort_key(key->syntax, column);
    }
    for (size_t i = 0; i < select->distinct_on.size; i++) {
        const arb_expr *column;
        ARB_TRY(project_key(b, select, &p, select->distinct_on.data[i], select->syntax->span, &column));
        ARB_PUSH(b, &on, column);
    }
    out->plan = select->plan;
    if (p.computes) {
        out->plan = arb_logical_project(b->query, out->plan, p.items.data, p.items.size);
        ARB_MADE(b, out->plan);
    }
    if (on.size != 0)
        ARB_TRY(distinct_on(b, &p, &on, keys, key_count, out));
    else if (select->syntax->select->distinct)
        ARB_TRY(add_distinct(b, &p, &out->plan));
    ARB_TRY(arb_bind_limit(b, select->syntax, &limit));
    return arb_bind_sort_and_limit(b, &out->plan, keys, key_count, limit);
}
