/* row_order.h: the order of rows by some of their columns, and sorting pointers to rows by it. */
#ifndef ARB_EXECUTION_OPERATORS_ROW_ORDER_H
#define ARB_EXECUTION_OPERATORS_ROW_ORDER_H

#include "base/stop.h"
#include "execution/operators/row_store.h"

typedef struct arb_row_order_key {
    uint32_t column; /* of the layout */
    bool descending, nulls_first;
} arb_row_order_key;

typedef struct arb_row_order {
    const arb_row_layout *layout;
    size_t count;
    const arb_row_order_key *keys;
} arb_row_order;

/* <0, 0, >0. Floats in total order with NaN largest, text by bytes. */
int arb_row_compare(const arb_row_order *order, const char *a, const char *b);
/* Stable; `scratch` has room for `count` pointers. ARB_CANCELLED once the flag is set. */
ARB_NODISCARD arb_code arb_rows_sort(const arb_row_order *order, char **rows, size_t count, char **scratch,
                                     arb_stop_flag *stop, arb_error *error);

#endif
