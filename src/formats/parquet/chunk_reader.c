#include "formats/parquet/chunk_reader.h"

#include "base/alloc.h"

enum {
    FIRST_HEADER_GUESS = 512,
    MAX_HEADER_SIZE = 16 << 20,
    /* Some old writers do not count the dictionary page's header in the chunk's size. */
    SIZE_SLACK = 128,
    IDLE_MOST = 4 << 20 /* bytes of pages kept for the next ones, when that is more than one page */
};

/* Page memory is counted by the reader. */
static void memory_init(arb_parquet_page_memory *memory, arb_reservation *held)
{
    *memory = (arb_parquet_page_memory){
        .data.held = held,
        .levels.held = held,
        .values = {.array.held = held, .bytes.held = held, .scratch.held = held, .converted.held = held}};
}

static void memory_reset(arb_parquet_page_memory *memory)
{
    arb_padded_buffer_reset(&memory->data);
    arb_padded_buffer_reset(&memory->levels);
    arb_parquet_values_memory_reset(&memory->values);
}

static uint64_t memory_bytes(const arb_parquet_page_memory *memory)
{
    return memory->data.capacity + memory->levels.capacity + memory->values.array.capacity +
           memory->values.bytes.capacity + memory->values.scratch.capacity + memory->values.converted.capacity;
}

void arb_parquet_chunk_init(arb_parquet_chunk *chunk, const arb_byte_source *source, const arb_parquet_leaf *leaf,
                            arb_parquet_target target, arb_read_queue *queue, arb_reservation *held)
{
    *chunk = (arb_parquet_chunk){.source = source,
                                 .leaf = leaf,
                                 .kernels = arb_parquet_kernels_get(),
                                 .target = target,
                                 .keeps_pages = target.physical == ARB_PHYS_STRING,
                                 .held = held,
                                 .dictionary.entries.held = held};
    memory_init(&chunk->dictionary.memory, held);
    arb_byte_window_init(&chunk->input, source, queue, held);
}

static void memory_list_free(arb_parquet_page_memory *memory)
{
    while (memory != NULL) {
        arb_parquet_page_memory *next = memory->next;
        memory_reset(memory);
        arb_free(memory);
        memory = next;
    }
}

void arb_parquet_chunk_reset(arb_parquet_chunk *chunk)
{
    memory_list_free(chunk->memory);
    memory_list_free(chunk->aside);
    memory_list_free(chunk->idle);
    memory_reset(&chunk->dictionary.memory);
    arb_padded_buffer_reset(&chunk->dictionary.entries);
    arb_byte_window_reset(&chunk->input);
    *chunk = (arb_parquet_chunk){0};
}

/* Nobody looks at the page any more. */
static void keep_idle(arb_parquet_chunk *chunk, arb_parquet_page_memory *memory)
{
    uint64_t bytes = memory_bytes(memory);
    memory->next = NULL;
    if (chunk->idle != NULL && chunk->idle_bytes + bytes > IDLE_MOST) {
        memory_list_free(memory);
        return;
    }
    memory->next = chunk->idle;
    chunk->idle = memory;
    chunk->idle_bytes += bytes;
}

void arb_parquet_chunk_release(arb_parquet_chunk *chunk, uint64_t before)
{
    for (arb_parquet_page_memory **at = &chunk->aside; *at != NULL;) {
        arb_parquet_page_memory *memory = *at;
        if (memory->last_use >= before) {
            at = &memory->next;
            continue;
        }
        *at = memory->next;
        chunk->aside_bytes -= memory_bytes(memory);
        keep_idle(chunk, memory);
    }
}

/* The current page's memory is not needed for decoding any more. */
static void leave_page(arb_parquet_chunk *chunk)
{
    chunk->page.is_there = chunk->page.is_open = false;
    if (chunk->memory == NULL)
        return;
    arb_parquet_page_memory *memory = chunk->memory;
    chunk->memory = NULL;
    if (!chunk->keeps_pages) {
        keep_idle(chunk, memory);
        return;
    }
    memory->last_use = chunk->clock;
    memory->next = chunk->aside;
    chunk->aside = memory;
    chunk->aside_bytes += memory_bytes(memory);
}

