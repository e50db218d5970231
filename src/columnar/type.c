#include "columnar/type.h"

static const struct {
    const char *name;
    arb_physical physical;
} types[ARB_TYPE_COUNT] = {
#define X(name, sql_name, physical) [ARB_TYPE_##name] = {sql_name, ARB_PHYS_##physical},
    ARB_TYPES(X)
#undef X
};

static const struct {
    const char *name;
    size_t size;
} physicals[ARB_PHYS_COUNT] = {
    [ARB_PHYS_BOOL] = {"bool", 0},
#define X(name, ctype, bytes) [ARB_PHYS_##name] = {#name, bytes},
    ARB_PHYSICAL_TYPES(X)
#undef X
        [ARB_PHYS_STRUCT] = {"struct", 0},
};
#define X(name, ctype, bytes) static_assert(sizeof(ctype) == bytes, "size of " #name);
ARB_PHYSICAL_TYPES(X)
#undef X

static arb_type nested(arb_arena *arena, arb_type_id id, const arb_str *names, const arb_type *children, size_t count)
{
    arb_type_children *head = ARB_ARENA_NEW(arena, arb_type_children);
    arb_type *copies = ARB_ARENA_ARRAY(arena, arb_type, count);
    arb_str *labels = names != NULL ? ARB_ARENA_ARRAY(arena, arb_str, count) : NULL;
    if (head == NULL || copies == NULL || (names != NULL && labels == NULL))
        return ARB_TYPE(NULL);
    for (size_t i = 0; i < count; i++) {
        copies[i] = arb_type_copy(arena, children[i]);
        if (copies[i].id == ARB_TYPE_NULL && children[i].id != ARB_TYPE_NULL)
            return ARB_TYPE(NULL);
        if (names != NULL && (labels[i] = arb_str_copy(arena, names[i])).data == NULL)
            return ARB_TYPE(NULL);
    }
    *head = (arb_type_children){.count = count, .types = copies, .names = labels};
    return (arb_type){.id = (uint8_t)id, .children = head};
}

arb_type arb_type_list(arb_arena *arena, arb_type element)
{
    return nested(arena, ARB_TYPE_LIST, NULL, &element, 1);
}

arb_type arb_type_struct(arb_arena *arena, const arb_str *names, const arb_type *children, size_t count)
{
    return nested(arena, ARB_TYPE_STRUCT, names, children, count);
}

arb_type arb_type_map(arb_arena *arena, arb_type key, arb_type value)
{
    const arb_type children[] = {key, value};
    return nested(arena, ARB_TYPE_MAP, NULL, children, 2);
}

arb_type arb_type_copy(arb_arena *arena, arb_type type)
{
    if (type.children == NULL)
        return type;
    return nested(arena, (arb_type_id)type.id, type.children->names, type.children->types, type.children->count);
}

bool arb_type_of_numbers(uint32_t id, uint32_t precision, uint32_t scale, bool nanoseconds, arb_type *out_type)
{
    enum { digits_most = 38 };
    bool is_decimal = id == ARB_TYPE_DECIMAL, is_timestamp = id == ARB_TYPE_TIMESTAMP || id == ARB_TYPE_TIMESTAMPTZ;
    *out_type = (arb_type){
        .id = (uint8_t)id, .precision = (uint8_t)precision, .scale = (uint8_t)scale, .nanoseconds = nanoseconds};
    return id < ARB_TYPE_COUNT && (!nanoseconds || is_timestamp) &&
           (is_decimal ? precision != 0 && precision <= digits_most && scale <= precision
                       : precision == 0 && scale == 0);
}

bool arb_type_equal(arb_type a, arb_type b)
{
    if (a.id != b.id || a.precision != b.precision || a.scale != b.scale || a.nanoseconds != b.nanoseconds)
        return false;
    if (a.children == b.children)
        return true;
    if (a.children == NULL || b.children == NULL || a.children->count != b.children->count)
        return false;
    for (size_t i = 0; i < a.children->count; i++) {
        if (!arb_type_equal(a.children->types[i], b.children->types[i]))
            return false;
        if (a.children->names != NULL && !arb_str_equal(a.children->names[i], b.children->names[i]))
            return false;
    }
    return true;
}

arb_physical arb_type_physical(arb_type type)
{
    assert(type.id < ARB_TYPE_COUNT);
    if (type.id == ARB_TYPE_DECIMAL)
        return type.precision <= 9 ? ARB_PHYS_INT32 : type.precision <= 18 ? ARB_PHYS_INT64 : ARB_PHYS_INT128;
    return types[type.id].physical;
}

bool arb_type_is_integer(arb_type type)
{
    return type.id >= ARB_TYPE_TINYINT && type.id <= ARB_TYPE_BIGINT;
}

bool arb_type_is_numeric(arb_type type)
{
    return type.id >= ARB_TYPE_TINYINT && type.id <= ARB_TYPE_DECIMAL;
}

bool arb_type_is_temporal(arb_type type)
{
    return type.id >= ARB_TYPE_DATE && type.id <= ARB_TYPE_TIMESTAMPTZ;
}

bool arb_type_is_text(arb_type type)
{
    return type.id == ARB_TYPE_VARCHAR || type.id == ARB_TYPE_BLOB;
}

bool arb_type_is_nested(arb_type type)
{
    return type.id == ARB_TYPE_LIST || type.id == ARB_TYPE_STRUCT || type.id == ARB_TYPE_MAP;
}

void arb_type_print(arb_text *out, arb_type type)
{
    assert(type.id < ARB_TYPE_COUNT);
    switch (type.id) {
    case ARB_TYPE_DECIMAL:
        arb_text_printf(out, "decimal(%d,%d)", type.precision, type.scale);
        return;
    case ARB_TYPE_LIST:
        arb_type_print(out, type.children->types[0]);
        arb_text_append_str(out, ARB_STR("[]"));
        return;
    case ARB_TYPE_MAP:
    case ARB_TYPE_STRUCT:
        arb_text_append_str(out, arb_str_of(types[type.id].name));
        arb_text_append_char(out, '(');
        for (size_t i = 0; i < type.children->count; i++) {
            if (i != 0)
                arb_text_append_str(out, ARB_STR(", "));
            if (type.children->names != NULL) {
                arb_text_append_str(out, type.children->names[i]);
                arb_text_append_char(out, ' ');
            }
            arb_type_print(out, type.children->types[i]);
        }
        arb_text_append_char(out, ')');
        return;
    default:
        arb_text_append_str(out, arb_str_of(types[type.id].name));
        if (type.nanoseconds)
            arb_text_append_str(out, ARB_STR("(9)"));
    }
}

size_t arb_physical_size(arb_physical physical)
{
    assert(physical < ARB_PHYS_COUNT);
    return physicals[physical].size;
}

const char *arb_physical_name(arb_physical physical)
{
    assert(physical < ARB_PHYS_COUNT);
    return physicals[physical].name;
}

arb_physical arb_physical_for_range(arb_int128 low, arb_int128 high)
{
    if (low >= INT32_MIN && high <= INT32_MAX)
        return ARB_PHYS_INT32;
    return low >= INT64_MIN && high <= INT64_MAX ? ARB_PHYS_INT64 : ARB_PHYS_INT128;
}
