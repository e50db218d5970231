#include "formats/writer.h"

arb_code arb_table_part_create(const arb_table_writer *writer, arb_table_part **out_part, arb_error *error)
{
    *out_part = NULL;
    ARB_TRY(writer->vtable->part_create(writer, out_part, error));
    (*out_part)->writer = writer;
    return ARB_OK;
}

void arb_table_part_destroy(arb_table_part *part)
{
    if (part != NULL)
        part->vtable->destroy(part);
}

arb_code arb_table_part_append(arb_table_part *part, const arb_batch *batch, arb_error *error)
{
    assert(!part->encoded);
    ARB_TRY(part->vtable->append(part, batch, error));
    part->rows += batch->selected;
    return ARB_OK;
}

bool arb_table_part_is_full(const arb_table_part *part, uint64_t more_rows)
{
    const arb_table_writer *writer = part->writer;
    return part->rows != 0 && (part->bytes >= writer->part_bytes || part->rows + more_rows > writer->part_rows);
}

arb_code arb_table_part_encode(arb_table_part *part, arb_error *error)
{
    assert(!part->encoded);
    if (part->rows != 0)
        ARB_TRY(part->vtable->encode(part, error));
    part->encoded = true;
    return ARB_OK;
}

arb_code arb_table_writer_put(arb_table_writer *writer, arb_table_part *part, arb_error *error)
{
    assert(part->encoded && part->writer == writer);
    if (part->rows != 0)
        ARB_TRY(writer->vtable->put(writer, part, error));
    writer->rows += part->rows;
    return ARB_OK;
}

void arb_table_part_clear(arb_table_part *part)
{
    part->writer->vtable->part_clear(part);
    part->rows = part->bytes = 0;
    part->encoded = false;
}

static arb_code put_filled(arb_table_writer *writer, arb_error *error)
{
    ARB_TRY(arb_table_part_encode(writer->filled, error));
    ARB_TRY(arb_table_writer_put(writer, writer->filled, error));
    arb_table_part_clear(writer->filled);
    return ARB_OK;
}

/* The next `count` selected rows from *row on, which is moved behind them. */
static arb_batch cut_batch(const arb_batch *batch, uint32_t *row, uint64_t count, uint64_t *selection)
{
    memset(selection, 0, arb_bitmap_words(batch->rows) * sizeof *selection);
    uint32_t taken = 0;
    for (; *row < batch->rows && taken < count; ++*row)
        if (batch->selection == NULL || arb_bitmap_get(batch->selection, *row)) {
            arb_bitmap_set(selection, *row);
            taken++;
        }
    arb_batch piece = *batch;
    piece.selection = selection;
    piece.selected = taken;
    return piece;
}

arb_code arb_table_writer_append(arb_table_writer *writer, const arb_batch *batch, arb_error *error)
{
    assert(batch->rows <= ARB_VECTOR_ROWS);
    if (writer->filled == NULL)
        ARB_TRY(arb_table_part_create(writer, &writer->filled, error));
    arb_table_part *part = writer->filled;
    uint64_t selection[ARB_VECTOR_WORDS];
    uint32_t row = 0, left = batch->selected;
    while (left != 0) {
        if (arb_table_part_is_full(part, 1))
            ARB_TRY(put_filled(writer, error));
        uint64_t room = writer->part_rows - part->rows;
        if (room >= left && left == batch->selected)
            return arb_table_part_append(part, batch, error);
        arb_batch piece = cut_batch(batch, &row, room, selection);
        ARB_TRY(arb_table_part_append(part, &piece, error));
        left -= piece.selected;
    }
    return ARB_OK;
}

arb_code arb_table_writer_finish(arb_table_writer *writer, arb_error *error)
{
    if (writer->filled != NULL)
        ARB_TRY(put_filled(writer, error));
    ARB_TRY(writer->vtable->finish(writer, error));
    return arb_byte_sink_finish(writer->sink, error);
}

void arb_table_writer_destroy(arb_table_writer *writer)
{
    if (writer == NULL)
        return;
    arb_table_part_destroy(writer->filled);
    writer->filled = NULL;
    arb_byte_sink *sink = writer->sink;
    writer->vtable->destroy(writer);
    arb_byte_sink_destroy(sink);
}
