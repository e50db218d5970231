/* series_table.h: range and generate_series: whole numbers at equal distances, made as they are read. */
#ifndef ARB_CATALOG_SERIES_TABLE_H
#define ARB_CATALOG_SERIES_TABLE_H

#include "catalog/table.h"

/* The numbers start, start + step, …, `count` of them. */
typedef struct arb_series {
    int64_t start, step;
    uint64_t count;
} arb_series;

/* Is the last one, and with it all of them, a BIGINT? */
bool arb_series_fits(arb_series series);
/* A table of one BIGINT column, table and column called `name`, which is copied. The series must fit. The caller has the
 * one reference. */
ARB_NODISCARD arb_code arb_series_table_create(arb_str name, arb_series series, arb_table **out_table,
                                               arb_error *error);
/* False when it is no such table. */
bool arb_series_table_describe(const arb_table *table, arb_series *out_series);

#endif
