/* distribute_spread.c: run-time filters that are made in one stage and wanted by a scan in another.
 *
 *     stage P:  … ◀─ scan, takes filter k                     stage P:  … ◀─ semi join, makes filter n ◀─ scan, takes n
 *     stage B:  rows of the build side            becomes                       └─ all of stage B
 *     stage S:  join, makes filter k                          stage B, S:  as before
 *                ├─ … ◀─ stage P
 *                └─ stage B
 *
 * The planner lets a scan take the filter only where rows that it drops are not missed, so those that have no partner in B may
 * be dropped for good: less is aggregated and exchanged between P and S. B must not read from P in turn; then P becomes a
 * reader of it, and the stages are numbered anew. */
#include "optimizer/distribute_internal.h"

/* The stage that makes a filter, and what of. */
typedef struct filter_maker {
    const arb_physical_node *join; /* NULL: it is not of use in other stages */
    uint32_t stage;
    uint32_t key;
} filter_maker;

typedef struct wanted_filter {
    uint32_t stage, scan; /* a node's number */
    size_t at;            /* among the scan's */
} wanted_filter;

typedef struct spreader {
    distributor *d;
    filter_maker *makers; /* by number of the filter */
    ARB_VEC(wanted_filter) wanted;
    bool moved; /* some stage reads another one now */
} spreader;

static const uint32_t first_column[] = {0};

/* ---- who makes and who takes ----------------------------------------------------------------------------------------------- */

static void find_makers(spreader *s, uint32_t stage, const arb_physical_node *node)
{
    if (node->kind == ARB_PHYSICAL_HASH_JOIN && node->children[1]->kind == ARB_PHYSICAL_EXCHANGE)
        for (size_t i = 0; i < node->join.runtime_count; i++)
            s->makers[node->join.runtime[i].number] = (filter_maker){node, stage, node->join.runtime[i].key};
    for (size_t i = 0; i < node->child_count; i++)
        find_makers(s, stage, node->children[i]);
}

static bool find_wanted(spreader *s, uint32_t stage, const arb_physical_node *node)
{
    if (node->kind == ARB_PHYSICAL_SCAN)
        for (size_t i = 0; i < node->scan.runtime_count; i++) {
            const filter_maker *maker = &s->makers[node->scan.runtime[i].number];
            if (maker->join != NULL && maker->stage != stage &&
                !ARB_ARENA_PUSH(s->d->arena, &s->wanted, ((wanted_filter){stage, node->number, i})))
                return arb_distribute_no_memory(s->d) != NULL;
        }
    for (size_t i = 0; i < node->child_count; i++)
        if (!find_wanted(s, stage, node->children[i]))
            return false;
    return true;
}

static bool reads(const distributor *d, const arb_physical_node *node, uint32_t stage, bool *seen);

/* Directly or not. */
static bool depends_on(const distributor *d, uint32_t reader, uint32_t stage, bool *seen)
{
    if (reader == stage)
        return true;
    if (seen[reader])
        return false;
    seen[reader] = true;
    return reads(d, d->stages.data[reader].plan.root, stage, seen);
}

static bool reads(const distributor *d, const arb_physical_node *node, uint32_t stage, bool *seen)
{
    if (node->kind == ARB_PHYSICAL_EXCHANGE && depends_on(d, node->exchange.stage, stage, seen))
        return true;
    for (size_t i = 0; i < node->child_count; i++)
        if (reads(d, node->children[i], stage, seen))
            return true;
    return false;
}

/* ---- is it worth it? ------------------------------------------------------------------------------------------------------- */

/* Rows of the scan that have no partner, as estimated. */
static double rows_dropped(const arb_physical_node *join, const arb_physical_node *scan)
{
    return scan->rows * (1 - ARB_MIN(join->rows / ARB_MAX(join->children[0]->rows, 1.0), 1.0));
}

/* Every executor reads the build side, and then each aggregates or sends fewer rows. A broadcast's worth of it costs little; of
 * more, a row must spare two for each slot. */
