/* mapped_file.h: a file as a table sees it that is made of several: its columns in the table's order, with others that are
 * the same in all of its rows: values that the file's path has, or NULL where the file lacks a column. */
#ifndef ARB_CATALOG_MAPPED_FILE_H
#define ARB_CATALOG_MAPPED_FILE_H

#include "columnar/value.h"
#include "formats/scan.h"

typedef struct arb_mapped_column {
    arb_str name;
    bool is_constant;
    uint32_t source; /* column of the file */
    arb_value value; /* of a constant, with its type; nested ones are NULL */
} arb_mapped_column;

/* The file and what the columns refer to are borrowed; the new one lives in the arena. NULL when memory is short. */
arb_table_file *arb_mapped_file_create(arb_arena *arena, const arb_table_file *file, const arb_mapped_column *columns,
                                       size_t count);

#endif
