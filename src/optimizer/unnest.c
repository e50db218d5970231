/* unnest.c: dependent joins become plain ones, so that no subquery is run once a row.
 *
 * A join is dependent when its right side uses columns of its left side. They are treated bottom-up: when a join's turn
 * comes, its right side holds no dependent join any more, though it may use columns of joins further out, whose turn
 * comes later. Three ways, the first that is possible:
 *
 *   1. The right side computes one row from outer values alone (SELECT a + l.b): its items are added to the left rows.
 *   2. What correlates is conditions that can be pulled up into the join (unnest_pull.c).
 *   3. The subquery is worked out for the domain of outer values (unnest_domain.c), and joined on them.
 *
 * For 2 with an aggregate without groups the subquery gives a row for every left row; so whatever the join was, it
 * becomes a LEFT join that finds the group, a PROJECT that puts in what the aggregates give for no rows (the "count bug"),
 * and a FILTER for a condition that was the join's. */
#include "optimizer/unnest.h"

static const arb_logical *plain_join(arb_rule_context *rule, const arb_logical *join, const arb_logical *left,
                                     const arb_logical *right, const arb_expr *condition)
{
    arb_logical *copy = arb_logical_copy(rule->query, join);
    if (copy == NULL || left == NULL || right == NULL)
        return NULL;
    copy->children[0] = left;
    copy->children[1] = right;
    copy->join.condition = condition;
    copy->join.dependent = false;
    return copy;
}

/* ---- 1: one row of outer values --------------------------------------------------------------------------------- */

static bool is_one_row(const arb_logical *node)
{
    return node->kind == ARB_LOGICAL_VALUES && node->values.row_count == 1 && node->values.column_count == 0;
}

static bool computes_one_row(const arb_logical *join)
{
    const arb_logical *right = join->children[1];
    bool kind =
        join->join.kind == ARB_JOIN_INNER || join->join.kind == ARB_JOIN_LEFT || join->join.kind == ARB_JOIN_SINGLE;
    return kind && join->join.condition == NULL && right->kind == ARB_LOGICAL_PROJECT && is_one_row(right->children[0]);
}

/* ---- 2: conditions pulled up ------------------------------------------------------------------------------------ */

/* In a join that tells NULL from FALSE only the comparison of IN may give NULL: a row whose correlating condition is
 * NULL is not in the subquery at all. So the pulled conditions are made never NULL. */
static bool settle_nulls(arb_rule_context *rule, const arb_logical *join, arb_pulled *pulled)
{
    arb_query *query = rule->query;
    arb_column_set nullable = {0}, left = {0}, right = {0};
    arb_conjuncts not_null = {0};
    if (!arb_logical_nullable_columns(query, join->children[0], &nullable) ||
        !arb_logical_nullable_columns(query, pulled->plan, &nullable) ||
        !arb_logical_output(query, join->children[0], &left) || !arb_logical_output(query, pulled->plan, &right))
        return false;
    for (size_t i = 0; i < pulled->conditions.size; i++) {
        const arb_expr *conjunct = pulled->conditions.data[i], *left_side, *right_side;
        const arb_logical *const inputs[] = {join->children[0], pulled->plan};
        if (!arb_outer_columns(query, conjunct, inputs, 2, &nullable))
            return false;
        if (!arb_expr_nullable(conjunct, &nullable))
            continue;
        if (arb_conjunct_equates(query, conjunct, &left, &right, &left_side, &right_side)) {
            const arb_expr *is_null = arb_expr_is_null(query->arena, right_side);
            const arb_expr *present = is_null != NULL ? arb_expr_not(query->arena, is_null) : NULL;
            if (present == NULL || !arb_conjuncts_add(query, &not_null, present))
                return false;
            conjunct = arb_expr_compare(query->arena, ARB_NOT_DISTINCT, left_side, right_side);
        } else {
            const arb_expr *parts[] = {conjunct, arb_expr_boolean(query->arena, false)};
            conjunct = parts[1] != NULL ? arb_expr_coalesce(query->arena, ARB_TYPE(BOOLEAN), parts, 2) : NULL;
        }
        if (conjunct == NULL)
            return false;
        pulled->conditions.data[i] = conjunct;
    }
    pulled->plan = arb_conjuncts_filter(query, pulled->plan, &not_null);
    return pulled->plan != NULL;
}

