/* binder_group.c: expressions above a GROUP BY.
 *
 * They were bound to the columns of the FROM clause. Here every part of them that equals a group becomes the group's
 * column; a column that is left over is an error. A group that is a plain column keeps its id, so subqueries that use
 * it need no change. */
#include "sql/binder_internal.h"

arb_code arb_bind_group(arb_binder *b, arb_grouping *grouping, arb_str name, const arb_expr *expr, size_t *out_index)
{
    arb_named_expr group = {.id = ARB_NO_COLUMN};
    ARB_TRY(arb_bind_settle(b, expr, &group.expr));
    for (size_t i = 0; i < grouping->groups.size; i++) {
        *out_index = i;
        if (arb_expr_equal(grouping->groups.data[i].expr, group.expr))
            return ARB_OK;
    }
    *out_index = grouping->groups.size;
    if (!grouping->has_sets && group.expr->kind == ARB_EXPR_COLUMN &&
        arb_column_set_has(&grouping->below, group.expr->column))
        group.id = group.expr->column;
    else
        ARB_TRY(arb_bind_new_column(b, name, group.expr->type, true, &group.id));
    ARB_MADE_IF(b, arb_column_set_add(b->query, &grouping->given, group.id));
    ARB_PUSH(b, &grouping->groups, group);
    return ARB_OK;
}

arb_code arb_bind_grouped(arb_binder *b, arb_grouping *grouping, const arb_logical **plan)
{
    const arb_scope *scope = grouping->scope;
    for (size_t i = 0; i < scope->aggregates.size; i++)
        ARB_MADE_IF(b, arb_column_set_add(b->query, &grouping->given, scope->aggregates.data[i].id));
    if (grouping->has_sets)
        return arb_bind_group_sets(b, grouping, plan);
    *plan = arb_logical_aggregate(b->query, *plan, grouping->groups.data, grouping->groups.size, scope->aggregates.data,
                                  scope->aggregates.size);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

/* As the FROM clause calls it. */
static arb_str name_of(const arb_binder *b, const arb_grouping *grouping, arb_column_id id)
{
    const arb_namespace *names = &grouping->scope->names;
    for (size_t i = 0; i < names->columns.size; i++) {
        const arb_expr *expr = names->columns.data[i].expr;
        if (expr->kind == ARB_EXPR_COLUMN && expr->column == id)
            return names->columns.data[i].name;
    }
    return arb_query_column(b->query, id)->name;
}

static bool is_ungrouped(const arb_grouping *grouping, arb_column_id id)
{
    return arb_column_set_has(&grouping->below, id) && !arb_column_set_has(&grouping->given, id);
}

arb_code arb_bind_above_groups(arb_binder *b, const arb_grouping *grouping, const arb_expr *expr, const arb_expr **out)
{
    *out = expr;
    if (expr->kind == ARB_EXPR_CONSTANT)
        return ARB_OK;
    for (size_t i = 0; i < grouping->groups.size; i++) {
        const arb_named_expr *group = &grouping->groups.data[i];
        if (!arb_expr_equal(group->expr, expr))
            continue;
        arb_expr *column = arb_query_column_expr(b->query, group->id);
        ARB_MADE(b, column);
        column->position = expr->position;
        *out = column;
        return ARB_OK;
    }
    if (expr->kind == ARB_EXPR_COLUMN) {
        if (!is_ungrouped(grouping, expr->column))
            return ARB_OK;
        arb_fail(b->error, ARB_GROUPING,
                 "column \"%.*s\" must appear in the GROUP BY clause or be used in an aggregate function",
                 ARB_STR_ARGS(name_of(b, grouping, expr->column)));
        return arb_error_at(b->error, ARB_GROUPING, expr->position);
    }
    const arb_expr **children = ARB_ARENA_ARRAY(b->arena, const arb_expr *, expr->child_count);
    bool changed = false;
    ARB_MADE(b, children);
    for (size_t i = 0; i < expr->child_count; i++) {
        ARB_TRY(arb_bind_above_groups(b, grouping, expr->children[i], &children[i]));
        changed |= children[i] != expr->children[i];
    }
    if (changed)
        *out = arb_expr_with_children(b->arena, expr, children);
    ARB_MADE(b, *out);
    return ARB_OK;
}

arb_code arb_bind_check_correlated(arb_binder *b, const arb_grouping *grouping)
{
    for (size_t i = 0; i < grouping->scope->correlated.size; i++) {
        const arb_correlated_use *use = &grouping->scope->correlated.data[i];
        if (!is_ungrouped(grouping, use->id))
            continue;
        if (grouping->has_sets) {
            arb_fail(b->error, ARB_NOT_SUPPORTED,
                     "a subquery that uses columns of a query with GROUPING SETS is not supported");
            return arb_error_at(b->error, ARB_NOT_SUPPORTED, use->position);
        }
        arb_fail(b->error, ARB_GROUPING,
                 "a subquery uses column \"%.*s\" of the query around it, which must appear in its GROUP BY clause",
                 ARB_STR_ARGS(name_of(b, grouping, use->id)));
        return arb_error_at(b->error, ARB_GROUPING, use->position);
    }
    return ARB_OK;
}
