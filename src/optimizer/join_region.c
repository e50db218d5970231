/* join_region.c: from a nest of joins to a graph and back; see join_region.h. */
#include <math.h>

#include "optimizer/join_region.h"

static bool is_directed_kind(const arb_logical *join)
{
    switch ((arb_join_kind)join->join.kind) {
    case ARB_JOIN_LEFT:
    case ARB_JOIN_SEMI:
    case ARB_JOIN_ANTI:
    case ARB_JOIN_MARK:
    case ARB_JOIN_SINGLE:
        return true;
    default:
        return false;
    }
}

static arb_relations one(size_t relation)
{
    return (arb_relations)1 << relation;
}

/* ---- taking apart ----------------------------------------------------------------------------------------------- */

static bool add_relation(arb_region *region, const arb_logical *plan, const arb_logical *join)
{
    arb_query *query = region->rule->query;
    arb_column_ids ids = {0};
    size_t number = region->relations.size;
    arb_relation relation = {.plan = plan, .join = join, .rows = arb_estimate_rows(region->rule, plan), .factor = 1};
    if (!ARB_ARENA_PUSH(query->arena, &region->relations, relation) || !arb_logical_output_ids(query, plan, &ids))
        return false;
    if (join != NULL) {
        region->directed |= one(number);
        if (join->join.mark != ARB_NO_COLUMN && !ARB_ARENA_PUSH(query->arena, &ids, join->join.mark))
            return false;
    }
    for (size_t i = 0; i < ids.size; i++) {
        if (ids.data[i] < region->column_count)
            region->relation_of[ids.data[i]] = (uint8_t)number;
    }
    return true;
}

typedef struct collector {
    arb_region *region;
    arb_conjuncts conditions;
    const arb_logical *(*order)(arb_rule_context *rule, const arb_logical *node);
} collector;

static bool collect(collector *c, const arb_logical *node)
{
    arb_region *region = c->region;
    arb_query *query = region->rule->query;
    /* Each join adds at least one relation, so stopping early keeps the number within the set's bits. */
    bool room = region->relations.size + 2 <= ARB_REGION_RELATIONS / 2;
    if (node->kind == ARB_LOGICAL_FILTER && arb_expr_deterministic(node->filter.condition))
        return collect(c, node->children[0]) && arb_conjuncts_add(query, &c->conditions, node->filter.condition);
    if (node->kind == ARB_LOGICAL_JOIN && node->join.kind == ARB_JOIN_INNER && !node->join.dependent && room)
        return collect(c, node->children[0]) && collect(c, node->children[1]) &&
               arb_conjuncts_add(query, &c->conditions, node->join.condition);
    if (node->kind == ARB_LOGICAL_JOIN && is_directed_kind(node) && !node->join.dependent && room) {
        if (!collect(c, node->children[0]))
            return false;
        const arb_logical *right = c->order(region->rule, node->children[1]);
        return right != NULL && add_relation(region, right, node);
    }
    const arb_logical *leaf = c->order(region->rule, node);
    return leaf != NULL && add_relation(region, leaf, NULL);
}

typedef struct relation_finder {
    const arb_region *region;
    arb_relations found;
} relation_finder;

static bool find_relation(void *context, const arb_expr *expr)
{
    relation_finder *finder = context;
    if (expr->kind == ARB_EXPR_COLUMN && expr->column < finder->region->column_count) {
        uint8_t relation = finder->region->relation_of[expr->column];
        if (relation != UINT8_MAX)
            finder->found |= one(relation);
    }
    return true;
}

static arb_relations relations_of(const arb_region *region, const arb_expr *expr)
{
    relation_finder finder = {.region = region};
    if (expr != NULL)
        arb_expr_walk(expr, find_relation, &finder);
    return finder.found;
}

static size_t find_member(const arb_region *region, arb_column_id column)
{
    for (size_t i = 0; i < region->members.size; i++) {
        if (region->members.data[i].column == column)
            return i;
    }
    return SIZE_MAX;
}

