#include "exchange/block_reader.h"

#include "base/alloc.h"
#include "columnar/ipc/flatbuffer_read.h"
#include "columnar/ipc/ipc_decoder.h"
#include "columnar/ipc/ipc_format.h"

/* Where a column of the block lies. */
typedef struct place {
    const uint8_t *validity; /* NULL: no NULLs */
    const int32_t *offsets;  /* texts */
    const uint8_t *values;
    uint64_t size; /* of the values */
} place;

struct arb_block_reader {
    size_t produced_count;
    const uint8_t *produced;
    const uint32_t *columns;
    size_t column_count;
    uint32_t batch_rows;
    place *places;                /* of all columns of the block */
    arb_vector_storage *storages; /* of the columns given: texts, and bits that begin within a byte */
    arb_vector *vectors;
    uint32_t rows, next;
    arb_batch batch;
};

void arb_block_reader_destroy(arb_block_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; reader->storages != NULL && i < reader->column_count; i++)
        arb_vector_storage_reset(&reader->storages[i]);
    arb_free(reader->places);
    arb_free(reader->storages);
    arb_free(reader->vectors);
    arb_free(reader);
}

arb_code arb_block_reader_create(const uint8_t *produced, size_t produced_count, const uint32_t *columns,
                                 size_t column_count, uint32_t batch_rows, arb_block_reader **out_reader,
                                 arb_error *error)
{
    *out_reader = NULL;
    arb_block_reader *reader = arb_alloc_zeroed(sizeof *reader);
    if (reader == NULL)
        return arb_fail_memory(error, "an exchange", sizeof *reader);
    *reader = (arb_block_reader){.produced_count = produced_count,
                                 .produced = produced,
                                 .columns = columns,
                                 .column_count = column_count,
                                 .batch_rows = batch_rows};
    reader->places = arb_alloc_zeroed((produced_count + 1) * sizeof *reader->places);
    reader->storages = arb_alloc_zeroed((column_count + 1) * sizeof *reader->storages);
    reader->vectors = arb_alloc_zeroed((column_count + 1) * sizeof *reader->vectors);
    arb_code code = ARB_OK;
    if (reader->places == NULL || reader->storages == NULL || reader->vectors == NULL)
        code = arb_fail_memory(error, "an exchange", column_count * sizeof *reader->storages);
    for (size_t i = 0; code == ARB_OK && i < column_count; i++)
        code =
            arb_vector_storage_init(&reader->storages[i], (arb_physical)produced[columns[i]], ARB_VECTOR_ROWS, error);
    if (code != ARB_OK) {
        arb_block_reader_destroy(reader);
        return code;
    }
    *out_reader = reader;
    return ARB_OK;
}

/* ---- opening a block ------------------------------------------------------------------------------------------------------- */

static arb_code damaged(const char *what, arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a block of an exchange has %s", what);
}

static arb_code find_buffer(const arb_block *block, const arb_flat_vector *buffers, uint32_t at, const uint8_t **out,
                            uint64_t *out_size, arb_error *error)
{
    const uint8_t *entry = arb_flat_element(buffers, at);
    int64_t offset = arb_load_i64(entry), size = arb_load_i64(entry + 8);
    if (offset < 0 || size < 0 || offset % ARB_ARROW_ALIGNMENT != 0 || (uint64_t)offset > block->body_size ||
        (uint64_t)size > block->body_size - (uint64_t)offset)
        return damaged("a column outside of it", error);
    *out = block->data + block->body_at + offset;
    *out_size = (uint64_t)size;
    return ARB_OK;
}

static arb_code check_texts(const place *found, uint64_t offsets_size, uint32_t rows, arb_error *error)
{
    if (offsets_size != ((uint64_t)rows + 1) * sizeof(int32_t) || found->offsets[0] != 0)
        return damaged("texts without offsets", error);
    int32_t backwards = 0;
    for (uint32_t i = 0; i < rows; i++)
        backwards |= found->offsets[i + 1] - found->offsets[i];
    if (backwards < 0 || found->offsets[0] < 0 || (uint64_t)(uint32_t)found->offsets[rows] > found->size)
        return damaged("texts outside of it", error);
    return ARB_OK;
}

