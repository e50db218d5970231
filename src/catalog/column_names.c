#include "catalog/column_names.h"

enum { LEAST_SLOTS = 16 };

/* The slot that has the name's column, or the free one where it would be. */
static uint32_t *slot_of(const arb_column_names *names, arb_str name)
{
    size_t at = (size_t)arb_str_hash_nocase(name) & (names->capacity - 1);
    while (names->slots[at] != 0 && !arb_str_equal_nocase(names->list.data[names->slots[at] - 1], name))
        at = (at + 1) & (names->capacity - 1);
    return &names->slots[at];
}

size_t arb_column_names_find(const arb_column_names *names, arb_str name)
{
    uint32_t found = names->capacity == 0 ? 0 : *slot_of(names, name);
    return found == 0 ? SIZE_MAX : found - 1;
}

static bool grow(arb_column_names *names, arb_arena *arena)
{
    size_t capacity = ARB_MAX(names->capacity * 2, (size_t)LEAST_SLOTS);
    uint32_t *slots = ARB_ARENA_ARRAY(arena, uint32_t, capacity);
    if (slots == NULL)
        return false;
    names->slots = slots;
    names->capacity = capacity;
    for (size_t i = 0; i < names->list.size; i++) {
        uint32_t *slot = slot_of(names, names->list.data[i]);
        if (*slot == 0)
            *slot = (uint32_t)i + 1;
    }
    return true;
}

bool arb_column_names_add(arb_column_names *names, arb_arena *arena, arb_str name)
{
    if (2 * (names->list.size + 1) > names->capacity && !grow(names, arena))
        return false;
    if (names->list.size == UINT32_MAX - 1 || !ARB_ARENA_PUSH(arena, &names->list, name))
        return false;
    uint32_t *slot = slot_of(names, name);
    if (*slot == 0)
        *slot = (uint32_t)names->list.size;
    return true;
}
