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
 * exists from the start.
 *
 * Two steps, with states as columns. FINAL takes them, and the rest is as ever: only how a row is added to a group is
 * different. PARTIAL is no sink but a transform: what its table holds may be given at any time, since FINAL merges it
 * anyhow. So it never spills, needs no merge, and passes groups on while rows still come (hash_aggregate_partial.c).
 *
 * Spilling. A driver that is pressed writes its table to disk, in partitions by hash: rows with their states, and deferred
 * inputs with the keys of their groups; then it goes on with an empty table. Once a driver has done so, all do in the end,
 * and nothing is merged in finish. The source takes the partitions one by one, several drivers at once: rows with equal
 * keys become one, deferred inputs find their groups again, and the groups are given. A partition that is too large is
 * split one level deeper; inputs of a DISTINCT are also split by their own hash, since one group may have them all. */
#ifndef ARB_EXECUTION_OPERATORS_HASH_AGGREGATE_H
#define ARB_EXECUTION_OPERATORS_HASH_AGGREGATE_H

#include <pthread.h>

#include "execution/operators/group_table.h"
#include "execution/operators/operators.h"
#include "execution/operators/row_order.h"
#include "execution/operators/row_spill.h"

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
    arb_row_layout away;   /* on disk: the keys of the group, arguments, order columns */
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

/* What is on disk of one level: groups, and the inputs of each deferred aggregate, in partitions by the group's hash. */
typedef struct group_spill {
    arb_row_spill *groups;
    arb_row_spill **deferred;
    unsigned level;
    struct group_spill *next;
} group_spill;

/* A partition that the source has not taken yet. */
typedef struct waiting_part {
    const group_spill *spill; /* owned by the aggregate */
    uint32_t number;
    unsigned level; /* how often it was split: ARB_SPILL_LEVELS - 1 when that is of no more use */
} waiting_part;

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
    uint8_t phase; /* arb_aggregate_phase */
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

    arb_row_baggage baggage;       /* states that must be packed; size NULL when there are none */
    bool spilled;                  /* all is on disk; set in finish_parts */
    group_spill *spills;           /* the last one is of level 0; the lock */
    ARB_VEC(waiting_part) waiting; /* the lock */
} hash_aggregate;

driver_groups *arb_hash_aggregate_groups_create(hash_aggregate *aggregate, arb_error *error);
/* No groups any more, but for deferred inputs, and the memory is given back. */
void arb_hash_aggregate_groups_clear(driver_groups *groups);
void arb_hash_aggregate_groups_destroy(const hash_aggregate *aggregate, driver_groups *groups); /* NULL is a no-op */
/* Sort the pointers to all rows into `parts` partitions (1 or AGGREGATE_PARTS). */
arb_code arb_hash_aggregate_partition(const hash_aggregate *aggregate, driver_groups *groups, uint32_t parts,
                                      arb_error *error);
/* States of `count` groups (`states`) as columns: out_columns has room for arb_aggregate_state_columns, over storages. Bytes of
 * packed ones go to the arena. */
arb_code arb_aggregate_states_give(const arb_physical_aggregate *call, arb_arena *arena, void *const *states,
                                   size_t count, const arb_vector_storage *storages, arb_vector *out_columns,
                                   arb_error *error);
/* Merge the states in the columns from `columns` on into states[row], for the rows of the selection (NULL: all). `scratch` is
 * for states that were packed. */
arb_code arb_aggregate_states_take(const arb_physical_aggregate *call, arb_arena *arena, arb_arena *scratch,
                                   const arb_vector *columns, uint32_t rows, const uint64_t *selection,
                                   void *const *states, arb_error *error);
/* Count what the arena has grown by. One group that keeps more and more cannot be relieved: that may fail. */
arb_code arb_hash_aggregate_account(const hash_aggregate *aggregate, driver_groups *groups, arb_error *error);
/* The columns of deferred rows that come from the batch, as vectors. Beside their groups, in `rows` (by the batch's row
 * numbers), the given rows become rows of the deferred table, if they are not there yet. */
typedef struct deferred_input {
    arb_key_columns keys;
    arb_vector *columns; /* group, arguments, order columns */
    char *made[ARB_VECTOR_ROWS], *found[ARB_VECTOR_ROWS];
} deferred_input;
arb_code arb_deferred_input_init(deferred_input *input, const deferred_plan *plan, arb_error *error);
void arb_deferred_input_reset(deferred_input *input); /* a zeroed one is a no-op */
/* input->columns from 1 are set. `groups[row]` is the group of each of the `count` rows in `rows`. */
arb_code arb_hash_aggregate_defer(const deferred_plan *plan, deferred_input *input, arb_group_table *table,
                                  const arb_batch *in, char *const *groups, const uint16_t *rows, size_t count,
                                  arb_error *error);

