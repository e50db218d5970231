/* binder_select.c: one SELECT, clause by clause, in the order in which the clauses are computed:
 *
 *     FROM, WHERE, GROUP BY   bottom up, each on the plan so far
 *     select list, HAVING, ORDER BY   bound to the FROM clause's columns; aggregates are collected
 *     AGGREGATE               if there is something to group; the above are put on top of it (binder_group.c)
 *     HAVING, then subqueries of the select list, then the output (binder_output.c)
 */
#include "sql/binder_internal.h"

typedef struct select_binding {
    const arb_ast_query *syntax;
    const arb_ast_select *select;
    arb_scope scope;
    const arb_logical *plan;
    arb_grouping grouping;
    const arb_expr *having;
    arb_pending_joins having_joins, select_joins;
    arb_select_output output;
} select_binding;

static arb_code refuse_clauses(arb_binder *b, const select_binding *s)
{
    const arb_ast_select *select = s->select;
    if (select->qualify != NULL)
        return arb_bind_fail(b, select->qualify->span, ARB_NOT_SUPPORTED, "QUALIFY is not supported");
    if (select->windows.size != 0)
        return arb_bind_fail(b, select->windows.data[0].name.span, ARB_NOT_SUPPORTED,
                             "window functions are not supported");
    if (select->sample.size != NULL)
        return arb_bind_fail(b, select->sample.size->span, ARB_NOT_SUPPORTED, "USING SAMPLE is not supported");
    return ARB_OK;
}

static arb_code bind_where(arb_binder *b, select_binding *s)
{
    if (s->select->where == NULL)
        return ARB_OK;
    arb_pending_joins joins = {0};
    const arb_clause clause = {.name = "WHERE", .pending = &joins};
    const arb_expr *condition;
    s->scope.clause = &clause;
    arb_code code = arb_bind_condition(b, &s->scope, s->select->where, "WHERE", &condition);
    s->scope.clause = NULL;
    ARB_TRY(code);
    ARB_TRY(arb_bind_join_pending(b, &joins, &s->plan));
    s->plan = arb_logical_filter(b->query, s->plan, condition);
    ARB_MADE(b, s->plan);
    return ARB_OK;
}

/* ---- GROUP BY ----------------------------------------------------------------------------------------------------- */
/* The item that the name is an alias of; NULL when there is none. */
static arb_select_item *find_alias(select_binding *s, const arb_ast_expr *syntax)
{
    if (syntax->kind != ARB_AST_COLUMN || arb_ast_as_column(syntax)->parts.size != 1)
        return NULL;
    for (size_t i = 0; i < s->output.items.size; i++) {
        arb_select_item *item = &s->output.items.data[i];
        if (item->alias.text.size != 0 && arb_name_matches(&arb_ast_as_column(syntax)->parts.data[0], item->alias.text))
            return item;
    }
    return NULL;
}

/* A number means an item; a name a column of FROM, else an item. */
static arb_code bind_group_expr(arb_binder *b, select_binding *s, const arb_ast_expr *syntax, uint64_t *set)
{
    size_t index;
    arb_select_item *item = NULL;
    const arb_scope_column *column = NULL;
    const arb_expr *expr;
    int64_t ordinal;
    ARB_TRY(arb_bind_ordinal(b, syntax, "GROUP BY", s->output.items.size, &ordinal));
    if (ordinal >= 0)
        item = &s->output.items.data[ordinal];
    else if ((item = find_alias(s, syntax)) != NULL)
        ARB_TRY(arb_namespace_find(b, &s->scope.names, &arb_ast_as_column(syntax)->parts.data[0], &column));
    if (item != NULL && column == NULL) {
        ARB_TRY(arb_bind_select_item(b, &s->scope, item));
        item->grouped = true;
        expr = item->expr;
    } else {
        ARB_TRY(arb_bind_expr(b, &s->scope, syntax, &expr));
    }
    arb_str name = item != NULL && column == NULL ? item->name : arb_bind_result_name(b, syntax);
    ARB_TRY(arb_bind_group(b, &s->grouping, name, expr, &index));
    if (s->grouping.has_sets && index >= ARB_SET_GROUPS_MAX)
        return arb_bind_fail(b, syntax->span, ARB_LIMIT_EXCEEDED, "GROUPING SETS takes at most %d expressions",
                             ARB_SET_GROUPS_MAX);
    *set |= UINT64_C(1) << index % ARB_SET_GROUPS_MAX;
    return ARB_OK;
}

