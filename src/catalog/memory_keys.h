/* memory_keys.h: the keys of a table in memory: which combinations of values are there already.
 *
 * Of each row's key a 128-bit hash is kept, so equal hashes are taken for equal keys. The versions of a table share one
 * such set, which belongs to the newest: it says how many rows it has seen, and whoever adds to a version of another
 * number of rows (because the statement before failed) fills it anew. One builder uses it at a time. */
#ifndef ARB_CATALOG_MEMORY_KEYS_H
#define ARB_CATALOG_MEMORY_KEYS_H

#include "catalog/memory_chunk.h"
#include "catalog/memory_table.h"

typedef struct arb_memory_keys arb_memory_keys;

/* Keys and columns are copied. */
ARB_NODISCARD arb_code arb_memory_keys_create(const arb_table_key *keys, size_t count, const arb_table_column *columns,
                                              arb_memory_keys **out_keys, arb_error *error);
/* The keys themselves, which live as long as the set; returns how many. */
size_t arb_memory_keys_declared(const arb_memory_keys *keys, const arb_table_key **out_keys);
void arb_memory_keys_destroy(arb_memory_keys *keys); /* NULL is a no-op */
/* Rows [first, first + count) are new. ARB_UNIQUE_VIOLATION names the columns; the set is then to be filled anew. */
ARB_NODISCARD arb_code arb_memory_keys_add(arb_memory_keys *keys, const arb_vector *columns, size_t first, size_t count,
                                           arb_error *error);
/* Make it the set of exactly these chunks, unless it is that already. */
ARB_NODISCARD arb_code arb_memory_keys_fit(arb_memory_keys *keys, arb_memory_chunk *const *chunks, size_t chunk_count,
                                           uint64_t rows, arb_error *error);

#endif
