#include "formats/parquet/parquet_write_dictionary.h"

#include "base/hash.h"

enum {
    TABLE_LEAST = 1024,
    /* After so many values it is looked at whether they repeat at all: where four of five are new, the rest will hardly
     * be better, and a table that outgrows the cache is dear. */
    LOOK_AFTER = 8192,
};

void arb_parquet_write_dictionary_reset(arb_parquet_write_dictionary *dictionary)
{
    arb_text_reset(&dictionary->codes);
    arb_text_reset(&dictionary->firsts);
    arb_text_reset(&dictionary->table);
}

/* What differs between the kinds; `kept` is a constant wherever these are inlined. Floats are compared by their bits:
 * each NaN and both zeros stay what they are. */
ARB_INLINE uint64_t hash_at(const void *data, size_t i, arb_parquet_kept kept)
{
    switch (kept) {
    case ARB_PARQUET_KEPT_I32:
    case ARB_PARQUET_KEPT_F32:
        return arb_hash_u64(((const uint32_t *)data)[i]);
    case ARB_PARQUET_KEPT_I64:
    case ARB_PARQUET_KEPT_F64:
        return arb_hash_u64(((const uint64_t *)data)[i]);
    case ARB_PARQUET_KEPT_I128: {
        arb_int128 value = ((const arb_int128 *)data)[i];
        return arb_hash_combine((uint64_t)value, (uint64_t)(value >> 64));
    }
    default: {
        const arb_string *value = (const arb_string *)data + i;
        if (value->size <= ARB_STRING_INLINE)
            return arb_hash_combine(arb_load_u64(value), arb_load_u64((const char *)value + 8));
        return arb_hash_bytes(value->far.data, value->size);
    }
    }
}

ARB_INLINE bool equal_at(const void *data, size_t i, size_t j, arb_parquet_kept kept)
{
    switch (kept) {
    case ARB_PARQUET_KEPT_I32:
    case ARB_PARQUET_KEPT_F32:
        return ((const uint32_t *)data)[i] == ((const uint32_t *)data)[j];
    case ARB_PARQUET_KEPT_I64:
    case ARB_PARQUET_KEPT_F64:
        return ((const uint64_t *)data)[i] == ((const uint64_t *)data)[j];
    case ARB_PARQUET_KEPT_I128:
        return ((const arb_int128 *)data)[i] == ((const arb_int128 *)data)[j];
    default:
        return arb_string_equal((const arb_string *)data + i, (const arb_string *)data + j);
    }
}

ARB_INLINE size_t bytes_at(const void *data, size_t i, arb_parquet_kept kept)
{
    switch (kept) {
    case ARB_PARQUET_KEPT_I32:
    case ARB_PARQUET_KEPT_F32:
        return 4;
    case ARB_PARQUET_KEPT_I64:
    case ARB_PARQUET_KEPT_F64:
        return 8;
    case ARB_PARQUET_KEPT_I128:
        return 16;
    default:
        return 4 + (size_t)((const arb_string *)data)[i].size;
    }
}

/* A table of codes + 1, 0 for a free place, at most half full. */
static uint32_t *make_table(arb_parquet_write_dictionary *d, size_t size)
{
    arb_text_clear(&d->table);
    char *table = arb_text_room(&d->table, size * sizeof(uint32_t));
    if (table != NULL)
        memset(table, 0, size * sizeof(uint32_t));
    return (uint32_t *)(void *)table;
}

ARB_INLINE uint32_t *enlarge(arb_parquet_write_dictionary *d, const void *data, size_t *size, arb_parquet_kept kept)
{
    *size *= 4;
    uint32_t *table = make_table(d, *size);
    const uint32_t *firsts = arb_parquet_write_firsts(d);
    for (uint32_t code = 0; code < d->count && table != NULL; code++) {
        size_t place = hash_at(data, firsts[code], kept) & (*size - 1);
        while (table[place] != 0)
            place = (place + 1) & (*size - 1);
        table[place] = code + 1;
    }
    return table;
}

/* A value that was not there before: the next code. */
ARB_INLINE void add_entry(arb_parquet_write_dictionary *d, const void *data, size_t i, arb_parquet_kept kept)
{
    ((uint32_t *)(void *)d->firsts.data)[d->count++] = (uint32_t)i;
    d->bytes += bytes_at(data, i, kept);
}

