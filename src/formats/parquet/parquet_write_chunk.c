#include "formats/parquet/parquet_write_chunk.h"

#include "formats/parquet/delta_encoder.h"
#include "formats/parquet/rle_encoder.h"
#include "formats/parquet/thrift_writer.h"

enum { DICTIONARY_BYTES_MOST = 1 << 20 };

/* A page before it is compressed. */
typedef struct raw_page {
    size_t raw_from, raw_to; /* of the scratch's raw bytes */
    size_t entry_from, entry_to, value_from, value_to, row_from, row_to;
    arb_parquet_write_range range;
} raw_page;

struct arb_parquet_write_scratch {
    const arb_parquet_write_plan *plan;
    arb_codec_encoder *encoder;
    arb_parquet_write_dictionary dictionary;
    arb_text raw, packed;
    arb_text numbers; /* of uint32_t: marks of dictionary entries, sizes of text */
    ARB_VEC(raw_page) pages;
};

arb_code arb_parquet_write_scratch_create(const arb_parquet_write_plan *plan, arb_parquet_write_scratch **out_scratch,
                                          arb_error *error)
{
    *out_scratch = NULL;
    arb_parquet_write_scratch *scratch = arb_alloc_zeroed(sizeof *scratch);
    if (scratch == NULL)
        return arb_fail_memory(error, "a Parquet writer", sizeof *scratch);
    scratch->plan = plan;
    arb_code code = arb_codec_encoder_create(plan->codec, plan->options.level, &scratch->encoder, error);
    if (code != ARB_OK)
        arb_parquet_write_scratch_destroy(scratch);
    else
        *out_scratch = scratch;
    return code;
}

void arb_parquet_write_scratch_destroy(arb_parquet_write_scratch *scratch)
{
    if (scratch == NULL)
        return;
    arb_codec_encoder_destroy(scratch->encoder);
    arb_parquet_write_dictionary_reset(&scratch->dictionary);
    arb_text_reset(&scratch->raw);
    arb_text_reset(&scratch->packed);
    arb_text_reset(&scratch->numbers);
    ARB_VEC_RESET(&scratch->pages);
    arb_free(scratch);
}

void arb_parquet_write_chunk_clear(arb_parquet_write_chunk *chunk)
{
    arb_text_clear(&chunk->bytes);
    arb_text_clear(&chunk->statistics);
    arb_text_clear(&chunk->column_index);
    arb_text_clear(&chunk->bloom);
    chunk->pages.size = 0;
    chunk->dictionary_size = chunk->entries = chunk->raw_bytes = 0;
}

void arb_parquet_write_chunk_reset(arb_parquet_write_chunk *chunk)
{
    arb_text_reset(&chunk->bytes);
    arb_text_reset(&chunk->statistics);
    arb_text_reset(&chunk->column_index);
    arb_text_reset(&chunk->bloom);
    ARB_VEC_RESET(&chunk->pages);
}

/* ---- the encoding ------------------------------------------------------------------------------------------------ */

/* Bits of a value on average, before compression. */
static double delta_bits(const arb_parquet_write_column *column)
{
    const void *data = column->data.data;
    return column->kept == ARB_PARQUET_KEPT_I32   ? arb_delta_estimate_i32(data, column->values)
           : column->kept == ARB_PARQUET_KEPT_I64 ? arb_delta_estimate_i64(data, column->values)
                                                  : 1e9;
}

/* Codes are what readers like best: they filter and group by them. So differences must be a good deal smaller to be
 * preferred to a dictionary, as they are for keys in order; against plain numbers any gain counts. */
