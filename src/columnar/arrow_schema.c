#include "columnar/arrow_schema.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/utf8.h"

static const struct {
    const char *name;
    uint8_t layout, bytes;
} kinds[] = {
#define X(name, text, layout, bytes) {text, ARB_LAYOUT_##layout, bytes},
    ARB_ARROW_KINDS(X)
#undef X
};

arb_arrow_layout arb_arrow_layout_of(arb_arrow_kind kind)
{
    assert(kind < ARB_ARROW_KIND_COUNT);
    return (arb_arrow_layout)kinds[kind].layout;
}

const char *arb_arrow_kind_name(arb_arrow_kind kind)
{
    return kind < ARB_ARROW_KIND_COUNT ? kinds[kind].name : "unknown";
}

size_t arb_arrow_field_width(const arb_arrow_field *field)
{
    if (field->kind == ARB_ARROW_FIXED_SIZE_BINARY)
        return (size_t)field->size;
    return field->kind == ARB_ARROW_DICTIONARY ? kinds[field->index_kind].bytes : kinds[field->kind].bytes;
}

uint32_t arb_arrow_layout_buffers(arb_arrow_layout layout)
{
    static const uint8_t counts[ARB_LAYOUT_COUNT] = {
        [ARB_LAYOUT_BITS] = 2,        [ARB_LAYOUT_FIXED] = 2,      [ARB_LAYOUT_BINARY] = 3,
        [ARB_LAYOUT_VIEW] = 2,        [ARB_LAYOUT_LIST] = 2,       [ARB_LAYOUT_LIST_VIEW] = 3,
        [ARB_LAYOUT_FIXED_LIST] = 1,  [ARB_LAYOUT_STRUCT] = 1,     [ARB_LAYOUT_SPARSE_UNION] = 1,
        [ARB_LAYOUT_DENSE_UNION] = 2, [ARB_LAYOUT_DICTIONARY] = 2,
    };
    return counts[layout];
}

bool arb_arrow_layout_has_validity(arb_arrow_layout layout)
{
    return layout != ARB_LAYOUT_NULL && layout != ARB_LAYOUT_RUNS && layout != ARB_LAYOUT_SPARSE_UNION &&
           layout != ARB_LAYOUT_DENSE_UNION;
}

bool arb_arrow_kind_is_utf8(arb_arrow_kind kind)
{
    return kind == ARB_ARROW_UTF8 || kind == ARB_ARROW_LARGE_UTF8 || kind == ARB_ARROW_UTF8_VIEW;
}

bool arb_arrow_kind_is_integer(arb_arrow_kind kind)
{
    return kind >= ARB_ARROW_INT8 && kind <= ARB_ARROW_UINT64;
}

/* ---- lifetime ------------------------------------------------------------------------------------------------- */

arb_code arb_arrow_schema_create(size_t limit, arb_arrow_schema **out_schema, arb_error *error)
{
    *out_schema = NULL;
    arb_arrow_schema *schema = arb_alloc_zeroed(sizeof *schema);
    if (schema == NULL)
        return arb_fail_memory(error, "a schema", sizeof *schema);
    atomic_init(&schema->references, 1);
    schema->arena.limit = limit;
    schema->root.kind = ARB_ARROW_STRUCT;
    schema->root.name = ARB_STR("");
    schema->root.zone = ARB_STR("");
    *out_schema = schema;
    return ARB_OK;
}

arb_code arb_arrow_schema_create_columns(size_t count, arb_arrow_schema **out_schema, arb_error *error)
{
    arb_arrow_schema *schema;
    *out_schema = NULL;
    ARB_TRY(arb_arrow_schema_create(0, &schema, error));
    schema->arena.first = 256 + count * (sizeof(arb_arrow_field) + 192); /* there may be thousands of them */
    schema->root.children = ARB_ARENA_ARRAY(&schema->arena, arb_arrow_field, count + 1);
    if (schema->root.children == NULL) {
        arb_arrow_schema_unref(schema);
        return arb_fail_memory(error, "a schema", count * sizeof(arb_arrow_field));
    }
    memset(schema->root.children, 0, count * sizeof(arb_arrow_field));
    schema->root.child_count = (uint32_t)count;
    *out_schema = schema;
    return ARB_OK;
}

