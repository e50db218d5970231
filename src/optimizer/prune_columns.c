/* prune_columns.c: nothing is read, computed or carried that nobody uses.
 *
 * What is needed travels down the tree. A PROJECT that only passes columns on is dropped, since nodes above take by id
 * what they need. A MARK join whose mark nobody reads goes, too, and so does a LEFT join that finds one row at most, of
 * which nobody reads anything. What is needed of shared plans is gathered from all places that read them, so they are
 * pruned after the tree, the last one first: a shared plan reads only earlier ones. */
#include "optimizer/rule.h"

typedef struct pruner {
    arb_rule_context *rule;
    arb_column_set *shared; /* by number: what is needed of the plan */
} pruner;

static const arb_logical *prune(pruner *p, const arb_logical *node, const arb_column_set *needed);

static const arb_logical *prune_below(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    size_t count = arb_logical_child_count(node);
    const arb_logical *children[2];
    assert(count <= ARB_COUNT_OF(children));
    for (size_t i = 0; i < count; i++) {
        if ((children[i] = prune(p, node->children[i], needed)) == NULL)
            return NULL;
    }
    return arb_rule_with_children(p->rule, node, children);
}

static const arb_logical *prune_scan(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    arb_logical *copy = arb_logical_copy(p->rule->query, node);
    arb_scan_output *kept = ARB_ARENA_ARRAY(p->rule->query->arena, arb_scan_output, node->scan.column_count);
    if (copy == NULL || kept == NULL)
        return NULL;
    copy->scan.column_count = 0;
    for (size_t i = 0; i < node->scan.column_count; i++) {
        if (arb_column_set_has(needed, node->scan.columns[i].id))
            kept[copy->scan.column_count++] = node->scan.columns[i];
    }
    copy->scan.columns = kept;
    return copy->scan.column_count == node->scan.column_count ? node : copy;
}

static const arb_logical *prune_values(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    arb_query *query = p->rule->query;
    size_t columns = node->values.column_count, rows = node->values.row_count, kept = 0;
    arb_column_id *ids = ARB_ARENA_ARRAY(query->arena, arb_column_id, columns);
    const arb_expr **cells = ARB_ARENA_ARRAY(query->arena, const arb_expr *, columns *rows);
    if (ids == NULL || cells == NULL)
        return NULL;
    for (size_t k = 0; k < columns; k++) {
        if (arb_column_set_has(needed, node->values.columns[k]))
            ids[kept++] = node->values.columns[k];
    }
    if (kept == columns)
        return node;
    for (size_t row = 0, at = 0; row < rows; row++) {
        for (size_t k = 0; k < columns; k++) {
            if (arb_column_set_has(needed, node->values.columns[k]))
                cells[at++] = node->values.cells[row * columns + k];
        }
    }
    return arb_logical_values(query, ids, kept, cells, rows);
}

static const arb_logical *prune_project(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    arb_query *query = p->rule->query;
    arb_named_expr *kept = ARB_ARENA_ARRAY(query->arena, arb_named_expr, node->project.item_count);
    arb_column_set below = {0};
    size_t count = 0;
    bool computes = false;
    if (kept == NULL)
        return NULL;
    for (size_t i = 0; i < node->project.item_count; i++) {
        arb_named_expr item = node->project.items[i];
        if (!arb_column_set_has(needed, item.id))
            continue;
        computes |= item.expr->kind != ARB_EXPR_COLUMN || item.expr->column != item.id;
        kept[count++] = item;
        if (!arb_expr_columns(query, item.expr, &below))
            return NULL;
    }
    const arb_logical *child = prune(p, node->children[0], &below);
    if (child == NULL || !computes)
        return child;
    if (child == node->children[0] && count == node->project.item_count)
        return node;
    return arb_logical_project(query, child, kept, count);
}

static const arb_logical *prune_aggregate(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    arb_query *query = p->rule->query;
    arb_aggregate_call *kept = ARB_ARENA_ARRAY(query->arena, arb_aggregate_call, node->aggregate.aggregate_count);
    size_t count = 0, keys = node->aggregate.group_count - node->aggregate.carried_count, groups = keys;
    arb_named_expr *kept_groups = ARB_ARENA_ARRAY(query->arena, arb_named_expr, node->aggregate.group_count);
    arb_column_set below = {0};
    if (kept == NULL || kept_groups == NULL)
        return NULL;
    for (size_t i = 0; i < node->aggregate.group_count; i++) { /* those that are carried make no difference */
        if (i < keys)
            kept_groups[i] = node->aggregate.groups[i];
        else if (arb_column_set_has(needed, node->aggregate.groups[i].id))
            kept_groups[groups++] = node->aggregate.groups[i];
    }
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        if (arb_column_set_has(needed, node->aggregate.aggregates[i].id))
            kept[count++] = node->aggregate.aggregates[i];
    }
    if (node->aggregate.group_count == 0 && count == 0)
        return arb_logical_one_row(query);
    if (count != node->aggregate.aggregate_count || groups != node->aggregate.group_count) {
        arb_logical *made = arb_logical_aggregate(query, node->children[0], kept_groups, groups, kept, count);
        if (made == NULL)
            return NULL;
        made->aggregate.carried_count = groups - keys;
        node = made;
    }
    return arb_logical_used_columns(query, node, &below) ? prune_below(p, node, &below) : NULL;
}

