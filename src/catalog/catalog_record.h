/* catalog_record.h: entries of a catalog as bytes (proto/catalog.proto), for the state store. */
#ifndef ARB_CATALOG_CATALOG_RECORD_H
#define ARB_CATALOG_CATALOG_RECORD_H

#include "catalog/catalog_version.h"
#include "catalog/segment.h"

/* Raised when an older reader would misunderstand a record. */
enum { ARB_CATALOG_RECORD_VERSION = 1 };

/* Append the bytes of an entry; chunks of a table in memory are named. */
ARB_NODISCARD arb_code arb_catalog_record_write(const arb_catalog_entry *entry, const arb_segment_namer *segments,
                                                arb_text *out, arb_error *error);
/* The entry, with one reference for the caller. A table in memory whose rows cannot be had is an entry all the same, which says
 * so when it is used (`lost`). ARB_CORRUPT_DATA: the record is none; ARB_NOT_SUPPORTED: of another version, or of a format that
 * is not known. */
ARB_NODISCARD arb_code arb_catalog_record_read(arb_str bytes, const arb_file_formats *formats,
                                               const arb_segment_finder *segments, arb_catalog_entry **out_entry,
                                               arb_error *error);

ARB_NODISCARD arb_code arb_catalog_schemas_write(const arb_catalog_version *version, arb_text *out, arb_error *error);
/* Those that the version has not yet are added to it. */
ARB_NODISCARD arb_code arb_catalog_schemas_read(arb_str bytes, arb_catalog_version *version, arb_error *error);

#endif
