#include "formats/parquet/parquet_metadata.h"

#include "base/alloc.h"
#include "base/vec.h"
#include "formats/parquet/thrift_reader.h"

enum {
    TAIL_SIZE = 8,         /* the footer's size and the magic */
    FIRST_READ = 64 << 10, /* most footers fit, so one read does */
    MAX_FOOTER_SIZE = 1 << 30
};

typedef struct parser {
    arb_thrift_reader in;
    arb_arena *arena;
    bool no_memory;
} parser;

static int32_t to_i32(parser *p, uint8_t type)
{
    int64_t value = arb_thrift_integer(&p->in, type);
    if (value < INT32_MIN || value > INT32_MAX)
        arb_thrift_fail(&p->in);
    return (int32_t)value;
}

/* The unit is itself a union of empty structs: the number of the field says it. */
static int32_t parse_unit(parser *p, uint8_t type)
{
    int32_t unit = 0;
    arb_thrift_field field = {0};
    if (arb_thrift_struct(&p->in, type))
        while (arb_thrift_next_field(&p->in, &field)) {
            unit = field.id;
            arb_thrift_skip(&p->in, field.type);
        }
    return unit;
}

static void parse_logical_fields(parser *p, arb_parquet_element *element)
{
    arb_thrift_field field = {0};
    while (arb_thrift_next_field(&p->in, &field)) {
        switch (element->logical) {
        case ARB_PARQUET_LOGICAL_DECIMAL:
            if (field.id == 1)
                element->logical_scale = to_i32(p, field.type);
            else if (field.id == 2)
                element->logical_precision = to_i32(p, field.type);
            else
                arb_thrift_skip(&p->in, field.type);
            break;
        case ARB_PARQUET_LOGICAL_TIME:
        case ARB_PARQUET_LOGICAL_TIMESTAMP:
            if (field.id == 1)
                element->is_utc = arb_thrift_bool(&p->in, field.type);
            else if (field.id == 2)
                element->unit = parse_unit(p, field.type);
            else
                arb_thrift_skip(&p->in, field.type);
            break;
        case ARB_PARQUET_LOGICAL_INTEGER:
            if (field.id == 1)
                element->bit_width = to_i32(p, field.type);
            else if (field.id == 2)
                element->is_signed = arb_thrift_bool(&p->in, field.type);
            else
                arb_thrift_skip(&p->in, field.type);
            break;
        default:
            arb_thrift_skip(&p->in, field.type);
        }
    }
}

static void parse_logical(parser *p, uint8_t type, arb_parquet_element *element)
{
    arb_thrift_field field = {0};
    if (!arb_thrift_struct(&p->in, type))
        return;
    while (arb_thrift_next_field(&p->in, &field)) {
        element->logical = field.id;
        if (field.type == ARB_THRIFT_STRUCT)
            parse_logical_fields(p, element);
        else
            arb_thrift_skip(&p->in, field.type);
    }
}

static void parse_element(parser *p, arb_parquet_element *element)
{
    *element = (arb_parquet_element){.converted = ARB_PARQUET_CONVERTED_NONE};
    arb_thrift_field field = {0};
    while (arb_thrift_next_field(&p->in, &field)) {
        switch (field.id) {
        case 1:
            element->physical = to_i32(p, field.type);
            element->has_physical = true;
            break;
        case 2:
            element->type_length = to_i32(p, field.type);
            break;
        case 3:
            element->repetition = to_i32(p, field.type);
            break;
        case 4:
            element->name = arb_thrift_binary(&p->in, field.type);
            break;
        case 5:
            element->child_count = to_i32(p, field.type);
            break;
        case 6:
            element->converted = to_i32(p, field.type);
            break;
        case 7:
            element->scale = to_i32(p, field.type);
            break;
        case 8:
            element->precision = to_i32(p, field.type);
            break;
        case 10:
            parse_logical(p, field.type, element);
            break;
        default:
            arb_thrift_skip(&p->in, field.type);
        }
    }
}

