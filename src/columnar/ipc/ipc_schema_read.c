#include "columnar/ipc/ipc_format.h"
#include "columnar/ipc/ipc_schema.h"

/* A FlatBuffer may refer to one table from many places, so that a few bytes describe a tree of any size. What is walked
 * is bounded by what the bytes could describe without that. */
typedef struct walk {
    arb_arrow_schema *schema;
    uint64_t fields_left;
    arb_error *error;
} walk;

static arb_code out_of_memory(walk *walk)
{
    const arb_arena *arena = &walk->schema->arena;
    if (walk->fields_left != 0 && arena->total < arena->limit / 2)
        return arb_fail_memory(walk->error, "a schema", sizeof(arb_arrow_field));
    return arb_fail(walk->error, ARB_LIMIT_EXCEEDED, "a schema is too large for its description");
}

static bool copy_text(walk *walk, arb_str text, arb_str *out)
{
    *out = arb_str_copy(&walk->schema->arena, text.data != NULL ? text : ARB_STR(""));
    return out->data != NULL;
}

arb_code arb_ipc_metadata_read(const arb_flat_table *table, unsigned field, arb_arena *arena,
                               arb_arrow_metadata *out_metadata, arb_error *error)
{
    *out_metadata = (arb_arrow_metadata){0};
    arb_flat_vector pairs = arb_flat_tables(table, field);
    if (pairs.count == 0)
        return ARB_OK;
    arb_str *texts = ARB_ARENA_ARRAY(arena, arb_str, (size_t)pairs.count * 2);
    if (texts == NULL)
        return arb_fail_memory(error, "metadata", (size_t)pairs.count * 2 * sizeof *texts);
    for (uint32_t i = 0; i < pairs.count; i++) {
        arb_flat_table pair = arb_flat_table_at(&pairs, i);
        for (unsigned j = 0; j < 2; j++) {
            arb_str text = arb_flat_string(&pair, j == 0 ? PAIR_KEY : PAIR_VALUE);
            arb_str *to = &texts[j * (size_t)pairs.count + i];
            *to = arb_str_copy(arena, text.data != NULL ? text : ARB_STR(""));
            if (to->data == NULL)
                return arb_fail_memory(error, "metadata", text.size);
        }
    }
    *out_metadata = (arb_arrow_metadata){pairs.count, texts, texts + pairs.count};
    return ARB_OK;
}

static arb_code unknown(walk *walk, const char *what, int value)
{
    return arb_fail(walk->error, ARB_NOT_SUPPORTED, "a schema has %s %d, which is not known", what, value);
}

static arb_code read_integer(walk *walk, const arb_flat_table *type, uint8_t *out_kind)
{
    bool is_signed = arb_flat_u8(type, INT_SIGNED, 0) != 0;
    int32_t width = arb_flat_i32(type, INT_WIDTH, 0);
    switch (width) {
    case 8:
        *out_kind = is_signed ? ARB_ARROW_INT8 : ARB_ARROW_UINT8;
        return ARB_OK;
    case 16:
        *out_kind = is_signed ? ARB_ARROW_INT16 : ARB_ARROW_UINT16;
        return ARB_OK;
    case 32:
        *out_kind = is_signed ? ARB_ARROW_INT32 : ARB_ARROW_UINT32;
        return ARB_OK;
    case 64:
        *out_kind = is_signed ? ARB_ARROW_INT64 : ARB_ARROW_UINT64;
        return ARB_OK;
    default:
        return unknown(walk, "integers with a bit width of", width);
    }
}

static arb_code read_decimal(walk *walk, const arb_flat_table *type, arb_arrow_field *field)
{
    int32_t width = arb_flat_i32(type, DECIMAL_WIDTH, 128);
    field->precision = arb_flat_i32(type, DECIMAL_PRECISION, 0);
    field->scale = arb_flat_i32(type, DECIMAL_SCALE, 0);
    if (width != 32 && width != 64 && width != 128 && width != 256)
        return unknown(walk, "decimals with a bit width of", width);
    field->kind = width == 32    ? ARB_ARROW_DECIMAL32
                  : width == 64  ? ARB_ARROW_DECIMAL64
                  : width == 128 ? ARB_ARROW_DECIMAL128
                                 : ARB_ARROW_DECIMAL256;
    return ARB_OK;
}

