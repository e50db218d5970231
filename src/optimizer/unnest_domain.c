/* unnest_domain.c: working out a correlated subquery for all outer values at once.
 *
 * Where conditions cannot be pulled up (unnest_pull.c), the distinct values D that the outer columns have (the domain)
 * are joined into the subquery: at its leaves in place of the outer columns. From there on every row carries the outer
 * values that it belongs to. Aggregates group by them, joins of two sides that carry them require them equal, set
 * operations keep them as further columns; in the end the subquery is joined to the outer rows on them. This is the
 * general unnesting of Neumann and Kemper ("Unnesting Arbitrary Queries", BTW 2015). */
#include "optimizer/unnest.h"

typedef struct pusher {
    arb_rule_context *rule;
    const arb_domain *domain;
    arb_column_set columns; /* the domain's */
} pusher;

static const arb_logical *push(pusher *p, const arb_logical *node, arb_column_id *ids);

/* Distinct outer values under new ids. */
static const arb_logical *instance(pusher *p, arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    size_t map_size = query->columns.size, count = p->domain->count;
    arb_column_id *map = ARB_ARENA_ARRAY(query->arena, arb_column_id, map_size);
    arb_named_expr *groups = ARB_ARENA_ARRAY(query->arena, arb_named_expr, count);
    if (map == NULL || groups == NULL)
        return NULL;
    const arb_logical *plan = arb_rule_clone(p->rule, p->domain->plan, map, map_size);
    if (plan == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        arb_column_id source = map[p->domain->sources[i]];
        ids[i] = source;
        groups[i] = (arb_named_expr){.id = source, .expr = arb_query_column_expr(query, source)};
        if (groups[i].expr == NULL)
            return NULL;
    }
    return arb_logical_aggregate(query, plan, groups, count, NULL, 0);
}

static arb_column_id *new_ids(pusher *p)
{
    return ARB_ARENA_ARRAY(p->rule->query->arena, arb_column_id, p->domain->count);
}

typedef struct replacer {
    arb_query *query;
    const arb_domain *domain;
    const arb_column_id *ids;
} replacer;

static const arb_expr *replace_column(void *context, arb_arena *arena, const arb_expr *expr)
{
    const replacer *r = context;
    for (size_t i = 0; expr->kind == ARB_EXPR_COLUMN && i < r->domain->count; i++) {
        if (r->domain->columns[i] == expr->column)
            return arb_expr_column(arena, r->ids[i], expr->type);
    }
    return expr;
}

static const arb_expr *replace_expr(void *context, const arb_expr *expr)
{
    replacer *r = context;
    return arb_expr_transform(r->query->arena, expr, replace_column, r);
}

/* The node over another child, its expressions over `ids` instead of the outer columns; its maker's own. */
static arb_logical *replaced(pusher *p, const arb_logical *node, const arb_logical *const *children,
                             const arb_column_id *ids)
{
    replacer r = {.query = p->rule->query, .domain = p->domain, .ids = ids};
    const arb_logical *copy = arb_logical_with_children(p->rule->query, node, children);
    return copy != NULL ? arb_logical_map_exprs(p->rule->query, copy, replace_expr, &r) : NULL;
}

/* `items` and one for each id that passes it on. */
static arb_named_expr *with_ids(pusher *p, const arb_named_expr *items, size_t count, const arb_column_id *ids)
{
    arb_named_expr *all = ARB_ARENA_ARRAY(p->rule->query->arena, arb_named_expr, count + p->domain->count);
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        all[i] = items[i];
    for (size_t i = 0; i < p->domain->count; i++) {
        all[count + i] = (arb_named_expr){.id = ids[i], .expr = arb_query_column_expr(p->rule->query, ids[i])};
        if (all[count + i].expr == NULL)
            return NULL;
    }
    return all;
}

static bool add_equal(pusher *p, arb_conjuncts *list, const arb_column_id *a, const arb_column_id *b)
{
    arb_query *query = p->rule->query;
    for (size_t i = 0; i < p->domain->count; i++) {
        const arb_expr *left = arb_query_column_expr(query, a[i]), *right = arb_query_column_expr(query, b[i]);
        const arb_expr *equal =
            left == NULL || right == NULL ? NULL : arb_expr_compare(query->arena, ARB_NOT_DISTINCT, left, right);
        if (equal == NULL || !arb_conjuncts_add(query, list, equal))
            return false;
    }
    return true;
}

static bool uses_domain(pusher *p, const arb_logical *node, bool *out)
{
    arb_column_set free_columns = {0};
    if (!arb_logical_free_columns(p->rule->query, node, &free_columns))
        return false;
    *out = arb_column_set_intersects(&free_columns, &p->columns);
    return true;
}

