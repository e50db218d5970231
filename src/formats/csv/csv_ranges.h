/* csv_ranges.h: a file cut into ranges of bytes, and where rows begin in them.
 *
 * Range k has the rows that begin at bytes [k * size, (k + 1) * size). Whether a line within it begins a row depends on
 * all quotes before it. That need not be guessed: a range turns the state at its first line (in quotes or not) into the
 * state at the next range's first line, for either state, and both results together are two bits. They are worked out
 * when they are first asked for, by a walk over the range that is several times faster than reading it, and are then
 * kept. So ranges can be read in any order by any thread, and a file that is read in order is walked along with it. The
 * results are shared; each thread has a search of its own. */
#ifndef ARB_FORMATS_CSV_CSV_RANGES_H
#define ARB_FORMATS_CSV_CSV_RANGES_H

#include <stdatomic.h>

#include "base/stop.h"
#include "formats/csv/csv_index.h"
#include "io/byte_window.h"

typedef struct arb_csv_ranges {
    const arb_byte_source *source;
    arb_csv_dialect dialect;
    uint64_t data_start; /* of the first row */
    uint64_t range_bytes;
    size_t count, first;      /* ranges; the one that holds data_start */
    _Atomic uint8_t *results; /* one a range; 0: not known */
    _Atomic uint64_t known;   /* a range and whether it begins in quotes, from where to go on; 0: none */
} arb_csv_ranges;

/* Of zeroed memory; `results` is allocated in the arena. */
ARB_NODISCARD arb_code arb_csv_ranges_init(arb_csv_ranges *ranges, const arb_byte_source *source,
                                           const arb_csv_dialect *dialect, uint64_t data_start, uint64_t range_bytes,
                                           arb_arena *arena, arb_error *error);
/* A search for a range's first line, which goes on where it had to wait. */
typedef struct arb_csv_search {
    arb_csv_ranges *ranges;
    arb_byte_window *window; /* what it reads comes through it; borrowed */
    uint32_t *positions;     /* ARB_CSV_PIECE of them, to write to; borrowed */
    arb_stop_flag *stop;
    size_t range;   /* whose first line is wanted */
    size_t next;    /* the range to be walked over, or the one that is wanted */
    bool in_quotes; /* at the first line of `next` */
    int step;
    uint64_t at; /* looked at up to here */
    uint64_t from, to;
    arb_csv_state outside, inside;
} arb_csv_search;

enum { ARB_CSV_PIECE = 16 << 10 }; /* bytes that are looked at in one go */

/* Of zeroed memory, but for the first four. */
void arb_csv_search_begin(arb_csv_search *search, size_t range);
/* *out_offset is where the line begins (at the file's end when there is none), *out_in_quotes whether that is within
 * quotes. ARB_WOULD_WAIT: call it again. A line may be as long as the file: the flag is looked at. */
ARB_NODISCARD arb_code arb_csv_search_end(arb_csv_search *search, uint64_t *out_offset, bool *out_in_quotes,
                                          arb_error *error);

#endif