/* An expression, or those of a row (a, b). */
static arb_code bind_group_element(arb_binder *b, select_binding *s, const arb_ast_expr *syntax, uint64_t *set)
{
    if (syntax->kind != ARB_AST_ROW)
        return bind_group_expr(b, s, syntax, set);
    const arb_ast_exprs *elements = &arb_ast_as_row(syntax)->elements;
    for (size_t i = 0; i < elements->size; i++)
        ARB_TRY(bind_group_expr(b, s, elements->data[i], set));
    return ARB_OK;
}

/* ROLLUP (a, b): (a, b), (a), (). CUBE (a, b): also (b). */
static arb_code bind_rollup_or_cube(arb_binder *b, select_binding *s, const arb_ast_group *group, arb_group_sets *out)
{
    enum { cube_elements_most = 12 };
    size_t count = group->exprs.size;
    uint64_t *elements = ARB_ARENA_ARRAY(b->arena, uint64_t, count), set = 0;
    ARB_MADE(b, elements);
    if (group->kind == ARB_AST_GROUP_CUBE && count > cube_elements_most)
        return arb_bind_fail(b, group->span, ARB_LIMIT_EXCEEDED, "CUBE takes at most %d expressions",
                             cube_elements_most);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(bind_group_element(b, s, group->exprs.data[i], &elements[i]));
    if (group->kind == ARB_AST_GROUP_ROLLUP) {
        ARB_PUSH(b, out, set);
        for (size_t i = 0; i < count; i++)
            ARB_PUSH(b, out, set |= elements[i]);
        return ARB_OK;
    }
    for (size_t chosen = 0; chosen < (size_t)1 << count; chosen++) {
        set = 0;
        for (size_t i = 0; i < count; i++)
            set |= chosen >> i & 1 ? elements[i] : 0;
        ARB_PUSH(b, out, set);
    }
    return ARB_OK;
}

/* The sets that one element of GROUP BY stands for. */
static arb_code bind_group_sets_of(arb_binder *b, select_binding *s, const arb_ast_group *group, arb_group_sets *out)
{
    uint64_t set = 0;
    switch (group->kind) {
    case ARB_AST_GROUP_EXPRS:
        for (size_t i = 0; i < group->exprs.size; i++)
            ARB_TRY(bind_group_element(b, s, group->exprs.data[i], &set));
        ARB_PUSH(b, out, set);
        return ARB_OK;
    case ARB_AST_GROUP_ROLLUP:
    case ARB_AST_GROUP_CUBE:
        return bind_rollup_or_cube(b, s, group, out);
    case ARB_AST_GROUP_SETS:
        break;
    }
    for (size_t i = 0; i < group->sets.size; i++)
        ARB_TRY(bind_group_sets_of(b, s, &group->sets.data[i], out));
    return ARB_OK;
}

static arb_code bind_group_exprs(arb_binder *b, select_binding *s)
{
    arb_grouping *grouping = &s->grouping;
    for (size_t i = 0; i < s->select->group_by.size; i++)
        grouping->has_sets |= s->select->group_by.data[i].kind != ARB_AST_GROUP_EXPRS;
    ARB_PUSH(b, &grouping->sets, 0);
    for (size_t i = 0; i < s->select->group_by.size; i++) {
        const arb_ast_group *group = &s->select->group_by.data[i];
        arb_group_sets sets = {0};
        ARB_TRY(bind_group_sets_of(b, s, group, &sets));
        if (grouping->has_sets)
            ARB_TRY(arb_bind_multiply_sets(b, &grouping->sets, &sets, group->span));
    }
    if (!grouping->has_sets)
        return ARB_OK;
    return arb_bind_new_column(b, ARB_STR("grouping_set"), ARB_TYPE(INTEGER), false, &grouping->set_column);
}

static arb_code bind_group_by(arb_binder *b, select_binding *s)
{
    arb_pending_joins joins = {0};
    const arb_clause clause = {.name = "GROUP BY", .groups = true, .pending = &joins};
    ARB_MADE_IF(b, arb_logical_output(b->query, s->plan, &s->grouping.below));
    s->scope.clause = &clause;
    arb_code code = bind_group_exprs(b, s);
    s->scope.clause = NULL;
    ARB_TRY(code);
    ARB_TRY(arb_bind_join_pending(b, &joins, &s->plan));
    s->grouping.below = (arb_column_set){0};
    ARB_MADE_IF(b, arb_logical_output(b->query, s->plan, &s->grouping.below));
    return ARB_OK;
}

