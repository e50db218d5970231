/* ordered_heap.h: what is least comes first: timers by time, jobs by how much of theirs runs.
 *
 * A binary heap of nodes that lie in what they stand for (ARB_CONTAINER_OF), each knowing its place, so that any can be
 * moved or removed. Ties go by `tie`, so equal histories give equal orders. Room is reserved before a node is put. */
#ifndef ARB_SCHEDULER_ORDERED_HEAP_H
#define ARB_SCHEDULER_ORDERED_HEAP_H

#include "base/vec.h"

typedef struct arb_heap_node {
    int64_t key;
    uint64_t tie;
    size_t place; /* 1-based; 0: in no heap */
} arb_heap_node;

typedef struct arb_heap {
    ARB_VEC(arb_heap_node *) nodes;
} arb_heap;

ARB_NODISCARD bool arb_heap_reserve(arb_heap *heap, size_t count);
/* Put it, or move it if it is there. */
void arb_heap_put(arb_heap *heap, arb_heap_node *node, int64_t key, uint64_t tie);
void arb_heap_remove(arb_heap *heap, arb_heap_node *node); /* not there: a no-op */
ARB_INLINE arb_heap_node *arb_heap_first(const arb_heap *heap)
{
    return heap->nodes.size == 0 ? NULL : heap->nodes.data[0];
}
void arb_heap_reset(arb_heap *heap);

#endif
