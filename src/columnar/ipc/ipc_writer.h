/* ipc_writer.h: Arrow's stream and file formats into a sink. */
#ifndef ARB_COLUMNAR_IPC_IPC_WRITER_H
#define ARB_COLUMNAR_IPC_IPC_WRITER_H

#include "columnar/ipc/ipc_encoder.h"
#include "io/byte_sink.h"

typedef enum arb_ipc_form { ARB_IPC_STREAM, ARB_IPC_FILE } arb_ipc_form;

typedef struct arb_ipc_writer arb_ipc_writer;

/* Writes the beginning, with the schema. The sink outlives the writer; a file starts where the sink stands. `options`
 * may be NULL. */
ARB_NODISCARD arb_code arb_ipc_writer_create(arb_byte_sink *sink, arb_ipc_form form, const arb_arrow_schema *schema,
                                             const arb_ipc_write_options *options, arb_ipc_writer **out_writer,
                                             arb_error *error);
/* Append a batch; after a failure the writer can only be destroyed. */
ARB_NODISCARD arb_code arb_ipc_writer_write(arb_ipc_writer *writer, const arb_arrow_array *array, arb_error *error);
/* Write the end: the mark, and a file's footer with `metadata`. The sink is not finished. */
ARB_NODISCARD arb_code arb_ipc_writer_finish(arb_ipc_writer *writer, arb_arrow_metadata metadata, arb_error *error);
void arb_ipc_writer_destroy(arb_ipc_writer *writer); /* NULL is a no-op */

#endif
