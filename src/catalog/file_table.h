/* file_table.h: a table made of one or several files of one format.
 *
 * Its columns are those of the first file, which all others must have, or by union_by_name those of any; then the keys of
 * the folders that the files lie in, and the file's name if it is asked for. A key that a file has as a column, too,
 * stands in that column's place. Types that a format guesses become what all files have in common. */
#ifndef ARB_CATALOG_FILE_TABLE_H
#define ARB_CATALOG_FILE_TABLE_H

#include "catalog/file_cache.h"
#include "catalog/table.h"

typedef struct arb_table_path {
    arb_str path;     /* ends with NUL */
    size_t keys_from; /* folders behind so many bytes of it may be columns */
} arb_table_path;

/* Open every file and make the table of them, loaded: rows and statistics are those of all. The caller owns one
 * reference. `options` NULL: nothing is said. Files whose columns differ in name, order or type are
 * ARB_DATATYPE_MISMATCH naming the file and the column. `count` must not be 0. */
ARB_NODISCARD arb_code arb_file_table_open(arb_file_cache *cache, arb_str name, const arb_file_format *format,
                                           const arb_file_options *options, const arb_table_path *paths, size_t count,
                                           arb_stop_flag *stop, arb_table **out_table, arb_error *error);
/* Is the table made of exactly these files, and is each of them still the version that was opened? */
bool arb_file_table_is_current(const arb_table *table, const arb_table_path *paths, size_t count);

#endif