static arb_code take_memory(arb_parquet_chunk *chunk, arb_error *error)
{
    if (chunk->idle != NULL) {
        chunk->memory = chunk->idle;
        chunk->idle = chunk->idle->next;
        chunk->idle_bytes -= memory_bytes(chunk->memory);
    } else {
        chunk->memory = arb_alloc_zeroed(sizeof *chunk->memory);
        if (chunk->memory == NULL)
            return arb_fail_memory(error, "a Parquet page", sizeof *chunk->memory);
        memory_init(chunk->memory, chunk->held);
    }
    chunk->memory->next = NULL;
    return ARB_OK;
}

/* The file's codec numbers. */
static arb_code codec_of(int32_t number, arb_codec *out_codec, arb_error *error)
{
    static const arb_codec codecs[] = {ARB_CODEC_NONE,   ARB_CODEC_SNAPPY,     ARB_CODEC_GZIP, ARB_CODEC_COUNT,
                                       ARB_CODEC_BROTLI, ARB_CODEC_LZ4_HADOOP, ARB_CODEC_ZSTD, ARB_CODEC_LZ4_RAW};
    *out_codec = number >= 0 && (size_t)number < ARB_COUNT_OF(codecs) ? codecs[number] : ARB_CODEC_COUNT;
    if (*out_codec == ARB_CODEC_COUNT)
        return arb_fail(error, ARB_NOT_SUPPORTED, "compression %d (%s) is not supported", number,
                        number == 3 ? "LZO" : "unknown");
    return ARB_OK;
}