static void parse_statistics(parser *p, uint8_t type, arb_parquet_statistics *statistics)
{
    arb_thrift_field field = {0};
    if (!arb_thrift_struct(&p->in, type))
        return;
    while (arb_thrift_next_field(&p->in, &field)) {
        switch (field.id) {
        case 1:
            statistics->old_max = arb_thrift_binary(&p->in, field.type);
            statistics->has_old_max = true;
            break;
        case 2:
            statistics->old_min = arb_thrift_binary(&p->in, field.type);
            statistics->has_old_min = true;
            break;
        case 3:
            statistics->null_count = arb_thrift_integer(&p->in, field.type);
            statistics->has_null_count = true;
            break;
        case 5:
            statistics->max = arb_thrift_binary(&p->in, field.type);
            statistics->has_max = true;
            break;
        case 6:
            statistics->min = arb_thrift_binary(&p->in, field.type);
            statistics->has_min = true;
            break;
        default:
            arb_thrift_skip(&p->in, field.type);
        }
    }
}

/* True when each entry of the list of (page type, encoding, count) that concerns data pages says dictionary. */
static bool parse_encoding_stats(parser *p, uint8_t type)
{
    uint8_t element;
    uint32_t count = arb_thrift_list(&p->in, type, &element);
    bool only_dictionary = count != 0;
    for (uint32_t i = 0; i < count && !p->in.failed; i++) {
        int32_t page = 0, encoding = 0, pages = 0;
        arb_thrift_field field = {0};
        if (!arb_thrift_struct(&p->in, element))
            return false;
        while (arb_thrift_next_field(&p->in, &field)) {
            if (field.id == 1)
                page = to_i32(p, field.type);
            else if (field.id == 2)
                encoding = to_i32(p, field.type);
            else if (field.id == 3)
                pages = to_i32(p, field.type);
            else
                arb_thrift_skip(&p->in, field.type);
        }
        bool is_data = page == 0 || page == 3;
        if (is_data && pages != 0 && encoding != ARB_PARQUET_PLAIN_DICTIONARY && encoding != ARB_PARQUET_RLE_DICTIONARY)
            only_dictionary = false;
    }
    return only_dictionary;
}

static void parse_column_metadata(parser *p, arb_parquet_chunk_meta *chunk)
{
    arb_thrift_field field = {0};
    chunk->present = true;
    while (arb_thrift_next_field(&p->in, &field)) {
        switch (field.id) {
        case 1:
            chunk->physical = to_i32(p, field.type);
            break;
        case 4:
            chunk->codec = to_i32(p, field.type);
            break;
        case 5:
            chunk->value_count = arb_thrift_integer(&p->in, field.type);
            break;
        case 6:
            chunk->uncompressed_bytes = arb_thrift_integer(&p->in, field.type);
            break;
        case 7:
            chunk->compressed_bytes = arb_thrift_integer(&p->in, field.type);
            break;
        case 9:
            chunk->data_offset = arb_thrift_integer(&p->in, field.type);
            break;
        case 11:
            chunk->dictionary_offset = arb_thrift_integer(&p->in, field.type);
            break;
        case 12:
            parse_statistics(p, field.type, &chunk->statistics);
            break;
        case 13:
            chunk->only_dictionary = parse_encoding_stats(p, field.type);
            break;
        case 14:
            if (field.type == ARB_THRIFT_I64) {
                chunk->bloom_offset = arb_thrift_integer(&p->in, field.type);
                break;
            }
            ARB_FALLTHROUGH; /* a writer had something else here before the standard knew Bloom filters */
        default:
            arb_thrift_skip(&p->in, field.type);
        }
    }
}

