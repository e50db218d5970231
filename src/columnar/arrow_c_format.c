#include "columnar/arrow_c_format.h"

/* Types whose shorthand says everything. */
static const struct {
    const char *format;
    uint8_t kind, unit;
} plain[] = {
    {"n", ARB_ARROW_NULL, 0},
    {"b", ARB_ARROW_BOOL, 0},
    {"c", ARB_ARROW_INT8, 0},
    {"C", ARB_ARROW_UINT8, 0},
    {"s", ARB_ARROW_INT16, 0},
    {"S", ARB_ARROW_UINT16, 0},
    {"i", ARB_ARROW_INT32, 0},
    {"I", ARB_ARROW_UINT32, 0},
    {"l", ARB_ARROW_INT64, 0},
    {"L", ARB_ARROW_UINT64, 0},
    {"e", ARB_ARROW_FLOAT16, 0},
    {"f", ARB_ARROW_FLOAT32, 0},
    {"g", ARB_ARROW_FLOAT64, 0},
    {"z", ARB_ARROW_BINARY, 0},
    {"Z", ARB_ARROW_LARGE_BINARY, 0},
    {"vz", ARB_ARROW_BINARY_VIEW, 0},
    {"u", ARB_ARROW_UTF8, 0},
    {"U", ARB_ARROW_LARGE_UTF8, 0},
    {"vu", ARB_ARROW_UTF8_VIEW, 0},
    {"tdD", ARB_ARROW_DATE32, 0},
    {"tdm", ARB_ARROW_DATE64, 0},
    {"tts", ARB_ARROW_TIME32, ARB_ARROW_SECOND},
    {"ttm", ARB_ARROW_TIME32, ARB_ARROW_MILLISECOND},
    {"ttu", ARB_ARROW_TIME64, ARB_ARROW_MICROSECOND},
    {"ttn", ARB_ARROW_TIME64, ARB_ARROW_NANOSECOND},
    {"tDs", ARB_ARROW_DURATION, ARB_ARROW_SECOND},
    {"tDm", ARB_ARROW_DURATION, ARB_ARROW_MILLISECOND},
    {"tDu", ARB_ARROW_DURATION, ARB_ARROW_MICROSECOND},
    {"tDn", ARB_ARROW_DURATION, ARB_ARROW_NANOSECOND},
    {"tiM", ARB_ARROW_INTERVAL_MONTHS, 0},
    {"tiD", ARB_ARROW_INTERVAL_DAY_TIME, 0},
    {"tin", ARB_ARROW_INTERVAL_MDN, 0},
    {"+l", ARB_ARROW_LIST, 0},
    {"+L", ARB_ARROW_LARGE_LIST, 0},
    {"+vl", ARB_ARROW_LIST_VIEW, 0},
    {"+vL", ARB_ARROW_LARGE_LIST_VIEW, 0},
    {"+s", ARB_ARROW_STRUCT, 0},
    {"+m", ARB_ARROW_MAP, 0},
    {"+r", ARB_ARROW_RUN_END_ENCODED, 0},
};
static const char units[] = "smun";

static arb_code unknown(arb_error *error, const char *format)
{
    return arb_fail(error, ARB_NOT_SUPPORTED, "the Arrow type \"%.100s\" is not known", format);
}

/* A decimal number at *at, which moves behind it. */
static bool take_number(const char **at, int32_t *out_value)
{
    const char *c = *at;
    bool negative = *c == '-';
    c += negative;
    int64_t value = 0;
    if (*c < '0' || *c > '9')
        return false;
    for (; *c >= '0' && *c <= '9'; c++) {
        value = value * 10 + (*c - '0');
        if (value > INT32_MAX)
            return false;
    }
    *out_value = (int32_t)(negative ? -value : value);
    *at = c;
    return true;
}

static bool take(const char **at, char wanted)
{
    bool found = **at == wanted;
    *at += found;
    return found;
}

/* "d:19,10" or "d:19,10,256" */
static arb_code read_decimal(const char *format, arb_arrow_field *field, arb_error *error)
{
    const char *at = format + 2;
    int32_t width = 128;
    if (!take_number(&at, &field->precision) || !take(&at, ',') || !take_number(&at, &field->scale) ||
        (take(&at, ',') && !take_number(&at, &width)) || *at != '\0')
        return unknown(error, format);
    switch (width) {
    case 32:
        field->kind = ARB_ARROW_DECIMAL32;
        return ARB_OK;
    case 64:
        field->kind = ARB_ARROW_DECIMAL64;
        return ARB_OK;
    case 128:
        field->kind = ARB_ARROW_DECIMAL128;
        return ARB_OK;
    case 256:
        field->kind = ARB_ARROW_DECIMAL256;
        return ARB_OK;
    default:
        return unknown(error, format);
    }
}

