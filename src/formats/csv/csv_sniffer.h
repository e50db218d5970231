/* csv_sniffer.h: how a file is written, from a look at its beginning. */
#ifndef ARB_FORMATS_CSV_CSV_SNIFFER_H
#define ARB_FORMATS_CSV_CSV_SNIFFER_H

#include "formats/csv.h"
#include "formats/csv/csv_cell.h"

typedef struct arb_csv_layout {
    arb_csv_dialect dialect;
    size_t column_count;
    arb_str *names;
    arb_type *types;
    size_t data_start; /* of the sample: where the first row of values begins */
    double row_bytes;  /* on average */
} arb_csv_layout;

/* What looking takes beside the sample. */
uint64_t arb_csv_sniff_bytes(size_t size);
/* `is_all`: the sample is the whole file. Names are in the arena. A sample in which nothing can be found out is a table
 * of one column of text. ARB_CANCELLED soon after the options' flag is set. */
ARB_NODISCARD arb_code arb_csv_sniff(const uint8_t *sample, size_t size, bool is_all, const arb_csv_options *options,
                                     const arb_csv_patterns *patterns, arb_arena *arena, arb_csv_layout *out_layout,
                                     arb_error *error);

#endif