static bool is_worth_it(const distributor *d, const arb_physical_node *join, const arb_physical_node *scan)
{
    const arb_physical_node *build = join->children[1];
    double dropped = rows_dropped(join, scan);
    bool small = arb_distribute_bytes(build) <= d->options.broadcast_bytes;
    if (d->options.broadcast_bytes == 0 || d->options.always)
        return d->options.broadcast_bytes != 0 && small;
    return dropped * 4 >= scan->rows && (small || build->rows * d->options.slots * 2 <= dropped);
}

/* Is there such a scan, in this stage or in those that it reads? Shared subplans take no filters. */
static bool is_worth_it_below(const distributor *d, const arb_physical_node *join, uint32_t filter,
                              const arb_physical_node *node)
{
    if (node->kind == ARB_PHYSICAL_SCAN)
        for (size_t i = 0; i < node->scan.runtime_count; i++)
            if (node->scan.runtime[i].number == filter && is_worth_it(d, join, node))
                return true;
    if (node->kind == ARB_PHYSICAL_EXCHANGE) {
        const arb_stage *stage = &d->stages.data[node->exchange.stage];
        return stage->output.kind != ARB_OUTPUT_TURNS && is_worth_it_below(d, join, filter, stage->plan.root);
    }
    for (size_t i = 0; i < node->child_count; i++)
        if (is_worth_it_below(d, join, filter, node->children[i]))
            return true;
    return false;
}

bool arb_distribute_filters_probe(const distributor *d, const arb_physical_node *join, const arb_physical_node *probe)
{
    for (size_t i = 0; i < join->join.runtime_count; i++)
        if (is_worth_it_below(d, join, join->join.runtime[i].number, probe))
            return true;
    return false;
}

/* ---- the semi join --------------------------------------------------------------------------------------------------------- */

static arb_physical_node *new_node(distributor *d, arb_physical_kind kind, size_t child_count,
                                   const arb_physical_node ***out_children)
{
    arb_physical_node *node = ARB_ARENA_NEW(d->arena, arb_physical_node);
    *out_children = ARB_ARENA_ARRAY(d->arena, const arb_physical_node *, child_count + 1);
    if (node == NULL || *out_children == NULL)
        return arb_distribute_no_memory(d);
    node->kind = (uint8_t)kind;
    node->number = d->node_count++;
    node->child_count = child_count;
    node->children = *out_children;
    return node;
}

/* The build side's key, whole. */
static const arb_physical_node *key_of(distributor *d, const filter_maker *maker)
{
    const arb_physical_node *from = maker->join->children[1];
    uint32_t at = maker->join->join.build_keys[maker->key];
    arb_physical_node *leaf = arb_distribute_copy(d, from, NULL);
    if (leaf == NULL)
        return NULL;
    leaf->number = d->node_count++;
    leaf->layout = (arb_layout){1, &from->layout.slots[at]};
    leaf->exchange.read = ARB_READ_ALL;
    leaf->exchange.columns = &from->exchange.columns[at];
    return leaf;
}

/* The scan beside its key as wide as the other side's, behind its own columns; the scan itself where it is that. */
static const arb_physical_node *with_key(distributor *d, const arb_physical_node *scan, uint32_t column,
                                         arb_physical width, uint32_t *out_key)
{
    size_t count = scan->layout.count;
    const arb_physical_node **children;
    *out_key = column;
    if (scan->layout.slots[column].physical == width)
        return scan;
    arb_physical_node *project = new_node(d, ARB_PHYSICAL_PROJECT, 1, &children);
    const arb_expr **exprs = ARB_ARENA_ARRAY(d->arena, const arb_expr *, count + 1);
    arb_slot *slots = ARB_ARENA_ARRAY(d->arena, arb_slot, count + 1);
    if (project == NULL || exprs == NULL || slots == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i <= count; i++) {
        slots[i] = scan->layout.slots[i < count ? i : column];
        exprs[i] = arb_expr_column(d->arena, slots[i].id, slots[i].type);
        if (exprs[i] == NULL)
            return arb_distribute_no_memory(d);
    }
    slots[count].id = ARB_NO_COLUMN;
    slots[count].physical = width;
    children[0] = scan;
    project->layout = (arb_layout){count + 1, slots};
    project->rows = scan->rows;
    project->project.exprs = exprs;
    *out_key = (uint32_t)count;
    return project;
}

