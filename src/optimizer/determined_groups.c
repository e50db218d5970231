/* determined_groups.c: groups that others determine are no groups.
 *
 *   GROUP BY c.id, c.name, n.name    with c.id a key of c, n.id one of n, and c.nation = n.id
 *   GROUP BY c.id CARRYING c.name, n.name
 *
 * All rows of a group of the fewer columns agree in the others, which are then carried along (one row's values are kept)
 * instead of being hashed and compared, or go when nobody asks for them. What determines what is proved by the plan
 * alone: declared keys without NULLs, groups of aggregations below, conditions that let only equal values pass,
 * expressions. Statistics prove nothing.
 *
 * A fact says that rows which agree in some columns (NULLs being equal) agree in another one. Above an outer join, rows
 * that are filled up with NULLs are new: a fact about that side holds on if one of its columns is never NULL there, since
 * it then tells these rows from the others. */
#include "optimizer/rule.h"

typedef struct fact {
    arb_column_set from;
    arb_column_id to;
} fact;

typedef struct fact_list {
    ARB_VEC(fact) facts; /* arena */
} fact_list;

static bool add_fact(arb_query *query, fact_list *list, const arb_column_set *from, arb_column_id to)
{
    return ARB_ARENA_PUSH(query->arena, &list->facts, (fact){*from, to});
}

/* Are all these columns' values the same wherever they are grouped together? */
static bool all_exact(arb_query *query, const arb_column_set *columns)
{
    for (arb_column_id id = arb_column_set_next(columns, 0); id != ARB_NO_COLUMN;
         id = arb_column_set_next(columns, id + 1))
        if (!arb_type_groups_exactly(arb_query_column(query, id)->type))
            return false;
    return true;
}

/* The expression's columns determine it. One that is worked out from values that only count as equal may differ. */
static bool add_expr(arb_query *query, fact_list *list, const arb_expr *expr, arb_column_id to)
{
    arb_column_set from = {0};
    if (!arb_expr_deterministic(expr))
        return true;
    if (!arb_expr_columns(query, expr, &from))
        return false;
    return (expr->kind != ARB_EXPR_COLUMN && !all_exact(query, &from)) || add_fact(query, list, &from, to);
}

/* A column under another id. */
static bool add_item(arb_query *query, fact_list *list, const arb_named_expr *item)
{
    arb_column_set from = {0};
    if (!add_expr(query, list, item->expr, item->id))
        return false;
    return item->expr->kind != ARB_EXPR_COLUMN || item->expr->column == item->id ||
           (arb_column_set_add(query, &from, item->id) && add_fact(query, list, &from, item->expr->column));
}

/* Rows pass in which both sides are equal (or both NULL). */
static bool add_condition(arb_query *query, fact_list *list, const arb_expr *condition)
{
    for (size_t i = 0; condition != NULL && i < arb_expr_conjunct_count(condition); i++) {
        const arb_expr *conjunct = arb_expr_conjunct(condition, i);
        if (conjunct->kind != ARB_EXPR_COMPARE ||
            (conjunct->compare != ARB_EQUAL && conjunct->compare != ARB_NOT_DISTINCT))
            continue;
        for (size_t side = 0; side < 2; side++) {
            const arb_expr *to = conjunct->children[side], *from = conjunct->children[1 - side];
            if (to->kind == ARB_EXPR_COLUMN && !add_expr(query, list, from, to->column))
                return false;
        }
    }
    return true;
}

static bool add_scan(arb_query *query, fact_list *list, const arb_logical *scan)
{
    const arb_table *table = scan->scan.table;
    for (size_t k = 0; k < table->key_count; k++) {
        arb_column_set key = {0};
        bool usable;
        if (!arb_scan_key_columns(query, scan, &table->keys[k], &key, &usable))
            return false;
        for (size_t i = 0; usable && i < scan->scan.column_count; i++)
            if (!add_fact(query, list, &key, scan->scan.columns[i].id))
                return false;
    }
    return add_condition(query, list, scan->scan.filter);
}

