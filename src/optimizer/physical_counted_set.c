/* physical_counted_set.c: INTERSECT ALL and EXCEPT ALL, by counting.
 *
 *     REPEAT by least(n0, n1, …)  or  n0 - n1 - …
 *       AGGREGATE count(*) FILTER (WHERE input = i) AS ni GROUP BY all columns
 *         UNION ALL of the inputs, each with its number as a further column
 *
 * What lies below the REPEAT is put together as a logical plan and planned as any other. */
#include "optimizer/physical_internal.h"

/* The input's rows with its number under a new column; positions in `columns` as the set has them, the number last. */
static bool number_input(planner *p, const arb_logical *node, size_t at, arb_set_input *out)
{
    const arb_set_input *input = &node->set.inputs[at];
    size_t count = node->set.column_count, used = 0;
    arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, count + 1);
    arb_column_id *columns = ARB_ARENA_ARRAY(p->arena, arb_column_id, count + 1);
    arb_column_set seen = {0};
    arb_column_id number = arb_query_add_column(p->query, ARB_STR("input"), ARB_TYPE(INTEGER), false);
    arb_value value = {.type = ARB_TYPE(INTEGER), .integer = (arb_int128)at};
    const arb_expr *constant = arb_expr_constant(p->arena, value);
    if (items == NULL || columns == NULL || number == ARB_NO_COLUMN || constant == NULL)
        return arb_planner_no_memory(p) != NULL;
    for (size_t i = 0; i < count; i++) {
        columns[i] = input->columns[i];
        if (arb_column_set_has(&seen, columns[i]))
            continue;
        items[used++] = (arb_named_expr){columns[i], arb_query_column_expr(p->query, columns[i])};
        if (items[used - 1].expr == NULL || !arb_column_set_add(p->query, &seen, columns[i]))
            return arb_planner_no_memory(p) != NULL;
    }
    columns[count] = number;
    items[used++] = (arb_named_expr){number, constant};
    *out = (arb_set_input){arb_logical_project(p->query, input->plan, items, used), columns};
    return out->plan != NULL || arb_planner_no_memory(p) != NULL;
}

static const arb_logical *union_inputs(planner *p, const arb_logical *node, arb_column_id *ids)
{
    size_t count = node->set.column_count;
    arb_set_input *inputs = ARB_ARENA_ARRAY(p->arena, arb_set_input, node->set.input_count);
    if (inputs == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < node->set.input_count; i++)
        if (!number_input(p, node, i, &inputs[i]))
            return NULL;
    for (size_t i = 0; i <= count; i++) {
        const arb_column_info info = *arb_query_column(p->query, inputs[0].columns[i]);
        ids[i] = arb_query_add_column(p->query, info.name, info.type, true);
        if (ids[i] == ARB_NO_COLUMN)
            return arb_planner_no_memory(p);
    }
    const arb_logical *all =
        arb_logical_set(p->query, ARB_SET_UNION, true, ids, count + 1, inputs, node->set.input_count);
    return all != NULL ? all : arb_planner_no_memory(p);
}

static bool make_call(planner *p, size_t at, arb_column_id number, arb_aggregate_call *out)
{
    arb_type type;
    arb_value value = {.type = ARB_TYPE(INTEGER), .integer = (arb_int128)at};
    const arb_expr *column = arb_query_column_expr(p->query, number), *constant = arb_expr_constant(p->arena, value);
    *out = (arb_aggregate_call){.id = arb_query_add_column(p->query, ARB_STR("rows"), ARB_TYPE(BIGINT), false)};
    if (out->id == ARB_NO_COLUMN || column == NULL || constant == NULL ||
        (out->filter = arb_expr_compare(p->arena, ARB_EQUAL, column, constant)) == NULL)
        return arb_planner_no_memory(p) != NULL;
    arb_code code =
        arb_function_bind(ARB_FUNCTION_AGGREGATE, ARB_STR("count"), NULL, 0, &out->function, &type, p->error);
    return code == ARB_OK || arb_planner_failed(p, code) != NULL;
}

