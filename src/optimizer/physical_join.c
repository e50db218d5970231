/* physical_join.c: which side is held, on which keys, and what the join above promises the scans below.
 *
 * The logical join's right side is the build side by default. Where the estimates say that the left one is much smaller,
 * sides change over; what then must come from the held side (LEFT, SEMI, ANTI) has an output kind of its own. */
#include "optimizer/physical_internal.h"
#include "optimizer/rule.h"

typedef struct join_plan {
    const arb_logical *node;
    bool swapped; /* probe = right, build = left */
    arb_join_output output;
    const arb_logical *probe, *build;
    size_t key_count;
    const arb_expr **probe_keys, **build_keys;
    size_t residual_count;
    const arb_expr **residual;
    bool *null_equal; /* by key */
    bool null_aware;
} join_plan;

static bool only_uses(planner *p, const arb_expr *expr, const arb_column_set *columns)
{
    arb_column_set used = {0};
    if (!arb_expr_columns(p->query, expr, &used))
        return arb_planner_no_memory(p) != NULL;
    return !arb_column_set_is_empty(&used) && arb_column_set_contains(columns, &used);
}

/* Sort the condition's conjuncts into keys (left = right) and the rest. Keys are given as left and right here. */
static bool split_condition(planner *p, join_plan *j, const arb_expr **left_keys, const arb_expr **right_keys)
{
    const arb_expr *condition = j->node->join.condition;
    size_t count = condition == NULL ? 0 : arb_expr_conjunct_count(condition);
    arb_column_set left = {0}, right = {0}, nullable = {0};
    if (!arb_logical_output(p->query, j->node->children[0], &left) ||
        !arb_logical_output(p->query, j->node->children[1], &right) ||
        !arb_logical_nullable_columns(p->query, j->node->children[0], &nullable) ||
        !arb_logical_nullable_columns(p->query, j->node->children[1], &nullable))
        return arb_planner_no_memory(p) != NULL;
    for (size_t i = 0; i < count; i++) {
        const arb_expr *conjunct = arb_expr_conjunct(condition, i);
        bool equal = conjunct->kind == ARB_EXPR_COMPARE &&
                     (conjunct->compare == ARB_EQUAL || conjunct->compare == ARB_NOT_DISTINCT);
        const arb_expr *a = equal ? conjunct->children[0] : NULL, *b = equal ? conjunct->children[1] : NULL;
        if (equal && only_uses(p, a, &right) && only_uses(p, b, &left)) {
            const arb_expr *swap = a;
            a = b;
            b = swap;
        } else if (!equal || !only_uses(p, a, &left) || !only_uses(p, b, &right)) {
            equal = false;
        }
        /* where one side is never NULL, both comparisons let the same rows match */
        bool nulls = equal && arb_expr_nullable(a, &nullable) && arb_expr_nullable(b, &nullable);
        /* NOT IN of a correlated subquery: a key says which rows belong to the subquery, so its comparison is never NULL;
         * the one that may be is looked at pair by pair. */
        if (j->null_aware && count > 1)
            equal = equal && (conjunct->compare == ARB_NOT_DISTINCT || !arb_expr_nullable(conjunct, &nullable));
        if (equal) {
            j->null_equal[j->key_count] = nulls && conjunct->compare == ARB_NOT_DISTINCT;
            left_keys[j->key_count] = a;
            right_keys[j->key_count++] = b;
        } else {
            j->residual[j->residual_count++] = conjunct;
        }
    }
    j->null_aware = j->null_aware && (count <= 1 || j->residual_count != 0); /* else no comparison is NULL */
    return p->code == ARB_OK;
}

/* Is it worth holding the left side although the plan says the right one? */
static bool left_is_smaller(const arb_logical *node)
{
    double left = node->children[0]->rows, right = node->children[1]->rows;
    return left > 0 && right > 0 && left < right * 0.8;
}

