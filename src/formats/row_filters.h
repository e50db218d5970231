/* row_filters.h: a request's filters, for readers that apply them to batches of rows.
 *
 * A reader may also read a column only when a filter looks at it: it then gives a function for that.
 *
 * One object a reader, on its thread. Filters of joins are skipped until they are known. */
#ifndef ARB_FORMATS_ROW_FILTERS_H
#define ARB_FORMATS_ROW_FILTERS_H

#include "base/arena.h"
#include "formats/scan.h"

typedef struct arb_row_filter {
    void *local;
    bool made;       /* local_create was called */
    bool passes_all; /* of this split: nothing to apply */
} arb_row_filter;

typedef struct arb_row_filters {
    const arb_scan_request *request;
    arb_row_filter *states;
    const arb_vector **inputs; /* of one filter */
    arb_value_range *ranges;   /* of one filter */
    /* Read the request's column, for the rows that are still selected, unless that was done. NULL: all columns are there
     * before rows are chosen. May be set once the object is made. */
    arb_code (*read)(void *context, uint32_t column, arb_error *error);
    void *context;
    uint64_t selection[ARB_VECTOR_WORDS];
} arb_row_filters;

/* Its lists are made in the arena. The request is borrowed. Caller's memory; reset on a zeroed one is a no-op. */
ARB_NODISCARD arb_code arb_row_filters_init(arb_row_filters *filters, const arb_scan_request *request, arb_arena *arena,
                                            arb_error *error);
void arb_row_filters_reset(arb_row_filters *filters);

/* What is exactly known of the request's column in the split that begins. */
typedef arb_value_range (*arb_split_range)(const void *context, uint32_t column);
/* Judge a split by its columns' ranges; false when no row of it passes. */
bool arb_row_filters_begin(arb_row_filters *filters, arb_split_range range, const void *context);
/* Leave in `selection` those of the `rows` rows that pass, of all or of those that are `chosen` (which may be `selection`
 * itself); *out_left is how many. vectors[i] is the request's column i. */
ARB_NODISCARD arb_code arb_row_filters_apply(arb_row_filters *filters, const arb_vector *vectors, uint32_t rows,
                                             const uint64_t *chosen, uint32_t *out_left, arb_error *error);
/* The batch of the rows that they were last applied to, of which `left` passed. It borrows the vectors and `selection`. */
arb_batch arb_row_filters_batch(const arb_row_filters *filters, arb_vector *vectors, uint32_t rows, uint32_t left,
                                uint64_t sequence);

#endif