ARB_INLINE arb_code build(arb_parquet_write_dictionary *d, const arb_parquet_write_column *column,
                          arb_parquet_kept kept, uint32_t entries_most, uint64_t bytes_most, bool *out_pays,
                          arb_error *error)
{
    const void *data = column->data.data;
    uint32_t *codes = arb_parquet_write_codes(d);
    size_t size = TABLE_LEAST;
    uint32_t *table = make_table(d, size);
    for (size_t i = 0; i < column->values && table != NULL; i++) {
        size_t place = hash_at(data, i, kept) & (size - 1);
        const uint32_t *firsts = arb_parquet_write_firsts(d);
        while (table[place] != 0 && !equal_at(data, firsts[table[place] - 1], i, kept))
            place = (place + 1) & (size - 1);
        if (table[place] != 0) {
            codes[i] = table[place] - 1;
            continue;
        }
        if (d->count == entries_most || d->bytes > bytes_most)
            return ARB_OK;
        if (i >= LOOK_AFTER && i < LOOK_AFTER * 2 && d->count > i / 5 * 4)
            return ARB_OK;
        codes[i] = d->count;
        add_entry(d, data, i, kept);
        table[place] = d->count;
        if (d->count * 2 > size)
            table = enlarge(d, data, &size, kept);
    }
    if (table == NULL)
        return arb_fail_memory(error, "a Parquet dictionary", size * sizeof *table);
    *out_pays = true;
    return ARB_OK;
}

/* Whole numbers from a small range need no hashing: the table is indexed by them. */
static bool find_range(const arb_parquet_write_column *column, int64_t *out_low, uint64_t *out_size)
{
    const void *data = column->data.data;
    int64_t low = INT64_MAX, high = INT64_MIN;
    if (column->kept == ARB_PARQUET_KEPT_I32) {
        for (size_t i = 0; i < column->values; i++) {
            low = ARB_MIN(low, ((const int32_t *)data)[i]);
            high = ARB_MAX(high, ((const int32_t *)data)[i]);
        }
    } else if (column->kept == ARB_PARQUET_KEPT_I64) {
        for (size_t i = 0; i < column->values; i++) {
            low = ARB_MIN(low, ((const int64_t *)data)[i]);
            high = ARB_MAX(high, ((const int64_t *)data)[i]);
        }
    } else {
        return false;
    }
    uint64_t span = (uint64_t)high - (uint64_t)low;
    *out_low = low;
    *out_size = span + 1;
    return span < column->values * 4;
}

ARB_INLINE void build_direct(arb_parquet_write_dictionary *d, const arb_parquet_write_column *column,
                             arb_parquet_kept kept, int64_t low, uint32_t *table, uint32_t entries_most, bool *out_pays)
{
    const void *data = column->data.data;
    uint32_t *codes = arb_parquet_write_codes(d);
    for (size_t i = 0; i < column->values; i++) {
        int64_t value = kept == ARB_PARQUET_KEPT_I32 ? ((const int32_t *)data)[i] : ((const int64_t *)data)[i];
        uint64_t place = (uint64_t)value - (uint64_t)low;
        if (table[place] == 0) {
            if (d->count == entries_most)
                return;
            add_entry(d, data, i, kept);
            table[place] = d->count;
        }
        codes[i] = table[place] - 1;
    }
    *out_pays = true;
}

arb_code arb_parquet_write_dictionary_build(arb_parquet_write_dictionary *d, const arb_parquet_write_column *column,
                                            uint64_t bytes_most, bool *out_pays, arb_error *error)
{
    *out_pays = false;
    d->count = 0;
    d->bytes = 0;
    if (column->kept == ARB_PARQUET_KEPT_BOOL || column->values < 2 || column->values > UINT32_MAX / 2)
        return ARB_OK;
    /* Each entry should be used twice at least. */
    uint32_t entries_most = (uint32_t)(column->values / 2);
    arb_text_clear(&d->codes);
    arb_text_clear(&d->firsts);
    if (arb_text_room(&d->codes, column->values * sizeof(uint32_t)) == NULL ||
        arb_text_room(&d->firsts, entries_most * sizeof(uint32_t)) == NULL)
        return arb_fail_memory(error, "a Parquet dictionary", column->values * sizeof(uint32_t));
    int64_t low;
    uint64_t size;
    if (find_range(column, &low, &size)) {
        uint32_t *table = make_table(d, size);
        if (table == NULL)
            return arb_fail_memory(error, "a Parquet dictionary", size * sizeof *table);
        entries_most = (uint32_t)ARB_MIN(entries_most, bytes_most / arb_parquet_kept_size(column->kept));
        if (column->kept == ARB_PARQUET_KEPT_I32)
            build_direct(d, column, ARB_PARQUET_KEPT_I32, low, table, entries_most, out_pays);
        else
            build_direct(d, column, ARB_PARQUET_KEPT_I64, low, table, entries_most, out_pays);
        return ARB_OK;
    }
    switch (arb_parquet_kept_size(column->kept) | (column->kept == ARB_PARQUET_KEPT_TEXT ? 32 : 0)) {
    case 4:
        return build(d, column, ARB_PARQUET_KEPT_I32, entries_most, bytes_most, out_pays, error);
    case 8:
        return build(d, column, ARB_PARQUET_KEPT_I64, entries_most, bytes_most, out_pays, error);
    case 16:
        return build(d, column, ARB_PARQUET_KEPT_I128, entries_most, bytes_most, out_pays, error);
    default:
        return build(d, column, ARB_PARQUET_KEPT_TEXT, entries_most, bytes_most, out_pays, error);
    }
}
