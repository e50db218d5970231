/* inline_shared.c: common table expressions that need not be kept become part of the tree.
 *
 * One that is read once gains nothing from being kept, and inlined it can be pruned and filtered. One that is no more
 * than a filtered scan is cheaper to read again than to keep. One that names columns of an outer query has to be
 * inlined, since a shared plan is worked out once for all. AS MATERIALIZED keeps it, volatile functions too when it is
 * read more than once. This is also where the uses are counted. */
#include "optimizer/rule.h"

static void count_uses(const arb_logical *node)
{
    if (node->kind == ARB_LOGICAL_SHARED) {
        if (node->shared.shared->uses++ == 0)
            count_uses(node->shared.shared->plan);
        return;
    }
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        count_uses(arb_logical_child(node, i));
}

void arb_rule_count_uses(arb_query *query, const arb_logical *root)
{
    for (size_t i = 0; i < query->shared.size; i++)
        query->shared.data[i]->uses = 0;
    count_uses(root);
}

static void settle(const arb_logical *node, uint8_t *settled, arb_shared **order, size_t *count)
{
    if (node->kind == ARB_LOGICAL_SHARED && !settled[node->shared.shared->number]) {
        arb_shared *shared = node->shared.shared;
        settled[shared->number] = 1;
        settle(shared->plan, settled, order, count);
        order[(*count)++] = shared;
    }
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        settle(arb_logical_child(node, i), settled, order, count);
}

bool arb_rule_number_shared(arb_query *query, const arb_logical *root)
{
    size_t count = 0, size = query->shared.size;
    uint8_t *settled = ARB_ARENA_ARRAY(query->arena, uint8_t, size);
    arb_shared **order = ARB_ARENA_ARRAY(query->arena, arb_shared *, size);
    if (settled == NULL || order == NULL)
        return false;
    settle(root, settled, order, &count);
    /* Those that nobody reads any more go to the end. */
    for (size_t i = 0; i < size; i++) {
        if (!settled[i])
            order[count++] = query->shared.data[i];
    }
    for (size_t i = 0; i < size; i++) {
        query->shared.data[i] = order[i];
        order[i]->number = (uint32_t)i;
    }
    return true;
}

static bool look_for_volatile(void *context, const arb_expr *expr)
{
    if (expr->kind == ARB_EXPR_CALL && expr->function->is_volatile)
        *(bool *)context = true;
    return true;
}

static bool is_volatile(const arb_logical *node)
{
    bool found = false;
    arb_logical_walk_exprs(node, look_for_volatile, &found);
    for (size_t i = 0; i < arb_logical_child_count(node) && !found; i++)
        found = is_volatile(arb_logical_child(node, i));
    return found;
}

static bool is_cheap(const arb_logical *node)
{
    while (node->kind == ARB_LOGICAL_FILTER || node->kind == ARB_LOGICAL_PROJECT)
        node = node->children[0];
    return node->kind == ARB_LOGICAL_SCAN || node->kind == ARB_LOGICAL_VALUES;
}

typedef struct inliner {
    bool *inlined; /* by number */
} inliner;

static const arb_logical *inline_node(arb_rule_context *rule, void *context, const arb_logical *node)
{
    const inliner *in = context;
    arb_query *query = rule->query;
    if (node->kind != ARB_LOGICAL_SHARED || !in->inlined[node->shared.shared->number])
        return node;
    arb_shared *shared = node->shared.shared;
    const arb_logical *plan = shared->plan;
    size_t map_size = query->columns.size, count = node->shared.column_count;
    arb_column_id *map = NULL;
    if (shared->uses > 1) {
        map = ARB_ARENA_ARRAY(query->arena, arb_column_id, map_size);
        if (map == NULL || (plan = arb_rule_clone(rule, plan, map, map_size)) == NULL)
            return NULL;
    }
    arb_named_expr *items = ARB_ARENA_ARRAY(query->arena, arb_named_expr, count);
    if (items == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        arb_column_id source = node->shared.sources[i];
        items[i].id = node->shared.columns[i];
        items[i].expr = arb_query_column_expr(query, map != NULL ? map[source] : source);
        if (items[i].expr == NULL)
            return NULL;
    }
    return arb_logical_project(query, plan, items, count);
}

const arb_logical *arb_rule_inline_shared(arb_rule_context *rule, const arb_logical *root, bool may_inline)
{
    arb_query *query = rule->query;
    arb_rule_count_uses(query, root);
    inliner in = {.inlined = ARB_ARENA_ARRAY(query->arena, bool, query->shared.size)};
    if (in.inlined == NULL)
        return NULL;
    for (size_t i = 0; i < query->shared.size; i++) {
        arb_shared *shared = query->shared.data[i];
        arb_column_set free_columns = {0};
        if (shared->uses == 0)
            continue;
        if ((shared->plan = arb_rule_transform(rule, shared->plan, inline_node, &in)) == NULL ||
            !arb_logical_free_columns(query, shared->plan, &free_columns))
            return NULL;
        bool repeatable = shared->uses == 1 || (is_cheap(shared->plan) && !is_volatile(shared->plan));
        in.inlined[i] = !arb_column_set_is_empty(&free_columns) || (may_inline && !shared->keep && repeatable);
    }
    root = arb_rule_transform(rule, root, inline_node, &in);
    if (root != NULL)
        arb_rule_count_uses(query, root);
    return root;
}
