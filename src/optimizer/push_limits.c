/* push_limits.c: LIMIT as early as it is right, and sorts that nobody can see removed.
 *
 *   LIMIT over SORT           a top-N, which never holds more than N rows
 *   LIMIT over PROJECT        below it
 *   LIMIT over LIMIT          one
 *   LIMIT over UNION ALL      also on each input; the one above stays
 *   LIMIT over a LEFT join    also on the left side, of which each row gives a row at least
 *   LIMIT over SCAN           the scan stops early
 *   SORT below SORT, join, set operation, or an aggregate that does not look at order: gone */
#include "optimizer/rule.h"

/* Rows that are needed of a node, -1 = all. */
static int64_t rows_wanted(int64_t count, int64_t offset)
{
    int64_t wanted;
    return count < 0 || __builtin_add_overflow(count, offset, &wanted) ? -1 : wanted;
}

static const arb_logical *limited(arb_rule_context *rule, const arb_logical *node, int64_t count, int64_t offset,
                                  bool hints);

/* At most `wanted` rows of the node are needed: cut them where that is certain. The limit above stays. */
static const arb_logical *hint(arb_rule_context *rule, const arb_logical *node, int64_t wanted)
{
    arb_query *query = rule->query;
    if (wanted < 0)
        return node;
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN: {
        arb_logical *copy = arb_logical_copy(query, node);
        if (copy != NULL)
            copy->scan.limit = node->scan.limit < 0 ? wanted : ARB_MIN(node->scan.limit, wanted);
        return copy;
    }
    case ARB_LOGICAL_PROJECT: {
        const arb_logical *child = hint(rule, node->children[0], wanted);
        return child != NULL ? arb_rule_with_children(rule, node, &child) : NULL;
    }
    case ARB_LOGICAL_JOIN: {
        bool keeps_left =
            node->join.kind == ARB_JOIN_LEFT || node->join.kind == ARB_JOIN_MARK || node->join.kind == ARB_JOIN_SINGLE;
        const arb_logical *children[] = {node->children[0], node->children[1]};
        if (!keeps_left || node->join.dependent)
            return node;
        children[0] = limited(rule, node->children[0], wanted, 0, true);
        return arb_rule_with_children(rule, node, children);
    }
    case ARB_LOGICAL_SET: {
        if (node->set.kind != ARB_SET_UNION || !node->set.all)
            return node;
        const arb_logical **children = ARB_ARENA_ARRAY(query->arena, const arb_logical *, node->set.input_count);
        for (size_t i = 0; children != NULL && i < node->set.input_count; i++) {
            if ((children[i] = limited(rule, node->set.inputs[i].plan, wanted, 0, true)) == NULL)
                return NULL;
        }
        return children != NULL ? arb_rule_with_children(rule, node, children) : NULL;
    }
    default:
        return node;
    }
}

/* The node under a limit, which is melted in where it can be; with `hints` nodes below cut their rows too. */
static const arb_logical *limited(arb_rule_context *rule, const arb_logical *node, int64_t count, int64_t offset,
                                  bool hints)
{
    arb_query *query = rule->query;
    if (node->kind == ARB_LOGICAL_PROJECT) {
        const arb_logical *child = limited(rule, node->children[0], count, offset, hints);
        return child != NULL ? arb_rule_with_children(rule, node, &child) : NULL;
    }
    if (node->kind == ARB_LOGICAL_SORT && node->sort.limit < 0 && node->sort.offset == 0) {
        arb_logical *copy = arb_logical_copy(query, node);
        if (copy != NULL) {
            copy->sort.limit = count;
            copy->sort.offset = offset;
        }
        return copy;
    }
    if (node->kind == ARB_LOGICAL_LIMIT) {
        /* The outer one counts among the rows that the inner one leaves. */
        int64_t left = node->limit.count < 0 ? -1 : ARB_MAX(node->limit.count - offset, 0);
        int64_t most = left < 0 ? count : count < 0 ? left : ARB_MIN(left, count), skip;
        if (!__builtin_add_overflow(node->limit.offset, offset, &skip))
            return limited(rule, node->children[0], most, skip, hints);
    }
    const arb_logical *child = hints ? hint(rule, node, rows_wanted(count, offset)) : node;
    return child != NULL ? arb_logical_limit(query, child, count, offset) : NULL;
}

static bool ignores_order(const arb_logical *aggregate)
{
    static const char *const names[] = {"sum", "count", "min", "max", "avg", "bool_and", "bool_or"};
    for (size_t i = 0; i < aggregate->aggregate.aggregate_count; i++) {
        bool known = false;
        for (size_t k = 0; k < ARB_COUNT_OF(names) && !known; k++)
            known = strcmp(aggregate->aggregate.aggregates[i].function->name, names[k]) == 0;
        if (!known)
            return false;
    }
    return true;
}

static const arb_logical *without_sort(const arb_logical *node)
{
    while (node->kind == ARB_LOGICAL_SORT && node->sort.limit < 0 && node->sort.offset == 0)
        node = node->children[0];
    return node;
}

static const arb_logical *drop_sorts_below(arb_rule_context *rule, const arb_logical *node)
{
    size_t count = arb_logical_child_count(node);
    bool unseen = node->kind == ARB_LOGICAL_SORT || node->kind == ARB_LOGICAL_GROUP_LIMIT ||
                  node->kind == ARB_LOGICAL_JOIN || node->kind == ARB_LOGICAL_SET ||
                  (node->kind == ARB_LOGICAL_AGGREGATE && ignores_order(node));
    const arb_logical **children = ARB_ARENA_ARRAY(rule->query->arena, const arb_logical *, count);
    if (!unseen || children == NULL)
        return unseen ? NULL : node;
    for (size_t i = 0; i < count; i++)
        children[i] = without_sort(arb_logical_child(node, i));
    return arb_rule_with_children(rule, node, children);
}

static const arb_logical *push_limit(arb_rule_context *rule, void *context, const arb_logical *node)
{
    (void)context;
    if (node->kind == ARB_LOGICAL_LIMIT)
        return limited(rule, node->children[0], node->limit.count, node->limit.offset, true);
    return drop_sorts_below(rule, node);
}

static const arb_logical *melt_limit(arb_rule_context *rule, void *context, const arb_logical *node)
{
    (void)context;
    if (node->kind != ARB_LOGICAL_LIMIT)
        return node;
    return limited(rule, node->children[0], node->limit.count, node->limit.offset, false);
}

const arb_logical *arb_melt_limits(arb_rule_context *rule, const arb_logical *root)
{
    return arb_rule_transform(rule, root, melt_limit, NULL);
}

const arb_logical *arb_rule_push_limits(arb_rule_context *rule, const arb_logical *root)
{
    return arb_rule_transform(rule, root, push_limit, NULL);
}