static void parse_chunk(parser *p, arb_parquet_chunk_meta *chunk)
{
    *chunk = (arb_parquet_chunk_meta){0};
    arb_thrift_field field = {0};
    while (arb_thrift_next_field(&p->in, &field)) {
        switch (field.id) {
        case 1:
            chunk->other_file = arb_thrift_binary(&p->in, field.type).size != 0;
            break;
        case 3:
            if (arb_thrift_struct(&p->in, field.type))
                parse_column_metadata(p, chunk);
            break;
        case 4:
            chunk->offset_index_offset = arb_thrift_integer(&p->in, field.type);
            break;
        case 5:
            chunk->offset_index_size = to_i32(p, field.type);
            break;
        case 6:
            chunk->column_index_offset = arb_thrift_integer(&p->in, field.type);
            break;
        case 7:
            chunk->column_index_size = to_i32(p, field.type);
            break;
        case 8:
        case 9:
            chunk->encrypted = true;
            arb_thrift_skip(&p->in, field.type);
            break;
        default:
            arb_thrift_skip(&p->in, field.type);
        }
    }
}

/* Define parse_NAMEs: a list of structs, grown as they really follow. */
#define DEFINE_LIST_PARSER(plural, type, parse_one)                                              \
    static void plural(parser *p, uint8_t list_type, type **out_items, uint32_t *out_count)      \
    {                                                                                            \
        struct {                                                                                 \
            type *data;                                                                          \
            size_t size, capacity;                                                               \
        } items = {0};                                                                           \
        uint8_t element;                                                                         \
        uint32_t count = arb_thrift_list(&p->in, list_type, &element);                           \
        for (uint32_t i = 0; i < count && !p->in.failed; i++) {                                  \
            if (!arb_thrift_struct(&p->in, element))                                             \
                break;                                                                           \
            if (!ARB_ARENA_RESERVE(p->arena, &items, i < 1024 ? ARB_MIN(count, 1024) : i + 1)) { \
                p->no_memory = true;                                                             \
                arb_thrift_fail(&p->in);                                                         \
                break;                                                                           \
            }                                                                                    \
            parse_one(p, &items.data[i]);                                                        \
            items.size = i + 1;                                                                  \
        }                                                                                        \
        *out_items = items.data;                                                                 \
        *out_count = (uint32_t)items.size;                                                       \
    }

DEFINE_LIST_PARSER(parse_chunks, arb_parquet_chunk_meta, parse_chunk)
DEFINE_LIST_PARSER(parse_elements, arb_parquet_element, parse_element)

static void parse_row_group(parser *p, arb_parquet_row_group *group)
{
    *group = (arb_parquet_row_group){0};
    arb_thrift_field field = {0};
    while (arb_thrift_next_field(&p->in, &field)) {
        if (field.id == 1)
            parse_chunks(p, field.type, &group->chunks, &group->chunk_count);
        else if (field.id == 2)
            group->bytes = arb_thrift_integer(&p->in, field.type);
        else if (field.id == 3)
            group->rows = arb_thrift_integer(&p->in, field.type);
        else
            arb_thrift_skip(&p->in, field.type);
    }
}

DEFINE_LIST_PARSER(parse_row_groups, arb_parquet_row_group, parse_row_group)

static arb_code parse_footer(parser *p, arb_parquet_metadata *metadata, arb_error *error)
{
    bool encrypted = false;
    arb_thrift_field field = {0};
    while (arb_thrift_next_field(&p->in, &field)) {
        switch (field.id) {
        case 2:
            parse_elements(p, field.type, &metadata->elements, &metadata->element_count);
            break;
        case 3:
            metadata->rows = arb_thrift_integer(&p->in, field.type);
            break;
        case 4:
            parse_row_groups(p, field.type, &metadata->row_groups, &metadata->row_group_count);
            break;
        case 6:
            metadata->created_by = arb_thrift_binary(&p->in, field.type);
            break;
        case 8:
            encrypted = true;
            arb_thrift_skip(&p->in, field.type);
            break;
        default:
            arb_thrift_skip(&p->in, field.type);
        }
    }
    if (p->no_memory)
        return arb_fail_memory(error, "a Parquet footer", p->arena->total);
    if (p->in.failed)
        return arb_fail(error, ARB_CORRUPT_DATA, "the Parquet footer is damaged");
    if (encrypted)
        return arb_fail(error, ARB_NOT_SUPPORTED, "the file is encrypted; encrypted Parquet files are not supported");
    uint64_t first_row = 0;
    for (uint32_t i = 0; i < metadata->row_group_count; i++) {
        arb_parquet_row_group *group = &metadata->row_groups[i];
        if (group->rows < 0 || group->rows > INT64_MAX - (int64_t)first_row)
            return arb_fail(error, ARB_CORRUPT_DATA, "the Parquet footer claims an impossible number of rows");
        group->first_row = first_row;
        first_row += (uint64_t)group->rows;
    }
    metadata->rows = (int64_t)first_row;
    return ARB_OK;
}

