/* scan.h: what the engine asks of a file format, whatever the format is.
 *
 * A format is passive: it never starts a thread and never waits. One arb_table_file stands for an open, validated file;
 * it is shared and read-only. From it the planner learns schema, row counts and claimed ranges. To read, the engine makes
 * a scan_request (shared, read-only while scans run, but for its run-time filters), takes the file's splits one by one,
 * and for each driver thread an arb_split_reader, which gives batches until the split is done.
 *
 *     open → schema, statistics, splits        once a file version (arb_table_file)
 *     reader_create(request)                   once a driver thread
 *       reader_begin(split) → reader_next …    batches of at most ARB_VECTOR_ROWS rows, with a selection
 *
 * A reader does not wait for its file's bytes. When they are not there at once, `next` returns ARB_WOULD_WAIT and has noted
 * in `reads` what it wants read. The engine has that done (io/read_queue.h), which takes as long as it takes, and calls
 * `next` again. After a batch there may be reads in `reads`, too: those are ahead, and nobody waits for them yet.
 *
 * Whatever a reader holds is counted in `held`, as long as it holds it.
 *
 * A reader decodes the columns that filters need first, drops rows, and decodes the others for the survivors only.
 * What a footer claims (ranges, counts) is a hint until proved: the engine may pick narrow physical types from it, so a
 * reader compares every page with `claimed`, and a value outside is ARB_CORRUPT_DATA naming file and column. */
#ifndef ARB_FORMATS_SCAN_H
#define ARB_FORMATS_SCAN_H

#include "base/stop.h"
#include "columnar/statistics.h"
#include "columnar/vector.h"
#include "io/read_queue.h"
#include "runtime/memory.h"

typedef struct arb_table_column {
    arb_str name;
    arb_type type;
    bool nullable;
    arb_column_statistics statistics; /* of the whole file */
} arb_table_column;

/* A run of rows that one thread reads: a Parquet row group or some pages of one, a range of a CSV file. */
typedef struct arb_split {
    uint32_t number;          /* order within the file */
    uint32_t part;            /* format's own: row group, chunk */
    uint64_t first_row, rows; /* rows is an estimate for formats that do not count them */
    uint64_t bytes;
} arb_split;

typedef enum arb_filter_verdict { ARB_FILTER_NONE_PASS, ARB_FILTER_SOME_PASS, ARB_FILTER_ALL_PASS } arb_filter_verdict;

/* The range of one column in one page, row group or dictionary: of its non-NULL values. Text has no range here. */
typedef struct arb_value_range {
    bool known;
    arb_int128 low, high;
    bool may_have_nulls, all_null;
} arb_value_range;

/* A condition on rows. Implemented above (expr/, execution/), called by readers. `columns` are positions in the
 * request's column list. State that changes (scratch vectors) is per thread: made by `local_create`. */
typedef struct arb_scan_filter arb_scan_filter;
typedef struct arb_scan_filter_vtable {
    const char *name; /* for EXPLAIN */
    /* NULL on failure is reported through `error`. May be NULL itself when no state is needed. */
    arb_code (*local_create)(const arb_scan_filter *filter, void **out_local, arb_error *error);
    void (*local_destroy)(void *local);
    /* Clear the bits of rows that do not pass (false or NULL). `inputs[i]` is the vector of columns[i]; its rows outside
     * of `selection` are safe to read but do not count. */
    arb_code (*apply)(const arb_scan_filter *filter, void *local, const arb_vector *const *inputs, uint32_t rows,
                      uint64_t *selection, arb_error *error);
    /* What is known beforehand, given each column's range; must not fail. May be NULL: SOME_PASS. */
    arb_filter_verdict (*judge)(const arb_scan_filter *filter, const arb_value_range *ranges);
    /* The one value (text) that the single column must equal, for Bloom filters; false when it is no such filter. */
    bool (*equal_text)(const arb_scan_filter *filter, arb_str *out_value);
    bool (*equal_integer)(const arb_scan_filter *filter, arb_int128 *out_value);
} arb_scan_filter_vtable;

struct arb_scan_filter {
    const arb_scan_filter_vtable *vtable;
    uint32_t column_count;
    const uint32_t *columns;
    /* Cannot fail on any value, looks at one column only, and no NULL passes: may be applied to a dictionary's entries
     * once. */
    bool per_entry;
    /* A filter that becomes known while the query runs (from a join's build side): skipped while 0. Once 1, all its
     * other fields stay as they are. Ordinary filters are 1 from the start. */
    _Atomic int ready;
    double cost; /* relative, for the first order; readers reorder by what they see */
};

