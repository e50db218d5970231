/* program.h: expressions compiled into a flat list of typed loops over vectors.
 *
 * compile  trees over column ids  →  instructions over registers, once a plan; shared and read-only
 * state    one per thread: memory for the registers
 * run      a batch's vectors in, result vectors out
 *
 * A register is an input column, a constant, or a temporary. Equal subexpressions share a register. Every instruction
 * works under a selection: CASE, AND, OR and COALESCE narrow it for what they guard, so a row that does not count can
 * neither fail nor cost a call, and what is guarded is jumped over when no row is left. Arithmetic runs on all rows,
 * which is faster than looking; only when its loop reports a failure are the rows that count tried one by one.
 *
 * Whole numbers and decimals are computed in the narrowest of 32, 64 and 128 bits that holds every possible result, as
 * known from the ranges of the inputs; so most arithmetic needs no overflow check. An operation on one DICTIONARY column
 * is done once an entry, and its results are kept for as long as the dictionary stays the same. */
#ifndef ARB_EXPR_PROGRAM_H
#define ARB_EXPR_PROGRAM_H

#include "base/stop.h"
#include "expr/layout.h"

typedef struct arb_program arb_program;
typedef struct arb_program_state arb_program_state;

/* Compile into the arena; expressions must be bound to columns of `inputs`. The program borrows the expressions. */
ARB_NODISCARD arb_code arb_program_compile(arb_arena *arena, const arb_layout *inputs, const arb_expr *const *exprs,
                                           size_t count, const arb_program **out_program, arb_error *error);
/* What expression `at` gives: type, physical, range, nullability (id is ARB_NO_COLUMN). */
arb_slot arb_program_output(const arb_program *program, size_t at);
/* Which inputs the program reads: one flag an input column. */
const bool *arb_program_inputs(const arb_program *program);
/* Bring result `at` to a given physical type (widening only), for plans that need a fixed one. Before any state. */
ARB_NODISCARD arb_code arb_program_widen(arb_arena *arena, arb_program *program, size_t at, arb_physical physical,
                                         arb_error *error);

ARB_NODISCARD arb_code arb_program_state_create(const arb_program *program, arb_program_state **out_state,
                                                arb_error *error);
void arb_program_state_destroy(arb_program_state *state); /* NULL is a no-op */
/* Runs then end with ARB_CANCELLED soon after the flag is set. */
void arb_program_state_set_stop(arb_program_state *state, arb_stop_flag *stop);

/* Run on `rows` rows (at most ARB_VECTOR_ROWS); inputs[i] is input column i (unread ones may be NULL). Results are lent
 * until the next run. `selection` NULL = all rows. Thread: the state's. */
ARB_NODISCARD arb_code arb_program_run(arb_program_state *state, const arb_vector *const *inputs, uint32_t rows,
                                       const uint64_t *selection, const arb_vector **out_results, arb_error *error);
/* The same on a batch's columns. */
ARB_NODISCARD arb_code arb_program_run_batch(arb_program_state *state, const arb_batch *batch,
                                             const arb_vector **out_results, arb_error *error);
/* For one BOOLEAN expression: clear the bits of rows where it is false or NULL. */
ARB_NODISCARD arb_code arb_program_select(arb_program_state *state, const arb_vector *const *inputs, uint32_t rows,
                                          uint64_t *selection, arb_error *error);

#endif
