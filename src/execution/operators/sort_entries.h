/* sort_entries.h: sorting rows by their keys' words. */
#ifndef ARB_EXECUTION_OPERATORS_SORT_ENTRIES_H
#define ARB_EXECUTION_OPERATORS_SORT_ENTRIES_H

#include "base/stop.h"
#include "execution/operators/sort_key.h"

typedef struct arb_sort_entry {
    uint64_t key; /* the first word */
    char *row;    /* all words stand at `words_offset` in it; its header holds its place in the source's order */
} arb_sort_entry;

typedef struct arb_sort_order {
    const arb_sort_keys *keys;
    uint32_t words_offset;
    arb_stop_flag *stop; /* once set, the order does not matter any more */
} arb_sort_order;

ARB_INLINE int arb_sort_entry_compare(const arb_sort_entry *a, const arb_sort_entry *b, const arb_sort_order *order)
{
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    const uint64_t *x = (const uint64_t *)(a->row + order->words_offset);
    const uint64_t *y = (const uint64_t *)(b->row + order->words_offset);
    int result = order->keys->words == 1 ? 0 : arb_sort_words_compare(x, y, order->keys->words);
    if (result == 0 && !order->keys->exact)
        result = arb_row_compare(&order->keys->order, a->row, b->row);
    if (result != 0)
        return result;
    uint64_t left = arb_load_u64(a->row), right = arb_load_u64(b->row);
    return (left > right) - (left < right);
}

/* In place. Many entries go by their first word through a radix sort when `scratch` has room for as many (NULL: it has
 * not), and only those with equal first words are compared; few are sorted by comparisons alone. Rows with equal keys end
 * in the source's order, provided they came in it. Stopped, it leaves some of the entries, in any order, some repeated. */
void arb_sort_entries(arb_sort_entry *entries, size_t count, const arb_sort_order *order, arb_sort_entry *scratch);
/* Fewer are not worth a scratch. */
enum { ARB_SORT_RADIX_LEAST = 2048 };

#endif
