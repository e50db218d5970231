/* layout.h: what the columns of a batch are, by position, between two operators of a physical plan.
 *
 * The logical type says what values mean; `physical` how vectors hold them in this plan; `range` what is known of them.
 * Physical widths are fixed when a plan is made: a column whose claimed range fits 32 bits is int32 in every batch. */
#ifndef ARB_EXPR_LAYOUT_H
#define ARB_EXPR_LAYOUT_H

#include "columnar/statistics.h"
#include "expr/function.h"

typedef struct arb_slot {
    arb_column_id id;
    arb_type type;
    arb_physical physical;
    bool nullable;
    arb_range range; /* of the values that are not NULL; always known for whole numbers, decimals, dates and times */
} arb_slot;

typedef struct arb_layout {
    size_t count;
    const arb_slot *slots;
} arb_layout;

/* Position of the column, or -1. */
int arb_layout_find(const arb_layout *layout, arb_column_id id);
/* The range that a type allows: integers by width, decimals by precision; unknown for what is not a whole number. */
arb_range arb_range_of_type(arb_type type);
/* The widest type's range cut to a claimed one; for base columns. */
arb_range arb_range_of_column(arb_type type, const arb_column_statistics *statistics);
/* The physical type for values of `type` in `range`: narrowed for BIGINT and DECIMAL, else the type's own. */
arb_physical arb_physical_for(arb_type type, arb_range range);
ARB_INLINE bool arb_range_within(arb_range inner, arb_range outer)
{
    return inner.known && outer.known && inner.low >= outer.low && inner.high <= outer.high;
}
/* 10^exponent, 0 to 38. */
arb_int128 arb_power_of_ten(unsigned exponent);

#endif
