/* unnest_pull.c: pulling correlated conditions up out of a subquery.
 *
 *     SELECT … FROM l WHERE EXISTS (SELECT * FROM r WHERE r.k = l.k AND r.x > 5)
 *
 * The right side of the dependent join is FILTER(r.k = l.k AND r.x > 5) over r. Without r.k = l.k it does not depend on
 * l, and that condition can just as well stand in the join. So the condition travels up: through filters, inner joins
 * and the left sides of others, and through projects (which must then pass r.k on). At an aggregate it must be an
 * equality of an outer expression with an inner one; the inner one becomes a group key, since
 *     (SELECT sum(x) FROM r WHERE r.k = l.k)   is   (SELECT k, sum(x) FROM r GROUP BY k)   looked up by k = l.k.
 * A key without rows has no group there, but the subquery gives a row for it: hence `padded`.
 *
 * What this cannot do (conditions other than equalities below an aggregate or a LIMIT, set operations, outer values in
 * select lists) is left to unnest_domain.c, at the price of the outer values' domain. */
#include "optimizer/unnest.h"

typedef struct puller {
    arb_rule_context *rule;
    const arb_column_set *outer;
    bool impossible;
} puller;

static bool pull(puller *p, const arb_logical *node, arb_pulled *out);

/* Not an error: the shape is not one that can be pulled apart. */
static bool give_up(puller *p)
{
    p->impossible = true;
    return true;
}

const arb_expr *arb_unnest_empty_value(arb_rule_context *rule, const arb_aggregate_call *call)
{
    arb_value value = arb_value_null(arb_query_column(rule->query, call->id)->type);
    value.is_null = !arb_aggregate_counts(call);
    return arb_expr_constant(rule->query->arena, value);
}

static bool pull_condition(puller *p, const arb_expr *condition, arb_pulled *out, arb_conjuncts *inner)
{
    for (size_t i = 0; i < arb_expr_conjunct_count(condition); i++) {
        const arb_expr *conjunct = arb_expr_conjunct(condition, i);
        bool outer = arb_expr_uses(conjunct, p->outer);
        if (outer && !arb_expr_deterministic(conjunct))
            return give_up(p);
        if (!arb_conjuncts_add(p->rule->query, outer ? &out->conditions : inner, conjunct))
            return false;
    }
    return true;
}

/* Does the condition let the row of an empty group pass? */
typedef enum verdict { verdict_passes, verdict_fails, verdict_unknown } verdict;

static bool columns_without_pad(puller *p, const arb_pulled *pulled, arb_column_set *out)
{
    *out = (arb_column_set){0};
    if (!arb_logical_output(p->rule->query, pulled->plan, out))
        return false;
    for (size_t i = 0; i < pulled->pads.size; i++) {
        arb_column_id id = pulled->pads.data[i].id;
        if (arb_column_set_has(out, id))
            out->words[id / 64] &= ~((uint64_t)1 << (id % 64));
    }
    return true;
}

/* The expression for the padding row: pads put in, NULL for other columns. */
static const arb_expr *padded_expr(puller *p, const arb_pulled *pulled, const arb_expr *expr)
{
    arb_query *query = p->rule->query;
    arb_column_ids ids = {0};
    if (!arb_logical_output_ids(query, pulled->plan, &ids))
        return NULL;
    arb_named_expr *nulls = ARB_ARENA_ARRAY(query->arena, arb_named_expr, ids.size);
    expr = arb_expr_substitute(query, expr, pulled->pads.data, pulled->pads.size);
    if (nulls == NULL || expr == NULL)
        return NULL;
    for (size_t i = 0; i < ids.size; i++) {
        arb_value null = arb_value_null(arb_query_column(query, ids.data[i])->type);
        nulls[i] = (arb_named_expr){.id = ids.data[i], .expr = arb_expr_constant(query->arena, null)};
        if (nulls[i].expr == NULL)
            return NULL;
    }
    return arb_expr_substitute(query, expr, nulls, ids.size);
}

