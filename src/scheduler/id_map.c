#include "scheduler/id_map.h"

static size_t place_of(const arb_id_map *map, uint64_t first, uint64_t second)
{
    return (size_t)arb_hash_combine(arb_hash_u64(first), second) & (map->capacity - 1);
}

/* Where it is, or where it would go. */
static size_t find(const arb_id_map *map, uint64_t first, uint64_t second)
{
    size_t at = place_of(map, first, second);
    while (map->entries[at].value != NULL && (map->entries[at].first != first || map->entries[at].second != second))
        at = (at + 1) & (map->capacity - 1);
    return at;
}

bool arb_id_map_reserve(arb_id_map *map, size_t count)
{
    if (count * 2 <= map->capacity)
        return true;
    size_t capacity = (size_t)arb_next_power_of_two(ARB_MAX(count * 2, (size_t)16));
    arb_id_map grown = {.entries = arb_alloc_zeroed(capacity * sizeof(arb_id_map_entry)), .capacity = capacity};
    if (grown.entries == NULL)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].value != NULL)
            arb_id_map_put(&grown, map->entries[i].first, map->entries[i].second, map->entries[i].value);
    arb_free(map->entries);
    *map = grown;
    return true;
}

void *arb_id_map_get(const arb_id_map *map, uint64_t first, uint64_t second)
{
    return map->count == 0 ? NULL : map->entries[find(map, first, second)].value;
}

void arb_id_map_put(arb_id_map *map, uint64_t first, uint64_t second, void *value)
{
    assert(value != NULL && (map->count + 1) * 2 <= map->capacity);
    size_t at = find(map, first, second);
    assert(map->entries[at].value == NULL);
    map->entries[at] = (arb_id_map_entry){first, second, value};
    map->count++;
}

void arb_id_map_remove(arb_id_map *map, uint64_t first, uint64_t second)
{
    if (map->count == 0)
        return;
    size_t mask = map->capacity - 1, hole = find(map, first, second);
    if (map->entries[hole].value == NULL)
        return;
    map->count--;
    for (size_t at = (hole + 1) & mask; map->entries[at].value != NULL; at = (at + 1) & mask) {
        size_t home = place_of(map, map->entries[at].first, map->entries[at].second);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue; /* its home lies behind the hole */
        map->entries[hole] = map->entries[at];
        hole = at;
    }
    map->entries[hole] = (arb_id_map_entry){0};
}

void arb_id_map_reset(arb_id_map *map)
{
    arb_free(map->entries);
    *map = (arb_id_map){0};
}
