/* sort_entries.h: sorting rows by their keys' words. */
#ifndef ARB_EXECUTION_OPERATORS_SORT_ENTRIES_H
#define ARB_EXECUTION_OPERATORS_SORT_ENTRIES_H

#include "execution/operators/sort_key.h"

typedef struct arb_sort_entry {
    uint64_t key; /* the first word */
    char *row;    /* all words stand at `words_offset` in it */
} arb_sort_entry;

typedef struct arb_sort_order {
    const arb_sort_keys *keys;
    uint32_t words_offset;
} arb_sort_order;

ARB_INLINE int arb_sort_entry_compare(const arb_sort_entry *a, const arb_sort_entry *b, const arb_sort_order *order)
{
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    const uint64_t *x = (const uint64_t *)(a->row + order->words_offset);
    const uint64_t *y = (const uint64_t *)(b->row + order->words_offset);
    int by_words = arb_sort_words_compare(x, y, order->keys->words);
    if (by_words != 0 || order->keys->exact)
        return by_words;
    return arb_sort_keys_compare_rows(order->keys, a->row, b->row);
}

/* In place, not stable: quicksort with the median of three; short parts by insertion, and a part that splits badly too
 * often by heapsort, so that the worst case is n log n. */
void arb_sort_entries(arb_sort_entry *entries, size_t count, const arb_sort_order *order);

#endif
