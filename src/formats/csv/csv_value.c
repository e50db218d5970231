/* csv_value.c: the forms that fill most files are read here, quickly; all else by kernels/text_read.h. */
#include "formats/csv/csv_value.h"

#include "columnar/calendar.h"
#include "kernels/text_read.h"

enum { DIGITS_MOST = 18 };

static const double powers_of_ten[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* A plain number of up to 18 digits, with a point where `behind` is given; false: not of this form. */
ARB_INLINE bool read_digits(arb_str text, int64_t *out_value, unsigned *out_behind)
{
    const char *at = text.data, *end = text.data + text.size;
    bool negative = *at == '-';
    at += negative;
    uint64_t value = 0;
    const char *point = NULL, *first = at;
    if ((size_t)(end - at) > DIGITS_MOST)
        return false;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(uint8_t)*at - '0';
        if (digit <= 9) {
            value = value * 10 + digit;
        } else if (out_behind != NULL && *at == '.' && point == NULL) {
            point = at;
        } else {
            return false;
        }
    }
    if (end - first == (point != NULL ? 1 : 0))
        return false;
    if (out_behind != NULL)
        *out_behind = point == NULL ? 0 : (unsigned)(end - point - 1);
    *out_value = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

ARB_INLINE bool read_pair(const char *at, unsigned *out_value)
{
    unsigned high = (unsigned)(uint8_t)at[0] - '0', low = (unsigned)(uint8_t)at[1] - '0';
    *out_value = high * 10 + low;
    return high <= 9 && low <= 9;
}

/* YYYY-MM-DD */
ARB_INLINE bool read_plain_date(const char *at, int64_t *out_days)
{
    unsigned century, year, month, day;
    if (at[4] != '-' || at[7] != '-' || !read_pair(at, &century) || !read_pair(at + 2, &year) ||
        !read_pair(at + 5, &month) || !read_pair(at + 8, &day))
        return false;
    year += century * 100;
    if (year == 0 || month < 1 || month > 12 || day < 1 || (int)day > arb_days_of_month(year, (int)month))
        return false;
    *out_days = arb_days_from_civil(year, (int)month, (int)day);
    return true;
}

static bool read_date(arb_str text, int64_t *out_days)
{
    if (text.size == 10 && read_plain_date(text.data, out_days))
        return true;
    int32_t days;
    if (arb_read_date(text, &days) != ARB_READ_OK)
        return false;
    *out_days = days;
    return true;
}

static bool read_timestamp(arb_str text, bool nanoseconds, int64_t *out_value)
{
    const char *at = text.data;
    unsigned hour, minute, second;
    int64_t days;
    if (!nanoseconds && text.size == 19 && (at[10] == ' ' || at[10] == 'T') && at[13] == ':' && at[16] == ':' &&
        read_plain_date(at, &days) && read_pair(at + 11, &hour) && read_pair(at + 14, &minute) &&
        read_pair(at + 17, &second) && hour < 24 && minute < 60 && second < 60) {
        *out_value =
            days * ARB_MICROS_DAY + hour * ARB_MICROS_HOUR + minute * ARB_MICROS_MINUTE + second * ARB_MICROS_SECOND;
        return true;
    }
    arb_zone_text zone;
    if (arb_read_timestamp(text, nanoseconds, out_value, &zone) != ARB_READ_OK || zone.name.size != 0)
        return false;
    int64_t unit = nanoseconds ? INT64_C(1000000000) : ARB_MICROS_SECOND;
    return !zone.given || !__builtin_sub_overflow(*out_value, zone.offset * unit, out_value);
}

static bool read_double(arb_str text, double *out_value)
{
    int64_t digits;
    unsigned behind;
    /* Both are exact then, so that their quotient is the nearest number. */
    if (text.size <= 16 && read_digits(text, &digits, &behind) && (digits != 0 || text.data[0] != '-')) {
        *out_value = (double)digits / powers_of_ten[behind];
        return true;
    }
    return arb_read_double(text, out_value) == ARB_READ_OK;
}

static bool store_integer(const arb_vector_storage *storage, size_t row, arb_int128 value)
{
    switch (storage->physical) {
    case ARB_PHYS_INT8:
        ((int8_t *)storage->values)[row] = (int8_t)value;
        return value >= INT8_MIN && value <= INT8_MAX;
    case ARB_PHYS_INT16:
        ((int16_t *)storage->values)[row] = (int16_t)value;
        return value >= INT16_MIN && value <= INT16_MAX;
    case ARB_PHYS_INT32:
        ((int32_t *)storage->values)[row] = (int32_t)value;
        return value >= INT32_MIN && value <= INT32_MAX;
    case ARB_PHYS_INT64:
        ((int64_t *)storage->values)[row] = (int64_t)value;
        return value >= INT64_MIN && value <= INT64_MAX;
    default:
        ((arb_int128 *)storage->values)[row] = value;
        return true;
    }
}

static bool read_integer(arb_type type, arb_str text, const arb_vector_storage *storage, size_t row)
{
    int64_t quick;
    if (ARB_LIKELY(read_digits(text, &quick, NULL))) {
        if (storage->physical == ARB_PHYS_INT64 && type.id == ARB_TYPE_BIGINT) {
            ((int64_t *)storage->values)[row] = quick;
            return true;
        }
    }
    arb_int128 value, high = (arb_int128)1 << (8 * arb_physical_size(arb_type_physical(type)) - 1);
    return arb_read_integer(text, -high, high - 1, &value) == ARB_READ_OK && store_integer(storage, row, value);
}

static bool read_decimal(arb_type type, arb_str text, const arb_vector_storage *storage, size_t row)
{
    arb_int128 value;
    return arb_read_decimal(text, type.precision, type.scale, &value) == ARB_READ_OK &&
           store_integer(storage, row, value);
}

static arb_csv_value read_blob(arb_str text, const arb_vector_storage *storage, size_t row, arb_arena *arena)
{
    char *bytes = arb_arena_alloc(arena, text.size);
    size_t size;
    if (bytes == NULL)
        return ARB_CSV_VALUE_NO_MEMORY;
    if (arb_read_blob(text, bytes, &size) != ARB_READ_OK)
        return ARB_CSV_VALUE_BAD;
    ((arb_string *)storage->values)[row] = arb_string_of(bytes, size);
    return ARB_CSV_VALUE_OK;
}

static bool read_real(arb_str text, const arb_vector_storage *storage, size_t row)
{
    return arb_read_real(text, &((float *)storage->values)[row]) == ARB_READ_OK;
}

arb_csv_value arb_csv_value_read(arb_type type, arb_str text, const arb_vector_storage *storage, size_t row,
                                 arb_arena *arena)
{
    int64_t whole = 0;
    bool done, truth = false;
    switch ((arb_type_id)type.id) {
    case ARB_TYPE_VARCHAR:
        ((arb_string *)storage->values)[row] = arb_string_of(text.data, text.size);
        return ARB_CSV_VALUE_OK;
    case ARB_TYPE_BLOB:
        return read_blob(text, storage, row, arena);
    case ARB_TYPE_BOOLEAN:
        done = arb_read_boolean(text, &truth) == ARB_READ_OK;
        arb_bitmap_put(storage->values, row, truth);
        break;
    case ARB_TYPE_TINYINT:
    case ARB_TYPE_SMALLINT:
    case ARB_TYPE_INTEGER:
    case ARB_TYPE_BIGINT:
        done = read_integer(type, text, storage, row);
        break;
    case ARB_TYPE_DECIMAL:
        done = read_decimal(type, text, storage, row);
        break;
    case ARB_TYPE_REAL:
        done = read_real(text, storage, row);
        break;
    case ARB_TYPE_DOUBLE:
        done = read_double(text, &((double *)storage->values)[row]);
        break;
    case ARB_TYPE_DATE:
        done = read_date(text, &whole) && store_integer(storage, row, whole);
        break;
    case ARB_TYPE_TIME:
        done = arb_read_time(text, &whole) == ARB_READ_OK && store_integer(storage, row, whole);
        break;
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        done = read_timestamp(text, type.nanoseconds, &whole) && store_integer(storage, row, whole);
        break;
    case ARB_TYPE_INTERVAL:
        done = arb_read_interval(text, &((arb_interval *)storage->values)[row]) == ARB_READ_OK;
        break;
    default:
        done = false;
        break;
    }
    return done ? ARB_CSV_VALUE_OK : ARB_CSV_VALUE_BAD;
}

arb_csv_value arb_csv_value_read_pattern(const arb_time_pattern *pattern, arb_type type, arb_str text,
                                         const arb_vector_storage *storage, size_t row)
{
    int64_t value;
    if (arb_time_pattern_read(pattern, text, &value) != ARB_READ_OK)
        return ARB_CSV_VALUE_BAD;
    if (type.id == ARB_TYPE_DATE)
        value = value / ARB_MICROS_DAY - (value % ARB_MICROS_DAY < 0);
    else if (type.nanoseconds && __builtin_mul_overflow(value, 1000, &value))
        return ARB_CSV_VALUE_BAD;
    return store_integer(storage, row, value) ? ARB_CSV_VALUE_OK : ARB_CSV_VALUE_BAD;
}
