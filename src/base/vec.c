#include "base/vec.h"

bool arb_vec_grow(void **data, size_t *capacity, size_t wanted, size_t element_size, arb_arena *arena, size_t size)
{
    size_t grown = ARB_MAX(ARB_MAX(wanted, *capacity * 2), (size_t)4);
    size_t bytes;
    if (__builtin_mul_overflow(grown, element_size, &bytes))
        return false;
    void *moved;
    if (arena != NULL) {
        moved = arb_arena_alloc(arena, bytes);
        if (moved != NULL && size != 0)
            memcpy(moved, *data, size * element_size);
    } else {
        moved = arb_realloc(*data, bytes);
    }
    if (moved == NULL)
        return false;
    *data = moved;
    *capacity = grown;
    return true;
}