/* The last page that begins at or before `row`; the index is not empty. */
static uint32_t page_of_row(const arb_parquet_offset_index *index, uint64_t row)
{
    uint32_t low = 0, high = index->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if ((uint64_t)index->pages[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Where the pages that hold rows before `end_row` end, as far as the offset index tells. */
static uint64_t find_stop(const arb_parquet_chunk *chunk, uint64_t end_row)
{
    const arb_parquet_offset_index *index = chunk->locations;
    uint64_t end = ARB_MIN(chunk->begin_offset + (uint64_t)chunk->meta->compressed_bytes, chunk->end_offset);
    if (index == NULL || index->count == 0 || end_row == 0)
        return end;
    uint32_t next = page_of_row(index, end_row - 1) + 1;
    return next < index->count ? ARB_MIN((uint64_t)index->pages[next].offset, end) : end;
}

arb_code arb_parquet_chunk_begin(arb_parquet_chunk *chunk, const arb_parquet_chunk_meta *meta, uint64_t group_rows,
                                 uint64_t end_row, const arb_parquet_offset_index *locations, arb_error *error)
{
    leave_page(chunk);
    if (arb_held_is_short(chunk->held)) {
        memory_list_free(chunk->idle);
        chunk->idle = NULL;
        chunk->idle_bytes = 0;
        arb_byte_window_reset(&chunk->input);
    }
    if (meta->other_file)
        return arb_fail(error, ARB_NOT_SUPPORTED, "the column's data lie in another file; that is not supported");
    if (meta->encrypted)
        return arb_fail(error, ARB_NOT_SUPPORTED, "the column is encrypted; encrypted Parquet is not supported");
    if (!meta->present || meta->physical != chunk->leaf->physical)
        return arb_fail(error, ARB_CORRUPT_DATA, "the footer does not describe the column's data, or as another type");
    ARB_TRY(codec_of(meta->codec, &chunk->codec, error));
    uint64_t file_end = chunk->source->identity.size;
    int64_t begin = meta->dictionary_offset > 0 && meta->dictionary_offset < meta->data_offset ? meta->dictionary_offset
                                                                                               : meta->data_offset;
    if (begin < 4 || (uint64_t)begin > file_end || meta->compressed_bytes < 0 || meta->value_count < 0)
        return arb_fail(error, ARB_CORRUPT_DATA, "the footer places the column's data outside of the file");
    if (meta != chunk->meta) {
        chunk->dictionary.is_known = chunk->dictionary.is_loaded = false;
        chunk->dictionary.count = 0;
    }
    chunk->meta = meta;
    chunk->group_rows = group_rows;
    chunk->begin_offset = chunk->next_offset = (uint64_t)begin;
    uint64_t room = file_end - (uint64_t)begin;
    chunk->end_offset = (uint64_t)begin + ARB_MIN(room, (uint64_t)meta->compressed_bytes + SIZE_SLACK);
    chunk->next_row = 0;
    chunk->values_seen = 0;
    chunk->locations = locations;
    chunk->stop_offset = find_stop(chunk, end_row);
    return ARB_OK;
}

void arb_parquet_chunk_expect(arb_parquet_chunk *chunk, uint64_t row)
{
    uint64_t offset = chunk->begin_offset; /* a dictionary comes first */
    if (chunk->dictionary.is_loaded && chunk->locations != NULL && chunk->locations->count != 0)
        offset = (uint64_t)chunk->locations->pages[page_of_row(chunk->locations, row)].offset;
    if (offset >= chunk->begin_offset)
        arb_byte_window_expect(&chunk->input, offset, chunk->stop_offset);
}

/* Bytes [offset, offset + size) of the chunk, valid until the next fetch. */
static arb_code fetch(arb_parquet_chunk *chunk, uint64_t offset, size_t size, const uint8_t **out_data,
                      arb_error *error)
{
    if (offset > chunk->end_offset || size > chunk->end_offset - offset)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page reaches beyond its column chunk");
    uint64_t stop = ARB_MAX(chunk->stop_offset, offset + size);
    size_t most = (size_t)ARB_MIN(stop - offset, ARB_MAX(size, chunk->source->read_ahead));
    return arb_byte_window_get(&chunk->input, offset, size, most, stop, out_data, error);
}

static arb_code read_header(arb_parquet_chunk *chunk, uint64_t offset, arb_parquet_page_header *out_header,
                            size_t *out_size, arb_error *error)
{
    for (size_t guess = FIRST_HEADER_GUESS;; guess *= 8) {
        const uint8_t *data;
        uint64_t left = offset < chunk->end_offset ? chunk->end_offset - offset : 0;
        size_t size = (size_t)ARB_MIN(left, guess);
        ARB_TRY(fetch(chunk, offset, size, &data, error));
        if (arb_parquet_page_header_parse(data, size, out_header, out_size))
            return ARB_OK;
        if (size == left || guess >= MAX_HEADER_SIZE)
            return arb_fail(error, ARB_CORRUPT_DATA, "a page header at offset %llu is damaged",
                            (unsigned long long)offset);
    }
}

static void note_dictionary(arb_parquet_chunk *chunk, uint64_t offset, const arb_parquet_page_header *header,
                            size_t header_size)
{
    arb_parquet_dictionary *dictionary = &chunk->dictionary;
    if (dictionary->is_known)
        return;
    dictionary->is_known = true;
    dictionary->offset = offset;
    dictionary->header = *header;
    dictionary->header_size = header_size;
}

arb_code arb_parquet_chunk_next_page(arb_parquet_chunk *chunk, arb_error *error)
{
    leave_page(chunk);
    bool is_flat = chunk->leaf->max_repetition == 0;
    for (;;) {
        if (is_flat ? chunk->next_row >= chunk->group_rows : chunk->values_seen >= (uint64_t)chunk->meta->value_count)
            return ARB_OK;
        arb_parquet_page *page = &chunk->page;
        size_t header_size;
        uint64_t offset = chunk->next_offset;
        ARB_TRY(read_header(chunk, offset, &page->header, &header_size, error));
        const arb_parquet_page_header *header = &page->header;
        if (header->kind == ARB_PARQUET_DICTIONARY_PAGE) {
            note_dictionary(chunk, offset, header, header_size);
            /* It will be wanted right after the next page's header: have both in the window. */
            const uint8_t *unused;
            uint64_t left = chunk->end_offset - offset;
            uint64_t size = ARB_MIN(left, header_size + (uint64_t)header->compressed_size + FIRST_HEADER_GUESS);
            if (!chunk->dictionary.is_loaded)
                ARB_TRY(fetch(chunk, offset, (size_t)size, &unused, error));
        }
        chunk->next_offset = offset + header_size + (uint64_t)header->compressed_size;
        if (header->kind != ARB_PARQUET_DATA_PAGE && header->kind != ARB_PARQUET_DATA_PAGE_V2)
            continue;
        page->body_offset = offset + header_size;
        page->first_row = chunk->next_row;
        page->rows = (uint64_t)header->value_count;
        page->position = 0;
        page->has_codes =
            header->encoding == ARB_PARQUET_PLAIN_DICTIONARY || header->encoding == ARB_PARQUET_RLE_DICTIONARY;
        if (is_flat && page->rows > chunk->group_rows - chunk->next_row)
            return arb_fail(error, ARB_CORRUPT_DATA, "the pages hold more rows than the row group's %llu",
                            (unsigned long long)chunk->group_rows);
        chunk->next_row += page->rows;
        chunk->values_seen += page->rows;
        page->is_there = true;
        return ARB_OK;
    }
}

/* A page cannot claim more output than its bytes could possibly give. */
static bool is_plausible_size(arb_codec codec, uint64_t from_size, uint64_t to_size)
{
    static const uint32_t most[ARB_CODEC_COUNT] = {
        [ARB_CODEC_NONE] = 1,        [ARB_CODEC_SNAPPY] = 64,   [ARB_CODEC_GZIP] = 1100,
        [ARB_CODEC_ZSTD] = 1 << 20,  [ARB_CODEC_LZ4_RAW] = 256, [ARB_CODEC_LZ4_HADOOP] = 256,
        [ARB_CODEC_BROTLI] = 1 << 20};
    return to_size <= (from_size + 8) * most[codec];
}

/* Read the body of a page and decompress all but its first `raw_size` bytes to `out`. */
static arb_code load_body(arb_parquet_chunk *chunk, const arb_parquet_page_header *header, uint64_t body_offset,
                          size_t raw_size, arb_padded_buffer *out, arb_error *error)
{
    size_t from_size = (size_t)header->compressed_size, to_size = (size_t)header->uncompressed_size;
    const uint8_t *from;
    if (raw_size > from_size || raw_size > to_size)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page is smaller than its levels");
    ARB_TRY(fetch(chunk, body_offset, from_size, &from, error));
    if (header->has_crc && arb_crc32(0, from, from_size) != header->crc)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page does not match its checksum");
    arb_codec codec = chunk->codec;
    if (header->kind == ARB_PARQUET_DATA_PAGE_V2 && !header->is_compressed)
        codec = ARB_CODEC_NONE;
    if (!is_plausible_size(codec, from_size, to_size))
        return arb_fail(error, ARB_CORRUPT_DATA, "a page claims that its %zu bytes hold %zu", from_size, to_size);
    ARB_TRY(arb_padded_buffer_reserve(out, to_size, error));
    memcpy(out->data, from, raw_size);
    if (from_size == raw_size && to_size == raw_size)
        return ARB_OK; /* only NULLs: there is nothing to decompress, not even an empty block */
    if (header->kind == ARB_PARQUET_DATA_PAGE_V2 && from_size == raw_size)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page has no values where %zu bytes are expected",
                        to_size - raw_size);
    return arb_codec_decode(codec, from + raw_size, from_size - raw_size, out->data + raw_size, to_size - raw_size,
                            error);
}

static arb_code load_dictionary(arb_parquet_chunk *chunk, arb_error *error)
{
    arb_parquet_dictionary *dictionary = &chunk->dictionary;
    if (dictionary->is_loaded)
        return ARB_OK;
    if (!dictionary->is_known)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page has dictionary codes, but there is no dictionary");
    const arb_parquet_page_header *header = &dictionary->header;
    size_t size = (size_t)header->uncompressed_size, count = (size_t)header->value_count;
    ARB_TRY(load_body(chunk, header, dictionary->offset + dictionary->header_size, 0, &dictionary->memory.data, error));
    size_t value_size = arb_physical_size(chunk->target.physical);
    if ((header->encoding != ARB_PARQUET_PLAIN && header->encoding != ARB_PARQUET_PLAIN_DICTIONARY) || value_size == 0)
        return arb_fail(error, ARB_CORRUPT_DATA, "a dictionary of encoding %d", header->encoding);
    arb_parquet_values values;
    ARB_TRY(arb_parquet_values_prepare(chunk->leaf, ARB_PARQUET_PLAIN, dictionary->memory.data.data, size, count,
                                       chunk->kernels, &dictionary->memory.values, &values, error));
    uint64_t most = values.kind == ARB_PARQUET_VALUES_PLAIN ? size / 4 : values.count;
    if (count > most)
        return arb_fail(error, ARB_CORRUPT_DATA, "a dictionary claims %zu entries in %zu bytes", count, size);
    ARB_TRY(arb_padded_buffer_reserve(&dictionary->entries, count * value_size, error));
    ARB_TRY(arb_parquet_values_read(&values, chunk->kernels, count, &chunk->target, dictionary->entries.data, error));
    dictionary->count = (uint32_t)count;
    dictionary->id = arb_dictionary_id_next();
    dictionary->vector = (arb_vector){.physical = (uint8_t)chunk->target.physical,
                                      .encoding = ARB_FLAT,
                                      .values = {.data = dictionary->entries.data}};
    dictionary->is_loaded = true;
    return ARB_OK;
}

/* Jump to the last page that begins at or before `row`, when the offset index says where that is. */
static arb_code jump(arb_parquet_chunk *chunk, uint64_t row, arb_error *error)
{
    const arb_parquet_offset_index *index = chunk->locations;
    if (index == NULL || index->count == 0)
        return ARB_OK;
    const arb_parquet_page_location *to = &index->pages[page_of_row(index, row)];
    if ((uint64_t)to->first_row <= chunk->next_row || (uint64_t)to->offset <= chunk->next_offset ||
        (uint64_t)to->offset >= chunk->end_offset)
        return ARB_OK; /* not further on; an index that lies is caught by the page's own numbers */
    if (!chunk->dictionary.is_known && chunk->next_offset == chunk->begin_offset) {
        arb_parquet_page_header header;
        size_t header_size;
        ARB_TRY(read_header(chunk, chunk->begin_offset, &header, &header_size, error));
        if (header.kind == ARB_PARQUET_DICTIONARY_PAGE) {
            note_dictionary(chunk, chunk->begin_offset, &header, header_size);
            /* Mostly it has been read with its header, and then it is not read again from where the pages are. */
            if (chunk->begin_offset + header_size + (uint64_t)header.compressed_size <=
                chunk->input.offset + chunk->input.size)
                ARB_TRY(load_dictionary(chunk, error));
        }
    }
    leave_page(chunk);
    chunk->next_offset = (uint64_t)to->offset;
    chunk->next_row = (uint64_t)to->first_row;
    return ARB_OK;
}

arb_code arb_parquet_chunk_seek(arb_parquet_chunk *chunk, uint64_t row, arb_error *error)
{
    arb_parquet_page *page = &chunk->page;
    if (page->is_there && row < page->first_row + page->rows)
        return ARB_OK;
    if (row >= chunk->next_row)
        ARB_TRY(jump(chunk, row, error));
    do {
        ARB_TRY(arb_parquet_chunk_next_page(chunk, error));
        if (!page->is_there)
            return arb_fail(error, ARB_CORRUPT_DATA, "the pages hold fewer rows than the row group's %llu",
                            (unsigned long long)chunk->group_rows);
    } while (row >= page->first_row + page->rows);
    return ARB_OK;
}

/* Levels as the very first writers packed them, most significant bit first: turned into the packed run of today. */
static void repack_levels(const uint8_t *from, unsigned width, size_t count, uint8_t *to)
{
    memset(to, 0, (count * width + 7) / 8);
    for (size_t i = 0; i < count; i++)
        for (unsigned j = 0; j < width; j++) {
            size_t in = i * width + j, out = i * width + (width - 1 - j);
            to[out / 8] |= (uint8_t)((from[in / 8] >> (7 - in % 8) & 1) << (out % 8));
        }
}

/* The levels at *at, which is moved behind them. v1: `encoding` says how they lie, and runs have their size in front. */
static arb_code open_levels(arb_parquet_chunk *chunk, unsigned maximum, int32_t encoding, size_t *at, size_t end,
                            size_t *levels_at, arb_rle_decoder *out, arb_error *error)
{
    static const char damaged[] = "a page's levels are damaged";
    unsigned width = arb_bit_width(maximum);
    const uint8_t *data = chunk->memory->data.data;
    if (encoding == ARB_PARQUET_BIT_PACKED) {
        size_t count = (size_t)chunk->page.header.value_count, size = (size_t)(((uint64_t)count * width + 7) / 8);
        if (size > end - *at)
            return arb_fail(error, ARB_CORRUPT_DATA, damaged);
        uint8_t *levels = chunk->memory->levels.data + *levels_at;
        repack_levels(data + *at, width, count, levels);
        *out = arb_rle_decoder_packed(levels, width, count);
        *at += size;
        *levels_at += size + ARB_CODEC_PADDING;
        return ARB_OK;
    }
    if (encoding != ARB_PARQUET_RLE || end - *at < 4)
        return arb_fail(error, ARB_CORRUPT_DATA, damaged);
    uint32_t size = arb_load_u32(data + *at);
    if (size > end - *at - 4)
        return arb_fail(error, ARB_CORRUPT_DATA, damaged);
    *out = arb_rle_decoder_over(data + *at + 4, size, width);
    *at += 4 + (size_t)size;
    return ARB_OK;
}

static arb_code open_v1(arb_parquet_chunk *chunk, size_t *out_at, arb_error *error)
{
    arb_parquet_page *page = &chunk->page;
    const arb_parquet_leaf *leaf = chunk->leaf;
    size_t at = 0, end = (size_t)page->header.uncompressed_size, levels_at = 0;
    ARB_TRY(load_body(chunk, &page->header, page->body_offset, 0, &chunk->memory->data, error));
    if (page->header.definition_encoding == ARB_PARQUET_BIT_PACKED ||
        page->header.repetition_encoding == ARB_PARQUET_BIT_PACKED)
        ARB_TRY(arb_padded_buffer_reserve(&chunk->memory->levels, 2 * end + 4 * ARB_CODEC_PADDING, error));
    if (leaf->max_repetition != 0)
        ARB_TRY(open_levels(chunk, leaf->max_repetition, page->header.repetition_encoding, &at, end, &levels_at,
                            &page->repetitions, error));
    if (leaf->max_definition != 0)
        ARB_TRY(open_levels(chunk, leaf->max_definition, page->header.definition_encoding, &at, end, &levels_at,
                            &page->definitions, error));
    page->has_definitions = leaf->max_definition != 0;
    *out_at = at;
    return ARB_OK;
}

static arb_code open_v2(arb_parquet_chunk *chunk, size_t *out_at, arb_error *error)
{
    arb_parquet_page *page = &chunk->page;
    const arb_parquet_leaf *leaf = chunk->leaf;
    size_t repetition_size = (size_t)page->header.repetition_size,
           definition_size = (size_t)page->header.definition_size;
    ARB_TRY(load_body(chunk, &page->header, page->body_offset, repetition_size + definition_size, &chunk->memory->data,
                      error));
    const uint8_t *data = chunk->memory->data.data;
    page->repetitions = arb_rle_decoder_over(data, repetition_size, arb_bit_width(leaf->max_repetition));
    page->definitions =
        arb_rle_decoder_over(data + repetition_size, definition_size, arb_bit_width(leaf->max_definition));
    page->has_definitions = leaf->max_definition != 0;
    *out_at = repetition_size + definition_size;
    return ARB_OK;
}

arb_code arb_parquet_chunk_open_page(arb_parquet_chunk *chunk, arb_error *error)
{
    arb_parquet_page *page = &chunk->page;
    assert(page->is_there);
    if (page->is_open)
        return ARB_OK;
    if (page->has_codes)
        ARB_TRY(load_dictionary(chunk, error));
    if (chunk->memory == NULL)
        ARB_TRY(take_memory(chunk, error));
    size_t at = 0;
    if (page->header.kind == ARB_PARQUET_DATA_PAGE)
        ARB_TRY(open_v1(chunk, &at, error));
    else
        ARB_TRY(open_v2(chunk, &at, error));
    ARB_TRY(arb_parquet_values_prepare(chunk->leaf, page->header.encoding, chunk->memory->data.data + at,
                                       (size_t)page->header.uncompressed_size - at, (size_t)page->header.value_count,
                                       chunk->kernels, &chunk->memory->values, &page->values, error));
    /* One run of "is there" over the whole page is what columns without NULLs have. */
    if (chunk->leaf->max_definition == 1 && page->has_definitions && arb_rle_decoder_fill(&page->definitions) &&
        page->definitions.packed == NULL && page->definitions.value == 1 && page->definitions.left >= page->rows)
        page->has_definitions = false;
    page->is_open = true;
    return ARB_OK;
}
