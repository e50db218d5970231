#include "columnar/ipc/ipc_format.h"
#include "columnar/ipc/ipc_schema.h"

void arb_ipc_metadata_write(arb_flat_writer *writer, size_t hole, arb_arrow_metadata metadata)
{
    size_t holes = arb_flat_write_holes(writer, hole, metadata.count);
    for (size_t i = 0; i < metadata.count; i++) {
        arb_flat_slot slots[] = {{.field = PAIR_KEY}, {.field = PAIR_VALUE}};
        arb_flat_write_table(writer, holes + i * 4, slots, ARB_COUNT_OF(slots));
        arb_flat_write_string(writer, slots[0].at, metadata.keys[i]);
        arb_flat_write_string(writer, slots[1].at, metadata.values[i]);
    }
}

/* A type with up to three fields. */
typedef struct type_form {
    uint8_t tag;
    size_t count;
    arb_flat_slot slots[3];
} type_form;

#define FORM(tag_, ...)                                                                   \
    ((type_form){.tag = (tag_),                                                           \
                 .count = sizeof((arb_flat_slot[]){__VA_ARGS__}) / sizeof(arb_flat_slot), \
                 .slots = {__VA_ARGS__}})
#define PLAIN(tag_) ((type_form){.tag = (tag_)})

static type_form integer_form(uint8_t kind)
{
    static const uint8_t widths[] = {8, 16, 32, 64};
    bool is_signed = kind <= ARB_ARROW_INT64;
    uint8_t width = widths[kind - (is_signed ? ARB_ARROW_INT8 : ARB_ARROW_UINT8)];
    return FORM(TYPE_INT, {.field = INT_WIDTH, .size = 4, .value = width},
                {.field = INT_SIGNED, .size = 1, .value = is_signed});
}

static type_form decimal_form(const arb_arrow_field *field)
{
    return FORM(TYPE_DECIMAL, {.field = DECIMAL_PRECISION, .size = 4, .value = field->precision},
                {.field = DECIMAL_SCALE, .size = 4, .value = field->scale},
                {.field = DECIMAL_WIDTH, .size = 4, .value = (int64_t)arb_arrow_field_width(field) * 8});
}

static type_form unit_form(uint8_t tag, int64_t unit)
{
    return FORM(tag, {.field = UNIT, .size = 2, .value = unit});
}

static type_form form_of(const arb_arrow_field *field)
{
    static const uint8_t plain[ARB_ARROW_KIND_COUNT] = {
        [ARB_ARROW_NULL] = TYPE_NULL,
        [ARB_ARROW_BOOL] = TYPE_BOOL,
        [ARB_ARROW_UTF8] = TYPE_UTF8,
        [ARB_ARROW_LARGE_UTF8] = TYPE_LARGE_UTF8,
        [ARB_ARROW_UTF8_VIEW] = TYPE_UTF8_VIEW,
        [ARB_ARROW_BINARY] = TYPE_BINARY,
        [ARB_ARROW_LARGE_BINARY] = TYPE_LARGE_BINARY,
        [ARB_ARROW_BINARY_VIEW] = TYPE_BINARY_VIEW,
        [ARB_ARROW_LIST] = TYPE_LIST,
        [ARB_ARROW_LARGE_LIST] = TYPE_LARGE_LIST,
        [ARB_ARROW_LIST_VIEW] = TYPE_LIST_VIEW,
        [ARB_ARROW_LARGE_LIST_VIEW] = TYPE_LARGE_LIST_VIEW,
        [ARB_ARROW_STRUCT] = TYPE_STRUCT,
        [ARB_ARROW_RUN_END_ENCODED] = TYPE_RUN_END_ENCODED,
    };
    if (plain[field->kind] != 0)
        return PLAIN(plain[field->kind]);
    switch (field->kind) {
    case ARB_ARROW_FLOAT16:
    case ARB_ARROW_FLOAT32:
    case ARB_ARROW_FLOAT64:
        return unit_form(TYPE_FLOAT, field->kind - ARB_ARROW_FLOAT16);
    case ARB_ARROW_DECIMAL32:
    case ARB_ARROW_DECIMAL64:
    case ARB_ARROW_DECIMAL128:
    case ARB_ARROW_DECIMAL256:
        return decimal_form(field);
    case ARB_ARROW_DATE32:
    case ARB_ARROW_DATE64:
        return unit_form(TYPE_DATE, field->kind - ARB_ARROW_DATE32);
    case ARB_ARROW_TIME32:
    case ARB_ARROW_TIME64:
        return FORM(TYPE_TIME, {.field = UNIT, .size = 2, .value = field->unit},
                    {.field = UNIT_WIDTH, .size = 4, .value = field->kind == ARB_ARROW_TIME32 ? 32 : 64});
    case ARB_ARROW_TIMESTAMP: {
        type_form form = FORM(TYPE_TIMESTAMP, {.field = UNIT, .size = 2, .value = field->unit},
                              {.field = TIMESTAMP_ZONE, .size = ARB_FLAT_HOLE});
        form.count = field->zone.size != 0 ? 2 : 1;
        return form;
    }
    case ARB_ARROW_DURATION:
        return unit_form(TYPE_DURATION, field->unit);
    case ARB_ARROW_INTERVAL_MONTHS:
    case ARB_ARROW_INTERVAL_DAY_TIME:
    case ARB_ARROW_INTERVAL_MDN:
        return unit_form(TYPE_INTERVAL, field->kind - ARB_ARROW_INTERVAL_MONTHS);
    case ARB_ARROW_FIXED_SIZE_BINARY:
    case ARB_ARROW_FIXED_SIZE_LIST:
        return FORM(field->kind == ARB_ARROW_FIXED_SIZE_BINARY ? TYPE_FIXED_SIZE_BINARY : TYPE_FIXED_SIZE_LIST,
                    {.field = TYPE_SIZE, .size = 4, .value = field->size});
    case ARB_ARROW_MAP:
        return FORM(TYPE_MAP, {.field = MAP_SORTED, .size = 1, .value = field->ordered});
    case ARB_ARROW_SPARSE_UNION:
    case ARB_ARROW_DENSE_UNION:
        return FORM(TYPE_UNION, {.field = UNION_MODE, .size = 2, .value = field->kind == ARB_ARROW_DENSE_UNION},
                    {.field = UNION_TYPE_IDS, .size = ARB_FLAT_HOLE});
    default:
        return integer_form(field->kind);
    }
}