static arb_code read_unit(walk *walk, const arb_flat_table *type, int16_t otherwise, int16_t most, int16_t *out_unit)
{
    *out_unit = arb_flat_i16(type, UNIT, otherwise);
    if (*out_unit < 0 || *out_unit > most)
        return unknown(walk, "the unit", *out_unit);
    return ARB_OK;
}

static arb_code read_union(walk *walk, const arb_flat_table *type, arb_arrow_field *field)
{
    int16_t mode = arb_flat_i16(type, UNION_MODE, 0);
    if (mode != 0 && mode != 1)
        return unknown(walk, "the union mode", mode);
    field->kind = mode == 0 ? ARB_ARROW_SPARSE_UNION : ARB_ARROW_DENSE_UNION;
    arb_flat_vector ids = arb_flat_scalars(type, UNION_TYPE_IDS, 4);
    bool listed = ids.reader != NULL;
    if (field->child_count > ARB_ARROW_UNION_MAX || (listed && ids.count != field->child_count))
        return arb_fail(walk->error, ARB_CORRUPT_DATA, "the union \"%.*s\" has %u children and %u type ids",
                        ARB_STR_ARGS(field->name), field->child_count, ids.count);
    int8_t *type_ids = ARB_ARENA_ARRAY(&walk->schema->arena, int8_t, field->child_count);
    if (type_ids == NULL)
        return out_of_memory(walk);
    for (uint32_t i = 0; i < field->child_count; i++) {
        int32_t id = listed ? arb_load_i32(arb_flat_element(&ids, i)) : (int32_t)i;
        if (id < 0 || id > INT8_MAX)
            return unknown(walk, "the type id", id);
        type_ids[i] = (int8_t)id;
    }
    field->type_ids = type_ids;
    return ARB_OK;
}

/* Types with parameters. */
static arb_code read_parameters(walk *walk, uint8_t tag, const arb_flat_table *type, arb_arrow_field *field)
{
    static const uint8_t floats[] = {ARB_ARROW_FLOAT16, ARB_ARROW_FLOAT32, ARB_ARROW_FLOAT64};
    static const uint8_t intervals[] = {ARB_ARROW_INTERVAL_MONTHS, ARB_ARROW_INTERVAL_DAY_TIME, ARB_ARROW_INTERVAL_MDN};
    int16_t unit;
    switch (tag) {
    case TYPE_INT:
        return read_integer(walk, type, &field->kind);
    case TYPE_FLOAT:
        ARB_TRY(read_unit(walk, type, 0, 2, &unit));
        field->kind = floats[unit];
        return ARB_OK;
    case TYPE_DECIMAL:
        return read_decimal(walk, type, field);
    case TYPE_DATE:
        ARB_TRY(read_unit(walk, type, 1, 1, &unit));
        field->kind = unit == 0 ? ARB_ARROW_DATE32 : ARB_ARROW_DATE64;
        return ARB_OK;
    case TYPE_TIME: {
        ARB_TRY(read_unit(walk, type, ARB_ARROW_MILLISECOND, ARB_ARROW_NANOSECOND, &unit));
        int32_t width = arb_flat_i32(type, UNIT_WIDTH, 32);
        if (width != 32 && width != 64)
            return unknown(walk, "times with a bit width of", width);
        field->kind = width == 32 ? ARB_ARROW_TIME32 : ARB_ARROW_TIME64;
        field->unit = (uint8_t)unit;
        return ARB_OK;
    }
    case TYPE_TIMESTAMP:
        ARB_TRY(read_unit(walk, type, ARB_ARROW_SECOND, ARB_ARROW_NANOSECOND, &unit));
        field->kind = ARB_ARROW_TIMESTAMP;
        field->unit = (uint8_t)unit;
        return copy_text(walk, arb_flat_string(type, TIMESTAMP_ZONE), &field->zone) ? ARB_OK : out_of_memory(walk);
    case TYPE_DURATION:
        ARB_TRY(read_unit(walk, type, ARB_ARROW_MILLISECOND, ARB_ARROW_NANOSECOND, &unit));
        field->kind = ARB_ARROW_DURATION;
        field->unit = (uint8_t)unit;
        return ARB_OK;
    case TYPE_INTERVAL:
        ARB_TRY(read_unit(walk, type, 0, 2, &unit));
        field->kind = intervals[unit];
        return ARB_OK;
    case TYPE_UNION:
        return read_union(walk, type, field);
    case TYPE_FIXED_SIZE_BINARY:
    case TYPE_FIXED_SIZE_LIST:
        field->kind = tag == TYPE_FIXED_SIZE_BINARY ? ARB_ARROW_FIXED_SIZE_BINARY : ARB_ARROW_FIXED_SIZE_LIST;
        field->size = arb_flat_i32(type, TYPE_SIZE, 0);
        return ARB_OK;
    case TYPE_MAP:
        field->kind = ARB_ARROW_MAP;
        field->ordered = arb_flat_u8(type, MAP_SORTED, 0) != 0;
        return ARB_OK;
    default:
        return unknown(walk, "a field of type number", tag);
    }
}

