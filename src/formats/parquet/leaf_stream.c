#include "formats/parquet/leaf_stream.h"

#include "base/bitmap.h"

/* Of one read: what a few bytes of levels can claim must not take the machine's memory. */
enum { MAX_ENTRIES = 1 << 24 };

void arb_parquet_leaf_stream_init(arb_parquet_leaf_stream *stream, const arb_byte_source *source,
                                  const arb_parquet_leaf *leaf, arb_read_queue *queue, arb_reservation *held)
{
    arb_parquet_target target = arb_parquet_target_make(arb_type_physical(leaf->type), false, 0, 0);
    arb_parquet_chunk_init(&stream->chunk, source, leaf, target, queue, held);
    stream->repetitions.held = stream->definitions.held = stream->values.held = held;
}

void arb_parquet_leaf_stream_reset(arb_parquet_leaf_stream *stream)
{
    arb_parquet_chunk_reset(&stream->chunk);
    arb_padded_buffer_reset(&stream->repetitions);
    arb_padded_buffer_reset(&stream->definitions);
    arb_padded_buffer_reset(&stream->values);
    stream->next_row = stream->ahead = stream->ahead_end = stream->entry_count = stream->value_count = 0;
}

arb_code arb_parquet_leaf_stream_begin(arb_parquet_leaf_stream *stream, const arb_parquet_chunk_meta *meta,
                                       uint64_t group_rows, uint64_t end_row, arb_error *error)
{
    stream->next_row = stream->ahead = stream->ahead_end = 0;
    stream->is_passing = stream->is_taking = false;
    return arb_parquet_chunk_begin(&stream->chunk, meta, group_rows, end_row, NULL, error);
}

/* ---- levels ahead ------------------------------------------------------------------------------------------------ */

static arb_code decode_levels(arb_parquet_leaf_stream *stream, arb_rle_decoder *decoder, unsigned most, size_t count,
                              uint8_t *to, arb_error *error)
{
    uint32_t largest = 0;
    size_t got = arb_rle_decoder_get(decoder, stream->chunk.kernels, count, stream->decoded, &largest);
    if (got != count)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page holds fewer levels than it says");
    if (largest > most)
        return arb_fail(error, ARB_CORRUPT_DATA, "a page holds level %u where the schema allows %u", largest, most);
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)stream->decoded[i];
    return ARB_OK;
}

/* Have at least one entry ahead, in the next pages if need be; *out_more is false at the chunk's end. */
static arb_code look_ahead(arb_parquet_leaf_stream *stream, bool *out_more, arb_error *error)
{
    arb_parquet_chunk *chunk = &stream->chunk;
    arb_parquet_page *page = &chunk->page;
    *out_more = true;
    while (stream->ahead == stream->ahead_end) {
        if (!page->is_there || page->position == page->rows) {
            ARB_TRY(arb_parquet_chunk_next_page(chunk, error));
            if (!page->is_there) {
                *out_more = false;
                return ARB_OK;
            }
        }
        ARB_TRY(arb_parquet_chunk_open_page(chunk, error));
        size_t count = (size_t)ARB_MIN(page->rows - page->position, ARB_PARQUET_LEVELS_AHEAD);
        unsigned most_repetition = chunk->leaf->max_repetition, most_definition = chunk->leaf->max_definition;
        if (most_repetition != 0)
            ARB_TRY(
                decode_levels(stream, &page->repetitions, most_repetition, count, stream->repetitions_ahead, error));
        else
            memset(stream->repetitions_ahead, 0, count);
        if (page->has_definitions)
            ARB_TRY(
                decode_levels(stream, &page->definitions, most_definition, count, stream->definitions_ahead, error));
        else
            memset(stream->definitions_ahead, (int)most_definition, count);
        page->position += count;
        stream->ahead = 0;
        stream->ahead_end = count;
    }
    return ARB_OK;
}

/* ---- taking entries ---------------------------------------------------------------------------------------------- */

static arb_code append_values(arb_parquet_leaf_stream *stream, size_t count, arb_error *error)
{
    arb_parquet_chunk *chunk = &stream->chunk;
    arb_physical physical = chunk->target.physical;
    size_t size = arb_physical_size(physical), had = stream->value_count, room = had + count + 1;
    if (physical == ARB_PHYS_BOOL) {
        uint64_t bits[ARB_VECTOR_WORDS];
        ARB_TRY(arb_padded_buffer_grow(&stream->values, arb_bitmap_words(room) * 8, arb_bitmap_words(had) * 8, error));
        ARB_TRY(arb_parquet_values_read(&chunk->page.values, chunk->kernels, count, &chunk->target, bits, error));
        arb_bitmap_write((uint64_t *)stream->values.data, had, bits, count);
    } else {
        ARB_TRY(arb_padded_buffer_grow(&stream->values, room * size, had * size, error));
        uint8_t *to = stream->values.data + had * size;
        if (!chunk->page.has_codes) {
            ARB_TRY(arb_parquet_values_read(&chunk->page.values, chunk->kernels, count, &chunk->target, to, error));
        } else if (count != 0) {
            ARB_TRY(arb_parquet_codes_read(&chunk->page.values, chunk->kernels, count, chunk->dictionary.count,
                                           stream->decoded, error));
            chunk->kernels->lookup(chunk->dictionary.entries.data, size, stream->decoded, count, to);
        }
    }
    stream->value_count += count;
    return ARB_OK;
}