static bool add_member(arb_region *region, const arb_expr *column, size_t *out_at)
{
    arb_rule_context *rule = region->rule;
    size_t at = find_member(region, column->column);
    if (at == SIZE_MAX) {
        uint32_t relation = region->relation_of[column->column];
        double rows = region->relations.data[relation].rows;
        arb_class_member member = {.column = column->column,
                                   .relation = relation,
                                   .class_number = (uint32_t)region->classes.size,
                                   .distinct = arb_estimate_distinct(rule, column->column, rows),
                                   .is_key = arb_estimate_is_key(rule, column->column, rows),
                                   .most = fmax(rows, arb_estimate_base_rows(rule, column->column, rows))};
        at = region->members.size;
        if (!ARB_ARENA_PUSH(rule->query->arena, &region->members, member) ||
            !ARB_ARENA_PUSH(rule->query->arena, &region->classes, one(relation)))
            return false;
    }
    *out_at = at;
    return true;
}

/* a = b joins the classes of a and b. */
static bool add_equality(arb_region *region, const arb_expr *conjunct)
{
    size_t a, b;
    if (!add_member(region, conjunct->children[0], &a) || !add_member(region, conjunct->children[1], &b))
        return false;
    uint32_t to = region->members.data[a].class_number, from = region->members.data[b].class_number;
    if (from == to)
        return true;
    for (size_t i = 0; i < region->members.size; i++) {
        if (region->members.data[i].class_number == from)
            region->members.data[i].class_number = to;
    }
    region->classes.data[to] |= region->classes.data[from];
    region->classes.data[from] = 0;
    return true;
}

/* The part of a relation's rows that a disjunction over several relations lets pass by what it says of that one alone:
 * filters were pushed that far before, and must not count twice. */
static double applied_before(const arb_region *region, const arb_expr *disjunction, size_t relation)
{
    double none = 1;
    for (size_t i = 0; i < disjunction->child_count; i++) {
        const arb_expr *branch = disjunction->children[i];
        double part = 1;
        for (size_t k = 0; k < arb_expr_conjunct_count(branch); k++) {
            const arb_expr *conjunct = arb_expr_conjunct(branch, k);
            if (relations_of(region, conjunct) == one(relation))
                part *= arb_estimate_selectivity(region->rule, conjunct, region->relations.data[relation].rows);
        }
        none *= 1 - part;
    }
    return fmax(1 - none, 1e-9);
}

static bool add_edge(arb_region *region, const arb_expr *conjunct)
{
    arb_edge edge = {.condition = conjunct, .relations = relations_of(region, conjunct)};
    bool compare = conjunct->kind == ARB_EXPR_COMPARE && conjunct->compare == ARB_EQUAL;
    if (compare && conjunct->children[0]->kind == ARB_EXPR_COLUMN && conjunct->children[1]->kind == ARB_EXPR_COLUMN &&
        __builtin_popcountll(edge.relations) == 2)
        return add_equality(region, conjunct);
    if (compare || (conjunct->kind == ARB_EXPR_COMPARE && conjunct->compare == ARB_NOT_DISTINCT)) {
        edge.sides[0] = relations_of(region, conjunct->children[0]);
        edge.sides[1] = relations_of(region, conjunct->children[1]);
        if ((edge.sides[0] & edge.sides[1]) != 0)
            edge.sides[0] = edge.sides[1] = 0;
    }
    double rows = 1;
    for (size_t i = 0; i < region->relations.size; i++) {
        if ((edge.relations & one(i)) != 0)
            rows = fmax(rows, region->relations.data[i].rows);
    }
    edge.selectivity = arb_estimate_selectivity(region->rule, conjunct, rows);
    for (size_t i = 0; i < region->relations.size && conjunct->kind == ARB_EXPR_OR; i++) {
        if ((edge.relations & one(i)) != 0)
            edge.selectivity = fmin(1, edge.selectivity / applied_before(region, conjunct, i));
    }
    return ARB_ARENA_PUSH(region->rule->query->arena, &region->edges, edge);
}

/* A directed relation without left columns in its condition (a scalar to compare with, an uncorrelated EXISTS) comes
 * where its columns are first used, else to the first free relation. */
