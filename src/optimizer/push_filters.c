/* push_filters.c: conditions move to where their columns come from.
 *
 * A list of conjuncts travels down the tree. Each node keeps what cannot go further (as a FILTER above it, or in a
 * join's condition) and hands the rest to its children; a SCAN takes them into its filter. On the way
 *   - a nest of INNER joins is seen as one list of conjuncts over all its inputs, from which more are concluded
 *     (infer_conjuncts.c), then each goes to the lowest place where its columns are;
 *   - a condition that lets no NULL pass turns outer joins above which it stands into inner ones;
 *   - a condition that is just a subquery's mark (or NOT the mark) turns the MARK join into a SEMI (or ANTI) join.
 *
 * What may fail (x / y > 1) is not moved past a condition that may protect it: a conjunct goes to a side only when all
 * conjuncts before it go to the same side, equalities between the sides aside. What is volatile, or names columns of an
 * outer query, stays where it is.
 *
 * `needed` are columns that somebody above uses, conjuncts on their way aside: a superset is allowed, since it only
 * decides whether a mark may vanish. */
#include "optimizer/push_filters.h"

static const arb_logical *push(arb_rule_context *rule, const arb_logical *node, arb_conjuncts *list,
                               const arb_column_set *needed);

static bool append(arb_rule_context *rule, arb_conjuncts *list, const arb_expr *conjunct)
{
    return arb_conjuncts_add(rule->query, list, conjunct);
}

/* `needed` and what the node's own expressions use. */
static bool widen(arb_rule_context *rule, const arb_column_set *needed, const arb_logical *node,
                  const arb_conjuncts *list, arb_column_set *out)
{
    if (!arb_column_set_copy(rule->query, out, needed) ||
        (node != NULL && !arb_logical_used_columns(rule->query, node, out)))
        return false;
    for (size_t i = 0; list != NULL && i < list->size; i++) {
        if (!arb_expr_columns(rule->query, list->data[i], out))
            return false;
    }
    return true;
}

/* What a disjunction says of some columns alone: (a AND b) OR (c AND d) with a and c about them implies a OR c. Nothing
 * when some branch says nothing about them. */
static bool conclude_from_or(arb_rule_context *rule, const arb_expr *conjunct, const arb_column_set *columns,
                             arb_conjuncts *to)
{
    arb_query *query = rule->query;
    if (conjunct->kind != ARB_EXPR_OR)
        return true;
    const arb_expr **branches = ARB_ARENA_ARRAY(query->arena, const arb_expr *, conjunct->child_count);
    if (branches == NULL)
        return false;
    for (size_t i = 0; i < conjunct->child_count; i++) {
        const arb_expr *branch = conjunct->children[i];
        arb_conjuncts about = {0};
        for (size_t k = 0; k < arb_expr_conjunct_count(branch); k++) {
            const arb_expr *part = arb_expr_conjunct(branch, k);
            if (arb_expr_uses(part, columns) && arb_expr_within(part, columns) && arb_expr_infallible(part) &&
                arb_expr_deterministic(part) && !append(rule, &about, part))
                return false;
        }
        if (about.size == 0)
            return true;
        if (!arb_conjuncts_condition(query, &about, &branches[i]))
            return false;
    }
    const arb_expr *all = arb_expr_or(query->arena, branches, conjunct->child_count);
    return all != NULL && (all = arb_simplify_expr(rule, all)) != NULL && append(rule, to, all);
}

/* ---- nodes with one child --------------------------------------------------------------------------------------- */

/* May the conjunct be asked of each row instead of one that stands for all that equal it? */
static bool passes_group(const arb_expr *conjunct, const arb_column_set *passing)
{
    return arb_expr_within(conjunct, passing) && arb_expr_deterministic(conjunct) && arb_expr_same_for_equals(conjunct);
}

/* The conjuncts that may pass through items are rewritten by them; the others stay. `grouped`: a row may stand for others
 * that equal it. */