static const arb_logical *join_pulled(arb_rule_context *rule, const arb_logical *join, arb_pulled *pulled)
{
    arb_conjuncts all = {0};
    const arb_expr *condition;
    if (join->join.null_aware && !settle_nulls(rule, join, pulled))
        return NULL;
    if (!arb_conjuncts_add(rule->query, &all, join->join.condition))
        return NULL;
    for (size_t i = 0; i < pulled->conditions.size; i++) {
        if (!arb_conjuncts_add(rule->query, &all, pulled->conditions.data[i]))
            return NULL;
    }
    if (!arb_conjuncts_condition(rule->query, &all, &condition))
        return NULL;
    return plain_join(rule, join, join->children[0], pulled->plan, condition);
}

/* What the left side gives as it is; what the right side gave, from its copy, with pads where no group was found. */
static const arb_logical *pad_items(arb_rule_context *rule, const arb_logical *join, const arb_logical *left,
                                    const arb_pulled *pulled, const arb_column_id *map, arb_column_id found)
{
    arb_query *query = rule->query;
    arb_column_ids given = {0};
    ARB_VEC(arb_named_expr) items = {0};
    if (!arb_logical_output_ids(query, left, &given))
        return NULL;
    size_t left_count = given.size;
    if (!arb_logical_output_ids(query, pulled->plan, &given))
        return NULL;
    for (size_t i = 0; i < given.size; i++) {
        arb_column_id id = given.data[i], own = i < left_count ? id : map[id];
        arb_named_expr item = {.id = id, .expr = arb_query_column_expr(query, own)};
        for (size_t k = 0; k < pulled->pads.size && item.expr != NULL; k++) {
            if (pulled->pads.data[k].id != id)
                continue;
            const arb_expr *mark = arb_query_column_expr(query, found);
            const arb_expr *parts[] = {mark != NULL ? arb_expr_is_null(query->arena, mark) : NULL,
                                       pulled->pads.data[k].expr, item.expr};
            item.expr = parts[0] != NULL ? arb_expr_case(query->arena, item.expr->type, parts, 3) : NULL;
        }
        if (item.expr == NULL || !ARB_ARENA_PUSH(query->arena, &items, item))
            return NULL;
    }
    return arb_logical_project(query, join, items.data, items.size);
}

/* Find each left row's group, or its pads. With pads the right side is copied under new ids, since its old ones are
 * those of the PROJECT that puts the pads in. */
static const arb_logical *pad(arb_rule_context *rule, const arb_logical *left, const arb_pulled *pulled)
{
    arb_query *query = rule->query;
    size_t map_size = query->columns.size, count = 0;
    arb_conjuncts list = pulled->conditions;
    const arb_expr *condition;
    if (!arb_conjuncts_condition(query, &list, &condition))
        return NULL;
    if (pulled->pads.size == 0)
        return arb_logical_join(query, ARB_JOIN_LEFT, left, pulled->plan, condition);
    arb_column_id *map = ARB_ARENA_ARRAY(query->arena, arb_column_id, map_size);
    arb_named_expr *renamed = ARB_ARENA_ARRAY(query->arena, arb_named_expr, map_size);
    arb_named_expr found = {.id = arb_query_add_column(query, ARB_STR("found"), ARB_TYPE(BOOLEAN), false),
                            .expr = arb_expr_boolean(query->arena, true)};
    if (map == NULL || renamed == NULL || found.id == ARB_NO_COLUMN || found.expr == NULL)
        return NULL;
    const arb_logical *right = arb_rule_clone(rule, pulled->plan, map, map_size);
    if (right == NULL || (right = arb_rule_add_items(rule, right, &found, 1)) == NULL)
        return NULL;
    for (size_t i = 0; i < map_size; i++) {
        if (map[i] == ARB_NO_COLUMN)
            continue;
        renamed[count] = (arb_named_expr){.id = (arb_column_id)i, .expr = arb_query_column_expr(query, map[i])};
        if (renamed[count++].expr == NULL)
            return NULL;
    }
    if (condition != NULL && (condition = arb_expr_substitute(query, condition, renamed, count)) == NULL)
        return NULL;
    const arb_logical *join = arb_logical_join(query, ARB_JOIN_LEFT, left, right, condition);
    return join != NULL ? pad_items(rule, join, left, pulled, map, found.id) : NULL;
}

static const arb_expr *without_null(arb_query *query, const arb_expr *condition)
{
    const arb_expr *parts[] = {condition, arb_expr_boolean(query->arena, false)};
    return parts[1] != NULL ? arb_expr_coalesce(query->arena, ARB_TYPE(BOOLEAN), parts, 2) : NULL;
}