/* UNION ALL may drop columns; what compares rows needs all of them. */
static const arb_logical *prune_set(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    arb_query *query = p->rule->query;
    size_t count = 0, inputs = node->set.input_count, columns = node->set.column_count;
    bool droppable = node->set.kind == ARB_SET_UNION && node->set.all;
    arb_column_id *kept = ARB_ARENA_ARRAY(query->arena, arb_column_id, columns);
    arb_set_input *fresh = ARB_ARENA_ARRAY(query->arena, arb_set_input, inputs);
    if (kept == NULL || fresh == NULL)
        return NULL;
    for (size_t i = 0; i < inputs; i++) {
        arb_column_id *given = ARB_ARENA_ARRAY(query->arena, arb_column_id, columns);
        arb_column_set below = {0};
        if (given == NULL)
            return NULL;
        count = 0;
        for (size_t k = 0; k < columns; k++) {
            if (droppable && !arb_column_set_has(needed, node->set.columns[k]))
                continue;
            kept[count] = node->set.columns[k];
            given[count++] = node->set.inputs[i].columns[k];
            if (!arb_column_set_add(query, &below, node->set.inputs[i].columns[k]))
                return NULL;
        }
        fresh[i].columns = given;
        if ((fresh[i].plan = prune(p, node->set.inputs[i].plan, &below)) == NULL)
            return NULL;
    }
    return arb_logical_set(query, (arb_set_kind)node->set.kind, node->set.all, kept, count, fresh, inputs);
}

static const arb_logical *prune_shared(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    arb_query *query = p->rule->query;
    size_t count = 0;
    arb_column_id *kept = ARB_ARENA_ARRAY(query->arena, arb_column_id, node->shared.column_count);
    arb_column_id *sources = ARB_ARENA_ARRAY(query->arena, arb_column_id, node->shared.column_count);
    if (kept == NULL || sources == NULL)
        return NULL;
    for (size_t i = 0; i < node->shared.column_count; i++) {
        if (!arb_column_set_has(needed, node->shared.columns[i]))
            continue;
        kept[count] = node->shared.columns[i];
        sources[count++] = node->shared.sources[i];
        if (!arb_column_set_add(query, &p->shared[node->shared.shared->number], node->shared.sources[i]))
            return NULL;
    }
    if (count == node->shared.column_count)
        return node;
    return arb_logical_shared(query, node->shared.shared, kept, sources, count);
}

/* A join that gives its left rows as they are and nothing else that is asked for. */
static bool is_superfluous(arb_query *query, const arb_logical *join, const arb_column_set *needed, bool *out)
{
    arb_column_set right = {0}, keys = {0};
    *out = join->join.kind == ARB_JOIN_MARK && !arb_column_set_has(needed, join->join.mark);
    if (join->join.kind != ARB_JOIN_LEFT || join->join.dependent)
        return true;
    if (!arb_logical_output(query, join->children[1], &right))
        return false;
    return arb_column_set_intersects(&right, needed) ||
           (arb_join_right_keys(query, join, &keys) && arb_logical_unique(query, join->children[1], &keys, out));
}

static const arb_logical *prune(pruner *p, const arb_logical *node, const arb_column_set *needed)
{
    arb_column_set below = {0};
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_VALUES:
        return prune_values(p, node, needed);
    case ARB_LOGICAL_PROJECT:
        return prune_project(p, node, needed);
    case ARB_LOGICAL_AGGREGATE:
        return prune_aggregate(p, node, needed);
    case ARB_LOGICAL_SET:
        return prune_set(p, node, needed);
    case ARB_LOGICAL_SHARED:
        return prune_shared(p, node, needed);
    case ARB_LOGICAL_JOIN: {
        bool superfluous;
        if (!is_superfluous(p->rule->query, node, needed, &superfluous))
            return NULL;
        if (superfluous)
            return prune(p, node->children[0], needed);
        break;
    }
    default:
        break;
    }
    if (!arb_column_set_copy(p->rule->query, &below, needed) || !arb_logical_used_columns(p->rule->query, node, &below))
        return NULL;
    return node->kind == ARB_LOGICAL_SCAN ? prune_scan(p, node, &below) : prune_below(p, node, &below);
}

const arb_logical *arb_rule_prune_columns(arb_rule_context *rule, const arb_logical *root, const arb_column_set *needed)
{
    arb_query *query = rule->query;
    pruner p = {.rule = rule, .shared = ARB_ARENA_ARRAY(query->arena, arb_column_set, query->shared.size)};
    if (p.shared == NULL || (root = prune(&p, root, needed)) == NULL)
        return NULL;
    for (size_t i = query->shared.size; i-- > 0;) {
        arb_shared *shared = query->shared.data[i];
        if (shared->uses != 0 && (shared->plan = prune(&p, shared->plan, &p.shared[i])) == NULL)
            return NULL;
    }
    return root;
}
