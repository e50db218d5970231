/* hash_aggregate.h: the parts of a hash aggregation, for hash_aggregate*.c only.
 *
 *   sink     each driver has a table of its own: a row a group, with the group's keys and the states of all aggregates
 *   combine  a driver's table goes to the operator; when it is large, the pointers to its rows are first sorted into
 *            partitions by hash
 *   finish   partition by partition, in parallel: rows of different drivers with equal keys become one
 *   source   drivers take partitions (or, when one table was all there is, pages of it) and finalize the states
 *
 * Aggregates with DISTINCT or ORDER BY are deferred: their inputs are kept as rows (group, arguments, order) of tables of
 * their own, and reach the states when all drivers' inputs have come together. Without GROUP BY there is one group, which
 * exists from the start. */
#ifndef ARB_EXECUTION_OPERATORS_HASH_AGGREGATE_H
#define ARB_EXECUTION_OPERATORS_HASH_AGGREGATE_H

#include <pthread.h>

#include "execution/operators/group_table.h"
#include "execution/operators/operators.h"
#include "execution/operators/row_order.h"

enum {
    AGGREGATE_PARTS = 64,          /* partitions of large results; power of two */
    AGGREGATE_PART_SHIFT = 32,     /* bits of the hash that choose one */
    AGGREGATE_PART_ROWS = 8 * 1024 /* a table with more rows is partitioned */
};

/* An aggregate with DISTINCT or ORDER BY. Column 0 of its rows is the address of the group's row. */
typedef struct deferred_plan {
    const arb_physical_aggregate *call;
    uint32_t state_offset;
    arb_row_layout layout; /* group, arguments, order columns */
    uint32_t *sources;     /* per column from 1: the child's column */
    uint32_t *positions;   /* 0, 1, 2, …: of the keys in batches made of group, arguments, order columns */
    size_t key_count;      /* DISTINCT: group and arguments; else 0 */
    arb_row_order order;   /* by group, then as ORDER BY says; count 0 = no order */
} deferred_plan;

/* What one driver has gathered. */
typedef struct driver_groups {
    arb_group_table table;
    arb_group_table *deferred; /* one a deferred aggregate */
    arb_arena arena;           /* of the states */
    arb_reservation reservation;
    bool repeats;  /* some group may have several rows */
    char ***parts; /* [0]: pointers to the table's rows by partition, [1 + d]: to deferred rows; or NULL */
    uint64_t (*offsets)[AGGREGATE_PARTS + 1];
    uint64_t reserved_arena;
    struct driver_groups *next;
} driver_groups;

typedef struct group_part {
    char **rows; /* one a group */
    size_t count;
    arb_arena arena;
    arb_reservation reservation;
} group_part;

typedef struct hash_aggregate {
    arb_operator base;
    arb_arena arena;
    size_t group_count, call_count, deferred_count;
    const uint32_t *groups;
    const arb_physical_aggregate *calls;
    uint32_t *state_offsets; /* one a call, from the row's start */
    deferred_plan *deferred;
    int *deferred_of; /* one a call: its deferred plan, or -1 */
    arb_row_layout layout;
    const char *fresh; /* new states */
    arb_slot *results; /* one an output column */

    pthread_mutex_t lock;
    driver_groups *drivers; /* that have combined */
    size_t driver_count;
    bool prepared;
    bool direct; /* the rows of the one table are the result */
    uint32_t part_count;
    group_part parts[AGGREGATE_PARTS];
    _Atomic uint64_t next_part; /* of the source: partition or page */
} hash_aggregate;

driver_groups *arb_hash_aggregate_groups_create(const hash_aggregate *aggregate, arb_error *error);
void arb_hash_aggregate_groups_destroy(const hash_aggregate *aggregate, driver_groups *groups); /* NULL is a no-op */
/* Sort the pointers to all rows into `parts` partitions (1 or AGGREGATE_PARTS). */
arb_code arb_hash_aggregate_partition(const hash_aggregate *aggregate, driver_groups *groups, uint32_t parts,
                                      arb_error *error);
/* Reserve what the arena has grown by. */
arb_code arb_hash_aggregate_account(driver_groups *groups, arb_error *error);

/* Each file's slots of the vtable. */
arb_code arb_hash_aggregate_sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_aggregate_sink(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow,
                                 arb_error *error);
arb_code arb_hash_aggregate_combine(arb_operator *op, void *local, arb_error *error);
void arb_hash_aggregate_sink_destroy(arb_operator *op, void *local);
uint32_t arb_hash_aggregate_finish_parts(arb_operator *op);
arb_code arb_hash_aggregate_finish_part(arb_operator *op, uint32_t part, arb_error *error);
/* Let the deferred inputs of a partition reach their groups' states. */
arb_code arb_hash_aggregate_feed(hash_aggregate *aggregate, uint32_t part, arb_error *error);
arb_code arb_hash_aggregate_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_aggregate_pull(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow,
                                 arb_error *error);
void arb_hash_aggregate_source_destroy(arb_operator *op, void *local);
uint32_t arb_hash_aggregate_source_parallelism(arb_operator *op);

#endif
