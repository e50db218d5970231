#include "formats/parquet/parquet_write_plan.h"

#include "base/vec.h"

enum {
    ROW_GROUP_ROWS = 122880,
    ROW_GROUP_BYTES = 128 << 20,
    PAGE_ROWS = 20480,
    PAGE_BYTES = 1 << 20,
    MAX_DEPTH = 30, /* of nested types; the reader allows twice as many groups */
};

typedef ARB_VEC(arb_parquet_element) element_list;

typedef struct builder {
    arb_parquet_write_plan *plan;
    element_list elements;
    arb_str column; /* for messages */
    arb_error *error;
} builder;

static arb_code no_memory(builder *b)
{
    return arb_fail_memory(b->error, "a Parquet schema", b->plan->arena.total);
}

static const arb_parquet_element blank = {.converted = ARB_PARQUET_CONVERTED_NONE, .scale = -1, .precision = -1};

static arb_code push(builder *b, arb_parquet_element element)
{
    return ARB_ARENA_PUSH(&b->plan->arena, &b->elements, element) ? ARB_OK : no_memory(b);
}

static arb_code refuse(builder *b, arb_type type)
{
    arb_text name = {0};
    arb_type_print(&name, type);
    arb_code code = arb_fail(b->error, ARB_NOT_SUPPORTED, "column \"%.*s\": Parquet files cannot hold the type %.*s",
                             ARB_STR_ARGS(b->column), ARB_STR_ARGS(arb_text_view(&name)));
    arb_text_reset(&name);
    return code;
}

/* Bytes of a two's complement number of so many decimal digits. */
static int32_t decimal_bytes(unsigned digits)
{
    arb_uint128 most = 1;
    for (unsigned i = 0; i < digits; i++)
        most *= 10;
    int32_t bytes = 1;
    while (bytes < 16 && most - 1 > ((arb_uint128)1 << (8 * bytes - 1)) - 1)
        bytes++;
    return bytes;
}

static void decimal_element(arb_parquet_element *e, arb_type type)
{
    e->physical = type.precision <= 9    ? ARB_PARQUET_INT32
                  : type.precision <= 18 ? ARB_PARQUET_INT64
                                         : ARB_PARQUET_FIXED;
    if (e->physical == ARB_PARQUET_FIXED)
        e->type_length = decimal_bytes(type.precision);
    e->converted = ARB_PARQUET_DECIMAL;
    e->logical = ARB_PARQUET_LOGICAL_DECIMAL;
    e->scale = e->logical_scale = type.scale;
    e->precision = e->logical_precision = type.precision;
}

static void time_element(arb_parquet_element *e, arb_type type)
{
    e->physical = ARB_PARQUET_INT64;
    e->logical = type.id == ARB_TYPE_TIME ? ARB_PARQUET_LOGICAL_TIME : ARB_PARQUET_LOGICAL_TIMESTAMP;
    e->unit = type.id != ARB_TYPE_TIME && type.nanoseconds ? ARB_PARQUET_NANOS : ARB_PARQUET_MICROS;
    e->is_utc = type.id == ARB_TYPE_TIMESTAMPTZ;
    if (e->is_utc && !type.nanoseconds) /* the older annotation means UTC and has no nanoseconds */
        e->converted = ARB_PARQUET_TIMESTAMP_MICROS;
}

