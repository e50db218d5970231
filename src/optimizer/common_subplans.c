/* common_subplans.c: what a query asks for twice is worked out once.
 *
 * Subtrees that compute the same under other column ids (plan/logical_match.c) become one shared plan, which SHARED
 * nodes read. The largest first; then again, until nothing is found. A shared plan is held in memory, stands in the way
 * of filters and run-time filters from above, and fixes what is joined first. So it must pay:
 *   - it holds a join or an aggregate, or is a scan of which few rows pass;
 *   - its result is small, and no more than what it reads;
 *   - within a nest of joins only the whole nest counts, since parts of it may be joined in another order.
 * Runs before columns are pruned: two places may need different columns of the same subtree, and pruning gathers what
 * all readers need. */
#include <stdlib.h>

#include "optimizer/estimate.h"

static const double most_bytes = 64e6, least_input = 1e3, least_scanned = 1e5, most_kept = 0.05;

enum { most_rounds = 16 };

typedef struct occurrence {
    const arb_logical *node;
    uint64_t shape;
    size_t size; /* nodes of the subtree */
    arb_column_set needed;
    bool gathered; /* chosen among the matches of one before it, or too large by itself */
} occurrence;

typedef struct finder {
    arb_rule_context *rule;
    const arb_column_set *needed;
    uint64_t *columns;  /* shapes, by id */
    arb_column_id *map; /* by id, for one comparison after the other */
    ARB_VEC(occurrence) found;
} finder;

typedef struct summary {
    uint64_t shape;
    size_t size;
} summary;

static bool in_nest(const arb_logical *node)
{
    return node->kind == ARB_LOGICAL_FILTER || (node->kind == ARB_LOGICAL_JOIN && node->join.kind != ARB_JOIN_FULL);
}

/* Note every subtree that may be shared; `nested`: the node is a part of its parent's nest of joins. */
static bool look(finder *f, const arb_logical *node, const arb_column_set *needed, bool nested, summary *out)
{
    arb_query *query = f->rule->query;
    size_t count = arb_logical_child_count(node);
    uint64_t *shapes = ARB_ARENA_ARRAY(query->arena, uint64_t, count);
    arb_column_set below = {0};
    bool makes_all = node->kind == ARB_LOGICAL_PROJECT || node->kind == ARB_LOGICAL_AGGREGATE;
    if (shapes == NULL || (!makes_all && !arb_column_set_copy(query, &below, needed)) ||
        !arb_logical_used_columns(query, node, &below))
        return false;
    size_t size = 1;
    for (size_t i = 0; i < count; i++) {
        bool within =
            node->kind == ARB_LOGICAL_FILTER || (in_nest(node) && (i == 0 || node->join.kind == ARB_JOIN_INNER));
        arb_column_set given = {0};
        summary child;
        if (node->kind == ARB_LOGICAL_SET) {
            for (size_t k = 0; k < node->set.column_count; k++) {
                if (!arb_column_set_add(query, &given, node->set.inputs[i].columns[k]))
                    return false;
            }
        }
        if (!look(f, arb_logical_child(node, i), node->kind == ARB_LOGICAL_SET ? &given : &below, within, &child))
            return false;
        shapes[i] = child.shape;
        size += child.size;
    }
    *out = (summary){.shape = arb_logical_shape(node, shapes, f->columns), .size = size};
    occurrence here = {.node = node, .shape = out->shape, .size = size, .needed = *needed};
    return (nested && in_nest(node)) || node->kind == ARB_LOGICAL_SHARED ||
           ARB_ARENA_PUSH(query->arena, &f->found, here);
}

static bool look_everywhere(finder *f, const arb_logical *root)
{
    arb_query *query = f->rule->query;
    summary unused;
    f->columns = ARB_ARENA_ARRAY(query->arena, uint64_t, query->columns.size);
    f->map = ARB_ARENA_ARRAY(query->arena, arb_column_id, query->columns.size);
    f->found.size = 0;
    if (f->columns == NULL || f->map == NULL || !look(f, root, f->needed, false, &unused))
        return false;
    for (size_t i = 0; i < query->shared.size; i++) {
        arb_column_set all = {0};
        const arb_shared *shared = query->shared.data[i];
        if (shared->uses != 0 &&
            (!arb_logical_output(query, shared->plan, &all) || !look(f, shared->plan, &all, false, &unused)))
            return false;
    }
    return true;
}

/* ---- does it pay ------------------------------------------------------------------------------------------------ */

typedef struct contents {
    double base_rows;
    bool works; /* has a join or an aggregate */
} contents;

static void look_inside(const arb_logical *node, contents *out)
{
    out->works |= node->kind == ARB_LOGICAL_JOIN || node->kind == ARB_LOGICAL_AGGREGATE;
    if (node->kind == ARB_LOGICAL_SCAN)
        out->base_rows += (double)node->scan.table->rows;
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        look_inside(arb_logical_child(node, i), out);
}