static bool split_by_items(arb_rule_context *rule, const arb_conjuncts *list, const arb_column_set *passing,
                           const arb_named_expr *items, size_t count, bool grouped, arb_conjuncts *down,
                           arb_conjuncts *stay)
{
    for (size_t i = 0; i < list->size; i++) {
        const arb_expr *conjunct = list->data[i];
        if (grouped ? !passes_group(conjunct, passing)
                    : !arb_expr_within(conjunct, passing) || !arb_expr_deterministic(conjunct)) {
            if (!append(rule, stay, conjunct))
                return false;
            continue;
        }
        conjunct = arb_expr_substitute(rule->query, conjunct, items, count);
        if (conjunct == NULL || !append(rule, down, conjunct))
            return false;
    }
    return true;
}

/* What stays above an aggregate may still say something of its groups. */
static bool conclude_for_groups(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *stay,
                                const arb_column_set *passing, arb_conjuncts *down)
{
    arb_conjuncts concluded = {0}, none = {0};
    if (node->kind != ARB_LOGICAL_AGGREGATE || node->aggregate.group_count == 0)
        return true;
    for (size_t i = 0; i < stay->size; i++) {
        if (!conclude_from_or(rule, stay->data[i], passing, &concluded))
            return false;
    }
    return split_by_items(rule, &concluded, passing, node->aggregate.groups, node->aggregate.group_count, true, down,
                          &none);
}

static const arb_logical *push_items(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *list,
                                     const arb_column_set *needed)
{
    bool project = node->kind == ARB_LOGICAL_PROJECT;
    const arb_named_expr *items = project ? node->project.items : node->aggregate.groups;
    size_t count = project ? node->project.item_count : node->aggregate.group_count;
    arb_conjuncts down = {0}, stay = {0};
    arb_column_set passing = {0}, below = {0};
    for (size_t i = 0; i < count; i++) {
        if (arb_expr_deterministic(items[i].expr) && !arb_column_set_add(rule->query, &passing, items[i].id))
            return NULL;
    }
    /* Without groups there is a row even when the child has none: nothing may pass. */
    if (!project && count == 0)
        stay = *list;
    else if (!split_by_items(rule, list, &passing, items, count, !project, &down, &stay))
        return NULL;
    if (!conclude_for_groups(rule, node, &stay, &passing, &down) || !widen(rule, needed, node, NULL, &below))
        return NULL;
    const arb_logical *child = push(rule, node->children[0], &down, &below);
    if (child == NULL)
        return NULL;
    node = arb_rule_with_children(rule, node, &child);
    return node != NULL ? arb_conjuncts_filter(rule->query, node, &stay) : NULL;
}

static const arb_logical *push_through(arb_rule_context *rule, const arb_logical *node, arb_conjuncts *list,
                                       const arb_column_set *needed)
{
    arb_conjuncts none = {0};
    bool passes = node->kind == ARB_LOGICAL_SORT && node->sort.limit < 0 && node->sort.offset == 0;
    arb_column_set below = {0};
    if (!widen(rule, needed, node, passes ? NULL : list, &below))
        return NULL;
    const arb_logical *child = push(rule, node->children[0], passes ? list : &none, &below);
    if (child == NULL || (node = arb_rule_with_children(rule, node, &child)) == NULL)
        return NULL;
    return passes ? node : arb_conjuncts_filter(rule->query, node, list);
}

/* What is said of groups drops them whole. */
static const arb_logical *push_group_limit(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *list,
                                           const arb_column_set *needed)
{
    arb_column_set groups = {0}, below = {0};
    arb_conjuncts down = {0}, stay = {0};
    for (size_t i = 0; i < node->group_limit.group_count; i++) {
        const arb_expr *group = node->group_limit.keys[i].expr;
        if (group->kind == ARB_EXPR_COLUMN && !arb_column_set_add(rule->query, &groups, group->column))
            return NULL;
    }
    for (size_t i = 0; i < list->size; i++) {
        bool passes = passes_group(list->data[i], &groups);
        if (!append(rule, passes ? &down : &stay, list->data[i]))
            return NULL;
    }
    if (!widen(rule, needed, node, list, &below))
        return NULL;
    const arb_logical *child = push(rule, node->children[0], &down, &below);
    if (child == NULL || (node = arb_rule_with_children(rule, node, &child)) == NULL)
        return NULL;
    return arb_conjuncts_filter(rule->query, node, &stay);
}

