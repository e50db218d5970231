#include "formats/parquet/column_reader.h"

#include "base/alloc.h"

void arb_parquet_column_init(arb_parquet_column *column, const arb_byte_source *source, const arb_parquet_leaf *leaf,
                             arb_parquet_target target, arb_read_queue *queue, arb_reservation *held)
{
    *column =
        (arb_parquet_column){.is_nullable = leaf->max_definition != 0, .scratch.held = held, .expanded.held = held};
    arb_parquet_chunk_init(&column->chunk, source, leaf, target, queue, held);
}

void arb_parquet_column_reset(arb_parquet_column *column)
{
    arb_parquet_chunk_reset(&column->chunk);
    arb_parquet_sink_reset(&column->scratch);
    arb_parquet_sink_reset(&column->expanded);
}

/* ---- sinks --------------------------------------------------------------------------------------------------- */

enum { SINK_ROWS = ARB_VECTOR_ROWS + 8 }; /* one value behind the last is written when NULLs are spread out */

static size_t codes_bytes(void)
{
    return arb_round_up(SINK_ROWS * sizeof(uint32_t) + ARB_VECTOR_PADDING, 64);
}

void arb_parquet_sink_reset(arb_parquet_sink *sink)
{
    arb_reservation *held = sink->held;
    if (sink->storage.values != NULL)
        arb_held_give(held, arb_vector_storage_bytes(sink->storage.physical, SINK_ROWS));
    if (sink->codes != NULL)
        arb_held_give(held, codes_bytes());
    arb_vector_storage_reset(&sink->storage);
    arb_free(sink->codes);
    *sink = (arb_parquet_sink){.held = held};
}

static arb_code need_storage(arb_parquet_sink *sink, arb_physical physical, arb_error *error)
{
    if (sink->storage.values != NULL)
        return ARB_OK;
    ARB_TRY(arb_vector_storage_init(&sink->storage, physical, SINK_ROWS, error));
    arb_code code = arb_held_take(sink->held, arb_vector_storage_bytes(physical, SINK_ROWS), error);
    if (code != ARB_OK)
        arb_vector_storage_reset(&sink->storage);
    return code;
}

static arb_code need_codes(arb_parquet_sink *sink, arb_error *error)
{
    if (sink->codes != NULL)
        return ARB_OK;
    ARB_TRY(arb_held_take(sink->held, codes_bytes(), error));
    sink->codes = arb_alloc_aligned(codes_bytes(), 64);
    if (sink->codes == NULL) {
        arb_held_give(sink->held, codes_bytes());
        return arb_fail_memory(error, "dictionary codes", codes_bytes());
    }
    memset(sink->codes, 0, codes_bytes());
    return ARB_OK;
}

/* Validity is written from now on. */
static arb_code need_validity(arb_parquet_sink *sink, arb_physical physical, arb_error *error)
{
    if (sink->has_nulls)
        return ARB_OK;
    ARB_TRY(need_storage(sink, physical, error));
    arb_bitmap_write(sink->storage.validity, 0, NULL, sink->rows);
    sink->has_nulls = true;
    return ARB_OK;
}

static void *value_at(const arb_parquet_sink *sink, arb_physical physical, size_t row)
{
    return (char *)sink->storage.values + row * arb_physical_size(physical);
}

arb_code arb_parquet_sink_flatten(arb_parquet_sink *sink, const arb_parquet_dictionary *dictionary,
                                  arb_physical physical, arb_error *error)
{
    if (!sink->has_codes)
        return ARB_OK;
    ARB_TRY(need_storage(sink, physical, error));
    arb_parquet_kernels_get()->lookup(dictionary->entries.data, arb_physical_size(physical), sink->codes, sink->rows,
                                      sink->storage.values);
    sink->has_codes = false;
    return ARB_OK;
}

arb_vector arb_parquet_sink_vector(const arb_parquet_sink *sink, const arb_parquet_dictionary *dictionary)
{
    arb_vector vector = {.physical = dictionary->vector.physical, .encoding = ARB_DICTIONARY};
    if (sink->has_codes) {
        vector.values.codes = sink->codes;
        vector.dictionary = &dictionary->vector;
        vector.dictionary_size = dictionary->count;
        vector.dictionary_id = dictionary->id;
    } else {
        vector = arb_vector_over(&sink->storage);
    }
    if (sink->has_nulls)
        vector.validity = sink->storage.validity;
    return vector;
}