/* The list's occurrences of one subtree. */
typedef struct matches {
    const arb_logical *node; /* the first one that was found */
    size_t count;
    size_t *list;            /* places in `found` */
    arb_column_ids ids;      /* that `node` gives */
    arb_column_id **outputs; /* what each calls them */
} matches;

static bool needs(const finder *f, const matches *m, size_t match, size_t output)
{
    return arb_column_set_has(&f->found.data[m->list[match]].needed, m->outputs[match][output]);
}

static double width_of(const finder *f, const matches *m, size_t output)
{
    const double text_bytes = 16; /* behind those of its slot, for what is not inline */
    arb_physical physical = arb_type_physical(arb_query_column(f->rule->query, m->ids.data[output])->type);
    return (double)arb_physical_size(physical) + (physical == ARB_PHYS_STRING ? text_bytes : 0);
}

/* Does it, however few columns are needed? */
static bool may_pay(const finder *f, const arb_logical *node)
{
    contents inside = {0};
    double rows = arb_estimate_rows(f->rule, node);
    look_inside(node, &inside);
    if (inside.base_rows < least_input || rows > inside.base_rows)
        return false;
    return inside.works || (inside.base_rows >= least_scanned && rows <= most_kept * inside.base_rows);
}

/* One of the matches, and how wide the rows are that it needs. */
typedef struct need {
    double width;
    size_t match;
} need;

static int narrower_first(const void *a_void, const void *b_void)
{
    const need *a = a_void, *b = b_void;
    if (a->width != b->width)
        return a->width < b->width ? -1 : 1;
    return a->match < b->match ? -1 : 1;
}

/* What all of these need may be too large though it is not for some of them: those who need little come first, and whoever would
 * make it too large is left out, and may be shared with others that come behind it. False without memory. */
static bool keep_what_pays(finder *f, matches *m)
{
    arb_arena *arena = f->rule->query->arena;
    need *order = ARB_ARENA_ARRAY(arena, need, m->count);
    bool *held = ARB_ARENA_ARRAY(arena, bool, m->ids.size + 1), *kept = ARB_ARENA_ARRAY(arena, bool, m->count);
    double rows = arb_estimate_rows(f->rule, m->node), width = 0;
    if (order == NULL || held == NULL || kept == NULL)
        return false;
    for (size_t i = 0; i < m->count; i++) {
        order[i].match = i;
        for (size_t output = 0; output < m->ids.size; output++)
            order[i].width += needs(f, m, i, output) ? width_of(f, m, output) : 0;
    }
    qsort(order, m->count, sizeof *order, narrower_first);
    for (size_t i = 0; i < m->count; i++) {
        double more = 0;
        for (size_t output = 0; output < m->ids.size; output++)
            more += !held[output] && needs(f, m, order[i].match, output) ? width_of(f, m, output) : 0;
        bool fits = rows * (width + more) <= most_bytes;
        f->found.data[m->list[order[i].match]].gathered |= fits || rows * order[i].width > most_bytes;
        if (!fits)
            continue;
        width += more;
        kept[order[i].match] = true;
        for (size_t output = 0; output < m->ids.size; output++)
            held[output] |= needs(f, m, order[i].match, output);
    }
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (!kept[i])
            continue;
        m->list[count] = m->list[i];
        m->outputs[count++] = m->outputs[i];
    }
    m->count = count;
    return true;
}

/* ---- sharing ---------------------------------------------------------------------------------------------------- */

typedef struct replacement {
    const arb_logical *node, *with;
} replacement;

typedef struct replacer {
    ARB_VEC(replacement) list;
} replacer;

static const arb_logical *replace(arb_rule_context *rule, const replacer *r, const arb_logical *node)
{
    for (size_t i = 0; i < r->list.size; i++) {
        if (r->list.data[i].node == node)
            return r->list.data[i].with;
    }
    size_t count = arb_logical_child_count(node);
    const arb_logical **children = ARB_ARENA_ARRAY(rule->query->arena, const arb_logical *, count);
    if (children == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if ((children[i] = replace(rule, r, arb_logical_child(node, i))) == NULL)
            return NULL;
    }
    return arb_rule_with_children(rule, node, children);
}

static const arb_logical *replace_everywhere(arb_rule_context *rule, const replacer *r, const arb_logical *root,
                                             size_t shared_count)
{
    for (size_t i = 0; i < shared_count; i++) {
        arb_shared *shared = rule->query->shared.data[i];
        if (shared->uses != 0 && (shared->plan = replace(rule, r, shared->plan)) == NULL)
            return NULL;
    }
    return replace(rule, r, root);
}

