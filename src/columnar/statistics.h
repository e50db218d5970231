/* statistics.h: what a file, a table or a plan claims about a column's values. Hints until proved. */
#ifndef ARB_COLUMNAR_STATISTICS_H
#define ARB_COLUMNAR_STATISTICS_H

#include "base/compiler.h"

/* What is claimed about values; `low` and `high` in the column's own units (days, microseconds, decimal * 10^scale). */
typedef struct arb_column_statistics {
    bool has_range; /* integers, decimals, dates, times: all values lie in [low, high] */
    arb_int128 low, high;
    bool has_null_count;
    uint64_t null_count;
    bool has_distinct; /* an estimate from dictionary sizes: distinct values of the whole file, at least */
    uint64_t distinct;
    uint64_t bytes; /* as encoded but not compressed, for cost; 0 when not known */
    bool coded;     /* those are codes of dictionaries, for the most part */
} arb_column_statistics;

#endif