static void choose_sides(join_plan *j)
{
    bool smaller = left_is_smaller(j->node) && j->key_count != 0;
    bool plain = !j->null_aware;
    switch ((arb_join_kind)j->node->join.kind) {
    case ARB_JOIN_INNER:
        j->swapped = smaller;
        j->output = ARB_JOIN_MATCHES;
        break;
    case ARB_JOIN_LEFT:
        j->swapped = smaller;
        j->output = smaller ? ARB_JOIN_BUILD_OUTER : ARB_JOIN_PROBE_OUTER;
        break;
    case ARB_JOIN_RIGHT:
        j->swapped = smaller;
        j->output = smaller ? ARB_JOIN_PROBE_OUTER : ARB_JOIN_BUILD_OUTER;
        break;
    case ARB_JOIN_FULL:
        j->swapped = smaller;
        j->output = ARB_JOIN_FULL_OUTER;
        break;
    case ARB_JOIN_SEMI:
        j->swapped = smaller;
        j->output = smaller ? ARB_JOIN_BUILD_SEMI : ARB_JOIN_PROBE_SEMI;
        break;
    case ARB_JOIN_ANTI:
        j->swapped = smaller && plain;
        j->output = j->swapped ? ARB_JOIN_BUILD_ANTI : ARB_JOIN_PROBE_ANTI;
        break;
    case ARB_JOIN_MARK:
        j->output = ARB_JOIN_PROBE_MARK;
        break;
    case ARB_JOIN_SINGLE:
        j->output = ARB_JOIN_PROBE_SINGLE;
        break;
    }
    j->probe = j->node->children[j->swapped ? 1 : 0];
    j->build = j->node->children[j->swapped ? 0 : 1];
}

/* May a probe row without a match be dropped before the join? */
static bool drops_unmatched_probe(arb_join_output output)
{
    return output == ARB_JOIN_MATCHES || output == ARB_JOIN_BUILD_OUTER || output == ARB_JOIN_PROBE_SEMI ||
           output == ARB_JOIN_BUILD_SEMI || output == ARB_JOIN_BUILD_ANTI;
}

/* Wishes that a child may hear: those for columns that it makes, where dropping its rows only drops rows above. */
static bool pass_wishes(planner *p, const arb_logical *child, const filter_wishes *wishes, bool allowed,
                        filter_wishes *out_wishes)
{
    arb_column_set made = {0};
    if (!allowed)
        return true;
    if (!arb_logical_output(p->query, child, &made))
        return arb_planner_no_memory(p) != NULL;
    for (size_t i = 0; i < wishes->size; i++)
        if (arb_column_set_has(&made, wishes->data[i].column) && !ARB_ARENA_PUSH(p->arena, out_wishes, wishes->data[i]))
            return arb_planner_no_memory(p) != NULL;
    return true;
}

static bool add_own_wishes(planner *p, const join_plan *j, filter_wishes *wishes, bool *granted, uint32_t *numbers)
{
    for (size_t i = 0; i < j->key_count; i++) {
        numbers[i] = UINT32_MAX;
        bool useful = drops_unmatched_probe(j->output) && !j->null_equal[i] &&
                      j->probe_keys[i]->kind == ARB_EXPR_COLUMN &&
                      !arb_type_is_nested(j->probe_keys[i]->type); /* which a scan does not have in packed form */
        if (!useful)
            continue;
        numbers[i] = p->filter_count++;
        filter_wish wish = {j->probe_keys[i]->column, numbers[i], &granted[i]};
        if (!ARB_ARENA_PUSH(p->arena, wishes, wish))
            return arb_planner_no_memory(p) != NULL;
    }
    return true;
}

/* NULL: no memory. */
static arb_physical *widths_of(const planner *p, const arb_physical_node *node)
{
    arb_physical *widths = ARB_ARENA_ARRAY(p->arena, arb_physical, node->layout.count + 1);
    for (size_t c = 0; widths != NULL && c < node->layout.count; c++)
        widths[c] = node->layout.slots[c].physical;
    return widths;
}

/* Give the node's columns these widths, unless they have them. */
static bool widen(planner *p, const arb_physical_node **node, const arb_physical *widths)
{
    size_t count = (*node)->layout.count;
    bool wider = false;
    arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, count + 1);
    if (items == NULL)
        return arb_planner_no_memory(p) != NULL;
    for (size_t c = 0; c < count; c++) {
        const arb_slot *slot = &(*node)->layout.slots[c];
        items[c] = (arb_named_expr){slot->id, arb_expr_column(p->arena, slot->id, slot->type)};
        if (items[c].expr == NULL)
            return arb_planner_no_memory(p) != NULL;
        wider |= slot->physical != widths[c];
    }
    if (wider)
        *node = arb_planner_make_project(p, *node, items, count, widths);
    return *node != NULL;
}

