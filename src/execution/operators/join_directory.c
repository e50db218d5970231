#include "execution/operators/join_directory.h"

enum { insert_group = 64 };

/* Slots of DENSE are 8 bytes, bits of BITS an eighth of one: so the latter may be sparser. */
static bool dense_enough(uint64_t span, uint64_t rows, bool bits)
{
    return span != 0 && span <= rows * (bits ? 256 : 8) + 1024;
}

static uint64_t span_of(const arb_key_range *range)
{
    return range->known ? (uint64_t)range->high - (uint64_t)range->low + 1 : 0;
}

bool arb_join_directory_is_bits(uint64_t rows, size_t key_count, const arb_key_range *range, bool exists_only)
{
    return key_count == 1 && exists_only && rows != 0 && dense_enough(span_of(range), rows, true);
}

arb_code arb_join_directory_init(arb_join_directory *directory, uint64_t rows, size_t key_count,
                                 const arb_key_range *range, bool exists_only, arb_memory *memory,
                                 arb_memory_share *share, arb_error *error)
{
    *directory = (arb_join_directory){0};
    arb_reservation_init(&directory->reservation, memory, "hash join");
    directory->reservation.share = share;
    if (rows == 0)
        return ARB_OK;
    uint64_t span = span_of(range), bytes;
    directory->low = range->low;
    directory->span = span;
    arb_join_mode mode = ARB_JOIN_HASHED;
    if (key_count == 0)
        mode = ARB_JOIN_CHAIN;
    else if (arb_join_directory_is_bits(rows, key_count, range, exists_only))
        mode = ARB_JOIN_BITS;
    else if (key_count == 1 && dense_enough(span, rows, false) &&
             (share == NULL || !arb_memory_share_pressed(share, span * sizeof(uint64_t))))
        mode = ARB_JOIN_DENSE;
    if (mode == ARB_JOIN_HASHED) {
        uint64_t slots = arb_next_power_of_two(ARB_MAX(rows + rows / 4, (uint64_t)16));
        directory->shift = 64 - (arb_bit_width(slots) - 1);
        bytes = slots * sizeof(uint64_t);
    } else if (mode == ARB_JOIN_BITS) {
        bytes = (span + 63) / 64 * 8;
    } else {
        bytes = mode == ARB_JOIN_CHAIN ? sizeof(uint64_t) : span * sizeof(uint64_t);
    }
    ARB_TRY(arb_reservation_grow(&directory->reservation, bytes, error));
    directory->slots = arb_alloc_zeroed(bytes);
    if (directory->slots == NULL)
        return arb_fail_memory(error, "hash join", bytes);
    directory->mode = (uint8_t)mode;
    return ARB_OK;
}

void arb_join_directory_reset(arb_join_directory *directory)
{
    arb_free((void *)directory->slots);
    arb_reservation_reset(&directory->reservation);
    *directory = (arb_join_directory){0};
}

static void push_row(arb_join_directory *directory, _Atomic uint64_t *slot, char *row, uint64_t tag, uint64_t hash)
{
    uint64_t old = atomic_load_explicit(slot, memory_order_relaxed), new;
    do {
        arb_store_u64(row, (old & ARB_ROW_POINTER_MASK) | arb_row_hash_bits(hash));
        new = (uint64_t)(uintptr_t)row | (old & ~ARB_ROW_POINTER_MASK) | tag;
    } while (!atomic_compare_exchange_weak_explicit(slot, &old, new, memory_order_release, memory_order_relaxed));
    if (old != 0 && !atomic_load_explicit(&directory->repeats, memory_order_relaxed))
        atomic_store_explicit(&directory->repeats, true, memory_order_relaxed);
}

