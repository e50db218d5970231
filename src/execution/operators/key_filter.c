#include "execution/operators/key_filter.h"

#include "base/hash.h"
#include "execution/operators/key_columns.h"
#include "kernels/select.h"

enum {
    bloom_bits_a_key = 12,
    bloom_most = 16 << 20,  /* bytes; larger ones fall out of the cache and cost more than they save */
    bits_most = 32 << 20,   /* bytes */
    trial_rows = 32 * 1024, /* after so many it is judged whether the filter pays */
};

void arb_key_summary_init(arb_key_summary *summary, arb_physical physical, uint64_t rows, const arb_key_range *range,
                          bool pass_null, arb_memory *memory)
{
    *summary = (arb_key_summary){.physical = (uint8_t)physical, .pass_null = pass_null, .range = *range};
    arb_reservation_init(&summary->reservation, memory, "join filter");
    if (rows == 0)
        return;
    uint64_t span = range->known ? (uint64_t)range->high - (uint64_t)range->low + 1 : 0;
    uint64_t bloom_bytes = arb_next_power_of_two(rows * bloom_bits_a_key / 8 + 64), bytes;
    bloom_bytes = ARB_MIN(bloom_bytes, (uint64_t)bloom_most);
    summary->span = span;
    if (span != 0 && span / 8 <= ARB_MIN(ARB_MAX(bloom_bytes * 4, (uint64_t)65536), (uint64_t)bits_most)) {
        summary->kind = ARB_SUMMARY_BITS;
        bytes = (span + 63) / 64 * 8;
    } else {
        summary->kind = ARB_SUMMARY_BLOOM;
        bytes = bloom_bytes;
        summary->blocks = bytes / sizeof(uint64_t);
    }
    if (rows * bloom_bits_a_key / 8 <= (uint64_t)bloom_most * 4 &&
        arb_reservation_try_grow(&summary->reservation, bytes))
        summary->words = arb_alloc_zeroed(bytes);
    if (summary->words == NULL)
        summary->kind = range->known ? ARB_SUMMARY_RANGE : ARB_SUMMARY_ALL;
}

void arb_key_summary_reset(arb_key_summary *summary)
{
    arb_free((void *)summary->words);
    arb_reservation_reset(&summary->reservation);
    *summary = (arb_key_summary){0};
}

ARB_INLINE uint64_t bloom_block(uint64_t hash, uint64_t blocks)
{
    return (hash >> 32) & (blocks - 1);
}

ARB_INLINE uint64_t bloom_mask(uint64_t hash)
{
    return (uint64_t)1 << (hash & 63) | (uint64_t)1 << ((hash >> 6) & 63) | (uint64_t)1 << ((hash >> 12) & 63) |
           (uint64_t)1 << ((hash >> 18) & 63);
}

ARB_INLINE void set_bits(_Atomic uint64_t *word, uint64_t bits)
{
    if ((atomic_load_explicit(word, memory_order_relaxed) & bits) != bits)
        atomic_fetch_or_explicit(word, bits, memory_order_relaxed);
}

static void add_integers(arb_key_summary *summary, const arb_row_layout *layout, arb_row_column column,
                         const arb_row_page *page)
{
    const char *key = arb_row_page_row(layout, page, 0) + column.offset;
    for (size_t i = 0; i < page->rows; i++, key += layout->size) {
        uint64_t at = (uint64_t)arb_key_load(column.width, key) - (uint64_t)summary->range.low;
        if (at < summary->span) /* what lies outside is the unused value of a NULL */
            set_bits(&summary->words[at / 64], (uint64_t)1 << (at % 64));
    }
}

