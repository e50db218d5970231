/* ipc_stream_reader.h: Arrow's stream format, from bytes that come in order.
 *
 * Nothing that a stream claims is allocated before as many bytes have come. A stream may end without its end mark, but
 * not within a message. */
#ifndef ARB_COLUMNAR_IPC_IPC_STREAM_READER_H
#define ARB_COLUMNAR_IPC_IPC_STREAM_READER_H

#include "columnar/arrow_stream.h"
#include "columnar/ipc/ipc_decoder.h"
#include "io/byte_source.h"

/* Bytes in order: a socket, a pipe, a file. */
typedef struct arb_ipc_input {
    /* Up to `size` bytes; *out_got is 0 only at the end. */
    arb_code (*read)(void *context, void *to, size_t size, size_t *out_got, arb_error *error);
    void *context;
} arb_ipc_input;

/* Reads the schema at once. `input` and its context outlive the stream; `options` may be NULL. */
ARB_NODISCARD arb_code arb_ipc_stream_open(arb_ipc_input input, const arb_ipc_options *options,
                                           arb_arrow_stream **out_stream, arb_error *error);
/* The same over a whole source, which outlives the stream. */
ARB_NODISCARD arb_code arb_ipc_stream_open_source(const arb_byte_source *source, const arb_ipc_options *options,
                                                  arb_arrow_stream **out_stream, arb_error *error);

#endif
