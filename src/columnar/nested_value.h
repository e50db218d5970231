/* nested_value.h: lists, structs and maps packed into bytes: what joins, sorts and aggregations keep of them.
 *
 * Operators that hold rows know text. So wherever one of them begins, the plan turns a nested column into a STRING vector
 * of packed values, and back where somebody looks inside. Packed values of one type compare as their bytes do, so they are
 * hashed, grouped, joined and sorted as if they were text:
 *
 *   item    01 value | 02 (NULL, which is the largest and equals itself)
 *   list    item … 00: a list is less than the one that goes on behind it. A map is a list of structs (key, value)
 *   struct  item …, field by field
 *   text    its bytes, where 00 and 01 become 01 01 and 01 02; then 00
 *   number  its bytes at the type's full width, highest first: whole numbers with the sign bit inverted; floats as it is
 *           for positive ones, all bits inverted for negative ones. -0 is packed as 0, all NaNs as one above infinity
 *   interval  its length by PostgreSQL's reckoning, then months and days: intervals of one length stay apart
 *
 * So no packed value begins another one, and comparing bytes compares element by element. */
#ifndef ARB_COLUMNAR_NESTED_VALUE_H
#define ARB_COLUMNAR_NESTED_VALUE_H

#include "columnar/vector.h"

/* Packed values of a vector of `type` (nested, of any encoding and widths) for the rows in `selection`; out[row], the
 * others are left alone. NULL rows become empty. Bytes lie in the arena. ARB_LIMIT_EXCEEDED for a value beyond 1 GiB. */
ARB_NODISCARD arb_code arb_nested_pack(const arb_vector *vector, arb_type type, uint32_t rows,
                                       const uint64_t *selection, arb_arena *arena, arb_string *out, arb_error *error);

/* The way back: fill `out`, a LIST with room for `rows` values or a STRUCT, from a STRING vector of packed values for the
 * rows in `selection`, none of which may be NULL; the others become empty. Children lie in the arena, their texts there
 * or in the packed bytes. ARB_CORRUPT_DATA for bytes that no value of the type packs to. */
ARB_NODISCARD arb_code arb_nested_unpack(const arb_vector *packed, arb_type type, uint32_t rows,
                                         const uint64_t *selection, arb_arena *arena, arb_vector *out,
                                         arb_error *error);

#endif
