/* kept_value.h: one value that a state keeps: its bytes as in a vector (a bit as a byte), a long text's own in the arena.
 * For src/expr/aggregates only. */
#ifndef ARB_EXPR_KEPT_VALUE_H
#define ARB_EXPR_KEPT_VALUE_H

#include "columnar/vector.h"

enum { ARB_KEPT_VALUE_SIZE = 16 };

/* Bytes of a value in a state; 0 is not possible. */
ARB_INLINE size_t arb_kept_value_width(arb_physical physical)
{
    size_t size = arb_physical_size(physical);
    return size != 0 ? size : 1;
}
/* Copy a value of the given type from wherever it is; on failure `to` is empty text. */
ARB_NODISCARD arb_code arb_kept_value_set(arb_arena *arena, arb_physical physical, const void *from, void *to,
                                          arb_error *error);

/* ---- as bytes, one value after the other ---------------------------------------------------------------------------- */

uint64_t arb_kept_value_packed_size(arb_physical physical, const void *value);
/* Returns the end. */
char *arb_kept_value_pack(arb_physical physical, const void *value, char *to);
/* Takes a value from [*from, end) and moves *from behind it; a long text stays where it is. ARB_CORRUPT_DATA when the
 * bytes do not suffice. */
ARB_NODISCARD arb_code arb_kept_value_unpack(arb_physical physical, const char **from, const char *end, void *to,
                                             arb_error *error);
/* What unpacking says of bytes that are no state. */
ARB_NODISCARD arb_code arb_packed_state_damaged(arb_error *error);

#endif