/* What makes batches of groups; one object a driver. Caller's memory; reset on a zeroed one is a no-op. */
typedef struct group_output {
    arb_vector_storage *storage; /* one an output column */
    arb_vector *columns;
    arb_batch batch;
    arb_arena arena; /* what values refer to */
    void *states[ARB_VECTOR_ROWS];
} group_output;
arb_code arb_group_output_init(group_output *output, const hash_aggregate *aggregate, arb_error *error);
void arb_group_output_reset(group_output *output, const hash_aggregate *aggregate);
/* output->batch: the groups in `rows`, with the aggregates' results, or in PARTIAL their states. Valid until the next. */
arb_code arb_group_output_make(group_output *output, const hash_aggregate *aggregate, char *const *rows, size_t count,
                               arb_error *error);
/* Likewise PARTIAL's, of groups that are the rows of `in`, as long as that is valid: the keys are there, the states in `rows`,
 * also of rows that are not selected. */
arb_code arb_group_output_pass(group_output *output, const hash_aggregate *aggregate, const arb_batch *in,
                               char *const *rows, arb_error *error);

/* Each file's slots of the vtable. */
arb_code arb_hash_aggregate_sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_aggregate_sink(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow,
                                 arb_error *error);
arb_code arb_hash_aggregate_combine(arb_operator *op, void *local, arb_error *error);
void arb_hash_aggregate_sink_destroy(arb_operator *op, void *local);
uint32_t arb_hash_aggregate_finish_parts(arb_operator *op);
arb_code arb_hash_aggregate_finish_part(arb_operator *op, uint32_t part, arb_error *error);
arb_code arb_hash_aggregate_finish(arb_operator *op, arb_error *error);
/* Bytes that merging these groups with others takes beside their own. */
uint64_t arb_hash_aggregate_merge_bytes(const hash_aggregate *aggregate, const driver_groups *groups);
/* Let the deferred inputs of a partition reach their groups' states. */
arb_code arb_hash_aggregate_feed(hash_aggregate *aggregate, uint32_t part, arb_error *error);
/* Likewise those in the tables of these groups, which then are dropped; states grow in groups->arena. */
arb_code arb_hash_aggregate_feed_groups(hash_aggregate *aggregate, driver_groups *groups, size_t deferred,
                                        arb_error *error);
arb_code arb_hash_aggregate_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_aggregate_pull(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow,
                                 arb_error *error);
void arb_hash_aggregate_source_destroy(arb_operator *op, void *local);
uint32_t arb_hash_aggregate_source_parallelism(arb_operator *op);

/* PARTIAL: what a driver has gathered and not yet given. */
driver_groups *arb_hash_aggregate_gathered(void *sink_local);
/* From now on each row is a group of its own, which has no keys and goes when the next batch comes. */
arb_code arb_hash_aggregate_pass(const hash_aggregate *aggregate, void *sink_local, arb_error *error);
/* These groups, one a row of the last batch, selected or not. */
char *const *arb_hash_aggregate_passed(const void *sink_local);
/* What was gathered is given: begin anew. */
arb_code arb_hash_aggregate_drop(hash_aggregate *aggregate, void *sink_local, arb_error *error);
arb_code arb_hash_aggregate_partial_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_aggregate_partial_push(arb_operator *op, void *local, const arb_batch *in, const arb_batch **out,
                                         arb_flow *out_flow, arb_error *error);
arb_code arb_hash_aggregate_partial_flush(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow,
                                          arb_error *error);
void arb_hash_aggregate_partial_destroy(arb_operator *op, void *local);

/* ---- spilling ---------------------------------------------------------------------------------------------------------- */

/* Write all that the groups hold; `deferred_alone`: but for the groups themselves. They are empty and usable afterwards. */
arb_code arb_hash_aggregate_spill(hash_aggregate *aggregate, driver_groups *groups, bool deferred_alone,
                                  arb_error *error);
/* Bytes that the groups hold. */
uint64_t arb_hash_aggregate_held(const hash_aggregate *aggregate, const driver_groups *groups);
bool arb_hash_aggregate_has_spilled(hash_aggregate *aggregate);
/* Merge the states of one row into another's; not those of deferred aggregates. */
arb_code arb_hash_aggregate_combine_states(const hash_aggregate *aggregate, arb_arena *arena, char *into,
                                           const char *from, arb_error *error);
/* All is written: from now on partitions wait. */
arb_code arb_hash_aggregate_spill_complete(hash_aggregate *aggregate, arb_error *error);
arb_code arb_hash_aggregate_spill_create(hash_aggregate *aggregate, unsigned level, group_spill **out_spill,
                                         arb_error *error);
void arb_hash_aggregate_spills_destroy(hash_aggregate *aggregate);

/* One driver's work on partitions. */
typedef struct aggregate_rest aggregate_rest;
arb_code arb_aggregate_rest_create(hash_aggregate *aggregate, aggregate_rest **out_rest, arb_error *error);
void arb_aggregate_rest_destroy(aggregate_rest *rest); /* NULL is a no-op */
/* Some more of the work. *out_over: no partition is left. Otherwise *out_groups is a partition that is complete, valid
 * until the next call, or NULL. */
arb_code arb_aggregate_rest_next(aggregate_rest *rest, driver_groups **out_groups, bool *out_over, arb_error *error);

#endif