static const arb_logical *push_one_child(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    const arb_logical *child = push(p, node->children[0], ids);
    arb_logical *copy = child != NULL ? replaced(p, node, &child, ids) : NULL;
    if (copy == NULL || copy->kind != ARB_LOGICAL_PROJECT)
        return copy;
    copy->project.items = with_ids(p, copy->project.items, copy->project.item_count, ids);
    copy->project.item_count += p->domain->count;
    return copy->project.items != NULL ? copy : NULL;
}

/* Without groups there is a row for each outer value, be it one that selects nothing. */
static const arb_logical *complete_groups(pusher *p, arb_logical *node, arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    size_t count = node->aggregate.aggregate_count;
    arb_aggregate_call *calls = ARB_ARENA_ARRAY(query->arena, arb_aggregate_call, count);
    arb_named_expr *items = ARB_ARENA_ARRAY(query->arena, arb_named_expr, count);
    arb_column_id *every = new_ids(p);
    arb_conjuncts equal = {0};
    const arb_expr *condition;
    if (calls == NULL || items == NULL || every == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        arb_column_info info = *arb_query_column(query, node->aggregate.aggregates[i].id);
        const arb_expr *parts[2];
        calls[i] = node->aggregate.aggregates[i];
        items[i].id = calls[i].id;
        if (arb_aggregate_counts(&calls[i])) {
            calls[i].id = arb_query_add_column(query, info.name, info.type, false);
            if (calls[i].id == ARB_NO_COLUMN || (parts[0] = arb_query_column_expr(query, calls[i].id)) == NULL ||
                (parts[1] = arb_unnest_empty_value(p->rule, &calls[i])) == NULL)
                return NULL;
            items[i].expr = arb_expr_coalesce(query->arena, info.type, parts, 2);
        } else {
            items[i].expr = arb_query_column_expr(query, calls[i].id);
        }
        if (items[i].expr == NULL)
            return NULL;
    }
    node->aggregate.aggregates = calls;
    const arb_logical *all = instance(p, every);
    if (all == NULL || !add_equal(p, &equal, every, ids) || !arb_conjuncts_condition(query, &equal, &condition))
        return NULL;
    const arb_logical *join = arb_logical_join(query, ARB_JOIN_LEFT, all, node, condition);
    for (size_t i = 0; i < p->domain->count; i++)
        ids[i] = every[i];
    arb_named_expr *with = with_ids(p, items, count, ids);
    return join != NULL && with != NULL ? arb_logical_project(query, join, with, count + p->domain->count) : NULL;
}

static const arb_logical *push_aggregate(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    const arb_logical *child = push(p, node->children[0], ids);
    arb_logical *copy = child != NULL ? replaced(p, node, &child, ids) : NULL;
    if (copy == NULL)
        return NULL;
    copy->aggregate.groups = with_ids(p, copy->aggregate.groups, copy->aggregate.group_count, ids);
    copy->aggregate.group_count += p->domain->count;
    if (copy->aggregate.groups == NULL)
        return NULL;
    return node->aggregate.group_count == 0 ? complete_groups(p, copy, ids) : copy;
}

static const arb_logical *push_full(pusher *p, const arb_logical *join, const arb_column_id *left,
                                    const arb_column_id *right, arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    arb_named_expr *items = ARB_ARENA_ARRAY(query->arena, arb_named_expr, p->domain->count);
    if (items == NULL)
        return NULL;
    for (size_t i = 0; i < p->domain->count; i++) {
        const arb_column_info info = *arb_query_column(query, left[i]);
        const arb_expr *parts[] = {arb_query_column_expr(query, left[i]), arb_query_column_expr(query, right[i])};
        if (parts[0] == NULL || parts[1] == NULL)
            return NULL;
        items[i].expr = arb_expr_coalesce(query->arena, info.type, parts, 2);
        items[i].id = ids[i] = arb_query_add_column(query, info.name, info.type, true);
        if (items[i].expr == NULL || ids[i] == ARB_NO_COLUMN)
            return NULL;
    }
    return arb_rule_add_items(p->rule, join, items, p->domain->count);
}

static const arb_logical *push_join(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    arb_join_kind kind = (arb_join_kind)node->join.kind;
    bool uses_left, uses_right;
    arb_column_id *left_ids = new_ids(p), *right_ids = new_ids(p);
    if (left_ids == NULL || right_ids == NULL || !uses_domain(p, node->children[0], &uses_left) ||
        !uses_domain(p, node->children[1], &uses_right))
        return NULL;
    bool outer = kind == ARB_JOIN_RIGHT || kind == ARB_JOIN_FULL;
    bool into_right = uses_right || outer;
    bool into_left = uses_left || !into_right || kind != ARB_JOIN_INNER;
    const arb_logical *children[2] = {node->children[0], node->children[1]};
    if (into_left && (children[0] = push(p, children[0], left_ids)) == NULL)
        return NULL;
    if (into_right && (children[1] = push(p, children[1], right_ids)) == NULL)
        return NULL;
    const arb_column_id *chosen = into_left && kind != ARB_JOIN_RIGHT ? left_ids : right_ids;
    for (size_t i = 0; i < p->domain->count; i++)
        ids[i] = chosen[i];
    arb_logical *copy = replaced(p, node, children, ids);
    arb_conjuncts list = {0};
    if (copy == NULL || !arb_conjuncts_add(query, &list, copy->join.condition) ||
        (into_left && into_right && !add_equal(p, &list, left_ids, right_ids)) ||
        !arb_conjuncts_condition(query, &list, &copy->join.condition))
        return NULL;
    copy->join.dependent = false;
    return kind == ARB_JOIN_FULL ? push_full(p, copy, left_ids, right_ids, ids) : copy;
}

