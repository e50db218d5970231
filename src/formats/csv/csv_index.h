/* csv_index.h: where cells end.
 *
 * A CSV file is cut into cells by two bytes, the delimiter and the line's end, wherever they do not stand in quotes. A
 * quote opens only at the beginning of a cell, spaces aside; inside of quotes it stands for itself when it is written twice (or behind
 * the escape); behind a closing quote, and anywhere else, it is an ordinary byte. This file finds these positions, 64
 * bytes at a time where the usual rules hold (csv_index_kernel.c), and byte by byte in the other cases. */
#ifndef ARB_FORMATS_CSV_CSV_INDEX_H
#define ARB_FORMATS_CSV_CSV_INDEX_H

#include "base/cpu.h"

/* How a file is written; 0: there is none of it. */
typedef struct arb_csv_dialect {
    uint8_t delimiter, quote, escape, comment;
    uint8_t newline; /* the last byte of a line's end: '\n', or '\r' in files that have no '\n' */
} arb_csv_dialect;

/* Between two bytes of the file. */
typedef struct arb_csv_state {
    bool at_start;  /* of a cell, spaces aside: a quote here opens */
    bool closed;    /* a quote was just closed: another one here opens it again */
    bool row_start; /* a comment could begin */
    bool in_quotes, escaped, in_comment;
    bool high; /* bytes outside of ASCII were seen; only ever set */
} arb_csv_state;

ARB_INLINE arb_csv_state arb_csv_state_at_row(void)
{
    return (arb_csv_state){.at_start = true, .row_start = true};
}

/* Move the state over bytes that have no quote, of a dialect without comments, unless they lie in quotes. */
ARB_INLINE void arb_csv_state_pass(const arb_csv_dialect *dialect, const uint8_t *data, size_t size,
                                   arb_csv_state *state)
{
    if (state->in_quotes || size == 0)
        return;
    size_t at = size;
    while (at != 0 && data[at - 1] == ' ' && dialect->delimiter != ' ')
        at--;
    uint8_t last = at == 0 ? 0 : data[at - 1];
    if (at != 0)
        state->at_start = last == dialect->newline || last == dialect->delimiter;
    state->row_start = at == size && last == dialect->newline;
    state->closed = false;
}

/* Positions (plus `base`) of the bytes that end a cell among data[0, size), to `out`, which has room for `size`. Returns
 * how many; moves the state behind the last byte. */
typedef size_t arb_csv_index_function(const uint8_t *data, size_t size, const arb_csv_dialect *dialect,
                                      arb_csv_state *state, uint32_t base, uint32_t *out);

typedef struct arb_csv_kernels {
    arb_csv_index_function *index; /* any dialect */
} arb_csv_kernels;

ARB_KERNELS_DECLARE(arb_csv_kernels);

/* The same, byte by byte. */
arb_csv_index_function arb_csv_index_bytes;

#endif
