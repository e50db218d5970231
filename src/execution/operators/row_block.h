/* row_block.h: some rows of a row store as a block of a spill file, and back.
 *
 *   block:  | rows, as they lie in memory | row by row: the far bytes of its texts, column by column; then, where the
 *           | owner has baggage, its size (32 bits) and bytes |
 *
 * Pointers are not spilled: text finds its new place when the block is read, and what an owner keeps in the header or the
 * extra bytes must not point anywhere, unless it is baggage: what the owner packs and unpacks himself. */
#ifndef ARB_EXECUTION_OPERATORS_ROW_BLOCK_H
#define ARB_EXECUTION_OPERATORS_ROW_BLOCK_H

#include "execution/operators/row_store.h"
#include "io/spill_file.h"

typedef struct arb_row_baggage {
    const void *owner;
    uint64_t (*size)(const void *owner, const char *row);
    void (*pack)(const void *owner, const char *row, char *to);
    /* Make the row whole again; it may refer to `from` and to the arena, which live as long as the row. */
    arb_code (*unpack)(const void *owner, arb_arena *arena, const char *from, uint64_t size, char *row,
                       arb_error *error);
} arb_row_baggage;

/* What rows are like, and where they go. All borrowed. */
typedef struct arb_row_format {
    const arb_row_layout *layout;
    const arb_row_baggage *baggage; /* NULL: none */
    arb_spill_file *file;
} arb_row_format;

typedef struct arb_row_block {
    arb_spill_block stored;
    uint32_t rows;
} arb_row_block;

/* Write as many of the rows as make a block, one at least; out_block->rows says how many. Any thread. */
ARB_NODISCARD arb_code arb_row_block_write(const arb_row_format *format, char *const *rows, size_t count,
                                           arb_row_block *out_block, arb_error *error);

/* A block in memory, one after the other in the same place. */
typedef struct arb_row_block_view {
    uint32_t count;
    char **rows; /* as they were, valid until the next read */
    size_t row_capacity, byte_capacity;
    char *bytes;
    arb_arena arena; /* of what was baggage */
    arb_reservation reservation;
} arb_row_block_view;

/* `share` pays for the memory (NULL: the query at large). Caller's memory; reset on a zeroed one is a no-op. */
void arb_row_block_view_init(arb_row_block_view *view, arb_memory *memory, arb_memory_share *share, const char *owner);
void arb_row_block_view_reset(arb_row_block_view *view);
ARB_NODISCARD arb_code arb_row_block_read(const arb_row_format *format, const arb_row_block *block,
                                          arb_row_block_view *view, arb_error *error);
#endif