static arb_relations place_of(const arb_region *region, size_t relation)
{
    for (size_t i = 0; i < region->edges.size; i++) {
        arb_relations others = region->edges.data[i].relations & ~one(relation);
        if ((region->edges.data[i].relations & one(relation)) != 0 && (others & ~region->directed) != 0)
            return others & ~region->directed;
    }
    arb_relations all_free = ~region->directed & (one(region->relations.size) - 1);
    return all_free & -all_free;
}

static void settle_directed(arb_region *region, size_t number)
{
    arb_relation *relation = &region->relations.data[number];
    relation->requires = relations_of(region, relation->join->join.condition) & ~one(number);
    double left = 1;
    for (size_t i = 0; i < region->relations.size; i++) {
        if ((relation->requires & one(i)) != 0)
            left = fmax(left, region->relations.data[i].rows);
    }
    if (relation->requires == 0)
    relation->requires = place_of(region, number);
    double pairs = relation->rows * arb_estimate_pairs(region->rule, relation->join, left, relation->rows);
    switch ((arb_join_kind)relation->join->join.kind) {
    case ARB_JOIN_LEFT:
        relation->factor = fmax(1, pairs);
        break;
    case ARB_JOIN_SEMI:
        relation->factor = fmin(1, fmax(pairs, 1e-6));
        break;
    case ARB_JOIN_ANTI:
        relation->factor = fmax(0.1, 1 - pairs);
        break;
    default:
        relation->factor = 1;
        break;
    }
}

/* ---- estimates -------------------------------------------------------------------------------------------------- */

static bool within(arb_relations part, arb_relations set)
{
    return (part & ~set) == 0;
}

bool arb_region_connected(const arb_region *region, arb_relations a, arb_relations b, bool *out_hash)
{
    bool connected = false;
    *out_hash = false;
    for (size_t i = 0; i < region->classes.size; i++) {
        if ((region->classes.data[i] & a) != 0 && (region->classes.data[i] & b) != 0) {
            *out_hash = true;
            return true;
        }
    }
    for (size_t i = 0; i < region->edges.size; i++) {
        const arb_edge *edge = &region->edges.data[i];
        if (!within(edge->relations, a | b) || (edge->relations & a) == 0 || (edge->relations & b) == 0)
            continue;
        connected = true;
        if (edge->sides[0] != 0 && edge->sides[1] != 0 &&
            ((within(edge->sides[0], a) && within(edge->sides[1], b)) ||
             (within(edge->sides[0], b) && within(edge->sides[1], a))))
            *out_hash = true;
    }
    return connected;
}

/* Equal values of n columns: each column but the one with the fewest values picks one of its values. */
static double class_selectivity(const arb_region *region, size_t class_number, arb_relations set)
{
    double fewest = INFINITY, part = 1;
    for (size_t i = 0; i < region->members.size; i++) {
        const arb_class_member *member = &region->members.data[i];
        if (member->class_number != class_number || (set & one(member->relation)) == 0)
            continue;
        fewest = fmin(fewest, member->distinct);
        part /= member->distinct;
    }
    return fewest == INFINITY ? 1 : part * fewest;
}

/* Two relations that are equal in several columns: taken one by one the columns seem to have more combinations than
 * either relation has rows. Notes the factor that puts it right. */
static bool note_key(arb_region *region, size_t a, size_t b)
{
    double a_keys = 1, b_keys = 1, product = 1, a_most = 1, b_most = 1;
    size_t classes = 0;
    for (size_t i = 0; i < region->members.size; i++) {
        const arb_class_member *left = &region->members.data[i];
        for (size_t k = 0; left->relation == a && k < region->members.size; k++) {
            const arb_class_member *right = &region->members.data[k];
            if (right->relation != b || right->class_number != left->class_number)
                continue;
            classes++;
            a_keys *= left->distinct;
            b_keys *= right->distinct;
            product *= fmax(left->distinct, right->distinct);
            a_most = fmax(a_most, left->most);
            b_most = fmax(b_most, right->most);
        }
    }
    /* Columns that could have more combinations than there are rows are a key, and the smaller relation's key is what
     * the larger one refers to: it has no other combinations. */
    bool a_is_key = a_keys >= a_most && a_most <= b_most, b_is_key = b_keys >= b_most && b_most <= a_most;
    double keys = a_is_key ? a_most : b_is_key ? b_most : fmax(fmin(a_keys, a_most), fmin(b_keys, b_most));
    arb_compound_key key = {.relations = one(a) | one(b), .factor = product / keys};
    return classes < 2 || key.factor <= 1 || ARB_ARENA_PUSH(region->rule->query->arena, &region->keys, key);
}

