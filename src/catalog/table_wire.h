/* table_wire.h: a table as a plan names it to an executor (proto/table.proto).
 *
 * A table of files travels as its list of files, each by root, path in it, size, time and footer hash, and all that was said
 * about how they are read. Who finds it opens the very same files the very same way, so that its table has the same columns,
 * types, ranges and splits: what a plan says of them holds. What followed from where the files lay for who planned (columns
 * of folders, the names that rows give their files) travels as values. A series travels as its numbers,
 * a table in memory as columns, keys and a list of segments (segment.h), which who finds it asks for by their hashes.
 *
 * Paths never leave their root, in whatever they say and wherever links lead: bytes from the network are as good as those
 * of an enemy. */
#ifndef ARB_CATALOG_TABLE_WIRE_H
#define ARB_CATALOG_TABLE_WIRE_H

#include "base/vec.h"
#include "catalog/file_cache.h"
#include "catalog/segment.h"
#include "catalog/table.h"

/* Raised when an older reader would misunderstand a table. */
enum { ARB_TABLE_WIRE_VERSION = 1 };

/* Append the bytes of a loaded table. ARB_ACCESS_DENIED: a file lies in no root; ARB_FILE_CHANGED: it is not the one any more
 * that was opened; ARB_NOT_SUPPORTED: a table in memory, and there is no namer. Segments can be had from the namer as long as the
 * table is there. */
ARB_NODISCARD arb_code arb_table_encode(const arb_table *table, const arb_roots *roots,
                                        const arb_segment_namer *segments, arb_text *out, arb_error *error);

typedef ARB_VEC(arb_str) arb_root_names; /* arena */

/* Add the names of the roots that the table's files lie in and that are not in the list yet; they are those of `roots`.
 * ARB_ACCESS_DENIED as above. */
ARB_NODISCARD arb_code arb_table_add_roots(arb_arena *arena, const arb_table *table, const arb_roots *roots,
                                           arb_root_names *names, arb_error *error);

/* Where tables are found. */
typedef struct arb_table_finder {
    const arb_roots *roots; /* of this process */
    const arb_file_formats *formats;
    arb_file_cache *cache;              /* outlives the tables */
    arb_stop_flag *stop;                /* ARB_CANCELLED soon after it is set; NULL: none */
    const arb_segment_finder *segments; /* NULL: tables in memory are ARB_NOT_SUPPORTED */
} arb_table_finder;

/* The table, loaded; the caller has the one reference. It does not refer to name and bytes. ARB_CORRUPT_DATA: the bytes cannot
 * be; ARB_NOT_SUPPORTED: they are of another version, or name a format that is not known here; ARB_UNDEFINED_OBJECT: a root
 * that is not known here; ARB_FILE_CHANGED and ARB_ACCESS_DENIED as planned_file.h says; else what opening files, or the
 * finder of segments, gives. */
ARB_NODISCARD arb_code arb_table_decode(arb_str name, arb_str bytes, const arb_table_finder *finder,
                                        arb_table **out_table, arb_error *error);

#endif
