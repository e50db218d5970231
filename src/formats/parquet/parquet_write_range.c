#include "formats/parquet/parquet_write_range.h"

enum { TEXT_MOST = 64 };

int arb_parquet_extreme_compare(arb_parquet_kept kept, const arb_parquet_extreme *a, const arb_parquet_extreme *b)
{
    switch (kept) {
    case ARB_PARQUET_KEPT_F32:
    case ARB_PARQUET_KEPT_F64:
        return (a->real > b->real) - (a->real < b->real);
    case ARB_PARQUET_KEPT_TEXT:
        return arb_string_compare(&a->text, &b->text);
    default:
        return (a->whole > b->whole) - (a->whole < b->whole);
    }
}

void arb_parquet_range_add(arb_parquet_kept kept, arb_parquet_write_range *range, const arb_parquet_write_range *other)
{
    if (!other->known)
        return;
    if (!range->known) {
        *range = *other;
        return;
    }
    if (arb_parquet_extreme_compare(kept, &other->low, &range->low) < 0)
        range->low = other->low;
    if (arb_parquet_extreme_compare(kept, &other->high, &range->high) > 0)
        range->high = other->high;
}

/* The bodies below take positions or, where these are NULL, a run of values from `from` on. NaN compares with nothing
 * and so never becomes an extreme. */
#define DEFINE_RANGE(name, type, member)                                                                              \
    static arb_parquet_write_range name(const type *restrict values, const uint32_t *restrict positions, size_t from, \
                                        size_t count)                                                                 \
    {                                                                                                                 \
        arb_parquet_write_range range = {0};                                                                          \
        size_t i = 0;                                                                                                 \
        type low = 0, high = 0;                                                                                       \
        for (; i < count && !range.known; i++) {                                                                      \
            low = high = values[positions == NULL ? from + i : positions[i]];                                         \
            range.known = low == high;                                                                                \
        }                                                                                                             \
        if (positions == NULL) {                                                                                      \
            for (const type *value = values + from + i, *end = values + from + count; value < end; value++) {         \
                low = *value < low ? *value : low;                                                                    \
                high = *value > high ? *value : high;                                                                 \
            }                                                                                                         \
        } else {                                                                                                      \
            for (; i < count; i++) {                                                                                  \
                type value = values[positions[i]];                                                                    \
                low = value < low ? value : low;                                                                      \
                high = value > high ? value : high;                                                                   \
            }                                                                                                         \
        }                                                                                                             \
        range.low.member = low;                                                                                       \
        range.high.member = high;                                                                                     \
        return range;                                                                                                 \
    }
DEFINE_RANGE(range_bool, uint8_t, whole)
DEFINE_RANGE(range_i32, int32_t, whole)
DEFINE_RANGE(range_i64, int64_t, whole)
DEFINE_RANGE(range_i128, arb_int128, whole)
DEFINE_RANGE(range_f32, float, real)
DEFINE_RANGE(range_f64, double, real)
#undef DEFINE_RANGE

/* The first bytes as a number that orders as the text does, zeros behind its end. */
ARB_INLINE uint64_t text_key(const arb_string *text)
{
    uint64_t key = 0;
    memcpy(&key, arb_string_data(text), ARB_MIN(text->size, 8));
    return __builtin_bswap64(key);
}

static arb_parquet_write_range range_text(const arb_string *values, const uint32_t *positions, size_t from,
                                          size_t count)
{
    const arb_string *low = &values[positions == NULL ? from : positions[0]], *high = low;
    uint64_t low_key = text_key(low), high_key = low_key;
    for (size_t i = 1; i < count; i++) {
        const arb_string *value = &values[positions == NULL ? from + i : positions[i]];
        uint64_t key = text_key(value);
        if (key <= low_key && arb_string_compare(value, low) < 0) {
            low = value;
            low_key = key;
        } else if (key >= high_key && arb_string_compare(value, high) > 0) {
            high = value;
            high_key = key;
        }
    }
    return (arb_parquet_write_range){.known = true, .low.text = *low, .high.text = *high};
}