/* "+ud:0,5" */
static arb_code read_union(arb_arena *arena, const char *format, arb_arrow_field *field, arb_error *error)
{
    field->kind = format[2] == 'd' ? ARB_ARROW_DENSE_UNION : ARB_ARROW_SPARSE_UNION;
    if (field->child_count > ARB_ARROW_UNION_MAX)
        return unknown(error, format);
    int8_t *ids = ARB_ARENA_ARRAY(arena, int8_t, field->child_count);
    if (ids == NULL)
        return arb_fail_memory(error, "a schema", field->child_count);
    const char *at = format + 4;
    for (uint32_t i = 0; i < field->child_count; i++) {
        int32_t id;
        if ((i != 0 && !take(&at, ',')) || !take_number(&at, &id) || id < 0 || id > INT8_MAX)
            return unknown(error, format);
        ids[i] = (int8_t)id;
    }
    field->type_ids = ids;
    return *at == '\0' ? ARB_OK : unknown(error, format);
}

static bool begins(const char *format, const char *with)
{
    return strncmp(format, with, strlen(with)) == 0;
}

arb_code arb_arrow_format_read(arb_arena *arena, const char *format, arb_arrow_field *field, arb_error *error)
{
    for (size_t i = 0; i < ARB_COUNT_OF(plain); i++)
        if (strcmp(plain[i].format, format) == 0) {
            field->kind = plain[i].kind;
            field->unit = plain[i].unit;
            return ARB_OK;
        }
    if (begins(format, "d:"))
        return read_decimal(format, field, error);
    if (begins(format, "w:") || begins(format, "+w:")) {
        const char *at = format + (*format == 'w' ? 2 : 3);
        field->kind = *format == 'w' ? ARB_ARROW_FIXED_SIZE_BINARY : ARB_ARROW_FIXED_SIZE_LIST;
        return take_number(&at, &field->size) && *at == '\0' ? ARB_OK : unknown(error, format);
    }
    if (begins(format, "ts") && format[2] != '\0' && strchr(units, format[2]) != NULL && format[3] == ':') {
        field->kind = ARB_ARROW_TIMESTAMP;
        field->unit = (uint8_t)(strchr(units, format[2]) - units);
        field->zone = arb_str_copy(arena, arb_str_of(format + 4));
        return field->zone.data != NULL ? ARB_OK : arb_fail_memory(error, "a schema", strlen(format));
    }
    if (begins(format, "+ud:") || begins(format, "+us:"))
        return read_union(arena, format, field, error);
    return unknown(error, format);
}

static void write_kind(arb_text *out, uint8_t kind, uint8_t unit)
{
    for (size_t i = 0; i < ARB_COUNT_OF(plain); i++)
        if (plain[i].kind == kind && (plain[i].unit == unit || (kind != ARB_ARROW_TIME32 && kind != ARB_ARROW_TIME64 &&
                                                                kind != ARB_ARROW_DURATION))) {
            arb_text_append_str(out, arb_str_of(plain[i].format));
            return;
        }
    assert(!"every kind without parameters is in the table");
}

void arb_arrow_format_write(arb_text *out, const arb_arrow_field *field)
{
    switch (field->kind) {
    case ARB_ARROW_DECIMAL128:
        arb_text_printf(out, "d:%d,%d", field->precision, field->scale);
        return;
    case ARB_ARROW_DECIMAL32:
    case ARB_ARROW_DECIMAL64:
    case ARB_ARROW_DECIMAL256:
        arb_text_printf(out, "d:%d,%d,%d", field->precision, field->scale, (int)arb_arrow_field_width(field) * 8);
        return;
    case ARB_ARROW_FIXED_SIZE_BINARY:
        arb_text_printf(out, "w:%d", field->size);
        return;
    case ARB_ARROW_FIXED_SIZE_LIST:
        arb_text_printf(out, "+w:%d", field->size);
        return;
    case ARB_ARROW_TIMESTAMP:
        arb_text_printf(out, "ts%c:%.*s", units[field->unit], ARB_STR_ARGS(field->zone));
        return;
    case ARB_ARROW_DENSE_UNION:
    case ARB_ARROW_SPARSE_UNION:
        arb_text_append_str(out, field->kind == ARB_ARROW_DENSE_UNION ? ARB_STR("+ud:") : ARB_STR("+us:"));
        for (uint32_t i = 0; i < field->child_count; i++)
            arb_text_printf(out, i != 0 ? ",%d" : "%d", field->type_ids[i]);
        return;
    case ARB_ARROW_DICTIONARY:
        write_kind(out, field->index_kind, 0);
        return;
    default:
        write_kind(out, field->kind, field->unit);
    }
}