static const arb_logical *push_set(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *list)
{
    arb_query *query = rule->query;
    size_t columns = node->set.column_count;
    const arb_logical **children = ARB_ARENA_ARRAY(query->arena, const arb_logical *, node->set.input_count);
    arb_named_expr *items = ARB_ARENA_ARRAY(query->arena, arb_named_expr, columns);
    arb_column_set passing = {0};
    if (children == NULL || items == NULL)
        return NULL;
    for (size_t k = 0; k < columns; k++) {
        if (!arb_column_set_add(query, &passing, node->set.columns[k]))
            return NULL;
    }
    arb_conjuncts stay = {0};
    for (size_t i = 0; i < node->set.input_count; i++) {
        arb_conjuncts down = {0};
        arb_column_set needed = {0};
        stay.size = 0;
        for (size_t k = 0; k < columns; k++) {
            arb_column_id from = node->set.inputs[i].columns[k];
            items[k] = (arb_named_expr){.id = node->set.columns[k], .expr = arb_query_column_expr(query, from)};
            if (items[k].expr == NULL || !arb_column_set_add(query, &needed, from))
                return NULL;
        }
        if (!split_by_items(rule, list, &passing, items, columns, !node->set.all, &down, &stay))
            return NULL;
        children[i] = push(rule, node->set.inputs[i].plan, &down, &needed);
        if (children[i] == NULL)
            return NULL;
    }
    node = arb_rule_with_children(rule, node, children);
    return node != NULL ? arb_conjuncts_filter(query, node, &stay) : NULL;
}

/* A constant among conjuncts lets nothing pass: TRUE is never added to a list. */
static const arb_logical *emptied_scan(arb_rule_context *rule, const arb_logical *node)
{
    arb_column_ids ids = {0};
    return arb_logical_output_ids(rule->query, node, &ids) ? arb_logical_empty(rule->query, ids.data, ids.size) : NULL;
}

static const arb_logical *push_scan(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *list)
{
    arb_column_set own = {0};
    arb_conjuncts inside = {0}, stay = {0};
    if (!arb_logical_output(rule->query, node, &own) || !append(rule, &inside, node->scan.filter))
        return NULL;
    for (size_t i = 0; i < list->size; i++) {
        bool here = node->scan.limit < 0 && arb_expr_within(list->data[i], &own);
        if (!append(rule, here ? &inside : &stay, list->data[i]))
            return NULL;
    }
    if (!arb_conjuncts_merge(rule, &inside))
        return NULL;
    if (inside.size == 1 && inside.data[0]->kind == ARB_EXPR_CONSTANT)
        return emptied_scan(rule, node);
    if (inside.size != 0) {
        arb_logical *copy = arb_logical_copy(rule->query, node);
        if (copy == NULL || !arb_conjuncts_condition(rule->query, &inside, &copy->scan.filter))
            return NULL;
        copy->rows = 0;
        node = copy;
    }
    return arb_conjuncts_filter(rule->query, node, &stay);
}

/* ---- joins ------------------------------------------------------------------------------------------------------ */

typedef struct sides {
    arb_column_set left, right, both;
} sides;

static bool sides_of(arb_rule_context *rule, const arb_logical *join, sides *out)
{
    *out = (sides){0};
    return arb_logical_output(rule->query, join->children[0], &out->left) &&
           arb_logical_output(rule->query, join->children[1], &out->right) &&
           arb_column_set_copy(rule->query, &out->both, &out->left) &&
           arb_column_set_add_all(rule->query, &out->both, &out->right);
}

/* May conjunct `at` go to the side that gives `columns`, given what stands before it? */
static bool may_move(const arb_conjuncts *list, size_t at, const arb_column_set *columns)
{
    const arb_expr *conjunct = list->data[at];
    if (!arb_expr_within(conjunct, columns) || !arb_expr_deterministic(conjunct))
        return false;
    if (arb_expr_infallible(conjunct))
        return true;
    for (size_t i = 0; i < at; i++) {
        const arb_expr *before = list->data[i];
        bool equality = before->kind == ARB_EXPR_COMPARE && before->compare == ARB_EQUAL &&
                        before->children[0]->kind == ARB_EXPR_COLUMN && before->children[1]->kind == ARB_EXPR_COLUMN;
        if (!equality && !arb_expr_within(before, columns))
            return false;
    }
    return true;
}

