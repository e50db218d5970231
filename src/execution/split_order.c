#include "execution/split_order.h"

void arb_split_order_init(arb_split_order *order, size_t count)
{
    order->count = count;
    atomic_store_explicit(&order->next, 0, memory_order_relaxed);
    for (size_t i = 0; i < ARB_SPLIT_DRIVERS_MOST; i++)
        atomic_store_explicit(&order->active[i], SIZE_MAX, memory_order_relaxed);
}

bool arb_split_order_take(arb_split_order *order, arb_driver *driver, size_t *out_part)
{
    /* Announce before taking, so that the watermark never passes a part that somebody is about to read. */
    atomic_store(&order->active[driver->number], atomic_load(&order->next));
    *out_part = atomic_fetch_add(&order->next, 1);
    bool some = *out_part < order->count;
    atomic_store(&order->active[driver->number], some ? *out_part : SIZE_MAX);
    if (some)
        driver->sequence = arb_split_sequence(*out_part, 0);
    return some;
}

void arb_split_order_leave(arb_split_order *order, const arb_driver *driver)
{
    atomic_store(&order->active[driver->number], SIZE_MAX);
}

uint64_t arb_split_order_watermark(const arb_split_order *order)
{
    size_t lowest = atomic_load(&order->next);
    for (size_t i = 0; i < ARB_SPLIT_DRIVERS_MOST; i++)
        lowest = ARB_MIN(lowest, atomic_load(&order->active[i]));
    return arb_split_sequence(lowest, 0);
}