static void pick_values(void *to, const void *from, size_t size, const uint16_t *indices, size_t count)
{
    switch (size) {
#define CASE(bytes, type)                                       \
    case bytes:                                                 \
        for (size_t i = 0; i < count; i++)                      \
            ((type *)to)[i] = ((const type *)from)[indices[i]]; \
        break;
        CASE(1, uint8_t)
        CASE(2, uint16_t)
        CASE(4, uint32_t)
        CASE(8, uint64_t)
        CASE(16, arb_int128)
#undef CASE
    default:
        break;
    }
}

static void pick_bits(uint64_t *to, size_t at, const uint64_t *from, const uint16_t *indices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        arb_bitmap_put(to, at + i, arb_bitmap_get(from, indices[i]));
}

arb_code arb_parquet_sink_pick(arb_parquet_sink *sink, const arb_parquet_sink *from,
                               const arb_parquet_dictionary *dictionary, arb_physical physical, const uint16_t *indices,
                               uint32_t count, arb_error *error)
{
    assert(sink->rows + count <= ARB_VECTOR_ROWS);
    if (sink->rows == 0)
        sink->has_codes = from->has_codes;
    if (sink->has_codes && !from->has_codes)
        ARB_TRY(arb_parquet_sink_flatten(sink, dictionary, physical, error));
    if (sink->has_codes) {
        ARB_TRY(need_codes(sink, error));
        pick_values(sink->codes + sink->rows, from->codes, sizeof(uint32_t), indices, count);
    } else {
        ARB_TRY(need_storage(sink, physical, error));
        size_t size = arb_physical_size(physical);
        if (from->has_codes) {
            for (uint32_t i = 0; i < count; i++)
                memcpy(value_at(sink, physical, sink->rows + i),
                       dictionary->entries.data + size * from->codes[indices[i]], size);
        } else if (physical == ARB_PHYS_BOOL) {
            pick_bits(sink->storage.values, sink->rows, from->storage.values, indices, count);
        } else {
            pick_values(value_at(sink, physical, sink->rows), from->storage.values, size, indices, count);
        }
    }
    if (from->has_nulls) {
        ARB_TRY(need_validity(sink, physical, error));
        pick_bits(sink->storage.validity, sink->rows, from->storage.validity, indices, count);
    } else if (sink->has_nulls) {
        arb_bitmap_write(sink->storage.validity, sink->rows, NULL, count);
    }
    sink->rows += count;
    return ARB_OK;
}

/* ---- pieces: rows of one page -------------------------------------------------------------------------------- */

typedef struct piece {
    uint32_t rows;
    const uint16_t *indices; /* NULL: all rows */
    uint32_t count;          /* rows to give */
} piece;

static arb_code read_codes(arb_parquet_column *column, const piece *p, uint32_t *to, arb_error *error)
{
    arb_parquet_chunk *chunk = &column->chunk;
    uint32_t limit = chunk->dictionary.count;
    return p->indices == NULL ? arb_parquet_codes_read(&chunk->page.values, chunk->kernels, p->rows, limit, to, error)
                              : arb_parquet_codes_pick(&chunk->page.values, chunk->kernels, p->rows, p->indices,
                                                       p->count, limit, to, error);
}

static arb_code read_values(arb_parquet_column *column, const piece *p, void *to, arb_error *error)
{
    arb_parquet_chunk *chunk = &column->chunk;
    return p->indices == NULL
               ? arb_parquet_values_read(&chunk->page.values, chunk->kernels, p->rows, &chunk->target, to, error)
               : arb_parquet_values_pick(&chunk->page.values, chunk->kernels, p->rows, p->indices, p->count,
                                         &chunk->target, to, error);
}

/* Rows without NULLs go straight to the sink, unless they are bits or must be looked up. */
static arb_code read_piece(arb_parquet_column *column, const piece *p, arb_parquet_sink *sink, arb_error *error)
{
    arb_parquet_chunk *chunk = &column->chunk;
    arb_physical physical = chunk->target.physical;
    if (chunk->page.has_codes && sink->has_codes) {
        ARB_TRY(need_codes(sink, error));
        return read_codes(column, p, sink->codes + sink->rows, error);
    }
    ARB_TRY(need_storage(sink, physical, error));
    if (chunk->page.has_codes) {
        ARB_TRY(need_codes(&column->scratch, error));
        ARB_TRY(read_codes(column, p, column->scratch.codes, error));
        chunk->kernels->lookup(chunk->dictionary.entries.data, arb_physical_size(physical), column->scratch.codes,
                               p->count, value_at(sink, physical, sink->rows));
        return ARB_OK;
    }
    if (physical != ARB_PHYS_BOOL)
        return read_values(column, p, value_at(sink, physical, sink->rows), error);
    ARB_TRY(need_storage(&column->scratch, physical, error));
    ARB_TRY(read_values(column, p, column->scratch.storage.values, error));
    arb_bitmap_write(sink->storage.values, sink->rows, column->scratch.storage.values, p->count);
    return ARB_OK;
}

