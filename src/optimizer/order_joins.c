/* order_joins.c: in which order joins are done.
 *
 * Nests of joins are taken apart into a graph (join_region.h). Up to 12 relations all orders without cross products are
 * weighed by dynamic programming over sets of relations: the best plan of a set is the best split of it into two sets
 * that are connected and have plans. Beyond, and for graphs in several parts, the pair of plans whose join gives the
 * fewest rows is joined first, again and again.
 *
 * The cost of a join is what it gives, plus what it reads: a row that is probed counts once, one that is built into a
 * hash table twice; a join without an equality looks at every pair. The right side of an INNER join is the one to build
 * from, hence the smaller. This pass also notes the estimated rows of every node. */
#include <math.h>

#include "optimizer/join_region.h"

enum { most_exhaustive = 12 };

static const arb_logical *order(arb_rule_context *rule, const arb_logical *node);

typedef struct best {
    double cost; /* INFINITY: the set has no plan */
    double rows;
    arb_relations left;
} best;

/* A plan for some of the relations, on the greedy way. */
typedef struct part {
    const arb_logical *plan;
    arb_relations set;
    double rows;
} part;

static arb_relations one(size_t relation)
{
    return (arb_relations)1 << relation;
}

static bool is_directed(const arb_region *region, arb_relations set)
{
    return (set & (set - 1)) == 0 && (set & region->directed) != 0;
}

static double join_cost(double left, double right, bool hash, bool either_side)
{
    if (!hash)
        return left * right;
    return either_side ? fmin(left + 2 * right, 2 * left + right) : left + 2 * right;
}

/* May `right` be joined to `left`, and at what cost beyond that of the two? */
static double split_cost(const arb_region *region, arb_relations left, double left_rows, arb_relations right,
                         double right_rows)
{
    bool hash;
    if (is_directed(region, left))
        return INFINITY;
    if (is_directed(region, right)) {
        const arb_relation *relation = &region->relations.data[__builtin_ctzll(right)];
        const arb_expr *condition = relation->join->join.condition;
        if ((relation->requires & ~left) != 0)
            return INFINITY;
        /* Without a condition the right side is held once and looked at once a row. */
        bool equality = condition == NULL;
        for (size_t i = 0; condition != NULL && i < arb_expr_conjunct_count(condition); i++) {
            const arb_expr *conjunct = arb_expr_conjunct(condition, i);
            equality |= conjunct->kind == ARB_EXPR_COMPARE &&
                        (conjunct->compare == ARB_EQUAL || conjunct->compare == ARB_NOT_DISTINCT);
        }
        return join_cost(left_rows, right_rows, equality, true);
    }
    if (!arb_region_connected(region, left, right, &hash))
        return INFINITY;
    return join_cost(fmax(left_rows, right_rows), fmin(left_rows, right_rows), hash, false);
}

static void find_best(const arb_region *region, best *table, arb_relations set)
{
    table[set] = (best){.cost = INFINITY, .rows = -1};
    for (arb_relations left = (set - 1) & set; left != 0; left = (left - 1) & set) {
        arb_relations right = set & ~left;
        if (table[left].cost == INFINITY || table[right].cost == INFINITY)
            continue;
        /* INNER joins are the same both ways: look at them once. */
        if (left < right && !is_directed(region, right))
            continue;
        double cost = table[left].cost + table[right].cost;
        if (cost >= table[set].cost)
            continue;
        cost += split_cost(region, left, table[left].rows, right, table[right].rows);
        if (cost >= table[set].cost)
            continue;
        if (table[set].rows < 0)
            table[set].rows = arb_region_rows(region, set);
        if (cost + table[set].rows >= table[set].cost)
            continue;
        table[set].cost = cost + table[set].rows;
        table[set].left = left;
    }
}

static const arb_logical *join_parts(arb_region *region, const part *a, const part *b)
{
    bool turn = !is_directed(region, b->set) && a->rows < b->rows;
    const part *left = turn ? b : a, *right = turn ? a : b;
    return arb_region_join(region, left->plan, left->set, right->plan, right->set);
}

static const arb_logical *build(arb_region *region, const best *table, arb_relations set)
{
    if ((set & (set - 1)) == 0)
        return arb_region_leaf(region, (size_t)__builtin_ctzll(set));
    arb_relations left = table[set].left, right = set & ~left;
    part a = {.plan = build(region, table, left), .set = left, .rows = table[left].rows};
    part b = {.plan = build(region, table, right), .set = right, .rows = table[right].rows};
    return a.plan != NULL && b.plan != NULL ? join_parts(region, &a, &b) : NULL;
}

