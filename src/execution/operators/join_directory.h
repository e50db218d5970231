/* join_directory.h: from a key to the build rows that have it.
 *
 * Built by several threads at once after all rows are in place, then read-only. Rows with one slot form a chain through
 * their headers, which until then held the key's hash:
 *
 *   HASHED   2^n slots, found by the upper bits of the hash:  | 16 bits: a small Bloom filter of the chain | pointer |
 *   DENSE    one integer key whose values span a range not much larger than their number: a slot a value, no tags; the
 *            rows of a slot have exactly that key, so nothing is compared
 *   BITS     as DENSE, when only existence matters: one bit a value, and the rows themselves are not needed
 *   CHAIN    without keys: all rows in one chain
 *
 *   a row's header:  | 1: matched by a probe row | 15: bits of its hash | pointer to the next row or 0 | */
#ifndef ARB_EXECUTION_OPERATORS_JOIN_DIRECTORY_H
#define ARB_EXECUTION_OPERATORS_JOIN_DIRECTORY_H

#include "execution/operators/row_store.h"

typedef enum arb_join_mode {
    ARB_JOIN_EMPTY,
    ARB_JOIN_HASHED,
    ARB_JOIN_DENSE,
    ARB_JOIN_BITS,
    ARB_JOIN_CHAIN
} arb_join_mode;

#define ARB_ROW_POINTER_MASK (((uint64_t)1 << 48) - 1)
#define ARB_ROW_MATCHED ((uint64_t)1 << 63)
#define ARB_ROW_HASH_MASK ((uint64_t)0x7FFF << 48)

/* Values seen of a key column of 64 bits or less. */
typedef struct arb_key_range {
    bool known; /* false until a value was seen, and for keys that are not such integers */
    int64_t low, high;
} arb_key_range;

typedef struct arb_join_directory {
    uint8_t mode; /* arb_join_mode */
    arb_reservation reservation;
    union {
        _Atomic uint64_t *slots;
        _Atomic uint64_t *bits;
    };
    unsigned shift;       /* HASHED */
    int64_t low;          /* DENSE, BITS */
    uint64_t span;        /* high - low + 1 */
    _Atomic bool repeats; /* DENSE: some chain has more than one row */
} arb_join_directory;

/* Choose the mode and allocate. `range` is that of the only key, or unknown; `exists_only` allows BITS. `share` pays for
 * it (NULL: the query's memory at large); a DENSE directory that would press it becomes HASHED. */
ARB_NODISCARD arb_code arb_join_directory_init(arb_join_directory *directory, uint64_t rows, size_t key_count,
                                               const arb_key_range *range, bool exists_only, arb_memory *memory,
                                               arb_memory_share *share, arb_error *error);
/* Would the mode be BITS? */
bool arb_join_directory_is_bits(uint64_t rows, size_t key_count, const arb_key_range *range, bool exists_only);
void arb_join_directory_reset(arb_join_directory *directory); /* a zeroed one is a no-op */
/* Insert the rows of a page, whose headers hold their hashes. Any thread. The key is column 0 of the layout. */
void arb_join_directory_insert(arb_join_directory *directory, const arb_row_layout *layout, const arb_row_page *page);

/* Which bits of a slot's upper 16 a hash sets. */
ARB_INLINE uint64_t arb_join_tag(uint64_t hash)
{
    return (uint64_t)((1u << (hash & 15)) | (1u << ((hash >> 4) & 15))) << 48;
}
ARB_INLINE uint64_t arb_row_hash_bits(uint64_t hash)
{
    return (hash << 48) & ARB_ROW_HASH_MASK;
}
/* While rows are probed others may mark them. */
ARB_INLINE uint64_t arb_row_link(const char *row)
{
    return atomic_load_explicit((const _Atomic uint64_t *)(const void *)row, memory_order_relaxed);
}
ARB_INLINE char *arb_row_next(const char *row)
{
    return (char *)(uintptr_t)(arb_row_link(row) & ARB_ROW_POINTER_MASK);
}

/* The chain of each probe row in `rows` goes to out_rows[row]; rows without one leave the list. Returns how many stay.
 * HASHED uses hashes; DENSE the key, which is FLAT. Not for BITS. */
size_t arb_join_directory_find(const arb_join_directory *directory, const arb_vector *key, const uint64_t *hashes,
                               uint16_t *rows, size_t count, char **out_rows);
/* BITS: keep the rows whose key occurs. */
size_t arb_join_directory_find_bits(const arb_join_directory *directory, const arb_vector *key, uint16_t *rows,
                                    size_t count);

/* An integer key of up to 64 bits, in a row or in a vector's values. */
ARB_INLINE int64_t arb_key_load(unsigned width, const void *from)
{
    switch (width) {
    case 1:
        return *(const int8_t *)from;
    case 2:
        return arb_load_i16(from);
    case 4:
        return arb_load_i32(from);
    default:
        return arb_load_i64(from);
    }
}
ARB_INLINE bool arb_key_is_small_integer(unsigned physical)
{
    return physical >= ARB_PHYS_INT8 && physical <= ARB_PHYS_INT64;
}
/* Widen the range by the given rows of a FLAT vector of small integers. */
void arb_key_range_add(arb_key_range *range, const arb_vector *vector, const uint16_t *rows, size_t count);
void arb_key_range_merge(arb_key_range *range, const arb_key_range *other);

#endif