/* Each left row has exactly one row of the subquery: what the join asked becomes a filter or an item. */
static const arb_logical *join_padded(arb_rule_context *rule, const arb_logical *join, const arb_pulled *pulled)
{
    arb_query *query = rule->query;
    const arb_expr *condition = join->join.condition;
    const arb_logical *node = pad(rule, join->children[0], pulled);
    if (node == NULL || (condition == NULL && (condition = arb_expr_boolean(query->arena, true)) == NULL))
        return NULL;
    if (!join->join.null_aware && join->join.kind != ARB_JOIN_INNER && join->join.kind != ARB_JOIN_SEMI &&
        (condition = without_null(query, condition)) == NULL)
        return NULL;
    if (join->join.kind == ARB_JOIN_MARK) {
        arb_named_expr mark = {.id = join->join.mark, .expr = condition};
        return arb_rule_add_items(rule, node, &mark, 1);
    }
    if (join->join.kind == ARB_JOIN_ANTI && (condition = arb_expr_not(query->arena, condition)) == NULL)
        return NULL;
    return join->join.condition == NULL && join->join.kind != ARB_JOIN_ANTI
               ? node
               : arb_logical_filter(query, node, condition);
}

/* ---- 3: the domain ---------------------------------------------------------------------------------------------- */

/* A subplan that several places read. */
static arb_shared *share(arb_rule_context *rule, const arb_logical *plan)
{
    arb_query *query = rule->query;
    arb_shared *shared = ARB_ARENA_NEW(query->arena, arb_shared);
    if (shared == NULL)
        return NULL;
    shared->number = (uint32_t)query->shared.size;
    shared->plan = plan;
    shared->uses = 2;
    return ARB_ARENA_PUSH(query->arena, &query->shared, shared) ? shared : NULL;
}

static bool look_for_volatile(void *context, const arb_expr *expr)
{
    if (expr->kind == ARB_EXPR_CALL && expr->function->is_volatile)
        *(bool *)context = true;
    return true;
}

/* May it be worked out twice? Then what it computes must also come out the same. */
static bool is_cheap(const arb_logical *node)
{
    bool is_volatile = false;
    for (; node->kind == ARB_LOGICAL_FILTER || node->kind == ARB_LOGICAL_PROJECT; node = node->children[0])
        arb_logical_walk_exprs(node, look_for_volatile, &is_volatile);
    arb_logical_walk_exprs(node, look_for_volatile, &is_volatile);
    if (is_volatile)
        return false;
    return node->kind == ARB_LOGICAL_SCAN || node->kind == ARB_LOGICAL_VALUES || node->kind == ARB_LOGICAL_SHARED;
}

/* The left side is read twice, for its rows and for the domain: cheap ones are repeated, others are shared. A shared
 * plan must not use outer columns itself. */
static const arb_logical *left_and_domain(arb_rule_context *rule, const arb_logical *left, arb_column_ids columns,
                                          arb_domain *out)
{
    arb_query *query = rule->query;
    size_t map_size = query->columns.size;
    arb_column_id *map = ARB_ARENA_ARRAY(query->arena, arb_column_id, map_size);
    arb_column_id *sources = ARB_ARENA_ARRAY(query->arena, arb_column_id, columns.size);
    arb_column_set free_columns = {0};
    if (map == NULL || sources == NULL || !arb_logical_free_columns(query, left, &free_columns))
        return NULL;
    const arb_logical *copy = arb_rule_clone(rule, left, map, map_size);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < columns.size; i++)
        sources[i] = map[columns.data[i]];
    *out = (arb_domain){.plan = copy, .count = columns.size, .columns = columns.data, .sources = sources};
    if (is_cheap(left) || !arb_column_set_is_empty(&free_columns))
        return left;
    arb_column_ids given = {0};
    arb_shared *shared = share(rule, copy);
    arb_column_id *fresh = ARB_ARENA_ARRAY(query->arena, arb_column_id, columns.size);
    if (shared == NULL || fresh == NULL || !arb_logical_output_ids(query, left, &given))
        return NULL;
    for (size_t i = 0; i < columns.size; i++) {
        arb_column_info info = *arb_query_column(query, columns.data[i]);
        fresh[i] = arb_query_add_column(query, info.name, info.type, true);
        if (fresh[i] == ARB_NO_COLUMN)
            return NULL;
    }
    arb_column_id *inner = ARB_ARENA_ARRAY(query->arena, arb_column_id, given.size);
    if (inner == NULL)
        return NULL;
    for (size_t i = 0; i < given.size; i++)
        inner[i] = map[given.data[i]];
    out->plan = arb_logical_shared(query, shared, fresh, sources, columns.size);
    out->sources = fresh;
    return out->plan != NULL ? arb_logical_shared(query, shared, given.data, inner, given.size) : NULL;
}

