/* decoded_source.h: compressed files as sources of what they hold. */
#ifndef ARB_IO_DECODED_SOURCE_H
#define ARB_IO_DECODED_SOURCE_H

#include "base/stop.h"
#include "io/byte_source.h"

/* When the source's first bytes are those of gzip or zstd, replace it by one of the decompressed bytes, which are held
 * in memory (up to 4 GiB; more is ARB_LIMIT_EXCEEDED) and counted in the source's `held`; else leave it as it is. On
 * failure *source is as it was. ARB_CANCELLED soon after the flag is set, but for gzip not before the member in work is
 * through. */
ARB_NODISCARD arb_code arb_byte_source_decode(arb_byte_source **source, arb_stop_flag *stop, arb_error *error);

#endif
