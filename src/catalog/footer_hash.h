/* footer_hash.h: a hash of a file's end: what tells two versions of a file apart that have size and time in common.
 *
 * What a format says about its file mostly stands at its end (Parquet's footer with all its statistics and offsets), so
 * other rows make another end. Processes compare these hashes, so they never change: XXH3 (64 bits, no seed) of the last
 * 64 KiB, or of all that there is. */
#ifndef ARB_CATALOG_FOOTER_HASH_H
#define ARB_CATALOG_FOOTER_HASH_H

#include "io/byte_source.h"

enum { ARB_FOOTER_HASH_BYTES = 64 << 10 };

/* Reads them, and waits for it. */
ARB_NODISCARD arb_code arb_footer_hash(const arb_byte_source *source, uint64_t *out_hash, arb_error *error);

#endif