static const arb_logical *join_domain(arb_rule_context *rule, const arb_logical *join, const arb_column_set *outer)
{
    arb_query *query = rule->query;
    arb_column_ids columns = {0};
    arb_domain domain;
    for (arb_column_id id = arb_column_set_next(outer, 0); id != ARB_NO_COLUMN;
         id = arb_column_set_next(outer, id + 1)) {
        if (!ARB_ARENA_PUSH(query->arena, &columns, id))
            return NULL;
    }
    arb_column_id *ids = ARB_ARENA_ARRAY(query->arena, arb_column_id, columns.size);
    const arb_logical *left = left_and_domain(rule, join->children[0], columns, &domain);
    const arb_logical *right =
        left != NULL && ids != NULL ? arb_unnest_push_domain(rule, &domain, join->children[1], ids) : NULL;
    arb_conjuncts all = {0};
    const arb_expr *condition;
    if (right == NULL || !arb_conjuncts_add(query, &all, join->join.condition))
        return NULL;
    for (size_t i = 0; i < columns.size; i++) {
        const arb_expr *a = arb_query_column_expr(query, columns.data[i]), *b = arb_query_column_expr(query, ids[i]);
        const arb_expr *equal = a != NULL && b != NULL ? arb_expr_compare(query->arena, ARB_NOT_DISTINCT, a, b) : NULL;
        if (equal == NULL || !arb_conjuncts_add(query, &all, equal))
            return NULL;
    }
    if (!arb_conjuncts_condition(query, &all, &condition))
        return NULL;
    return plain_join(rule, join, left, right, condition);
}

/* ---- the rule --------------------------------------------------------------------------------------------------- */

/* EXISTS asks for a row, not for how many: a LIMIT of at least one row changes nothing. */
static const arb_logical *without_limits(const arb_logical *join, const arb_logical *right)
{
    bool exists =
        join->join.kind == ARB_JOIN_SEMI || join->join.kind == ARB_JOIN_ANTI || join->join.kind == ARB_JOIN_MARK;
    while (exists && join->join.condition == NULL) {
        if (right->kind == ARB_LOGICAL_LIMIT && right->limit.count != 0 && right->limit.offset == 0)
            right = right->children[0];
        else if (right->kind == ARB_LOGICAL_SORT && right->sort.limit != 0 && right->sort.offset == 0)
            right = right->children[0];
        else
            break;
    }
    return right;
}

static const arb_logical *unnest_join(arb_rule_context *rule, void *context, const arb_logical *node)
{
    (void)context;
    arb_query *query = rule->query;
    if (node->kind != ARB_LOGICAL_JOIN)
        return node;
    arb_column_set outer = {0}, left = {0};
    arb_logical *join = arb_logical_copy(query, node);
    if (join == NULL || !arb_logical_free_columns(query, node->children[1], &outer) ||
        !arb_logical_output(query, node->children[0], &left))
        return NULL;
    arb_column_set_retain_all(&outer, &left);
    join->join.dependent = false;
    if (arb_column_set_is_empty(&outer))
        return node->join.dependent ? join : node;
    if (node->join.kind == ARB_JOIN_RIGHT || node->join.kind == ARB_JOIN_FULL)
        return arb_rule_refuse(rule, ARB_NOT_SUPPORTED,
                               "the right side of a RIGHT or FULL join must not use columns of its left side");
    join->children[1] = arb_melt_limits(rule, without_limits(join, join->children[1]));
    if (join->children[1] == NULL)
        return NULL;
    if (computes_one_row(join))
        return arb_rule_add_items(rule, join->children[0], join->children[1]->project.items,
                                  join->children[1]->project.item_count);
    arb_pulled pulled;
    bool possible;
    if (!arb_unnest_pull(rule, join->children[1], &outer, &pulled, &possible))
        return NULL;
    if (possible && !pulled.padded)
        return join_pulled(rule, join, &pulled);
    bool single_row =
        join->join.condition == NULL || (join->join.kind != ARB_JOIN_LEFT && join->join.kind != ARB_JOIN_SINGLE);
    if (possible && single_row)
        return join_padded(rule, join, &pulled);
    return join_domain(rule, join, &outer);
}

const arb_logical *arb_rule_unnest(arb_rule_context *rule, const arb_logical *root)
{
    return arb_rule_transform(rule, root, unnest_join, NULL);
}
