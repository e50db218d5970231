/* unique_rows.c: what follows when a plan cannot give two equal rows.
 *
 * Only the plan's own shape proves it (what is grouped, what is a single row) and declared keys, never statistics, which
 * are hints.
 *   SINGLE join, at most one match        LEFT: nothing to check, and from there it may become INNER
 *   DISTINCT of rows that are distinct    goes
 *   UNION, INTERSECT, EXCEPT              stay as they are
 * and where columns are pruned, a LEFT join of which only the left side is needed goes when it cannot repeat rows. */
#include "optimizer/rule.h"

/* Names of columns below a node that passes some of them on under other ids. */
static bool map_items(arb_query *query, const arb_named_expr *items, size_t count, const arb_column_set *ids,
                      arb_column_set *out)
{
    for (size_t i = 0; i < count; i++) {
        if (arb_column_set_has(ids, items[i].id) && items[i].expr->kind == ARB_EXPR_COLUMN &&
            !arb_column_set_add(query, out, items[i].expr->column))
            return false;
    }
    return true;
}

static bool is_float(arb_type type)
{
    return type.id == ARB_TYPE_REAL || type.id == ARB_TYPE_DOUBLE;
}

bool arb_type_groups_exactly(arb_type type)
{
    return !is_float(type) && type.id != ARB_TYPE_INTERVAL && !arb_type_is_nested(type);
}

/* A column, or a float column as the other kind of float: those of equal values are equal again. */
static bool is_column(const arb_expr *expr)
{
    if (expr->kind == ARB_EXPR_CAST && is_float(expr->type) && is_float(expr->children[0]->type))
        expr = expr->children[0];
    return expr->kind == ARB_EXPR_COLUMN;
}

bool arb_expr_same_for_equals(const arb_expr *expr)
{
    bool compares = expr->kind == ARB_EXPR_COMPARE || expr->kind == ARB_EXPR_IN || expr->kind == ARB_EXPR_IS_NULL;
    if (expr->kind == ARB_EXPR_COLUMN)
        return arb_type_groups_exactly(expr->type);
    for (size_t i = 0; i < expr->child_count; i++)
        if (!(compares && is_column(expr->children[i])) && !arb_expr_same_for_equals(expr->children[i]))
            return false;
    return true;
}

bool arb_scan_key_columns(arb_query *query, const arb_logical *scan, const arb_table_key *key, arb_column_set *out,
                          bool *out_usable)
{
    *out_usable = true;
    for (size_t i = 0; i < key->column_count && *out_usable; i++) {
        const arb_table_column *column = &scan->scan.table->columns[key->columns[i]];
        size_t at = 0;
        while (at < scan->scan.column_count && scan->scan.columns[at].table_column != key->columns[i])
            at++;
        *out_usable = at < scan->scan.column_count && !column->nullable && arb_type_groups_exactly(column->type);
        if (*out_usable && !arb_column_set_add(query, out, scan->scan.columns[at].id))
            return false;
    }
    return true;
}

static bool unique_scan(arb_query *query, const arb_logical *scan, const arb_column_set *columns, bool *out_unique)
{
    *out_unique = false;
    for (size_t i = 0; i < scan->scan.table->key_count && !*out_unique; i++) {
        arb_column_set key = {0};
        bool usable;
        if (!arb_scan_key_columns(query, scan, &scan->scan.table->keys[i], &key, &usable))
            return false;
        *out_unique = usable && arb_column_set_contains(columns, &key);
    }
    return true;
}

bool arb_join_right_keys(arb_query *query, const arb_logical *join, arb_column_set *out)
{
    arb_column_set left = {0}, right = {0};
    const arb_expr *condition = join->join.condition, *l, *r;
    if (!arb_logical_output(query, join->children[0], &left) || !arb_logical_output(query, join->children[1], &right))
        return false;
    for (size_t i = 0; condition != NULL && i < arb_expr_conjunct_count(condition); i++) {
        if (arb_conjunct_equates(query, arb_expr_conjunct(condition, i), &left, &right, &l, &r) &&
            r->kind == ARB_EXPR_COLUMN && !arb_column_set_add(query, out, r->column))
            return false;
    }
    return true;
}

static bool unique_join(arb_query *query, const arb_logical *node, const arb_column_set *columns, bool *out_unique)
{
    bool left, right;
    arb_column_set keys = {0};
    *out_unique = false;
    if (!arb_logical_unique(query, node->children[0], columns, &left))
        return false;
    switch ((arb_join_kind)node->join.kind) {
    case ARB_JOIN_SEMI:
    case ARB_JOIN_ANTI:
    case ARB_JOIN_MARK:
    case ARB_JOIN_SINGLE:
        *out_unique = left;
        return true;
    case ARB_JOIN_INNER:
    case ARB_JOIN_LEFT:
        /* Each left row has at most one match, or each match is told apart by its own columns. */
        if (!left || node->join.dependent)
            return true;
        if (!arb_join_right_keys(query, node, &keys) || !arb_column_set_add_all(query, &keys, columns) ||
            !arb_logical_unique(query, node->children[1], &keys, &right))
            return false;
        *out_unique = right;
        return true;
    default:
        return true;
    }
}

