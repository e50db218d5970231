/* data_folder.h: which tables a folder of files stands for: the rules of --data.
 *
 * NAME.parquet (and the other formats' suffixes) and each folder NAME/ of such files, recursive, is the table NAME.
 * Names that begin with . or _ are skipped everywhere, folders key=value are columns (hive_path.h). Listing looks at
 * names alone; nothing is opened. Links are followed: a table may be put together of them. One that leads back to a folder
 * that it lies in is an error. */
#ifndef ARB_CATALOG_DATA_FOLDER_H
#define ARB_CATALOG_DATA_FOLDER_H

#include "catalog/file_format.h"
#include "catalog/folder_walk.h"

typedef struct arb_folder_item {
    arb_str name;
    arb_str path;
    const arb_file_format *format; /* NULL: a folder */
} arb_folder_item;

typedef ARB_VEC(arb_folder_item) arb_folder_items; /* arena */

/* The tables of a folder, sorted by name; a name may come twice. */
ARB_NODISCARD arb_code arb_data_folder_list(arb_arena *arena, arb_str folder, const arb_file_formats *formats,
                                            arb_folder_items *out_items, arb_stop_flag *stop, arb_error *error);
/* The files of one table's folder, sorted by path, which all have the format that is found; two formats or no file at
 * all are ARB_INVALID_TABLE_DEFINITION. */
ARB_NODISCARD arb_code arb_data_folder_files(arb_arena *arena, arb_str folder, const arb_file_formats *formats,
                                             arb_paths *out_paths, const arb_file_format **out_format,
                                             arb_stop_flag *stop, arb_error *error);

#endif