static arb_code leaf_element(builder *b, arb_parquet_element *e, arb_type type)
{
    e->has_physical = true;
    switch ((arb_type_id)type.id) {
    case ARB_TYPE_NULL:
        e->physical = ARB_PARQUET_INT32;
        e->logical = ARB_PARQUET_LOGICAL_UNKNOWN;
        return ARB_OK;
    case ARB_TYPE_BOOLEAN:
        e->physical = ARB_PARQUET_BOOLEAN;
        return ARB_OK;
    case ARB_TYPE_TINYINT:
    case ARB_TYPE_SMALLINT:
        e->physical = ARB_PARQUET_INT32;
        e->converted = type.id == ARB_TYPE_TINYINT ? ARB_PARQUET_INT_8 : ARB_PARQUET_INT_16;
        e->logical = ARB_PARQUET_LOGICAL_INTEGER;
        e->bit_width = type.id == ARB_TYPE_TINYINT ? 8 : 16;
        e->is_signed = true;
        return ARB_OK;
    case ARB_TYPE_INTEGER:
        e->physical = ARB_PARQUET_INT32;
        return ARB_OK;
    case ARB_TYPE_BIGINT:
        e->physical = ARB_PARQUET_INT64;
        return ARB_OK;
    case ARB_TYPE_REAL:
        e->physical = ARB_PARQUET_FLOAT;
        return ARB_OK;
    case ARB_TYPE_DOUBLE:
        e->physical = ARB_PARQUET_DOUBLE;
        return ARB_OK;
    case ARB_TYPE_DECIMAL:
        decimal_element(e, type);
        return ARB_OK;
    case ARB_TYPE_VARCHAR:
        e->physical = ARB_PARQUET_BYTE_ARRAY;
        e->converted = ARB_PARQUET_UTF8;
        e->logical = ARB_PARQUET_LOGICAL_STRING;
        return ARB_OK;
    case ARB_TYPE_BLOB:
        e->physical = ARB_PARQUET_BYTE_ARRAY;
        return ARB_OK;
    case ARB_TYPE_DATE:
        e->physical = ARB_PARQUET_INT32;
        e->converted = ARB_PARQUET_DATE;
        e->logical = ARB_PARQUET_LOGICAL_DATE;
        return ARB_OK;
    case ARB_TYPE_TIME:
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        time_element(e, type);
        return ARB_OK;
    default:
        return refuse(b, type);
    }
}

static arb_code add_type(builder *b, arb_str name, arb_type type, arb_parquet_repetition repetition, unsigned depth);

/* A list is a group of one repeated group of one element; a map's repeated group has a key and a value. */
static arb_code add_list(builder *b, arb_parquet_element e, arb_type type, unsigned depth)
{
    bool is_map = type.id == ARB_TYPE_MAP;
    e.child_count = 1;
    e.converted = is_map ? ARB_PARQUET_MAP : ARB_PARQUET_LIST;
    e.logical = is_map ? ARB_PARQUET_LOGICAL_MAP : ARB_PARQUET_LOGICAL_LIST;
    ARB_TRY(push(b, e));
    arb_parquet_element frame = blank;
    frame.name = is_map ? ARB_STR("key_value") : ARB_STR("list");
    frame.repetition = ARB_PARQUET_REPEATED;
    frame.child_count = is_map ? 2 : 1;
    ARB_TRY(push(b, frame));
    const arb_type *types = type.children->types;
    if (!is_map)
        return add_type(b, ARB_STR("element"), types[0], ARB_PARQUET_OPTIONAL, depth + 1);
    ARB_TRY(add_type(b, ARB_STR("key"), types[0], ARB_PARQUET_REQUIRED, depth + 1));
    return add_type(b, ARB_STR("value"), types[1], ARB_PARQUET_OPTIONAL, depth + 1);
}

static arb_code add_type(builder *b, arb_str name, arb_type type, arb_parquet_repetition repetition, unsigned depth)
{
    if (depth > MAX_DEPTH)
        return arb_fail(b->error, ARB_LIMIT_EXCEEDED, "column \"%.*s\" is nested more than %d deep",
                        ARB_STR_ARGS(b->column), MAX_DEPTH);
    arb_parquet_element e = blank;
    e.name = arb_str_copy(&b->plan->arena, name);
    if (e.name.data == NULL)
        return no_memory(b);
    e.repetition = repetition;
    if (type.id == ARB_TYPE_LIST || type.id == ARB_TYPE_MAP)
        return add_list(b, e, type, depth);
    if (type.id != ARB_TYPE_STRUCT) {
        ARB_TRY(leaf_element(b, &e, type));
        return push(b, e);
    }
    if (type.children->count == 0) /* a group without children says nothing about its NULLs */
        return refuse(b, type);
    e.child_count = (int32_t)type.children->count;
    ARB_TRY(push(b, e));
    for (size_t i = 0; i < type.children->count; i++)
        ARB_TRY(add_type(b, type.children->names[i], type.children->types[i], ARB_PARQUET_OPTIONAL, depth + 1));
    return ARB_OK;
}