static arb_code find_column(arb_physical physical, const arb_block *block, const arb_flat_vector *buffers,
                            uint32_t *next, place *found, arb_error *error)
{
    uint64_t validity_size, offsets_size = 0;
    uint64_t bits = ((uint64_t)block->rows + 7) / 8;
    bool is_text = physical == ARB_PHYS_STRING;
    if (buffers->count - *next < 2 + (uint32_t)is_text)
        return damaged("fewer columns than it should", error);
    ARB_TRY(find_buffer(block, buffers, (*next)++, &found->validity, &validity_size, error));
    if (is_text) {
        const uint8_t *offsets;
        ARB_TRY(find_buffer(block, buffers, (*next)++, &offsets, &offsets_size, error));
        found->offsets = (const int32_t *)(const void *)offsets;
    }
    ARB_TRY(find_buffer(block, buffers, (*next)++, &found->values, &found->size, error));
    if (validity_size == 0)
        found->validity = NULL;
    else if (validity_size != bits)
        return damaged("fewer rows than it should", error);
    if (is_text)
        return check_texts(found, offsets_size, block->rows, error);
    uint64_t wanted = physical == ARB_PHYS_BOOL ? bits : block->rows * (uint64_t)arb_physical_size(physical);
    return found->size == wanted ? ARB_OK : damaged("fewer rows than it should", error);
}

arb_code arb_block_reader_begin(arb_block_reader *reader, const arb_block *block, arb_error *error)
{
    arb_ipc_message message;
    ARB_TRY(arb_ipc_message_read(block->data, block->metadata_size, &message, error));
    arb_flat_vector buffers = arb_flat_scalars(&message.header, BATCH_BUFFERS, BUFFER_BYTES);
    int64_t rows = arb_flat_i64(&message.header, BATCH_LENGTH, 0);
    bool compressed = arb_flat_has(&message.header, BATCH_COMPRESSION);
    ARB_TRY(arb_flat_check(&message.reader, "a block of an exchange", error));
    if (message.type != HEADER_BATCH || rows != (int64_t)block->rows || message.body_size != block->body_size ||
        compressed)
        return damaged("another description than it should", error);
    uint32_t next = 0;
    for (size_t i = 0; i < reader->produced_count; i++)
        ARB_TRY(find_column(reader->produced[i], block, &buffers, &next, &reader->places[i], error));
    if (next != buffers.count)
        return damaged("more columns than it should", error);
    reader->rows = block->rows;
    reader->next = 0;
    return ARB_OK;
}

/* ---- giving rows ----------------------------------------------------------------------------------------------------------- */

/* `count` bits from bit `from` on: where they are, or moved to `room` when they begin within a word. */
static uint64_t *bits_from(const uint8_t *bits, uint32_t from, uint32_t count, uint64_t *room)
{
    if (from % 64 == 0)
        return (uint64_t *)(uintptr_t)(const void *)(bits + from / 8);
    memset(room, 0, arb_bitmap_words(count) * 8);
    for (uint32_t i = 0; i < count; i++)
        if (arb_bitmap_get((const uint64_t *)(const void *)bits, from + i))
            arb_bitmap_set(room, i);
    return room;
}

static void make_vector(const place *column, arb_vector_storage *storage, uint32_t from, uint32_t count,
                        arb_vector *out)
{
    *out = (arb_vector){.physical = (uint8_t)storage->physical, .encoding = ARB_FLAT};
    if (column->validity != NULL)
        out->validity = bits_from(column->validity, from, count, storage->validity);
    if (storage->physical == ARB_PHYS_STRING) {
        arb_string *texts = storage->values;
        const int32_t *offsets = column->offsets + from;
        const char *bytes = (const char *)column->values;
        for (uint32_t i = 0; i < count; i++)
            texts[i] = arb_string_of(bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
        out->values.string = texts;
    } else if (storage->physical == ARB_PHYS_BOOL) {
        out->values.bits = bits_from(column->values, from, count, storage->values);
    } else {
        out->values.data = (void *)(uintptr_t)(column->values + from * arb_physical_size(storage->physical));
    }
}

const arb_batch *arb_block_reader_next(arb_block_reader *reader)
{
    uint32_t count = ARB_MIN(reader->rows - reader->next, reader->batch_rows);
    if (count == 0)
        return NULL;
    for (size_t i = 0; i < reader->column_count; i++)
        make_vector(&reader->places[reader->columns[i]], &reader->storages[i], reader->next, count,
                    &reader->vectors[i]);
    reader->next += count;
    reader->batch = (arb_batch){
        .rows = count, .selected = count, .column_count = (uint32_t)reader->column_count, .columns = reader->vectors};
    return &reader->batch;
}
