#include "exchange/block_builder.h"

#include "base/alloc.h"
#include "base/failpoint.h"
#include "columnar/ipc/flatbuffer_write.h"
#include "columnar/ipc/ipc_format.h"
#include "kernels/select.h"

enum { text_most = 1 << 30, /* bytes of one column's texts in a block: offsets have 31 bits */ rows_most = 1 << 24 };

arb_code arb_block_builder_init(arb_block_builder *builder, const arb_layout *layout, arb_error *error)
{
    *builder = (arb_block_builder){.column_count = layout->count};
    builder->columns = arb_alloc_zeroed((layout->count + 1) * sizeof *builder->columns);
    if (builder->columns == NULL)
        return arb_fail_memory(error, "an exchange", layout->count * sizeof *builder->columns);
    for (size_t i = 0; i < layout->count; i++)
        builder->columns[i].physical = layout->slots[i].physical;
    return ARB_OK;
}

void arb_block_builder_reset(arb_block_builder *builder)
{
    for (size_t i = 0; builder->columns != NULL && i < builder->column_count; i++) {
        arb_arrow_growing_reset(&builder->columns[i].values);
        arb_arrow_growing_reset(&builder->columns[i].offsets);
        arb_arrow_growing_reset(&builder->columns[i].validity);
    }
    arb_free(builder->columns);
    *builder = (arb_block_builder){0};
}

/* ---- adding rows ------------------------------------------------------------------------------------------------------------ */

/* How many of the rows fit, by the texts of this column. */
static size_t text_fits(const arb_block_column *column, const arb_vector *vector, const uint16_t *rows, size_t count)
{
    uint64_t size = column->values.size;
    const arb_string *entries = arb_vector_entries(vector)->values.string;
    for (size_t i = 0; i < count; i++) {
        if (arb_vector_is_valid(vector, rows[i]))
            size += entries[arb_vector_slot(vector, rows[i])].size;
        if (size > text_most)
            return i;
    }
    return count;
}

static arb_code reserve_bits(arb_arrow_growing *bits, size_t rows, size_t more, arb_error *error)
{
    size_t wanted = arb_bitmap_words(rows + more) * 8;
    if (bits->size >= wanted)
        return ARB_OK;
    ARB_TRY(arb_arrow_growing_reserve(bits, wanted - bits->size, error));
    memset(bits->data + bits->size, 0, wanted - bits->size);
    bits->size = wanted;
    return ARB_OK;
}

static arb_code append_validity(arb_block_column *column, const arb_vector *vector, size_t before, const uint16_t *rows,
                                size_t count, arb_error *error)
{
    if (vector->validity == NULL && column->validity.size == 0)
        return ARB_OK;
    bool first = column->validity.size == 0;
    ARB_TRY(reserve_bits(&column->validity, before, count, error));
    uint64_t *bits = (uint64_t *)(void *)column->validity.data;
    if (first)
        arb_bitmap_fill(bits, before);
    for (size_t i = 0; i < count; i++)
        if (arb_vector_is_valid(vector, rows[i]))
            arb_bitmap_set(bits, before + i);
    return ARB_OK;
}

static arb_code append_bits(arb_block_column *column, const arb_vector *vector, size_t before, const uint16_t *rows,
                            size_t count, arb_error *error)
{
    ARB_TRY(reserve_bits(&column->values, before, count, error));
    uint64_t *bits = (uint64_t *)(void *)column->values.data;
    const uint64_t *from = arb_vector_entries(vector)->values.bits;
    for (size_t i = 0; i < count; i++)
        if (arb_bitmap_get(from, arb_vector_slot(vector, rows[i])))
            arb_bitmap_set(bits, before + i);
    return ARB_OK;
}

static arb_code append_texts(arb_block_column *column, const arb_vector *vector, size_t before, const uint16_t *rows,
                             size_t count, arb_error *error)
{
    const arb_string *entries = arb_vector_entries(vector)->values.string;
    uint64_t more = 0;
    for (size_t i = 0; i < count; i++)
        more += entries[arb_vector_slot(vector, rows[i])].size;
    ARB_TRY(arb_arrow_growing_reserve(&column->offsets, (count + (before == 0)) * sizeof(int32_t), error));
    ARB_TRY(arb_arrow_growing_reserve(&column->values, more + ARB_STRING_INLINE, error));
    int32_t *offsets = (int32_t *)(void *)column->offsets.data;
    if (before == 0)
        offsets[0] = 0;
    for (size_t i = 0; i < count; i++) {
        const arb_string *text = &entries[arb_vector_slot(vector, rows[i])];
        size_t size = arb_vector_is_valid(vector, rows[i]) ? text->size : 0;
        uint8_t *to = column->values.data + column->values.size;
        if (size <= ARB_STRING_INLINE) /* all that is inlined: one copy of a known size */
            memcpy(to, text->inlined, ARB_STRING_INLINE);
        else
            memcpy(to, text->far.data, size);
        column->values.size += size;
        offsets[before + i + 1] = (int32_t)column->values.size;
    }
    column->offsets.size = (before + count + 1) * sizeof(int32_t);
    return ARB_OK;
}