/* GROUP BY ALL: by the items without aggregates. Their subqueries are computed before the grouping, then. */
static arb_code group_by_all(arb_binder *b, select_binding *s)
{
    arb_pending_joins above = {0};
    size_t at = 0;
    for (size_t i = 0; i < s->output.items.size; i++) {
        const arb_select_item *item = &s->output.items.data[i];
        size_t end = at + item->subqueries;
        for (; at < end; at++) {
            arb_pending_joins below = {.data = &s->select_joins.data[at], .size = 1, .capacity = 1};
            if (item->aggregated)
                ARB_PUSH(b, &above, s->select_joins.data[at]);
            else
                ARB_TRY(arb_bind_join_pending(b, &below, &s->plan));
        }
    }
    for (; at < s->select_joins.size; at++)
        ARB_PUSH(b, &above, s->select_joins.data[at]);
    s->select_joins = above;
    s->grouping.below = (arb_column_set){0};
    ARB_MADE_IF(b, arb_logical_output(b->query, s->plan, &s->grouping.below));
    for (size_t i = 0; i < s->output.items.size; i++) {
        const arb_select_item *item = &s->output.items.data[i];
        size_t index;
        if (!item->aggregated)
            ARB_TRY(arb_bind_group(b, &s->grouping, item->name, item->expr, &index));
    }
    return ARB_OK;
}

/* ---- select list, HAVING, ORDER BY -------------------------------------------------------------------------------- */
/* A name in ORDER BY or DISTINCT ON means a result column first. */
static arb_code find_result(arb_binder *b, select_binding *s, const arb_ast_expr *syntax, const char *clause,
                            const arb_expr **out)
{
    *out = NULL;
    if (syntax->kind != ARB_AST_COLUMN || arb_ast_as_column(syntax)->parts.size != 1)
        return ARB_OK;
    const arb_ast_name *name = &arb_ast_as_column(syntax)->parts.data[0];
    for (size_t i = 0; i < s->output.items.size; i++) {
        const arb_select_item *item = &s->output.items.data[i];
        if (!arb_name_matches(name, item->name))
            continue;
        if (*out != NULL && !arb_expr_equal(*out, item->expr))
            return arb_bind_fail(b, syntax->span, ARB_AMBIGUOUS_COLUMN, "%s \"%.*s\" is ambiguous", clause,
                                 ARB_STR_ARGS(name->text));
        *out = item->expr;
    }
    return ARB_OK;
}

/* A result column by its number or name, else an expression of what the items are made of. */
static arb_code bind_output_key(arb_binder *b, select_binding *s, const arb_ast_expr *syntax, const char *clause,
                                const arb_expr **out)
{
    int64_t ordinal;
    ARB_TRY(arb_bind_ordinal(b, syntax, clause, s->output.items.size, &ordinal));
    if (ordinal >= 0)
        *out = s->output.items.data[ordinal].expr;
    else
        ARB_TRY(find_result(b, s, syntax, clause, out));
    return *out != NULL ? ARB_OK : arb_bind_expr(b, &s->scope, syntax, out);
}

static arb_code bind_items(arb_binder *b, select_binding *s)
{
    for (size_t i = 0; i < s->output.items.size; i++)
        ARB_TRY(arb_bind_select_item(b, &s->scope, &s->output.items.data[i]));
    for (size_t i = 0; i < s->select->distinct_on.size; i++) {
        const arb_expr *expr;
        ARB_TRY(bind_output_key(b, s, s->select->distinct_on.data[i], "DISTINCT ON", &expr));
        ARB_PUSH(b, &s->output.distinct_on, expr);
    }
    return ARB_OK;
}

static arb_code bind_order_key(arb_binder *b, select_binding *s, const arb_ast_sort_key *syntax)
{
    arb_select_key key = {.syntax = syntax, .span = syntax->expr->span};
    ARB_TRY(bind_output_key(b, s, syntax->expr, "ORDER BY", &key.expr));
    ARB_PUSH(b, &s->output.keys, key);
    return ARB_OK;
}

static arb_code bind_order(arb_binder *b, select_binding *s)
{
    if (!s->syntax->order_all) {
        for (size_t i = 0; i < s->syntax->order_by.size; i++)
            ARB_TRY(bind_order_key(b, s, &s->syntax->order_by.data[i]));
        return ARB_OK;
    }
    for (size_t i = 0; i < s->output.items.size; i++) {
        const arb_select_item *item = &s->output.items.data[i];
        ARB_PUSH(b, &s->output.keys,
                 (arb_select_key){.syntax = s->syntax->order_by.data, .expr = item->expr, .span = item->span});
    }
    return ARB_OK;
}

static arb_code bind_having(arb_binder *b, select_binding *s)
{
    if (s->select->having == NULL)
        return ARB_OK;
    return arb_bind_condition(b, &s->scope, s->select->having, "HAVING", &s->having);
}

