/* remote_rows.h: the rows of a stream of FlightData, as batches. */
#ifndef ARB_REMOTE_REMOTE_ROWS_H
#define ARB_REMOTE_REMOTE_ROWS_H

#include "engine/session.h"
#include "rpc/rpc_stream.h"

typedef struct arb_remote_rows arb_remote_rows;

/* Waits for the schema; names and types of the columns live in the arena. The stream outlives the rows. */
ARB_NODISCARD arb_code arb_remote_rows_begin(arb_rpc_stream *stream, arb_arena *arena, arb_result_columns *out_columns,
                                             arb_remote_rows **out_rows, arb_error *error);
/* The next rows, all selected, FLAT, lent until the next call; *out_batch is NULL at the end. */
ARB_NODISCARD arb_code arb_remote_rows_next(arb_remote_rows *rows, arb_rpc_stream *stream, const arb_batch **out_batch,
                                            arb_error *error);
void arb_remote_rows_destroy(arb_remote_rows *rows); /* NULL is a no-op */

#endif
