#include "formats/parquet/page_metadata.h"

#include "formats/parquet/thrift_reader.h"

static int32_t to_i32(arb_thrift_reader *in, uint8_t type)
{
    int64_t value = arb_thrift_integer(in, type);
    if (value < INT32_MIN || value > INT32_MAX)
        arb_thrift_fail(in);
    return (int32_t)value;
}

static void parse_data_header(arb_thrift_reader *in, uint8_t type, arb_parquet_page_header *header)
{
    arb_thrift_field field = {0};
    if (!arb_thrift_struct(in, type))
        return;
    while (arb_thrift_next_field(in, &field)) {
        switch (field.id) {
        case 1:
            header->value_count = to_i32(in, field.type);
            break;
        case 2:
            header->encoding = to_i32(in, field.type);
            break;
        case 3:
            header->definition_encoding = to_i32(in, field.type);
            break;
        case 4:
            header->repetition_encoding = to_i32(in, field.type);
            break;
        default:
            arb_thrift_skip(in, field.type);
        }
    }
}

static void parse_dictionary_header(arb_thrift_reader *in, uint8_t type, arb_parquet_page_header *header)
{
    arb_thrift_field field = {0};
    if (!arb_thrift_struct(in, type))
        return;
    while (arb_thrift_next_field(in, &field)) {
        if (field.id == 1)
            header->value_count = to_i32(in, field.type);
        else if (field.id == 2)
            header->encoding = to_i32(in, field.type);
        else
            arb_thrift_skip(in, field.type);
    }
}

static void parse_data_header_v2(arb_thrift_reader *in, uint8_t type, arb_parquet_page_header *header)
{
    arb_thrift_field field = {0};
    if (!arb_thrift_struct(in, type))
        return;
    header->is_compressed = true;
    while (arb_thrift_next_field(in, &field)) {
        switch (field.id) {
        case 1:
            header->value_count = to_i32(in, field.type);
            break;
        case 2:
            header->null_count = to_i32(in, field.type);
            break;
        case 3:
            header->row_count = to_i32(in, field.type);
            break;
        case 4:
            header->encoding = to_i32(in, field.type);
            break;
        case 5:
            header->definition_size = to_i32(in, field.type);
            break;
        case 6:
            header->repetition_size = to_i32(in, field.type);
            break;
        case 7:
            header->is_compressed = arb_thrift_bool(in, field.type);
            break;
        default:
            arb_thrift_skip(in, field.type);
        }
    }
}

bool arb_parquet_page_header_parse(const void *data, size_t size, arb_parquet_page_header *out_header, size_t *out_size)
{
    arb_thrift_reader in = arb_thrift_reader_over(data, size);
    *out_header = (arb_parquet_page_header){.kind = -1, .uncompressed_size = -1, .compressed_size = -1};
    arb_parquet_page_header *header = out_header;
    bool has_data = false, has_dictionary = false, has_data_v2 = false;
    arb_thrift_field field = {0};
    while (arb_thrift_next_field(&in, &field)) {
        switch (field.id) {
        case 1:
            header->kind = to_i32(&in, field.type);
            break;
        case 2:
            header->uncompressed_size = to_i32(&in, field.type);
            break;
        case 3:
            header->compressed_size = to_i32(&in, field.type);
            break;
        case 4:
            header->crc = (uint32_t)to_i32(&in, field.type);
            header->has_crc = true;
            break;
        case 5:
            parse_data_header(&in, field.type, header);
            has_data = true;
            break;
        case 7:
            parse_dictionary_header(&in, field.type, header);
            has_dictionary = true;
            break;
        case 8:
            parse_data_header_v2(&in, field.type, header);
            has_data_v2 = true;
            break;
        default:
            arb_thrift_skip(&in, field.type);
        }
    }
    *out_size = (size_t)(in.at - (const uint8_t *)data);
    return !in.failed && header->uncompressed_size >= 0 && header->compressed_size >= 0 && header->value_count >= 0 &&
           header->definition_size >= 0 && header->repetition_size >= 0 && header->null_count >= 0 &&
           header->row_count >= 0 && (header->kind != ARB_PARQUET_DATA_PAGE || has_data) &&
           (header->kind != ARB_PARQUET_DICTIONARY_PAGE || has_dictionary) &&
           (header->kind != ARB_PARQUET_DATA_PAGE_V2 || has_data_v2);
}

static void parse_location(arb_thrift_reader *in, arb_parquet_page_location *location)
{
    arb_thrift_field field = {0};
    *location = (arb_parquet_page_location){.offset = -1, .size = -1, .first_row = -1};
    while (arb_thrift_next_field(in, &field)) {
        if (field.id == 1)
            location->offset = arb_thrift_integer(in, field.type);
        else if (field.id == 2)
            location->size = to_i32(in, field.type);
        else if (field.id == 3)
            location->first_row = arb_thrift_integer(in, field.type);
        else
            arb_thrift_skip(in, field.type);
    }
    if (location->offset < 0 || location->size < 0 || location->first_row < 0)
        arb_thrift_fail(in);
}

