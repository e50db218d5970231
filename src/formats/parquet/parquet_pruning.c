#include "formats/parquet/parquet_pruning.h"

enum { MAX_INDEX_SIZE = 64 << 20, BLOOM_HEADER_SIZE = 64 };

/* ---- ranges -------------------------------------------------------------------------------------------------- */

static bool integer_of(const arb_parquet_leaf *leaf, arb_str bytes, arb_int128 *out)
{
    arb_int128 value = 0;
    bool is_unsigned = leaf->conversion == ARB_PARQUET_UNSIGNED;
    switch (leaf->physical) {
    case ARB_PARQUET_INT32:
        if (bytes.size != 4)
            return false;
        value = is_unsigned ? (arb_int128)arb_load_u32(bytes.data) : arb_load_i32(bytes.data);
        break;
    case ARB_PARQUET_INT64:
        if (bytes.size != 8)
            return false;
        value = is_unsigned ? (arb_int128)arb_load_u64(bytes.data) : arb_load_i64(bytes.data);
        break;
    case ARB_PARQUET_FIXED:
    case ARB_PARQUET_BYTE_ARRAY: {
        if (leaf->conversion != ARB_PARQUET_BIG_ENDIAN || bytes.size == 0 || bytes.size > 16)
            return false;
        arb_uint128 bits = (uint8_t)bytes.data[0] >= 0x80 ? ~(arb_uint128)0 : 0;
        for (size_t i = 0; i < bytes.size; i++)
            bits = bits << 8 | (uint8_t)bytes.data[i];
        value = (arb_int128)bits;
        break;
    }
    default:
        return false;
    }
    if (leaf->conversion == ARB_PARQUET_TIMES_1000) {
        if (value > INT64_MAX / 1000 || value < INT64_MIN / 1000)
            return false;
        value *= 1000;
    } else if (leaf->conversion == ARB_PARQUET_OVER_1000) {
        value = value / 1000 - (value % 1000 < 0);
    }
    *out = value;
    return true;
}

static void set_range(const arb_parquet_leaf *leaf, arb_str low, arb_str high, arb_value_range *range)
{
    range->known =
        integer_of(leaf, low, &range->low) && integer_of(leaf, high, &range->high) && range->low <= range->high;
}

arb_value_range arb_parquet_chunk_range(const arb_parquet_leaf *leaf, const arb_parquet_chunk_meta *meta)
{
    const arb_parquet_statistics *statistics = &meta->statistics;
    arb_value_range range = {.may_have_nulls = leaf->max_definition != 0};
    if (!meta->present || meta->physical != leaf->physical)
        return range;
    if (statistics->has_null_count && statistics->null_count == 0)
        range.may_have_nulls = false;
    range.all_null = statistics->has_null_count && statistics->null_count == meta->value_count &&
                     meta->value_count != 0 && leaf->max_definition != 0;
    if (statistics->has_min && statistics->has_max)
        set_range(leaf, statistics->min, statistics->max, &range);
    else if (statistics->has_old_min && statistics->has_old_max && leaf->is_signed_order)
        set_range(leaf, statistics->old_min, statistics->old_max, &range);
    return range;
}

arb_value_range arb_parquet_page_range(const arb_parquet_leaf *leaf, const arb_parquet_column_index *index,
                                       uint32_t page)
{
    arb_value_range range = {.may_have_nulls = leaf->max_definition != 0};
    if (index->null_counts != NULL && index->null_counts[page] == 0)
        range.may_have_nulls = false;
    range.all_null = index->null_pages[page] && leaf->max_definition != 0;
    if (!index->null_pages[page])
        set_range(leaf, index->mins[page], index->maxs[page], &range);
    return range;
}

/* ---- page indexes -------------------------------------------------------------------------------------------- */

/* NULL when the range cannot be an index. */
static arb_code read_range(const arb_byte_source *source, arb_read_queue *queue, int64_t offset, int64_t size,
                           arb_parquet_piece *piece, arb_reservation *held, const void **out_data, arb_error *error)
{
    *out_data = NULL;
    uint64_t total = source->identity.size;
    if (offset <= 0 || size <= 0 || size > MAX_INDEX_SIZE || (uint64_t)offset > total ||
        (uint64_t)size > total - (uint64_t)offset)
        return ARB_OK;
    return arb_parquet_piece_get(piece, source, queue, held, (uint64_t)offset, (size_t)size, out_data, error);
}

static arb_code unless_damaged(arb_code code, arb_error *error)
{
    if (code != ARB_CORRUPT_DATA)
        return code;
    arb_error_clear(error);
    return ARB_OK;
}

arb_code arb_parquet_offset_index_read(const arb_byte_source *source, arb_read_queue *queue,
                                       const arb_parquet_chunk_meta *meta, arb_parquet_piece *piece,
                                       arb_held_arena *arena, arb_parquet_offset_index *out_index, arb_error *error)
{
    const void *data;
    *out_index = (arb_parquet_offset_index){0};
    ARB_TRY(read_range(source, queue, meta->offset_index_offset, meta->offset_index_size, piece, arena->held, &data,
                       error));
    if (data == NULL)
        return ARB_OK;
    arb_code code = arb_parquet_offset_index_parse(data, (size_t)meta->offset_index_size, arena, out_index, error);
    if (code != ARB_OK)
        out_index->count = 0;
    return unless_damaged(code, error);
}