arb_code arb_arrow_schema_finish(arb_arrow_schema *schema, arb_code code, arb_arrow_schema **out_schema,
                                 arb_error *error)
{
    *out_schema = NULL;
    if (code == ARB_OK)
        code = arb_arrow_schema_validate(schema, error);
    if (code == ARB_OK)
        *out_schema = schema;
    else
        arb_arrow_schema_unref(schema);
    return code;
}

arb_arrow_schema *arb_arrow_schema_ref(const arb_arrow_schema *schema)
{
    arb_arrow_schema *counted = (arb_arrow_schema *)schema; /* only the count changes */
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return counted;
}

void arb_arrow_schema_unref(arb_arrow_schema *schema)
{
    if (schema == NULL || atomic_fetch_sub_explicit(&schema->references, 1, memory_order_acq_rel) != 1)
        return;
    arb_arena_reset(&schema->arena);
    arb_free(schema);
}

/* ---- copies and comparison ------------------------------------------------------------------------------------ */

arb_code arb_arrow_metadata_copy(arb_arena *arena, arb_arrow_metadata from, arb_arrow_metadata *out, arb_error *error)
{
    *out = (arb_arrow_metadata){0};
    if (from.count == 0)
        return ARB_OK;
    arb_str *pairs = ARB_ARENA_ARRAY(arena, arb_str, from.count * 2);
    if (pairs == NULL)
        return arb_fail_memory(error, "metadata", from.count * 2 * sizeof *pairs);
    for (size_t i = 0; i < from.count; i++) {
        pairs[i] = arb_str_copy(arena, from.keys[i]);
        pairs[from.count + i] = arb_str_copy(arena, from.values[i]);
        if (pairs[i].data == NULL || pairs[from.count + i].data == NULL)
            return arb_fail_memory(error, "metadata", from.keys[i].size + from.values[i].size);
    }
    *out = (arb_arrow_metadata){from.count, pairs, pairs + from.count};
    return ARB_OK;
}

arb_code arb_arrow_field_copy(arb_arrow_schema *schema, const arb_arrow_field *field, arb_arrow_field *out_field,
                              arb_error *error)
{
    arb_arena *arena = &schema->arena;
    *out_field = *field;
    out_field->name = arb_str_copy(arena, field->name);
    out_field->zone = arb_str_copy(arena, field->zone);
    if (out_field->name.data == NULL || out_field->zone.data == NULL)
        return arb_fail_memory(error, "a field", field->name.size + field->zone.size);
    ARB_TRY(arb_arrow_metadata_copy(arena, field->metadata, &out_field->metadata, error));
    if (field->type_ids != NULL) {
        out_field->type_ids = (const int8_t *)arb_arena_copy(arena, (const char *)field->type_ids, field->child_count);
        if (out_field->type_ids == NULL)
            return arb_fail_memory(error, "a field", field->child_count);
    }
    if (field->child_count == 0)
        return ARB_OK;
    out_field->children = ARB_ARENA_ARRAY(arena, arb_arrow_field, field->child_count);
    if (out_field->children == NULL)
        return arb_fail_memory(error, "a field", field->child_count * sizeof *field);
    for (uint32_t i = 0; i < field->child_count; i++)
        ARB_TRY(arb_arrow_field_copy(schema, &field->children[i], &out_field->children[i], error));
    return ARB_OK;
}

static bool same_parameters(const arb_arrow_field *a, const arb_arrow_field *b)
{
    if (a->kind != b->kind || a->child_count != b->child_count)
        return false;
    switch (a->kind) {
    case ARB_ARROW_DECIMAL32:
    case ARB_ARROW_DECIMAL64:
    case ARB_ARROW_DECIMAL128:
    case ARB_ARROW_DECIMAL256:
        return a->precision == b->precision && a->scale == b->scale;
    case ARB_ARROW_TIME32:
    case ARB_ARROW_TIME64:
    case ARB_ARROW_DURATION:
        return a->unit == b->unit;
    case ARB_ARROW_TIMESTAMP:
        return a->unit == b->unit && arb_str_equal(a->zone, b->zone);
    case ARB_ARROW_FIXED_SIZE_BINARY:
    case ARB_ARROW_FIXED_SIZE_LIST:
        return a->size == b->size;
    case ARB_ARROW_DICTIONARY:
        return a->index_kind == b->index_kind && a->ordered == b->ordered;
    case ARB_ARROW_DENSE_UNION:
    case ARB_ARROW_SPARSE_UNION:
        return a->child_count == 0 || memcmp(a->type_ids, b->type_ids, a->child_count) == 0;
    default:
        return true;
    }
}