/* Take INNER joins and the FILTERs between them apart: their conjuncts go to the list, the joins stay without. */
static const arb_logical *strip(arb_rule_context *rule, const arb_logical *node, arb_conjuncts *list)
{
    /* What may fail or is volatile stays where it is: it has its own way down from there. */
    if (node->kind == ARB_LOGICAL_FILTER && arb_expr_infallible(node->filter.condition) &&
        arb_expr_deterministic(node->filter.condition))
        return append(rule, list, node->filter.condition) ? strip(rule, node->children[0], list) : NULL;
    if (node->kind != ARB_LOGICAL_JOIN || node->join.kind != ARB_JOIN_INNER)
        return node;
    const arb_logical *left = strip(rule, node->children[0], list);
    /* What a dependent right side says may name the left side, so it stays inside. */
    const arb_logical *right = left == NULL           ? NULL
                               : node->join.dependent ? node->children[1]
                                                      : strip(rule, node->children[1], list);
    if (right == NULL || !append(rule, list, node->join.condition))
        return NULL;
    return arb_rule_join_like(rule, node, left, right, NULL);
}

/* Put the conjuncts into a stripped nest of INNER joins. */
static const arb_logical *distribute(arb_rule_context *rule, const arb_logical *node, arb_conjuncts *list,
                                     const arb_column_set *needed)
{
    if (node->kind != ARB_LOGICAL_JOIN || node->join.kind != ARB_JOIN_INNER)
        return push(rule, node, list, needed);
    sides s;
    if (!sides_of(rule, node, &s))
        return NULL;
    arb_conjuncts left = {0}, right = {0}, here = {0}, outer = {0};
    for (size_t i = 0; i < list->size; i++) {
        arb_conjuncts *to = may_move(list, i, &s.left)                 ? &left
                            : may_move(list, i, &s.right)              ? &right
                            : !arb_expr_deterministic(list->data[i])   ? &outer
                            : !arb_expr_within(list->data[i], &s.both) ? &outer
                                                                       : &here;
        if (!append(rule, to, list->data[i]))
            return NULL;
        if (to == &here && (!conclude_from_or(rule, list->data[i], &s.left, &left) ||
                            !conclude_from_or(rule, list->data[i], &s.right, &right)))
            return NULL;
    }
    arb_column_set below = {0};
    const arb_expr *condition;
    if (!widen(rule, needed, NULL, list, &below) || !arb_conjuncts_condition(rule->query, &here, &condition))
        return NULL;
    /* What only the other side's list uses needs nothing from this side, so one set serves both. */
    const arb_logical *l = distribute(rule, node->children[0], &left, &below);
    const arb_logical *r = l == NULL              ? NULL
                           : node->join.dependent ? push(rule, node->children[1], &right, &below)
                                                  : distribute(rule, node->children[1], &right, &below);
    node = arb_rule_join_like(rule, node, l, r, condition);
    return node != NULL ? arb_conjuncts_filter(rule->query, node, &outer) : NULL;
}

static const arb_logical *push_inner(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *list,
                                     const arb_column_set *needed)
{
    arb_conjuncts all = {0};
    node = strip(rule, node, &all);
    for (size_t i = 0; node != NULL && i < list->size; i++) {
        if (!append(rule, &all, list->data[i]))
            return NULL;
    }
    if (node == NULL || !arb_conjuncts_infer(rule, &all) || !arb_conjuncts_merge(rule, &all))
        return NULL;
    return distribute(rule, node, &all, needed);
}