static void insert_hashed(arb_join_directory *directory, const arb_row_layout *layout, const arb_row_page *page)
{
    for (size_t from = 0; from < page->rows; from += insert_group) {
        size_t end = ARB_MIN(from + insert_group, (size_t)page->rows);
        for (size_t i = from; i < end; i++)
            __builtin_prefetch(
                (const void *)&directory->slots[arb_load_u64(arb_row_page_row(layout, page, i)) >> directory->shift],
                1);
        for (size_t i = from; i < end; i++) {
            char *row = arb_row_page_row(layout, page, i);
            uint64_t hash = arb_load_u64(row);
            push_row(directory, &directory->slots[hash >> directory->shift], row, arb_join_tag(hash), hash);
        }
    }
}

void arb_join_directory_insert(arb_join_directory *directory, const arb_row_layout *layout, const arb_row_page *page)
{
    if (directory->mode == ARB_JOIN_HASHED) {
        insert_hashed(directory, layout, page);
        return;
    }
    if (directory->mode == ARB_JOIN_CHAIN) {
        for (size_t i = 0; i < page->rows; i++)
            push_row(directory, directory->slots, arb_row_page_row(layout, page, i), 0, 0);
        return;
    }
    unsigned width = layout->columns[0].width;
    uint32_t offset = layout->columns[0].offset;
    for (size_t i = 0; i < page->rows; i++) {
        char *row = arb_row_page_row(layout, page, i);
        uint64_t at = (uint64_t)arb_key_load(width, row + offset) - (uint64_t)directory->low;
        assert(at < directory->span);
        if (directory->mode == ARB_JOIN_DENSE)
            push_row(directory, &directory->slots[at], row, 0, 0);
        else
            atomic_fetch_or_explicit(&directory->bits[at / 64], (uint64_t)1 << (at % 64), memory_order_relaxed);
    }
}

/* Two passes, so that the misses of many rows overlap. */
static size_t find_hashed(const arb_join_directory *directory, const uint64_t *hashes, uint16_t *rows, size_t count,
                          char **out_rows)
{
    size_t kept = 0;
    enum { ahead = 16 };
    for (size_t i = 0; i < count; i++) {
        if (i + ahead < count)
            ARB_PREFETCH((const void *)&directory->slots[hashes[rows[i + ahead]] >> directory->shift]);
        uint16_t row = rows[i];
        uint64_t hash = hashes[row], tag = arb_join_tag(hash);
        uint64_t slot = atomic_load_explicit(&directory->slots[hash >> directory->shift], memory_order_relaxed);
        char *found = (char *)(uintptr_t)(slot & ARB_ROW_POINTER_MASK);
        out_rows[row] = found;
        rows[kept] = row;
        kept += (slot & tag) == tag;
        ARB_PREFETCH(found);
    }
    return kept;
}

#define FIND(width, type)                                                                                          \
    static size_t find_dense_##width(const arb_join_directory *directory, const void *values, uint16_t *rows,      \
                                     size_t count, char **out_rows)                                                \
    {                                                                                                              \
        const type *keys = values;                                                                                 \
        uint64_t low = (uint64_t)directory->low, span = directory->span;                                           \
        size_t kept = 0;                                                                                           \
        for (size_t i = 0; i < count; i++) {                                                                       \
            uint16_t row = rows[i];                                                                                \
            uint64_t at = (uint64_t)(int64_t)keys[row] - low;                                                      \
            uint64_t slot = at < span ? atomic_load_explicit(&directory->slots[at], memory_order_relaxed) : 0;     \
            out_rows[row] = (char *)(uintptr_t)slot;                                                               \
            rows[kept] = row;                                                                                      \
            kept += slot != 0;                                                                                     \
        }                                                                                                          \
        return kept;                                                                                               \
    }                                                                                                              \
    static size_t find_bits_##width(const arb_join_directory *directory, const void *values, uint16_t *rows,       \
                                    size_t count)                                                                  \
    {                                                                                                              \
        const type *keys = values;                                                                                 \
        uint64_t low = (uint64_t)directory->low, span = directory->span;                                           \
        size_t kept = 0;                                                                                           \
        for (size_t i = 0; i < count; i++) {                                                                       \
            uint16_t row = rows[i];                                                                                \
            uint64_t at = (uint64_t)(int64_t)keys[row] - low;                                                      \
            uint64_t word = at < span ? atomic_load_explicit(&directory->bits[at / 64], memory_order_relaxed) : 0; \
            rows[kept] = row;                                                                                      \
            kept += (word >> (at % 64)) & 1;                                                                       \
        }                                                                                                          \
        return kept;                                                                                               \
    }
