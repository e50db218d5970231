/* plan_wire.h: a physical plan as bytes (proto/plan.proto), for those who carry it out elsewhere.
 *
 * Everything that execution needs travels: nodes, expressions, types, the ranges and widths of leaves, and the names of
 * tables as `arb_plan_tables` words them. What follows from something else does not: layouts above the leaves, sizes of
 * aggregate states, overloads of functions are found again by the reader, with the same code that the planner uses
 * (physical_build.h). So the reader checks all that it is told, and a plan that it gives is as sound as the planner's own,
 * whoever sent the bytes.
 *
 * Writing what was read gives the same bytes. */
#ifndef ARB_PLAN_PLAN_WIRE_H
#define ARB_PLAN_PLAN_WIRE_H

#include "plan/stage.h"

/* Raised when an older reader would misunderstand a plan. */
enum { ARB_PLAN_WIRE_VERSION = 1 };

/* How tables are named between the two ends; catalog/table_wire.h has names for those that can travel. */
typedef struct arb_plan_tables {
    void *context;
    /* Append what the other end needs to find the table. */
    arb_code (*write)(void *context, const arb_table *table, arb_text *out, arb_error *error);
    /* Find it, loaded; the reference is handed over. ARB_UNDEFINED_TABLE and the like when it is not there. */
    arb_code (*find)(void *context, arb_str name, arb_str reference, arb_stop_flag *stop, arb_table **out_table,
                     arb_error *error);
    arb_stop_flag *stop; /* for `find`: ARB_CANCELLED soon after it is set; NULL: none */
} arb_plan_tables;

ARB_NODISCARD arb_code arb_plan_encode(const arb_physical_plan *plan, const arb_plan_tables *tables, arb_text *out,
                                       arb_error *error);
/* The plan lives in the arena, which also keeps the tables until its reset; it does not refer to `bytes`. ARB_CORRUPT_DATA
 * says which entry cannot be and why; ARB_NOT_SUPPORTED: of another version, or a function that is not known here. */
ARB_NODISCARD arb_code arb_plan_decode(arb_arena *arena, arb_str bytes, const arb_plan_tables *tables,
                                       const arb_physical_plan **out_plan, arb_error *error);

/* The same for a stage: what a task of it needs to know, whichever part it does. What only the scheduler needs (how many
 * tasks there shall be, estimates) stays behind. */
ARB_NODISCARD arb_code arb_stage_encode(const arb_stage *stage, const arb_plan_tables *tables, arb_text *out,
                                        arb_error *error);
ARB_NODISCARD arb_code arb_stage_decode(arb_arena *arena, arb_str bytes, const arb_plan_tables *tables,
                                        const arb_stage **out_stage, arb_error *error);

#endif
