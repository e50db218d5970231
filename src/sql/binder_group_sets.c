/* binder_group_sets.c: GROUPING SETS, ROLLUP and CUBE.
 *
 * Every row of the input is taken once for each set, and one AGGREGATE groups by the set's number and by the groups,
 * of which those outside of the set are NULL:
 *
 *     AGGREGATE … GROUP BY CASE WHEN set = 0 OR set = 1 THEN a ELSE NULL END, …, set
 *       CROSS JOIN
 *         the input
 *         VALUES 0, 1, 2
 *
 * The empty set has a row also when there is no input. For its sake the sets are LEFT joined to the input, the aggregates
 * see only rows that are there (`present`), and sets other than the empty one without such a row are dropped. */
#include "sql/binder_internal.h"

arb_code arb_bind_multiply_sets(arb_binder *b, arb_group_sets *sets, const arb_group_sets *more, arb_ast_span span)
{
    arb_group_sets product = {0};
    if (sets->size * more->size > ARB_GROUP_SETS_MAX)
        return arb_bind_fail(b, span, ARB_LIMIT_EXCEEDED, "GROUP BY has more than %d grouping sets",
                             ARB_GROUP_SETS_MAX);
    for (size_t i = 0; i < sets->size; i++) {
        for (size_t k = 0; k < more->size; k++)
            ARB_PUSH(b, &product, sets->data[i] | more->data[k]);
    }
    *sets = product;
    return ARB_OK;
}

static arb_code make_integer(arb_binder *b, int64_t value, const arb_expr **out)
{
    return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(INTEGER), .integer = value}, (arb_ast_span){0}, out);
}

/* set = number, for each set that has the bit (or for those that have none); FALSE when there is no such set. */
static arb_code is_set(arb_binder *b, const arb_grouping *grouping, uint64_t bit, const arb_expr **out)
{
    const arb_expr **terms = ARB_ARENA_ARRAY(b->arena, const arb_expr *, grouping->sets.size), *number, *column;
    size_t count = 0;
    ARB_MADE(b, terms);
    ARB_TRY(arb_bind_column_expr(b, grouping->set_column, (arb_ast_span){0}, &column));
    for (size_t i = 0; i < grouping->sets.size; i++) {
        bool chosen = bit != 0 ? (grouping->sets.data[i] & bit) != 0 : grouping->sets.data[i] == 0;
        if (!chosen)
            continue;
        ARB_TRY(make_integer(b, (int64_t)i, &number));
        ARB_TRY(arb_bind_compare(b, ARB_EQUAL, column, number, (arb_ast_span){0}, &terms[count++]));
    }
    *out = arb_expr_or(b->arena, terms, count);
    ARB_MADE(b, *out);
    return ARB_OK;
}

static bool is_in_all(const arb_grouping *grouping, uint64_t bit)
{
    for (size_t i = 0; i < grouping->sets.size; i++) {
        if ((grouping->sets.data[i] & bit) == 0)
            return false;
    }
    return true;
}

static bool has_empty_set(const arb_grouping *grouping)
{
    for (size_t i = 0; i < grouping->sets.size; i++) {
        if (grouping->sets.data[i] == 0)
            return true;
    }
    return false;
}

static arb_code make_sets(arb_binder *b, const arb_grouping *grouping, const arb_logical **out)
{
    const arb_expr **cells = ARB_ARENA_ARRAY(b->arena, const arb_expr *, grouping->sets.size);
    ARB_MADE(b, cells);
    for (size_t i = 0; i < grouping->sets.size; i++)
        ARB_TRY(make_integer(b, (int64_t)i, &cells[i]));
    *out = arb_logical_values(b->query, &grouping->set_column, 1, cells, grouping->sets.size);
    ARB_MADE(b, *out);
    return ARB_OK;
}

