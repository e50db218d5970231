/* ipc_encoder.h: from arrays to IPC messages, whoever carries the messages.
 *
 * The counterpart of ipc_decoder.h: the writers of streams and files and Flight give each message their own frame.
 * Metadata is of version 5. Dictionaries are numbered by the order of fields. One goes out before the first batch that
 * uses it; later only when its entries changed: as a delta when they begin with the old ones, else as a replacement,
 * which files do not allow. */
#ifndef ARB_COLUMNAR_IPC_IPC_ENCODER_H
#define ARB_COLUMNAR_IPC_IPC_ENCODER_H

#include "columnar/arrow_array.h"
#include "columnar/ipc/ipc_body.h"

typedef struct arb_ipc_write_options {
    arb_codec codec;     /* of bodies: ARB_CODEC_NONE, LZ4_FRAME or ZSTD */
    size_t alignment;    /* of buffers and messages: 8 or 64; 0 = 64 */
    bool no_replacement; /* a dictionary that changes other than by growing is ARB_NOT_SUPPORTED */
} arb_ipc_write_options;

/* Lent for the call. */
typedef struct arb_ipc_encoded {
    uint8_t type;     /* HEADER_… of ipc_format.h */
    arb_str metadata; /* not padded */
    const arb_ipc_body *body;
} arb_ipc_encoded;

typedef struct arb_ipc_outlet {
    arb_code (*emit)(void *context, const arb_ipc_encoded *message, arb_error *error);
    void *context;
} arb_ipc_outlet;

typedef struct arb_ipc_encoder arb_ipc_encoder;

/* Takes a count of the schema, whose root is a STRUCT; `options` may be NULL. The outlet's context outlives it. */
ARB_NODISCARD arb_code arb_ipc_encoder_create(const arb_arrow_schema *schema, const arb_ipc_write_options *options,
                                              arb_ipc_outlet outlet, arb_ipc_encoder **out_encoder, arb_error *error);
void arb_ipc_encoder_destroy(arb_ipc_encoder *encoder); /* NULL is a no-op */
/* Emit the schema; first. */
ARB_NODISCARD arb_code arb_ipc_encoder_schema(arb_ipc_encoder *encoder, arb_error *error);
/* Emit the dictionaries that the array needs, then the array, which has the schema's type. */
ARB_NODISCARD arb_code arb_ipc_encoder_batch(arb_ipc_encoder *encoder, const arb_arrow_array *array, arb_error *error);

#endif