#define TAKE_LIST(arena, type, count, error) \
    ((type *)arb_held_arena_take((arena), sizeof(type) * (size_t)(count), "a Parquet page index", (error)))

arb_code arb_parquet_offset_index_parse(const void *data, size_t size, arb_held_arena *arena,
                                        arb_parquet_offset_index *out_index, arb_error *error)
{
    *out_index = (arb_parquet_offset_index){0};
    arb_thrift_reader in = arb_thrift_reader_over(data, size);
    arb_thrift_field field = {0};
    while (arb_thrift_next_field(&in, &field)) {
        if (field.id != 1) {
            arb_thrift_skip(&in, field.type);
            continue;
        }
        uint8_t element;
        uint32_t count = arb_thrift_list(&in, field.type, &element);
        out_index->pages = TAKE_LIST(arena, arb_parquet_page_location, count, error);
        if (out_index->pages == NULL)
            return ARB_OUT_OF_MEMORY;
        for (uint32_t i = 0; i < count && arb_thrift_struct(&in, element); i++) {
            parse_location(&in, &out_index->pages[i]);
            if (i > 0 && out_index->pages[i].first_row < out_index->pages[i - 1].first_row)
                arb_thrift_fail(&in);
        }
        out_index->count = count;
    }
    if (in.failed)
        return arb_fail(error, ARB_CORRUPT_DATA, "the Parquet offset index is damaged");
    return ARB_OK;
}

static arb_str *parse_binaries(arb_thrift_reader *in, uint8_t type, arb_held_arena *arena, uint32_t *out_count,
                               arb_error *error)
{
    uint8_t element;
    *out_count = arb_thrift_list(in, type, &element);
    arb_str *items = TAKE_LIST(arena, arb_str, *out_count, error);
    for (uint32_t i = 0; items != NULL && i < *out_count && !in->failed; i++)
        items[i] = arb_thrift_binary(in, element);
    return items;
}

arb_code arb_parquet_column_index_parse(const void *data, size_t size, arb_held_arena *arena,
                                        arb_parquet_column_index *out_index, arb_error *error)
{
    *out_index = (arb_parquet_column_index){0};
    arb_parquet_column_index *index = out_index;
    arb_thrift_reader in = arb_thrift_reader_over(data, size);
    arb_thrift_field field = {0};
    uint32_t counts[4] = {0};
    bool no_memory = false;
    while (!no_memory && arb_thrift_next_field(&in, &field)) {
        uint8_t element;
        switch (field.id) {
        case 1:
            counts[0] = arb_thrift_list(&in, field.type, &element);
            index->null_pages = TAKE_LIST(arena, bool, counts[0], error);
            no_memory = index->null_pages == NULL;
            for (uint32_t i = 0; !no_memory && i < counts[0]; i++)
                index->null_pages[i] = arb_thrift_list_bool(&in);
            break;
        case 2:
            index->mins = parse_binaries(&in, field.type, arena, &counts[1], error);
            no_memory = index->mins == NULL;
            break;
        case 3:
            index->maxs = parse_binaries(&in, field.type, arena, &counts[2], error);
            no_memory = index->maxs == NULL;
            break;
        case 5:
            counts[3] = arb_thrift_list(&in, field.type, &element);
            index->null_counts = TAKE_LIST(arena, int64_t, counts[3], error);
            no_memory = index->null_counts == NULL;
            for (uint32_t i = 0; !no_memory && i < counts[3] && !in.failed; i++)
                index->null_counts[i] = arb_thrift_integer(&in, element);
            break;
        default:
            arb_thrift_skip(&in, field.type);
        }
    }
    if (no_memory)
        return ARB_OUT_OF_MEMORY;
    if (in.failed || counts[0] != counts[1] || counts[0] != counts[2] ||
        (index->null_counts != NULL && counts[3] != counts[0]))
        return arb_fail(error, ARB_CORRUPT_DATA, "the Parquet column index is damaged");
    index->count = counts[0];
    return ARB_OK;
}

size_t arb_parquet_bloom_header_parse(const void *data, size_t size, size_t *out_header_size)
{
    arb_thrift_reader in = arb_thrift_reader_over(data, size);
    arb_thrift_field field = {0};
    int64_t bytes = 0;
    /* Algorithm, hash and compression are unions whose first member is the only one there is: BLOCK, XXHASH, none. */
    bool known = true;
    while (arb_thrift_next_field(&in, &field)) {
        if (field.id == 1) {
            bytes = arb_thrift_integer(&in, field.type);
        } else if (arb_thrift_struct(&in, field.type)) {
            arb_thrift_field member = {0};
            while (arb_thrift_next_field(&in, &member)) {
                known = known && member.id == 1;
                arb_thrift_skip(&in, member.type);
            }
        }
    }
    *out_header_size = (size_t)(in.at - (const uint8_t *)data);
    bool valid = !in.failed && known && bytes >= 32 && bytes % 32 == 0 && bytes <= 128 << 20;
    return valid ? (size_t)bytes : 0;
}
