#include "execution/operators/row_block.h"

#include "io/codec.h"

enum { block_bytes = 256 * 1024 };

/* Bytes of a row that lie outside of it. */
static uint64_t far_bytes(const arb_row_format *format, const char *row)
{
    const arb_row_layout *layout = format->layout;
    uint64_t bytes = 0;
    for (size_t c = 0; layout->has_text && c < layout->column_count; c++) {
        if (!arb_row_column_is_text(&layout->columns[c]))
            continue;
        uint32_t size = ((const arb_string *)(const void *)(row + layout->columns[c].offset))->size;
        bytes += size > ARB_STRING_INLINE ? size : 0;
    }
    if (format->baggage != NULL)
        bytes += sizeof(uint32_t) + format->baggage->size(format->baggage->owner, row);
    return bytes;
}

static char *pack_far(const arb_row_format *format, const char *row, char *to)
{
    const arb_row_layout *layout = format->layout;
    for (size_t c = 0; layout->has_text && c < layout->column_count; c++) {
        if (!arb_row_column_is_text(&layout->columns[c]))
            continue;
        const arb_string *text = (const arb_string *)(const void *)(row + layout->columns[c].offset);
        if (text->size <= ARB_STRING_INLINE)
            continue;
        memcpy(to, text->far.data, text->size);
        to += text->size;
    }
    if (format->baggage == NULL)
        return to;
    uint64_t size = format->baggage->size(format->baggage->owner, row);
    arb_store_u32(to, (uint32_t)size);
    format->baggage->pack(format->baggage->owner, row, to + sizeof(uint32_t));
    return to + sizeof(uint32_t) + size;
}

arb_code arb_row_block_write(const arb_row_format *format, char *const *rows, size_t count, arb_row_block *out_block,
                             arb_error *error)
{
    size_t row_size = format->layout->size, taken = 0;
    uint64_t far = 0;
    while (taken < count && taken * row_size + far < block_bytes)
        far += far_bytes(format, rows[taken++]);
    uint64_t bytes = taken * row_size + far;
    if (bytes > ARB_SPILL_BLOCK_MOST) {
        arb_fail(error, ARB_OUT_OF_MEMORY, "out of memory, and a row of %llu bytes cannot go to disk",
                 (unsigned long long)bytes);
        arb_error_hint(error, "raise --memory-limit, or let aggregates that keep all values see fewer of them");
        return ARB_OUT_OF_MEMORY;
    }
    char *buffer = arb_alloc(bytes);
    if (buffer == NULL)
        return arb_fail_memory(error, "spilling", bytes);
    char *to = buffer;
    for (size_t i = 0; i < taken; i++, to += row_size)
        memcpy(to, rows[i], row_size);
    for (size_t i = 0; far != 0 && i < taken; i++)
        to = pack_far(format, rows[i], to);
    assert(to == buffer + bytes);
    arb_code code = arb_spill_file_write(format->file, buffer, bytes, &out_block->stored, error);
    arb_free(buffer);
    out_block->rows = (uint32_t)taken;
    return code;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

void arb_row_block_view_init(arb_row_block_view *view, arb_memory *memory, arb_memory_share *share, const char *owner)
{
    *view = (arb_row_block_view){0};
    arb_reservation_init(&view->reservation, memory, owner);
    view->reservation.share = share;
}

void arb_row_block_view_reset(arb_row_block_view *view)
{
    arb_free(view->bytes);
    arb_free(view->rows);
    arb_arena_reset(&view->arena);
    arb_reservation_reset(&view->reservation);
    *view = (arb_row_block_view){.reservation = view->reservation};
}

static arb_code make_room(arb_row_block_view *view, size_t bytes, size_t rows, arb_error *error)
{
    if (view->byte_capacity < bytes) {
        arb_free(view->bytes);
        view->bytes = arb_alloc(bytes);
        view->byte_capacity = view->bytes == NULL ? 0 : bytes;
        if (view->bytes == NULL)
            return arb_fail_memory(error, view->reservation.owner, bytes);
    }
    if (view->row_capacity < rows) {
        arb_free(view->rows);
        view->rows = arb_alloc(rows * sizeof *view->rows);
        view->row_capacity = view->rows == NULL ? 0 : rows;
        if (view->rows == NULL)
            return arb_fail_memory(error, view->reservation.owner, rows * sizeof *view->rows);
    }
    return ARB_OK;
}

/* Never denied: without this memory nothing that was spilled comes back. */
static void account(arb_row_block_view *view)
{
    uint64_t held = view->byte_capacity + view->row_capacity * sizeof *view->rows + view->arena.total;
    if (held > view->reservation.bytes)
        arb_reservation_force(&view->reservation, held - view->reservation.bytes);
    else
        arb_reservation_shrink(&view->reservation, view->reservation.bytes - held);
}

/* Turn the row's texts to where their bytes are now. Returns the end of what belongs to it. */
static char *unpack_text(const arb_row_layout *layout, char *row, char *from)
{
    for (size_t c = 0; layout->has_text && c < layout->column_count; c++) {
        if (!arb_row_column_is_text(&layout->columns[c]))
            continue;
        arb_string *text = (arb_string *)(void *)(row + layout->columns[c].offset);
        if (text->size <= ARB_STRING_INLINE)
            continue;
        text->far.data = from;
        from += text->size;
    }
    return from;
}

arb_code arb_row_block_read(const arb_row_format *format, const arb_row_block *block, arb_row_block_view *view,
                            arb_error *error)
{
    const arb_row_baggage *baggage = format->baggage;
    size_t row_size = format->layout->size;
    view->count = 0;
    arb_arena_rewind(&view->arena);
    ARB_TRY(make_room(view, (size_t)block->stored.size + ARB_CODEC_PADDING, block->rows, error));
    ARB_TRY(arb_spill_file_read(format->file, &block->stored, view->bytes, error));
    char *row = view->bytes, *far = view->bytes + block->rows * row_size;
    for (uint32_t i = 0; i < block->rows; i++, row += row_size) {
        view->rows[i] = row;
        far = unpack_text(format->layout, row, far);
        if (baggage == NULL)
            continue;
        uint32_t size = arb_load_u32(far);
        far += sizeof size;
        ARB_TRY(baggage->unpack(baggage->owner, &view->arena, far, size, row, error));
        far += size;
    }
    assert(far == view->bytes + block->stored.size);
    account(view);
    view->count = block->rows;
    return ARB_OK;
}