FIND(1, int8_t)
FIND(2, int16_t)
FIND(4, int32_t)
FIND(8, int64_t)

size_t arb_join_directory_find(const arb_join_directory *directory, const arb_vector *key, const uint64_t *hashes,
                               uint16_t *rows, size_t count, char **out_rows)
{
    switch (directory->mode) {
    case ARB_JOIN_EMPTY:
        return 0;
    case ARB_JOIN_HASHED:
        return find_hashed(directory, hashes, rows, count, out_rows);
    case ARB_JOIN_CHAIN:
        for (size_t i = 0; i < count; i++)
            out_rows[rows[i]] = (char *)(uintptr_t)atomic_load_explicit(directory->slots, memory_order_relaxed);
        return count;
    default:
        break;
    }
    switch (arb_physical_size((arb_physical)key->physical)) {
    case 1:
        return find_dense_1(directory, key->values.data, rows, count, out_rows);
    case 2:
        return find_dense_2(directory, key->values.data, rows, count, out_rows);
    case 4:
        return find_dense_4(directory, key->values.data, rows, count, out_rows);
    default:
        return find_dense_8(directory, key->values.data, rows, count, out_rows);
    }
}

size_t arb_join_directory_find_bits(const arb_join_directory *directory, const arb_vector *key, uint16_t *rows,
                                    size_t count)
{
    switch (arb_physical_size((arb_physical)key->physical)) {
    case 1:
        return find_bits_1(directory, key->values.data, rows, count);
    case 2:
        return find_bits_2(directory, key->values.data, rows, count);
    case 4:
        return find_bits_4(directory, key->values.data, rows, count);
    default:
        return find_bits_8(directory, key->values.data, rows, count);
    }
}

#define RANGE(width, type)                                                                              \
    static void range_##width(const void *values, const uint16_t *rows, size_t count, arb_key_range *r) \
    {                                                                                                   \
        const type *keys = values;                                                                      \
        type low = keys[rows[0]], high = low;                                                           \
        for (size_t i = 1; i < count; i++) {                                                            \
            type key = keys[rows[i]];                                                                   \
            low = ARB_MIN(low, key);                                                                    \
            high = ARB_MAX(high, key);                                                                  \
        }                                                                                               \
        *r = (arb_key_range){true, low, high};                                                          \
    }
RANGE(1, int8_t)
RANGE(2, int16_t)
RANGE(4, int32_t)
RANGE(8, int64_t)

void arb_key_range_add(arb_key_range *range, const arb_vector *vector, const uint16_t *rows, size_t count)
{
    if (count == 0)
        return;
    arb_key_range seen;
    switch (arb_physical_size((arb_physical)vector->physical)) {
    case 1:
        range_1(vector->values.data, rows, count, &seen);
        break;
    case 2:
        range_2(vector->values.data, rows, count, &seen);
        break;
    case 4:
        range_4(vector->values.data, rows, count, &seen);
        break;
    default:
        range_8(vector->values.data, rows, count, &seen);
        break;
    }
    arb_key_range_merge(range, &seen);
}

void arb_key_range_merge(arb_key_range *range, const arb_key_range *other)
{
    if (!other->known)
        return;
    if (!range->known) {
        *range = *other;
        return;
    }
    range->low = ARB_MIN(range->low, other->low);
    range->high = ARB_MAX(range->high, other->high);
}
