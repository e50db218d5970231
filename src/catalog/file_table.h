/* file_table.h: a table made of one or several files of one format, all with the same columns. */
#ifndef ARB_CATALOG_FILE_TABLE_H
#define ARB_CATALOG_FILE_TABLE_H

#include "catalog/file_cache.h"
#include "catalog/table.h"

/* Open every file and make the table of them, loaded: columns are the first file's, rows and statistics those of all.
 * The caller owns one reference. Files whose columns differ in name, order or type are ARB_DATATYPE_MISMATCH naming the
 * file and the column. Folders key=value between `root` and a file are columns, too. `count` must not be 0. */
ARB_NODISCARD arb_code arb_file_table_open(arb_file_cache *cache, arb_str name, arb_str root,
                                           const arb_file_format *format, const arb_str *paths, size_t count,
                                           arb_stop_flag *stop, arb_table **out_table, arb_error *error);
/* Is the table made of exactly these files, and is each of them still the version that was opened? */
bool arb_file_table_is_current(const arb_table *table, const arb_str *paths, size_t count);

#endif
