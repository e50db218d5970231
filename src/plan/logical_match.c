/* logical_match.c: when two subtrees compute the same, under whatever ids.
 *
 * Two trees are walked side by side. Wherever both make columns, those at the same position stand for each other
 * (`map`), and from then on an expression of the one matches an expression of the other when it is the same after that
 * renaming. The shape of a tree is a hash that agrees: a column counts as what it is made from. */
#include "base/hash.h"
#include "expr/function.h"
#include "plan/logical.h"

/* ---- matching --------------------------------------------------------------------------------------------------- */

static bool match_expr(const arb_expr *a, const arb_expr *b, const arb_column_id *map);

static bool match_in_order(const arb_expr *a, const arb_expr *b, const arb_column_id *map)
{
    for (size_t i = 0; i < a->child_count; i++) {
        if (!match_expr(a->children[i], b->children[i], map))
            return false;
    }
    return true;
}

/* AND, OR and = mean the same in any order as long as no child can fail: else an earlier one may protect a later one. */
static bool match_in_any_order(const arb_expr *a, const arb_expr *b, const arb_column_id *map)
{
    uint64_t taken = 0;
    if (a->child_count > 64 || !arb_expr_infallible(a))
        return match_in_order(a, b, map);
    for (size_t i = 0; i < a->child_count; i++) {
        size_t k = 0;
        while (k < b->child_count && (((taken >> k) & 1) != 0 || !match_expr(a->children[i], b->children[k], map)))
            k++;
        if (k == b->child_count)
            return false;
        taken |= (uint64_t)1 << k;
    }
    return true;
}

static bool match_expr(const arb_expr *a, const arb_expr *b, const arb_column_id *map)
{
    if (a->kind != b->kind || a->child_count != b->child_count || !arb_type_equal(a->type, b->type))
        return false;
    switch ((arb_expr_kind)a->kind) {
    case ARB_EXPR_CONSTANT:
        return arb_value_same(&a->value, &b->value);
    case ARB_EXPR_COLUMN:
        return map[a->column] != ARB_NO_COLUMN && map[a->column] == b->column;
    case ARB_EXPR_CALL:
        return a->function == b->function && !a->function->is_volatile && match_in_order(a, b, map);
    case ARB_EXPR_COMPARE:
        return a->compare == b->compare &&
               (a->compare == ARB_EQUAL ? match_in_any_order(a, b, map) : match_in_order(a, b, map));
    case ARB_EXPR_AND:
    case ARB_EXPR_OR:
        return match_in_any_order(a, b, map);
    case ARB_EXPR_CAST:
        return a->try_cast == b->try_cast && match_in_order(a, b, map);
    default:
        return match_in_order(a, b, map);
    }
}

static bool match_optional(const arb_expr *a, const arb_expr *b, const arb_column_id *map)
{
    return a == NULL || b == NULL ? a == b : match_expr(a, b, map);
}

/* From here on `a` is called `b` on the other side; a node that passes a column on names it again. */
static bool bind(arb_column_id a, arb_column_id b, arb_column_id *map)
{
    if (map[a] == ARB_NO_COLUMN)
        map[a] = b;
    return map[a] == b;
}

static bool bind_all(const arb_column_id *a, const arb_column_id *b, size_t count, arb_column_id *map)
{
    for (size_t i = 0; i < count; i++) {
        if (!bind(a[i], b[i], map))
            return false;
    }
    return true;
}

static bool match_items(const arb_named_expr *a, const arb_named_expr *b, size_t count, arb_column_id *map)
{
    for (size_t i = 0; i < count; i++) {
        if (!match_expr(a[i].expr, b[i].expr, map) || !bind(a[i].id, b[i].id, map))
            return false;
    }
    return true;
}

static bool match_keys(const arb_sort_key *a, const arb_sort_key *b, size_t count, const arb_column_id *map)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i].descending != b[i].descending || a[i].nulls_first != b[i].nulls_first ||
            !match_expr(a[i].expr, b[i].expr, map))
            return false;
    }
    return true;
}

static bool match_call(const arb_aggregate_call *a, const arb_aggregate_call *b, arb_column_id *map)
{
    if (a->function != b->function || a->function->is_volatile || a->argument_count != b->argument_count ||
        a->distinct != b->distinct || a->order_count != b->order_count)
        return false;
    for (size_t i = 0; i < a->argument_count; i++) {
        if (!match_expr(a->arguments[i], b->arguments[i], map))
            return false;
    }
    return match_optional(a->filter, b->filter, map) && match_keys(a->order, b->order, a->order_count, map) &&
           bind(a->id, b->id, map);
}