arb_code arb_key_summary_add(arb_key_summary *summary, const arb_row_layout *layout, size_t column,
                             const arb_row_page *page, arb_error *error)
{
    if (summary->kind == ARB_SUMMARY_BITS)
        add_integers(summary, layout, layout->columns[column], page);
    if (summary->kind != ARB_SUMMARY_BLOOM)
        return ARB_OK;
    enum { step = 256 };
    arb_vector_storage storage;
    ARB_TRY(arb_vector_storage_init(&storage, (arb_physical)summary->physical, step, error));
    for (size_t from = 0; from < page->rows; from += step) {
        char *rows[step];
        uint64_t hashes[step];
        arb_vector keys;
        size_t count = ARB_MIN((size_t)step, page->rows - from);
        for (size_t i = 0; i < count; i++)
            rows[i] = arb_row_page_row(layout, page, from + i);
        arb_row_gather(layout, column, rows, count, false, &storage, &keys);
        arb_hash_flat(&keys, count, hashes);
        for (size_t i = 0; i < count; i++)
            set_bits(&summary->words[bloom_block(hashes[i], summary->blocks)], bloom_mask(hashes[i]));
    }
    arb_vector_storage_reset(&storage);
    return ARB_OK;
}

/* ---- the filter ------------------------------------------------------------------------------------------------------ */

typedef struct key_filter_local {
    uint64_t seen, passed;
    bool off;               /* passes nearly everything: looking costs more than it saves */
    uint64_t dictionary_id; /* whose entries `pass` is about */
    uint64_t *pass;         /* bitmap of entries */
    uint32_t capacity;
    arb_vector_storage storage; /* flattened constants: never needed for more than one value */
} key_filter_local;

static arb_code create_local(const arb_scan_filter *filter, void **out_local, arb_error *error)
{
    (void)filter;
    *out_local = arb_alloc_zeroed(sizeof(key_filter_local));
    return *out_local == NULL ? arb_fail_memory(error, "join filter", sizeof(key_filter_local)) : ARB_OK;
}

static void destroy_local(void *local_void)
{
    key_filter_local *local = local_void;
    if (local != NULL)
        arb_free(local->pass);
    arb_free(local);
}

/* bits[i] = may row i's value be a key; all rows of a FLAT vector. */
#define TEST(width, type)                                                                                         \
    static void test_range_##width(const arb_key_summary *s, const void *values, size_t rows, uint64_t *bits)     \
    {                                                                                                             \
        const type *keys = values;                                                                                \
        uint64_t low = (uint64_t)s->range.low, most = (uint64_t)s->range.high - low;                              \
        for (size_t row = 0; row < rows; row += 64) {                                                             \
            uint64_t word = 0;                                                                                    \
            size_t end = ARB_MIN(rows - row, (size_t)64);                                                         \
            for (size_t i = 0; i < end; i++)                                                                      \
                word |= (uint64_t)((uint64_t)(int64_t)keys[row + i] - low <= most) << i;                          \
            bits[row / 64] = word;                                                                                \
        }                                                                                                         \
    }                                                                                                             \
    static void test_bits_##width(const arb_key_summary *s, const void *values, size_t rows, uint64_t *bits,      \
                                  const uint64_t *selection)                                                      \
    {                                                                                                             \
        const type *keys = values;                                                                                \
        uint64_t low = (uint64_t)s->range.low, span = s->span;                                                    \
        for (size_t row = 0; row < rows; row += 64) {                                                             \
            uint64_t word = 0;                                                                                    \
            size_t end = selection[row / 64] == 0 ? 0 : ARB_MIN(rows - row, (size_t)64);                          \
            for (size_t i = 0; i < end; i++) {                                                                    \
                uint64_t at = (uint64_t)(int64_t)keys[row + i] - low;                                             \
                uint64_t inside = at < span, safe = inside ? at : 0;                                              \
                uint64_t found = atomic_load_explicit(&s->words[safe / 64], memory_order_relaxed) >> (safe % 64); \
                word |= (found & inside) << i;                                                                    \
            }                                                                                                     \
            bits[row / 64] = word;                                                                                \
        }                                                                                                         \
    }
TEST(1, int8_t)
TEST(2, int16_t)
TEST(4, int32_t)
TEST(8, int64_t)

