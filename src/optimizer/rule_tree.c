/* rule_tree.c: rebuilding trees, and copies of them under new column ids. */
#include "optimizer/rule.h"

void *arb_rule_refuse(arb_rule_context *rule, arb_code code, const char *message)
{
    if (rule->code == ARB_OK)
        rule->code = arb_fail(rule->error, code, "%s", message);
    return NULL;
}

const arb_logical *arb_rule_with_children(arb_rule_context *rule, const arb_logical *node,
                                          const arb_logical *const *children)
{
    bool changed = false;
    for (size_t i = 0; i < arb_logical_child_count(node); i++) {
        if (children[i] == NULL)
            return NULL;
        changed |= children[i] != arb_logical_child(node, i);
    }
    return changed ? arb_logical_with_children(rule->query, node, children) : node;
}

const arb_logical *arb_rule_transform(arb_rule_context *rule, const arb_logical *node, arb_node_rewrite rewrite,
                                      void *context)
{
    size_t count = arb_logical_child_count(node);
    const arb_logical *few[2], **children = few;
    if (count > ARB_COUNT_OF(few) && (children = arb_arena_alloc(rule->query->arena, count * sizeof *children)) == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        children[i] = arb_rule_transform(rule, arb_logical_child(node, i), rewrite, context);
        if (children[i] == NULL)
            return NULL;
    }
    node = arb_rule_with_children(rule, node, children);
    return node != NULL ? rewrite(rule, context, node) : NULL;
}

const arb_logical *arb_rule_join_like(arb_rule_context *rule, const arb_logical *join, const arb_logical *left,
                                      const arb_logical *right, const arb_expr *condition)
{
    if (left == NULL || right == NULL)
        return NULL;
    if (left == join->children[0] && right == join->children[1] && condition == join->join.condition)
        return join;
    arb_logical *copy = arb_logical_copy(rule->query, join);
    if (copy == NULL)
        return NULL;
    copy->children[0] = left;
    copy->children[1] = right;
    copy->join.condition = condition;
    copy->rows = 0;
    return copy;
}

const arb_logical *arb_rule_add_items(arb_rule_context *rule, const arb_logical *node, const arb_named_expr *items,
                                      size_t count)
{
    arb_query *query = rule->query;
    arb_column_ids ids = {0};
    if (!arb_logical_output_ids(query, node, &ids))
        return NULL;
    arb_named_expr *all = ARB_ARENA_ARRAY(query->arena, arb_named_expr, ids.size + count);
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < ids.size; i++) {
        all[i] = (arb_named_expr){.id = ids.data[i], .expr = arb_query_column_expr(query, ids.data[i])};
        if (all[i].expr == NULL)
            return NULL;
    }
    for (size_t i = 0; i < count; i++)
        all[ids.size + i] = items[i];
    return arb_logical_project(query, node, all, ids.size + count);
}

/* ---- copies under new ids --------------------------------------------------------------------------------------- */

typedef struct cloner {
    arb_query *query;
    arb_column_id *map; /* by old id */
    size_t map_size;
} cloner;

static bool renew(cloner *c, arb_column_id id)
{
    assert(id < c->map_size);
    if (c->map[id] != ARB_NO_COLUMN)
        return true;
    arb_column_info info = *arb_query_column(c->query, id);
    arb_column_id fresh = arb_query_add_column(c->query, info.name, info.type, info.nullable);
    if (fresh == ARB_NO_COLUMN)
        return false;
    *arb_query_column(c->query, fresh) = info;
    c->map[id] = fresh;
    return true;
}

static arb_column_id renewed(const cloner *c, arb_column_id id)
{
    return id < c->map_size && c->map[id] != ARB_NO_COLUMN ? c->map[id] : id;
}

static const arb_expr *renew_column(void *context, arb_arena *arena, const arb_expr *expr)
{
    const cloner *c = context;
    if (expr->kind != ARB_EXPR_COLUMN || renewed(c, expr->column) == expr->column)
        return expr;
    return arb_expr_column(arena, renewed(c, expr->column), expr->type);
}

static const arb_expr *renew_expr(void *context, const arb_expr *expr)
{
    cloner *c = context;
    return arb_expr_transform(c->query->arena, expr, renew_column, c);
}

