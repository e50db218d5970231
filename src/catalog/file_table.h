/* file_table.h: a table made of one or several files of one format.
 *
 * Its columns are those of the first file, which all others must have, or by union_by_name those of any; then the keys of
 * the folders that the files lie in, and the file's name if it is asked for. A key that a file has as a column, too,
 * stands in that column's place. Types that a format guesses become what all files have in common. */
#ifndef ARB_CATALOG_FILE_TABLE_H
#define ARB_CATALOG_FILE_TABLE_H

#include "catalog/file_cache.h"
#include "catalog/hive_path.h"
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

/* The same of a table that was opened elsewhere (table_wire.h): what its files' paths gave it there is handed in. */
typedef struct arb_planned_member {
    arb_planned_file file;
    arb_str shown;       /* as the rows name their file; of use only where the options ask for that */
    arb_hive_parts keys; /* of columns; all files have the same */
} arb_planned_member;

ARB_NODISCARD arb_code arb_file_table_open_planned(arb_file_cache *cache, arb_str name, const arb_file_format *format,
                                                   const arb_file_options *options, const arb_planned_member *members,
                                                   size_t count, arb_stop_flag *stop, arb_table **out_table,
                                                   arb_error *error);

/* Is the table made of exactly these files, and is each of them still the version that was opened? */
bool arb_file_table_is_current(const arb_table *table, const arb_table_path *paths, size_t count);

/* What a table is made of, for who tells others of it. */
typedef struct arb_file_table_content {
    const arb_file_format *format;
    const arb_file_options *options; /* NULL: nothing is said */
    size_t file_count;
    arb_cached_file *const *files;
    const arb_str *shown;       /* a path a file, as in arb_planned_member */
    const arb_hive_parts *keys; /* likewise */
} arb_file_table_content;

/* Lent by the table; false when it is none of files. */
bool arb_file_table_describe(const arb_table *table, arb_file_table_content *out_content);

#endif