static const arb_logical *push_set(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    size_t count = node->set.column_count, all = count + p->domain->count;
    arb_set_input *inputs = ARB_ARENA_ARRAY(query->arena, arb_set_input, node->set.input_count);
    arb_column_id *columns = ARB_ARENA_ARRAY(query->arena, arb_column_id, all), *inner = new_ids(p);
    if (inputs == NULL || columns == NULL || inner == NULL)
        return NULL;
    for (size_t i = 0; i < node->set.input_count; i++) {
        arb_column_id *given = ARB_ARENA_ARRAY(query->arena, arb_column_id, all);
        inputs[i].plan = push(p, node->set.inputs[i].plan, inner);
        inputs[i].columns = given;
        if (given == NULL || inputs[i].plan == NULL)
            return NULL;
        for (size_t k = 0; k < all; k++)
            given[k] = k < count ? node->set.inputs[i].columns[k] : inner[k - count];
    }
    for (size_t k = 0; k < count; k++)
        columns[k] = node->set.columns[k];
    for (size_t k = 0; k < p->domain->count; k++) {
        arb_column_info info = *arb_query_column(query, p->domain->columns[k]);
        columns[count + k] = ids[k] = arb_query_add_column(query, info.name, info.type, true);
        if (ids[k] == ARB_NO_COLUMN)
            return NULL;
    }
    return arb_logical_set(query, (arb_set_kind)node->set.kind, node->set.all, columns, all, inputs,
                           node->set.input_count);
}

/* One row of VALUES over the domain. With several rows each has columns of its own, which a UNION ALL brings together. */
static const arb_logical *push_row(pusher *p, const arb_logical *node, size_t row, const arb_column_id *columns,
                                   arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    size_t count = node->values.column_count;
    arb_named_expr *items = ARB_ARENA_ARRAY(query->arena, arb_named_expr, count);
    const arb_logical *domain = instance(p, ids);
    replacer r = {.query = query, .domain = p->domain, .ids = ids};
    if (items == NULL || domain == NULL)
        return NULL;
    for (size_t k = 0; k < count; k++) {
        items[k].id = columns[k];
        items[k].expr = replace_expr(&r, node->values.cells[row * count + k]);
        if (items[k].expr == NULL)
            return NULL;
    }
    arb_named_expr *all = with_ids(p, items, count, ids);
    return all != NULL ? arb_logical_project(query, domain, all, count + p->domain->count) : NULL;
}

static const arb_logical *push_values(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    size_t count = node->values.column_count, rows = node->values.row_count;
    if (rows == 1)
        return push_row(p, node, 0, node->values.columns, ids);
    arb_set_input *inputs = ARB_ARENA_ARRAY(query->arena, arb_set_input, rows);
    arb_column_id *columns = ARB_ARENA_ARRAY(query->arena, arb_column_id, count + p->domain->count);
    if (inputs == NULL || columns == NULL)
        return NULL;
    for (size_t row = 0; row < rows; row++) {
        arb_column_id *given = ARB_ARENA_ARRAY(query->arena, arb_column_id, count + p->domain->count);
        for (size_t k = 0; given != NULL && k < count; k++) {
            arb_column_info info = *arb_query_column(query, node->values.columns[k]);
            given[k] = arb_query_add_column(query, info.name, info.type, true);
            if (given[k] == ARB_NO_COLUMN)
                return NULL;
        }
        if (given == NULL || (inputs[row].plan = push_row(p, node, row, given, given + count)) == NULL)
            return NULL;
        inputs[row].columns = given;
    }
    for (size_t k = 0; k < count + p->domain->count; k++) {
        if (k < count) {
            columns[k] = node->values.columns[k];
            continue;
        }
        arb_column_info info = *arb_query_column(query, p->domain->columns[k - count]);
        columns[k] = ids[k - count] = arb_query_add_column(query, info.name, info.type, true);
        if (columns[k] == ARB_NO_COLUMN)
            return NULL;
    }
    return arb_logical_set(query, ARB_SET_UNION, true, columns, count + p->domain->count, inputs, rows);
}