bool arb_arrow_field_equal(const arb_arrow_field *a, const arb_arrow_field *b, bool with_names)
{
    if (!same_parameters(a, b))
        return false;
    for (uint32_t i = 0; i < a->child_count; i++) {
        if (with_names && a->kind == ARB_ARROW_STRUCT && !arb_str_equal(a->children[i].name, b->children[i].name))
            return false;
        if (!arb_arrow_field_equal(&a->children[i], &b->children[i], with_names))
            return false;
    }
    return true;
}

/* ---- validation ----------------------------------------------------------------------------------------------- */

static arb_code refuse(arb_error *error, const arb_arrow_field *field, const char *what)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "the field \"%.*s\" of type %s %s", ARB_STR_ARGS(field->name),
                    arb_arrow_kind_name((arb_arrow_kind)field->kind), what);
}

static bool children_fit(const arb_arrow_field *field)
{
    switch (arb_arrow_layout_of((arb_arrow_kind)field->kind)) {
    case ARB_LAYOUT_LIST:
    case ARB_LAYOUT_LIST_VIEW:
    case ARB_LAYOUT_FIXED_LIST:
    case ARB_LAYOUT_DICTIONARY:
        return field->child_count == 1;
    case ARB_LAYOUT_RUNS:
        return field->child_count == 2;
    case ARB_LAYOUT_STRUCT:
        return true;
    case ARB_LAYOUT_SPARSE_UNION:
    case ARB_LAYOUT_DENSE_UNION:
        return field->child_count <= ARB_ARROW_UNION_MAX;
    default:
        return field->child_count == 0;
    }
}

static arb_code validate_parameters(const arb_arrow_field *field, arb_error *error)
{
    static const uint8_t digits[] = {9, 18, 38, 76};
    switch (field->kind) {
    case ARB_ARROW_DECIMAL32:
    case ARB_ARROW_DECIMAL64:
    case ARB_ARROW_DECIMAL128:
    case ARB_ARROW_DECIMAL256:
        if (field->precision < 1 || field->precision > digits[field->kind - ARB_ARROW_DECIMAL32])
            return refuse(error, field, "has a precision out of range");
        if (field->scale < -128 || field->scale > 127)
            return refuse(error, field, "has a scale out of range");
        return ARB_OK;
    case ARB_ARROW_TIME32:
        return field->unit <= ARB_ARROW_MILLISECOND ? ARB_OK : refuse(error, field, "has a unit that needs 64 bits");
    case ARB_ARROW_TIME64:
        return field->unit == ARB_ARROW_MICROSECOND || field->unit == ARB_ARROW_NANOSECOND
                   ? ARB_OK
                   : refuse(error, field, "has a unit that needs 32 bits");
    case ARB_ARROW_TIMESTAMP:
        if (!arb_utf8_is_valid(field->zone.data, field->zone.size) ||
            memchr(field->zone.data, '\0', field->zone.size) != NULL)
            return refuse(error, field, "has a time zone that is no text");
        ARB_FALLTHROUGH;
    case ARB_ARROW_DURATION:
        return field->unit <= ARB_ARROW_NANOSECOND ? ARB_OK : refuse(error, field, "has an unknown unit");
    case ARB_ARROW_FIXED_SIZE_BINARY:
        return field->size >= 0 && field->size <= ARB_ARROW_FIXED_MAX ? ARB_OK
                                                                      : refuse(error, field, "has a size out of range");
    case ARB_ARROW_FIXED_SIZE_LIST:
        return field->size >= 0 ? ARB_OK : refuse(error, field, "has a negative size");
    case ARB_ARROW_DICTIONARY:
        if (field->children[0].kind == ARB_ARROW_DICTIONARY)
            return refuse(error, field, "has entries that are themselves encoded");
        return arb_arrow_kind_is_integer((arb_arrow_kind)field->index_kind)
                   ? ARB_OK
                   : refuse(error, field, "has indices that are no integers");
    case ARB_ARROW_MAP:
        if (field->children[0].kind != ARB_ARROW_STRUCT || field->children[0].child_count != 2)
            return refuse(error, field, "does not consist of keys and values");
        return ARB_OK;
    case ARB_ARROW_RUN_END_ENCODED:
        if (field->children[0].kind < ARB_ARROW_INT16 || field->children[0].kind > ARB_ARROW_INT64)
            return refuse(error, field, "has run ends that are not of 16, 32 or 64 bits");
        return ARB_OK;
    default:
        return ARB_OK;
    }
}

