#include "execution/operators/sort_key.h"

enum { bits_most = ARB_SORT_WORDS_MOST * 64, text_bits_least = 32 };

/* Bits of a column's value; of text what is left of the word, or of the next one. */
static uint32_t value_bits(const arb_slot *slot, uint32_t at)
{
    switch (slot->physical) {
    case ARB_PHYS_BOOL:
        return 1;
    case ARB_PHYS_FLOAT32:
        return 32;
    case ARB_PHYS_FLOAT64:
        return 64;
    case ARB_PHYS_INTERVAL:
        return 128;
    case ARB_PHYS_STRING: {
        uint32_t left = 64 - at % 64;
        return (left >= text_bits_least ? left : left + 64) / 8 * 8;
    }
    default:
        break;
    }
    uint32_t most = (uint32_t)arb_physical_size(slot->physical) * 8;
    if (!slot->range.known || slot->range.low > slot->range.high)
        return most;
    arb_uint128 span = (arb_uint128)slot->range.high - (arb_uint128)slot->range.low;
    uint32_t bits = span >> 64 != 0 ? 64 + arb_bit_width((uint64_t)(span >> 64)) : arb_bit_width((uint64_t)span);
    return ARB_MIN(bits, most);
}

static arb_int128 least_value(const arb_slot *slot, uint32_t bits)
{
    if (!arb_physical_is_integer(slot->physical))
        return 0;
    if (bits < arb_physical_size(slot->physical) * 8 && slot->range.known)
        return slot->range.low;
    return bits == 128 ? ARB_INT128_MIN : -((arb_int128)1 << (bits - 1));
}

arb_code arb_sort_keys_init(arb_sort_keys *sort, arb_arena *arena, const arb_physical_sort_key *keys, size_t count,
                            const arb_layout *columns, const arb_row_layout *layout, arb_error *error)
{
    *sort = (arb_sort_keys){.exact = true};
    arb_sort_column *encoded = ARB_ARENA_ARRAY(arena, arb_sort_column, count + 1);
    arb_row_order_key *order = ARB_ARENA_ARRAY(arena, arb_row_order_key, count + 1);
    if (encoded == NULL || order == NULL)
        return arb_fail_memory(error, "a sort", count * sizeof *encoded);
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const arb_slot *slot = &columns->slots[keys[i].column];
        order[i] = (arb_row_order_key){keys[i].column, keys[i].descending, keys[i].nulls_first};
        if (!sort->exact)
            continue;
        uint32_t start = at + slot->nullable, bits = value_bits(slot, start);
        if (start + bits > bits_most) {
            sort->exact = false;
            continue;
        }
        encoded[sort->encoded++] = (arb_sort_column){.column = keys[i].column,
                                                     .physical = (uint8_t)slot->physical,
                                                     .descending = keys[i].descending,
                                                     .nulls_first = keys[i].nulls_first,
                                                     .null_bit = slot->nullable,
                                                     .at = (uint16_t)start,
                                                     .bits = (uint16_t)bits,
                                                     .low = least_value(slot, bits)};
        at = start + bits;
        sort->exact = slot->physical != ARB_PHYS_STRING;
        sort->has_tail = !sort->exact;
        sort->tail_from = (uint8_t)(bits / 8);
    }
    sort->columns = encoded;
    sort->words = ARB_MAX((at + 63) / 64, 1u);
    sort->order = (arb_row_order){layout, count, order};
    return ARB_OK;
}

/* ---- values as numbers ------------------------------------------------------------------------------------------------ */

ARB_INLINE void put_bits(uint64_t *words, uint32_t at, uint32_t bits, uint64_t value)
{
    if (bits == 0)
        return;
    uint32_t word = at / 64, free = 64 - at % 64;
    if (bits <= free) {
        words[word] |= value << (free - bits);
    } else {
        words[word] |= value >> (bits - free);
        words[word + 1] |= value << (64 - (bits - free));
    }
}

ARB_INLINE uint64_t low_bits(uint32_t bits)
{
    return bits >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << bits) - 1;
}

ARB_INLINE void put_number(const arb_sort_column *column, uint64_t *words, uint64_t value)
{
    uint64_t mask = low_bits(column->bits);
    put_bits(words, column->at, column->bits, (column->descending ? ~value : value) & mask);
}