/* The outer values make groups, further ones in front of those that there are. */
static const arb_logical *limit_groups(pusher *p, const arb_logical *child, const arb_sort_key *keys, size_t key_count,
                                       size_t group_count, int64_t count, int64_t offset, const arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    size_t more = p->domain->count;
    replacer r = {.query = query, .domain = p->domain, .ids = ids};
    arb_sort_key *all = ARB_ARENA_ARRAY(query->arena, arb_sort_key, more + key_count);
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < more + key_count; i++) {
        if (i >= more)
            all[i] = keys[i - more];
        all[i].expr = i < more ? arb_query_column_expr(query, ids[i]) : replace_expr(&r, all[i].expr);
        if (all[i].expr == NULL)
            return NULL;
    }
    return arb_logical_group_limit(query, child, all, more + key_count, more + group_count, count, offset);
}

/* A limit counts among the rows of each outer value. */
static const arb_logical *push_limit(pusher *p, const arb_logical *node, const arb_sort_key *keys, size_t key_count,
                                     int64_t count, int64_t offset, arb_column_id *ids)
{
    const arb_logical *child = push(p, node->children[0], ids);
    return child != NULL ? limit_groups(p, child, keys, key_count, 0, count, offset, ids) : NULL;
}

static const arb_logical *push_group_limit(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    const arb_logical *child = push(p, node->children[0], ids);
    return child != NULL
               ? limit_groups(p, child, node->group_limit.keys, node->group_limit.key_count,
                              node->group_limit.group_count, node->group_limit.count, node->group_limit.offset, ids)
               : NULL;
}

/* What does not depend on the outer values holds for each of them. A scan's filter may name them once it was pushed. */
static const arb_logical *cross(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    arb_query *query = p->rule->query;
    const arb_logical *domain = instance(p, ids);
    const arb_expr *condition = NULL;
    if (domain == NULL)
        return NULL;
    if (node->kind == ARB_LOGICAL_SCAN && node->scan.filter != NULL) {
        arb_conjuncts inner = {0}, outer = {0};
        arb_logical *copy = arb_logical_copy(query, node);
        replacer r = {.query = query, .domain = p->domain, .ids = ids};
        for (size_t i = 0; i < arb_expr_conjunct_count(node->scan.filter); i++) {
            const arb_expr *conjunct = arb_expr_conjunct(node->scan.filter, i);
            bool uses = arb_expr_uses(conjunct, &p->columns);
            conjunct = replace_expr(&r, conjunct);
            if (conjunct == NULL || !arb_conjuncts_add(query, uses ? &outer : &inner, conjunct))
                return NULL;
        }
        if (copy == NULL || !arb_conjuncts_condition(query, &inner, &copy->scan.filter) ||
            !arb_conjuncts_condition(query, &outer, &condition))
            return NULL;
        node = copy;
    }
    return arb_logical_join(query, ARB_JOIN_INNER, domain, node, condition);
}

static const arb_logical *push(pusher *p, const arb_logical *node, arb_column_id *ids)
{
    bool uses;
    if (!uses_domain(p, node, &uses))
        return NULL;
    if (!uses)
        return cross(p, node, ids);
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        return cross(p, node, ids);
    case ARB_LOGICAL_VALUES:
        return push_values(p, node, ids);
    case ARB_LOGICAL_FILTER:
    case ARB_LOGICAL_PROJECT:
        return push_one_child(p, node, ids);
    case ARB_LOGICAL_AGGREGATE:
        return push_aggregate(p, node, ids);
    case ARB_LOGICAL_JOIN:
        return push_join(p, node, ids);
    case ARB_LOGICAL_SORT:
        if (node->sort.limit < 0 && node->sort.offset == 0)
            return push(p, node->children[0], ids);
        return push_limit(p, node, node->sort.keys, node->sort.key_count, node->sort.limit, node->sort.offset, ids);
    case ARB_LOGICAL_LIMIT:
        return push_limit(p, node, NULL, 0, node->limit.count, node->limit.offset, ids);
    case ARB_LOGICAL_GROUP_LIMIT:
        return push_group_limit(p, node, ids);
    case ARB_LOGICAL_SET:
        return push_set(p, node, ids);
    default:
        return arb_rule_refuse(p->rule, ARB_NOT_SUPPORTED,
                               "a common table expression that names columns of an outer query is not supported here");
    }
}

const arb_logical *arb_unnest_push_domain(arb_rule_context *rule, const arb_domain *domain, const arb_logical *node,
                                          arb_column_id *out_ids)
{
    pusher p = {.rule = rule, .domain = domain};
    for (size_t i = 0; i < domain->count; i++) {
        if (!arb_column_set_add(rule->query, &p.columns, domain->columns[i]))
            return NULL;
    }
    return push(&p, node, out_ids);
}