bool arb_logical_unique(arb_query *query, const arb_logical *node, const arb_column_set *columns, bool *out_unique)
{
    arb_column_set below = {0};
    *out_unique = false;
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        return unique_scan(query, node, columns, out_unique);
    case ARB_LOGICAL_VALUES:
        *out_unique = node->values.row_count <= 1;
        return true;
    case ARB_LOGICAL_FILTER:
        return arb_logical_unique(query, node->children[0], columns, out_unique);
    case ARB_LOGICAL_SORT:
        *out_unique = node->sort.limit == 0 || node->sort.limit == 1;
        return *out_unique || arb_logical_unique(query, node->children[0], columns, out_unique);
    case ARB_LOGICAL_LIMIT:
        *out_unique = node->limit.count == 0 || node->limit.count == 1;
        return *out_unique || arb_logical_unique(query, node->children[0], columns, out_unique);
    case ARB_LOGICAL_GROUP_LIMIT:
        *out_unique = node->group_limit.count == 0 || node->group_limit.count == 1;
        for (size_t i = 0; i < node->group_limit.group_count; i++) {
            const arb_expr *group = node->group_limit.keys[i].expr;
            *out_unique &= group->kind == ARB_EXPR_COLUMN && arb_column_set_has(columns, group->column);
        }
        return *out_unique || arb_logical_unique(query, node->children[0], columns, out_unique);
    case ARB_LOGICAL_PROJECT:
        return map_items(query, node->project.items, node->project.item_count, columns, &below) &&
               arb_logical_unique(query, node->children[0], &below, out_unique);
    case ARB_LOGICAL_AGGREGATE:
        *out_unique = true;
        for (size_t i = 0; i < node->aggregate.group_count - node->aggregate.carried_count; i++)
            *out_unique &= arb_column_set_has(columns, node->aggregate.groups[i].id);
        return true;
    case ARB_LOGICAL_JOIN:
        return unique_join(query, node, columns, out_unique);
    case ARB_LOGICAL_SET:
        *out_unique = !node->set.all;
        for (size_t i = 0; i < node->set.column_count; i++)
            *out_unique &= arb_column_set_has(columns, node->set.columns[i]);
        return true;
    case ARB_LOGICAL_SHARED:
        for (size_t i = 0; i < node->shared.column_count; i++) {
            if (arb_column_set_has(columns, node->shared.columns[i]) &&
                !arb_column_set_add(query, &below, node->shared.sources[i]))
                return false;
        }
        return arb_logical_unique(query, node->shared.shared->plan, &below, out_unique);
    default:
        return true;
    }
}

static const arb_logical *use_join(arb_query *query, const arb_logical *node)
{
    arb_column_set keys = {0};
    bool unique;
    if (node->join.kind != ARB_JOIN_SINGLE || node->join.dependent)
        return node;
    if (!arb_join_right_keys(query, node, &keys) || !arb_logical_unique(query, node->children[1], &keys, &unique))
        return NULL;
    if (!unique)
        return node;
    arb_logical *copy = arb_logical_copy(query, node);
    if (copy != NULL)
        copy->join.kind = ARB_JOIN_LEFT;
    return copy;
}

static const arb_logical *use_distinct(arb_query *query, const arb_logical *node)
{
    arb_column_set grouped = {0};
    bool unique;
    if (node->aggregate.aggregate_count != 0 || node->aggregate.group_count == 0)
        return node;
    for (size_t i = 0; i < node->aggregate.group_count; i++) {
        const arb_expr *expr = node->aggregate.groups[i].expr;
        if (expr->kind == ARB_EXPR_COLUMN && !arb_column_set_add(query, &grouped, expr->column))
            return NULL;
    }
    if (!arb_logical_unique(query, node->children[0], &grouped, &unique))
        return NULL;
    return unique ? arb_logical_project(query, node->children[0], node->aggregate.groups, node->aggregate.group_count)
                  : node;
}

static const arb_logical *use_unique(arb_rule_context *rule, void *context, const arb_logical *node)
{
    (void)context;
    if (node->kind == ARB_LOGICAL_JOIN)
        return use_join(rule->query, node);
    return node->kind == ARB_LOGICAL_AGGREGATE ? use_distinct(rule->query, node) : node;
}

const arb_logical *arb_rule_unique_rows(arb_rule_context *rule, const arb_logical *root)
{
    return arb_rule_transform(rule, root, use_unique, NULL);
}
