/* memory_chunk.h: some thousands of rows held in columns: the pieces that a table in memory is made of.
 *
 * A chunk is filled by one thread, then sealed: from then on it is shared, counted and never changes. Values lie flat at
 * their type's full width, so a reader can lend them as they are, 2,048 rows at a time. Bytes of long texts lie in the
 * chunk's arena. Ranges and counts of NULLs are kept while filling; they are exact. */
#ifndef ARB_CATALOG_MEMORY_CHUNK_H
#define ARB_CATALOG_MEMORY_CHUNK_H

#include <stdatomic.h>

#include "columnar/statistics.h"
#include "columnar/vector.h"
#include "runtime/memory.h"

enum { ARB_CHUNK_ROWS = 32 * ARB_VECTOR_ROWS };

typedef struct arb_chunk_column arb_chunk_column;
struct arb_chunk_column {
    arb_physical physical; /* the type's own */
    bool is_utf8;          /* VARCHAR */
    void *values;
    uint64_t *validity; /* one bit a row, also while there are no NULLs */
    size_t capacity;    /* rows */
    size_t rows;
    uint64_t null_count;
    bool has_range; /* integers and their kin: some value was there */
    arb_int128 low, high;
    size_t child_count;
    arb_chunk_column *children; /* LIST, MAP: the elements; STRUCT: its fields, each with as many rows as this */
};

/* What a chunk's bytes are called by (segment.h). */
typedef struct arb_segment_name {
    uint8_t hash[32];
    uint64_t bytes;
} arb_segment_name;

typedef struct arb_memory_chunk arb_memory_chunk;

/* Who has a chunk under its name, but no reference: is told when it goes. */
typedef struct arb_chunk_keeper {
    void (*gone)(struct arb_chunk_keeper *keeper, arb_memory_chunk *chunk);
} arb_chunk_keeper;

struct arb_memory_chunk {
    _Atomic uint32_t references;
    size_t rows;
    size_t column_count;
    arb_chunk_column *columns;
    arb_arena texts;
    arb_arena arena; /* the columns themselves */
    arb_reservation reservation;
    bool denied;                        /* the account had no room for what was to be appended */
    uint64_t bytes;                     /* of all values and long texts, however they came: equal for equal chunks */
    _Atomic(arb_chunk_keeper *) keeper; /* or NULL; set once, with `name`. Lives longer than the chunk */
    arb_segment_name name;
};

/* An empty chunk with one reference; `account` pays for it and may be NULL. */
ARB_NODISCARD arb_code arb_memory_chunk_create(const arb_type *types, size_t column_count, arb_memory *account,
                                               arb_memory_chunk **out_chunk, arb_error *error);
arb_memory_chunk *arb_memory_chunk_ref(arb_memory_chunk *chunk);
void arb_memory_chunk_unref(arb_memory_chunk *chunk); /* NULL is a no-op */
/* A reference, unless the last one is gone; for its keeper, which keeps `gone` from returning meanwhile. */
ARB_NODISCARD bool arb_memory_chunk_try_ref(arb_memory_chunk *chunk);
/* Could a chunk of these types have such columns? */
bool arb_memory_chunk_fits(const arb_memory_chunk *chunk, const arb_type *types, size_t count);

/* Append rows [first, first + count) of the vectors, all of which count; their widths may be narrower than the types'.
 * On failure the chunk is unusable but for unref. */
ARB_NODISCARD arb_code arb_memory_chunk_append(arb_memory_chunk *chunk, const arb_vector *columns, size_t first,
                                               size_t count, arb_error *error);
/* A FLAT view of rows [first, …) of a column; `first` is a multiple of 64. Nested ones need `children`, room for
 * arb_chunk_view_vectors(column) vectors. */
arb_vector arb_chunk_column_view(const arb_chunk_column *column, size_t first, arb_vector *children);
size_t arb_chunk_view_vectors(const arb_chunk_column *column);

#endif