arb_code arb_parquet_column_index_read(const arb_byte_source *source, arb_read_queue *queue,
                                       const arb_parquet_chunk_meta *meta, arb_parquet_piece *piece,
                                       arb_held_arena *arena, arb_parquet_column_index *out_index, arb_error *error)
{
    const void *data;
    *out_index = (arb_parquet_column_index){0};
    ARB_TRY(read_range(source, queue, meta->column_index_offset, meta->column_index_size, piece, arena->held, &data,
                       error));
    if (data == NULL)
        return ARB_OK;
    arb_code code = arb_parquet_column_index_parse(data, (size_t)meta->column_index_size, arena, out_index, error);
    if (code != ARB_OK)
        out_index->count = 0;
    return unless_damaged(code, error);
}

/* ---- Bloom filters ------------------------------------------------------------------------------------------- */

/* XXH64 with seed 0, which the format prescribes. */
static const uint64_t prime_1 = 0x9E3779B185EBCA87u, prime_2 = 0xC2B2AE3D27D4EB4Fu, prime_3 = 0x165667B19E3779F9u,
                      prime_4 = 0x85EBCA77C2B2AE63u, prime_5 = 0x27D4EB2F165667C5u;

ARB_INLINE uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

ARB_INLINE uint64_t xx_round(uint64_t sum, uint64_t input)
{
    return rotate(sum + input * prime_2, 31) * prime_1;
}

static uint64_t xx_hash(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    uint64_t hash = prime_5;
    if (size >= 32) {
        uint64_t lanes[4] = {prime_1 + prime_2, prime_2, 0, 0 - prime_1};
        for (; end - data >= 32; data += 32)
            for (unsigned i = 0; i < 4; i++)
                lanes[i] = xx_round(lanes[i], arb_load_u64(data + 8 * i));
        hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
        for (unsigned i = 0; i < 4; i++)
            hash = (hash ^ xx_round(0, lanes[i])) * prime_1 + prime_4;
    }
    hash += size;
    for (; end - data >= 8; data += 8)
        hash = rotate(hash ^ xx_round(0, arb_load_u64(data)), 27) * prime_1 + prime_4;
    if (end - data >= 4) {
        hash = rotate(hash ^ arb_load_u32(data) * prime_1, 23) * prime_2 + prime_3;
        data += 4;
    }
    for (; data < end; data++)
        hash = rotate(hash ^ *data * prime_5, 11) * prime_1;
    hash = (hash ^ hash >> 33) * prime_2;
    hash = (hash ^ hash >> 29) * prime_3;
    return hash ^ hash >> 32;
}

/* A block of eight words has one bit of each set for a value; the hash's upper half says which block. */
static bool bloom_block_has(const uint8_t *block, uint32_t key)
{
    static const uint32_t salts[8] = {0x47B6137Bu, 0x44974D91u, 0x8824AD5Bu, 0xA2B7289Du,
                                      0x705495C7u, 0x2DF1424Bu, 0x9EFC4947u, 0x5C6BFB31u};
    for (unsigned i = 0; i < 8; i++)
        if ((arb_load_u32(block + 4 * i) >> (key * salts[i] >> 27) & 1) == 0)
            return false;
    return true;
}

/* The value's bytes as the file would store them; false when the filter asks for no single value that it can hold. */
static bool filter_value(const arb_parquet_leaf *leaf, const arb_scan_filter *filter, uint8_t buffer[8],
                         arb_str *out_bytes)
{
    if (filter->column_count != 1)
        return false;
    if (leaf->physical == ARB_PARQUET_BYTE_ARRAY && leaf->conversion == ARB_PARQUET_AS_IS)
        return filter->vtable->equal_text != NULL && filter->vtable->equal_text(filter, out_bytes);
    arb_int128 value;
    bool is_32 = leaf->physical == ARB_PARQUET_INT32;
    if ((!is_32 && leaf->physical != ARB_PARQUET_INT64) ||
        (leaf->conversion != ARB_PARQUET_AS_IS && leaf->conversion != ARB_PARQUET_UNSIGNED) ||
        filter->vtable->equal_integer == NULL || !filter->vtable->equal_integer(filter, &value))
        return false;
    arb_store_u64(buffer, (uint64_t)value);
    *out_bytes = (arb_str){(const char *)buffer, is_32 ? 4 : 8};
    return true;
}

arb_code arb_parquet_bloom_may_pass(const arb_byte_source *source, arb_read_queue *queue, const arb_parquet_leaf *leaf,
                                    const arb_parquet_chunk_meta *meta, const arb_scan_filter *filter,
                                    arb_parquet_bloom_pieces *pieces, arb_reservation *held, bool *out_may_pass,
                                    arb_error *error)
{
    *out_may_pass = true;
    uint8_t buffer[8];
    arb_str value;
    uint64_t total = source->identity.size;
    if (meta->bloom_offset <= 0 || (uint64_t)meta->bloom_offset >= total || !filter_value(leaf, filter, buffer, &value))
        return ARB_OK;
    const void *head, *bytes;
    uint64_t left = total - (uint64_t)meta->bloom_offset;
    ARB_TRY(read_range(source, queue, meta->bloom_offset, (int64_t)ARB_MIN(left, BLOOM_HEADER_SIZE), &pieces->head,
                       held, &head, error));
    size_t header_size = 0, size = 0;
    if (head != NULL)
        size = arb_parquet_bloom_header_parse(head, (size_t)ARB_MIN(left, BLOOM_HEADER_SIZE), &header_size);
    if (size == 0 || header_size + size > left)
        return ARB_OK;
    uint64_t hash = xx_hash((const uint8_t *)value.data, value.size);
    uint64_t block = (hash >> 32) * (size / 32) >> 32;
    ARB_TRY(arb_parquet_piece_get(&pieces->block, source, queue, held,
                                  (uint64_t)meta->bloom_offset + header_size + 32 * block, 32, &bytes, error));
    *out_may_pass = bloom_block_has(bytes, (uint32_t)hash);
    return ARB_OK;
}