static arb_code append_fixed(arb_block_column *column, const arb_vector *vector, const uint16_t *rows, size_t count,
                             arb_error *error)
{
    size_t size = arb_physical_size(column->physical);
    unsigned width = arb_width_of(size);
    ARB_TRY(arb_arrow_growing_reserve(&column->values, count * size, error));
    uint8_t *to = column->values.data + column->values.size;
    if (vector->encoding == ARB_FLAT) {
        arb_selection_kernels_get()->gather16[width](vector->values.data, rows, count, to);
    } else if (vector->encoding == ARB_DICTIONARY) {
        uint32_t codes[ARB_VECTOR_ROWS];
        arb_selection_kernels_get()->gather16[ARB_WIDTH_4](vector->values.codes, rows, count, codes);
        arb_selection_kernels_get()->gather32[width](vector->dictionary->values.data, codes, count, to);
    } else {
        for (size_t i = 0; i < count; i++)
            memcpy(to + i * size, vector->values.data, size);
    }
    column->values.size += count * size;
    return ARB_OK;
}

static arb_code append_column(arb_block_column *column, const arb_vector *vector, size_t before, const uint16_t *rows,
                              size_t count, arb_error *error)
{
    ARB_TRY(append_validity(column, vector, before, rows, count, error));
    if (column->physical == ARB_PHYS_STRING)
        return append_texts(column, vector, before, rows, count, error);
    if (column->physical == ARB_PHYS_BOOL)
        return append_bits(column, vector, before, rows, count, error);
    return append_fixed(column, vector, rows, count, error);
}

arb_code arb_block_builder_append(arb_block_builder *builder, const arb_vector *const *columns, const uint16_t *rows,
                                  size_t count, size_t *out_taken, arb_error *error)
{
    *out_taken = 0;
    count = ARB_MIN(count, (size_t)(rows_most - builder->rows));
    for (size_t c = 0; c < builder->column_count; c++)
        if (builder->columns[c].physical == ARB_PHYS_STRING)
            count = text_fits(&builder->columns[c], columns[c], rows, count);
    if (count == 0 && builder->rows != 0)
        return ARB_OK;
    count = ARB_MAX(count, (size_t)1);
    builder->bytes = builder->capacity = 0;
    for (size_t c = 0; c < builder->column_count; c++) {
        arb_block_column *column = &builder->columns[c];
        ARB_TRY(append_column(column, columns[c], builder->rows, rows, count, error));
        builder->bytes += column->values.size + column->offsets.size + column->validity.size;
        builder->capacity += column->values.capacity + column->offsets.capacity + column->validity.capacity;
    }
    builder->rows += (uint32_t)count;
    *out_taken = count;
    return ARB_OK;
}

/* ---- sealing ---------------------------------------------------------------------------------------------------------------- */

typedef struct buffer_place {
    int64_t offset, size;
} buffer_place;

/* Bytes of a bitmap as a message has them. */
static size_t bitmap_bytes(const arb_arrow_growing *bits, uint32_t rows)
{
    return bits->size == 0 ? 0 : ((size_t)rows + 7) / 8;
}

static size_t list_buffers(const arb_block_builder *builder, const arb_arrow_growing **buffers, buffer_place *places,
                           uint64_t *out_body)
{
    size_t count = 0;
    uint64_t at = 0;
    for (size_t c = 0; c < builder->column_count; c++) {
        const arb_block_column *column = &builder->columns[c];
        bool is_text = column->physical == ARB_PHYS_STRING;
        size_t sizes[] = {bitmap_bytes(&column->validity, builder->rows), column->offsets.size,
                          column->physical == ARB_PHYS_BOOL ? bitmap_bytes(&column->values, builder->rows)
                                                            : column->values.size};
        const arb_arrow_growing *parts[] = {&column->validity, &column->offsets, &column->values};
        for (size_t i = 0; i < ARB_COUNT_OF(parts); i++) {
            if (i == 1 && !is_text)
                continue;
            buffers[count] = parts[i];
            places[count++] = (buffer_place){(int64_t)at, (int64_t)sizes[i]};
            at += arb_round_up(sizes[i], ARB_ARROW_ALIGNMENT);
        }
    }
    *out_body = at;
    return count;
}