/* How many bytes the footer has, as the file's last ones say. */
static arb_code check_tail(const arb_byte_source *source, const uint8_t *tail_end, size_t *out_size, arb_error *error)
{
    const uint8_t *magic = tail_end - 4;
    if (memcmp(magic, "PARE", 4) == 0)
        return arb_fail(error, ARB_NOT_SUPPORTED, "the file is encrypted; encrypted Parquet files are not supported");
    if (memcmp(magic, "PAR1", 4) != 0)
        return arb_fail(error, ARB_CORRUPT_DATA, "not a Parquet file: it does not end with PAR1");
    uint32_t size = arb_load_u32(magic - 4);
    if (size > source->identity.size - TAIL_SIZE || size > MAX_FOOTER_SIZE)
        return arb_fail(error, ARB_CORRUPT_DATA, "the Parquet footer is said to have %u bytes, the file has %llu", size,
                        (unsigned long long)source->identity.size);
    *out_size = size;
    return ARB_OK;
}

/* The footer in the arena, and nothing of the pages before it, which may have come with it into `tail`. */
static arb_code read_footer(const arb_byte_source *source, uint8_t *tail, size_t tail_size, arb_arena *arena,
                            const uint8_t **out_footer, size_t *out_size, arb_error *error)
{
    uint64_t file_size = source->identity.size;
    ARB_TRY(arb_byte_source_read(source, file_size - tail_size, tail, tail_size, error));
    ARB_TRY(check_tail(source, tail + tail_size, out_size, error));
    uint8_t *footer = arb_arena_alloc(arena, *out_size);
    if (footer == NULL)
        return arb_fail_memory(error, "a Parquet footer", *out_size);
    *out_footer = footer;
    if (*out_size + TAIL_SIZE > tail_size)
        return arb_byte_source_read(source, file_size - TAIL_SIZE - *out_size, footer, *out_size, error);
    memcpy(footer, tail + tail_size - TAIL_SIZE - *out_size, *out_size);
    return ARB_OK;
}

arb_code arb_parquet_metadata_read(const arb_byte_source *source, arb_arena *arena, arb_parquet_metadata *out_metadata,
                                   arb_error *error)
{
    *out_metadata = (arb_parquet_metadata){0};
    uint64_t file_size = source->identity.size;
    if (file_size < 12)
        return arb_fail(error, ARB_CORRUPT_DATA, "not a Parquet file: it has %llu bytes",
                        (unsigned long long)file_size);
    size_t tail_size = (size_t)ARB_MIN(file_size, FIRST_READ), footer_size = 0;
    const uint8_t *footer = NULL;
    uint8_t *tail = arb_alloc(tail_size);
    if (tail == NULL)
        return arb_fail_memory(error, "a Parquet footer", tail_size);
    arb_code code = read_footer(source, tail, tail_size, arena, &footer, &footer_size, error);
    arb_free(tail);
    ARB_TRY(code);
    parser p = {.in = arb_thrift_reader_over(footer, footer_size), .arena = arena};
    return parse_footer(&p, out_metadata, error);
}
