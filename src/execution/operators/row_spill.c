#include "execution/operators/row_spill.h"

enum { rows_at_once = 64 * 1024, blocks_at_once = 16 };

arb_code arb_row_spill_create(arb_row_format format, unsigned level, arb_row_spill **out_spill, arb_error *error)
{
    *out_spill = NULL;
    arb_row_spill *spill = arb_alloc_zeroed(sizeof *spill);
    if (spill == NULL)
        return arb_fail_memory(error, "spilling", sizeof *spill);
    spill->has_null = arb_alloc_zeroed(format.layout->column_count + 1);
    if (spill->has_null == NULL) {
        arb_free(spill);
        return arb_fail_memory(error, "spilling", format.layout->column_count);
    }
    spill->format = format;
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

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

static arb_code write_part(arb_row_spill *spill, uint32_t part, char *const *rows, size_t count, arb_error *error)
{
    arb_row_stream *stream = &spill->streams[part];
    for (size_t done = 0; done < count;) {
        arb_row_block block;
        ARB_TRY(arb_row_block_write(&spill->format, rows + done, count - done, &block, error));
        pthread_mutex_lock(&spill->lock);
        bool kept = ARB_VEC_PUSH(&stream->blocks, block);
        stream->rows += block.rows;
        stream->bytes += block.stored.size;
        pthread_mutex_unlock(&spill->lock);
        if (!kept)
            return arb_fail_memory(error, "spilling", sizeof block);
        done += block.rows;
    }
    return ARB_OK;
}

/* Partition by partition; `scratch` has room for as many pointers. */
static arb_code write_parts(arb_row_spill *spill, char *const *rows, size_t count, char **scratch, arb_error *error)
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
            ARB_TRY(write_part(spill, p, scratch + start, ends[p] - start, error));
        start = ends[p];
    }
    return ARB_OK;
}

static void note_nulls(arb_row_spill *spill, const bool *has_null)
{
    pthread_mutex_lock(&spill->lock);
    for (size_t c = 0; c < spill->format.layout->column_count; c++)
        spill->has_null[c] |= has_null[c];
    pthread_mutex_unlock(&spill->lock);
}

arb_code arb_row_spill_rows(arb_row_spill *spill, char *const *rows, size_t count, const bool *has_null,
                            arb_error *error)
{
    if (count == 0)
        return ARB_OK;
    char **scratch = arb_alloc(count * sizeof *scratch);
    if (scratch == NULL)
        return arb_fail_memory(error, "spilling", count * sizeof *scratch);
    note_nulls(spill, has_null);
    arb_code code = write_parts(spill, rows, count, scratch, error);
    arb_free(scratch);
    return code;
}

arb_code arb_row_spill_store(arb_row_spill *spill, arb_row_store *store, arb_error *error)
{
    if (store->rows == 0)
        return ARB_OK;
    size_t most = (size_t)ARB_MIN(store->rows, (uint64_t)rows_at_once), count = 0;
    char **rows = arb_alloc(most * sizeof *rows);
    if (rows == NULL)
        return arb_fail_memory(error, "spilling", most * sizeof *rows);
    arb_code code = ARB_OK;
    for (size_t p = 0; code == ARB_OK && p < store->pages.size; p++) {
        const arb_row_page *page = store->pages.data[p];
        for (size_t i = 0; code == ARB_OK && i < page->rows; i++) {
            rows[count++] = arb_row_page_row(store->layout, page, i);
            if (count < most)
                continue;
            code = arb_row_spill_rows(spill, rows, count, store->has_null, error);
            count = 0;
        }
    }
    if (code == ARB_OK)
        code = arb_row_spill_rows(spill, rows, count, store->has_null, error);
    arb_free(rows);
    if (code == ARB_OK)
        arb_row_store_clear(store);
    return code;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

arb_code arb_row_spill_take(const arb_row_spill *spill, const arb_row_block *block, arb_row_block_view *view,
                            arb_error *error)
{
    ARB_TRY(arb_row_block_read(&spill->format, block, view, error));
    arb_spill_file_release(spill->format.file, &block->stored);
    return ARB_OK;
}

arb_code arb_row_spill_split(arb_row_spill *from, uint32_t number, arb_row_spill *to, arb_memory *memory,
                             arb_memory_share *share, const _Atomic bool *cancelled, arb_error *error)
{
    const arb_row_stream *stream = &from->streams[number];
    arb_row_block_view views[blocks_at_once];
    ARB_VEC(char *) rows = {0};
    for (size_t i = 0; i < blocks_at_once; i++)
        arb_row_block_view_init(&views[i], memory, share, "spilling");
    arb_code code = ARB_OK;
    size_t open = 0;
    for (size_t b = 0; code == ARB_OK && b < stream->blocks.size; b++) {
        arb_row_block_view *view = &views[open++];
        code = arb_row_spill_take(from, &stream->blocks.data[b], view, error);
        if (code == ARB_OK && !ARB_VEC_RESERVE(&rows, rows.size + view->count))
            code = arb_fail_memory(error, "spilling", view->count * sizeof(char *));
        if (code != ARB_OK)
            break;
        if (view->count != 0)
            memcpy(rows.data + rows.size, view->rows, view->count * sizeof *view->rows);
        rows.size += view->count;
        if (open < blocks_at_once && b + 1 < stream->blocks.size && !arb_memory_share_pressed(share, 0))
            continue;
        code = arb_row_spill_rows(to, rows.data, rows.size, from->has_null, error);
        open = rows.size = 0;
        if (code == ARB_OK && atomic_load_explicit(cancelled, memory_order_relaxed))
            code = arb_fail(error, ARB_CANCELLED, "the statement was cancelled");
    }
    for (size_t i = 0; i < blocks_at_once; i++)
        arb_row_block_view_reset(&views[i]);
    ARB_VEC_RESET(&rows);
    return code;
}

arb_code arb_row_spill_keep(const arb_row_spill *spill, arb_row_block_view *view, arb_row_store *store,
                            arb_error *error)
{
    return arb_row_store_copy(store, view->rows, view->count, spill->has_null, view->rows, error);
}

uint64_t arb_row_spill_count(const arb_row_spill *spill)
{
    uint64_t rows = 0;
    for (size_t p = 0; p < ARB_SPILL_PARTS; p++)
        rows += spill->streams[p].rows;
    return rows;
}