static void write_type_ids(arb_flat_writer *writer, size_t hole, const arb_arrow_field *field)
{
    int32_t ids[ARB_ARROW_UNION_MAX];
    for (uint32_t i = 0; i < field->child_count; i++)
        ids[i] = field->type_ids[i];
    arb_flat_write_vector(writer, hole, ids, field->child_count, 4, 4);
}

static void write_type(arb_flat_writer *writer, size_t hole, type_form form, const arb_arrow_field *field)
{
    arb_flat_write_table(writer, hole, form.slots, form.count);
    if (form.tag == TYPE_TIMESTAMP && field->zone.size != 0)
        arb_flat_write_string(writer, form.slots[1].at, field->zone);
    if (form.tag == TYPE_UNION)
        write_type_ids(writer, form.slots[1].at, field);
}

static void write_dictionary(arb_flat_writer *writer, size_t hole, const arb_arrow_field *field, int64_t id)
{
    arb_flat_slot slots[] = {{.field = DICTIONARY_ID, .size = 8, .value = id},
                             {.field = DICTIONARY_INDEX_TYPE},
                             {.field = DICTIONARY_ORDERED, .size = 1, .value = field->ordered}};
    arb_flat_write_table(writer, hole, slots, ARB_COUNT_OF(slots));
    type_form index = integer_form(field->index_kind);
    arb_flat_write_table(writer, slots[1].at, index.slots, index.count);
}

static void write_fields(arb_flat_writer *writer, size_t hole, const arb_arrow_field *fields, uint32_t count,
                         int64_t *next_id);

/* A DICTIONARY is written as a field of its entries' type that has an encoding. */
static void write_field(arb_flat_writer *writer, size_t hole, const arb_arrow_field *field, int64_t *next_id)
{
    bool encoded = field->kind == ARB_ARROW_DICTIONARY;
    const arb_arrow_field *type = encoded ? &field->children[0] : field;
    type_form form = form_of(type);
    arb_flat_slot slots[7] = {{.field = FIELD_NAME},
                              {.field = FIELD_NULLABLE, .size = 1, .value = field->nullable},
                              {.field = FIELD_TYPE_TYPE, .size = 1, .value = form.tag},
                              {.field = FIELD_TYPE},
                              {.field = FIELD_CHILDREN}};
    size_t count = 5, dictionary = 0, metadata = 0;
    if (encoded)
        slots[dictionary = count++] = (arb_flat_slot){.field = FIELD_DICTIONARY};
    if (field->metadata.count != 0)
        slots[metadata = count++] = (arb_flat_slot){.field = FIELD_METADATA};
    arb_flat_write_table(writer, hole, slots, count);
    arb_flat_write_string(writer, slots[0].at, field->name);
    write_type(writer, slots[3].at, form, type);
    if (encoded)
        write_dictionary(writer, slots[dictionary].at, field, (*next_id)++);
    if (metadata != 0)
        arb_ipc_metadata_write(writer, slots[metadata].at, field->metadata);
    write_fields(writer, slots[4].at, type->children, type->child_count, next_id);
}

static void write_fields(arb_flat_writer *writer, size_t hole, const arb_arrow_field *fields, uint32_t count,
                         int64_t *next_id)
{
    size_t holes = arb_flat_write_holes(writer, hole, count);
    for (uint32_t i = 0; i < count; i++)
        write_field(writer, holes + i * 4, &fields[i], next_id);
}

void arb_ipc_schema_write(arb_flat_writer *writer, size_t hole, const arb_arrow_schema *schema, int64_t features)
{
    arb_flat_slot slots[4] = {{.field = SCHEMA_ENDIANNESS, .size = 2, .value = 0}, {.field = SCHEMA_FIELDS}};
    size_t count = 2, metadata = 0, used = 0;
    if (schema->root.metadata.count != 0)
        slots[metadata = count++] = (arb_flat_slot){.field = SCHEMA_METADATA};
    if (features != 0)
        slots[used = count++] = (arb_flat_slot){.field = SCHEMA_FEATURES};
    arb_flat_write_table(writer, hole, slots, count);
    int64_t next_id = 0;
    write_fields(writer, slots[1].at, schema->root.children, schema->root.child_count, &next_id);
    if (metadata != 0)
        arb_ipc_metadata_write(writer, slots[metadata].at, schema->root.metadata);
    if (used != 0) {
        int64_t list[2];
        size_t listed = 0;
        for (int64_t feature = FEATURE_REPLACEMENT; feature <= FEATURE_COMPRESSION; feature *= 2)
            if ((features & feature) != 0)
                list[listed++] = feature;
        arb_flat_write_vector(writer, slots[used].at, list, listed, 8, 8);
    }
}