/* Take the next `count` entries ahead: append them, or pass them. */
static arb_code take(arb_parquet_leaf_stream *stream, size_t count, bool keep, arb_error *error)
{
    const uint8_t *definitions = stream->definitions_ahead + stream->ahead;
    const uint8_t most = (uint8_t)stream->chunk.leaf->max_definition;
    size_t values = 0, had = stream->entry_count;
    for (size_t i = 0; i < count; i++)
        values += definitions[i] == most;
    if (!keep) {
        stream->ahead += count;
        return arb_parquet_values_skip(&stream->chunk.page.values, values, error);
    }
    if (count > MAX_ENTRIES - had)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "the lists of a few rows hold more than %d elements", MAX_ENTRIES);
    ARB_TRY(arb_padded_buffer_grow(&stream->repetitions, had + count, had, error));
    ARB_TRY(arb_padded_buffer_grow(&stream->definitions, had + count, had, error));
    memcpy(stream->repetitions.data + had, stream->repetitions_ahead + stream->ahead, count);
    memcpy(stream->definitions.data + had, definitions, count);
    stream->entry_count += count;
    stream->ahead += count;
    return append_values(stream, values, error);
}

/* Entries ahead that belong to the current row or to rows still to begin, of which there are `*left`. */
static size_t entries_of_rows(const arb_parquet_leaf_stream *stream, uint64_t *left)
{
    size_t available = stream->ahead_end - stream->ahead, count = 0;
    const uint8_t *repetitions = stream->repetitions_ahead + stream->ahead;
    if (stream->chunk.leaf->max_repetition == 0) {
        count = (size_t)ARB_MIN(available, *left);
        *left -= count;
        return count;
    }
    for (; count < available; count++)
        if (repetitions[count] == 0) {
            if (*left == 0)
                break;
            --*left;
        }
    return count;
}

/* Pass or take the rows that are left to walk over. */
static arb_code walk(arb_parquet_leaf_stream *stream, bool keep, arb_error *error)
{
    bool is_repeated = stream->chunk.leaf->max_repetition != 0;
    while (stream->walked != 0 && (stream->left != 0 || is_repeated)) {
        bool more;
        ARB_TRY(look_ahead(stream, &more, error));
        if (!more && stream->left == 0)
            break;
        if (!more)
            return arb_fail(error, ARB_CORRUPT_DATA, "the pages hold fewer rows than the row group's %llu",
                            (unsigned long long)stream->chunk.group_rows);
        if (stream->left == stream->walked && stream->repetitions_ahead[stream->ahead] != 0)
            return arb_fail(error, ARB_CORRUPT_DATA, "the first entry of a column chunk does not begin a row");
        size_t count = entries_of_rows(stream, &stream->left);
        if (count == 0)
            break;
        ARB_TRY(take(stream, count, keep, error));
    }
    stream->next_row += stream->walked;
    return ARB_OK;
}

/* Find the page to start in, as far as pages can be passed unopened. */
static arb_code begin_walk(arb_parquet_leaf_stream *stream, uint64_t first, arb_error *error)
{
    arb_parquet_chunk *chunk = &stream->chunk;
    if (first < stream->next_row)
        return arb_fail(error, ARB_INTERNAL, "a Parquet column was read backwards");
    const arb_parquet_page *page = &chunk->page;
    bool is_in_page = page->is_there && first < page->first_row + page->rows;
    if (chunk->leaf->max_repetition == 0 && !is_in_page) {
        ARB_TRY(arb_parquet_chunk_seek(chunk, first, error));
        stream->ahead = stream->ahead_end = 0;
        stream->next_row = page->first_row;
    }
    stream->walked = stream->left = first - stream->next_row;
    stream->is_passing = true;
    return ARB_OK;
}

arb_code arb_parquet_leaf_stream_read(arb_parquet_leaf_stream *stream, uint64_t first, uint32_t rows, arb_error *error)
{
    if (!stream->is_passing && !stream->is_taking)
        ARB_TRY(begin_walk(stream, first, error));
    if (stream->is_passing) {
        ARB_TRY(walk(stream, false, error));
        stream->is_passing = false;
        stream->is_taking = true;
        stream->walked = stream->left = rows;
        stream->entry_count = stream->value_count = 0;
    }
    ARB_TRY(walk(stream, true, error));
    stream->is_taking = false;
    return ARB_OK;
}
