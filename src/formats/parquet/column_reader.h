/* column_reader.h: windows of rows of one flat column.
 *
 * A reader stands anywhere in a row group and goes forward: it reads all rows of a window, or only some of them, and
 * passes what lies between. Rows are written to a sink, which collects those of one or several windows: dictionary codes
 * as long as every page has them and codes are wanted, values otherwise.
 *
 * Reading says ARB_WOULD_WAIT when a page's bytes are not there. What was read so far stays in the sink; the same call, made
 * again, goes on from there. */
#ifndef ARB_FORMATS_PARQUET_COLUMN_READER_H
#define ARB_FORMATS_PARQUET_COLUMN_READER_H

#include "formats/parquet/chunk_reader.h"

/* Up to ARB_VECTOR_ROWS collected rows. */
typedef struct arb_parquet_sink {
    arb_vector_storage storage; /* values; made when first needed */
    uint32_t *codes;            /* ARB_VECTOR_ROWS and 8 more; likewise */
    uint32_t rows;
    bool has_codes;        /* rows are in `codes`, else in the storage */
    bool has_nulls;        /* the storage's validity is in use */
    arb_reservation *held; /* counts them; set while the sink is empty, may be NULL */
} arb_parquet_sink;

typedef struct arb_parquet_column {
    arb_parquet_chunk chunk;
    bool is_nullable;
    arb_parquet_sink scratch;  /* values or codes without their NULLs, or before some are picked */
    arb_parquet_sink expanded; /* the same with gaps for the NULLs */
    /* A read that waits: */
    bool is_reading;
    uint32_t done, given; /* rows of it that were passed, and those of them that were given */
} arb_parquet_column;

/* For the reader whose reads and memory these are; likewise the chunk. */
void arb_parquet_column_init(arb_parquet_column *column, const arb_byte_source *source, const arb_parquet_leaf *leaf,
                             arb_parquet_target target, arb_read_queue *queue, arb_reservation *held);
void arb_parquet_column_reset(arb_parquet_column *column);

/* Add rows [first, first + rows) to the sink, or only those at `indices` (ascending, relative to `first`) when that is
 * not NULL. `want_codes`: codes are of use. At most ARB_VECTOR_ROWS rows at once. */
ARB_NODISCARD arb_code arb_parquet_column_read(arb_parquet_column *column, uint64_t first, uint32_t rows,
                                               const uint16_t *indices, uint32_t index_count, bool want_codes,
                                               arb_parquet_sink *sink, arb_error *error);
/* Whether it pays to work on the current chunk's entries instead of its rows: true when the page at `row` has codes of a
 * dictionary much smaller than the chunk. Opens that page. */
ARB_NODISCARD arb_code arb_parquet_column_has_useful_codes(arb_parquet_column *column, uint64_t row, bool *out_useful,
                                                           arb_error *error);

/* Give row i the next of the values packed in `from` when it is not NULL. A NULL row gets the one that is next, too: so
 * there is no branch, and `from` has one harmless value more than there are. `size` is a value's bytes, 0 for bits. */
void arb_parquet_spread(void *to, const void *from, size_t size, const uint64_t *validity, size_t rows);

/* Add to `sink` the rows of `from` at `indices`. */
ARB_NODISCARD arb_code arb_parquet_sink_pick(arb_parquet_sink *sink, const arb_parquet_sink *from,
                                             const arb_parquet_dictionary *dictionary, arb_physical physical,
                                             const uint16_t *indices, uint32_t count, arb_error *error);
/* Look codes up, so that the rows lie in the storage. */
ARB_NODISCARD arb_code arb_parquet_sink_flatten(arb_parquet_sink *sink, const arb_parquet_dictionary *dictionary,
                                                arb_physical physical, arb_error *error);
/* The rows as a vector, valid until the sink is written to. */
arb_vector arb_parquet_sink_vector(const arb_parquet_sink *sink, const arb_parquet_dictionary *dictionary);
ARB_INLINE void arb_parquet_sink_clear(arb_parquet_sink *sink)
{
    sink->rows = 0;
    sink->has_codes = sink->has_nulls = false;
}
void arb_parquet_sink_reset(arb_parquet_sink *sink);

#endif
