/* hive_path.h: folders that are columns: in sales/year=2024/month=3/1.parquet the rows have the columns year and month,
 * as Hive and many after it lay tables out. Bytes that a name cannot hold are written as %XX. */
#ifndef ARB_CATALOG_HIVE_PATH_H
#define ARB_CATALOG_HIVE_PATH_H

#include "base/vec.h"
#include "columnar/value.h"

typedef struct arb_hive_part {
    arb_str key;
    arb_str text;
    bool is_null; /* __HIVE_DEFAULT_PARTITION__ */
} arb_hive_part;

typedef ARB_VEC(arb_hive_part) arb_hive_parts; /* arena */

/* The folders key=value of a path behind its first `from` bytes, in order; the file's own name is not looked at. */
ARB_NODISCARD arb_code arb_hive_path_read(arb_arena *arena, arb_str path, size_t from, arb_hive_parts *out_parts,
                                          arb_error *error);
/* The type that a column's value suggests, and with it those of all its values: BIGINT, DATE, TIMESTAMP, else VARCHAR;
 * NULL before the first one and of NULLs alone. */
arb_type arb_hive_guess(arb_type type, const arb_hive_part *part);

#endif
