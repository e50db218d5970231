/* group_table.h: rows that are unique by their key columns: the hash table of aggregations and of DISTINCT.
 *
 * Open addressing over 64-bit entries: | 16 bits of the hash | pointer to the row |. A batch is looked up as a whole: all
 * entries first, then new rows are made for the empty ones, then the keys of the others are compared column by column;
 * who met a stranger goes one entry further, in the next round. The row's header holds its hash, so growing reads no keys.
 *
 * The first columns of the layout are the keys; NULL equals NULL. What follows the columns (`extra` of the layout) starts
 * as a copy of `fresh`. One thread at a time.
 *
 * When the entries must grow, that is granted in any case: whoever can spill asks before (arb_group_table_growth). */
#ifndef ARB_EXECUTION_OPERATORS_GROUP_TABLE_H
#define ARB_EXECUTION_OPERATORS_GROUP_TABLE_H

#include "execution/operators/key_columns.h"
#include "execution/operators/row_store.h"

typedef struct arb_group_table {
    arb_row_store store;
    size_t key_count;
    const char *fresh; /* borrowed; NULL when the layout has no extra */
    uint64_t *entries;
    uint64_t capacity; /* power of two */
    arb_reservation reservation;
} arb_group_table;

/* Caller's memory; reset on a zeroed one is a no-op. `share` (NULL: the query at large) pays. */
ARB_NODISCARD arb_code arb_group_table_init(arb_group_table *table, const arb_row_layout *layout, size_t key_count,
                                            const char *fresh, arb_memory *memory, arb_memory_share *share,
                                            const char *owner, arb_error *error);
void arb_group_table_reset(arb_group_table *table);

/* Find or make the rows of a batch's keys, which are hashed and flattened, for the batch's rows in `rows`:
 * out_rows[row] is row's. */
ARB_NODISCARD arb_code arb_group_table_find(arb_group_table *table, const arb_key_columns *keys, const uint16_t *rows,
                                            size_t count, char **out_rows, arb_error *error);
/* Make rows without looking for equal ones. The entries are of no use afterwards. */
ARB_NODISCARD arb_code arb_group_table_append(arb_group_table *table, const arb_key_columns *keys, const uint16_t *rows,
                                              size_t count, char **out_rows, arb_error *error);
/* As find, for rows of the table's layout that lie elsewhere and whose headers hold their hashes: out_rows[i] is the row
 * here with the keys of rows[i]. Where bit i of `out_made` is set it is new: a copy of rows[i]. `has_null` is that of their
 * store; at most ARB_VECTOR_ROWS rows. */
ARB_NODISCARD arb_code arb_group_table_adopt(arb_group_table *table, char *const *rows, size_t count,
                                             const bool *has_null, char **out_rows, uint64_t *out_made,
                                             arb_error *error);
/* Bytes that the table would ask for in addition before it takes `more` rows, beside their own; mostly 0. */
uint64_t arb_group_table_growth(const arb_group_table *table, size_t more);
/* Drop all rows and give the memory back; the table is empty and usable. */
void arb_group_table_clear(arb_group_table *table);
/* The one row of a table without keys. */
ARB_NODISCARD arb_code arb_group_table_single(arb_group_table *table, char **out_row, arb_error *error);

#define ARB_SALT_MASK ((uint64_t)0xFFFF << 48)
#define ARB_GROUP_POINTER_MASK (~ARB_SALT_MASK)

#endif
