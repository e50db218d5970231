/* parquet_filter.h: a request's conditions at work in one reader.
 *
 * Beside the condition itself: what it needs per thread, what it said about the entries of the current dictionary, and
 * what it has cost and dropped so far, by which conditions are put in order. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_FILTER_H
#define ARB_FORMATS_PARQUET_PARQUET_FILTER_H

#include "formats/parquet/column_reader.h"
#include "formats/parquet/parquet_pruning.h"

typedef struct arb_parquet_filter {
    const arb_scan_filter *filter;
    bool is_ready;  /* a run-time filter that has arrived, or an ordinary one */
    bool has_local; /* `local` was made */
    void *local;
    bool is_judged;             /* the current row group's statistics were asked about it */
    arb_filter_verdict verdict; /* theirs, once judged */
    bool pages_judged;          /* as is_judged, of the page statistics */
    arb_parquet_bloom_pieces bloom;

    double nanoseconds; /* of the windows that were measured */
    uint64_t measured_rows, rows_in, rows_out;

    uint64_t dictionary_id;   /* that `passes` is about; 0 = none */
    arb_padded_buffer passes; /* a byte an entry: 1 = passes */
    uint32_t passing;         /* entries that pass */
} arb_parquet_filter;

/* `held` counts what it holds. */
void arb_parquet_filter_init(arb_parquet_filter *state, const arb_scan_filter *filter, arb_reservation *held);
void arb_parquet_filter_reset(arb_parquet_filter *state, arb_read_queue *queue);
/* Another row group comes: what its statistics say is not known. */
void arb_parquet_filter_leave_group(arb_parquet_filter *state, arb_read_queue *queue);
/* Notice that a run-time filter has arrived; *out_ready tells whether the filter is in force. */
ARB_NODISCARD arb_code arb_parquet_filter_check_ready(arb_parquet_filter *state, bool *out_ready, arb_error *error);
/* Apply the filter to the dictionary's entries, unless that was done. */
ARB_NODISCARD arb_code arb_parquet_filter_entries(arb_parquet_filter *state, const arb_parquet_dictionary *dictionary,
                                                  arb_error *error);
/* Put conditions that drop much at little cost first. */
void arb_parquet_filters_sort(arb_parquet_filter **order, uint32_t count);

#endif
