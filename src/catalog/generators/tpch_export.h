/* tpch_export.h: the TPC-H tables as files.
 *
 * Each table becomes one file, NAME.parquet or NAME.csv, whose rows lie in the generator's order. Ranges of rows are
 * made and encoded by several threads at once, and each is written when all before it are; so memory is bounded by a
 * few row groups, whatever the scale. A file appears under its name when it is complete, and never in part. */
#ifndef ARB_CATALOG_TPCH_EXPORT_H
#define ARB_CATALOG_TPCH_EXPORT_H

#include "base/error.h"

typedef enum arb_tpch_format { ARB_TPCH_PARQUET, ARB_TPCH_CSV } arb_tpch_format;

/* How far the work is, over all tables. */
typedef struct arb_tpch_progress {
    const char *table; /* that was written to last: "lineitem" */
    double fraction;   /* of the whole work, 0 to 1 */
    uint64_t rows;     /* written so far */
    uint64_t bytes;    /* of the files so far */
} arb_tpch_progress;

/* Told after each range is written, by one thread at a time; false ends the work with ARB_CANCELLED. */
typedef bool (*arb_tpch_progress_callback)(void *context, const arb_tpch_progress *progress);

/* Write all eight tables into `folder`, which is made when it is not there; files of these names are replaced. Returns
 * when all is done, and then *out_total (unless NULL) has the sums. `threads` 0 means as many as there are processors.
 * `progress` may be NULL. On failure tables that were complete stay, nothing else does. */
ARB_NODISCARD arb_code arb_tpch_export(double scale, const char *folder, arb_tpch_format format, unsigned threads,
                                       arb_tpch_progress_callback progress, void *context, arb_tpch_progress *out_total,
                                       arb_error *error);

#endif
