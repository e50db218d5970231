/* id_map.h: from two words (an arb_id, an arb_uuid, half a hash) to a pointer.
 *
 * Open addressing with linear probing, at most half full; a removal moves what stood behind it, so there are no marks of
 * the dead. Room is reserved before an entry is put, so putting cannot fail. Zeroed is empty. */
#ifndef ARB_SCHEDULER_ID_MAP_H
#define ARB_SCHEDULER_ID_MAP_H

#include "base/alloc.h"
#include "base/hash.h"
#include "scheduler/control.h"

typedef struct arb_id_map_entry {
    uint64_t first, second;
    void *value; /* NULL: free */
} arb_id_map_entry;

typedef struct arb_id_map {
    arb_id_map_entry *entries;
    size_t capacity, count; /* a power of two, or 0 */
} arb_id_map;

/* The words for a hash of 16 bytes or more. */
ARB_INLINE void arb_id_map_key(const uint8_t *hash, uint64_t out_key[2])
{
    memcpy(out_key, hash, 2 * sizeof *out_key);
}

/* Room for `count` entries in all; false without memory. */
ARB_NODISCARD bool arb_id_map_reserve(arb_id_map *map, size_t count);
void *arb_id_map_get(const arb_id_map *map, uint64_t first, uint64_t second); /* NULL: not there */
/* There is room, and no such entry. */
void arb_id_map_put(arb_id_map *map, uint64_t first, uint64_t second, void *value);
void arb_id_map_remove(arb_id_map *map, uint64_t first, uint64_t second); /* not there: a no-op */
void arb_id_map_reset(arb_id_map *map);

#endif
