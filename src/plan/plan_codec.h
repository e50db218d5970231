/* plan_codec.h: what the two directions of plan_wire.h share. For src/plan only. */
#ifndef ARB_PLAN_PLAN_CODEC_H
#define ARB_PLAN_PLAN_CODEC_H

#include "base/vec.h"
#include "expr/function.h"
#include "plan/plan_wire.h"
#include "wire/type_wire.h"
#include "wire/wire.h"

/* Structs of proto/plan.pb-c.h, which the .c files include: it is made when the project is built. */
typedef struct Arbalest__Plan__Value Arbalest__Plan__Value;
typedef struct Arbalest__Plan__Expr Arbalest__Plan__Expr;
typedef struct Arbalest__Plan__Table Arbalest__Plan__Table;
typedef struct Arbalest__Plan__Node Arbalest__Plan__Node;
typedef struct Arbalest__Plan__Plan Arbalest__Plan__Plan;

/* Nodes whose columns are the child's (REPEAT: all but the last). */
ARB_INLINE bool arb_plan_keeps_columns(unsigned kind)
{
    return kind == ARB_PHYSICAL_FILTER || kind == ARB_PHYSICAL_SORT || kind == ARB_PHYSICAL_LIMIT ||
           kind == ARB_PHYSICAL_GROUP_LIMIT || kind == ARB_PHYSICAL_REPEAT;
}

/* ---- to messages: all of it lives in the arena ------------------------------------------------------------------------- */

typedef struct plan_writer {
    arb_arena *arena;
    arb_error *error;
    arb_code code; /* of the first failure */
    const arb_plan_tables *tables;
    arb_type_writer types;
    ARB_VEC(Arbalest__Plan__Value *) values;
    ARB_VEC(Arbalest__Plan__Expr *) exprs;
    ARB_VEC(const arb_table *) known_tables;
    ARB_VEC(Arbalest__Plan__Table *) table_names;
    ARB_VEC(Arbalest__Plan__Node *) nodes;
} plan_writer;

/* Places in the lists. After a failure, which is in `code`, they mean nothing. */
uint32_t arb_plan_write_type(plan_writer *w, arb_type type);
uint32_t arb_plan_write_value(plan_writer *w, const arb_value *value);
uint32_t arb_plan_write_expr(plan_writer *w, const arb_expr *expr);
ProtobufCBinaryData arb_plan_write_text(plan_writer *w, arb_str text);
/* A zeroed array of `count`, or NULL after a failure. */
void *arb_plan_write_room(plan_writer *w, size_t count, size_t size);
/* Initialised messages of that kind: one, or the pointers to `count` of them. NULL after a failure. */
void *arb_plan_write_message(plan_writer *w, const ProtobufCMessageDescriptor *kind);
void *arb_plan_write_messages(plan_writer *w, const ProtobufCMessageDescriptor *kind, size_t count);
void arb_plan_write_failed(plan_writer *w, arb_code code);

/* The plan's message; it borrows the plan's texts. NULL after a failure. */
Arbalest__Plan__Plan *arb_plan_write(plan_writer *w, const arb_physical_plan *plan);

/* ---- from messages ----------------------------------------------------------------------------------------------------- */

typedef struct plan_reader {
    arb_arena *arena;
    arb_error *error;
    const Arbalest__Plan__Plan *plan;
    arb_type *types; /* those read so far, in the message's order; likewise below */
    arb_value *values;
    const arb_expr **exprs;
    uint16_t *expr_depths;
    arb_table **tables;
    const arb_physical_node **nodes;
    uint16_t *node_depths;
} plan_reader;

enum {
    ARB_PLAN_DEPTH_MOST = 1000,    /* of expressions, and of nodes */
    ARB_PLAN_NODES_MOST = 1 << 20, /* and run-time filters */
};

/* The overload of that name for just these types, or NULL. `constants` has NULL where an argument is none. */
const arb_function *arb_plan_find_function(arb_function_kind kind, arb_str name, const arb_type *types,
                                           const arb_value *const *constants, size_t count, arb_type result);
/* "the plan's node 7 …": ARB_CORRUPT_DATA. */
arb_code arb_plan_damaged(const plan_reader *r, const char *list, size_t at, const char *format, ...) ARB_PRINTF(4, 5);
ARB_NODISCARD arb_code arb_plan_read_values(plan_reader *r);
ARB_NODISCARD arb_code arb_plan_read_exprs(plan_reader *r);
ARB_INLINE arb_int128 arb_plan_read_integer(uint64_t low, int64_t high)
{
    return (arb_int128)(((arb_uint128)(uint64_t)high << 64) | low);
}
ARB_INLINE arb_str arb_plan_read_text(ProtobufCBinaryData bytes)
{
    return arb_wire_text(bytes);
}

/* The whole plan of a message, validated. */
ARB_NODISCARD arb_code arb_plan_read(arb_arena *arena, const Arbalest__Plan__Plan *message,
                                     const arb_plan_tables *tables, arb_physical_plan *out_plan, arb_error *error);

#endif
