/* arrow_column.h: a column that grows by rows of Arrow arrays, in the engine's layout; private to arrow_*.c.
 *
 * The tree follows the SQL type. All rows are flat; NULL rows hold values that are safe to read. */
#ifndef ARB_COLUMNAR_ARROW_COLUMN_H
#define ARB_COLUMNAR_ARROW_COLUMN_H

#include "columnar/arrow_array.h"
#include "columnar/vector.h"

typedef struct arb_arrow_column arb_arrow_column;
struct arb_arrow_column {
    arb_type type;
    arb_physical physical;
    arb_arrow_growing values;   /* of the physical type; bits for BOOL; nothing for STRUCT */
    arb_arrow_growing validity; /* words; only meaningful when has_nulls */
    bool has_nulls;
    size_t rows;
    size_t child_count; /* LIST, MAP: 1 */
    arb_arrow_column *children;
    arb_vector *vectors; /* of the children */
};

/* An empty column; children lie in the arena. */
ARB_NODISCARD arb_code arb_arrow_column_init(arb_arrow_column *column, arb_type type, arb_arena *arena,
                                             arb_error *error);
void arb_arrow_column_reset(arb_arrow_column *column);
void arb_arrow_column_clear(arb_arrow_column *column); /* no rows; keeps memory */
/* Rows [start, start + rows) of a node whose field maps to the column's type. */
ARB_NODISCARD arb_code arb_arrow_column_append(arb_arrow_column *column, const arb_arrow_node *node, int64_t start,
                                               int64_t rows, arb_error *error);
/* A row of zeros, valid. */
ARB_NODISCARD arb_code arb_arrow_column_append_zero(arb_arrow_column *column, arb_error *error);
/* A FLAT vector over all rows; valid until the column changes. */
arb_vector arb_arrow_column_vector(arb_arrow_column *column);

#endif