static arb_code choose_encoding(arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column,
                                arb_parquet_encoding *out_encoding, arb_error *error)
{
    bool has_dictionary = false;
    if (!scratch->plan->options.no_dictionaries)
        ARB_TRY(arb_parquet_write_dictionary_build(&scratch->dictionary, column, DICTIONARY_BYTES_MOST, &has_dictionary,
                                                   error));
    double bits = 8.0 * (double)arb_parquet_kept_size(column->kept);
    *out_encoding = ARB_PARQUET_PLAIN;
    if (has_dictionary) {
        const arb_parquet_write_dictionary *d = &scratch->dictionary;
        double codes = arb_bit_width(d->count - 1) + 8.0 * (double)d->bytes / (double)column->values;
        if (column->kept == ARB_PARQUET_KEPT_TEXT || codes < bits) {
            *out_encoding = ARB_PARQUET_RLE_DICTIONARY;
            bits = codes / 2;
        }
    }
    if (delta_bits(column) < 0.9 * bits)
        *out_encoding = ARB_PARQUET_DELTA_BINARY_PACKED;
    else if (*out_encoding == ARB_PARQUET_PLAIN && column->kept == ARB_PARQUET_KEPT_TEXT)
        *out_encoding = ARB_PARQUET_DELTA_LENGTH_BYTE_ARRAY;
    return ARB_OK;
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

/* How far the page that begins behind `page` goes: whole rows, not too many and not too many bytes. */
static void next_page(const arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column, bool has_codes,
                      raw_page *page)
{
    const arb_parquet_write_options *options = &scratch->plan->options;
    const uint8_t *definitions = (const uint8_t *)column->definitions.data;
    const uint8_t *repetitions = (const uint8_t *)column->repetitions.data;
    const arb_string *texts = column->kept == ARB_PARQUET_KEPT_TEXT && !has_codes ? (void *)column->data.data : NULL;
    bool has_levels = column->leaf->max_definition != 0;
    size_t entry = page->entry_to, value = page->value_to, row = page->row_to, bytes = 0;
    size_t row_end = row + ARB_MAX(1, options->page_rows);
    page->entry_from = entry;
    page->value_from = value;
    page->row_from = row;
    if (texts == NULL && column->leaf->max_repetition == 0) {
        page->entry_to = page->row_to = ARB_MIN(row_end, column->entries);
        page->value_to = has_levels ? value : page->entry_to;
        for (; has_levels && entry < page->entry_to; entry++)
            page->value_to += definitions[entry] == column->leaf->max_definition;
        return;
    }
    for (; entry < column->entries; entry++) {
        if (column->leaf->max_repetition == 0 || repetitions[entry] == 0) {
            if (row == row_end || bytes >= options->page_bytes)
                break;
            row++;
        }
        if (has_levels && definitions[entry] != column->leaf->max_definition)
            continue;
        bytes += texts != NULL ? 4 + (size_t)texts[value].size : arb_parquet_kept_size(column->kept);
        value++;
    }
    page->entry_to = entry;
    page->value_to = value;
    page->row_to = row;
}

static void append_u32(arb_text *out, uint32_t value)
{
    char bytes[4];
    arb_store_u32(bytes, value);
    arb_text_append(out, bytes, 4);
}

static void append_levels(arb_text *out, const arb_text *levels, const raw_page *page, uint16_t most)
{
    if (most == 0)
        return;
    size_t at = out->size;
    append_u32(out, 0);
    arb_rle_encode_u8(out, (const uint8_t *)levels->data + page->entry_from, page->entry_to - page->entry_from,
                      arb_bit_width(most));
    if (!out->failed)
        arb_store_u32(out->data + at, (uint32_t)(out->size - at - 4));
}

/* Value `i` of the column as PLAIN stores it, for the kinds that are not copied as they are. */
static void append_plain_value(arb_text *out, const arb_parquet_write_column *column, size_t i)
{
    if (column->kept == ARB_PARQUET_KEPT_I128) {
        arb_int128 value = ((const arb_int128 *)(const void *)column->data.data)[i];
        char bytes[16];
        uint32_t size = column->leaf->fixed_size;
        for (uint32_t k = 0; k < size; k++)
            bytes[k] = (char)(value >> (8 * (size - 1 - k)));
        arb_text_append(out, bytes, size);
    } else {
        arb_str value = arb_string_view(&((const arb_string *)(const void *)column->data.data)[i]);
        char *to = arb_text_room(out, value.size + 4);
        if (to == NULL)
            return;
        arb_store_u32(to, (uint32_t)value.size);
        if (value.size != 0)
            memcpy(to + 4, value.data, value.size);
        arb_text_added(out, value.size + 4);
    }
}

static void append_bits(arb_text *out, const uint8_t *values, size_t count)
{
    size_t size = (count + 7) / 8;
    char *to = arb_text_room(out, size);
    if (to == NULL)
        return;
    memset(to, 0, size);
    for (size_t i = 0; i < count; i++)
        to[i / 8] = (char)(to[i / 8] | values[i] << (i % 8));
    arb_text_added(out, size);
}

static void append_plain(arb_text *out, const arb_parquet_write_column *column, size_t from, size_t to)
{
    size_t size = arb_parquet_kept_size(column->kept);
    switch (column->kept) {
    case ARB_PARQUET_KEPT_BOOL:
        append_bits(out, (const uint8_t *)column->data.data + from, to - from);
        return;
    case ARB_PARQUET_KEPT_I128:
    case ARB_PARQUET_KEPT_TEXT:
        for (size_t i = from; i < to; i++)
            append_plain_value(out, column, i);
        return;
    default:
        if (to != from)
            arb_text_append(out, column->data.data + from * size, (to - from) * size);
        return;
    }
}

/* All sizes, then all bytes. */
static void append_delta_length(arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column, size_t from,
                                size_t to)
{
    const arb_string *values = (const arb_string *)(const void *)column->data.data;
    size_t bytes = 0;
    arb_text_clear(&scratch->numbers);
    int32_t *sizes = (int32_t *)(void *)arb_text_room(&scratch->numbers, (to - from) * sizeof *sizes);
    if (sizes == NULL) {
        scratch->raw.failed = true;
        return;
    }
    for (size_t i = from; i < to; i++) {
        sizes[i - from] = (int32_t)values[i].size;
        bytes += values[i].size;
    }
    arb_delta_encode_i32(&scratch->raw, sizes, to - from);
    char *at = arb_text_room(&scratch->raw, bytes);
    if (at == NULL)
        return;
    for (size_t i = from; i < to; i++) {
        arb_str value = arb_string_view(&values[i]);
        if (value.size != 0)
            memcpy(at, value.data, value.size);
        at += value.size;
    }
    arb_text_added(&scratch->raw, bytes);
}

static void append_values(arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column,
                          arb_parquet_encoding encoding, const raw_page *page)
{
    arb_text *out = &scratch->raw;
    size_t from = page->value_from, count = page->value_to - from;
    const void *data = column->data.data;
    switch (encoding) {
    case ARB_PARQUET_RLE_DICTIONARY: {
        unsigned width = arb_bit_width(scratch->dictionary.count - 1);
        arb_text_append_char(out, (char)width);
        arb_rle_encode_u32(out, arb_parquet_write_codes(&scratch->dictionary) + from, count, width);
        return;
    }
    case ARB_PARQUET_DELTA_BINARY_PACKED:
        if (column->kept == ARB_PARQUET_KEPT_I32)
            arb_delta_encode_i32(out, (const int32_t *)data + from, count);
        else
            arb_delta_encode_i64(out, (const int64_t *)data + from, count);
        return;
    case ARB_PARQUET_DELTA_LENGTH_BYTE_ARRAY:
        append_delta_length(scratch, column, from, page->value_to);
        return;
    default:
        append_plain(out, column, from, page->value_to);
        return;
    }
}

/* Of text with a dictionary each entry that occurs is looked at once. */
static arb_code find_range(arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column,
                           arb_parquet_encoding encoding, raw_page *page, arb_error *error)
{
    if (encoding != ARB_PARQUET_RLE_DICTIONARY || column->kept != ARB_PARQUET_KEPT_TEXT) {
        page->range = arb_parquet_range_of_values(column, page->value_from, page->value_to);
        return ARB_OK;
    }
    const arb_parquet_write_dictionary *d = &scratch->dictionary;
    arb_text_clear(&scratch->numbers);
    char *marks = arb_text_room(&scratch->numbers, d->count * (sizeof(uint32_t) + 1));
    if (marks == NULL)
        return arb_text_check(&scratch->numbers, error);
    uint32_t *positions = (uint32_t *)(void *)marks;
    marks += d->count * sizeof(uint32_t);
    memset(marks, 0, d->count);
    const uint32_t *codes = arb_parquet_write_codes(d), *firsts = arb_parquet_write_firsts(d);
    size_t count = 0;
    for (size_t i = page->value_from; i < page->value_to; i++) {
        if (marks[codes[i]] == 0)
            positions[count++] = firsts[codes[i]];
        marks[codes[i]] = 1;
    }
    page->range = arb_parquet_range_of_positions(column, positions, count);
    return ARB_OK;
}

static arb_code make_pages(arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column,
                           arb_parquet_encoding encoding, arb_error *error)
{
    arb_text_clear(&scratch->raw);
    scratch->pages.size = 0;
    bool has_codes = encoding == ARB_PARQUET_RLE_DICTIONARY;
    if (has_codes) {
        const uint32_t *firsts = arb_parquet_write_firsts(&scratch->dictionary);
        for (uint32_t i = 0; i < scratch->dictionary.count; i++)
            append_plain(&scratch->raw, column, firsts[i], firsts[i] + 1);
        if (!ARB_VEC_PUSH(&scratch->pages, (raw_page){.raw_to = scratch->raw.size}))
            return arb_fail_memory(error, "Parquet pages", sizeof(raw_page));
    }
    raw_page page = {0};
    while (page.entry_to < column->entries) {
        next_page(scratch, column, has_codes, &page);
        page.raw_from = scratch->raw.size;
        append_levels(&scratch->raw, &column->repetitions, &page, column->leaf->max_repetition);
        append_levels(&scratch->raw, &column->definitions, &page, column->leaf->max_definition);
        append_values(scratch, column, encoding, &page);
        page.raw_to = scratch->raw.size;
        ARB_TRY(find_range(scratch, column, encoding, &page, error));
        if (page.raw_to - page.raw_from > INT32_MAX)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "a row is too large for a page of a Parquet file");
        if (!ARB_VEC_PUSH(&scratch->pages, page))
            return arb_fail_memory(error, "Parquet pages", sizeof page);
    }
    return arb_text_check(&scratch->raw, error);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static void append_header(arb_text *out, const raw_page *page, bool is_dictionary, arb_parquet_encoding encoding,
                          uint32_t count, arb_str body)
{
    arb_thrift_writer header = arb_thrift_writer_to(out);
    arb_thrift_put_integer(&header, 1, ARB_THRIFT_I32,
                           is_dictionary ? ARB_PARQUET_DICTIONARY_PAGE : ARB_PARQUET_DATA_PAGE);
    arb_thrift_put_integer(&header, 2, ARB_THRIFT_I32, (int32_t)(page->raw_to - page->raw_from));
    arb_thrift_put_integer(&header, 3, ARB_THRIFT_I32, (int32_t)body.size);
    arb_thrift_put_integer(&header, 4, ARB_THRIFT_I32, (int32_t)arb_crc32(0, body.data, body.size));
    arb_thrift_writer inner = arb_thrift_put_struct(&header, is_dictionary ? 7 : 5);
    arb_thrift_put_integer(&inner, 1, ARB_THRIFT_I32, count);
    arb_thrift_put_integer(&inner, 2, ARB_THRIFT_I32, is_dictionary ? ARB_PARQUET_PLAIN : encoding);
    if (!is_dictionary) {
        arb_thrift_put_integer(&inner, 3, ARB_THRIFT_I32, ARB_PARQUET_RLE);
        arb_thrift_put_integer(&inner, 4, ARB_THRIFT_I32, ARB_PARQUET_RLE);
    }
    arb_thrift_end(&inner);
    arb_thrift_end(&header);
}

static arb_code append_page(arb_parquet_write_scratch *scratch, size_t number, arb_parquet_write_chunk *chunk,
                            arb_error *error)
{
    const raw_page *page = &scratch->pages.data[number];
    bool is_dictionary = number == 0 && chunk->encoding == ARB_PARQUET_RLE_DICTIONARY;
    arb_str body = {scratch->raw.data + page->raw_from, page->raw_to - page->raw_from};
    if (chunk->codec != ARB_CODEC_NONE) {
        arb_text_clear(&scratch->packed);
        char *to = arb_text_room(&scratch->packed, arb_codec_encode_bound(scratch->encoder, body.size));
        if (to == NULL)
            return arb_text_check(&scratch->packed, error);
        size_t size;
        ARB_TRY(arb_codec_encode(scratch->encoder, body.data, body.size, to, &size, error));
        body = (arb_str){to, size};
    }
    if (body.size > INT32_MAX)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a row is too large for a page of a Parquet file");
    size_t at = chunk->bytes.size;
    uint32_t count = is_dictionary ? scratch->dictionary.count : (uint32_t)(page->entry_to - page->entry_from);
    append_header(&chunk->bytes, page, is_dictionary, chunk->encoding, count, body);
    chunk->raw_bytes += chunk->bytes.size - at + (page->raw_to - page->raw_from);
    arb_text_append_str(&chunk->bytes, body);
    if (is_dictionary)
        chunk->dictionary_size = chunk->bytes.size - at;
    else if (!ARB_VEC_PUSH(&chunk->pages, (arb_parquet_page_location){.offset = (int64_t)at,
                                                                      .size = (int32_t)(chunk->bytes.size - at),
                                                                      .first_row = (int64_t)page->row_from}))
        return arb_fail_memory(error, "Parquet pages", sizeof(arb_parquet_page_location));
    return arb_text_check(&chunk->bytes, error);
}

/* Packed codes and differences hardly get smaller, and reading them compressed costs time for nothing. The first data
 * page and the dictionary tell how it would be for all. */
static bool is_worth_compressing(const arb_parquet_write_scratch *scratch, const arb_parquet_write_chunk *chunk)
{
    const raw_page *first = &scratch->pages.data[chunk->dictionary_size != 0];
    double first_raw = (double)(first->raw_to - first->raw_from);
    double dictionary_raw = (double)first->raw_from;
    double rest = first_raw == 0 ? 1 : ((double)scratch->raw.size - dictionary_raw) / first_raw;
    double expected = (double)chunk->dictionary_size + rest * (double)chunk->pages.data[0].size;
    return expected < 0.85 * (double)scratch->raw.size;
}

static arb_code append_pages(arb_parquet_write_scratch *scratch, arb_stop_flag *stop, arb_parquet_write_chunk *chunk,
                             arb_error *error)
{
    size_t sample = chunk->encoding == ARB_PARQUET_RLE_DICTIONARY ? 2 : 1;
    chunk->codec = scratch->plan->codec;
    for (size_t i = 0; i < scratch->pages.size; i++) {
        ARB_TRY(arb_check_stop(stop, error));
        ARB_TRY(append_page(scratch, i, chunk, error));
        if (i + 1 == sample && chunk->codec != ARB_CODEC_NONE && !is_worth_compressing(scratch, chunk)) {
            chunk->codec = ARB_CODEC_NONE;
            arb_text_clear(&chunk->bytes);
            chunk->pages.size = 0;
            chunk->raw_bytes = chunk->dictionary_size = 0;
            i = SIZE_MAX; /* from the start again */
        }
    }
    return ARB_OK;
}

/* ---- what is said about it --------------------------------------------------------------------------------------- */

static void make_statistics(const arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column,
                            arb_parquet_write_chunk *chunk)
{
    arb_parquet_write_range range = {0};
    for (size_t i = 0; i < scratch->pages.size; i++)
        arb_parquet_range_add(column->kept, &range, &scratch->pages.data[i].range);
    arb_thrift_writer s = arb_thrift_writer_to(&chunk->statistics);
    arb_thrift_put_integer(&s, 3, ARB_THRIFT_I64, (int64_t)(column->entries - column->values));
    if (chunk->encoding == ARB_PARQUET_RLE_DICTIONARY)
        arb_thrift_put_integer(&s, 4, ARB_THRIFT_I64, scratch->dictionary.count);
    if (range.known) {
        arb_text low = {0}, high = {0};
        bool low_exact, high_exact;
        arb_parquet_extreme_append(&low, column->leaf, column->kept, &range.low, false, &low_exact);
        arb_parquet_extreme_append(&high, column->leaf, column->kept, &range.high, true, &high_exact);
        chunk->statistics.failed = chunk->statistics.failed || low.failed || high.failed;
        arb_thrift_put_binary(&s, 5, arb_text_view(&high));
        arb_thrift_put_binary(&s, 6, arb_text_view(&low));
        arb_thrift_put_bool(&s, 7, high_exact);
        arb_thrift_put_bool(&s, 8, low_exact);
        arb_text_reset(&low);
        arb_text_reset(&high);
    }
    arb_thrift_end(&s);
}

/* 0: no order, 1: each page's ends are at least those of the page before, 2: at most. */
static int boundary_order(const arb_parquet_write_column *column, const raw_page *pages, size_t count)
{
    bool rising = true, falling = true;
    const raw_page *before = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!pages[i].range.known)
            continue;
        if (before != NULL) {
            int low = arb_parquet_extreme_compare(column->kept, &pages[i].range.low, &before->range.low);
            int high = arb_parquet_extreme_compare(column->kept, &pages[i].range.high, &before->range.high);
            rising = rising && low >= 0 && high >= 0;
            falling = falling && low <= 0 && high <= 0;
        }
        before = &pages[i];
    }
    return rising ? 1 : falling ? 2 : 0;
}