static arb_code bind_upper_clauses(arb_binder *b, select_binding *s)
{
    const arb_clause list = {
        .name = "SELECT", .aggregates = true, .grouped = true, .selects = true, .pending = &s->select_joins};
    const arb_clause having = {.name = "HAVING", .aggregates = true, .grouped = true, .pending = &s->having_joins};
    const arb_clause order = {
        .name = "ORDER BY", .aggregates = true, .grouped = true, .selects = true, .pending = &s->select_joins};
    arb_code code;
    s->scope.clause = &list;
    ARB_TRY_GOTO(code, bind_items(b, s), done);
    s->scope.clause = &having;
    ARB_TRY_GOTO(code, bind_having(b, s), done);
    s->scope.clause = &order;
    code = bind_order(b, s);
done:
    s->scope.clause = NULL;
    return code;
}

/* ---- putting it together ------------------------------------------------------------------------------------------ */
static arb_code raise_joins(arb_binder *b, const select_binding *s, arb_pending_joins *joins)
{
    for (size_t i = 0; i < joins->size; i++) {
        arb_pending_join *join = &joins->data[i];
        if (join->condition != NULL)
            ARB_TRY(arb_bind_above_groups(b, &s->grouping, join->condition, &join->condition));
        if (join->value.expr != NULL)
            ARB_TRY(arb_bind_above_groups(b, &s->grouping, join->value.expr, &join->value.expr));
    }
    return ARB_OK;
}

static arb_code group(arb_binder *b, select_binding *s)
{
    if (s->select->group_all)
        ARB_TRY(group_by_all(b, s));
    ARB_TRY(arb_bind_join_pending(b, &s->scope.argument_joins, &s->plan));
    ARB_TRY(arb_bind_grouped(b, &s->grouping, &s->plan));
    for (size_t i = 0; i < s->output.items.size; i++)
        ARB_TRY(arb_bind_above_groups(b, &s->grouping, s->output.items.data[i].expr, &s->output.items.data[i].expr));
    for (size_t i = 0; i < s->output.distinct_on.size; i++)
        ARB_TRY(arb_bind_above_groups(b, &s->grouping, s->output.distinct_on.data[i], &s->output.distinct_on.data[i]));
    if (s->having != NULL)
        ARB_TRY(arb_bind_above_groups(b, &s->grouping, s->having, &s->having));
    for (size_t i = 0; i < s->output.keys.size; i++)
        ARB_TRY(arb_bind_above_groups(b, &s->grouping, s->output.keys.data[i].expr, &s->output.keys.data[i].expr));
    ARB_TRY(raise_joins(b, s, &s->having_joins));
    ARB_TRY(raise_joins(b, s, &s->select_joins));
    ARB_TRY(arb_bind_check_correlated(b, &s->grouping));
    if (s->having == NULL)
        return ARB_OK;
    ARB_TRY(arb_bind_join_pending(b, &s->having_joins, &s->plan));
    s->plan = arb_logical_filter(b->query, s->plan, s->having);
    ARB_MADE(b, s->plan);
    return ARB_OK;
}

arb_code arb_bind_select(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte *ctes,
                         const arb_query_request *request, arb_bound_query *out)
{
    arb_bound_from from = {0};
    select_binding s = {
        .syntax = syntax,
        .select = syntax->select,
        .scope = {.parent = parent, .depth = parent != NULL ? parent->depth + 1 : 1, .ctes = ctes},
        .output = {.syntax = syntax, .request = request},
    };
    s.grouping.scope = &s.scope;
    ARB_TRY(refuse_clauses(b, &s));
    ARB_TRY(arb_bind_from(b, s.select, parent, ctes, &from));
    s.plan = from.plan;
    s.scope.names = from.names;
    ARB_TRY(arb_bind_select_items(b, &s.scope, s.select, &s.output.items));
    s.scope.items = &s.output.items;
    ARB_TRY(bind_where(b, &s));
    if (s.select->group_by.size != 0 || s.select->group_all)
        ARB_TRY(bind_group_by(b, &s));
    s.scope.grouping = s.select->group_by.size != 0 ? &s.grouping : NULL;
    ARB_TRY(bind_upper_clauses(b, &s));
    bool grouped = s.select->group_by.size != 0 || s.select->group_all || s.having != NULL;
    if (s.select->group_by.size == 0 && !s.select->group_all)
        ARB_MADE_IF(b, arb_logical_output(b->query, s.plan, &s.grouping.below));
    if (grouped || s.scope.aggregates.size != 0)
        ARB_TRY(group(b, &s));
    ARB_TRY(arb_bind_join_pending(b, &s.select_joins, &s.plan));
    s.output.plan = s.plan;
    return arb_bind_select_output(b, &s.output, out);
}
