/* ipc_file_reader.h: Arrow's file format: the same messages as a stream, found through a footer.
 *
 * Opening reads the footer and all dictionaries. After that a file is read-only, and several threads may read batches. */
#ifndef ARB_COLUMNAR_IPC_IPC_FILE_READER_H
#define ARB_COLUMNAR_IPC_IPC_FILE_READER_H

#include "columnar/arrow_stream.h"
#include "columnar/ipc/ipc_decoder.h"
#include "io/byte_source.h"

typedef struct arb_ipc_file arb_ipc_file;

/* Whether the source begins as an Arrow file does. */
ARB_NODISCARD arb_code arb_ipc_file_detect(const arb_byte_source *source, bool *out_is_file, arb_error *error);
/* The source outlives the file; `options` may be NULL. */
ARB_NODISCARD arb_code arb_ipc_file_open(const arb_byte_source *source, const arb_ipc_options *options,
                                         arb_ipc_file **out_file, arb_error *error);
void arb_ipc_file_destroy(arb_ipc_file *file); /* NULL is a no-op */

/* Lent by the file. */
const arb_arrow_schema *arb_ipc_file_schema(const arb_ipc_file *file);
arb_arrow_metadata arb_ipc_file_metadata(const arb_ipc_file *file); /* of the footer */
size_t arb_ipc_file_batch_count(const arb_ipc_file *file);
/* Rows of a batch, and its bytes in the file, without reading its body. */
ARB_NODISCARD arb_code arb_ipc_file_batch_rows(const arb_ipc_file *file, size_t batch, int64_t *out_rows,
                                               uint64_t *out_bytes, arb_error *error);
/* One batch; one count for the caller. */
ARB_NODISCARD arb_code arb_ipc_file_read_batch(const arb_ipc_file *file, size_t batch, arb_arrow_array **out_array,
                                               arb_error *error);
/* All batches in order. The file outlives the stream. */
ARB_NODISCARD arb_code arb_ipc_file_stream(const arb_ipc_file *file, arb_arrow_stream **out_stream, arb_error *error);

#endif
