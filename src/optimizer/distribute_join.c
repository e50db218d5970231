/* distribute_join.c: which side of a join goes where. The table is in distribute.h. */
#include "optimizer/distribute_internal.h"

typedef struct join_rule {
    bool broadcast;   /* the build side may be read whole by tasks that each have some of the probe side */
    bool partitioned; /* both sides may be cut by the keys */
} join_rule;

static join_rule rule_of(const arb_physical_node *node)
{
    static const join_rule rules[] = {
        [ARB_JOIN_MATCHES] = {true, true},      [ARB_JOIN_PROBE_OUTER] = {true, true},
        [ARB_JOIN_BUILD_OUTER] = {false, true}, [ARB_JOIN_FULL_OUTER] = {false, true},
        [ARB_JOIN_PROBE_SEMI] = {true, true},   [ARB_JOIN_PROBE_ANTI] = {true, true},
        [ARB_JOIN_BUILD_SEMI] = {false, true},  [ARB_JOIN_BUILD_ANTI] = {false, true},
        [ARB_JOIN_PROBE_MARK] = {true, true},   [ARB_JOIN_PROBE_SINGLE] = {true, true},
    };
    join_rule rule = rules[node->join.output];
    rule.partitioned &= node->kind == ARB_PHYSICAL_HASH_JOIN && !node->join.null_aware;
    return rule;
}

static arb_physical_node *join_of(distributor *d, const arb_physical_node *node, const arb_physical_node *probe,
                                  const arb_physical_node *build)
{
    arb_physical_node *join = arb_distribute_copy(d, node, NULL);
    const arb_physical_node **children = ARB_ARENA_ARRAY(d->arena, const arb_physical_node *, 2);
    if (join == NULL || children == NULL || probe == NULL || build == NULL)
        return d->code == ARB_OK ? arb_distribute_no_memory(d) : NULL;
    children[0] = probe;
    children[1] = build;
    join->children = children;
    return join;
}

typedef struct join_side {
    const arb_physical_node *join;
    size_t first; /* the number of the side's first column among both */
} join_side;

/* Where a column of a side leaves the join, or -1. */
static int leaves_as(const void *context, uint32_t column)
{
    const join_side *side = context;
    for (size_t i = 0; i < side->join->join.output_count; i++)
        if (side->join->join.columns[i] == side->first + column)
            return (int)i;
    return -1;
}

/* Each task joins its probe rows with all of the build side. */
static fragment broadcast(distributor *d, const arb_physical_node *node, fragment *probe, fragment *build)
{
    fragment f = *probe;
    f.may_differ |= build->may_differ;
    f.bytes += arb_distribute_bytes(build->root);
    f.root = join_of(d, node, probe->root, arb_distribute_broadcast(d, build));
    f.is_leaf = false;
    f.row_limit = -1;
    if (f.root != NULL)
        arb_distribute_move_keys(d, &f, leaves_as, &(join_side){f.root, 0});
    return f;
}

/* Both sides are in one task. */
static fragment in_one(distributor *d, const arb_physical_node *node, fragment *probe, fragment *build)
{
    fragment f = {.spread = SPREAD_ONE, .row_limit = -1};
    if (!arb_distribute_is_one(d, probe))
        *probe = arb_distribute_to_one(d, probe);
    if (probe->root != NULL && !arb_distribute_is_one(d, build))
        *build = arb_distribute_to_one(d, build);
    if (probe->root == NULL || build->root == NULL || !arb_distribute_add_groups(d, &f, probe) ||
        !arb_distribute_add_groups(d, &f, build))
        return f;
    f.may_differ = probe->may_differ | build->may_differ;
    f.bytes = probe->bytes + build->bytes;
    f.root = join_of(d, node, probe->root, build->root);
    return f;
}

static bool lies_by(const fragment *f, const uint32_t *keys, size_t count)
{
    return f->spread == SPREAD_HASH && f->groups.size == 1 && f->key_count == count &&
           (memcmp(f->keys, keys, count * sizeof *keys) == 0 ||
            (f->twin_keys != NULL && memcmp(f->twin_keys, keys, count * sizeof *keys) == 0));
}

/* Both groups of units become one: partition i of the one goes with partition i of the other. */
static bool unite_groups(distributor *d, fragment *to, const fragment *a, const fragment *b)
{
    const arb_unit_group *left = &a->groups.data[0], *right = &b->groups.data[0];
    size_t count = left->leaf_count + right->leaf_count;
    uint32_t *leaves = ARB_ARENA_ARRAY(d->arena, uint32_t, count);
    assert(left->units == right->units);
    if (leaves == NULL)
        return arb_distribute_no_memory(d) != NULL;
    memcpy(leaves, left->leaves, left->leaf_count * sizeof *leaves);
    memcpy(leaves + left->leaf_count, right->leaves, right->leaf_count * sizeof *leaves);
    arb_unit_group group = {left->units, count, leaves};
    return ARB_ARENA_PUSH(d->arena, &to->groups, group) || arb_distribute_no_memory(d) != NULL;
}