static arb_code validate_union(const arb_arrow_field *field, arb_error *error)
{
    uint64_t seen[2] = {0};
    for (uint32_t i = 0; i < field->child_count; i++) {
        int8_t id = field->type_ids[i];
        if (id < 0 || (seen[id / 64] >> (id % 64) & 1) != 0)
            return refuse(error, field, "has a type id that is negative or occurs twice");
        seen[id / 64] |= (uint64_t)1 << (id % 64);
    }
    return ARB_OK;
}

static arb_code validate_field(const arb_arrow_field *field, unsigned depth, arb_error *error)
{
    if (depth > ARB_ARROW_DEPTH_MAX)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a schema is nested more than %d levels deep", ARB_ARROW_DEPTH_MAX);
    if (!arb_utf8_is_valid(field->name.data, field->name.size) ||
        memchr(field->name.data, '\0', field->name.size) != NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a field of a schema has a name that is not text");
    if (field->kind >= ARB_ARROW_KIND_COUNT)
        return refuse(error, field, "is not known");
    if (!children_fit(field))
        return refuse(error, field, "has the wrong number of children");
    ARB_TRY(validate_parameters(field, error));
    if (field->kind == ARB_ARROW_DENSE_UNION || field->kind == ARB_ARROW_SPARSE_UNION)
        ARB_TRY(validate_union(field, error));
    for (uint32_t i = 0; i < field->child_count; i++)
        ARB_TRY(validate_field(&field->children[i], depth + 1, error));
    return ARB_OK;
}

arb_code arb_arrow_schema_validate(const arb_arrow_schema *schema, arb_error *error)
{
    return validate_field(&schema->root, 0, error);
}

/* ---- for people ----------------------------------------------------------------------------------------------- */

void arb_arrow_field_print_type(arb_text *out, const arb_arrow_field *field)
{
    static const char *const units[] = {"s", "ms", "us", "ns"};
    const char *name = arb_arrow_kind_name((arb_arrow_kind)field->kind);
    switch (field->kind) {
    case ARB_ARROW_DECIMAL32:
    case ARB_ARROW_DECIMAL64:
    case ARB_ARROW_DECIMAL128:
    case ARB_ARROW_DECIMAL256:
        arb_text_printf(out, "%s(%d, %d)", name, field->precision, field->scale);
        return;
    case ARB_ARROW_TIME32:
    case ARB_ARROW_TIME64:
    case ARB_ARROW_DURATION:
        arb_text_printf(out, "%s(%s)", name, units[field->unit & 3]);
        return;
    case ARB_ARROW_TIMESTAMP:
        arb_text_printf(out, "%s(%s%s%.*s)", name, units[field->unit & 3], field->zone.size != 0 ? ", " : "",
                        ARB_STR_ARGS(field->zone));
        return;
    case ARB_ARROW_FIXED_SIZE_BINARY:
        arb_text_printf(out, "%s(%d)", name, field->size);
        return;
    default:
        break;
    }
    arb_text_append_str(out, arb_str_of(name));
    if (field->child_count == 0)
        return;
    arb_text_append_char(out, '<');
    if (field->kind == ARB_ARROW_DICTIONARY)
        arb_text_printf(out, "%s, ", arb_arrow_kind_name((arb_arrow_kind)field->index_kind));
    for (uint32_t i = 0; i < field->child_count; i++) {
        if (i != 0)
            arb_text_append_str(out, ARB_STR(", "));
        if (field->kind != ARB_ARROW_DICTIONARY)
            arb_text_printf(out, "%.*s: ", ARB_STR_ARGS(field->children[i].name));
        arb_arrow_field_print_type(out, &field->children[i]);
    }
    arb_text_append_char(out, '>');
    if (field->kind == ARB_ARROW_FIXED_SIZE_LIST)
        arb_text_printf(out, "(%d)", field->size);
}
