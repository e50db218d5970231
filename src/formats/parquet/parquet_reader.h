/* parquet_reader.h: the state of a reader of splits, as its files see it: parquet_prepare.c, which asks statistics and
 * indexes, and parquet_reader.c, which reads. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_READER_H
#define ARB_FORMATS_PARQUET_PARQUET_READER_H

#include "base/vec.h"
#include "formats/parquet/nested_reader.h"
#include "formats/parquet/parquet_filter.h"

typedef struct arb_parquet_reader_column {
    bool is_unread;             /* all else is zeroed */
    arb_parquet_nested *nested; /* of a nested column, which has no `flat`, `leaf` and sinks */
    arb_vector nested_window;
    arb_parquet_column flat;
    const arb_parquet_leaf *leaf;
    arb_str name;
    bool is_output;
    arb_parquet_sink window; /* rows of the current window, in their places */
    bool window_is_read;
    arb_parquet_sink out; /* collected survivors */
    bool is_collected;    /* those of the current window are among them */
    arb_parquet_piece offset_index, column_index;
    arb_parquet_offset_index locations;
    bool is_located;       /* the row group's offset index was asked for `locations` */
    bool is_begun;         /* the split was */
    uint32_t windows_read; /* of the split */
    bool is_expected;      /* most windows of the split before needed it */
} arb_parquet_reader_column;

typedef struct arb_parquet_row_range {
    uint64_t first, end;
} arb_parquet_row_range;

typedef struct arb_parquet_reader {
    arb_split_reader base;
    const arb_parquet_file *file;
    const arb_scan_request *request;
    const arb_parquet_kernels *kernels;
    arb_parquet_reader_column *columns;
    arb_parquet_filter *filters;
    arb_parquet_filter **order;
    arb_value_range *ranges; /* scratch: one a column of a filter */
    const arb_vector **inputs;
    arb_vector *input_vectors;
    arb_held_arena group_arena; /* page indexes */
    bool is_prepared;

    const arb_parquet_row_group *group;
    uint32_t group_number, split_number;
    uint64_t row, end;                    /* in the row group: next row to look at */
    ARB_VEC(arb_parquet_row_range) skips; /* of the row group: rows that page statistics rule out; in group_arena */
    size_t next_skip;
    bool skips_are_sorted; /* ascending, none touches another */

    bool gives_nested;
    uint32_t window_limit;
    uint64_t window_number, window_first;
    uint32_t window_rows, survivors;
    bool window_filters;
    uint32_t next_filter;
    bool window_waits;
    bool is_lent; /* the caller has a batch */
    uint64_t selection[ARB_VECTOR_WORDS];
    uint16_t indices[ARB_VECTOR_ROWS];
    uint32_t out_rows;

    arb_batch batch;
    arb_vector *vectors;
    uint32_t batch_number;
    uint32_t windows; /* of the split */
} arb_parquet_reader;

/* ARB_WOULD_WAIT is noted and true: so that what else is needed is asked for before the first of it is waited for. */
ARB_INLINE bool arb_parquet_just_waits(arb_code code, bool *waits)
{
    *waits = *waits || code == ARB_WOULD_WAIT;
    return code == ARB_WOULD_WAIT;
}

/* Say in an error which file and column it is about; gives `code` back. */
arb_code arb_parquet_reader_column_error(const arb_parquet_reader *reader, const arb_parquet_reader_column *column,
                                         arb_code code, arb_error *error);
/* For the vtable: stand in front of a split. */
arb_code arb_parquet_reader_begin(arb_split_reader *base, const arb_split *split, arb_error *error);
/* What is to be known before the first window. Called again while something is not there; what was done is not done
 * again, nor in the next split of the same row group. */
ARB_NODISCARD arb_code arb_parquet_reader_prepare(arb_parquet_reader *reader, arb_error *error);
/* What the row group's statistics and Bloom filters say about a filter. */
ARB_NODISCARD arb_code arb_parquet_reader_judge(arb_parquet_reader *reader, arb_parquet_filter *state,
                                                arb_filter_verdict *out_verdict, arb_error *error);
/* Skip what is left of the split. */
void arb_parquet_reader_leave_split(arb_parquet_reader *reader);

#endif
