/* padded_buffer.h: memory that readers fill again and again, with ARB_CODEC_PADDING bytes behind what was asked for.
 *
 * What it takes is counted in its reader's reservation, before it is taken. */
#ifndef ARB_IO_PADDED_BUFFER_H
#define ARB_IO_PADDED_BUFFER_H

#include "runtime/held_memory.h"

typedef struct arb_padded_buffer { /* zeroed: empty, not counted */
    uint8_t *data;                 /* aligned to 64 */
    size_t capacity;               /* without the padding */
    arb_reservation *held;         /* set by the owner while it is empty; lives longer */
} arb_padded_buffer;

/* Room for `size` bytes; what was in the buffer is lost when it grows. */
ARB_NODISCARD arb_code arb_padded_buffer_reserve(arb_padded_buffer *buffer, size_t size, arb_error *error);
/* The same, and the first `kept` bytes stay. Grows by doubling. */
ARB_NODISCARD arb_code arb_padded_buffer_grow(arb_padded_buffer *buffer, size_t size, size_t kept, arb_error *error);
/* Empty again; who counts it stays. */
void arb_padded_buffer_reset(arb_padded_buffer *buffer);
/* The memory, which the caller frees by arb_free and which is not counted any more. The buffer is empty. */
ARB_NODISCARD void *arb_padded_buffer_release(arb_padded_buffer *buffer);

#endif
