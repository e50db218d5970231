#include "exchange/exchange_hash.h"

#include <math.h>
#include <xxhash.h>

/* The first 64 bits behind the point of pi, and those that follow: nothing up the sleeve. */
#define K0 UINT64_C(0x243F6A8885A308D3)
#define K1 UINT64_C(0x13198A2E03707344)
#define K2 UINT64_C(0xA4093822299F31D0)
#define K3 UINT64_C(0x082EFA98EC4E6C89)
#define K4 UINT64_C(0x452821E638D01377)
#define K5 UINT64_C(0xBE5466CF34E90C6C)
#define K6 UINT64_C(0xC0AC29B7C97C50DD)
#define K7 UINT64_C(0x3F84D5B5B5470917)

ARB_INLINE uint64_t fold(uint64_t a, uint64_t b)
{
    arb_uint128 product = (arb_uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

ARB_INLINE uint64_t hash_integer(arb_int128 value)
{
    return fold((uint64_t)value ^ K0, (uint64_t)(value >> 64) ^ K1);
}

ARB_INLINE uint64_t hash_double(double value)
{
    uint64_t bits;
    value = value == 0 ? 0.0 : value;
    memcpy(&bits, &value, sizeof bits);
    return fold((isnan(value) ? UINT64_C(0x7FF8000000000000) : bits) ^ K2, K3);
}

ARB_INLINE uint64_t hash_text(arb_str text)
{
    return XXH3_64bits_withSeed(text.data, text.size, K4);
}

ARB_INLINE uint64_t hash_interval(arb_interval value)
{
    return hash_integer(arb_interval_span(value));
}

ARB_INLINE uint64_t combine(uint64_t so_far, uint64_t next)
{
    return fold(so_far ^ K6, next ^ K7);
}

uint64_t arb_exchange_hash_integer(arb_int128 value)
{
    return hash_integer(value);
}

uint64_t arb_exchange_hash_double(double value)
{
    return hash_double(value);
}

uint64_t arb_exchange_hash_text(arb_str text)
{
    return hash_text(text);
}

uint64_t arb_exchange_hash_interval(arb_interval value)
{
    return hash_interval(value);
}

uint64_t arb_exchange_hash_null(void)
{
    return K5;
}

uint64_t arb_exchange_hash_combine(uint64_t so_far, uint64_t next)
{
    return combine(so_far, next);
}

/* ---- columns ------------------------------------------------------------------------------------------------------------- */

/* Hashes of `count` flat values. */
static void hash_values(const arb_vector *values, size_t count, uint64_t *out)
{
    switch ((arb_physical)values->physical) {
#define EACH(expression)               \
    for (size_t i = 0; i < count; i++) \
        out[i] = (expression);         \
    return
    case ARB_PHYS_BOOL:
        EACH(hash_integer(arb_bitmap_get(values->values.bits, i)));
    case ARB_PHYS_INT8:
        EACH(hash_integer(values->values.i8[i]));
    case ARB_PHYS_INT16:
        EACH(hash_integer(values->values.i16[i]));
    case ARB_PHYS_INT32:
        EACH(hash_integer(values->values.i32[i]));
    case ARB_PHYS_INT64:
        EACH(hash_integer(values->values.i64[i]));
    case ARB_PHYS_INT128:
        EACH(hash_integer(values->values.i128[i]));
    case ARB_PHYS_FLOAT32:
        EACH(hash_double((double)values->values.f32[i]));
    case ARB_PHYS_FLOAT64:
        EACH(hash_double(values->values.f64[i]));
    case ARB_PHYS_STRING:
        EACH(hash_text(arb_string_view(&values->values.string[i])));
    case ARB_PHYS_INTERVAL:
        EACH(hash_interval(values->values.interval[i]));
#undef EACH
    case ARB_PHYS_LIST:
    case ARB_PHYS_STRUCT:
    case ARB_PHYS_COUNT:
        break;
    }
    assert(false && "nested values are packed before they are exchanged");
}

static void hash_column(const arb_vector *column, size_t rows, uint64_t *out)
{
    if (column->encoding == ARB_FLAT) {
        hash_values(column, rows, out);
    } else if (column->encoding == ARB_CONSTANT) {
        uint64_t one;
        hash_values(column, 1, &one);
        for (size_t i = 0; i < rows; i++)
            out[i] = one;
    } else if (column->physical == ARB_PHYS_STRING) { /* an entry is looked at where it is needed: most have few rows */
        for (size_t i = 0; i < rows; i++)
            out[i] = hash_text(arb_string_view(&column->dictionary->values.string[column->values.codes[i]]));
    } else {
        for (size_t i = 0; i < rows; i++) {
            arb_vector entry = *column->dictionary;
            entry.values.data = (char *)entry.values.data + column->values.codes[i] * arb_physical_size(entry.physical);
            hash_values(&entry, 1, &out[i]);
        }
    }
    if (column->validity == NULL)
        return;
    for (size_t i = 0; i < rows; i++)
        if (!arb_vector_is_valid(column, i))
            out[i] = K5;
}

void arb_exchange_hash_rows(const arb_vector *const *columns, size_t column_count, size_t rows, uint64_t *hashes)
{
    uint64_t next[ARB_VECTOR_ROWS];
    assert(rows <= ARB_VECTOR_ROWS);
    if (column_count == 0)
        memset(hashes, 0, rows * sizeof *hashes);
    for (size_t c = 0; c < column_count; c++) {
        hash_column(columns[c], rows, c == 0 ? hashes : next);
        for (size_t i = 0; c != 0 && i < rows; i++)
            hashes[i] = combine(hashes[i], next[i]);
    }
}