static void put_ends(arb_thrift_writer *index, int32_t id, const arb_parquet_write_column *column,
                     const raw_page *pages, size_t count, bool is_high)
{
    arb_thrift_put_list(index, id, ARB_THRIFT_BINARY, count);
    for (size_t i = 0; i < count; i++) {
        arb_text bytes = {0};
        bool exact;
        if (pages[i].range.known)
            arb_parquet_extreme_append(&bytes, column->leaf, column->kept,
                                       is_high ? &pages[i].range.high : &pages[i].range.low, is_high, &exact);
        arb_thrift_item_binary(index->out, arb_text_view(&bytes));
        index->out->failed = index->out->failed || bytes.failed;
        arb_text_reset(&bytes);
    }
}

/* An index must say a range for every page that has values; so a page of NaNs alone means that there is none. */
static void make_column_index(const arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column,
                              arb_parquet_write_chunk *chunk)
{
    size_t first = chunk->dictionary_size != 0;
    const raw_page *pages = scratch->pages.data + first;
    size_t count = scratch->pages.size - first;
    for (size_t i = 0; i < count; i++)
        if (!pages[i].range.known && pages[i].value_from != pages[i].value_to)
            return;
    arb_thrift_writer index = arb_thrift_writer_to(&chunk->column_index);
    arb_thrift_put_list(&index, 1, ARB_THRIFT_TRUE, count);
    for (size_t i = 0; i < count; i++)
        arb_thrift_item_bool(index.out, !pages[i].range.known);
    put_ends(&index, 2, column, pages, count, false);
    put_ends(&index, 3, column, pages, count, true);
    arb_thrift_put_integer(&index, 4, ARB_THRIFT_I32, boundary_order(column, pages, count));
    arb_thrift_put_list(&index, 5, ARB_THRIFT_I64, count);
    for (size_t i = 0; i < count; i++)
        arb_thrift_item_integer(index.out, (int64_t)((pages[i].entry_to - pages[i].entry_from) -
                                                     (pages[i].value_to - pages[i].value_from)));
    arb_thrift_end(&index);
}

arb_code arb_parquet_write_chunk_encode(arb_parquet_write_scratch *scratch, const arb_parquet_write_column *column,
                                        arb_stop_flag *stop, arb_parquet_write_chunk *chunk, arb_error *error)
{
    if (column->definitions.failed || column->repetitions.failed || column->data.failed)
        return arb_fail_memory(error, "a Parquet row group", column->data.capacity);
    arb_parquet_write_chunk_clear(chunk);
    chunk->entries = column->entries;
    ARB_TRY(choose_encoding(scratch, column, &chunk->encoding, error));
    ARB_TRY(arb_check_stop(stop, error));
    ARB_TRY(make_pages(scratch, column, chunk->encoding, error));
    ARB_TRY(append_pages(scratch, stop, chunk, error));
    make_statistics(scratch, column, chunk);
    make_column_index(scratch, column, chunk);
    if (scratch->plan->options.bloom_filters && chunk->encoding != ARB_PARQUET_RLE_DICTIONARY)
        arb_parquet_write_bloom(column, &chunk->bloom);
    ARB_TRY(arb_text_check(&chunk->statistics, error));
    ARB_TRY(arb_text_check(&chunk->column_index, error));
    return arb_text_check(&chunk->bloom, error);
}
