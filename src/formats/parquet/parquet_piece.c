#include "formats/parquet/parquet_piece.h"

#include "base/alloc.h"

static arb_code no_memory(size_t size, arb_error *error)
{
    return arb_fail_memory(error, "a Parquet page index", size);
}

/* To the arena, when it is there at once; else to memory that a read can keep. */
static arb_code begin(arb_parquet_piece *piece, const arb_byte_source *source, arb_read_queue *queue, uint64_t offset,
                      size_t size, arb_arena *arena, arb_error *error)
{
    size_t got;
    char *data = arb_arena_alloc(arena, size);
    if (data == NULL)
        return no_memory(size, error);
    ARB_TRY(arb_read_queue_try(queue, source, offset, data, size, &got, error));
    if (got == size) {
        piece->data = data;
        return ARB_OK;
    }
    piece->memory = arb_alloc(size);
    if (piece->memory == NULL)
        return no_memory(size, error);
    ARB_TRY(arb_read_queue_add(queue, source, offset, piece->memory, size, ARB_READ_PIECE, &piece->read, error));
    return ARB_WOULD_WAIT;
}

arb_code arb_parquet_piece_get(arb_parquet_piece *piece, const arb_byte_source *source, arb_read_queue *queue,
                               uint64_t offset, size_t size, arb_arena *arena, const void **out_data, arb_error *error)
{
    if (piece->data == NULL && piece->read == NULL)
        ARB_TRY(begin(piece, source, queue, offset, size, arena, error));
    if (piece->data == NULL) {
        arb_code code = arb_queued_read_finish(queue, piece->read, NULL, error);
        if (code == ARB_WOULD_WAIT)
            return code;
        piece->read = NULL;
        if (code == ARB_OK && (piece->data = arb_arena_copy(arena, piece->memory, size)) == NULL)
            code = no_memory(size, error);
        arb_free(piece->memory);
        piece->memory = NULL;
        ARB_TRY(code);
    }
    *out_data = piece->data;
    return ARB_OK;
}

void arb_parquet_piece_reset(arb_parquet_piece *piece, arb_read_queue *queue)
{
    if (piece->read != NULL)
        arb_queued_read_abandon(queue, piece->read, piece->memory);
    else
        arb_free(piece->memory);
    *piece = (arb_parquet_piece){0};
}
