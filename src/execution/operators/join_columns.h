/* join_columns.h: the columns that a join gives, made from pairs of a probe row and a held build row.
 *
 * A plan of them is made once for the operator; each driver has a writer with memory for the vectors. Probe columns are
 * passed on as they are where whole batches go on, and gathered otherwise; build columns are gathered from their rows. */
#ifndef ARB_EXECUTION_OPERATORS_JOIN_COLUMNS_H
#define ARB_EXECUTION_OPERATORS_JOIN_COLUMNS_H

#include "execution/operators/row_store.h"
#include "plan/physical.h"

typedef enum arb_join_side { ARB_SIDE_PROBE, ARB_SIDE_BUILD, ARB_SIDE_MARK } arb_join_side;

typedef struct arb_join_column {
    uint8_t side;
    uint8_t physical;
    uint32_t at; /* PROBE: column of the probe batch; BUILD: column of the row layout */
} arb_join_column;

typedef struct arb_join_columns {
    size_t count;
    const arb_join_column *columns;
    const arb_row_layout *rows;
    const bool *has_null; /* of the build rows' columns; set once the build side is complete */
} arb_join_columns;

/* A driver's memory. Vectors are made where they are first needed. */
typedef struct arb_join_writer {
    const arb_join_columns *plan;
    uint32_t batch_rows;
    arb_vector_storage *storage;
    arb_vector *columns;
    arb_batch batch; /* the result: lent until the next call */
} arb_join_writer;

/* Caller's memory; reset on a zeroed one is a no-op. */
ARB_NODISCARD arb_code arb_join_writer_init(arb_join_writer *writer, const arb_join_columns *plan, uint32_t batch_rows,
                                            arb_error *error);
void arb_join_writer_reset(arb_join_writer *writer);

/* Pairs of row index[i] of `probe` and build row rows[i]. */
ARB_NODISCARD arb_code arb_join_write_pairs(arb_join_writer *writer, const arb_batch *probe, const uint16_t *index,
                                            char *const *rows, size_t count, bool may_be_null, arb_error *error);
/* The rows of `probe` that `selection` has (borrowed; NULL: as the batch), `selected` of them, each beside build row
 * rows[i] (NULL: all NULLs) and its mark. */
ARB_NODISCARD arb_code arb_join_write_probe(arb_join_writer *writer, const arb_batch *probe, const uint64_t *selection,
                                            uint32_t selected, char *const *rows, const arb_vector *mark,
                                            arb_error *error);
/* Build rows beside NULLs for the probe side. */
ARB_NODISCARD arb_code arb_join_write_build(arb_join_writer *writer, char *const *rows, size_t count, arb_error *error);

#endif