/* Keys as columns of equal width on both sides. */
static bool place_keys(planner *p, join_plan *j, const arb_physical_node **probe, const arb_physical_node **build,
                       uint32_t *probe_at, uint32_t *build_at)
{
    const arb_physical_node **sides[] = {probe, build};
    arb_physical *widths[2];
    *probe = arb_planner_with_columns(p, *probe, j->probe_keys, j->key_count, probe_at);
    *build = *probe == NULL ? NULL : arb_planner_with_columns(p, *build, j->build_keys, j->key_count, build_at);
    *probe = arb_planner_packed(p, *probe);
    *build = arb_planner_packed(p, *build);
    if (*probe == NULL || *build == NULL)
        return false;
    for (int side = 0; side < 2; side++)
        if ((widths[side] = widths_of(p, *sides[side])) == NULL)
            return arb_planner_no_memory(p) != NULL;
    for (bool changed = true; changed;) { /* a column may be in several keys, which then are all as wide */
        changed = false;
        for (size_t k = 0; k < j->key_count; k++) {
            arb_physical *one = &widths[0][probe_at[k]], *other = &widths[1][build_at[k]];
            changed |= *one != *other;
            *one = *other = ARB_MAX(*one, *other);
        }
    }
    return widen(p, probe, widths[0]) && widen(p, build, widths[1]);
}

static bool nullable_side(arb_join_output output, bool probe)
{
    if (output == ARB_JOIN_FULL_OUTER)
        return true;
    return probe ? output == ARB_JOIN_BUILD_OUTER : output == ARB_JOIN_PROBE_OUTER || output == ARB_JOIN_PROBE_SINGLE;
}

/* The columns that leave the join. */
static bool lay_out(planner *p, arb_physical_node *join, const join_plan *j, const arb_column_set *needed)
{
    const arb_physical_node *probe = join->children[0], *build = join->children[1];
    arb_join_output output = j->output;
    bool from_probe = output != ARB_JOIN_BUILD_SEMI && output != ARB_JOIN_BUILD_ANTI;
    bool from_build = output == ARB_JOIN_MATCHES || output == ARB_JOIN_PROBE_OUTER || output == ARB_JOIN_BUILD_OUTER ||
                      output == ARB_JOIN_FULL_OUTER || output == ARB_JOIN_PROBE_SINGLE || !from_probe;
    size_t most = probe->layout.count + build->layout.count + 1, count = 0;
    arb_slot *slots = ARB_ARENA_ARRAY(p->arena, arb_slot, most);
    uint32_t *columns = ARB_ARENA_ARRAY(p->arena, uint32_t, most);
    if (slots == NULL || columns == NULL)
        return arb_planner_no_memory(p) != NULL;
    for (size_t i = 0; from_probe && i < probe->layout.count; i++) {
        if (!arb_column_set_has(needed, probe->layout.slots[i].id))
            continue;
        slots[count] = probe->layout.slots[i];
        slots[count].nullable |= nullable_side(output, true);
        columns[count++] = (uint32_t)i;
    }
    for (size_t i = 0; from_build && i < build->layout.count; i++) {
        if (!arb_column_set_has(needed, build->layout.slots[i].id))
            continue;
        slots[count] = build->layout.slots[i];
        slots[count].nullable |= nullable_side(output, false);
        columns[count++] = (uint32_t)(probe->layout.count + i);
    }
    if (output == ARB_JOIN_PROBE_MARK) {
        slots[count] = (arb_slot){
            .id = j->node->join.mark, .type = ARB_TYPE(BOOLEAN), .physical = ARB_PHYS_BOOL, .nullable = j->null_aware};
        columns[count++] = UINT32_MAX;
    }
    join->layout = (arb_layout){count, slots};
    join->join.output_count = count;
    join->join.columns = columns;
    return true;
}