static arb_code build_schema(arb_parquet_write_plan *plan, const arb_table_schema *schema, arb_error *error)
{
    if (schema->column_count == 0)
        return arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "a Parquet file needs at least one column");
    builder b = {.plan = plan, .error = error};
    arb_parquet_element root = blank;
    root.name = ARB_STR("schema");
    root.child_count = (int32_t)schema->column_count;
    ARB_TRY(push(&b, root));
    for (size_t i = 0; i < schema->column_count; i++) {
        b.column = schema->names[i];
        bool required = schema->required != NULL && schema->required[i];
        ARB_TRY(add_type(&b, schema->names[i], schema->types[i], required ? ARB_PARQUET_REQUIRED : ARB_PARQUET_OPTIONAL,
                         0));
    }
    plan->metadata.elements = b.elements.data;
    plan->metadata.element_count = (uint32_t)b.elements.size;
    ARB_TRY(arb_parquet_schema_build(&plan->metadata, &plan->arena, &plan->schema, error));
    /* Readers take a column of nothing but NULLs for one of numbers; vectors of that type hold none. */
    for (uint32_t i = 0; i < plan->schema.leaf_count; i++) {
        arb_parquet_leaf *leaf = &plan->schema.leaves[i];
        if (plan->metadata.elements[leaf->element].logical == ARB_PARQUET_LOGICAL_UNKNOWN)
            leaf->type = ARB_TYPE(NULL);
    }
    return ARB_OK;
}

static arb_code choose_codec(arb_parquet_write_plan *plan, arb_error *error)
{
    static const arb_codec codecs[ARB_WRITE_CODEC_COUNT] = {
        [ARB_WRITE_ZSTD] = ARB_CODEC_ZSTD,     [ARB_WRITE_NONE] = ARB_CODEC_NONE,
        [ARB_WRITE_SNAPPY] = ARB_CODEC_SNAPPY, [ARB_WRITE_LZ4_RAW] = ARB_CODEC_LZ4_RAW,
        [ARB_WRITE_GZIP] = ARB_CODEC_GZIP,
    };
    if ((unsigned)plan->options.codec >= ARB_WRITE_CODEC_COUNT)
        return arb_fail(error, ARB_INVALID_PARAMETER, "there is no Parquet compression of number %d",
                        (int)plan->options.codec);
    plan->codec = codecs[plan->options.codec];
    return ARB_OK;
}

arb_code arb_parquet_write_plan_init(arb_parquet_write_plan *plan, const arb_table_schema *schema,
                                     const arb_parquet_write_options *options, arb_error *error)
{
    arb_parquet_write_options *set = &plan->options;
    if (options != NULL)
        *set = *options;
    set->row_group_rows = set->row_group_rows == 0 ? ROW_GROUP_ROWS : ARB_MIN(set->row_group_rows, 1 << 24);
    set->row_group_bytes = set->row_group_bytes == 0 ? ROW_GROUP_BYTES : set->row_group_bytes;
    set->page_rows = set->page_rows == 0 ? PAGE_ROWS : ARB_MIN(set->page_rows, 1 << 20);
    set->page_bytes = set->page_bytes == 0 ? PAGE_BYTES : ARB_MIN(set->page_bytes, 1 << 26);
    arb_code code = choose_codec(plan, error);
    if (code == ARB_OK)
        code = build_schema(plan, schema, error);
    if (code != ARB_OK)
        arb_parquet_write_plan_reset(plan);
    return code;
}

void arb_parquet_write_plan_reset(arb_parquet_write_plan *plan)
{
    arb_arena_reset(&plan->arena);
    *plan = (arb_parquet_write_plan){0};
}

/* The element behind the one at `at` and all that is below it. */
static uint32_t behind(const arb_parquet_write_plan *plan, uint32_t at)
{
    int64_t open = 1;
    while (open > 0)
        open += plan->metadata.elements[at++].child_count - 1;
    return at;
}

size_t arb_parquet_leaf_path(const arb_parquet_write_plan *plan, const arb_parquet_leaf *leaf, uint32_t *out_elements,
                             size_t most)
{
    size_t count = 0;
    uint32_t at = 1; /* the root's first child */
    while (count < most) {
        for (uint32_t next = behind(plan, at); next <= leaf->element; next = behind(plan, at))
            at = next;
        out_elements[count++] = at;
        if (at == leaf->element)
            break;
        at++; /* its first child */
    }
    return count;
}

int32_t arb_parquet_codec_number(arb_codec codec)
{
    switch (codec) {
    case ARB_CODEC_SNAPPY:
        return 1;
    case ARB_CODEC_GZIP:
        return 2;
    case ARB_CODEC_ZSTD:
        return 6;
    case ARB_CODEC_LZ4_RAW:
        return 7;
    default:
        return 0;
    }
}
