/* row_store.h: rows of a fixed width in memory: what joins, aggregations and sorts keep of the batches they were lent.
 *
 *   row:  | header (8 bytes, the owner's) | column values, widest first | NULL bits | extra (the owner's) |
 *
 * Columns have the offsets that a row layout gives them. A BOOLEAN takes a byte; text takes the 16 bytes of an
 * arb_string whose far bytes lie in heap pages of the same store; lists and structs come packed, as such text (see
 * columnar/nested_value.h). A NULL bit of 1 means NULL.
 *
 * A store grows by pages, from 4 KiB doubling to 256 KiB, each reserved before it is allocated. Rows never move, so a
 * pointer to a row stays valid as long as its page; and two stores of one layout become one by moving their pages. All of
 * that is single-threaded: each driver fills a store of its own. Rows may be read by all once they are written. */
#ifndef ARB_EXECUTION_OPERATORS_ROW_STORE_H
#define ARB_EXECUTION_OPERATORS_ROW_STORE_H

#include "base/vec.h"
#include "columnar/vector.h"
#include "expr/layout.h"
#include "runtime/memory.h"

typedef struct arb_row_column {
    uint8_t physical;
    uint8_t width; /* bytes */
    uint32_t offset;
} arb_row_column;

/* Kept as an arb_string with far bytes in the heap. */
ARB_INLINE bool arb_row_column_is_text(const arb_row_column *column)
{
    return column->physical == ARB_PHYS_STRING;
}

typedef struct arb_row_layout {
    size_t column_count;
    const arb_row_column *columns;
    uint32_t null_offset, null_bytes;
    uint32_t extra_offset; /* multiple of 8 */
    uint32_t size;         /* multiple of 8 */
    bool has_text;         /* some column has bytes in the heap */
    char *null_row;        /* a row whose columns are all NULL; its header is 0 */
} arb_row_layout;

/* Made in the arena, which the layout must not outlive. `extra` bytes of the owner's own follow the columns. */
ARB_NODISCARD arb_code arb_row_layout_init(arb_row_layout *layout, arb_arena *arena, const arb_slot *slots,
                                           size_t count, uint32_t extra, arb_error *error);

typedef struct arb_row_page {
    uint32_t rows, capacity;
    uint64_t bytes; /* of the whole block */
} arb_row_page;

enum { ARB_ROW_PAGE_HEAD = 64, ARB_ROW_PAGE_LEAST = 4096, ARB_ROW_PAGE_MOST = 256 * 1024 };

ARB_INLINE char *arb_row_page_row(const arb_row_layout *layout, const arb_row_page *page, size_t at)
{
    return (char *)page + ARB_ROW_PAGE_HEAD + at * layout->size;
}

/* Some of the page's rows from *next on, at most `most`, which it moves over. Returns how many. */
ARB_INLINE size_t arb_row_page_take(const arb_row_layout *layout, const arb_row_page *page, size_t *next,
                                    char **out_rows, size_t most)
{
    size_t count = ARB_MIN(page->rows - *next, most);
    for (size_t i = 0; i < count; i++)
        out_rows[i] = arb_row_page_row(layout, page, (*next)++);
    return count;
}

typedef struct arb_heap_page {
    struct arb_heap_page *next;
    uint64_t bytes;
} arb_heap_page;

typedef struct arb_row_store {
    const arb_row_layout *layout;
    arb_reservation reservation;
    ARB_VEC(arb_row_page *) pages;
    uint64_t rows;
    arb_heap_page *heap, *heap_last; /* newest first */
    char *heap_next, *heap_end;
    bool *has_null;                    /* one a column: some row may be NULL there */
    struct arb_row_interned *interned; /* one a column: text of the dictionary seen last, copied already */
} arb_row_store;

/* The store borrows the layout. `owner` names the operator in messages. Caller's memory; reset on zeroes is a no-op. */
ARB_NODISCARD arb_code arb_row_store_init(arb_row_store *store, const arb_row_layout *layout, arb_memory *memory,
                                          const char *owner, arb_error *error);
void arb_row_store_reset(arb_row_store *store);
/* Drop all rows; the store is empty and usable. */
void arb_row_store_clear(arb_row_store *store);

/* `count` new rows: out_rows[i] points to the i-th, whose header and values are not set, and whose NULL bits are 0. */
ARB_NODISCARD arb_code arb_row_store_append(arb_row_store *store, size_t count, char **out_rows, arb_error *error);
/* Write column `column` of rows[i] from row source[i] of the vector (source NULL: row i), of any encoding. Text is copied
 * to the store's heap. */
ARB_NODISCARD arb_code arb_row_store_scatter(arb_row_store *store, size_t column, const arb_vector *vector,
                                             const uint16_t *source, size_t count, char *const *rows, arb_error *error);
/* Append whole rows of the same layout that lie elsewhere, header, extra bytes and texts' far bytes included. `has_null`
 * is that of their store. out_rows may be `rows`. */
ARB_NODISCARD arb_code arb_row_store_copy(arb_row_store *store, char *const *rows, size_t count, const bool *has_null,
                                          char **out_rows, arb_error *error);
/* Move all of `from`'s rows into `into`; both of one layout. `from` is empty and usable afterwards. */
ARB_NODISCARD arb_code arb_row_store_take(arb_row_store *into, arb_row_store *from, arb_error *error);
/* `size` bytes that live as long as the store; NULL when memory is spent (`error` is filled). */
ARB_NODISCARD char *arb_row_store_bytes(arb_row_store *store, size_t size, arb_error *error);

/* Column `column` of the rows, as a FLAT vector over `storage` (of the column's physical type). `may_be_null` false skips
 * the NULL bits. Text refers to the store. */
void arb_row_gather(const arb_row_layout *layout, size_t column, char *const *rows, size_t count, bool may_be_null,
                    const arb_vector_storage *storage, arb_vector *out);

/* Narrow a list of candidates to those where column `column` of rows[i] equals row i of the vector (FLAT), for i in
 * candidates. NULL equals NULL here. Those that differ are appended to `differ` (NULL: dropped). Returns how many stay, in
 * place. */
size_t arb_row_match(const arb_row_layout *layout, size_t column, const arb_vector *vector, bool may_be_null,
                     char *const *rows, uint16_t *candidates, size_t count, uint16_t *differ, size_t *differ_count);
/* Are the first `columns` columns of two rows equal? NULL equals NULL. */
bool arb_row_equal(const arb_row_layout *layout, size_t columns, const char *a, const char *b);

ARB_INLINE uint64_t *arb_row_header(char *row)
{
    return (uint64_t *)row;
}
ARB_INLINE bool arb_row_is_null(const arb_row_layout *layout, const char *row, size_t column)
{
    return ((uint8_t)row[layout->null_offset + column / 8] >> (column % 8)) & 1;
}
ARB_INLINE void arb_row_set_null(const arb_row_layout *layout, char *row, size_t column)
{
    row[layout->null_offset + column / 8] = (char)((uint8_t)row[layout->null_offset + column / 8] | 1u << (column % 8));
}

#endif
