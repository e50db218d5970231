/* binder_type.c: types by their names. */
#include "sql/binder_internal.h"

/* X(name, type): names that take no modifier, or one that does not change the type. */
#define TYPE_NAMES(X)             \
    X("bool", BOOLEAN)            \
    X("boolean", BOOLEAN)         \
    X("logical", BOOLEAN)         \
    X("tinyint", TINYINT)         \
    X("int1", TINYINT)            \
    X("smallint", SMALLINT)       \
    X("int2", SMALLINT)           \
    X("short", SMALLINT)          \
    X("utinyint", SMALLINT)       \
    X("integer", INTEGER)         \
    X("int", INTEGER)             \
    X("int4", INTEGER)            \
    X("signed", INTEGER)          \
    X("usmallint", INTEGER)       \
    X("bigint", BIGINT)           \
    X("int8", BIGINT)             \
    X("long", BIGINT)             \
    X("uinteger", BIGINT)         \
    X("real", REAL)               \
    X("float4", REAL)             \
    X("double", DOUBLE)           \
    X("float8", DOUBLE)           \
    X("blob", BLOB)               \
    X("bytea", BLOB)              \
    X("binary", BLOB)             \
    X("varbinary", BLOB)          \
    X("bytes", BLOB)              \
    X("date", DATE)               \
    X("time", TIME)               \
    X("timestamp", TIMESTAMP)     \
    X("datetime", TIMESTAMP)      \
    X("timestamp_us", TIMESTAMP)  \
    X("timestamptz", TIMESTAMPTZ) \
    X("interval", INTERVAL)       \
    X("varchar", VARCHAR)         \
    X("text", VARCHAR)            \
    X("string", VARCHAR)          \
    X("char", VARCHAR)            \
    X("character", VARCHAR)       \
    X("bpchar", VARCHAR)          \
    X("nvarchar", VARCHAR)        \
    X("null", NULL)

static const struct {
    const char *name;
    arb_type_id id;
} type_names[] = {
#define X(name, id) {name, ARB_TYPE_##id},
    TYPE_NAMES(X)
#undef X
};

static arb_code fail_unknown_type(arb_binder *b, const arb_ast_type *syntax)
{
    arb_str best = {0}, name = syntax->name.text;
    unsigned limit = name.size <= 4 ? 1 : 2;
    for (size_t i = 0; i < ARB_COUNT_OF(type_names); i++) {
        unsigned distance = arb_str_distance(name, arb_str_of(type_names[i].name), limit);
        if (distance < limit || (distance == limit && best.size == 0)) {
            best = arb_str_of(type_names[i].name);
            limit = distance;
        }
    }
    (void)arb_bind_fail(b, syntax->span, ARB_UNDEFINED_OBJECT, "type \"%.*s\" does not exist", ARB_STR_ARGS(name));
    if (best.size != 0)
        arb_error_hint(b->error, "did you mean %.*s?", ARB_STR_ARGS(best));
    return ARB_UNDEFINED_OBJECT;
}

/* A modifier is a literal, a small number here. */
static arb_code modifier(arb_binder *b, const arb_ast_type *syntax, size_t at, uint32_t *out)
{
    const arb_ast_expr *expr = syntax->modifiers.data[at];
    const arb_ast_literal *literal = expr->kind == ARB_AST_LITERAL ? arb_ast_as_literal(expr) : NULL;
    uint64_t value = 0;
    bool fits = literal != NULL && literal->type == ARB_AST_INTEGER && literal->text.size <= 9;
    for (size_t i = 0; fits && i < literal->text.size; i++) {
        fits = literal->text.data[i] >= '0' && literal->text.data[i] <= '9';
        value = value * 10 + (uint64_t)(literal->text.data[i] - '0');
    }
    if (!fits)
        return arb_bind_fail(b, expr->span, ARB_INVALID_PARAMETER, "a type's modifier must be a whole number");
    *out = (uint32_t)value;
    return ARB_OK;
}

static arb_code bind_decimal(arb_binder *b, const arb_ast_type *syntax, arb_type *out)
{
    uint32_t precision = 18, scale = syntax->modifiers.size == 0 ? 3 : 0;
    if (syntax->modifiers.size > 2)
        return arb_bind_fail(b, syntax->span, ARB_INVALID_PARAMETER, "decimal takes a precision and a scale");
    if (syntax->modifiers.size >= 1)
        ARB_TRY(modifier(b, syntax, 0, &precision));
    if (syntax->modifiers.size == 2)
        ARB_TRY(modifier(b, syntax, 1, &scale));
    if (precision < 1 || precision > 38 || scale > precision)
        return arb_bind_fail(b, syntax->span, ARB_INVALID_PARAMETER,
                             "decimal(%u,%u) does not exist: a precision is 1 to 38, a scale 0 to the precision",
                             (unsigned)precision, (unsigned)scale);
    *out = arb_type_decimal(precision, scale);
    return ARB_OK;
}

static arb_code bind_float(arb_binder *b, const arb_ast_type *syntax, arb_type *out)
{
    uint32_t bits = 53;
    if (syntax->modifiers.size != 0)
        ARB_TRY(modifier(b, syntax, 0, &bits));
    if (bits < 1 || bits > 53)
        return arb_bind_fail(b, syntax->span, ARB_INVALID_PARAMETER, "a float has 1 to 53 bits");
    *out = bits <= 24 ? ARB_TYPE(REAL) : ARB_TYPE(DOUBLE);
    return ARB_OK;
}

