/* exchange_hash.h: which partition a row belongs to, the same in every process, version and processor.
 *
 * exchange_hash_v1 is defined by the functions of one value below; test/golden has vectors of it. It is a hash of what a
 * value is, not of how memory holds it, so that an INTEGER on one side of a join meets the equal BIGINT on the other
 * whatever widths their plans chose:
 *
 *   whole numbers, dates, times, booleans    as an integer of 128 bits
 *   decimals                                 as that of the value times 10^scale: keys that meet have one scale
 *   REAL, DOUBLE                             as a double; -0 is 0, and there is one NaN
 *   texts, bytes, packed lists and structs   their bytes
 *   intervals                                as the integer that they are compared by: microseconds, a month being 30 days
 *   NULL                                     a value of its own
 *
 *   fold(a, b) = the lower half of a * b  xor  the upper half, a and b being 64-bit words
 *   integer    = fold(lower word xor K0, upper word xor K1)
 *   double     = fold(bits xor K2, K3)
 *   text       = XXH3_64bits of the bytes with seed K4
 *   NULL       = K5
 *   a row      = h of its first key; then h = fold(h xor K6, next xor K7) for each further one
 *   partition  = the upper half of h * partitions */
#ifndef ARB_EXCHANGE_EXCHANGE_HASH_H
#define ARB_EXCHANGE_EXCHANGE_HASH_H

#include "columnar/vector.h"

enum { ARB_EXCHANGE_HASH_VERSION = 1 };

uint64_t arb_exchange_hash_integer(arb_int128 value);
uint64_t arb_exchange_hash_double(double value);
uint64_t arb_exchange_hash_text(arb_str text);
uint64_t arb_exchange_hash_interval(arb_interval value);
uint64_t arb_exchange_hash_null(void);
uint64_t arb_exchange_hash_combine(uint64_t so_far, uint64_t next);

ARB_INLINE uint32_t arb_exchange_partition(uint64_t hash, uint32_t partitions)
{
    return (uint32_t)(((arb_uint128)hash * partitions) >> 64);
}

/* Hashes of rows [0, rows) by all columns, of any encoding but nested ones. Without columns every row has the same. */
void arb_exchange_hash_rows(const arb_vector *const *columns, size_t column_count, size_t rows, uint64_t *hashes);

#endif
