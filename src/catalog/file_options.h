/* file_options.h: how a table's files are to be read, where it is said: by a table function, by COPY, by CREATE EXTERNAL
 * TABLE. What is not said is found by looking. */
#ifndef ARB_CATALOG_FILE_OPTIONS_H
#define ARB_CATALOG_FILE_OPTIONS_H

#include "base/arena.h"
#include "formats/csv.h"

/* A folder key=value is a column `key` of its files' rows. */
typedef enum arb_hive_choice {
    ARB_HIVE_AUTO, /* where all files lie in folders of the same keys */
    ARB_HIVE_YES,  /* else it is an error */
    ARB_HIVE_NO,
} arb_hive_choice;

/* Zeroed: nothing is said. */
typedef struct arb_file_options {
    arb_csv_options csv; /* of CSV and TSV files */
    bool union_by_name;  /* columns of several files are matched by name, and NULL where a file has none of that name */
    arb_hive_choice hive;
    const arb_csv_column_type *hive_types; /* of those columns; NULL, and of the others: their values tell */
    size_t hive_type_count;
    arb_str file_name_column; /* a column with each row's file; empty: there is none */
} arb_file_options;

/* All that is pointed to is copied, too. False when memory is short. */
ARB_NODISCARD bool arb_file_options_copy(arb_arena *arena, const arb_file_options *from, arb_file_options *to);

#endif
