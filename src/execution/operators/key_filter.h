/* key_filter.h: what a join's build side knows of one of its keys, as a filter for scans on the probe side.
 *
 * The summary is made when the build side is complete: the range, and either one bit a value (few values or a dense
 * range) or a blocked Bloom filter over hashes: 64-bit blocks, four bits a key. Filters for several scans share it. */
#ifndef ARB_EXECUTION_OPERATORS_KEY_FILTER_H
#define ARB_EXECUTION_OPERATORS_KEY_FILTER_H

#include "execution/operators/join_directory.h"
#include "formats/scan.h"

typedef enum arb_summary_kind {
    ARB_SUMMARY_NOTHING, /* no key: nothing passes */
    ARB_SUMMARY_RANGE,
    ARB_SUMMARY_BITS,
    ARB_SUMMARY_BLOOM,
    ARB_SUMMARY_ALL, /* nothing is known */
} arb_summary_kind;

typedef struct arb_key_summary {
    uint8_t kind, physical;
    bool pass_null; /* NULL is among the keys and equals NULL */
    arb_key_range range;
    uint64_t span, blocks;
    _Atomic uint64_t *words; /* of the bits or the Bloom filter */
    arb_reservation reservation;
} arb_key_summary;

typedef struct arb_key_filter {
    arb_scan_filter base;
    uint32_t column;
    const arb_key_summary *summary;
    struct arb_key_filter *next; /* of the same join */
    uint32_t key;
} arb_key_filter;

/* Allocates; too little memory makes a summary that knows less, never a failure. */
void arb_key_summary_init(arb_key_summary *summary, arb_physical physical, uint64_t rows, const arb_key_range *range,
                          bool pass_null, arb_memory *memory);
void arb_key_summary_reset(arb_key_summary *summary); /* a zeroed one is a no-op */
/* Add the rows of a page, of whose layout the key is column `column`. Any thread. */
ARB_NODISCARD arb_code arb_key_summary_add(arb_key_summary *summary, const arb_row_layout *layout, size_t column,
                                           const arb_row_page *page, arb_error *error);

/* Fill in a filter over position `column` of a request; not ready yet. */
void arb_key_filter_init(arb_key_filter *filter, const arb_key_summary *summary, uint32_t key, uint32_t column);

#endif
