/* memory_table_internal.h: a version of a table in memory, as its builder and its reader see it. */
#ifndef ARB_CATALOG_MEMORY_TABLE_INTERNAL_H
#define ARB_CATALOG_MEMORY_TABLE_INTERNAL_H

#include "catalog/memory_chunk.h"
#include "catalog/memory_table.h"
#include "catalog/segment_source.h"

/* What the versions of a table have in common. */
typedef struct arb_memory_lineage {
    _Atomic uint32_t references;
    struct arb_memory_keys *keys; /* a reference, or NULL; used by one builder at a time */
} arb_memory_lineage;

/* The one file of the table lies inside of it and lives as long; split `part` is the chunk's place. */
typedef struct arb_memory_table {
    arb_table base;
    arb_arena arena;
    arb_table_column *columns;
    arb_type *types;
    size_t chunk_count;
    arb_memory_chunk **chunks;    /* references; NULL: they are asked for when they are read */
    arb_segment_source **sources; /* then: where */
    arb_memory_chunk *shape;      /* then: an empty one */
    arb_memory_lineage *lineage;  /* a reference */
    arb_table_file file;
    arb_table_file *files[1];
} arb_memory_table;

/* NULL: it is none. */
const arb_memory_table *arb_memory_table_of(const arb_table *table);
/* A sealed chunk, which fits the table's types, behind all others. Keys are not watched: nothing is new in it.
 * ARB_NOT_NULL_VIOLATION. */
arb_code arb_memory_builder_share(arb_memory_builder *builder, arb_memory_chunk *chunk, arb_error *error);

/* A table whose chunks are asked for when they are read. Takes the `count` sources over, also on failure; of the splits `rows` and
 * `bytes` count. Keys are declared, not watched. */
arb_code arb_memory_table_create_unread(arb_str name, const arb_table_column *columns, size_t column_count,
                                        const arb_table_key *keys, size_t key_count, arb_segment_source **sources,
                                        const arb_split *splits, size_t count, arb_table **out_table, arb_error *error);
/* Is the chunk what the table says of that split? ARB_CORRUPT_DATA. */
arb_code arb_memory_table_check_chunk(const arb_memory_table *table, const arb_split *split,
                                      const arb_memory_chunk *chunk, arb_error *error);

arb_code arb_memory_reader_create(const arb_table_file *file, const arb_scan_request *request,
                                  arb_split_reader **out_reader, arb_error *error);

#endif
