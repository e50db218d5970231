#include "execution/operators/row_spill.h"

#include "io/codec.h"

enum { block_bytes = 256 * 1024, rows_at_once = 64 * 1024 };

arb_code arb_row_spill_create(const arb_row_layout *layout, arb_spill_file *file, unsigned level,
                              arb_row_spill **out_spill, arb_error *error)
{
    *out_spill = NULL;
    arb_row_spill *spill = arb_alloc_zeroed(sizeof *spill);
    if (spill == NULL)
        return arb_fail_memory(error, "spilling", sizeof *spill);
    spill->has_null = arb_alloc_zeroed(layout->column_count + 1);
    if (spill->has_null == NULL) {
        arb_free(spill);
        return arb_fail_memory(error, "spilling", layout->column_count);
    }
    spill->layout = layout;
    spill->file = file;
    spill->level = level;
    pthread_mutex_init(&spill->lock, NULL);
    *out_spill = spill;
    return ARB_OK;
}

void arb_row_spill_destroy(arb_row_spill *spill)
{
    if (spill == NULL)
        return;
    for (size_t p = 0; p < ARB_SPILL_PARTS; p++)
        ARB_VEC_RESET(&spill->streams[p].blocks);
    pthread_mutex_destroy(&spill->lock);
    arb_free(spill->has_null);
    arb_free(spill);
}

static bool is_text(const arb_row_column *column)
{
    return column->physical == ARB_PHYS_STRING;
}

/* Bytes of a row's text that lie outside of it. */
static uint64_t far_bytes(const arb_row_layout *layout, const char *row)
{
    uint64_t bytes = 0;
    for (size_t c = 0; layout->has_text && c < layout->column_count; c++) {
        if (!is_text(&layout->columns[c]))
            continue;
        uint32_t size = ((const arb_string *)(const void *)(row + layout->columns[c].offset))->size;
        bytes += size > ARB_STRING_INLINE ? size : 0;
    }
    return bytes;
}

static char *pack_far(const arb_row_layout *layout, const char *row, char *to)
{
    for (size_t c = 0; c < layout->column_count; c++) {
        if (!is_text(&layout->columns[c]))
            continue;
        const arb_string *text = (const arb_string *)(const void *)(row + layout->columns[c].offset);
        if (text->size <= ARB_STRING_INLINE)
            continue;
        memcpy(to, text->far.data, text->size);
        to += text->size;
    }
    return to;
}

