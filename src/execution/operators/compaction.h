/* compaction.h: drop the rows of a batch that are not selected, once they are so many that carrying them costs more. */
#ifndef ARB_EXECUTION_COMPACTION_H
#define ARB_EXECUTION_COMPACTION_H

#include "columnar/vector.h"
#include "expr/layout.h"

/* One driver's memory for it. */
typedef struct arb_compaction {
    size_t column_count;
    arb_vector_storage *storages; /* one a column; NULL when some column cannot be compacted (a STRUCT) */
    arb_vector *columns;
    arb_batch batch;
} arb_compaction;

ARB_NODISCARD arb_code arb_compaction_init(arb_compaction *compaction, const arb_layout *layout, arb_error *error);
void arb_compaction_reset(arb_compaction *compaction); /* a zeroed one is a no-op */
/* `in` with `selection` (no bits behind the rows) instead of its own: compacted when less than half is left, else over
 * the same vectors. Valid until the next call; borrows in's vectors and the selection. */
const arb_batch *arb_compaction_apply(arb_compaction *compaction, const arb_batch *in, const uint64_t *selection);

#endif
