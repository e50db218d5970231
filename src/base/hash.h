/* hash.h: hashes of values in memory.
 *
 * For hash tables and Bloom filters inside one process only: the results may change from version to version. What
 * several processes must agree on (the exchange's partitions, file checksums) is defined where it is used. */
#ifndef ARB_BASE_HASH_H
#define ARB_BASE_HASH_H

#include "base/compiler.h"

/* Mix all bits of a 64-bit value into all bits of the result: one wide multiplication with the golden ratio, folded
 * (the step of wyhash). 0 does not map to 0. */
ARB_INLINE uint64_t arb_hash_u64(uint64_t value)
{
    arb_uint128 product = (arb_uint128)(value ^ 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Combine the hash so far with that of a further column. Not symmetric. */
ARB_INLINE uint64_t arb_hash_combine(uint64_t so_far, uint64_t next)
{
    return arb_hash_u64(so_far ^ (next + 0x9E3779B97F4A7C15u + (so_far << 6) + (so_far >> 2)));
}

/* Hash of bytes; reads nothing beyond them. */
uint64_t arb_hash_bytes(const void *data, size_t size);

#endif
