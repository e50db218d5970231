/* parquet_write_plan.h: what all row groups of a file that is being written share: its schema, and how to store it.
 *
 * The schema is made as a footer's elements, and these are then read by the reader's own parquet_schema.c: so leaves,
 * levels and nodes are exactly what a reader of the file will find. Read-only once made. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_WRITE_PLAN_H
#define ARB_FORMATS_PARQUET_PARQUET_WRITE_PLAN_H

#include "formats/parquet/parquet_schema.h"
#include "formats/writer.h"
#include "io/codec.h"

typedef struct arb_parquet_write_plan {
    arb_arena arena;               /* holds the rest */
    arb_parquet_metadata metadata; /* elements only */
    arb_parquet_schema schema;
    arb_parquet_write_options options; /* without zeros */
    arb_codec codec;
} arb_parquet_write_plan;

/* Fills zeroed memory. ARB_NOT_SUPPORTED names the column whose type has no home in Parquet. */
ARB_NODISCARD arb_code arb_parquet_write_plan_init(arb_parquet_write_plan *plan, const arb_table_schema *schema,
                                                   const arb_parquet_write_options *options, arb_error *error);
void arb_parquet_write_plan_reset(arb_parquet_write_plan *plan);

/* Elements from the root to the leaf without the root, outermost first: their names are its path. Returns how many
 * there are; `out_elements` has room for `most`. */
size_t arb_parquet_leaf_path(const arb_parquet_write_plan *plan, const arb_parquet_leaf *leaf, uint32_t *out_elements,
                             size_t most);
enum { ARB_PARQUET_PATH_MOST = 200 };
/* The Parquet number of a codec that is written. */
int32_t arb_parquet_codec_number(arb_codec codec);

#endif