void arb_parquet_spread(void *to, const void *from, size_t size, const uint64_t *validity, size_t rows)
{
    size_t next = 0;
    switch (size) {
#define CASE(bytes, type)                                 \
    case bytes:                                           \
        for (size_t i = 0; i < rows; i++) {               \
            ((type *)to)[i] = ((const type *)from)[next]; \
            next += arb_bitmap_get(validity, i);          \
        }                                                 \
        break;
        CASE(1, uint8_t)
        CASE(2, uint16_t)
        CASE(4, uint32_t)
        CASE(8, uint64_t)
        CASE(16, arb_int128)
#undef CASE
    default: /* BOOL */
        for (size_t i = 0; i < rows; i++) {
            arb_bitmap_put(to, i, arb_bitmap_get(from, next));
            next += arb_bitmap_get(validity, i);
        }
    }
}

/* Rows with NULLs: take the `ones` values there are, spread them out, and pick from that. */
static arb_code read_piece_with_nulls(arb_parquet_column *column, const piece *p, const uint64_t *validity,
                                      uint32_t ones, arb_parquet_sink *sink, arb_error *error)
{
    arb_parquet_chunk *chunk = &column->chunk;
    arb_physical physical = chunk->target.physical;
    size_t size = arb_physical_size(physical);
    arb_parquet_sink *scratch = &column->scratch, *expanded = &column->expanded;
    piece dense = {.rows = ones, .count = ones};
    ARB_TRY(need_storage(scratch, physical, error));
    ARB_TRY(need_storage(expanded, physical, error));
    bool as_codes = chunk->page.has_codes && sink->has_codes;
    if (as_codes) {
        ARB_TRY(need_codes(scratch, error));
        ARB_TRY(need_codes(expanded, error));
        ARB_TRY(read_codes(column, &dense, scratch->codes, error));
        scratch->codes[ones] = 0;
        arb_parquet_spread(expanded->codes, scratch->codes, sizeof(uint32_t), validity, p->rows);
    } else {
        scratch->rows = 0;
        ARB_TRY(read_piece(column, &dense, scratch, error));
        if (physical == ARB_PHYS_BOOL)
            arb_bitmap_clear(scratch->storage.values, ones);
        else
            memset(value_at(scratch, physical, ones), 0, size);
        arb_parquet_spread(expanded->storage.values, scratch->storage.values, size, validity, p->rows);
    }
    arb_bitmap_copy(expanded->storage.validity, validity, 0, p->rows);
    expanded->has_codes = as_codes;
    expanded->has_nulls = true;
    ARB_TRY(need_validity(sink, physical, error));
    if (p->indices != NULL) { /* counts the rows itself */
        uint32_t before = sink->rows;
        ARB_TRY(arb_parquet_sink_pick(sink, expanded, &chunk->dictionary, physical, p->indices, p->count, error));
        sink->rows = before;
        return ARB_OK;
    }
    if (as_codes) {
        ARB_TRY(need_codes(sink, error));
        memcpy(sink->codes + sink->rows, expanded->codes, sizeof(uint32_t) * p->rows);
    } else if (physical == ARB_PHYS_BOOL) {
        ARB_TRY(need_storage(sink, physical, error));
        arb_bitmap_write(sink->storage.values, sink->rows, expanded->storage.values, p->rows);
    } else {
        ARB_TRY(need_storage(sink, physical, error));
        memcpy(value_at(sink, physical, sink->rows), expanded->storage.values, size * p->rows);
    }
    arb_bitmap_write(sink->storage.validity, sink->rows, validity, p->rows);
    return ARB_OK;
}

static arb_code read_definitions(arb_parquet_page *page, uint64_t *bits, size_t rows, size_t *out_ones,
                                 arb_error *error)
{
    *out_ones = 0;
    if (arb_rle_decoder_bits(&page->definitions, rows, bits, 0, out_ones) != rows)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page holds fewer definition levels than it says");
    return ARB_OK;
}

/* Pass rows of the current, open page. */
static arb_code skip_in_page(arb_parquet_column *column, uint64_t rows, arb_error *error)
{
    arb_parquet_page *page = &column->chunk.page;
    page->position += rows;
    if (!page->has_definitions)
        return arb_parquet_values_skip(&page->values, rows, error);
    while (rows != 0) {
        uint64_t bits[ARB_VECTOR_WORDS];
        size_t step = (size_t)ARB_MIN(rows, ARB_VECTOR_ROWS), ones;
        ARB_TRY(read_definitions(page, bits, step, &ones, error));
        ARB_TRY(arb_parquet_values_skip(&page->values, ones, error));
        rows -= step;
    }
    return ARB_OK;
}

