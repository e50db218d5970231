/* segment.h: a chunk of a table in memory as bytes, which travel and are kept under the hash of them.
 *
 * A segment is an Arrow IPC stream of one batch. Columns are c0, c1, … at their full physical widths, so that nothing is
 * converted and reading gives the same chunk again:
 *
 *     BOOL                bool                  STRING             large_utf8; large_binary for all but VARCHAR
 *     INT8 to INT64       int8 to int64         INTERVAL           fixed_size_binary(16): months, days, microseconds
 *     INT128              decimal128(38, 0)     LIST               large_list; of a map: of structs of two
 *     FLOAT32, FLOAT64    float32, float64      STRUCT             struct
 *
 * What they mean (a date, a decimal's scale) says who names the segment. A chunk always gives the same bytes; their hash is
 * SHA-256, of which whoever may send SQL cannot make two that are alike. This library cannot make one: who serves segments
 * names chunks (arb_segment_namer), who reads them finds chunks by name (arb_segment_finder). */
#ifndef ARB_CATALOG_SEGMENT_H
#define ARB_CATALOG_SEGMENT_H

#include "base/stop.h"
#include "catalog/memory_chunk.h"

#define ARB_SEGMENT_BYTES_MOST ((uint64_t)1 << 36)

typedef struct arb_segment_namer {
    void *context;
    /* The chunk's name. It can be had under it from now on, as long as it is there. */
    arb_code (*name)(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error);
} arb_segment_namer;

/* What a table is said to be made of. */
typedef struct arb_segment_wanted {
    arb_segment_name name;
    size_t rows;
    const arb_type *types; /* borrowed */
    size_t column_count;
} arb_segment_wanted;

/* With `peek`, tables are found without their rows, which are asked for when they are read (segment_source.h); such a table holds
 * the finder, which may be needed after the query has ended. Without it rows are found with their tables. */
typedef struct arb_segment_finder {
    void *context;
    /* The chunk, whose bytes have the hash; a reference for the caller. May wait for a network. ARB_CORRUPT_DATA: it is
     * another one, or does not fit the types or the count of rows; ARB_UNDEFINED_TABLE: nobody has it any more. */
    arb_code (*find)(void *context, const arb_segment_wanted *wanted, arb_stop_flag *stop, arb_memory_chunk **out_chunk,
                     arb_error *error);
    arb_memory_chunk *(*peek)(void *context, const arb_segment_wanted *wanted); /* the same if it is here, else NULL */
    void (*hold)(void *context);
    void (*let_go)(void *context);
} arb_segment_finder;

/* Append the chunk's bytes. */
ARB_NODISCARD arb_code arb_segment_encode(const arb_memory_chunk *chunk, arb_text *out, arb_error *error);
/* Its bytes become a chunk with one reference, which `account` pays for (NULL: nobody). The hash has been looked at.
 * ARB_CORRUPT_DATA: they are none, or do not fit the types or the count of rows. */
ARB_NODISCARD arb_code arb_segment_decode(arb_str bytes, const arb_segment_wanted *wanted, arb_memory *account,
                                          arb_memory_chunk **out_chunk, arb_error *error);
/* The same. *out_denied: ARB_OUT_OF_MEMORY says that the account has no room, not that the process has no memory. */
ARB_NODISCARD arb_code arb_segment_decode_within(arb_str bytes, const arb_segment_wanted *wanted, arb_memory *account,
                                                 arb_memory_chunk **out_chunk, bool *out_denied, arb_error *error);

#endif
