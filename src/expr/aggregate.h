/* aggregate.h: how an aggregate function runs.
 *
 * Each group has a state of fixed size in a hash table's row (or in an array of them); what does not fit (strings, lists
 * of values) goes to the arena of the table that owns the state. States of two tables are merged with `combine`, so
 * threads aggregate apart and merge at the end, and spilled partitions are merged when they come back. A state that leaves
 * memory is its own bytes, or, when it refers to the arena (`packs`), what `pack` makes of it.
 *
 * `states[i]` is where row i's state is. Rows outside of the selection have no state (the pointer is not to be read).
 * Arguments are FLAT or CONSTANT; whole numbers and decimals may be narrower than their type, and nested values are packed
 * (columnar/nested_value.h), so that they are text to an aggregate: `physical` says. */
#ifndef ARB_EXPR_AGGREGATE_H
#define ARB_EXPR_AGGREGATE_H

#include "base/stop.h"
#include "expr/layout.h"

/* A call as planned: made once, shared, read-only. */
typedef struct arb_aggregate_plan {
    const arb_function *function;
    const arb_aggregate_implementation *implementation;
    arb_type result;
    size_t argument_count;
    const arb_slot *arguments;         /* types, physical widths and ranges of the arguments */
    const arb_value *const *constants; /* per argument: its value when constant, else NULL */
    uint64_t rows_most;                /* no more rows than this reach one group; 0 = not known */
    uint32_t variant;                  /* the implementation's own choice, from `plan` */
    bool packs;                        /* likewise: states refer to the arena, so they travel packed */
    arb_stop_flag *stop;               /* of who runs it: combine and finalize of a large state look at it */
} arb_aggregate_plan;

struct arb_aggregate_implementation {
    /* Choose the variant and the state's size (multiple of 8) and the result's physical type and range. */
    arb_code (*plan)(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error);
    /* A new state; never fails. */
    void (*init)(const arb_aggregate_plan *plan, void *state);
    /* Add the selected rows, each to its own state. */
    arb_code (*update)(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                       uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error);
    /* Add the selected rows to one state: aggregates without groups, and runs of one group. */
    arb_code (*update_one)(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                           uint32_t rows, const uint64_t *selection, void *state, arb_error *error);
    /* Merge `from` into `into`; `from` stays valid and its memory may go away afterwards. */
    arb_code (*combine)(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                        arb_error *error);
    /* Results of `count` states into rows 0… of `out` (FLAT over storage; `validity` has room, all ones). Text goes to
     * the arena or stays where the state has it. */
    arb_code (*finalize)(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                         arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error);

    /* For plans that pack: a state as bytes, for a disk or a network. NULL in implementations of which none does. */
    uint64_t (*packed_size)(const arb_aggregate_plan *plan, const void *state);
    void (*pack)(const arb_aggregate_plan *plan, const void *state, char *to);
    /* A state from such bytes, for `combine` to take from and for `finalize`; it may refer to them, and so is good as long
     * as they are. ARB_CORRUPT_DATA when they are no state. */
    arb_code (*unpack)(const arb_aggregate_plan *plan, arb_arena *arena, const char *from, uint64_t size, void *state,
                       arb_error *error);
};

#endif
