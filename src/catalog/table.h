/* table.h: what the binder, the optimizer and a scan need to know of a table, whatever it is made of.
 *
 * A provider (Parquet and CSV files, a table in memory, a table function) is an arb_table: schema and statistics for
 * the planner, and for execution a list of arb_table_file, whose splits are scanned. Tables are counted, since a
 * running query keeps using the version that it was bound to after a DROP or an INSERT made a newer one. */
#ifndef ARB_CATALOG_TABLE_H
#define ARB_CATALOG_TABLE_H

#include "formats/scan.h"

typedef struct arb_table arb_table;
typedef struct arb_table_vtable {
    const char *kind; /* "parquet", "memory" */
    void (*destroy)(arb_table *table);
    /* Open what is not yet open and fill the fields below; called before a table is bound, from one thread at a time
     * (the table's own lock). Cheap when done already. */
    arb_code (*load)(arb_table *table, arb_error *error);
} arb_table_vtable;

/* Columns that no two rows have equal values in: PRIMARY KEY, UNIQUE. A NULL equals nothing. */
typedef struct arb_table_key {
    size_t column_count;
    const uint32_t *columns;
} arb_table_key;

struct arb_table {
    const arb_table_vtable *vtable;
    _Atomic uint32_t references;
    arb_str name;
    /* Valid after `load`: */
    size_t column_count;
    const arb_table_column *columns; /* names, types, nullability, statistics merged over all files */
    size_t key_count;                /* that are declared, and hold */
    const arb_table_key *keys;
    uint64_t rows;
    bool rows_exact;
    size_t file_count;
    arb_table_file *const *files; /* each with the same columns in the same order */
};

ARB_NODISCARD arb_code arb_table_load(arb_table *table, arb_error *error);
arb_table *arb_table_ref(arb_table *table);
void arb_table_unref(arb_table *table); /* NULL is a no-op */
/* Hand the caller's reference over to the arena, which drops it at reset; on failure it is dropped at once. */
ARB_NODISCARD arb_code arb_table_give(arb_table *table, arb_arena *arena, arb_error *error);
/* Index of the column of that name (ASCII case aside), or -1; -2 when two columns differ by case only. */
int arb_table_find_column(const arb_table *table, arb_str name);

#endif