static arb_parquet_write_range range_of(const arb_parquet_write_column *column, const uint32_t *positions, size_t from,
                                        size_t count)
{
    const void *data = column->data.data;
    if (count == 0)
        return (arb_parquet_write_range){0};
    switch (column->kept) {
    case ARB_PARQUET_KEPT_BOOL:
        return range_bool(data, positions, from, count);
    case ARB_PARQUET_KEPT_I32:
        return range_i32(data, positions, from, count);
    case ARB_PARQUET_KEPT_I64:
        return range_i64(data, positions, from, count);
    case ARB_PARQUET_KEPT_I128:
        return range_i128(data, positions, from, count);
    case ARB_PARQUET_KEPT_F32:
        return range_f32(data, positions, from, count);
    case ARB_PARQUET_KEPT_F64:
        return range_f64(data, positions, from, count);
    default:
        return range_text(data, positions, from, count);
    }
}

arb_parquet_write_range arb_parquet_range_of_values(const arb_parquet_write_column *column, size_t from, size_t to)
{
    return range_of(column, NULL, from, to - from);
}

arb_parquet_write_range arb_parquet_range_of_positions(const arb_parquet_write_column *column,
                                                       const uint32_t *positions, size_t count)
{
    return range_of(column, positions, 0, count);
}

/* ---- as bytes -------------------------------------------------------------------------------------------------- */

/* Cut behind a whole character. */
static size_t cut_size(arb_str text, bool is_utf8)
{
    size_t size = TEXT_MOST;
    while (is_utf8 && size != 0 && ((uint8_t)text.data[size] & 0xC0) == 0x80)
        size--;
    return size;
}

/* Raise the last byte that can be raised and drop what is behind it; 0 when there is none. Of UTF-8 only ASCII is
 * raised, so that it stays UTF-8. */
static size_t raise(char *bytes, size_t size, bool is_utf8)
{
    for (; size != 0; size--) {
        uint8_t last = (uint8_t)bytes[size - 1];
        if (last < (is_utf8 ? 0x7F : 0xFF)) {
            bytes[size - 1] = (char)(last + 1);
            return size;
        }
    }
    return 0;
}

static void append_text(arb_text *out, const arb_parquet_leaf *leaf, arb_str value, bool is_high, bool *out_exact)
{
    *out_exact = value.size <= TEXT_MOST;
    if (*out_exact) {
        arb_text_append_str(out, value);
        return;
    }
    bool is_utf8 = leaf->type.id == ARB_TYPE_VARCHAR;
    size_t size = cut_size(value, is_utf8);
    char bytes[TEXT_MOST];
    memcpy(bytes, value.data, size);
    if (is_high)
        size = raise(bytes, size, is_utf8);
    *out_exact = size == 0;
    arb_text_append_str(out, size == 0 ? value : (arb_str){bytes, size});
}

static void append_big_endian(arb_text *out, arb_int128 value, uint32_t size)
{
    char bytes[16];
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = (char)(value >> (8 * (size - 1 - i)));
    arb_text_append(out, bytes, size);
}

void arb_parquet_extreme_append(arb_text *out, const arb_parquet_leaf *leaf, arb_parquet_kept kept,
                                const arb_parquet_extreme *value, bool is_high, bool *out_exact)
{
    char bytes[8];
    *out_exact = true;
    /* Readers disagree about the order of zeros: say the one that excludes neither. */
    double real = value->real == 0 ? (is_high ? 0.0 : -0.0) : value->real;
    switch (kept) {
    case ARB_PARQUET_KEPT_BOOL:
        arb_text_append_char(out, (char)value->whole);
        return;
    case ARB_PARQUET_KEPT_I32:
        arb_store_i32(bytes, (int32_t)value->whole);
        arb_text_append(out, bytes, 4);
        return;
    case ARB_PARQUET_KEPT_I64:
        arb_store_i64(bytes, (int64_t)value->whole);
        arb_text_append(out, bytes, 8);
        return;
    case ARB_PARQUET_KEPT_I128:
        append_big_endian(out, value->whole, leaf->fixed_size);
        return;
    case ARB_PARQUET_KEPT_F32:
        arb_store_f32(bytes, (float)real);
        arb_text_append(out, bytes, 4);
        return;
    case ARB_PARQUET_KEPT_F64:
        arb_store_f64(bytes, real);
        arb_text_append(out, bytes, 8);
        return;
    case ARB_PARQUET_KEPT_TEXT:
        append_text(out, leaf, arb_string_view(&value->text), is_high, out_exact);
        return;
    }
}