static arb_code read_rows_of_page(arb_parquet_column *column, const piece *p, arb_parquet_sink *sink, arb_error *error)
{
    arb_parquet_chunk *chunk = &column->chunk;
    arb_physical physical = chunk->target.physical;
    uint64_t validity[ARB_VECTOR_WORDS];
    size_t ones = p->rows;
    if (!chunk->page.has_codes)
        ARB_TRY(arb_parquet_sink_flatten(sink, &chunk->dictionary, physical, error));
    if (chunk->page.has_definitions)
        ARB_TRY(read_definitions(&chunk->page, validity, p->rows, &ones, error));
    if (ones == p->rows) {
        ARB_TRY(read_piece(column, p, sink, error));
        if (sink->has_nulls)
            arb_bitmap_write(sink->storage.validity, sink->rows, NULL, p->count);
    } else {
        ARB_TRY(read_piece_with_nulls(column, p, validity, (uint32_t)ones, sink, error));
    }
    sink->rows += p->count;
    chunk->page.position += p->rows;
    return ARB_OK;
}

/* The piece of the rows at `done`, up to the page's end; `shifted` is memory for its indices. */
static piece next_piece(const arb_parquet_column *column, uint64_t row, uint32_t rows, const uint16_t *indices,
                        uint32_t index_count, uint16_t *shifted)
{
    const arb_parquet_page *page = &column->chunk.page;
    uint32_t done = column->done, given = column->given;
    uint32_t step = (uint32_t)ARB_MIN(rows - done, page->first_row + page->rows - row), last = given;
    if (indices == NULL)
        return (piece){.rows = step, .count = step};
    while (last < index_count && indices[last] < done + step)
        last++;
    for (uint32_t i = given; done != 0 && i < last; i++)
        shifted[i - given] = (uint16_t)(indices[i] - done);
    return (piece){.rows = step, .indices = done != 0 ? shifted : indices + given, .count = last - given};
}

arb_code arb_parquet_column_read(arb_parquet_column *column, uint64_t first, uint32_t rows, const uint16_t *indices,
                                 uint32_t index_count, bool want_codes, arb_parquet_sink *sink, arb_error *error)
{
    arb_parquet_chunk *chunk = &column->chunk;
    arb_parquet_page *page = &chunk->page;
    uint16_t shifted[ARB_VECTOR_ROWS];
    if (!column->is_reading) {
        assert(rows <= ARB_VECTOR_ROWS && sink->rows + (indices == NULL ? rows : index_count) <= ARB_VECTOR_ROWS);
        column->is_reading = true;
        column->done = indices != NULL && index_count != 0 ? indices[0] : 0;
        column->given = 0;
    }
    while (column->done < rows && (indices == NULL || column->given < index_count)) {
        uint64_t row = first + column->done;
        ARB_TRY(arb_parquet_chunk_seek(chunk, row, error));
        piece p = next_piece(column, row, rows, indices, index_count, shifted);
        if (p.count != 0) {
            ARB_TRY(arb_parquet_chunk_open_page(chunk, error));
            if (sink->rows == 0)
                sink->has_codes = want_codes && page->has_codes && chunk->dictionary.count != 0;
            uint64_t in_page = row - page->first_row;
            if (in_page < page->position)
                return arb_fail(error, ARB_INTERNAL, "a Parquet column was read backwards");
            if (in_page != page->position)
                ARB_TRY(skip_in_page(column, in_page - page->position, error));
            ARB_TRY(read_rows_of_page(column, &p, sink, error));
            column->given += p.count;
        }
        column->done += p.rows;
    }
    column->is_reading = false;
    return ARB_OK;
}

arb_code arb_parquet_column_has_useful_codes(arb_parquet_column *column, uint64_t row, bool *out_useful,
                                             arb_error *error)
{
    arb_parquet_chunk *chunk = &column->chunk;
    *out_useful = false;
    ARB_TRY(arb_parquet_chunk_seek(chunk, row, error));
    if (!chunk->page.has_codes)
        return ARB_OK;
    ARB_TRY(arb_parquet_chunk_open_page(chunk, error));
    /* Copying a text or looking a number up costs little: codes of a dictionary that is nearly as large as the chunk
     * only make work for whoever evaluates something on its entries. */
    unsigned share = chunk->target.physical == ARB_PHYS_STRING ? 2 : 8;
    *out_useful = chunk->dictionary.count != 0 && chunk->dictionary.count <= chunk->group_rows / share;
    return ARB_OK;
}
