/* ipc_body.h: the buffers of a batch, to and from the body of an IPC message.
 *
 * A batch lists, for the fields of its schema from the outside in and from left to right, lengths and NULL counts
 * (nodes), and then, in the same order, where in the body each buffer lies. Buffers may be compressed one by one: then
 * each begins with its plain size (int64, -1 = what follows is plain). */
#ifndef ARB_COLUMNAR_IPC_IPC_BODY_H
#define ARB_COLUMNAR_IPC_IPC_BODY_H

#include "base/vec.h"
#include "columnar/arrow_array.h"
#include "columnar/ipc/flatbuffer_read.h"
#include "columnar/ipc/flatbuffer_write.h"
#include "io/codec_encode.h"

/* What is known before a batch is read. */
typedef struct arb_ipc_batch_source {
    const arb_arrow_schema *schema;
    int16_t version;       /* of the message: IPC_V4, IPC_V5 */
    bool big_endian;       /* values need their bytes turned round */
    uint64_t memory_limit; /* bytes that one batch may take once it is decompressed */
    /* The entries of a dictionary, borrowed, or NULL when none came yet. */
    const arb_arrow_array *(*dictionary)(const void *context, int64_t id);
    const void *context;
} arb_ipc_batch_source;

/* Fill a draft from a table of type RecordBatch. `field` NULL: a batch of all columns of the schema; else the one column
 * of a dictionary batch. The draft refers to the body unless values had to be changed. */
ARB_NODISCARD arb_code arb_ipc_batch_read(const arb_ipc_batch_source *source, const arb_flat_table *table,
                                          const arb_arrow_buffer *body, const arb_arrow_field *field,
                                          arb_arrow_draft *out_draft, arb_error *error);
/* Turn round the values of a node and its children, into new buffers. */
ARB_NODISCARD arb_code arb_ipc_swap(arb_arrow_node *node, arb_error *error);

/* A body to be written: buffers, each followed by zeros up to a multiple of the alignment. Zeroed: empty. */
typedef struct arb_ipc_body {
    ARB_VEC(arb_arrow_buffer) buffers; /* one count each */
    size_t alignment;                  /* 8 or 64 */
    uint64_t size;                     /* with the zeros */
} arb_ipc_body;

void arb_ipc_body_reset(arb_ipc_body *body);
/* Fill the hole with a table of type RecordBatch and the (empty) body with its buffers. The array is compact
 * (arrow_concat.h); as a `column` it is one column itself, else the struct of all. `encoder` may be NULL: plain. */
ARB_NODISCARD arb_code arb_ipc_batch_write(arb_flat_writer *writer, size_t hole, const arb_arrow_array *array,
                                           bool column, arb_codec codec, arb_codec_encoder *encoder, arb_ipc_body *body,
                                           arb_error *error);

#endif