/* Ranges only bound how many values a column has. Where it is equal to another table's key, it has no more of them
 * than that one: l_orderkey spans 6,000,000 numbers, of which o_orderkey has 1,500,000. */
static void bound_by_keys(arb_region *region)
{
    for (size_t i = 0; i < region->members.size; i++) {
        const arb_class_member *key = &region->members.data[i];
        for (size_t k = 0; k < region->members.size; k++) {
            arb_class_member *other = &region->members.data[k];
            if (key->is_key && other->class_number == key->class_number && other->most >= key->most)
                other->distinct = fmin(other->distinct, key->distinct);
        }
    }
}

static bool note_keys(arb_region *region)
{
    bound_by_keys(region);
    for (size_t a = 0; a < region->relations.size && region->members.size > 3; a++) {
        for (size_t b = a + 1; b < region->relations.size; b++) {
            if (!note_key(region, a, b))
                return false;
        }
    }
    return true;
}

double arb_region_rows(const arb_region *region, arb_relations set)
{
    double rows = 1;
    for (size_t i = 0; i < region->relations.size; i++) {
        if ((set & one(i)) != 0)
            rows *= region->relations.data[i].join != NULL ? region->relations.data[i].factor
                                                           : region->relations.data[i].rows;
    }
    for (size_t i = 0; i < region->edges.size; i++) {
        if (within(region->edges.data[i].relations, set) && region->edges.data[i].relations != 0)
            rows *= region->edges.data[i].selectivity;
    }
    for (size_t i = 0; i < region->classes.size; i++) {
        if (__builtin_popcountll(region->classes.data[i] & set) > 1)
            rows *= class_selectivity(region, i, set);
    }
    for (size_t i = 0; i < region->keys.size; i++) {
        if (within(region->keys.data[i].relations, set))
            rows *= region->keys.data[i].factor;
    }
    return fmin(fmax(rows, 1), 1e100);
}

bool arb_region_collect(arb_region *region, const arb_logical *node,
                        const arb_logical *(*order)(arb_rule_context *rule, const arb_logical *node))
{
    collector c = {.region = region, .order = order};
    region->column_count = region->rule->query->columns.size;
    region->relation_of = arb_arena_alloc(region->rule->query->arena, region->column_count);
    if (region->relation_of == NULL)
        return false;
    memset(region->relation_of, UINT8_MAX, region->column_count);
    if (!collect(&c, node))
        return false;
    for (size_t i = 0; i < c.conditions.size; i++) {
        if (!add_edge(region, c.conditions.data[i]))
            return false;
    }
    if (!note_keys(region))
        return false;
    for (size_t i = 0; i < region->relations.size; i++) {
        if ((region->directed & one(i)) != 0)
            settle_directed(region, i);
    }
    return true;
}

/* ---- putting together ------------------------------------------------------------------------------------------- */

/* An equality of two members of a class, one in each set. */
static bool add_class_equality(arb_region *region, size_t class_number, arb_relations left, arb_relations right,
                               arb_conjuncts *out)
{
    arb_query *query = region->rule->query;
    const arb_class_member *l = NULL, *r = NULL;
    for (size_t i = 0; i < region->members.size; i++) {
        const arb_class_member *member = &region->members.data[i];
        if (member->class_number != class_number)
            continue;
        if (l == NULL && (left & one(member->relation)) != 0)
            l = member;
        if (r == NULL && (right & one(member->relation)) != 0)
            r = member;
    }
    assert(l != NULL && r != NULL);
    const arb_expr *a = arb_query_column_expr(query, l->column), *b = arb_query_column_expr(query, r->column);
    const arb_expr *equal = a != NULL && b != NULL ? arb_expr_compare(query->arena, ARB_EQUAL, a, b) : NULL;
    return equal != NULL && arb_conjuncts_add(query, out, equal);
}