#define WIDEN(type)                         \
    for (size_t row = 0; row < rows; row++) \
        to[row] = ((const type *)from)[row];

/* Integers up to 64 bits have the hashes of their values, whatever their width; those of 128 bits have others. */
static void widen(const void *from, arb_physical narrow, size_t rows, arb_int128 *to)
{
    if (narrow == ARB_PHYS_INT8)
        WIDEN(int8_t)
    else if (narrow == ARB_PHYS_INT16)
        WIDEN(int16_t)
    else if (narrow == ARB_PHYS_INT32)
        WIDEN(int32_t)
    else
        WIDEN(int64_t)
}

static void test_bloom(const arb_key_summary *s, const arb_vector *vector, size_t rows, uint64_t *bits)
{
    for (size_t from = 0; from < rows; from += ARB_VECTOR_ROWS) {
        uint64_t hashes[ARB_VECTOR_ROWS];
        arb_int128 wide[ARB_VECTOR_ROWS];
        size_t count = ARB_MIN(rows - from, (size_t)ARB_VECTOR_ROWS);
        arb_vector part = *vector;
        if (vector->physical == ARB_PHYS_BOOL)
            part.values.bits += from / 64;
        else
            part.values.data = (char *)part.values.data + from * arb_physical_size((arb_physical)vector->physical);
        if (s->physical == ARB_PHYS_INT128 && vector->physical != ARB_PHYS_INT128) {
            widen(part.values.data, (arb_physical)vector->physical, count, wide);
            part.values.data = wide;
            part.physical = ARB_PHYS_INT128;
        }
        arb_hash_flat(&part, count, hashes);
        for (size_t row = 0; row < count; row += 64) {
            uint64_t word = 0;
            size_t end = ARB_MIN(count - row, (size_t)64);
            for (size_t i = 0; i < end; i++) {
                uint64_t hash = hashes[row + i], mask = bloom_mask(hash);
                uint64_t block = atomic_load_explicit(&s->words[bloom_block(hash, s->blocks)], memory_order_relaxed);
                word |= (uint64_t)((block & mask) == mask) << i;
            }
            bits[(from + row) / 64] = word;
        }
    }
}

/* All rows of a FLAT vector, whatever its size. Words of `selection` that are 0 need not be looked at. */
static void test_flat(const arb_key_summary *s, const arb_vector *vector, size_t rows, uint64_t *bits,
                      const uint64_t *selection)
{
    if (s->kind == ARB_SUMMARY_BLOOM) {
        test_bloom(s, vector, rows, bits);
        return;
    }
    bool exact = s->kind == ARB_SUMMARY_BITS;
    const void *values = vector->values.data;
    switch (arb_physical_size((arb_physical)vector->physical)) {
    case 1:
        exact ? test_bits_1(s, values, rows, bits, selection) : test_range_1(s, values, rows, bits);
        break;
    case 2:
        exact ? test_bits_2(s, values, rows, bits, selection) : test_range_2(s, values, rows, bits);
        break;
    case 4:
        exact ? test_bits_4(s, values, rows, bits, selection) : test_range_4(s, values, rows, bits);
        break;
    default:
        exact ? test_bits_8(s, values, rows, bits, selection) : test_range_8(s, values, rows, bits);
        break;
    }
}

static arb_code test_dictionary(const arb_key_summary *s, key_filter_local *local, const arb_vector *vector,
                                uint32_t rows, uint64_t *bits, arb_error *error)
{
    size_t words = arb_bitmap_words(vector->dictionary_size);
    if (local->dictionary_id != vector->dictionary_id) {
        if (local->capacity < words) {
            arb_free(local->pass);
            local->capacity = 0;
            local->pass = arb_alloc(words * 2 * sizeof *local->pass);
            if (local->pass == NULL)
                return arb_fail_memory(error, "join filter", words * 2 * sizeof *local->pass);
            local->capacity = (uint32_t)words;
        }
        uint64_t *all = local->pass + words;
        memset(all, 0xFF, words * 8);
        test_flat(s, vector->dictionary, vector->dictionary_size, local->pass, all);
        local->dictionary_id = vector->dictionary_id;
    }
    arb_selection_kernels_get()->gather32_bits(local->pass, vector->values.codes, rows, bits);
    return ARB_OK;
}

