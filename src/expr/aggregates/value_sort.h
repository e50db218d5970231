/* value_sort.h: the values of a group brought into order. */
#ifndef ARB_EXPR_AGGREGATES_VALUE_SORT_H
#define ARB_EXPR_AGGREGATES_VALUE_SORT_H

#include "base/arena.h"
#include "base/stop.h"

typedef int (*arb_compare_values)(const void *, const void *);

/* `count` values of `size` bytes each, at most 16; memory for as many more comes from the arena. ARB_CANCELLED once the flag
 * is set. */
ARB_NODISCARD arb_code arb_values_sort(arb_arena *arena, char *values, size_t count, size_t size,
                                       arb_compare_values compare, arb_stop_flag *stop, arb_error *error);

#endif
