#include "columnar/arrow_values.h"

#include "columnar/calendar.h"

/* What all conversions are given. `from` is the first row's value. */
typedef struct conversion {
    const arb_arrow_node *node;
    const uint8_t *from;
    int64_t start;
    size_t rows;
    arb_error *error;
} conversion;

static bool is_null(const conversion *c, size_t row)
{
    return !arb_arrow_node_is_valid(c->node, c->start + (int64_t)row);
}

static arb_code refuse(const conversion *c, size_t row, arb_code code, const char *what)
{
    return arb_fail(c->error, code, "column \"%.*s\" of Arrow type %s: the value of row %lld %s",
                    ARB_STR_ARGS(c->node->field->name), arb_arrow_kind_name((arb_arrow_kind)c->node->field->kind),
                    (long long)(c->start + (int64_t)row), what);
}

/* Wider values of a whole number. */
static void widen(const conversion *c, void *to)
{
    int16_t *i16 = to;
    int32_t *i32 = to;
    int64_t *i64 = to;
    arb_int128 *i128 = to;
    for (size_t row = 0; row < c->rows; row++)
        switch (c->node->field->kind) {
        case ARB_ARROW_UINT8:
            i16[row] = c->from[row];
            break;
        case ARB_ARROW_UINT16:
            i32[row] = arb_load_u16(c->from + row * 2);
            break;
        case ARB_ARROW_UINT32:
            i64[row] = arb_load_u32(c->from + row * 4);
            break;
        default:
            i128[row] = arb_load_u64(c->from + row * 8);
            break;
        }
}

static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    uint32_t bits;
    if (exponent == 0x1F) { /* infinity, NaN */
        bits = 0x7F800000 | fraction << 13;
    } else if (exponent != 0) {
        bits = (exponent + 112) << 23 | fraction << 13;
    } else { /* zero, or a multiple of 2^-24 */
        float small = (float)fraction * 0x1p-24f;
        memcpy(&bits, &small, sizeof bits);
    }
    bits |= sign;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static arb_int128 load_decimal(const uint8_t *from, size_t width)
{
    return width == 4   ? (arb_int128)arb_load_i32(from)
           : width == 8 ? (arb_int128)arb_load_i64(from)
                        : arb_load_i128(from);
}

/* To the width that the digits need. */
static arb_code decimals(const conversion *c, arb_type type, void *to)
{
    arb_int128 bound = 1;
    for (unsigned digit = 0; digit < type.precision; digit++)
        bound *= 10;
    size_t width = arb_arrow_field_width(c->node->field);
    arb_physical physical = arb_type_physical(type);
    for (size_t row = 0; row < c->rows; row++) {
        arb_int128 value = load_decimal(c->from + row * width, width);
        if (value <= -bound || value >= bound) {
            if (!is_null(c, row))
                return refuse(c, row, ARB_OUT_OF_RANGE, "has more digits than its type");
            value = 0;
        }
        if (physical == ARB_PHYS_INT32)
            ((int32_t *)to)[row] = (int32_t)value;
        else if (physical == ARB_PHYS_INT64)
            ((int64_t *)to)[row] = (int64_t)value;
        else
            ((arb_int128 *)to)[row] = value;
    }
    return ARB_OK;
}

static arb_code days(const conversion *c, int32_t *to)
{
    for (size_t row = 0; row < c->rows; row++) {
        int64_t day = arb_floor_divide(arb_load_i64(c->from + row * 8), 86400000);
        if (day < INT32_MIN || day > INT32_MAX) {
            if (!is_null(c, row))
                return refuse(c, row, ARB_DATETIME_OVERFLOW, "is out of the range of dates");
            day = 0;
        }
        to[row] = (int32_t)day;
    }
    return ARB_OK;
}

/* A count of `unit`s, in microseconds; false when there are too many. */
static bool to_micros(int64_t value, uint8_t unit, int64_t *out)
{
    static const int64_t factors[] = {1000000, 1000, 1};
    if (unit == ARB_ARROW_NANOSECOND) {
        *out = arb_floor_divide(value, 1000);
        return true;
    }
    return !__builtin_mul_overflow(value, factors[unit], out);
}

