#include "scheduler/ordered_heap.h"

static bool before(const arb_heap_node *a, const arb_heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void set(arb_heap *heap, size_t at, arb_heap_node *node)
{
    heap->nodes.data[at] = node;
    node->place = at + 1;
}

static void sift(arb_heap *heap, size_t at, arb_heap_node *node)
{
    for (; at > 0 && before(node, heap->nodes.data[(at - 1) / 2]); at = (at - 1) / 2)
        set(heap, at, heap->nodes.data[(at - 1) / 2]);
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < heap->nodes.size && before(heap->nodes.data[child + 1], heap->nodes.data[child]))
            child++;
        if (child >= heap->nodes.size || !before(heap->nodes.data[child], node))
            break;
        set(heap, at, heap->nodes.data[child]);
        at = child;
    }
    set(heap, at, node);
}

bool arb_heap_reserve(arb_heap *heap, size_t count)
{
    return ARB_VEC_RESERVE(&heap->nodes, count);
}

void arb_heap_put(arb_heap *heap, arb_heap_node *node, int64_t key, uint64_t tie)
{
    if (node->place == 0) {
        assert(heap->nodes.size < heap->nodes.capacity);
        heap->nodes.size++;
        node->place = heap->nodes.size;
    }
    node->key = key;
    node->tie = tie;
    sift(heap, node->place - 1, node);
}

void arb_heap_remove(arb_heap *heap, arb_heap_node *node)
{
    if (node->place == 0)
        return;
    size_t at = node->place - 1;
    arb_heap_node *last = heap->nodes.data[--heap->nodes.size];
    node->place = 0;
    if (last != node)
        sift(heap, at, last);
}

void arb_heap_reset(arb_heap *heap)
{
    ARB_VEC_RESET(&heap->nodes);
}