static arb_code describe(const arb_block_builder *builder, const buffer_place *places, size_t place_count,
                         uint64_t body_size, arb_text *out, arb_error *error)
{
    arb_flat_writer writer = {0};
    buffer_place *nodes = arb_alloc((builder->column_count + 1) * sizeof *nodes); /* of the same form: length, NULLs */
    if (nodes == NULL)
        return arb_fail_memory(error, "an exchange", builder->column_count * sizeof *nodes);
    for (size_t c = 0; c < builder->column_count; c++) {
        const arb_arrow_growing *validity = &builder->columns[c].validity;
        size_t valid = validity->size == 0
                           ? builder->rows
                           : arb_bitmap_count((const uint64_t *)(const void *)validity->data, builder->rows);
        nodes[c] = (buffer_place){builder->rows, (int64_t)(builder->rows - valid)};
    }
    arb_flat_slot message[] = {{.field = MESSAGE_VERSION, .size = 2, .value = IPC_V5},
                               {.field = MESSAGE_HEADER_TYPE, .size = 1, .value = HEADER_BATCH},
                               {.field = MESSAGE_HEADER},
                               {.field = MESSAGE_BODY_LENGTH, .size = 8, .value = (int64_t)body_size}};
    arb_flat_slot batch[] = {
        {.field = BATCH_LENGTH, .size = 8, .value = builder->rows}, {.field = BATCH_NODES}, {.field = BATCH_BUFFERS}};
    arb_flat_write_root(&writer, message, ARB_COUNT_OF(message));
    arb_flat_write_table(&writer, message[2].at, batch, ARB_COUNT_OF(batch));
    arb_flat_write_vector(&writer, batch[1].at, nodes, builder->column_count, NODE_BYTES, 8);
    arb_flat_write_vector(&writer, batch[2].at, places, place_count, BUFFER_BYTES, 8);
    arb_free(nodes);
    *out = writer.bytes;
    return arb_text_check(out, error);
}

static void empty(arb_block_builder *builder)
{
    for (size_t c = 0; c < builder->column_count; c++)
        builder->columns[c].values.size = builder->columns[c].offsets.size = builder->columns[c].validity.size = 0;
    builder->rows = 0;
    builder->bytes = 0;
}

arb_code arb_block_builder_seal(arb_block_builder *builder, const arb_block_origin *origin, arb_block *out_block,
                                arb_error *error)
{
    assert(builder->rows != 0);
    *out_block = (arb_block){0};
    size_t most = builder->column_count * 3 + 1;
    const arb_arrow_growing **buffers = arb_alloc(most * sizeof *buffers);
    buffer_place *places = arb_alloc(most * sizeof *places);
    arb_block block = {.rows = builder->rows};
    arb_text metadata = {0};
    arb_code code = ARB_OK;
    if (buffers == NULL || places == NULL)
        code = arb_fail_memory(error, "an exchange", most * sizeof *places);
    size_t count = code == ARB_OK ? list_buffers(builder, buffers, places, &block.body_size) : 0;
    if (code == ARB_OK)
        code = describe(builder, places, count, block.body_size, &metadata, error);
    if (code == ARB_OK) {
        block.metadata_size = (uint32_t)metadata.size;
        code = arb_block_room(&block, error);
    }
    if (code == ARB_OK) {
        memcpy(block.data, metadata.data, metadata.size);
        for (size_t i = 0; i < count; i++) {
            uint8_t *to = block.data + block.body_at + places[i].offset;
            size_t size = (size_t)places[i].size, padded = arb_round_up(size, ARB_ARROW_ALIGNMENT);
            if (size != 0)
                memcpy(to, buffers[i]->data, size);
            memset(to + size, 0, padded - size);
        }
        block.checksum = arb_block_checksum(&block, origin);
        ARB_FAILPOINT_DAMAGE(EXCHANGE_SEALED, block.data + block.body_at, block.body_size);
        *out_block = block;
        empty(builder);
    }
    arb_text_reset(&metadata);
    arb_free(buffers);
    arb_free(places);
    return code;
}
