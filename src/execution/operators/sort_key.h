/* sort_key.h: ORDER BY keys as unsigned words whose order is the rows' order.
 *
 * Each key column becomes bytes that compare as its values do: a byte that places NULLs, then the value, big-endian, with
 * the sign turned over; everything inverted for DESC. The bytes of all columns, one after the other, are cut into 64-bit
 * words, so most comparisons look at one word. Text does not fit: its first 12 bytes stand in the words, what follows is
 * left out, and rows whose words are equal are compared by their values (`exact` is false then). */
#ifndef ARB_EXECUTION_OPERATORS_SORT_KEY_H
#define ARB_EXECUTION_OPERATORS_SORT_KEY_H

#include "execution/operators/row_store.h"
#include "plan/physical.h"

enum { ARB_SORT_WORDS_MOST = 8 };

typedef struct arb_sort_keys {
    size_t count;
    const arb_physical_sort_key *keys; /* columns of the batch and of the row layout alike; borrowed */
    const arb_row_layout *layout;      /* borrowed */
    uint32_t words;                    /* of a key, at least 1 */
    bool exact;                        /* equal words are equal rows */
} arb_sort_keys;

/* ARB_NOT_SUPPORTED for nested keys. */
ARB_NODISCARD arb_code arb_sort_keys_init(arb_sort_keys *sort, const arb_physical_sort_key *keys, size_t count,
                                          const arb_layout *columns, const arb_row_layout *layout, arb_error *error);
/* The words of the given rows of a batch, `sort->words` for each, one row after the other. */
void arb_sort_keys_encode(const arb_sort_keys *sort, const arb_batch *batch, const uint16_t *rows, size_t count,
                          uint64_t *out_words);
/* <0, 0, >0 for two rows of the layout, by their values. */
int arb_sort_keys_compare_rows(const arb_sort_keys *sort, const char *a, const char *b);

/* By words alone. */
ARB_INLINE int arb_sort_words_compare(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

#endif