/* RIGHT becomes LEFT; outer sides that the conjuncts forbid become inner. */
static const arb_logical *strengthen(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *list)
{
    arb_logical *copy = arb_logical_copy(rule->query, node);
    sides s;
    if (copy == NULL)
        return NULL;
    if (copy->join.kind == ARB_JOIN_RIGHT) {
        copy->join.kind = ARB_JOIN_LEFT;
        copy->children[0] = node->children[1];
        copy->children[1] = node->children[0];
    }
    if (!sides_of(rule, copy, &s))
        return NULL;
    bool no_left_nulls = false, no_right_nulls = false;
    for (size_t i = 0; i < list->size; i++) {
        no_left_nulls |= arb_expr_rejects_null(list->data[i], &s.left);
        no_right_nulls |= arb_expr_rejects_null(list->data[i], &s.right);
    }
    if (copy->join.kind == ARB_JOIN_FULL && no_left_nulls && no_right_nulls) {
        copy->join.kind = ARB_JOIN_INNER;
    } else if (copy->join.kind == ARB_JOIN_FULL && no_left_nulls) {
        copy->join.kind = ARB_JOIN_LEFT;
    } else if (copy->join.kind == ARB_JOIN_FULL && no_right_nulls) {
        copy->join.kind = ARB_JOIN_LEFT;
        const arb_logical *left = copy->children[0];
        copy->children[0] = copy->children[1];
        copy->children[1] = left;
    } else if (copy->join.kind == ARB_JOIN_LEFT && no_right_nulls) {
        copy->join.kind = ARB_JOIN_INNER;
    }
    return copy;
}

/* Where no comparison can be NULL, NOT IN is NOT EXISTS. */
static bool drop_null_awareness(arb_rule_context *rule, arb_logical *join)
{
    arb_column_set nullable = {0};
    if (!join->join.null_aware)
        return true;
    if (!arb_logical_nullable_columns(rule->query, join->children[0], &nullable) ||
        !arb_logical_nullable_columns(rule->query, join->children[1], &nullable) ||
        (join->join.condition != NULL &&
         !arb_outer_columns(rule->query, join->join.condition, join->children, 2, &nullable)))
        return false;
    if (join->join.condition == NULL || !arb_expr_nullable(join->join.condition, &nullable))
        join->join.null_aware = false;
    return true;
}

/* MARK becomes SEMI or ANTI when a conjunct asks just for it and nobody else looks at the mark. */
static const arb_logical *resolve_mark(arb_rule_context *rule, const arb_logical *node, arb_conjuncts *list,
                                       const arb_column_set *needed)
{
    arb_column_id mark = node->join.mark;
    size_t at = SIZE_MAX, uses = 0;
    bool negated = false;
    arb_column_set own = {0};
    if (!arb_column_set_add(rule->query, &own, mark))
        return NULL;
    for (size_t i = 0; i < list->size; i++) {
        const arb_expr *conjunct = list->data[i];
        if (!arb_expr_uses(conjunct, &own))
            continue;
        uses++;
        bool is_not = conjunct->kind == ARB_EXPR_NOT;
        if ((is_not ? conjunct->children[0] : conjunct)->kind == ARB_EXPR_COLUMN) {
            at = i;
            negated = is_not;
        }
    }
    if (at == SIZE_MAX || uses != 1 || arb_column_set_has(needed, mark))
        return node;
    memmove(&list->data[at], &list->data[at + 1], (list->size - at - 1) * sizeof *list->data);
    list->size--;
    arb_logical *copy = arb_logical_copy(rule->query, node);
    if (copy == NULL)
        return NULL;
    copy->join.kind = negated ? ARB_JOIN_ANTI : ARB_JOIN_SEMI;
    copy->join.mark = ARB_NO_COLUMN;
    copy->join.null_aware = negated && node->join.null_aware;
    return drop_null_awareness(rule, copy) ? copy : NULL;
}

/* Where a conjunct of the join's own condition may go: nowhere, or below. */
static bool own_goes_left(const arb_logical *join)
{
    return join->join.kind == ARB_JOIN_SEMI;
}

static bool own_goes_right(const arb_logical *join)
{
    return join->join.kind != ARB_JOIN_FULL && !join->join.null_aware;
}

/* Conjuncts on the left side hold for the right side's equal columns too: rows of the right side that cannot match a
 * row that is left are not needed. */
static bool conclude_for_right(arb_rule_context *rule, const arb_logical *join, const sides *s,
                               const arb_conjuncts *left, arb_conjuncts *right)
{
    if (join->join.kind == ARB_JOIN_FULL || join->join.null_aware || join->join.condition == NULL)
        return true;
    arb_conjuncts all = {0};
    if (!append(rule, &all, join->join.condition))
        return false;
    for (size_t i = 0; i < left->size; i++) {
        if (!append(rule, &all, left->data[i]))
            return false;
    }
    size_t known = all.size;
    if (!arb_conjuncts_infer(rule, &all))
        return false;
    for (size_t i = known; i < all.size; i++) {
        if (arb_expr_uses(all.data[i], &s->right) && arb_expr_within(all.data[i], &s->right) &&
            !append(rule, right, all.data[i]))
            return false;
    }
    return true;
}

