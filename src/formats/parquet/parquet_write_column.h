/* parquet_write_column.h: the values of one leaf in the row group that is being filled.
 *
 * Values are kept as they will be stored, but not encoded yet, without NULLs, with their levels beside them: only when
 * all are there is it known which encoding is best. A row group is small enough for that. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_WRITE_COLUMN_H
#define ARB_FORMATS_PARQUET_PARQUET_WRITE_COLUMN_H

#include "columnar/vector.h"
#include "formats/parquet/parquet_schema.h"

/* How a leaf's values are kept. */
typedef enum arb_parquet_kept {
    ARB_PARQUET_KEPT_BOOL, /* a byte each */
    ARB_PARQUET_KEPT_I32,
    ARB_PARQUET_KEPT_I64,
    ARB_PARQUET_KEPT_I128, /* decimals that are stored in FIXED bytes */
    ARB_PARQUET_KEPT_F32,
    ARB_PARQUET_KEPT_F64,
    ARB_PARQUET_KEPT_TEXT /* arb_string, long ones in the column's arena */
} arb_parquet_kept;

typedef struct arb_parquet_write_column {
    const arb_parquet_leaf *leaf;
    arb_parquet_kept kept;
    size_t entries;       /* values and NULLs (and empty lists) */
    size_t values;        /* without NULLs */
    arb_text definitions; /* a byte an entry; only when the leaf has such levels */
    arb_text repetitions;
    arb_text data; /* the values, an array */
    arb_arena text;
    uint64_t text_bytes; /* of all values of TEXT */
} arb_parquet_write_column;

/* Of zeroed memory. */
void arb_parquet_write_column_init(arb_parquet_write_column *column, const arb_parquet_leaf *leaf);
void arb_parquet_write_column_reset(arb_parquet_write_column *column);
void arb_parquet_write_column_clear(arb_parquet_write_column *column);
/* Bytes of memory that it holds, about. */
uint64_t arb_parquet_write_column_bytes(const arb_parquet_write_column *column);
/* Bytes of a value in `data`. */
size_t arb_parquet_kept_size(arb_parquet_kept kept);

/* Append the selected rows of a vector to the columns of all leaves below `node`; `columns` are those of all leaves.
 * A NULL in a column that can have none is ARB_NULL_NOT_ALLOWED, a value that does not fit its type ARB_OUT_OF_RANGE;
 * messages name the column by `name`. */
ARB_NODISCARD arb_code arb_parquet_write_column_append(arb_parquet_write_column *columns, const arb_parquet_node *node,
                                                       arb_str name, const arb_vector *vector, const arb_batch *batch,
                                                       arb_arena *scratch, arb_error *error);

#endif