static arb_code read_type(walk *walk, const arb_flat_table *table, arb_arrow_field *field)
{
    static const uint8_t plain[] = {
        [TYPE_NULL] = ARB_ARROW_NULL,
        [TYPE_BINARY] = ARB_ARROW_BINARY,
        [TYPE_UTF8] = ARB_ARROW_UTF8,
        [TYPE_BOOL] = ARB_ARROW_BOOL,
        [TYPE_LIST] = ARB_ARROW_LIST,
        [TYPE_STRUCT] = ARB_ARROW_STRUCT,
        [TYPE_LARGE_BINARY] = ARB_ARROW_LARGE_BINARY,
        [TYPE_LARGE_UTF8] = ARB_ARROW_LARGE_UTF8,
        [TYPE_LARGE_LIST] = ARB_ARROW_LARGE_LIST,
        [TYPE_RUN_END_ENCODED] = ARB_ARROW_RUN_END_ENCODED,
        [TYPE_BINARY_VIEW] = ARB_ARROW_BINARY_VIEW,
        [TYPE_UTF8_VIEW] = ARB_ARROW_UTF8_VIEW,
        [TYPE_LIST_VIEW] = ARB_ARROW_LIST_VIEW,
        [TYPE_LARGE_LIST_VIEW] = ARB_ARROW_LARGE_LIST_VIEW,
    };
    uint8_t tag = arb_flat_u8(table, FIELD_TYPE_TYPE, 0);
    if (tag == TYPE_NULL || (tag < sizeof plain && plain[tag] != 0)) {
        field->kind = plain[tag];
        return ARB_OK;
    }
    arb_flat_table type = arb_flat_child(table, FIELD_TYPE);
    return read_parameters(walk, tag, &type, field);
}

/* What was read so far becomes the entries of a DICTIONARY that takes its place. */
static arb_code wrap_dictionary(walk *walk, const arb_flat_table *encoding, arb_arrow_field *field)
{
    arb_arrow_field *entries = ARB_ARENA_NEW(&walk->schema->arena, arb_arrow_field);
    if (entries == NULL)
        return out_of_memory(walk);
    *entries = *field;
    entries->metadata = (arb_arrow_metadata){0};
    entries->nullable = true;
    *field = (arb_arrow_field){.name = field->name,
                               .kind = ARB_ARROW_DICTIONARY,
                               .nullable = field->nullable,
                               .index_kind = ARB_ARROW_INT32,
                               .zone = ARB_STR(""),
                               .metadata = field->metadata,
                               .child_count = 1,
                               .children = entries};
    field->dictionary_id = arb_flat_i64(encoding, DICTIONARY_ID, 0);
    field->ordered = arb_flat_u8(encoding, DICTIONARY_ORDERED, 0) != 0;
    arb_flat_table index = arb_flat_child(encoding, DICTIONARY_INDEX_TYPE);
    return index.reader == NULL ? ARB_OK : read_integer(walk, &index, &field->index_kind);
}