static arb_code times(const conversion *c, int64_t *to)
{
    size_t width = arb_arrow_field_width(c->node->field);
    for (size_t row = 0; row < c->rows; row++) {
        int64_t value = arb_arrow_load_integer(c->from, width, true, (int64_t)row);
        if (!to_micros(value, c->node->field->unit, &to[row]) || to[row] < 0 || to[row] > ARB_MICROS_DAY) {
            if (!is_null(c, row))
                return refuse(c, row, ARB_DATETIME_OVERFLOW, "is no time of a day");
            to[row] = 0;
        }
    }
    return ARB_OK;
}

static arb_code timestamps(const conversion *c, int64_t *to)
{
    for (size_t row = 0; row < c->rows; row++)
        if (!to_micros(arb_load_i64(c->from + row * 8), c->node->field->unit, &to[row])) {
            if (!is_null(c, row))
                return refuse(c, row, ARB_DATETIME_OVERFLOW, "is out of the range of timestamps");
            to[row] = 0;
        }
    return ARB_OK;
}

static arb_code intervals(const conversion *c, arb_interval *to)
{
    for (size_t row = 0; row < c->rows; row++) {
        arb_interval interval = {0};
        switch (c->node->field->kind) {
        case ARB_ARROW_INTERVAL_MONTHS:
            interval.months = arb_load_i32(c->from + row * 4);
            break;
        case ARB_ARROW_INTERVAL_DAY_TIME:
            interval.days = arb_load_i32(c->from + row * 8);
            interval.micros = (int64_t)arb_load_i32(c->from + row * 8 + 4) * 1000;
            break;
        case ARB_ARROW_INTERVAL_MDN:
            interval.months = arb_load_i32(c->from + row * 16);
            interval.days = arb_load_i32(c->from + row * 16 + 4);
            interval.micros = arb_load_i64(c->from + row * 16 + 8) / 1000;
            break;
        default:
            if (!to_micros(arb_load_i64(c->from + row * 8), c->node->field->unit, &interval.micros)) {
                if (!is_null(c, row))
                    return refuse(c, row, ARB_DATETIME_OVERFLOW, "is out of the range of intervals");
                interval.micros = 0;
            }
        }
        to[row] = interval;
    }
    return ARB_OK;
}

static arb_code strings(const conversion *c, arb_string *to)
{
    for (size_t row = 0; row < c->rows; row++) {
        if (is_null(c, row)) {
            to[row] = (arb_string){0};
            continue;
        }
        arb_str bytes = arb_arrow_node_bytes(c->node, c->start + (int64_t)row);
        if (bytes.size > UINT32_MAX)
            return refuse(c, row, ARB_STRING_TOO_LONG, "has more than 4 GiB");
        to[row] = arb_string_of(bytes.data, bytes.size);
    }
    return ARB_OK;
}

arb_code arb_arrow_values_convert(const arb_arrow_node *node, int64_t start, size_t rows, arb_type type, void *to,
                                  arb_error *error)
{
    if (rows == 0)
        return ARB_OK;
    conversion c = {.node = node, .start = start, .rows = rows, .error = error};
    size_t width = arb_arrow_field_width(node->field);
    if (arb_type_is_text(type))
        return strings(&c, to);
    c.from = node->buffers[1].data + (size_t)(node->offset + start) * width;
    switch (node->field->kind) {
    case ARB_ARROW_UINT8:
    case ARB_ARROW_UINT16:
    case ARB_ARROW_UINT32:
    case ARB_ARROW_UINT64:
        widen(&c, to);
        return ARB_OK;
    case ARB_ARROW_FLOAT16:
        for (size_t row = 0; row < rows; row++)
            ((float *)to)[row] = half_to_float(arb_load_u16(c.from + row * 2));
        return ARB_OK;
    case ARB_ARROW_DECIMAL32:
    case ARB_ARROW_DECIMAL64:
    case ARB_ARROW_DECIMAL128:
        return decimals(&c, type, to);
    case ARB_ARROW_DATE64:
        return days(&c, to);
    case ARB_ARROW_TIME32:
    case ARB_ARROW_TIME64:
        return times(&c, to);
    case ARB_ARROW_DURATION:
    case ARB_ARROW_INTERVAL_MONTHS:
    case ARB_ARROW_INTERVAL_DAY_TIME:
    case ARB_ARROW_INTERVAL_MDN:
        return intervals(&c, to);
    case ARB_ARROW_TIMESTAMP:
        if (node->field->unit < ARB_ARROW_MICROSECOND)
            return timestamps(&c, to);
        ARB_FALLTHROUGH;
    default: /* the same values inside */
        memcpy(to, c.from, rows * width);
        return ARB_OK;
    }
}
