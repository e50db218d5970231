#include "runtime/held_memory.h"

arb_code arb_held_take(arb_reservation *held, uint64_t bytes, arb_error *error)
{
    if (held == NULL || held->memory == NULL || bytes == 0)
        return ARB_OK;
    if (held->bytes + bytes > ARB_HELD_ALWAYS)
        return arb_reservation_grow(held, bytes, error);
    arb_reservation_force(held, bytes);
    return ARB_OK;
}

void arb_held_give(arb_reservation *held, uint64_t bytes)
{
    if (held != NULL && held->memory != NULL && bytes != 0)
        arb_reservation_shrink(held, bytes);
}

bool arb_held_is_short(const arb_reservation *held)
{
    return held != NULL && held->memory != NULL && arb_memory_is_short(held->memory);
}