static bool add_node(arb_query *query, fact_list *list, const arb_logical *node);

/* The facts of a side that may be filled up with NULLs. */
static bool add_filled_side(arb_query *query, fact_list *list, const arb_logical *side)
{
    fact_list own = {0};
    arb_column_set output = {0}, nullable = {0};
    if (!add_node(query, &own, side) || !arb_logical_output(query, side, &output) ||
        !arb_logical_nullable_columns(query, side, &nullable))
        return false;
    arb_column_set_remove_all(&output, &nullable);
    for (size_t i = 0; i < own.facts.size; i++) {
        const fact *known = &own.facts.data[i];
        if (arb_column_set_intersects(&known->from, &output) && !add_fact(query, list, &known->from, known->to))
            return false;
    }
    return true;
}

/* Where a left row has one match at most, what the condition reads of it determines the match. */
static bool add_match(arb_query *query, fact_list *list, const arb_logical *join)
{
    arb_column_set keys = {0}, from = {0}, left = {0}, right = {0};
    bool unique = join->join.kind == ARB_JOIN_SINGLE;
    const arb_expr *condition = join->join.condition;
    if (condition != NULL && !arb_expr_deterministic(condition))
        return true;
    if (!unique &&
        (!arb_join_right_keys(query, join, &keys) || !arb_logical_unique(query, join->children[1], &keys, &unique)))
        return false;
    if (!unique)
        return true;
    if ((condition != NULL && !arb_expr_columns(query, condition, &from)) ||
        !arb_logical_output(query, join->children[0], &left) || !arb_logical_output(query, join->children[1], &right))
        return false;
    arb_column_set_retain_all(&from, &left);
    if (!all_exact(query, &from))
        return true;
    for (arb_column_id id = arb_column_set_next(&right, 0); id != ARB_NO_COLUMN;
         id = arb_column_set_next(&right, id + 1))
        if (!add_fact(query, list, &from, id))
            return false;
    return true;
}

static bool add_join(arb_query *query, fact_list *list, const arb_logical *join)
{
    const arb_logical *left = join->children[0], *right = join->children[1];
    if (join->join.dependent)
        return true;
    switch ((arb_join_kind)join->join.kind) {
    case ARB_JOIN_INNER:
        return add_node(query, list, left) && add_node(query, list, right) &&
               add_condition(query, list, join->join.condition);
    case ARB_JOIN_LEFT:
    case ARB_JOIN_SINGLE:
        return add_node(query, list, left) && add_filled_side(query, list, right) && add_match(query, list, join);
    case ARB_JOIN_RIGHT:
        return add_filled_side(query, list, left) && add_node(query, list, right);
    case ARB_JOIN_FULL:
        return add_filled_side(query, list, left) && add_filled_side(query, list, right);
    case ARB_JOIN_SEMI:
    case ARB_JOIN_ANTI:
    case ARB_JOIN_MARK:
        return add_node(query, list, left);
    }
    return true;
}

/* The groups determine all that an aggregation gives, and what holds for its input's columns holds for the groups. */
static bool add_aggregate(arb_query *query, fact_list *list, const arb_logical *node)
{
    arb_column_set groups = {0};
    if (!add_node(query, list, node->children[0]))
        return false;
    for (size_t i = 0; i < node->aggregate.group_count; i++)
        if (!arb_column_set_add(query, &groups, node->aggregate.groups[i].id) ||
            !add_item(query, list, &node->aggregate.groups[i]))
            return false;
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++)
        if (!add_fact(query, list, &groups, node->aggregate.aggregates[i].id))
            return false;
    return true;
}