/* Join the pair that gives the fewest rows until one part is left. */
static const arb_logical *join_greedily(arb_region *region, part *parts, size_t count)
{
    while (count > 1) {
        size_t a = SIZE_MAX, b = SIZE_MAX;
        double fewest = INFINITY;
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; k < count; k++) {
                if (i == k || (k < i && !is_directed(region, parts[k].set)) ||
                    split_cost(region, parts[i].set, parts[i].rows, parts[k].set, parts[k].rows) == INFINITY)
                    continue;
                double rows = arb_region_rows(region, parts[i].set | parts[k].set);
                if (rows < fewest) {
                    fewest = rows;
                    a = i;
                    b = k;
                }
            }
        }
        /* Nothing is connected: the cross product of the two smallest. */
        for (size_t i = 0; fewest == INFINITY && i < count; i++) {
            if (is_directed(region, parts[i].set))
                continue;
            if (a == SIZE_MAX || parts[i].rows < parts[a].rows) {
                b = a;
                a = i;
            } else if (b == SIZE_MAX || parts[i].rows < parts[b].rows) {
                b = i;
            }
        }
        assert(a != SIZE_MAX && b != SIZE_MAX);
        part joined = {.plan = join_parts(region, &parts[a], &parts[b]), .set = parts[a].set | parts[b].set};
        if (joined.plan == NULL)
            return NULL;
        joined.rows = arb_region_rows(region, joined.set);
        parts[ARB_MIN(a, b)] = joined;
        parts[ARB_MAX(a, b)] = parts[--count];
    }
    return parts[0].plan;
}

static bool start_parts(arb_region *region, part *parts)
{
    for (size_t i = 0; i < region->relations.size; i++) {
        parts[i] = (part){.plan = arb_region_leaf(region, i), .set = one(i), .rows = region->relations.data[i].rows};
        if (parts[i].plan == NULL)
            return false;
    }
    return true;
}

/* The largest sets that have plans, each relation in one of them. */
static size_t parts_of_table(arb_region *region, const best *table, part *parts)
{
    size_t count = 0, relations = region->relations.size;
    arb_relations rest = one(relations) - 1;
    while (rest != 0) {
        arb_relations chosen = rest & -rest;
        for (arb_relations set = rest; set != 0; set = (set - 1) & rest) {
            if (table[set].cost < INFINITY && __builtin_popcountll(set) > __builtin_popcountll(chosen))
                chosen = set;
        }
        parts[count] = (part){.plan = build(region, table, chosen), .set = chosen, .rows = table[chosen].rows};
        if (parts[count++].plan == NULL)
            return 0;
        rest &= ~chosen;
    }
    return count;
}

static const arb_logical *order_region(arb_rule_context *rule, const arb_logical *node)
{
    arb_arena *arena = rule->query->arena;
    arb_region region = {.rule = rule};
    if (!arb_region_collect(&region, node, order))
        return NULL;
    size_t count = region.relations.size;
    part *parts = ARB_ARENA_ARRAY(arena, part, count);
    if (parts == NULL)
        return NULL;
    if (count > most_exhaustive)
        return start_parts(&region, parts) ? arb_region_finish(&region, join_greedily(&region, parts, count)) : NULL;
    best *table = ARB_ARENA_ARRAY(arena, best, one(count));
    if (table == NULL)
        return NULL;
    for (arb_relations set = 1; set < one(count); set++) {
        if ((set & (set - 1)) == 0)
            table[set] = (best){.rows = region.relations.data[__builtin_ctzll(set)].rows};
        else
            find_best(&region, table, set);
    }
    if (table[one(count) - 1].cost < INFINITY)
        return arb_region_finish(&region, build(&region, table, one(count) - 1));
    count = parts_of_table(&region, table, parts);
    return count != 0 ? arb_region_finish(&region, join_greedily(&region, parts, count)) : NULL;
}

static bool starts_region(const arb_logical *node)
{
    while (node->kind == ARB_LOGICAL_FILTER && arb_expr_deterministic(node->filter.condition))
        node = node->children[0];
    return node->kind == ARB_LOGICAL_JOIN && node->join.kind != ARB_JOIN_FULL && node->join.kind != ARB_JOIN_RIGHT &&
           !node->join.dependent;
}

static const arb_logical *order(arb_rule_context *rule, const arb_logical *node)
{
    if (starts_region(node))
        return order_region(rule, node);
    size_t count = arb_logical_child_count(node);
    const arb_logical **children = ARB_ARENA_ARRAY(rule->query->arena, const arb_logical *, count);
    if (children == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if ((children[i] = order(rule, arb_logical_child(node, i))) == NULL)
            return NULL;
    }
    arb_logical *copy = arb_logical_with_children(rule->query, node, children);
    if (copy != NULL)
        copy->rows = arb_estimate_rows(rule, copy);
    return copy;
}

const arb_logical *arb_rule_order_joins(arb_rule_context *rule, const arb_logical *root)
{
    arb_estimate_note_sources(rule, root);
    return order(rule, root);
}