static bool renew_ids(cloner *c, const arb_column_id **ids, size_t count)
{
    arb_column_id *fresh = ARB_ARENA_ARRAY(c->query->arena, arb_column_id, count);
    if (fresh == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!renew(c, (*ids)[i]))
            return false;
        fresh[i] = c->map[(*ids)[i]];
    }
    *ids = fresh;
    return true;
}

static bool renew_named(cloner *c, const arb_named_expr **items, size_t count)
{
    arb_named_expr *fresh = ARB_ARENA_ARRAY(c->query->arena, arb_named_expr, count);
    if (fresh == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!renew(c, (*items)[i].id))
            return false;
        fresh[i] = (arb_named_expr){.id = c->map[(*items)[i].id], .expr = (*items)[i].expr};
    }
    *items = fresh;
    return true;
}

static bool renew_aggregates(cloner *c, arb_logical *node)
{
    size_t count = node->aggregate.aggregate_count;
    arb_aggregate_call *calls = ARB_ARENA_ARRAY(c->query->arena, arb_aggregate_call, count);
    if (calls == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        calls[i] = node->aggregate.aggregates[i];
        if (!renew(c, calls[i].id))
            return false;
        calls[i].id = c->map[calls[i].id];
    }
    node->aggregate.aggregates = calls;
    return renew_named(c, &node->aggregate.groups, node->aggregate.group_count);
}

/* Give what the node makes new ids. `node` is a copy of the cloner's own. */
static bool renew_made(cloner *c, arb_logical *node)
{
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN: {
        arb_scan_output *columns = ARB_ARENA_ARRAY(c->query->arena, arb_scan_output, node->scan.column_count);
        if (columns == NULL)
            return false;
        for (size_t i = 0; i < node->scan.column_count; i++) {
            columns[i] = node->scan.columns[i];
            if (!renew(c, columns[i].id))
                return false;
            columns[i].id = c->map[columns[i].id];
        }
        node->scan.columns = columns;
        return true;
    }
    case ARB_LOGICAL_VALUES:
        return renew_ids(c, &node->values.columns, node->values.column_count);
    case ARB_LOGICAL_PROJECT:
        return renew_named(c, &node->project.items, node->project.item_count);
    case ARB_LOGICAL_AGGREGATE:
        return renew_aggregates(c, node);
    case ARB_LOGICAL_JOIN:
        if (node->join.mark == ARB_NO_COLUMN)
            return true;
        if (!renew(c, node->join.mark))
            return false;
        node->join.mark = c->map[node->join.mark];
        return true;
    case ARB_LOGICAL_SET:
        return renew_ids(c, &node->set.columns, node->set.column_count);
    case ARB_LOGICAL_SHARED:
        return renew_ids(c, &node->shared.columns, node->shared.column_count);
    default:
        return true;
    }
}

static const arb_logical *clone_node(cloner *c, const arb_logical *node)
{
    size_t count = arb_logical_child_count(node);
    const arb_logical **children = ARB_ARENA_ARRAY(c->query->arena, const arb_logical *, count);
    if (children == NULL)
        return NULL;
    /* Left to right, so that a dependent right side sees what its left side became. */
    for (size_t i = 0; i < count; i++) {
        if ((children[i] = clone_node(c, arb_logical_child(node, i))) == NULL)
            return NULL;
    }
    arb_logical *copy = arb_logical_with_children(c->query, node, children);
    if (copy == NULL || !renew_made(c, copy))
        return NULL;
    if (copy->kind == ARB_LOGICAL_SET) {
        arb_set_input *inputs = ARB_ARENA_ARRAY(c->query->arena, arb_set_input, count);
        if (inputs == NULL)
            return NULL;
        for (size_t i = 0; i < count; i++) {
            inputs[i] = copy->set.inputs[i];
            if (!renew_ids(c, &inputs[i].columns, copy->set.column_count))
                return NULL;
        }
        copy->set.inputs = inputs;
    }
    return arb_logical_map_exprs(c->query, copy, renew_expr, c);
}

const arb_logical *arb_rule_clone(arb_rule_context *rule, const arb_logical *node, arb_column_id *map, size_t map_size)
{
    for (size_t i = 0; i < map_size; i++)
        map[i] = ARB_NO_COLUMN;
    cloner c = {.query = rule->query, .map = map, .map_size = map_size};
    return clone_node(&c, node);
}