static bool match_scan(const arb_logical *a, const arb_logical *b, arb_column_id *map)
{
    if (a->scan.table != b->scan.table || a->scan.column_count != b->scan.column_count ||
        a->scan.limit != b->scan.limit)
        return false;
    for (size_t i = 0; i < a->scan.column_count; i++) {
        if (a->scan.columns[i].table_column != b->scan.columns[i].table_column ||
            !bind(a->scan.columns[i].id, b->scan.columns[i].id, map))
            return false;
    }
    return match_optional(a->scan.filter, b->scan.filter, map);
}

static bool match_values(const arb_logical *a, const arb_logical *b, arb_column_id *map)
{
    if (a->values.column_count != b->values.column_count || a->values.row_count != b->values.row_count)
        return false;
    for (size_t i = 0; i < a->values.row_count * a->values.column_count; i++) {
        if (!match_expr(a->values.cells[i], b->values.cells[i], map))
            return false;
    }
    return bind_all(a->values.columns, b->values.columns, a->values.column_count, map);
}

static bool match_aggregate(const arb_logical *a, const arb_logical *b, arb_column_id *map)
{
    if (a->aggregate.group_count != b->aggregate.group_count ||
        a->aggregate.carried_count != b->aggregate.carried_count ||
        a->aggregate.aggregate_count != b->aggregate.aggregate_count ||
        !match_items(a->aggregate.groups, b->aggregate.groups, a->aggregate.group_count, map))
        return false;
    for (size_t i = 0; i < a->aggregate.aggregate_count; i++) {
        if (!match_call(&a->aggregate.aggregates[i], &b->aggregate.aggregates[i], map))
            return false;
    }
    return true;
}

static bool match_join(const arb_logical *a, const arb_logical *b, arb_column_id *map)
{
    if (a->join.kind != b->join.kind || a->join.dependent || b->join.dependent ||
        a->join.null_aware != b->join.null_aware || !match_optional(a->join.condition, b->join.condition, map))
        return false;
    return a->join.mark == ARB_NO_COLUMN || b->join.mark == ARB_NO_COLUMN ? a->join.mark == b->join.mark
                                                                          : bind(a->join.mark, b->join.mark, map);
}

static bool match_set(const arb_logical *a, const arb_logical *b, arb_column_id *map)
{
    if (a->set.kind != b->set.kind || a->set.all != b->set.all || a->set.column_count != b->set.column_count)
        return false;
    for (size_t i = 0; i < a->set.input_count; i++) {
        for (size_t k = 0; k < a->set.column_count; k++) {
            if (map[a->set.inputs[i].columns[k]] != b->set.inputs[i].columns[k])
                return false;
        }
    }
    return bind_all(a->set.columns, b->set.columns, a->set.column_count, map);
}

static bool match_shared(const arb_logical *a, const arb_logical *b, arb_column_id *map)
{
    if (a->shared.shared != b->shared.shared || a->shared.column_count != b->shared.column_count)
        return false;
    for (size_t i = 0; i < a->shared.column_count; i++) {
        if (a->shared.sources[i] != b->shared.sources[i])
            return false;
    }
    return bind_all(a->shared.columns, b->shared.columns, a->shared.column_count, map);
}

bool arb_logical_match(const arb_logical *a, const arb_logical *b, arb_column_id *map)
{
    if (a->kind != b->kind || arb_logical_child_count(a) != arb_logical_child_count(b))
        return false;
    for (size_t i = 0; i < arb_logical_child_count(a); i++) {
        if (!arb_logical_match(arb_logical_child(a, i), arb_logical_child(b, i), map))
            return false;
    }
    switch ((arb_logical_kind)a->kind) {
    case ARB_LOGICAL_SCAN:
        return match_scan(a, b, map);
    case ARB_LOGICAL_VALUES:
        return match_values(a, b, map);
    case ARB_LOGICAL_FILTER:
        return match_expr(a->filter.condition, b->filter.condition, map);
    case ARB_LOGICAL_PROJECT:
        return a->project.item_count == b->project.item_count &&
               match_items(a->project.items, b->project.items, a->project.item_count, map);
    case ARB_LOGICAL_AGGREGATE:
        return match_aggregate(a, b, map);
    case ARB_LOGICAL_JOIN:
        return match_join(a, b, map);
    case ARB_LOGICAL_SORT:
        return a->sort.key_count == b->sort.key_count && a->sort.limit == b->sort.limit &&
               a->sort.offset == b->sort.offset && match_keys(a->sort.keys, b->sort.keys, a->sort.key_count, map);
    case ARB_LOGICAL_LIMIT:
        return a->limit.count == b->limit.count && a->limit.offset == b->limit.offset;
    case ARB_LOGICAL_GROUP_LIMIT:
        return a->group_limit.group_count == b->group_limit.group_count &&
               a->group_limit.key_count == b->group_limit.key_count && a->group_limit.count == b->group_limit.count &&
               a->group_limit.offset == b->group_limit.offset &&
               match_keys(a->group_limit.keys, b->group_limit.keys, a->group_limit.key_count, map);
    case ARB_LOGICAL_SET:
        return match_set(a, b, map);
    case ARB_LOGICAL_SHARED:
        return match_shared(a, b, map);
    case ARB_LOGICAL_KIND_COUNT:
        break;
    }
    return false;
}

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