/* The sides' keys as columns of the join. Where it gives rows of one side alone, the other side's keys are NULL there. */
static void note_keys(distributor *d, fragment *f, size_t probe_columns)
{
    const arb_physical_node *join = f->root;
    fragment probe = {.spread = SPREAD_HASH, .key_count = join->join.key_count, .keys = join->join.probe_keys};
    fragment build = {.spread = SPREAD_HASH, .key_count = join->join.key_count, .keys = join->join.build_keys};
    arb_distribute_move_keys(d, &probe, leaves_as, &(join_side){join, 0});
    arb_distribute_move_keys(d, &build, leaves_as, &(join_side){join, probe_columns});
    switch ((arb_join_output)join->join.output) {
    case ARB_JOIN_FULL_OUTER:
        probe.keys = build.keys = NULL;
        break;
    case ARB_JOIN_MATCHES:
        break;
    case ARB_JOIN_BUILD_OUTER:
    case ARB_JOIN_BUILD_SEMI:
    case ARB_JOIN_BUILD_ANTI:
        probe.keys = NULL;
        break;
    default:
        build.keys = NULL;
        break;
    }
    f->key_count = join->join.key_count;
    f->keys = probe.keys != NULL ? probe.keys : build.keys;
    f->twin_keys = probe.keys != NULL ? build.keys : NULL;
    if (f->keys == NULL)
        f->spread = SPREAD_ANY;
}

static fragment partitioned(distributor *d, const arb_physical_node *node, fragment *probe, fragment *build)
{
    size_t count = node->join.key_count;
    const uint32_t *probe_keys = node->join.probe_keys, *build_keys = node->join.build_keys;
    bool probe_lies = lies_by(probe, probe_keys, count), build_lies = lies_by(build, build_keys, count);
    uint32_t partitions =
        probe_lies   ? probe->partitions
        : build_lies ? build->partitions
                     : arb_distribute_tasks(d, arb_distribute_bytes(probe->root) + arb_distribute_bytes(build->root));
    fragment f = {.spread = SPREAD_HASH, .partitions = partitions, .row_limit = -1};
    bool cut = build_lies && !build->is_leaf && arb_distribute_filters_probe(d, node, probe->root);
    if (!probe_lies)
        *probe = arb_distribute_by_hash(d, probe, probe_keys, count, partitions);
    if (probe->root != NULL && (cut || !(build_lies && build->partitions == partitions)))
        *build = arb_distribute_by_hash(d, build, build_keys, count, partitions);
    if (probe->root == NULL || build->root == NULL || !unite_groups(d, &f, probe, build))
        return f;
    f.may_differ = probe->may_differ | build->may_differ;
    f.bytes = probe->bytes + build->bytes;
    f.root = join_of(d, node, probe->root, build->root);
    if (f.root == NULL)
        return f;
    note_keys(d, &f, probe->root->layout.count);
    return f;
}

fragment arb_distribute_join(distributor *d, const arb_physical_node *node)
{
    fragment probe = arb_distribute_node(d, node->children[0]);
    fragment build = probe.root == NULL ? probe : arb_distribute_node(d, node->children[1]);
    if (build.root == NULL)
        return build;
    join_rule rule = rule_of(node);
    /* Another attempt may have other last bits in a key, and then other partners. */
    bool float_keys = arb_distribute_any_float(&build.root->layout, node->join.build_keys, node->join.key_count);
    build.may_differ |= float_keys;
    probe.may_differ |= float_keys || (node->join.residual != NULL && !arb_expr_deterministic(node->join.residual));
    if (arb_distribute_is_one(d, &probe)) {
        if (arb_distribute_is_one(d, &build))
            return in_one(d, node, &probe, &build);
        probe.spread = SPREAD_ONE; /* the only task sees all of both */
        return broadcast(d, node, &probe, &build);
    }
    bool small = arb_distribute_bytes(build.root) <= d->options.broadcast_bytes;
    if (rule.broadcast && (small || !rule.partitioned))
        return broadcast(d, node, &probe, &build);
    return rule.partitioned ? partitioned(d, node, &probe, &build) : in_one(d, node, &probe, &build);
}
