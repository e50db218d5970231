/* distribute_internal.h: what the files of the distributing pass share. For distribute*.c only. */
#ifndef ARB_OPTIMIZER_DISTRIBUTE_INTERNAL_H
#define ARB_OPTIMIZER_DISTRIBUTE_INTERNAL_H

#include "base/vec.h"
#include "optimizer/distribute.h"

typedef enum spread { SPREAD_ANY, SPREAD_HASH, SPREAD_ONE } spread;

/* A stage that grows. All lives in the arena. */
typedef struct fragment {
    const arb_physical_node *root; /* NULL: there was a failure */
    ARB_VEC(arb_unit_group) groups;
    uint8_t spread;      /* enum spread */
    uint32_t partitions; /* HASH: of its one group of units */
    size_t key_count;    /* HASH: by so many columns of the root, in this order … */
    const uint32_t *keys;
    const uint32_t *twin_keys; /* … or these, which are equal: both sides of a join. May be NULL; `keys` is not */
    bool may_differ;
    bool is_leaf;      /* nothing but an exchange's leaf: may be read in another way */
    int64_t row_limit; /* so many rows of all tasks together are enough, or -1 */
    uint64_t bytes;    /* that its tasks read */
} fragment;

typedef struct distributor {
    arb_arena *arena;
    const arb_physical_plan *plan;
    arb_distribute_options options;
    arb_error *error;
    arb_code code; /* of the first failure */
    uint32_t node_count, filter_count;
    ARB_VEC(arb_stage) stages;
    uint32_t *shared_stages; /* by number of the shared plan */
} distributor;

/* All give a fragment without a root (or NULL) after a failure, which is then in the distributor. */
void *arb_distribute_no_memory(distributor *d);
fragment arb_distribute_failed(distributor *d, arb_code code);

fragment arb_distribute_node(distributor *d, const arb_physical_node *node);
fragment arb_distribute_join(distributor *d, const arb_physical_node *node);
fragment arb_distribute_aggregate(distributor *d, const arb_physical_node *node);

/* A copy of the node with another child (NULL: its own children). */
arb_physical_node *arb_distribute_copy(distributor *d, const arb_physical_node *node, const arb_physical_node *child);
/* The fragment's only task has all its rows: nothing is to be exchanged. */
bool arb_distribute_is_one(const distributor *d, const fragment *f);
/* Is one of these columns a float, whose sums depend on the order of addition? */
bool arb_distribute_any_float(const arb_layout *layout, const uint32_t *columns, size_t count);
/* Rows that are equal in all of `columns` are in one task. */
bool arb_distribute_is_by(const fragment *f, const uint32_t *columns, size_t count);
/* The fragment gets another root, in which its keys have other places: `place` tells each, or -1. Keys that are not all there
 * any more are forgotten, and without any the fragment is spread anyhow. */
void arb_distribute_move_keys(distributor *d, fragment *f, int (*place)(const void *context, uint32_t column),
                              const void *context);
/* Cut the fragment off as a stage; what comes back reads its output. With keys: by hash, in as many partitions. Without
 * (`partitions` is not looked at): all of it, in one task. */
fragment arb_distribute_by_hash(distributor *d, fragment *f, const uint32_t *keys, size_t key_count,
                                uint32_t partitions);
fragment arb_distribute_to_one(distributor *d, fragment *f);
/* The same, for every task to read whole. */
const arb_physical_node *arb_distribute_broadcast(distributor *d, fragment *f);
/* Tasks that so many bytes are worth, and so partitions for them. */
uint32_t arb_distribute_tasks(const distributor *d, uint64_t bytes);
/* All stages are cut: run-time filters that a scan of another stage takes are made there, where that is worth it. False after a
 * failure. */
bool arb_distribute_spread_filters(distributor *d);
/* Is a scan of the join's probe side, in any stage, worth it that the build side becomes a stage of its own, whose rows the scan can be
 * given as a filter? */
bool arb_distribute_filters_probe(const distributor *d, const arb_physical_node *join, const arb_physical_node *probe);
/* The stage's tree with the run-time filters that are both made and taken in it, and no others. */
const arb_physical_node *arb_distribute_trim_filters(distributor *d, const arb_physical_node *root);
/* Bytes of such a row, about. */
uint64_t arb_distribute_width(const arb_layout *layout);
/* What the rows of a node take, as estimated. */
uint64_t arb_distribute_bytes(const arb_physical_node *node);
/* All units of both, in one list. */
bool arb_distribute_add_groups(distributor *d, fragment *to, const fragment *from);

#endif
