/* aggregate_rows.h: which rows an aggregate takes in. For src/expr/aggregates only. */
#ifndef ARB_EXPR_AGGREGATE_ROWS_H
#define ARB_EXPR_AGGREGATE_ROWS_H

#include "expr/function_row.h"

/* Selected rows of this word whose argument (NULL: any) is not NULL. */
ARB_INLINE uint64_t arb_counted_word(const arb_vector *argument, const uint64_t *selection, uint32_t rows, size_t word)
{
    uint64_t bits = selection != NULL ? selection[word] : ~(uint64_t)0;
    if (word == rows / 64)
        bits &= arb_bitmap_tail_mask(rows);
    if (argument == NULL || argument->validity == NULL)
        return bits;
    if (argument->encoding == ARB_CONSTANT)
        return (argument->validity[0] & 1) != 0 ? bits : 0;
    return bits & argument->validity[word];
}

/* Walk the rows that count, in order: ARB_COUNTED_EACH(argument, selection, rows, row) statement. */
#define ARB_COUNTED_EACH(argument, selection, rows, row)                                                              \
    for (size_t row##_word = 0; row##_word < arb_bitmap_words(rows); row##_word++)                                    \
        for (uint64_t row##_left = arb_counted_word((argument), (selection), (rows), row##_word); row##_left != 0;    \
             row##_left &= row##_left - 1)                                                                            \
            for (size_t row = row##_word * 64 + (size_t)__builtin_ctzll(row##_left), row##_once = 1; row##_once != 0; \
                 row##_once = 0)

/* The rows that count as a bitmap in `bits`, and how many they are. */
ARB_INLINE uint32_t arb_counted_mask(const arb_vector *argument, const uint64_t *selection, uint32_t rows,
                                     uint64_t *bits)
{
    uint32_t count = 0;
    for (size_t word = 0; word < arb_bitmap_words(rows); word++) {
        bits[word] = arb_counted_word(argument, selection, rows, word);
        count += (uint32_t)__builtin_popcountll(bits[word]);
    }
    return count;
}

ARB_INLINE size_t arb_argument_slot(const arb_vector *argument, size_t row)
{
    return argument->encoding == ARB_CONSTANT ? 0 : row;
}

/* No group has more rows than this when a plan does not know better: days of work for any machine. */
#define ARB_ROWS_MOST ((uint64_t)1 << 48)

ARB_INLINE uint64_t arb_aggregate_rows_most(const arb_aggregate_plan *plan)
{
    return plan->rows_most != 0 && plan->rows_most < ARB_ROWS_MOST ? plan->rows_most : ARB_ROWS_MOST;
}

#endif
