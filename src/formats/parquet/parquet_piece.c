#include "formats/parquet/parquet_piece.h"

#include "base/alloc.h"
#include "runtime/held_memory.h"

static arb_code begin(arb_parquet_piece *piece, const arb_byte_source *source, arb_read_queue *queue,
                      arb_reservation *held, uint64_t offset, size_t size, arb_error *error)
{
    size_t got;
    ARB_TRY(arb_held_take(held, size, error));
    *piece = (arb_parquet_piece){.data = arb_alloc(size), .held = held, .size = size};
    if (piece->data == NULL)
        return arb_fail_memory(error, "a Parquet page index", size);
    ARB_TRY(arb_read_queue_try(queue, source, offset, piece->data, size, &got, error));
    return got == size
               ? ARB_OK
               : arb_read_queue_add(queue, source, offset, piece->data, size, ARB_READ_PIECE, &piece->read, error);
}

arb_code arb_parquet_piece_get(arb_parquet_piece *piece, const arb_byte_source *source, arb_read_queue *queue,
                               arb_reservation *held, uint64_t offset, size_t size, const void **out_data,
                               arb_error *error)
{
    arb_code code = piece->data == NULL ? begin(piece, source, queue, held, offset, size, error) : ARB_OK;
    if (code == ARB_OK && piece->read != NULL) {
        code = arb_queued_read_finish(queue, piece->read, NULL, error);
        if (code == ARB_WOULD_WAIT)
            return code;
        piece->read = NULL;
    }
    if (code != ARB_OK)
        arb_parquet_piece_reset(piece, queue);
    *out_data = piece->data;
    return code;
}

void arb_parquet_piece_reset(arb_parquet_piece *piece, arb_read_queue *queue)
{
    arb_held_give(piece->held, piece->size);
    if (piece->read != NULL)
        arb_queued_read_abandon(queue, piece->read, piece->data);
    else
        arb_free(piece->data);
    *piece = (arb_parquet_piece){0};
}