static arb_code read_fields(walk *walk, const arb_flat_vector *tables, unsigned depth, arb_arrow_field *parent);

static arb_code read_field(walk *walk, const arb_flat_table *table, unsigned depth, arb_arrow_field *field)
{
    *field = (arb_arrow_field){.zone = ARB_STR("")};
    if (!copy_text(walk, arb_flat_string(table, FIELD_NAME), &field->name))
        return out_of_memory(walk);
    field->nullable = arb_flat_u8(table, FIELD_NULLABLE, 0) != 0;
    ARB_TRY(arb_ipc_metadata_read(table, FIELD_METADATA, &walk->schema->arena, &field->metadata, walk->error));
    arb_flat_vector children = arb_flat_tables(table, FIELD_CHILDREN);
    ARB_TRY(read_fields(walk, &children, depth + 1, field));
    ARB_TRY(read_type(walk, table, field));
    arb_flat_table encoding = arb_flat_child(table, FIELD_DICTIONARY);
    return encoding.reader == NULL ? ARB_OK : wrap_dictionary(walk, &encoding, field);
}

static arb_code read_fields(walk *walk, const arb_flat_vector *tables, unsigned depth, arb_arrow_field *parent)
{
    if (depth > ARB_ARROW_DEPTH_MAX)
        return arb_fail(walk->error, ARB_LIMIT_EXCEEDED, "a schema is nested more than %d levels deep",
                        ARB_ARROW_DEPTH_MAX);
    if (tables->count > walk->fields_left) {
        walk->fields_left = 0;
        return out_of_memory(walk);
    }
    walk->fields_left -= tables->count;
    parent->children = ARB_ARENA_ARRAY(&walk->schema->arena, arb_arrow_field, tables->count);
    if (parent->children == NULL)
        return out_of_memory(walk);
    parent->child_count = tables->count;
    for (uint32_t i = 0; i < tables->count; i++) {
        arb_flat_table table = arb_flat_table_at(tables, i);
        ARB_TRY(read_field(walk, &table, depth, &parent->children[i]));
    }
    return ARB_OK;
}

static arb_code read_all(walk *walk, const arb_flat_table *table, bool *out_big_endian)
{
    int16_t endianness = arb_flat_i16(table, SCHEMA_ENDIANNESS, 0);
    if (endianness != 0 && endianness != 1)
        return unknown(walk, "the byte order", endianness);
    *out_big_endian = endianness == 1;
    arb_arrow_field *root = &walk->schema->root;
    ARB_TRY(arb_ipc_metadata_read(table, SCHEMA_METADATA, &walk->schema->arena, &root->metadata, walk->error));
    arb_flat_vector fields = arb_flat_tables(table, SCHEMA_FIELDS);
    ARB_TRY(read_fields(walk, &fields, 0, root));
    ARB_TRY(arb_flat_check(table->reader, "a schema", walk->error));
    return arb_arrow_schema_validate(walk->schema, walk->error);
}

arb_code arb_ipc_schema_read(const arb_flat_table *table, arb_arrow_schema **out_schema, bool *out_big_endian,
                             arb_error *error)
{
    *out_schema = NULL;
    if (table->reader == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a schema is missing");
    size_t size = table->reader->size;
    walk walk = {.fields_left = size / 8, .error = error};
    ARB_TRY(arb_arrow_schema_create((1 << 20) + size * 64, &walk.schema, error));
    arb_code code = read_all(&walk, table, out_big_endian);
    if (code != ARB_OK) { /* what is wrong with the bytes matters more than what followed from it */
        if (table->reader->failed && code != ARB_OUT_OF_MEMORY) {
            arb_error_clear(error);
            code = arb_flat_check(table->reader, "a schema", error);
        }
        arb_arrow_schema_unref(walk.schema);
        return code;
    }
    *out_schema = walk.schema;
    return ARB_OK;
}