typedef struct arb_scan_column {
    uint32_t source;       /* index in the file's columns */
    arb_physical physical; /* what the vectors shall hold: wide enough for `claimed`, or the type's full width */
    bool check_range;      /* every value must lie in [low, high], else ARB_CORRUPT_DATA */
    arb_int128 low, high;
    bool filter_only; /* needed by filters alone: need not be in the batch (its vector is then unspecified) */
    bool unread; /* only holds a place: no filter looks at it, its vector is unspecified, all else here is ignored */
} arb_scan_column;

typedef struct arb_scan_request {
    uint32_t column_count;
    const arb_scan_column *columns; /* a batch's columns are in this order */
    uint32_t filter_count;
    arb_scan_filter *const *filters; /* all must pass */
    bool keep_dictionaries;          /* give DICTIONARY vectors where the file has codes (else FLAT) */
    bool always_wait;                /* tests: no byte of a file is there at once */
    arb_memory *memory;              /* the account of what readers hold; NULL: it is not counted */
    arb_stop_flag *stop;             /* readers look at it where they go on for long without giving a batch */
} arb_scan_request;

typedef struct arb_table_file arb_table_file;
typedef struct arb_split_reader arb_split_reader;

typedef struct arb_table_file_vtable {
    const char *format; /* "parquet" */
    void (*destroy)(arb_table_file *file);
    arb_code (*reader_create)(const arb_table_file *file, const arb_scan_request *request,
                              arb_split_reader **out_reader, arb_error *error);
} arb_table_file_vtable;

/* Base of each format's file. Immutable once open; may be used by several threads. */
struct arb_table_file {
    const arb_table_file_vtable *vtable;
    arb_str path;
    uint64_t bytes; /* memory that it takes while it is open; counted in its source's `held` */
    uint64_t rows;  /* exact when `rows_exact` */
    bool rows_exact;
    size_t column_count;
    const arb_table_column *columns;
    size_t split_count;
    const arb_split *splits;
};

typedef struct arb_split_reader_vtable {
    /* At any time; reads that run keep their memory to themselves. */
    void (*destroy)(arb_split_reader *reader);
    /* Never ARB_WOULD_WAIT. */
    arb_code (*begin)(arb_split_reader *reader, const arb_split *split, arb_error *error);
    /* The next batch, lent until the next call; *out_batch is NULL at the split's end. Batches without a selected row
     * are not given. ARB_WOULD_WAIT: once something of `reads` has been done, call it again. */
    arb_code (*next)(arb_split_reader *reader, const arb_batch **out_batch, arb_error *error);
} arb_split_reader_vtable;

/* Base of each format's reader: one thread at a time. */
struct arb_split_reader {
    const arb_split_reader_vtable *vtable;
    uint64_t rows_read; /* decided upon so far: for progress and EXPLAIN ANALYZE */
    uint64_t bytes_read;
    uint64_t rows_skipped; /* by statistics alone */
    arb_reservation held;
    arb_read_queue reads;
    arb_split_reader *behind; /* for a reader of another reader's batches: that one, whose reads stand for its own */
};

/* What the reader wants read. */
ARB_INLINE arb_read_queue *arb_split_reader_reads(arb_split_reader *reader)
{
    while (reader->behind != NULL)
        reader = reader->behind;
    return &reader->reads;
}

/* For a format's reader_create: zeroed memory becomes the base of a reader. */
ARB_INLINE void arb_split_reader_init(arb_split_reader *reader, const arb_split_reader_vtable *vtable,
                                      const arb_scan_request *request)
{
    reader->vtable = vtable;
    reader->reads.always_wait = request->always_wait;
    arb_reservation_init(&reader->held, request->memory, "a scan");
}

/* `next` for threads that may wait. */
ARB_NODISCARD ARB_INLINE arb_code arb_split_reader_next(arb_split_reader *reader, const arb_batch **out_batch,
                                                        arb_error *error)
{
    for (;;) {
        arb_code code = reader->vtable->next(reader, out_batch, error);
        if (code != ARB_WOULD_WAIT)
            return code;
        arb_read_queue_run(arb_split_reader_reads(reader));
    }
}

#endif
