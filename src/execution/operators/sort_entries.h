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

/* The key's digit `at`: a word, or eight bytes more of the text that was cut off. False behind the last; out_digit is then
 * what a shorter text is filled up with. Digits decide in their order; rows of which all are equal are compared as
 * arb_sort_entry_compare does. */
ARB_INLINE bool arb_sort_digit(const arb_sort_order *order, const char *row, uint32_t at, uint64_t *out_digit)
{
    const arb_sort_keys *keys = order->keys;
    if (at < keys->words) {
        *out_digit = arb_load_u64(row + order->words_offset + at * sizeof(uint64_t));
        return true;
    }
    *out_digit = 0;
    if (!keys->has_tail)
        return false;
    const arb_sort_column *column = &keys->columns[keys->encoded - 1];
    arb_string text;
    memcpy(&text, row + keys->order.layout->columns[column->column].offset, sizeof text);
    uint64_t from = keys->tail_from + (uint64_t)(at - keys->words) * sizeof(uint64_t);
    bool some = from < text.size && !arb_row_is_null(keys->order.layout, row, column->column);
    if (some) {
        uint64_t left = text.size - from;
        const char *bytes = arb_string_data(&text) + from;
        if (left >= sizeof(uint64_t))
            *out_digit = __builtin_bswap64(arb_load_u64(bytes));
        else
            for (uint64_t i = 0; i < left; i++)
                *out_digit |= (uint64_t)(uint8_t)bytes[i] << (56 - 8 * i);
    }
    if (column->descending)
        *out_digit = ~*out_digit;
    return some;
}

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
