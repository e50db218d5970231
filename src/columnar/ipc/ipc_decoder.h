/* ipc_decoder.h: from IPC messages to arrays, whoever delivers the messages.
 *
 * A decoder takes one message after another: the schema, dictionaries, batches. Streams, files and Flight differ only
 * in how they find messages, so all of them feed this. It keeps the dictionaries: a later batch of the same number
 * replaces one or, as a delta, adds to it; arrays that were given before keep the entries that they had.
 *
 * One thread at a time, except that arb_ipc_decoder_batch does not change it. */
#ifndef ARB_COLUMNAR_IPC_IPC_DECODER_H
#define ARB_COLUMNAR_IPC_IPC_DECODER_H

#include "columnar/arrow_array.h"
#include "columnar/ipc/flatbuffer_read.h"

typedef struct arb_ipc_options {
    uint64_t memory_limit; /* bytes that one batch may take once it is decompressed; 0 = 8 GiB */
} arb_ipc_options;

/* A message's description, read. Refers to the bytes it was read from; must not be copied. */
typedef struct arb_ipc_message {
    arb_flat_reader reader;
    int16_t version;
    uint8_t type; /* HEADER_… of ipc_format.h */
    arb_flat_table root, header;
    uint64_t body_size; /* as claimed */
} arb_ipc_message;

/* `metadata` is the description alone, without the sizes in front. Versions before 4 are refused by name. */
ARB_NODISCARD arb_code arb_ipc_message_read(const uint8_t *metadata, size_t size, arb_ipc_message *out_message,
                                            arb_error *error);

typedef struct arb_ipc_decoder arb_ipc_decoder;

ARB_NODISCARD arb_code arb_ipc_decoder_create(const arb_ipc_options *options, arb_ipc_decoder **out_decoder,
                                              arb_error *error);
void arb_ipc_decoder_destroy(arb_ipc_decoder *decoder); /* NULL is a no-op */

/* The schema, from a table of type Schema; once, before everything else. */
ARB_NODISCARD arb_code arb_ipc_decoder_set_schema(arb_ipc_decoder *decoder, const arb_flat_table *table,
                                                  arb_error *error);
/* NULL until it is set; lent. */
const arb_arrow_schema *arb_ipc_decoder_schema(const arb_ipc_decoder *decoder);

/* Take any message. *out_array is a batch (one count for the caller), or NULL when it was none. Tensors are
 * ARB_NOT_SUPPORTED. The body may be referred to by what comes out. */
ARB_NODISCARD arb_code arb_ipc_decoder_push(arb_ipc_decoder *decoder, const arb_ipc_message *message,
                                            const arb_arrow_buffer *body, arb_arrow_array **out_array,
                                            arb_error *error);
/* Only a record batch; several threads may do this at once. */
ARB_NODISCARD arb_code arb_ipc_decoder_batch(const arb_ipc_decoder *decoder, const arb_ipc_message *message,
                                             const arb_arrow_buffer *body, arb_arrow_array **out_array,
                                             arb_error *error);
/* Whether the entries of the dictionary in a message refer to dictionaries that did not come yet: files may list
 * dictionaries in any order. */
bool arb_ipc_decoder_must_wait(const arb_ipc_decoder *decoder, const arb_ipc_message *message);

#endif
