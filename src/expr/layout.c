#include "expr/layout.h"

int arb_layout_find(const arb_layout *layout, arb_column_id id)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->slots[i].id == id)
            return (int)i;
    return -1;
}

arb_int128 arb_power_of_ten(unsigned exponent)
{
    assert(exponent <= 38);
    arb_int128 power = 1;
    for (unsigned i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

arb_range arb_range_of_type(arb_type type)
{
    switch (type.id) {
    case ARB_TYPE_TINYINT:
        return (arb_range){true, INT8_MIN, INT8_MAX};
    case ARB_TYPE_SMALLINT:
        return (arb_range){true, INT16_MIN, INT16_MAX};
    case ARB_TYPE_INTEGER:
    case ARB_TYPE_DATE:
        return (arb_range){true, INT32_MIN, INT32_MAX};
    case ARB_TYPE_BIGINT:
    case ARB_TYPE_TIME:
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        return (arb_range){true, INT64_MIN, INT64_MAX};
    case ARB_TYPE_DECIMAL: {
        arb_int128 most = arb_power_of_ten(type.precision) - 1;
        return (arb_range){true, -most, most};
    }
    default:
        return (arb_range){0};
    }
}

arb_range arb_range_of_column(arb_type type, const arb_column_statistics *statistics)
{
    arb_range range = arb_range_of_type(type);
    if (range.known && statistics->has_range && statistics->low <= statistics->high) {
        range.low = ARB_MAX(range.low, statistics->low);
        range.high = ARB_MIN(range.high, statistics->high);
        if (range.low > range.high)
            return arb_range_of_type(type);
    }
    return range;
}

arb_physical arb_physical_for(arb_type type, arb_range range)
{
    if (range.known && (type.id == ARB_TYPE_BIGINT || type.id == ARB_TYPE_DECIMAL))
        return arb_physical_for_range(range.low, range.high);
    return arb_type_physical(type);
}
