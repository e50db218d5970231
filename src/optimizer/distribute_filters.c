/* distribute_filters.c: run-time filters are made and taken within one stage, or not at all. */
#include "optimizer/distribute_internal.h"

typedef struct filter_use {
    bool *made, *taken;
} filter_use;

static void find_filters(const arb_physical_node *node, filter_use *use)
{
    if (node->kind == ARB_PHYSICAL_SCAN)
        for (size_t i = 0; i < node->scan.runtime_count; i++)
            use->taken[node->scan.runtime[i].number] = true;
    if (node->kind == ARB_PHYSICAL_HASH_JOIN)
        for (size_t i = 0; i < node->join.runtime_count; i++)
            use->made[node->join.runtime[i].number] = true;
    for (size_t i = 0; i < node->child_count; i++)
        find_filters(node->children[i], use);
}

/* The filters of the list that are in both. */
static const arb_runtime_filter *keep_filters(distributor *d, const arb_runtime_filter *filters, size_t *count,
                                              const filter_use *use)
{
    arb_runtime_filter *kept = ARB_ARENA_ARRAY(d->arena, arb_runtime_filter, *count + 1);
    size_t used = 0;
    if (kept == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i < *count; i++)
        if (use->made[filters[i].number] && use->taken[filters[i].number])
            kept[used++] = filters[i];
    *count = used;
    return kept;
}

static const arb_physical_node *trim(distributor *d, const arb_physical_node *node, const filter_use *use)
{
    arb_physical_node *copy = arb_distribute_copy(d, node, NULL);
    const arb_physical_node **children = ARB_ARENA_ARRAY(d->arena, const arb_physical_node *, node->child_count + 1);
    if (copy == NULL || children == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i < node->child_count; i++)
        if ((children[i] = trim(d, node->children[i], use)) == NULL)
            return NULL;
    copy->children = children;
    if (node->kind == ARB_PHYSICAL_SCAN)
        copy->scan.runtime = keep_filters(d, node->scan.runtime, &copy->scan.runtime_count, use);
    else if (node->kind == ARB_PHYSICAL_HASH_JOIN)
        copy->join.runtime = keep_filters(d, node->join.runtime, &copy->join.runtime_count, use);
    return d->code == ARB_OK ? copy : NULL;
}

const arb_physical_node *arb_distribute_trim_filters(distributor *d, const arb_physical_node *root)
{
    size_t count = d->filter_count;
    filter_use use = {ARB_ARENA_ARRAY(d->arena, bool, count + 1), ARB_ARENA_ARRAY(d->arena, bool, count + 1)};
    if (use.made == NULL || use.taken == NULL)
        return arb_distribute_no_memory(d);
    find_filters(root, &use);
    for (size_t i = 0; i < count; i++)
        if (use.made[i] != use.taken[i])
            return trim(d, root, &use);
    return root;
}
