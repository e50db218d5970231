#include "execution/operators/sort_key.h"

enum { key_bytes_most = ARB_SORT_WORDS_MOST * 8 };

static bool is_text(arb_physical physical)
{
    return physical == ARB_PHYS_STRING;
}

/* Bytes of one column in a key, the NULL byte included. */
static uint32_t key_bytes(arb_physical physical)
{
    return 1 + (physical == ARB_PHYS_BOOL       ? 1
                : is_text(physical)             ? ARB_STRING_INLINE
                : physical == ARB_PHYS_INTERVAL ? 16
                                                : (uint32_t)arb_physical_size(physical));
}

arb_code arb_sort_keys_init(arb_sort_keys *sort, const arb_physical_sort_key *keys, size_t count,
                            const arb_layout *columns, const arb_row_layout *layout, arb_error *error)
{
    *sort = (arb_sort_keys){.count = count, .keys = keys, .layout = layout, .exact = true};
    uint32_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        arb_physical physical = columns->slots[keys[i].column].physical;
        if (physical == ARB_PHYS_LIST || physical == ARB_PHYS_STRUCT)
            return arb_fail(error, ARB_NOT_SUPPORTED, "ordering by nested values is not supported");
        bytes += key_bytes(physical);
        /* behind text or the words' end, columns are left to the comparison by values */
        sort->exact = sort->exact && !is_text(physical) && bytes <= key_bytes_most;
    }
    sort->words = ARB_MAX((ARB_MIN(bytes, (uint32_t)key_bytes_most) + 7) / 8, 1u);
    return ARB_OK;
}