ARB_INLINE void put_wide(const arb_sort_column *column, uint64_t *words, arb_uint128 value)
{
    if (column->bits <= 64) {
        put_number(column, words, (uint64_t)value);
        return;
    }
    if (column->descending)
        value = ~value;
    put_bits(words, column->at, column->bits - 64u, (uint64_t)(value >> 64) & low_bits(column->bits - 64u));
    put_bits(words, column->at + column->bits - 64u, 64, (uint64_t)value);
}

/* A float's bits so that unsigned order is total order: NaN last, -0 as 0. */
ARB_INLINE uint64_t order_double(double value)
{
    if (value != value)
        return UINT64_MAX;
    value = value == 0 ? 0 : value;
    uint64_t bits = arb_load_u64(&value);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

ARB_INLINE uint32_t order_float(float value)
{
    if (value != value)
        return UINT32_MAX;
    value = value == 0 ? 0 : value;
    uint32_t bits = arb_load_u32(&value);
    return bits >> 31 ? ~bits : bits | (uint32_t)1 << 31;
}

static void put_interval(const arb_sort_column *column, uint64_t *words, const arb_interval *value)
{
    arb_int128 span = arb_interval_span(*value);
    put_wide(column, words, (arb_uint128)span ^ (arb_uint128)1 << 127);
}

static void put_text(const arb_sort_column *column, uint64_t *words, const arb_string *value)
{
    char bytes[16] = {0};
    memcpy(bytes, arb_string_data(value), ARB_MIN(value->size, (uint32_t)column->bits / 8));
    arb_uint128 number =
        (arb_uint128)__builtin_bswap64(arb_load_u64(bytes)) << 64 | __builtin_bswap64(arb_load_u64(bytes + 8));
    put_wide(column, words, number >> (128 - column->bits));
}

/* One column of all rows. A value outside of the range that was claimed still stays within its bits. */
#define EACH_ROW(type, statement)                                                  \
    {                                                                              \
        const type *values = arb_vector_entries(vector)->values.data;              \
        for (size_t i = 0; i < count; i++, words += stride) {                      \
            if (vector->validity != NULL && !arb_vector_is_valid(vector, rows[i])) \
                continue;                                                          \
            const type *value = &values[arb_vector_slot(vector, rows[i])];         \
            statement;                                                             \
        }                                                                          \
        return;                                                                    \
    }

static void encode_column(const arb_sort_column *column, const arb_vector *vector, const uint16_t *rows, size_t count,
                          uint64_t *words, uint32_t stride)
{
    uint64_t low = (uint64_t)column->low;
    switch (column->physical) {
    case ARB_PHYS_INT8:
        EACH_ROW(int8_t, put_number(column, words, (uint64_t)(int64_t)*value - low))
    case ARB_PHYS_INT16:
        EACH_ROW(int16_t, put_number(column, words, (uint64_t)(int64_t)*value - low))
    case ARB_PHYS_INT32:
        EACH_ROW(int32_t, put_number(column, words, (uint64_t)(int64_t)*value - low))
    case ARB_PHYS_INT64:
        EACH_ROW(int64_t, put_number(column, words, (uint64_t)*value - low))
    case ARB_PHYS_INT128:
        EACH_ROW(arb_int128, put_wide(column, words, (arb_uint128)*value - (arb_uint128)column->low))
    case ARB_PHYS_FLOAT32:
        EACH_ROW(float, put_number(column, words, order_float(*value)))
    case ARB_PHYS_FLOAT64:
        EACH_ROW(double, put_number(column, words, order_double(*value)))
    case ARB_PHYS_INTERVAL:
        EACH_ROW(arb_interval, put_interval(column, words, value))
    case ARB_PHYS_STRING:
        EACH_ROW(arb_string, put_text(column, words, value))
    default:
        break;
    }
    for (size_t i = 0; i < count; i++, words += stride)
        if (arb_vector_is_valid(vector, rows[i]))
            put_number(column, words, arb_vector_get_bool(vector, rows[i]));
}

void arb_sort_keys_encode(const arb_sort_keys *sort, const arb_batch *batch, const uint16_t *rows, size_t count,
                          uint64_t *out_words)
{
    memset(out_words, 0, count * sort->words * sizeof *out_words);
    for (size_t k = 0; k < sort->encoded; k++) {
        const arb_sort_column *column = &sort->columns[k];
        const arb_vector *vector = &batch->columns[column->column];
        for (size_t i = 0; column->null_bit && i < count; i++)
            put_bits(out_words + i * sort->words, column->at - 1u, 1,
                     arb_vector_is_valid(vector, rows[i]) == column->nulls_first);
        encode_column(column, vector, rows, count, out_words, sort->words);
    }
}
