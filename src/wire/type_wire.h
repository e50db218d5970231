/* type_wire.h: types as entries of a flat list (message Type of proto/plan.proto), which name their children by place: those
 * come before them. */
#ifndef ARB_WIRE_TYPE_WIRE_H
#define ARB_WIRE_TYPE_WIRE_H

#include "base/vec.h"
#include "columnar/type.h"

/* Of proto/plan.pb-c.h, which is made when the project is built. */
typedef struct Arbalest__Plan__Type Arbalest__Plan__Type;

/* The list that a message gets. Zeroed but for the arena, in which all of it lives; names are borrowed. */
typedef struct arb_type_writer {
    arb_arena *arena;
    ARB_VEC(arb_type) known; /* types.data[i] as it was */
    ARB_VEC(Arbalest__Plan__Type *) types;
} arb_type_writer;

/* The type's place in the list, where equal types have one entry. False when memory is short. */
ARB_NODISCARD bool arb_type_write(arb_type_writer *writer, arb_type type, uint32_t *out_place);
/* All types of a list, in its order; they live in the arena and refer to the message's names. ARB_CORRUPT_DATA: "WHOSE type
 * 7 …". */
ARB_NODISCARD arb_code arb_types_read(arb_arena *arena, Arbalest__Plan__Type *const *from, size_t count,
                                      const char *whose, arb_type **out_types, arb_error *error);

#endif