static bool judge_padding(puller *p, const arb_pulled *pulled, const arb_conjuncts *inner, verdict *out)
{
    *out = verdict_passes;
    for (size_t i = 0; i < inner->size; i++) {
        arb_column_set nulls;
        if (!columns_without_pad(p, pulled, &nulls))
            return false;
        if (arb_expr_rejects_null(inner->data[i], &nulls)) {
            *out = verdict_fails;
            return true;
        }
        const arb_expr *expr = padded_expr(p, pulled, inner->data[i]);
        if (expr == NULL || (expr = arb_simplify_expr(p->rule, expr)) == NULL)
            return false;
        if (expr->kind != ARB_EXPR_CONSTANT) {
            *out = verdict_unknown;
        } else if (!arb_expr_is_true(expr)) {
            *out = verdict_fails;
            return true;
        }
    }
    return true;
}

static bool pull_filter(puller *p, const arb_logical *node, arb_pulled *out)
{
    arb_conjuncts inner = {0};
    size_t before;
    if (!pull(p, node->children[0], out) || p->impossible)
        return p->impossible;
    before = out->conditions.size;
    if (!pull_condition(p, node->filter.condition, out, &inner) || p->impossible)
        return p->impossible;
    if (out->padded) {
        /* HAVING: the row for no rows must be judged beforehand. Known to fail: then no row is right. Known to pass:
         * then a group that fails could not be told from none. */
        verdict padding;
        if (out->conditions.size != before)
            return give_up(p);
        if (!judge_padding(p, out, &inner, &padding))
            return false;
        if (padding != verdict_fails)
            return give_up(p);
        out->padded = false;
        out->pads.size = 0;
    }
    out->plan = arb_conjuncts_filter(p->rule->query, out->plan, &inner);
    return out->plan != NULL;
}

/* The columns of the plan that the pulled conditions use. */
static bool columns_wanted(puller *p, const arb_pulled *pulled, arb_column_set *out)
{
    arb_column_set given = {0};
    *out = (arb_column_set){0};
    for (size_t i = 0; i < pulled->conditions.size; i++) {
        if (!arb_expr_columns(p->rule->query, pulled->conditions.data[i], out))
            return false;
    }
    if (!arb_logical_output(p->rule->query, pulled->plan, &given))
        return false;
    arb_column_set_retain_all(out, &given);
    return true;
}

static bool pull_project(puller *p, const arb_logical *node, arb_pulled *out)
{
    arb_query *query = p->rule->query;
    for (size_t i = 0; i < node->project.item_count; i++) {
        if (arb_expr_uses(node->project.items[i].expr, p->outer))
            return give_up(p);
    }
    if (!pull(p, node->children[0], out) || p->impossible)
        return p->impossible;
    arb_column_set wanted, nulls;
    if (!columns_wanted(p, out, &wanted) || !columns_without_pad(p, out, &nulls))
        return false;
    ARB_VEC(arb_named_expr) items = {0}, pads = {0};
    for (size_t i = 0; i < node->project.item_count; i++) {
        arb_named_expr item = node->project.items[i];
        if (arb_column_set_has(&wanted, item.id))
            wanted.words[item.id / 64] &= ~((uint64_t)1 << (item.id % 64));
        if (!ARB_ARENA_PUSH(query->arena, &items, item))
            return false;
        if (!out->padded || arb_expr_null_on_null(item.expr, &nulls))
            continue;
        if (!arb_expr_deterministic(item.expr))
            return give_up(p);
        item.expr = padded_expr(p, out, item.expr);
        if (item.expr == NULL || !ARB_ARENA_PUSH(query->arena, &pads, item))
            return false;
    }
    for (arb_column_id id = arb_column_set_next(&wanted, 0); id != ARB_NO_COLUMN;
         id = arb_column_set_next(&wanted, id + 1)) {
        arb_named_expr item = {.id = id, .expr = arb_query_column_expr(query, id)};
        if (item.expr == NULL || !ARB_ARENA_PUSH(query->arena, &items, item))
            return false;
    }
    out->pads.data = pads.data;
    out->pads.size = pads.size;
    out->pads.capacity = pads.capacity;
    out->plan = arb_logical_project(query, out->plan, items.data, items.size);
    return out->plan != NULL;
}