static bool prepare(planner *p, join_plan *j)
{
    size_t most = j->node->join.condition == NULL ? 0 : arb_expr_conjunct_count(j->node->join.condition);
    const arb_expr **left = ARB_ARENA_ARRAY(p->arena, const arb_expr *, most + 1);
    const arb_expr **right = ARB_ARENA_ARRAY(p->arena, const arb_expr *, most + 1);
    j->residual = ARB_ARENA_ARRAY(p->arena, const arb_expr *, most + 1);
    j->null_equal = ARB_ARENA_ARRAY(p->arena, bool, most + 1);
    if (left == NULL || right == NULL || j->residual == NULL || j->null_equal == NULL)
        return arb_planner_no_memory(p) != NULL;
    if (!split_condition(p, j, left, right))
        return false;
    choose_sides(j);
    j->probe_keys = j->swapped ? right : left;
    j->build_keys = j->swapped ? left : right;
    return true;
}

static bool any_of(const bool *flags, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= flags[i];
    return any;
}

const arb_physical_node *arb_planner_make_join(planner *p, const arb_logical *node, const arb_column_set *needed,
                                               const filter_wishes *wishes)
{
    if (node->join.dependent)
        return arb_planner_failed(p,
                                  arb_fail(p->error, ARB_NOT_SUPPORTED, "this correlated subquery is not supported"));
    join_plan j = {.node = node, .null_aware = node->join.null_aware};
    if (!prepare(p, &j))
        return NULL;
    arb_column_set below = {0};
    if (!arb_column_set_add_all(p->query, &below, needed) ||
        (node->join.condition != NULL && !arb_expr_columns(p->query, node->join.condition, &below)))
        return arb_planner_no_memory(p);
    filter_wishes probe_wishes = {0}, build_wishes = {0};
    bool *granted = ARB_ARENA_ARRAY(p->arena, bool, j.key_count + 1);
    uint32_t *numbers = ARB_ARENA_ARRAY(p->arena, uint32_t, j.key_count + 1);
    uint32_t *probe_at = ARB_ARENA_ARRAY(p->arena, uint32_t, j.key_count + 1);
    uint32_t *build_at = ARB_ARENA_ARRAY(p->arena, uint32_t, j.key_count + 1);
    if (granted == NULL || numbers == NULL || probe_at == NULL || build_at == NULL)
        return arb_planner_no_memory(p);
    bool keeps_probe = j.output != ARB_JOIN_BUILD_OUTER && j.output != ARB_JOIN_FULL_OUTER;
    bool keeps_build = j.output == ARB_JOIN_MATCHES || j.output == ARB_JOIN_BUILD_OUTER ||
                       j.output == ARB_JOIN_BUILD_SEMI || j.output == ARB_JOIN_BUILD_ANTI;
    if (!pass_wishes(p, j.probe, wishes, keeps_probe, &probe_wishes) ||
        !pass_wishes(p, j.build, wishes, keeps_build, &build_wishes) ||
        !add_own_wishes(p, &j, &probe_wishes, granted, numbers))
        return NULL;
    const arb_physical_node *probe = arb_planner_make_node(p, j.probe, &below, &probe_wishes);
    const arb_physical_node *build = probe == NULL ? NULL : arb_planner_make_node(p, j.build, &below, &build_wishes);
    if (build == NULL || !place_keys(p, &j, &probe, &build, probe_at, build_at))
        return NULL;
    arb_physical_node *join = arb_planner_node(p, j.key_count != 0 ? ARB_PHYSICAL_HASH_JOIN : ARB_PHYSICAL_LOOP_JOIN, 2,
                                               probe, build, node->rows);
    arb_runtime_filter *made = ARB_ARENA_ARRAY(p->arena, arb_runtime_filter, j.key_count + 1);
    if (join == NULL || made == NULL)
        return arb_planner_no_memory(p);
    join->join.output = (uint8_t)j.output;
    join->join.null_aware = j.null_aware;
    join->join.null_equal = any_of(j.null_equal, j.key_count) ? j.null_equal : NULL;
    join->join.key_count = j.key_count;
    join->join.probe_keys = probe_at;
    join->join.build_keys = build_at;
    join->join.residual = j.residual_count == 0 ? NULL : arb_expr_and(p->arena, j.residual, j.residual_count);
    if (j.residual_count != 0 && join->join.residual == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < j.key_count; i++)
        if (granted[i])
            made[join->join.runtime_count++] = (arb_runtime_filter){.number = numbers[i], .key = (uint32_t)i};
    join->join.runtime = made;
    return lay_out(p, join, &j, needed) ? join : NULL;
}
