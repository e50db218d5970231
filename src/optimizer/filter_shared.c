/* filter_shared.c: a shared plan need not give rows that none of its readers wants.
 *
 * When every node that reads it stands under a FILTER, the shared plan is filtered by the OR of what they ask, and that
 * filter moves on into it. The readers keep their own. Common parts of the readers' conditions come out of the OR, so
 * four readers of one year each ask for that year. Later plans first: they may read earlier ones. */
#include "optimizer/push_filters.h"

enum { most_readers = 8 };

typedef struct asked {
    size_t count;
    bool everything; /* some reader has no filter */
    const arb_expr *conditions[most_readers];
} asked;

typedef struct gatherer {
    arb_rule_context *rule;
    asked *plans; /* by number */
} gatherer;

/* What a filter asks of the shared plan's own columns; NULL for nothing that could be asked there. */
static bool translate(gatherer *g, const arb_logical *filter, const arb_logical *reader, const arb_expr **out)
{
    arb_query *query = g->rule->query;
    arb_conjuncts list = {0};
    arb_column_set given = {0};
    const arb_expr *condition = filter->filter.condition;
    arb_named_expr *items = ARB_ARENA_ARRAY(query->arena, arb_named_expr, reader->shared.column_count);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < reader->shared.column_count; i++) {
        items[i].id = reader->shared.columns[i];
        items[i].expr = arb_query_column_expr(query, reader->shared.sources[i]);
        if (items[i].expr == NULL || !arb_column_set_add(query, &given, items[i].id))
            return false;
    }
    for (size_t i = 0; i < arb_expr_conjunct_count(condition); i++) {
        const arb_expr *conjunct = arb_expr_conjunct(condition, i);
        if (!arb_expr_within(conjunct, &given) || !arb_expr_infallible(conjunct) || !arb_expr_deterministic(conjunct))
            continue;
        conjunct = arb_expr_substitute(query, conjunct, items, reader->shared.column_count);
        if (conjunct == NULL || !arb_conjuncts_add(query, &list, conjunct))
            return false;
    }
    return arb_conjuncts_condition(query, &list, out);
}

static bool gather(gatherer *g, const arb_logical *node, const arb_logical *parent)
{
    if (node->kind == ARB_LOGICAL_SHARED) {
        asked *plan = &g->plans[node->shared.shared->number];
        const arb_expr *condition = NULL;
        if (parent != NULL && parent->kind == ARB_LOGICAL_FILTER && !translate(g, parent, node, &condition))
            return false;
        plan->everything |= condition == NULL || plan->count == most_readers;
        if (!plan->everything)
            plan->conditions[plan->count++] = condition;
    }
    for (size_t i = 0; i < arb_logical_child_count(node); i++) {
        if (!gather(g, arb_logical_child(node, i), node))
            return false;
    }
    return true;
}

static const arb_logical *filtered(arb_rule_context *rule, const arb_logical *plan, const asked *by)
{
    arb_query *query = rule->query;
    arb_column_set given = {0};
    const arb_expr *either = arb_expr_or(query->arena, by->conditions, by->count);
    if (either == NULL || (either = arb_simplify_expr(rule, either)) == NULL ||
        !arb_logical_output(query, plan, &given))
        return NULL;
    if (arb_expr_is_true(either))
        return plan;
    const arb_logical *filter = arb_logical_filter(query, plan, either);
    return filter != NULL ? arb_rule_push_filters(rule, filter, &given) : NULL;
}

const arb_logical *arb_rule_filter_shared(arb_rule_context *rule, const arb_logical *root)
{
    arb_query *query = rule->query;
    gatherer g = {.rule = rule, .plans = ARB_ARENA_ARRAY(query->arena, asked, query->shared.size)};
    if (g.plans == NULL || !gather(&g, root, NULL))
        return NULL;
    for (size_t i = query->shared.size; i-- > 0;) {
        arb_shared *shared = query->shared.data[i];
        const asked *by = &g.plans[i];
        if (shared->uses == 0)
            continue;
        if (!by->everything && by->count != 0 && (shared->plan = filtered(rule, shared->plan, by)) == NULL)
            return NULL;
        if (!gather(&g, shared->plan, NULL))
            return NULL;
    }
    return root;
}
