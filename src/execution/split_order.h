/* split_order.h: who reads which part of a source, and up to where all is through.
 *
 * A source's parts (a scan's splits, a sort's ranges) have numbers; drivers take them in order, and each reads one at a
 * time. The lowest part that is still being read, or not taken yet, is the source's watermark: batches of lower parts have
 * all gone down the pipeline. driver->sequence says which part a driver reads. */
#ifndef ARB_EXECUTION_SPLIT_ORDER_H
#define ARB_EXECUTION_SPLIT_ORDER_H

#include "execution/operator.h"

enum { ARB_SPLIT_DRIVERS_MOST = 256 };

typedef struct arb_split_order {
    size_t count;
    _Atomic size_t next;
    _Atomic size_t active[ARB_SPLIT_DRIVERS_MOST]; /* by driver: what it reads, SIZE_MAX when nothing */
} arb_split_order;

/* Of zeroed memory, whose watermark may be looked at meanwhile: it is the first part. */
void arb_split_order_init(arb_split_order *order, size_t count);
/* The next part for the driver, which has done with the last one; false when there is none. */
bool arb_split_order_take(arb_split_order *order, arb_driver *driver, size_t *out_part);
/* The driver is gone. */
void arb_split_order_leave(arb_split_order *order, const arb_driver *driver);
/* As source_watermark: the part in the upper half. */
uint64_t arb_split_order_watermark(const arb_split_order *order);
/* Drivers worth starting. */
ARB_INLINE uint32_t arb_split_order_parallelism(const arb_split_order *order)
{
    return (uint32_t)ARB_MIN(order->count, (size_t)ARB_SPLIT_DRIVERS_MOST);
}
ARB_INLINE uint64_t arb_split_sequence(size_t part, uint64_t number)
{
    return ((uint64_t)part << 32) + number;
}

#endif