static const arb_logical *push_outer(arb_rule_context *rule, const arb_logical *node, const arb_conjuncts *list,
                                     const arb_column_set *needed)
{
    sides s;
    if (!sides_of(rule, node, &s))
        return NULL;
    arb_conjuncts left = {0}, right = {0}, here = {0}, stay = {0}, own = {0};
    for (size_t i = 0; i < list->size; i++) {
        bool down = node->join.kind != ARB_JOIN_FULL && may_move(list, i, &s.left);
        if (!append(rule, down ? &left : &stay, list->data[i]))
            return NULL;
    }
    if (!append(rule, &own, node->join.condition))
        return NULL;
    for (size_t i = 0; i < own.size; i++) {
        bool local = arb_expr_uses(own.data[i], &s.both);
        bool to_left = local && own_goes_left(node) && may_move(&own, i, &s.left);
        bool to_right = local && own_goes_right(node) && may_move(&own, i, &s.right);
        if (!append(rule, to_left ? &left : to_right ? &right : &here, own.data[i]))
            return NULL;
    }
    if (!conclude_for_right(rule, node, &s, &left, &right))
        return NULL;
    arb_column_set below = {0};
    const arb_expr *condition;
    if (!widen(rule, needed, node, &stay, &below) || !arb_conjuncts_condition(rule->query, &here, &condition))
        return NULL;
    const arb_logical *l = push(rule, node->children[0], &left, &below);
    const arb_logical *r = l != NULL ? push(rule, node->children[1], &right, &below) : NULL;
    node = arb_rule_join_like(rule, node, l, r, condition);
    return node != NULL ? arb_conjuncts_filter(rule->query, node, &stay) : NULL;
}

static const arb_logical *push_join(arb_rule_context *rule, const arb_logical *node, arb_conjuncts *list,
                                    const arb_column_set *needed)
{
    if (node->join.kind == ARB_JOIN_MARK)
        node = resolve_mark(rule, node, list, needed);
    else if (node->join.kind == ARB_JOIN_LEFT || node->join.kind == ARB_JOIN_RIGHT || node->join.kind == ARB_JOIN_FULL)
        node = strengthen(rule, node, list);
    if (node == NULL)
        return NULL;
    return node->join.kind == ARB_JOIN_INNER ? push_inner(rule, node, list, needed)
                                             : push_outer(rule, node, list, needed);
}

static const arb_logical *push(arb_rule_context *rule, const arb_logical *node, arb_conjuncts *list,
                               const arb_column_set *needed)
{
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_FILTER: {
        /* The inner conditions come first: they held before the outer ones were asked. */
        arb_conjuncts all = {0};
        if (!append(rule, &all, node->filter.condition))
            return NULL;
        for (size_t i = 0; i < list->size; i++) {
            if (!append(rule, &all, list->data[i]))
                return NULL;
        }
        return push(rule, node->children[0], &all, needed);
    }
    case ARB_LOGICAL_PROJECT:
    case ARB_LOGICAL_AGGREGATE:
        return push_items(rule, node, list, needed);
    case ARB_LOGICAL_GROUP_LIMIT:
        return push_group_limit(rule, node, list, needed);
    case ARB_LOGICAL_SORT:
    case ARB_LOGICAL_LIMIT:
        return push_through(rule, node, list, needed);
    case ARB_LOGICAL_SET:
        return push_set(rule, node, list);
    case ARB_LOGICAL_SCAN:
        return push_scan(rule, node, list);
    case ARB_LOGICAL_JOIN:
        return push_join(rule, node, list, needed);
    default:
        return arb_conjuncts_filter(rule->query, node, list);
    }
}

const arb_logical *arb_rule_push_filters(arb_rule_context *rule, const arb_logical *root, const arb_column_set *needed)
{
    arb_conjuncts none = {0};
    return push(rule, root, &none, needed);
}
