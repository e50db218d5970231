/* partition_columns.h: folders named key=value as columns of the files that lie in them.
 *
 *     sales/year=2023/month=1/a.parquet        a row of a.parquet has the columns of the file, then year 2023, month 1
 *
 * A column is BIGINT when all its values are whole numbers, DATE when all are dates, else VARCHAR; the value
 * __HIVE_DEFAULT_PARTITION__ is NULL, and %XX stands for a byte. */
#ifndef ARB_CATALOG_PARTITION_COLUMNS_H
#define ARB_CATALOG_PARTITION_COLUMNS_H

#include "columnar/value.h"
#include "formats/scan.h"

typedef struct arb_partition_columns {
    size_t count; /* 0: no such folders */
    const arb_str *names;
    const arb_type *types;
    const arb_value *values; /* `count` for each file, one file after the other */
} arb_partition_columns;

/* Of files below the folder `root`. Made in the arena. Files must agree in their keys and in the order of these, else
 * ARB_INVALID_TABLE_DEFINITION. */
ARB_NODISCARD arb_code arb_partition_columns_of(arb_arena *arena, arb_str root, const arb_str *paths, size_t count,
                                                arb_partition_columns *out_columns, arb_error *error);

/* The file with the columns behind its own; `values` are its values of them. Lives in the arena and needs no destroy;
 * borrows file and columns. ARB_DUPLICATE_COLUMN when the file has a column of that name itself. */
ARB_NODISCARD arb_code arb_partitioned_file_create(arb_arena *arena, const arb_table_file *file,
                                                   const arb_partition_columns *columns, const arb_value *values,
                                                   arb_table_file **out_file, arb_error *error);

#endif
