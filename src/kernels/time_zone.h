/* time_zone.h: zones by their IANA name, from the system's compiled files (TZif, RFC 8536).
 *
 * A zone is loaded once and then read-only; nothing is kept between loads and the process's own zone plays no part. */
#ifndef ARB_KERNELS_TIME_ZONE_H
#define ARB_KERNELS_TIME_ZONE_H

#include "base/error.h"
#include "base/text.h"

typedef struct arb_zone arb_zone;

/* "Europe/Berlin", "UTC", or an offset: "+02", "-05:30". ARB_INVALID_PARAMETER when there is no such zone. Free with
 * arb_zone_destroy. */
ARB_NODISCARD arb_code arb_zone_load(arb_str name, arb_zone **out_zone, arb_error *error);
/* The same from a file's bytes, which may be anything: ARB_CORRUPT_DATA. Keeps nothing of them. */
ARB_NODISCARD arb_code arb_zone_read(const void *data, size_t size, arb_zone **out_zone, arb_error *error);
void arb_zone_destroy(arb_zone *zone); /* NULL is a no-op */

/* Seconds east of UTC at a time, given in seconds since 1970 UTC. */
int64_t arb_zone_offset(const arb_zone *zone, int64_t utc_seconds);
/* The UTC time of a local one. A local time that is left out when clocks go forward is read with the offset before, one
 * that comes twice when they go back with the offset after, as PostgreSQL does. */
int64_t arb_zone_to_utc(const arb_zone *zone, int64_t local_seconds);
/* "CEST" at that time; never NULL. */
const char *arb_zone_abbreviation(const arb_zone *zone, int64_t utc_seconds);

#endif
