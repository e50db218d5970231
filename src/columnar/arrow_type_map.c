#include "columnar/arrow_vectors.h"

/* ---- Arrow to SQL --------------------------------------------------------------------------------------------- */

static arb_code no_memory(arb_error *error)
{
    return arb_fail_memory(error, "a type", sizeof(arb_type));
}

static arb_code refuse(const arb_arrow_field *field, const char *hint, arb_error *error)
{
    arb_text type = {0};
    arb_arrow_field_print_type(&type, field);
    arb_code code =
        arb_fail(error, ARB_NOT_SUPPORTED, "column \"%.*s\" has the Arrow type %.*s, which SQL does not have",
                 ARB_STR_ARGS(field->name), ARB_STR_ARGS(arb_text_view(&type)));
    if (hint != NULL)
        arb_error_hint(error, "%s", hint);
    arb_text_reset(&type);
    return code;
}

static arb_code decimal_type(const arb_arrow_field *field, arb_type *out_type, arb_error *error)
{
    if (field->scale < 0 || field->scale > 38)
        return refuse(field, "Decimals have 0 to 38 digits behind the point.", error);
    *out_type = arb_type_decimal((unsigned)ARB_MAX(field->precision, field->scale), (unsigned)field->scale);
    return ARB_OK;
}

static arb_code timestamp_type(const arb_arrow_field *field, arb_type *out_type)
{
    *out_type = field->zone.size != 0 ? ARB_TYPE(TIMESTAMPTZ) : ARB_TYPE(TIMESTAMP);
    out_type->nanoseconds = field->unit == ARB_ARROW_NANOSECOND;
    return ARB_OK;
}

static arb_code struct_type(const arb_arrow_field *field, arb_arena *arena, arb_type *out_type, arb_error *error)
{
    arb_str *names = ARB_ARENA_ARRAY(arena, arb_str, field->child_count);
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, field->child_count);
    if (names == NULL || types == NULL)
        return no_memory(error);
    for (uint32_t i = 0; i < field->child_count; i++) {
        names[i] = field->children[i].name;
        ARB_TRY(arb_arrow_field_to_type(&field->children[i], arena, &types[i], error));
    }
    *out_type = arb_type_struct(arena, names, types, field->child_count);
    return out_type->id != ARB_TYPE_NULL ? ARB_OK : no_memory(error);
}

static arb_code list_type(const arb_arrow_field *field, arb_arena *arena, arb_type *out_type, arb_error *error)
{
    arb_type element;
    ARB_TRY(arb_arrow_field_to_type(&field->children[0], arena, &element, error));
    *out_type = field->kind == ARB_ARROW_MAP
                    ? arb_type_map(arena, element.children->types[0], element.children->types[1])
                    : arb_type_list(arena, element);
    return out_type->id != ARB_TYPE_NULL ? ARB_OK : no_memory(error);
}

