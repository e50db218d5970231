/* sort_key.h: ORDER BY keys as unsigned words whose order is the rows' order.
 *
 * Each key column becomes a number whose order is that of its values: integers their distance from the least value that
 * the plan allows, in as many bits as that takes; floats their bits in total order; text its first bytes. In front of it
 * stands a bit that places NULLs; DESC turns all bits over. The numbers are packed one after the other into 64-bit words,
 * so mostly one word says it all. Text does not fit, nor do very many columns: then `exact` is false, what follows is
 * left out, and rows whose words are equal are compared by their values. A text that is cut off goes on in *digits*: eight
 * bytes at a time, made when they are asked for.
 *
 * Rows whose keys are equal stay in the order in which their sources gave them, as far as there is one. */
#ifndef ARB_EXECUTION_OPERATORS_SORT_KEY_H
#define ARB_EXECUTION_OPERATORS_SORT_KEY_H

#include "execution/operators/row_order.h"
#include "plan/physical.h"

enum { ARB_SORT_WORDS_MOST = 4 };

typedef struct arb_sort_column {
    uint32_t column;
    uint8_t physical;
    bool descending, nulls_first, null_bit;
    uint16_t at, bits; /* place of the value in the key's bits, most significant first; the NULL bit is before it */
    arb_int128 low;    /* integers: what becomes 0 */
} arb_sort_column;

typedef struct arb_sort_keys {
    size_t encoded; /* columns in the words */
    const arb_sort_column *columns;
    uint32_t words; /* of a key, at least 1 */
    bool exact;     /* equal words are equal keys */
    bool has_tail;  /* the last column in the words is a text, of which they hold the first `tail_from` bytes */
    uint8_t tail_from;
    arb_row_order order; /* of the rows, by all columns */
} arb_sort_keys;

/* Made in the arena; the columns are positions in the batch and in the row layout alike, which is borrowed. */
ARB_NODISCARD arb_code arb_sort_keys_init(arb_sort_keys *sort, arb_arena *arena, const arb_physical_sort_key *keys,
                                          size_t count, const arb_layout *columns, const arb_row_layout *layout,
                                          arb_error *error);
/* The words of the given rows of a batch, `sort->words` for each, one row after the other. */
void arb_sort_keys_encode(const arb_sort_keys *sort, const arb_batch *batch, const uint16_t *rows, size_t count,
                          uint64_t *out_words);

/* By words alone. */
ARB_INLINE int arb_sort_words_compare(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

#endif