static arb_code apply(const arb_scan_filter *filter, void *local_void, const arb_vector *const *inputs, uint32_t rows,
                      uint64_t *selection, arb_error *error)
{
    const arb_key_summary *s = ((const arb_key_filter *)filter)->summary;
    key_filter_local *local = local_void;
    const arb_vector *vector = inputs[0];
    size_t words = arb_bitmap_words(rows);
    if (s->kind == ARB_SUMMARY_ALL || (local != NULL && local->off))
        return ARB_OK;
    /* A scan may have narrower integers than the join, whose sides are brought to one width above it. */
    assert(rows <= ARB_VECTOR_ROWS && vector->physical <= s->physical &&
           (vector->physical == s->physical || (vector->physical >= ARB_PHYS_INT8 && s->physical <= ARB_PHYS_INT128)));
    uint64_t bits[ARB_VECTOR_WORDS] = {0}, before = arb_bitmap_count(selection, rows);
    if (s->kind == ARB_SUMMARY_NOTHING) {
        memset(selection, 0, words * 8);
        return ARB_OK;
    }
    if (vector->encoding == ARB_CONSTANT) {
        test_flat(s, vector, 1, bits, selection);
        memset(bits, (bits[0] & 1) != 0 ? 0xFF : 0, words * 8);
    } else if (vector->encoding == ARB_DICTIONARY) {
        ARB_TRY(test_dictionary(s, local, vector, rows, bits, error));
    } else {
        test_flat(s, vector, rows, bits, selection);
    }
    for (size_t word = 0; word < words; word++) {
        uint64_t valid = ~(uint64_t)0;
        if (vector->validity != NULL && vector->encoding == ARB_CONSTANT)
            valid = (vector->validity[0] & 1) != 0 ? valid : 0;
        else if (vector->validity != NULL)
            valid = vector->validity[word];
        selection[word] &= (bits[word] & valid) | (s->pass_null ? ~valid : 0);
    }
    local->seen += before;
    local->passed += arb_bitmap_count(selection, rows);
    if (local->seen >= trial_rows) {
        local->off = local->passed * 10 > local->seen * 9;
        local->seen = local->passed = 0;
    }
    return ARB_OK;
}

static arb_filter_verdict judge(const arb_scan_filter *filter, const arb_value_range *ranges)
{
    const arb_key_summary *s = ((const arb_key_filter *)filter)->summary;
    bool nulls = s->pass_null && ranges[0].may_have_nulls;
    if (s->kind == ARB_SUMMARY_NOTHING)
        return ARB_FILTER_NONE_PASS;
    if (ranges[0].all_null)
        return nulls || s->kind == ARB_SUMMARY_ALL ? ARB_FILTER_SOME_PASS : ARB_FILTER_NONE_PASS;
    if (ranges[0].known && s->range.known && !nulls && (ranges[0].high < s->range.low || ranges[0].low > s->range.high))
        return ARB_FILTER_NONE_PASS;
    return ARB_FILTER_SOME_PASS;
}

static const arb_scan_filter_vtable key_filter_vtable = {
    .name = "join keys",
    .local_create = create_local,
    .local_destroy = destroy_local,
    .apply = apply,
    .judge = judge,
};

void arb_key_filter_init(arb_key_filter *filter, const arb_key_summary *summary, uint32_t key, uint32_t column)
{
    *filter = (arb_key_filter){.column = column, .summary = summary, .key = key};
    filter->base.vtable = &key_filter_vtable;
    filter->base.column_count = 1;
    filter->base.columns = &filter->column;
    filter->base.per_entry = true;
    filter->base.cost = 2;
}
