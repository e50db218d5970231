/* simplify.c: every expression of a plan made simpler, and the nodes that follow from it: a FILTER of TRUE goes, one
 * that lets nothing pass makes its subtree empty, and so does an empty input of a join that needs it. */
#include "optimizer/simplify.h"

static const arb_expr *simplify_one(void *context, const arb_expr *expr)
{
    return arb_simplify_expr(context, expr);
}

static bool never_true(const arb_expr *condition)
{
    return condition != NULL && condition->kind == ARB_EXPR_CONSTANT && !arb_expr_is_true(condition);
}

static bool is_empty(const arb_logical *node)
{
    return node->kind == ARB_LOGICAL_VALUES && node->values.row_count == 0;
}

static const arb_logical *emptied(arb_rule_context *rule, const arb_logical *node)
{
    arb_column_ids ids = {0};
    if (!arb_logical_output_ids(rule->query, node, &ids))
        return NULL;
    return arb_logical_empty(rule->query, ids.data, ids.size);
}

static const arb_logical *simplify_join(arb_rule_context *rule, const arb_logical *node)
{
    arb_join_kind kind = (arb_join_kind)node->join.kind;
    bool left = is_empty(node->children[0]), right = is_empty(node->children[1]);
    bool never = never_true(node->join.condition);
    if (node->join.condition != NULL && arb_expr_is_true(node->join.condition)) {
        node = arb_rule_join_like(rule, node, node->children[0], node->children[1], NULL);
        if (node == NULL)
            return NULL;
    }
    switch (kind) {
    case ARB_JOIN_INNER:
    case ARB_JOIN_SEMI:
        return left || right || never ? emptied(rule, node) : node;
    case ARB_JOIN_ANTI:
        return left ? emptied(rule, node) : right || (never && !node->join.null_aware) ? node->children[0] : node;
    case ARB_JOIN_LEFT:
    case ARB_JOIN_MARK:
    case ARB_JOIN_SINGLE:
        return left ? emptied(rule, node) : node;
    default:
        return node;
    }
}

static const arb_logical *simplify_filter(arb_rule_context *rule, const arb_logical *node)
{
    if (arb_expr_is_true(node->filter.condition) || is_empty(node->children[0]))
        return node->children[0];
    return never_true(node->filter.condition) ? emptied(rule, node) : node;
}

static const arb_logical *simplify_node(arb_rule_context *rule, void *context, const arb_logical *node)
{
    (void)context;
    if (node->kind != ARB_LOGICAL_LIMIT && node->kind != ARB_LOGICAL_SET && node->kind != ARB_LOGICAL_SHARED &&
        (node = arb_logical_map_exprs(rule->query, node, simplify_one, rule)) == NULL)
        return NULL;
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_FILTER:
        return simplify_filter(rule, node);
    case ARB_LOGICAL_JOIN:
        return simplify_join(rule, node);
    case ARB_LOGICAL_PROJECT:
    case ARB_LOGICAL_SORT:
        return is_empty(node->children[0]) ? emptied(rule, node) : node;
    case ARB_LOGICAL_LIMIT:
        return is_empty(node->children[0]) || node->limit.count == 0 ? emptied(rule, node) : node;
    case ARB_LOGICAL_GROUP_LIMIT:
        return is_empty(node->children[0]) || node->group_limit.count == 0 ? emptied(rule, node) : node;
    case ARB_LOGICAL_AGGREGATE:
        return is_empty(node->children[0]) && node->aggregate.group_count != 0 ? emptied(rule, node) : node;
    case ARB_LOGICAL_SCAN:
        return never_true(node->scan.filter) ? emptied(rule, node) : node;
    default:
        return node;
    }
}

const arb_logical *arb_rule_simplify(arb_rule_context *rule, const arb_logical *root)
{
    return arb_rule_transform(rule, root, simplify_node, NULL);
}
