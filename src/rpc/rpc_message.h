/* rpc_message.h: bytes that travel, wherever they lie.
 *
 * A message is a list of pieces. It is counted and never changes once it is made, so that it can wait in several queues,
 * be sent more than once, and be passed on by whoever received it. Its pieces lie in memory of others, which is let go of
 * when the last count is gone, or behind the message in the same block. */
#ifndef ARB_RPC_RPC_MESSAGE_H
#define ARB_RPC_RPC_MESSAGE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/text.h"

typedef struct arb_rpc_slice {
    const uint8_t *data;
    size_t size;
} arb_rpc_slice;

typedef struct arb_rpc_message {
    _Atomic uint32_t references;
    size_t size; /* of all slices together */
    void (*release)(void *context);
    void *context;
    size_t slice_count;
    arb_rpc_slice slices[];
} arb_rpc_message;

/* A message with one count for the caller, who fills slices and size before anybody else sees it. *out_own is room for
 * `own_size` bytes that live as long as the message; may be NULL. `release` (NULL: nothing to let go of) is called on any
 * thread, from within functions of this library too, and must not call them. When this fails it is not called. */
ARB_NODISCARD arb_code arb_rpc_message_create(size_t slice_count, size_t own_size, void (*release)(void *),
                                              void *context, arb_rpc_message **out_message, uint8_t **out_own,
                                              arb_error *error);
/* A copy of bytes. */
ARB_NODISCARD arb_code arb_rpc_message_copy(arb_str bytes, arb_rpc_message **out_message, arb_error *error);
arb_rpc_message *arb_rpc_message_ref(arb_rpc_message *message);
void arb_rpc_message_unref(arb_rpc_message *message); /* NULL is a no-op */

/* All bytes in one piece: a view when they lie so, else a copy in the arena. */
ARB_NODISCARD arb_code arb_rpc_message_bytes(const arb_rpc_message *message, arb_arena *arena, arb_str *out_bytes,
                                             arb_error *error);

#endif