/* How often a row comes, from how often each input has it. */
static const arb_expr *repetitions(planner *p, const arb_logical *node, const arb_aggregate_call *calls)
{
    const arb_expr *result = arb_query_column_expr(p->query, calls[0].id);
    arb_str name = node->set.kind == ARB_SET_EXCEPT ? ARB_STR("-") : ARB_STR("least");
    for (size_t i = 1; i < node->set.input_count; i++) {
        const arb_expr *sides[] = {result, arb_query_column_expr(p->query, calls[i].id)};
        arb_argument arguments[] = {{.type = ARB_TYPE(BIGINT)}, {.type = ARB_TYPE(BIGINT)}};
        const arb_function *function;
        arb_type type;
        if (sides[0] == NULL || sides[1] == NULL)
            return arb_planner_no_memory(p);
        arb_code code = arb_function_bind(ARB_FUNCTION_SCALAR, name, arguments, 2, &function, &type, p->error);
        if (code != ARB_OK)
            return arb_planner_failed(p, code);
        result = arb_expr_call(p->arena, function, type, sides, 2);
    }
    return result != NULL ? result : arb_planner_no_memory(p);
}

/* One row for each distinct one, with the counts. */
static const arb_physical_node *plan_counts(planner *p, const arb_logical *node, arb_aggregate_call *calls)
{
    static const filter_wishes none = {0};
    size_t count = node->set.column_count;
    arb_column_id *ids = ARB_ARENA_ARRAY(p->arena, arb_column_id, count + 1);
    arb_named_expr *groups = ARB_ARENA_ARRAY(p->arena, arb_named_expr, count + 1);
    arb_column_set needed = {0};
    const arb_logical *all = ids == NULL || groups == NULL ? arb_planner_no_memory(p) : union_inputs(p, node, ids);
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        groups[i] = (arb_named_expr){node->set.columns[i], arb_query_column_expr(p->query, ids[i])};
        if (groups[i].expr == NULL || !arb_column_set_add(p->query, &needed, groups[i].id))
            return arb_planner_no_memory(p);
    }
    for (size_t i = 0; i < node->set.input_count; i++) {
        if (!make_call(p, i, ids[count], &calls[i]))
            return NULL;
        if (!arb_column_set_add(p->query, &needed, calls[i].id))
            return arb_planner_no_memory(p);
    }
    arb_logical *counted = arb_logical_aggregate(p->query, all, groups, count, calls, node->set.input_count);
    if (counted == NULL)
        return arb_planner_no_memory(p);
    counted->rows = node->rows;
    return arb_planner_make_node(p, counted, &needed, &none);
}

const arb_physical_node *arb_planner_make_counted_set(planner *p, const arb_logical *node)
{
    size_t count = node->set.column_count;
    arb_aggregate_call *calls = ARB_ARENA_ARRAY(p->arena, arb_aggregate_call, node->set.input_count);
    arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, count + 1);
    if (calls == NULL || items == NULL)
        return arb_planner_no_memory(p);
    const arb_physical_node *child = plan_counts(p, node, calls);
    if (child == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        items[i] = (arb_named_expr){node->set.columns[i], arb_query_column_expr(p->query, node->set.columns[i])};
        if (items[i].expr == NULL)
            return arb_planner_no_memory(p);
    }
    items[count].id = arb_query_add_column(p->query, ARB_STR("repetitions"), ARB_TYPE(BIGINT), false);
    items[count].expr = repetitions(p, node, calls);
    if (items[count].id == ARB_NO_COLUMN || items[count].expr == NULL)
        return arb_planner_no_memory(p);
    child = arb_planner_make_project(p, child, items, count + 1, NULL);
    arb_physical_node *repeat =
        child == NULL ? NULL : arb_planner_node(p, ARB_PHYSICAL_REPEAT, 1, child, NULL, node->rows);
    if (repeat != NULL)
        repeat->layout = (arb_layout){count, child->layout.slots};
    return repeat;
}
