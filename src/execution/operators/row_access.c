/* row_access.c: from rows back to vectors, and comparing both. */
#include "execution/operators/row_store.h"

#define GATHER(name, type)                                                                     \
    static void gather_##name(char *const *rows, uint32_t offset, size_t count, void *to_void) \
    {                                                                                          \
        type *to = to_void;                                                                    \
        for (size_t i = 0; i < count; i++)                                                     \
            memcpy(&to[i], rows[i] + offset, sizeof *to);                                      \
    }
GATHER(1, uint8_t)
GATHER(2, uint16_t)
GATHER(4, uint32_t)
GATHER(8, uint64_t)
GATHER(16, arb_interval)

static void gather_bits(char *const *rows, uint32_t offset, size_t count, uint64_t *bits)
{
    for (size_t row = 0; row < count; row += 64) {
        uint64_t word = 0;
        size_t end = ARB_MIN(count - row, (size_t)64);
        for (size_t i = 0; i < end; i++)
            word |= (uint64_t)((uint8_t)rows[row + i][offset] & 1) << i;
        bits[row / 64] = word;
    }
}

static bool gather_validity(char *const *rows, uint32_t offset, unsigned bit, size_t count, uint64_t *bits)
{
    bool has_null = false;
    for (size_t row = 0; row < count; row += 64) {
        uint64_t word = 0;
        size_t end = ARB_MIN(count - row, (size_t)64);
        for (size_t i = 0; i < end; i++)
            word |= (uint64_t)(((uint8_t)rows[row + i][offset] >> bit) & 1) << i;
        bits[row / 64] = ~word;
        has_null |= word != 0;
    }
    return has_null;
}

void arb_row_gather(const arb_row_layout *layout, size_t column, char *const *rows, size_t count, bool may_be_null,
                    const arb_vector_storage *storage, arb_vector *out)
{
    arb_row_column at = layout->columns[column];
    assert(storage->physical == at.physical);
    *out = arb_vector_over(storage);
    if (may_be_null &&
        gather_validity(rows, layout->null_offset + (uint32_t)column / 8, column % 8, count, storage->validity))
        out->validity = storage->validity;
    if (at.physical == ARB_PHYS_BOOL) {
        gather_bits(rows, at.offset, count, storage->values);
        return;
    }
    switch (at.width) {
    case 1:
        gather_1(rows, at.offset, count, storage->values);
        break;
    case 2:
        gather_2(rows, at.offset, count, storage->values);
        break;
    case 4:
        gather_4(rows, at.offset, count, storage->values);
        break;
    case 8:
        gather_8(rows, at.offset, count, storage->values);
        break;
    default:
        gather_16(rows, at.offset, count, storage->values);
        break;
    }
}

#define SAME(a, b) ((a) == (b))
#define SAME_FLOAT(a, b) ((a) == (b) || ((a) != (a) && (b) != (b)))
#define SAME_STRING(a, b) arb_string_equal(&(a), &(b))
#define SAME_INTERVAL(a, b) (arb_interval_span(a) == arb_interval_span(b))

/* One loop a type. The lists are written in order, so `candidates` may be narrowed in place. */
#define MATCH(name, type, same)                                                                              \
    static size_t match_##name(const void *values, char *const *rows, uint32_t offset, uint16_t *candidates, \
                               size_t count, uint16_t *differ, size_t *differ_count)                         \
    {                                                                                                        \
        const type *left = values;                                                                           \
        size_t kept = 0, dropped = *differ_count;                                                            \
        for (size_t i = 0; i < count; i++) {                                                                 \
            uint16_t at = candidates[i];                                                                     \
            type right;                                                                                      \
            memcpy(&right, rows[at] + offset, sizeof right);                                                 \
            bool equal = same(left[at], right);                                                              \
            candidates[kept] = at;                                                                           \
            differ[dropped] = at;                                                                            \
            kept += equal;                                                                                   \
            dropped += !equal;                                                                               \
        }                                                                                                    \
        *differ_count = dropped;                                                                             \
        return kept;                                                                                         \
    }                                                                                                        \
    static bool equal_##name(const char *a, const char *b)                                                   \
    {                                                                                                        \
        type left, right;                                                                                    \
        memcpy(&left, a, sizeof left);                                                                       \
        memcpy(&right, b, sizeof right);                                                                     \
        return same(left, right);                                                                            \
    }