arb_code arb_arrow_field_to_type(const arb_arrow_field *field, arb_arena *arena, arb_type *out_type, arb_error *error)
{
    static const uint8_t scalars[ARB_ARROW_KIND_COUNT] = {
        [ARB_ARROW_BOOL] = ARB_TYPE_BOOLEAN,
        [ARB_ARROW_INT8] = ARB_TYPE_TINYINT,
        [ARB_ARROW_INT16] = ARB_TYPE_SMALLINT,
        [ARB_ARROW_INT32] = ARB_TYPE_INTEGER,
        [ARB_ARROW_INT64] = ARB_TYPE_BIGINT,
        [ARB_ARROW_UINT8] = ARB_TYPE_SMALLINT,
        [ARB_ARROW_UINT16] = ARB_TYPE_INTEGER,
        [ARB_ARROW_UINT32] = ARB_TYPE_BIGINT,
        [ARB_ARROW_FLOAT16] = ARB_TYPE_REAL,
        [ARB_ARROW_FLOAT32] = ARB_TYPE_REAL,
        [ARB_ARROW_FLOAT64] = ARB_TYPE_DOUBLE,
        [ARB_ARROW_UTF8] = ARB_TYPE_VARCHAR,
        [ARB_ARROW_LARGE_UTF8] = ARB_TYPE_VARCHAR,
        [ARB_ARROW_UTF8_VIEW] = ARB_TYPE_VARCHAR,
        [ARB_ARROW_BINARY] = ARB_TYPE_BLOB,
        [ARB_ARROW_LARGE_BINARY] = ARB_TYPE_BLOB,
        [ARB_ARROW_BINARY_VIEW] = ARB_TYPE_BLOB,
        [ARB_ARROW_FIXED_SIZE_BINARY] = ARB_TYPE_BLOB,
        [ARB_ARROW_DATE32] = ARB_TYPE_DATE,
        [ARB_ARROW_DATE64] = ARB_TYPE_DATE,
        [ARB_ARROW_TIME32] = ARB_TYPE_TIME,
        [ARB_ARROW_TIME64] = ARB_TYPE_TIME,
        [ARB_ARROW_DURATION] = ARB_TYPE_INTERVAL,
        [ARB_ARROW_INTERVAL_MONTHS] = ARB_TYPE_INTERVAL,
        [ARB_ARROW_INTERVAL_DAY_TIME] = ARB_TYPE_INTERVAL,
        [ARB_ARROW_INTERVAL_MDN] = ARB_TYPE_INTERVAL,
    };
    *out_type = (arb_type){.id = scalars[field->kind]};
    if (out_type->id != ARB_TYPE_NULL)
        return ARB_OK;
    switch (field->kind) {
    case ARB_ARROW_NULL:
        return ARB_OK;
    case ARB_ARROW_UINT64:
        *out_type = arb_type_decimal(20, 0);
        return ARB_OK;
    case ARB_ARROW_DECIMAL32:
    case ARB_ARROW_DECIMAL64:
    case ARB_ARROW_DECIMAL128:
        return decimal_type(field, out_type, error);
    case ARB_ARROW_TIMESTAMP:
        return timestamp_type(field, out_type);
    case ARB_ARROW_LIST:
    case ARB_ARROW_LARGE_LIST:
    case ARB_ARROW_LIST_VIEW:
    case ARB_ARROW_LARGE_LIST_VIEW:
    case ARB_ARROW_FIXED_SIZE_LIST:
    case ARB_ARROW_MAP:
        return list_type(field, arena, out_type, error);
    case ARB_ARROW_STRUCT:
        return struct_type(field, arena, out_type, error);
    case ARB_ARROW_DICTIONARY:
        return arb_arrow_field_to_type(&field->children[0], arena, out_type, error);
    case ARB_ARROW_RUN_END_ENCODED:
        return arb_arrow_field_to_type(&field->children[1], arena, out_type, error);
    case ARB_ARROW_DECIMAL256:
        return refuse(field, "Write it as decimal128 with at most 38 digits.", error);
    default:
        return refuse(field, NULL, error);
    }
}

/* ---- SQL to Arrow --------------------------------------------------------------------------------------------- */

typedef struct maker {
    arb_arrow_schema *schema;
    bool views;
    arb_error *error;
} maker;

static arb_code make_field(maker *maker, arb_str name, arb_type type, arb_arrow_field *field);

static arb_arrow_field *make_children(maker *maker, arb_arrow_field *field, size_t count)
{
    field->children = ARB_ARENA_ARRAY(&maker->schema->arena, arb_arrow_field, count);
    field->child_count = field->children != NULL ? (uint32_t)count : 0;
    return field->children;
}

static arb_code make_struct(maker *maker, arb_type type, arb_arrow_field *field)
{
    field->kind = ARB_ARROW_STRUCT;
    if (make_children(maker, field, type.children->count) == NULL)
        return no_memory(maker->error);
    for (size_t i = 0; i < type.children->count; i++)
        ARB_TRY(make_field(maker, type.children->names[i], type.children->types[i], &field->children[i]));
    return ARB_OK;
}

static arb_code make_map(maker *maker, arb_type type, arb_arrow_field *field)
{
    field->kind = ARB_ARROW_MAP;
    arb_arrow_field *entries = make_children(maker, field, 1);
    if (entries == NULL)
        return no_memory(maker->error);
    *entries = (arb_arrow_field){.name = ARB_STR("entries"), .kind = ARB_ARROW_STRUCT, .zone = ARB_STR("")};
    if (make_children(maker, entries, 2) == NULL)
        return no_memory(maker->error);
    ARB_TRY(make_field(maker, ARB_STR("key"), type.children->types[0], &entries->children[0]));
    entries->children[0].nullable = false;
    return make_field(maker, ARB_STR("value"), type.children->types[1], &entries->children[1]);
}