/* Shared plans give nothing: their columns may come twice, from different rows. */
static bool add_node(arb_query *query, fact_list *list, const arb_logical *node)
{
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        return add_scan(query, list, node);
    case ARB_LOGICAL_FILTER:
        return add_node(query, list, node->children[0]) && add_condition(query, list, node->filter.condition);
    case ARB_LOGICAL_PROJECT:
        if (!add_node(query, list, node->children[0]))
            return false;
        for (size_t i = 0; i < node->project.item_count; i++)
            if (!add_item(query, list, &node->project.items[i]))
                return false;
        return true;
    case ARB_LOGICAL_AGGREGATE:
        return add_aggregate(query, list, node);
    case ARB_LOGICAL_JOIN:
        return add_join(query, list, node);
    case ARB_LOGICAL_SORT:
    case ARB_LOGICAL_LIMIT:
    case ARB_LOGICAL_GROUP_LIMIT:
        return add_node(query, list, node->children[0]);
    default:
        return true;
    }
}

/* Add all that the columns of the set determine. */
static bool close_set(arb_query *query, const fact_list *list, arb_column_set *set)
{
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = 0; i < list->facts.size; i++) {
            const fact *known = &list->facts.data[i];
            if (arb_column_set_has(set, known->to) || !arb_column_set_contains(set, &known->from))
                continue;
            if (!arb_column_set_add(query, set, known->to))
                return false;
            grew = true;
        }
    }
    return true;
}

/* Which groups to do without first: those that cost most to compare, and of these the last. */
static unsigned cost_of(arb_type type)
{
    return arb_type_is_nested(type)                     ? 3
           : arb_type_is_text(type)                     ? 2
           : arb_type_physical(type) == ARB_PHYS_INT128 ? 1
                                                        : 0;
}

/* Mark groups that the others determine. */
static bool mark_determined(arb_query *query, const fact_list *list, const arb_logical *node, bool *determined,
                            size_t *out_count)
{
    size_t count = node->aggregate.group_count;
    *out_count = 0;
    for (unsigned cost = 4; cost-- > 0;) {
        for (size_t g = count; g-- > 0 && *out_count + 1 < count;) {
            const arb_named_expr *group = &node->aggregate.groups[g];
            arb_column_set others = {0};
            if (cost_of(group->expr->type) != cost)
                continue;
            for (size_t i = 0; i < count; i++)
                if (i != g && !determined[i] && !arb_column_set_add(query, &others, node->aggregate.groups[i].id))
                    return false;
            if (!close_set(query, list, &others))
                return false;
            determined[g] = arb_column_set_has(&others, group->id);
            *out_count += determined[g];
        }
    }
    return true;
}

/* The aggregation with the marked groups at the end. */
static const arb_logical *carry(arb_query *query, const arb_logical *node, const bool *determined, size_t carried)
{
    size_t count = node->aggregate.group_count, at = 0;
    arb_named_expr *groups = ARB_ARENA_ARRAY(query->arena, arb_named_expr, count);
    if (groups == NULL)
        return NULL;
    for (int last = 0; last < 2; last++)
        for (size_t i = 0; i < count; i++)
            if (determined[i] == (last != 0))
                groups[at++] = node->aggregate.groups[i];
    arb_logical *made = arb_logical_aggregate(query, node->children[0], groups, count, node->aggregate.aggregates,
                                              node->aggregate.aggregate_count);
    if (made != NULL)
        made->aggregate.carried_count = carried;
    return made;
}

static const arb_logical *use_facts(arb_rule_context *rule, void *context, const arb_logical *node)
{
    fact_list list = {0};
    size_t groups = node->kind == ARB_LOGICAL_AGGREGATE ? node->aggregate.group_count : 0, carried;
    (void)context;
    if (groups < 2 || node->aggregate.carried_count != 0)
        return node;
    bool *determined = ARB_ARENA_ARRAY(rule->query->arena, bool, groups);
    if (determined == NULL || !add_node(rule->query, &list, node->children[0]))
        return NULL;
    for (size_t i = 0; i < groups; i++)
        if (!add_item(rule->query, &list, &node->aggregate.groups[i]))
            return NULL;
    if (!mark_determined(rule->query, &list, node, determined, &carried))
        return NULL;
    return carried == 0 ? node : carry(rule->query, node, determined, carried);
}

const arb_logical *arb_rule_determined_groups(arb_rule_context *rule, const arb_logical *root)
{
    return arb_rule_transform(rule, root, use_facts, NULL);
}