/* A class that has several members in one relation: they are equal there, too. */
static bool add_own_equalities(arb_region *region, size_t relation, arb_conjuncts *out)
{
    arb_query *query = region->rule->query;
    for (size_t i = 0; i < region->members.size; i++) {
        const arb_class_member *first = &region->members.data[i];
        for (size_t k = i + 1; first->relation == relation && k < region->members.size; k++) {
            const arb_class_member *second = &region->members.data[k];
            if (second->relation != relation || second->class_number != first->class_number)
                continue;
            const arb_expr *a = arb_query_column_expr(query, first->column);
            const arb_expr *b = arb_query_column_expr(query, second->column);
            const arb_expr *equal = a != NULL && b != NULL ? arb_expr_compare(query->arena, ARB_EQUAL, a, b) : NULL;
            if (equal == NULL || !arb_conjuncts_add(query, out, equal))
                return false;
        }
    }
    return true;
}

/* What can be applied once the two sets are together and not before. */
static bool conditions_between(arb_region *region, arb_relations left, arb_relations right, bool directed,
                               arb_conjuncts *out)
{
    for (size_t i = 0; i < region->classes.size; i++) {
        arb_relations members = region->classes.data[i];
        if ((members & left) != 0 && (members & right) != 0 && !add_class_equality(region, i, left, right, out))
            return false;
    }
    for (size_t i = 0; i < region->edges.size; i++) {
        const arb_edge *edge = &region->edges.data[i];
        bool before = within(edge->relations, left) || (within(edge->relations, right) && !directed);
        if (within(edge->relations, left | right) && !before &&
            !arb_conjuncts_add(region->rule->query, out, edge->condition))
            return false;
    }
    return !directed || add_own_equalities(region, (size_t)__builtin_ctzll(right), out);
}

const arb_logical *arb_region_join(arb_region *region, const arb_logical *left_plan, arb_relations left,
                                   const arb_logical *right_plan, arb_relations right)
{
    arb_query *query = region->rule->query;
    bool directed = (right & region->directed) != 0 && (right & (right - 1)) == 0;
    arb_conjuncts list = {0};
    const arb_expr *condition;
    if (left_plan == NULL || right_plan == NULL || !conditions_between(region, left, right, directed, &list) ||
        !arb_conjuncts_condition(query, &list, &condition))
        return NULL;
    if (!directed) {
        arb_logical *join = arb_logical_join(query, ARB_JOIN_INNER, left_plan, right_plan, condition);
        if (join != NULL)
            join->rows = arb_region_rows(region, left | right);
        return join;
    }
    const arb_relation *relation = &region->relations.data[__builtin_ctzll(right)];
    arb_logical *join = arb_logical_copy(query, relation->join);
    if (join == NULL)
        return NULL;
    join->children[0] = left_plan;
    join->children[1] = right_plan;
    join->rows = fmax(1, arb_region_rows(region, left) * relation->factor);
    if (condition == NULL)
        return join;
    arb_logical *filter = arb_logical_filter(query, join, condition);
    if (filter != NULL)
        filter->rows = arb_region_rows(region, left | right);
    return filter;
}

const arb_logical *arb_region_leaf(arb_region *region, size_t relation)
{
    const arb_logical *plan = region->relations.data[relation].plan;
    arb_conjuncts list = {0};
    if (region->relations.data[relation].join != NULL)
        return plan;
    if (!add_own_equalities(region, relation, &list))
        return NULL;
    for (size_t i = 0; i < region->edges.size; i++) {
        if (region->edges.data[i].relations == one(relation) &&
            !arb_conjuncts_add(region->rule->query, &list, region->edges.data[i].condition))
            return NULL;
    }
    return arb_conjuncts_filter(region->rule->query, plan, &list);
}

const arb_logical *arb_region_finish(arb_region *region, const arb_logical *plan)
{
    arb_conjuncts list = {0};
    for (size_t i = 0; i < region->edges.size; i++) {
        if (region->edges.data[i].relations == 0 &&
            !arb_conjuncts_add(region->rule->query, &list, region->edges.data[i].condition))
            return NULL;
    }
    return plan == NULL ? NULL : arb_conjuncts_filter(region->rule->query, plan, &list);
}