static arb_code make_field(maker *maker, arb_str name, arb_type type, arb_arrow_field *field)
{
    static const uint8_t scalars[ARB_TYPE_COUNT] = {
        [ARB_TYPE_NULL] = ARB_ARROW_NULL,
        [ARB_TYPE_BOOLEAN] = ARB_ARROW_BOOL,
        [ARB_TYPE_TINYINT] = ARB_ARROW_INT8,
        [ARB_TYPE_SMALLINT] = ARB_ARROW_INT16,
        [ARB_TYPE_INTEGER] = ARB_ARROW_INT32,
        [ARB_TYPE_BIGINT] = ARB_ARROW_INT64,
        [ARB_TYPE_REAL] = ARB_ARROW_FLOAT32,
        [ARB_TYPE_DOUBLE] = ARB_ARROW_FLOAT64,
        [ARB_TYPE_DECIMAL] = ARB_ARROW_DECIMAL128,
        [ARB_TYPE_DATE] = ARB_ARROW_DATE32,
        [ARB_TYPE_TIME] = ARB_ARROW_TIME64,
        [ARB_TYPE_TIMESTAMP] = ARB_ARROW_TIMESTAMP,
        [ARB_TYPE_TIMESTAMPTZ] = ARB_ARROW_TIMESTAMP,
        [ARB_TYPE_INTERVAL] = ARB_ARROW_INTERVAL_MDN,
        [ARB_TYPE_LIST] = ARB_ARROW_LIST,
    };
    *field = (arb_arrow_field){.kind = scalars[type.id], .nullable = true, .zone = ARB_STR("")};
    field->name = arb_str_copy(&maker->schema->arena, name);
    if (field->name.data == NULL)
        return no_memory(maker->error);
    switch (type.id) {
    case ARB_TYPE_VARCHAR:
        field->kind = maker->views ? ARB_ARROW_UTF8_VIEW : ARB_ARROW_UTF8;
        return ARB_OK;
    case ARB_TYPE_BLOB:
        field->kind = maker->views ? ARB_ARROW_BINARY_VIEW : ARB_ARROW_BINARY;
        return ARB_OK;
    case ARB_TYPE_DECIMAL:
        field->precision = type.precision;
        field->scale = type.scale;
        return ARB_OK;
    case ARB_TYPE_TIMESTAMPTZ:
        field->zone = ARB_STR("UTC");
        ARB_FALLTHROUGH;
    case ARB_TYPE_TIMESTAMP:
        field->unit = type.nanoseconds ? ARB_ARROW_NANOSECOND : ARB_ARROW_MICROSECOND;
        return ARB_OK;
    case ARB_TYPE_TIME:
        field->unit = ARB_ARROW_MICROSECOND;
        return ARB_OK;
    case ARB_TYPE_LIST:
        if (make_children(maker, field, 1) == NULL)
            return no_memory(maker->error);
        return make_field(maker, ARB_STR("item"), type.children->types[0], &field->children[0]);
    case ARB_TYPE_STRUCT:
        return make_struct(maker, type, field);
    case ARB_TYPE_MAP:
        return make_map(maker, type, field);
    default:
        return ARB_OK;
    }
}

arb_code arb_arrow_schema_from_types(const arb_str *names, const arb_type *types, size_t count,
                                     arb_arrow_text_form text, arb_arrow_schema **out_schema, arb_error *error)
{
    *out_schema = NULL;
    maker maker = {.views = text == ARB_ARROW_TEXT_VIEWS, .error = error};
    ARB_TRY(arb_arrow_schema_create(0, &maker.schema, error));
    arb_code code = ARB_OK;
    if (make_children(&maker, &maker.schema->root, count) == NULL)
        code = no_memory(error);
    for (size_t i = 0; i < count && code == ARB_OK; i++)
        code = make_field(&maker, names[i], types[i], &maker.schema->root.children[i]);
    return arb_arrow_schema_finish(maker.schema, code, out_schema, error);
}