/* As many of the rows as make a block; *out_rows says how many. */
static arb_code write_block(arb_row_spill *spill, char *const *rows, size_t count, arb_row_block *out_block,
                            uint64_t *out_bytes, arb_error *error)
{
    const arb_row_layout *layout = spill->layout;
    uint64_t far = 0;
    size_t taken = 0;
    while (taken < count && taken * layout->size + far < block_bytes)
        far += far_bytes(layout, rows[taken++]);
    uint64_t bytes = taken * (uint64_t)layout->size + far;
    if (bytes > ARB_SPILL_BLOCK_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a row of %llu bytes cannot be spilled", (unsigned long long)bytes);
    char *buffer = arb_alloc(bytes);
    if (buffer == NULL)
        return arb_fail_memory(error, "spilling", bytes);
    char *to = buffer;
    for (size_t i = 0; i < taken; i++, to += layout->size)
        memcpy(to, rows[i], layout->size);
    for (size_t i = 0; far != 0 && i < taken; i++)
        to = pack_far(layout, rows[i], to);
    arb_code code = arb_spill_file_write(spill->file, buffer, bytes, &out_block->stored, error);
    arb_free(buffer);
    out_block->rows = (uint32_t)taken;
    *out_bytes = bytes;
    return code;
}

arb_code arb_row_spill_write(arb_row_spill *spill, uint32_t part, char *const *rows, size_t count, const bool *has_null,
                             arb_error *error)
{
    arb_row_stream *stream = &spill->streams[part];
    for (size_t done = 0; done < count;) {
        arb_row_block block;
        uint64_t bytes;
        ARB_TRY(write_block(spill, rows + done, count - done, &block, &bytes, error));
        pthread_mutex_lock(&spill->lock);
        bool kept = ARB_VEC_PUSH(&stream->blocks, block);
        stream->rows += block.rows;
        stream->bytes += bytes;
        for (size_t c = 0; c < spill->layout->column_count; c++)
            spill->has_null[c] |= has_null[c];
        pthread_mutex_unlock(&spill->lock);
        if (!kept)
            return arb_fail_memory(error, "spilling", sizeof block);
        done += block.rows;
    }
    return ARB_OK;
}

/* Write some rows, which `scratch` has room for, partition by partition. */
static arb_code write_parts(arb_row_spill *spill, char *const *rows, size_t count, char **scratch, const bool *has_null,
                            arb_error *error)
{
    size_t ends[ARB_SPILL_PARTS] = {0}, start = 0;
    for (size_t i = 0; i < count; i++)
        ends[arb_spill_part(arb_load_u64(rows[i]), spill->level)]++;
    for (size_t p = 0, sum = 0; p < ARB_SPILL_PARTS; p++) {
        size_t of_part = ends[p];
        ends[p] = sum;
        sum += of_part;
    }
    for (size_t i = 0; i < count; i++)
        scratch[ends[arb_spill_part(arb_load_u64(rows[i]), spill->level)]++] = rows[i];
    for (uint32_t p = 0; p < ARB_SPILL_PARTS; p++) {
        if (ends[p] > start)
            ARB_TRY(arb_row_spill_write(spill, p, scratch + start, ends[p] - start, has_null, error));
        start = ends[p];
    }
    return ARB_OK;
}

arb_code arb_row_spill_store(arb_row_spill *spill, arb_row_store *store, arb_error *error)
{
    const arb_row_layout *layout = spill->layout;
    if (store->rows == 0)
        return ARB_OK;
    size_t most = (size_t)ARB_MIN(store->rows, (uint64_t)rows_at_once), count = 0;
    char **rows = arb_alloc(2 * most * sizeof *rows);
    if (rows == NULL)
        return arb_fail_memory(error, "spilling", 2 * most * sizeof *rows);
    arb_code code = ARB_OK;
    for (size_t p = 0; code == ARB_OK && p < store->pages.size; p++) {
        const arb_row_page *page = store->pages.data[p];
        for (size_t i = 0; code == ARB_OK && i < page->rows; i++) {
            rows[count++] = arb_row_page_row(layout, page, i);
            if (count < most)
                continue;
            code = write_parts(spill, rows, count, rows + most, store->has_null, error);
            count = 0;
        }
    }
    if (code == ARB_OK && count != 0)
        code = write_parts(spill, rows, count, rows + most, store->has_null, error);
    arb_free(rows);
    if (code == ARB_OK)
        arb_row_store_clear(store);
    return code;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static char *unpack_far(const arb_row_layout *layout, char *row, char *from)
{
    for (size_t c = 0; c < layout->column_count; c++) {
        if (!is_text(&layout->columns[c]))
            continue;
        arb_string *text = (arb_string *)(void *)(row + layout->columns[c].offset);
        if (text->size <= ARB_STRING_INLINE)
            continue;
        text->far.data = from;
        from += text->size;
    }
    return from;
}

static arb_code place_rows(const arb_row_spill *spill, const arb_row_block *block, const char *from,
                           arb_row_store *store, char **out_rows, arb_error *error)
{
    const arb_row_layout *layout = spill->layout;
    size_t fixed = (size_t)block->rows * layout->size, far = block->stored.size - fixed;
    char *text = NULL, *rows[ARB_VECTOR_ROWS];
    if (far != 0) {
        text = arb_row_store_bytes(store, far, error);
        if (text == NULL)
            return ARB_OUT_OF_MEMORY;
        memcpy(text, from + fixed, far);
    }
    for (size_t done = 0; done < block->rows;) {
        size_t count = ARB_MIN(block->rows - done, (size_t)ARB_VECTOR_ROWS);
        ARB_TRY(arb_row_store_append(store, count, rows, error));
        for (size_t i = 0; i < count; i++, from += layout->size) {
            memcpy(rows[i], from, layout->size);
            if (far != 0)
                text = unpack_far(layout, rows[i], text);
        }
        if (out_rows != NULL)
            memcpy(out_rows + done, rows, count * sizeof *rows);
        done += count;
    }
    for (size_t c = 0; c < layout->column_count; c++)
        store->has_null[c] |= spill->has_null[c];
    return ARB_OK;
}

arb_code arb_row_spill_read(const arb_row_spill *spill, const arb_row_block *block, arb_row_store *store,
                            char **out_rows, arb_error *error)
{
    char *buffer = arb_alloc((size_t)block->stored.size + ARB_CODEC_PADDING);
    if (buffer == NULL)
        return arb_fail_memory(error, "a spilled block", block->stored.size);
    arb_code code = arb_spill_file_read(spill->file, &block->stored, buffer, error);
    if (code == ARB_OK)
        code = place_rows(spill, block, buffer, store, out_rows, error);
    arb_free(buffer);
    return code;
}

uint64_t arb_row_spill_rows(const arb_row_spill *spill)
{
    uint64_t rows = 0;
    for (size_t p = 0; p < ARB_SPILL_PARTS; p++)
        rows += spill->streams[p].rows;
    return rows;
}
