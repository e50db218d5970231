/* memory_table.h: tables that live in memory: CREATE TABLE, INSERT, CREATE TABLE AS, and small listings.
 *
 * A table is one immutable version: a list of chunks (memory_chunk.h). A builder makes the next version: it shares the
 * base version's chunks and adds rows behind them. */
#ifndef ARB_CATALOG_MEMORY_TABLE_H
#define ARB_CATALOG_MEMORY_TABLE_H

#include "catalog/table.h"
#include "columnar/value.h"
#include "runtime/memory.h"

typedef struct arb_memory_builder arb_memory_builder;

/* Of the columns, name, type and `nullable` are used, and copied. The account pays for the rows for as long as any version
 * holds them, so it must outlive them; NULL: nobody pays. */
ARB_NODISCARD arb_code arb_memory_builder_create(arb_str name, const arb_table_column *columns, size_t column_count,
                                                 arb_memory *account, arb_memory_builder **out_builder,
                                                 arb_error *error);
/* Keep watch over keys; before the first row. ARB_NOT_SUPPORTED for nested types. */
ARB_NODISCARD arb_code arb_memory_builder_set_keys(arb_memory_builder *builder, const arb_table_key *keys, size_t count,
                                                   arb_error *error);
/* Rows to be added to a version, whose keys are watched; one builder of a table at a time. ARB_WRONG_OBJECT_TYPE when that
 * is no table in memory. */
ARB_NODISCARD arb_code arb_memory_builder_create_from(const arb_table *base, arb_memory *account,
                                                      arb_memory_builder **out_builder, arb_error *error);
/* Append the selected rows. ARB_NOT_NULL_VIOLATION and ARB_UNIQUE_VIOLATION name the column. */
ARB_NODISCARD arb_code arb_memory_builder_append(arb_memory_builder *builder, const arb_batch *batch, arb_error *error);
/* Append all rows of another table in memory, whose columns are of the same types; large chunks are shared. */
ARB_NODISCARD arb_code arb_memory_builder_append_table(arb_memory_builder *builder, const arb_table *rows,
                                                       arb_error *error);
/* Append one row of values that are not nested; types as the columns'. */
ARB_NODISCARD arb_code arb_memory_builder_append_row(arb_memory_builder *builder, const arb_value *values,
                                                     arb_error *error);
/* The table, with one reference that the caller owns. The builder is empty afterwards and can only be destroyed. */
ARB_NODISCARD arb_code arb_memory_builder_finish(arb_memory_builder *builder, arb_table **out_table, arb_error *error);
/* Can rows be added to it? ARB_WRONG_OBJECT_TYPE when that is no table in memory. */
ARB_NODISCARD arb_code arb_memory_table_check(const arb_table *table, arb_error *error);
/* Are both versions of one table in memory? */
bool arb_memory_table_same(const arb_table *a, const arb_table *b);
void arb_memory_builder_destroy(arb_memory_builder *builder); /* NULL is a no-op */

#endif