static bool new_matches(arb_query *query, size_t most, matches *out)
{
    *out = (matches){.list = ARB_ARENA_ARRAY(query->arena, size_t, most),
                     .outputs = ARB_ARENA_ARRAY(query->arena, arb_column_id *, most)};
    return out->list != NULL && out->outputs != NULL;
}

/* `map` leads from the first one's ids to those of occurrence `place`; NULL: it is the first. */
static bool add_match(arb_query *query, matches *m, size_t place, const arb_column_id *map)
{
    arb_column_id *outputs = ARB_ARENA_ARRAY(query->arena, arb_column_id, m->ids.size + 1);
    for (size_t i = 0; outputs != NULL && i < m->ids.size; i++)
        outputs[i] = map != NULL ? map[m->ids.data[i]] : m->ids.data[i];
    m->outputs[m->count] = outputs;
    m->list[m->count++] = place;
    return outputs != NULL;
}

/* The occurrence `first` and all behind it that match it. There may be thousands, so what is kept of each is small. */
static bool gather(finder *f, size_t first, matches *out)
{
    arb_query *query = f->rule->query;
    out->node = f->found.data[first].node;
    out->count = 0;
    out->ids = (arb_column_ids){0};
    if (!arb_logical_output_ids(query, out->node, &out->ids) || !add_match(query, out, first, NULL))
        return false;
    for (size_t i = first + 1; i < f->found.size; i++) {
        const occurrence *a = &f->found.data[first];
        const occurrence *b = &f->found.data[i];
        if (a->shape != b->shape || a->size != b->size)
            continue;
        for (size_t id = 0; id < query->columns.size; id++)
            f->map[id] = ARB_NO_COLUMN;
        if (!arb_logical_match(a->node, b->node, f->map))
            continue;
        if (!add_match(query, out, i, f->map))
            return false;
    }
    return true;
}

static const arb_logical *share(finder *f, const matches *m, const arb_logical *root)
{
    arb_query *query = f->rule->query;
    size_t map_size = query->columns.size, shared_count = query->shared.size;
    arb_column_id *fresh = ARB_ARENA_ARRAY(query->arena, arb_column_id, map_size);
    arb_shared *shared = ARB_ARENA_NEW(query->arena, arb_shared);
    replacer r = {0};
    if (fresh == NULL || shared == NULL)
        return NULL;
    *shared = (arb_shared){.number = (uint32_t)shared_count,
                           .plan = arb_rule_clone(f->rule, m->node, fresh, map_size),
                           .uses = (uint32_t)m->count};
    arb_column_id *sources = ARB_ARENA_ARRAY(query->arena, arb_column_id, m->ids.size);
    if (shared->plan == NULL || sources == NULL || !ARB_ARENA_PUSH(query->arena, &query->shared, shared))
        return NULL;
    for (size_t i = 0; i < m->ids.size; i++)
        sources[i] = fresh[m->ids.data[i]];
    for (size_t i = 0; i < m->count; i++) {
        replacement one = {.node = f->found.data[m->list[i]].node, /* its columns under its ids, from the shared plan */
                           .with = arb_logical_shared(query, shared, m->outputs[i], sources, m->ids.size)};
        if (one.with == NULL || !ARB_ARENA_PUSH(query->arena, &r.list, one))
            return NULL;
    }
    return replace_everywhere(f->rule, &r, root, shared_count);
}

/* Share the largest subtree that is there twice; *out_some is false when there is none. The root changes only when one of
 * its places is outside of shared plans. */
static const arb_logical *share_largest(finder *f, const arb_logical *root, bool *out_some)
{
    size_t best_size = 0;
    matches now, best;
    if (!new_matches(f->rule->query, f->found.size, &now) || !new_matches(f->rule->query, f->found.size, &best))
        return NULL;
    for (size_t i = 0; i < f->found.size; i++) {
        if (f->found.data[i].size <= best_size || f->found.data[i].gathered || !may_pay(f, f->found.data[i].node))
            continue;
        if (!gather(f, i, &now) || (now.count > 1 && !keep_what_pays(f, &now)))
            return NULL;
        if (now.count < 2)
            continue;
        matches last = best;
        best_size = f->found.data[i].size;
        best = now;
        now = last;
    }
    *out_some = best_size != 0;
    return *out_some ? share(f, &best, root) : root;
}

const arb_logical *arb_rule_common_subplans(arb_rule_context *rule, const arb_logical *root,
                                            const arb_column_set *needed)
{
    finder f = {.rule = rule, .needed = needed};
    bool changed = false, some = true;
    for (size_t round = 0; round < most_rounds && some; round++) {
        arb_estimate_note_sources(rule, root);
        if (!look_everywhere(&f, root) || (root = share_largest(&f, root, &some)) == NULL)
            return NULL;
        changed |= some;
    }
    if (!changed)
        return root;
    arb_rule_count_uses(rule->query, root);
    return arb_rule_number_shared(rule->query, root) ? root : NULL;
}