MATCH(INT8, int8_t, SAME)
MATCH(INT16, int16_t, SAME)
MATCH(INT32, int32_t, SAME)
MATCH(INT64, int64_t, SAME)
MATCH(INT128, arb_int128, SAME)
MATCH(FLOAT32, float, SAME_FLOAT)
MATCH(FLOAT64, double, SAME_FLOAT)
MATCH(STRING, arb_string, SAME_STRING)
MATCH(INTERVAL, arb_interval, SAME_INTERVAL)

typedef size_t (*match_fn)(const void *values, char *const *rows, uint32_t offset, uint16_t *candidates, size_t count,
                           uint16_t *differ, size_t *differ_count);

static const match_fn match_table[ARB_PHYS_COUNT] = {
    [ARB_PHYS_INT8] = match_INT8,       [ARB_PHYS_INT16] = match_INT16,   [ARB_PHYS_INT32] = match_INT32,
    [ARB_PHYS_INT64] = match_INT64,     [ARB_PHYS_INT128] = match_INT128, [ARB_PHYS_FLOAT32] = match_FLOAT32,
    [ARB_PHYS_FLOAT64] = match_FLOAT64, [ARB_PHYS_STRING] = match_STRING, [ARB_PHYS_INTERVAL] = match_INTERVAL,
};

static bool (*const equal_table[ARB_PHYS_COUNT])(const char *, const char *) = {
    [ARB_PHYS_BOOL] = equal_INT8,         [ARB_PHYS_INT8] = equal_INT8,       [ARB_PHYS_INT16] = equal_INT16,
    [ARB_PHYS_INT32] = equal_INT32,       [ARB_PHYS_INT64] = equal_INT64,     [ARB_PHYS_INT128] = equal_INT128,
    [ARB_PHYS_FLOAT32] = equal_FLOAT32,   [ARB_PHYS_FLOAT64] = equal_FLOAT64, [ARB_PHYS_STRING] = equal_STRING,
    [ARB_PHYS_INTERVAL] = equal_INTERVAL,
};

/* Settle the candidates where a side is NULL: both NULL is equal, one is not. What is left goes on to the values; equal
 * NULLs are kept in `nulls`. */
static size_t split_nulls(const arb_row_layout *layout, size_t column, const arb_vector *vector, char *const *rows,
                          uint16_t *candidates, size_t count, uint16_t *differ, size_t *differ_count, uint16_t *nulls,
                          size_t *out_nulls)
{
    size_t kept = 0, null_count = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t at = candidates[i];
        bool left = !arb_vector_is_valid(vector, at), right = arb_row_is_null(layout, rows[at], column);
        if (left != right)
            differ[(*differ_count)++] = at;
        else if (left)
            nulls[null_count++] = at;
        else
            candidates[kept++] = at;
    }
    *out_nulls = null_count;
    return kept;
}

static size_t match_bits(const uint64_t *bits, char *const *rows, uint32_t offset, uint16_t *candidates, size_t count,
                         uint16_t *differ, size_t *differ_count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t at = candidates[i];
        if (arb_bitmap_get(bits, at) == (rows[at][offset] != 0))
            candidates[kept++] = at;
        else
            differ[(*differ_count)++] = at;
    }
    return kept;
}

size_t arb_row_match(const arb_row_layout *layout, size_t column, const arb_vector *vector, bool may_be_null,
                     char *const *rows, uint16_t *candidates, size_t count, uint16_t *differ, size_t *differ_count)
{
    arb_row_column at = layout->columns[column];
    uint16_t scrap[ARB_VECTOR_ROWS + 1], nulls[ARB_VECTOR_ROWS];
    size_t scrap_count = 0, null_count = 0;
    assert(vector->encoding == ARB_FLAT && vector->physical == at.physical);
    if (differ == NULL) {
        differ = scrap;
        differ_count = &scrap_count;
    }
    if (may_be_null || vector->validity != NULL)
        count = split_nulls(layout, column, vector, rows, candidates, count, differ, differ_count, nulls, &null_count);
    if (at.physical == ARB_PHYS_BOOL)
        count = match_bits(vector->values.bits, rows, at.offset, candidates, count, differ, differ_count);
    else
        count = match_table[at.physical](vector->values.data, rows, at.offset, candidates, count, differ, differ_count);
    memcpy(candidates + count, nulls, null_count * sizeof *nulls);
    return count + null_count;
}

bool arb_row_equal(const arb_row_layout *layout, size_t columns, const char *a, const char *b)
{
    for (size_t c = 0; c < columns; c++) {
        bool left = arb_row_is_null(layout, a, c), right = arb_row_is_null(layout, b, c);
        if (left != right)
            return false;
        uint32_t offset = layout->columns[c].offset;
        if (!left && !equal_table[layout->columns[c].physical](a + offset, b + offset))
            return false;
    }
    return true;
}
