/* segment_columns.h: which Arrow columns a segment has; what segment_encode.c and segment_decode.c share. */
#ifndef ARB_CATALOG_SEGMENT_COLUMNS_H
#define ARB_CATALOG_SEGMENT_COLUMNS_H

#include "catalog/segment.h"
#include "columnar/arrow_array.h"

/* The schema of a chunk with such columns, which may be empty; one reference for the caller. */
ARB_NODISCARD arb_code arb_segment_schema(const arb_memory_chunk *chunk, arb_arrow_schema **out_schema,
                                          arb_error *error);

#endif