static bool is_any(arb_str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (arb_str_equal_nocase(name, arb_str_of(names[i])))
            return true;
    }
    return false;
}

/* Modifiers of the simple types: a length of text, the digits of a second. */
static arb_code check_modifiers(arb_binder *b, const arb_ast_type *syntax, arb_type *type, uint32_t *out_length)
{
    if (syntax->modifiers.size == 0)
        return ARB_OK;
    uint32_t value;
    ARB_TRY(modifier(b, syntax, 0, &value));
    bool timestamp = type->id == ARB_TYPE_TIMESTAMP || type->id == ARB_TYPE_TIMESTAMPTZ;
    if (syntax->modifiers.size == 1 && type->id == ARB_TYPE_VARCHAR && value != 0) {
        *out_length = value;
        return ARB_OK;
    }
    if (syntax->modifiers.size == 1 && timestamp && (value == 6 || value == 9)) {
        type->nanoseconds = value == 9;
        return ARB_OK;
    }
    if (syntax->modifiers.size == 1 && (timestamp || type->id == ARB_TYPE_TIME))
        return value == 6 ? ARB_OK
                          : arb_bind_fail(b, syntax->span, ARB_NOT_SUPPORTED, "%.*s(%u) is not supported",
                                          ARB_STR_ARGS(syntax->name.text), (unsigned)value);
    return arb_bind_fail(b, syntax->span, ARB_INVALID_PARAMETER, "type %.*s does not take these modifiers",
                         ARB_STR_ARGS(syntax->name.text));
}

static arb_code bind_named(arb_binder *b, const arb_ast_type *syntax, arb_type *out, uint32_t *out_length)
{
    static const char *const decimals[] = {"decimal", "numeric", "dec", "number"};
    static const char *const unsupported[] = {"uuid",   "json",     "jsonb", "bit",     "enum", "xml",
                                              "timetz", "uhugeint", "money", "variant", "inet"};
    arb_str name = syntax->name.text;
    if (is_any(name, decimals, ARB_COUNT_OF(decimals)))
        return bind_decimal(b, syntax, out);
    if (arb_str_equal_nocase(name, ARB_STR("float")))
        return bind_float(b, syntax, out);
    if (arb_str_equal_nocase(name, ARB_STR("hugeint")) || arb_str_equal_nocase(name, ARB_STR("ubigint"))) {
        *out = arb_type_decimal(name.data[0] == 'h' || name.data[0] == 'H' ? 38 : 20, 0);
        return ARB_OK;
    }
    if (arb_str_equal_nocase(name, ARB_STR("timestamp_ns"))) {
        *out = (arb_type){.id = ARB_TYPE_TIMESTAMP, .nanoseconds = true};
        return ARB_OK;
    }
    for (size_t i = 0; i < ARB_COUNT_OF(type_names); i++) {
        if (!arb_str_equal_nocase(name, arb_str_of(type_names[i].name)))
            continue;
        *out = (arb_type){.id = (uint8_t)type_names[i].id};
        return check_modifiers(b, syntax, out, out_length);
    }
    if (is_any(name, unsupported, ARB_COUNT_OF(unsupported)))
        return arb_bind_fail(b, syntax->span, ARB_NOT_SUPPORTED, "type %.*s is not supported", ARB_STR_ARGS(name));
    return fail_unknown_type(b, syntax);
}

static arb_code bind_struct(arb_binder *b, const arb_ast_type *syntax, arb_type *out)
{
    size_t count = syntax->fields.size;
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, count);
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, count);
    ARB_MADE_IF(b, names != NULL && types != NULL);
    for (size_t i = 0; i < count; i++) {
        names[i] = syntax->fields.data[i].name.text;
        ARB_TRY(arb_bind_type(b, syntax->fields.data[i].type, &types[i], NULL));
    }
    *out = arb_type_struct(b->arena, names, types, count);
    return out->id != ARB_TYPE_NULL ? ARB_OK : arb_bind_out_of_memory(b);
}

arb_code arb_bind_type(arb_binder *b, const arb_ast_type *syntax, arb_type *out, uint32_t *out_length)
{
    uint32_t length = 0;
    arb_type key, element;
    if (out_length != NULL)
        *out_length = 0;
    switch (syntax->kind) {
    case ARB_AST_TYPE_NAMED:
        ARB_TRY(bind_named(b, syntax, out, &length));
        if (out_length != NULL)
            *out_length = length;
        return ARB_OK;
    case ARB_AST_TYPE_LIST:
        ARB_TRY(arb_bind_type(b, syntax->element, &element, NULL));
        *out = arb_type_list(b->arena, element);
        return out->id != ARB_TYPE_NULL ? ARB_OK : arb_bind_out_of_memory(b);
    case ARB_AST_TYPE_STRUCT:
        return bind_struct(b, syntax, out);
    case ARB_AST_TYPE_MAP:
        ARB_TRY(arb_bind_type(b, syntax->key, &key, NULL));
        ARB_TRY(arb_bind_type(b, syntax->element, &element, NULL));
        *out = arb_type_map(b->arena, key, element);
        return out->id != ARB_TYPE_NULL ? ARB_OK : arb_bind_out_of_memory(b);
    case ARB_AST_TYPE_ARRAY:
        break;
    }
    return arb_bind_fail(b, syntax->span, ARB_NOT_SUPPORTED, "arrays of a fixed size are not supported");
}