/* The scan takes filter `number` in the place of the one that it takes `at`. */
static const arb_physical_node *take_instead(distributor *d, const arb_physical_node *scan, size_t at, uint32_t number)
{
    arb_physical_node *copy = arb_distribute_copy(d, scan, NULL);
    arb_runtime_filter *filters = ARB_ARENA_ARRAY(d->arena, arb_runtime_filter, scan->scan.runtime_count);
    if (copy == NULL || filters == NULL)
        return arb_distribute_no_memory(d);
    memcpy(filters, scan->scan.runtime, scan->scan.runtime_count * sizeof *filters);
    filters[at].number = number;
    copy->scan.runtime = filters;
    return copy;
}

static const arb_physical_node *semi_join(distributor *d, const arb_physical_node *scan, size_t at,
                                          const filter_maker *maker)
{
    const arb_physical_node *join = maker->join, **children;
    size_t count = scan->layout.count;
    uint32_t filter = d->filter_count++;
    arb_physical_node *semi = new_node(d, ARB_PHYSICAL_HASH_JOIN, 2, &children);
    uint32_t *key = ARB_ARENA_ARRAY(d->arena, uint32_t, 1), *columns = ARB_ARENA_ARRAY(d->arena, uint32_t, count + 1);
    arb_runtime_filter *made = ARB_ARENA_ARRAY(d->arena, arb_runtime_filter, 1);
    const arb_physical_node *build = key_of(d, maker);
    const arb_physical_node *taker = take_instead(d, scan, at, filter);
    if (semi == NULL || key == NULL || columns == NULL || made == NULL || build == NULL || taker == NULL)
        return arb_distribute_no_memory(d);
    children[0] = with_key(d, taker, scan->scan.runtime[at].column, build->layout.slots[0].physical, key);
    children[1] = build;
    if (children[0] == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        columns[i] = (uint32_t)i;
    made[0] = (arb_runtime_filter){.number = filter};
    semi->layout = scan->layout;
    semi->rows = scan->rows - rows_dropped(join, scan);
    semi->join.output = ARB_JOIN_PROBE_SEMI;
    semi->join.key_count = 1;
    semi->join.null_equal = join->join.null_equal != NULL ? &join->join.null_equal[maker->key] : NULL;
    semi->join.probe_keys = key;
    semi->join.build_keys = first_column;
    semi->join.output_count = count;
    semi->join.columns = columns;
    semi->join.runtime_count = 1;
    semi->join.runtime = made;
    return semi;
}

/* ---- in the place of the scan ---------------------------------------------------------------------------------------------- */

static const arb_physical_node *find_node(const arb_physical_node *node, uint32_t number)
{
    const arb_physical_node *found = node->number == number ? node : NULL;
    for (size_t i = 0; found == NULL && i < node->child_count; i++)
        found = find_node(node->children[i], number);
    return found;
}

/* The tree with another node in the place of that one. */
static const arb_physical_node *replace(distributor *d, const arb_physical_node *node, const arb_physical_node *old,
                                        const arb_physical_node *new)
{
    if (node == old)
        return new;
    if (find_node(node, old->number) == NULL)
        return node;
    arb_physical_node *copy = arb_distribute_copy(d, node, NULL);
    const arb_physical_node **children = ARB_ARENA_ARRAY(d->arena, const arb_physical_node *, node->child_count);
    if (copy == NULL || children == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i < node->child_count; i++)
        if ((children[i] = replace(d, node->children[i], old, new)) == NULL)
            return NULL;
    copy->children = children;
    return copy;
}

static bool spread_one(spreader *s, const wanted_filter *wanted)
{
    distributor *d = s->d;
    arb_stage *stage = &d->stages.data[wanted->stage];
    const arb_physical_node *scan = find_node(stage->plan.root, wanted->scan);
    const arb_runtime_filter *filter = &scan->scan.runtime[wanted->at];
    const filter_maker *maker = &s->makers[filter->number];
    const arb_physical_node *leaf = maker->join->children[1];
    bool *seen = ARB_ARENA_ARRAY(d->arena, bool, d->stages.size);
    if (seen == NULL)
        return arb_distribute_no_memory(d) != NULL;
    if (filter->column >= scan->layout.count || scan->scan.limit >= 0 || !is_worth_it(d, maker->join, scan) ||
        depends_on(d, leaf->exchange.stage, wanted->stage, seen))
        return true;
    const arb_physical_node *semi = semi_join(d, scan, wanted->at, maker);
    const arb_physical_node *root = semi == NULL ? NULL : replace(d, stage->plan.root, scan, semi);
    if (root == NULL)
        return false;
    stage->plan.root = root;
    stage->bytes += arb_distribute_bytes(leaf);
    s->moved = true;
    return true;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------------- */

static void look_at_inputs(const arb_physical_node *node, const uint32_t *places, const arb_stage *stages,
                           bool *out_ready, bool *out_may_differ)
{
    if (node->kind == ARB_PHYSICAL_EXCHANGE) {
        *out_ready &= places[node->exchange.stage] != UINT32_MAX;
        *out_may_differ |= stages[node->exchange.stage].determinism == ARB_MAY_DIFFER;
    }
    for (size_t i = 0; i < node->child_count; i++)
        look_at_inputs(node->children[i], places, stages, out_ready, out_may_differ);
}

static const arb_physical_node *renumber(distributor *d, const arb_physical_node *node, const uint32_t *places)
{
    arb_physical_node *copy = arb_distribute_copy(d, node, NULL);
    const arb_physical_node **children = ARB_ARENA_ARRAY(d->arena, const arb_physical_node *, node->child_count + 1);
    if (copy == NULL || children == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i < node->child_count; i++)
        if ((children[i] = renumber(d, node->children[i], places)) == NULL)
            return NULL;
    copy->children = children;
    if (node->kind == ARB_PHYSICAL_EXCHANGE)
        copy->exchange.stage = places[node->exchange.stage];
    return copy;
}

/* Each stage comes behind those that it reads, and otherwise where it was; what reads rows that may differ may differ. */
static bool sort_stages(distributor *d)
{
    size_t count = d->stages.size;
    arb_stage *sorted = ARB_ARENA_ARRAY(d->arena, arb_stage, count);
    uint32_t *places = ARB_ARENA_ARRAY(d->arena, uint32_t, count);
    if (sorted == NULL || places == NULL)
        return arb_distribute_no_memory(d) != NULL;
    memset(places, 0xFF, count * sizeof *places);
    for (uint32_t place = 0; place < count; place++) {
        bool ready = false;
        for (size_t i = 0; i < count && !ready; i++) {
            arb_stage *stage = &d->stages.data[i];
            bool may_differ = stage->determinism == ARB_MAY_DIFFER;
            ready = places[i] == UINT32_MAX;
            if (ready)
                look_at_inputs(stage->plan.root, places, d->stages.data, &ready, &may_differ);
            if (!ready)
                continue;
            stage->determinism = may_differ ? ARB_MAY_DIFFER : ARB_SAME_ROWS;
            places[i] = place;
            sorted[place] = *stage;
            sorted[place].number = place;
        }
        assert(ready);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i].plan.root = renumber(d, sorted[i].plan.root, places);
        if (sorted[i].plan.root == NULL)
            return false;
        d->stages.data[i] = sorted[i];
    }
    return true;
}

bool arb_distribute_spread_filters(distributor *d)
{
    spreader s = {.d = d, .makers = ARB_ARENA_ARRAY(d->arena, filter_maker, d->plan->runtime_filter_count + 1)};
    if (s.makers == NULL)
        return arb_distribute_no_memory(d) != NULL;
    for (uint32_t i = 0; i < d->stages.size; i++)
        find_makers(&s, i, d->stages.data[i].plan.root);
    for (uint32_t i = 0; i < d->stages.size; i++)
        if (!find_wanted(&s, i, d->stages.data[i].plan.root))
            return false;
    for (size_t i = 0; i < s.wanted.size; i++)
        if (!spread_one(&s, &s.wanted.data[i]))
            return false;
    return !s.moved || sort_stages(d);
}