/* The input with a column that is TRUE. */
static arb_code add_present(arb_binder *b, const arb_logical **plan, arb_column_id *out_present)
{
    arb_column_ids ids = {0};
    ARB_MADE_IF(b, arb_logical_output_ids(b->query, *plan, &ids));
    arb_named_expr *items = ARB_ARENA_ARRAY(b->arena, arb_named_expr, ids.size + 1);
    ARB_MADE(b, items);
    for (size_t i = 0; i < ids.size; i++) {
        items[i].id = ids.data[i];
        ARB_TRY(arb_bind_column_expr(b, ids.data[i], (arb_ast_span){0}, &items[i].expr));
    }
    ARB_TRY(arb_bind_new_column(b, ARB_STR("present"), ARB_TYPE(BOOLEAN), false, out_present));
    items[ids.size] = (arb_named_expr){.id = *out_present, .expr = arb_expr_boolean(b->arena, true)};
    ARB_MADE(b, items[ids.size].expr);
    *plan = arb_logical_project(b->query, *plan, items, ids.size + 1);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

static arb_code make_groups(arb_binder *b, const arb_grouping *grouping, arb_named_expr **out)
{
    size_t count = grouping->groups.size;
    *out = ARB_ARENA_ARRAY(b->arena, arb_named_expr, count + 1);
    ARB_MADE(b, *out);
    for (size_t i = 0; i < count; i++) {
        const arb_named_expr *group = &grouping->groups.data[i];
        const arb_expr *children[3] = {NULL, group->expr, NULL};
        ARB_TRY(is_set(b, grouping, UINT64_C(1) << i, &children[0]));
        ARB_TRY(arb_bind_constant(b, arb_value_null(group->expr->type), (arb_ast_span){0}, &children[2]));
        (*out)[i] = *group;
        if (is_in_all(grouping, UINT64_C(1) << i))
            continue;
        (*out)[i].expr = arb_expr_case(b->arena, group->expr->type, children, 3);
        ARB_MADE(b, (*out)[i].expr);
    }
    (*out)[count].id = grouping->set_column;
    return arb_bind_column_expr(b, grouping->set_column, (arb_ast_span){0}, &(*out)[count].expr);
}

/* The aggregates, each only over rows that are present, and last the number of those. */
static arb_code filter_aggregates(arb_binder *b, const arb_grouping *grouping, arb_column_id present,
                                  arb_aggregate_call **out, arb_column_id *out_count)
{
    size_t count = grouping->scope->aggregates.size;
    const arb_expr **column = ARB_ARENA_ARRAY(b->arena, const arb_expr *, 1);
    *out = ARB_ARENA_ARRAY(b->arena, arb_aggregate_call, count + 1);
    ARB_MADE_IF(b, *out != NULL && column != NULL);
    ARB_TRY(arb_bind_column_expr(b, present, (arb_ast_span){0}, column));
    for (size_t i = 0; i < count; i++) {
        arb_aggregate_call *call = &(*out)[i];
        *call = grouping->scope->aggregates.data[i];
        const arb_expr *both[] = {*column, call->filter};
        call->filter = call->filter == NULL ? *column : arb_expr_and(b->arena, both, 2);
        ARB_MADE(b, call->filter);
    }
    arb_aggregate_call *rows = &(*out)[count];
    arb_type type;
    *rows = (arb_aggregate_call){.argument_count = 1, .arguments = column};
    ARB_TRY(arb_bind_arguments(b, ARB_FUNCTION_AGGREGATE, ARB_STR("count"), column, 1, (arb_ast_span){0},
                               &rows->function, &type));
    ARB_TRY(arb_bind_new_column(b, ARB_STR("rows"), type, false, out_count));
    rows->id = *out_count;
    return ARB_OK;
}

/* Drop what stands for no row at all, but for the empty set. */
static arb_code keep_present(arb_binder *b, const arb_grouping *grouping, arb_column_id rows, const arb_logical **plan)
{
    const arb_expr *sides[2], *either[2], *condition;
    ARB_TRY(arb_bind_column_expr(b, rows, (arb_ast_span){0}, &sides[0]));
    ARB_TRY(make_integer(b, 0, &sides[1]));
    ARB_TRY(arb_bind_compare(b, ARB_GREATER, sides[0], sides[1], (arb_ast_span){0}, &either[0]));
    ARB_TRY(is_set(b, grouping, 0, &either[1]));
    condition = arb_expr_or(b->arena, either, 2);
    ARB_MADE(b, condition);
    *plan = arb_logical_filter(b->query, *plan, condition);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

arb_code arb_bind_group_sets(arb_binder *b, arb_grouping *grouping, const arb_logical **plan)
{
    bool has_empty = has_empty_set(grouping);
    size_t aggregate_count = grouping->scope->aggregates.size;
    arb_aggregate_call *aggregates = grouping->scope->aggregates.data;
    arb_column_id present = ARB_NO_COLUMN, rows = ARB_NO_COLUMN;
    const arb_logical *sets;
    arb_named_expr *groups;
    arb_logical *join;
    ARB_TRY(make_sets(b, grouping, &sets));
    ARB_TRY(make_groups(b, grouping, &groups));
    if (has_empty) {
        ARB_TRY(add_present(b, plan, &present));
        ARB_TRY(filter_aggregates(b, grouping, present, &aggregates, &rows));
        aggregate_count++;
        ARB_TRY(arb_bind_join(b, ARB_JOIN_LEFT, sets, *plan, NULL, (arb_ast_span){0}, &join));
    } else {
        ARB_TRY(arb_bind_join(b, ARB_JOIN_INNER, *plan, sets, NULL, (arb_ast_span){0}, &join));
    }
    *plan = arb_logical_aggregate(b->query, join, groups, grouping->groups.size + 1, aggregates, aggregate_count);
    ARB_MADE(b, *plan);
    return has_empty ? keep_present(b, grouping, rows, plan) : ARB_OK;
}

/* ---- GROUPING(…) -------------------------------------------------------------------------------------------------- */
static arb_code find_group(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, uint64_t *out_bit)
{
    const arb_expr *expr;
    ARB_TRY(arb_bind_expr(b, scope, syntax, &expr));
    for (size_t i = 0; i < scope->grouping->groups.size; i++) {
        if (arb_expr_equal(scope->grouping->groups.data[i].expr, expr)) {
            *out_bit = UINT64_C(1) << i % ARB_SET_GROUPS_MAX;
            return ARB_OK;
        }
    }
    return arb_bind_fail(b, syntax->span, ARB_GROUPING, "arguments of GROUPING must be expressions of GROUP BY");
}

/* One bit an argument, the last one lowest: 1 when the row's set does not have it. */
arb_code arb_bind_grouping_call(arb_binder *b, arb_scope *scope, const arb_ast_call *call, const arb_expr **out)
{
    enum { arguments_most = 31 };
    const arb_grouping *grouping = scope->grouping;
    uint64_t bits[arguments_most];
    size_t count = call->arguments.size, sets = grouping != NULL ? grouping->sets.size : 0;
    if (grouping == NULL || scope->clause == NULL || !scope->clause->aggregates)
        return arb_bind_fail(b, call->base.span, ARB_GROUPING, "GROUPING needs a GROUP BY clause before it");
    if (count == 0 || count > arguments_most)
        return arb_bind_fail(b, call->base.span, ARB_UNDEFINED_FUNCTION, "GROUPING takes 1 to %d arguments",
                             arguments_most);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(find_group(b, scope, call->arguments.data[i].value, &bits[i]));
    scope->aggregate_uses++;
    if (!grouping->has_sets)
        return make_integer(b, 0, out);
    const arb_expr **children = ARB_ARENA_ARRAY(b->arena, const arb_expr *, 2 * sets + 1), *column, *number;
    ARB_MADE(b, children);
    ARB_TRY(arb_bind_column_expr(b, grouping->set_column, call->base.span, &column));
    for (size_t i = 0; i < sets; i++) {
        int64_t value = 0;
        for (size_t k = 0; k < count; k++)
            value = value * 2 + ((grouping->sets.data[i] & bits[k]) == 0);
        ARB_TRY(make_integer(b, (int64_t)i, &number));
        ARB_TRY(arb_bind_compare(b, ARB_EQUAL, column, number, call->base.span, &children[2 * i]));
        ARB_TRY(make_integer(b, value, &children[2 * i + 1]));
    }
    ARB_TRY(arb_bind_constant(b, arb_value_null(ARB_TYPE(INTEGER)), call->base.span, &children[2 * sets]));
    *out = arb_expr_case(b->arena, ARB_TYPE(INTEGER), children, 2 * sets + 1);
    ARB_MADE(b, *out);
    return ARB_OK;
}