/* The inner side of each condition becomes a group key, and the condition asks for the key. */
static bool add_keys(puller *p, arb_pulled *out, arb_named_expr *groups, size_t *group_count)
{
    arb_query *query = p->rule->query;
    arb_column_set inner = {0};
    if (!arb_logical_output(query, out->plan, &inner))
        return false;
    for (size_t i = 0; i < out->conditions.size; i++) {
        const arb_expr *outer_side, *inner_side;
        if (!arb_conjunct_equates(query, out->conditions.data[i], p->outer, &inner, &outer_side, &inner_side))
            return give_up(p);
        size_t at = 0;
        while (at < *group_count && !arb_expr_equal(groups[at].expr, inner_side))
            at++;
        if (at == *group_count) {
            arb_column_id id = inner_side->kind == ARB_EXPR_COLUMN
                                   ? inner_side->column
                                   : arb_query_add_column(query, ARB_STR("key"), inner_side->type, true);
            if (id == ARB_NO_COLUMN)
                return false;
            groups[(*group_count)++] = (arb_named_expr){.id = id, .expr = inner_side};
        }
        const arb_expr *key = arb_query_column_expr(query, groups[at].id);
        out->conditions.data[i] =
            key == NULL
                ? NULL
                : arb_expr_compare(query->arena, (arb_compare)out->conditions.data[i]->compare, outer_side, key);
        if (out->conditions.data[i] == NULL)
            return false;
    }
    return true;
}

static bool uses_outer(void *context, const arb_expr *expr)
{
    puller *p = context;
    if (expr->kind == ARB_EXPR_COLUMN && arb_column_set_has(p->outer, expr->column))
        p->impossible = true;
    return !p->impossible;
}

