/* table_sample.h: which part of a table's rows passes a condition, and how often a column's values repeat, seen on a sample.
 *
 * Footers say little about text, nothing about conditions on several columns, and seldom how many values a column has. So
 * the planner looks: a batch from each of a few splits, spread over the table. Answers are kept, within a fixed number, for
 * as long as the table's file stays the same; they serve estimates only and can never change a result. */
#ifndef ARB_CATALOG_TABLE_SAMPLE_H
#define ARB_CATALOG_TABLE_SAMPLE_H

#include "catalog/table.h"
#include "expr/layout.h"

typedef struct arb_sample_cache arb_sample_cache;

/* `memory` is the account of what is held while looking; it outlives the cache. */
ARB_NODISCARD arb_code arb_sample_cache_create(arb_memory *memory, arb_sample_cache **out_cache, arb_error *error);
void arb_sample_cache_destroy(arb_sample_cache *cache); /* NULL is a no-op */

/* The passing part, 0 to 1, of the rows of a loaded table; negative when the table is too small to be worth it, when a look
 * would read more than `*bytes_left`, or when it fails for any reason. What is read is taken off *bytes_left; an answer
 * that is known costs nothing. `ids[i]` is what the condition calls column columns[i]. Any thread. */
double arb_table_sample_selectivity(arb_sample_cache *cache, const arb_table *table, const arb_column_id *ids,
                                    const uint32_t *columns, size_t count, const arb_expr *condition,
                                    double *bytes_left, arb_stop_flag *stop);
/* How many values the column has among rows that lie together, as a part of those rows: the table has no larger a part. With
 * keys that come in runs it is about as large; elsewhere it says little. For whole numbers, decimals, dates and times;
 * otherwise as above. */
double arb_table_sample_distinct(arb_sample_cache *cache, const arb_table *table, uint32_t column, double *bytes_left,
                                 arb_stop_flag *stop);

#endif