static void put_big_endian(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

/* A double's bits, so that unsigned order is total order: NaN last, -0 as 0. */
static uint64_t order_double(double value)
{
    if (value != value)
        return UINT64_MAX;
    if (value == 0)
        value = 0;
    uint64_t bits = arb_load_u64(&value);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static arb_int128 interval_span(const arb_interval *interval)
{
    return ((arb_int128)interval->months * 30 + interval->days) * 86400000000 + interval->micros;
}

static void put_int128(uint8_t *to, arb_int128 value)
{
    arb_uint128 order = (arb_uint128)value ^ ((arb_uint128)1 << 127);
    put_big_endian(to, (uint64_t)(order >> 64), 8);
    put_big_endian(to + 8, (uint64_t)order, 8);
}

static void put_value(uint8_t *to, const arb_vector *entries, size_t slot)
{
    switch (entries->physical) {
    case ARB_PHYS_BOOL:
        to[0] = arb_bitmap_get(entries->values.bits, slot);
        return;
    case ARB_PHYS_INT8:
        to[0] = (uint8_t)entries->values.i8[slot] ^ 0x80;
        return;
    case ARB_PHYS_INT16:
        put_big_endian(to, (uint16_t)entries->values.i16[slot] ^ 0x8000u, 2);
        return;
    case ARB_PHYS_INT32:
        put_big_endian(to, (uint32_t)entries->values.i32[slot] ^ 0x80000000u, 4);
        return;
    case ARB_PHYS_INT64:
        put_big_endian(to, (uint64_t)entries->values.i64[slot] ^ (uint64_t)1 << 63, 8);
        return;
    case ARB_PHYS_INT128:
        put_int128(to, entries->values.i128[slot]);
        return;
    case ARB_PHYS_FLOAT32: /* the upper half of the same value as a double would lose bits: widen, keep 4 bytes of float */
    {
        float value = entries->values.f32[slot];
        uint32_t bits = arb_load_u32(&value);
        if (value != value)
            bits = UINT32_MAX;
        else if (value == 0)
            bits = 0x80000000u;
        else
            bits = bits >> 31 ? ~bits : bits | 0x80000000u;
        put_big_endian(to, bits, 4);
        return;
    }
    case ARB_PHYS_FLOAT64:
        put_big_endian(to, order_double(entries->values.f64[slot]), 8);
        return;
    case ARB_PHYS_INTERVAL:
        put_int128(to, interval_span(&entries->values.interval[slot]));
        return;
    default: {
        arb_str text = arb_string_view(&entries->values.string[slot]);
        size_t shared = ARB_MIN(text.size, (size_t)ARB_STRING_INLINE);
        memcpy(to, text.data, shared);
        memset(to + shared, 0, ARB_STRING_INLINE - shared);
    }
    }
}

static void encode_row(const arb_sort_keys *sort, const arb_batch *batch, size_t row, uint64_t *words)
{
    uint8_t bytes[key_bytes_most + 32] = {0};
    uint32_t at = 0;
    for (size_t i = 0; i < sort->count && at < key_bytes_most; i++) {
        const arb_vector *column = &batch->columns[sort->keys[i].column];
        uint32_t size = key_bytes((arb_physical)column->physical);
        bool valid = arb_vector_is_valid(column, row);
        bytes[at] = valid ? 1 : sort->keys[i].nulls_first ? 0 : 2;
        if (valid) {
            put_value(bytes + at + 1, arb_vector_entries(column), arb_vector_slot(column, row));
            if (sort->keys[i].descending)
                for (uint32_t b = at + 1; b < at + size; b++)
                    bytes[b] = (uint8_t)~bytes[b];
        }
        at += size;
        if (is_text((arb_physical)column->physical))
            break; /* what follows counts only once the texts are known to be equal */
    }
    for (uint32_t word = 0; word < sort->words; word++)
        words[word] = __builtin_bswap64(arb_load_u64(bytes + word * 8));
}

void arb_sort_keys_encode(const arb_sort_keys *sort, const arb_batch *batch, const uint16_t *rows, size_t count,
                          uint64_t *out_words)
{
    for (size_t i = 0; i < count; i++)
        encode_row(sort, batch, rows[i], out_words + i * sort->words);
}

static int compare_values(arb_physical physical, const char *a, const char *b)
{
#define ORDER(x, y) (((x) > (y)) - ((x) < (y)))
    switch (physical) {
    case ARB_PHYS_BOOL:
        return ORDER(*(const uint8_t *)a, *(const uint8_t *)b);
    case ARB_PHYS_INT8:
        return ORDER(*(const int8_t *)a, *(const int8_t *)b);
    case ARB_PHYS_INT16:
        return ORDER(arb_load_i16(a), arb_load_i16(b));
    case ARB_PHYS_INT32:
        return ORDER(arb_load_i32(a), arb_load_i32(b));
    case ARB_PHYS_INT64:
        return ORDER(arb_load_i64(a), arb_load_i64(b));
    case ARB_PHYS_INT128:
        return ORDER(arb_load_i128(a), arb_load_i128(b));
    case ARB_PHYS_FLOAT32: {
        uint64_t x = order_double((double)arb_load_f32(a)), y = order_double((double)arb_load_f32(b));
        return ORDER(x, y);
    }
    case ARB_PHYS_FLOAT64: {
        uint64_t x = order_double(arb_load_f64(a)), y = order_double(arb_load_f64(b));
        return ORDER(x, y);
    }
    case ARB_PHYS_INTERVAL: {
        arb_interval x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return ORDER(interval_span(&x), interval_span(&y));
    }
    default: {
        arb_string x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return arb_string_compare(&x, &y);
    }
    }
#undef ORDER
}

int arb_sort_keys_compare_rows(const arb_sort_keys *sort, const char *a, const char *b)
{
    for (size_t i = 0; i < sort->count; i++) {
        const arb_physical_sort_key *key = &sort->keys[i];
        const arb_row_column *column = &sort->layout->columns[key->column];
        bool a_null = arb_row_is_null(sort->layout, a, key->column),
             b_null = arb_row_is_null(sort->layout, b, key->column);
        if (a_null || b_null) {
            if (a_null != b_null)
                return a_null == key->nulls_first ? -1 : 1;
            continue;
        }
        int order = compare_values((arb_physical)column->physical, a + column->offset, b + column->offset);
        if (order != 0)
            return key->descending ? -order : order;
    }
    return 0;
}