/* Sums, so that the order of children does not count where matching looks at any order. */
static uint64_t expr_shape(const arb_expr *expr, const uint64_t *columns)
{
    if (expr->kind == ARB_EXPR_CONSTANT)
        return arb_expr_hash(expr);
    if (expr->kind == ARB_EXPR_COLUMN)
        return arb_hash_u64(columns[expr->column]);
    uint64_t own = expr->kind + ((uint64_t)expr->type.id << 8), children = 0;
    if (expr->kind == ARB_EXPR_CALL)
        own = arb_hash_combine(own, (uint64_t)(uintptr_t)expr->function);
    if (expr->kind == ARB_EXPR_COMPARE)
        own = arb_hash_combine(own, expr->compare);
    for (size_t i = 0; i < expr->child_count; i++)
        children += expr_shape(expr->children[i], columns);
    return arb_hash_combine(own, children);
}

static void items_shape(const arb_named_expr *items, size_t count, uint64_t *shape, uint64_t *columns)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t own = expr_shape(items[i].expr, columns);
        *shape = arb_hash_combine(*shape, own);
        if (items[i].expr->kind != ARB_EXPR_COLUMN || items[i].expr->column != items[i].id)
            columns[items[i].id] = own;
    }
}

static void ids_shape(const arb_column_id *ids, size_t count, uint64_t shape, uint64_t *columns)
{
    for (size_t i = 0; i < count; i++)
        columns[ids[i]] = arb_hash_combine(shape, i);
}

static uint64_t scan_shape(const arb_logical *node, uint64_t *columns)
{
    uint64_t shape = arb_hash_u64((uint64_t)(uintptr_t)node->scan.table);
    for (size_t i = 0; i < node->scan.column_count; i++)
        columns[node->scan.columns[i].id] = arb_hash_combine(shape, node->scan.columns[i].table_column);
    return node->scan.filter != NULL ? arb_hash_combine(shape, expr_shape(node->scan.filter, columns)) : shape;
}

static uint64_t aggregate_shape(const arb_logical *node, uint64_t shape, uint64_t *columns)
{
    items_shape(node->aggregate.groups, node->aggregate.group_count, &shape, columns);
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const arb_aggregate_call *call = &node->aggregate.aggregates[i];
        uint64_t own = arb_hash_u64((uint64_t)(uintptr_t)call->function + call->distinct);
        for (size_t k = 0; k < call->argument_count; k++)
            own = arb_hash_combine(own, expr_shape(call->arguments[k], columns));
        columns[call->id] = own;
        shape = arb_hash_combine(shape, own);
    }
    return shape;
}

uint64_t arb_logical_shape(const arb_logical *node, const uint64_t *children, uint64_t *columns)
{
    uint64_t shape = arb_hash_u64(node->kind);
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        shape = arb_hash_combine(shape, children[i]);
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        return scan_shape(node, columns);
    case ARB_LOGICAL_VALUES:
        ids_shape(node->values.columns, node->values.column_count, shape, columns);
        return arb_hash_combine(shape, node->values.row_count);
    case ARB_LOGICAL_FILTER:
        return arb_hash_combine(shape, expr_shape(node->filter.condition, columns));
    case ARB_LOGICAL_PROJECT:
        items_shape(node->project.items, node->project.item_count, &shape, columns);
        return shape;
    case ARB_LOGICAL_AGGREGATE:
        return aggregate_shape(node, shape, columns);
    case ARB_LOGICAL_JOIN:
        if (node->join.condition != NULL)
            shape = arb_hash_combine(shape, expr_shape(node->join.condition, columns));
        if (node->join.mark != ARB_NO_COLUMN)
            columns[node->join.mark] = shape;
        return arb_hash_combine(shape, node->join.kind);
    case ARB_LOGICAL_SORT:
        for (size_t i = 0; i < node->sort.key_count; i++)
            shape = arb_hash_combine(shape, expr_shape(node->sort.keys[i].expr, columns));
        return shape;
    case ARB_LOGICAL_GROUP_LIMIT:
        for (size_t i = 0; i < node->group_limit.key_count; i++)
            shape = arb_hash_combine(shape, expr_shape(node->group_limit.keys[i].expr, columns));
        return shape;
    case ARB_LOGICAL_SET:
        ids_shape(node->set.columns, node->set.column_count, shape, columns);
        return shape;
    case ARB_LOGICAL_SHARED:
        shape = arb_hash_combine(shape, (uint64_t)(uintptr_t)node->shared.shared);
        for (size_t i = 0; i < node->shared.column_count; i++)
            columns[node->shared.columns[i]] = arb_hash_combine(shape, node->shared.sources[i]);
        return shape;
    default:
        return shape;
    }
}
