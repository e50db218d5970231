/* series_table.h: range and generate_series: whole numbers at equal distances, made as they are read. */
#ifndef ARB_CATALOG_SERIES_TABLE_H
#define ARB_CATALOG_SERIES_TABLE_H

#include "catalog/table.h"

/* A table of one BIGINT column, table and column called `name` (borrowed: a literal): the numbers start, start + step, …,
 * `count` of them, all of which must fit the type. The caller has the one reference. */
ARB_NODISCARD arb_code arb_series_table_create(arb_str name, int64_t start, int64_t step, uint64_t count,
                                               arb_table **out_table, arb_error *error);

#endif