static bool pull_aggregate(puller *p, const arb_logical *node, arb_pulled *out)
{
    arb_query *query = p->rule->query;
    arb_logical_walk_exprs(node, uses_outer, p);
    if (p->impossible || !pull(p, node->children[0], out) || p->impossible)
        return p->impossible;
    if (out->padded)
        return give_up(p);
    size_t count = node->aggregate.group_count;
    arb_named_expr *groups = ARB_ARENA_ARRAY(query->arena, arb_named_expr, count + out->conditions.size);
    if (groups == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        groups[i] = node->aggregate.groups[i];
    size_t all = count;
    if (!add_keys(p, out, groups, &all) || p->impossible)
        return p->impossible;
    size_t calls = node->aggregate.aggregate_count;
    for (size_t i = 0; i < calls && count == 0; i++) {
        const arb_aggregate_call *call = &node->aggregate.aggregates[i];
        arb_named_expr pad = {.id = call->id, .expr = arb_unnest_empty_value(p->rule, call)};
        if (pad.expr == NULL || (arb_aggregate_counts(call) && !ARB_ARENA_PUSH(query->arena, &out->pads, pad)))
            return false;
    }
    out->padded = count == 0;
    out->plan = arb_logical_aggregate(query, out->plan, groups, all, node->aggregate.aggregates, calls);
    return out->plan != NULL;
}

static bool pull_join(puller *p, const arb_logical *node, arb_pulled *out)
{
    arb_query *query = p->rule->query;
    arb_pulled right = {.plan = node->children[1]};
    arb_conjuncts inner = {0};
    if (!pull(p, node->children[0], out) || p->impossible)
        return p->impossible;
    if (node->join.kind == ARB_JOIN_INNER) {
        if (!pull(p, node->children[1], &right) || p->impossible)
            return p->impossible;
    } else {
        /* A condition of the right side, or of the join itself, decides whether there is a match at all. */
        arb_column_set free_columns = {0};
        if (node->join.kind == ARB_JOIN_RIGHT || node->join.kind == ARB_JOIN_FULL)
            return give_up(p);
        if (!arb_logical_free_columns(query, node->children[1], &free_columns))
            return false;
        if (arb_column_set_intersects(&free_columns, p->outer) ||
            (node->join.condition != NULL && arb_expr_uses(node->join.condition, p->outer)))
            return give_up(p);
    }
    if (out->padded || right.padded)
        return give_up(p);
    for (size_t i = 0; i < right.conditions.size; i++) {
        if (!arb_conjuncts_add(query, &out->conditions, right.conditions.data[i]))
            return false;
    }
    const arb_expr *condition = node->join.condition;
    if (node->join.kind == ARB_JOIN_INNER && condition != NULL &&
        (!pull_condition(p, condition, out, &inner) || p->impossible ||
         !arb_conjuncts_condition(query, &inner, &condition)))
        return p->impossible;
    out->plan = arb_rule_join_like(p->rule, node, out->plan, right.plan, condition);
    return out->plan != NULL;
}

/* A limit holds for the rows of each outer row. When they are chosen by equalities alone, they are groups of the inner
 * sides' values: (SELECT … WHERE r.k = l.k ORDER BY x LIMIT 3) is the first three rows by x of each k. */
static bool pull_limit(puller *p, const arb_logical *node, const arb_sort_key *keys, size_t key_count, int64_t limit,
                       int64_t offset, arb_pulled *out)
{
    arb_query *query = p->rule->query;
    arb_column_set inner = {0};
    for (size_t i = 0; i < key_count; i++) {
        if (arb_expr_uses(keys[i].expr, p->outer))
            return give_up(p);
    }
    if (!pull(p, node->children[0], out) || p->impossible)
        return p->impossible;
    size_t groups = out->conditions.size;
    arb_sort_key *all = ARB_ARENA_ARRAY(query->arena, arb_sort_key, groups + key_count);
    if (all == NULL || !arb_logical_output(query, out->plan, &inner))
        return false;
    if (out->padded)
        return give_up(p);
    for (size_t i = 0; i < groups; i++) {
        const arb_expr *outer_side;
        if (!arb_conjunct_equates(query, out->conditions.data[i], p->outer, &inner, &outer_side, &all[i].expr))
            return give_up(p);
    }
    for (size_t i = 0; i < key_count; i++)
        all[groups + i] = keys[i];
    out->plan = arb_logical_group_limit(query, out->plan, all, groups + key_count, groups, limit, offset);
    return out->plan != NULL;
}

static bool pull_sort(puller *p, const arb_logical *node, arb_pulled *out)
{
    if (node->sort.limit >= 0 || node->sort.offset > 0)
        return pull_limit(p, node, node->sort.keys, node->sort.key_count, node->sort.limit, node->sort.offset, out);
    /* The order of a subquery's rows means nothing outside of it. */
    return pull(p, node->children[0], out);
}

static bool pull_scan(puller *p, const arb_logical *node, arb_pulled *out)
{
    arb_conjuncts inner = {0};
    arb_logical *copy = arb_logical_copy(p->rule->query, node);
    if (copy == NULL || !pull_condition(p, node->scan.filter, out, &inner) || p->impossible)
        return p->impossible;
    out->plan = copy;
    return arb_conjuncts_condition(p->rule->query, &inner, &copy->scan.filter);
}

static bool pull(puller *p, const arb_logical *node, arb_pulled *out)
{
    arb_column_set free_columns = {0};
    *out = (arb_pulled){.plan = node};
    if (!arb_logical_free_columns(p->rule->query, node, &free_columns))
        return false;
    if (!arb_column_set_intersects(&free_columns, p->outer))
        return true;
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_FILTER:
        return pull_filter(p, node, out);
    case ARB_LOGICAL_PROJECT:
        return pull_project(p, node, out);
    case ARB_LOGICAL_AGGREGATE:
        return pull_aggregate(p, node, out);
    case ARB_LOGICAL_JOIN:
        return pull_join(p, node, out);
    case ARB_LOGICAL_SORT:
        return pull_sort(p, node, out);
    case ARB_LOGICAL_LIMIT:
        return pull_limit(p, node, NULL, 0, node->limit.count, node->limit.offset, out);
    case ARB_LOGICAL_SCAN:
        return pull_scan(p, node, out);
    default:
        return give_up(p);
    }
}

bool arb_unnest_pull(arb_rule_context *rule, const arb_logical *node, const arb_column_set *outer, arb_pulled *out,
                     bool *out_possible)
{
    puller p = {.rule = rule, .outer = outer};
    bool done = pull(&p, node, out);
    *out_possible = !p.impossible;
    return done;
}
