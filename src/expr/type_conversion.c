/* type_conversion.c: which types convert to which, by themselves or when asked. */
#include "expr/function.h"

static bool is_float(arb_type type)
{
    return type.id == ARB_TYPE_REAL || type.id == ARB_TYPE_DOUBLE;
}

arb_type arb_type_as_decimal(arb_type type)
{
    switch (type.id) {
    case ARB_TYPE_TINYINT:
        return arb_type_decimal(3, 0);
    case ARB_TYPE_SMALLINT:
        return arb_type_decimal(5, 0);
    case ARB_TYPE_INTEGER:
        return arb_type_decimal(10, 0);
    case ARB_TYPE_BIGINT:
        return arb_type_decimal(19, 0);
    default:
        return type;
    }
}

/* All digits of both on each side of the point, as far as 38 go; those behind the point have precedence. */
static arb_type common_decimal(arb_type a, arb_type b)
{
    unsigned scale = ARB_MAX(a.scale, b.scale);
    unsigned whole = ARB_MAX(a.precision - a.scale, b.precision - b.scale);
    return arb_type_decimal(ARB_MIN(whole + scale, 38u), scale);
}

static bool common_number(arb_type a, arb_type b, arb_type *out_type)
{
    if (is_float(a) || is_float(b))
        *out_type = a.id == ARB_TYPE_REAL && b.id == ARB_TYPE_REAL ? a : ARB_TYPE(DOUBLE);
    else if (a.id == ARB_TYPE_DECIMAL || b.id == ARB_TYPE_DECIMAL)
        *out_type = common_decimal(arb_type_as_decimal(a), arb_type_as_decimal(b));
    else
        *out_type = a.id > b.id ? a : b;
    return true;
}

bool arb_type_common(arb_type a, arb_type b, arb_type *out_type)
{
    if (a.id == ARB_TYPE_NULL || b.id == ARB_TYPE_NULL) {
        *out_type = a.id == ARB_TYPE_NULL ? b : a;
        return true;
    }
    *out_type = a;
    if (arb_type_equal(a, b))
        return true;
    if (arb_type_is_numeric(a) && arb_type_is_numeric(b))
        return common_number(a, b, out_type);
    bool points = arb_type_is_temporal(a) && arb_type_is_temporal(b) && a.id != ARB_TYPE_TIME && b.id != ARB_TYPE_TIME;
    if (!points)
        return false;
    *out_type = a.id > b.id ? a : b; /* date, timestamp, timestamp with time zone */
    out_type->nanoseconds = a.nanoseconds || b.nanoseconds;
    return true;
}

bool arb_type_implicit(arb_type from, arb_type to)
{
    if (from.id == ARB_TYPE_NULL || arb_type_equal(from, to))
        return true;
    if (arb_type_is_nested(from) || arb_type_is_nested(to))
        return false;
    if (from.id == to.id) /* decimals of other digits, timestamps of another unit */
        return true;
    if (arb_type_is_integer(from))
        return (arb_type_is_integer(to) && from.id < to.id) || to.id == ARB_TYPE_DECIMAL || is_float(to);
    if (from.id == ARB_TYPE_DECIMAL)
        return is_float(to);
    if (from.id == ARB_TYPE_REAL)
        return to.id == ARB_TYPE_DOUBLE;
    if (from.id == ARB_TYPE_DATE)
        return to.id == ARB_TYPE_TIMESTAMP || to.id == ARB_TYPE_TIMESTAMPTZ;
    return from.id == ARB_TYPE_TIMESTAMP && to.id == ARB_TYPE_TIMESTAMPTZ;
}

bool arb_type_castable(arb_type from, arb_type to)
{
    if (from.id == ARB_TYPE_NULL || arb_type_implicit(from, to))
        return true;
    if (to.id == ARB_TYPE_VARCHAR)
        return true;
    if (arb_type_is_nested(from) || arb_type_is_nested(to) || to.id == ARB_TYPE_NULL)
        return false;
    if (from.id == ARB_TYPE_VARCHAR)
        return true;
    if (arb_type_is_numeric(from) && arb_type_is_numeric(to))
        return true;
    switch ((arb_type_id)from.id) {
    case ARB_TYPE_BOOLEAN:
        return arb_type_is_integer(to);
    case ARB_TYPE_TINYINT:
    case ARB_TYPE_SMALLINT:
    case ARB_TYPE_INTEGER:
    case ARB_TYPE_BIGINT:
        return to.id == ARB_TYPE_BOOLEAN;
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        return arb_type_is_temporal(to);
    case ARB_TYPE_TIME:
        return to.id == ARB_TYPE_INTERVAL;
    case ARB_TYPE_INTERVAL:
        return to.id == ARB_TYPE_TIME;
    default:
        return false;
    }
}
